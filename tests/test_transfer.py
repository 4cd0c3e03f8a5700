"""The transfer set: where each row comes from travels with it."""

import pickle
import re
from dataclasses import replace

import joblib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skdistill.samplers import Jitter, LeafSwap
from skdistill.teachers import RemoteUsage
from skdistill.transfer import Draw, Oracle, TransferSet, TransferSummary, label_real_rows


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


@pytest.mark.parametrize(("most", "n_random"), [(100, 100), (400, 150), (1200, 300), (5000, 0)])
def test_rows_are_drawn_at_random_before_others_are_selected(most, n_random):
    """As many as stated, all within the budget; those of a region that few outputs vary in are not fewer of them."""
    rng = np.random.RandomState(0)
    X, pool = rng.rand(300, 2), rng.rand(3000, 2)
    oracle = Oracle(lambda rows, origin: np.where(rows[:, 0] > 0.8, np.sin(50 * rows[:, 1]), 0.0), joblib.Memory(None))
    oracle.max_queries = 300 + most
    rows = label_real_rows(X, oracle, sample_weight=np.ones(300), X_unlabeled=pool, is_validated=True, rng=rng)
    assert np.count_nonzero(rows.is_unlabeled) == len(np.unique(rows.X[300:], axis=0)) == min(most, 3000)
    random = rows.is_unlabeled & ~rows.is_selected
    if n_random:
        assert np.count_nonzero(random) == n_random
        assert abs((rows.X[random, 0] > 0.8).mean() - 0.2) < 3 * 0.4 / np.sqrt(n_random)
        assert not rows.is_selected.any() or (rows.X[rows.is_selected, 0] > 0.8).mean() > 0.35
    else:
        assert not rows.is_selected.any()
    order = rng.permutation(len(rows))
    moved = rows.extend(drawn(3), 1.0, "a").take(np.append(order, len(rows)))
    np.testing.assert_array_equal(moved.is_selected, np.append(rows.is_selected[order], False))


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


def cells_of(page):
    """Return the texts of the rows of the table of a page, without its head."""
    lines = [re.findall(r"<t[dh][^>]*>([^<]*)<", line) for line in page.split("<tr>")[1:]]
    return lines[1:]


class TestNotebook:
    """Both transfer sets are tables in a notebook."""

    @given(n_rows=st.integers(1, 6), parts=parts)
    def test_each_origin_has_a_row(self, n_rows, parts):
        """With the number and the mean weight of its rows; origins without rows have none."""
        rows = real_rows(n_rows)
        for name, count in parts:
            rows = rows.with_unlabeled(*drawn(count)[0]) if name == "pool" else rows.extend(drawn(count), 1.0, name)
        page = rows._repr_html_()
        table = {origin: (int(count), float(weight)) for origin, count, weight in cells_of(page)}
        assert sum(count for count, _ in table.values()) == len(rows)
        assert set(table) == {rows.origins[place] for place in np.unique(rows.origin)}
        total = sum(count * weight for count, weight in table.values())
        assert total == pytest.approx(rows.sample_weight.sum(), rel=1e-2)
        assert f"{len(rows)} rows with 2 columns; outputs of shape ({len(rows)},)" in page

    def test_a_summary_of_an_earlier_version_is_read(self):
        """It is found where it was, and lacks what was not known then."""
        names = list(TransferSummary.__annotations__)[:11]
        values = dict(zip(names, (3, 0, 0, 1.0, 0.0, "", 3, 0.0, 1.5, 0.2, 4.25), strict=True))
        earlier = b"cskdistill.transfer\nTransferSummary\n)\x81" + pickle.dumps(values, protocol=0)[:-1] + b"b."
        summary = pickle.loads(earlier)
        assert type(summary) is TransferSummary
        assert (summary.n_real, summary.usage, summary.labelled_by) == (3, None, "1 thread")
        assert "3 real rows" in summary.explain()
        assert "n_real" in summary._repr_html_()

    @pytest.mark.parametrize("real_weight", [1.0, 0.0])
    def test_a_summary_shows_every_attribute(self, real_weight):
        """And begins with a sentence, in which texts of samplers are escaped."""
        summary = TransferSummary(1200, 5, 30_000, real_weight, 0.1, "A(B(),\n  c='<')", 31_215, 0.0, 1.5, 0.2, 4.25)
        page = summary._repr_html_()
        assert {name for name, _ in cells_of(page)} == set(vars(summary))
        assert dict(cells_of(page))["n_queries"] == "31,215"
        assert "1,200 real, 5 unlabelled and 30,000 synthetic rows, drawn by A(B(), c=&#x27;&lt;&#x27;)" in page
        assert ("without the real rows of X" in page) == (real_weight == 0)
        assert "are a sample" not in page
        asked = replace(summary, usage=RemoteUsage(31_215, 320, 8, 3.25))._repr_html_()
        assert dict(cells_of(asked))["usage"] == "31,215 rows answered by 320 requests, of which 8 failed, cost 3.25"
        assert "; the real ones are a sample of 40,000;" in replace(summary, sampled_from=40_000)._repr_html_()
