"""Is the default good for teachers that memorise their training rows, and is its estimated fidelity correct?

    python docs/benchmarks/memorizing.py --data FOLDER

Writes memorizing.jsonl (resumable, fit by fit) and memorizing.md beside this file. ``--part K/N`` measures every Nth
cell only, into its own file, so that several processes share the work; a last run without it writes the page.
"""

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = "1"

from time import process_time

import numpy as np
import pandas as pd
from lightgbm import LGBMClassifier, LGBMRegressor
from results import markdown_table, number, run
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import make_classification
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor, RandomForestClassifier, RandomForestRegressor
from sklearn.gaussian_process import GaussianProcessClassifier, GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, WhiteKernel
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tables import encoder, load, outputs, split, svm_teacher, vote_teacher

from skdistill import DistilledClassifier, DistilledRegressor
from skdistill.metrics import fidelity
from skdistill.samplers import MUNGE, SPUNGE, Interpolation, Jitter, LeafSwap, MarginalResampling, UniformBox

SEED = 0
MOST_TEST_ROWS = 5000
SAMPLERS = {
    "none": None,
    "leaf swap": LeafSwap(),
    "jitter": Jitter(),
    "MUNGE": MUNGE(),
    "marginal": MarginalResampling(),
    "SPUNGE": SPUNGE(),
    "interpolation": Interpolation(),
    "uniform": UniformBox(),
}
STUDENTS = ("boosting", "mlp_ple")
ONE_LINER = "boosting, leaf swap"
TABLES = {
    "forest": ("made", "heloc", "splice"),
    "extra trees": ("made", "adult", "wine_quality_white"),
    "forest, leaves of 5": ("ailerons", "credit_default"),
    "boosting to zero loss": ("page_blocks", "california"),
    "1 neighbour": ("pendigits", "puma8nh"),
    "15 neighbours": ("pol", "heloc"),
    "RBF SVM": ("optdigits", "credit_default"),
    "Gaussian process": ("california", "puma8nh"),
    "network": ("adult", "wine_quality_white"),
    "vote": ("optdigits", "pol"),
}
SIZES = {"forest": ("made", "adult"), "extra trees": ("made", "adult")}
"""Tables on which a teacher is tried with 1,000 and 10,000 rows, too."""


def cells():
    """Return teacher, table and training rows of each cell."""
    three_thousand = [(teacher, name, 3000) for teacher, names in TABLES.items() for name in names]
    return three_thousand + [(t, name, n) for n in (1000, 10_000) for t, names in SIZES.items() for name in names]


def teachers(task):
    """Return unfitted teachers by name."""
    is_classifier = task == "classification"

    def of(classifier, regressor, *params, scale=False, **options):
        scaled = encoder(scale).set_output(transform="default")
        return make_pipeline(scaled, (classifier if is_classifier else regressor)(*params, **options))

    forests = RandomForestClassifier, RandomForestRegressor
    neighbours = KNeighborsClassifier, KNeighborsRegressor
    network = {"hidden_layer_sizes": (100, 100), "alpha": 1e-2, "early_stopping": True, "random_state": SEED}
    process = make_pipeline(
        encoder(True).set_output(transform="default"),
        GaussianProcessClassifier(RBF(5.0), optimizer=None)
        if is_classifier
        else GaussianProcessRegressor(RBF(5.0) + WhiteKernel(0.1), normalize_y=True, optimizer=None),
    )
    mlp = of(MLPClassifier, MLPRegressor, scale=True, **network)
    return {
        "forest": of(*forests, 300, random_state=SEED),
        "extra trees": of(ExtraTreesClassifier, ExtraTreesRegressor, 300, random_state=SEED),
        "forest, leaves of 5": of(*forests, 300, min_samples_leaf=5, random_state=SEED),
        "boosting to zero loss": of(
            LGBMClassifier,
            LGBMRegressor,
            n_estimators=1000,
            num_leaves=63,
            min_child_samples=2,
            verbosity=-1,
            n_jobs=1,
            random_state=SEED,
        ),
        "1 neighbour": of(*neighbours, 1, scale=True),
        "15 neighbours": of(*neighbours, 15, scale=True),
        "RBF SVM": svm_teacher(task, SEED),
        "Gaussian process": process,
        "network": mlp if is_classifier else TransformedTargetRegressor(mlp, transformer=StandardScaler()),
        "vote": vote_teacher(task, SEED),
    }


def rows(folder, name, n_train):
    """Return training rows, rows for ``X_val``, test rows, training labels and the task."""
    if name == "made":
        X, y = make_classification(n_train + 4000, 20, n_informative=10, n_classes=3, random_state=SEED)
        X = pd.DataFrame(X, columns=[f"x{index}" for index in range(20)])
        X_train, X_rest, y_train, _ = train_test_split(X, y, train_size=n_train, random_state=SEED)
        X_train, X_rest = X_train.reset_index(drop=True), X_rest.reset_index(drop=True)
        return X_train, X_rest[:1000], X_rest[1000:], y_train, "classification"
    X, y, task = load(folder, name)
    X_train, X_rest, X_test, y_train, _, _ = split(X, y, SEED, n_train)
    return X_train, X_rest[:1000], X_test[:MOST_TEST_ROWS], y_train, task


