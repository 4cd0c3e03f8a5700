"""Bounds hold with their confidence: by enumeration of all samples where there are few, not by drawing some."""

from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from skdistill.metrics import (
    ConfidenceSequence,
    bernstein_interval,
    betting_interval,
    binomial_p_value,
    clopper_pearson,
    fixed_sequence,
    holm,
    quantile_bound,
    rows_needed,
)
from skdistill.metrics._betting import MOST_VALUES, _averaged, _deviation_before

INTERVALS = (betting_interval, bernstein_interval)


def probability_that(holds, samples, share):
    """Return the probability that a statement about a sample of zeros and ones holds, over all samples of one size."""
    ones = samples.sum(axis=1)
    return float((share**ones * (1 - share) ** (samples.shape[1] - ones) * holds).sum())


class TestClopperPearson:
    """Bounds of a share."""

    @pytest.mark.parametrize("share", [0.003, 0.1, 0.5, 0.97])
    def test_each_side_fails_as_seldom_as_stated(self, share):
        """Summed over all numbers of events, either end is wrong with at most half of the error probability."""
        events = np.arange(41)
        low, high = clopper_pearson(events, 40, confidence=0.9)
        chance = binom.pmf(events, 40, share)
        assert chance[low > share].sum() <= 0.05
        assert chance[high < share].sum() <= 0.05

    @settings(max_examples=30)
    @given(st.integers(1, 60), st.floats(0.5, 0.99))
    def test_bounds_are_where_the_tails_say(self, n_rows, confidence):
        """The lower bound is the share at which so many events have the error probability: no share above would do."""
        for events in {1, n_rows}:
            low, high = clopper_pearson(events, n_rows, confidence=confidence, side="lower")
            assert binom.sf(events - 1, n_rows, low) == pytest.approx(1 - confidence)
            assert high == 1

    def test_nothing_seen_bounds_nothing(self):
        """Without an event the lower bound is 0, without another row the upper bound is 1."""
        assert clopper_pearson(0, 10)[0] == 0
        assert clopper_pearson(10, 10)[1] == 1

    def test_p_value_and_bound_agree(self):
        """A share is refuted at a level if and only if it lies above the bound of that confidence."""
        events = np.arange(20)
        high = clopper_pearson(events, 50, confidence=0.9, side="upper")[1]
        assert ((binomial_p_value(events, 50, 0.2) <= 0.1) == (high <= 0.2)).all()
        np.testing.assert_allclose(binomial_p_value(events, 50, 0.2), binom.cdf(events, 50, 0.2))
        assert binomial_p_value(50, 50, 0.2) == 1


@pytest.mark.parametrize("interval", INTERVALS)
class TestMeans:
    """Bounds for means of bounded variables."""

    def test_each_side_fails_as_seldom_as_stated(self, interval):
        """Over all samples of six zeros and ones, a bound of confidence 0.7 exceeds the mean with at most 0.3."""
        samples = np.array(list(product([0.0, 1.0], repeat=6)))
        low = np.array([interval(sample, confidence=0.7, side="lower")[0] for sample in samples])
        for share in (0.2, 0.5, 0.7, 0.9, 0.97):
            assert probability_that(low > share, samples, share) <= 0.3

    def test_sides_mirror_each_other(self, interval):
        """The upper bound of values is the lower bound of what is left to the end of their range."""
        x = np.random.default_rng(0).beta(8, 2, 60)
        low, high = interval(x)
        mirrored = interval(-x, bounds=(-1, 0))
        np.testing.assert_allclose((low, high), (-mirrored[1], -mirrored[0]))
        assert low < x.mean() < high
        assert interval(x, side="lower") == pytest.approx((interval(x, confidence=0.9)[0], 1.0))

    def test_values_outside_their_range_are_refused(self, interval):
        """The stated range is what the bound rests on, so nothing is clipped silently."""
        with pytest.raises(ValueError, match=r"values between 0.1 and 1.2; expected the stated range \[0, 1\]"):
            interval([0.1, 1.2])
        with pytest.raises(ValueError, match="expected a finite range"):
            interval([0.1, 0.2], bounds=(0, np.inf))
        with pytest.raises(ValueError, match="NaN or infinity in 1 of 2 rows"):
            interval([0.1, np.nan])

    def test_more_rows_and_less_confidence_narrow_it(self, interval):
        """The width falls with the number of rows, and grows with the confidence."""
        x = np.tile([0.0, 1.0, 1.0, 0.5], 100)
        widths = [np.ptp(interval(x[:n], confidence=c)) for n, c in ((60, 0.99), (60, 0.9), (400, 0.9))]
        assert all(wide > narrow for wide, narrow in pairwise(widths))


