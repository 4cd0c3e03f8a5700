"""Which student is best within a budget, and does the automatic choice find it?

    python docs/benchmarks/students.py --data FOLDER

Writes students.jsonl (resumable) and students.md beside this file. ``--part K/N`` measures every Nth cell only, into
its own file, so that several processes share the work; a last run without it writes the page.
"""

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = "1"

import tempfile
from time import perf_counter

import numpy as np
from results import markdown_table, number, run
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeRegressor
from tables import CLASSIFICATION, REGRESSION, TEACHERS, encoder, load, outputs, skill, split

import skdistill
from skdistill import AutoStudent, DistilledClassifier, DistilledRegressor
from skdistill._tables import stack_rows
from skdistill.metrics import fidelity, retention
from skdistill.samplers import LeafSwap
from skdistill.students import (
    CompactBoostingClassifier,
    CompactBoostingRegressor,
    CompactMLPRegressor,
    CompactTreeClassifier,
    CompactTreeRegressor,
)
from skdistill.students._families import FAMILIES

SEEDS = (0, 1, 2)
RATIO = 20
BUDGETS = (10_000, 100_000)
MOST_TEST_ROWS = 5000
TABLES = (*REGRESSION, *CLASSIFICATION)
YARDSTICK = "boosting 60 x 24"
SMALL = ("linear", "tree", "kernel")
"""Families whose largest students are within the smaller budget."""


def students(task):
    """Return the students by name and budget: the choice, each family alone, and boosting of fixed size."""
    boosting = CompactBoostingClassifier if task == "classification" else CompactBoostingRegressor
    found = {(YARDSTICK, 0): boosting(60, 24, random_state=0)}
    for budget in BUDGETS:
        found["auto", budget] = AutoStudent(max_bytes=budget)
        for family in FAMILIES:
            if budget == BUDGETS[0] or family not in SMALL:
                found[family, budget] = AutoStudent([family], max_bytes=budget)
    return found


def measure(results, folder):
    cells = [(teacher, name, seed) for teacher in TEACHERS for seed in SEEDS for name in TABLES]
    for teacher, name, seed in results.mine(cells):
        if not results.has(kind="cell", teacher=teacher, table=name, seed=seed):
            cell(results, folder, teacher, name, seed)
    for name, seed in results.mine([(name, seed) for seed in SEEDS for name in TABLES]):
        if not results.has(kind="single", table=name, seed=seed):
            against_scikit_learn(results, folder, name, seed)
    if not results.part and not results.has(kind="speed"):
        speed(results, folder)


def teacher_and_rows(folder, teacher, name, seed):
    """Return the task, a fitted teacher, its rows, and test rows with their truth and the teacher's outputs."""
    X, y, task = load(folder, name)
    X_train, _, X_test, y_train, _, y_test = split(X, y, seed)
    X_test, y_test = X_test[:MOST_TEST_ROWS], y_test[:MOST_TEST_ROWS]
    fitted = TEACHERS[teacher](task, seed).fit(X_train, y_train)
    return task, fitted, X_train, X_test, y_test, outputs(fitted, X_test)


def fidelity_of(task, reference, given):
    return fidelity(
        reference, given, multioutput="variance_weighted" if task == "classification" else "uniform_average"
    )


def cell(results, folder, teacher, name, seed):
    """Measure all students of one teacher; its answers are kept, so that all are taught on the same rows."""
    task, fitted, X_train, X_test, y_test, reference = teacher_and_rows(folder, teacher, name, seed)
    kind = DistilledClassifier if task == "classification" else DistilledRegressor
    teacher_skill = skill(fitted, y_test, reference)
    rows = []
    with tempfile.TemporaryDirectory() as memory:
        options = {"sampler": LeafSwap(), "n_synthetic": float(RATIO), "memory": memory, "random_state": seed}
        kind(fitted, "linear", **options).fit(X_train)  # labels are there from here on
        for (student, budget), given in students(task).items():
            started = perf_counter()
            try:
                model = kind(fitted, given, **options).fit(X_train)
            except skdistill.exceptions.StudentError:  # no student of the family is so small
                continue
            seconds = perf_counter() - started
            answers, compiled = outputs(model, X_test), skdistill.compile(model)
            rows.append(
                {
                    "student": student,
                    "budget": budget,
                    "fidelity": fidelity_of(task, reference, answers),
                    "retention": retention(teacher_skill, skill(fitted, y_test, answers)),
                    "bytes": compiled.n_bytes,
                    "ops": compiled.scorer.n_ops,
                    "seconds": seconds,
                    "chosen": model.candidates_.chosen.family if budget else student,
                }
            )
    results.add(kind="cell", teacher=teacher, table=name, seed=seed, teacher_skill=teacher_skill, students=rows)


