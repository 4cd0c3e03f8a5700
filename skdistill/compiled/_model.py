"""The compiled model: a callable that returns outputs for one row or many."""

import copy
import json
import pickle
import zlib
from collections.abc import Callable, Mapping, Sequence
from types import GeneratorType
from typing import Any, ClassVar, NoReturn

import numpy as np

from .._threads import MIN_PARALLEL_ROWS, count_threads, is_small, one_blas_thread
from ..exceptions import CompileError
from ._code import Code, compile_row, row_source, scores_as_tuple
from ._columns import Columns, names_of_frame, pack_table, rows_as_array, unpack_table
from ._decision import Decision
from ._isotonic import Isotonic
from ._links import Link, inverse_link, link_of_one_row
from ._row_code import row_code
from ._row_input import Names, as_floats, cells_of_frame, column_of_frame
from ._scorer import Scorer

NUMBERS, CELLS = "fiub", "fiubOUSmM"
"""Array kinds that the generated code for one row accepts: without and with columns that need encoding."""


DATASETS = (
    *("ChunkedTable", "LazyFrame", "FileSystemDataset", "UnionDataset", "InMemoryDataset", "RecordBatchReader"),
    *("str", "PosixPath", "WindowsPath"),
)
"""Types of datasets that are read in chunks, besides those of Dask."""


