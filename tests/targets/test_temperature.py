import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from strategies import distributions

from skdistill.targets import centred_logits, soften, softmax

few = settings(max_examples=25, deadline=None)
temperatures = st.floats(0.1, 50)


def assert_on_simplex(proba):
    assert np.all(proba >= 0)
    np.testing.assert_allclose(proba.sum(axis=1), 1)


@few
@given(proba=distributions(zeros=True), temperature=temperatures)
def test_soften_never_changes_the_winner(proba, temperature):
    """Softening keeps rows on the simplex and the top class on top."""
    softened = soften(proba, temperature)
    assert_on_simplex(softened)
    np.testing.assert_array_equal(np.take_along_axis(softened, proba.argmax(axis=1)[:, None], 1)[:, 0], softened.max(1))


@few
@given(proba=distributions(zeros=True), temperature=temperatures)
def test_soften_keeps_the_order_of_all_classes(proba, temperature):
    """Classes sorted by the teacher's probability are sorted by the softened one, too."""
    softened = soften(proba, temperature)
    in_order = np.take_along_axis(softened, proba.argsort(axis=1), axis=1)
    assert np.all(np.diff(in_order, axis=1) >= 0)


@few
@given(proba=distributions(zeros=True), temperature=temperatures)
def test_inverse_temperature_undoes_softening(proba, temperature):
    """Softening at T and then at 1 / T gives the probabilities back."""
    np.testing.assert_allclose(soften(soften(proba, temperature), 1 / temperature), proba, rtol=1e-9, atol=1e-12)


@few
@given(proba=distributions(zeros=True), first=st.floats(0.5, 5), second=st.floats(0.5, 5))
def test_temperatures_multiply(proba, first, second):
    """Softening twice is softening once at the product of the temperatures."""
    np.testing.assert_allclose(soften(soften(proba, first), second), soften(proba, first * second), atol=1e-12)


@few
@given(proba=distributions(zeros=True))
def test_temperature_one_is_identity(proba):
    """Temperature 1 changes nothing, to the last bit."""
    np.testing.assert_array_equal(soften(proba, 1.0), proba)


@few
@given(proba=distributions(zeros=True), temperature=temperatures)
def test_exact_zeros_stay_and_nothing_else_becomes_zero(proba, temperature):
    """What the teacher rules out stays ruled out at every temperature, and nothing else is."""
    np.testing.assert_array_equal(soften(proba, temperature) == 0, proba == 0)


@few
@given(proba=distributions(), temperature=st.floats(1.01, 50))
def test_heat_spreads_probability(proba, temperature):
    """Above temperature 1 the top class loses and the bottom class gains, or all are equal."""
    softened = soften(proba, temperature)
    assert np.all(softened.max(axis=1) <= proba.max(axis=1) + 1e-12)
    assert np.all(softened.min(axis=1) >= proba.min(axis=1) - 1e-12)


@few
@given(proba=distributions(), temperature=temperatures)
def test_softening_divides_logits(proba, temperature):
    """Softening is what its name says: the logits are divided by the temperature."""
    logits = centred_logits(proba, floor=1e-300)
    np.testing.assert_allclose(
        centred_logits(soften(proba, temperature), floor=1e-300), logits / temperature, atol=1e-8
    )


@few
@given(proba=distributions(), temperature=temperatures)
def test_soften_leaves_its_input_alone(proba, temperature):
    """The teacher's answers are shared, so they are never written."""
    proba.flags.writeable = False
    before = proba.copy()
    soften(proba, temperature)
    centred_logits(proba)
    np.testing.assert_array_equal(proba, before)


@few
@given(proba=distributions(zeros=True))
def test_centred_logits_sum_to_zero(proba):
    """Each row of centred logits sums to zero, zeros among the probabilities or not."""
    logits = centred_logits(proba)
    assert np.all(np.isfinite(logits))
    np.testing.assert_allclose(logits.sum(axis=1), 0, atol=1e-9)


@few
@given(proba=distributions())
def test_softmax_inverts_centred_logits(proba):
    """The softmax of centred logits gives the probabilities back where none is below the floor."""
    np.testing.assert_allclose(softmax(centred_logits(proba, floor=1e-6)), proba, rtol=1e-10)


@few
@given(proba=distributions(zeros=True), floor=st.sampled_from([1e-9, 1e-6, 1e-3]))
def test_floor_bounds_what_is_lost(proba, floor):
    """The floor moves no probability by more than about the floor times the number of classes."""
    assert np.all(np.abs(softmax(centred_logits(proba, floor=floor)) - proba) <= floor * proba.shape[1] + 1e-12)


@few
@given(logits=arrays(float, (3, 4), elements=st.floats(-700, 700)), shift=st.floats(-1e3, 1e3))
def test_softmax_ignores_shifts(logits, shift):
    """Softmax gives a distribution that depends on differences of logits only, however large they are."""
    proba = softmax(logits)
    assert_on_simplex(proba)
    np.testing.assert_allclose(softmax(logits + shift), proba, atol=1e-9)


@pytest.mark.parametrize("size", [1e-300, 1e3, 1e300])
def test_softmax_neither_overflows_nor_warns(size):
    """Extreme logits end in certainty or in indifference, never in NaN."""
    proba = softmax(np.array([[size, -size, 0.0]]))
    assert_on_simplex(proba)
    assert proba.argmax() == 0
