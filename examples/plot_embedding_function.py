"""
From a slow embedding to a function
===================================

Some embeddings are slow to transform a new row, and some cannot transform it at all.
Isomap computes shortest paths through all rows it was fitted on. t-SNE has no
``transform``, only coordinates of its training rows. Both can be teachers of values: a
:class:`~skdistill.DistilledRegressor` learns the map from pixels to coordinates without
storing rows.
"""

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

X, y = load_digits(return_X_y=True)
# sphinx_gallery_start_ignore
import os

if os.environ.get("SKDISTILL_EXAMPLES") == "small":
    X, y = X[:700], y[:700]
# sphinx_gallery_end_ignore
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.4, random_state=0)

# %%
# Two teachers
# ------------
# Isomap can be used as it is. For t-SNE, the coordinates are extended to a function: a
# new row is placed between its five nearest neighbours in pixel space, weighted by
# distance. For the training rows, this function returns their coordinates exactly; we
# want to imitate it for other rows.

isomap = Isomap(n_neighbors=10, n_components=2).fit(X_train)
coordinates = TSNE(init="pca", random_state=0).fit_transform(X_train)
between_neighbours = KNeighborsRegressor(5, weights="distance").fit(
    X_train, coordinates
)

TEACHERS = {
    "Isomap": (isomap, isomap.transform, isomap.embedding_),
    "t-SNE": (between_neighbours, between_neighbours.predict, coordinates),
}

# %%
# Students
# --------
# The student of each teacher is a small MLP. Synthetic digits are mixtures of near
# neighbours (MUNGE), placed by the teacher. Without a teacher, there are no coordinates
# to learn. For comparison, we therefore leave out the synthetic rows and fit the
# student only on the coordinates of the training rows.
#
# An embedding is good if rows of the same digit are close to each other. Its score is
# the accuracy of ten nearest neighbours in the plane, fitted on the teacher's
# coordinates of the training rows.


def neighbour_accuracy(embedded_train, embedded_test):
    return (
        KNeighborsClassifier(10)
        .fit(embedded_train, y_train)
        .score(embedded_test, y_test)
    )


placed = {}
print(f"{'':31}accuracy  fidelity  µs, 1 row  µs, batch     kB")
for name, (teacher, place, embedded) in TEACHERS.items():
    model = DistilledRegressor(teacher, "mlp", sampler=MUNGE(), random_state=0).fit(
        X_train
    )
    alone = clone(model.student_).fit(X_train, embedded)
    reference = model.soft_targets(X_test)
    placed[name] = embedded, reference, model.predict(X_test)
    rows = {
        f"{name}, teacher": (place, teacher),
        f"{name}, student": (model.student_.predict, model.student_),
        f"{name}, without synthetic rows": (alone.predict, alone),
    }
    for label, (predict, fitted) in rows.items():
        print(
            f"{label:31}{neighbour_accuracy(embedded, predict(X_test)):8.3f}"
            f"{fidelity(reference, predict(X_test)):10.3f}"
            f"{latency(predict, X_test[:1]):11,.0f}{latency(predict, X_test):11.1f}"
            f"{pickled_bytes(fitted) / 1000:7,.0f}"
        )

# %%
# Where new rows are placed
# -------------------------
# Training rows are grey and new rows are coloured by digit. The numbers are at the
# centre of the training rows of each digit.

COLOURS = [
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#E69F00",
    "#56B4E9",
    "#CC79A7",
    "#000000",
    "#882255",
    "#999933",
    "#44AA99",
]
figure, axes = plt.subplots(2, 2, figsize=(9, 8.4), layout="constrained")
for row, (name, (embedded, by_teacher, by_student)) in zip(
    axes, placed.items(), strict=True
):
    for ax, points, title in zip(
        row, (by_teacher, by_student), ("the teacher", "the student"), strict=True
    ):
        ax.scatter(*embedded.T, s=10, color="#D0D0D0", linewidth=0)
        ax.scatter(*points.T, s=12, color=np.array(COLOURS)[y_test], linewidth=0)
        for digit in range(10):
            middle = np.median(embedded[y_train == digit], axis=0)
            box = {
                "boxstyle": "circle,pad=0.15",
                "facecolor": "white",
                "edgecolor": COLOURS[digit],
                "alpha": 0.9,
            }
            ax.text(
                *middle,
                str(digit),
                ha="center",
                va="center",
                color=COLOURS[digit],
                weight="bold",
                bbox=box,
            )
        ax.set(title=f"{name}: new rows placed by {title}", xticks=[], yticks=[])
plt.show()

# %%
# Conclusion
# ----------
# The student of Isomap is almost as good as Isomap, about thirty times faster for one
# row, and takes 9 kB instead of 19 MB. The student of t-SNE is not much worse than
# looking up neighbours, and stores no rows. Both need the synthetic rows: fitted on the
# coordinates alone, they have a high R², but their neighbours are correct much less
# often.
#
# There is a cost. t-SNE jumps between clusters and a small network is continuous, so
# some new rows are placed in a gap without training rows. Distances between clusters of
# t-SNE mean as little for the student as for the teacher.
