import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.base import BaseEstimator
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler
from strategies import distributions

from skdistill.targets import TargetCompressor, centred_logits, softmax

few = settings(max_examples=25, deadline=None)


class Mean(BaseEstimator):
    """A transformer whose code is one number a row, given as a flat array."""

    def fit(self, outputs):
        self.n_outputs_ = outputs.shape[1]
        return self

    def transform(self, outputs):
        return outputs.mean(axis=1)

    def inverse_transform(self, code):
        return np.repeat(code, self.n_outputs_, axis=1)


@few
@given(outputs=arrays(float, (7, 3), elements=st.floats(-1e3, 1e3)))
def test_full_rank_loses_nothing(outputs):
    """As many components as outputs: what is decoded is what was encoded."""
    compressor = TargetCompressor(PCA(3)).fit(outputs + np.eye(7, 3) * 1e4)
    np.testing.assert_allclose(compressor.decode(compressor.encode(outputs)), outputs, atol=1e-6)


@few
@given(proba=distributions(max_rows=8))
def test_logits_need_one_direction_less_than_classes(proba):
    """Centred logits sum to zero, so K - 1 components hold K classes without loss."""
    n_classes = proba.shape[1]
    outputs = centred_logits(np.vstack([proba, np.eye(n_classes)]))
    compressor = TargetCompressor(PCA(n_classes - 1)).fit(outputs)
    decoded = compressor.decode(compressor.encode(outputs))
    np.testing.assert_allclose(softmax(decoded), softmax(outputs), atol=1e-8)


def test_more_components_never_lose_more():
    """The error of reconstruction falls with every component."""
    outputs = np.random.default_rng(0).normal(size=(40, 5)) @ np.random.default_rng(1).normal(size=(5, 5))
    compressors = [TargetCompressor(PCA(n_components)).fit(outputs) for n_components in range(1, 6)]
    errors = [np.sum((model.decode(model.encode(outputs)) - outputs) ** 2) for model in compressors]
    assert np.all(np.diff(errors) <= 1e-9)


def test_rows_that_were_not_fitted_can_be_encoded():
    """The code is learned on some rows and used on others, of any number: four outputs of two directions survive."""
    rng = np.random.default_rng(0)
    outputs = rng.normal(size=(24, 2)) @ rng.normal(size=(2, 4))
    compressor = TargetCompressor(PCA(2)).fit(outputs[:20])
    for others in (outputs[20:], outputs[23:]):
        code = compressor.encode(others)
        assert code.shape == (len(others), 2)
        np.testing.assert_allclose(compressor.decode(code), others, atol=1e-9)


def test_flat_codes_can_be_decoded():
    """A student of one output answers with a flat array, and that is decoded like a column."""
    outputs = np.outer(np.arange(5.0), [1.0, 2.0])
    compressor = TargetCompressor(PCA(1)).fit(outputs)
    code = compressor.encode(outputs)
    np.testing.assert_allclose(compressor.decode(code.ravel()), outputs, atol=1e-12)


def test_any_transformer_that_can_go_back_serves():
    """Not only PCA: whatever has fit, transform and inverse_transform."""
    outputs = np.random.default_rng(0).normal(size=(6, 3))
    scaled = TargetCompressor(StandardScaler()).fit(outputs)
    np.testing.assert_allclose(scaled.decode(scaled.encode(outputs)), outputs)
    mean = TargetCompressor(Mean()).fit(outputs)
    np.testing.assert_allclose(mean.decode(mean.encode(outputs)).mean(axis=1), outputs.mean(axis=1))


def test_the_given_transformer_is_never_fitted():
    """The caller's transformer is a recipe: cloned, and left as it is."""
    transformer = PCA(1)
    compressor = TargetCompressor(transformer).fit(np.eye(3))
    assert compressor.transformer is transformer
    assert compressor.transformer_ is not transformer
    assert not hasattr(transformer, "components_")


def test_what_cannot_be_cloned_is_refused():
    """Something that is no transformer is refused when it is fitted."""
    with pytest.raises(TypeError, match="get_params"):
        TargetCompressor(object()).fit(np.eye(3))
