"""Landmarks as a compiled scorer."""

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from skdistill.compiled import CompiledModel, Design
from skdistill.compiled._kernel import Landmarks, rbf_kernel


def draw_scorer(seed=0, n_outputs=2, linear=True, kind="plain", scale=0.5, n_landmarks=5):
    rng = np.random.RandomState(seed)
    cells = rng.normal(3, 5, size=(40, 4))
    n_codes = np.zeros(4, dtype=int)
    if kind != "plain":
        cells[rng.uniform(size=40) < 0.3, 1] = np.nan
    if kind == "categories":
        cells[:, 2], n_codes[2] = rng.randint(0, 3, size=40), 3
        cells[:, 0], n_codes[0] = rng.randint(0, 2, size=40), 2
    design = Design.of(cells, np.ones(40), n_codes)
    if kind == "categories":
        cells[::5, 2] = np.nan
        cells[::7, 0] = 9
    shape = (n_landmarks, n_outputs)
    of_inputs = rng.normal(size=(design.width, n_outputs)) if linear else None
    positions, scales = rng.normal(size=(n_landmarks, design.width)), scale * rng.uniform(size=design.width)
    base, unit = rng.normal(size=(2, n_outputs))
    return Landmarks(design, positions, scales, rng.normal(size=shape), of_inputs, base, unit), cells


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 1000),
    n_outputs=st.integers(1, 3),
    linear=st.booleans(),
    kind=st.sampled_from(["plain", "missing", "categories"]),
    scale=st.sampled_from([1e-4, 0.5, 1e4]),
)
def test_one_row_is_the_batch(seed, n_outputs, linear, kind, scale):
    """Generated code answers as arrays do, whatever is missing or unknown, also after a pickle."""
    scorer, cells = draw_scorer(seed, n_outputs, linear, kind, scale)
    model = pickle.loads(pickle.dumps(CompiledModel(scorer)))
    expected = scorer.scores(cells)
    np.testing.assert_array_equal(model(cells), expected)
    for row, one in zip(cells, expected, strict=True):
        np.testing.assert_allclose(model(row), one, atol=1e-5)


def test_scores_are_the_formula():
    """Each landmark's bump, the linear part, the base."""
    scorer, cells = draw_scorer()
    inputs = scorer.design.inputs(cells)
    away = ((inputs[:, None] - scorer.positions) * scorer.scales) ** 2
    sums = np.exp(-away.sum(axis=2)) @ scorer.coef + inputs @ scorer.linear
    np.testing.assert_allclose(scorer.scores(cells), scorer.base + sums * scorer.unit, atol=1e-10)
    np.testing.assert_allclose(scorer.scores(sparse.csr_matrix(cells)), scorer.scores(cells), atol=1e-10)


def test_scaled_scores():
    """A factor and a shift for each output."""
    scorer, cells = draw_scorer()
    factor, shift = np.array([2.0, -3.0]), np.array([1.0, 0.0])
    np.testing.assert_allclose(
        scorer.scaled(factor, shift).scores(cells), scorer.scores(cells) * factor + shift, atol=1e-12
    )


@pytest.mark.parametrize("linear", [True, False])
def test_precision_and_size(linear):
    """Narrower numbers move scores little and make pickles smaller; wider ones are never made of narrow ones."""
    scorer, cells = draw_scorer(linear=linear, n_landmarks=200)
    narrow = scorer.stored_as(np.dtype("float16"))
    np.testing.assert_allclose(narrow.scores(cells), scorer.scores(cells), atol=0.2)
    assert len(pickle.dumps(narrow)) < len(pickle.dumps(scorer)) / 2
    assert narrow.stored_as(np.dtype("float32")).positions.dtype == np.float16
    n_inputs = scorer.design.width
    assert scorer.n_parameters == 200 * (n_inputs + 2) + n_inputs + 2 + 2 * n_inputs * linear
    assert scorer.n_ops > 200 * n_inputs


def test_bumps_are_never_above_one():
    """Rounding does not make a distance negative, however large the scale."""
    inputs = np.random.RandomState(0).normal(size=(50, 8))
    kernel = rbf_kernel(inputs, inputs, np.full(8, 1e4))
    assert kernel.max() <= 1
    np.testing.assert_allclose(kernel, np.eye(50), atol=1e-5)
