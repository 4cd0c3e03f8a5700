"""What each sampler promises beyond the contract."""

import datetime as dt

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer

from skdistill.exceptions import SamplerError
from skdistill.samplers import (
    SPUNGE,
    Interpolation,
    Jitter,
    LeafSwap,
    MarginalResampling,
    Mixture,
    TermSwap,
    UniformBox,
    _base,
    choose_from_pool,
)
from skdistill.samplers._cells import choose_cells

rng = np.random.default_rng(0)
LINE = np.repeat(rng.normal(size=(600, 1)), 4, axis=1) + 0.01 * rng.normal(size=(600, 4))
"""Four columns that nearly agree: rows off the line show."""


@pytest.fixture(autouse=True)
def _same_numbers():
    """What tests draw from ``rng`` does not depend on which tests ran before."""
    rng.bit_generator.state = np.random.default_rng(1).bit_generator.state


def off_line(rows):
    return np.ptp(rows, axis=1).mean()


class TestLeafSwap:
    def test_rows_keep_what_matters_to_the_teacher(self):
        """Where only one column matters, swapped rows keep nearly the same output, and mix the others freely."""
        X = rng.random((2000, 4))
        teacher = lambda rows: np.floor(4 * rows[:, 0])  # noqa: E731
        for noise in (0.0, 0.01):
            rows = LeafSwap(1.0, noise=noise, max_features=1.0).fit(X, teacher(X)).sample(4000, random_state=0)
            own = LeafSwap(1.0, noise=noise, max_features=1.0).fit(X, X[:, 1]).sample(4000, random_state=0)
            assert np.corrcoef(rows[:, 0], rows[:, 1])[0, 1] == pytest.approx(0, abs=0.1)
            assert abs(teacher(rows).mean() - teacher(X).mean()) < 0.15
            assert abs(np.mean(own[:, 1]) - 0.5) < 0.05

    def test_without_noise_cells_were_seen_and_with_it_they_move(self):
        """Noise is what puts numbers between those seen."""
        swapped = LeafSwap(noise=0.0).fit(LINE, LINE[:, 0]).sample(500, random_state=0)
        assert all(np.isin(swapped[:, index], LINE[:, index]).all() for index in range(4))
        moved = LeafSwap(noise=0.05).fit(LINE, LINE[:, 0]).sample(500, random_state=0)
        assert np.mean(np.isin(moved, LINE)) < 0.1

    def test_noise_starts_from_the_swapped_cell(self):
        """With every cell swapped and next to no noise no cell is that of its own row."""
        X = np.arange(1000.0)[:, None] + 0.5
        rows = LeafSwap(1.0, noise=1e-9).fit(X, X[:, 0]).sample(1000, random_state=0)
        own = X[np.random.RandomState(0).permutation(1000)]
        assert np.abs(rows - own).min() > 0.9

    def test_leaves_keep_rows_on_the_line_that_marginals_leave(self):
        """Swapping within leaves breaks less than swapping at large."""
        leaf = LeafSwap(0.5).fit(LINE, LINE[:, 0]).sample(2000, random_state=0)
        marginal = MarginalResampling(0.5).fit(LINE).sample(2000, random_state=0)
        assert off_line(leaf) < 0.5 * off_line(marginal)

    def test_a_new_tree_for_each_copy(self):
        """Two copies of the table pair a row with different others."""
        X = np.arange(1200.0).reshape(600, 2)
        fitted = LeafSwap(1.0, noise=0.0, random_state=0).fit(X, X[:, 0] % 7)
        rows = fitted.sample(1200, random_state=0)
        assert np.mean(np.all(rows[:600] == rows[600:], axis=1)) < 0.5

    @pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int32])
    def test_threads_and_chunks_change_no_row(self, dtype):
        """Rows that are written into one array are those that are drawn block by block, for any number of threads."""
        X = (1000 * np.random.default_rng(0).random((3000, 3))).astype(dtype)
        fitted = LeafSwap().fit(X, X[:, 0])
        drawn = fitted.sample(9000, random_state=0)
        assert drawn.dtype == dtype
        np.testing.assert_array_equal(np.concatenate(list(fitted.stream(9000, chunk_size=777, random_state=0))), drawn)
        np.testing.assert_array_equal(fitted.set_params(n_jobs=3).sample(9000, random_state=0), drawn)

    def test_blocks_of_a_large_table_share_a_tree(self, monkeypatch):
        """Eight blocks of distinct rows have one tree; copies of a small table have one each, so that they differ."""
        grown, leaves = [], LeafSwap._leaves
        monkeypatch.setattr(
            LeafSwap, "_leaves", lambda self, own, rng: grown.append(len(own)) or leaves(self, own, rng)
        )
        monkeypatch.setattr(_base, "BLOCK_ROWS", 600)
        for n_rows, expected in ((6000, [4800, 1200]), (600, [600] * 10)):
            X = np.arange(float(n_rows)).reshape(-1, 1)
            drawn = LeafSwap(1.0, noise=0.0).fit(X, X[:, 0]).sample(6000, random_state=0)
            assert np.isin(drawn, X).all()
            assert grown == expected
            grown.clear()

    def test_no_row_is_its_own_partner(self):
        """With every cell swapped no row comes back at its own place."""
        X = np.arange(1000.0).reshape(-1, 1)
        fitted = LeafSwap(1.0, noise=0.0).fit(X, X[:, 0])
        own = np.arange(1000)
        assert np.all(fitted._draw(own, np.random.default_rng(0))[:, 0] != X[own, 0])

    @pytest.mark.parametrize("n_outputs", [1, 3, 30])
    def test_any_number_of_outputs(self, n_outputs):
        """Many outputs are projected, and constant ones do no harm: the column that matters to one of them is kept."""
        X = rng.random((2000, 3))
        y = np.ones((2000, n_outputs))
        y[:, -1] = X[:, 0]
        rows = LeafSwap(1.0, noise=0.0, max_features=1.0).fit(X, y).sample(2000, random_state=0)
        own = X[np.random.RandomState(0).permutation(2000)]
        kept = [np.corrcoef(rows[:, column], own[:, column])[0, 1] for column in range(3)]
        assert kept[0] > 0.9 > 0.5 > max(kept[1:])

    def test_outputs_must_fit_the_rows(self):
        """Outputs of other rows are refused."""
        with pytest.raises(ValueError, match="inconsistent numbers of samples"):
            LeafSwap().fit(LINE, np.ones(3))


