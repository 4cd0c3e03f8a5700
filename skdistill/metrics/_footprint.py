"""What a model costs: bytes, and microseconds a row."""

import pickle
import time
from collections.abc import Callable
from typing import Any

import numpy as np


def pickled_bytes(model: Any) -> int:
    """Size of the model's pickle in bytes.

    Parameters
    ----------
    model : object
        Anything that can be pickled.

    Returns
    -------
    size : int

    Examples
    --------
    >>> from skdistill.metrics import pickled_bytes
    >>> pickled_bytes(None) < 10
    True
    """
    return len(pickle.dumps(model, protocol=pickle.HIGHEST_PROTOCOL))


def latency(predict: Callable[[Any], Any], X: Any, *, n_repeats: int = 7, min_seconds: float = 0.02) -> float:
    """Median time of ``predict(X)`` in microseconds a row, after one call to warm up.

    Parameters
    ----------
    predict : callable
        Takes ``X``.
    X : table of shape (n_samples, n_features)
        One row measures the latency of a single row, many rows the throughput.
    n_repeats : int, default=7
        Number of measurements, of which the median is returned.
    min_seconds : float, default=0.02
        Each measurement repeats the call until this time has passed.

    Returns
    -------
    microseconds : float
        Per row.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.metrics import latency
    >>> latency(np.sum, np.ones((100, 3)), n_repeats=1, min_seconds=0.0) > 0
    True
    """
    predict(X)
    measured = []
    for _ in range(n_repeats):
        n_calls, start = 0, time.perf_counter()
        while n_calls == 0 or time.perf_counter() - start < min_seconds:
            predict(X)
            n_calls += 1
        measured.append((time.perf_counter() - start) / n_calls)
    return float(np.median(measured)) / X.shape[0] * 1e6
