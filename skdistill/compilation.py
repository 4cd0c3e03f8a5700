"""Compiling: from a fitted model to a function that needs numpy only."""

import warnings
from collections.abc import Callable
from numbers import Real
from typing import Any

import numpy as np
from lightgbm import Booster, LGBMModel
from sklearn.base import BaseEstimator, is_classifier
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor, RandomForestClassifier, RandomForestRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import (
    BayesianRidge,
    ElasticNet,
    ElasticNetCV,
    HuberRegressor,
    Lars,
    LassoCV,
    LinearRegression,
    LogisticRegression,
    Ridge,
    RidgeCV,
    SGDRegressor,
)
from sklearn.pipeline import Pipeline
from sklearn.svm import LinearSVR
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from sklearn.utils.validation import check_is_fitted

from .compiled import CompiledModel, Linear
from .compiled._lightgbm import forest_from_lightgbm, header_value
from .compiled._links import LINKS
from .compiled._nodes import forest_from_nodes, round_down
from .exceptions import CompileError
from .metrics import fidelity
from .students._completion import CompletedClassifier

DTYPES = ("float64", "float32", "float16")


def compile(model: Any, *, dtype: str = "float32", X: Any = None, tolerance: float = 0.001) -> CompiledModel:
    """Compile a fitted model to a small callable for production.

    The callable needs nothing but numpy, checks nothing but the number of columns, takes one row or many, can be
    pickled, and answers as the model's ``predict_proba`` (classifiers) or ``predict`` (regressors) does, to 1e-6 of the
    answers' scale. A single row goes through decision code that is generated and compiled in memory, many rows through
    flat arrays. A model that was fitted on a frame takes rows by name, too.

    Parameters
    ----------
    model : estimator
        A fitted ``DistilledClassifier`` or ``DistilledRegressor`` (its student), a student of this package, a
        scikit-learn decision tree, forest, or linear model, or a LightGBM model or ``Booster``. Others take part by
        a method ``__skdistill_compile__()`` that returns a :class:`~skdistill.compiled.CompiledModel`.
    dtype : {"float32", "float64", "float16"}, default="float32"
        How leaf values are stored, and with float16 the weights of linear models, which are float64 otherwise.
        Students of this package hold half precision already.
        Thresholds are never changed.
    X : table of shape (n_samples, n_features) or None, default=None
        Rows on which the compiled model is compared with the model. Needed for ``dtype="float16"``.
    tolerance : float >= 0, default=0.001
        Fidelity that a smaller ``dtype`` may cost on ``X``.

    Returns
    -------
    compiled : CompiledModel

    Raises
    ------
    CompileError
        If the model is of no kind that can be compiled, or loses more than ``tolerance``.

    Examples
    --------
    >>> import skdistill
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> predict_proba = skdistill.compile(DecisionTreeClassifier(max_leaf_nodes=3).fit(X, y))
    >>> predict_proba(X[0])
    array([1., 0., 0.])
    """
    if not isinstance(tolerance, Real) or not tolerance >= 0:
        raise ValueError(f"compile: tolerance={tolerance!r}; expected a number of at least 0.")
    if dtype not in DTYPES:
        raise ValueError(f"compile: dtype={dtype!r}; expected one of {DTYPES}.")
    if dtype == "float16" and X is None:
        raise ValueError('compile: dtype="float16" needs rows to measure its loss on; pass X=..., rows of the fit.')
    if X is not None and getattr(X, "ndim", np.ndim(X)) != 2:
        raise ValueError("compile: X is a single row or no table; expected rows of shape (n_samples, n_features).")
    exact = _convert(model)
    compiled = exact.stored_as(np.dtype(dtype))
    if X is not None:
        compiled.quantization_loss_ = _measured_loss(exact, compiled, X, tolerance)
    return compiled


