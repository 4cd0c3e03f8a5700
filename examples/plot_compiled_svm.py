"""
From a support vector machine to a compiled function
====================================================

A support vector machine is distilled into a few small trees, and these are compiled to
arrays that predict with numpy alone. Then students of several sizes show how fidelity
depends on their bytes. The data are the digits of scikit-learn. Fidelity is measured on
rows that neither teacher nor student has seen.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.svm import SVC

import skdistill
from skdistill import DistilledClassifier
from skdistill.metrics import fidelity, latency
from skdistill.samplers import LeafSwap
from skdistill.students import CompactBoostingClassifier

N_TREES, N_SYNTHETIC = 20, 10  # synthetic rows per real row
SIZES = [(2, 4), (2, 8), (5, 8), (5, 16), (10, 16), (20, 16), (40, 16), (60, 24)]
# sphinx_gallery_start_ignore
import os

if os.environ.get("SKDISTILL_EXAMPLES") == "small":
    N_TREES, N_SYNTHETIC, SIZES = 5, 2, SIZES[:3]
# sphinx_gallery_end_ignore

# %%
# Distil
# ------
# The sampler is set explicitly. By default, skdistill would choose one, which takes
# some seconds more.

X_train, X_test, y_train, y_test = train_test_split(
    *load_digits(return_X_y=True), test_size=0.4, random_state=0
)
svm = CalibratedClassifierCV(SVC(C=10), ensemble=False).fit(X_train, y_train)
student = CompactBoostingClassifier(N_TREES, 16)
model = DistilledClassifier(
    svm, student, sampler=LeafSwap(), n_synthetic=float(N_SYNTHETIC), random_state=0
).fit(X_train, y_train)
alone = CompactBoostingClassifier(N_TREES, 16, random_state=0).fit(X_train, y_train)

# %%
# Compile
# -------
# The compiled student is a function of one row (a list, a tuple or an array) or of many
# rows.

predict_proba = skdistill.compile(model)
print("first row:", predict_proba(X_test[0]).round(3))
print("label:", predict_proba.predict(X_test[0]))

print(f"{'':26}accuracy  µs, one row")
print(
    f"{'teacher':26}{svm.score(X_test, y_test):8.3f}"
    f"{latency(svm.predict_proba, X_test[:1]):13,.1f}"
)
for name, each in (("student", model.student_), ("student alone", alone)):
    each_compiled = skdistill.compile(each)
    one_row = latency(lambda rows, predict=each_compiled: predict(rows[0]), X_test[:1])
    print(f"{name:26}{each.score(X_test, y_test):8.3f}{one_row:13,.1f}")
print(f"compiled student: {predict_proba.n_bytes / 1000:.0f} kB")

# %%
# Fidelity by size
# ----------------
# ``path`` fits students of several sizes in about twice the time of the largest one.
# Here, the transfer set is built by hand: the real rows, and ten synthetic rows per
# real row with the same total weight.

soft = svm.predict_proba(X_train)
drawn = (
    LeafSwap(random_state=0)
    .fit(X_train, soft)
    .sample(N_SYNTHETIC * len(X_train), random_state=0)
)
students = CompactBoostingClassifier(random_state=0).path(
    np.vstack([X_train, drawn]),
    np.vstack([soft, svm.predict_proba(drawn)]),
    SIZES,
    classes=svm.classes_,
    sample_weight=np.append(
        np.ones(len(X_train)), np.full(len(drawn), len(X_train) / len(drawn))
    ),
)
compiled = [skdistill.compile(student) for student in students]
reference = svm.predict_proba(X_test)
kilobytes = np.array([each.n_bytes for each in compiled]) / 1000
scores = [
    fidelity(reference, each(X_test), multioutput="variance_weighted")
    for each in compiled
]

figure, ax = plt.subplots(figsize=(6, 4.2), layout="constrained")
ax.plot(kilobytes, scores, marker="o", color="#0072B2")
for (n_trees, n_leaves), *point in zip(SIZES, kilobytes, scores, strict=True):
    ax.annotate(
        f"{n_trees} x {n_leaves}",
        point,
        xytext=(6, -11),
        textcoords="offset points",
        fontsize=8,
    )
ax.set(xscale="log", xlabel="kB, compiled", ylabel="fidelity on unseen rows (R²)")
ax.set_title(
    "Digits: students of a support vector machine\n(trees per class x leaves)",
    fontsize=10,
)
ax.set_xticks([2, 5, 10, 20, 50, 100], ["2", "5", "10", "20", "50", "100"])
ax.minorticks_off()
ax.margins(x=0.15, y=0.12)
ax.grid(alpha=0.3)

# sphinx_gallery_start_ignore
import sys

if len(sys.argv) > 1:  # python examples/plot_compiled_svm.py curve.png
    figure.savefig(sys.argv[1], dpi=120)
# sphinx_gallery_end_ignore
plt.show()
