"""Without any real row: how should the rows be drawn that the teacher is asked for?

    python docs/benchmarks/generator.py --data FOLDER

Writes generator.jsonl (resumable) and generator.md beside this file.
"""

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = "1"

import numpy as np
import pandas as pd
from lightgbm import LGBMClassifier, LGBMRegressor
from peers import teach
from results import markdown_table, number, run
from scipy.stats.qmc import LatinHypercube
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tables import encoder, load, outputs, split, svm_teacher

from skdistill.metrics import fidelity
from skdistill.samplers import Disagreement, TeacherBins, UniformBox
from skdistill.students import (
    CompactBoostingClassifier,
    CompactBoostingRegressor,
    CompactMLPClassifier,
    CompactMLPRegressor,
)

TABLES = ("adult", "california", "heloc", "pendigits", "pol", "puma8nh")
COUNTS = (500, 2000)
STUDENTS = ("boosting", "mlp")
MOST_TEST_ROWS = 5000
SEED = 0
COLUMNS = {
    "box": "`UniformBox(columns)`",
    "Latin hypercube": "uniform over the box, each column in as many strata as rows",
    "covering": '`UniformBox(columns, design="covering")`: all pairs of strata',
    "bins": '`TeacherBins(teacher, columns, design="random")`: each bin of a column equally likely',
    "covering bins": '`TeacherBins(teacher, columns, design="covering")`: all pairs of groups of bins',
    "joint": "`TeacherBins(teacher, columns)`",
    "joint, rounds": "`Disagreement(TeacherBins(teacher, columns))`, four rounds",
    "unread, rounds": "`Disagreement(TeacherBins(columns=columns))`: the teacher is a function that cannot be read",
    "real": "as many real rows of the training set of the teacher",
}


def teachers(task):
    """Return the unfitted teachers by name; each one reads raw tables."""
    is_classifier = task == "classification"
    forest = (RandomForestClassifier if is_classifier else RandomForestRegressor)(
        100, min_samples_leaf=2, random_state=SEED
    )
    boosting = (LGBMClassifier if is_classifier else LGBMRegressor)(
        n_estimators=200, learning_rate=0.05, verbosity=-1, n_jobs=1, random_state=SEED
    )
    network = (MLPClassifier if is_classifier else MLPRegressor)(
        hidden_layer_sizes=(100, 100), alpha=1e-2, early_stopping=True, max_iter=100, random_state=SEED
    )
    if not is_classifier:
        network = TransformedTargetRegressor(network, transformer=StandardScaler())
    return {
        "forest": make_pipeline(encoder(False).set_output(transform="default"), forest),
        "LightGBM": make_pipeline(encoder(False).set_output(transform="default"), boosting),
        "network": make_pipeline(encoder(True).set_output(transform="default"), network),
        "SVM": svm_teacher(task, SEED),
    }


def describe(X):
    """Return what is known of the columns: the range of numbers, and the values of others."""
    columns = {}
    for name in X.columns:
        present = X[name].dropna()
        if not pd.api.types.is_numeric_dtype(present):
            columns[name] = sorted(present.unique().tolist())
        else:
            kind = int if (present == present.round()).all() else float
            columns[name] = (kind(present.min()), kind(present.max()))
    return columns


def latin_hypercube(box, n_rows):
    """Return rows of a box whose shares are a Latin hypercube."""
    share = LatinHypercube(box.n_features_in_, rng=SEED).random(n_rows)
    return box._place(np.zeros(n_rows, dtype=np.int64), share, share)


def drawn(teacher, columns, X, n_rows):
    """Yield the name of each way of drawing and its rows."""
    box = UniformBox(columns).fit()
    yield "box", box.sample(n_rows, SEED)
    yield "Latin hypercube", latin_hypercube(box, n_rows)
    yield "covering", UniformBox(columns, design="covering").fit().sample(n_rows, SEED)
    for name, design in (("bins", "random"), ("covering bins", "covering"), ("joint", "joint")):
        yield name, TeacherBins(teacher, columns, design=design).fit().sample(n_rows, SEED)

    def ask(rows):
        return outputs(teacher, rows.astype(X.dtypes))

    yield "joint, rounds", Disagreement(TeacherBins(teacher, columns), ask).fit().sample(n_rows, SEED)
    yield "unread, rounds", Disagreement(TeacherBins(columns=columns), ask).fit().sample(n_rows, SEED)
    yield "real", X[:n_rows]


