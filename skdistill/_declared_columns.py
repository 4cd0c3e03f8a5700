"""The parameter ``categorical_features``: which columns are categories whatever their cells."""

import reprlib
from numbers import Integral
from typing import Any

import numpy as np
from scipy import sparse

from ._suggesting import did_you_mean
from ._tables import is_frame

FROM_DTYPE = "from_dtype"
"""Value of the parameter that declares no column."""


def is_from_dtype(given: Any) -> bool:
    """Whether a value of the parameter declares no column."""
    return isinstance(given, str) and given == FROM_DTYPE


def declared_columns(owner: str, given: Any, X: Any) -> tuple[int, ...]:
    """Return the positions of the columns that are declared as categories, in ascending order.

    Parameters
    ----------
    owner : str
        Name of the estimator that has the parameter, for messages.
    given : "from_dtype" or array-like
        Names of columns, their positions, or a mask of all columns; ``"from_dtype"`` declares none.
    X : table of shape (n_samples, n_features)

    Returns
    -------
    columns : tuple of int

    Raises
    ------
    ValueError
        If a name or position is not in the table, if a mask has another length, or if the table is sparse.
    TypeError
        If ``given`` is something else.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill._declared_columns import declared_columns
    >>> declared_columns("CompactTreeRegressor", [True, False, True], np.zeros((2, 3)))
    (0, 2)
    """
    if is_from_dtype(given):
        return ()
    who = f"{owner}: categorical_features={reprlib.repr(given)}"
    if sparse.issparse(X):
        raise ValueError(
            f'{who} for a sparse matrix; expected "from_dtype", since columns of a sparse matrix are numbers. Pass a '
            "dense array or a data frame, or encode the categories as one column each."
        )
    expected = (
        '"from_dtype", a list of column names, a list of column positions, or a mask with True or False for each column'
    )
    return listed_columns(who, given, X, f"{expected}.{did_you_mean(given, ['from_dtype'])}")


def listed_columns(who: str, given: Any, X: Any, expected: str) -> tuple[int, ...]:
    """Return the positions of listed columns, in ascending order.

    Parameters
    ----------
    who : str
        The parameter with its value, for messages.
    given : array-like
        Names of columns, their positions, or a mask of all columns.
    X : table of shape (n_samples, n_features)
    expected : str
        What ``given`` may be, as the end of the message about anything else.

    Raises
    ------
    ValueError
        If there is no such column.
    TypeError
        If ``given`` is something else.
    """
    cells = list(given) if np.iterable(given) and not isinstance(given, str | bytes) else [None]
    if cells and all(isinstance(cell, bool | np.bool_) for cell in cells):
        columns = _of_mask(who, cells, X.shape[1])
    elif all(isinstance(cell, Integral) and not isinstance(cell, bool) for cell in cells):
        columns = _of_positions(who, cells, X.shape[1])
    elif all(isinstance(cell, str) for cell in cells):
        columns = _of_names(who, cells, X)
    else:
        raise TypeError(f"{who}; expected {expected}")
    return tuple(sorted(set(columns)))


def _of_mask(who: str, mask: list[Any], n_features: int) -> list[int]:
    if len(mask) != n_features:
        raise ValueError(f"{who} is a mask of length {len(mask)}; expected {n_features}, one value for each column.")
    return np.flatnonzero(mask).tolist()


def _of_positions(who: str, positions: list[Any], n_features: int) -> list[int]:
    unknown = [int(position) for position in positions if not 0 <= position < n_features]
    if unknown:
        raise ValueError(f"{who} has positions {unknown}; expected 0 to {n_features - 1}, the columns of X.")
    return [int(position) for position in positions]


def _of_names(who: str, wanted: list[Any], X: Any) -> list[int]:
    if not is_frame(X):
        raise ValueError(
            f"{who} names columns, but X is an array without column names. Pass positions, or a data frame."
        )
    names = list(X.column_names if hasattr(type(X), "column_names") else X.columns)
    unknown = [name for name in wanted if name not in names]
    if unknown:
        listed = ", ".join(map(repr, names[:20])) + (f" and {len(names) - 20} more" if len(names) > 20 else "")
        raise ValueError(f"{who} names {unknown}, which are not columns of X; expected some of {listed}.")
    return [names.index(name) for name in wanted]
