"""What a fitted model without trees tells about the columns it was fitted on: stored rows, and scalers."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ._kernels import read_kernel
from ._parts import Part, inverse, values_of


def stored_rows(part: Part, values: Sequence[list[Any] | None]) -> np.ndarray | None:
    """Return the training rows that a model stores, such as support vectors or neighbours; ``None`` if there are none.

    Parameters
    ----------
    part : Part
        A model and the columns that it reads.
    values : sequence of (list or None)
        The values of each column of the table that is described by its values; ``None`` for columns of numbers.

    Returns
    -------
    rows : ndarray of float64, shape (n_rows, n_features)
        Numbers of the table, or positions in ``values``. NaN in columns that the model does not read
        or whose numbers cannot be computed back.
    """
    machine = None if hasattr(part.model, "_fit_X") else read_kernel(part.model)
    inner = getattr(part.model, "_fit_X", None) if machine is None else machine.rows
    if not isinstance(inner, np.ndarray) or inner.ndim != 2 or inner.shape[1] != len(part.columns):
        return None
    rows = np.full((len(inner), len(values)), np.nan)
    for index, known in enumerate(values):
        places = [place for place, column in enumerate(part.columns) if column.source.index == index]
        if known is not None and places:
            rows[:, index] = _nearest(inner[:, places], [values_of(part.columns[place], known) for place in places])
            continue
        found = (inverse(part.columns[place], inner[:, place]) for place in places)
        rows[:, index] = next((cells for cells, _ in filter(None, found)), np.nan)
    return rows


def _nearest(cells: np.ndarray, of_values: list[list[float]]) -> np.ndarray:
    """Return for each row the position of the value whose computed columns are nearest to its own."""
    distance = sum(
        (column[:, None] - np.nan_to_num(np.array(numbers))) ** 2
        for column, numbers in zip(cells.T, of_values, strict=True)
    )
    return np.argmin(distance, axis=1)


def scales_of(part: Part, n_features: int) -> np.ndarray | None:
    """Return the centre and the spread of each column that a scaler of the model has learned; ``None`` without any.

    Returns
    -------
    scales : ndarray of float64, shape (n_features, 2)
        The cells that become 0, and their distance to those that become 1; NaN in columns without a scaler.
    """
    scales = np.full((n_features, 2), np.nan)
    for column in part.columns:
        names = {name for name, _ in getattr(column, "operations", ())}
        if names >= {"subtract", "divide"} and (found := inverse(column, np.array([0.0, 1.0]))) is not None:
            zero, one = found[0]
            scales[column.source.index] = zero, abs(one - zero)
    return None if np.isnan(scales).all() else scales
