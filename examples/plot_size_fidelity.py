"""
Fidelity by size for each family
================================

How closely does each family of students follow a teacher, for a given size? ``student``
and ``student_size`` select families and sizes, and with ``memory`` the teacher is
queried once for all of them. Two teachers show that no family is always best. The data
are the digits of scikit-learn. Fidelity is measured on unseen rows. The script takes
some minutes.
"""

import tempfile

import matplotlib.pyplot as plt
import numpy as np
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split
from sklearn.svm import SVC

import skdistill
from skdistill import AutoStudent, DistilledClassifier
from skdistill.samplers import LeafSwap

N_SYNTHETIC = 10.0  # synthetic rows per real row
SIZES = [500, 1000, 2000, 5000, 10_000, 20_000, 50_000]
TEACHERS = {
    "a support vector machine": CalibratedClassifierCV(SVC(C=10), ensemble=False),
    "a forest": RandomForestClassifier(300, min_samples_leaf=2, random_state=0),
}
FAMILIES = {
    "linear": ("#000000", "x"),
    "tree": ("#E69F00", "v"),
    "kernel": ("#56B4E9", "s"),
    "mlp": ("#009E73", "^"),
    "mlp_ple": ("#0072B2", "D"),
    "boosting": ("#D55E00", "o"),
    "hybrid": ("#CC79A7", "P"),
}
# sphinx_gallery_start_ignore
import os

if os.environ.get("SKDISTILL_EXAMPLES") == "small":
    N_SYNTHETIC, SIZES = 1.0, [1000, 5000]
    TEACHERS["a forest"].set_params(n_estimators=30)
    FAMILIES = {name: FAMILIES[name] for name in ("linear", "tree", "mlp")}
# sphinx_gallery_end_ignore

X_train, X_test, y_train, y_test = train_test_split(
    *load_digits(return_X_y=True), test_size=0.4, random_state=0
)

# %%
# Each family is trained in all its sizes and compiled.


def front(teacher, family, options):
    """Return kB and 1 - fidelity of the students of a family in all its sizes."""
    points = []
    for size in SIZES:
        try:
            model = DistilledClassifier(
                teacher, family, student_size=size, **options
            ).fit(X_train)
        except skdistill.exceptions.StudentError:  # too small for ten classes
            continue
        points.append(
            (skdistill.compile(model).n_bytes / 1000, 1 - model.fidelity(X_test))
        )
    return np.array(sorted(set(points)))


# %%
# For each teacher, all families are drawn, and the automatic choice selects a student
# within 20 kB. The students see no labels, except for the one without a teacher, which
# is fitted to them.

figure, axes = plt.subplots(
    1, len(TEACHERS), figsize=(11, 4.6), sharey=True, layout="constrained"
)
for ax, (name, teacher) in zip(axes, TEACHERS.items(), strict=True):
    teacher.fit(X_train, y_train)
    with tempfile.TemporaryDirectory() as memory:
        options = {
            "sampler": LeafSwap(),
            "n_synthetic": N_SYNTHETIC,
            "memory": memory,
            "random_state": 0,
        }
        for family, (color, marker) in FAMILIES.items():
            points = front(teacher, family, options)
            ax.plot(
                *points.T,
                color=color,
                marker=marker,
                label=family,
                markersize=5,
                linewidth=1.2,
            )
        choice = AutoStudent(list(FAMILIES), max_bytes=20_000)
        chosen = DistilledClassifier(teacher, choice, **options).fit(X_train)
    alone = clone(chosen.student_).fit(X_train, y_train)
    print(
        f"{name}, accuracy: teacher {teacher.score(X_test, y_test):.3f}, "
        f"student {chosen.score(X_test, y_test):.3f}, "
        f"student alone {alone.score(X_test, y_test):.3f}"
    )
    print(chosen.candidates_, "\n")
    ax.set(xscale="log", xlabel="kB, compiled", title=f"Digits: students of {name}")
    ax.set(yscale="log", ylim=(0.5, 0.008))
    ax.set_xticks([1, 2, 5, 10, 20, 50, 100], ["1", "2", "5", "10", "20", "50", "100"])
    ax.set_yticks(
        [0.5, 0.2, 0.1, 0.05, 0.02, 0.01], ["0.5", "0.8", "0.9", "0.95", "0.98", "0.99"]
    )
    ax.minorticks_off()
    ax.grid(alpha=0.3)
axes[0].set_ylabel("fidelity on unseen rows (R²)")
axes[1].legend(loc="lower right", frameon=False, fontsize=9)

# sphinx_gallery_start_ignore
import sys

if len(sys.argv) > 1:  # python examples/plot_size_fidelity.py figure.png
    figure.savefig(sys.argv[1], dpi=120)
# sphinx_gallery_end_ignore
plt.show()
