"""The interface to a teacher: ``classes_``, ``output_kind`` and ``outputs(X)``."""

from typing import Any

import joblib
import narwhals as nw
import numpy as np

from .._described import is_printable, text_of
from .._fitting import has_pairwise_margins
from .._tables import is_frame, own_rows
from .._validation import warn_caller
from ..convert import is_lightgbm, unwrap
from ..exceptions import TeacherError, TeacherOutputError, TeacherQueryError, TeacherWarning
from ..targets import one_hot
from ._answers import UnreadableError, as_floats, has_changed, normalised, order_by_name, read_answer
from ._conventions import Task, convention_of
from ._ensemble import TeacherEnsemble
from ._forests import outputs_by_tree
from ._mean_and_deviation import mean_and_deviation
from ._precomputed import PrecomputedTeacher
from ._responses import RESPONSES, innermost, is_function, methods_of, owner_of

SUM_TOLERANCE = 1e-3
"""Maximum deviation of the sum of the probabilities of a row from one, which allows for rounding errors of float32."""

SEVERAL_LABELS = (
    "Several labels per row are not supported. Distil each label separately, or distil the probabilities of all labels "
    "as the outputs of DistilledRegressor(lambda X: ...), where the function returns one column per label; a label is "
    "then true if its output is above 0.5."
)


