"""
Inductive clustering
====================

Agglomerative clustering only clusters the rows that it was fitted on. It cannot assign
a new row to a cluster: it has ``labels_``, but no ``predict``. A student that has
learned the labels can.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.base import clone
from sklearn.cluster import AgglomerativeClustering, KMeans
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.metrics import adjusted_rand_score
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier

from skdistill import DistilledClassifier
from skdistill.metrics import latency, pickled_bytes

COLOURS = ["#0072B2", "#D55E00", "#009E73", "#E69F00", "#56B4E9", "#CC79A7"]

# %%
# Teacher and student
# -------------------
# The data are images of the digits 0 to 5, without their labels. The teacher only has
# labels for its own rows, so there are no synthetic rows and no soft targets.
# Distilling it means fitting a classifier to the clusters, and skdistill chooses the
# classifier.

X, y = load_digits(n_class=6, return_X_y=True)
# sphinx_gallery_start_ignore
import os

if os.environ.get("SKDISTILL_EXAMPLES") == "small":
    X, y = X[:500], y[:500]
# sphinx_gallery_end_ignore
X_train, X_test, _, y_test = train_test_split(X, y, test_size=0.4, random_state=0)
ward = AgglomerativeClustering(n_clusters=6).fit(X_train)
model = DistilledClassifier(ward, random_state=0).fit(X_train)
print(model.candidates_.explain())

# %%
# How to evaluate the student
# ---------------------------
# There is no true cluster of a new row. But we can cluster *all* rows again, including
# the new ones, and compare the two partitions of the new rows by the adjusted Rand
# index: 1 for the same partition (whatever the cluster numbers), 0 for chance. The
# partition of the *old* rows also changes a little, which shows how much agreement can
# be expected.
#
# There are two alternatives without distillation: each new row takes the cluster of its
# nearest neighbour, or k-means, which has ``predict``, replaces the clustering. The
# true digits are only shown for information.


def cluster_again(rows):
    """Cluster old and new rows together; return the clusters of the new rows."""
    return clone(ward).fit_predict(np.vstack([X_train, rows]))[len(X_train) :]


anew = clone(ward).fit_predict(np.vstack([X_train, X_test]))
print(
    "old rows, both clusterings: "
    f"{adjusted_rand_score(ward.labels_, anew[: len(X_train)]):.3f}"
)
neighbour = KNeighborsClassifier(1).fit(X_train, ward.labels_)
means = KMeans(6, n_init=10, random_state=0).fit(X_train)
models = {
    "teacher, all rows again": (cluster_again, X_train),
    "student": (model.student_.predict, model.student_),
    "nearest neighbour": (neighbour.predict, neighbour),
    "k-means, no teacher": (means.predict, means),
}
print(f"{'':23}new clusters  true digits  µs, 1 row  µs, batch    kB")
for name, (predict, kept) in models.items():
    groups = predict(X_test)
    print(
        f"{name:23}{adjusted_rand_score(anew[len(X_train) :], groups):12.3f}"
        f"{adjusted_rand_score(y_test, groups):13.3f}"
        f"{latency(predict, X_test[:1]):11,.0f}{latency(predict, X_test):11.1f}"
        f"{pickled_bytes(kept) / 1000:6.0f}"
    )

# %%
# Old rows and new rows
# ---------------------
# The panels show the first two of 64 principal components; colours and shapes are
# clusters. A ring marks a new row that is in another cluster if all rows are clustered
# again.

plane = PCA(2).fit(X_train)
figure, axes = plt.subplots(
    1, 2, figsize=(9.5, 4.6), sharex=True, sharey=True, layout="constrained"
)
answers = model.predict(X_test)
panels = {
    "old rows: clusters": (X_train, ward.labels_),
    "new rows: the student's predictions": (X_test, answers),
}
for ax, (title, (rows, groups)) in zip(axes, panels.items(), strict=True):
    for group, (colour, marker) in enumerate(zip(COLOURS, "os^Dvp", strict=True)):
        ax.scatter(
            *plane.transform(rows[groups == group]).T,
            s=22,
            color=colour,
            marker=marker,
            alpha=0.7,
            label=group,
        )
    ax.set(title=title, xlabel="first principal component")
new_number = np.array(
    [
        np.bincount(anew[: len(X_train)][ward.labels_ == group]).argmax()
        for group in range(6)
    ]
)
elsewhere = new_number[answers] != anew[len(X_train) :]
ringed = plane.transform(X_test[elsewhere]).T
axes[1].scatter(
    *ringed,
    s=90,
    facecolor="none",
    edgecolor="black",
    label="another cluster, if all rows are clustered again",
)
axes[1].legend(handles=axes[1].collections[-1:], loc="lower left")
axes[0].set_ylabel("second principal component")
plt.show()

# %%
# Conclusion
# ----------
# The student assigns new rows to the clusters that they would have had, almost as
# consistently as the clustering of the old rows itself, so nothing better can be
# expected. The nearest neighbour does so too, but it stores all old rows and takes
# several times as long. The student takes a few kilobytes and has probabilities.
# K-means predicts as fast, but finds other clusters.
#
# With ``labels_`` alone, the teacher cannot label synthetic rows, and the student is
# simply a classifier fitted to these labels. If the clusters of the old rows are
# unstable, those of the new rows are too.
