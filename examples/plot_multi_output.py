"""
Many outputs: the lower half of a digit
=======================================

The task is to predict the lower half of an image from the upper half: 32 inputs and 32
outputs. The teacher is a large forest, which predicts the mean of many real halves. A
single small student learns all 32 outputs.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.metrics import r2_score
from sklearn.model_selection import train_test_split

from skdistill import DistilledRegressor
from skdistill.metrics import fidelity, latency, pickled_bytes
from skdistill.samplers import LeafSwap

# %%
# Teacher and student
# -------------------
# The trees are grown on bootstrap samples. Without them, the forest would memorise its
# training rows, and the student would learn outputs that differ from those for new
# rows.

images, n_trees = load_digits().data, 300
# sphinx_gallery_start_ignore
import os

if os.environ.get("SKDISTILL_EXAMPLES") == "small":
    images, n_trees = images[:700], 50
# sphinx_gallery_end_ignore
X_train, X_test, y_train, y_test = train_test_split(
    images[:, :32], images[:, 32:], test_size=0.4, random_state=0
)
forest = ExtraTreesRegressor(n_trees, bootstrap=True, random_state=0).fit(
    X_train, y_train
)

model = DistilledRegressor(forest, "kernel", sampler=LeafSwap(), random_state=0).fit(
    X_train
)
student, alone = model.student_, clone(model.student_).fit(X_train, y_train)

# %%
# What is kept, what is lost
# --------------------------
# Some pixels are almost always white. The R² of an output that hardly varies means
# little, so both scores weight each output by its variance.

answers = forest.predict(X_test)
print(f"{'':14}R² (truth)  fidelity  µs, 1 row  µs, batch       kB")
for name, fitted in {
    "teacher": forest,
    "student": student,
    "student alone": alone,
}.items():
    values = fitted.predict(X_test)
    print(
        f"{name:14}{r2_score(y_test, values, multioutput='variance_weighted'):10.3f}"
        f"{fidelity(answers, values, multioutput='variance_weighted'):10.3f}"
        f"{latency(fitted.predict, X_test[:1]):11,.0f}"
        f"{latency(fitted.predict, X_test):11.1f}"
        f"{pickled_bytes(fitted) / 1000:9,.0f}"
    )

# %%
# Halves of images
# ----------------
# The upper part shows unseen images and how the models complete them. The lower part
# shows how well the student follows the teacher for each output. White cells are
# outputs for which the teacher predicts the same value for all images.

drawn = {
    "true": y_test,
    "teacher": answers,
    "student": student.predict(X_test),
    "student\nalone": alone.predict(X_test),
}
figure = plt.figure(figsize=(9, 6.4), layout="constrained")
top, bottom = figure.subfigures(2, 1, height_ratios=[1.9, 1])
axes = top.subplots(len(drawn), 10)
for row_of_axes, (name, halves) in zip(axes, drawn.items(), strict=True):
    for ax, upper, lower in zip(row_of_axes, X_test[:10], halves[:10], strict=True):
        ax.imshow(np.append(upper, lower).reshape(8, 8), cmap="gray_r", vmin=0, vmax=16)
        ax.axhline(3.5, color="#D55E00", linewidth=1)
        ax.set(xticks=[], yticks=[])
    row_of_axes[0].set_ylabel(name, fontsize=8)

varies = answers.var(axis=0) > 0.01
by_output = np.full(32, np.nan)
for output in np.flatnonzero(varies):
    by_output[output] = fidelity(answers[:, output], drawn["student"][:, output])
left, right = bottom.subplots(1, 2)
shown = left.imshow(by_output.reshape(4, 8), cmap="cividis", vmin=0.5, vmax=1)
left.set(title="fidelity of each output", xticks=[], yticks=[])
bottom.colorbar(shown, ax=left, extend="min")
right.scatter(answers.var(axis=0)[varies], by_output[varies], color="#0072B2")
right.set(
    xlabel="variance of the teacher's output",
    ylabel="fidelity",
    title="fidelity and variance",
)
plt.show()
print(
    f"fidelity by output: median {np.nanmedian(by_output):.3f}, worst "
    f"{np.nanmin(by_output):.3f}"
)

# %%
# Conclusion
# ----------
# A single student with few landmarks (the points that it compares a row with) follows
# all outputs, some better than others, and replaces a forest of more than a hundred
# megabytes. But the first column shows that the same student is as good without the
# teacher. The teacher's means of real halves do not help the student to predict better
# halves, only different ones. Distil here if you need *this* forest in a small and fast
# form. If only the truth matters, fit the student to it.
