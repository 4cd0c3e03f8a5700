"""Arrays that make no sense: each metric says so by name."""

import numpy as np
import pandas as pd
import pytest

from skdistill.metrics import (
    agreement,
    brier_distance,
    brier_skill,
    calibration_curve,
    calibration_error,
    fidelity,
    kl_divergence,
    r2_skill,
    retention,
    top_k_agreement,
    total_variation,
)

OF_PROBABILITIES = [
    brier_distance,
    calibration_curve,
    calibration_error,
    kl_divergence,
    top_k_agreement,
    total_variation,
]
OF_OUTPUTS = [fidelity, r2_skill]
GOOD = np.array([[0.2, 0.8], [0.6, 0.4], [1.0, 0.0]])
of_probabilities = pytest.mark.parametrize("metric", OF_PROBABILITIES, ids=lambda metric: metric.__name__)
of_all = pytest.mark.parametrize("metric", [*OF_PROBABILITIES, *OF_OUTPUTS], ids=lambda metric: metric.__name__)


def changed(row, column, value):
    """Return good probabilities with one that is not."""
    bad = GOOD.copy()
    bad[row, column] = value
    return bad


@of_probabilities
@pytest.mark.parametrize(
    ("bad", "match"),
    [
        (changed(1, 0, 0.9), r"row 1 of {name} sums to 1.3; expected 1"),
        (changed(0, 0, -0.2), r"{name} has the negative value -0.2 in row 0; expected probabilities"),
        (changed(2, 1, np.nan), r"{name} has NaN or infinity in 1 of 3 rows, first in row 2; expected finite"),
        (changed(2, 1, np.inf), r"{name} has NaN or infinity in 1 of 3 rows"),
        (GOOD[:, 0], r"{name} has shape \(3,\); expected \(n_samples, n_classes\).* np.column_stack\(\[1 - p, p\]\)"),
        ([["a", "b"]] * 3, r"{name} cannot be converted to an array of numbers"),
    ],
)
def test_what_is_no_probability_is_refused(metric, bad, match):
    """On either side, by its name, with the row and what to do."""
    with pytest.raises(ValueError, match=f"{metric.__name__}: " + match.format(name="teacher_proba")):
        metric(bad, GOOD)
    with pytest.raises(ValueError, match=f"{metric.__name__}: " + match.format(name="student_proba")):
        metric(GOOD, bad)


@of_all
def test_shapes_are_not_broadcast(metric):
    """Other rows, other classes, no rows."""
    for other in (GOOD[:2], GOOD[:1], np.full((3, 3), 1 / 3)):
        with pytest.raises(ValueError, match=rf"{metric.__name__}: outputs of shapes .* expected equal shapes"):
            metric(GOOD, other)
    with pytest.raises(ValueError, match=rf"{metric.__name__}: outputs of shape \(0, 2\); .* at least one row"):
        metric(GOOD[:0], GOOD[:0])


@of_all
@pytest.mark.parametrize(
    ("weight", "match"),
    [
        ([1.0, 2.0], r"sample_weight has shape \(2,\); expected \(3,\)"),
        ([1.0, -1.0, 2.0], r"sample_weight has 1 negative weights; expected none"),
        ([0, 0, 0], r"all values of sample_weight are zero; expected at least one above zero"),
        ([1.0, np.nan, 1.0], r"sample_weight has NaN or infinity in 1 of 3 rows"),
        (["a", "b", "c"], r"sample_weight cannot be converted to an array of numbers"),
    ],
)
def test_weights_must_weigh(metric, weight, match):
    """One for each row, none negative, not all zero."""
    with pytest.raises(ValueError, match=f"{metric.__name__}: {match}"):
        metric(GOOD, GOOD, sample_weight=weight)
    with pytest.raises(ValueError, match=f"agreement: {match}"):
        agreement(list("abc"), list("abc"), sample_weight=weight)
    with pytest.raises(ValueError, match=f"brier_skill: {match}"):
        brier_skill(list("abb"), GOOD, classes=["a", "b"], sample_weight=weight)


