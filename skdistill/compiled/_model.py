"""The callable that ships."""

import copy
import pickle
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .._threads import blas_threads
from ._columns import Columns
from ._links import LINKS
from ._source import compile_row, row_source, scores_as_tuple


class CompiledModel:
    """A fitted model as a function of rows, which needs numpy only and checks nothing.

    ``compiled(X)`` returns what ``predict_proba`` (classifiers) or ``predict`` (regressors) of the model returns. A
    single row may be given as it is, of shape (n_features,); then a row of probabilities comes back, or a number.
    Columns are taken in their order, whatever their names.

    Made by :func:`skdistill.compile`.

    Parameters
    ----------
    scorer : Forest, Linear, Network, Landmarks or Sum
        Gives the scores of rows.
    link : {"identity", "exp", "logistic", "two classes", "one against the rest", "softmax"}, default="identity"
        From scores to outputs. ``"two classes"`` makes both probabilities of one score, ``"logistic"`` a probability of
        each score, ``"one against the rest"`` divides these by their sum.
    power : float > 0, default=1.0
        Power to which probabilities are raised before they are normalised again: the temperature that the student was
        taught at, so that it answers at temperature 1.
    classes : ndarray of shape (n_classes,) or None, default=None
        Labels of a classifier.
    columns : Columns or None, default=None
        How raw cells become numbers; ``None`` for tables of numbers.
    is_single : bool, default=False
        Whether there is a single output, returned without its axis.

    Attributes
    ----------
    quantization_loss_ : float
        Fidelity lost to a smaller dtype, as 1 - R² to the answers without it; 0 without one.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LinearRegression
    >>> import skdistill
    >>> model = skdistill.compile(LinearRegression().fit([[0.0], [1.0]], [1.0, 3.0]))
    >>> round(model([2.0]), 6)
    5.0
    >>> model(np.array([[2.0], [3.0]])).round(6)
    array([5., 7.])
    """

    def __init__(
        self,
        scorer: Any,
        link: str = "identity",
        *,
        power: float = 1.0,
        classes: np.ndarray | None = None,
        columns: Columns | None = None,
        is_single: bool = False,
    ) -> None:
        self.scorer = scorer
        self.link = link
        self.power = power
        self.classes_ = classes
        self.columns = columns
        self.is_single = is_single
        self.quantization_loss_ = 0.0
        self._row: Callable[[Sequence[Any]], Any] | None = None
        self._row_of_floats: Callable[[Any], Any] | None = None
        """The same for cells that need no encoding."""
        self._takes_array = False

    def __call__(self, X: Any) -> Any:
        """Return probabilities or values of rows, or of one row."""
        if type(X) is np.ndarray and X.ndim == 1:
            if X.dtype.kind in "mM":
                X = X.astype(f"{X.dtype.kind}8[us]").astype(object)  # as dates: nanoseconds would come as integers
            row = self._row or self._make_row()
            if self._row_of_floats is not None and X.dtype == np.float64:
                return self._row_of_floats(X if self._takes_array else X.tolist())
            return row(X.tolist())
        if isinstance(X, list | tuple) and len(X) and np.ndim(X[0]) == 0:
            # numpy's own scalars would be compared in their own precision
            return (self._row or self._make_row())(X if self.columns is not None else list(map(float, X)))
        if getattr(X, "ndim", 2) == 1:  # one row of a frame
            return self(np.asarray(X))
        return self._many(X)

    def __repr__(self) -> str:
        classes = "" if self.classes_ is None else f", n_classes={len(self.classes_)}"
        return f"<CompiledModel: {type(self.scorer).__name__}, n_features_in_={self.n_features_in_}{classes}>"

    @property
    def predict_proba(self) -> Callable[[Any], Any]:
        """What a call of a classifier returns; regressors have none."""
        if self.classes_ is None:
            raise AttributeError("a compiled regressor has no predict_proba; call it, or its predict")
        return self.__call__

    def predict(self, X: Any) -> Any:
        """Return labels of rows (or of one row) for a classifier, and what a call returns for a regressor."""
        answer = self(X)
        return answer if self.classes_ is None else self.classes_[np.argmax(answer, axis=-1)]

    @property
    def n_features_in_(self) -> int:
        """Columns of a row."""
        return self.scorer.n_features

    @property
    def n_bytes(self) -> int:
        """Size of the pickle in bytes."""
        return len(pickle.dumps(self, protocol=pickle.HIGHEST_PROTOCOL))

    @property
    def source(self) -> str | None:
        """The Python code that answers for one row of numbers; ``None`` where there would be too much of it."""
        lines = None if self.power != 1 else self.scorer.row_lines()
        if lines is None:
            return None
        scores = scores_as_tuple(self.scorer.base)
        ending = LINKS[self.link].ending
        if self.is_single:
            ending = "    return s0" if self.link == "identity" else f"    return link({scores})[0]"
        return row_source(lines, ending.format(scores=scores))

    def stored_as(self, dtype: np.dtype) -> "CompiledModel":
        """Return the same model with leaf values or weights of another precision."""
        model = copy.copy(self)
        model.scorer, model._row, model._row_of_floats = self.scorer.stored_as(dtype), None, None
        return model

    def _many(self, X: Any) -> np.ndarray:
        if self.columns is not None:
            cells = self.columns.encode(X)
        elif type(X) is np.ndarray or hasattr(X, "toarray"):
            cells = X
        else:
            cells = np.asarray(X)
            if cells.dtype == object:  # numbers with missing cells of other libraries
                cells = Columns([None] * self.n_features_in_, np.zeros(self.n_features_in_, dtype=bool)).encode(X)
        with blas_threads(1, cells.shape[0]):
            scores = self.scorer.scores(cells)
        answer = LINKS[self.link].of_rows(scores)
        if self.power != 1:
            answer = answer**self.power
            answer /= answer.sum(axis=1, keepdims=True)
        return answer[:, 0] if self.is_single else answer

    def _make_row(self) -> Callable[[Sequence[Any]], Any]:
        """Compose, once, the function of one row."""
        source = self.source
        self._takes_array = getattr(self.scorer, "takes_array", False)
        if source is None:
            self._row = lambda cells: self._many(np.array([cells], dtype=None if self.columns is None else object))[0]
        else:
            row = compile_row(source, link=LINKS[self.link].of_one, **self.scorer.row_names())
            if self.columns is None or self.columns.are_numbers:
                self._row_of_floats = row
            self._row = row if self.columns is None else _after(self.columns.row_encoder(), row)
        return self._row

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_row": None, "_row_of_floats": None}  # code is made from the arrays, never read


def _after(first: Callable[[Any], Any], then: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda cells: then(first(cells))
