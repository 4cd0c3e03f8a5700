"""Speed and memory of the samplers, and what blocked neighbour search costs in fidelity.

    python docs/benchmarks/samplers.py --data FOLDER

Writes samplers.md beside this file. Times are medians of alternating runs in one process, on one thread.
"""

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = "1"

import argparse
import tracemalloc
import warnings
from pathlib import Path
from time import perf_counter

import numpy as np
import pandas as pd
from peers import teach
from results import markdown_table, number, write_page
from sklearn.tree import DecisionTreeRegressor
from tables import load, outputs, split, vote_teacher

from skdistill._tables import stack_rows
from skdistill.metrics import fidelity
from skdistill.samplers import MUNGE, SPUNGE, Interpolation, Jitter, LeafSwap, MarginalResampling, Mixture, UniformBox
from skdistill.students import CompactBoostingClassifier

ROWS, FEATURES = 100_000, 50
SAMPLERS = {
    "leaf swap": LeafSwap(random_state=0),
    "leaf swap, no noise": LeafSwap(noise=0.0, random_state=0),
    "marginal": MarginalResampling(),
    "SPUNGE": SPUNGE(),
    "jitter": Jitter(random_state=0),
    "uniform": UniformBox(),
    "uniform, covering": UniformBox(design="covering"),
    "mixture": Mixture([LeafSwap(), MarginalResampling()], random_state=0),
    "MUNGE, blocks of 20,000": MUNGE(random_state=0),
    "interpolation, blocks of 20,000": Interpolation(random_state=0),
    "MUNGE, exact neighbours": MUNGE(max_candidates=10**9, random_state=0),
}
REPEATS = 3
CHUNK = 100_000