# ---------------------------------------------------------------------- against scikit-learn


def against_scikit_learn(results, folder, name, seed):
    """Measure a tree of 32 leaves, and on tables of values a network of 32 x 32, against scikit-learn's."""
    task, fitted, X_train, X_test, _, reference = teacher_and_rows(folder, "vote", name, seed)
    drawn = LeafSwap(random_state=seed).fit(X_train, outputs(fitted, X_train)).sample(RATIO * len(X_train), seed)
    rows = stack_rows([X_train, drawn])
    targets = outputs(fitted, rows)
    weight = np.append(np.ones(len(X_train)), np.full(len(drawn), 4 / RATIO))
    seen = {}

    def compare(label, student, values, given=rows):
        started = perf_counter()
        soft = hasattr(student, "fit_soft")
        (student.fit_soft if soft else student.fit)(given, values, sample_weight=weight)
        seconds = perf_counter() - started
        transformed = X_test if given is rows else coder.transform(X_test)
        answers = outputs(student, transformed)
        losses = (outputs(student, given) - values) ** 2
        loss = np.average(losses if losses.ndim == 1 else losses.sum(axis=1), weights=weight)
        seen.update({f"{label}, fidelity": fidelity_of(task, reference, answers), f"{label}, s": seconds})
        seen[f"{label}, loss"] = loss / np.average((values - values.mean(axis=0)) ** 2)

    tree = CompactTreeClassifier if task == "classification" else CompactTreeRegressor
    coder = encoder(False).fit(rows)
    plain_rows = coder.transform(rows)
    compare("CompactTree", tree(32), targets)
    compare("DecisionTreeRegressor", DecisionTreeRegressor(max_leaf_nodes=32, random_state=0), targets, plain_rows)
    if task == "regression":
        scaled = (targets - targets.mean()) / targets.std()
        reference = (reference - targets.mean()) / targets.std()
        coder = make_pipeline(encoder(True), StandardScaler(with_mean=False)).fit(rows)
        plain_rows = coder.transform(rows)
        options = {"hidden_layer_sizes": (32, 32), "random_state": seed}
        compare("CompactMLP", CompactMLPRegressor(**options), scaled)
        compare("CompactMLP without knots", CompactMLPRegressor(n_knots=0, **options), scaled)
        compare("MLPRegressor", _Unweighted(MLPRegressor(early_stopping=True, **options)), scaled, plain_rows)
    results.add(kind="single", table=name, seed=seed, **seen)


class _Unweighted:
    """scikit-learn's networks take no weights before version 1.7; all rows weigh the same, which served them better."""

    def __init__(self, model):
        self.model, self.predict = model, model.predict

    def fit(self, X, y, sample_weight):
        self.model.fit(X, y)


# ---------------------------------------------------------------------- operations in microseconds


