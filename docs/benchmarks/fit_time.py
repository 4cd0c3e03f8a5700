"""How long does the default fit take, before the choice was made faster and now?

    git worktree add /tmp/before 85be06b
    BEFORE=/tmp/before python docs/benchmarks/fit_time.py --data FOLDER

Runs the default fit of another checkout and of this one alternately, three times, each in a separate process that fits
the teacher before the measurement, and takes medians. Seconds are CPU seconds of the whole process, except for
``n_jobs``, where they are wall time. Writes fit_time.jsonl (resumable) and fit_time.md beside this file. The data
folder is not used: all tables are generated or come with scikit-learn.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from results import markdown_table, number, run

ROUNDS = 3
HERE = Path(__file__).resolve()
WORKS = {
    "1,000 x 20, two classes": ("made", 1000, 2),
    "1,000 x 20, three classes": ("made", 1000, 3),
    "3,000 x 20, two classes": ("made", 3000, 2),
    "3,000 x 20, three classes": ("made", 3000, 3),
    "10,000 x 20, two classes": ("made", 10_000, 2),
    "10,000 x 20, three classes": ("made", 10_000, 3),
    "digits, ten classes": ("digits", 1300, 10),
    "3,000 x 20, five values": ("values", 3000, 5),
    "50,000 x 20, two classes": ("made", 50_000, 2),
}
"""Table, training rows and outputs; the teacher is a forest of 300 trees."""

ASKED = {"50,000 x 20, two classes": 0.15}
"""Goal for the share of the former time, for the tasks with a goal other than 0.25."""

IN_THREADS = ("3,000 x 20, three classes", "10,000 x 20, two classes", "digits, ten classes")


def measure(results, _):
    before = os.environ.get("BEFORE")
    for i in range(ROUNDS):
        for name in WORKS:
            tries = {"before": (before, "default", 1), "now": (None, "default", 1), "one-liner": (None, "one-liner", 1)}
            if name in IN_THREADS:
                tries["n_jobs=2"] = (None, "default", 2)
            for column, (checkout, kind, n_jobs) in tries.items():
                key = {"work": name, "round": i, "column": column}
                if not results.has(**key) and (column != "before" or before):
                    results.add(**key, **in_process(name, checkout, kind, n_jobs))


def in_process(name, checkout, kind, n_jobs):
    """Fit in a process of its own, with the package of a checkout."""
    folder = checkout or str(HERE.parents[2])
    threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": folder}
    command = [sys.executable, str(HERE), "--fit", name, kind, str(n_jobs)]
    ended = subprocess.run(command, env={**os.environ, **threads}, capture_output=True, text=True, check=True)
    return json.loads(ended.stdout.splitlines()[-1])


def fit(name, kind, n_jobs):
    """Fit once, and print what it took and what came out."""
    from time import perf_counter, process_time

    import lightgbm  # noqa: F401  imports are no part of a fit
    from sklearn.datasets import load_digits, make_classification, make_regression
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    from skdistill import DistilledClassifier, DistilledRegressor
    from skdistill.samplers import LeafSwap

    table, n_rows, n_outputs = WORKS[name]
    forest, distilled = RandomForestClassifier, DistilledClassifier
    if table == "made":
        X, y = make_classification(n_rows + 3000, 20, n_informative=10, n_classes=n_outputs, random_state=0)
    elif table == "digits":
        X, y = load_digits(return_X_y=True)
    else:
        X, y = make_regression(n_rows + 3000, 20, n_informative=10, n_targets=n_outputs, random_state=0)
        y, forest, distilled = np.tanh(y / 100), RandomForestRegressor, DistilledRegressor
    teacher = forest(300, random_state=0, n_jobs=2).fit(X[:n_rows], y[:n_rows]).set_params(n_jobs=None)
    DistilledRegressor(lambda X: X[:, 0]).fit(np.random.default_rng(0).random((100, 3)))  # imports what comes late
    how = {"student": "boosting", "sampler": LeafSwap()} if kind == "one-liner" else {}
    model = distilled(teacher, **how, random_state=0, n_jobs=n_jobs)
    cpu, clock = process_time(), perf_counter()
    model.fit(X[:n_rows], y[:n_rows])
    cpu, clock = process_time() - cpu, perf_counter() - clock
    tried = getattr(model, "candidates_", None)
    print(
        json.dumps(
            {
                "cpu": cpu,
                "clock": clock,
                "fidelity": model.fidelity(X[n_rows:]),
                "student": "boosting" if tried is None else tried.chosen.family,
                "last_fit": None if tried is None else tried.chosen.seconds,
            }
        )
    )


def page(results):
    def median(name, column, value):
        found = [r[value] for r in results.rows if (r["work"], r["column"]) == (name, column)]
        return float(np.median(found)) if found else float("nan")

    lines, threads = [], []
    counts = {sum((r["work"], r["column"]) == (name, "now") for r in results.rows) for name in WORKS}
    rounds = " or ".join(f"{count} round{'s' * (count > 1)}" for count in sorted(counts))
    for name in WORKS:
        before, now, one_liner = (median(name, column, "cpu") for column in ("before", "now", "one-liner"))
        unit = max(one_liner, 3 * median(name, "now", "last_fit"))
        student = next((r["student"] for r in results.rows if (r["work"], r["column"]) == (name, "now")), "")
        fidelity = [number(median(name, column, "fidelity")) for column in ("before", "now", "one-liner")]
        ratios = [f"**{now / before:.2f}**", f"{ASKED.get(name, 0.25):.2f}", f"{now / unit:.1f}"]
        seconds = [number(value, 1) for value in (before, now, one_liner)]
        lines.append([name, *seconds, *ratios, *fidelity, student])
        if name in IN_THREADS:
            one, two = median(name, "now", "clock"), median(name, "n_jobs=2", "clock")
            threads.append([name, number(one, 1), number(two, 1), f"{two / one:.2f}"])
    return "\n\n".join(
        [
            f"Default fits with a forest of 300 trees as the teacher: CPU seconds, medians of {rounds}. *before* is "
            "the version of commit 85be06b, measured alternately with *now*. *goal* is the share of the time "
            "before that was aimed at. *one-liner* is "
            '`student="boosting", sampler=LeafSwap()`; *relative to one-liner* is the time now divided by that of '
            "the one-liner, or by that of three fits of the chosen student on all rows where these take longer "
            "(goal: at most 4). Fidelity is measured on 3,000 rows (497 of digits) that neither teacher nor student "
            "has seen.",
            markdown_table(
                [
                    "rows x columns",
                    *("before", "now", "one-liner", "now / before", "goal", "relative to one-liner"),
                    *("fidelity before", "now", "one-liner", "chosen"),
                ],
                lines,
            ),
            "## On two cores\n\nWall time in seconds with `n_jobs=1` and `n_jobs=2` (goal for the ratio: at most "
            "0.6). The student is the same.",
            markdown_table(["rows x columns", "n_jobs=1", "n_jobs=2", "ratio"], threads),
        ]
    )


if __name__ == "__main__":
    if "--fit" in sys.argv:
        fit(*sys.argv[2:4], int(sys.argv[4]))
    else:
        run(__file__, "The time of a default fit", __doc__, measure, page)
