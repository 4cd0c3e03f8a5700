import copy
import re
from numbers import Integral

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import get_tags

from skdistill import DistilledClassifier, as_teacher
from skdistill._validation import (
    _SPARSE_TAG_IS_SET,
    _are_finite,
    check_number,
    check_random_state,
    check_table,
    check_weights,
    checked_once,
    draw_seed,
    input_tags_of,
    seed_estimator,
)

few = settings(max_examples=25, deadline=None)


class Taker(BaseEstimator):
    """An estimator that takes what its parameters say."""

    def __init__(self, allow_nan=False, string=False, sparse=False):
        self.allow_nan, self.string, self.sparse = allow_nan, string, sparse

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        for name, value in self.get_params().items():
            setattr(tags.input_tags, name, value)
        return tags


@pytest.mark.parametrize(
    ("value", "limits"),
    [
        (1, {"kind": Integral, "low": 1}),
        (np.int32(5), {"kind": Integral, "low": 1, "high": 5}),
        (0.5, {"low": 0, "high": 1}),
        (0, {"low": 0}),
        (1, {"low": 0, "high": 1, "low_open": True}),
        (np.float32(0.5), {}),
        (-1e300, {}),
    ],
)
def test_numbers_inside_pass(value, limits):
    """Numbers of Python and of numpy pass, ends included."""
    assert check_number(Ridge(), "alpha", value, **limits) is None


@pytest.mark.parametrize(
    ("value", "limits", "expected"),
    [
        (0, {"low": 0, "low_open": True}, "a number above 0"),
        (-1, {"low": 0}, "a number of at least 0"),
        (2, {"low": 0, "high": 1}, "a number of at least 0 and at most 1"),
        (2, {"low": 0, "high": 1, "low_open": True}, "a number above 0 and at most 1"),
        (2, {"high": 1}, "a number at most 1"),
        (0, {"low": 1, "kind": Integral}, "an integer of at least 1"),
        (np.nan, {}, "a number"),
        (np.inf, {"low": 0}, "a number of at least 0"),
        (-np.inf, {}, "a number"),
    ],
)
def test_numbers_outside_say_who_got_and_expected(value, limits, expected):
    """A number out of its range is a ValueError with owner, name, value and range."""
    with pytest.raises(ValueError, match=re.escape(f"Ridge: alpha={value!r}; expected {expected}.") + "$"):
        check_number(Ridge(), "alpha", value, **limits)


@pytest.mark.parametrize("value", ["1", None, [1], True, np.True_, 1j])
def test_what_is_no_number_is_a_type_error(value):
    """Strings, None, lists and booleans are no numbers."""
    with pytest.raises(TypeError, match=r"^Ridge: alpha=.*; expected a number of at least 0\. Ask for less\.$"):
        check_number(Ridge(), "alpha", value, low=0, advice="Ask for less.")


def test_a_fraction_is_no_integer():
    """Where an integer is expected a fraction is a TypeError, and a whole float, too, as in scikit-learn."""
    for value in (1.5, 2.0):
        with pytest.raises(TypeError, match=r"alpha=.*; expected an integer of at least 1"):
            check_number(Ridge(), "alpha", value, kind=Integral, low=1)


FRAMES = {
    "pandas": pd.DataFrame({"a": [1.0, None], "b": ["x", None]}),
    "polars": pl.DataFrame({"a": [1.0, None], "b": ["x", None]}),
}


@pytest.mark.parametrize("kind", FRAMES)
def test_frames_come_back_untouched(kind):
    """A frame is not converted, and its names and width are recorded."""
    taker = Taker()
    assert check_table(taker, FRAMES[kind], reset=True) is FRAMES[kind]
    assert taker.n_features_in_ == 2
    assert list(taker.feature_names_in_) == ["a", "b"]
    assert check_table(taker, FRAMES[kind], reset=False) is FRAMES[kind]


@pytest.mark.parametrize("kind", FRAMES)
def test_frames_are_compared_with_the_fitted_one(kind):
    """Columns that are missing, or in another order, are an error at predict."""
    taker = Taker()
    check_table(taker, FRAMES[kind], reset=True)
    with pytest.raises(ValueError, match="Feature names seen at fit time, yet now missing"):
        check_table(taker, FRAMES[kind][["a"]], reset=False)
    with pytest.raises(ValueError, match="same order"):
        check_table(taker, FRAMES[kind][["b", "a"]], reset=False)