def students(task):
    """Return the unfitted students by name."""
    if task == "classification":
        return {
            "boosting": CompactBoostingClassifier(random_state=SEED),
            "mlp": CompactMLPClassifier(random_state=SEED),
        }
    return {"boosting": CompactBoostingRegressor(random_state=SEED), "mlp": CompactMLPRegressor(random_state=SEED)}


def measure(results, folder):
    for name in TABLES:
        X, y, task = load(folder, name)
        X_train, _, X_test, y_train, _, _ = split(X, y, SEED)
        X_test, columns = X_test[:MOST_TEST_ROWS], describe(X_train)
        multioutput = "variance_weighted" if task == "classification" else "uniform_average"
        for teacher_name, recipe in teachers(task).items():
            if results.has(table=name, teacher=teacher_name, n_rows=COUNTS[-1], student=STUDENTS[-1]):
                continue
            teacher = recipe.fit(X_train, y_train)
            reference, classes = outputs(teacher, X_test), getattr(teacher, "classes_", None)
            for n_rows in COUNTS:
                scores = {student: {} for student in STUDENTS}
                for way, rows in drawn(teacher, columns, X_train, n_rows):
                    rows = rows.astype(X.dtypes)
                    targets = outputs(teacher, rows)
                    for student_name, student in students(task).items():
                        fitted = teach(student, task, rows, targets, classes)
                        score = fidelity(reference, outputs(fitted, X_test), multioutput=multioutput)
                        scores[student_name][way] = score
                for student_name in STUDENTS:
                    key = {"table": name, "teacher": teacher_name, "n_rows": n_rows, "student": student_name}
                    results.add(**key, **scores[student_name])


def page(results):
    parts = ["\n".join(f"- **{name}**: {text}" for name, text in COLUMNS.items())]
    parts.append(
        "Known are the range of each column of numbers and the values of the others; no real row is used but by the "
        "last way. The teachers, pipelines from the raw table, are fitted on 3,000 real rows: a forest of 100 trees, "
        "LightGBM of 200, a network of 100 x 100 behind a `StandardScaler`, and an RBF SVM behind one. The tables show "
        "the fidelity on real test rows that neither teacher nor student has seen, one seed. Fidelities below -1 count "
        "as -1 in means: a network extrapolates in the corners of a box, and a student can then be much worse than a "
        "constant. Medians are of all values."
    )
    for n_rows in COUNTS:
        rows = [
            [f"{teacher}, {student}", *(number(_mean(results, way, n_rows, teacher, student)) for way in COLUMNS)]
            for teacher in results.names("teacher")
            for student in STUDENTS
        ]
        rows.append(["**mean**", *(number(_mean(results, way, n_rows)) for way in COLUMNS)])
        rows.append(["**median**", *(number(float(np.median(_values(results, way, n_rows)))) for way in COLUMNS)])
        parts.append(f"## {n_rows:,} queries\n\n" + markdown_table(["mean of the tables", *COLUMNS], rows))
    rows = [
        [f"{table}, {student}", *(number(_mean(results, way, COUNTS[-1], None, student, table)) for way in COLUMNS)]
        for table in results.names("table")
        for student in STUDENTS
    ]
    parts.append(f"## By table, {COUNTS[-1]:,} queries\n\n" + markdown_table(["mean of the teachers", *COLUMNS], rows))
    parts.append("## Gains and losses\n\n" + "\n".join(_gains(results)))
    return "\n\n".join(parts)


def _values(results, way, n_rows, teacher=None, student=None, table=None):
    key = {"n_rows": n_rows, "teacher": teacher, "student": student, "table": table}
    key = {name: value for name, value in key.items() if value is not None}
    return np.array([row[way] for row in results.rows if all(row[name] == value for name, value in key.items())])


def _mean(results, *key):
    return float(np.maximum(_values(results, *key), -1).mean())


def _gains(results):
    """Yield a line for each comparison: the mean gain, its standard error, and the share of cells that gain."""
    pairs = [(way, "box") for way in COLUMNS if way not in ("box", "real", "joint, rounds")]
    for way, other in [*pairs, ("joint, rounds", "joint"), ("joint", "real")]:
        for n_rows in COUNTS:
            gains = np.maximum(_values(results, way, n_rows), -1) - np.maximum(_values(results, other, n_rows), -1)
            yield (
                f"- {way} against {other}, {n_rows:,} queries: mean gain {gains.mean():+.3f}, standard error "
                f"{gains.std(ddof=1) / np.sqrt(len(gains)):.3f}, better in {np.mean(gains > 0):.0%} of {len(gains)} "
                f"cells, worst {gains.min():+.3f}."
            )


if __name__ == "__main__":
    run(__file__, "Rows without data: bins of the teacher, and rounds", __doc__, measure, page)
