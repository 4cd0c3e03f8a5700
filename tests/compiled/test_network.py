"""Designs, networks and sums as flat arrays."""

import pickle
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import sparse

from skdistill.compiled import Design, Linear, Network, Sum
from skdistill.compiled._code import compile_row, row_source, scores_as_tuple
from skdistill.compiled._row_code import row_code

N_CODES = np.array([0, 0, 3, 0])
RNG = np.random.RandomState(0)
CELLS = np.column_stack([RNG.normal(5, 2, 300), RNG.exponential(size=300), RNG.randint(3, size=300), np.ones(300)])
CELLS[::7, 1] = np.nan
CELLS[::11, 2] = np.nan
WEIGHT = RNG.uniform(size=300)
ANYTHING = arrays(np.float64, (5, 4), elements=st.floats(allow_nan=True, allow_infinity=True, width=64))


def network(design, hidden=(6, 5), n_outputs=2, dtype=np.float16):
    rng = np.random.RandomState(1)
    widths = [design.width, *hidden, n_outputs]
    weights = [rng.normal(size=shape).astype(dtype) for shape in pairwise(widths)]
    biases = [rng.normal(size=width).astype(np.float32) for width in hidden]
    return Network(design, weights, biases, rng.normal(size=n_outputs), rng.uniform(1, 2, size=n_outputs))


def row_of(scorer):
    code = row_code(scorer)
    return compile_row(row_source(code.lines, f"    return {scores_as_tuple(len(scorer.base))}"), **code.names)


DESIGN = Design.of(CELLS, WEIGHT, N_CODES)
PIECES = DESIGN.in_pieces([np.array([0.0, 4.0, 5.0, 9.0]), np.array([0.0, 1.0]), np.zeros(0)])


class TestDesign:
    def test_numbers_are_standardised(self):
        """Weighted mean 0 and variance 1; missing cells are the mean and have an indicator."""
        inputs = DESIGN.inputs(CELLS)
        present = ~np.isnan(CELLS[:, 1])
        for column, rows in ((0, slice(None)), (1, present)):
            values, weight = inputs[rows, column], WEIGHT[rows]
            assert np.average(values, weights=weight) == pytest.approx(0, abs=1e-6)
            assert np.average(values**2, weights=weight) == pytest.approx(1, abs=1e-4)
        assert np.all(inputs[~present, 1] == 0)
        np.testing.assert_array_equal(inputs[:, 3], ~present)
        assert np.all(inputs[:, 2] == 0)  # a constant

    def test_categories_are_indicators(self):
        """Missing and unseen ones have none."""
        codes = DESIGN.inputs(np.array([[5, 1, 1, 1], [5, 1, np.nan, 1], [5, 1, 7, 1], [5, 1, -2, 1]]))[:, 4:]
        np.testing.assert_array_equal(codes, [[0, 1, 0], [0, 0, 0], [0, 0, 0], [0, 0, 0]])

    @given(cells=ANYTHING)
    def test_inputs_are_finite_and_within_the_range_of_the_fit(self, cells):
        """Whatever comes."""
        for design in (DESIGN, PIECES):
            inputs, known = design.inputs(cells), design.inputs(CELLS)
            assert np.all(np.isfinite(inputs))
            assert np.all(inputs <= known.max(axis=0).clip(0, None) + 0.01)
            assert np.all(inputs >= known.min(axis=0).clip(None, 0) - 0.01)

    @given(
        cells=arrays(np.float64, (6, 2), elements=st.floats(-1e300, 1e300)),
        weight=arrays(np.float64, 6, elements=st.floats(0.1, 10)),
    )
    def test_any_scale_can_be_fitted(self, cells, weight):
        """Inputs are finite and not larger than the bounds, for numbers near the limits of floats too."""
        inputs = Design.of(cells, weight, np.zeros(2, dtype=int)).inputs(cells)
        assert np.all(np.abs(inputs) <= 8.01)

    def test_pieces_add_up_to_the_number(self):
        """The sum of the pieces, times their lengths, is the way from the first knot."""
        lengths = np.array([4.0, 1.0, 4.0])
        pieces = PIECES.inputs(CELLS)[:, :3]
        np.testing.assert_allclose(pieces @ lengths, np.clip(CELLS[:, 0], 0, 9), rtol=1e-6)
        assert PIECES.n_pieces == 3
        assert DESIGN.n_pieces == 0

    def test_sparse_is_dense(self):
        """The same design and the same inputs."""
        cells = np.where(RNG.uniform(size=(50, 3)) < 0.3, RNG.normal(size=(50, 3)), 0.0)
        zeros = np.zeros(3, dtype=int)
        dense = Design.of(cells, np.ones(50), zeros)
        loose = Design.of(sparse.csr_matrix(cells), np.ones(50), zeros)
        np.testing.assert_allclose(loose.inputs(cells), dense.inputs(cells))