@pytest.mark.parametrize(("n", "share"), [(100, 0.98), (100, 0.5), (400, 0.98)])
def test_betting_is_as_narrow_as_exact(n, share):
    """For zeros and ones, an interval by betting is inside that of Clopper and Pearson of a little more confidence."""
    x = np.random.default_rng(0).random(n) < share
    low, high = betting_interval(x.astype(float))
    of_more, of_less = (clopper_pearson(int(x.sum()), n, confidence=c) for c in (0.953, 0.95))
    assert of_more[0] <= low <= of_less[0]
    assert of_less[1] <= high <= of_more[1]


def test_bounds_hold_if_other_values_follow_zeros_and_ones():
    """Summed over all samples of five values of 0, 0.4 and 1: what bets replicate may depend on earlier values."""
    values, places = np.array([0.0, 0.4, 1.0]), np.array(list(product(range(3), repeat=5)))
    low = np.array([betting_interval(values[each], confidence=0.7, side="lower")[0] for each in places])
    for chances in np.array([(0.3, 0.1, 0.6), (0.05, 0.05, 0.9), (0.5, 0.2, 0.3), (0.0, 0.3, 0.7), (0.15, 0.02, 0.83)]):
        assert chances[places].prod(axis=1)[low > values @ chances].sum() <= 0.3
    assert len(np.unique(low[(values[places] != 0.4).all(axis=1)])) == 6  # zeros and ones count, not their order


def test_a_variable_that_hardly_varies_has_a_narrow_interval():
    """Betting adapts to the variance; Clopper and Pearson's interval for the same mean is four times as wide."""
    x = np.random.default_rng(0).beta(180, 20, 400)
    assert np.ptp(betting_interval(x)) < np.ptp(clopper_pearson(360, 400)) / 4


class TestWeights:
    """Means of weighted rows."""

    def test_bounds_for_weighted_means_hold(self):
        """Rows of weight 1 agree with probability 0.3 and of weight 0.25 with 0.8: the mean is 0.4, and bounds hold."""
        kinds = np.array([[1, 1, 0.15], [1, 0, 0.35], [0.25, 1, 0.4], [0.25, 0, 0.1]])  # weight, value, probability
        mean = (kinds[:, 0] * kinds[:, 1]) @ kinds[:, 2] / (kinds[:, 0] @ kinds[:, 2])
        missed = 0.0
        for places in product(range(4), repeat=3):
            weight, x, chance = kinds[list(places)].T
            low = betting_interval(x, confidence=0.6, side="lower", sample_weight=weight, max_weight=1.0)[0]
            missed += chance.prod() * (low > mean)
        assert mean == pytest.approx(0.4)
        assert 0 < missed <= 0.4

    def test_equal_weights_change_nothing(self):
        """Rows of equal weight are rows without weights."""
        x = np.random.default_rng(0).random(50)
        assert betting_interval(x, sample_weight=np.full(50, 3.0)) == betting_interval(x)

    def test_weights_need_a_bound(self):
        """A weight without a stated bound, or above it, is refused and never ignored."""
        weight = [1.0, 2.0, 5.0]
        with pytest.raises(ValueError, match=r"max_weight=None; expected the largest weight that any row can have"):
            betting_interval([0, 1, 1], sample_weight=weight)
        with pytest.raises(ValueError, match=r"the largest weight is 5, but max_weight=4"):
            betting_interval([0, 1, 1], sample_weight=weight, max_weight=4)


