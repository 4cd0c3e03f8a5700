import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve as calibration_to_truth

from skdistill.metrics import calibration_curve, calibration_error, total_variation

few = settings(max_examples=30, deadline=None)


@st.composite
def pairs(draw):
    """Draw the probabilities of a teacher and of a student, and a generator."""
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    proba = rng.dirichlet(np.full(draw(st.integers(2, 5)), 0.7), size=(2, draw(st.integers(1, 60))))
    return (*proba, rng)


bins = st.integers(1, 30)


@few
@given(pair=pairs(), n_bins=bins)
def test_a_copy_is_calibrated(pair, n_bins):
    """Equal probabilities have no error, others one in [0, 1], at most the total variation."""
    teacher, student, _ = pair
    assert calibration_error(teacher, teacher, n_bins=n_bins) == pytest.approx(0, abs=1e-15)
    error = calibration_error(teacher, student, n_bins=n_bins)
    assert 0 <= error <= total_variation(teacher, student) + 1e-12


@few
@given(pair=pairs(), n_bins=bins)
def test_splitting_bins_never_hides_an_error(pair, n_bins):
    """What cancels in a bin may not in its parts; one bin is the difference of the means."""
    teacher, student, _ = pair
    errors = [calibration_error(teacher, student, n_bins=n) for n in (1, n_bins, 2 * n_bins)]
    assert errors[0] <= errors[1] + 1e-12
    assert errors[1] <= errors[2] + 1e-12


@few
@given(pair=pairs(), n_bins=bins)
def test_the_error_is_that_of_the_curve(pair, n_bins):
    """Bins are in order, none is empty, weights sum to one, rows to all, and gaps to the error."""
    teacher, student, _ = pair
    curve = calibration_curve(teacher, student, n_bins=n_bins)
    assert set(curve) == {"student", "teacher", "n_rows", "weight"}
    assert curve["n_rows"].min() > 0
    assert curve["n_rows"].sum() == len(teacher)
    assert curve["weight"].sum() == pytest.approx(1)
    assert np.all(np.diff(curve["student"]) > 0)
    gaps = np.abs(curve["student"] - curve["teacher"])
    assert curve["weight"] @ gaps == pytest.approx(calibration_error(teacher, student, n_bins=n_bins))


@few
@given(pair=pairs())
def test_means_of_the_curve_are_those_of_the_rows(pair):
    """Nothing is lost in bins: the weighted means are the means of the student's confidence and the teacher's."""
    teacher, student, _ = pair
    curve, predicted = calibration_curve(teacher, student), student.argmax(axis=1)
    rows = np.arange(len(predicted))
    assert curve["weight"] @ curve["student"] == pytest.approx(student.max(axis=1).mean())
    assert curve["weight"] @ curve["teacher"] == pytest.approx(teacher[rows, predicted].mean())


@few
@given(pair=pairs())
def test_weight_is_repetition(pair):
    """A row of weight k counts like k equal rows, and one of weight zero is in no bin."""
    teacher, student, rng = pair
    weight = rng.integers(0, 4, len(teacher))
    weight[0] += 1
    repeated = np.repeat(teacher, weight, axis=0), np.repeat(student, weight, axis=0)
    assert calibration_error(teacher, student, sample_weight=weight) == pytest.approx(calibration_error(*repeated))
    curve, of_repeated = calibration_curve(teacher, student, sample_weight=weight), calibration_curve(*repeated)
    for name in ("student", "teacher", "weight"):
        np.testing.assert_allclose(curve[name], of_repeated[name])
    assert curve["n_rows"].sum() == np.count_nonzero(weight)


@few
@given(pair=pairs())
def test_order_of_rows_and_classes_does_not_matter(pair):
    """Rows are a set, and so are classes."""
    teacher, student, rng = pair
    rows, classes = rng.permutation(len(teacher)), rng.permutation(teacher.shape[1])
    reordered = calibration_error(teacher[rows][:, classes], student[rows][:, classes])
    assert reordered == pytest.approx(calibration_error(teacher, student))


def test_certain_teachers_are_the_truth():
    """Then it is scikit-learn's calibration curve of the predicted class."""
    rng = np.random.default_rng(0)
    student = rng.dirichlet(np.ones(3), size=500)
    labels = rng.integers(0, 3, 500)
    curve = calibration_curve(np.eye(3)[labels], student, n_bins=7)
    is_right = labels == student.argmax(axis=1)
    truth, predicted = calibration_to_truth(is_right, student.max(axis=1), n_bins=7)
    np.testing.assert_allclose(curve["teacher"], truth)
    np.testing.assert_allclose(curve["student"], predicted)


def test_overconfidence_is_measured():
    """A student that is certain of what the teacher gives 0.7."""
    assert calibration_error([[0.7, 0.3]] * 5, [[1.0, 0.0]] * 5) == pytest.approx(0.3)


@pytest.mark.parametrize("n_bins", [0, 2.5, None])
@pytest.mark.parametrize("metric", [calibration_curve, calibration_error])
def test_bins_are_counted(metric, n_bins):
    """There is at least one of them."""
    with pytest.raises(ValueError, match=rf"{metric.__name__}: n_bins={n_bins}; expected an integer of at least 1"):
        metric([[0.5, 0.5]], [[0.5, 0.5]], n_bins=n_bins)