class TestMarginalAndSpunge:
    def test_all_cells_drawn_make_columns_independent(self):
        """With probability 1 nothing ties columns together, and each keeps its distribution."""
        rows = MarginalResampling(1.0).fit(LINE).sample(20_000, random_state=0)
        assert abs(np.corrcoef(rows.T)[0, 1]) < 0.05
        drawn, real = (np.quantile(table, [0.1, 0.5, 0.9], axis=0) for table in (rows, LINE))
        np.testing.assert_allclose(drawn, real, atol=0.1)

    @given(probability=st.floats(1e-3, 1))
    @settings(max_examples=20, deadline=None)
    def test_cells_are_chosen_with_their_probability(self, probability):
        """The share of chosen cells is the probability."""
        share = choose_cells((500, 400), probability, np.random.default_rng(0)).mean()
        assert share == pytest.approx(probability, abs=4 * np.sqrt(probability / 200_000) + 1e-5)

    @pytest.mark.parametrize("n_features", [2, 5, 30])
    def test_narrow_tables_are_resampled_too(self, n_features):
        """About a tenth of the cells is drawn anew, also below ten columns."""
        X = rng.random((500, n_features))
        rows = SPUNGE(noise=0.0).fit(X).sample(500, random_state=0)
        order = np.random.RandomState(0).permutation(500)
        assert np.mean(rows != X[order]) == pytest.approx(0.1, abs=0.03)

    def test_noise_is_in_standard_deviations(self):
        """Half of the numbers are moved, and those that were not drawn anew by the noise, whatever their unit."""
        X = rng.normal(size=(4000, 2)) * [1, 1000]
        rows = SPUNGE(0.5, noise=0.01).fit(X).sample(4000, random_state=0)
        assert np.mean(np.isin(rows, X)) == pytest.approx(0.5, abs=0.03)
        steps = (rows - X[np.random.RandomState(0).permutation(4000)]) / X.std(axis=0)
        for column in steps.T:
            moved = column[(np.abs(column) > 0) & (np.abs(column) < 0.04)]  # numbers drawn anew are seldom as near
            assert len(moved) == pytest.approx(1000, rel=0.15)
            assert np.std(moved) == pytest.approx(0.01, rel=0.15)


