"""What ``memory=`` saves, and what it costs: a grid of student sizes, growing tables, look-ups and bytes, in one run.

    python docs/benchmarks/label_once.py [another checkout of skdistill]

Needs no data beyond scikit-learn's. Writes label_once.md beside this file. With another checkout, its numbers are
measured in the same run.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

import joblib
import numpy as np
from results import markdown_table, write_page
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.tree import DecisionTreeRegressor

from skdistill import DistilledClassifier, as_teacher
from skdistill.teachers import query_teacher

SIZES = {"student__max_leaf_nodes": [8, 16, 24, 32, 48, 64, 96, 128]}
CV = 3


class CountingForest(RandomForestClassifier):
    """A forest that counts the rows it labels and the seconds this takes."""

    rows = 0
    seconds = 0.0

    def predict_proba(self, X):
        started = perf_counter()
        answer = super().predict_proba(X)
        CountingForest.rows += len(X)
        CountingForest.seconds += perf_counter() - started
        return answer


def search(teacher, X, y, memory):
    CountingForest.rows, CountingForest.seconds = 0, 0.0
    model = DistilledClassifier(teacher, DecisionTreeRegressor(random_state=0), memory=memory, random_state=0)
    started = perf_counter()
    best = GridSearchCV(model, SIZES, cv=CV, scoring=lambda fitted, X, y: fitted.score(X, y)).fit(X, y)
    return perf_counter() - started, CountingForest.rows, CountingForest.seconds, best.best_score_


N_ROWS, N_COLUMNS, N_OUTPUTS = 1_000_000, 20, 3
GROWING = [int(20_000 * 1.1**step) for step in range(11)]


def size_of(folder):
    return sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())


def grid():
    """Return a row of the table for each use of the memory."""
    X, y = load_digits(return_X_y=True)
    teacher = CountingForest(500, random_state=0).fit(X[:900], y[:900])
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for label, memory in (("without memory", None), ("with memory, empty", folder), ("with memory, again", folder)):
            seconds, asked, asking, score = search(teacher, X[900:], y[900:], memory)
            rows.append([label, f"{seconds:.1f}", f"{asked:,}", f"{asking:.1f}", f"{score:.4f}"])
        return {"rows": rows, "megabytes": size_of(folder) / 1e6}


def first_columns(rows):
    return rows[:, :N_OUTPUTS]


class Weighted:
    """A cheap teacher of several outputs."""

    def predict(self, rows):
        return first_columns(rows) * 0.1


def look_ups():
    """Return seconds to store and to find a million rows, and the bytes that they take."""
    X = np.random.default_rng(0).normal(size=(N_ROWS, N_COLUMNS))
    teacher = as_teacher(Weighted())
    started = perf_counter()
    query_teacher(teacher, X)
    asking = perf_counter() - started
    with tempfile.TemporaryDirectory() as folder:
        seconds = []
        for _ in range(4):
            started = perf_counter()
            query_teacher(teacher, X, memory=joblib.Memory(folder, verbose=0))
            seconds.append(perf_counter() - started)
        return {
            "asking": asking,
            "storing": seconds[0] - asking,
            "finding": min(seconds[1:]),
            "bytes": size_of(folder) / N_ROWS,
        }


class CountingService:
    """Counts the rows that it labels; its state, as it declares it, is its version."""

    rows = 0

    def __getstate__(self):
        return {"version": 1}

    def predict(self, rows):
        CountingService.rows += len(rows)
        return rows[:, 0]


def growing():
    """Return the rows that are asked as a table grows ten times by ten per cent."""
    X = np.random.default_rng(0).normal(size=(GROWING[-1], N_COLUMNS))
    with tempfile.TemporaryDirectory() as folder:
        for n_rows in GROWING:
            query_teacher(as_teacher(CountingService()), X[:n_rows], memory=joblib.Memory(folder, verbose=0))
    return CountingService.rows


def measure(checkout):
    """Measure a checkout in a process of its own."""
    env = {**os.environ, "PYTHONPATH": checkout, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-W", "ignore", __file__, "--measure"]
    return json.loads(subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout)


def grid_section(title, found):
    header = [title, "seconds", "rows the forest labelled", "labelling, seconds", "best score"]
    return f"{markdown_table(header, found['grid']['rows'])}\n\nThe folder takes {found['grid']['megabytes']:.0f} MB."


def store_section(measured):
    header = ["", *measured]
    of_answers = N_OUTPUTS * 8
    rows = [
        ["rows found a second", *(f"{N_ROWS / found['look_ups']['finding']:,.0f}" for found in measured.values())],
        ["rows stored a second", *(f"{N_ROWS / found['look_ups']['storing']:,.0f}" for found in measured.values())],
        ["bytes a row", *(f"{found['look_ups']['bytes']:.1f}" for found in measured.values())],
        ["rows asked, table grown ten times by 10 %", *(f"{found['growing']:,}" for found in measured.values())],
    ]
    return (
        f"## The store\n\n{markdown_table(header, rows)}\n\nOne processor core; {N_ROWS:,} rows of {N_COLUMNS} "
        f"numbers with {N_OUTPUTS} outputs ({of_answers} bytes), and a table that grows from {GROWING[0]:,} to "
        f"{GROWING[-1]:,} rows in {len(GROWING)} queries. Look-ups include hashing the rows, reading and checking the "
        "files, and 16 rows that the teacher labels again."
    )


if __name__ == "__main__":
    if sys.argv[1:] == ["--measure"]:
        print(json.dumps({"grid": grid(), "look_ups": look_ups(), "growing": growing()}))
        raise SystemExit
    here = str(Path(__file__).parents[2])
    measured = {"this build": measure(here)}
    if sys.argv[1:]:
        measured["the build before"] = measure(sys.argv[1])
    print(measured)
    text = "\n\n".join(
        [
            *(grid_section(f"8 sizes, 3 folds, 25 fits: {name}", found) for name, found in measured.items()),
            "With a full memory, the forest only labels 16 rows in a fit, by which a change of the teacher is noticed, "
            "or 32 if the rows are from several earlier fits. Each fit hashes what the teacher holds, because it may "
            "have changed in place: about 25 ms for this forest. The memory stores the drawn rows and the outputs. The "
            "scores are equal: the memory only changes the time.",
            store_section(measured),
        ]
    )
    write_page(Path(__file__).parent / "label_once.md", "Label once", text, "python docs/benchmarks/label_once.py")
