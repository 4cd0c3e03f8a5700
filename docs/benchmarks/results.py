"""Tables of results: written as JSON lines while a benchmark runs, then as a page of Markdown."""

import argparse
import datetime
import json
import platform
import warnings
from pathlib import Path

import lightgbm
import numpy as np
import sklearn

import skdistill


class Results:
    """Rows of a benchmark, kept in a file of JSON lines so that a run that was stopped goes on."""

    def __init__(self, path):
        self.path = Path(path)
        self.rows = [json.loads(line) for line in self.path.read_text().splitlines()] if self.path.exists() else []

    part = None

    def has(self, **key):
        return any(all(row.get(name) == value for name, value in key.items()) for row in self.rows)

    def mine(self, cells):
        """Return the cells of this process: all of them, or every Nth."""
        first, step = self.part or (0, 1)
        return cells[first::step]

    def add(self, **row):
        self.rows.append(row)
        with self.path.open("a") as file:
            file.write(json.dumps(row, default=float) + "\n")
        print(
            "  ".join(f"{name}={value:.4g}" if isinstance(value, float) else f"{value}" for name, value in row.items())
        )

    def mean(self, value, **key):
        chosen = [row.get(value) for row in self.rows if all(row.get(name) == wanted for name, wanted in key.items())]
        chosen = [number for number in chosen if number is not None]
        return float(np.mean(chosen)) if chosen else float("nan")

    def names(self, column):
        return list(dict.fromkeys(row[column] for row in self.rows))


def number(value, digits=3):
    """Return a number as text: thousands grouped, missing as a dash."""
    if np.isnan(value):
        return "–"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.{digits}f}" if abs(value) < 100 else f"{value:.0f}"


def markdown_table(header, rows):
    lines = ["| " + " | ".join(header) + " |", "|" + "|".join(["---"] + ["---:"] * (len(header) - 1)) + "|"]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def write_page(path, title, text, command):
    """Write a page with the command that made it, the date, and the versions it was made with."""
    made = (
        f"Made by `{command}` on {datetime.date.today()}, two cores, Python {platform.python_version()}, "
        f"scikit-learn {sklearn.__version__}, LightGBM {lightgbm.__version__}, skdistill {skdistill.__version__}."
    )
    Path(path).write_text(f"# {title}\n\n{made}\n\n{text.strip()}\n")


def run(script, title, description, measure, page):
    """Measure what is missing in the script's JSON lines, with the tables of ``--data``, and write its page."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="folder of the tables, see tables.py")
    parser.add_argument("--page-only", action="store_true", help="measure nothing, write the page")
    parser.add_argument("--part", help="K/N: measure every Nth cell only, into its own file")
    options = parser.parse_args()
    warnings.filterwarnings("ignore", message="X does not have valid feature names")
    warnings.filterwarnings("ignore", message="Found unknown categories")
    results = Results(Path(script).with_suffix(".jsonl"))
    if options.part:
        first, step = map(int, options.part.split("/"))
        known, results = results.rows, Results(Path(script).with_suffix(f".part{first}.jsonl"))
        results.part, results.rows = (first, step), known + results.rows
        measure(results, options.data)
        return
    for path in sorted(Path(script).parent.glob(f"{Path(script).stem}.part*.jsonl")):
        for row in Results(path).rows:
            results.add(**row)
        path.unlink()
    if not options.page_only:
        measure(results, options.data)
    name = Path(script).name
    write_page(Path(script).with_suffix(".md"), title, page(results), f"python docs/benchmarks/{name} --data FOLDER")
