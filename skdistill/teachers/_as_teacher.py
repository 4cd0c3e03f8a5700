"""Any model, function or list of several as a teacher: its task, the method that is called, and its classes."""

from typing import Any

import numpy as np
from sklearn.base import is_classifier, is_clusterer, is_outlier_detector, is_regressor

from .._suggesting import did_you_mean
from .._validation import check_choice
from ..exceptions import TeacherError
from ._adapter import SEVERAL_LABELS, Teacher
from ._conventions import Task, convention_of
from ._ensemble import TeacherEnsemble, check_members, fixed_weights
from ._lists import is_list, names_of, teachers_in
from ._responses import RESPONSES, bound_method, innermost, is_function, is_of_kind, methods_of, predicts_groups


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


def _infer_task(obj: Any, classes: Any) -> Task:
    method, of_method = bound_method(obj)
    if of_method is not None and method in RESPONSES["classification"] and method != "predict":
        return "classification"
    knows_classes = classes is not None or getattr(obj, "classes_", None) is not None
    knows_classes = knows_classes or hasattr(obj, "predict_proba_one")
    if knows_classes or any(is_of_kind(kind, obj) for kind in (is_classifier, is_clusterer, is_outlier_detector)):
        return "classification"
    return "regression"


def _resolve_method(obj: Any, response_method: str, task: Task) -> str:
    allowed = RESPONSES[task]
    if not isinstance(response_method, str) or (response_method != "auto" and response_method not in allowed):
        raise TeacherError(
            f"response_method={response_method!r} is not available for {task}; expected 'auto' or one of "
            f"{list(allowed)}.{did_you_mean(response_method, ['auto', *allowed])}"
        )
    if is_function(obj):
        default = "predict_proba" if task == "classification" else "predict"
        method, _ = bound_method(obj)
        default = method if method in allowed else default
        return default if response_method == "auto" else response_method
    name = type(obj).__name__
    if response_method != "auto":
        methods = methods_of(obj, task)
        if response_method not in methods:
            its = f"one of its methods {methods}. Pass another response_method, or pass" if methods else "a model. Pass"
            raise TeacherError(f"{name} has no {response_method}; expected {its} a function as the teacher.")
        return response_method
    if task == "regression" and predicts_groups(obj):
        others = [method for method in methods_of(obj, task) if method != "predict"]
        advice = f", or pass one of {others} as response_method" if others else ""
        raise TeacherError(f"{name} predicts classes or clusters; expected values. Use DistilledClassifier{advice}.")
    if task == "classification" and is_of_kind(is_regressor, obj):
        raise TeacherError(f"{name} is a regressor; expected a classifier. Use DistilledRegressor.")
    usable = [method for method in methods_of(obj, task) if method != "predict_proba" or task == "classification"]
    if not usable:
        raise TeacherError(
            f"{name} has no suitable method for {task}; expected one of {list(allowed)}. Pass a function instead: "
            "teacher=lambda X: ..."
        )
    return usable[0]


def _resolve_classes(obj: Any, classes: Any) -> np.ndarray:
    """Return the classes of the model, the numbers of its clusters, or else the given classes."""
    final = innermost(obj)
    if _has_several_labels(final):
        raise TeacherError(f"{type(final).__name__} predicts several labels per row; expected one. {SEVERAL_LABELS}")
    of_family = convention_of(final).classes
    known = getattr(obj, "classes_", None)
    if known is None:
        known = bound_method(obj)[1]
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