class TestNetwork:
    @pytest.mark.parametrize("design", [DESIGN, PIECES, Design.of(CELLS[:, [0, 3]], WEIGHT, np.zeros(2, dtype=int))])
    @pytest.mark.parametrize("hidden", [(), (4,), (6, 5)])
    def test_one_row_is_a_row_of_many(self, design, hidden):
        """Generated code and arrays agree, for missing and unseen cells too."""
        scorer = network(design, hidden)
        cells = CELLS if design.n_features == 4 else CELLS[:, [0, 3]]
        cells = np.vstack([cells, np.full(design.n_features, np.nan), np.full(design.n_features, 1e9)])
        one = row_of(scorer)
        np.testing.assert_allclose([one(cell.tolist()) for cell in cells], scorer.scores(cells), rtol=1e-9, atol=1e-9)

    def test_it_is_what_its_docstring_says(self):
        """Layers of weighted sums."""
        scorer = network(DESIGN)
        hidden = DESIGN.inputs(CELLS)
        for weights, bias in zip(scorer.weights[:-1], scorer.biases, strict=True):
            hidden = np.maximum(hidden @ weights.astype(float) + bias, 0)
        expected = scorer.base + scorer.unit * (hidden @ scorer.weights[-1].astype(float))
        np.testing.assert_allclose(scorer.scores(CELLS), expected)

    def test_scaled_and_stored(self):
        """Scores are scaled and shifted for each output; precision is only ever taken away."""
        scorer = network(DESIGN, dtype=np.float64)
        scaled = scorer.scaled(np.array([2.0, 3.0]), np.array([1.0, 0.0]))
        np.testing.assert_allclose(scaled.scores(CELLS), scorer.scores(CELLS) * [2, 3] + [1, 0])
        half = scorer.stored_as(np.float16)
        assert half.weights[0].dtype == np.float16
        assert half.stored_as(np.float32) is half
        np.testing.assert_allclose(half.scores(CELLS), scorer.scores(CELLS), atol=0.05)

    def test_pickles_are_small_and_exact(self):
        """Two bytes a weight, and little beside."""
        scorer = network(DESIGN, (64, 64))
        pickled = pickle.dumps(scorer)
        np.testing.assert_array_equal(pickle.loads(pickled).scores(CELLS), scorer.scores(CELLS))
        assert len(pickled) < 2 * scorer.n_parameters + 1000

    def test_counts(self):
        """Parameters are the numbers learned; a category costs one row of weights however many there are."""
        scorer = network(DESIGN, (6, 5))
        assert scorer.n_parameters == DESIGN.width * 6 + 6 + 6 * 5 + 5 + 5 * 2 + 2
        assert scorer.n_ops == (3 + 1 + 1) * 6 + 6 + 6 * 5 + 5 + 5 * 2


class TestSum:
    def test_it_adds_up(self):
        """Rows, batches, sizes, scales, pickles."""
        parts = [network(DESIGN, n_outputs=1), Linear(np.ones((4, 1)), np.zeros(1))]
        cells = np.nan_to_num(CELLS)
        whole = Sum(parts).scaled(2.0, 1.0)
        np.testing.assert_allclose(whole.scores(cells), 1 + 2 * sum(part.scores(cells) for part in parts))
        one = row_of(whole)
        np.testing.assert_allclose([one(cell.tolist()) for cell in cells], whole.scores(cells))
        assert whole.n_parameters == sum(part.n_parameters for part in parts)
        assert whole.n_ops == sum(part.n_ops for part in parts)
        np.testing.assert_array_equal(pickle.loads(pickle.dumps(whole)).scores(cells), whole.scores(cells))


def test_units_that_hardly_fire_and_large_changes_keep_weights_finite():
    """Half precision ends at 65,504."""
    scorer = network(DESIGN, (6,), n_outputs=1)
    scorer.biases[0][0] = -1e6  # never fires
    hidden, center, scale = scorer.standardised_hidden(CELLS)
    assert np.all(np.isfinite(hidden))
    assert np.all(hidden[:, 0] == 0)
    for size in (1.0, 1e6):
        changed = scorer.with_output_changed(np.full((6, 1), size) / scale[:, None], center)
        expected = scorer.scores(CELLS) + hidden.sum(axis=1, keepdims=True) * size
        np.testing.assert_allclose(changed.scores(CELLS), expected, rtol=0.01, atol=0.01 * size)
