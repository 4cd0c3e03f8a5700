"""Running an exported model as its users do: in a process of its own, or in a database in memory."""

import datetime as dt
import json
import math
import pickle
import shutil
import sqlite3
import struct
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

import numpy as np

from .._coding import is_missing_object, naive_utc
from .._spelling import spelled
from ..exceptions import ExportError
from ._dialects import identifier
from ._identifiers import field_names
from ._integers import Integers
from ._javascript import literal
from ._program import Program

TIME_LIMIT = 240
"""Seconds after which a run is given up."""

Answers = tuple[list[list[float]], list[Any] | None]
"""The outputs of each row and, for classifiers, the labels."""


class NoRuntimeError(Exception):
    """There is nothing on this machine that runs the language."""


def run(command: list[str], directory: str, data: bytes = b"") -> bytes:
    """Return what a command writes; its errors are those of the export."""
    try:
        done = subprocess.run(command, cwd=directory, input=data, capture_output=True, timeout=TIME_LIMIT, check=False)
    except subprocess.TimeoutExpired:
        raise ExportError(
            f"export: {command[0]} did not end within {TIME_LIMIT} seconds. Export a smaller model."
        ) from None
    if done.returncode != 0:
        message = done.stderr.decode(errors="replace")[-1000:]
        raise ExportError(f"export: {command[0]} failed on the exported model: {message}")
    return done.stdout


def runtime(name: str) -> str:
    """Return the path of a program."""
    found = shutil.which(name)
    if found is None:
        raise NoRuntimeError(name)
    return found


_PYTHON_DRIVER = """
import json, pickle, runpy, sys
model = runpy.run_path("model.py")
rows = pickle.loads(sys.stdin.buffer.read())
labels = None
if "CLASSES" in model:
    outputs = [model["predict_proba"](row) for row in rows]
    labels = [model["CLASSES"].index(model["predict"](row)) for row in rows]
else:
    outputs = [model["predict"](row) for row in rows]
    outputs = [list(values) if isinstance(values, (list, tuple)) else [values] for values in outputs]
print(json.dumps([outputs, labels]))
"""


def run_python(text: str, rows: list[list[Any]]) -> Answers:
    """Run a module in a Python process without site packages."""
    with tempfile.TemporaryDirectory() as directory:
        Path(directory, "model.py").write_text(text, encoding="utf-8")
        Path(directory, "driver.py").write_text(_PYTHON_DRIVER, encoding="utf-8")
        output = run([sys.executable, "-I", "-S", "driver.py"], directory, pickle.dumps(rows))
    outputs, labels = json.loads(output)
    return outputs, labels


C_FLAGS = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-O2"]


@dataclass
class CRun:
    """A C file with its header, which is compiled and run on rows.

    Parameters
    ----------
    program : Program
    text, header, name : str
    cell : str, default="double"
        Type of numbers.
    integers : Integers or None, default=None
        The model of integers, whose scores are returned as numbers.
    flags : list of str
        Options of ``gcc``.
    """

    program: Program
    text: str
    header: str
    name: str
    cell: str = "double"
    integers: Integers | None = None
    flags: Sequence[str] = tuple(C_FLAGS)
    object_bytes: int | None = None
    """Size of code and tables, after a run."""

    def __call__(self, rows: list[list[Any]]) -> Answers:
        """Compile the file, and run it on rows one by one and together."""
        compiler = runtime("gcc")
        with tempfile.TemporaryDirectory() as directory:
            Path(directory, "model.c").write_text(self.text, encoding="utf-8")
            Path(directory, "model.h").write_text(self.header, encoding="utf-8")
            Path(directory, "main.c").write_text(self._main(), encoding="utf-8")
            run([compiler, *self.flags, "-c", "model.c"], directory)
            self.object_bytes = object_bytes(directory)
            maths = ["-lm"] if "<math.h>" in self.text else []
            run([compiler, *self.flags, "main.c", "model.o", "-o", "main", *maths], directory)
            output = run([str(Path(directory, "main"))], directory, _bytes_of(rows))
        numbers = np.frombuffer(output, dtype=np.float64).reshape(-1, self._n_answers + 1)
        labels = None if self.program.classes is None else numbers[:, -1].astype(int).tolist()
        one = 1.0 if self.integers is None else 2.0**self.integers.shift
        return (numbers[:, :-1] / one).tolist(), labels

    @property
    def _n_answers(self) -> int:
        return self.program.n_outputs if self.integers is None else self.program.n_scores

    def _main(self) -> str:
        program, name = self.program, self.name
        number = "read_number()" if self.integers is None else f"read_integer({name}_missing)"
        reads = []
        for field, column in zip(field_names(column.name for column in program.columns), program.columns, strict=True):
            read = "read_text()" if column.kind == "category" else f"({self.cell}){number}"
            reads.append(f"        rows[i].{field} = {read};")
        words = {"name": name, "n_outputs": self._n_answers, "cell": self.cell, "label": 0, "reads": "\n".join(reads)}
        words["one"] = f"{name}_predict(rows + i, OUT)"
        if program.classes is not None:
            words["one"] = f"{name}_{'predict_proba' if self.integers is None else 'scores'}(rows + i, OUT)"
            words["label"] = f"{name}_predict(rows + i)"
        elif program.is_single:
            words["one"] = f"*OUT = {name}_predict(rows + i)"
        words["many"] = self._many(str(words["one"]))
        words["one"] = str(words["one"]).replace("OUT", "(out)")
        return Template(_MAIN_OF_C).substitute(words)

    def _many(self, one: str) -> str:
        """Return what fills the outputs and labels of all rows: the functions for many rows, if there are any."""
        name, of_labels = self.name, self.program.classes is not None
        if self.integers is not None:
            one = one.replace("OUT", f"(outs + i * {self._n_answers})")
            label = f"labels[i] = {name}_predict(rows + i);" if of_labels else ""
            return f"for (int i = 0; i < n_rows; i++) {{ {one}; {label} }}"
        if not of_labels:
            return f"{name}_predict_batch(rows, (size_t)n_rows, outs);"
        many = f"{name}_predict_proba_batch(rows, (size_t)n_rows, outs);"
        return f"{many}\n    {name}_predict_batch(rows, (size_t)n_rows, labels);"


