"""Accuracy against microseconds a row: teacher, students, and the same students without the teacher.

    python examples/plot_accuracy_latency.py accuracy_latency.png

Means of five splits of the digits that come with scikit-learn; the teacher is that of distil_digits.py.
"""

import sys
from collections import defaultdict

import matplotlib.pyplot as plt
import numpy as np
from distil_digits import vote
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.tree import DecisionTreeClassifier

from skdistill import DistilledClassifier
from skdistill.metrics import latency
from skdistill.students import CompactBoostingClassifier

STUDENTS = {
    f"{n_trees} x {n_leaves}": CompactBoostingClassifier(n_trees, n_leaves, random_state=0)
    for n_trees, n_leaves in [(2, 8), (5, 8), (10, 16), (20, 16), (60, 24)]
} | {f"tree {n_leaves}": DecisionTreeClassifier(max_leaf_nodes=n_leaves, random_state=0) for n_leaves in (32, 128)}
BLUE, ORANGE = "#0072B2", "#D55E00"


def measure(n_splits=5):
    """Return (accuracy, µs for one row, µs a row in a batch) of every model, one array for each name."""
    measured = defaultdict(list)
    for seed in range(n_splits):
        X_train, X_test, y_train, y_test = train_test_split(
            *load_digits(return_X_y=True), test_size=0.4, random_state=seed
        )
        teacher = vote().fit(X_train, y_train)

        def note(name, fitted, X_test=X_test, y_test=y_test):
            ask = fitted.predict_proba
            measured[name].append((fitted.score(X_test, y_test), latency(ask, X_test[:1]), latency(ask, X_test)))

        note("teacher", teacher)
        for name, student in STUDENTS.items():
            note(f"with, {name}", DistilledClassifier(teacher, student, random_state=0).fit(X_train, y_train).student_)
            note(f"without, {name}", student.fit(X_train, y_train))
        print(f"split {seed + 1} of {n_splits} done")
    return {
        name: np.median(values, axis=0) if name == "teacher" else np.mean(values, axis=0)
        for name, values in measured.items()
    }


FAMILIES = {
    "boosted trees (trees x leaves)": ([name for name in STUDENTS if " x " in name], "o"),
    "single tree (leaves)": ([name for name in STUDENTS if name.startswith("tree")], "s"),
}


def plot(measured, path):
    """Draw both panels and save them."""
    figure, axes = plt.subplots(1, 2, figsize=(10, 4.4), sharey=True, layout="constrained")
    for ax, column, title in zip(axes, (1, 2), ("one row at a time", "batches of 700 rows"), strict=True):
        for family, (names, marker) in FAMILIES.items():
            for group, colour, label in (("with", BLUE, "student"), ("without", ORANGE, "without the teacher")):
                points = np.array([measured[f"{group}, {name}"] for name in names])
                ax.plot(points[:, column], points[:, 0], marker=marker, color=colour, label=f"{label}, {family}")
            for name in names if column == 2 else ():
                x, y = measured[f"with, {name}"][[column, 0]]
                offset = {"xytext": (-7, 0), "ha": "right"} if " x " in name else {"xytext": (8, -3), "ha": "left"}
                ax.annotate(name.removeprefix("tree "), (x, y), textcoords="offset points", fontsize=8, **offset)
        x, y = measured["teacher"][[column, 0]]
        ax.plot(x, y, marker="*", markersize=15, color="black", linestyle="", label="teacher, a vote of three models")
        ax.set(xscale="log", xlabel="µs a row", title=title)
        ax.grid(alpha=0.3)
        ax.margins(x=0.12)
    axes[0].set_ylabel("accuracy on unseen rows")
    axes[1].legend(loc="lower right", fontsize=8)
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    plot(measure(), sys.argv[1] if len(sys.argv) > 1 else "accuracy_latency.png")
