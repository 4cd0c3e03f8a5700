"""The interface to a teacher: ``classes_``, ``output_kind`` and ``outputs(X)``."""

from collections.abc import Callable
from functools import partial
from typing import Any, Literal

import joblib
import narwhals as nw
import numpy as np
from sklearn.base import is_classifier, is_clusterer, is_outlier_detector, is_regressor
from sklearn.utils import get_tags

from .._described import is_printable, text_of
from .._fitting import has_pairwise_margins
from .._suggesting import did_you_mean
from .._tables import is_frame, own_rows
from .._validation import check_choice, warn_caller
from ..convert import is_lightgbm, unwrap
from ..exceptions import TeacherError, TeacherOutputError, TeacherQueryError, TeacherWarning
from ..targets import one_hot
from ._answers import UnreadableError, as_floats, has_changed, normalised, order_by_name, read_answer
from ._conventions import SCIKIT_LEARN, Task, convention_of
from ._ensemble import TeacherEnsemble, check_members, fixed_weights
from ._forests import outputs_by_tree
from ._lists import is_list, names_of, teachers_in
from ._mean_and_deviation import has_deviations, mean_and_deviation
from ._precomputed import PrecomputedTeacher

OutputKind = Literal["proba", "logit", "value"]

RESPONSES: dict[Task, dict[str, OutputKind]] = {
    "classification": {"predict_proba": "proba", "decision_function": "logit", "predict": "proba", "labels_": "proba"},
    "regression": {
        "predict": "value",
        "decision_function": "value",
        "transform": "value",
        "score_samples": "value",
        "effect": "value",
        "predict_survival_function": "value",
        "mean_std": "value",
        "predict_proba": "value",
    },
}
"""For each task, the methods of a teacher that can be used, in order of preference, and the kind of their outputs."""

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
        final = type(_innermost(self.model)).__name__
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
        if _is_function(self.model):
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
        labels, rows = _innermost(self.model).labels_, joblib.hash(X)
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
        has_margins = _is_function(self.model) or "decision_function" in _methods_of(self.model, self.task)
        return 'If these are margins, pass response_method="decision_function". ' if has_margins else ""

    def _read_margins(self, returned: np.ndarray, names: list[Any] | None) -> np.ndarray:
        assert self.classes_ is not None
        margins = as_floats(returned)
        if margins.ndim == 2 and margins.shape[1] == 1:
            margins = margins[:, 0]
        n_classes = len(self.classes_)
        if margins.ndim == 1 and n_classes == 2:
            margins = np.column_stack([-margins / 2, margins / 2])
        is_pairwise = n_classes > 2 and has_pairwise_margins(_owner(self.model))
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


def as_teacher(
    obj: Any,
    response_method: str = "auto",
    *,
    task: Task | None = None,
    classes: Any = None,
    teacher_weights: Any = None,
) -> Teacher:
    """Return a teacher for any fitted model, any function of ``X``, or several of them.

    Parameters
    ----------
    obj : object
        A fitted scikit-learn estimator or pipeline (or a compatible object), a LightGBM estimator or ``Booster``, a
        function ``f(X)``, or a ``Teacher``. Or a list of several, or of pairs (name, model): the weighted mean of their
        probabilities or values.
    response_method : str, default="auto"
        Method of the model to call. ``"auto"`` uses the first available method: for classification,
        ``"predict_proba"``, ``"decision_function"`` and ``"predict"`` (or ``"labels_"`` for a clusterer without
        ``predict``); for regression, ``"predict"``, ``"decision_function"``, ``"transform"`` and ``"score_samples"``.
        ``"mean_std"`` asks a regressor for its means and then its standard deviations: by
        ``predict(X, return_std=True)`` or ``pred_dist(X)``.
        For a function, this is the method whose output format the function has; with ``"auto"``, floats are
        probabilities and other one-dimensional outputs are labels. A bound method, such as ``model.predict_proba``, has
        the output format of its name, and the classes of its model in their order.
    task : {"classification", "regression"} or None, default=None
        ``None`` infers the task from the model; a function is a regressor unless ``classes`` is given or it is a bound
        ``predict_proba`` or ``decision_function`` of a model with ``classes_``.
    classes : array-like of shape (n_classes,), default=None
        Labels in the order of the output columns, for models without ``classes_``.
    teacher_weights : array-like of shape (n_teachers,), default=None
        Weight of each teacher of a list, at least 0; ``None`` weighs them equally.

    Returns
    -------
    teacher : Teacher

    Raises
    ------
    TeacherError
        If the model has no suitable method for the task, if its classes are unknown, or if several teachers have other
        classes or tasks.
    ValueError
        If ``teacher_weights`` is not one finite number of at least 0 for each teacher of a list.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill import as_teacher
    >>> def risk(X):
    ...     return 1 / (1 + np.exp(-X[:, 0]))
    >>> teacher = as_teacher(risk, classes=["low", "high"])
    >>> teacher.outputs(np.zeros((1, 2)))
    array([[0.5, 0.5]])
    """
    if is_list(obj):
        return _adapt_several(obj, response_method, task, classes, teacher_weights)
    if teacher_weights is not None:
        raise TeacherError(
            f"as_teacher: got teacher_weights and one teacher, {type(obj).__name__}; expected a list of teachers. Pass "
            "[a, b], or teacher_weights=None."
        )
    if isinstance(obj, Teacher):
        if task not in (None, obj.task):
            raise TeacherError(
                f"{obj!r} is for {obj.task}; expected one for {task}. Pass the model to as_teacher with task={task!r}."
            )
        if response_method not in ("auto", obj.response_method):
            raise TeacherError(
                f"{obj!r} already has a response_method; got another one, {response_method!r}. Pass the model instead."
            )
        return obj
    if isinstance(obj, type):
        raise TeacherError(f"got the class {obj.__name__} as a teacher; expected an object, e.g. {obj.__name__}().")
    if task is not None:
        check_choice("as_teacher", "task", task, list(RESPONSES))
    task = task or _infer_task(obj, classes)
    method = _resolve_method(obj, response_method, task)
    return Teacher(obj, task, method, _resolve_classes(obj, classes) if task == "classification" else None)


