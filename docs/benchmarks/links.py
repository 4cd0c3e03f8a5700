"""What ``link="auto"`` changes for teachers of positive values: predictions that are not positive, and fidelity.

    python docs/benchmarks/links.py --data FOLDER

Needs the tables california and pol (see tables.py); the others are simulated. Writes links.jsonl (resumable) and
links.md beside this file.
"""

import numpy as np
import pandas as pd
from lightgbm import LGBMRegressor
from results import markdown_table, run
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import GammaRegressor, TweedieRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdistill import DistilledRegressor
from skdistill.metrics import fidelity
from skdistill.samplers import LeafSwap
from skdistill.targets import TargetLink

N_TRAIN, N_TEST = 2000, 4000
FAMILIES = ("linear", "tree", "boosting", "mlp", "kernel", "hybrid")


def simulated(total):
    rng = np.random.RandomState(0)
    X = rng.normal(size=(8000, 6))
    mean = np.exp(0.8 * X[:, 0] - 0.5 * X[:, 1] + 0.6 * np.sin(2 * X[:, 2]) + 0.5 * X[:, 3] * X[:, 0] - 1)
    counts = rng.poisson(mean).astype(float)
    return X, counts * rng.gamma(2, 1, size=len(mean)) if total else counts


def numbers_of(folder, name):
    table = pd.read_csv(f"{folder}/{name}.csv.gz")
    y = table.pop("target").to_numpy(dtype=float)
    table = table.select_dtypes(np.number)
    return table.fillna(table.median()).to_numpy(dtype=float), y


def problems(folder):
    """Yield name, X, y and teacher."""
    X, y = numbers_of(folder, "california")
    logarithm = {"func": np.log, "inverse_func": np.exp}
    boosting = HistGradientBoostingRegressor(random_state=0)
    yield "california, log of targets, boosting", X, y, TransformedTargetRegressor(boosting, **logarithm)
    yield "california, gamma, linear", X, y / 1e5, make_pipeline(StandardScaler(), GammaRegressor(alpha=1e-3))
    rest = np.delete(X, 4, axis=1)
    poisson = HistGradientBoostingRegressor(loss="poisson", random_state=0)
    yield "california, its population, Poisson, boosting", rest, X[:, 4], poisson
    X, y = numbers_of(folder, "pol")
    yield "pol, Poisson, boosting", X, y, poisson
    yield "pol, Tweedie, LightGBM", X, y, LGBMRegressor(objective="tweedie", verbosity=-1, n_jobs=1, random_state=0)
    yield "simulated counts, Poisson, boosting", *simulated(False), poisson
    yield "simulated totals, Tweedie, linear", *simulated(True), TweedieRegressor(power=1.5, alpha=1e-3)


def measure(results, folder):
    log = TargetLink.of("log")
    for name, X, y, teacher in problems(folder):
        if results.has(teacher=name, family=FAMILIES[-1], link="auto"):
            continue
        order = np.random.RandomState(1).permutation(len(X))
        train, test = order[:N_TRAIN], X[order[N_TRAIN : N_TRAIN + N_TEST]]
        values = teacher.fit(X[train], y[train]).predict(test)
        for family in FAMILIES:
            for link in ("identity", "auto"):
                model = DistilledRegressor(
                    teacher, family, link=link, sampler=LeafSwap(), n_synthetic=4.0, random_state=0
                ).fit(X[train])
                given, floor = model.predict(test), log.floor(values)
                results.add(
                    teacher=name, family=family, link=link, chosen=model.link_.name,
                    not_positive=float(np.mean(given <= 0)), fidelity=fidelity(values, given),
                    log_fidelity=fidelity(log.scores(values, floor), log.scores(np.maximum(given, 0), floor)),
                )  # fmt: skip


def page(results):
    columns = ("not_positive", "fidelity", "log_fidelity")
    parts = [
        f"Teachers of positive values, fitted on {N_TRAIN:,} rows; students of the default size of each family on the "
        f'same rows and 4 synthetic rows per real row; {N_TEST:,} unseen rows. Each cell is `link="identity"` / '
        '`link="auto"`. The fidelity is R² on the original scale and on the log scale (predictions that are not '
        "positive count as the smallest value of the teacher). A star marks students that are better without the log "
        "on held-out rows; they are fitted without it and clipped to positive values."
    ]
    header = ["student", "predictions not positive, %", "fidelity", "fidelity, log scale"]
    for teacher in results.names("teacher"):
        rows = []
        for family in results.names("family"):
            of = [
                [results.mean(c, teacher=teacher, family=family, link=k) for k in ("identity", "auto")] for c in columns
            ]
            shares = " / ".join(f"{100 * share:.1f}" for share in of[0])
            star = "" if results.has(teacher=teacher, family=family, link="auto", chosen="log") else " *"
            rows.append([family + star, shares, *(" / ".join(f"{value:.3f}" for value in pair) for pair in of[1:])])
        parts.append(f"## {teacher[:1].upper() + teacher[1:]}\n\n{markdown_table(header, rows)}")
    return "\n\n".join(parts)


if __name__ == "__main__":
    run(__file__, "Links for positive values", __doc__, measure, page)
