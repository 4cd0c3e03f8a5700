"""Do trees of the teacher make better students than trees grown anew?

    python docs/benchmarks/inherit.py --data FOLDER

Writes inherit.jsonl (resumable) and inherit.md beside this file.
"""

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = "1"

from time import process_time

import numpy as np
from lightgbm import LGBMClassifier, LGBMRegressor
from peers import teach
from results import markdown_table, number, run
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from tables import encoder, load, outputs, split

from skdistill import AutoStudent, DistilledClassifier, DistilledRegressor
from skdistill._tables import stack_rows
from skdistill.metrics import fidelity
from skdistill.samplers import LeafSwap
from skdistill.students import (
    CompactBoostingClassifier,
    CompactBoostingRegressor,
    CompactInheritedClassifier,
    CompactInheritedRegressor,
)
from skdistill.students._boosting import size_of_trees

TABLES = ("california", "pol", "wine_quality_white", "heloc", "credit_default", "pendigits")
AUTO_TABLES = ("california", "wine_quality_white", "heloc")
BUDGETS = (10_000, 100_000)
RATIO = 10
SEED = 0
MOST_TEST_ROWS = 5000


def teachers(task):
    """Return the unfitted teachers by name."""
    if task == "classification":
        forest = RandomForestClassifier(300, random_state=SEED)
        boosting = LGBMClassifier(n_estimators=500, learning_rate=0.05, verbosity=-1, n_jobs=1, random_state=SEED)
    else:
        forest = RandomForestRegressor(300, random_state=SEED)
        boosting = LGBMRegressor(n_estimators=500, learning_rate=0.05, verbosity=-1, n_jobs=1, random_state=SEED)
    return {"forest of 300": forest, "LightGBM of 500": boosting}


def numbers_of(folder, name):
    """Return the task and a table as numbers, since inherited splits are those of the teacher's columns."""
    X, y, task = load(folder, name)
    X_train, _, X_test, y_train, _, _ = split(X, y, SEED)
    encode = encoder(False).fit(X_train)
    return task, np.asarray(encode.transform(X_train)), np.asarray(encode.transform(X_test[:MOST_TEST_ROWS])), y_train


def transfer_set(teacher, X):
    """Return the real rows and ``RATIO`` rows of leaf swap each, labelled; with the same total weight."""
    soft = outputs(teacher, X)
    drawn = LeafSwap(random_state=SEED).fit(X, soft).sample(RATIO * len(X), random_state=SEED)
    weight = np.append(np.ones(len(X)), np.full(len(drawn), 1 / RATIO))
    return stack_rows([X, drawn]), np.concatenate([soft, outputs(teacher, drawn)]), weight


def fresh(task, rows, targets, classes, weight, budget):
    """Return the compact boosting of a number of bytes, and the seconds of its last fit."""
    kind = CompactBoostingClassifier if task == "classification" else CompactBoostingRegressor
    n_outputs = 1 if targets.ndim == 1 or targets.shape[1] == 2 else targets.shape[1]
    n_parameters = budget / 1.35
    for _ in range(6):
        started = process_time()
        student = teach(
            kind(**size_of_trees(n_parameters, n_outputs), random_state=SEED), task, rows, targets, classes, weight
        )
        spent, n_bytes = process_time() - started, student.scorer_.n_bytes
        if 0.95 * budget <= n_bytes <= budget:
            break
        n_parameters *= 0.975 * budget / n_bytes
    return student, spent


def measure(results, folder):
    for name in TABLES:
        task, X_train, X_test, y_train = numbers_of(folder, name)
        pools = "variance_weighted" if task == "classification" else "uniform_average"
        for kind, recipe in teachers(task).items():
            left = [each for each in BUDGETS if not results.has(table=name, teacher=kind, budget=each)]
            if not left:
                continue
            teacher = recipe.fit(X_train, y_train)
            reference, classes = outputs(teacher, X_test), getattr(teacher, "classes_", None)
            rows, targets, weight = transfer_set(teacher, X_train)
            for budget in left:
                student, seconds = fresh(task, rows, targets, classes, weight, budget)
                found = {"fresh": fidelity(reference, outputs(student, X_test), multioutput=pools)}
                found |= {"fresh, bytes": student.scorer_.n_bytes, "fresh, s": seconds}
                inherits = CompactInheritedClassifier if task == "classification" else CompactInheritedRegressor
                student, started = inherits(None, init=teacher, max_bytes=budget, random_state=SEED), process_time()
                student = teach(student, task, rows, targets, classes, weight)
                found |= {"inherited, s": process_time() - started, "inherited, bytes": student.scorer_.n_bytes}
                found["inherited"] = fidelity(reference, outputs(student, X_test), multioutput=pools)
                results.add(table=name, teacher=kind, budget=budget, **found)
    automatic(results, folder)