def _adapt_several(teachers: Any, response_method: str, task: Task | None, classes: Any, weights: Any) -> Teacher:
    names, models = names_of("as_teacher", teachers), teachers_in(teachers)
    weights = fixed_weights("as_teacher", weights, len(names))
    members = [adapt_member(each, response_method, task=task, classes=classes) for each in models]
    for name, member in zip(names, members, strict=True):
        if member.output_kind == "logit":
            raise TeacherError(
                f"as_teacher: the teacher {name} returns margins, whose scale is fitted to rows; expected "
                "probabilities, which can be averaged. Pass the list to DistilledClassifier, which has rows, or "
                "wrap the model: CalibratedClassifierCV(FrozenEstimator(model))."
            )
    return average("as_teacher", names, members, weights)


def adapt_member(obj: Any, response_method: str = "auto", *, task: Task | None = None, classes: Any = None) -> Teacher:
    """Return a teacher of a list; results of :func:`as_teacher` keep their own response method."""
    method = "auto" if isinstance(obj, Teacher) else response_method
    member = as_teacher(obj, method, task=task, classes=classes)
    if isinstance(member.model, TeacherEnsemble):
        raise TeacherError(
            f"a list of teachers contains {member.model!r}; expected models. Put its teachers into one list."
        )
    return member


def average(
    who: str, names: list[str], members: list[Teacher], weights: Any, margin_scales: dict[str, float] | None = None
) -> Teacher:
    """Return the teacher that averages the outputs of several ones, after checking that they fit together."""
    tasks = [member.task for member in members]
    if len(set(tasks)) > 1:
        raise TeacherError(
            f"{who}: the teachers {names} are for {tasks}; expected one task. Pass task= if some of them are functions."
        )
    check_members(who, names, members)
    ensemble = TeacherEnsemble(names, members, weights, margin_scales)
    method = "predict_proba" if tasks[0] == "classification" else "predict"
    return Teacher(ensemble, tasks[0], method, members[0].classes_)


def _if_shares(returned: np.ndarray) -> str:
    """Return what to pass if outputs of a method for labels look like probabilities."""
    are_shares = returned.dtype.kind == "f" and bool(((returned >= 0) & (returned <= 1)).all())
    return " If these are probabilities, pass teacher=lambda X: model.predict(X)." if are_shares else ""


def _infer_task(obj: Any, classes: Any) -> Task:
    method, of_method = _bound_method(obj)
    if of_method is not None and method in RESPONSES["classification"] and method != "predict":
        return "classification"
    knows_classes = classes is not None or getattr(obj, "classes_", None) is not None
    knows_classes = knows_classes or hasattr(obj, "predict_proba_one")
    if knows_classes or any(is_of_kind(kind, obj) for kind in (is_classifier, is_clusterer, is_outlier_detector)):
        return "classification"
    return "regression"


def is_of_kind(kind: Callable[[Any], bool], obj: Any) -> bool:
    """Apply a type check of scikit-learn; objects without tags have no type."""
    try:
        return not isinstance(obj, type) and kind(obj)
    except (AttributeError, TypeError):
        return False


def _predicts_groups(obj: Any) -> bool:
    """Whether ``predict`` returns class labels or cluster numbers rather than values."""
    kinds = (is_classifier, is_clusterer, is_outlier_detector, _is_density_estimator)
    return any(is_of_kind(kind, obj) for kind in kinds)


def _is_density_estimator(obj: Any) -> bool:
    return get_tags(obj).estimator_type == "density_estimator"


def _is_function(obj: Any) -> bool:
    """Whether ``obj`` is queried by calling it: it is callable and has none of the methods of a model."""
    has_methods = any(hasattr(obj, name) for name in RESPONSES["regression"])
    return callable(obj) and not has_methods and convention_of(obj) is SCIKIT_LEARN


