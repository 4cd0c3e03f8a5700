"""Does a calibration of the student bring its probabilities closer to the true labels, and is it kept when compiled?

    python docs/benchmarks/calibration.py --data FOLDER

Writes calibration.jsonl (resumable) and calibration.md beside this file.
"""

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = "1"

import numpy as np
from lightgbm import LGBMClassifier
from results import markdown_table, number, run
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import RandomForestClassifier
from sklearn.svm import SVC
from tables import encoder, load, split

import skdistill
from skdistill import DistilledClassifier
from skdistill.metrics import calibration_error
from skdistill.samplers import LeafSwap
from skdistill.targets import one_hot

TABLES = ("adult", "heloc", "credit_default", "pendigits", "page_blocks", "splice")
N_TRAIN, N_VALIDATION, N_TEST, N_BINS = 1600, 400, 5000, 15
SEED = 0
WAYS = ("none", "temperature", "isotonic", "auto", "auto, rows the teacher knows", "auto, recipe")
"""The first four with validation rows; the others leave out a fifth of the training rows."""


def teacher_of(kind):
    if kind == "forest":
        return RandomForestClassifier(100, random_state=SEED, n_jobs=1)
    if kind == "boosting":
        return LGBMClassifier(n_estimators=100, verbosity=-1, n_jobs=1, random_state=SEED)
    return CalibratedClassifierCV(SVC(C=3.0), ensemble=False, cv=3)


def losses(classes, y, proba):
    """Return the expected calibration error, the log loss and the accuracy against true labels."""
    truth = one_hot(y, classes)
    log_loss = -np.mean(np.log(np.maximum((truth * proba).sum(axis=1), np.finfo(float).eps)))
    accuracy = np.mean(proba.argmax(axis=1) == truth.argmax(axis=1))
    return [calibration_error(truth, proba, n_bins=N_BINS), float(log_loss), float(accuracy)]


