"""Do networks and kernel machines that start from the teacher follow it better than fresh ones, and sooner?

    python docs/benchmarks/inherit_smooth.py --data FOLDER

Writes inherit_smooth.jsonl (resumable) and inherit_smooth.md beside this file.
"""

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = "1"

from time import process_time

import numpy as np
from peers import teach
from results import markdown_table, number, run
from sklearn.compose import TransformedTargetRegressor
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tables import encoder, load, outputs, split, svm_teacher

from skdistill import AutoStudent, DistilledClassifier, DistilledRegressor, students
from skdistill._tables import stack_rows, take_rows
from skdistill.metrics import fidelity
from skdistill.samplers import LeafSwap

TABLES = ("california", "pol", "wine_quality_white", "heloc", "credit_default", "pendigits")
BUDGET, LARGE_BUDGET = 10_000, 100_000
RATIO = 10
FEW = 200
SEED = 0
MOST_TEST_ROWS = 5000
HIDDEN = (32, 32)
AUTO_TABLES = ("california", "puma8nh", "heloc")
FAMILIES = ("linear", "tree", "mlp", "mlp_ple", "boosting", "hybrid")
FEW_OF_AUTO = 300


def network_teacher(task):
    """Return an unfitted network of 256 x 128 units on scaled columns."""
    params = {"hidden_layer_sizes": (256, 128), "early_stopping": True, "max_iter": 100, "random_state": SEED}
    if task == "classification":
        return make_pipeline(encoder(True), MLPClassifier(**params))
    return TransformedTargetRegressor(
        make_pipeline(encoder(True), MLPRegressor(**params)), transformer=StandardScaler()
    )


class Case:
    """A teacher of a table, its transfer set, and its outputs on test rows."""

    def __init__(self, folder, name, kind):
        X, y, self.task = load(folder, name)
        X_train, _, X_test, y_train, _, _ = split(X, y, SEED)
        self.X_train = X_train
        teacher = network_teacher(self.task) if kind == "network" else svm_teacher(self.task, SEED)
        self.teacher, self.X_test = teacher.fit(X_train, y_train), X_test[:MOST_TEST_ROWS]
        self.reference, self.classes = outputs(teacher, self.X_test), getattr(teacher, "classes_", None)
        soft = outputs(teacher, X_train)
        drawn = LeafSwap(random_state=SEED).fit(X_train, soft).sample(RATIO * len(X_train), random_state=SEED)
        self.rows, self.targets = stack_rows([X_train, drawn]), np.concatenate([soft, outputs(teacher, drawn)])
        self.weight = np.append(np.ones(len(X_train)), np.full(len(drawn), 1 / RATIO))
        self.few = np.random.default_rng(SEED).choice(len(X_train), FEW, replace=False)

    def student(self, family, *args, **params):
        """Return an unfitted student of the task."""
        kind = "Classifier" if self.task == "classification" else "Regressor"
        return getattr(students, f"Compact{family}{kind}")(*args, random_state=SEED, **params)

    def measured(self, student, *, is_few=False):
        """Return the taught student, its fidelity on test rows, and the seconds of its fit."""
        some = self.few if is_few else slice(None)
        rows = take_rows(self.rows, self.few) if is_few else self.rows
        started = process_time()
        student = teach(student, self.task, rows, self.targets[some], self.classes, self.weight[some])
        spent = process_time() - started
        pools = "variance_weighted" if self.task == "classification" else "uniform_average"
        return student, fidelity(self.reference, outputs(student, self.X_test), multioutput=pools), spent


def of_network(case):
    """Return the figures of students of a network."""
    fresh, inherited = case.student("MLP", HIDDEN, n_knots=0), case.student("Inherited", None, init=case.teacher)
    found = {}
    student, found["fresh"], found["fresh, s"] = case.measured(fresh)
    n_parameters = student.scorer_.n_parameters
    inherited.set_params(max_parameters=n_parameters)
    _, found["inherited"], found["inherited, s"] = case.measured(inherited)
    _, found["few, fresh"], _ = case.measured(fresh, is_few=True)
    _, found["few, inherited"], _ = case.measured(inherited, is_few=True)
    start = case.student("MLP", HIDDEN, init=case.teacher, max_epochs=1, learning_rate=1e-9)
    _, found["untrained"], _ = case.measured(start)
    return found | of_growth(case)