class Teacher:
    """A fitted model with the interface of a teacher, created by :func:`as_teacher`.

    Attributes
    ----------
    model : object
        The model, by reference.
    task : {"classification", "regression"}
        Task of the teacher.
    response_method : str
        The method that is called; for a function, the method whose output format it has.
    output_kind : {"proba", "logit", "value"}
        Class probabilities, raw margins, or values.
    classes_ : ndarray of shape (n_classes,) or None
        Sorted labels, in the order of the columns of ``outputs``; ``None`` for regression.
    transductive : bool
        Whether the model only has labels for the rows that it was fitted on.
    n_repeats : int
        Number of calls whose outputs are averaged for each row.
    is_exact : bool
        Whether two calls are not known to differ, not even in the last bits.
    is_random : bool
        Whether two identical calls are known to return different outputs.
    depends_on_batch : bool
        Whether the outputs for a row are known to depend on the other rows of a call.
    batch_size : int or None
        Number of rows of every call, if the outputs depend on the other rows.
    pads : bool
        Whether a table is padded to complete batches; otherwise it is cut into batches of equal size.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.svm import SVC
    >>> from skdistill import as_teacher
    >>> X, y = load_iris(return_X_y=True)
    >>> teacher = as_teacher(SVC().fit(X, y))
    >>> teacher
    Teacher(SVC, task='classification', response_method='decision_function')
    >>> teacher.output_kind, teacher.outputs(X).shape
    ('logit', (150, 3))
    """

    n_repeats: int = 1
    is_exact: bool = True
    is_random: bool = False
    depends_on_batch: bool = False
    batch_size: int | None = None
    pads: bool = True

    def __init__(self, model: Any, task: Task, response_method: str, classes: np.ndarray | None) -> None:
        self.model = model
        self.task = task
        self.response_method = response_method
        self.output_kind = RESPONSES[task][response_method]
        self.classes_ = None if classes is None else np.sort(classes)
        self._column_order = None if classes is None else np.argsort(classes)
        self._inside = unwrap(model, through=("pipeline", "frozen"))
        self._convention = convention_of(self._inside.model)
        self.transductive = response_method == "labels_"
        self._known_rows: str | None = None
        self._writes_into_rows = False

    def __repr__(self) -> str:
        return f"Teacher({self.name}, task={self.task!r}, response_method={self.response_method!r})"

    def __sklearn_clone__(self) -> "Teacher":
        """Return the teacher itself, so that a search over several teachers does not fit them again."""
        return self

    @property
    def name(self) -> str:
        """Name of the model in messages."""
        name = getattr(self.model, "__name__", None)
        if isinstance(name, str):
            return name
        final = type(innermost(self.model)).__name__
        model = unwrap(self.model, through=("frozen",)).model
        return f"{type(model).__name__}(..., {final})" if len(getattr(model, "steps", ())) > 1 else final

    @property
    def predicts_labels(self) -> bool:
        """Whether the model has a ``predict`` that may return labels."""
        of_family = self._convention.methods(self.task)
        return "predict" in of_family if of_family else hasattr(self.model, "predict")

    @property
    def answers_only_given_rows(self) -> bool:
        """Whether the model has answers for some rows alone, so that it cannot be queried for synthetic ones."""
        if isinstance(self.model, TeacherEnsemble):
            return any(member.answers_only_given_rows for member in self.model.members)
        return self.transductive or isinstance(self.model, PrecomputedTeacher)

    def outputs(self, X: Any) -> np.ndarray:
        """Query the model and check its outputs.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)
            Rows in a format that the model accepts.

        Returns
        -------
        outputs : ndarray of float64
            Shape (n_samples, n_classes) for ``"proba"`` (each row sums to one) and ``"logit"`` (a binary margin m is
            represented by -m / 2 and m / 2); (n_samples,) or (n_samples, n_outputs) for ``"value"``.

        Raises
        ------
        TeacherOutputError
            If the model returns any other output.
        """
        returned = self._call_with_own_rows(X)
        if isinstance(returned, list | tuple) and len(returned) != X.shape[0]:
            raise self._output_error(
                f"a list of {len(returned)} arrays for {X.shape[0]} rows", f"one array. {SEVERAL_LABELS}"
            )
        try:
            names, returned = read_answer(returned, self.classes_)
            if returned.ndim not in (1, 2) or returned.shape[0] != X.shape[0] or 0 in returned.shape:
                raise UnreadableError(f"shape {returned.shape} for {X.shape[0]} rows", "one output per row.")
            read = {"proba": self._read_proba, "logit": self._read_margins, "value": self._read_values}
            return read[self.output_kind](returned, names)
        except UnreadableError as error:
            raise self._output_error(error.got, error.expected) from None

    def _call_with_own_rows(self, X: Any) -> Any:
        """Call the model with a copy of the rows, so that it cannot change the rows of the caller."""
        rows = own_rows(X)
        try:
            returned = self._call_model(rows)
        except Exception as error:
            if is_printable(error):
                raise
            raise TeacherQueryError(f"{self.name} raised {text_of(error)}.") from error
        if not self._writes_into_rows and has_changed(rows, X):
            self._writes_into_rows = True  # warn once
            warn_caller(
                f"{self.name} changed the rows that were passed to it. They were a copy: your rows are unchanged, and "
                "the outputs are used as the outputs for your rows.",
                TeacherWarning,
            )
        return returned

    def _call_model(self, X: Any) -> Any:
        if self.transductive:
            return self._labels_of_known_rows(X)
        if is_function(self.model):
            return self.model(X)
        ask = self._convention.methods(self.task).get(self.response_method)
        if self.response_method == "mean_std":
            ask = mean_and_deviation
        if ask is not None:
            model = self._inside.model
            return ask(model, _readable_by(model, self._inside.transform(X)))
        known = outputs_by_tree(self.model, self.response_method, X)
        return getattr(self.model, self.response_method)(_readable_by(self.model, X)) if known is None else known

    def _labels_of_known_rows(self, X: Any) -> Any:
        """Return ``labels_``; the first rows that are queried are assumed to be the training rows of the model."""
        labels, rows = innermost(self.model).labels_, joblib.hash(X)
        if len(labels) != X.shape[0] or (self._known_rows or rows) != rows:
            advice = "Fit the student on exactly the training rows."
            if self._known_rows is not None:  # these were labelled
                advice = "Fit the student on exactly the training rows, with sampler=None and without X_unlabeled."
            raise TeacherError(
                f"{self.name} only has labels_ for the {len(labels)} rows it was fitted on, in their order; got "
                f"{X.shape[0]} other rows. {advice}"
            )
        self._known_rows = rows
        return labels

    def _read_proba(self, returned: np.ndarray, names: list[Any] | None) -> np.ndarray:
        assert self.classes_ is not None
        if returned.ndim == 2 and returned.shape[1] == 1:
            returned = returned[:, 0]
        if returned.ndim == 1 and (self.response_method in ("predict", "labels_") or returned.dtype.kind != "f"):
            try:
                return one_hot(returned, self.classes_)
            except ValueError as error:
                raise self._output_error(
                    str(error), f"labels that the model was fitted with.{_if_shares(returned)}"
                ) from None
        proba = as_floats(returned)
        if proba.ndim == 1:
            proba = np.column_stack([1 - proba, proba])
        n_classes = len(self.classes_)
        if proba.shape[1] != n_classes:
            expected = f"{n_classes} columns for the classes {self.classes_}."
            raise self._output_error(f"shape {returned.shape}", expected)
        if self._convention.normalises is not None and self._convention.normalises(self._inside.model):
            proba = normalised(proba)
        total = proba.sum(axis=1)
        wrong = (np.abs(total - 1) > SUM_TOLERANCE) | (proba.min(axis=1) < -SUM_TOLERANCE)
        if wrong.any():
            row = int(np.argmax(wrong))
            raise self._output_error(
                f"row {row} as {proba[row].tolist()} ({int(wrong.sum())} such rows)",
                f"probabilities in [0, 1] with a sum of one per row. {self._advice_on_margins()}If each class is "
                f"compared with all others, divide by the sum. {SEVERAL_LABELS}",
            )
        proba = np.maximum(proba, 0)[:, self._order_of(names)]
        return proba / proba.sum(axis=1, keepdims=True)

    def _advice_on_margins(self) -> str:
        """Return what to pass if outputs are margins, unless the model has no method that returns them."""
        has_margins = is_function(self.model) or "decision_function" in methods_of(self.model, self.task)
        return 'If these are margins, pass response_method="decision_function". ' if has_margins else ""

    def _read_margins(self, returned: np.ndarray, names: list[Any] | None) -> np.ndarray:
        assert self.classes_ is not None
        margins = as_floats(returned)
        if margins.ndim == 2 and margins.shape[1] == 1:
            margins = margins[:, 0]
        n_classes = len(self.classes_)
        if margins.ndim == 1 and n_classes == 2:
            margins = np.column_stack([-margins / 2, margins / 2])
        is_pairwise = n_classes > 2 and has_pairwise_margins(owner_of(self.model))
        if margins.ndim == 1 or margins.shape[1] != n_classes or is_pairwise:
            advice = ' An SVC needs decision_function_shape="ovr".' if is_pairwise else ""
            raise self._output_error(
                f"margins of shape {returned.shape}", f"one column for each of the {n_classes} classes.{advice}"
            )
        return margins[:, self._order_of(names)]

    def _read_values(self, returned: np.ndarray, names: list[Any] | None) -> np.ndarray:  # noqa: ARG002
        values = as_floats(returned)
        return values[:, 0] if values.ndim == 2 and values.shape[1] == 1 else values

    def _order_of(self, names: list[Any] | None) -> np.ndarray:
        """Return the position of each class among the columns: by name, if the columns have names."""
        assert self.classes_ is not None
        assert self._column_order is not None
        has_columns = names is not None and len(names) == len(self.classes_)
        by_name = order_by_name(names, self.classes_) if has_columns and names is not None else None
        return self._column_order if by_name is None else by_name

    def _output_error(self, got: str, expected: str) -> TeacherOutputError:
        return TeacherOutputError(f"{self.name}.{self.response_method} returned {got}; expected {expected}")


def _if_shares(returned: np.ndarray) -> str:
    """Return what to pass if outputs of a method for labels look like probabilities."""
    are_shares = returned.dtype.kind == "f" and bool(((returned >= 0) & (returned <= 1)).all())
    return " If these are probabilities, pass teacher=lambda X: model.predict(X)." if are_shares else ""


def _readable_by(model: Any, X: Any) -> Any:
    """Convert frames other than pandas to arrays for LightGBM: strings in a polars frame would abort the process."""
    final = unwrap(model, through=("frozen",)).model
    if not is_lightgbm(final) or not is_frame(X) or nw.dependencies.is_pandas_dataframe(X):
        return X
    frame = nw.from_native(X, eager_only=True)
    texts = [name for name, dtype in frame.schema.items() if not (dtype.is_numeric() or dtype == nw.Boolean)]
    if texts:
        raise TeacherQueryError(
            f"{type(final).__name__} cannot read columns {texts} of a {type(X).__module__.split('.')[0]} frame; "
            "expected numbers. Pass a pandas frame, or add an encoder to the model in a Pipeline."
        )
    return frame.to_numpy()
