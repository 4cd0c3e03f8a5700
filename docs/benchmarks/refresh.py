"""How should boosted trees go on when rows have drifted?

    python docs/benchmarks/refresh.py --data FOLDER

Writes refresh.jsonl (resumable) and refresh.md beside this file.
"""

import numpy as np
from lightgbm import LGBMClassifier, LGBMRegressor
from results import markdown_table, number, run
from tables import load, outputs, split

from skdistill.metrics import fidelity
from skdistill.samplers import LeafSwap
from skdistill.students import CompactBoostingClassifier, CompactBoostingRegressor

TABLES = ("ailerons", "california", "credit_default", "heloc", "pol")
SIZES = ((20, 16), (60, 24))
N_NEW = (300, 1000)
SEED = 2
COLUMNS = {
    "shipped": "the student that was taught before the rows moved",
    "fresh": "a student of the same size, fitted to the new rows alone",
    "all trees": "the trees of the shipped student with all leaves refitted to the new rows",
    "half": "the first half of these trees, then as many new ones; all leaves refitted (what `refresh` tries)",
    "kept now": "shipped, fresh or half, whichever is best on other new rows, a quarter as many",
    "not shipped": "fresh or half, whichever is better on these (what was kept before)",
    "with all trees": "fresh or all trees, whichever is better on these",
}


def moved(X, column, direction, rng):
    """Return the rows that are drawn with more probability the larger (or smaller) their rank in a column is."""
    ranks = X[:, column].argsort().argsort() / len(X)
    return X[rng.uniform(size=len(X)) < 1 / (1 + np.exp(-direction * 8 * (ranks - 0.5)))]


def as_numbers(X):
    """Return a table as floats; texts by their codes."""
    columns = [X[name] if X[name].dtype.kind in "fiub" else X[name].astype("category").cat.codes for name in X]
    return np.nan_to_num(np.column_stack(columns).astype(float))


def measure(results, folder):
    for name in TABLES:
        X, y, task = load(folder, name)
        X_train, X_rest, X_test, y_train, y_rest, _ = split(X, y, SEED)
        parts = [as_numbers(part) for part in (X_train, X_rest, X_test)]
        kinds = (LGBMClassifier, CompactBoostingClassifier), (LGBMRegressor, CompactBoostingRegressor)
        kind, student_kind = kinds[task == "regression"]
        teacher = kind(n_estimators=300, learning_rate=0.05, verbosity=-1, n_jobs=1, random_state=SEED)
        teacher.fit(np.vstack(parts[:2]), np.concatenate([y_train, y_rest]))
        for column in np.argsort(-teacher.feature_importances_)[:2].tolist():
            rng = np.random.default_rng(SEED)
            old, pool, test = (moved(part, column, way, rng) for part, way in zip(parts, (-1, 1, 1), strict=True))
            half = len(pool) // 2
            tables = {"old": old, "pool": pool[:half], "choice": pool[half:], "test": test}
            for n_trees, max_leaf_nodes in SIZES:
                key = {"table": name, "column": column, "size": f"{n_trees} x {max_leaf_nodes}"}
                add(results, key, student_kind(n_trees, max_leaf_nodes, random_state=SEED), teacher, tables)


def add(results, key, student, teacher, tables):
    """Add the fidelities of all ways for one student, at both numbers of new rows."""

    def fit(rows, init=None):
        drawn = LeafSwap(random_state=SEED).fit(rows, outputs(teacher, rows)).sample(10 * len(rows), random_state=SEED)
        every, weight = np.vstack([rows, drawn]), np.append(np.ones(len(rows)), np.full(len(drawn), 0.4))
        known = {"classes": teacher.classes_} if hasattr(teacher, "classes_") else {}
        new = type(student)(**{**student.get_params(), "init": init})
        return new.fit_soft(every, outputs(teacher, every), sample_weight=weight, **known)

    shipped = fit(tables["old"])
    for n_new in N_NEW:
        if results.has(**key, n_new=n_new):
            continue
        rows = tables["pool"][:n_new]
        start = shipped._start_on_new_rows()
        students = {"shipped": shipped, "fresh": fit(rows), "all trees": fit(rows, shipped), "half": fit(rows, start)}
        of = {}
        for name, given in (("choice", tables["choice"][: n_new // 4]), ("test", tables["test"])):
            soft = outputs(teacher, given)
            of[name] = {way: fidelity(soft, outputs(each, given)) for way, each in students.items()}
        kept = {"kept now": ("shipped", "fresh", "half"), "not shipped": ("fresh", "half")}
        for name, ways in (kept | {"with all trees": ("fresh", "all trees")}).items():
            of["test"][name] = of["test"][max(ways, key=of["choice"].get)]
        results.add(**key, n_new=n_new, **of["test"])


def page(results):
    parts = ["\n".join(f"- **{name}**: {text}" for name, text in COLUMNS.items())]
    parts.append(
        "Teacher: 300 boosted trees, fitted to all rows but the test rows. Old rows have small values of one of the "
        "two columns that the teacher uses most, new rows large ones: a row at rank $r$ in (0, 1) is drawn with the "
        "probability $1 / (1 + e^{\\pm 8 (r - 0.5)})$. Ten synthetic rows for each row. Fidelity on test rows that "
        f"moved in the same way, one seed, {len(TABLES)} tables with two columns each."
    )
    for n_new in N_NEW:
        rows = []
        for size in (f"{n_trees} x {max_leaf_nodes}" for n_trees, max_leaf_nodes in SIZES):
            for table in (*results.names("table"), None):
                key = {"size": size, "n_new": n_new} | ({} if table is None else {"table": table})
                means = [number(results.mean(way, **key), 4) for way in COLUMNS]
                rows.append([f"{table or '**mean**'}, {size}", *means])
        parts.append(f"## {n_new} new rows\n\n" + markdown_table(["", *COLUMNS], rows))
    now, without, whole, shipped = (
        np.array([row[name] for row in results.rows])
        for name in ("kept now", "not shipped", "with all trees", "shipped")
    )
    is_kept, gains = now == shipped, without - whole
    parts.append(
        f"The shipped student is kept in {is_kept.sum()} of {len(now)} cells, which changes the fidelity of all by "
        f"{(now - without).mean():+.4f} in the mean, and of one by {(now - without).min():+.4f} to "
        f"{(now - without).max():+.4f}. What is kept loses at most {(shipped - now).max():.4f} to the shipped student, "
        f"and {(shipped - without).max():.4f} where this is no candidate. Half of the trees instead of all of them "
        f"gains {gains.mean():+.4f} in the mean, standard error {gains.std() / np.sqrt(len(gains)):.4f}."
    )
    return "\n\n".join(parts)


if __name__ == "__main__":
    run(__file__, "Boosted trees on rows that have moved", __doc__, measure, page)
