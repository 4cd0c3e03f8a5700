"""Statements of SQL: numbers that are exact, quoted names, and what databases do not take."""

import sqlite3

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_models import HOSTILE, random_design, random_model
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression
from sklearn.tree import DecisionTreeRegressor

from skdistill.compiled import Columns, CompiledModel, Linear
from skdistill.exceptions import ExportError
from skdistill.export import _sql_trees, to_sql
from skdistill.export._dialects import exact_in_sqlite, identifier, string
from skdistill.export._program import _inputs
from skdistill.export._sql import edges_of


@settings(max_examples=20)
@given(st.lists(st.floats(allow_nan=False), min_size=20, max_size=60))
def test_thresholds_are_exact_in_sqlite(values):
    """Every double is compared as itself, although SQLite does not round all decimals to the nearest double."""
    values = [*values, 5e-324, 1.7976931348623157e308, 0.1, 2.0**-1074 * 3, 7.006492321624085e-46, -2.5]
    connection = sqlite3.connect(":memory:")
    found = connection.execute(f"SELECT {', '.join(map(exact_in_sqlite, values))}").fetchone()
    connection.close()
    assert list(found) == values


@pytest.mark.parametrize("text", [*HOSTILE, "a\\'b", "'", '"', "''"])
def test_quoted_texts(text):
    """Names and texts come back as they were."""
    connection = sqlite3.connect(":memory:")
    cursor = connection.execute(f"SELECT {string(text)} AS {identifier(text)}")
    assert cursor.fetchone() == (text,)
    assert cursor.description[0][0] == text
    connection.close()


@pytest.mark.parametrize("seed", range(5))
def test_ends_of_inputs(seed):
    """At the ends, an input has its lowest or highest value; one double further inside, it has not."""
    rng = np.random.default_rng(seed)
    inputs = _inputs(random_design(rng, Columns([None] * 5, rng.random(5) < 0.3)).content())
    lower, upper = map(np.array, edges_of(inputs))

    def scaled(cells):
        with np.errstate(over="ignore"):
            return (cells - inputs.center) / inputs.scale

    has_ends = np.isfinite(inputs.low)
    assert np.all(scaled(lower) <= inputs.low, where=has_ends)
    assert np.all(scaled(upper) >= inputs.high, where=has_ends)
    assert np.all(scaled(np.nextafter(lower, np.inf)) > inputs.low, where=has_ends)
    assert np.all(scaled(np.nextafter(upper, -np.inf)) < inputs.high, where=has_ends)


def linear(names):
    return CompiledModel(Linear(np.ones((len(names), 1)), np.zeros(1)), is_single=True, names=names)


@pytest.mark.parametrize(
    ("names", "options", "match"),
    [
        (["a", "A"], {}, "but for upper and lower case"),
        (["a\0b"], {}, "NUL or a lone surrogate"),
        (["\ud800"], {}, "NUL or a lone surrogate"),
        (["", "b"], {}, "empty name"),
        (["a"], {"table": ""}, "is empty"),
        (["a"], {"table": "skdistill_1"}, "does not begin with"),
        (["a"], {"key": "value"}, "expected distinct names other than"),
        (["a"], {"key": ["id", "ID"]}, "expected distinct names other than"),
    ],
)
def test_names_that_databases_do_not_take(names, options, match):
    """An error says which, before anything is written."""
    with pytest.raises(ExportError, match=match):
        to_sql(linear(names), **options)


def test_names_that_differ_in_case():
    """PostgreSQL tells them apart."""
    exported = to_sql(linear(["a", "A"]), dialect="postgresql")
    assert exported.largest_difference is None
    assert exported.n_rows == 0
    with pytest.raises(ValueError, match="expected one of"):
        to_sql(linear(["a"]), dialect="oracle")


def test_models_that_are_too_large():
    """Too many bytes, or too many columns in a step."""
    X = np.random.RandomState(0).normal(size=(2000, 3))
    forest = RandomForestClassifier(40, random_state=0, max_features=1).fit(X, X[:, 0] * X[:, 1] > 0)
    with pytest.raises(ExportError, match="expected at most 1,000,000"):
        to_sql(forest)
    wide = LinearRegression().fit(np.eye(1501)[:3], [0, 1, 2])
    with pytest.raises(ExportError, match="expected at most 1500"):
        to_sql(wide)


@pytest.mark.parametrize("most", [0, 1, 2])
def test_deep_trees_are_lists_of_conditions(monkeypatch, most):
    """Below a depth, conditions are not nested: the first leaf whose conditions hold is that of the row."""
    monkeypatch.setattr(_sql_trees, "MAX_NESTED", most)
    for seed in range(3):
        assert to_sql(random_model(seed, "forest")).largest_difference <= 1e-9
    monkeypatch.setattr(_sql_trees, "MAX_CONDITIONS", 0)
    X = np.arange(8.0)[:, None]
    with pytest.raises(ExportError, match="more than 0 conditions"):
        to_sql(DecisionTreeRegressor().fit(X, X[:, 0] ** 2))


def test_a_missing_column_is_an_error():
    """SQLite would read the name of a column that does not exist as a text."""
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE rows (b REAL)")
    with pytest.raises(sqlite3.OperationalError, match="no such column"):
        connection.execute(to_sql(linear(["a"])).text)
    connection.close()


def test_postgresql_has_its_own_words():
    """Numbers have a type, and exponents stay within what does not raise errors."""
    text = to_sql(random_model(1), dialect="postgresql").text
    assert "::float8" in text
    assert "9e999" not in text
