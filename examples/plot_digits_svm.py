"""
Digits and a support vector machine
===================================

A support vector machine with a Gaussian kernel knows its digits well, but it has no probabilities, and each answer
compares the row with hundreds of support vectors. Here a student with few landmarks imitates its *margins*, and we look
at every digit on which the two differ.
"""

import os

import matplotlib.pyplot as plt
import numpy as np
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.svm import SVC

from skdistill import DistilledClassifier
from skdistill.metrics import agreement, fidelity, latency, pickled_bytes
from skdistill.samplers import MUNGE

SMALL = os.environ.get("SKDISTILL_EXAMPLES") == "small"

# %%
# The teacher
# -----------
# Two fifths of the pictures are kept from both models. The machine is fitted as it comes, without probabilities.

X, y = load_digits(return_X_y=True)
X, y = X[: 800 if SMALL else None], y[: 800 if SMALL else None]
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.4, random_state=1)
svm = SVC(C=10).fit(X_train, y_train)
print(f"{svm.n_support_.sum()} support vectors of {len(X_train)} rows; predict_proba: {hasattr(svm, 'predict_proba')}")

# %%
# The student
# -----------
# Without ``predict_proba`` the teacher is asked for its ``decision_function``. A margin orders the classes but does not
# say how sure the machine is, so its scale is fitted on ``y_train``: one number, which leaves the largest margin the
# largest. ``"kernel"`` is the family nearest to such a teacher, and ``MUNGE``, which mixes each row with a near
# neighbour, draws pictures that look like digits. Both follow from the kind of teacher and table; neither was chosen on
# the rows below.

model = DistilledClassifier(svm, "kernel", sampler=MUNGE(), random_state=0).fit(X_train, y_train)
student = model.student_

# %%
# What is kept, what is lost
# --------------------------
# The same student, fitted on the true labels of the same rows, tells what the teacher was good for. Fidelity is R² to
# the teacher's scaled margins, turned to probabilities (``model.soft_targets``). All is judged on rows that no model
# has seen; times are medians, measured one after the other in this script.

alone = clone(student).fit(X_train, y_train)
soft, labels = model.soft_targets(X_test), svm.predict(X_test)
print(f"{'':24}accuracy  fidelity  agreement  µs, one row  µs a row, all    kB")
for name, fitted in {"teacher": svm, "student": student, "student without teacher": alone}.items():
    outputs = soft if fitted is svm else fitted.predict_proba(X_test)
    print(
        f"{name:24}{fitted.score(X_test, y_test):8.3f}{fidelity(soft, outputs):10.3f}"
        f"{agreement(labels, fitted.predict(X_test)):11.3f}{latency(fitted.predict, X_test[:1]):13.0f}"
        f"{latency(fitted.predict, X_test):15.1f}{pickled_bytes(fitted) / 1000:6.0f}"
    )

# %%
# Where they differ
# -----------------
# The machine cannot tell us where it is unsure: scikit-learn's margins of many classes count votes between pairs, and
# the winner nearly always leads by one vote, for a smudge as for a clear digit. The student's probabilities do tell. On
# the left how sure it is of its answer, on the right the pictures on which it is least sure.

proba, answers = student.predict_proba(X_test), student.predict(X_test)
differ, top = answers != labels, proba.max(axis=1)
unsure = np.argsort(top)[: len(top) // 20]
print(f"they differ on {differ.sum()} of {len(top)} pictures, of which {differ[unsure].sum()} ", end="")
print(f"are among the {len(unsure)} on which the student is least sure; ", end="")
print(f"the machine is right on {(labels == y_test)[differ].sum()}, the student on {(answers == y_test)[differ].sum()}")

figure = plt.figure(figsize=(9.5, 4), layout="constrained")
left, right = figure.subfigures(1, 2, width_ratios=[1, 1.15])
ax = left.subplots()
groups = {"as the machine": top[~differ], "another digit": top[differ]}
names = [f"{name} ({len(rows)})" for name, rows in groups.items()]
ax.hist(list(groups.values()), bins=np.linspace(0.2, 1, 17), color=["#0072B2", "#D55E00"], label=names)
ax.set(yscale="log", xlabel="probability of the student's answer", ylabel="unseen pictures")
ax.legend(title="the student says", loc="upper left")
for ax, row in zip(right.subplots(2, 4).flat, np.argsort(top), strict=False):
    ax.imshow(X_test[row].reshape(8, 8), cmap="gray_r")
    colour = "#D55E00" if differ[row] else "black"
    ax.set_title(f"true {y_test[row]}\nteacher {labels[row]}\nstudent {answers[row]}", fontsize=8.5, color=colour)
    ax.set_axis_off()
plt.show()

# %%
# What to take home
# -----------------
# The student is right about nearly as many digits as the machine, with a tenth of the bytes and less than half of the
# time. Without the teacher it is right about fewer, though it has the same size and the same real rows: what the
# teacher adds are answers for ten times as many drawn pictures.
#
# It is not free. On about one picture in fifty the two differ, and then the machine is right more often. But the
# student says where it is unsure: if those few pictures are passed on to the machine, hardly anything is lost.
#
# Most of what a single row costs the student goes into checking the input; ``skdistill.compile(model)`` makes a
# function without the checks.