def measure(results, folder):
    """Measure fixed students and samplers of all cells, then the default."""
    for step in (fixed, default, validated):
        for teacher, name, n_train in results.mine(cells()):
            key = {"teacher": teacher, "table": name, "rows": n_train}
            missing = [column for column in step.columns if not results.has(**key, column=column)]
            if missing:
                X, X_val, X_test, y, task = rows(folder, name, n_train)
                model = teachers(task)[teacher].fit(X, y)
                kind = DistilledClassifier if task == "classification" else DistilledRegressor
                reference = outputs(model, X_test)

                def fit(column, student_options, X_val=None):
                    started = process_time()
                    distilled = kind(model, random_state=SEED, **student_options).fit(X, y, X_val=X_val)  # noqa: B023
                    seconds = process_time() - started
                    averages = "variance_weighted" if task == "classification" else "uniform_average"  # noqa: B023
                    given = outputs(distilled, X_test)  # noqa: B023
                    found = fidelity(reference, given, multioutput=averages)  # noqa: B023
                    return distilled, {**key, "column": column, "fidelity": found, "seconds": seconds}  # noqa: B023

                step(results, fit, missing, X_val)


def fixed(results, fit, columns, X_val):
    """Measure the students and samplers that a user could name."""
    for column in columns:
        student, sampler = column.split(", ")
        results.add(**fit(column, {"student": student, "sampler": SAMPLERS[sampler]})[1])


fixed.columns = [f"{student}, {sampler}" for sampler in SAMPLERS for student in STUDENTS]


def default(results, fit, columns, X_val, given=None):
    """Measure the default, and the fidelity that it estimates."""
    for column in columns:
        model, row = fit(column, {}, given)
        chosen, summary = model.candidates_.chosen, model.transfer_set_
        results.add(
            **row,
            said=chosen.fidelity,
            low=chosen.fidelity_low,
            high=chosen.fidelity_high,
            validated_on=str(chosen.validated_on),
            memorization=model.teacher_memorization_,
            student=chosen.family,
            sampler=summary.sampler or "none",
            real_weight=summary.real_weight,
            queries=summary.n_queries,
        )


def validated(results, fit, columns, X_val):
    """Measure the default with rows that the teacher has not seen, where there are so many left of a table."""
    if len(X_val) >= 200:
        default(results, fit, columns, X_val, X_val)


default.columns, validated.columns = ["default"], ["default, X_val"]


def page(results):
    """Write the results: by teacher, cell by cell, and the estimated fidelity."""
    measured = [cell_of(results, *key) for key in cells() if results.has(**dict(zip(KEY, key, strict=True)))]
    measured = [cell for cell in measured if cell is not None]
    return "\n\n".join([INTRODUCTION, by_teacher(measured), by_cell(measured), truth(measured), costs(measured)])


KEY = ("teacher", "table", "rows")
DEFAULTS = ("default", "default, X_val")
INTRODUCTION = """The teachers are fitted on the training rows, and so is the default,
`DistilledClassifier(teacher).fit(X, y)` (or a regressor), without any options, with one seed.
*Best* is the best, on test rows, of 16 students that a user could name: boosting and an MLP (`"mlp_ple"`), each without
synthetic rows and with every single sampler that supports the table, with ten rows per real row and their own default
parameters. Choosing the best of many on test rows overestimates it slightly. *made* is a table from scikit-learn's
`make_classification` with 20 columns and 3 classes; the other tables are real.

The defaults and the widths of the intervals were chosen on other rows of the tables. A first run on these test rows
showed two flaws: on splice, categories hid what the forest had memorised, and the search stopped early; for 1 neighbour
on puma8nh, memorisation was not detected. Both were fixed on other rows, and the weights of real rows were changed for
the voting ensemble on other rows; then all cells were measured again. The current, faster version of the choice was
developed on other rows, too. A first run of it on these cells lost 0.04 on page_blocks (trees of five classes had the
parameters of two) and 0.007 on credit_default (mixtures of all samplers were tried as well). Both were changed because
of results on other rows, and all cells were measured again. wine_quality_white has many duplicate rows: some of its
test rows are also training rows of the teacher.

Fidelity is R² with respect to the teacher on rows that it has not seen. *Memorised* is `teacher_memorization_`: the
share of the variance of the teacher's in-sample outputs that does not appear on nearby rows."""


def cell_of(results, teacher, name, n_train):
    """Return what is known of a cell, once its default was measured."""
    found = {
        row["column"]: row
        for row in results.rows
        if (row["teacher"], row["table"], row["rows"]) == (teacher, name, n_train)
    }
    if "default" not in found:
        return None
    named = {column: found[column]["fidelity"] for column in fixed.columns if column in found}
    best = max(named, key=named.get)
    return {
        "teacher": teacher,
        "cell": f"{name}, {n_train:,}",
        "one_liner": found[ONE_LINER],
        "none": max(value for column, value in named.items() if column.endswith(", none")),
        "best": best,
        "gap": found["default"]["fidelity"] - named[best],
        "best_fidelity": named[best],
        **{column: found.get(column) for column in DEFAULTS},
    }


