"""Numbers that are large compared with their differences cost no student any fidelity."""

import pickle
import re
from functools import cache

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lightgbm import LGBMRegressor
from scipy import sparse
from sklearn.tree import DecisionTreeRegressor

import skdistill
from skdistill.compiled import scorer_from_content
from skdistill.exceptions import StudentError
from skdistill.students import CompactBoostingRegressor, CompactHybridRegressor, CompactTreeRegressor
from skdistill.students._families import FAMILIES

RNG = np.random.default_rng(0)
ROWS = RNG.integers(64, 320, (300, 3)) / 64
"""On a grid, so that offsets up to 2**40 are added exactly; far from zero, where LightGBM cuts columns in two."""
VALUES = np.sin(3 * ROWS[:, 0]) + (ROWS[:, 1] > 2.5) + 0.3 * ROWS[:, 2]
IS_HIGH = VALUES - VALUES.mean() > 0

SECONDS = RNG.integers(0, 600, 400)
WAVE = np.sin(SECONDS / 60)
SINCE_1970 = 1_700_000_000 + SECONDS
TIMES = SINCE_1970.astype("M8[s]")
TABLES = {
    "floats": SINCE_1970[:, None].astype(float),
    "integers": SINCE_1970[:, None],
    "objects": SINCE_1970[:, None].astype(object),
    "a sparse matrix": sparse.csr_matrix(SINCE_1970[:, None].astype(float)),
    "pandas": pd.DataFrame({"t": SINCE_1970}),
    "pandas times": pd.DataFrame({"t": TIMES.astype("M8[ns]")}),
    "polars": pl.DataFrame({"t": SINCE_1970}),
    "polars times": pl.DataFrame({"t": TIMES.astype("M8[us]")}),
    "durations": pd.DataFrame({"t": pd.to_timedelta(SINCE_1970, unit="s")}),
}


@cache
def fitted(family, classifies, offset=(0.0, 0.0, 0.0)):
    """Return a student fitted on the rows plus an offset of each column."""
    student = FAMILIES[family].member(classifies=classifies)
    small = {"random_state": 0, "n_trees": 10, "max_epochs": 5, "n_landmarks": 20, "n_knots": 20}
    student.set_params(**{name: value for name, value in small.items() if name in student.get_params()})
    return student.fit(ROWS + np.array(offset), IS_HIGH if classifies else VALUES)


def outputs_of(student, rows):
    """Return the probabilities of the second class, or the values."""
    return student.predict_proba(rows)[:, 1] if hasattr(student, "classes_") else student.predict(rows)


@pytest.mark.parametrize("family", FAMILIES)
@settings(max_examples=2, deadline=None)
@given(
    exponents=st.lists(st.integers(8, 40), min_size=3, max_size=3),
    sign=st.sampled_from([-1, 1]),
    classifies=st.booleans(),
)
def test_an_offset_changes_no_prediction(family, exponents, sign, classifies):
    """However large: trees are the same, others as near as rounded centres allow, and one row is one of many."""
    offset = sign * 2.0 ** np.array(exponents)
    near, far = fitted(family, classifies), fitted(family, classifies, tuple(offset))
    expected, got = outputs_of(near, ROWS), outputs_of(far, ROWS + offset)
    tolerance = 1e-9 if family in ("tree", "boosting") else 0.02
    assert np.mean((got - expected) ** 2) <= tolerance * expected.var()
    compiled = skdistill.compile(far)
    outside = np.array([[np.nan, np.inf, -np.inf], [0, 1e300, -1e300], offset, 3 * offset])
    some = np.vstack([ROWS[:20] + offset, outside])
    for form in (some, some.tolist()):
        np.testing.assert_allclose(
            [compiled(row) for row in form], compiled(some), rtol=0, atol=1e-9 * np.ptp(expected)
        )


@pytest.mark.thinned(3)
@pytest.mark.parametrize("kind", TABLES)
@pytest.mark.parametrize(
    "student", [CompactTreeRegressor(24, n_regrowths=0), CompactBoostingRegressor(10), CompactHybridRegressor((8,), 10)]
)
def test_seconds_within_ten_minutes(student, kind):
    """Students with trees see them in tables of every kind, and as times; compiled in a frame of one row as well."""
    table = TABLES[kind]
    predicted = student.fit(table, WAVE).predict(table)
    assert np.mean((predicted - WAVE) ** 2) < 0.1 * WAVE.var()
    compiled = skdistill.compile(student)
    np.testing.assert_allclose(compiled(table), predicted, atol=1e-6)
    np.testing.assert_allclose(compiled(table[:1]), predicted[:1], atol=1e-6)


