"""Certificates: how often they hold, how wide they are, and what goes wrong if they are misused.

    python docs/benchmarks/certificates.py --data FOLDER

Simulations of 2,000 repetitions each, and 500 samples of one table (adult, see tables.py) whose rest is the truth.
Writes certificates.jsonl (resumable) and certificates.md beside this file.
"""

import numpy as np
import tables
from results import markdown_table, run
from scipy.stats import binom
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import make_pipeline

from skdistill import DistilledClassifier
from skdistill.cascades._thresholds import grid_of, path_of
from skdistill.certificates._units import Units
from skdistill.metrics import (
    ConfidenceSequence,
    _sequence,
    bernstein_interval,
    betting_interval,
    binomial_p_value,
    clopper_pearson,
    fixed_sequence,
    quantile_bound,
    rows_needed,
)

N_REPEATS, N_RESAMPLED = 2000, 500
FINE = "threshold of a cascade, eight between two tuning rows"
VARIABLES = {
    "agreement, 0.98": (lambda rng, n: (rng.random(n) < 0.98).astype(float), 0.98, (0, 1)),
    "agreement, 0.9": (lambda rng, n: (rng.random(n) < 0.9).astype(float), 0.9, (0, 1)),
    "clipped error, many small": (lambda rng, n: np.minimum(rng.exponential(0.05, n), 1.0), 0.05, (0, 1)),
    "clipped error, few large": (lambda rng, n: rng.random(n) * (rng.random(n) < 0.1), 0.05, (0, 1)),
    "group means": (lambda rng, n: rng.beta(9, 1, n), 0.9, (0, 1)),
    "paired difference of losses": (lambda rng, n: rng.choice([-1.0, 0, 1], n, p=[0.03, 0.92, 0.05]), 0.02, (-1, 1)),
}
"""Draws of a variable, its mean (almost: the first exponential is clipped with probability 2e-9), and its range."""


def coverage(results, kind, case, holds, **more):
    """Add the share of repetitions in which a statement held."""
    results.add(kind=kind, case=case, n=len(holds), held=float(np.mean(holds)), **more)


def hedged(x, alpha):
    """Return the interval of Waudby-Smith and Ramdas (2024), section 4.2 and remark 3: predictable plug-in bets."""
    n, t = len(x), np.arange(1, len(x) + 1)
    mean = (0.5 + np.cumsum(x)) / (t + 1)
    variance = (0.25 + np.cumsum((x - mean) ** 2)) / (t + 1)
    bets = np.sqrt(2 * np.log(2 / alpha) / (n * np.append(0.25, variance[:-1])))
    means = np.linspace(0.0005, 0.9995, 1000)[:, None]
    up = np.cumsum(np.log1p(np.minimum(bets, 0.5 / means) * (x - means)), axis=1).max(axis=1)
    down = np.cumsum(np.log1p(-np.minimum(bets, 0.5 / (1 - means)) * (x - means)), axis=1).max(axis=1)
    kept = means[np.maximum(up, down) + np.log(0.5) < np.log(1 / alpha), 0]
    return kept.min(), kept.max()


def normal(x):
    return 1.96 * x.std(ddof=1) / np.sqrt(len(x)) * 2


def measure(results, folder):
    for part in (shares, deviations, together, units, misuse, planned, sequences):
        part(results)
    table(results, folder)
    means(results)


def shares(results):
    """Clopper and Pearson: all repetitions at once."""
    for share in (0.9, 0.98, 0.995):
        for n in (300, 1500):
            case = f"agreement {share:g}"
            if results.has(kind="share", case=case, rows=n):
                continue
            events = np.random.default_rng(0).binomial(n, share, N_REPEATS)
            low, high = clopper_pearson(events, n)
            bound = clopper_pearson(events, n, side="lower")[0]
            both = float(((low <= share) & (share <= high)).mean())
            width = float((high - low).mean())
            coverage(results, "share", case, bound <= share, rows=n, two_sided=both, width=width)


