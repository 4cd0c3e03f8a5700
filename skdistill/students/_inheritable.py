"""What students can inherit from a teacher of a table, found out before any of them is fitted."""

from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from .._encoding import fit_encoder, with_dense_categories
from .._tables import take_rows
from ..compiled import Design, Forest
from ..compression import read_inheritance
from ..compression._kernel_reading import ReadKernel, read_kernel_rows
from ..compression._network_reading import ReadNetwork, read_network
from ._inherit import check_columns

Kind = Literal["trees", "network", "kernel"]

MAX_ROWS = 2000
"""Maximum number of rows on which it is checked that the inputs of a model are linear functions of the columns."""


def inherited_kind(model: Any, X: Any, n_outputs: int | None = None) -> Kind | None:
    """Return what a student of a table inherits from a fitted model; ``None`` if it cannot inherit anything.

    Parameters
    ----------
    model : object
        Anything; a teacher may be a function.
    X : table of shape (n_samples, n_features)
    n_outputs : int or None, default=None
        Number of scores of a student, one for two classes; ``None`` if it is not known.

    Notes
    -----
    Linear models and nearest neighbours are readable too, but other students are as good with them.
    """
    for kind, can_inherit in _CHECKS.items():
        try:
            if can_inherit(model, X, n_outputs):
                return kind
        except Exception:  # a teacher may be anything
            continue
    return None


def _has_trees(model: Any, X: Any, n_outputs: int | None) -> bool:  # noqa: ARG001
    start = read_inheritance(model)
    if not isinstance(start.scorer, Forest):
        return False
    check_columns(start, model, fit_encoder(X, ()).is_category_, _names(X))
    return True


def _is_network(model: Any, X: Any, n_outputs: int | None) -> bool:
    read = read_network(model)
    if read is None or n_outputs not in (None, len(read.biases[-1])):
        return False
    return read.own is not None or _reads(read, X)


def _is_kernel(model: Any, X: Any, n_outputs: int | None) -> bool:  # noqa: ARG001
    read = read_kernel_rows(model)
    return read is not None and read.gamma is not None and (read.own is not None or _reads(read, X))


def _reads(read: ReadNetwork | ReadKernel, X: Any) -> bool:
    """Return ``True`` if the inputs of a model are linear functions of the columns, and raise an error otherwise."""
    some = take_rows(X, np.arange(min(X.shape[0], MAX_ROWS)))
    encoder = with_dense_categories(fit_encoder(some))
    cells = encoder.transform(some)
    n_codes = np.array([0 if codes is None else len(codes) for codes in encoder.categories_])
    design = Design.of(cells, np.ones(cells.shape[0]), n_codes)
    read.on_design(design, cells, some, _names(X), np.random.RandomState(0))
    return True


def _names(X: Any) -> list[Any] | None:
    return list(X.columns) if hasattr(X, "columns") else None


_CHECKS: dict[Kind, Callable[[Any, Any, int | None], bool]] = {
    "trees": _has_trees,
    "network": _is_network,
    "kernel": _is_kernel,
}
