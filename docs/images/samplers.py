"""The figures of the sampler pages: real rows and the rows that each sampler draws from them.

    python docs/images/samplers.py

writes all ``samplers_*.png`` files beside this file in some seconds. The tables come with scikit-learn (wines,
diabetes) and with Python (the help texts of its documentation).
"""

from pathlib import Path
from pydoc_data.topics import topics

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from PIL import Image
from sklearn.datasets import load_diabetes, load_wine
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import KernelDensity

from skdistill import AutoSampler, DistilledRegressor
from skdistill.samplers import (
    MUNGE,
    SPUNGE,
    Interpolation,
    Jitter,
    LeafSwap,
    MarginalResampling,
    Mixture,
    TermSwap,
    UniformBox,
    as_sampler,
    choose_from_pool,
)

GREY, BLUE, ORANGE = "#767676", "#0072B2", "#D55E00"
NUMBERS = ["flavanoids", "color_intensity", "proline", "alcohol"]
CULTIVARS = ["Barolo", "Grignolino", "Barbera"]
N_ROWS = 500
SAMPLERS = {
    "leaf_swap": LeafSwap(random_state=0),
    "munge": MUNGE(random_state=0),
    "spunge": SPUNGE(),
    "interpolation": Interpolation(random_state=0),
    "jitter": Jitter(),
    "marginal_resampling": MarginalResampling(),
    "mixture": Mixture([LeafSwap(), Jitter(), MUNGE(), MarginalResampling()], random_state=0),
    "uniform_box": UniformBox(),
}
STYLE = {
    "figure.facecolor": "white",
    "figure.dpi": 125,
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.fontsize": 7,
}


def wines():
    """Return a frame of four numbers and a category, and a forest's class probabilities for it."""
    data = load_wine(as_frame=True)
    table = data.data[NUMBERS].copy()
    outputs = RandomForestClassifier(200, random_state=0).fit(table, data.target).predict_proba(table)
    table["cultivar"] = data.target.map(dict(enumerate(CULTIVARS)))
    return table, outputs


def panels(n_panels=2):
    """Return a figure and its axes."""
    return plt.subplots(1, n_panels, figsize=(3.3 * n_panels, 2.6), layout="constrained")


def save(figure, name):
    """Write a picture beside this file."""
    figure.canvas.draw()
    picture = Image.fromarray(np.asarray(figure.canvas.buffer_rgba())).convert("RGB")
    paletted = picture.quantize(100, dither=Image.Dither.NONE)  # half of the bytes
    paletted.save(Path(__file__).with_name(f"samplers_{name}.png"), optimize=True)
    plt.close(figure)


def draw_pair(axes, real, rows, x="flavanoids", y="color_intensity"):
    """Draw two numbers against each other."""
    axes.scatter(real[x], real[y], s=22, facecolors="none", edgecolors=GREY, linewidths=0.9, label="real", zorder=2)
    axes.scatter(rows[x], rows[y], s=5, color=BLUE, linewidths=0, label="synthetic", zorder=1)
    axes.set(xlabel=x.replace("_", " "), ylabel=y.replace("_", " "))


def legend_above(axes):
    """Draw the legend where no row is."""
    axes.legend(loc="lower left", bbox_to_anchor=(0, 0.98), ncols=2, frameon=False, markerscale=1.3)


def draw_category(axes, real, rows):
    """Draw a number by category: real rows left, synthetic rows right."""
    rng = np.random.default_rng(0)
    for place, name in enumerate(CULTIVARS):
        for table, shift, mark in (
            (real, -0.2, {"s": 14, "facecolors": "none", "edgecolors": GREY, "linewidths": 0.8}),
            (rows, 0.2, {"s": 5, "color": BLUE, "linewidths": 0}),
        ):
            values = table.loc[table["cultivar"] == name, "proline"]
            axes.scatter(place + shift + 0.13 * rng.uniform(-1, 1, len(values)), values, **mark)
    axes.set_xticks(range(3), CULTIVARS)
    axes.set(ylabel="proline")


def draw_samplers():
    """Draw the samplers of tables."""
    real, outputs = wines()
    for name, sampler in SAMPLERS.items():
        rows = sampler.fit(real, outputs).sample(N_ROWS, random_state=0)
        figure, axes = panels()
        draw_pair(axes[0], real, rows)
        draw_category(axes[1], real, rows)
        legend_above(axes[0])
        save(figure, name)