def _owner(obj: Any) -> Any:
    """Return the model whose bound method ``obj`` is, or ``obj`` itself."""
    function = obj.func if isinstance(obj, partial) else obj
    model = getattr(function, "__self__", None)
    return obj if model is None or not hasattr(model, "predict") else model


def _bound_method(obj: Any) -> tuple[str, Any]:
    """Return the name of a bound method of a model, and the classes of that model, in the order of its columns.

    The name is empty if ``obj`` is not such a method, or if it is the ``predict`` of a model that is not known to
    return labels.
    """
    model = _owner(obj)
    if model is obj:
        return "", None
    name = getattr(obj.func if isinstance(obj, partial) else obj, "__name__", "")
    classes = getattr(model, "classes_", None)
    returns_labels = classes is not None or is_of_kind(is_classifier, model) or is_of_kind(is_clusterer, model)
    return "" if name == "predict" and not returns_labels else name, classes


def _resolve_method(obj: Any, response_method: str, task: Task) -> str:
    allowed = RESPONSES[task]
    if not isinstance(response_method, str) or (response_method != "auto" and response_method not in allowed):
        raise TeacherError(
            f"response_method={response_method!r} is not available for {task}; expected 'auto' or one of "
            f"{list(allowed)}.{did_you_mean(response_method, ['auto', *allowed])}"
        )
    if _is_function(obj):
        default = "predict_proba" if task == "classification" else "predict"
        method, _ = _bound_method(obj)
        default = method if method in allowed else default
        return default if response_method == "auto" else response_method
    name = type(obj).__name__
    if response_method != "auto":
        methods = _methods_of(obj, task)
        if response_method not in methods:
            its = f"one of its methods {methods}. Pass another response_method, or pass" if methods else "a model. Pass"
            raise TeacherError(f"{name} has no {response_method}; expected {its} a function as the teacher.")
        return response_method
    if task == "regression" and _predicts_groups(obj):
        others = [method for method in _methods_of(obj, task) if method != "predict"]
        advice = f", or pass one of {others} as response_method" if others else ""
        raise TeacherError(f"{name} predicts classes or clusters; expected values. Use DistilledClassifier{advice}.")
    if task == "classification" and is_of_kind(is_regressor, obj):
        raise TeacherError(f"{name} is a regressor; expected a classifier. Use DistilledRegressor.")
    usable = [method for method in _methods_of(obj, task) if method != "predict_proba" or task == "classification"]
    if not usable:
        raise TeacherError(
            f"{name} has no suitable method for {task}; expected one of {list(allowed)}. Pass a function instead: "
            "teacher=lambda X: ..."
        )
    return usable[0]


def _methods_of(obj: Any, task: Task) -> list[str]:
    """Return the response methods that a model has, the preferred one first."""
    final = _innermost(obj)
    of_family = convention_of(final).methods(task)
    if of_family:
        return list(of_family)
    has_method = {"labels_": hasattr(final, "labels_"), "mean_std": has_deviations(final)}
    return [name for name in RESPONSES[task] if has_method.get(name, hasattr(obj, name))]


def _resolve_classes(obj: Any, classes: Any) -> np.ndarray:
    """Return the classes of the model, the numbers of its clusters, or else the given classes."""
    final = _innermost(obj)
    if _has_several_labels(final):
        raise TeacherError(f"{type(final).__name__} predicts several labels per row; expected one. {SEVERAL_LABELS}")
    of_family = convention_of(final).classes
    known = getattr(obj, "classes_", None)
    if known is None:
        known = _bound_method(obj)[1]
    if known is None and is_of_kind(is_outlier_detector, obj):
        known = classes if classes is not None else [-1, 1] if of_family is None else of_family(final)
    if known is None and hasattr(final, "labels_"):
        known = np.unique(final.labels_)
    if known is None and hasattr(final, "n_components"):
        known = np.arange(final.n_components)
    if known is None:
        known = classes
    if known is None and of_family is not None:
        known = of_family(final)
    if known is None:
        raise TeacherError(
            f"{getattr(obj, '__name__', type(obj).__name__)} has no classes_. Pass y to fit, or pass the classes: "
            "as_teacher(model, classes=[...])."
        )
    if isinstance(known, list) and known and isinstance(known[0], np.ndarray):
        raise TeacherError(
            f"{type(obj).__name__} is a multi-output classifier with {len(known)} outputs; expected one. "
            f"{SEVERAL_LABELS}"
        )
    return np.asarray(known)


def _has_several_labels(model: Any) -> bool:
    """Whether a classifier was fitted on a matrix of labels, although its ``classes_`` is one array."""
    binarizer = getattr(model, "_label_binarizer", None)  # of MLPClassifier
    is_indicator = str(getattr(binarizer, "y_type_", "")).startswith("multilabel")
    return is_indicator or getattr(model, "multilabel_", False) is True


def _innermost(model: Any) -> Any:
    """Return the model inside pipelines and frozen estimators, but not inside searches."""
    return unwrap(model, through=("pipeline", "frozen")).model


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
