"""Labels on two workers of Dask against two processes of joblib, and the overhead of a block and of a partition.

    python docs/benchmarks/scale_dask.py RESULTS.jsonl [--rounds 5]

Takes all measurements of a round alternately, on the same rows and blocks, with workers that have been warmed up.
Appends to RESULTS.jsonl, and writes scale_dask.md beside this file. Needs ``pip install "skdistill[dask]"``.
"""

import argparse
from pathlib import Path
from time import perf_counter, sleep

import numpy as np
import pandas as pd
import psutil
from joblib import Parallel, delayed
from results import Results, markdown_table, number, write_page
from sklearn.ensemble import RandomForestRegressor

from skdistill import as_teacher
from skdistill.datasets import as_dataset
from skdistill.datasets._drawing import RandomKeys, scan_and_draw
from skdistill.distributed import label, on_cluster
from skdistill.teachers import query_teacher

N_ROWS, N_COLUMNS, BLOCK_ROWS, MICROSECONDS = 200_000, 20, 10_000, 20.0
N_SMALL, SMALL_ROWS = 200, 50
WAYS = ("joblib, 2 processes", "Dask, queries of a fit", "Dask, label()")


class Waiting:
    """A teacher of 20 µs a row that uses no processor, as a service is."""

    def __call__(self, X):
        sleep(MICROSECONDS * 1e-6 * len(X))
        return X[:, 0] - X[:, 1]


def draw(n_rows, seed=0):
    return np.random.default_rng(seed).standard_normal((n_rows, N_COLUMNS))


def forest():
    X = draw(3000, 1)
    return RandomForestRegressor(60, min_samples_leaf=2, random_state=0).fit(X, np.abs(X[:, 0]) + X[:, 1] * X[:, 2])


def seconds(function, *arguments):
    started = perf_counter()
    function(*arguments)
    return perf_counter() - started


def processor_seconds():
    """Return the processor time so far of this process and of all that it has started."""
    own = psutil.Process()
    return sum(sum(process.cpu_times()[:2]) for process in (own, *own.children(recursive=True)))


def by_joblib(teacher, X):
    blocks = [X[start : start + BLOCK_ROWS] for start in range(0, len(X), BLOCK_ROWS)]
    return np.concatenate(Parallel(n_jobs=2)(delayed(teacher.outputs)(block) for block in blocks))


def by_queries(teacher, X):
    return query_teacher(teacher, X, chunk_size=BLOCK_ROWS)


def by_label(teacher, frame):
    return label(teacher, frame, names=["output"], chunk_size=BLOCK_ROWS).compute()


def measure_teacher(results, client, name, model, number_of_round):
    import dask.dataframe as dd

    teacher, X = as_teacher(model), draw(N_ROWS)
    frame = dd.from_pandas(pd.DataFrame(X), npartitions=N_ROWS // BLOCK_ROWS).persist()
    frame.columns = [f"x{place}" for place in range(N_COLUMNS)]
    of_arrays = as_teacher(Values(model))
    calls = ((by_joblib, teacher, X), (by_queries, teacher, X), (by_label, of_arrays, frame))
    with on_cluster(client):
        for call, known, rows in calls:  # the first call starts processes and sends the teacher
            call(known, rows if call is by_label else rows[: 2 * BLOCK_ROWS])
        for way, (call, known, rows) in zip(WAYS, calls, strict=True):
            before = processor_seconds()
            took = seconds(call, known, rows)
            spent = processor_seconds() - before
            results.add(round=number_of_round, teacher=name, way=way, seconds=took, processor=spent)


class Values:
    """A teacher that takes frames, and calls a model with their values."""

    def __init__(self, model):
        self.model = model

    def predict(self, X):
        values = np.asarray(X)
        return self.model.predict(values) if hasattr(self.model, "predict") else self.model(values)


def first_column(X):
    return np.asarray(X)[:, 0]


def measure_overhead(results, client, number_of_round):
    """Many small blocks and partitions, of which nearly nothing is computed."""
    import dask.dataframe as dd

    X = draw(N_SMALL * SMALL_ROWS)
    frame = dd.from_pandas(pd.DataFrame(X, columns=[f"x{place}" for place in range(N_COLUMNS)]), npartitions=N_SMALL)
    frame = frame.persist()
    teacher = as_teacher(first_column)

    def read():
        with on_cluster(client):
            scan_and_draw(as_dataset(frame), 1000, RandomKeys(0), (), lambda n_rows: None)

    def ask():
        with on_cluster(client):
            query_teacher(teacher, X, chunk_size=SMALL_ROWS)

    def label_all():
        label(teacher, frame, names=["output"]).compute()

    names = ("a block of a query", "a partition of label()", "a partition that is read twice for a fit")
    for name, call in zip(names, (ask, label_all, read), strict=True):
        call()
        results.add(round=number_of_round, overhead=name, ms=1000 * seconds(call) / N_SMALL)


def write(results):
    rows = []
    for teacher in results.names_of("teacher"):
        times = {way: np.median(results.values("seconds", teacher=teacher, way=way)) for way in WAYS}
        own = times[WAYS[0]]
        spent = {way: np.median(results.values("processor", teacher=teacher, way=way)) for way in WAYS}
        rows += [
            [teacher, way, number(times[way], 2), number(own / times[way], 2), number(spent[way], 2)] for way in WAYS
        ]
    overheads = [
        [name, number(np.median(results.values("ms", overhead=name)), 1)] for name in results.names_of("overhead")
    ]
    text = f"""
{N_ROWS:,} rows with {N_COLUMNS} columns are labelled in blocks of {BLOCK_ROWS:,} rows by two workers of one thread
each, which have been started and have the teacher, within one `on_cluster`. Medians of rounds in which all are measured
one after the other. The efficiency is the time of joblib divided by the time.

No other program used the two cores. The client and the scheduler share them with the workers; on a cluster, they have
cores of their own, which was not measured. *Processor time* is that of all processes together. Under load, workers wait
for the client, which needs a core to send the next block: with other programs on both cores, the efficiency for the
forest was 0.93 and, of `label()`, 0.77.

{markdown_table(["teacher", "labelled by", "seconds", "efficiency", "processor time"], rows)}

What Dask costs beside the teacher, with two workers, from {N_SMALL} blocks or partitions of {SMALL_ROWS} rows:

{markdown_table(["overhead of", "ms"], overheads)}
"""
    page = Path(__file__).with_suffix(".md")
    write_page(page, "Labels on a cluster of Dask", text, "python docs/benchmarks/scale_dask.py RESULTS.jsonl")


class Rounds(Results):
    """Results of rounds, of which medians are taken."""

    def names_of(self, column):
        return list(dict.fromkeys(row[column] for row in self.rows if column in row))

    def values(self, value, **key):
        return [row[value] for row in self.rows if all(row.get(name) == wanted for name, wanted in key.items())]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    from distributed import Client, LocalCluster

    results, known = Rounds(options.results), {"waits": Waiting(), "forest of 60 trees": forest()}
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster, Client(cluster) as client:
        for each in range(options.rounds):
            for name, model in known.items():
                if not results.has(round=each, teacher=name, way=WAYS[-1]):
                    measure_teacher(results, client, name, model, each)
            if not results.has(round=each, overhead="a partition that is read twice for a fit"):
                measure_overhead(results, client, each)
    write(results)


if __name__ == "__main__":
    main()
