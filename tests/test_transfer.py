"""The transfer set: where each row comes from travels with it."""

import joblib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skdistill.samplers import Jitter, LeafSwap
from skdistill.transfer import Draw, Oracle, TransferSet


def real_rows(n_rows, *, with_truth=False):
    truth = np.arange(float(n_rows)) if with_truth else None
    return TransferSet(np.arange(2.0 * n_rows).reshape(n_rows, 2), np.zeros(n_rows), np.ones(n_rows), truth)


def drawn(n_rows):
    return [(np.full((n_rows, 2), -1.0), np.ones(n_rows))]


parts = st.lists(st.tuples(st.sampled_from(["a", "b", "pool"]), st.integers(1, 5)), max_size=5)


@given(n_rows=st.integers(1, 6), parts=parts, seed=st.integers(0, 100), with_truth=st.booleans())
def test_rows_keep_their_origin(n_rows, parts, seed, with_truth):
    """However often a set is extended, reordered and cut, synthetic rows stay synthetic and real ones real."""
    rows = real_rows(n_rows, with_truth=with_truth)
    for name, count in parts:
        rows = rows.with_unlabeled(*drawn(count)[0]) if name == "pool" else rows.extend(drawn(count), 1.0, name)
    assert rows.n_real == n_rows
    assert rows.n_synthetic == sum(count for name, count in parts if name != "pool")
    assert np.count_nonzero(rows.is_unlabeled) == sum(count for name, count in parts if name == "pool")
    shuffled = rows.take(np.random.RandomState(seed).permutation(len(rows)))
    np.testing.assert_array_equal(shuffled.is_real, shuffled.X[:, 0] >= 0)
    assert shuffled.origins[2:] == tuple(dict.fromkeys(name for name, _ in parts if name != "pool"))
    if with_truth:
        np.testing.assert_array_equal(np.isnan(shuffled.truth), ~shuffled.is_real)


def test_extending_twice_makes_no_row_real():
    """3 real rows, 4 and 2 synthetic ones: 3 are real, and the total weight is of real rows alone."""
    twice = real_rows(3).extend(drawn(4), 1.0, "a").extend(drawn(2), 0.5, "b")
    assert (twice.n_real, twice.n_synthetic) == (3, 6)
    np.testing.assert_allclose(twice.sample_weight, [1, 1, 1, 0.75, 0.75, 0.75, 0.75, 0.75, 0.75])


@pytest.mark.parametrize(("share", "expected"), [(1, [1, 1, 0.5, 1]), (0.5, [0.5, 0.5, 0.5, 1]), (0, [0.5, 1])])
def test_only_rows_of_x_are_weighed_down(share, expected):
    """Neither synthetic rows nor those without a label, which no teacher was fitted on."""
    rows = real_rows(2).extend(drawn(1), 0.25, "a").with_unlabeled(np.zeros((1, 2)), np.zeros(1))
    rows.sample_weight[-1] = 1.0
    np.testing.assert_allclose(rows.weigh_real(share).sample_weight, expected)


def test_several_draws_are_labelled_at_once():
    """Rows of several samplers are asked for in one call, and are those that each gives alone."""
    real, asked = TransferSet(np.random.default_rng(0).random((40, 2)), np.zeros(40), np.ones(40)), []

    def ask(rows, origin):
        asked.append(len(rows))
        return rows[:, 0]

    oracle = Oracle(ask, joblib.Memory(None))
    draws = [Draw(Jitter(), real, 20, 1), Draw(LeafSwap(), real, 30, 2)]
    together = oracle.draw_all(draws, n_jobs=2)
    assert asked == [50]
    for draw, (rows, outputs) in zip(draws, together, strict=True):
        alone, of_alone = oracle.draw(draw.sampler, draw.real, draw.n_samples, draw.seed)
        np.testing.assert_array_equal(rows, alone)
        np.testing.assert_array_equal(outputs, of_alone)
    assert oracle.n_queries == 100
