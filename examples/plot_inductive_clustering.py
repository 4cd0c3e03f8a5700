"""
Clustering made inductive
=========================

Agglomerative clustering merges the rows it has and stops. It cannot say to which cluster a new row belongs: it has
``labels_``, but no ``predict``. A student that has learned the labels can.
"""

import os

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

SMALL = os.environ.get("SKDISTILL_EXAMPLES") == "small"
COLOURS = ["#0072B2", "#D55E00", "#009E73", "#E69F00", "#56B4E9", "#CC79A7"]

# %%
# Teacher and student
# -------------------
# Pictures of the digits 0 to 5, without their labels. The teacher answers for its own rows only, so there are no
# synthetic rows and no soft targets: distilling it comes down to fitting a classifier to the clusters, and the
# package's part is to choose the classifier.

X, y = load_digits(n_class=6, return_X_y=True)
X, y = X[: 500 if SMALL else None], y[: 500 if SMALL else None]
X_train, X_test, _, y_test = train_test_split(X, y, test_size=0.4, random_state=0)
ward = AgglomerativeClustering(n_clusters=6).fit(X_train)
model = DistilledClassifier(ward, random_state=0).fit(X_train)
print(model.candidates_.explain())

# %%
# How to judge it
# ---------------
# Nobody knows the "right" cluster of a new row. But we can cluster *all* rows anew, the new ones among them, and ask
# how far the two partitions of the new rows agree: adjusted Rand index, 1 for the same partition whatever its numbers,
# 0 for chance. That the partition of the *old* rows changes a little as well is the measure of what can be expected.
#
# Two rivals need no teacher of ours: each new row takes the cluster of its nearest neighbour, or k-means, which can
# predict, replaces Ward's merging from the start. The true digits are looked at last, for interest.


def cluster_anew(rows):
    """Cluster old and new rows together; return the groups of the new ones."""
    return clone(ward).fit_predict(np.vstack([X_train, rows]))[len(X_train) :]


anew = clone(ward).fit_predict(np.vstack([X_train, X_test]))
print(f"old rows, before and after: {adjusted_rand_score(ward.labels_, anew[: len(X_train)]):.3f}")
neighbour = KNeighborsClassifier(1).fit(X_train, ward.labels_)
means = KMeans(6, n_init=10, random_state=0).fit(X_train)
models = {
    "teacher, all rows anew": (cluster_anew, X_train),
    "student": (model.student_.predict, model.student_),
    "nearest neighbour": (neighbour.predict, neighbour),
    "without teacher: k-means": (means.predict, means),
}
print(f"{'':26}with clusters anew  with true digits  µs, one row  µs a row, all    kB")
for name, (ask, kept) in models.items():
    groups = ask(X_test)
    print(
        f"{name:26}{adjusted_rand_score(anew[len(X_train) :], groups):18.3f}{adjusted_rand_score(y_test, groups):18.3f}"
        f"{latency(ask, X_test[:1]):13,.0f}{latency(ask, X_test):15.1f}{pickled_bytes(kept) / 1000:6.0f}"
    )

# %%
# Old rows and new ones
# ---------------------
# The first two principal components of 64; colours and shapes are clusters. A ring marks a new row that lands in
# another cluster when all rows are clustered anew.

plane = PCA(2).fit(X_train)
figure, axes = plt.subplots(1, 2, figsize=(9.5, 4.6), sharex=True, sharey=True, layout="constrained")
answers = model.predict(X_test)
panels = {"old rows: clusters": (X_train, ward.labels_), "new rows: the student's answers": (X_test, answers)}
for ax, (title, (rows, groups)) in zip(axes, panels.items(), strict=True):
    for group, (colour, marker) in enumerate(zip(COLOURS, "os^Dvp", strict=True)):
        ax.scatter(*plane.transform(rows[groups == group]).T, s=22, color=colour, marker=marker, alpha=0.7, label=group)
    ax.set(title=title, xlabel="first principal component")
new_number = np.array([np.bincount(anew[: len(X_train)][ward.labels_ == group]).argmax() for group in range(6)])
elsewhere = new_number[answers] != anew[len(X_train) :]
ringed = plane.transform(X_test[elsewhere]).T
axes[1].scatter(*ringed, s=90, facecolor="none", edgecolor="black", label="elsewhere, if all rows are clustered anew")
axes[1].legend(handles=axes[1].collections[-1:], loc="lower left")
axes[0].set_ylabel("second principal component")
plt.show()

# %%
# What to take home
# -----------------
# The student gives new rows the clusters they would have had, nearly as often as the clustering of the old rows
# survives the new ones: more cannot be asked. So does the nearest neighbour, which carries all old rows with it and
# takes several times as long; the student is a few kilobytes, and knows how sure it is. K-means predicts as fast, but
# it finds other clusters.
#
# With ``labels_`` alone no teacher can label synthetic rows, and a student is not better than a classifier fitted to
# the same labels: it *is* one. Where the clusters of the old rows are unstable, so are those of the new ones.
