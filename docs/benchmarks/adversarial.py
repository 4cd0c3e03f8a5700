"""Does a discriminator make networks follow the teacher better, or make their outputs more like the teacher's?

    python docs/benchmarks/adversarial.py --data FOLDER

Writes adversarial.jsonl (resumable) and adversarial.md beside this file.
"""

import warnings
from time import process_time

import numpy as np
import pandas as pd
from results import markdown_table, run
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier, RandomForestRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from tables import encoder, load, outputs, split

from skdistill.metrics import fidelity
from skdistill.students import CompactMLPClassifier, CompactMLPRegressor

TABLES = ("california", "wine_quality_white", "puma8nh", "heloc", "credit_default", "pendigits")
SEED, N_TEACHER, N_ROWS, N_TEST = 0, 3000, 3000, 4000
WEIGHTS = (0.0, 0.01, 0.1, 1.0)
CASES = (*TABLES, "pen, 8 outputs", "two branches", "ring")


def tables_of(name, folder):
    """Return training rows, the teacher's outputs for them, test rows and outputs, and whether they are classes."""
    if name in ("two branches", "ring"):
        return drawn(name)
    X, y, task = load(folder, "pendigits" if name.startswith("pen,") else name)
    if name.startswith("pen,"):  # half of the points of the pen from the other half
        y, X, task = X.to_numpy()[:, 8:], X.iloc[:, :8], "regression"
    X_teacher, X_rest, X_test, y_teacher, _, _ = split(X, y, SEED, min(N_TEACHER, int(0.3 * len(X))))
    forest = RandomForestClassifier if task == "classification" else RandomForestRegressor
    teacher = make_pipeline(encoder(False), forest(100, min_samples_leaf=2, random_state=SEED))
    teacher.fit(X_teacher, y_teacher)
    X_rest, X_test = X_rest[:N_ROWS], X_test[:N_TEST]
    return X_rest, outputs(teacher, X_rest), X_test, outputs(teacher, X_test), task == "classification"


def drawn(name):
    """Return rows and answers of a teacher that draws one of two answers, or any point of a circle, for each row."""
    rng = np.random.default_rng(SEED)
    X = rng.uniform(-1, 1, size=(N_ROWS + N_TEST, 4))
    if name == "two branches":
        center, side = np.sin(3 * X[:, 0]) + X[:, 1], rng.choice([-1, 1], size=len(X))
        answers = np.column_stack([center + side, center - side])
    else:
        angle = rng.uniform(0, 2 * np.pi, size=len(X))
        answers = X[:, :1] + np.column_stack([np.cos(angle), np.sin(angle)])
    X = pd.DataFrame(X, columns=list("abcd"))
    return X[:N_ROWS], answers[:N_ROWS], X[N_ROWS:], answers[N_ROWS:], False


def told(X, of_teacher, of_student):
    """Return the area under the ROC curve with which boosting tells rows with either outputs; 0.5 is by chance."""
    cells = encoder(False).fit_transform(X)
    cells = cells.toarray() if hasattr(cells, "toarray") else np.asarray(cells)
    half = len(cells) // 2
    both = [np.column_stack([cells, given.reshape(len(cells), -1)]) for given in (of_teacher, of_student)]
    first, second = (np.vstack([each[part] for each in both]) for part in (slice(half), slice(half, None)))
    labels = [np.repeat([1, 0], size) for size in (half, len(cells) - half)]
    judge = HistGradientBoostingClassifier(max_iter=100, random_state=SEED).fit(first, labels[0])
    return roc_auc_score(labels[1], judge.predict_proba(second)[:, 1])


def measure(results, folder):
    for name in CASES:
        if results.has(case=name, weight=WEIGHTS[-1]):
            continue
        X, soft, X_test, reference, is_class = tables_of(name, folder)
        student = CompactMLPClassifier if is_class else CompactMLPRegressor
        for weight in WEIGHTS:
            if results.has(case=name, weight=weight):
                continue
            started = process_time()
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always", ConvergenceWarning)
                fitted = student((32, 32), adversarial_weight=weight, random_state=SEED).fit_soft(X, soft)
            seconds, given = process_time() - started, outputs(fitted, X_test)
            results.add(
                case=name, weight=weight, seconds=seconds, told=told(X_test, reference, given),
                fidelity=fidelity(reference, given, multioutput="variance_weighted"),
                is_unstable=float(len(caught) > 0),
            )  # fmt: skip


def page(results):
    header = ["", *(f"{weight:g}" for weight in WEIGHTS)]
    parts = [
        "Students are `CompactMLP*` with 32 x 32 hidden units, fitted on 3,000 rows that the teacher was not fitted "
        "on; columns are values of `adversarial_weight`, one seed. The teacher is a forest of 100 trees for the "
        "tables, and for *pen, 8 outputs*, eight coordinates of the pen from the eight others of pendigits. *Two "
        "branches* (two outputs, a smooth function plus and minus one, in random order) and *ring* (a random point on "
        "a circle around a function of the row) are teachers that draw an answer for each row. *Told* is the area "
        "under the ROC curve with which gradient boosting, fitted on half of the test rows, tells teacher and student "
        "on the other half: 0.5 means not at all. A star means that the training was not stable and warned."
    ]
    for value, title in (("fidelity", "Fidelity"), ("told", "Told")):
        rows = []
        for case in CASES:
            cells = []
            for weight in WEIGHTS:
                star = "*" if results.mean("is_unstable", case=case, weight=weight) > 0 else ""
                cells.append(f"{results.mean(value, case=case, weight=weight):.4f}{star and chr(92) + star}")
            rows.append([case, *cells])
        parts.append(f"## {title}\n\n{markdown_table(header, rows)}")
    seconds = [f"{results.mean('seconds', weight=weight):.2f}" for weight in WEIGHTS]
    parts.append(f"## Costs\n\n{markdown_table(header, [['**fit, CPU s, mean**', *seconds]])}")
    return "\n\n".join(parts)


if __name__ == "__main__":
    run(__file__, "A discriminator for networks", __doc__, measure, page)