@pytest.mark.parametrize("kind", FRAMES)
def test_a_frame_without_rows_is_refused(kind):
    """No rows is the error scikit-learn gives for arrays, with the name of the estimator."""
    with pytest.raises(ValueError, match=r"0 sample\(s\) \(shape=\(0, 2\)\) while a minimum of 1 is required by Taker"):
        check_table(Taker(), FRAMES[kind][:0], reset=True)


@pytest.mark.parametrize("X", [np.array([["a", None], ["b", 1.5]], dtype=object), np.array([["a"], ["b"]])])
def test_strings_stay_where_the_tags_allow_them(X):
    """Arrays of strings and objects come back as they are for who takes strings; who does not gets an error."""
    np.testing.assert_array_equal(check_table(Taker(string=True, allow_nan=True), X, reset=True), X)
    with pytest.raises(ValueError, match=r"could not convert|Unable to convert|strings"):
        check_table(Taker(), X, reset=True)


def test_lists_become_arrays():
    """Lists of numbers become floats or integers, lists with strings become objects or strings."""
    assert check_table(Taker(), [[1, 2.5], [3, 4]], reset=True).dtype == np.float64
    assert check_table(Taker(), [[1, 2], [3, 4]], reset=True).dtype == np.int64
    assert check_table(Taker(string=True), [["a", "b"]], reset=True).tolist() == [["a", "b"]]


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int32, bool])
def test_arrays_of_numbers_keep_their_dtype(dtype):
    """What the table is made of is not changed on the way in, nor are its cells."""
    X = np.arange(6).reshape(3, 2).astype(dtype)
    X.flags.writeable = False
    checked = check_table(Taker(), X, reset=True)
    assert checked.dtype == dtype
    np.testing.assert_array_equal(checked, X)


def test_missing_cells_pass_where_the_tags_allow_them():
    """NaN is for who takes it; infinity is for nobody."""
    X = np.array([[np.nan, 1.0]])
    np.testing.assert_array_equal(check_table(Taker(allow_nan=True), X, reset=True), X)
    with pytest.raises(ValueError, match="contains NaN"):
        check_table(Taker(), X, reset=True)
    with pytest.raises(ValueError, match="contains infinity"):
        check_table(Taker(allow_nan=True), np.array([[np.inf, 1.0]]), reset=True)


@pytest.mark.parametrize("make", [sparse.csr_matrix, sparse.csc_matrix, sparse.coo_matrix, sparse.csr_array])
def test_sparse_becomes_csr_where_the_tags_allow_it(make):
    """Every sparse format becomes CSR, whose rows can be taken; who takes none gets an error."""
    X = make(np.eye(3))
    checked = check_table(Taker(sparse=True), X, reset=True)
    assert checked.format == "csr"
    np.testing.assert_array_equal(checked.toarray(), np.eye(3))
    if _SPARSE_TAG_IS_SET:
        with pytest.raises(TypeError, match=r"[Ss]parse"):
            check_table(Taker(), X, reset=True)


@pytest.mark.parametrize(
    ("X", "said"),
    [(np.ones(3), "Expected 2D array, got 1D array"), (np.ones((0, 3)), "0 sample"), (np.ones((3, 0)), "0 feature")],
)
def test_what_is_no_table_is_refused(X, said):
    """One dimension, no row or no column is an error."""
    with pytest.raises(ValueError, match=said):
        check_table(Taker(), X, reset=True)


def test_width_is_compared_with_the_fitted_one():
    """An array of another width is an error at predict."""
    taker = Taker()
    check_table(taker, np.ones((2, 3)), reset=True)
    with pytest.raises(ValueError, match="X has 2 features, but Taker is expecting 3 features"):
        check_table(taker, np.ones((2, 2)), reset=False)


@few
@given(weight=arrays(float, st.integers(1, 6), elements=st.floats(1e-3, 1e6)))
def test_good_weights_come_back(weight):
    """Weights come back as floats, one for each row, from lists and integers as well."""
    np.testing.assert_array_equal(check_weights(weight, len(weight)), weight)
    np.testing.assert_array_equal(check_weights(weight.tolist(), len(weight)), weight)
    assert check_weights(np.ceil(weight).astype(int), len(weight)).dtype == np.float64


def test_no_weights_are_ones():
    """No weights means equal weights; some zeros are fine."""
    np.testing.assert_array_equal(check_weights(None, 3), np.ones(3))
    np.testing.assert_array_equal(check_weights([0, 1, 0], 3), [0, 1, 0])


