"""Real rows are labelled first: as many as the budget allows, those of ``X`` before unlabelled ones."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Protocol

import numpy as np

from .._tables import take_rows
from ..samplers._pool import select_rows
from ._oracle import Oracle
from ._transfer_set import SampledRows, TransferSet

RANDOM_SHARE, FEWEST_RANDOM_ROWS, MOST_RANDOM_ROWS = 0.25, 150, 5000
"""Share of the unlabelled rows within the budget that are drawn at random, and its limits: rows that were selected by
the teacher's outputs do not represent the others, so that only these validate."""


def count_random(n_rows: int) -> int:
    """Return how many of the unlabelled rows that a budget allows are drawn at random before others are selected."""
    return min(n_rows, MOST_RANDOM_ROWS, max(FEWEST_RANDOM_ROWS, round(RANDOM_SHARE * n_rows)))


class Pool(Protocol):
    """Rows that are not in memory, from which some are selected once the teacher has labelled others."""

    def choose(
        self, X: Any, outputs: np.ndarray, n_left: float, rng: np.random.RandomState
    ) -> AbstractContextManager["ChosenRows"]:
        """Return at most ``n_left`` rows, in a context in which they are labelled."""
        ...


class ChosenRows(Protocol):
    """Rows that were selected, or are still being selected while the first of them are labelled.

    Attributes
    ----------
    rows : table of shape (n_chosen, n_features)
    """

    rows: Any

    def labelled(
        self, outputs: np.ndarray
    ) -> tuple[Any, np.ndarray, np.ndarray | None, np.ndarray | None, np.ndarray | None]:
        """Return the rows in the order of the dataset, their outputs, weights, true labels and mask of selected rows.

        Those that they do not have are ``None``.
        """
        ...


def label_real_rows(
    X: Any,
    oracle: Oracle,
    *,
    sample_weight: np.ndarray,
    truth: np.ndarray | None = None,
    X_unlabeled: Any = None,
    label_anew: Callable[[np.ndarray], np.ndarray] | None = None,
    pool: Pool | None = None,
    sampled: SampledRows | None = None,
    most_unlabeled: float = np.inf,
    is_validated: bool = False,
    rng: np.random.RandomState,
) -> TransferSet:
    """Label the real rows, those of ``X`` first.

    If the budget is smaller than ``X``, a random subset of its rows is labelled. If the rest of the budget, or
    ``most_unlabeled``, is smaller than ``X_unlabeled``, its rows are drawn with higher probability in regions where the
    teacher's outputs vary more. Some rows are drawn at random before that, if such rows are to validate.

    Parameters
    ----------
    X : table of shape (n_samples, n_features)
    oracle : Oracle
    sample_weight : ndarray of shape (n_samples,)
        Weights of the rows of ``X``; unlabelled rows get the mean weight.
    truth : ndarray or None, default=None
        True labels of the rows of ``X``, as targets.
    X_unlabeled : table or None, default=None
        Further real rows.
    label_anew : callable or None, default=None
        Maps the teacher's in-sample outputs for ``X`` to out-of-fold or out-of-bag outputs.
    pool : Pool or None, default=None
        A dataset in place of ``X_unlabeled``, from which rows are selected in the same way.
    sampled : SampledRows or None, default=None
        Which rows of a larger table ``X`` is, and the outputs that are known already.
    most_unlabeled : float, default=inf
        Maximum number of rows of ``X_unlabeled``.
    is_validated : bool, default=False
        Whether unlabelled rows validate samplers or students.
    rng : RandomState

    Returns
    -------
    real : TransferSet
        The labelled real rows.
    """
    if X.shape[0] - (0 if sampled is None else np.count_nonzero(sampled.is_labelled)) > oracle.n_left:
        first = np.argsort(sample_weight == 0, kind="stable")  # rows of weight zero are ignored
        order = rng.permutation(np.count_nonzero(sample_weight))
        chosen = np.sort(np.append(first[: len(order)][order], first[len(order) :])[: int(oracle.n_left)])
        X, sample_weight = take_rows(X, chosen), sample_weight[chosen]
        truth = None if truth is None else truth[chosen]
        sampled = None if sampled is None else sampled.take(chosen)
    outputs = oracle.label(X, "real rows") if sampled is None else sampled.label_rest(X, oracle.label)
    if label_anew is not None:
        outputs = label_anew(outputs)
    real = TransferSet(X, outputs, sample_weight, truth, sampled=sampled)
    if X_unlabeled is not None and oracle.n_left >= 1:
        rows, is_selected, most = X_unlabeled, None, min(oracle.n_left, most_unlabeled)
        if rows.shape[0] > most:
            n_random = count_random(int(most)) if is_validated else 0
            chosen, is_selected = select_rows(X, outputs, rows, int(most), n_random, rng)
            rows = take_rows(rows, chosen)
        real = real.with_unlabeled(rows, oracle.label(rows, "unlabelled rows"), is_selected=is_selected)
    elif pool is not None and oracle.n_left >= 1:
        real = _with_rows_of(pool, real, oracle, rng)
    oracle.refusals.learn(real.X)
    return real


def _with_rows_of(pool: Pool, real: TransferSet, oracle: Oracle, rng: np.random.RandomState) -> TransferSet:
    """Return the transfer set with the rows that are selected from a dataset."""
    with pool.choose(real.X, real.outputs, oracle.n_left, rng) as selected:
        if not selected.rows.shape[0]:
            return real
        added = selected.labelled(oracle.label(selected.rows, "rows of the dataset"))
    return real.with_unlabeled(*added)
