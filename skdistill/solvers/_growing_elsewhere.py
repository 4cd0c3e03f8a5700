"""Trees that are grown elsewhere, for example on the workers of a cluster."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol

import numpy as np


class GrowsTrees(Protocol):
    """Grows boosted trees with LightGBM."""

    def grows(self, cells: Any) -> bool:
        """Whether it grows trees for these rows."""
        ...

    def __call__(
        self,
        cells: np.ndarray,
        weight: np.ndarray,
        categories: list[int],
        target: np.ndarray,
        start: np.ndarray,
        params: dict[str, Any],
        n_trees: int,
    ) -> str:
        """Return the text of a model of LightGBM.

        Parameters
        ----------
        cells : ndarray of shape (n_rows, n_features)
        weight, target, start : ndarray of shape (n_rows,)
            ``start`` holds the scores that the trees are added to.
        categories : list of int
            Columns of category codes.
        params : dict
            Parameters of LightGBM.
        n_trees : int
        """
        ...


_grows_trees: ContextVar[GrowsTrees | None] = ContextVar("grows_trees", default=None)


@contextmanager
def trees_grown_by(grows_trees: GrowsTrees) -> Iterator[None]:
    """Let the trees of boosting be grown elsewhere."""
    token = _grows_trees.set(grows_trees)
    try:
        yield
    finally:
        _grows_trees.reset(token)


def grown_elsewhere(cells: Any) -> GrowsTrees | None:
    """Return what grows the trees for some rows; ``None`` if they are grown here."""
    grows_trees = _grows_trees.get()
    return grows_trees if grows_trees is not None and grows_trees.grows(cells) else None
