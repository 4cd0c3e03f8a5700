"""The transfer set: rows with the teacher's outputs, their weights and their origins."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

import numpy as np

from .._encoding import once
from .._tables import stack_rows, take_rows
from .._tabulate import as_html, encodable
from ..teachers import usage_counted_here
from ._summary import Costs, TransferSummary

REAL, UNLABELLED, SAMPLERS = 0, 1, 2
"""Origins of real rows and of unlabelled real rows, and the origin of the first sampler."""


@dataclass(frozen=True)
class SampledRows:
    """Which rows of a table were sampled, and the outputs of those that were labelled to draw the sample.

    Attributes
    ----------
    table : table of shape (n_table, n_features)
    rows : ndarray of int, shape (n_sampled,)
        Positions of the sampled rows.
    is_labelled : ndarray of bool, shape (n_sampled,)
    outputs : ndarray of shape (n_labelled,) or (n_labelled, n_outputs)
        Outputs of the teacher for the labelled rows.
    """

    table: Any
    rows: np.ndarray
    is_labelled: np.ndarray
    outputs: np.ndarray

    @property
    def ratio(self) -> float:
        """Number of rows of the table for each sampled row."""
        return self.n_table / len(self.rows)

    @property
    def n_table(self) -> int:
        """Number of rows of the table."""
        return int(self.table.shape[0])

    def __getstate__(self) -> dict[str, Any]:
        return vars(self) | {"table": np.empty((self.n_table, 0))}  # other processes need the sample only

    def take(self, rows: np.ndarray) -> "SampledRows":
        """Return some of the sampled rows, without outputs."""
        return SampledRows(self.table, self.rows[rows], np.zeros(len(rows), dtype=bool), self.outputs[:0])

    def label_rest(self, X: Any, label: Callable[[Any, str], np.ndarray]) -> np.ndarray:
        """Return the outputs for ``X``, the sampled rows, of which only those without outputs are queried."""
        if self.is_labelled.all():
            return self.outputs
        rest = label(take_rows(X, np.flatnonzero(~self.is_labelled)), "real rows")
        if not self.is_labelled.any():
            return rest
        outputs = np.empty((len(self.rows), *rest.shape[1:]))
        outputs[self.is_labelled], outputs[~self.is_labelled] = self.outputs, rest
        return outputs


@dataclass(frozen=True)
class TransferSet:
    """Rows with the teacher's outputs, their weights and their origins.

    Attributes
    ----------
    X : table of shape (n_samples, n_features)
    outputs : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        Outputs of the teacher.
    sample_weight : ndarray of shape (n_samples,)
    truth : ndarray of shape (n_samples,) or (n_samples, n_outputs) or None, default=None
        True labels as targets; NaN for rows without a true label.
    origin : ndarray of int, shape (n_samples,), or None, default=None
        Origin of each row, as its position in ``origins``. ``None`` means that all rows are real.
    origins : tuple of str, default=("real", "unlabelled")
        Names of the origins: real rows of ``X``, unlabelled real rows, then the samplers of the synthetic rows.
    sampled : SampledRows or None, default=None
        Which rows of a larger table the real rows are; ``None`` if they are not sampled. Parts of a transfer set have
        that of the whole.
    is_selected : ndarray of bool, shape (n_samples,), or None, default=None
        Mask of the unlabelled rows that were selected by the teacher's outputs, so that they do not represent other
        rows. ``None`` means that there are none.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.transfer import TransferSet
    >>> real = TransferSet(np.eye(2), np.array([0.0, 1.0]), np.ones(2))
    >>> both = real.extend(
    ...     [(np.zeros((4, 2)), np.full(4, 0.5))], total_weight=1.0, sampler="zeros"
    ... )
    >>> both.n_real, both.n_synthetic, both.sample_weight.tolist()
    (2, 4, [1.0, 1.0, 0.5, 0.5, 0.5, 0.5])
    >>> more = both.extend(
    ...     [(np.ones((3, 2)), np.full(3, 0.5))], total_weight=1.0, sampler="ones"
    ... )
    >>> more.n_real, more.n_synthetic, more.origins[2:]
    (2, 7, ('zeros', 'ones'))

    In a notebook, a transfer set is shown as a table with a row for each origin.
    """

    X: Any
    outputs: np.ndarray
    sample_weight: np.ndarray
    truth: np.ndarray | None = None
    origin: Any = None
    origins: tuple[str, ...] = ("real", "unlabelled")
    sampled: SampledRows | None = None
    is_selected: Any = None

    def __post_init__(self) -> None:
        if self.origin is None:
            object.__setattr__(self, "origin", np.full(len(self), REAL))
        if self.is_selected is None:
            object.__setattr__(self, "is_selected", np.zeros(len(self), dtype=bool))

    def __len__(self) -> int:
        return len(self.sample_weight)

    @property
    def is_real(self) -> np.ndarray:
        """Mask of the rows of ``X``."""
        return self.origin == REAL

    @property
    def is_unlabeled(self) -> np.ndarray:
        """Mask of the unlabelled real rows."""
        return self.origin == UNLABELLED

    @property
    def is_synthetic(self) -> np.ndarray:
        """Mask of the synthetic rows."""
        return self.origin > UNLABELLED

    @property
    def n_real(self) -> int:
        """Number of rows of ``X``."""
        return int(np.count_nonzero(self.is_real))

    @property
    def n_synthetic(self) -> int:
        """Number of synthetic rows."""
        return int(np.count_nonzero(self.is_synthetic))

    @property
    def ratio(self) -> float:
        """Number of rows that each real row stands for: above 1 in a sample."""
        return 1.0 if self.sampled is None else self.sampled.ratio

    def _repr_html_(self) -> str:
        present = [place for place in range(len(self.origins)) if (self.origin == place).any()]
        rows = [self.origin == place for place in present]
        table: dict[str, list[Any]] = {
            "origin": [self.origins[place] for place in present],
            "rows": [int(np.count_nonzero(each)) for each in rows],
            "mean weight": [float(self.sample_weight[each].mean()) for each in rows],
        }
        shape = f"{len(self):,} rows with {self.X.shape[1]:,} columns; outputs of shape {self.outputs.shape}"
        return encodable(f"<div><p>Transfer set: {shape}.</p>{as_html(table)}</div>")

    def take(self, rows: np.ndarray) -> "TransferSet":
        """Return the rows at the positions ``rows``."""
        return replace(
            self,
            X=take_rows(self.X, rows),
            outputs=self.outputs[rows],
            sample_weight=self.sample_weight[rows],
            truth=None if self.truth is None else self.truth[rows],
            origin=self.origin[rows],
            is_selected=self.is_selected[rows],
        )

    def extend(self, synthetic: Sequence[tuple[Any, np.ndarray]], total_weight: float, sampler: str) -> "TransferSet":
        """Return the transfer set with synthetic rows appended.

        The total weight of the added rows is ``total_weight`` times that of all real rows, labelled or not, but the
        weight of one added row is at most the mean weight of a real row; of a row of the table, if the real rows are a
        sample of it.
        """
        origins = self.origins if sampler in self.origins[SAMPLERS:] else (*self.origins, sampler)
        of_real = self.sample_weight[~self.is_synthetic]
        n_added = sum(len(outputs) for _, outputs in synthetic)
        weight = min(of_real.mean() / self.ratio, total_weight * of_real.sum() / n_added)
        return self._stack(synthetic, weight, origins.index(sampler, SAMPLERS), origins)

    def with_unlabeled(
        self,
        X: Any,
        outputs: np.ndarray,
        weight: np.ndarray | None = None,
        truth: np.ndarray | None = None,
        is_selected: np.ndarray | None = None,
    ) -> "TransferSet":
        """Return the transfer set with further real rows appended.

        Without ``weight``, each has the mean weight of the rows so far; without ``truth``, they have no true labels;
        without ``is_selected``, they represent other rows.
        """
        weights = self.sample_weight.mean() if weight is None else weight
        added = self._stack([(X, outputs)], weights, UNLABELLED, self.origins)
        if is_selected is not None:
            added = replace(added, is_selected=np.concatenate([self.is_selected, is_selected]))
        if truth is None or added.truth is None:
            return added
        return replace(added, truth=np.concatenate([added.truth[: len(self)], truth]))

    def _stack(
        self, rows: Sequence[tuple[Any, np.ndarray]], weight: Any, origin: int, origins: tuple[str, ...]
    ) -> "TransferSet":
        n_added = sum(len(outputs) for _, outputs in rows)
        truth = self.truth
        if truth is not None:
            truth = np.concatenate([truth, np.full((n_added, *truth.shape[1:]), np.nan)])
        return TransferSet(
            stack_rows([self.X, *(X for X, _ in rows)]),
            np.concatenate([self.outputs, *(outputs for _, outputs in rows)]),
            np.concatenate([self.sample_weight, np.full(n_added, weight)]),
            truth,
            np.concatenate([self.origin, np.full(n_added, origin)]),
            origins,
            self.sampled,
            np.concatenate([self.is_selected, np.zeros(n_added, dtype=bool)]),
        )

    def weigh_real(self, share: float) -> "TransferSet":
        """Return the transfer set with the weights of the rows of ``X`` multiplied by ``share``; 0 removes the rows."""
        if share == 1:
            return self
        if share == 0:
            return once(TransferSet._without_real, self)  # one table for all students, so that it is encoded once
        return replace(self, sample_weight=np.where(self.is_real, share * self.sample_weight, self.sample_weight))

    def _without_real(self) -> "TransferSet":
        return self.take(np.flatnonzero(~self.is_real))

    def summary(self, costs: Costs, real_weight: float = 1.0, n_summed: int = 0) -> TransferSummary:
        """Return the summary of the transfer set and of its costs."""
        is_synthetic = self.is_synthetic
        return TransferSummary(
            self.n_real,
            int(np.count_nonzero(self.is_unlabeled)),
            self.n_synthetic,
            float(real_weight),
            float(self.sample_weight[is_synthetic].mean()) if is_synthetic.any() else 0.0,
            " and ".join(self.origins[SAMPLERS:]) if is_synthetic.any() else "",
            costs.n_asked,
            costs.teacher_noise,
            costs.label_seconds + costs.extra_seconds,
            costs.sample_seconds,
            perf_counter() - costs.started,
            0 if self.sampled is None else self.sampled.n_table,
            costs.workers.describe(),
            n_summed,
            usage_counted_here(),
        )