def object_bytes(directory: str) -> int | None:
    """Return the size of code and tables of a compiled C file; ``None`` without ``size``."""
    try:
        return int(run([runtime("size"), "model.o"], directory).split(b"\n")[1].split()[0])
    except NoRuntimeError:
        return None


_MAIN_OF_C = """
#include <stdio.h>
#include <stdlib.h>
#include "model.h"

static void must_read(void *data, size_t size)
{
    if (size != 0 && fread(data, size, 1, stdin) != 1)
        exit(3);
}

double read_number(void);
double read_number(void)
{
    double number;
    must_read(&number, sizeof number);
    return number;
}

int32_t read_integer(int32_t missing);
int32_t read_integer(int32_t missing)
{
    double number = read_number();
    return number != number ? missing : (int32_t)number;
}

char *read_text(void);
char *read_text(void)
{
    int length;
    must_read(&length, sizeof length);
    if (length < 0)
        return NULL;
    char *text = malloc((size_t)length + 1);
    if (text == NULL)
        exit(4);
    must_read(text, (size_t)length);
    text[length] = 0;
    return text;
}

int main(void)
{
    int n_rows;
    must_read(&n_rows, sizeof n_rows);
    ${name}_row *rows = malloc((size_t)(n_rows + 1) * sizeof *rows);
    $cell *outs = malloc((size_t)(n_rows + 1) * ${n_outputs} * sizeof *outs);
    int *labels = calloc((size_t)(n_rows + 1), sizeof *labels);
    if (rows == NULL || outs == NULL || labels == NULL)
        exit(4);
    for (int i = 0; i < n_rows; i++) {
$reads
    }
    $many
    for (int i = 0; i < n_rows; i++) {
        $cell out[${n_outputs}];
        $one;
        for (int k = 0; k < ${n_outputs}; k++) {
            double number = out[k], together = outs[i * ${n_outputs} + k];
            if (number != together && (number == number || together == together)) {
                fprintf(stderr, "row %d differs in a batch: %.17g and %.17g", i, number, together);
                exit(5);
            }
            fwrite(&number, sizeof number, 1, stdout);
        }
        double label = $label;
        if (label != labels[i])
            exit(6);
        fwrite(&label, sizeof label, 1, stdout);
    }
    exit(0);
}
"""


def _bytes_of(rows: list[list[Any]]) -> bytes:
    """Return rows of floats, texts and ``None`` as a C program reads them."""
    packed = [struct.pack("i", len(rows))]
    for row in rows:
        for cell in row:
            if isinstance(cell, float):
                packed.append(struct.pack("d", cell))
            else:
                text = b"" if cell is None else cell.encode(errors="replace").split(b"\0")[0]
                packed.append(struct.pack("i", -1 if cell is None else len(text)) + text)
    return b"".join(packed)


_JAVASCRIPT_DRIVER = """
import * as model from "./model.mjs";
const rows = {rows};
const plain = (values) => values.map((value) => (Number.isFinite(value) ? value : String(value)));
const outputs = rows.map((row) => {{
  const found = model.classes === undefined ? model.predict(row) : model.predictProba(row);
  return plain(Array.isArray(found) ? found : [found]);
}});
const labels = model.classes === undefined ? null : rows.map((row) => model.classes.indexOf(model.predict(row)));
console.log(JSON.stringify([outputs, labels]));
"""


