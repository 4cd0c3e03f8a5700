"""Directions in which a teacher is monotone, measured by moving one column of real rows with all others fixed."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from .._encoding import fit_table_encoder
from .._tables import take_rows, with_column_of
from ..transfer import Oracle, TransferSet
from ._targets import Targets

MAX_VIOLATED_SHARE = 0.05
"""Maximum share of violated pairs of a column that counts as monotone."""

MIN_PAIRS = 20
"""Minimum number of pairs whose outputs differ; fewer are no evidence."""

MIN_CHANGE = 0.01
"""Minimum difference of two outputs that counts, in standard deviations: forests have many small steps."""

MAX_MOVED_ROWS, N_MOVES = 100, 4
"""Number of real rows that are moved in each column, and number of values of the column that each takes."""

MIN_MOVED_ROWS = 10
"""Minimum number of rows; a smaller budget raises an error."""

MAX_QUERY_SHARE, MAX_MOVES = 0.1, 40_000
"""Maximum number of queries of all columns together: a share of the remaining budget, and an absolute number."""


@dataclass(frozen=True)
class MeasuredDirections:
    """What was measured, each of shape (n_rows, n_features): a row for each class or output, one for two classes.

    Attributes
    ----------
    direction : ndarray of int
        -1 or 1 where the teacher is monotone, else 0.
    violated : ndarray of float
        Share of pairs that contradict the direction, or the better of both directions; NaN without pairs.
    n_pairs : ndarray of int
        Number of pairs whose outputs differ.
    """

    direction: np.ndarray
    violated: np.ndarray
    n_pairs: np.ndarray


def measure_directions(
    who: str, real: TransferSet, targets: Targets, oracle: Oracle, columns: list[int], rng: np.random.RandomState
) -> MeasuredDirections:
    """Measure in which of some columns the teacher is monotone.

    Each of several real rows takes several values of the column that other rows have. Neighbouring values make a pair.

    Parameters
    ----------
    who : str
        Name of the estimator, for errors.
    real : TransferSet
        Labelled real rows.
    targets : Targets
    oracle : Oracle
        Labels the moved rows.
    columns : list of int
        Positions of columns of numbers.
    rng : RandomState

    Raises
    ------
    ValueError
        If the budget allows too few rows, or the teacher can only label the rows of ``X``.
    """
    present = np.flatnonzero(real.sample_weight)
    soft = _by_output(targets.of(real.outputs))
    n_rows = _count_rows(who, len(columns), oracle)
    if targets.teacher.answers_only_given_rows:
        raise ValueError(
            f"{who}: monotonic_cst='teacher' moves columns of rows, but {targets.teacher.name} only has labels for the "
            "rows of X. Pass the directions."
        )
    table = fit_table_encoder(real.X).transform(real.X)
    shape = (1 if _is_binary(targets, soft) else soft.shape[1], real.X.shape[1])
    found = MeasuredDirections(np.zeros(shape, dtype=np.int64), np.full(shape, np.nan), np.zeros(shape, dtype=np.int64))
    for column in columns:
        donors = present[~np.isnan(table[present, column])]
        if len(np.unique(table[donors, column])) > 1:
            drawn = _drawn(table[:, column], donors, n_rows, rng)
            rows, others = np.repeat(rng.choice(present, n_rows), N_MOVES), take_rows(real.X, drawn.ravel())
            moved = with_column_of(take_rows(real.X, rows), others, column)
            outputs = _by_output(targets.of(oracle.label(moved, "rows with a moved column")))
            is_apart = (np.diff(table[drawn, column], axis=1) > 0).ravel()
            for row, compared in enumerate(_compared(targets, soft, *_pairs(outputs, is_apart))):
                _note(found, row, column, compared)
    return found


def _drawn(cells: np.ndarray, donors: np.ndarray, n_rows: int, rng: np.random.RandomState) -> np.ndarray:
    """Return for each row the rows whose cells it takes, by ascending cell, shape (n_rows, n_moves)."""
    drawn = donors[rng.randint(len(donors), size=(n_rows, N_MOVES))]
    return np.take_along_axis(drawn, np.argsort(cells[drawn], axis=1, kind="stable"), axis=1)


def _pairs(outputs: np.ndarray, is_apart: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the outputs of the lower and of the upper row of each pair whose cells differ."""
    moves = outputs.reshape(-1, N_MOVES, outputs.shape[1])
    low, high = (part.reshape(-1, outputs.shape[1])[is_apart] for part in (moves[:, :-1], moves[:, 1:]))
    return low, high


