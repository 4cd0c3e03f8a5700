"""Monotone and interaction constraints of compact students: what they promise holds for any pair of rows."""

import functools

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

import skdistill
from skdistill.export import to_python
from skdistill.students import (
    CompactBoostingClassifier,
    CompactBoostingRegressor,
    CompactLinearClassifier,
    CompactLinearRegressor,
    CompactTreeClassifier,
    CompactTreeRegressor,
)

N_PAIRS = 100_000
REGRESSORS = [CompactBoostingRegressor(10, 8), CompactTreeRegressor(optimize=False), CompactLinearRegressor(8)]
CLASSIFIERS = [CompactBoostingClassifier(6, 8), CompactTreeClassifier(optimize=False), CompactLinearClassifier(8)]
NAMES = ["up", "down", "free", "kind", "other"]


def table(n_rows, seed=0):
    """Return numbers with missing cells, and one column of categories."""
    rng = np.random.RandomState(seed)
    cells = rng.uniform(-1, 1, size=(n_rows, 5))
    cells[rng.uniform(size=n_rows) < 0.1, 2] = np.nan
    cells[:, 3] = rng.randint(4, size=n_rows)
    return pd.DataFrame(cells, columns=NAMES).astype({"kind": "int"})


def values(X):
    """Return values that contradict both constraints here and there."""
    up, kind = X["up"], X["kind"]
    wave = 0.4 * np.sin(8 * up) - X["down"] ** 3 + 0.3 * X["down"] + np.nan_to_num(X["free"])
    return (up * (1 + (kind == 2) - 2.5 * (kind == 1)) + wave).to_numpy()


@functools.cache
def pairs(column):
    """Return random pairs of rows that differ in one column: the lower one first."""
    X = table(N_PAIRS, seed=5)
    low, high = np.sort(np.random.RandomState(1).uniform(-1.2, 1.2, size=(2, len(X))), axis=0)
    return X.assign(**{column: low}), X.assign(**{column: high})


def declared(student):
    return clone(student).set_params(categorical_features=["kind"])


def least_rise(predict, column):
    low, high = pairs(column)
    return (predict(high) - predict(low)).min()


@pytest.mark.parametrize("student", REGRESSORS, ids=lambda each: type(each).__name__)
def test_values_are_monotone_for_any_pair(student):
    """No pair of rows contradicts a direction, with categories and missing cells, compiled and exported as well."""
    X = table(800)
    free = declared(student).fit(X, values(X))
    assert least_rise(free.predict, "up") < -0.01
    kept = declared(student).set_params(monotonic_cst={"up": 1, "down": -1}).fit(X, values(X))
    compiled = skdistill.compile(kept)
    for predict in (kept.predict, compiled):
        assert least_rise(predict, "up") >= 0
        assert least_rise(lambda rows, predict=predict: -predict(rows), "down") >= 0
    assert np.corrcoef(kept.predict(X), values(X))[0, 1] > 0.6
    assert to_python(kept, X=X[:50]).largest_difference < 1e-9


@pytest.mark.parametrize("student", CLASSIFIERS, ids=lambda each: type(each).__name__)
@pytest.mark.parametrize("n_classes", [pytest.param(2, marks=pytest.mark.slow), 3])
def test_odds_are_monotone_for_any_pair(student, n_classes):
    """The odds of a constrained class against every other one do not fall, nor does its probability."""
    X = table(500)
    logits = np.column_stack([values(X), X["down"], X["up"] * X["other"], X["other"]])[:, :n_classes] * 2
    proba = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    kept = declared(student).set_params(monotonic_cst={"a": {"up": 1}, "b": {"down": 1}})
    kept.fit_soft(X, proba, classes=list("abcd")[:n_classes])
    for column, place in (("up", 0), ("down", 1)):
        low, high = (kept.predict_proba(rows) for rows in pairs(column))
        odds = np.delete(high[:, [place]] * low - low[:, [place]] * high, place, axis=1)
        assert odds.min() >= -1e-13
        assert (high[:, place] - low[:, place]).min() >= -1e-13
    assert np.ptp(kept.predict_proba(X)[:, 0]) > 0.1


