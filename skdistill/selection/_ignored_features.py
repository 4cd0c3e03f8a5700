"""Columns of many categories that students need not read: keys, and columns that the teacher does not read.

The student would store all their categories, and a linear one has a coefficient for each. Synthetic rows repeat these
categories, which hides that they are rare.
"""

from typing import Any

import narwhals as nw
import numpy as np

from .._encoding import (
    MAX_COMMON_CATEGORIES,
    MIN_CATEGORY_ROWS,
    MIN_KEY_CATEGORIES,
    declared_here,
    fit_table_encoder,
)
from .._tables import is_frame, stack_rows
from ..exceptions import TeacherQueryError
from ..transfer import Oracle, TransferSet
from ._run import Run

KEY_SHARE = 0.9
"""Minimum share of cells whose category occurs once in a column of keys. It estimates the probability that the category
of an unseen row is new [1]_.

.. [1] I. J. Good, "The Population Frequencies of Species and the Estimation of Population Parameters", Biometrika 1953.
"""

N_ASKED_ROWS = 200
"""Number of rows of each column that the teacher labels again, with permuted cells in the column."""

MAX_QUERY_SHARE = 0.05
"""Maximum number of these rows, as a share of the number of synthetic rows."""

MAX_RELATIVE_CHANGE = 1e-5
"""Maximum change of the outputs, in standard deviations, by rounding errors: a GPU may round a row differently."""

IS_KEY = "nearly every row has a value of its own"
IS_NOT_READ = "the teacher does not read it"


def find_ignored_features(real: TransferSet, oracle: Oracle, n_synthetic: int, run: Run) -> dict[int, str]:
    """Return the positions of the columns that students need not read, with the reasons.

    Parameters
    ----------
    real : TransferSet
        Labelled real rows.
    oracle : Oracle
        Labels some rows again.
    n_synthetic : int
        Number of synthetic rows, which limits the number of queries; 0 allows none, because the teacher may be unable
        to label other rows than the real ones.
    run : Run
        Later draws of its generator do not depend on whether the teacher is queried.
    """
    present = np.flatnonzero(real.sample_weight)
    rows = real if len(present) == len(real) else real.take(present)
    if isinstance(rows.X, np.ndarray) and rows.X.dtype.kind in "fiub" and not declared_here():
        return {}  # numbers are no categories
    encoder = fit_table_encoder(rows.X)
    n_categories = [0 if known is None else len(known) for known in encoder.categories_]
    several = [index for index, count in enumerate(n_categories) if count >= MIN_KEY_CATEGORIES]
    if not several:
        return {}
    cells = encoder.transform(rows.X)
    counts = {index: np.bincount(cells[~np.isnan(cells[:, index]), index].astype(np.intp)) for index in several}
    ignored = {index: IS_KEY for index, each in counts.items() if np.count_nonzero(each == 1) >= KEY_SHARE * each.sum()}
    wide = [index for index in several if n_categories[index] > MAX_COMMON_CATEGORIES and index not in ignored]
    rare = [index for index in wide if counts[index].mean() < MIN_CATEGORY_ROWS]
    n_rows = min(N_ASKED_ROWS, len(rows))
    if rare and len(rare) * n_rows <= MAX_QUERY_SHARE * min(n_synthetic, oracle.n_left):
        asked = rows.take(run.with_copied_generator().rng.permutation(len(rows))[:n_rows])
        ignored |= dict.fromkeys(_not_read(asked, rare, oracle, real.outputs), IS_NOT_READ)
    return dict(sorted(ignored.items()))


def name_columns(X: Any, columns: dict[int, str]) -> dict[Any, str]:
    """Return the reasons by the names of the columns, or by their positions in arrays."""
    names = nw.from_native(X, eager_only=True).columns if is_frame(X) else range(X.shape[1])
    return {names[index]: reason for index, reason in columns.items()}


def _not_read(asked: TransferSet, columns: list[int], oracle: Oracle, outputs: np.ndarray) -> list[int]:
    """Return the columns whose cells may be exchanged between rows without a change of the teacher's outputs."""
    shifted = [_with_shifted_column(asked.X, index) for index in columns]
    try:
        answers = np.split(oracle.label(stack_rows(shifted), "rows with permuted columns"), len(columns))
    except TeacherQueryError:  # it refuses rows with other combinations of values: it reads at least one column
        return []
    unit = np.maximum(outputs.std(axis=0), np.finfo(np.float64).tiny)
    changes = [np.abs(answer - asked.outputs) / unit for answer in answers]
    return [index for index, change in zip(columns, changes, strict=True) if np.all(change <= MAX_RELATIVE_CHANGE)]


def _with_shifted_column(X: Any, index: int) -> Any:
    """Return the table with the cells of one column moved by a row; the order of the rows is random."""
    order = np.roll(np.arange(X.shape[0]), 1)
    if not is_frame(X):
        shifted = X.copy()
        shifted[:, index] = X[order, index]
        return shifted
    frame = nw.maybe_reset_index(nw.from_native(X, eager_only=True))
    moved = nw.maybe_reset_index(frame[order])
    return frame.with_columns(moved[:, index]).to_native()
