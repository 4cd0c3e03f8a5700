"""
Many outputs: the lower half of a digit
=======================================

From the upper half of a picture, predict the lower one: 32 numbers in, 32 numbers out. The teacher is a large forest
that answers with the mean of many real halves. One small student learns all 32 outputs at once.
"""

import os

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

SMALL = os.environ.get("SKDISTILL_EXAMPLES") == "small"

# %%
# Teacher and student
# -------------------
# The trees are grown on bootstrap samples: a forest that knows its training rows by heart is another function there
# than elsewhere, and a student would imitate that.

pictures = load_digits().data[: 700 if SMALL else None]
X_train, X_test, y_train, y_test = train_test_split(pictures[:, :32], pictures[:, 32:], test_size=0.4, random_state=0)
forest = ExtraTreesRegressor(50 if SMALL else 300, bootstrap=True, random_state=0).fit(X_train, y_train)

model = DistilledRegressor(forest, "kernel", sampler=LeafSwap(), random_state=0).fit(X_train)
student, alone = model.student_, clone(model.student_).fit(X_train, y_train)

# %%
# What is kept, what is lost
# --------------------------
# Some cells of the pictures are nearly always white. R² of an output that hardly varies means little, so both scores
# weigh each output by its variance.

answers = forest.predict(X_test)
print(f"{'':24}R² to the truth  fidelity  µs, one row  µs a row, all       kB")
for name, fitted in {"teacher": forest, "student": student, "student without teacher": alone}.items():
    values = fitted.predict(X_test)
    print(
        f"{name:24}{r2_score(y_test, values, multioutput='variance_weighted'):15.3f}"
        f"{fidelity(answers, values, multioutput='variance_weighted'):10.3f}"
        f"{latency(fitted.predict, X_test[:1]):13,.0f}{latency(fitted.predict, X_test):15.1f}"
        f"{pickled_bytes(fitted) / 1000:9,.0f}"
    )

# %%
# Halves, side by side
# --------------------
# Above, unseen pictures as they are and as the models complete them; below, how well the student follows the teacher,
# output by output. White cells are outputs for which the teacher says the same for all pictures.

drawn = {
    "true": y_test,
    "teacher": answers,
    "student": student.predict(X_test),
    "student without\nteacher": alone.predict(X_test),
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
right.set(xlabel="variance of the teacher's output", ylabel="fidelity", title="fidelity and variance")
plt.show()
print(f"fidelity by output: median {np.nanmedian(by_output):.3f}, worst {np.nanmin(by_output):.3f}")

# %%
# What to take home
# -----------------
# One student with few landmarks follows all outputs, some better than others, and replaces a forest of more than a
# hundred megabytes. But look at the column of the truth, too: the same student without the teacher is as good there.
# Nothing in a mean of real halves helps it to draw better ones, it draws others. Distil here if you need *this* forest,
# small and fast; if only the truth counts, fit the student on it.