def speed(results, folder):
    """Measure microseconds of a row, alone and in batches of 10,000, of students of several kinds and sizes."""
    _, fitted, X_train, X_test, _, _ = teacher_and_rows(folder, "vote", "pol", 0)
    options = {"sampler": LeafSwap(), "n_synthetic": 5.0, "random_state": 0}
    members = {
        "32 x 32 without knots": CompactMLPRegressor(n_knots=0),
        "32 x 32": CompactMLPRegressor(),
    }
    members |= {
        f"{family}, {budget // 1000} kB": AutoStudent([family], max_bytes=budget)
        for budget in (2_000, 10_000, 100_000)
        for family in FAMILIES
    }
    cells = X_test.to_numpy(dtype=np.float64)
    single, batch = [row.copy() for row in cells[:1000]], np.resize(cells, (10_000, cells.shape[1]))
    for name, student in members.items():
        try:
            compiled = skdistill.compile(DistilledRegressor(fitted, student, **options).fit(X_train))
        except skdistill.exceptions.StudentError:
            continue
        one = np.median([timed(lambda rows: [compiled(row) for row in rows], single) for _ in range(9)]) / len(single)  # noqa: B023
        many = np.median([timed(compiled, batch) for _ in range(9)]) / len(batch)
        scorer = compiled.scorer
        measured = {"bytes": compiled.n_bytes, "ops": scorer.n_ops, "parameters": scorer.n_parameters}
        results.add(kind="speed", name=name, one=1e6 * one, many=1e6 * many, **measured)


def timed(ask, rows):
    started = perf_counter()
    ask(rows)
    return perf_counter() - started


# ---------------------------------------------------------------------- the page


def page(results):
    parts = [
        "The teachers (the *vote*, a soft-voting ensemble of a forest, boosting and a network; and an RBF SVM) are "
        f"fitted on 3,000 rows. All students of a cell are trained on the same rows: the training rows and {RATIO} "
        "rows of leaf swap per training row, labelled by the teacher. *auto* is `AutoStudent(max_bytes=...)`; the "
        "other columns are the same with a single family, whose size is chosen in the same way. The tables show "
        f"means of {len(SEEDS)} seeds on test rows. Bytes are the size of the pickled compiled student."
    ]
    cells = [row for row in results.rows if row["kind"] == "cell"]
    parts += [block(cells, teacher, budget) for teacher in TEACHERS for budget in BUDGETS]
    parts += [costs(cells), trees(results), networks(results), speeds(results)]
    return "\n\n".join(parts)


def values_of(cells, teacher, name, student, budget, value):
    budget = min(budget, BUDGETS[0]) if student in SMALL else budget
    return np.array(
        [
            one[value]
            for row in cells
            if row["teacher"] == teacher and row["table"] == name
            for one in row["students"]
            if (one["student"], one["budget"]) == (student, budget)
        ]
    )


def block(cells, teacher, budget):
    """Return the table of one teacher and budget, and what the choice does in it."""
    header = ["fidelity", *FAMILIES, "auto", "chosen", "kB", "retention"]
    table, gaps, kept, of_auto = [], [], [], []
    for name in TABLES:
        means = [
            values.mean() if len(values := values_of(cells, teacher, name, student, budget, "fidelity")) else np.nan
            for student in (*FAMILIES, "auto")
        ]
        if np.isnan(means[-1]):
            continue
        chosen, times = np.unique(values_of(cells, teacher, name, "auto", budget, "chosen"), return_counts=True)
        retained = values_of(cells, teacher, name, "auto", budget, "retention")
        n_bytes = values_of(cells, teacher, name, "auto", budget, "bytes").mean()
        gaps.append(means[-1] - np.nanmax(means[:-1]))
        kept.append(retained.mean())
        of_auto.append(means)
        best = np.nanmax(means[:-1])
        cells_of_row = [f"**{number(mean, 4)}**" if mean == best else number(mean, 4) for mean in means[:-1]]
        names = ", ".join(chosen[np.argsort(-times)])
        table.append([name, *cells_of_row, number(means[-1], 4), names, number(n_bytes / 1000, 1), number(kept[-1])])
    mean = np.nanmean(of_auto, axis=0)
    table.append(["**mean**", *(number(value, 4) for value in mean), "", "", number(float(np.mean(kept)))])
    gaps = np.array(gaps)
    said = (
        f"*auto*: mean fidelity {mean[-1]:.4f}; mean retention {np.mean(kept):.3f}, and {np.min(kept):.3f} on the "
        "worst table. Compared with the best single family of each table: at least as good on "
        f"{np.mean(gaps >= 0):.0%} of the tables, within 0.001 on {np.mean(gaps >= -0.001):.0%}, the worst "
        f"{gaps.min():+.4f}."
    )
    return f"## {teacher}, {budget // 1000} kB\n\n{markdown_table(header, table)}\n\n{said}"


