"""
A slow embedding becomes a function
===================================

Some embeddings place a new row slowly, and some cannot place it at all. Isomap measures shortest paths through all the
rows it was fitted on; t-SNE has no ``transform``, only coordinates of the rows it saw. Either is a teacher of values: a
:class:`~skdistill.DistilledRegressor` learns the way from pixels to coordinates, and keeps no rows.
"""

import os

import matplotlib.pyplot as plt
import numpy as np
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.manifold import TSNE, Isomap
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

from skdistill import DistilledRegressor
from skdistill.metrics import fidelity, latency, pickled_bytes
from skdistill.samplers import MUNGE

SMALL = os.environ.get("SKDISTILL_EXAMPLES") == "small"

X, y = load_digits(return_X_y=True)
if SMALL:
    X, y = X[:700], y[:700]
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.4, random_state=0)

# %%
# Two teachers
# ------------
# Isomap can be asked as it is. The coordinates of t-SNE become a function in the obvious way: a new row is put between
# its five nearest neighbours among the pixels, nearer ones weighing more. That function returns the coordinates of the
# training rows exactly; it is what we want to imitate where there is no coordinate.

isomap = Isomap(n_neighbors=10, n_components=2).fit(X_train)
coordinates = TSNE(init="pca", random_state=0).fit_transform(X_train)
between_neighbours = KNeighborsRegressor(5, weights="distance").fit(X_train, coordinates)

TEACHERS = {
    "Isomap": (isomap, isomap.transform, isomap.embedding_),
    "t-SNE": (between_neighbours, between_neighbours.predict, coordinates),
}

# %%
# Students
# --------
# A small network for each. Synthetic digits are mixtures of near neighbours (MUNGE), placed by the teacher. Without
# a teacher there would be no coordinates to learn; what can be left out is its answers to synthetic rows, so that the
# student is fitted on the coordinates of the training rows alone.
#
# An embedding is good if rows of the same digit lie together: its score is the accuracy of ten nearest neighbours in
# the plane, fitted on the teacher's coordinates of the training rows.


def neighbour_accuracy(embedded_train, embedded_test):
    return KNeighborsClassifier(10).fit(embedded_train, y_train).score(embedded_test, y_test)


placed = {}
print(f"{'':33}neighbour accuracy  fidelity  µs, one row  µs a row, {len(X_test)} rows     kB")
for name, (teacher, place, embedded) in TEACHERS.items():
    model = DistilledRegressor(teacher, "mlp", sampler=MUNGE(), random_state=0).fit(X_train)
    alone = clone(model.student_).fit(X_train, embedded)
    reference = model.soft_targets(X_test)
    placed[name] = embedded, reference, model.predict(X_test)
    rows = {
        f"{name}, teacher": (place, teacher),
        f"{name}, student": (model.student_.predict, model.student_),
        f"{name}, without synthetic rows": (alone.predict, alone),
    }
    for label, (ask, fitted) in rows.items():
        print(
            f"{label:33}{neighbour_accuracy(embedded, ask(X_test)):18.3f}{fidelity(reference, ask(X_test)):10.3f}"
            f"{latency(ask, X_test[:1]):13,.0f}{latency(ask, X_test):20.1f}{pickled_bytes(fitted) / 1000:7,.0f}"
        )

# %%
# Where new rows land
# -------------------
# Grey are the training rows, coloured the new ones, by digit. The numbers stand in the middle of each digit's training
# rows.

COLOURS = ["#0072B2", "#D55E00", "#009E73", "#E69F00", "#56B4E9", "#CC79A7", "#000000", "#882255", "#999933", "#44AA99"]
figure, axes = plt.subplots(2, 2, figsize=(9, 8.4), layout="constrained")
for row, (name, (embedded, by_teacher, by_student)) in zip(axes, placed.items(), strict=True):
    for ax, points, title in zip(row, (by_teacher, by_student), ("the teacher", "the student"), strict=True):
        ax.scatter(*embedded.T, s=10, color="#D0D0D0", linewidth=0)
        ax.scatter(*points.T, s=12, color=np.array(COLOURS)[y_test], linewidth=0)
        for digit in range(10):
            middle = np.median(embedded[y_train == digit], axis=0)
            box = {"boxstyle": "circle,pad=0.15", "facecolor": "white", "edgecolor": COLOURS[digit], "alpha": 0.9}
            ax.text(*middle, str(digit), ha="center", va="center", color=COLOURS[digit], weight="bold", bbox=box)
        ax.set(title=f"{name}: new rows placed by {title}", xticks=[], yticks=[])
plt.show()

# %%
# What to take home
# -----------------
# The student of Isomap is nearly as good a map, about thirty times faster for one row, and 9 kB instead of 19 MB. That
# of t-SNE is not far behind looking up neighbours, and keeps no rows. Both need the synthetic rows: fitted on the
# coordinates alone they look close in R², yet neighbours are right much less often.
#
# There is a price. t-SNE jumps from cluster to cluster and a small network bends, so some new rows land in a gap where
# no training row is. And distances between clusters of t-SNE mean as little for the student as for the teacher.
