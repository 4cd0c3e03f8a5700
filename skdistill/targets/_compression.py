"""Compression of targets: the student learns a code of few components, which is decoded in ``predict``."""

from typing import Any

import numpy as np
from sklearn.base import clone


class TargetCompressor:
    """Encode and decode targets with a transformer that has ``inverse_transform``.

    The outputs of a teacher are often strongly correlated: 100 regression outputs, or the logits of 26 classes, may be
    well approximated in a subspace of few dimensions. A student that learns the code is smaller and faster by about the
    ratio of dimensions, but cannot learn what the compression discards.

    Parameters
    ----------
    transformer : transformer
        An unfitted transformer with ``inverse_transform``, e.g. ``PCA(5)``. ``fit`` clones it.

    Attributes
    ----------
    transformer_ : transformer
        The fitted clone.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.decomposition import PCA
    >>> from skdistill.targets import TargetCompressor
    >>> outputs = np.outer(np.arange(5.0), [1.0, 2.0, 3.0])
    >>> compressor = TargetCompressor(PCA(1)).fit(outputs)
    >>> compressor.encode(outputs).shape
    (5, 1)
    >>> np.allclose(compressor.decode(compressor.encode(outputs)), outputs)
    True
    """

    def __init__(self, transformer: Any) -> None:
        self.transformer = transformer

    def fit(self, outputs: np.ndarray) -> "TargetCompressor":
        """Fit the transformer on ``outputs`` of shape (n_samples, n_outputs): values or centred logits."""
        self.transformer_ = clone(self.transformer).fit(outputs)
        return self

    def encode(self, outputs: np.ndarray) -> np.ndarray:
        """Return the code of ``outputs``, of shape (n_samples, n_components)."""
        return np.asarray(self.transformer_.transform(outputs))

    def decode(self, code: np.ndarray) -> np.ndarray:
        """Return the outputs of shape (n_samples, n_outputs) that a code stands for."""
        return np.asarray(self.transformer_.inverse_transform(code.reshape(len(code), -1)))
