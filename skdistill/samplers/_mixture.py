"""A mixture of samplers."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from sklearn.utils import get_tags

from .._tables import stack_rows, take_rows
from .._validation import check_number, draw_seed, seed_estimator
from ..exceptions import SamplerError
from ._adapters import as_sampler
from ._base import BaseSampler, block_rows
from ._lending import lend_teacher


class Mixture(BaseSampler):
    """Draw each synthetic row with one of several samplers.

    Parameters
    ----------
    samplers : sequence of samplers
        At least one sampler of this package or any other object with ``fit`` and ``sample``.
    weights : sequence of float or None, default=None
        Share of each sampler, normalised to sum to one. ``None`` means equal shares.
    random_state : int, RandomState instance or None, default=None
        Seed of the samplers whose own ``random_state`` is ``None``.

    Attributes
    ----------
    samplers_ : list of samplers
        Fitted clones.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of str, shape (n_features,)
        Column names, if ``X`` is a frame.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.samplers import Jitter, MarginalResampling, Mixture
    >>> X = np.random.default_rng(0).random((50, 3))
    >>> Mixture([Jitter(), MarginalResampling()], weights=[3, 1]).fit(X).sample(
    ...     200, random_state=0
    ... ).shape
    (200, 3)
    """

    def __init__(
        self, samplers: Sequence[Any], weights: Sequence[float] | None = None, random_state: Any = None
    ) -> None:
        self.samplers = samplers
        self.weights = weights
        self.random_state = random_state

    def with_teacher(self, teacher: Any) -> "Mixture":
        """Return a copy whose samplers read this teacher unless they have one of their own.

        Parameters
        ----------
        teacher : estimator
            The fitted teacher of a distilled estimator.

        Returns
        -------
        sampler : Mixture
        """
        return Mixture([lend_teacher(sampler, teacher) for sampler in self.samplers], self.weights, self.random_state)

    def _check_parameters(self) -> None:
        if isinstance(self.samplers, str) or not isinstance(self.samplers, Sequence) or not len(self.samplers):
            raise SamplerError(f"Mixture: samplers={self.samplers!r}; expected a list of at least one sampler.")
        if self.weights is None:
            return
        if len(self.weights) != len(self.samplers):
            raise ValueError(
                f"Mixture: {len(self.weights)} weights for {len(self.samplers)} samplers; expected one for each."
            )
        for index, weight in enumerate(self.weights):
            check_number(self, f"weights[{index}]", weight, low=0)
        if not sum(self.weights):
            raise ValueError("Mixture: all weights are zero; expected at least one above zero.")

    def _learn(self, X: Any, y: Any, rng: np.random.RandomState) -> None:
        self.samplers_ = [seed_estimator(as_sampler(sampler), rng).fit(X, y) for sampler in self.samplers]
        weights = np.ones(len(self.samplers)) if self.weights is None else np.asarray(self.weights, dtype=float)
        self._shares = weights / weights.sum()

    def _blocks(self, n_samples: int, rng: np.random.RandomState) -> Iterator[Any]:
        size = block_rows(*self._X.shape)
        for start in range(0, n_samples, size):
            counts = rng.multinomial(min(size, n_samples - start), self._shares)
            parts = [
                sampler.sample(count, random_state=draw_seed(rng))
                for sampler, count in zip(self.samplers_, counts.tolist(), strict=True)
                if count
            ]
            yield take_rows(stack_rows(parts), rng.permutation(counts.sum()))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        members = [sampler for sampler in self.samplers if hasattr(sampler, "__sklearn_tags__")]
        tags.input_tags.sparse = all(get_tags(sampler).input_tags.sparse for sampler in members)
        return tags
