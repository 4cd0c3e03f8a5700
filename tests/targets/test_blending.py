import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from strategies import distributions

from skdistill.targets import blend, one_hot

few = settings(max_examples=25, deadline=None)
weights = st.floats(0, 1)
CLASSES = [np.array([-1, 1]), np.array([0, 2, 5]), np.array(["bad", "good", "worse"]), np.array([False, True])]


@few
@given(proba=distributions(), weight=weights, seed=st.integers(0, 99))
def test_blend_stays_on_the_simplex(proba, weight, seed):
    """Teacher and truth blend to probabilities, each between both of its parents."""
    n_rows, n_classes = proba.shape
    truth = np.eye(n_classes)[np.random.default_rng(seed).integers(n_classes, size=n_rows)]
    mixed = blend(proba, truth, weight)
    np.testing.assert_allclose(mixed.sum(axis=1), 1)
    assert np.all(mixed >= np.minimum(proba, truth) - 1e-12)
    assert np.all(mixed <= np.maximum(proba, truth) + 1e-12)


@few
@given(values=arrays(float, (2, 6), elements=st.floats(-1e6, 1e6)), weight=weights)
def test_blend_of_values_lies_between(values, weight):
    """For values, too, the blend lies between the teacher's and the true one."""
    soft, hard = values
    mixed = blend(soft, hard, weight)
    slack = 1e-9 * (1 + np.abs(values).max(axis=0))
    assert np.all(mixed >= values.min(axis=0) - slack)
    assert np.all(mixed <= values.max(axis=0) + slack)


@few
@given(values=arrays(float, (2, 4, 2), elements=st.floats(-1e6, 1e6)))
def test_blend_ends_are_its_parents(values):
    """Weight 1 is the teacher alone and weight 0 the truth alone, exactly."""
    soft, hard = values
    np.testing.assert_array_equal(blend(soft, hard, 1), soft)
    np.testing.assert_array_equal(blend(soft, hard, 0), hard)


@few
@given(values=arrays(float, (2, 5), elements=st.floats(-1e3, 1e3)), weight=weights)
def test_blend_is_symmetric(values, weight):
    """Swapping the parents and their weights changes nothing."""
    np.testing.assert_allclose(
        blend(values[0], values[1], weight), blend(values[1], values[0], 1 - weight), atol=1e-9, rtol=0
    )


@pytest.mark.parametrize("classes", CLASSES, ids=lambda classes: classes.dtype.kind)
def test_one_hot_round_trip(classes):
    """The class with all the probability is the label, for labels of every type."""
    labels = np.random.default_rng(0).choice(classes, 30)
    coded = one_hot(labels, classes)
    assert coded.shape == (30, len(classes))
    np.testing.assert_array_equal(np.sort(coded, axis=1)[:, -1], 1)
    np.testing.assert_array_equal(coded.sum(axis=1), 1)
    np.testing.assert_array_equal(classes[coded.argmax(axis=1)], labels)


def test_one_hot_keeps_room_for_classes_not_present():
    """A class without a row keeps its column, so that columns always mean the same."""
    np.testing.assert_array_equal(one_hot(np.array(["a", "a"]), np.array(["a", "b"])), [[1, 0], [1, 0]])


@pytest.mark.parametrize(
    ("labels", "classes", "expected"),
    [
        (np.array([0, 7, 1]), np.array([0, 1]), r"unknown labels \[7\]; known are \[0, 1\]"),
        (np.array(["z", "a"]), np.array(["a", "b"]), r"unknown labels \['z'\]; known are \['a', 'b'\]"),
        (np.array([0.5]), np.array([0, 1]), r"unknown labels \[0.5\]"),
    ],
)
def test_one_hot_names_unknown_labels(labels, classes, expected):
    """A label that is no class is an error that names it and the classes, not a wrong column."""
    with pytest.raises(ValueError, match=expected):
        one_hot(labels, classes)


def test_rows_without_truth_keep_the_teacher():
    """Where the truth is not known, the teacher stands alone."""
    soft = np.array([[0.6, 0.4], [0.2, 0.8]])
    hard = np.array([[1.0, 0.0], [np.nan, np.nan]])
    np.testing.assert_allclose(blend(soft, hard, 0.5), [[0.8, 0.2], [0.2, 0.8]])