def _measured_loss(exact: CompiledModel, compiled: CompiledModel, X: Any, tolerance: float) -> float:
    before, after = exact(X), compiled(X)
    if not np.all(np.isfinite(after)):
        raise CompileError("compile: the answers leave the range of the dtype. Pass dtype='float32'.")
    if np.ptp(before, axis=0).max() == 0:
        loss = float(np.abs(after - before).max() / max(np.abs(before).max(), 1e-300))
    else:
        loss = 1 - fidelity(before, after, multioutput="variance_weighted")
    if loss > tolerance:
        raise CompileError(
            f"compile: the smaller dtype loses {loss:.2g} of fidelity on the {len(after)} rows of X; expected at most "
            f"tolerance={tolerance:g}. Pass dtype='float32', or a larger tolerance."
        )
    return loss


# ---------------------------------------------------------------------- converters


def _convert(model: Any) -> CompiledModel:
    """Return the compiled form of a model, with all its digits."""
    while isinstance(model, FrozenEstimator) or (isinstance(model, Pipeline) and len(model) == 1):
        model = model.estimator if isinstance(model, FrozenEstimator) else model[-1]
    model = getattr(model, "student_", model)
    if isinstance(model, CompiledModel):
        return model
    if isinstance(model, BaseEstimator):
        check_is_fitted(model)
    if hasattr(model, "__skdistill_compile__"):
        return model.__skdistill_compile__()
    for kinds, convert in _CONVERTERS:
        if isinstance(model, kinds):
            return convert(model)
    steps = f" of {len(model)} steps" if isinstance(model, Pipeline) else ""
    name = f"the class {model.__name__}" if isinstance(model, type) else f"a {type(model).__name__}{steps}"
    raise CompileError(
        f"compile: got {name}; expected a student of this package, a scikit-learn tree, "
        "forest, linear model or logistic regression, or a LightGBM model. Distil it first: "
        "DistilledClassifier(teacher=model).fit(X), or DistilledRegressor."
    )


def _from_completed(model: CompletedClassifier) -> CompiledModel:
    """A student whose answers are completed to probabilities of all classes at temperature 1."""
    inner = _convert(model.estimator)
    described: dict[str, Any] = {"classes": model.classes, "columns": inner.columns, "names": inner.feature_names_in_}
    is_plain = inner.link == "identity" and inner.power == 1
    if model.response == "logit" and model.decoder is None and is_plain:
        scorer = inner.scorer.scaled(model.temperature)
        link = "two classes" if len(model.classes) == 2 else "softmax"
        return CompiledModel(scorer, link, **described)
    if model.response == "predict_proba" and np.array_equal(model.estimator.classes_, model.classes):
        return CompiledModel(inner.scorer, inner.link, power=model.temperature, **described)
    raise CompileError(
        f"compile: the student {type(model.estimator).__name__} is completed by a step that has no compiled form. "
        'Pass student="auto" and no target_compressor.'
    )


def _from_trees(model: Any) -> CompiledModel:
    """A tree of scikit-learn, or the mean of many."""
    members = [member.tree_ for member in getattr(model, "estimators_", [model])]
    size = np.array([member.node_count for member in members])
    root = np.cumsum(size) - size
    shift = np.repeat(root, size)

    def joined(name: str) -> np.ndarray:
        return np.concatenate([getattr(member, name) for member in members])

    left, right = joined("children_left"), joined("children_right")
    value = joined("value")
    if is_classifier(model) and value.shape[1] > 1:
        raise CompileError(f"compile: {type(model).__name__} has {value.shape[1]} outputs; expected a single one.")
    value = value[:, 0, :] if is_classifier(model) else value[:, :, 0]
    forest = forest_from_nodes(
        n_features=model.n_features_in_,
        root=root,
        left=np.where(left >= 0, left + shift, -1),
        right=np.where(left >= 0, right + shift, -1),
        feature=joined("feature"),
        threshold=round_down(joined("threshold")),
        missing_left=joined("missing_go_to_left").astype(bool),
        value=value / len(members),
        tree_output=np.zeros(len(members), dtype=np.int64),
        base=np.zeros(value.shape[1]),
    )
    is_single = not is_classifier(model) and value.shape[1] == 1
    return CompiledModel(forest, classes=getattr(model, "classes_", None), is_single=is_single, names=_names_of(model))


