"""How much of a teacher each family of students keeps, for its bytes: two teachers, one grid.

    python examples/plot_size_fidelity.py size_fidelity.png

``student`` and ``student_size`` sweep families and sizes; ``memory`` asks the teacher once for all of them. Fidelity is
measured on rows that nobody has seen. The digits of scikit-learn; takes some minutes.
"""

import sys
import tempfile

import matplotlib.pyplot as plt
import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split
from sklearn.svm import SVC

import skdistill
from skdistill import AutoStudent, DistilledClassifier
from skdistill.samplers import LeafSwap

SIZES = [500, 1000, 2000, 5000, 10_000, 20_000, 50_000]
FAMILIES = {
    "linear": ("#000000", "x"),
    "tree": ("#E69F00", "v"),
    "kernel": ("#56B4E9", "s"),
    "smooth network": ("#009E73", "^"),
    "network": ("#0072B2", "D"),
    "boosting": ("#D55E00", "o"),
    "hybrid": ("#CC79A7", "P"),
}
TEACHERS = {
    "a support vector machine": CalibratedClassifierCV(SVC(C=10), ensemble=False),
    "a forest": RandomForestClassifier(300, min_samples_leaf=2, random_state=0),
}


def main(path):
    """Sweep families and sizes for both teachers, and draw."""
    X_train, X_test, y_train, y_test = train_test_split(*load_digits(return_X_y=True), test_size=0.4, random_state=0)
    figure, axes = plt.subplots(1, len(TEACHERS), figsize=(11, 4.6), sharey=True, layout="constrained")
    for ax, (name, teacher) in zip(axes, TEACHERS.items(), strict=True):
        teacher.fit(X_train, y_train)
        with tempfile.TemporaryDirectory() as memory:
            options = {"sampler": LeafSwap(), "n_synthetic": 10.0, "memory": memory, "random_state": 0}
            for family in FAMILIES:
                draw(ax, family, front(teacher, family, X_train, X_test, options))
            chosen = DistilledClassifier(teacher, AutoStudent(max_bytes=20_000), **options).fit(X_train)
        print(f"{name}: teacher {teacher.score(X_test, y_test):.3f}, student {chosen.score(X_test, y_test):.3f}")
        print(chosen.candidates_, "\n")
        ax.set(xscale="log", xlabel="kB, compiled", title=f"Digits: students of {name}")
        ax.set(yscale="log", ylim=(0.5, 0.008))
        ax.set_xticks([1, 2, 5, 10, 20, 50, 100], ["1", "2", "5", "10", "20", "50", "100"])
        ax.set_yticks([0.5, 0.2, 0.1, 0.05, 0.02, 0.01], ["0.5", "0.8", "0.9", "0.95", "0.98", "0.99"])
        ax.minorticks_off()
        ax.grid(alpha=0.3)
    axes[0].set_ylabel("fidelity on unseen rows (R²)")
    axes[1].legend(loc="lower right", frameon=False, fontsize=9)
    figure.savefig(path, dpi=120)


def front(teacher, family, X, X_test, options):
    """Return kB, and what is lost of fidelity, of a family's students of all sizes that it has."""
    points = []
    for size in SIZES:
        try:
            model = DistilledClassifier(teacher, family, student_size=size, **options).fit(X)
        except skdistill.exceptions.StudentError:  # too small for ten classes
            continue
        points.append((skdistill.compile(model).n_bytes / 1000, 1 - model.fidelity(X_test)))
    return np.array(sorted(set(points)))


def draw(ax, family, points):
    """Draw one family's line."""
    color, marker = FAMILIES[family]
    ax.plot(*points.T, color=color, marker=marker, label=family, markersize=5, linewidth=1.2)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "size_fidelity.png")