def means(results):
    """Means of bounded variables."""
    for n in (400, 100):
        for name, (draw, mean, bounds) in VARIABLES.items():
            if results.has(kind="mean", case=name, rows=n):
                continue
            rng, found, others = np.random.default_rng(n), [], []
            low, high = bounds
            for repeat in range(N_REPEATS):
                x = draw(rng, n)
                found.append(betting_interval(x, bounds=bounds))
                if repeat < 100:
                    scaled = (x - low) / (high - low)
                    exact = (
                        np.ptp(clopper_pearson(int(x.sum()), n)) if bounds == (0, 1) and set(x) <= {0, 1} else np.nan
                    )
                    others.append([np.ptp(found[-1]), np.ptp(hedged(scaled, 0.05)) * (high - low),
                                   np.ptp(bernstein_interval(x, bounds=bounds)), normal(x), float(exact)])  # fmt: skip
            lows, highs = np.array(found).T
            widths = np.mean(others, axis=0)
            more = dict(zip(("width", "hedged", "bernstein", "normal", "exact"), map(float, widths), strict=True))
            coverage(results, "mean", name, (lows <= mean) & (mean <= highs), rows=n, **more)


def deviations(results):
    """The quantile of the deviation: lognormal, and one with ties."""
    for name, draw, quantile in (
        ("lognormal", lambda rng, n: np.exp(rng.normal(size=n)), lambda share: np.exp(_normal_quantile(share))),
        ("rounded", lambda rng, n: np.round(rng.exponential(size=n), 1), lambda share: _rounded_quantile(share)),
    ):
        for share, n in ((0.9, 300), (0.99, 300), (0.99, 1500)):
            if results.has(kind="deviation", case=name, share=share, rows=n):
                continue
            rng = np.random.default_rng(n)
            bounds = [quantile_bound(draw(rng, n), share=share) for _ in range(N_REPEATS)]
            coverage(results, "deviation", name, np.array(bounds) >= quantile(share), share=share, rows=n)


def _normal_quantile(share):
    from scipy.special import ndtri

    return ndtri(share)


def _rounded_quantile(share):
    values = np.round(np.arange(0, 20, 0.1), 1)
    return values[np.argmax(1 - np.exp(-(values + 0.05)) >= share)]


def together(results):
    """Twelve slices and the overall bound; the ten classes of a table that is not balanced."""
    for case, sizes in (
        ("12 slices", np.full(12, 100)),
        ("10 classes", np.array([400, 200, 100, 80, 60, 50, 40, 30, 20, 20])),
    ):
        if results.has(kind="together", case=case):
            continue
        shares_, rng = np.linspace(0.8, 0.99, len(sizes)), np.random.default_rng(0)
        events = rng.binomial(sizes, shares_, size=(N_REPEATS, len(sizes)))
        adjusted = clopper_pearson(events, sizes, confidence=1 - 0.05 / len(sizes), side="lower")[0]
        alone = clopper_pearson(events, sizes, side="lower")[0]
        coverage(
            results,
            "together",
            case,
            (adjusted <= shares_).all(axis=1),
            misused=float((alone <= shares_).all(axis=1).mean()),
        )


def units(results):
    """Groups whose rows are alike, and importance weights; ignored, and used."""
    if not results.has(kind="units", case="groups"):
        rng, right, wrong = np.random.default_rng(0), [], []
        for _ in range(N_REPEATS):
            sizes = rng.integers(1, 12, 80)
            agreement = rng.beta(4.5, 0.5, 80)  # of groups: mean 0.9
            groups = np.repeat(np.arange(80), sizes)
            same = (rng.random(len(groups)) < agreement[groups]).astype(float)
            rows = np.arange(len(same))
            right.append(Units(len(same), groups).mean_bounds(same, rows, 0.95).lower <= 0.9)
            wrong.append(clopper_pearson(int(same.sum()), len(same), side="lower")[0] <= 0.9)
        coverage(results, "units", "groups", right, misused=float(np.mean(wrong)))
    if not results.has(kind="units", case="weights"):
        rng, right, wrong = np.random.default_rng(0), [], []
        for _ in range(N_REPEATS):
            heavy = rng.random(400) < 0.2
            same = (rng.random(400) < np.where(heavy, 0.8, 0.98)).astype(float)
            weight = np.where(heavy, 1.0, 0.25)
            mean = (0.2 * 0.8 + 0.8 * 0.25 * 0.98) / (0.2 + 0.8 * 0.25)
            low = betting_interval(same, sample_weight=weight, max_weight=1.0, side="lower")[0]
            right.append(low <= mean)
            wrong.append(clopper_pearson(int(same.sum()), 400, side="lower")[0] <= mean)
        coverage(results, "units", "weights", right, misused=float(np.mean(wrong)))