def _from_linear(model: Any) -> CompiledModel:
    given = model.coef_.toarray() if hasattr(model.coef_, "toarray") else model.coef_
    coef = np.atleast_2d(given).T
    linear = Linear(coef.astype(np.float64), np.broadcast_to(model.intercept_, coef.shape[1]).astype(np.float64))
    return CompiledModel(linear, is_single=np.ndim(given) == 1, names=_names_of(model))


def _from_logistic(model: LogisticRegression) -> CompiledModel:
    linear = _from_linear(model).scorer
    if len(model.classes_) == 2:
        link = "two classes"
    else:  # which of the two a release takes for which solver has changed
        row = np.ones((1, linear.n_features))
        softmax = LINKS["softmax"].of_rows(linear.scores(row))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of names that the row lacks
            link = "softmax" if np.allclose(softmax, model.predict_proba(row)) else "one against the rest"
    return CompiledModel(linear, link, classes=model.classes_, names=_names_of(model))


def _from_lightgbm(model: Any) -> CompiledModel:
    booster = model if isinstance(model, Booster) else model.booster_
    if booster.pandas_categorical:
        raise CompileError("compile: the LightGBM model was fitted on pandas categories; encode them as numbers.")
    text = booster.model_to_string()
    name, *options = header_value(text, "objective", "none").split()
    number = {key: value for key, _, value in (option.partition(":") for option in options)}
    link = _LIGHTGBM_LINKS.get(name)
    if link is None or "sqrt" in options:
        raise CompileError(f"compile: LightGBM's objective {' '.join([name, *options])!r} has no compiled form.")
    forest = forest_from_lightgbm([text]).scaled(float(number.get("sigmoid", 1)))
    classes = getattr(model, "classes_", None)
    if classes is not None and link == "logistic" and len(classes) == 2:
        link = "two classes"
    n_scores = 1 if classes is None or link == "two classes" else len(classes)
    if classes is not None and (link == "identity" or len(forest.base) != n_scores):
        raise CompileError(
            f"compile: {type(model).__name__} of {len(classes)} classes and objective {name!r} has no probabilities of "
            'them; expected objective "binary" for two classes, "multiclass" or "multiclassova" for more.'
        )
    names = booster.feature_name()  # numbered where it was given none
    is_single = classes is None and len(forest.base) == 1
    names = None if names == [f"Column_{index}" for index in range(len(names))] else names
    return CompiledModel(forest, link, classes=classes, is_single=is_single, names=names)


def _names_of(model: Any) -> Any:
    """Return the names of the columns of the fit, which scikit-learn keeps where all of them are text."""
    return getattr(model, "feature_names_in_", None)


_LIGHTGBM_LINKS = {
    **dict.fromkeys(("regression", "regression_l1", "huber", "fair", "quantile", "mape", "none"), "identity"),
    **dict.fromkeys(("lambdarank", "rank_xendcg", "custom"), "identity"),
    **dict.fromkeys(("poisson", "gamma", "tweedie"), "exp"),
    **dict.fromkeys(("binary", "cross_entropy", "multiclassova"), "logistic"),
    "multiclass": "softmax",
}

_TREES = (DecisionTreeClassifier, DecisionTreeRegressor)  # extra trees among them
_FORESTS = (RandomForestClassifier, RandomForestRegressor, ExtraTreesClassifier, ExtraTreesRegressor)
_LINEAR = (
    LinearRegression,
    Ridge,
    RidgeCV,
    ElasticNet,  # and its special case, the lasso
    ElasticNetCV,
    LassoCV,
    Lars,
    BayesianRidge,
    HuberRegressor,
    SGDRegressor,
    LinearSVR,
)
_CONVERTERS: tuple[tuple[Any, Callable[[Any], CompiledModel]], ...] = (
    (CompletedClassifier, _from_completed),
    (_TREES + _FORESTS, _from_trees),
    (LogisticRegression, _from_logistic),
    (_LINEAR, _from_linear),
    ((Booster, LGBMModel), _from_lightgbm),
)
