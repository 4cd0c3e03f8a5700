"""Which columns of numbers would lose their differences if they were rounded to float32."""

from typing import Any

import numpy as np
from scipy import sparse

LARGEST = float(np.finfo(np.float32).max)
"""Largest number of float32."""

MAX_SAMPLED_ROWS = 1024
"""Maximum number of evenly spaced rows that are examined."""

MAX_VALUES = 64
"""Maximum number of distinct values of a column that are compared, at equal distances in their order."""

MIN_STEPS = 128
"""Minimum distance of neighbouring values in steps of float32, below which rounding is noticeable."""

MAX_NARROW_SHARE = 0.25
"""Share of neighbouring values that may be closer than ``MIN_STEPS``."""

NOISE_STEPS = 4
"""Values that are fewer steps of float64 apart differ by rounding errors only."""


def needs_double(encoded: Any) -> np.ndarray:
    """Return a mask of the columns whose differences rounding to float32 would blur.

    These are columns of numbers that are large compared with their differences, such as dates written as 20180131,
    seconds since 1970 and metres of a map. Columns that float32 represents exactly are not among them.

    Parameters
    ----------
    encoded : ndarray or sparse matrix of shape (n_rows, n_features)
        Numbers and codes; NaN where a cell is missing. Of a sparse matrix only the stored cells are compared.

    Returns
    -------
    needs : ndarray of bool, shape (n_features,)

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill._precision import needs_double
    >>> day, size = 20180101.0 + np.arange(30), np.linspace(0, 1, 30)
    >>> needs_double(np.column_stack([day, size, size + 1e9]))
    array([ True, False,  True])
    """
    n_features = encoded.shape[1]
    if encoded.dtype in (np.float16, np.float32):
        return np.zeros(n_features, dtype=bool)
    column, value = _distinct(encoded[:: max(1, -(-encoded.shape[0] // MAX_SAMPLED_ROWS))])
    with np.errstate(over="ignore", under="ignore"):
        is_inexact = np.bincount(column, value.astype(np.float32) != value, n_features) > 0
        column, value = (array[_thinned(column)] for array in (column, value))
        gap, larger = np.diff(value), np.maximum(np.abs(value[1:]), np.abs(value[:-1]))
        step = np.spacing(np.minimum(larger, LARGEST).astype(np.float32)).astype(np.float64)
    is_gap = (np.diff(column) == 0) & (gap >= NOISE_STEPS * np.spacing(larger))
    is_narrow = is_gap & ((gap < MIN_STEPS * step) | (larger > LARGEST))
    n_gaps, n_narrow = (np.bincount(column[1:][which], minlength=n_features) for which in (is_gap, is_narrow))
    return is_inexact & (n_narrow > MAX_NARROW_SHARE * n_gaps)


def _distinct(encoded: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the distinct finite values of each column in ascending order, and the column of each value."""
    if sparse.issparse(encoded):
        cells = encoded.tocsc()
        column, value = np.repeat(np.arange(cells.shape[1]), np.diff(cells.indptr)), cells.data.astype(np.float64)
        order = np.lexsort((value, column))
        column, value = column[order], value[order]
    else:
        value = np.sort(encoded.T.astype(np.float64), axis=1).ravel()
        column = np.repeat(np.arange(encoded.shape[1]), encoded.shape[0])
    is_new = np.append(True, (np.diff(column) > 0) | (value[1:] != value[:-1]))[: len(value)]
    kept = is_new & np.isfinite(value)
    return column[kept], value[kept]


def _thinned(column: np.ndarray) -> np.ndarray:
    """Return a mask of at most ``MAX_VALUES`` values of each column, evenly spaced in their order."""
    count = np.bincount(column)
    rank, count = np.arange(len(column)) - (np.cumsum(count) - count)[column], count[column]
    return rank * MAX_VALUES // count > (rank - 1) * MAX_VALUES // count
