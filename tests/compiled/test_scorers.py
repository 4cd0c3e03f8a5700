"""What every scorer promises, alone and in sums."""

import pickle
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skdistill.compiled import (
    CompiledModel,
    Design,
    Forest,
    Landmarks,
    Linear,
    Network,
    Scorer,
    Sum,
    scorer_from_content,
)

N_FEATURES = 3
ROWS = np.random.default_rng(0).normal(size=(40, N_FEATURES))
ROWS[:, 2] = np.random.default_rng(1).integers(-1, 4, size=len(ROWS))  # of the codes 0, 1 and 2, or unknown
ROWS[::9, 0] = np.nan
DESIGNS = [Design.of(ROWS, np.ones(len(ROWS)), np.array(n_codes)) for n_codes in ((0, 0, 0), (0, 0, 3))]


def linear(rng, n_outputs):
    return Linear(rng.normal(size=(N_FEATURES, n_outputs)), rng.normal(size=n_outputs))


def network(rng, n_outputs):
    design = DESIGNS[rng.integers(2)]
    weights = [rng.normal(size=(design.width, 4)), rng.normal(size=(4, n_outputs))]
    return Network(design, weights, [rng.normal(size=4)], rng.normal(size=n_outputs), rng.uniform(1, 2, n_outputs))


def products(rng, n_outputs):
    design, pairs = DESIGNS[rng.integers(2)], np.array([[0, 1], [1, 2]])
    weights = [rng.normal(size=(design.width + 2, n_outputs))]
    return Network(design, weights, [], rng.normal(size=n_outputs), rng.uniform(1, 2, n_outputs), pairs)


def landmarks(rng, n_outputs):
    design = DESIGNS[rng.integers(2)]
    arrays = rng.normal(size=(5, design.width)), rng.uniform(size=design.width), rng.normal(size=(5, n_outputs))
    weights = rng.normal(size=(design.width, n_outputs)) if rng.random() < 0.5 else None
    return Landmarks(design, *arrays, weights, rng.normal(size=n_outputs), rng.uniform(1, 2, n_outputs))


def forest(rng, n_outputs):
    """One tree of one split for each output."""
    return Forest(
        n_features=N_FEATURES,
        feature=rng.integers(N_FEATURES, size=n_outputs),
        threshold=rng.normal(size=n_outputs),
        missing_left=rng.random(n_outputs) < 0.5,
        n_left=np.zeros(n_outputs, dtype=int),
        tree_splits=np.ones(n_outputs, dtype=int),
        tree_output=np.arange(n_outputs),
        value=rng.normal(size=(2 * n_outputs, 1)),
        base=rng.normal(size=n_outputs),
    )


MAKERS = {"linear": linear, "network": network, "products": products, "landmarks": landmarks, "forest": forest}
KINDS = st.recursive(
    st.sampled_from(sorted(MAKERS)), lambda kinds: st.lists(kinds, min_size=1, max_size=3), max_leaves=5
)


def scorer_of(kind, rng, n_outputs):
    """Make a random scorer of a kind; a list of kinds is a sum."""
    if isinstance(kind, list):
        return Sum([scorer_of(part, rng, n_outputs) for part in kind])
    return MAKERS[kind](rng, n_outputs)


def one_by_one(scorer, rows=ROWS):
    compiled = CompiledModel(scorer)
    assert compiled.source is not None
    return np.array([compiled(row) for row in rows])


@settings(max_examples=60)
@given(kind=KINDS, n_outputs=st.integers(1, 3), seed=st.integers(0, 2**32 - 1))
def test_all_ways_to_score_agree(kind, n_outputs, seed):
    """Many rows, one row, a reloaded scorer, one made of its content and one scaled by hand give the same scores."""
    rng = np.random.default_rng(seed)
    scorer = scorer_of(kind, rng, n_outputs)
    assert isinstance(scorer, Scorer)
    scores = scorer.scores(ROWS)
    assert scores.shape == (len(ROWS), n_outputs)
    np.testing.assert_allclose(one_by_one(scorer), scores, rtol=1e-9, atol=1e-9)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(scorer)).scores(ROWS), scores)
    np.testing.assert_array_equal(scorer_from_content(scorer.content()).scores(ROWS), scores)
    factor, shift = rng.uniform(0.5, 2, n_outputs), rng.normal(size=n_outputs)
    scaled = scorer.scaled(factor, shift)
    for given_scores in (scaled.scores(ROWS), one_by_one(scaled)):
        np.testing.assert_allclose(given_scores, factor * scores + shift, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(scorer.scaled(2.0).scores(ROWS), 2 * scores, rtol=1e-9, atol=1e-9)
    assert scaled.n_parameters == scorer.n_parameters
    assert scorer.n_features == N_FEATURES
    assert scorer.n_bytes == len(pickle.dumps(scorer, protocol=pickle.HIGHEST_PROTOCOL))


@pytest.mark.parametrize("kind", sorted(MAKERS))
def test_less_precision_is_near_and_not_larger(kind):
    """Half precision moves scores by little, and takes no more bytes."""
    scorer = scorer_of(kind, np.random.default_rng(3), 2)
    half = scorer.stored_as(np.float16)
    rows = ROWS[~np.isnan(ROWS).any(axis=1)]
    assert np.abs(half.scores(rows) - scorer.scores(rows)).max() < 0.02 * np.ptp(scorer.scores(rows))
    assert half.n_bytes <= scorer.n_bytes


def test_content_is_plain_data():
    """A writer meets arrays, numbers, nothing, lists and dicts with a kind, and no object of ours."""

    def walk(data):
        if isinstance(data, dict):
            assert isinstance(data["kind"], str)
            return {key for value in data.values() for key in walk(value)} | {data["kind"]}
        if isinstance(data, list):
            return {kind for item in data for kind in walk(item)}
        assert data is None or isinstance(data, np.ndarray | np.number | int | float | str)
        return set()

    rng = np.random.default_rng(0)
    content = Sum([make(rng, 2) for make in MAKERS.values()]).content()
    assert walk(content) == {"sum", "linear", "network", "landmarks", "forest", "design"}


def test_a_scorer_without_a_writer_answers_for_one_row_too():
    """It is asked about a table of one row."""

    class Squares:
        base = np.zeros(1)
        n_features, n_parameters, n_ops, n_bytes = 2, 0, 2, 0
        content: ClassVar = {}

        def scores(self, X, n_jobs=1):
            return (np.asarray(X, dtype=float) ** 2).sum(axis=1, keepdims=True)

        def scaled(self, factor, shift=0.0):
            raise NotImplementedError

        def stored_as(self, dtype):
            return self

    model = CompiledModel(Squares(), is_single=True)
    assert model.source is None
    assert (model([1.0, 2.0]), model(np.array([[1.0, 2.0]])).tolist()) == (5.0, [5.0])