def table(n_rows, n_features=FEATURES):
    """Return correlated columns, some of whole numbers, and outputs of a smooth function of them."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_rows, 8)) @ rng.normal(size=(8, n_features)) + 0.5 * rng.normal(size=(n_rows, n_features))
    X[:, ::5] = X[:, ::5].round()
    return X, np.sin(X[:, 0]) * X[:, 1] + X[:, 2]


def seconds(sampler, X, y, n_samples):
    """Return the seconds of fit and of sample."""
    started = perf_counter()
    sampler.fit(X, y)
    fitted = perf_counter()
    sampler.sample(n_samples, random_state=0)
    return fitted - started, perf_counter() - fitted


def speed():
    X, y = table(ROWS)
    times = {name: [] for name in SAMPLERS}
    for repeat in range(REPEATS):
        for name, sampler in SAMPLERS.items():
            if repeat == 0 or "exact" not in name or repeat < 2:
                times[name].append(seconds(sampler, X, y, ROWS))
                print(name, times[name][-1], flush=True)
    medians = {name: np.median(runs, axis=0) for name, runs in times.items()}
    exact = medians["MUNGE, exact neighbours"].sum()
    rows = []
    for name, (fit, sample) in medians.items():
        cells = ROWS * FEATURES / 1e6
        both = fit + sample
        figures = [number(cells / both, 1), number(cells / sample, 1), number(exact / both, 1)]
        rows.append([name, number(fit, 2), number(sample, 2), *figures])
    header = ["100,000 x 50", "fit, s", "sample, s", "M cells/s, both", "M cells/s, sample", "times exact MUNGE"]
    return markdown_table(header, rows)


def scaling():
    rows = []
    for name in ("leaf swap", "leaf swap, no noise", "marginal"):
        rates = []
        for n_rows in (10_000, 100_000, 1_000_000):
            X, y = table(n_rows)
            repeats = {10_000: 9, 100_000: 5, 1_000_000: 3}[n_rows]
            rates.append(np.median([sum(seconds(SAMPLERS[name], X, y, n_rows)) for _ in range(repeats)]) / n_rows)
            print(name, n_rows, rates[-1], flush=True)
        micros = [number(1e6 * rate, 2) for rate in rates]
        rows.append([name, *micros, number(rates[-1] / rates[0], 2)])
    header = ["µs a row, fit and sample", "10,000", "100,000", "1,000,000", "last / first"]
    return markdown_table(header, rows)


def memory():
    X, y = table(ROWS)
    rows = []
    for name, sampler in SAMPLERS.items():
        if "exact" in name:
            continue
        sampler.fit(X, y)
        tracemalloc.start()
        for chunk in sampler.stream(3 * CHUNK, chunk_size=CHUNK, random_state=0):
            size = chunk.nbytes
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        rows.append([name, number(size / 1e6, 0), number(peak / 1e6, 0), number(peak / size, 2)])
    return markdown_table([f"chunks of {CHUNK:,} rows", "chunk, MB", "peak, MB", "peak / chunk"], rows)


def neighbours(folder):
    """Return the fidelity of students taught on MUNGE rows by the size of the blocks neighbours are sought in."""
    rows = []
    for name in ("credit_default", "adult"):
        X, y, task = load(folder, name)
        X, _, X_test, y, _, _ = split(X, y, 0, 10_000)
        teacher = vote_teacher(task, 0).fit(X, y)
        soft, reference = outputs(teacher, X), outputs(teacher, X_test)
        student = CompactBoostingClassifier(60, 24, random_state=0)
        for block in (10_000, 2000, 500, 100):
            scores, spent = [], []
            for seed in range(3):
                started = perf_counter()
                drawn = MUNGE(max_candidates=block, random_state=seed).fit(X).sample(3 * len(X), random_state=seed)
                spent.append(perf_counter() - started)
                targets = np.concatenate([soft, outputs(teacher, drawn)])
                weight = np.append(np.ones(len(X)), np.full(len(drawn), 1 / 3))
                fitted = teach(student, task, stack_rows([X, drawn]), targets, teacher.classes_, weight)
                scores.append(fidelity(reference, outputs(fitted, X_test), multioutput="variance_weighted"))
            label = f"{name}, {'exact' if block == 10_000 else f'blocks of {block:,}'}"
            rows.append([label, number(np.mean(scores), 4), number(np.std(scores), 4), number(np.median(spent), 2)])
            print(rows[-1], flush=True)
    smooth, answers = table(60_000)
    tree = DecisionTreeRegressor(max_leaf_nodes=2000, random_state=0).fit(smooth[:50_000], answers[:50_000])
    soft, reference = tree.predict(smooth[:50_000]), tree.predict(smooth[50_000:])
    for block in (10**9, 20_000, 5000):
        started = perf_counter()
        drawn = MUNGE(max_candidates=block, random_state=0).fit(smooth[:50_000]).sample(50_000, random_state=0)
        spent = perf_counter() - started
        student = DecisionTreeRegressor(max_leaf_nodes=512, random_state=0)
        targets = np.concatenate([soft, tree.predict(drawn)])
        fitted = student.fit(np.vstack([smooth[:50_000], drawn]), targets)
        label = f"50,000 x 50, {'exact' if block == 10**9 else f'blocks of {block:,}'}"
        rows.append([label, number(fidelity(reference, fitted.predict(smooth[50_000:])), 4), "–", number(spent, 2)])
        print(rows[-1], flush=True)
    return markdown_table(["", "fidelity", "standard deviation of 3 seeds", "draw, s"], rows)


def frames(folder):
    """Return the speed on a frame with text."""
    X, _, _ = load(folder, "adult")
    y = pd.Series(np.random.default_rng(0).random(len(X)))
    rows = []
    for name in ("leaf swap", "marginal", "jitter", "SPUNGE"):
        spent = np.median([seconds(SAMPLERS[name], X, y, len(X)) for _ in range(3)], axis=0)
        rows.append([name, *(number(part, 2) for part in spent), number(X.size / 1e6 / spent.sum(), 1)])
    return markdown_table(
        [f"adult, {X.shape[0]:,} x {X.shape[1]}, 8 of text", "fit, s", "sample, s", "M cells/s"], rows
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="folder of the tables, see tables.py")
    warnings.filterwarnings("ignore")
    folder = parser.parse_args().data
    parts = [
        f"One thread. Medians of {REPEATS} runs (exact neighbours: 2).",
        "## Speed\n\n" + speed(),
        "## Growth with the table\n\n" + scaling(),
        "## Memory\n\nPeak memory of the arrays that are created while streaming three chunks from a fitted "
        "sampler.\n\n" + memory(),
        "## Frames\n\n" + frames(folder),
        "## Neighbours within blocks\n\nBoosting with 60 x 24, trained on 10,000 real rows and 3 MUNGE rows per "
        "real row, with the voting ensemble as the teacher; below, a tree with 512 leaves and a deep tree as the "
        "teacher.\n\n" + neighbours(folder),
    ]
    write_page(
        Path(__file__).parent / "samplers.md",
        "Speed and memory of the samplers",
        "\n\n".join(parts),
        "python docs/benchmarks/samplers.py --data FOLDER",
    )