@pytest.mark.parametrize(
    ("weight", "said"),
    [
        ([1, -1, -2], "sample_weight has 2 negative weights; expected none"),
        ([0, 0, 0], "sample_weight: every weight is zero; expected at least one above zero"),
        ([1, 1], r"sample_weight.shape == \(2,\), expected \(3,\): one weight for each row of X"),
        ([[1], [1], [1]], r"sample_weight.shape == \(3, 1\), expected \(3,\)"),
        ([1, np.nan, 1], "sample_weight contains NaN"),
        ([1, np.inf, 1], "sample_weight contains infinity"),
        (["a", "b", "c"], r"fit: sample_weight is a list, \['a', 'b', 'c'\]; expected an array of numbers"),
    ],
)
def test_bad_weights_say_what_is_wrong(weight, said):
    """Negative, missing, infinite, too few and all-zero weights are refused in words."""
    with pytest.raises(ValueError, match=said):
        check_weights(weight, 3)


def test_tags_of_a_pipeline_leave_cells_to_its_steps():
    """A pipeline may hold an encoder and an imputer, so strings and missing cells are its own business."""
    tags = input_tags_of(make_pipeline(StandardScaler(), LogisticRegression()))
    assert tags.string
    assert tags.allow_nan
    assert not input_tags_of(LogisticRegression()).string
    assert not input_tags_of(LogisticRegression()).allow_nan


def test_tags_can_be_changed_without_changing_the_estimator():
    """What comes back is a copy."""

    class Fixed(Taker):
        fixed = get_tags(Taker())

        def __sklearn_tags__(self):
            return self.fixed

    before = copy.deepcopy(Fixed.fixed.input_tags)
    input_tags_of(Fixed()).string = True
    assert Fixed.fixed.input_tags == before


def test_seeds_follow_the_generator():
    """One generator state, one seed, and every seed is one that scikit-learn takes."""
    seeds = [draw_seed(np.random.RandomState(0)) for _ in range(2)]
    assert seeds[0] == seeds[1]
    rng = np.random.RandomState(0)
    drawn = np.array([draw_seed(rng) for _ in range(50)])
    assert len(set(drawn)) == 50
    assert np.all((drawn >= 0) & (drawn < 2**31))
    check_random_state(int(drawn.max()))


def forest_behind(random_state):
    return make_pipeline(StandardScaler(), RandomForestClassifier(random_state=random_state))


def test_open_seeds_are_drawn_and_set_ones_stay():
    """Every random_state that is None gets a seed, deep inside as well; a seed of the caller stays."""
    open_seed = seed_estimator(forest_behind(None), np.random.RandomState(0))[-1].random_state
    assert isinstance(open_seed, int)
    assert seed_estimator(forest_behind(None), np.random.RandomState(0))[-1].random_state == open_seed
    assert seed_estimator(forest_behind(7), np.random.RandomState(0))[-1].random_state == 7


def test_setting_one_seed_does_not_move_another():
    """Whether the caller sets one seed or not, the others are drawn alike."""

    class Two(BaseEstimator):
        def __init__(self, first, second, random_state=None):
            self.first, self.second, self.random_state = first, second, random_state

    recipes = [Two(RandomForestClassifier(random_state=seed), RandomForestClassifier()) for seed in (None, 5)]
    free, fixed = (seed_estimator(recipe, np.random.RandomState(3)) for recipe in recipes)
    assert fixed.first.random_state == 5
    assert fixed.second.random_state == free.second.random_state
    assert fixed.random_state == free.random_state
    assert len({free.random_state, free.first.random_state, free.second.random_state}) == 3


@pytest.mark.parametrize("estimator", [KNeighborsClassifier(), object(), len], ids=["no seed", "object", "function"])
def test_what_has_no_seed_is_left_alone(estimator):
    """Without a random_state there is nothing to set."""
    assert seed_estimator(estimator, np.random.RandomState(0)) is estimator


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_large_tables_are_checked_once(monkeypatch, n_jobs):
    """By the distilled estimator or its student, in each call anew: infinite numbers are found in any."""
    X = np.random.default_rng(0).random((50, 3))
    model = DistilledClassifier(
        as_teacher(lambda X: np.c_[X[:, 0], 1 - X[:, 0]], classes=[0, 1]),
        "linear",
        sampler=None,
        n_jobs=n_jobs,
    ).fit(X)
    checked, kept = [], np.isfinite
    monkeypatch.setattr(np, "isfinite", lambda cells: checked.append(cells is X) or kept(cells))
    for method in (model.predict, model.predict_proba):
        checked.clear()
        method(X)
        assert sum(checked) == 1
    X[3, 1] = np.inf
    for method in (model.predict, model.predict_proba):
        with pytest.raises(ValueError, match="infinity"):
            method(X)
    with checked_once():
        assert [_are_finite(cells) for cells in (X, X, X[:3], X[:3])] == [False, False, True, True]
