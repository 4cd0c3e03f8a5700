"""From a support vector machine to a compiled function, and how fidelity grows with its size.

    python examples/plot_compiled_svm.py compiled_svm.png

The first lines of ``main`` are all it takes. The curve then fits students of many sizes on one transfer set, for
little more than the largest, and compiles each. Digits of scikit-learn; fidelity on rows that nobody has seen.
"""

import sys

import matplotlib.pyplot as plt
import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.svm import SVC

import skdistill
from skdistill import DistilledClassifier
from skdistill.metrics import fidelity, latency
from skdistill.samplers import LeafSwap
from skdistill.students import CompactBoostingClassifier

SIZES = [(2, 4), (2, 8), (5, 8), (5, 16), (10, 16), (20, 16), (40, 16), (60, 24)]
BLUE = "#0072B2"


def main(path):
    """Distil, compile, and draw the curve."""
    X_train, X_test, y_train, y_test = train_test_split(*load_digits(return_X_y=True), test_size=0.4, random_state=0)
    svm = CalibratedClassifierCV(SVC(C=10), ensemble=False).fit(X_train, y_train)
    model = DistilledClassifier(svm, CompactBoostingClassifier(20, 16), random_state=0).fit(X_train, y_train)
    predict_proba = skdistill.compile(model)
    print("the first row:", predict_proba(X_test[0]).round(3), "a", predict_proba.predict(X_test[0]))
    print(f"accuracy: machine {svm.score(X_test, y_test):.3f}, student {model.score(X_test, y_test):.3f}")
    slow, fast = latency(svm.predict_proba, X_test[:1]), latency(lambda rows: predict_proba(rows[0]), X_test[:1])
    print(f"one row: machine {slow:.0f} µs, compiled student {fast:.1f} µs, {predict_proba.n_bytes / 1000:.0f} kB")
    plot(*curve(svm, X_train, X_test), path)


def curve(teacher, X, X_test):
    """Return bytes and fidelity of compiled students of all sizes, taught on one transfer set."""
    soft = teacher.predict_proba(X)
    drawn = LeafSwap(random_state=0).fit(X, soft).sample(10 * len(X), random_state=0)
    targets = np.vstack([soft, teacher.predict_proba(drawn)])
    weight = np.append(np.ones(len(X)), np.full(len(drawn), 0.1))
    students = CompactBoostingClassifier(random_state=0).path(
        np.vstack([X, drawn]), targets, SIZES, classes=teacher.classes_, sample_weight=weight
    )
    compiled, reference = [skdistill.compile(student) for student in students], teacher.predict_proba(X_test)
    return [each.n_bytes for each in compiled], [
        fidelity(reference, each(X_test), multioutput="variance_weighted") for each in compiled
    ]


def plot(sizes, scores, path):
    """Draw fidelity against bytes."""
    figure, ax = plt.subplots(figsize=(6, 4.2), layout="constrained")
    ax.plot(np.array(sizes) / 1000, scores, marker="o", color=BLUE)
    for (n_trees, n_leaves), size, score in zip(SIZES, sizes, scores, strict=True):
        ax.annotate(
            f"{n_trees} x {n_leaves}", (size / 1000, score), xytext=(6, -11), textcoords="offset points", fontsize=8
        )
    ax.set(xscale="log", xlabel="kB, compiled", ylabel="fidelity on unseen rows (R²)")
    ax.set_title("Digits: students of a support vector machine\n(trees for each class x leaves)", fontsize=10)
    ax.set_xticks([2, 5, 10, 20, 50, 100], ["2", "5", "10", "20", "50", "100"])
    ax.minorticks_off()
    ax.margins(x=0.15, y=0.12)
    ax.grid(alpha=0.3)
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "compiled_svm.png")
