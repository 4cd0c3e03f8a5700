"""What is passed in place of a table, and what to pass instead."""

from collections.abc import Iterator, Mapping
from typing import Any

import narwhals as nw
import numpy as np
from scipy import sparse

from ._described import described, with_article
from ._tables import is_frame

EXPECTED = "expected an array, a sparse matrix or a data frame of shape (n_samples, n_features)"


def check_is_table(who: str, X: Any) -> None:
    """Raise an error for lazy frames, single columns, generators and other objects that are no tables.

    Parameters
    ----------
    who : str
        Name of the caller in the message.
    X : object

    Raises
    ------
    ValueError
        If ``X`` is neither an array, a list, a sparse matrix nor a frame in memory whose columns have distinct names.
    """
    if type(X) is np.ndarray or sparse.issparse(X):
        return
    if is_frame(X):
        _check_names(who, X)
        return
    found = next((text for is_kind, text in KINDS if is_kind(X)), None)
    if found is None and (isinstance(X, list | tuple) or hasattr(X, "__array__") or hasattr(X, "__array_interface__")):
        return
    got, advice = found or (f"{with_article(X)}, {described(X)}", "")
    raise ValueError(f"{who}: X is {got.format(name=type(X).__name__)}; {EXPECTED}.{advice}")


def _check_names(who: str, X: Any) -> None:
    """Raise an error if two columns of a frame have the same name."""
    if nw.dependencies.is_pandas_dataframe(X):
        if X.columns.is_unique:
            return
        repeated = X.columns[X.columns.duplicated()].tolist()
    elif hasattr(type(X), "column_names"):
        names = list(X.column_names)
        if len(set(names)) == len(names):
            return
        repeated = [name for place, name in enumerate(names) if name in names[:place]]
    else:
        return  # other libraries have no such frames
    raise ValueError(
        f"{who}: X has several columns with the name {described(repeated[0])}; expected distinct names. Rename the "
        "columns, or remove the repeated ones."
    )


def _is_lazy(X: Any) -> bool:
    return isinstance(nw.from_native(X, pass_through=True), nw.LazyFrame)


def _is_series(X: Any) -> bool:
    return bool(nw.dependencies.is_into_series(X))


KINDS = (
    (_is_lazy, ("a lazy frame ({name}), whose rows are not in memory", " Pass X.collect() (X.compute() in Dask).")),
    (
        lambda X: hasattr(X, "schema") and hasattr(X, "num_rows"),  # a table of pyarrow is a frame
        ("a {name} of pyarrow", " Pass pyarrow.Table.from_batches([X])."),
    ),
    (_is_series, ("a {name}, a single column", " Pass X.to_frame().")),
    (lambda X: isinstance(X, Iterator), ("a {name}, which yields rows once", " Pass np.array(list(X)).")),
    (lambda X: isinstance(X, Mapping), ("a {name}", " Pass pandas.DataFrame(X).")),
    (lambda X: isinstance(X, str | bytes), ("a {name}", " Read the file first, e.g. with pandas.")),
)
"""Tests of kinds of objects that are no tables, with what they are called and what to pass instead."""