def costs(cells):
    """Return what the choice costs, in fits of boosting of fixed size on the same rows."""
    lines = []
    for teacher in TEACHERS:
        for budget in BUDGETS:
            ratios = np.array(
                [
                    one["seconds"] / of["seconds"]
                    for row in cells
                    if row["teacher"] == teacher
                    for of in row["students"]
                    if of["student"] == YARDSTICK
                    for one in row["students"]
                    if (one["student"], one["budget"]) == ("auto", budget)
                ]
            )
            low, middle, high = np.quantile(ratios, [0, 0.5, 1])
            lines.append([f"{teacher}, {budget // 1000} kB", *(number(value, 1) for value in (middle, low, high))])
    return (
        f"## Cost of the choice\n\nTime of `fit` with *auto*, relative to that of {YARDSTICK} on the same rows. "
        "In both cases, sampled and labelled rows come from the memory.\n\n"
        + markdown_table(["", "median", "least", "most"], lines)
    )


def trees(results):
    lines, better_loss, better = [], 0, 0
    for name in TABLES:
        values = [
            results.mean(f"{student}, {what}", kind="single", table=name)
            for what in ("loss", "fidelity", "s")
            for student in ("DecisionTreeRegressor", "CompactTree")
        ]
        better_loss, better = better_loss + (values[1] < values[0]), better + (values[3] > values[2])
        lines.append([name, *(number(value, 4) for value in values[:4]), *(number(value, 1) for value in values[4:])])
    header = ["32 leaves", "loss", "`CompactTree`", "fidelity", "`CompactTree`", "fit, s", "`CompactTree`"]
    return (
        "## A tree with 32 leaves, compared with scikit-learn's\n\nThe voting ensemble on the same rows. The loss is "
        "measured on training rows, as a share of the variance of the targets. scikit-learn's tree is fitted to "
        "one-hot categories, with missing numbers replaced by means.\n\n"
        + markdown_table(header, lines)
        + f"\n\nThe loss is smaller on {better_loss} of {len(lines)} tables, and the fidelity is higher on {better}."
    )


def networks(results):
    names = ("MLPRegressor", "CompactMLP without knots", "CompactMLP")
    lines = []
    for name in REGRESSION:
        values = [
            results.mean(f"{student}, {what}", kind="single", table=name)
            for what in ("fidelity", "s")
            for student in names
        ]
        lines.append([name, *(number(v, 4) for v in values[:3]), *(number(v, 2) for v in values[3:])])
    header = ["32 x 32", *(f"`{n}`" for n in names), *(f"`{n}`, s" for n in names)]
    return (
        "## An MLP with 32 x 32 units, compared with scikit-learn's\n\nThe voting ensemble on the same rows, for the "
        "regression tables. `MLPRegressor` is fitted with `early_stopping=True`, standardised inputs and targets, "
        "and equal sample weights, with which it performs better.\n\n" + markdown_table(header, lines)
    )


def speeds(results):
    measured = [row for row in results.rows if row["kind"] == "speed"]
    lines = [
        [
            row["name"],
            *(number(row[key], 0) if row[key] < 1000 else f"{row[key]:,.0f}" for key in ("parameters", "ops")),
            number(row["bytes"] / 1000, 1),
            number(row["one"], 1),
            number(row["many"], 2),
        ]
        for row in measured
    ]
    header = ["pol, 48 columns", "parameters", "operations", "kB", "one row, µs", "batch of 10,000, µs per row"]
    return (
        "## Operations in microseconds\n\nCompiled students on this machine, on one thread. Operations are counted, "
        "not measured: the comparisons, multiplications and additions for one row (`max_ops`).\n\n"
        + markdown_table(header, lines)
    )


if __name__ == "__main__":
    run(__file__, "Compact students within a budget", __doc__, measure, page)
