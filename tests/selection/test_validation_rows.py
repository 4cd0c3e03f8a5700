"""What validation rows say of unseen ones."""

from dataclasses import replace
from types import SimpleNamespace

import joblib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skdistill import as_teacher
from skdistill.metrics import fidelity
from skdistill.selection._cross_validation import divide
from skdistill.selection._validation_rows import Group, Losses, Validation, hold_out
from skdistill.transfer import Oracle, TransferSet


class Answers:
    """Students are arrays of answers here, and tables are the rows to take of them."""

    pools_outputs = True

    def predict(self, student, X):
        return student[X]


def draw(n_rows, noise, seed, n_outputs=3):
    """Return a teacher's and a student's answers."""
    rng = np.random.RandomState(seed)
    teacher = rng.dirichlet(np.ones(n_outputs), size=n_rows)
    return teacher, teacher + noise * rng.standard_normal(teacher.shape)


@given(n_rows=st.integers(5, 50), noise=st.floats(0.01, 1), seed=st.integers(0, 1000), pools=st.booleans())
def test_losses_are_those_of_fidelity(n_rows, noise, seed, pools):
    """One minus their mean is the metric, weighted or not, pooled or not."""
    teacher, student = draw(n_rows, noise, seed)
    weight = np.random.RandomState(seed).uniform(0.5, 2, n_rows)
    losses, shares = Group(None, teacher, weight).losses(student, pools_outputs=pools)
    average = "variance_weighted" if pools else "uniform_average"
    assert 1 - losses.mean() == pytest.approx(fidelity(teacher, student, sample_weight=weight, multioutput=average))
    assert shares.mean() == pytest.approx(1)


@given(seed=st.integers(0, 30), scale=st.sampled_from([1e-100, 1.0, 1e100]))
def test_noise_that_nobody_can_follow_is_left_out(seed, scale):
    """Targets with noise of a known variance give the fidelity to those without, in any unit."""
    rng = np.random.RandomState(seed)
    teacher, student = draw(4000, 0.1, seed, 2)
    deviation = rng.uniform(0.1, 0.3, size=(4000, 1)) * np.ones((1, 2))
    noisy = Group(
        None, scale * (teacher + deviation * rng.standard_normal((4000, 2))), np.ones(4000), scale**2 * deviation**2
    )
    found = noisy.losses(scale * student, pools_outputs=True)[0].mean()
    assert found == pytest.approx(1 - fidelity(teacher, student), abs=0.03)


def validation(groups, kind="given"):
    return Validation(tuple(groups), tuple(groups), "some rows", kind, Answers())


@pytest.mark.parametrize("noise", [0.02, pytest.param(0.1, marks=pytest.mark.slow), 0.3])
def test_intervals_hold(noise):
    """The 95 % interval from 200 rows contains the fidelity on 2,000 others in at least 90 % of 200 draws."""
    inside = 0
    for seed in range(200):
        teacher, student = draw(2200, noise, seed)
        estimate = validation([Group(np.arange(200), teacher[:200], np.ones(200))]).estimate(student)
        inside += estimate.low <= fidelity(teacher[200:], student[200:]) <= estimate.high
    assert inside >= 180


@pytest.mark.parametrize("n_rows", [30, 100, 300])
def test_intervals_know_that_few_rows_have_no_rare_errors(n_rows):
    """If one row in 100 is far off, the fidelity is in at least 90 % of the intervals; more rows exclude more."""
    inside = 0
    for seed in range(200):
        rng = np.random.RandomState(seed)
        teacher = rng.standard_normal(n_rows)
        student = teacher + 0.01 * rng.standard_normal(n_rows) + (rng.random(n_rows) < 0.01)
        estimate = validation([Group(np.arange(n_rows), teacher, np.ones(n_rows))]).estimate(student)
        inside += estimate.low <= 1 - 0.0101 <= estimate.high
    assert inside >= 180
    close = validation([Group(np.arange(n_rows), teacher, np.ones(n_rows))]).estimate(0.99 * teacher)
    assert 1 / n_rows < close.fidelity - close.low < 0.003 + 2 / n_rows


def held_out_of(rows):
    """Return the validation rows, all of them, that are held out of a transfer set with this teacher."""
    oracle = Oracle(lambda X, origin: X[:, 0], joblib.Memory(None))
    targets = SimpleNamespace(teacher=as_teacher(lambda X: X[:, 0], task="regression"), of=lambda outputs: outputs)
    options = {"are_out_of_sample": False, "n_synthetic": 0, "n_jobs": 1, "rng": np.random.RandomState(0)}
    return hold_out(0.25, rows, None, targets, oracle, **options)


