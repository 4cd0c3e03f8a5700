"""What does refitting the leaves of boosted trees gain, and what does a grid over sizes cost?

    python docs/benchmarks/leaves.py --data FOLDER

Writes leaves.jsonl (resumable) and leaves.md beside this file.
"""

import tempfile
from time import perf_counter

import numpy as np
from peers import teach
from results import markdown_table, number, run
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, KFold
from tables import CLASSIFICATION, REGRESSION, load, outputs, split, vote_teacher

from skdistill import DistilledClassifier, DistilledRegressor, as_teacher
from skdistill._tables import stack_rows
from skdistill.metrics import fidelity
from skdistill.samplers import LeafSwap
from skdistill.students import CompactBoostingClassifier, CompactBoostingRegressor

SEEDS = (0, 1, 2)
RATIO = 10
SIZES = ((20, 16), (60, 24))
SHOWN = {"same step": "same rate", "re-solved": "refitted"}
"""What the page calls columns of the JSON lines."""

COLUMNS = {
    "LightGBM": "LightGBM with its default learning rate of 0.1",
    "same step": "LightGBM with a learning rate of 0.3 for 20 trees and of 0.2 for 60, as in all columns after it: the "
    "same trees as refitted ones, with LightGBM's leaf values",
    "twice the trees": "the same with twice as many trees, and therefore twice as many leaves to store and to evaluate",
    "re-solved": "`CompactBoosting*`: all leaf values refitted jointly",
}


def students(task, n_trees, max_leaf_nodes):
    kind = CompactBoostingClassifier if task == "classification" else CompactBoostingRegressor
    plain = kind(n_trees, max_leaf_nodes, resolve_leaves=False, random_state=0)
    rate = {20: 0.3, 60: 0.2}[n_trees]
    return {
        "LightGBM": clone(plain).set_params(learning_rate=0.1),
        "same step": clone(plain).set_params(learning_rate=rate),
        "twice the trees": clone(plain).set_params(learning_rate=rate, n_trees=2 * n_trees),
        "re-solved": clone(plain).set_params(learning_rate=rate, resolve_leaves=True),
    }


def transfer_set(teacher, X, seed):
    """Return the real rows and ``RATIO`` rows of leaf swap each, labelled; with the same total weight."""
    soft = outputs(teacher, X)
    drawn = LeafSwap(random_state=seed).fit(X, soft).sample(RATIO * len(X), random_state=seed)
    weight = np.append(np.ones(len(X)), np.full(len(drawn), 1 / RATIO))
    return stack_rows([X, drawn]), np.concatenate([soft, outputs(teacher, drawn)]), weight


def measure(results, folder):
    for name in REGRESSION + CLASSIFICATION:
        X, y, task = load(folder, name)
        for seed in SEEDS:
            if results.has(table=name, seed=seed, size=str(SIZES[-1])):
                continue
            X_train, _, X_test, y_train, _, _ = split(X, y, seed)
            teacher = vote_teacher(task, seed).fit(X_train, y_train)
            reference, classes = outputs(teacher, X_test), getattr(teacher, "classes_", None)
            rows, targets, weight = transfer_set(teacher, X_train, seed)
            multioutput = "variance_weighted" if task == "classification" else "uniform_average"
            for size in SIZES:
                scores = {}
                for column, student in students(task, *size).items():
                    started = perf_counter()
                    fitted = teach(student, task, rows, targets, classes, weight)
                    scores[f"{column}, s"] = perf_counter() - started
                    scores[column] = fidelity(reference, outputs(fitted, X_test), multioutput=multioutput)
                results.add(table=name, seed=seed, size=str(size), **scores)
    grid(results, folder)


GRID = (3, 5, 10, 15, 20, 30, 40, 60)


def grid(results, folder):
    """Measure what many sizes cost: one by one, by ``path``, and in a grid search with ``memory``."""
    for name in ("california", "adult"):
        if results.has(table=name, size="grid"):
            continue
        X, y, task = load(folder, name)
        X_train, _, _, y_train, _, _ = split(X, y, 0)
        teacher = vote_teacher(task, 0).fit(X_train, y_train)
        rows, targets, weight = transfer_set(teacher, X_train, 0)
        student = students(task, 20, 24)["re-solved"].set_params(learning_rate="auto")
        given = {"sample_weight": weight}
        if task == "classification":
            given["classes"] = teacher.classes_
        times = {"largest": [], "one by one": [], "path": []}
        plans = {"largest": [GRID[-1:]], "one by one": [[size] for size in GRID], "path": [GRID]}
        for _ in range(3):
            for key, sizes in plans.items():
                started = perf_counter()
                for together in sizes:
                    student.path(rows, targets, together, **given)
                times[key].append(perf_counter() - started)
        medians = {key: float(np.median(spent)) for key, spent in times.items()}
        results.add(table=name, seed=0, size="grid", **medians, **search(teacher, student, X_train, y_train, task))