def by_teacher(measured):
    lines, gaps = [], np.array([cell["gap"] for cell in measured])
    for teacher in TABLES:
        of = [cell for cell in measured if cell["teacher"] == teacher]
        if not of:
            continue
        columns = [
            [cell["default"]["memorization"] for cell in of],
            [cell["none"] for cell in of],
            [cell["one_liner"]["fidelity"] for cell in of],
            [cell["best_fidelity"] for cell in of],
            [cell["default"]["fidelity"] for cell in of],
        ]
        worst = min(cell["gap"] for cell in of)
        values = [number(float(np.mean(column)), 2 if index == 0 else 3) for index, column in enumerate(columns)]
        gap = float(np.mean([cell["gap"] for cell in of]))
        lines.append([f"{teacher} ({len(of)})", *values, f"{gap:+.4f}", f"{worst:+.4f}"])
    header = [
        "teacher (cells)",
        "memorised",
        "no synthetic rows",
        "one-liner",
        "best",
        "default",
        "default - best",
        "worst",
    ]
    return (
        '## By teacher\n\nMeans over cells. The one-liner is `student="boosting", sampler=LeafSwap()`.\n\n'
        + markdown_table(header, lines)
        + f"\n\nThe default is at most 0.01 below the best of each cell in {np.mean(gaps >= -0.01):.0%} of "
        f"{len(gaps)} cells, at most 0.02 below in {np.mean(gaps >= -0.02):.0%}, and at least as good in "
        f"{np.mean(gaps >= 0):.0%}."
    )


def by_cell(measured):
    lines = []
    for cell in measured:
        chosen = cell["default"]
        weight = "" if chosen["real_weight"] == 1 else f", real rows {chosen['real_weight']:g}"
        lines.append(
            [
                cell["teacher"],
                cell["cell"],
                number(cell["one_liner"]["fidelity"]),
                f"{number(cell['best_fidelity'])} ({cell['best']})",
                number(chosen["fidelity"]),
                f"{cell['gap']:+.4f}",
                f"{chosen['student']}, {chosen['sampler'].removesuffix('()')}{weight}",
                chosen["validated_on"].removeprefix("rows of X, "),
            ]
        )
    header = ["teacher", "table, rows", "one-liner", "best", "default", "difference", "chosen", "validated on"]
    return "## Cell by cell\n\n" + markdown_table(header, lines)


def truth(measured):
    """Return how accurate the estimated fidelity is."""
    lines, said = [], []
    for column in DEFAULTS:
        rows_of = [(cell["teacher"], cell["cell"], cell[column]) for cell in measured if cell[column] is not None]
        if not rows_of:
            continue
        kinds = dict.fromkeys(row["validated_on"] for *_, row in rows_of)
        for kind in [None, *kinds] if len(kinds) > 1 else [None]:
            of = [row for *_, row in rows_of if kind in (None, row["validated_on"])]
            bias = np.array([row["said"] - row["fidelity"] for row in of])
            inside = np.array([row["low"] <= row["fidelity"] <= row["high"] for row in of])
            width = np.array([row["high"] - row["low"] for row in of])
            values = [
                f"{bias.mean():+.4f}",
                number(np.abs(bias).mean(), 4),
                number(width.mean()),
                f"{inside.mean():.0%}",
            ]
            lines.append([column if kind is None else f"– {kind}", str(len(of)), *values])
        outside = [f"{t} on {c}" for t, c, row in rows_of if not row["low"] <= row["fidelity"] <= row["high"]]
        said.append(f"Fidelity outside the interval ({column}): {'; '.join(outside) or 'none'}.")
    header = ["validated on", "cells", "bias", "mean error", "width of interval", "inside"]
    return (
        "## Estimated fidelity\n\nThe fidelity estimated in `candidates_`, compared with the fidelity "
        "on test rows: its mean error (bias), its mean absolute error, the width of its 95 % interval, and how "
        "often the interval contains the fidelity on test rows.\n\n"
        + markdown_table(header, lines)
        + "\n\n"
        + "\n\n".join(said)
    )


def costs(measured):
    ratios = np.array([cell["default"]["seconds"] / cell["one_liner"]["seconds"] for cell in measured])
    seconds = np.array([cell["default"]["seconds"] for cell in measured])
    return (
        f"## Cost\n\nCPU seconds of the default: {np.median(seconds):.0f} in the median, "
        f"{seconds.max():.0f} "
        f"at most. This is {np.median(ratios):.1f} times a fit of the one-liner in the median, {ratios.min():.1f} to "
        f"{ratios.max():.1f}."
    )


if __name__ == "__main__":
    run(__file__, "The default, for teachers that memorise their training rows", __doc__, measure, page)