class TestJitterAndInterpolation:
    def test_steps_follow_the_ranks(self):
        """A small step along the ranks is small where values are dense and large where they are rare."""
        X = np.sort(np.exp(3 * rng.normal(size=2000)))[:, None]
        fitted = Jitter(0.01, random_state=0).fit(X)
        rows = fitted.sample(2000, random_state=0)
        own = X[np.random.RandomState(0).permutation(2000)]
        ranks = np.searchsorted(X[:, 0], rows[:, 0]) - np.searchsorted(X[:, 0], own[:, 0])
        assert np.std(ranks) == pytest.approx(20, rel=0.15)

    def test_steps_are_reflected_at_the_ends(self):
        """Large steps do not pile up on the smallest and the largest number."""
        X = rng.random((3000, 1))
        rows = Jitter(0.5).fit(X).sample(3000, random_state=0)
        assert np.mean((rows == X.min()) | (rows == X.max())) < 0.01
        assert np.mean(rows) == pytest.approx(0.5, abs=0.05)

    def test_repeated_values_keep_their_share(self):
        """Nine tenths of zeros stay about nine tenths."""
        X = np.where(rng.random(5000) < 0.9, 0.0, rng.random(5000))[:, None]
        rows = Jitter(0.05).fit(X).sample(5000, random_state=0)
        assert np.mean(rows == 0) == pytest.approx(0.9, abs=0.02)

    def test_interpolated_numbers_lie_between_the_row_and_a_neighbour(self):
        """All cells of a row lie the same share of the way."""
        X = rng.random((200, 3))
        fitted = Interpolation(3, random_state=0).fit(X)
        rows = fitted.sample(200, random_state=0)
        own = np.random.RandomState(0).permutation(200)
        steps = rows[:, None] - X[own][:, None]
        ways = X[fitted.neighbors_[own]] - X[own][:, None]
        share = steps / ways
        fits = np.ptp(share, axis=2) < 1e-6
        assert fits.any(axis=1).all()
        assert np.all((share[fits] >= 0) & (share[fits] <= 1))

    def test_categories_come_from_the_row_or_its_neighbour(self):
        """The name is that of the row or of the neighbour that the numbers lie between, and each is taken at times."""
        x = np.arange(50.0)
        frame = pd.DataFrame({"x": x + 0.5, "twice": 2 * x + 0.5, "name": [f"{i:02d}" for i in range(50)]})
        sampler = Interpolation(2, random_state=0).fit(frame)
        rows = sampler.sample(50, random_state=0)
        own = np.random.RandomState(0).permutation(50)
        named = rows["name"].astype(int).to_numpy()
        is_own, is_neighbour = named == own, (named[:, None] == sampler.neighbors_[own]).any(axis=1)
        assert np.all(is_own | is_neighbour)
        assert min(is_own.sum(), is_neighbour.sum()) > 5
        way = (rows["x"].to_numpy() - 0.5 - own)[is_neighbour] / (named - own)[is_neighbour]
        assert np.all((way >= 0) & (way <= 1))


