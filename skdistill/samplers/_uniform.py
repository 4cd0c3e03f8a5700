"""Uniform rows over the observed or described range of each column."""

from collections.abc import Iterator, Mapping, Sequence
from numbers import Integral, Real
from typing import Any, Literal, Self

import narwhals as nw
import numpy as np

from .._types import RandomState
from .._validation import check_choice, draw_seed
from ..exceptions import SamplerError
from ._base import BLOCK_CELLS, BLOCK_ROWS, BaseSampler
from ._cells import Numbers, gather_cells, put_numbers

LARGEST_EXACT_PRIME = 2039
"""Orthogonal arrays with more strata, which have over 4 million rows, are sampled at random."""


BACKENDS = ("pandas", "polars", "pyarrow")
"""Libraries whose frames are made from a description of the columns."""


class UniformBox(BaseSampler):
    """Draw synthetic rows uniformly over the range of each column, with or without data.

    Numbers are drawn uniformly from their range, and integers uniformly from the integers in it; in a column of few
    whole numbers with others in between, the nearest number seen is drawn. Each category, boolean and date is equally
    likely. A cell that is missing in the real row that a synthetic row starts from remains missing, so that the
    frequencies of missing patterns are kept. The columns are independent, so most rows are far from all real ones.

    With ``columns``, no real row is needed (data-free distillation).

    Parameters
    ----------
    columns : mapping, sequence or None, default=None
        Description of the columns. Each column is described by its range ``(low, high)``, a tuple of two numbers (for
        integers, two ``int``), or by the list of its values. A mapping by name gives frames, and a sequence gives
        arrays. With ``None``, ranges and values are taken from ``X`` in ``fit``.
    design : {"random", "covering"}, default="random"
        ``"covering"`` draws orthogonal arrays of strength two [1]_ with p strata, where p is a prime that is at least
        as large as the number of columns minus one and the number of categories. Each block of p² rows contains every
        pair of strata of every pair of columns exactly once, and therefore every pair of categories at least once
        (above 2039 strata, only approximately).
    backend : {"pandas", "polars", "pyarrow"}, default="pandas"
        Library of the frames that are created from a mapping.
    random_state : int, RandomState instance or None, default=None
        Not used, because ``fit`` is deterministic.

    Attributes
    ----------
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of str, shape (n_features,)
        Column names, if ``X`` is a frame.

    References
    ----------
    .. [1] R. C. Bose, "On the application of the properties of Galois fields to the problem of construction of
       hyper-Graeco-Latin squares", Sankhya 3, 1938; A. B. Owen, "Orthogonal arrays for computer experiments,
       integration and visualization", Statistica Sinica 2, 1992.

    Examples
    --------
    >>> from skdistill.samplers import UniformBox
    >>> columns = {"age": (18, 90), "income": (0.0, 2e5), "town": ["Bath", "Ely", "York"]}
    >>> rows = UniformBox(columns, design="covering").fit().sample(1000, random_state=0)
    >>> rows.shape, rows["age"].between(18, 90).all().item(), sorted(rows["town"].unique())
    ((1000, 3), True, ['Bath', 'Ely', 'York'])
    """

    def __init__(
        self,
        columns: Mapping[str, Any] | Sequence[Any] | None = None,
        design: Literal["random", "covering"] = "random",
        backend: Literal["pandas", "polars", "pyarrow"] = "pandas",
        random_state: RandomState = None,
    ) -> None:
        self.columns = columns
        self.design = design
        self.backend = backend
        self.random_state = random_state

    def fit(self, X: Any = None, y: Any = None) -> Self:
        """Learn the range or the values of each column.

        Parameters
        ----------
        X : table of shape (n_samples, n_features), default=None
            Real rows. Ignored if ``columns`` is given.
        y : ignored

        Returns
        -------
        self : UniformBox
            The fitted sampler.
        """
        if X is None and self.columns is None:
            raise ValueError(
                f"{type(self).__name__} got neither columns nor X; expected a description of columns, or real rows."
            )
        table = X if self.columns is None else _table_of(self.columns, self.backend, type(self).__name__)
        return super().fit(table, y)

    def _check_parameters(self) -> None:
        check_choice(self, "design", self.design, ("random", "covering"))
        check_choice(self, "backend", self.backend, BACKENDS)

    def _learn(self, X: Any, y: Any, rng: np.random.RandomState) -> None:  # noqa: ARG002  (interface of samplers)
        self._numbers = Numbers(X)
        if self.columns is not None:
            specs = _specs(self.columns)
            self._numbers.is_movable = np.array([_is_range(column) for column in specs])
            self._numbers.is_integral = np.array([_is_integer_range(column) for column in specs])
            self._numbers.few_values = {}
        self._levels = [
            None if is_movable else _first_rows(values)
            for is_movable, values in zip(self._numbers.is_movable, self._numbers.values.T, strict=True)
        ]
        n_levels = [len(level) for level in self._levels if level is not None]
        self._prime = _next_prime(max([X.shape[1] - 1, 2, *n_levels]))

    def _blocks(self, n_samples: int, rng: np.random.RandomState) -> Iterator[Any]:
        if self.design != "covering":
            yield from super()._blocks(n_samples, rng)
            return
        seed, n_features = draw_seed(rng), self._X.shape[1]
        size = max(1, min(BLOCK_ROWS, BLOCK_CELLS // n_features))
        for copy, start in enumerate(range(0, n_samples, self._prime**2)):
            generator = np.random.default_rng([seed, copy])
            design = _OrthogonalArray(self._prime, n_features, generator)
            n_left = min(self._prime**2, n_samples - start)
            for first in range(0, n_left, size):
                strata = design.rows(first, min(first + size, n_left))
                own = generator.integers(self._X.shape[0], size=len(strata))
                share = (strata + generator.random(strata.shape)) / self._prime
                yield self._place(own, share, (strata + 1e-6) / self._prime)  # every value has its own stratum

    def _draw(self, own: np.ndarray, rng: np.random.Generator) -> Any:
        share = rng.random((len(own), self._X.shape[1]))
        return self._place(own, share, share)

    def _place(self, own: np.ndarray, share: np.ndarray, share_of_values: np.ndarray) -> Any:
        """Place numbers at ``share`` of their range, other cells at ``share_of_values`` of their list, both in [0, 1).

        Cells that are missing in ``own`` remain missing.
        """
        numbers = self._numbers
        with np.errstate(over="ignore", invalid="ignore"):
            drawn = (1 - share) * numbers.low + share * (numbers.high + numbers.is_integral)
            drawn = numbers.fit_in(np.where(numbers.is_integral, np.floor(drawn), drawn))
        is_present = ~np.isnan(numbers.values[own])
        source = np.repeat(own[:, None], share.shape[1], axis=1)
        for index, level in enumerate(self._levels):
            if level is not None and len(level):
                chosen = level[(share_of_values[:, index] * len(level)).astype(np.int64)]
                source[:, index] = np.where(is_present[:, index], chosen, own)
        return put_numbers(gather_cells(self._X, source), np.where(is_present & numbers.is_movable, drawn, np.nan))


def _first_rows(values: np.ndarray) -> np.ndarray:
    """Return for each distinct present value the first row that has it."""
    present = np.flatnonzero(~np.isnan(values))
    return present[np.unique(values[present], return_index=True)[1]]


class _OrthogonalArray:
    """A randomised orthogonal array of strata, in random order: column k of row (i, j) is i k + j modulo the prime."""

    def __init__(self, prime: int, n_columns: int, rng: np.random.Generator) -> None:
        self._prime = prime
        self._order = rng.permutation(prime**2) if prime <= LARGEST_EXACT_PRIME else None
        self._factors = rng.permutation(prime + 1)[:n_columns]  # factor p means the column i itself
        self._labels = rng.permuted(np.tile(np.arange(prime), (n_columns, 1)), axis=1).T
        self._rng = rng

    def rows(self, start: int, stop: int) -> np.ndarray:
        """Return rows of the array, or random rows if it is very large."""
        if self._order is None:
            chosen = self._rng.integers(self._prime**2, size=stop - start)
        else:
            chosen = self._order[start:stop]
        i, j = chosen // self._prime, chosen % self._prime
        strata = np.where(
            self._factors == self._prime, i[:, None], (i[:, None] * self._factors + j[:, None]) % self._prime
        )
        return np.take_along_axis(self._labels, strata, axis=0)


def _next_prime(number: int) -> int:
    """Return the smallest prime that is at least ``number``."""
    candidate = max(number, 2)
    while any(candidate % divisor == 0 for divisor in range(2, int(candidate**0.5) + 1)):
        candidate += 1
    return candidate


def _specs(columns: Any) -> list[Any]:
    return list(columns.values()) if isinstance(columns, Mapping) else list(columns)


def _is_range(column: Any) -> bool:
    return (
        isinstance(column, tuple)
        and len(column) == 2
        and all(isinstance(end, Real) and not isinstance(end, bool | np.bool_) for end in column)
    )


def _is_integer_range(column: Any) -> bool:
    return _is_range(column) and all(isinstance(end, Integral) for end in column)


def _table_of(columns: Any, backend: Any, who: str) -> Any:
    """Return a small table with the described columns: both ends of each range, and every value of each list."""
    specs = _specs(columns)
    for index, column in enumerate(specs):
        is_list = isinstance(column, list | np.ndarray) and len(column) > 0
        if not (is_list or (_is_range(column) and np.isfinite(column).all() and column[0] <= column[1])):
            raise SamplerError(
                f"{who}: column {list(columns)[index] if isinstance(columns, Mapping) else index!r} is described "
                f"by {column!r}; expected a range (low, high) of finite numbers or a list of values."
            )
    if not specs:
        raise SamplerError(f"{who}: columns is empty; expected at least one column.")
    n_rows = max(len(column) for column in specs)
    filled = [(list(column) * n_rows)[:n_rows] for column in specs]
    if isinstance(columns, Mapping):
        return nw.from_dict(dict(zip(columns, filled, strict=True)), backend=backend).to_native()
    arrays = [np.asarray(column) for column in filled]
    if any(array.dtype.kind not in "biuf" for array in arrays):
        arrays = [np.array(column, dtype=object) for column in filled]
    return np.column_stack(arrays)