def draw_adapters():
    """Draw two densities of scikit-learn, and the rows of a pool that are worth a query."""
    real, outputs = wines()
    numbers = real[NUMBERS]
    figure, axes = panels(3)
    densities = {
        "GaussianMixture(3)": GaussianMixture(3, random_state=0),
        "KernelDensity(bandwidth=0.3)": KernelDensity(bandwidth=0.3),
    }
    for axis, (title, density) in zip(axes, densities.items(), strict=False):
        rows = as_sampler(density).fit(numbers).sample(400, random_state=0)
        draw_pair(axis, numbers, rows)
        axis.set_title(title)
    axes[0].legend(loc="upper right", markerscale=1.3)
    labelled = np.arange(0, len(numbers), 3)
    pool = numbers.drop(index=labelled).reset_index(drop=True)
    chosen = choose_from_pool(numbers.iloc[labelled], outputs[labelled], pool, 30, np.random.RandomState(0))
    of_pool = {"s": 22, "facecolors": "none", "edgecolors": GREY, "linewidths": 0.9}
    axes[2].scatter(pool["flavanoids"], pool["color_intensity"], **of_pool, label="pool")
    axes[2].scatter(
        pool["flavanoids"][chosen], pool["color_intensity"][chosen], s=16, marker="x", color=ORANGE, label="chosen"
    )
    axes[2].set(xlabel="flavanoids", ylabel="color intensity", title="choose_from_pool, 30 rows")
    axes[2].legend(loc="upper right")
    save(figure, "adapters")


def draw_term_swap():
    """Draw what happens to the length of texts and to the frequency of terms."""
    counts = CountVectorizer(stop_words="english", min_df=2).fit_transform(topics.values())
    rows = TermSwap().fit(counts).sample(counts.shape[0], random_state=0)
    figure, axes = panels()
    lengths = [np.sort(np.diff(table.indptr)) for table in (counts, rows)]
    places = np.linspace(0, 1, counts.shape[0])
    axes[0].plot(places, lengths[0], color=GREY, linewidth=3, label="real")
    axes[0].plot(places, lengths[1], color=BLUE, linewidth=1.5, linestyle="--", label="synthetic")
    axes[0].set(xlabel="share of texts", ylabel="distinct terms of a text, at most", yscale="log")
    axes[0].legend(loc="upper left")
    frequency = [np.asarray((table > 0).mean(axis=0)).ravel() for table in (counts, rows)]
    axes[1].scatter(*frequency, s=5, color=BLUE, linewidths=0)
    axes[1].axline((0, 0), slope=1, color=GREY, linewidth=1)
    axes[1].set(xlabel="share of real texts with a term", ylabel="share of synthetic texts")
    save(figure, "term_swap")


def draw_auto_sampler():
    """Draw what the choice tried, and what it chose."""
    X, y = load_diabetes(return_X_y=True, as_frame=True, scaled=False)
    teacher = RandomForestRegressor(200, random_state=0).fit(X[:250], y[:250])
    model = DistilledRegressor(teacher, "tree", sampler=AutoSampler(), random_state=0).fit(X[:250], X_val=X[250:])
    tried = model.sampler_results_
    names = [
        name if name == "none" else f"{n_rows:,} of {name.split('(')[0]}, weight {weight:g}"
        for name, n_rows, weight in zip(tried["sampler"], tried["n_synthetic"], tried["weight"], strict=True)
    ]
    figure, axes = plt.subplots(1, 2, figsize=(6.6, 2.6), layout="constrained", width_ratios=(1, 1.1))
    candidates = AutoSampler().candidates(X, None)
    samplers = {repr(sampler): sampler for sampler in candidates}
    sampler = samplers.get(model.transfer_set_.sampler, Mixture(candidates, random_state=0))
    rows = sampler.fit(X[:250], teacher.predict(X[:250])).sample(N_ROWS, random_state=0)
    draw_pair(axes[0], X[:250], rows, "bmi", "bp")
    axes[0].set(xlabel="body mass index", ylabel="blood pressure")
    legend_above(axes[0])
    places = np.arange(len(names))[::-1]
    made_of = model.transfer_set_
    weight = round(made_of.synthetic_weight * made_of.n_synthetic / made_of.n_real, 6)
    chosen = (tried["sampler"] == made_of.sampler) & (tried["weight"] == weight)
    axes[1].errorbar(tried["gain"], places, xerr=tried["gain_error"], fmt="o", color=BLUE, markersize=4, capsize=2)
    axes[1].plot(tried["gain"][chosen], places[chosen], "D", color=ORANGE, markersize=7, label="chosen")
    axes[1].axvline(0, color=GREY, linewidth=1)
    axes[1].set_yticks(places, names)
    axes[1].set(xlabel="gain in fidelity, one standard error")
    axes[1].legend(loc="lower left")
    save(figure, "auto_sampler")


if __name__ == "__main__":
    mpl.use("agg")
    mpl.rcParams.update(STYLE)
    draw_samplers()
    draw_adapters()
    draw_term_swap()
    draw_auto_sampler()
