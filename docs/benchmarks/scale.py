"""How do fits, sampling, labelling and prediction grow with the rows of a table, and with cores?

    git worktree add /tmp/before bd7e390
    BEFORE=/tmp/before python docs/benchmarks/scale.py --data FOLDER

Each cell runs in a process of its own, with the package of another checkout and of this one alternately. Fits are
compared by the CPU seconds of the process and by the memory that it had at most, sampling by CPU seconds, and jobs by
wall time. Writes scale.jsonl (resumable) and scale.md beside this file. The data folder is not used: all tables are
drawn. ``scale_streaming.py`` measures tables that do not fit into memory.

    OMP_NUM_THREADS=1 python docs/benchmarks/scale.py --pairs

prints the table of one and two jobs on an idle machine: both in turns in one process, and only pairs during which other
programs used less than 0.15 cores (Linux).
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from time import perf_counter, process_time

import numpy as np
from results import markdown_table, number, run

HERE = Path(__file__).resolve()
ROUNDS = 2
FITS = {"3,000": 3000, "100,000": 100_000, "1,000,000": 1_000_000, "3,000,000": 3_000_000, "10,000,000": 10_000_000}
"""Rows of the tables of 20 columns; the former version does not fit the largest in the time of this benchmark."""

FORMERLY_TOO_LONG = ("3,000,000", "10,000,000")
BY_HAND = "### Two jobs on an idle machine"
"""Section of the page that is not measured by this script, and kept as it is."""
STUDENTS = ("linear", "boosting")
PREDICTED = {"mlp": "network", "boosting": "boosting", "hybrid": "hybrid"}
N_DRAWN, N_PREDICTED = 1_000_000, 400_000


def cells():
    """Yield the kind, the subject, the number of jobs, and whether the former version is measured too."""
    for name in FITS:
        yield "fit", name, 1, name not in FORMERLY_TOO_LONG
    for student in STUDENTS:
        for most in ("sample", "all"):
            yield f"rows of {student}", most, 1, False
    for n_jobs in (1, 2):
        yield "draw", "leaf swap", n_jobs, n_jobs == 1
        for student in PREDICTED:
            yield "predict", student, n_jobs, False
        for teacher in ("forest", "function"):
            yield "label", teacher, n_jobs, False


def measure(results, _):
    before = os.environ.get("BEFORE")
    for i in range(ROUNDS):
        for kind, subject, n_jobs, is_compared in cells():
            for column, checkout in {"before": before, "now": None}.items():
                key = {"kind": kind, "subject": subject, "n_jobs": n_jobs, "column": column, "round": i}
                is_wanted = (column == "now" or (is_compared and before)) and (i == 0 or not kind.startswith("rows"))
                if is_wanted and not results.has(**key):
                    results.add(**key, **in_process(kind, subject, n_jobs, checkout))


def in_process(kind, subject, n_jobs, checkout):
    threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": checkout or str(HERE.parents[2])}
    command = [sys.executable, str(HERE), "--cell", kind, subject, str(n_jobs)]
    ended = subprocess.run(command, env={**os.environ, **threads}, capture_output=True, text=True, check=True)
    return json.loads(ended.stdout.splitlines()[-1])


# ---------------------------------------------------------------------- one cell, in a process of its own


def surface(X):
    """A quick teacher with smooth parts, a product and an edge."""
    smooth = np.sin(X[:, 0]) + X[:, 1] * X[:, 2] + np.abs(X[:, 3]) + 0.1 * X[:, 6:].sum(axis=1)
    return smooth + 0.5 * (X[:, 4] > 0.3) * X[:, 5]


def slow(X):
    """A teacher in plain Python, of about 20 µs a row, that holds the interpreter's lock."""
    outputs = np.zeros(len(X))
    for i, row in enumerate(X.tolist()):
        outputs[i] = sum(cell * cell for _ in range(10) for cell in row)
    return outputs


def cell(kind, subject, n_jobs):
    import lightgbm  # noqa: F401  imports are no part of what is measured

    import skdistill

    rng = np.random.default_rng(0)
    skdistill.DistilledRegressor(surface).fit(rng.random((100, 20)))  # imports what comes late
    n_rows = {"fit": FITS.get(subject, 0), "draw": 100_000, "label": 120_000}.get(kind, 1_000_000)
    X = rng.standard_normal((n_rows, 48 if kind == "draw" else 20))
    work = {"fit": fit, "draw": draw, "predict": predict, "label": label}.get(kind, rows)
    print(json.dumps(work(skdistill, X, subject, n_jobs, kind)))


def timed(call):
    wall, cpu = perf_counter(), process_time()
    result = call()
    return result, {"clock": perf_counter() - wall, "cpu": process_time() - cpu}


def megabytes():
    return getrusage(RUSAGE_SELF).ru_maxrss / 1000


