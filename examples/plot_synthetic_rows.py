"""Real rows beside the rows each sampler draws from them: a pair of numbers, and a number by category.

    python examples/plot_synthetic_rows.py synthetic_rows.png

The wines that come with scikit-learn; a forest that tells the cultivar from the numbers is the teacher whose outputs
leaf swap looks at.
"""

import sys

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_wine
from sklearn.ensemble import RandomForestClassifier

from skdistill.samplers import MUNGE, Interpolation, Jitter, LeafSwap, MarginalResampling, UniformBox

SAMPLERS = {
    "leaf swap": LeafSwap(random_state=0),
    "MUNGE": MUNGE(random_state=0),
    "jitter": Jitter(random_state=0),
    "interpolation": Interpolation(random_state=0),
    "marginal": MarginalResampling(),
    "uniform": UniformBox(),
}
GREY, BLUE, ORANGE, GREEN = "#9A9A9A", "#0072B2", "#D55E00", "#009E73"


def wines():
    """Return a frame of numbers and one category, and the teacher's outputs for it."""
    data = load_wine(as_frame=True)
    table = data.data[["alcohol", "flavanoids", "color_intensity", "proline"]].copy()
    teacher = RandomForestClassifier(200, random_state=0).fit(table, data.target)
    outputs = teacher.predict_proba(table)
    table["cultivar"] = data.target.map({0: "Barolo", 1: "Grignolino", 2: "Barbera"})
    return table, outputs


def draw_pair(axes, real, rows, title):
    axes.scatter(real["flavanoids"], real["color_intensity"], s=14, color=GREY, label="real")
    axes.scatter(rows["flavanoids"], rows["color_intensity"], s=5, color=BLUE, alpha=0.6, label="synthetic")
    axes.set_title(title, fontsize=10)


def draw_category(axes, real, rows):
    rng = np.random.default_rng(0)
    for place, (name, color) in enumerate(zip(("Barolo", "Grignolino", "Barbera"), (BLUE, ORANGE, GREEN), strict=True)):
        for table, shift, shade, size in ((real, -0.2, GREY, 8), (rows, 0.2, color, 4)):
            values = table.loc[table["cultivar"] == name, "proline"]
            axes.scatter(place + shift + 0.12 * rng.uniform(-1, 1, len(values)), values, s=size, color=shade, alpha=0.6)
    axes.set_xticks(range(3), ["Barolo", "Grignolino", "Barbera"], fontsize=7)


def draw(path):
    real, outputs = wines()
    figure, axes = plt.subplots(2, len(SAMPLERS), figsize=(14, 5), sharey="row", layout="constrained")
    for column, (name, sampler) in enumerate(SAMPLERS.items()):
        rows = sampler.fit(real, outputs).sample(600, random_state=0)
        draw_pair(axes[0, column], real, rows, name)
        draw_category(axes[1, column], real, rows)
    axes[0, 0].set_ylabel("color intensity")
    axes[1, 0].set_ylabel("proline")
    axes[0, 0].legend(fontsize=7, loc="upper right")
    for each in axes[0]:
        each.set_xlabel("flavanoids", fontsize=8)
    figure.suptitle("Wines: real rows (grey) and 600 synthetic rows", fontsize=11)
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    draw(sys.argv[1] if len(sys.argv) > 1 else "synthetic_rows.png")