def automatic(results, folder):
    """Measure the automatic choice with the family and without it."""
    names = ["linear", "tree", "mlp", "mlp_ple", "boosting", "hybrid"]
    for name in AUTO_TABLES:
        task, X_train, X_test, y_train = numbers_of(folder, name)
        for kind, recipe in teachers(task).items():
            if results.has(table=name, teacher=kind, budget="auto"):
                continue
            teacher, found = recipe.fit(X_train, y_train), {}
            model = DistilledClassifier if task == "classification" else DistilledRegressor
            for column, families in (("without", names), ("with", [*names, "inherit"])):
                started = process_time()
                distilled = model(teacher, AutoStudent(families), sampler=LeafSwap(), random_state=SEED).fit(X_train)
                found |= {f"{column}, s": process_time() - started, column: distilled.fidelity(X_test)}
                found[f"{column}, family"] = distilled.candidates_.chosen.family
            results.add(table=name, teacher=kind, budget="auto", **found)


def page(results):
    parts = [
        "- **fresh**: `CompactBoosting*`, trees grown on the teacher's answers, of as many bytes (95 to 100 %)\n"
        "- **inherited**: `CompactInherited*`, trees of the teacher, cut back and refitted",
        "Teachers are fitted on 3,000 rows; categories are encoded as one column each. Both students see the same "
        f"rows: the training rows and {RATIO} rows of "
        "leaf swap per training row, with the same total weight. Fidelity on test rows, one seed. Seconds of "
        "processor time. A teacher that fits into the budget is kept as it is. pendigits has ten classes: the "
        "LightGBM of 500 steps has 5,000 trees, most of which have two leaves, since their rows are fitted by then. "
        "Within 10 kB a class has about 13 trees, and within 100 kB the teacher is cut back. Learning rates and sizes "
        "of leaves of inherited trees were chosen on rows that are no test rows.",
    ]
    parts += [
        f"## {kind}, {budget // 1000} kB\n\n{table_of(results, kind, budget)}"
        for budget in BUDGETS
        for kind in results.names("teacher")
    ]
    parts.append(automatic_part(results))
    return "\n\n".join(parts)


def table_of(results, kind, budget):
    columns = ("fresh", "inherited", "fresh, s", "inherited, s")
    rows, values = [], []
    for name in TABLES:
        if not results.has(table=name, teacher=kind, budget=budget):
            continue
        values.append([results.mean(column, table=name, teacher=kind, budget=budget) for column in columns])
        rows.append(line(name, values[-1]))
    rows.append(line("**mean**", np.mean(values, axis=0)))
    n_ahead = sum(of_table[1] > of_table[0] for of_table in values)
    header = ["", "fresh", "inherited", "difference", "fresh, s", "inherited, s"]
    return f"{markdown_table(header, rows)}\n\nInherited trees are ahead on {n_ahead} of {len(values)} tables."


def line(name, values):
    fresh_one, inherited, *seconds = values
    times = [number(spent, 1) for spent in seconds]
    return [name, number(fresh_one, 4), number(inherited, 4), f"{inherited - fresh_one:+.4f}", *times]


def automatic_part(results):
    rows, values = [], []
    for row in results.rows:
        if row["budget"] == "auto":
            values.append([row[c] for c in ("without", "with", "without, s", "with, s")])
            families = f"{row['without, family']} / {row['with, family']}"
            rows.append([f"{row['table']}, {row['teacher']}", families, *line("", values[-1])[1:]])
    rows.append(["**mean**", "", *line("", np.mean(values, axis=0))[1:]])
    header = ["", "chosen", "without", "with", "difference", "without, s", "with, s"]
    return (
        "## The automatic choice\n\n`AutoStudent` with the family `inherit` and without it, at the default budget, "
        f"on rows of leaf swap.\n\n{markdown_table(header, rows)}"
    )


if __name__ == "__main__":
    run(__file__, "Inherited trees", __doc__, measure, page)