def test_directions_of_two_classes_are_those_of_the_second():
    """An array is about the second class, as in scikit-learn; a dict of classes may constrain either."""
    X = table(100)
    y = values(X) > 0
    ways = [[1, 0, 0, 0, 0], {"up": 1}, {True: {"up": 1}}, {False: {"up": -1}}, [[0] * 5, [1, 0, 0, 0, 0]]]
    first, *others = (
        CompactTreeClassifier(8, optimize=False, monotonic_cst=way).fit(X, y).predict_proba(X) for way in ways
    )
    for proba in others:
        np.testing.assert_array_equal(proba, first)


def test_outputs_have_their_own_directions():
    """An array with a row for each output constrains each differently."""
    X = table(300)[["up", "free"]].fillna(0).to_numpy()
    Y = np.column_stack([np.sin(5 * X[:, 0]), np.sin(5 * X[:, 0])])
    for student in REGRESSORS:
        kept = clone(student).set_params(monotonic_cst=[[1, 0], [-1, 0]]).fit(X, Y)
        grid = np.column_stack([np.linspace(-1, 1, 200), np.zeros(200)])
        steps = np.diff(kept.predict(grid), axis=0)
        assert steps[:, 0].min() >= 0
        assert steps[:, 1].max() <= 0


def test_refitted_leaves_are_better_than_grown_ones():
    """Constrained boosting with refitted leaves follows a noiseless target better than without."""
    X = table(2000)[["up", "down", "other"]]
    y = X["up"] ** 3 + np.cos(2 * X["other"]) * X["up"].clip(0) - X["down"]
    new = table(2000, seed=9)[["up", "down", "other"]]
    expected = new["up"] ** 3 + np.cos(2 * new["other"]) * new["up"].clip(0) - new["down"]
    errors = []
    for resolve in (True, False):
        student = CompactBoostingRegressor(
            15, 8, monotonic_cst={"up": 1, "down": -1}, resolve_leaves=resolve, random_state=0
        ).fit(X, y)
        errors.append(((student.predict(new) - expected) ** 2).mean())
    assert errors[0] < 0.9 * errors[1]


def test_constraints_of_no_column_change_nothing():
    """Zeros are no constraint: the student is the same to the last bit."""
    X = table(150)
    for student in REGRESSORS:
        params = {"random_state": 0} if "random_state" in student.get_params() else {}
        plain = declared(student).set_params(**params)
        zeros = clone(plain).set_params(monotonic_cst=[0] * 5, interaction_cst=[NAMES])
        np.testing.assert_array_equal(zeros.fit(X, values(X)).predict(X), plain.fit(X, values(X)).predict(X))


def test_trees_show_the_means_that_they_predict():
    """Text and the tree of scikit-learn have the values in order, not the means of the rows."""
    X = table(400)[["up", "other"]]
    y = -X["up"]
    for student in (CompactTreeRegressor(4), CompactTreeClassifier(4)):
        kept = student.set_params(monotonic_cst={"up": 1}).fit(X, y > 0 if "Classifier" in str(student) else y)
        of_sklearn = kept.to_sklearn()
        answers = [
            model.predict_proba if "Classifier" in str(student) else model.predict for model in (kept, of_sklearn)
        ]
        np.testing.assert_allclose(answers[1](X), answers[0](X), atol=1e-6)


# ---------------------------------------------------------------------- interactions


def paths(forest):
    """Return the sets of columns on the way to each leaf."""
    root, left, right = forest.pointers()
    found, waiting = [], [(int(node), frozenset()) for node in root]
    while waiting:
        node, columns = waiting.pop()
        if left[node] < 0:
            found.append(columns)
        else:
            columns = columns | {int(forest.feature[node])}
            waiting += [(int(left[node]), columns), (int(right[node]), columns)]
    return found