def sequences(results):
    """Rows are added until the promise is met, with the share that is the promise itself: it must not be met."""
    _sequence.N_MEANS = 2  # only the promise is bet against
    for share in (0.9, 0.97):
        if results.has(kind="sequence", case=f"promise {share:g}, kept by no more than that"):
            continue
        rng, right, wrong = np.random.default_rng(0), [], []
        stops = np.arange(50, 3001, 50)
        for _ in range(N_REPEATS):
            same = (rng.random(3000) < share).astype(float)
            sequence = ConfidenceSequence(promise=share)
            sequence.update(same)
            right.append(sequence.decision != "met")
            events = np.cumsum(same).astype(int)[stops - 1]
            wrong.append(not (clopper_pearson(events, stops, side="lower")[0] >= share).any())
        coverage(
            results, "sequence", f"promise {share:g}, kept by no more than that", right, misused=float(np.mean(wrong))
        )
    for promise, share in ((0.9, 0.95), (0.97, 0.99)):
        if results.has(kind="stopping", case=f"promise {promise:g}, true share {share:g}"):
            continue
        rng, rows = np.random.default_rng(1), []
        for _ in range(300):
            sequence = ConfidenceSequence(promise=promise)
            while sequence.decision == "open" and sequence.n_rows < 5000:
                sequence.update((rng.random(25) < share).astype(float))
            rows.append(sequence.n_rows)
        planned_ = rows_needed(promise, expected=share, power=0.9)
        ninety = float(np.quantile(rows, 0.9))
        case = f"promise {promise:g}, true share {share:g}"
        results.add(kind="stopping", case=case, median=float(np.median(rows)), ninety=ninety, planned=planned_)


def misuse(results):
    """The best of twenty students, or of twenty thresholds, reported on the rows that chose it."""
    if not results.has(kind="misuse", case="best of 20 students"):
        rng = np.random.default_rng(0)
        events = rng.binomial(400, 0.95, size=(N_REPEATS, 20))
        same_rows = clopper_pearson(events.max(axis=1), 400, side="lower")[0] <= 0.95
        other_rows = clopper_pearson(rng.binomial(400, 0.95, N_REPEATS), 400, side="lower")[0] <= 0.95
        coverage(results, "misuse", "best of 20 students", other_rows, misused=float(same_rows.mean()))
    if not results.has(kind="misuse", case="threshold of a cascade"):
        rng, right, wrong = np.random.default_rng(0), [], []
        grid = np.linspace(0.99, 0.0, 34)  # from the safest to the boldest
        for _ in range(N_REPEATS):
            score = rng.random(600)
            differs = rng.random(600) < 0.06 * (1 - score) ** 2
            counts = np.array([(differs & (score >= threshold)).sum() for threshold in grid])
            risk = 0.02 * (1 - grid) ** 3  # true share of all rows that are answered by the student and differ
            passed = np.flatnonzero(fixed_sequence(binomial_p_value(counts, 600, 0.01)))
            right.append(not passed.size or risk[passed[-1]] <= 0.01)
            looks_kept = np.flatnonzero(counts / 600 <= 0.01)
            wrong.append(not looks_kept.size or risk[looks_kept[-1]] <= 0.01)
        coverage(results, "misuse", "threshold of a cascade", right, misused=float(np.mean(wrong)))
    if not results.has(kind="misuse", case=FINE):
        rng, right, wrong, never = np.random.default_rng(1), [], [], np.zeros(1200, bool)
        for _ in range(N_REPEATS):
            score = rng.random(1200)
            differs = rng.random(1200) < 0.06 * (1 - score) ** 2
            path = path_of(grid_of(rng.random(80)), score, differs, never, 0.99, 0.95)
            risk = 0.02 * (1 - np.clip(path.thresholds, 0, 1)) ** 3
            right.append(risk[path.chosen] <= 0.01)
            wrong.append(risk[np.flatnonzero(path.kept >= 0.99)[-1]] <= 0.01)
        coverage(results, "misuse", FINE, right, misused=float(np.mean(wrong)))


