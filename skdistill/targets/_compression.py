"""Compressing targets: the student learns a short code, and its code is decoded at predict."""

from typing import Any

import numpy as np
from sklearn.base import clone


class TargetCompressor:
    """Fit any transformer with ``inverse_transform`` on the targets and use it both ways.

    A teacher with many outputs has fewer degrees of freedom than outputs: 100 regression outputs, or the logits of
    26 classes, are often spanned by a handful of directions. A student that learns the code is smaller and faster by
    about the same factor; what PCA leaves out it cannot learn.

    Parameters
    ----------
    transformer : transformer
        Unfitted, with ``inverse_transform``, e.g. ``PCA(5)``. It is cloned.

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
        """Fit on ``outputs`` of shape (n_samples, n_outputs): values or centred logits."""
        self.transformer_ = clone(self.transformer).fit(outputs)
        return self

    def encode(self, outputs: np.ndarray) -> np.ndarray:
        """Return the code of ``outputs``, of shape (n_samples, n_components)."""
        return np.asarray(self.transformer_.transform(outputs))

    def decode(self, code: np.ndarray) -> np.ndarray:
        """Return outputs of shape (n_samples, n_outputs) for a code."""
        return np.asarray(self.transformer_.inverse_transform(code.reshape(len(code), -1)))