def run_javascript(text: str, rows: list[list[Any]]) -> Answers:
    """Run a module in node."""
    node = runtime("node")
    cells = (", ".join(_cell_of_javascript(cell, index) for cell in row) for index, row in enumerate(rows))
    driver = _JAVASCRIPT_DRIVER.format(rows="[\n" + ",\n".join(f"[{row}]" for row in cells) + "]")
    with tempfile.TemporaryDirectory() as directory:
        Path(directory, "model.mjs").write_text(text, encoding="utf-8")
        Path(directory, "driver.mjs").write_text(driver, encoding="utf-8")
        output = run([node, "driver.mjs"], directory)
    outputs, labels = json.loads(output)
    return [[float(value) for value in row] for row in outputs], labels


def _cell_of_javascript(cell: Any, index: int) -> str:
    """Return the literal of a cell; missing ones are written as null, undefined or NaN in turn."""
    if is_missing_object(cell):
        return ("null", "undefined", "NaN")[index % 3]
    if isinstance(cell, dt.timedelta):
        return literal(float(cell // dt.timedelta(microseconds=1)))
    if isinstance(cell, dt.date):
        moment = naive_utc(cell).astype("M8[us]")
        microseconds = int(moment.astype(np.int64))
        if microseconds % 1000 == 0 and index % 2:
            return f"new Date({microseconds // 1000})"
        return (
            literal(str(moment))
            if 0 < dt.date.fromisoformat(str(moment)[:10]).year < 10000 and index % 3
            else literal(float(microseconds))
        )
    return literal(cell if isinstance(cell, bool | int | float | str) else spelled(cell))


def run_sqlite(program: Program, text: str, rows: list[list[Any]], table: str, key: Sequence[str]) -> Answers:
    """Run a statement of SQLite on a table in memory."""
    connection = sqlite3.connect(":memory:")
    try:
        try:
            connection.execute("SELECT exp(1.0), power(2.0, 2.0)")
        except sqlite3.OperationalError:
            raise NoRuntimeError("SQLite with mathematical functions") from None
        kinds = {"number": "REAL", "time": "", "category": "TEXT"}
        return _run_sql(connection, program, text, _sql_rows(program, rows, _date_text), table, key, kinds)
    except sqlite3.Error as error:
        raise ExportError(f"export: SQLite failed on the exported model: {error}") from error
    finally:
        connection.close()


def run_duckdb(program: Program, text: str, rows: list[list[Any]], table: str, key: Sequence[str]) -> Answers:
    """Run a statement of DuckDB on a table in memory."""
    try:
        import duckdb
    except ImportError:
        raise NoRuntimeError('DuckDB (pip install "skdistill[sql]")') from None
    connection = duckdb.connect(":memory:")
    try:
        kinds = {"number": "DOUBLE", "time": "TIMESTAMP", "category": "VARCHAR"}
        return _run_sql(connection, program, text, _sql_rows(program, rows, _date), table, key, kinds)
    except duckdb.Error as error:
        raise ExportError(f"export: DuckDB failed on the exported model: {error}") from error
    finally:
        connection.close()


def _run_sql(
    connection: Any,
    program: Program,
    text: str,
    rows: list[list[Any]],
    table: str,
    key: Sequence[str],
    kinds: dict[str, str],
) -> Answers:
    """Create a table of rows, run a statement on it, and return what it selects."""
    known = {column.name for column in program.columns}
    others = [name for name in key if name not in known]
    columns = [f"{identifier(column.name)} {kinds[column.kind]}" for column in program.columns]
    columns += [f"{identifier(name)} INTEGER" for name in others]
    connection.execute(f"CREATE TABLE {identifier(table)} ({', '.join(columns)})")
    marks = ", ".join("?" * len(columns))
    filled = [[*row, *([index] * len(others))] for index, row in enumerate(rows)]
    connection.executemany(f"INSERT INTO {identifier(table)} VALUES ({marks})", filled)
    found = [row[len(key) :] for row in connection.execute(text).fetchall()]
    outputs = [[math.nan if value is None else value for value in row[: program.n_outputs]] for row in found]
    if program.classes is None:
        return outputs, None
    place = {label: index for index, label in enumerate(program.classes)}
    return outputs, [-1 if row[-1] is None else place[row[-1]] for row in found]


def _sql_rows(program: Program, rows: list[list[Any]], date: Callable[[float], Any]) -> list[list[Any]]:
    """Return rows with NULL for missing cells and dates as the database takes them."""
    is_time = [column.kind == "time" for column in program.columns]
    return [
        [
            None if cell is None or cell != cell else date(cell) if of_time else cell
            for cell, of_time in zip(row, is_time, strict=True)
        ]
        for row in rows
    ]


def _date(microseconds: float) -> dt.datetime:
    return dt.datetime(1970, 1, 1) + dt.timedelta(microseconds=int(microseconds))


def _date_text(microseconds: float) -> Any:
    """Return an ISO text or, for every third moment, the number of microseconds."""
    return microseconds if int(microseconds) % 3 == 0 else _date(microseconds).isoformat(" ")
