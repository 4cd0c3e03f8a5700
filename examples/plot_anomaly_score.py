"""
Anomaly detection as a fast score
=================================

An isolation forest scores how easily a row is set apart by random cuts. It needs hundreds of trees to say so smoothly,
and milliseconds for a single row. Its score is a function of the row like any other, and a small regressor can learn
it.
"""

import os

import matplotlib.pyplot as plt
import numpy as np
from scipy.stats import spearmanr
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split

from skdistill import DistilledRegressor
from skdistill.metrics import fidelity, latency, pickled_bytes
from skdistill.samplers import LeafSwap, Mixture, UniformBox

SMALL = os.environ.get("SKDISTILL_EXAMPLES") == "small"
STYLES = [("#0072B2", "o"), ("#D55E00", "^")]

# %%
# The teacher
# -----------
# Benign cells are the normal rows; the forest sees some of them and no label. Malignant cells are the anomalies, known
# only to the test.

X, y = load_breast_cancer(return_X_y=True)
X_train, X_normal = train_test_split(X[y == 1], test_size=0.4, random_state=1)
X_test = np.vstack([X_normal, X[y == 0]])
is_anomaly = np.arange(len(X_test)) >= len(X_normal)
forest = IsolationForest(n_estimators=100 if SMALL else 500, random_state=0).fit(X_train)

# %%
# The student
# -----------
# What ``predict`` of such a model returns are groups, not values; so ``DistilledRegressor`` wants to be told which
# method to imitate. There is a catch: anomalies lie where no normal row is, and rows drawn like normal ones teach
# nothing about that region. So half of the synthetic rows are drawn like the normal ones, and half uniformly over the
# range of the columns. The forest scores both for free. A second student sees the first kind only.

inside, outside = LeafSwap(), UniformBox()
students = {}
for name, sampler in {"both": Mixture([inside, outside]), "only like normal rows": inside}.items():
    model = DistilledRegressor(
        forest, "mlp_ple", sampler=sampler, n_synthetic=20.0, response_method="score_samples", random_state=0
    )
    students[name] = model.fit(X_train).student_

# %%
# What is kept, what is lost
# --------------------------
# There is no ``y`` to fit a student without a teacher on. Its place takes what one would use instead: a forest of few
# trees, here of three, which still takes more bytes than the student. The student's columns are those of the teacher:
# how well the score separates the known anomalies (ROC AUC), and whether rows keep their order (rank correlation).

few = IsolationForest(n_estimators=3, random_state=0).fit(X_train)
models = {"teacher": forest.score_samples, "student": students["both"].predict}
models |= {"student, normal rows only": students["only like normal rows"].predict, "three trees": few.score_samples}
held = {"teacher": forest, "student": students["both"], "three trees": few}
held["student, normal rows only"] = students["only like normal rows"]
score = {name: ask(X_test) for name, ask in models.items()}
print(f"{'':27}ROC AUC  rank correlation  fidelity  µs, one row  µs a row, all      kB")
for name, ask in models.items():
    print(
        f"{name:27}{roc_auc_score(is_anomaly, -score[name]):7.3f}{spearmanr(score['teacher'], score[name])[0]:18.3f}"
        f"{fidelity(score['teacher'], score[name]):10.3f}{latency(ask, X_test[:1]):13,.0f}{latency(ask, X_test):15.1f}"
        f"{pickled_bytes(held[name]) / 1000:8,.0f}"
    )

# %%
# Score against score
# -------------------

figure, axes = plt.subplots(1, 3, figsize=(10, 3.9), sharex=True, sharey=True, layout="constrained")
for ax, name in zip(axes, list(models)[1:], strict=True):
    ax.axline((-0.5, -0.5), slope=1, color="0.6", linewidth=1)
    for rows, colour, marker, label in (
        (~is_anomaly, "#0072B2", "o", "normal"),
        (is_anomaly, "#D55E00", "^", "anomaly"),
    ):
        ax.scatter(score["teacher"][rows], score[name][rows], s=16, color=colour, marker=marker, alpha=0.5, label=label)
    ax.set(xlabel="score of the teacher", title=name)
axes[0].set_ylabel("score of the model above")
axes[0].legend()
plt.show()

# %%
# What to take home
# -----------------
# The student keeps the order of the rows, separates the anomalies as well as the forest does, and answers in a five
# hundredth of the time for one row. A forest of few trees is no substitute: it is larger, slower and much coarser.
#
# Rows from outside the normal ones keep the *values* of the score right where it is lowest; without them the student
# goes on downwards where the forest levels off. The order of the rows hardly suffers here, because a network goes on
# smoothly. It matters as soon as a threshold is set on the value.