def search(teacher, student, X, y, task):
    """Return the seconds a fold of a grid search with memory, the largest alone, and the queries per fold."""
    kind = DistilledClassifier if task == "classification" else DistilledRegressor
    asked, folds = [], list(KFold(2).split(X))

    def answer(rows):
        asked.append(len(rows))
        return outputs(teacher, rows)

    options = {"sampler": LeafSwap(), "n_synthetic": float(RATIO), "random_state": 0}
    if task == "classification":
        answer = as_teacher(answer, "predict_proba", classes=teacher.classes_)
    with tempfile.TemporaryDirectory() as memory:
        model = kind(answer, student, memory=memory, **options)
        started = perf_counter()
        for fold in folds:
            GridSearchCV(model, {"student__n_trees": GRID}, cv=[fold], refit=False, scoring=lambda *_: 0.0).fit(X, y)
        spent = (perf_counter() - started) / len(folds)
    n_asked = sum(asked) / len(folds)
    started = perf_counter()
    kind(answer, student, **options).set_params(student__n_trees=GRID[-1]).fit(X.iloc[folds[0][0]])
    return {
        "search": spent,
        "alone": perf_counter() - started,
        "asked": n_asked,
        "rows": len(folds[0][0]) * (1 + RATIO),
    }


def page(results):
    tables = [name for name in (*REGRESSION, *CLASSIFICATION) if name in results.names("table")]
    parts = ["\n".join(f"- **{name}**: {text}" for name, text in COLUMNS.items())]
    parts.append(
        "Teacher: the voting ensemble, fitted on 3,000 rows. All students are trained on the same rows: the "
        f"training rows and {RATIO} rows of leaf swap per training row, with the same total weight. The tables show "
        f"the fidelity on test rows, {len(SEEDS)} seeds."
    )
    for size in SIZES:
        rows, means = [], []
        for name in tables:
            values = [results.mean(column, table=name, size=str(size)) for column in COLUMNS]
            means.append(values)
            rows.append([name, *(number(value, 4) for value in values), f"{values[3] - values[1]:+.4f}"])
        mean = np.mean(means, axis=0)
        rows.append(["**mean**", *(number(value, 4) for value in mean), f"{mean[3] - mean[1]:+.4f}"])
        seconds = [np.mean([results.mean(f"{c}, s", table=n, size=str(size)) for n in tables]) for c in COLUMNS]
        rows.append(["fit, s", *(number(value, 2) for value in seconds), ""])
        header = [
            f"{size[0]} x {size[1]}",
            *(SHOWN.get(column, column) for column in COLUMNS),
            "refitted against same rate",
        ]
        parts.append(f"## {size[0]} trees of {size[1]} leaves\n\n{markdown_table(header, rows)}")
        cells = [row for row in results.rows if row["size"] == str(size)]
        gains = np.array([row["re-solved"] - row["same step"] for row in cells])
        closed = np.array([(m[3] - m[1]) / (m[2] - m[1]) if m[2] != m[1] else np.nan for m in means])
        parts.append(
            f"Refitting gains fidelity in {np.mean(gains > 0):.0%} of {len(gains)} cells, with a smallest gain of "
            f"{gains.min():+.4f}. In the median table, it achieves {np.nanmedian(closed):.0%} of the gain from "
            "twice as many trees, without adding a leaf."
        )
    times = [row for row in results.rows if row["size"] == "grid"]
    rows = [
        [
            row["table"],
            *(number(row[key], 2) for key in ("largest", "one by one", "path")),
            number(row["path"] / row["largest"], 2),
            *(number(row[key], 2) for key in ("alone", "search")),
            number(row["search"] / row["alone"], 2),
            f"{row['asked']:,.0f} of {row['rows']:,}",
        ]
        for row in times
    ]
    sizes = ", ".join(map(str, GRID))
    header = ["", "largest", "one by one", "`path`", "ratio", "distilled", "search", "ratio", "queries"]
    parts.append(
        f"## Many sizes\n\nSeconds for {len(GRID)} sizes ({sizes} trees of 24 leaves). Left: students alone, on the "
        "same rows. Right: one fold (1,500 rows) of a `GridSearchCV` over the sizes of a distilled student with "
        "`memory=`, compared with one fit of the largest size without memory, including labelling and sampling.\n\n"
        + markdown_table(header, rows)
    )
    return "\n\n".join(parts)


if __name__ == "__main__":
    run(__file__, "Compact boosting", __doc__, measure, page)
