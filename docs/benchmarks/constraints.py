"""What do constraints cost, and how many columns does a student need?

    python docs/benchmarks/constraints.py --data FOLDER

Writes constraints.jsonl (resumable) and constraints.md beside this file.
"""

from time import perf_counter

import numpy as np
from lightgbm import LGBMClassifier, LGBMRegressor
from peers import teach
from results import markdown_table, number, run
from sklearn.pipeline import make_pipeline
from tables import encoder, load, outputs, skill, split

from skdistill import AutoColumns, DistilledClassifier, DistilledRegressor
from skdistill._tables import stack_rows
from skdistill.metrics import fidelity
from skdistill.samplers import LeafSwap
from skdistill.students import (
    CompactBoostingClassifier,
    CompactBoostingRegressor,
    CompactLinearClassifier,
    CompactLinearRegressor,
    CompactTreeClassifier,
    CompactTreeRegressor,
)

DIRECTIONS = {
    "california": {"median_income": 1, "housing_median_age": 1},
    "wine_quality_white": {"alcohol": 1, "volatile_acidity": -1},
    "adult": {"education_num": 1, "capital_gain": 1},
    "heloc": {"ExternalRiskEstimate": 1, "PercentTradesNeverDelq": 1, "NetFractionRevolvingBurden": -1},
    "credit_default": {"pay_0": 1, "pay_2": 1, "limit_bal": -1},
}
"""What is known of each table: how the value, or the probability of the second class, moves with some columns."""

RATIO = 3
N_PAIRS = 20_000
COLUMNS = {
    "free": "no constraint",
    "grown": "directions are kept while trees grow, and leaves keep the values of boosting",
    "in order": "leaf values are refitted within the constraints (boosting), or are the nearest ones in order (tree)",
}
TEACHERS = ("free", "monotone")


def fit_teacher(task, X, y, directions):
    """Return boosted trees, with directions of some columns or without."""
    kind = LGBMClassifier if task == "classification" else LGBMRegressor
    cells = encoder(False).set_output(transform="default").fit(X)
    names = [name.split("__")[-1] for name in cells.get_feature_names_out()]
    cst = [directions.get(name, 0) for name in names]
    model = kind(n_estimators=200, learning_rate=0.05, verbosity=-1, n_jobs=1, random_state=0)
    return make_pipeline(cells, model.set_params(monotone_constraints=cst if any(cst) else None)).fit(X, y)


def students(task, cst):
    """Return the students by family and way of keeping directions."""
    classifies = task == "classification"
    boosting = CompactBoostingClassifier if classifies else CompactBoostingRegressor
    tree = CompactTreeClassifier if classifies else CompactTreeRegressor
    linear = CompactLinearClassifier if classifies else CompactLinearRegressor
    return {
        "boosting, free": boosting(random_state=0),
        "boosting, grown": boosting(random_state=0, monotonic_cst=cst, resolve_leaves=False),
        "boosting, in order": boosting(random_state=0, monotonic_cst=cst),
        "tree, free": tree(n_regrowths=0),
        "tree, in order": tree(n_regrowths=0, monotonic_cst=cst),
        "linear, free": linear(),
        "linear, in order": linear(monotonic_cst=cst),
    }


def transfer_set(teacher, X):
    """Return the real rows and ``RATIO`` rows of leaf swap each, labelled; with the same total weight."""
    soft = outputs(teacher, X)
    drawn = LeafSwap(random_state=0).fit(X, soft).sample(RATIO * len(X), random_state=0)
    weight = np.append(np.ones(len(X)), np.full(len(drawn), 1 / RATIO))
    return stack_rows([X, drawn]), np.concatenate([soft, outputs(teacher, drawn)]), weight


def violated(model, X, cst):
    """Return the share of pairs, which differ in one constrained column, that contradict its direction."""
    rng, shares = np.random.default_rng(0), []
    for column, sign in cst.items():
        rows = X.iloc[rng.integers(len(X), size=N_PAIRS)].reset_index(drop=True)
        cells = np.sort(X[column].to_numpy()[rng.integers(len(X), size=(N_PAIRS, 2))], axis=1)
        low, high = (outputs(model, rows.assign(**{column: cells[:, place]})) for place in (0, 1))
        step = (high - low) if high.ndim == 1 else (high - low)[:, 1]
        shares.append(np.mean(sign * step < -1e-9))
    return float(np.mean(shares))


