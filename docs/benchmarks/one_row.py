"""What does one row cost a compiled student, in the shapes that people pass?

    PYTHONPATH=OLDER python docs/benchmarks/one_row.py --label before
    python docs/benchmarks/one_row.py

OLDER is a checkout of the package as it was. Writes one_row.jsonl (resumable; it holds both labels) and one_row.md
beside this file. Data are generated. One thread.
"""

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = "1"

import argparse
import gc
import warnings
from pathlib import Path
from time import perf_counter

import numpy as np
import pandas as pd
import polars as pl
from results import Results, markdown_table, number, write_page

import skdistill
from skdistill.students._families import FAMILIES, family_member

N_ROWS, N_NUMBERS, N_TEXTS = 600, 20, 4
N_ASKED, ROUNDS = 40, 40
TASKS = ("two classes", "three classes", "values")
HERE = Path(__file__)


def table(seed=0):
    """Return numbers without a missing cell, a frame of numbers with some and of texts, and scores of the rows."""
    rng = np.random.default_rng(seed)
    numbers = rng.normal(size=(N_ROWS, N_NUMBERS))
    frame = pd.DataFrame(numbers, columns=[f"number_{place}" for place in range(N_NUMBERS)])
    frame = frame.mask(rng.uniform(size=frame.shape) < 0.02)
    for place in range(N_TEXTS):
        frame[f"text_{place}"] = rng.choice(["north", "east", "south", "west"], size=N_ROWS)
    texts = frame["text_0"].eq("north").to_numpy()
    return numbers, frame, numbers[:, 0] * numbers[:, 1] + np.sin(2 * numbers[:, 2]) + texts


def student(family, task, X, scores):
    """Return the compiled student of a family."""
    model = family_member(family, classifies=task != "values", n_jobs=1)
    if "random_state" in model.get_params():
        model.set_params(random_state=0)
    n_classes = {"two classes": 2, "three classes": 3, "values": None}[task]
    y = (
        scores
        if n_classes is None
        else np.searchsorted(np.quantile(scores, np.arange(1, n_classes) / n_classes), scores)
    )
    return skdistill.compile(model.fit(X, y))


def shapes(numbers, frame):
    """Yield each shape with the table whose student is asked, and rows of that shape."""
    holed = numbers.copy()
    holed[:, N_NUMBERS // 2] = np.nan
    yield "(n,)", "numbers", list(numbers)
    yield "(1, n)", "numbers", [row[None] for row in numbers]
    yield "(n,), a NaN", "numbers", list(holed)
    yield "list of one list", "numbers", [[row.tolist()] for row in numbers]
    whole = frame.fillna(0.5)
    holed = whole.assign(**{f"number_{N_NUMBERS // 2}": np.nan})
    yield "list", "frame", whole.to_numpy().tolist()
    yield "list, a NaN", "frame", holed.to_numpy().tolist()
    yield "dict", "frame", whole.to_dict("records")
    yield "frame", "frame", [whole.iloc[[place]] for place in range(len(whole))]
    yield "frame of numbers", "numbers", [pd.DataFrame(row[None]) for row in numbers]
    yield "Series", "frame", [whole.iloc[place] for place in range(len(whole))]
    of_polars = pl.from_pandas(whole)
    yield "polars frame", "frame", [of_polars[place : place + 1] for place in range(len(whole))]


def measure(results, label):
    numbers, frame, scores = table()
    asked = list(shapes(numbers[:N_ASKED], frame[:N_ASKED]))
    for family in FAMILIES:
        for task in TASKS:
            if results.has(label=label, family=family, task=task):
                continue
            models = {"numbers": student(family, task, numbers, scores), "frame": student(family, task, frame, scores)}
            times = {shape: np.inf for shape, _, rows in asked if answers(models, shape, rows, asked)}
            gc.disable()
            for _ in range(ROUNDS):  # all shapes take turns, and what a neighbour disturbs is not the least
                for shape, of, rows in asked:
                    if shape in times:
                        times[shape] = min(times[shape], seconds(models[of], rows))
            gc.enable()
            microseconds = {shape: 1e6 * time / N_ASKED for shape, time in times.items()}
            results.add(label=label, family=family, task=task, **microseconds)


def answers(models, shape, rows, asked):
    """Whether a shape is answered at all; the first row also pays for the generation of code."""
    try:
        models[next(of for name, of, _ in asked if name == shape)](rows[0])
    except (TypeError, ValueError, KeyError, AttributeError, IndexError):
        return False
    return True


def seconds(model, rows):
    started = perf_counter()
    for row in rows:
        model(row)
    return perf_counter() - started


def page(results):
    """Tables of microseconds, before and today."""
    labels = [label for label in ("before", "today") if label in results.names("label")]
    cells = {(row["label"], row["family"], row["task"]): row for row in results.rows}

    def rows_of(columns, digits=1):
        for family in FAMILIES:
            for task in TASKS:
                found = [cells.get((label, family, task), {}) for label in labels]
                yield [
                    f"{family}, {task}",
                    *(" → ".join(number(column(row), digits) for row in found) for column in columns),
                ]

    def of(shape):
        return lambda row: row.get(shape, np.nan)

    def ratio(one, other):
        return lambda row: row.get(one, np.nan) / row.get(other, np.nan)

    def excess(row):
        return row.get("(1, n)", np.nan) - 1.5 * row.get("(n,)", np.nan)

    arrays = ["(n,)", "(1, n)", "list of one list", "(n,), a NaN"]
    first = markdown_table(["", *arrays], list(rows_of([of(shape) for shape in arrays])))
    ratios = markdown_table(
        ["", "(1, n) / (n,)", "(1, n) - 1.5 (n,), µs", "a NaN / complete", "a NaN / complete, raw list"],
        list(rows_of([ratio("(1, n)", "(n,)"), excess, ratio("(n,), a NaN", "(n,)"), ratio("list, a NaN", "list")], 2)),
    )
    raw = ["list", "list, a NaN", "dict", "Series", "frame", "polars frame"]
    second = markdown_table(
        ["", *raw, "frame of numbers"], list(rows_of([of(shape) for shape in (*raw, "frame of numbers")]))
    )
    return "\n\n".join([first, ratios, second])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--label", choices=("before", "today"), default="today")
    parser.add_argument("--page-only", action="store_true", help="measure nothing, write the page")
    options = parser.parse_args()
    warnings.filterwarnings("ignore", category=UserWarning)
    results = Results(HERE.with_suffix(".jsonl"))
    if not options.page_only:
        measure(results, options.label)
    write_page(HERE.with_suffix(".md"), "One row", page(results), "python docs/benchmarks/one_row.py")