def fit(skdistill, X, subject, n_jobs, _):
    before = megabytes() - X.nbytes / 1e6
    model, costs = timed(lambda: skdistill.DistilledRegressor(surface, random_state=0, n_jobs=n_jobs).fit(X))
    costs |= {"tables": (megabytes() - before) / (X.nbytes / 1e6), "megabytes": megabytes() - before}
    costs["one_pass"] = timed(lambda: [np.isfinite(X[i : i + 65_536]).all() for i in range(0, len(X), 65_536)])[1][
        "cpu"
    ]
    return costs | {"fidelity": model.fidelity(np.random.default_rng(1).standard_normal((20_000, 20)))}


def rows(skdistill, X, subject, n_jobs, kind):
    most = "auto" if subject == "sample" else None
    student = kind.removeprefix("rows of ")
    model = skdistill.DistilledRegressor(surface, student, max_real_rows=most, random_state=0)
    model, costs = timed(lambda: model.fit(X))
    return costs | {"fidelity": model.fidelity(np.random.default_rng(1).standard_normal((200_000, 20)))}


def draw(skdistill, X, subject, n_jobs, _):
    sampler = skdistill.samplers.LeafSwap()
    if n_jobs > 1:
        sampler.set_params(n_jobs=n_jobs)
    sampler.fit(X, surface(X))
    return best_of(lambda: sampler.sample(N_DRAWN, random_state=0))


def predict(skdistill, X, subject, n_jobs, _):
    model = skdistill.DistilledRegressor(surface, subject, sampler=None, n_jobs=n_jobs, random_state=0).fit(X[:5000])
    return best_of(lambda: model.predict(X[:N_PREDICTED]))


def label(skdistill, X, subject, n_jobs, _):
    from sklearn.ensemble import RandomForestRegressor

    teacher = slow
    if subject == "forest":
        teacher = RandomForestRegressor(100, max_leaf_nodes=500, random_state=0).fit(X[:5000], surface(X[:5000]))
    model = skdistill.DistilledRegressor(teacher, "linear", sampler=None, n_jobs=n_jobs, max_real_rows=None)
    summary = model.fit(X).transfer_set_
    return {"clock": summary.label_seconds, "labelled_by": summary.labelled_by}


def pairs(n_pairs=15):
    """Print how much faster two jobs are than one, in pairs in turns that other programs did not disturb."""
    import skdistill

    rng = np.random.default_rng(0)
    X, wide = rng.standard_normal((N_PREDICTED, 20)), rng.standard_normal((100_000, 48))
    works = {}
    for student, name in PREDICTED.items():
        models = [
            skdistill.DistilledRegressor(surface, student, sampler=None, n_jobs=n_jobs, random_state=0).fit(X[:5000])
            for n_jobs in (1, 2)
        ]
        works[f"predict: {name}"] = [lambda model=model: model.predict(X) for model in models]
    samplers = [skdistill.samplers.LeafSwap(n_jobs=n_jobs).fit(wide, surface(wide)) for n_jobs in (1, 2)]
    works["leaf swap, 300,000 rows"] = [lambda each=each: each.sample(300_000, random_state=0) for each in samplers]
    table = []
    for name, calls in works.items():
        found = [each for each in (tuple(map(undisturbed, calls)) for _ in range(n_pairs)) if None not in each]
        one, two = np.median(found, axis=0) if found else (np.nan, np.nan)
        ratio = float(np.median([first / second for first, second in found])) if found else np.nan
        table.append([name, number(one), number(two), f"**{number(ratio, 2)}**", str(len(found))])
    print(markdown_table(["work", "n_jobs=1", "n_jobs=2", "times as fast", "pairs"], table))


def undisturbed(call):
    """Return the seconds of a call, or nothing if other programs ran."""
    before, wall, cpu = busy_seconds(), perf_counter(), process_time()
    call()
    wall, own = perf_counter() - wall, process_time() - cpu
    return wall if busy_seconds() - before - own < 0.15 * wall + 0.02 else None  # counted in hundredths


def busy_seconds():
    """Return the processor time of all programs since the machine was started."""
    ticks = [int(each) for each in Path("/proc/stat").read_text().splitlines()[0].split()[1:8]]
    return (sum(ticks) - ticks[3] - ticks[4]) / os.sysconf("SC_CLK_TCK")


def best_of(call, n_times=4):
    """Return the least of several times: the first call also claims memory."""
    costs = [timed(call)[1] for _ in range(n_times)]
    return {name: min(each[name] for each in costs) for name in ("clock", "cpu")}


# ---------------------------------------------------------------------- the page