def _note(found: MeasuredDirections, row: int, column: int, pairs: "_Pairs") -> None:
    """Note the direction that fewer of the pairs that differ contradict."""
    found.n_pairs[row, column] = n_pairs = int(np.count_nonzero(pairs.differ))
    if n_pairs == 0:
        return
    shares = {1: np.count_nonzero(pairs.against_rise) / n_pairs, -1: np.count_nonzero(pairs.against_fall) / n_pairs}
    direction = min(shares, key=lambda each: shares[each])
    found.violated[row, column] = shares[direction]
    if shares[direction] <= MAX_VIOLATED_SHARE and n_pairs >= MIN_PAIRS:
        found.direction[row, column] = direction


class _Pairs(NamedTuple):
    """Which pairs differ, and which of these contradict either direction; each of shape (n_pairs,)."""

    differ: np.ndarray
    against_rise: np.ndarray
    against_fall: np.ndarray


def _compared(targets: Targets, soft: np.ndarray, low: np.ndarray, high: np.ndarray) -> list[_Pairs]:
    """Return the comparison of pairs for each class or output.

    With more than two classes, the odds of a class against every other one must rise, or fall, and the probabilities of
    all others must move the other way.
    """
    least = MIN_CHANGE * np.maximum(soft.std(axis=0), np.finfo(np.float64).tiny)
    change = high - low
    if _is_binary(targets, soft):
        change, least = change[:, 1:], least[1:]
    elif targets.classifies:
        return [_compared_odds(k, low, high, least[k]) for k in range(soft.shape[1])]
    return [
        _Pairs(np.abs(of_output) > unit, of_output < -unit, of_output > unit)
        for of_output, unit in zip(change.T, least, strict=True)
    ]


def _compared_odds(k: int, low: np.ndarray, high: np.ndarray, unit: float) -> _Pairs:
    """Return the comparison of one class with every other one; products avoid logarithms of zero odds.

    A probability that moves with that of the class contradicts either direction: it would be held back by the
    constraint.
    """
    odds = np.delete(high[:, [k]] * low - low[:, [k]] * high, k, axis=1)
    others, differ = np.delete(high - low, k, axis=1), np.abs(high[:, k] - low[:, k]) > unit
    against_rise = (odds.min(axis=1) < -unit) | (others.max(axis=1) > unit)
    against_fall = (odds.max(axis=1) > unit) | (others.min(axis=1) < -unit)
    return _Pairs(differ, differ & against_rise, differ & against_fall)


def _by_output(soft: np.ndarray) -> np.ndarray:
    return np.asarray(soft, dtype=np.float64).reshape(len(soft), -1)


def _is_binary(targets: Targets, soft: np.ndarray) -> bool:
    return targets.classifies and soft.shape[1] == 2


def _count_rows(who: str, n_columns: int, oracle: Oracle) -> int:
    """Return the number of rows that are moved in each column."""
    most = min(MAX_MOVES, MAX_QUERY_SHARE * oracle.n_left)
    n_rows = int(min(MAX_MOVED_ROWS, most // (N_MOVES * max(n_columns, 1))))
    if n_rows < MIN_MOVED_ROWS:
        needed = int(MIN_MOVED_ROWS * N_MOVES * n_columns / MAX_QUERY_SHARE)
        raise ValueError(
            f"{who}: monotonic_cst='teacher' moves at least {MIN_MOVED_ROWS} rows in each of {n_columns} columns, with "
            f"at most a tenth of the {oracle.n_left:,.0f} queries that are left. Pass max_queries of about {needed:,} "
            "more than the rows of X, or the directions."
        )
    return n_rows
