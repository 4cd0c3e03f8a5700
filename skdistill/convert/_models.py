"""Conversion of fitted models of scikit-learn, LightGBM, XGBoost and torch to compiled models."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.base import is_classifier
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import (
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import (
    BayesianRidge,
    ElasticNet,
    ElasticNetCV,
    HuberRegressor,
    Lars,
    LassoCV,
    LinearRegression,
    LogisticRegression,
    Perceptron,
    Ridge,
    RidgeClassifier,
    RidgeClassifierCV,
    RidgeCV,
    SGDClassifier,
    SGDRegressor,
)
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.svm import SVC, SVR, LinearSVC, LinearSVR, NuSVC, NuSVR
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from ..compiled import CompiledModel, Scorer
from ..compiled._links import LINKS
from ..exceptions import CompileError
from ._gradient_boosting import from_gradient_boosting
from ._kernels import read_kernel
from ._lightgbm import Objective, forest_from_lightgbm, is_booster, is_lightgbm, lightgbm_text
from ._parts import FORESTS
from ._steps import with_steps
from ._structures import layers_of, linear_weights_of
from ._torch import from_module, is_module
from ._trees import trees_of_histograms, trees_of_sklearn
from ._wrappers import unwrap
from ._xgboost import from_xgboost, is_xgboost


def read_model(model: Any) -> CompiledModel | None:
    """Return the compiled form of a fitted model at full precision; ``None`` for models of an unknown kind.

    Its outputs are those of ``predict_proba`` of classifiers and ``predict`` of regressors, with an error of at most
    1e-6 of the output scale.

    Parameters
    ----------
    model : estimator, Booster or module of torch
        A fitted model, not inside a wrapper; see :func:`unwrap`.

    Raises
    ------
    CompileError
        If the kind is known, but no scorer can represent this model.
    """
    for is_kind, read in _KINDS_OF_LIBRARIES:
        if is_kind(model):
            return read(model)
    for kinds, read in _KINDS:
        if isinstance(model, kinds):
            return read(model)
    return None


def read_margins(model: Any) -> Scorer | None:
    """Return a scorer of ``decision_function``, with one score for binary problems; ``None`` if there is none.

    Parameters
    ----------
    model : classifier
        A fitted linear model, or a fitted binary ``SVC`` or ``NuSVC`` with an RBF or linear kernel. The margins of
        multiclass SVCs are votes of pairwise classifiers, not sums of kernels.
    """
    if isinstance(model, _LINEAR_CLASSIFIERS):
        return linear_weights_of(model).linear()
    if isinstance(model, _SUPPORT_VECTOR_CLASSIFICATION) and len(model.classes_) == 2:
        return _kernel_scorer(model)
    return None


# ---------------------------------------------------------------------- trees


def _from_trees(model: Any) -> CompiledModel:
    """Read a scikit-learn tree or the mean of the trees of a forest."""
    n_outputs = getattr(model, "n_outputs_", 1)
    if is_classifier(model) and n_outputs > 1:
        raise CompileError(
            f"compile: {type(model).__name__} has {n_outputs} outputs; expected a single one. Fit one model per output."
        )
    is_single = not is_classifier(model) and n_outputs == 1
    classes = getattr(model, "classes_", None)
    return CompiledModel(trees_of_sklearn(model).forest(), classes=classes, is_single=is_single, names=_names_of(model))


def _from_histograms(model: Any) -> CompiledModel:
    """Read histogram gradient boosting without categorical features."""
    if getattr(model, "_preprocessor", None) is not None:
        raise CompileError(
            f"compile: {type(model).__name__} was fitted on categories; encode them as numbers before fitting."
        )
    forest = trees_of_histograms(model).forest()
    if is_classifier(model):
        of_classes = "binary" if len(model.classes_) == 2 else "softmax"
        return CompiledModel(forest, of_classes, classes=model.classes_, names=_names_of(model))
    link = _HISTOGRAM_LINKS.get(model.loss)
    if link is None:
        raise CompileError(
            f"compile: {type(model).__name__} with loss={model.loss!r} has no compiled form; expected one of "
            f"{sorted(_HISTOGRAM_LINKS)}."
        )
    return CompiledModel(forest, link, is_single=True, names=_names_of(model))


_HISTOGRAM_LINKS = {
    **dict.fromkeys(("squared_error", "absolute_error", "quantile"), "identity"),
    **dict.fromkeys(("poisson", "gamma"), "exp"),
}


def _from_lightgbm(model: Any) -> CompiledModel:
    booster = model if is_booster(model) else model.booster_
    if booster.pandas_categorical:
        raise CompileError(
            "compile: the LightGBM model was fitted on pandas categories; encode them as numbers before fitting."
        )
    text = lightgbm_text(booster)
    objective = Objective.of_text(text)
    link = _LIGHTGBM_LINKS.get(objective.name)
    if link is None or "sqrt" in objective.options:
        raise CompileError(
            f"compile: the LightGBM objective {str(objective)!r} has no compiled form; expected e.g. 'regression', "
            "'binary' or 'multiclass', without reg_sqrt."
        )
    forest = forest_from_lightgbm([text]).scaled(float(objective.options.get("sigmoid", 1)))
    classes = getattr(model, "classes_", None)
    if classes is not None and link == "logistic" and len(classes) == 2:
        link = "binary"
    n_scores = 1 if classes is None or link == "binary" else len(classes)
    if classes is not None and (link == "identity" or len(forest.base) != n_scores):
        raise CompileError(
            f"compile: {type(model).__name__} with {len(classes)} classes and the objective {objective.name!r} has no "
            'class probabilities; expected the objective "binary" for two classes, and "multiclass" or "multiclassova" '
            "for more."
        )
    names = booster.feature_name()  # Column_0, Column_1, ... if it was fitted without names
    is_single = classes is None and len(forest.base) == 1
    names = None if names == [f"Column_{index}" for index in range(len(names))] else names
    return CompiledModel(forest, link, classes=classes, is_single=is_single, names=names)


_LIGHTGBM_LINKS = {
    **dict.fromkeys(("regression", "regression_l1", "huber", "fair", "quantile", "mape", "none"), "identity"),
    **dict.fromkeys(("lambdarank", "rank_xendcg", "custom"), "identity"),
    **dict.fromkeys(("poisson", "gamma", "tweedie"), "exp"),
    **dict.fromkeys(("binary", "cross_entropy", "multiclassova"), "logistic"),
    "multiclass": "softmax",
}


# ---------------------------------------------------------------------- linear models and networks


def _from_linear(model: Any) -> CompiledModel:
    weights = linear_weights_of(model)
    return CompiledModel(weights.linear(), is_single=weights.coef.ndim == 1, names=_names_of(model))


def _from_logistic(model: LogisticRegression) -> CompiledModel:
    linear = linear_weights_of(model).linear()
    if len(model.classes_) == 2:
        link = "binary"
    else:  # softmax or one-vs-rest: this depends on the solver and the release
        row = np.ones((1, linear.n_features))
        softmax = LINKS["softmax"].of_rows(linear.scores(row))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the row has no column names
            link = "softmax" if np.allclose(softmax, model.predict_proba(row)) else "one-vs-rest"
    return CompiledModel(linear, link, classes=model.classes_, names=_names_of(model))


def _from_perceptron(model: Any) -> CompiledModel:
    """Read a multilayer perceptron with rectified hidden layers or without hidden layers."""
    layers = layers_of(model)
    scorer = layers.scorer()
    if scorer is None:
        raise CompileError(
            f"compile: {type(model).__name__} has the activation {layers.activation!r}; expected 'relu' or 'identity'."
        )
    if not is_classifier(model):
        link = _OUTPUT_ACTIVATIONS[layers.output_activation]
        return CompiledModel(scorer, link, is_single=model.n_outputs_ == 1, names=_names_of(model))
    if layers.output_activation == "logistic" and (model.n_outputs_ > 1 or len(model.classes_) != 2):
        raise CompileError(
            f"compile: {type(model).__name__} is a multilabel classifier with {model.n_outputs_} labels per row; "
            "expected one label per row. Fit one model per label."
        )
    link = "binary" if layers.output_activation == "logistic" else "softmax"
    return CompiledModel(scorer, link, classes=model.classes_, names=_names_of(model))


_OUTPUT_ACTIVATIONS = {"identity": "identity", "exp": "exp"}
"""Links of multilayer perceptron regressors by output activation."""


# ---------------------------------------------------------------------- kernels


def _from_kernel(model: Any) -> CompiledModel:
    """Read support vector regression or kernel ridge regression."""
    scorer = _kernel_scorer(model)
    if scorer is None:
        expected = "'rbf'" if isinstance(model, KernelRidge) else "'rbf' or 'linear'"
        raise CompileError(f"compile: {type(model).__name__} has the kernel {model.kernel!r}; expected {expected}.")
    is_single = isinstance(model, _SUPPORT_VECTOR_REGRESSION) or model.dual_coef_.ndim == 1
    return CompiledModel(scorer, is_single=is_single, names=_names_of(model))


def _kernel_scorer(model: Any) -> Scorer | None:
    """Return the kernel scorer of an RBF kernel or the linear scorer of a linear kernel; ``None`` for other kernels."""
    kernel = model.kernel if isinstance(model.kernel, str) else ""
    if kernel == "linear" and hasattr(model, "coef_"):
        return linear_weights_of(model).linear()
    machine = read_kernel(model) if kernel == "rbf" else None
    return None if machine is None else machine.landmarks()


# ---------------------------------------------------------------------- calibrated margins


def _from_calibrated(model: CalibratedClassifierCV) -> CompiledModel:
    """Read a single classifier whose margins are calibrated by sigmoids."""
    pairs = model.calibrated_classifiers_
    inside = unwrap(pairs[0].estimator)
    knows_all = np.array_equal(getattr(inside.model, "classes_", ()), model.classes_)
    margins = read_margins(inside.model) if knows_all else None
    if margins is None or len(pairs) > 1 or model.method != "sigmoid":
        raise CompileError(
            f"compile: {type(model).__name__} has {len(pairs)} {type(inside.model).__name__} with "
            f"method={model.method!r}; expected ensemble=False, method='sigmoid', and a linear classifier or a binary "
            "SVC with an RBF or linear kernel."
        )
    calibrators = pairs[0].calibrators
    slope, offset = (np.array([getattr(calibrator, name) for calibrator in calibrators]) for name in ("a_", "b_"))
    link = "binary" if len(model.classes_) == 2 else "one-vs-rest"
    calibrated = CompiledModel(margins.scaled(-slope, -offset), link, classes=model.classes_, names=_names_of(model))
    return with_steps(calibrated, inside)


# ---------------------------------------------------------------------- functions by kind of model


def _names_of(model: Any) -> Any:
    """Return the column names seen in ``fit``, which scikit-learn stores if all of them are strings."""
    return getattr(model, "feature_names_in_", None)


_TREES = (DecisionTreeClassifier, DecisionTreeRegressor)  # extra trees among them
_HISTOGRAMS = (HistGradientBoostingClassifier, HistGradientBoostingRegressor)
_GRADIENT_BOOSTING = (GradientBoostingClassifier, GradientBoostingRegressor)
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
_LINEAR_CLASSIFIERS = (LinearSVC, LogisticRegression, Perceptron, RidgeClassifier, RidgeClassifierCV, SGDClassifier)
_SUPPORT_VECTOR_CLASSIFICATION = (SVC, NuSVC)
_SUPPORT_VECTOR_REGRESSION = (SVR, NuSVR)
_KINDS_OF_LIBRARIES: tuple[tuple[Callable[[Any], bool], Callable[[Any], CompiledModel]], ...] = (
    (is_lightgbm, _from_lightgbm),
    (is_xgboost, from_xgboost),
    (is_module, from_module),
)
_KINDS: tuple[tuple[Any, Callable[[Any], CompiledModel]], ...] = (
    (_TREES + FORESTS, _from_trees),
    (_HISTOGRAMS, _from_histograms),
    (_GRADIENT_BOOSTING, lambda model: from_gradient_boosting(model, read_model)),
    (LogisticRegression, _from_logistic),
    (_LINEAR, _from_linear),
    ((MLPClassifier, MLPRegressor), _from_perceptron),
    ((*_SUPPORT_VECTOR_REGRESSION, KernelRidge), _from_kernel),
    (CalibratedClassifierCV, _from_calibrated),
)