@pytest.mark.parametrize(
    "sets",
    [
        "no_interactions",
        *(pytest.param(each, marks=pytest.mark.slow) for each in ("pairwise", [[0, 1], ["down", "free"]])),
        [{"up", "kind"}],
    ],
)
def test_columns_of_different_sets_do_not_interact(sets):
    """No leaf depends on columns of two sets, and the effects of columns that may not interact add up."""
    X = table(400)
    allowed = {
        "no_interactions": [{place} for place in range(5)],
        "pairwise": [{first, second} for first in range(5) for second in range(5)],
    }.get(sets if isinstance(sets, str) else "", [{0, 1}, {1, 2}, {3, 4}] if len(sets) == 2 else [{0, 3}, {1, 2, 4}])
    y = values(X) * (1 + X["other"].to_numpy())
    for student in REGRESSORS:
        kept = declared(student).set_params(interaction_cst=sets).fit(X, y)
        if hasattr(kept.scorer_, "feature"):
            assert all(any(path <= one for one in allowed) for path in paths(kept.scorer_))
        if not any({0, 4} <= one for one in allowed):
            rows = table(1000, seed=3)
            up, other = (
                rows["up"].sample(frac=1, random_state=0).array,
                rows["other"].sample(frac=1, random_state=1).array,
            )
            corners = [rows, rows.assign(up=up), rows.assign(other=other), rows.assign(up=up, other=other)]
            answers = [kept.predict(corner) for corner in corners]
            np.testing.assert_allclose(answers[0] + answers[3], answers[1] + answers[2], atol=1e-9)


# ---------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"zz": 1}, r"monotonic_cst names \['zz'\]; expected some of \['up'"),
        ({"kind": 1}, "constrains column 'kind', which holds categories"),
        ([2, 0, 0, 0, 0], "expected -1, 0 or 1 for each of the 5 columns"),
        ([1, 0], "expected -1, 0 or 1 for each of the 5 columns"),
        ("up", "expected -1, 0 or 1 for each of the 5 columns"),
        ([[1], [0, 1]], "expected -1, 0 or 1 for each of the 5 columns"),
    ],
)
def test_malformed_directions_are_named(given, message):
    """An error says what was expected, in each family."""
    X = table(60)
    for student in REGRESSORS:
        with pytest.raises(ValueError, match=message):
            declared(student).set_params(monotonic_cst=given).fit(X, values(X))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"up": 1}, r"with 3 classes, whose probabilities sum to one, so that not all can rise; .* \{2: \.\.\.\}"),
        ([1, 0, 0, 0, 0], "with 3 classes"),
        ({7: {"up": 1}}, r"has classes \[7\]; expected some of \[0, 1, 2\]"),
        ({0: {"up": 1}, 1: {"up": -1}}, r"constrains several classes, \[0, 1\], in column 'up'"),
        ({0: {"zz": 1}}, r"names \['zz'\]"),
    ],
)
def test_contradicting_directions_of_classes_are_refused(given, message):
    """More than two classes need directions for each class, one class for each column."""
    X = table(60)
    for student in CLASSIFIERS:
        with pytest.raises(ValueError, match=message):
            clone(student).set_params(monotonic_cst=given).fit(X, np.arange(60) % 3)
    with pytest.raises(ValueError, match="moves both classes the same way in column 'up'"):
        CompactTreeClassifier(monotonic_cst={0: {"up": 1}, 1: {"up": 1}}).fit(X, np.arange(60) % 2)


@pytest.mark.parametrize("given", ["all", 3, [1, 2], [["up", "zz"]], [[9]], {"up": 1}, ["up"]])
def test_malformed_sets_are_named(given):
    """An error says what sets look like, or which column the table lacks."""
    X = table(60)
    for student in REGRESSORS:
        with pytest.raises(ValueError, match="interaction_cst"):
            clone(student).set_params(interaction_cst=given).fit(X, values(X))


def test_large_trees_cannot_be_put_in_order():
    """A single tree of too many leaves is refused before it is grown."""
    with pytest.raises(ValueError, match="max_leaf_nodes=600 with monotonic_cst; expected at most 512"):
        CompactTreeRegressor(600, monotonic_cst=[1]).fit(np.zeros((9, 1)), np.zeros(9))
