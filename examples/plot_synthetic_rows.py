"""
What the samplers draw
======================

The figure shows real rows next to the rows that each sampler draws from them, for two
numeric columns and for a numeric column by category. The table is the wine dataset of
scikit-learn. The teacher, whose outputs leaf swap uses, is a forest that predicts the
cultivar from four numbers.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_wine
from sklearn.ensemble import RandomForestClassifier

from skdistill.samplers import (
    MUNGE,
    Interpolation,
    Jitter,
    LeafSwap,
    MarginalResampling,
    UniformBox,
)

# %%
# The table has four numbers and a category. ``outputs`` are the teacher's outputs for
# its rows.

wines = load_wine(as_frame=True)
real = wines.data[["alcohol", "flavanoids", "color_intensity", "proline"]].copy()
teacher = RandomForestClassifier(200, random_state=0).fit(real, wines.target)
outputs = teacher.predict_proba(real)
real["cultivar"] = wines.target.map({0: "Barolo", 1: "Grignolino", 2: "Barbera"})
real.head()

# %%
# A sampler is fitted on the rows, and on the teacher's outputs if it uses them. It then
# draws as many rows as requested, with the columns, dtypes and categories of the table.

SAMPLERS = {
    "leaf swap": LeafSwap(random_state=0),
    "MUNGE": MUNGE(random_state=0),
    "jitter": Jitter(random_state=0),
    "interpolation": Interpolation(random_state=0),
    "marginal": MarginalResampling(),
    "uniform": UniformBox(),
}
drawn = {
    name: sampler.fit(real, outputs).sample(600, random_state=0)
    for name, sampler in SAMPLERS.items()
}
drawn["leaf swap"].head()

# %%
# The upper panels show two dependent numbers: samplers that draw each column
# independently lose the dependence. The lower panels show a number by category: does a
# synthetic Barolo have the proline value of a Barolo?

GREY, BLUE, ORANGE, GREEN = "#9A9A9A", "#0072B2", "#D55E00", "#009E73"
CULTIVARS = {"Barolo": BLUE, "Grignolino": ORANGE, "Barbera": GREEN}


def draw_pair(ax, rows, title):
    """Draw two numbers against each other."""
    ax.scatter(
        real["flavanoids"], real["color_intensity"], s=14, color=GREY, label="real"
    )
    ax.scatter(
        rows["flavanoids"],
        rows["color_intensity"],
        s=5,
        color=BLUE,
        alpha=0.6,
        label="synthetic",
    )
    ax.set_title(title, fontsize=10)
    ax.set_xlabel("flavanoids", fontsize=8)


def draw_category(ax, rows):
    """Draw a number by category, with real rows on the left."""
    rng = np.random.default_rng(0)
    for place, (name, color) in enumerate(CULTIVARS.items()):
        for table, shift, shade, size in ((real, -0.2, GREY, 8), (rows, 0.2, color, 4)):
            values = table.loc[table["cultivar"] == name, "proline"]
            ax.scatter(
                place + shift + 0.12 * rng.uniform(-1, 1, len(values)),
                values,
                s=size,
                color=shade,
                alpha=0.6,
            )
    ax.set_xticks(range(3), CULTIVARS, fontsize=7)


figure, axes = plt.subplots(
    2, len(SAMPLERS), figsize=(14, 5), sharey="row", layout="constrained"
)
for column, (name, rows) in enumerate(drawn.items()):
    draw_pair(axes[0, column], rows, name)
    draw_category(axes[1, column], rows)
axes[0, 0].set_ylabel("color intensity")
axes[1, 0].set_ylabel("proline")
axes[0, 0].legend(fontsize=7, loc="upper right")
figure.suptitle("Wines: real rows (grey) and 600 synthetic rows", fontsize=11)

# sphinx_gallery_start_ignore
import sys

if len(sys.argv) > 1:  # python examples/plot_synthetic_rows.py rows.png
    figure.savefig(sys.argv[1], dpi=110)
# sphinx_gallery_end_ignore
plt.show()