class CompiledModel:
    """A fitted model as a callable that depends on numpy only and checks only the number of columns.

    ``compiled(X)`` returns the output of ``predict_proba`` (classifiers) or ``predict`` (regressors) of the model. A
    single row can be an array of shape (n_features,), a list, a Series, or a dict that maps column names to cells; the
    result is then a row of probabilities or a number. A table of one row is almost as fast, and its result has the
    shape of a table.

    A dict must have the column names of ``fit``. In other inputs, columns are identified by position, unless a frame or
    a Series has exactly the column names of ``fit`` in another order: then columns are identified by name.

    Compiled models are created by :func:`skdistill.compile`. Tables of at least 10,000 rows are scored by as many
    threads as a context of joblib says: ``with joblib.parallel_config(n_jobs=2)``; outside one, by a single thread. The
    outputs do not depend on it.

    Parameters
    ----------
    scorer : Scorer
        Computes the scores of rows: a ``Forest``, ``Linear``, ``Network`` or ``Landmarks``, or a ``Sum`` of scorers.
    link : {"identity", "exp", "logistic", "binary", "one-vs-rest", "softmax"}, default="identity"
        Conversion of scores to outputs. ``"binary"`` computes both class probabilities from one score, ``"logistic"``
        one probability per score, and ``"one-vs-rest"`` divides these by their sum.
    power : float > 0, default=1.0
        Power to which probabilities are raised before they are normalised. This is the temperature that the student was
        fitted at, so that the outputs are at temperature 1.
    classes : ndarray of shape (n_classes,) or None, default=None
        Labels of a classifier.
    columns : Columns or None, default=None
        Encoder of raw cells; ``None`` for numeric tables.
    is_single : bool, default=False
        Whether there is a single output, so that the result has no axis of outputs.
    names : sequence of str or None, default=None
        Column names; ``None`` if the model was fitted without column names.
    decision : Decision or None, default=None
        How ``predict`` of a classifier chooses the label; ``None`` chooses the most probable one.
    bounds : (low, high) or None, default=None
        Bounds of the outputs, for the links ``"identity"`` (outputs are clipped), ``"exp"`` (low + exp(score), at most
        high) and ``"logistic"`` (low + (high - low) / (1 + exp(-score))). One of them may be infinite.
    order : {"increasing", "decreasing", "mean_std"} or None, default=None
        Order of several outputs of a row: they are sorted; ``"mean_std"`` stands for means followed by as many standard
        deviations, and replaces those below zero by zero.
    isotonic : Isotonic or None, default=None
        Isotonic calibration of the probabilities, after the link and the power.

    Attributes
    ----------
    feature_names_in_ : list of str or None
        Column names.
    quantization_loss_ : float
        Loss of fidelity caused by a smaller dtype: 1 - R² with respect to the outputs at full precision. It is 0 if no
        dtype was applied.

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

    _added: ClassVar[frozenset[str]] = frozenset()  # what a derived class has in its state

    # Not in the pickles of models without them. An instance of at most 16 attributes also finds them faster.
    decision: Decision | None = None
    bounds: tuple[float, float] | None = None
    order: str | None = None
    isotonic: Isotonic | None = None

    def __init__(
        self,
        scorer: Scorer,
        link: str = "identity",
        *,
        power: float = 1.0,
        classes: np.ndarray | None = None,
        columns: Columns | None = None,
        is_single: bool = False,
        names: Sequence[str] | None = None,
        decision: Decision | None = None,
        bounds: tuple[float, float] | None = None,
        order: str | None = None,
        isotonic: Isotonic | None = None,
    ) -> None:
        self.scorer = scorer
        self.link = link
        self.bounds = bounds
        if order is not None:
            self.order = order
        if isotonic is not None:
            self.isotonic = isotonic
        self.power = power
        self.classes_ = classes
        self.columns = columns
        self.is_single = is_single
        self.decision = decision
        self.quantization_loss_ = 0.0
        self._names = Names(names)
        self._reset_code()

    def __call__(self, X: Any) -> Any:
        """Return probabilities or values of rows, or of one row."""
        if isinstance(X, np.ndarray):
            X = X if type(X) is np.ndarray else np.asarray(X)
            if X.ndim == 1:
                return self._one(X)
            if X.ndim == 2 and len(X) == 1:
                if self._row is None:
                    self._make_row()
                if X.dtype.kind in self._kinds:
                    return self._as_table(self._one(X[0]))
            return self._many(X)
        if isinstance(X, list | tuple) and len(X):
            return self._of_list(X)
        if isinstance(X, Mapping) and not hasattr(X, "tocsr"):  # a sparse matrix in the format DOK is a mapping
            return self._one_of_cells(self._names.cells_of(X))
        if getattr(X, "ndim", 2) == 1:
            return self._one_of_series(X)
        if type(X).__name__ in DATASETS or type(X).__module__.startswith("dask"):
            from ..datasets import is_dataset
            from ..datasets._for_models import answers_by_chunk

            if is_dataset(X):
                return answers_by_chunk(X, self, "__call__")
        return self._of_frame(X) if hasattr(type(X), "columns") and not hasattr(type(X), "collect") else self._many(X)

    def __repr__(self) -> str:
        classes = "" if self.classes_ is None else f", n_classes={len(self.classes_)}"
        return f"<CompiledModel: {type(self.scorer).__name__}, n_features_in_={self.n_features_in_}{classes}>"

    @property
    def predict_proba(self) -> Callable[[Any], Any]:
        """The method that returns class probabilities; only classifiers have it."""
        if self.classes_ is None:
            raise AttributeError("a compiled regressor has no predict_proba. Call the model or its predict method.")
        return self.__call__

    def predict(self, X: Any) -> Any:
        """Return the labels of rows or of one row for a classifier, and the values for a regressor."""
        outputs = self(X)
        if self.classes_ is None:
            return outputs
        if type(outputs) is GeneratorType:  # of a dataset
            return (self._labels_of(each) for each in outputs)
        return self._labels_of(outputs)

    def _labels_of(self, outputs: Any) -> Any:
        positions = np.argmax(outputs, axis=-1) if self.decision is None else self.decision.positions(outputs)
        return self.classes_[positions]  # type: ignore[index]

    @property
    def n_features_in_(self) -> int:
        """Number of columns of a row."""
        return self.scorer.n_features

    @property
    def feature_names_in_(self) -> list[str] | None:
        """Column names; ``None`` if the model was fitted without column names."""
        return None if self._names.known is None else list(self._names.known)

    @property
    def n_bytes(self) -> int:
        """Size of the pickle in bytes."""
        return len(pickle.dumps(self, protocol=pickle.HIGHEST_PROTOCOL))

    @property
    def source(self) -> str | None:
        """The generated Python code for one numeric row; ``None`` if the model is too large for generated code."""
        code = self._code()
        return None if code is None else self._source_of(code)

    def _code(self) -> Code | None:
        return row_code(self.scorer)

    def _source_of(self, code: Code) -> str:
        link = self._inverse_link()
        ending = link.single_ending if self.is_single else link.ending
        return row_source(code.lines, ending.format(scores=self._scores_as_tuple()))

    def _scores_as_tuple(self) -> str:
        return scores_as_tuple(len(self.scorer.base))

    def _inverse_link(self) -> Link:
        """Return the link of one row, with the power and the isotonic calibration."""
        link = inverse_link(self.link, self.bounds, self.order)
        if self.power == 1 and self.isotonic is None:
            return link
        return link_of_one_row(link, self.link, self.power, self.isotonic)

    def stored_as(self, dtype: np.dtype) -> "CompiledModel":
        """Return a copy with leaf values or weights of another precision."""
        return self.scored_by(self.scorer.stored_as(dtype))

    def scored_by(self, scorer: Scorer) -> "CompiledModel":
        """Return a copy with another scorer of the same columns and outputs."""
        model = copy.copy(self)
        model.scorer = scorer
        model._reset_code()
        return model

    def deciding(self, decision: Decision) -> "CompiledModel":
        """Return a copy of a classifier whose ``predict`` chooses the label by another decision."""
        model = copy.copy(self)
        model.decision = decision
        return model

    def in_order(self, order: str) -> "CompiledModel":
        """Return a copy of a regressor whose outputs are put in order."""
        model = copy.copy(self)
        model.order = order
        model._reset_code()
        return model

    def calibrated(self, isotonic: Isotonic) -> "CompiledModel":
        """Return a copy of a classifier with an isotonic calibration of its probabilities."""
        model = copy.copy(self)
        model.isotonic = isotonic
        model._reset_code()
        return model

    def reading(self, scorer: Scorer, columns: Columns | None, names: Sequence[str] | None) -> "CompiledModel":
        """Return a copy that reads other rows: with another scorer, encoder and column names."""
        model = copy.copy(self)
        model.scorer, model.columns, model._names = scorer, columns, Names(names)
        model._reset_code()
        return model

    # ------------------------------------------------------------------ many rows

    def encoded(self, X: Any) -> Any:
        """Return a table of rows as the scorer takes it: an array of numbers and codes, or a sparse matrix."""
        is_frame = hasattr(type(X), "columns") and not hasattr(type(X), "collect")
        if is_frame and self._names.order_in(names_of_frame(X)) is not None:
            X = X.select(self._names.known) if hasattr(X, "select") else X[self._names.known]
        return self._cells(X)

    def _cells(self, X: Any) -> Any:
        if self.columns is not None:
            cells = self.columns.encode(X)
        else:
            cells = _by_rows(X) if type(X) is np.ndarray or hasattr(X, "toarray") else rows_as_array(X)
            if cells.dtype.kind not in NUMBERS:  # numbers with missing cells such as None and NA, or as texts
                cells = Columns([None] * self.n_features_in_, np.zeros(self.n_features_in_, dtype=bool)).encode(X)
        if cells.ndim != 2 or cells.shape[1] != self.n_features_in_:
            self._raise_shape_error(cells.shape)
        return cells

    def _many(self, X: Any) -> np.ndarray:
        return self.outputs_of(self._cells(X))

    def outputs_of(self, cells: Any) -> np.ndarray:
        """Return the outputs for rows that are encoded as :meth:`encoded` does."""
        with one_blas_thread(is_small=is_small(cells.shape[0], self._n_weights)):
            scores = self.scorer.scores(cells, 1 if cells.shape[0] < MIN_PARALLEL_ROWS else count_threads(None))
        outputs = inverse_link(self.link, self.bounds, self.order).of_rows(scores)
        if self.power != 1:
            outputs = outputs**self.power
            outputs /= outputs.sum(axis=1, keepdims=True)
        if self.isotonic is not None:
            outputs = self.isotonic.of_rows(outputs)
        return outputs[:, 0] if self.is_single else outputs

    def _of_frame(self, X: Any) -> Any:
        """Return the outputs for a frame; its columns are reordered if they have the names of ``fit``."""
        order = self._names.order_in(names_of_frame(X))
        cells = cells_of_frame(X)
        if self._row is None and cells is not None:
            self._make_row()
        if cells is None or self._row_of_codes is None:
            if order is not None:
                X = X.select(self._names.known) if hasattr(X, "select") else X[self._names.known]
            return self._many(X)
        if order is not None:
            cells = [cells[place] for place in order]
        if self._raw is None:
            return self._as_table(self._one_of_cells(cells))
        if len(cells) != self._width:
            self._raise_shape_error((1, len(cells)))
        places = order or range(len(cells))
        codes = self._raw.encode_single_row(cells, lambda index: column_of_frame(X, places[index]))
        return self._as_table(self._row_of_codes(codes))

    def _of_list(self, X: Sequence[Any]) -> Any:
        """Return the output for a list of cells or for a list of rows."""
        first = X[0]
        if isinstance(first, Mapping):
            return self._many([self._names.cells_of(row) for row in X])
        if type(first) is float or type(first) is str or (not isinstance(first, list | tuple) and np.ndim(first) == 0):
            return self._one_of_cells(X)
        if len(X) == 1 and isinstance(first, list | tuple) and not any(isinstance(cell, list) for cell in first[:1]):
            return self._as_table(self._one_of_cells(first))
        return self._many(X)

    # ------------------------------------------------------------------ one row

    def _one(self, cells: np.ndarray) -> Any:
        """Return the output for an array of cells of shape (n_features,)."""
        row = self._row or self._make_row()
        if len(cells) != self._width:
            self._raise_shape_error(cells.shape)
        kind = cells.dtype.kind
        if self._raw is None and kind in NUMBERS:
            return row(cells if self._takes_array else cells.tolist())
        if kind in "mM":
            cells = cells.astype(f"{kind}8[us]").astype(object)  # nanoseconds would become integers
        return self._one_of_cells(cells.tolist())

    def output_of_row(self, row: Any) -> Any:
        """Return the output for one row, as a call does, which takes longer to find out that it is one."""
        if type(row) is np.ndarray and self._raw is None and self._row is not None and row.dtype.kind in NUMBERS:
            if len(row) != self._width:
                self._raise_shape_error(row.shape)
            return self._row(row if self._takes_array else row.tolist())
        return self(row)

    def _one_of_series(self, X: Any) -> Any:
        """Return the output for a Series that is one row of a frame."""
        cells, index = X.tolist() if hasattr(X, "tolist") else np.asarray(X).tolist(), getattr(X, "index", None)
        order = None if index is None or callable(index) else self._names.order_in(index)
        return self._one_of_cells(cells if order is None else [cells[place] for place in order])

    def _one_of_cells(self, cells: Sequence[Any]) -> Any:
        """Return the output for a list of cells."""
        row = self._row or self._make_row()
        if len(cells) != self._width:
            self._raise_shape_error((len(cells),))
        return row(as_floats(cells) if self._raw is None else cells)

    def _as_table(self, outputs: Any) -> np.ndarray:
        """Return the output for one row with the shape of the output for a table of one row."""
        return np.array([outputs]) if self.is_single else outputs[None]

    def _raise_shape_error(self, shape: tuple[int, ...]) -> NoReturn:
        width = self.n_features_in_
        raise ValueError(
            f"CompiledModel: got rows of shape {shape}; expected (n_rows, {width}), or ({width},) for a single row. "
            "Pass the columns of fit, all of them and no others."
        )

    def _reset_code(self) -> None:
        self._row: Callable[[Any], Any] | None = None
        """Function from cells to the output."""
        self._row_of_codes: Callable[[Any], Any] | None = None
        """Function from encoded cells to the output; ``None`` if no code is generated."""
        self._raw = None if self.columns is None or self.columns.are_numbers else self.columns
        """Encoder of the cells; ``None`` for numeric tables."""
        self._takes_array = False
        self._kinds = ""
        """Array kinds for which a table of one row is scored by the function for one row."""
        self._width = self.n_features_in_
        self._n_weights = self.scorer.n_parameters

    def _make_row(self) -> Callable[[Any], Any]:
        """Build the function for one row."""
        code = self._code()
        if code is None:
            self._takes_array = self._raw is None
            dtype = None if self._raw is None else object
            row: Callable[[Any], Any] = lambda cells: self._first(self._many(np.asarray(cells, dtype)[None]))  # noqa: E731
        else:
            of_one = self._inverse_link().of_one
            row = self._row_of_codes = compile_row(self._source_of(code), link=of_one, **code.names)
            self._takes_array = self._raw is None and code.takes_array
            self._kinds = NUMBERS if self._raw is None else CELLS
            if self._raw is not None:
                row = _after(self._raw.row_encoder(), row)
        self._row = row
        return row

    def _first(self, outputs: Any) -> Any:
        """Return the output for one row from that for a table of one row."""
        return outputs[0]

    # ------------------------------------------------------------------ pickle: arrays only, code is generated again

    def __getstate__(self) -> dict[str, Any]:
        state = {name: self.__dict__.get(name, default) for name, default in SHIPPED.items()}
        state["classes_"] = _packed_labels(self.classes_)
        is_plain = type(self.columns) is Columns
        table = pack_table(self._names.known, state.pop("columns") if is_plain else None)
        return {name: value for name, value in state.items() if not _is_default(name, value)} | {"table": table}

    def __setstate__(self, state: dict[str, Any]) -> None:
        if unknown := sorted(state.keys() - SHIPPED.keys() - FORMER - self._added):
            raise CompileError(
                f"The file holds a compiled model with {', '.join(unknown)}, which a later release of skdistill has "
                "written and this one does not know; its predictions would be others. Install the later release, or "
                "compile the model again."
            )
        state = SHIPPED | state
        if isinstance(state["classes_"], tuple):
            dtype, labels = state["classes_"]
            state["classes_"] = np.array(labels, dtype=dtype)
        self.__dict__.update(
            {name: value for name, value in state.items() if name not in OPTIONAL or value is not None}
        )
        names = self.__dict__.pop("names", None)
        if (table := self.__dict__.pop("table", None)) is not None:
            names, columns = unpack_table(table)
            self.columns = self.columns if columns is None else columns
        elif names is not None:  # of earlier releases
            names = json.loads(zlib.decompress(names))
        self._names = Names(names)
        self._reset_code()


SHIPPED: dict[str, Any] = {
    "scorer": None,
    "link": "identity",
    "power": 1.0,
    "classes_": None,
    "columns": None,
    "is_single": False,
    "quantization_loss_": 0.0,
    "decision": None,
    "bounds": None,
    "order": None,
    "isotonic": None,
}
"""What a pickle holds, unless it is the default; columns are packed together with their names."""

FORMER = {"names", "table"}
"""What a pickle may hold in addition: names and columns, packed together or, in earlier releases, names alone."""

OPTIONAL = ("decision", "bounds", "order", "isotonic")
"""Attributes that only models that need them have."""


def _is_default(name: str, value: Any) -> bool:
    default = SHIPPED[name]
    return value is default or (isinstance(default, str | float | bool) and value == default)


def _packed_labels(labels: Any) -> Any:
    """Return the dtype and a list of labels, which is shorter than an array, if they are numbers or texts."""
    if not isinstance(labels, np.ndarray) or labels.dtype.kind not in "biufUO":
        return labels
    listed = labels.tolist()
    is_plain = labels.dtype.kind != "O" or all(type(label) is str for label in listed)
    return (labels.dtype.str, listed) if is_plain else labels


def _by_rows(X: Any) -> Any:
    """Return an array unchanged, and a sparse matrix in a format whose rows can be sliced."""
    return X.tocsr() if hasattr(X, "tocsr") and X.format not in ("csr", "csc") else X


def _after(first: Callable[[Any], Any], then: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda cells: then(first(cells))
