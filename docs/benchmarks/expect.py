"""What does a default fit give for each kind of teacher: time, fidelity, speed, size?

    python docs/benchmarks/expect.py --data FOLDER

Fits each teacher on 3,000 rows of each table, distils it without any option but 500 unlabelled validation rows, and
compares the compiled student with the teacher on test rows. Writes expect.jsonl (resumable) and expect.md beside this
file; ``docs/images/expect.py`` draws the tables of the page. One thread.
"""

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = "1"

from time import perf_counter, process_time

import numpy as np
from lightgbm import LGBMClassifier, LGBMRegressor
from results import markdown_table, number, run
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import (
    RandomForestClassifier,
    RandomForestRegressor,
    StackingClassifier,
    StackingRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR
from tables import load, outputs, skill, split

import skdistill
from skdistill import DistilledClassifier, DistilledRegressor
from skdistill.metrics import pickled_bytes

TABLES = ("puma8nh", "heloc", "credit_default", "pendigits")
N_VALIDATION, N_TEST, BATCH, ROUNDS = 500, 3000, 1000, 5


def forest(is_classifier):
    """Return scikit-learn's forest at its defaults, with 300 trees."""
    return (RandomForestClassifier if is_classifier else RandomForestRegressor)(300, random_state=0)


def boosting(is_classifier):
    """Return LightGBM with 500 steps."""
    kind = LGBMClassifier if is_classifier else LGBMRegressor
    return kind(n_estimators=500, learning_rate=0.05, verbosity=-1, n_jobs=1, random_state=0)


def svm(is_classifier):
    """Return an RBF support vector machine; probabilities by a sigmoid on its margins."""
    if is_classifier:
        return CalibratedClassifierCV(make_pipeline(StandardScaler(), SVC(C=3.0)), ensemble=False, cv=3)
    return TransformedTargetRegressor(make_pipeline(StandardScaler(), SVR(C=3.0)), transformer=StandardScaler())


def network(is_classifier):
    """Return scikit-learn's network with two wide layers."""
    options = {"hidden_layer_sizes": (256, 128), "early_stopping": True, "random_state": 0}
    if is_classifier:
        return make_pipeline(StandardScaler(), MLPClassifier(**options))
    return TransformedTargetRegressor(
        make_pipeline(StandardScaler(), MLPRegressor(**options)), transformer=StandardScaler()
    )


def stack(is_classifier):
    """Return a stack of the forest, LightGBM and the network."""
    members = [(make.__name__, make(is_classifier)) for make in (forest, boosting, network)]
    return (StackingClassifier if is_classifier else StackingRegressor)(members, cv=3)


TEACHERS = {
    "forest of 300 trees": forest,
    "LightGBM, 500 steps": boosting,
    "RBF SVM": svm,
    "network, 256 x 128": network,
    "stack of three": stack,
}


def measure(results, folder):
    for name in TABLES:
        X, y, task = load(folder, name)
        X_train, X_rest, X_test, y_train, _, y_test = split(X, y, seed=0)
        fill = SimpleImputer().set_output(transform="default").fit(X_train)
        X_train, X_val, X_test = (fill.transform(part) for part in (X_train, X_rest[:N_VALIDATION], X_test[:N_TEST]))
        for label, make in TEACHERS.items():
            if not results.has(table=name, teacher=label):
                teacher = make(task == "classification").fit(X_train, y_train)
                found = cell(teacher, task, X_train, y_train, X_val, X_test, y_test[:N_TEST])
                results.add(table=name, teacher=label, **found)


def cell(teacher, task, X_train, y_train, X_val, X_test, y_test):
    """Distil a fitted teacher, and return what the page shows about it."""
    kind = DistilledClassifier if task == "classification" else DistilledRegressor
    started = process_time()
    model = kind(teacher, random_state=0).fit(X_train, y_train, X_val=X_val)
    seconds = process_time() - started
    compiled = skdistill.compile(model)
    alone = clone(model.student_).fit(X_train, y_train)
    skills = [skill(teacher, y_test, outputs(each, X_test)) for each in (teacher, model, alone)]
    times = microseconds(lambda X: outputs(teacher, X), compiled, X_test)
    return {
        "fit": seconds,
        "student": model.candidates_.chosen.family,
        "fidelity": model.fidelity(X_test),
        "estimated": model.candidates_.chosen.fidelity,
        "kept": skills[1] / skills[0],
        "alone": skills[2] / skills[0],
        "teacher_one": times[0],
        "one": times[1],
        "teacher_batch": times[2],
        "batch": times[3],
        "teacher_bytes": pickled_bytes(teacher),
        "bytes": compiled.n_bytes,
    }


def microseconds(teacher, compiled, X):
    """Return medians of rounds in which teacher and student take turns: one row, and a row of a batch."""
    few, rows, batch = [X[i : i + 1] for i in range(10)], list(X[:1000]), X[:BATCH]
    works = {
        lambda: [teacher(row) for row in few]: len(few),
        lambda: [compiled(row) for row in rows]: len(rows),
        lambda: teacher(batch): len(batch),
        lambda: compiled(batch): len(batch),
    }
    rounds = [[_seconds(work) / n_rows for work, n_rows in works.items()] for _ in range(ROUNDS)]
    return [1e6 * float(time) for time in np.median(rounds, axis=0)]


def _seconds(work):
    started = perf_counter()
    work()
    return perf_counter() - started


IN_SHORT = ("your model", "fit, s", "fidelity", "skill kept", "one row, µs", "batch, µs a row", "size, kB")
HEADER = (
    ("teacher", "student", "fit, s", "fidelity", "lowest", "skill kept", "without the teacher"),
    ("teacher", "one row, µs", "student", "faster", "batch, µs a row", "student", "faster", "kB", "student", "smaller"),
)


def page(results):
    return "\n\n".join(
        [
            "What one default fit gives, for each kind of teacher: "
            "`DistilledClassifier(teacher).fit(X_train, y_train, X_val=X_val)`, or a regressor. Teachers are fitted on "
            f"3,000 rows, `X_val` has {N_VALIDATION} other rows, and everything is measured on up to {N_TEST:,} test "
            f"rows, on one thread. Tables: {', '.join(TABLES)}.",
            "- **fit, s**: seconds of processor time of the distillation (the teacher is fitted already), median\n"
            "- **fidelity**: R² with respect to the teacher, mean and lowest over tables\n"
            "- **skill kept**: *retention*, the student's skill (Brier skill, or R²) divided by the teacher's, median; "
            "**without the teacher**: the same for the same student, fitted to the true labels\n"
            "- **times and kB**: medians over tables; the teacher's `predict_proba` or `predict` on an array of shape "
            f"(1, n) and on {BATCH:,} rows, and the compiled student on a row of shape (n,) and on the same rows; kB "
            "of pickles",
            "Tabular foundation models were not measured: their packages download the weights at first use, and this "
            "machine could not ([what is known](../guide/foundation_model.md)). The budget of the student is the "
            "default, about 10 kB for one output; [default](default.md) shows what 100 kB gain.",
            "Where *skill kept* is far above 1 (LightGBM on heloc and credit_default), the teacher overfits: 500 steps "
            "are too many there, and a small student has more skill than its teacher, also with less fidelity.",
            "## In short",
            markdown_table(IN_SHORT, [_in_short(results, teacher) for teacher in results.names("teacher")]),
            "## What is kept",
            markdown_table(HEADER[0], [_kept(results, teacher) for teacher in results.names("teacher")]),
            "## What is saved",
            markdown_table(HEADER[1], [_saved(results, teacher) for teacher in results.names("teacher")]),
            "## By table",
            _by_table(results),
        ]
    )


def _in_short(results, teacher):
    """Return a line of few words: numbers of two digits, and the factor between teacher and student."""
    kept, values = _kept(results, teacher), _values(results, teacher)
    pairs = []
    for unit, name in ((1, "one"), (1, "batch"), (1000, "bytes")):
        of_teacher, of_student = np.array(values[f"teacher_{name}"]), np.array(values[name])
        few = [f"{_rounded(np.median(times) / unit):,}" for times in (of_teacher, of_student)]
        pairs.append(f"{few[0]} → {few[1]} ({_rounded(np.median(of_teacher / of_student)):,}x)")
    return [teacher, kept[2], f"{kept[3]} (≥ {kept[4]})", f"{float(kept[5]):.2f}", *pairs]


def _kept(results, teacher):
    values = _values(results, teacher)
    families = ", ".join(dict.fromkeys(row["student"] for row in results.rows if row["teacher"] == teacher))
    fidelity = [f"{np.mean(values['fidelity']):.3f}", f"{min(values['fidelity']):.3f}"]
    skills = [f"{np.median(values[name]):.3f}" for name in ("kept", "alone")]
    return [teacher, families, f"{np.median(values['fit']):.0f}", *fidelity, *skills]


def _saved(results, teacher):
    values, texts = _values(results, teacher), [teacher]
    for unit, name in ((1, "one"), (1, "batch"), (1000, "bytes")):
        of_teacher, of_student = np.array(values[f"teacher_{name}"]) / unit, np.array(values[name]) / unit
        pair = [number(np.median(of_teacher), 1), number(np.median(of_student), 2 if name == "batch" else 1)]
        texts += [*pair, f"{_rounded(np.median(of_teacher / of_student)):,}"]
    return texts


def _values(results, teacher):
    rows = [row for row in results.rows if row["teacher"] == teacher]
    return {name: [row[name] for row in rows] for name in rows[0] if name not in ("table", "teacher", "student")}


def _rounded(factor):
    """Return a factor with two significant digits."""
    return int(float(f"{factor:.2g}")) if factor >= 10 else round(factor, 1)


def _by_table(results):
    header = ["teacher", "table", "student", "fit, s", "fidelity", "estimated", "skill kept", "without the teacher"]
    lines = []
    for row in results.rows:
        numbers = [f"{row[name]:.3f}" for name in ("fidelity", "estimated", "kept", "alone")]
        lines.append([row["teacher"], row["table"], row["student"], f"{row['fit']:.1f}", *numbers])
    return markdown_table(header, lines)


if __name__ == "__main__":
    run(__file__, "What to expect", __doc__, measure, page)
