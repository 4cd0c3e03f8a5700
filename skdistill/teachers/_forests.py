"""Forests of scikit-learn, asked tree by tree: the same numbers without a parallel call, checks and tags per tree."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np
from joblib import effective_n_jobs
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeClassifier, ExtraTreeRegressor

from ..convert import FORESTS

_TREES = (DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeClassifier, ExtraTreeRegressor)
_METHODS = (("predict_proba", RandomForestClassifier), ("predict", RandomForestRegressor))
_KNOWN = {method: getattr(kind, method) for method, kind in _METHODS}
"""The functions whose outputs are computed here: one that was replaced is called."""

_are_asked: ContextVar[bool] = ContextVar("trees are asked", default=False)


@contextmanager
def trees_asked() -> Iterator[None]:
    """Ask forests tree by tree in this thread, as a fit does; a report measures the time of their own methods."""
    token = _are_asked.set(True)
    try:
        yield
    finally:
        _are_asked.reset(token)


def outputs_by_tree(model: Any, method: str, X: Any) -> np.ndarray | None:
    """Return what a method of a forest returns, if forests are asked tree by tree; otherwise ``None``."""
    return mean_of_trees(model, method, X) if _are_asked.get() else None


def mean_of_trees(forest: Any, method: str, X: Any) -> np.ndarray | None:
    """Return what a method of a forest returns, to the last bit; ``None`` if it has to be called.

    The trees are summed in their order, as a forest in one thread does. It is called for other tables than arrays of
    finite numbers, derived classes, several outputs, names of columns, and several threads.

    Parameters
    ----------
    forest : object
        Any model.
    method : str
    X : table of shape (n_samples, n_features)

    Returns
    -------
    outputs : ndarray of shape (n_samples,) or (n_samples, n_classes), or None

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.ensemble import RandomForestRegressor
    >>> from skdistill.teachers._forests import mean_of_trees
    >>> X = np.eye(4)
    >>> forest = RandomForestRegressor(5, random_state=0).fit(X, [1.0, 2.0, 3.0, 4.0])
    >>> bool((mean_of_trees(forest, "predict", X) == forest.predict(X)).all())
    True
    >>> mean_of_trees(forest, "score", X)
    """
    if type(forest) not in FORESTS or not _is_plain(forest, method):
        return None
    cells = _cells(forest, X)
    if cells is None:
        return None
    total: Any = 0.0
    for tree in forest.estimators_:
        total = total + tree.tree_.predict(cells)
    return total[:, 0] / len(forest.estimators_) if method == "predict" else total / len(forest.estimators_)


def _is_plain(forest: Any, method: str) -> bool:
    """Whether the method is that of scikit-learn for one output, in one thread and without progress."""
    return (
        getattr(type(forest), method, None) is _KNOWN.get(method)
        and method not in vars(forest)
        and not hasattr(forest, "feature_names_in_")  # scikit-learn then compares the names, or warns
        and forest.n_outputs_ == 1
        and not forest.verbose
        and effective_n_jobs(forest.n_jobs) == 1
        and all(type(tree) in _TREES for tree in forest.estimators_)
    )


def _cells(forest: Any, X: Any) -> np.ndarray | None:
    """Return the rows as the trees read them, if they need no other check."""
    if type(X) is not np.ndarray or X.ndim != 2 or X.dtype.kind not in "fiub":
        return None
    if X.shape[0] == 0 or X.shape[1] != forest.n_features_in_:
        return None
    with np.errstate(over="ignore"):
        cells = np.ascontiguousarray(X, dtype=np.float32)
    return cells if np.isfinite(cells).all() else None
