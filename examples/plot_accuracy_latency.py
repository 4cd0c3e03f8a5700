"""
Accuracy against microseconds per row
=====================================

A voting ensemble of three models is distilled into trees of several sizes. The same
students are also fitted without the teacher. Each point is the mean of five splits of
the digits dataset of scikit-learn, on rows that none of the models has seen. The script
takes some minutes.
"""

import os
from collections import defaultdict

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # idle threads do not spin

import matplotlib.pyplot as plt
import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_digits
from sklearn.ensemble import (
    ExtraTreesClassifier,
    HistGradientBoostingClassifier,
    VotingClassifier,
)
from sklearn.model_selection import train_test_split
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from skdistill import DistilledClassifier
from skdistill.metrics import latency
from skdistill.samplers import LeafSwap
from skdistill.students import CompactBoostingClassifier

# %%
# The teacher is accurate, slow and large. The students are boosted trees of five sizes
# and single trees of scikit-learn.

N_TREES, N_STEPS, N_SPLITS = 500, 100, 5
SIZES = [(2, 8), (5, 8), (10, 16), (20, 16), (60, 24)]
options = {}
# sphinx_gallery_start_ignore
if os.environ.get("SKDISTILL_EXAMPLES") == "small":
    N_TREES, N_STEPS, N_SPLITS = 50, 5, 1
    SIZES, options = SIZES[:2], {"sampler": LeafSwap(), "n_synthetic": 1.0}
# sphinx_gallery_end_ignore

teacher = VotingClassifier(
    [
        ("forest", ExtraTreesClassifier(N_TREES, random_state=0)),
        ("svm", CalibratedClassifierCV(SVC(C=10), ensemble=False)),
        (
            "boosting",
            HistGradientBoostingClassifier(max_iter=N_STEPS, random_state=0),
        ),
    ],
    voting="soft",
)
FAMILIES = {
    "boosted trees (trees x leaves)": {
        f"{n_trees} x {n_leaves}": CompactBoostingClassifier(
            n_trees, n_leaves, random_state=0
        )
        for n_trees, n_leaves in SIZES
    },
    "single tree (leaves)": {
        f"tree {n_leaves}": DecisionTreeClassifier(
            max_leaf_nodes=n_leaves, random_state=0
        )
        for n_leaves in (32, 128)
    },
}

# %%
# We measure the accuracy, the microseconds for one row, and the microseconds per row in
# batches, for each model and split.

measured = defaultdict(list)


def note(name, fitted, X_test, y_test):
    """Measure a fitted model."""
    predict = fitted.predict_proba
    measured[name].append(
        (
            fitted.score(X_test, y_test),
            latency(predict, X_test[:1]),
            latency(predict, X_test[:700]),
        )
    )


for seed in range(N_SPLITS):
    X_train, X_test, y_train, y_test = train_test_split(
        *load_digits(return_X_y=True), test_size=0.4, random_state=seed
    )
    teacher.fit(X_train, y_train)
    note("teacher", teacher, X_test, y_test)
    for students in FAMILIES.values():
        for name, student in students.items():
            model = DistilledClassifier(
                teacher, student, random_state=0, **options
            ).fit(X_train, y_train)
            note(f"with, {name}", model.student_, X_test, y_test)
            note(f"without, {name}", student.fit(X_train, y_train), X_test, y_test)

average = {
    name: (np.median if name == "teacher" else np.mean)(values, axis=0)
    for name, values in measured.items()
}
print(f"{'':26}accuracy  µs, one row  µs per row, batch")
print(
    f"{'teacher':26}{average['teacher'][0]:8.3f}{average['teacher'][1]:13,.0f}"
    f"{average['teacher'][2]:20.1f}"
)
for students in FAMILIES.values():
    for name in students:
        for group, label in (
            ("with", f"student, {name}"),
            ("without", "  without teacher"),
        ):
            accuracy, one_row, batch = average[f"{group}, {name}"]
            print(f"{label:26}{accuracy:8.3f}{one_row:13,.0f}{batch:20.1f}")

# %%
# Blue lines are students; orange lines are the same models fitted to the true labels
# without the teacher.

figure, axes = plt.subplots(1, 2, figsize=(10, 4.4), sharey=True, layout="constrained")
for ax, column, title in zip(
    axes, (1, 2), ("one row at a time", "batches of 700 rows"), strict=True
):
    for (family, names), marker in zip(FAMILIES.items(), "os", strict=True):
        for group, colour, label in (
            ("with", "#0072B2", "student"),
            ("without", "#D55E00", "without the teacher"),
        ):
            points = np.array([average[f"{group}, {name}"] for name in names])
            ax.plot(
                points[:, column],
                points[:, 0],
                marker=marker,
                color=colour,
                label=f"{label}, {family}",
            )
        for name in names if column == 2 else ():
            x, y = average[f"with, {name}"][[column, 0]]
            offset = (
                {"xytext": (-7, 0), "ha": "right"}
                if " x " in name
                else {"xytext": (8, -3), "ha": "left"}
            )
            ax.annotate(
                name.removeprefix("tree "),
                (x, y),
                textcoords="offset points",
                fontsize=8,
                **offset,
            )
    x, y = average["teacher"][[column, 0]]
    ax.plot(
        x,
        y,
        marker="*",
        markersize=15,
        color="black",
        linestyle="",
        label="teacher, an ensemble of three models",
    )
    ax.set(xscale="log", xlabel="µs per row", title=title)
    ax.grid(alpha=0.3)
    ax.margins(x=0.12)
axes[0].set_ylabel("accuracy on unseen rows")
axes[1].legend(loc="lower right", fontsize=8)

# sphinx_gallery_start_ignore
import sys

if len(sys.argv) > 1:  # python examples/plot_accuracy_latency.py figure.png
    figure.savefig(sys.argv[1], dpi=120)
# sphinx_gallery_end_ignore
plt.show()
