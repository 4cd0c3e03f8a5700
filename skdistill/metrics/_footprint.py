"""What a model costs: bytes, and microseconds a row."""

import pickle
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import BuiltinFunctionType, FunctionType
from typing import Any

import narwhals as nw
import numpy as np

from .._tables import is_frame
from ..convert import rows_of_student, unwrap
from ._checks import check_count
from ._counting import n_operations, n_parameters
from ._unwrapping import as_rows, first_rows, is_compiled, shipped


def pickled_bytes(model: Any) -> int:
    """Size of the model's pickle in bytes.

    Parameters
    ----------
    model : object
        Anything that can be pickled. A distilled estimator holds its teacher: measure ``model.student_``.

    Returns
    -------
    size : int

    Examples
    --------
    >>> from skdistill.metrics import pickled_bytes
    >>> pickled_bytes(None) < 10
    True
    """
    counter = _Counter()
    pickle.dump(model, counter, protocol=pickle.HIGHEST_PROTOCOL)
    return counter.n_bytes


class _Counter:
    """A file that only counts what is written to it: a teacher of gigabytes is not held in memory twice."""

    n_bytes = 0

    def write(self, data: Any) -> int:
        """Count."""
        size = memoryview(data).nbytes
        self.n_bytes += size
        return size


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

    Raises
    ------
    ValueError
        If there is no row, or ``n_repeats`` is below 1.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.metrics import latency
    >>> latency(np.sum, np.ones((100, 3)), n_repeats=1, min_seconds=0.0) > 0
    True
    """
    check_count("latency", "n_repeats", n_repeats)
    n_rows = _count_rows("latency", X)
    return _median_seconds(predict, X, n_repeats, min_seconds) / n_rows * 1e6


@dataclass(frozen=True)
class Footprint:
    """What a model costs.

    Made by :func:`footprint`.

    Parameters
    ----------
    n_bytes : float
        Size of its pickle; NaN where it cannot be pickled.
    n_parameters : float
        Numbers learned, see :func:`n_parameters`; NaN where nothing is known.
    n_operations : float
        Operations for a row, see :func:`n_operations`; NaN where they are not known.
    one_row : float
        Microseconds for one row alone.
    many_rows : float
        Microseconds a row in a batch.

    Examples
    --------
    >>> from skdistill.metrics import Footprint
    >>> print(
    ...     Footprint(
    ...         n_bytes=14_200,
    ...         n_parameters=3100,
    ...         n_operations=290,
    ...         one_row=4.91,
    ...         many_rows=0.492,
    ...     )
    ... )
    14.2 kB, 3,100 parameters, 290 operations a row, 4.9 µs for one row, 0.49 µs a row of many
    """

    n_bytes: float
    n_parameters: float
    n_operations: float
    one_row: float
    many_rows: float

    def __str__(self) -> str:
        parts = (
            f"{_bytes_as_text(self.n_bytes)}",
            f"{_as_text(self.n_parameters, '{:,.0f}')} parameters",
            f"{_as_text(self.n_operations, '{:,.0f}')} operations a row",
            f"{_as_text(self.one_row, _digits(self.one_row))} µs for one row",
            f"{_as_text(self.many_rows, _digits(self.many_rows))} µs a row of many",
        )
        return ", ".join(parts)


def footprint(model: Any, X: Any, *, n_rows: int = 1000) -> Footprint:
    """Measure what a model costs: bytes, parameters, operations, and microseconds for one row and for a batch.

    The first available method of ``predict_proba``, ``predict`` and ``transform`` is called, or the model itself, as
    with compiled models. One row comes as a table of one row, and for compiled models as the plain row they take.

    Parameters
    ----------
    model : object
        A fitted estimator, a compiled model, or a function of rows. Of a distilled estimator, alone or at the end of a
        pipeline or in a fitted search, what is shipped is measured: its student, without the teacher.
    X : table of shape (n_samples, n_features)
        An array, a frame or a sparse matrix, as the model takes it. The first row is also predicted alone.
    n_rows : int >= 1, default=1000
        Rows of the batch: the first ones of ``X``, all if there are fewer. A batch of few rows costs more a row.

    Returns
    -------
    footprint : Footprint
        Times are medians after a call to warm up; on a busy machine, compare only what was measured side by side.

    Raises
    ------
    TypeError
        If the model has no such method and is not callable.
    ValueError
        If there is no row, or ``n_rows`` is below 1.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from skdistill.metrics import footprint
    >>> X, y = load_iris(return_X_y=True)
    >>> cost = footprint(DecisionTreeClassifier(max_leaf_nodes=3).fit(X, y), X)
    >>> cost.n_parameters, cost.n_operations, cost.many_rows < cost.one_row
    (13, 5, True)
    """
    check_count("footprint", "n_rows", n_rows)
    X = as_rows(X)
    _count_rows("footprint", X)
    X, model = rows_of_student(unwrap(model, ("frozen", "search")).model, X), shipped(model)
    predict = prediction_function(model, "footprint")
    batch, row = first_rows(X, n_rows), first_rows(X, 1)
    return Footprint(
        n_bytes=bytes_or_nan(model),
        n_parameters=n_parameters(model),
        n_operations=n_operations(model),
        one_row=_median_seconds(predict, _plain_row(row) if is_compiled(model) else row) * 1e6,
        many_rows=latency(predict, batch),
    )


def prediction_function(model: Any, who: str) -> Callable[[Any], Any]:
    """Return the function that answers for rows."""
    if is_compiled(model):
        return model
    for name in ("predict_proba", "predict", "transform"):
        if hasattr(model, name):
            return getattr(model, name)
    if callable(model):
        return model
    raise TypeError(
        f"{who}: got a {type(model).__name__}; expected a fitted model with predict_proba or predict, or a "
        "function of rows. Pass the function that answers."
    )


def _median_seconds(
    predict: Callable[[Any], Any], argument: Any, n_repeats: int = 7, min_seconds: float = 0.02
) -> float:
    predict(argument)
    measured = []
    for _ in range(n_repeats):
        n_calls, start = 0, time.perf_counter()
        while n_calls == 0 or time.perf_counter() - start < min_seconds:
            predict(argument)
            n_calls += 1
        measured.append((time.perf_counter() - start) / n_calls)
    return float(np.median(measured))


def _count_rows(who: str, X: Any) -> int:
    n_rows = X.shape[0] if hasattr(X, "shape") else len(X)
    if n_rows == 0:
        raise ValueError(f"{who}: X has no rows; expected at least one.")
    return int(n_rows)


def _plain_row(row: Any) -> Any:
    """Return the cells of a table of one row, as compiled models take a single row fastest."""
    if is_frame(row):
        return nw.from_native(row, eager_only=True).row(0)
    return row.toarray()[0] if hasattr(row, "toarray") else row[0]


def bytes_or_nan(model: Any) -> float:
    """Return the size of a model; NaN where a pickle does not have it: of a function it has the name only."""
    if isinstance(model, FunctionType | BuiltinFunctionType):
        return float("nan")
    try:
        return pickled_bytes(model)
    except Exception:  # a model may be anything: a session of another library, a service, a lock inside
        return float("nan")


def _as_text(number: float, form: str) -> str:
    return "unknown" if np.isnan(number) else form.format(number)


def _bytes_as_text(n_bytes: float) -> str:
    for unit, size in (("MB", 1e6), ("kB", 1e3)):
        if n_bytes >= size:
            return f"{n_bytes / size:,.1f} {unit}"
    return f"{_as_text(n_bytes, '{:,.0f}')} bytes"


def _digits(microseconds: float) -> str:
    return "{:,.0f}" if microseconds >= 10 else "{:.1f}" if microseconds >= 1 else "{:.2g}"