def measure(results, folder):
    for name, cst in DIRECTIONS.items():
        X, y, task = load(folder, name)
        X_train, _, X_test, y_train, _, y_test = split(X, y, 0)
        for kind in TEACHERS:
            if results.has(table=name, teacher=kind):
                continue
            teacher = fit_teacher(task, X_train, y_train, cst if kind == "monotone" else {})
            reference, classes = outputs(teacher, X_test), getattr(teacher, "classes_", None)
            rows, targets, weight = transfer_set(teacher, X_train)
            row = {
                "violated, teacher": violated(teacher, X_test, cst),
                "skill, teacher": skill(teacher, y_test, reference),
            }
            for key, student in students(task, cst).items():
                started = perf_counter()
                fitted = teach(student, task, rows, targets, classes, weight)
                row[f"seconds, {key}"] = perf_counter() - started
                given = outputs(fitted, X_test)
                row[f"fidelity, {key}"] = fidelity(reference, given, multioutput="variance_weighted")
                row[f"skill, {key}"] = skill(teacher, y_test, given)
                row[f"violated, {key}"] = violated(fitted, X_test, cst)
            results.add(table=name, teacher=kind, **row)
        if not results.has(table=name, teacher="columns"):
            results.add(table=name, teacher="columns", **columns(task, X_train, X_test, y_train))


def columns(task, X_train, X_test, y_train):
    """Return the fidelity of boosting that sees all columns, a half and a quarter of them, and as many as needed."""
    teacher = fit_teacher(task, X_train, y_train, {})
    kind, n_columns = DistilledClassifier if task == "classification" else DistilledRegressor, X_train.shape[1]
    ways = {
        "all": None,
        "half": AutoColumns(max_columns=n_columns // 2, tolerance=0),
        "quarter": AutoColumns(max_columns=max(n_columns // 4, 1), tolerance=0),
        "auto": "auto",
    }
    row = {"columns, all": n_columns}
    for way, given in ways.items():
        started = perf_counter()
        model = kind(teacher, "boosting", sampler=LeafSwap(), n_synthetic=float(RATIO), random_state=0)
        model.set_params(student_columns=given).fit(X_train)
        row[f"seconds, {way}"] = perf_counter() - started
        row[f"fidelity, {way}"] = model.fidelity(X_test)
        row[f"columns, {way}"] = model.student_.n_features_in_
    return row


def page(results):
    parts = [
        "Teacher: 200 boosted trees of LightGBM on 3,000 rows, without constraints (free) or with the directions "
        "below (monotone). Students are trained on the same rows: the training rows and "
        f"{RATIO} rows of leaf swap per training row. Fidelity on test rows, one seed. The share of violated pairs is "
        f"that of {N_PAIRS:,} pairs of test rows per column, which differ in that column only.",
        "\n".join(f"- **{name}**: {text}" for name, text in COLUMNS.items()),
        "## Directions\n\n" + "\n".join(f"- {name}: {_said(cst)}" for name, cst in DIRECTIONS.items()),
    ]
    for kind in TEACHERS:
        mine = [row for row in results.rows if row["teacher"] == kind]
        parts.append(f"## Fidelity to a {kind} teacher\n\n" + _fidelities(mine))
        parts.append(f"## Share of violated pairs and skill, {kind} teacher\n\n" + _violated(mine))
    parts.append("## Fewer columns\n\n" + _columns([row for row in results.rows if row["teacher"] == "columns"]))
    return "\n\n".join(parts)


def _said(cst):
    return ", ".join(f"{column} {'rises' if sign > 0 else 'falls'}" for column, sign in cst.items())


WAYS = ("boosting, free", "boosting, grown", "boosting, in order", "tree, free", "tree, in order", "linear, free")
WAYS = (*WAYS, "linear, in order")


def _fidelities(rows):
    lines = [[row["table"], *(number(row[f"fidelity, {way}"], 4) for way in WAYS)] for row in rows]
    lines.append(["**mean**", *(number(np.mean([row[f"fidelity, {way}"] for row in rows]), 4) for way in WAYS)])
    lines.append(["fit, s", *(number(np.mean([row[f"seconds, {way}"] for row in rows]), 2) for way in WAYS)])
    return markdown_table(["", *WAYS], lines)


def _violated(rows):
    shown = ("teacher", "boosting, free", "boosting, in order", "tree, free", "tree, in order")
    lines = [
        [
            row["table"],
            *(f"{row[f'violated, {way}']:.1%}" for way in shown),
            *(number(row[f"skill, {way}"], 4) for way in ("teacher", "boosting, free", "boosting, in order")),
        ]
        for row in rows
    ]
    skills = ("skill, teacher", "skill, boosting, free", "skill, boosting, in order")
    return markdown_table(["", *shown, *skills], lines)


def _columns(rows):
    ways = ("all", "half", "quarter", "auto")
    lines = [
        [
            row["table"],
            *(f"{number(row[f'fidelity, {way}'], 4)} ({row[f'columns, {way}']})" for way in ways),
            *(number(row[f"seconds, {way}"], 1) for way in ("all", "auto")),
        ]
        for row in rows
    ]
    text = (
        "Boosting that sees all columns, the best half and the best quarter of them that `AutoColumns` finds, and as "
        'many as `student_columns="auto"` keeps: fidelity on test rows (number of columns), and seconds of the fit.'
    )
    return f"{text}\n\n" + markdown_table(["", *ways, "all, s", "auto, s"], lines)


if __name__ == "__main__":
    run(__file__, "Constraints and columns", __doc__, measure, page)