def page(results):
    def median(kind, subject, n_jobs, column, value):
        wanted = (kind, subject, n_jobs, column)
        found = [r[value] for r in results.rows if (r["kind"], r["subject"], r["n_jobs"], r["column"]) == wanted]
        return float(np.median(found)) if found else float("nan")

    def pair(kind, subject, value, digits=2):
        return [number(median(kind, subject, 1, column, value), digits) for column in ("before", "now")]

    fits = []
    for name in FITS:
        cpu = [median("fit", name, 1, column, "cpu") for column in ("before", "now")]
        ratio = number(cpu[1] / cpu[0], 2)
        fits.append(
            [name, *pair("fit", name, "cpu", 1), f"**{ratio}**", *pair("fit", name, "tables", 1)]
            + [number(median("fit", name, 1, column, "fidelity"), 5) for column in ("before", "now")]
        )
    million, ten_million = (median("fit", name, 1, "now", "cpu") for name in ("1,000,000", "10,000,000"))
    one_pass = median("fit", "10,000,000", 1, "now", "one_pass")
    samples = [
        [student, *(number(median(f"rows of {student}", most, 1, "now", "fidelity"), 5) for most in ("sample", "all"))]
        + [number(median(f"rows of {student}", most, 1, "now", "cpu"), 1) for most in ("sample", "all")]
        for student in STUDENTS
    ]
    drawn = [
        N_DRAWN / median("draw", "leaf swap", n_jobs, column, "clock") / 1000
        for n_jobs, column in ((1, "before"), (1, "now"), (2, "now"))
    ]
    of_cpu = median("draw", "leaf swap", 1, "before", "cpu") / median("draw", "leaf swap", 1, "now", "cpu")
    jobs = []
    for kind, subjects in (("predict", PREDICTED), ("label", {"forest": "forest", "function": "plain Python"})):
        for subject, text in subjects.items():
            one, two = (median(kind, subject, n_jobs, "now", "clock") for n_jobs in (1, 2))
            found = [r["labelled_by"] for r in results.rows if r["subject"] == subject and r["kind"] == "label"]
            cores = median(kind, subject, 2, "now", "cpu") / two if kind == "predict" else float("nan")
            jobs.append(
                [
                    f"{kind}: {text}",
                    number(one, 2),
                    number(two, 2),
                    f"{one / two:.2f}",
                    number(cores, 1),
                    found[-1] if found else "",
                ]
            )
    return "\n\n".join(
        [
            "Ratios of one run: *before* is the version of commit bd7e390, measured alternately with *now*; medians of "
            f"{ROUNDS} rounds, each in a process of its own. Other programs used the same two cores, so that wall "
            "times are rough. What was not run is extrapolated, and said to be.",
            "## Default fits of tables in memory\n\nA quick function of 20 columns is distilled with the defaults. "
            "*CPU* is in seconds of the process; *tables* is the memory above that of an interpreter with all imports, "
            "in sizes of the table, which is part of it. From 100,000 rows on, the student is selected and fitted on a "
            "stratified sample (`max_real_rows`).",
            markdown_table(
                ["rows", "CPU before", "now", "now / before", "tables before", "now", "fidelity before", "now"], fits
            ),
            f"10,000,000 rows take {ten_million:.1f} s of CPU, {ten_million / million:.2f} times as long as 1,000,000 "
            f"(goal: 1.3 times and one pass; one look at each cell takes {one_pass:.1f} s). "
            "How long the former version took depended on the sampler that it chose: MUNGE searches neighbours of all "
            "rows. Fidelities differ by the random numbers of the samplers, too.",
            "## A sample instead of all rows\n\nStudents of 1,000,000 rows, and of the 100,000 that "
            '`max_real_rows="auto"` samples, on 200,000 other rows (goal: at most 0.001 below). '
            "More rows make boosting worse here, and this is LightGBM's doing: the largest part of the function is a "
            "product of two symmetric columns, in which no first split has a gain. With few rows, chance breaks the "
            "symmetry; with many, 60 trees at the learning rate 0.2 hardly find it (R² of `CompactBoostingRegressor` "
            "on 50,000 other rows, 2026-11-28: 0.781 with 100,000 rows and 0.557 with 1,000,000; with "
            "`learning_rate=0.4` 0.947 and 0.976). So this row says nothing of samples of tables without such "
            "products; [tables that do not fit in memory](scale_streaming.md#the-student-of-a-sample) have a function "
            "that boosting can learn.",
            markdown_table(["student", "sample", "all rows", "CPU of the sample", "of all rows"], samples),
            "## Leaf swap\n\nThousand rows of 48 columns a second, drawn from a table of 100,000 rows: "
            f"{drawn[0]:.0f} before, {drawn[1]:.0f} now, {drawn[2]:.0f} with `n_jobs=2`. In CPU time, that is "
            f"**{of_cpu:.1f}** times as many as before (goal: 3); two threads draw "
            f"**{drawn[2] / drawn[1]:.2f}** times as many as one (goal: 1.8).",
            "## Two jobs\n\nWall time in seconds of the prediction of 400,000 rows (goal: 1.4 times as fast), and of "
            "labels for 120,000 rows. What labelled them was found by trying. *cores* is the processor time for a "
            "second with two jobs: where it is 1.0, other programs left one core to both threads, so that nothing can "
            "be said about their speed.",
            markdown_table(["work", "n_jobs=1", "n_jobs=2", "times as fast", "cores", "labelled by"], jobs),
            BY_HAND + HERE.with_suffix(".md").read_text().partition(BY_HAND)[2].rstrip(),
        ]
    )


if __name__ == "__main__":
    if "--cell" in sys.argv:
        cell(*sys.argv[2:4], int(sys.argv[4]))
    elif "--pairs" in sys.argv:
        pairs()
    else:
        run(__file__, "The scale of tables in memory", __doc__, measure, page)