def planned(results):
    """The number of rows that is planned is enough as often as is asked."""
    for promise, expected in ((0.9, 0.95), (0.97, 0.99)):
        if results.has(kind="planned", case=f"promise {promise:g}, true share {expected:g}"):
            continue
        n = rows_needed(promise, expected=expected, power=0.8)
        events = binom.rvs(n, expected, size=N_REPEATS, random_state=0)
        results.add(kind="planned", case=f"promise {promise:g}, true share {expected:g}", rows=n,
                    met=float((clopper_pearson(events, n, side="lower")[0] >= promise).mean()))  # fmt: skip


def table(results, folder):
    """Certificates from samples of the rows of a real table, whose all test rows are the truth."""
    if results.has(kind="table", case="adult, change of the selection rate of women"):
        return
    X, y, _ = tables.load(folder, "adult")
    X_train, _, X_test, y_train, _, y_test = tables.split(X, y, 0)
    teacher = make_pipeline(tables.encoder(False), RandomForestClassifier(100, min_samples_leaf=2, random_state=0))
    model = DistilledClassifier(teacher, "boosting", sampler=None, random_state=0).fit(X_train, y_train)
    labels, given = model.teacher_labels(X_test), model.predict(X_test)
    outputs = model.soft_targets(X_test), model.predict_proba(X_test)
    positive, women = model.classes_[1], (X_test["sex"].astype(str).str.strip() == "Female").to_numpy()
    variables = {
        "agreement": (labels == given, None, (0, 1)),
        "mean squared distance": (((outputs[0] - outputs[1]) ** 2).sum(axis=1) / 2, None, (0, 1)),
        "accuracy lost": ((labels == y_test).astype(float) - (given == y_test), None, (-1, 1)),
        "agreement of women": (labels == given, women, (0, 1)),
        "change of the selection rate of women": ((given == positive) * 1.0 - (labels == positive), women, (-1, 1)),
    }
    for name, (values, only, bounds) in variables.items():
        values = np.asarray(values, dtype=float)
        values = values if only is None else values[only]
        rng, found = np.random.default_rng(0), []
        for _ in range(N_RESAMPLED):
            x = values[rng.integers(0, len(values), 500)]
            each = Units(500).mean_bounds(x, np.arange(500), 0.95, bounds)
            found.append((each.low, each.high))
        lows, highs = np.array(found).T
        truth = values.mean()
        coverage(results, "table", f"adult, {name}", (lows <= truth) & (truth <= highs), truth=float(truth),
                 width=float((highs - lows).mean()))  # fmt: skip


def page(results):
    parts = (_method, _shares, _means, _rest, _misuse, _stops, _table)
    return "\n\n".join(text for text in (part(results) for part in parts) if text)


def _method(_):
    low, high = (float(end[0]) for end in (binom.interval(0.99, [N_REPEATS], 0.95)))
    return (
        f"Each line is the share of {N_REPEATS:,} repetitions in which a statement with confidence 0.95 was right. If "
        f"it is right with probability 0.95 exactly, 99 % of such shares are between {low / N_REPEATS:.4f} and "
        f"{high / N_REPEATS:.4f}; in brackets the 95 % interval of Clopper and Pearson for the share itself."
    )


def _interval(row):
    low, high = (float(end) for end in clopper_pearson(round(row["held"] * row["n"]), row["n"]))
    return f"{row['held']:.4f} ({low:.3f} to {high:.3f})"


def _of(results, kind):
    return [row for row in results.rows if row["kind"] == kind]


