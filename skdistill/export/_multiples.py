"""Weights of few steps as codes of one byte, as compression makes them."""

from typing import Any

import numpy as np

LARGEST_CODE = 127

MIN_NUMBERS = 64
"""Minimum number of weights, below which a step of their own is not worth it."""


def multiples_of(values: np.ndarray) -> tuple[np.ndarray, Any] | None:
    """Return int8 codes and a step whose products are exactly the values; ``None`` if there are none.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.export._multiples import multiples_of
    >>> codes, step = multiples_of(np.arange(-32.0, 32.0) * 0.375)
    >>> int(codes[0]), float(step)
    (-32, 0.375)
    """
    if values.size < MIN_NUMBERS:
        return None
    distinct = np.unique(np.append(values, 0))
    if not 1 < len(distinct) <= 2 * LARGEST_CODE + 1 or not np.isfinite(distinct).all():
        return None
    for part in (1, 2, 3):
        step = values.dtype.type(np.diff(distinct).min() / part)
        codes = np.clip(np.rint(values / step), -LARGEST_CODE, LARGEST_CODE).astype(np.int8)
        if np.array_equal(codes * step, values):
            return codes, step
    return None
