"""Sums over chunks give the metric of all rows, in any order, and joined from several parts."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skdistill.inspection._rules import standard_error
from skdistill.metrics import FidelitySums, brier_skill, fidelity
from skdistill.metrics._sums import SquaredErrors
from skdistill.targets import one_hot


def outputs_of(kind, n_rows, rng, offset=0.0):
    """Outputs of a teacher, and of a student that is near it."""
    if kind == "proba":
        teacher = rng.dirichlet([1.0, 2.0, 0.5], n_rows)
        return teacher, 0.9 * teacher + 0.1 * rng.dirichlet([1.0, 1.0, 1.0], n_rows)
    shape = (n_rows,) if kind == "values" else (n_rows, 2)
    teacher = offset + rng.normal(size=shape)
    return teacher, teacher + 0.3 * rng.normal(size=shape)


def influence(teacher, student, weight, is_pooled):
    """Influence of each row on the fidelity, by its definition."""
    columns, share = teacher.reshape(len(teacher), -1), weight / weight.sum()
    lost = (columns - student.reshape(columns.shape)) ** 2
    constant = (columns - share @ columns) ** 2
    if is_pooled:
        lost, constant = lost.sum(axis=1, keepdims=True), constant.sum(axis=1, keepdims=True)
    unit = share @ constant
    return ((share @ lost / unit) * constant / unit - lost / unit).mean(axis=1)


@settings(max_examples=40)
@given(
    kind=st.sampled_from(["proba", "values", "outputs"]),
    n_rows=st.integers(5, 60),
    n_chunks=st.integers(1, 5),
    is_weighted=st.booleans(),
    offset=st.sampled_from([0.0, 1e4]),
    seed=st.integers(0, 100),
)
def test_sums_are_the_metric_of_all_rows(kind, n_rows, n_chunks, is_weighted, offset, seed):
    """Fidelity and its standard error, whatever the chunks, in one object or joined from several."""
    rng = np.random.RandomState(seed)
    teacher, student = outputs_of(kind, n_rows, rng, offset)
    weight = rng.randint(0, 3, n_rows) + (np.arange(n_rows) < 3) if is_weighted else np.ones(n_rows)
    one, several = FidelitySums(), []
    for rows in np.array_split(np.arange(n_rows), n_chunks):
        given_weight = weight[rows] if is_weighted else None
        one.update(teacher[rows], student[rows], given_weight)
        several.append(FidelitySums().update(teacher[rows], student[rows], given_weight))
    joined = FidelitySums()
    for each in several[::-1]:
        joined.join(each)
    expected = fidelity(teacher, student, sample_weight=weight)
    spread = influence(teacher, student, weight, kind == "proba")
    error = standard_error(spread, weight, np.arange(n_rows))
    for sums in (one, joined):
        assert sums.n_rows == np.count_nonzero(weight)
        assert sums.fidelity == pytest.approx(expected, abs=1e-9)
        assert sums.standard_error == pytest.approx(error, rel=1e-5)


def test_skills_have_the_covariance_of_both_models():
    """The difference of two skills is more certain than each, as by the influence of each row."""
    rng = np.random.RandomState(0)
    teacher, student = outputs_of("proba", 300, rng)
    y = np.array([rng.choice(3, p=row) for row in teacher])
    sums = SquaredErrors(2, is_pooled=True)
    for rows in np.array_split(np.arange(300), 4):
        sums.update(one_hot(y[rows], np.arange(3)), [teacher[rows], student[rows]], None)
    for place, outputs in enumerate((teacher, student)):
        assert sums.r_squared(place) == pytest.approx(brier_skill(y, outputs, classes=range(3)))
    truth, ones = one_hot(y, np.arange(3)), np.ones(300)
    both = influence(truth, student, ones, True) - influence(truth, teacher, ones, True)
    assert sums.standard_error(-1.0, 1.0) == pytest.approx(standard_error(both, ones, np.arange(300)))


@pytest.mark.parametrize("student", [[2.0, 2.0, 2.0], [2.0, 2.0, 3.0]])
def test_a_constant_teacher_is_judged_as_in_memory(student):
    """1 for the same constant, 0 for any other output, without rounding errors."""
    sums = FidelitySums().update([2.0, 2.0], student[:2]).update([2.0], student[2:])
    assert sums.fidelity == fidelity([2.0, 2.0, 2.0], student)


def test_few_rows_have_no_fidelity():
    """None and one."""
    assert np.isnan([FidelitySums().fidelity, FidelitySums().standard_error]).all()
    assert np.isnan(FidelitySums().update([1.0], [2.0]).fidelity)


@pytest.mark.parametrize(
    ("update", "said"),
    [
        (lambda sums: sums.update([1.0, 2.0], [1.0]), "expected equal shapes"),
        (lambda sums: sums.update([np.nan], [1.0]), "NaN or infinity"),
        (lambda sums: sums.update(np.eye(2), np.eye(2)), r"shape \(2, 2\) after some with 1 columns"),
        (lambda sums: sums.update([1.0], [1.0], [-1.0]), "negative weights"),
        (lambda sums: sums.update([1.0], [1.0], [1.0, 2.0]), "one weight per row"),
        (lambda sums: FidelitySums("mean"), "multioutput='mean'; expected one of"),
    ],
)
def test_what_cannot_be_summed_is_told(update, said):
    """In the words of the metrics."""
    with pytest.raises(ValueError, match=said):
        update(FidelitySums().update([1.0, 2.0, 4.0], [1.0, 2.0, 3.0]))


def test_a_chunk_without_weight_changes_nothing():
    """All its rows have weight zero."""
    sums = FidelitySums().update([9.0, 9.0], [0.0, 0.0], [0.0, 0.0])
    sums.update([1.0, 2.0, 4.0], [1.0, 2.0, 3.0], [1.0, 1.0, 2.0])
    assert sums.n_rows == 3
    assert sums.fidelity == pytest.approx(fidelity([1.0, 2.0, 4.0], [1.0, 2.0, 3.0], sample_weight=[1, 1, 2]))