def _shares(results):
    rows = [
        [row["case"], f"{row['rows']:,}", _interval(row), f"{row['two_sided']:.4f}", f"{row['width']:.4f}"]
        for row in _of(results, "share")
    ]
    header = ["share", "rows", "one-sided bound holds", "interval holds", "width"]
    return (
        "## Shares\n\nClopper and Pearson's bounds. They hold more often than 0.95, because numbers of rows are "
        f"integers.\n\n{markdown_table(header, rows)}"
    )


def _means(results):
    rows = []
    for row in _of(results, "mean"):
        exact = row["width"] / row["exact"] if row["exact"] == row["exact"] else float("nan")
        ratios = [row["width"] / row[name] for name in ("hedged", "bernstein", "normal")]
        cells = ["–" if value != value else f"{value:.2f}" for value in (exact, *ratios)]
        rows.append([row["case"], f"{row['rows']:,}", _interval(row), f"{row['width']:.4f}", *cells])
    header = ["variable", "rows", "interval holds", "width", "of exact", "of hedged", "of Bernstein", "of normal"]
    return (
        "## Means of bounded variables\n\n`betting_interval`, two-sided, and its mean width as a share of that of: "
        "Clopper and Pearson's interval, exact for zeros and ones; the hedged capital of Waudby-Smith and Ramdas "
        "(2024) with predictable plug-in bets, written after the paper since `confseq` could not be installed; the "
        "empirical Bernstein bound of Maurer and Pontil (2009); and the normal approximation, which does not hold its "
        f"confidence. Widths from 100 repetitions.\n\n{markdown_table(header, rows)}"
    )


def _rest(results):
    lines = [
        [f"deviation, {r['case']}, {r['share']:g} of rows, n = {r['rows']:,}", _interval(r)]
        for r in _of(results, "deviation")
    ]
    return f"## Quantiles of the deviation\n\n{markdown_table(['statement', 'holds'], lines)}"


def _misuse(results):
    how = {
        "12 slices": "each slice at 0.95 by itself",
        "10 classes": "each class at 0.95 by itself",
        "groups": "rows taken for independent",
        "weights": "weights ignored",
        "best of 20 students": "reported on the rows that chose it",
        "threshold of a cascade": "the boldest threshold that looks kept",
        FINE: "the boldest threshold that looks kept",
    }
    lines = [
        [row["case"], _interval(row), how.get(row["case"], "a bound for a fixed number of rows, looked at every 50"),
         f"{row['misused']:.4f}"]
        for kind in ("together", "units", "sequence", "misuse") for row in _of(results, kind)
    ]  # fmt: skip
    header = ["case", "right use holds", "wrong use", "wrong use holds"]
    return (
        "## Right and wrong uses\n\nThe right use handles several statements by Bonferroni, groups by their means, "
        "weights by their stated bound, stopping by a confidence sequence (of up to 3,000 rows), and choice by other "
        f"rows or by a fixed sequence.\n\n{markdown_table(header, lines)}"
    )


def _stops(results):
    lines = [
        [row["case"], f"{row['median']:.0f}", f"{row['ninety']:.0f}", f"{row['planned']:,}"]
        for row in _of(results, "stopping")
    ]
    planned_ = [[row["case"], f"{row['rows']:,}", f"{row['met']:.3f}"] for row in _of(results, "planned")]
    if not lines:
        return ""
    header = ["case", "rows until decided, median", "90 %", "`rows_needed`, power 0.9"]
    return (
        f"## How many rows\n\nRows are added in steps of 25.\n\n{markdown_table(header, lines)}\n\n`rows_needed` with "
        f"power 0.8:\n\n{markdown_table(['case', 'rows', 'promise is met'], planned_)}"
    )


def _table(results):
    if not _of(results, "table"):
        return ""
    lines = [
        [row["case"], f"{row['truth']:.4f}", _interval(row), f"{row['width']:.4f}"] for row in _of(results, "table")
    ]
    return (
        "## A real table\n\nA forest of 100 trees on 3,000 rows of adult, its boosted student, and certificates from "
        "500 samples of 500 test rows, drawn with replacement; the mean of all test rows is the truth.\n\n"
        f"{markdown_table(['statement', 'truth', 'interval holds', 'width'], lines)}"
    )


if __name__ == "__main__":
    run(__file__, "Certificates", __doc__, measure, page)