def of_growth(case):
    """Return the figures of a student that was fitted to a tenth of the rows, and is continued on all."""
    some = np.sort(np.random.default_rng(SEED).choice(len(case.rows), len(case.rows) // 10, replace=False))
    earlier = case.student("MLP", HIDDEN, n_knots=0)
    earlier = teach(earlier, case.task, take_rows(case.rows, some), case.targets[some], case.classes, case.weight[some])
    short = {"init": earlier, "max_epochs": 10}
    found = {}
    for column, params in (
        ("continued", {}),
        ("half shrunk", {"shrink_fraction": 0.5}),
        ("half shrunk, logistic", {"shrink_fraction": 0.5, "shrink_schedule": "logistic"}),
    ):
        _, found[column], found[f"{column}, s"] = case.measured(case.student("MLP", HIDDEN, **short, **params))
    _, found["fresh, 10 epochs"], _ = case.measured(case.student("MLP", HIDDEN, n_knots=0, max_epochs=10))
    return found


def of_large_network(case):
    """Return the figures of students of a network within 100 kB, in which it fits itself."""
    student, found = of_inherited(case, LARGE_BUDGET)
    n_inputs, n_outputs = case.rows.shape[1], len(student.scorer_.base)
    n_parameters = LARGE_BUDGET / 2
    for epochs in ({"max_epochs": 1}, {}):  # bytes hardly depend on the training
        fresh = case.student("MLP", n_knots=0).sized(int(n_parameters), n_inputs=n_inputs, n_outputs=n_outputs)
        student, found["fresh"], found["fresh, s"] = case.measured(fresh.set_params(**epochs))
        found["fresh, bytes"] = student.scorer_.n_bytes
        n_parameters = 0.98 * student.scorer_.n_parameters * LARGE_BUDGET / student.scorer_.n_bytes
    return found


def of_svm(case, budget=BUDGET):
    """Return the figures of students of a support vector machine, of the same number of landmarks."""
    student, found = of_inherited(case, budget)
    fresh = case.student("Kernel", len(student.scorer_.positions))
    student, found["fresh"], found["fresh, s"] = case.measured(fresh)
    found["fresh, bytes"] = student.scorer_.n_bytes
    return found


def of_inherited(case, budget):
    """Return the inherited student within a number of bytes, and its figures."""
    student, kept, seconds = case.measured(case.student("Inherited", None, init=case.teacher, max_bytes=budget))
    return student, {"inherited": kept, "inherited, s": seconds, "inherited, bytes": student.scorer_.n_bytes}


def of_choice(case, n_rows):
    """Return the figures of the automatic choice with the family ``inherit`` and without it."""
    found, is_few = {}, n_rows == FEW_OF_AUTO
    X = take_rows(case.X_train, np.arange(n_rows))
    model = DistilledClassifier if case.task == "classification" else DistilledRegressor
    few_rows_family = ("kernel",) if is_few else ()  # as families="auto" has them
    for column, families in (("without", ()), ("with", ("inherit",))):
        student = AutoStudent([*FAMILIES, *few_rows_family, *families])
        started = process_time()
        distilled = model(case.teacher, student, sampler=None if is_few else LeafSwap(), random_state=SEED).fit(X)
        found |= {f"{column}, s": process_time() - started, f"{column}, family": distilled.candidates_.chosen.family}
        pools = "variance_weighted" if case.task == "classification" else "uniform_average"
        found[column] = fidelity(case.reference, outputs(distilled, case.X_test), multioutput=pools)
    return found


def measure(results, folder):
    parts = {
        "network": {"students": of_network, "large": of_large_network},
        "RBF SVM": {"students": of_svm, "large": lambda case: of_svm(case, LARGE_BUDGET)},
    }
    for name in AUTO_TABLES:
        for kind in parts:
            if not results.has(table=name, teacher=kind, part="choice", n_rows=FEW_OF_AUTO):
                case = Case(folder, name, kind)
                for n_rows in (len(case.X_train), FEW_OF_AUTO):
                    results.add(table=name, teacher=kind, part="choice", n_rows=n_rows, **of_choice(case, n_rows))
    for name in TABLES:
        for kind, measured in parts.items():
            left = [part for part in measured if not results.has(table=name, teacher=kind, part=part)]
            case = Case(folder, name, kind) if left else None
            for part in left:
                results.add(table=name, teacher=kind, part=part, **measured[part](case))


def page(results):
    return "\n\n".join(
        [
            "Teachers are fitted on 3,000 rows: a network of 256 x 128 units, and a support vector machine with an RBF "
            f"kernel. Students see the training rows and {RATIO} rows of leaf swap per training row, with the same "
            "total weight. Fidelity on test rows, one seed. Seconds of processor time.",
            f"## Networks\n\n- **fresh**: `CompactMLP*({HIDDEN}, n_knots=0)`\n- **inherited**: `CompactInherited*` of "
            f"as many parameters; **untrained**: its start, of {HIDDEN[0]} x {HIDDEN[1]} units\n- **{FEW} rows**: both "
            f"students, on {FEW} of the training rows alone\n\n{of_networks(results)}",
            "## More rows\n\nA student of a tenth of the rows is continued on all of them for ten epochs; **half "
            "shrunk**: `shrink_fraction=0.5`, once or with a schedule. **fresh**: twenty epochs, and ten.\n\n"
            f"{of_more_rows(results)}",
            f"## Networks within {LARGE_BUDGET // 1000} kB\n\n- **inherited**: `CompactInherited*`, which keeps all "
            "hidden units of the teacher\n- **fresh**: `CompactMLP*(n_knots=0)` of about as many bytes"
            f"\n\n{of_budget(results, 'network', 'large')}",
            f"## Kernel machines\n\n- **inherited**: `CompactInherited*` within {BUDGET // 1000} kB\n- **fresh**: "
            "`CompactKernel*` of as many landmarks, which are moved for 20 steps of L-BFGS instead of 60\n\n"
            f"{of_budget(results, 'RBF SVM', 'students')}",
            f"## Kernel machines within {LARGE_BUDGET // 1000} kB\n\nStudents have 500 landmarks at most, which "
            f"take less.\n\n{of_budget(results, 'RBF SVM', 'large')}",
            "## The automatic choice\n\n`AutoStudent` with the family `inherit` and without it, at the default budget: "
            f"on rows of leaf swap, and on {FEW_OF_AUTO} of the training rows alone.\n\n{of_choices(results)}",
        ]
    )


def of_networks(results):
    columns = ("untrained", "inherited", "fresh", "inherited, s", "fresh, s", "few, inherited", "few, fresh")
    header = ["", *columns[:5], f"{FEW} rows, inherited", f"{FEW} rows, fresh"]
    return table_of(results, "network", columns, header)


def of_more_rows(results):
    columns = ("continued", "half shrunk", "half shrunk, logistic", "fresh", "fresh, 10 epochs")
    return table_of(results, "network", columns, ["", *columns])


def of_budget(results, kind, part):
    columns = ("inherited", "fresh", "inherited, s", "fresh, s", "inherited, bytes", "fresh, bytes")
    return table_of(results, kind, columns, ["", *columns], part)


def of_choices(results):
    lines, values = [], {}
    for row in results.rows:
        if row.get("part") == "choice":
            few = ", few rows" if row["n_rows"] == FEW_OF_AUTO else ""
            numbers = [row[column] for column in ("without", "with", "without, s", "with, s")]
            values.setdefault(f"{row['teacher']}{few}", []).append(numbers)
            families = f"{row['without, family']} / {row['with, family']}"
            lines.append([f"{row['table']}, {row['teacher']}{few}", families, *of_choice_cells(numbers)])
    lines += [[f"**mean, {kind}**", "", *of_choice_cells(np.mean(each, axis=0))] for kind, each in values.items()]
    return markdown_table(["", "chosen", "without", "with", "difference", "without, s", "with, s"], lines)


def of_choice_cells(numbers):
    without, chosen, *seconds = numbers
    times = [number(spent, 1) for spent in seconds]
    return [number(without, 4), number(chosen, 4), f"{chosen - without:+.4f}", *times]


def table_of(results, kind, columns, header, part="students"):
    digits = [2 if column.endswith(", s") else 0 if column.endswith("bytes") else 4 for column in columns]
    rows, values = [], []
    for name in TABLES:
        if not results.has(table=name, teacher=kind, part=part):
            continue
        values.append([results.mean(column, table=name, teacher=kind, part=part) for column in columns])
        rows.append([name, *(number(value, places) for value, places in zip(values[-1], digits, strict=True))])
    means = (number(value, places) for value, places in zip(np.mean(values, axis=0), digits, strict=True))
    return markdown_table(header, [*rows, ["**mean**", *means]])


if __name__ == "__main__":
    run(__file__, "Inherited networks and kernel machines", __doc__, measure, page)