@pytest.mark.parametrize(("n_random", "kind"), [(60, "own"), (150, "unseen"), (400, "unseen")])
def test_rows_that_were_selected_never_validate(n_random, kind):
    """They do not represent others; those that were drawn at random before do, if they are enough, at most half."""
    X = np.arange(800.0)[:, None]
    real = TransferSet(X[:200], X[:200, 0], np.ones(200))
    rows = real.with_unlabeled(X[200:], X[200:, 0], is_selected=np.arange(600) >= n_random)
    found = held_out_of(rows)
    [group] = found.validation.reported
    validating = group.X[:, 0]
    assert found.validation.kind == kind
    assert (validating < 200 + n_random).all()
    assert len(np.intersect1d(validating, X[found.training, 0])) == 0
    assert len(validating) + len(found.training) == 800
    if kind == "unseen":
        assert (validating >= 200).all()
        assert len(validating) == min(n_random, 300)


def test_folds_validate_no_selected_rows():
    """All rows are taught; those that do not represent others are not predicted."""
    X = np.arange(200.0)[:, None]
    real = TransferSet(X[:100], X[:100, 0], np.ones(100)).with_unlabeled(
        X[100:], X[100:, 0], is_selected=np.arange(100) >= 20
    )
    targets = SimpleNamespace(of=lambda outputs: outputs)
    folds = divide(real, replace(validation([]), kind="own", targets=targets), np.random.RandomState(0))
    assert sorted(folds.validation.ranking[0].X[:, 0]) == list(range(120))
    assert sorted(np.concatenate(folds.validating)) == list(range(120))
    assert len(np.unique(np.concatenate(folds.training))) == 200
    for training, validating in zip(folds.training, folds.validating, strict=True):
        assert len(np.intersect1d(real.X[training, 0], folds.validation.ranking[0].X[validating, 0])) == 0


def test_intervals_of_rows_that_may_mislead_are_wider():
    """The less such rows can know, the wider."""
    teacher, student = draw(1000, 0.1, 0)
    groups = [Group(np.arange(1000), teacher, np.ones(1000))]
    widths = [
        (estimate := validation(groups, kind).estimate(student)).high - estimate.low
        for kind in ("given", "unseen", "out of bag", "own", "synthetic")
    ]
    assert widths == sorted(widths)
    assert widths[0] < 0.5 * widths[-1]


def test_groups_count_by_importance_and_not_by_rows():
    """For the rank; the estimate believes the one that says most, since each says too little."""
    teacher, student = draw(1000, 0.1, 0)
    student[100:] = teacher[100:]
    groups = [
        Group(rows, teacher[rows], np.ones(len(rows)), importance=importance)
        for rows, importance in ((np.arange(100), 1.0), (np.arange(100, 1000), 2.0))
    ]
    found = validation(groups)
    alone = validation(groups[:1]).losses(student).fidelity
    assert found.losses(student).fidelity == pytest.approx((2 + alone) / 3)
    assert found.estimate(student).fidelity == 1


@given(st.lists(st.floats(-1, 1), min_size=10, max_size=20), st.floats(1e-6, 0.5))
def test_paired_differences(losses, shift):
    """Rows are compared one by one: a constant on every loss is seen however the losses differ between rows."""
    low, high = Losses((np.array(losses),)), Losses((np.array(losses) + shift,))
    assert (high - low).mean == pytest.approx(shift, abs=1e-9)
    assert (high - low).error == pytest.approx(0, abs=1e-9)
    assert high.is_clearly_above(low, 3.0)
    assert not low.is_clearly_above(high, 3.0)
    assert not low.is_clearly_above(low, 3.0)


@pytest.mark.parametrize(("n_errors", "is_clear"), [(2.0, True), (4.0, False)])
def test_differences_by_chance_are_not_clear(n_errors, is_clear):
    """A mean difference of three standard errors is clear to who asks for two and not to who asks for four."""
    differences = np.random.RandomState(0).normal(size=400)
    differences = (differences - differences.mean()) / differences.std(ddof=1) + 3 / np.sqrt(400)
    high, low = Losses((differences,)), Losses((np.zeros(400),))
    assert (high - low).mean / (high - low).error == pytest.approx(3, rel=0.01)
    assert high.is_clearly_above(low, n_errors) == is_clear
