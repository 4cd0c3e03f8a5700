"""Statements for PostgreSQL, where its server is installed: they are run on a server of their own."""

import csv
import datetime as dt
import io
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import pytest
from random_models import random_model
from random_pipelines import random_pipeline

import skdistill
from skdistill.export import to_sql
from skdistill.export._dialects import identifier, string
from skdistill.export._export import largest_difference
from skdistill.export._program import program_of
from skdistill.export._rows import rows_for
from skdistill.students._families import FAMILIES

PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not PROGRAMS, reason="PostgreSQL is not installed: its dialect is not tested"),
]
KINDS = {"number": "float8", "time": "timestamp", "category": "text"}


@pytest.fixture(scope="module")
def query():
    """A function that runs statements and returns rows of texts; the server has no network."""
    home, bin = Path(tempfile.mkdtemp()), PROGRAMS[-1].parent
    home.chmod(0o777)
    options = {"user": "nobody"} if os.getuid() == 0 else {}  # the server refuses to run as root
    environment = {"PATH": f"{bin}:/usr/bin:/bin", "HOME": str(home), "LC_ALL": "C.UTF-8"}

    def run(*command, **others):
        return subprocess.run(command, env=environment, capture_output=True, timeout=120, **options, **others)

    def sql(text):
        words = ("-U", "postgres", "-v", "ON_ERROR_STOP=1", "-q", "--csv", "-t", "-f", "-")
        done = run(bin / "psql", "-h", home, *words, input=text.encode())
        assert done.returncode == 0, done.stderr.decode()
        return list(csv.reader(io.StringIO(done.stdout.decode())))

    data = home / "data"
    run(bin / "initdb", "-D", data, "-U", "postgres", "--no-sync", "-A", "trust", "-E", "UTF8", check=True)
    start = ("-w", "-o", f"-F -k {home} -c listen_addresses=''", "-l", home / "log", "start")
    run(bin / "pg_ctl", "-D", data, *start, check=True)
    yield sql
    run(bin / "pg_ctl", "-D", data, "-m", "immediate", "stop")
    shutil.rmtree(home)


def literal(cell, kind):
    if cell is None or cell != cell:
        return "NULL"
    if kind == "time":
        return f"'{dt.datetime(1970, 1, 1) + dt.timedelta(microseconds=int(cell))}'"
    return string(cell) if kind == "category" else f"'{cell!r}'::float8"


def assert_answers(query, model, *, with_huge=True):
    """PostgreSQL gives the outputs of the model."""
    program = program_of(model)
    rows = rows_for(model, program)
    chosen = np.flatnonzero(~rows.is_odd | with_huge)
    columns = ", ".join(f"{identifier(column.name)} {KINDS[column.kind]}" for column in program.columns)
    kinds = [column.kind for column in program.columns]
    cells = ([str(index), *map(literal, rows.plain[index], kinds)] for index in chosen)
    values = ",\n".join(f"({', '.join(row)})" for row in cells)
    text = to_sql(model, dialect="postgresql", key="the id").text
    found = query(
        f'DROP TABLE IF EXISTS rows; CREATE TABLE rows ("the id" int, {columns}); INSERT INTO rows VALUES {values};\n'
        f'SET extra_float_digits = 3; SELECT * FROM ({text}) AS found ORDER BY "the id";'
    )
    answers = np.full(rows.expected.shape, np.nan)
    answers[chosen] = [[float(cell or "nan") for cell in row[1 : 1 + program.n_outputs]] for row in found]
    rows.expected[np.setdiff1d(np.arange(len(answers)), chosen)] = np.nan
    assert largest_difference(rows, answers, is_classifier=program.classes is not None) <= 1e-9


@pytest.mark.parametrize("seed", range(40))
def test_drawn_models(query, seed):
    """Every kind of model and column; only usual numbers where outputs would be infinite, which is an error there."""
    assert_answers(query, random_model(seed), with_huge=False)


@pytest.mark.parametrize("seed", range(20))
def test_pipelines(query, seed):
    """Pipelines of scalers, imputers and encoders, with their models."""
    pipeline, _ = random_pipeline(seed)
    assert_answers(query, skdistill.compile(pipeline, dtype="float64"), with_huge=False)


@pytest.mark.parametrize("family", FAMILIES)
def test_students(query, family):
    """The families of students also take huge and tiny numbers."""
    X = np.random.RandomState(0).normal(size=(150, 3))
    X[::7, 1] = np.nan
    student = FAMILIES[family].member(classifies=True).fit(X, np.digitize(X[:, 0], [-0.5, 0.5]))
    assert_answers(query, skdistill.compile(student, dtype="float64"))
