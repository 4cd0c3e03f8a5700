"""How long does a compiled student take for one row, in each input format?

    PYTHONPATH=OLDER python docs/benchmarks/one_row.py --label before
    python docs/benchmarks/one_row.py

OLDER is a checkout of the package as it was; without the first line there is no "before". Writes one_row.jsonl
(resumable; it holds both) and one_row.md beside this file. Data are generated. One thread.
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
from skdistill.students._families import FAMILIES

N_ROWS, N_NUMBERS, N_TEXTS = 600, 20, 4
N_ASKED, N_FRAMES, ROUNDS = 40, 10, 40
TASKS = ("two classes", "three classes", "values", "two outputs")
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
    model = FAMILIES[family].member(classifies="classes" in task, n_jobs=1)
    if "random_state" in model.get_params():
        model.set_params(random_state=0)
    if task == "two outputs":
        y = np.column_stack([scores, -scores])
    else:
        edges = {"two classes": [0.5], "three classes": [0.33, 0.67]}.get(task)
        y = scores if edges is None else np.searchsorted(np.quantile(scores, edges), scores)
    return skdistill.compile(model.fit(X, y))


def shapes(numbers, frame):
    """Yield each shape with the table of its student, and rows of that shape."""
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
    yield "frame", "frame", [whole.iloc[[place]] for place in range(N_FRAMES)]
    yield "frame of numbers", "numbers", [pd.DataFrame(row[None]) for row in numbers[:N_FRAMES]]
    yield "Series", "frame", [whole.iloc[place] for place in range(N_FRAMES)]
    of_polars = pl.from_pandas(whole)
    yield "polars frame", "frame", [of_polars[place : place + 1] for place in range(N_FRAMES)]


def measure(results, label):
    numbers, frame, scores = table()
    asked = list(shapes(numbers[:N_ASKED], frame[:N_ASKED]))
    for family in FAMILIES:
        for task in TASKS:
            if results.has(label=label, family=family, task=task):
                continue
            models = {"numbers": student(family, task, numbers, scores), "frame": student(family, task, frame, scores)}
            times = {shape: np.inf for shape, of, rows in asked if is_answered(models[of], rows[0])}
            gc.disable()
            for _ in range(ROUNDS):  # all shapes take turns
                for shape, of, rows in asked:
                    if shape in times:
                        times[shape] = min(times[shape], microseconds(models[of], rows))
            gc.enable()
            results.add(label=label, family=family, task=task, **times)


def is_answered(model, row):
    """Whether a shape is known at all; the first row also pays for the generation of code."""
    try:
        model(row)
    except (TypeError, ValueError, KeyError, AttributeError, IndexError):
        return False
    return True


def microseconds(model, rows):
    started = perf_counter()
    for row in rows:
        model(row)
    return 1e6 * (perf_counter() - started) / len(rows)


def of(shape):
    return lambda row: row.get(shape, np.nan)


def ratio(one, other):
    return lambda row: row.get(one, np.nan) / row.get(other, np.nan)


def over(row):
    """Return by how much a table of one row misses its aim."""
    return row.get("(1, n)", np.nan) - 1.5 * row.get("(n,)", np.nan) - 1


def page(results):
    labels = [label for label in ("before", "today") if label in results.names("label")]
    cells = {(row["label"], row["family"], row["task"]): row for row in results.rows}
    kinds = [(family, task) for family in FAMILIES for task in TASKS if ("today", family, task) in cells]

    def compared(columns, digits):
        rows = [
            [
                ", ".join(kind),
                *(
                    " → ".join(number(value(cells.get((label, *kind), {})), digits) for label in labels)
                    for value in values
                ),
            ]
            for values in [list(columns.values())]
            for kind in kinds
        ]
        return markdown_table(["", *columns], rows)

    def missed(name, value, most):
        found = {", ".join(kind): value(cells["today", *kind]) for kind in kinds}
        misses = [f"{kind} ({number(figure, 2)})" for kind, figure in found.items() if figure > most]
        return f"- {name}: {len(kinds) - len(misses)} of {len(kinds)}" + (f"; not {', '.join(misses)}" * bool(misses))

    raw = ("list", "list, a NaN", "dict", "Series", "frame", "polars frame")
    aims = [
        missed("(1, n) within 1.5 times (n,), plus 1 µs", over, 0),
        missed("a row with a NaN within 1.5 times a complete one", ratio("(n,), a NaN", "(n,)"), 1.5),
        missed("the same, raw rows", ratio("list, a NaN", "list"), 1.5),
        *(missed(f"{shape} within 100 µs", of(shape), 100) for shape in (*raw[2:], "frame of numbers")),
    ]
    return "\n\n".join(
        [
            f"Students of all families with their default sizes, fitted to {N_ROWS} generated rows: an array of "
            f"{N_NUMBERS} complete numeric columns, and a frame with as many numeric columns, of which 2 % of the "
            f"cells are missing, and {N_TEXTS} text columns. The tables show microseconds for one row (every call "
            f"uses another row): the minimum of {ROUNDS} rounds in which all input formats take turns, on a machine "
            "with other load. The values are before → today; a dash means that the format was not supported.",
            "## Goals met today",
            "\n".join(aims),
            "## Numeric rows",
            compared({shape: of(shape) for shape in ("(n,)", "(1, n)", "list of one list", "(n,), a NaN")}, 1),
            compared({"(1, n) / (n,)": ratio("(1, n)", "(n,)"), "a NaN / complete": ratio("(n,), a NaN", "(n,)")}, 2),
            "## Rows of a frame with text",
            "The last column is a numeric frame, passed to the student of numeric rows.",
            compared({shape: of(shape) for shape in (*raw, "frame of numbers")}, 1),
            compared(
                {"a NaN / complete, lists": ratio("list, a NaN", "list"), "dict / list": ratio("dict", "list")}, 2
            ),
        ]
    )


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