@of_probabilities
def test_rounded_probabilities_pass(metric):
    """Those of short floats, and those a hair below zero: rows are divided by their sum."""
    short = np.random.default_rng(0).dirichlet(np.ones(3), 50).astype(np.float16)
    result = metric(short, short)
    assert metric(pd.DataFrame(short), short.tolist()) == result if metric is not calibration_curve else result
    metric([[1.0 + 1e-12, -1e-12]], [[1.0, 0.0]])


def test_one_class_is_always_agreed_on():
    """Everything is certain: no distance, no error."""
    certain = np.ones((4, 1))
    assert kl_divergence(certain, certain) == brier_distance(certain, certain) == total_variation(certain, certain) == 0
    assert calibration_error(certain, certain) == 0
    assert top_k_agreement(certain, certain, k=2) == 1
    assert fidelity(certain, certain) == 1


def test_one_row_is_enough():
    """For every mean over rows; R² has nothing to compare a single row with."""
    teacher, student = [[0.5, 0.5]], [[1.0, 0.0]]
    assert brier_distance(teacher, student) == 0.5
    assert total_variation(teacher, student) == calibration_error(teacher, student) == 0.5
    assert top_k_agreement(teacher, student, k=1) == agreement(["a"], ["a"]) == 1
    for metric in OF_OUTPUTS:
        with pytest.warns(UserWarning, match="not well-defined with less than two samples"):
            assert np.isnan(metric([1.0], [1.0]))


@pytest.mark.parametrize("value", [0.0, 0.1, 1 / 3, 1e9 + 0.1])
@pytest.mark.parametrize("metric", OF_OUTPUTS)
@pytest.mark.parametrize("weight", [None, np.array([0.3, 0.1, 0.7, 0.0, 1.1, 0.2, 0.9])])
def test_a_constant_teacher_is_followed_or_not(metric, value, weight):
    """1 for the same constant, else 0: never the rounding of its mean, as huge negative numbers."""
    constant, other = np.full(7, value), np.full(7, value) + np.arange(7)
    assert metric(constant, constant, sample_weight=weight) == 1
    assert metric(constant, other, sample_weight=weight) == 0
    assert metric(constant, constant + 1, sample_weight=weight) == 0
    both = np.column_stack([constant, np.arange(7.0)])
    assert metric(both, np.column_stack([other, np.arange(7.0)]), sample_weight=weight) == pytest.approx(0.5)


def test_constant_probabilities_beside_others_count_nothing():
    """A class that always gets the same has no variance to explain."""
    teacher = np.column_stack([np.linspace(0.1, 0.8, 7), 0.9 - np.linspace(0.1, 0.8, 7), np.full(7, 0.1)])
    assert fidelity(teacher, teacher) == 1
    wrong = teacher + np.array([0.05, 0.0, -0.05])
    assert fidelity(teacher, wrong) == pytest.approx(
        fidelity(teacher[:, :2], wrong[:, :2], multioutput="variance_weighted")
    )


@pytest.mark.parametrize(
    ("bad", "match"),
    [
        ([1.0, np.nan, 2.0], "student_outputs has NaN or infinity in 1 of 3 rows, first in row 1"),
        (["a", "b", "c"], "student_outputs cannot be converted to an array of numbers .* For labels, use agreement"),
        ([[1.0], [2.0, 3.0], [4.0]], "student_outputs cannot be converted to an array of numbers"),
    ],
)
def test_fidelity_names_what_is_no_output(bad, match):
    """NaN, text, ragged rows."""
    with pytest.raises(ValueError, match=f"fidelity: {match}".replace(" .* ", ".*")):
        fidelity([1.0, 2.0, 3.0], bad)
    with pytest.raises(ValueError, match=r"fidelity: outputs of shape \(2, 2, 2\)"):
        fidelity(np.ones((2, 2, 2)), np.ones((2, 2, 2)))
    with pytest.raises(ValueError, match="fidelity: multioutput='raw_values'; expected one of"):
        fidelity([1.0, 2.0], [1.0, 2.0], multioutput="raw_values")


