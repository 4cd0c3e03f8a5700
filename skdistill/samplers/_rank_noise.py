"""Noise along the ranks of a column."""

import numpy as np

from ._cells import Numbers


def move_along_ranks(
    numbers: Numbers, own: np.ndarray, scale: float, rng: np.random.Generator, source: np.ndarray | None = None
) -> np.ndarray:
    r"""Move the numbers of a block of rows by a step along the ranks of their column within the block.

    A number with rank r among the n present ones moves to rank :math:`r + \sigma n z`, where z is standard normal,
    reflected at both ends. The new value is interpolated between the two observed values at that rank. Steps are
    therefore small where values are dense and large where they are sparse, heavy tails and repeated values are kept,
    and no value leaves the observed range.

    Parameters
    ----------
    numbers : Numbers
    own : ndarray of int, shape (n_rows,)
        Rows of the block in random order, which breaks ties between equal numbers.
    scale : float
        The :math:`\sigma` above.
    rng : Generator
    source : ndarray of int, shape (n_rows, n_features), default=None
        For each cell, the position in ``own`` of the row it is taken from. ``None`` means its own row.

    Returns
    -------
    moved : ndarray of shape (n_rows, n_features)
        NaN where a cell is missing or not a number.
    """
    block = numbers.values[own].T
    moved = np.empty_like(block)
    counted = np.arange(len(own), dtype=np.float64)
    for index, (is_movable, values) in enumerate(zip(numbers.is_movable, block, strict=True)):
        last = len(values) - np.count_nonzero(np.isnan(values)) - 1
        if not is_movable or last < 0:
            moved[index] = np.nan
            continue
        order = np.argsort(values)  # NaN last
        ordered = values[order]
        ordered[last + 1 :] = ordered[last]
        ordered = np.append(ordered, ordered[last])  # so that the last one has a successor
        rank = np.empty_like(counted)
        rank[order] = counted
        position = rank if source is None else rank[source[:, index]]
        is_missing = position > last
        position += rng.standard_normal(len(position)) * (scale * last)
        np.abs(position, out=position)
        np.clip(last - np.abs(last - position), 0, last, out=position)
        below = position.astype(np.int64)
        position -= below
        low = ordered[below]
        moved[index] = np.where(is_missing, np.nan, low + position * (ordered[below + 1] - low))
    return numbers.fit_in(moved.T)