def measure_cell(results, name, kind, folder):
    X, y, _ = load(folder, name)
    X_train, X_val, X_test, y_train, y_val, y_test = split(X, y, SEED, min(N_TRAIN, len(X) // 2))
    X_val, X_test, y_val, y_test = X_val[:N_VALIDATION], X_test[:N_TEST], y_val[:N_VALIDATION], y_test[:N_TEST]
    coder = encoder(scale=kind == "SVM").fit(X_train)
    X_train, X_val, X_test = (coder.transform(part) for part in (X_train, X_val, X_test))
    teacher = teacher_of(kind).fit(X_train, y_train)
    of_teacher = losses(teacher.classes_, y_test, teacher.predict_proba(X_test))
    for way in WAYS:
        if results.has(table=name, teacher=kind, way=way):
            continue
        method, _, source = way.partition(", ")
        given = {} if source else {"X_val": X_val, "y_val": y_val}
        model = DistilledClassifier(
            teacher_of(kind) if source == "recipe" else teacher,
            "boosting",
            student_size=2000,
            sampler=LeafSwap(),
            n_synthetic=2.0,
            decision="argmax",
            calibration=None if method == "none" else method,
            random_state=SEED,
        ).fit(X_train, y_train, **given)
        proba = model.predict_proba(X_test)
        found = getattr(model, "calibration_", None)
        results.add(
            table=name,
            teacher=kind,
            way=way,
            chosen="none" if found is None else found["method"][found["is_chosen"]][0],
            temperature=None if found is None else float(found["temperature"][found["is_chosen"]][0]),
            of_teacher=of_teacher,
            of_student=losses(model.classes_, y_test, proba),
            fidelity=model.fidelity(X_test),
            compiled=float(np.abs(skdistill.compile(model)(X_test) - proba).max()),
        )


def measure(results, folder):
    for name, kind in results.mine([(name, kind) for kind in ("forest", "boosting", "SVM") for name in TABLES]):
        measure_cell(results, name, kind, folder)


def page(results):
    cells = list(dict.fromkeys((row["table"], row["teacher"]) for row in results.rows))
    found = {(row["table"], row["teacher"], row["way"]): row for row in results.rows}

    def table_of(place, digits=3):
        rows = []
        for cell in cells:
            rows.append([", ".join(cell), number(found[*cell, "none"]["of_teacher"][place], digits)])
            rows[-1] += [number(found[*cell, way]["of_student"][place], digits) for way in WAYS]
        means = np.mean([found[*cell, "none"]["of_teacher"][place] for cell in cells])
        others = [np.mean([found[*cell, way]["of_student"][place] for cell in cells]) for way in WAYS]
        rows.append(["**mean**", number(means, digits), *(number(mean, digits) for mean in others)])
        return markdown_table(["table, teacher", "teacher", *WAYS], rows)

    def changes(way):
        pairs = [(found[*cell, "none"]["of_student"], found[*cell, way]["of_student"]) for cell in cells]
        gains = np.array([before[1] - after[1] for before, after in pairs])
        errors = np.array([before[0] - after[0] for before, after in pairs])
        return [
            way,
            f"{np.sum(gains > 0)} / {np.sum(gains == 0)} / {np.sum(gains < 0)}",
            number(gains.mean(), 4),
            number(gains.min(), 4),
            f"{np.sum(errors > 0)} / {np.sum(errors == 0)} / {np.sum(errors < 0)}",
            number(errors.mean(), 4),
            number(np.mean([after[2] - before[2] for before, after in pairs]), 4),
            number(np.mean([found[*cell, way]["fidelity"] - found[*cell, "none"]["fidelity"] for cell in cells]), 4),
        ]

    choices = [
        [", ".join(cell)]
        + [f"{found[*cell, way]['chosen']} {number(found[*cell, way]['temperature'] or 1, 2)}" for way in WAYS[3:]]
        for cell in cells
    ]
    header = ["calibration", "log loss better / same / worse", "mean gain", "worst", "ECE better / same / worse"]
    header += ["mean gain", "accuracy", "fidelity"]
    largest = max(row["compiled"] for row in results.rows)
    return f"""
Teachers fitted on {N_TRAIN:,} rows (of splice, on half of its rows); students of the family boosting with 2,000
parameters, 2 synthetic rows per real row (`LeafSwap`). `temperature`, `isotonic` and `auto` are calibrated on
{N_VALIDATION} validation rows with true labels that neither teacher nor student was fitted on. The last two columns
have none: a fifth of the training rows is left out, which the fitted teacher knows, or without which a recipe is
fitted. Up to {N_TEST:,} test rows, against true labels. Nothing was chosen on these rows.

## What a calibration changes

Compared with the student without a calibration, in the number of cells and in the mean; positive gains are better.

{markdown_table(header, [changes(way) for way in WAYS[1:]])}

- A temperature changes no label. Those below 1 sharpen students that are less certain than they could be (of forests
  and SVMs, on several classes), those above 1 soften students of boosted trees that have fitted their rows closely.
- Isotonic functions need more than {N_VALIDATION} rows: they worsen the log loss in most cells, and `auto` leaves them
  alone with validation rows.
- A teacher that knows the rows of the calibration hides its errors there: the students of boosted trees on adult, heloc
  and credit_default stay too certain, and the one of the SVM on heloc is sharpened, which makes it worse.
- The last two rows also contain the loss of teaching on fewer rows, and of fitting a recipe on fewer.
- Fidelity falls because the student follows the labels where its teacher does not.

## Log loss

{table_of(1)}

## Expected calibration error

{N_BINS} bins of the probability of the predicted class, against the share of right labels.

{table_of(0)}

## What was chosen

The method and its temperature; a dash for isotonic functions.

{markdown_table(["table, teacher", *WAYS[3:]], choices)}

Largest difference between the probabilities of a calibrated student and those of its compiled form: {largest:.1e}.
"""


if __name__ == "__main__":
    run(__file__, "Calibration", __doc__, measure, page)