class TestUniform:
    COLUMNS = {"age": (18, 90), "income": (0.0, 2e5), "town": ["Bath", "Ely", "York"], "rooms": [1, 2, 7]}

    @pytest.mark.thinned(2)
    @pytest.mark.parametrize("design", ["random", "covering"])
    @pytest.mark.parametrize("backend", ["pandas", "polars"])
    def test_a_description_is_enough(self, design, backend):
        """Without a row: ranges are filled, integers whole, lists kept to."""
        rows = UniformBox(self.COLUMNS, design, backend).fit().sample(3000, random_state=0)
        assert list(rows.columns) == list(self.COLUMNS)
        ages, incomes = np.asarray(rows["age"]), np.asarray(rows["income"])
        assert set(ages) == set(range(18, 91))
        assert 0 <= incomes.min() < 2000 < 198_000 < incomes.max() <= 2e5
        assert set(rows["town"]) == set(self.COLUMNS["town"])
        assert set(rows["rooms"]) == {1, 2, 7}
        assert isinstance(rows, pd.DataFrame if backend == "pandas" else pl.DataFrame)

    def test_sequences_make_arrays(self):
        """Columns without names are those of an array; text makes it one of objects."""
        assert UniformBox([(0, 5), (0.0, 1.0)]).fit().sample(4, 0).dtype == np.float64
        mixed = UniformBox([(0, 5), ["a", "b"]]).fit().sample(100, 0)
        assert mixed.dtype == object
        assert set(mixed[:, 1]) == {"a", "b"}
        assert set(mixed[:, 0]) <= set(range(6))

    @given(n_columns=st.integers(2, 8), seed=st.integers(0, 1000))
    @settings(max_examples=20, deadline=None)
    def test_designs_cover_every_pair_of_values_once(self, n_columns, seed):
        """Up to eight columns of seven values are an orthogonal array of strength two: 49 rows have all 49 pairs."""
        sampler = UniformBox([list("abcdefg")] * n_columns, "covering").fit()
        rows = sampler.sample(49, random_state=seed)
        for i in range(n_columns):
            for j in range(i):
                assert len({tuple(pair) for pair in rows[:, [i, j]]}) == 49

    def test_covering_rows_hold_every_pair_of_categories(self):
        """Seven columns of six categories: every pair occurs within 49 rows."""
        columns = {f"x{i}": list("abcdef") for i in range(7)}
        rows = UniformBox(columns, "covering").fit().sample(49, random_state=0).to_numpy()
        for i in range(7):
            for j in range(i):
                assert len({tuple(pair) for pair in rows[:, [i, j]]}) == 36

    @pytest.mark.parametrize("n_columns", [2, 103])
    def test_large_designs_cover_across_blocks(self, n_columns):
        """Also where one design takes many blocks: 2 columns of 150 values, or 103 columns."""
        columns = [[*range(150 if n_columns == 2 else 5)]] * n_columns
        rows = UniformBox(columns, "covering").fit().sample(151**2 if n_columns == 2 else 103**2, random_state=0)
        for j in (1, n_columns - 1):
            assert len(np.unique(rows[:, [0, j]], axis=0)) == len(columns[0]) ** 2

    def test_descriptions_keep_types(self):
        """Whole numbers are integers also beside text; lists may hold dates and gaps; ranges may be as wide as any."""
        rows = UniformBox([(18, 90), ["a", "b"]]).fit().sample(20, random_state=0)
        assert all(isinstance(cell, int) for cell in rows[:, 0])
        columns = {"a": [1, None, 3], "b": [dt.date(2020, 1, 1), dt.date(2021, 1, 1)]}
        rows = UniformBox(columns, backend="polars").fit().sample(50, random_state=0)
        assert rows.schema == {"a": pl.Int64, "b": pl.Date}
        wide = UniformBox([(-1e308, 1e308)]).fit().sample(500, random_state=0)
        assert len(np.unique(wide)) > 400
        assert np.mean(wide > 0) == pytest.approx(0.5, abs=0.1)

    def test_nothing_to_fit(self):
        """Without rows and without a description there is nothing to draw."""
        with pytest.raises(ValueError, match="UniformBox got neither columns nor X"):
            UniformBox().fit()

    def test_observed_columns_are_filled_evenly(self):
        """Every value of a category is equally likely, however rare it was."""
        frame = pd.DataFrame({"c": ["a"] * 98 + ["b", "c"], "x": rng.normal(size=100)})
        rows = UniformBox().fit(frame).sample(6000, random_state=0)
        assert rows["c"].value_counts(normalize=True).min() > 0.3

    @pytest.mark.parametrize(
        ("columns", "match"),
        [
            ({"a": (3, 1)}, r"column 'a' is described by \(3, 1\); expected a range"),
            ({"a": (0, np.inf)}, "expected a range"),
            ({"a": []}, "expected a range .* or a list of values"),
            ({"a": "text"}, "expected a range"),
            ([(0, 1), (True, False)], r"column 1 is described by \(True, False\)"),
            ({}, "columns is empty; expected at least one"),
        ],
    )
    def test_bad_descriptions_are_refused(self, columns, match):
        """A description that is none is named, with what was expected."""
        with pytest.raises(SamplerError, match=match):
            UniformBox(columns).fit()