@pytest.mark.parametrize("n_leaves", [16, 80])
def test_stored_trees_keep_their_thresholds(n_leaves):
    """In a pickle, as plain data, and with values of half precision; small and large trees, many rows and one."""
    X = 20180100.0 + RNG.integers(1, 200, (500, 2))
    student = CompactBoostingRegressor(5, n_leaves, random_state=0).fit(X, X[:, 0] % 2 + X[:, 1] % 3)
    forest, expected = student.scorer_, student.scorer_.leaves(X)
    assert forest.dtype == np.float64
    for copy in (
        pickle.loads(pickle.dumps(forest)),
        scorer_from_content(forest.content()),
        forest.stored_as(np.float16),
    ):
        np.testing.assert_array_equal(copy.leaves(X), expected)
        np.testing.assert_array_equal(copy.leaves(sparse.csr_matrix(X)), expected)
        np.testing.assert_allclose([copy.row(row) for row in X.tolist()], copy.scores(X), rtol=0, atol=1e-9)
    assert skdistill.compile(student, dtype="float16", X=X).quantization_loss_ < 1e-3


def test_ordinary_tables_have_trees_of_float32():
    """They are smaller and faster, and nothing is lost."""
    for student in (CompactTreeRegressor(8, n_regrowths=0), CompactBoostingRegressor(3)):
        assert student.fit(ROWS, VALUES).scorer_.dtype == np.float32


def test_trees_of_others_round_as_they_did():
    """Compiled, a tree of scikit-learn rounds rows to float32, and LightGBM compares them in float64."""
    X = SINCE_1970[:, None] + RNG.uniform(-1, 1, (400, 1))
    for model in (
        DecisionTreeRegressor(max_leaf_nodes=40).fit(X, WAVE),
        LGBMRegressor(verbose=-1, n_jobs=1).fit(X, WAVE),
    ):
        compiled, expected = skdistill.compile(model), model.predict(X)
        np.testing.assert_allclose(compiled(X), expected, atol=1e-6)
        np.testing.assert_allclose([compiled(row) for row in X.tolist()], expected, atol=1e-6)


# ---------------------------------------------------------------------- rules


@pytest.mark.parametrize("step", [1, 0.004])
def test_rules_say_where_large_numbers_differ(step):
    """The thresholds in the text part the rows as the tree does."""
    x = 1.7e9 + step * SECONDS
    tree = CompactTreeRegressor(6, n_regrowths=0).fit(x[:, None], WAVE)
    for text in (tree.to_text(), " ".join(tree.leaf_rules())):
        said = np.unique([float(number) for number in re.findall(r"<= ([\d.e+]+)", text)])
        np.testing.assert_array_equal(np.searchsorted(said, x), tree.apply(x[:, None]))


@pytest.mark.parametrize(("unit", "digits"), [("s", 3), ("ms", 6), ("us", 6)])
def test_rules_say_where_close_times_differ(unit, digits):
    """To the millisecond or the microsecond, where seconds would not tell them apart."""
    times = pd.DataFrame({"t": np.datetime64("2024-01-01T00:00:00") + (SECONDS % 50).astype(f"m8[{unit}]")})
    rules = CompactTreeRegressor(4, n_regrowths=0).fit(times, WAVE).leaf_rules()
    stamps = re.findall(r"<= (\S+)", " ".join(rules))
    assert len(set(stamps)) == 3
    assert {len(stamp.partition(".")[2]) for stamp in stamps} == {digits}


def test_scikit_learn_cannot_hold_what_it_would_round():
    """Its trees round rows to float32: the error says for which column, and what to do; other columns do no harm."""
    frame = pd.DataFrame({"seconds": SINCE_1970, "size": SECONDS / 600})
    with pytest.raises(StudentError, match=r"'seconds' the first. Use to_text\(\)"):
        CompactTreeRegressor(4).fit(frame[["seconds"]], WAVE).to_sklearn()
    tree = CompactTreeRegressor(4).fit(frame.assign(seconds=SINCE_1970[::-1]), SECONDS > 300)
    np.testing.assert_array_equal(tree.to_sklearn().predict(frame), tree.predict(frame))