def test_bets_know_earlier_values_only():
    """What a bet is sized by does not change with the value it is made on, nor with later ones."""
    rng = np.random.default_rng(0)
    x, weight = rng.random(30), rng.random(30)
    known = _deviation_before(x, weight)
    for place in range(30):
        changed, others = x.copy(), weight.copy()
        changed[place:], others[place:] = 1 - x[place:], 1 - weight[place:]
        np.testing.assert_allclose(_deviation_before(changed, others)[: place + 1], known[: place + 1])


def test_many_rows_are_averaged_without_bias():
    """Means of neighbours keep the weighted mean, so their bound is one of the same mean."""
    rng = np.random.default_rng(0)
    x, weight = rng.random(2 * MOST_VALUES + 17), rng.random(2 * MOST_VALUES + 17)
    means, weights = _averaged(x, weight)
    sizes = np.diff([*((len(x) * np.arange(MOST_VALUES)) // MOST_VALUES), len(x)])
    assert len(means) == MOST_VALUES
    assert set(sizes) == {2, 3}
    assert (sizes * weights * means).sum() == pytest.approx((x * weight).sum())
    assert weights.max() <= 1


class TestSequence:
    """Bounds that hold at all times."""

    def test_no_stopping_time_breaks_the_promise(self):
        """Over all sequences of seven, a mean that is the promise is decided about at any time with at most alpha."""
        sequences = np.array(list(product([0.0, 1.0], repeat=7)))
        decided = {"met": [], "refuted": []}
        outside = []
        for values in sequences:
            sequence = ConfidenceSequence(confidence=0.6, promise=0.75)
            was_outside = False
            for value in values:
                sequence.update([value])
                was_outside |= not sequence.low <= 0.75 <= sequence.high
            outside.append(was_outside)
            for name, given_ in decided.items():
                given_.append(sequence.decision == name)
        for given_ in (*decided.values(), outside):
            assert probability_that(np.array(given_), sequences, 0.75) <= 0.4
        assert np.any(outside)
        assert np.any(decided["refuted"])

    def test_chunks_do_not_matter(self):
        """Rows one by one, or all together, give the same bounds and the same decision."""
        x = np.random.default_rng(0).random(600) < 0.9
        whole, parts = (ConfidenceSequence(promise=0.8) for _ in range(2))
        whole.update(x)
        for part in np.array_split(x, 23):
            parts.update(part)
        assert (whole.low, whole.high, whole.decision) == (parts.low, parts.high, parts.decision)
        assert whole.decision == "met"
        assert parts.n_rows == 600
        assert parts.mean == pytest.approx(x.mean())

    @pytest.mark.parametrize(("at_least", "expected"), [(True, "refuted"), (False, "met")])
    def test_promises_have_a_direction(self, at_least, expected):
        """A mean far below the promise refutes that it is at least that, and meets that it is at most that."""
        sequence = ConfidenceSequence(promise=6.0, at_least=at_least, bounds=(0, 10))
        sequence.update(np.full(100, 2.0))
        assert sequence.decision == expected
        assert sequence.low < 2 < sequence.high < 6
        assert expected in repr(sequence)

    def test_impossible_promises_are_refused(self):
        """A promise at the end of the range can never be proved."""
        with pytest.raises(ValueError, match=r"promise=1.0; expected a number inside the range"):
            ConfidenceSequence(promise=1.0)


class TestQuantiles:
    """Bounds for a quantile of the deviation."""

    @pytest.mark.parametrize("n_rows", [299, 300, 473, 1000])
    def test_the_smallest_order_statistic_that_holds(self, n_rows):
        """The chosen row exceeds the quantile with the confidence, and the next smaller one would not."""
        place = int(quantile_bound(np.arange(n_rows), share=0.99))  # so many rows are smaller
        n_above = n_rows - 1 - place
        assert binom.cdf(n_above, n_rows, 0.01) <= 0.05 < binom.cdf(n_above + 1, n_rows, 0.01)

    def test_too_few_rows_say_how_many_are_needed(self):
        """Fewer rows than the largest of which is a bound are refused."""
        with pytest.raises(ValueError, match=r"298 rows .* expected at least 299"):
            quantile_bound(np.arange(298), share=0.99)
        with pytest.raises(ValueError, match=r"share=1.0 cannot be proved by any number of rows"):
            quantile_bound(np.arange(298), share=1.0)


class TestPlanning:
    """How many rows a promise needs."""

    @pytest.mark.parametrize("promise", [0.6, 0.9, 0.99])
    def test_fewer_rows_prove_nothing(self, promise):
        """With one row less, even a model that always agrees does not reach the promise."""
        n_rows = rows_needed(promise)
        low = [clopper_pearson(n, n, side="lower")[0] for n in (n_rows - 1, n_rows)]
        assert low[0] < promise <= low[1]

    @pytest.mark.parametrize(("promise", "expected"), [(0.9, 0.95), (0.97, 0.99), (0.5, 0.9)])
    def test_planned_rows_have_the_power(self, promise, expected):
        """The promise can be made with the stated probability, and with a row less it cannot."""
        n_rows = rows_needed(promise, expected=expected, power=0.8)
        powers = []
        for n in (n_rows - 1, n_rows):
            events = np.arange(n + 1)
            proved = clopper_pearson(events, n, side="lower")[0] >= promise
            powers.append(binom.pmf(events, n, expected)[proved].sum())
        assert powers[0] < 0.8 <= powers[1]

    def test_a_broken_promise_cannot_be_planned(self):
        """A promise of everything, or of more than is expected, has no number of rows."""
        with pytest.raises(ValueError, match=r"promise=1.0 cannot be proved"):
            rows_needed(1.0)
        with pytest.raises(ValueError, match="expected a share above the promise"):
            rows_needed(0.97, expected=0.96)
        with pytest.raises(ValueError, match="more than 100,000,000 rows"):
            rows_needed(0.97, expected=0.97 + 1e-7)


class TestMultiplicity:
    """Several statements together."""

    @settings(max_examples=40)
    @given(st.lists(st.floats(0, 0.1), min_size=1, max_size=4))
    def test_holm_is_the_closure_of_bonferroni(self, p_values):
        """A hypothesis is refuted if and only if Bonferroni refutes every set of hypotheses that contains it."""
        n = len(p_values)
        sets = [np.flatnonzero(mask) for mask in product([False, True], repeat=n) if any(mask)]
        p = np.array(p_values)
        closure = [all(p[s].min() <= (1 - 0.95) / len(s) for s in sets if place in s) for place in range(n)]
        assert holm(p).tolist() == closure

    def test_a_fixed_sequence_stops_at_the_first_that_is_not_refuted(self):
        """No test after it counts, but those after the next start."""
        p = [0.01, 0.2, 0.001, 0.02, 0.04]
        assert fixed_sequence(p).tolist() == [True, False, False, False, False]
        assert fixed_sequence(p, n_starts=2).tolist() == [True, False, True, True, False]

    @pytest.mark.parametrize("adjust", [holm, fixed_sequence])
    def test_numbers_that_are_no_p_values_are_refused(self, adjust):
        """P-values are probabilities."""
        with pytest.raises(ValueError, match=r"expected at least one number in \[0, 1\]"):
            adjust([0.1, 1.5])


@pytest.mark.parametrize("confidence", [0, 1, 1.5, True, None])
def test_confidence_is_a_probability(confidence):
    """Certainty, and what is no number, is refused by whoever takes a confidence."""
    with pytest.raises(ValueError, match="expected a number above 0 and below 1"):
        betting_interval([0.5, 0.6], confidence=confidence)
    with pytest.raises(ValueError, match="expected a number above 0 and below 1"):
        clopper_pearson(1, 2, confidence=confidence)


def test_counts_are_integers():
    """Weighted counts have no binomial distribution."""
    with pytest.raises(ValueError, match="Weighted rows are not counted"):
        clopper_pearson(1.5, 3)
    with pytest.raises(ValueError, match="between 0 and all of them"):
        clopper_pearson(4, 3)
