"""Term swap: drop and exchange terms of texts, given as sparse counts."""

from typing import Any

import numpy as np
from scipy import sparse

from .._tables import is_frame
from .._validation import check_number
from ..exceptions import SamplerError
from ._base import BaseSampler


class TermSwap(BaseSampler):
    """Draw synthetic texts by dropping some terms and exchanging others.

    This sampler is made for sparse matrices of counts or tf-idf weights. Each stored cell of a row is dropped with
    ``drop_probability``, and exchanged with ``swap_probability`` for a cell of a random row (term and value together),
    so that frequent terms are inserted more often. This corresponds to word dropout and unigram noising in language
    models [1]_. If both cells have the same term, the row keeps its own value. If a row would lose all its terms, it
    keeps them. Rows are about as sparse as the real ones.

    Parameters
    ----------
    drop_probability : float in [0, 1], default=0.2
        Probability that a term is dropped.
    swap_probability : float in [0, 1], default=0.1
        Probability that a term is exchanged.
    random_state : int, RandomState instance or None, default=None
        Not used, because ``fit`` is deterministic.

    Attributes
    ----------
    n_features_in_ : int
        Number of features.

    References
    ----------
    .. [1] Z. Xie et al., "Data Noising as Smoothing in Neural Network Language Models", ICLR 2017.

    Examples
    --------
    >>> from sklearn.feature_extraction.text import CountVectorizer
    >>> from skdistill.samplers import TermSwap
    >>> counts = CountVectorizer().fit_transform(
    ...     ["a red house", "the blue house", "the red car is fast"]
    ... )
    >>> rows = TermSwap().fit(counts).sample(100, random_state=0)
    >>> rows.shape, rows.format
    ((100, 7), 'csr')
    """

    _takes_sparse = True

    def __init__(self, drop_probability: float = 0.2, swap_probability: float = 0.1, random_state: Any = None) -> None:
        self.drop_probability = drop_probability
        self.swap_probability = swap_probability
        self.random_state = random_state

    def _check_parameters(self) -> None:
        check_number(self, "drop_probability", self.drop_probability, low=0, high=1)
        check_number(self, "swap_probability", self.swap_probability, low=0, high=1)
        if self.drop_probability + self.swap_probability > 1:
            raise ValueError(
                f"TermSwap: drop_probability + swap_probability = {self.drop_probability + self.swap_probability:g}; "
                "expected at most 1."
            )

    def _learn(self, X: Any, y: Any, rng: np.random.RandomState) -> None:  # noqa: ARG002  (interface of samplers)
        if is_frame(X) or X.dtype.kind not in "biuf":
            raise SamplerError(
                f"TermSwap got a {type(X).__name__} of {getattr(X, 'dtype', 'several dtypes')}; expected a sparse "
                "matrix or an array of numbers. For frames, use LeafSwap or MUNGE."
            )
        # scipy has no sparse matrices of half precision and of another order of bytes
        dtype = np.dtype(np.float32) if X.dtype == np.float16 else X.dtype.newbyteorder("=")
        self._terms = sparse.csr_matrix(X if X.dtype == dtype else X.astype(dtype), copy=True)
        self._terms.eliminate_zeros()

    def _draw(self, own: np.ndarray, rng: np.random.Generator) -> Any:
        terms = self._terms[own]
        n_rows, n_features = terms.shape
        row = np.repeat(np.arange(n_rows), np.diff(terms.indptr))
        fate = rng.random(terms.nnz)
        is_kept = fate >= self.drop_probability + self.swap_probability
        is_swapped = ~is_kept & (fate >= self.drop_probability)
        is_kept |= (np.bincount(row[is_kept | is_swapped], minlength=n_rows) == 0)[row]
        taken = rng.integers(max(self._terms.nnz, 1), size=np.count_nonzero(is_swapped))
        row = np.concatenate([row[is_kept], row[is_swapped]])
        column = np.concatenate([terms.indices[is_kept], self._terms.indices[taken]])
        value = np.concatenate([terms.data[is_kept], self._terms.data[taken]])
        cell, first = np.unique(row * n_features + column, return_index=True)
        rows = sparse.csr_matrix((value[first], (cell // n_features, cell % n_features)), shape=terms.shape)
        if sparse.issparse(self._X):
            return type(self._X)(rows)
        return rows.toarray().astype(self._dtype or self._X.dtype, copy=False)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = tags.input_tags.string = False
        return tags