@pytest.mark.parametrize(
    ("teacher", "student", "match"),
    [
        (["1", "2"], [1, 2], "teacher_labels are text such as '1', student_labels numbers such as 1"),
        (np.array([1, 2], dtype=object), np.array(["1", "2"], dtype=object), "teacher_labels are numbers"),
        (["a", None], ["a", "b"], "teacher_labels has 1 missing labels"),
        (["a", "b"], np.array(["a", pd.NA], dtype=object), "student_labels has 1 missing labels"),
        ([1.0, np.nan], [1.0, np.nan], "teacher_labels has 1 missing labels"),
        ([], [], r"labels of shape \(0,\); expected"),
        ("a", "a", r"labels of shape \(\); expected"),
    ],
)
def test_labels_that_can_never_agree_are_refused(teacher, student, match):
    """Instead of an agreement of zero that is believed."""
    with pytest.raises(ValueError, match=f"agreement: {match}"):
        agreement(teacher, student)


def test_labels_of_any_library_agree():
    """Objects, pandas' own types, booleans and integers, other labels than text and numbers."""
    labels = ["a", "b", "a"]
    kinds = [np.array(labels, dtype=object), pd.Series(labels, dtype="category"), pd.Series(labels, dtype="string")]
    for other in kinds:
        assert agreement(labels, other) == 1
    assert agreement([True, False], [1, 0]) == agreement(np.array([1, 0], dtype=object), [1.0, 0.0]) == 1
    days = np.array(["2020-01-01", "2020-01-02"], dtype="datetime64[D]")
    assert agreement(days, days[[0, 0]]) == 0.5
    tuples = np.empty(2, dtype=object)
    tuples[:] = [(1, 2), (3, 4)]
    assert agreement(tuples, tuples) == 1


def test_outputs_count_alike_in_agreement():
    """Labels of several outputs: the mean of the shares of each, weighted by rows."""
    teacher, student = np.array([[0, 1], [1, 1], [2, 0]]), np.array([[0, 1], [1, 0], [0, 1]])
    shares = [agreement(teacher[:, output], student[:, output], sample_weight=[1, 2, 3]) for output in (0, 1)]
    assert agreement(teacher, student, sample_weight=[1, 2, 3]) == pytest.approx(np.mean(shares))


def test_skills_take_weights():
    """A row of weight k counts like k rows, in the shares of the classes, too; of weight zero like none."""
    rng = np.random.default_rng(0)
    labels, weight = rng.choice(list("abc"), 40), rng.integers(0, 3, 40)
    proba, values = rng.dirichlet(np.ones(3), 40), rng.normal(size=(2, 40, 2))
    repeated = brier_skill(labels.repeat(weight), proba.repeat(weight, axis=0), classes=list("abc"))
    assert brier_skill(labels, proba, classes=list("abc"), sample_weight=weight) == pytest.approx(repeated)
    repeated = r2_skill(*values.repeat(weight, axis=1))
    assert r2_skill(*values, sample_weight=weight) == pytest.approx(repeated)
    only_a = np.where(labels == "a", 1.0, 0.0)
    assert np.isnan(brier_skill(labels, proba, classes=list("abc"), sample_weight=only_a))


def test_brier_skill_refuses_what_is_none():
    """No probabilities, several outputs, labels of another kind."""
    with pytest.raises(ValueError, match=r"brier_skill: row 0 of proba sums to 1\.5"):
        brier_skill(["a", "b"], [[0.9, 0.6], [0.1, 0.9]], classes=["a", "b"])
    with pytest.raises(ValueError, match=r"brier_skill: y_true of shape \(1, 2\); expected \(n_samples,\)"):
        brier_skill([["a", "b"]], [[0.9, 0.1]], classes=["a", "b"])
    with pytest.raises(ValueError, match=r"brier_skill: unknown labels \[0, 1\]; known are \['a', 'b'\]. Leave out"):
        brier_skill([0, 1], [[0.9, 0.1], [0.1, 0.9]], classes=["a", "b"])


def test_r2_skill_takes_a_column():
    """As scikit-learn's regressors do: one output with or without its axis."""
    assert r2_skill([[0.0], [1.0], [2.0]], [0.0, 1.0, 2.5]) == r2_skill([0.0, 1.0, 2.0], [[0.0], [1.0], [2.5]]) == 0.875


def test_unknown_skill_is_no_retention():
    """NaN in, NaN out."""
    assert np.isnan(retention(np.nan, 0.5))
    assert np.isnan(retention(0.5, np.nan))