class TestMixtureAndTerms:
    def test_shares_of_a_mixture(self):
        """Rows come from the samplers in proportion to the weights."""
        columns = [{"x": (float(i), i + 0.5)} for i in range(3)]
        samplers = [UniformBox(spec) for spec in columns]
        rows = Mixture(samplers, weights=[0, 1, 3]).fit(pd.DataFrame({"x": [0.0, 1.0]})).sample(4000, random_state=0)
        shares = np.bincount(np.floor(rows["x"]).astype(int), minlength=3) / 4000
        np.testing.assert_allclose(shares, [0, 0.25, 0.75], atol=0.03)
        assert 1 < np.floor(rows["x"][:50]).mean() < 2  # in any order

    TEXTS = [f"{'good fine' if i % 2 else 'bad awful'} film number {i % 7} of {i % 3} parts" for i in range(60)]

    def test_terms_are_dropped_and_exchanged(self):
        """With both probabilities at zero rows are real; dropping makes them shorter, exchanging brings other terms."""
        counts = TfidfVectorizer().fit_transform(self.TEXTS)
        own = counts[np.random.RandomState(0).permutation(60)]
        same = TermSwap(0.0, 0.0).fit(counts).sample(60, random_state=0)
        assert (same != own).nnz == 0
        dropped = TermSwap(0.5, 0.0).fit(counts).sample(60, random_state=0)
        assert dropped.nnz == pytest.approx(0.5 * counts.nnz, rel=0.15)
        assert (dropped > own).nnz == 0
        assert np.diff(dropped.indptr).min() > 0
        exchanged = TermSwap(0.0, 0.5).fit(counts).sample(60, random_state=0)
        assert 0.7 * counts.nnz < exchanged.nnz <= counts.nnz
        assert set(exchanged.data) <= set(counts.data)

    def test_explicit_zeros_are_no_terms(self):
        """A stored zero is not what a text keeps when it loses its terms."""
        counts = sparse.csr_matrix((np.array([0.0, 0.0, 1.0]), ([0, 0, 0], [0, 1, 2])), shape=(1, 4))
        assert TermSwap(0.9, 0.0).fit(counts).sample(200, random_state=0)[:, [2]].nnz == 200
        assert counts.nnz == 3

    def test_empty_texts_stay_empty(self):
        """A row without a term has none to exchange."""
        counts = sparse.csr_matrix((5, 4))
        assert TermSwap().fit(counts).sample(20, random_state=0).nnz == 0

    @pytest.mark.parametrize("table", [pd.DataFrame({"a": ["x", "y"]}), pd.DataFrame({"a": [1.0, 2.0]})])
    def test_frames_are_refused(self, table):
        """Terms are columns of a sparse matrix or an array."""
        with pytest.raises(SamplerError, match=r"TermSwap got a DataFrame .*; expected a sparse matrix"):
            TermSwap().fit(table)


class TestPool:
    def test_rows_are_chosen_where_the_teacher_varies(self):
        """Most queries go where the outputs differ; a flat teacher is asked everywhere alike."""
        pool = rng.random((5000, 2))
        X = rng.random((500, 2))
        wild = np.where(X[:, 0] > 0.8, np.sin(40 * X[:, 1]), 0.0)
        chosen = choose_from_pool(X, wild, pool, 300, np.random.RandomState(0))
        assert len(np.unique(chosen)) == 300
        assert np.mean(pool[chosen, 0] > 0.75) > 0.8
        flat = choose_from_pool(X, np.ones(500), pool, 300, np.random.RandomState(0))
        assert np.mean(pool[flat, 0] > 0.8) == pytest.approx(0.2, abs=0.1)

    @pytest.mark.parametrize(("scale", "shift"), [(1.0, 1e8), (1e-12, 0.0), (1e200, 0.0)])
    def test_units_of_the_teacher_do_not_choose(self, scale, shift):
        """Neither does where its zero lies."""
        pool, X = rng.random((5000, 2)), rng.random((500, 2))
        wild = scale * np.where(X[:, 0] > 0.8, np.sin(40 * X[:, 1]), 0.0) + shift
        chosen = choose_from_pool(X, wild, pool, 300, np.random.RandomState(0))
        assert np.mean(pool[chosen, 0] > 0.75) > 0.8
        assert LeafSwap().fit(X, wild).sample(10, random_state=0).shape == (10, 2)

    @pytest.mark.parametrize("n_rows", [0, 6])
    def test_a_pool_has_so_many_rows(self, n_rows):
        """No more can be chosen than there are."""
        with pytest.raises(ValueError, match=f"n_rows={n_rows}; expected 1 to 5"):
            choose_from_pool(np.eye(5), np.arange(5.0), np.eye(5), n_rows, np.random.RandomState(0))
