"""How the models of packages with other conventions than scikit-learn's are asked.

``CONVENTIONS`` is the table: one entry describes one family of models. Models are recognised without an import of their
package, by the names of their base classes or by their methods.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from numbers import Real
from typing import Any, Literal

import narwhals as nw
import numpy as np
from sklearn.utils.validation import has_fit_parameter

from .._tables import is_frame
from ..convert import is_booster, is_lightgbm, objective_of, unwrap
from ._precomputed import PrecomputedTeacher

Task = Literal["classification", "regression"]
Ask = Callable[[Any, Any], Any]
"""Called with a model and a table of rows; returns the answers of the model."""

ONE_VS_ALL = ("multiclassova", "multiclass_ova", "ova", "ovr", "MultiClassOneVsAll")
"""Objectives of LightGBM and CatBoost with which each class is fitted against all others."""

MAX_TIMES = 20
"""Number of points in time at which survival curves are evaluated."""


@dataclass(frozen=True)
class Convention:
    """How the models of one family are asked.

    Parameters
    ----------
    family : str
        Name of the family in the documentation.
    matches : callable
        Whether a model belongs to the family.
    classification, regression : dict of {str: callable or None}, default={}
        Response methods for each task, the preferred one first, and the functions that ask them; ``None`` calls the
        method of the model. An empty dict stands for the response methods of scikit-learn.
    classes : callable or None, default=None
        Returns the classes of a model in the order of its columns.
    normalises : callable or None, default=None
        Whether the probabilities of a model are computed for each class separately and have to be normalised.
    """

    family: str
    matches: Callable[[Any], bool]
    classification: Mapping[str, Ask | None] = field(default_factory=dict)
    regression: Mapping[str, Ask | None] = field(default_factory=dict)
    classes: Callable[[Any], Any] | None = None
    normalises: Callable[[Any], bool] | None = None

    def methods(self, task: Task) -> Mapping[str, Ask | None]:
        """Return the response methods of the family for a task, the preferred one first."""
        return self.classification if task == "classification" else self.regression

    def __reduce__(self) -> tuple[Any, ...]:
        return _convention_named, (self.family,)

    def __getstate__(self) -> dict[str, Any]:
        return {"family": self.family}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(vars(_convention_named(state["family"])))  # skops does not call __reduce__


def convention_of(model: Any) -> Convention:
    """Return the convention of the first family that a model belongs to; that of scikit-learn for other models."""
    return next((convention for convention in CONVENTIONS if convention.matches(model)), SCIKIT_LEARN)


def _convention_named(family: str) -> Convention:
    """Return the convention of a family; used to unpickle it."""
    return next((convention for convention in CONVENTIONS if convention.family == family), SCIKIT_LEARN)


# ---------------------------------------------------------------------- recognition


def _is_a(*names: str) -> Callable[[Any], bool]:
    """Return a test whether a model is an instance of one of the classes with these qualified names."""

    def matches(model: Any) -> bool:
        return not _names_of_bases(type(model)).isdisjoint(names)  # type: ignore[arg-type]  # classes are hashable

    return matches


@lru_cache(maxsize=256)
def _names_of_bases(kind: type) -> frozenset[str]:
    """Return the qualified names of a class and of its bases; each fit compares them with several families."""
    return frozenset(f"{base.__module__}.{base.__qualname__}" for base in kind.__mro__)


def _only_has(*names: str) -> Callable[[Any], bool]:
    """Return a test whether a model has one of these methods, but neither ``predict`` nor ``predict_proba``."""

    def matches(model: Any) -> bool:
        known = ("predict", "predict_proba", "decision_function", "transform")
        return any(hasattr(model, name) for name in names) and not any(hasattr(model, name) for name in known)

    return matches


# ---------------------------------------------------------------------- LightGBM and XGBoost boosters, CatBoost


def _ask_lightgbm(**options: Any) -> Ask:
    return lambda booster, X: booster.predict(X, **options)


def _classes_of_lightgbm(booster: Any) -> np.ndarray:
    return np.arange(max(booster.num_model_per_iteration(), 2))


def _is_lightgbm_one_vs_all(booster: Any) -> bool:
    return objective_of(booster) == "multiclassova"


def _has_custom_objective(booster: Any) -> bool:
    """Whether a LightGBM ``Booster`` was trained with a custom objective, so that its outputs are raw margins."""
    return is_booster(booster) and objective_of(booster) == "none"


def _ask_xgboost(**options: Any) -> Ask:
    def ask(booster: Any, X: Any) -> Any:
        import xgboost

        names = None if is_frame(X) else booster.feature_names
        return booster.predict(xgboost.DMatrix(X, feature_names=names, enable_categorical=True), **options)

    return ask


def _ask_catboost(prediction_type: str) -> Ask:
    return lambda model, X: model.predict(X, prediction_type=prediction_type)


def _are_one_vs_all(model: Any) -> bool:
    """Whether the model of a gradient boosting package was fitted to one class against all others at a time."""
    params = model.get_all_params() if hasattr(model, "get_all_params") else getattr(model, "get_params", dict)()
    return any(params.get(name) in ONE_VS_ALL for name in ("objective", "loss_function"))


def _is_one_vs_all_lightgbm(model: Any) -> bool:
    return is_lightgbm(model) and _are_one_vs_all(model)


# ---------------------------------------------------------------------- answers of a table


def _look_up(answers: PrecomputedTeacher, X: Any) -> Any:
    return answers(X)


# ---------------------------------------------------------------------- survival, detection, streams, YDF


def _survival_curves(model: Any, X: Any) -> np.ndarray:
    """Return the probability of survival at up to ``MAX_TIMES`` times, of shape (n_samples, n_times)."""
    times = np.asarray(model.unique_times_ if hasattr(model, "unique_times_") else model.event_times_)
    if len(times) > MAX_TIMES:
        times = times[np.linspace(0, len(times) - 1, MAX_TIMES).round().astype(int)]
    return np.array([curve(times) for curve in model.predict_survival_function(X)])


def _margin_over_threshold(detector: Any, X: Any) -> np.ndarray:
    return np.asarray(detector.decision_function(X)) - detector.threshold_


def _ask_stream(method: str) -> Ask:
    """Ask an online model for all rows with ``<method>_many``, or for each row if it only answers single rows."""

    def ask(model: Any, X: Any) -> Any:
        frame = _pandas_frame(X)
        if hasattr(model, f"{method}_many"):
            return getattr(model, f"{method}_many")(frame)
        return [getattr(model, f"{method}_one")(row) for row in frame.to_dict("records")]

    return ask


def _ask_ydf(model: Any, X: Any) -> Any:
    if is_frame(X):
        return model.predict(nw.from_native(X, eager_only=True).to_dict(as_series=False))
    return model.predict(dict(zip(model.input_feature_names(), np.asarray(X).T, strict=True)))


def _pandas_frame(X: Any) -> Any:
    """Return a table as a pandas frame; the columns of an array are numbered."""
    if is_frame(X):
        return nw.from_native(X, eager_only=True).to_pandas()
    import pandas as pd

    return pd.DataFrame(X.toarray() if hasattr(X, "toarray") else X)


def unlabelled_rows(model: Any, y: np.ndarray) -> np.ndarray:
    """Return a mask of the rows without a label: those of label -1 for semi-supervised models."""
    final = unwrap(model, through=("pipeline", "frozen")).model
    is_semi_supervised = type(final).__module__.startswith("sklearn.semi_supervised")
    return np.asarray(y == -1) if is_semi_supervised and y.dtype.kind in "if" else np.zeros(len(y), dtype=bool)


def groups_argument(model: Any) -> str | None:
    """Return the argument of ``fit`` by which a ranker is given the queries; ``None`` for other models."""
    if not type(model).__name__.endswith("Ranker"):
        return None
    return next((name for name in ("qid", "group_id", "group") if has_fit_parameter(model, name)), None)


QUANTILES = ("quantile", "quantile_alpha", "alpha")
"""Parameters that hold the quantile of a model with a quantile loss, by package."""


def quantile_of(model: Any) -> float | None:
    """Return the quantile that a regressor is fitted to predict; ``None`` for other models and several quantiles."""
    final = unwrap(model).model
    params = final.get_params() if hasattr(final, "get_params") else {}
    losses = [str(params[name]) for name in ("loss", "objective", "loss_function") if name in params]
    if type(final).__name__ != "QuantileRegressor" and not any("quantile" in loss.lower() for loss in losses):
        return None
    stated = [loss.split("alpha=")[1].split(";")[0] for loss in losses if "alpha=" in loss]  # CatBoost
    default = 0.9 if is_lightgbm(final) else None
    value = next((params[name] for name in QUANTILES if params.get(name) is not None), default)
    quantile = float(stated[0]) if stated else value
    return float(quantile) if isinstance(quantile, Real) and 0 < float(quantile) < 1 else None


def is_survival(model: Any) -> bool:
    """Whether a model of scikit-survival is fitted on structured labels of events and times."""
    return _is_a("sksurv.base.SurvivalAnalysisMixin")(model)


def concordance_sign(model: Any) -> float:
    """Return 1 if larger predictions of a survival model mean earlier events, and -1 if they mean later ones."""
    final = unwrap(model, through=("pipeline", "frozen")).model
    return 1.0 if getattr(final, "_predict_risk_score", True) else -1.0


# ---------------------------------------------------------------------- the table

SCIKIT_LEARN = Convention("scikit-learn", lambda model: True)  # noqa: ARG005

CONVENTIONS: tuple[Convention, ...] = (
    Convention(
        "answers of a table",
        lambda model: isinstance(model, PrecomputedTeacher),
        classification={"predict_proba": _look_up, "decision_function": _look_up},
        regression={"predict": _look_up},
        classes=lambda model: model.read_classes(),
    ),
    Convention(
        "LightGBM Booster with a custom objective",
        _has_custom_objective,
        classification={"decision_function": _ask_lightgbm(raw_score=True)},
        regression={"predict": _ask_lightgbm()},
        classes=_classes_of_lightgbm,
    ),
    Convention(
        "LightGBM Booster",
        is_booster,
        classification={"predict_proba": _ask_lightgbm(), "decision_function": _ask_lightgbm(raw_score=True)},
        regression={"predict": _ask_lightgbm(), "decision_function": _ask_lightgbm(raw_score=True)},
        classes=_classes_of_lightgbm,
        normalises=_is_lightgbm_one_vs_all,
    ),
    Convention(
        "XGBoost Booster",
        _is_a("xgboost.core.Booster"),
        classification={"predict_proba": _ask_xgboost(), "decision_function": _ask_xgboost(output_margin=True)},
        regression={"predict": _ask_xgboost(), "decision_function": _ask_xgboost(output_margin=True)},
    ),
    Convention(
        "CatBoost classifier or regressor",
        _is_a("catboost.core.CatBoostClassifier", "catboost.core.CatBoostRegressor", "catboost.core.CatBoostRanker"),
        normalises=_are_one_vs_all,
    ),
    Convention(
        "CatBoost",
        _is_a("catboost.core.CatBoost"),
        classification={
            "predict_proba": _ask_catboost("Probability"),
            "decision_function": _ask_catboost("RawFormulaVal"),
        },
        regression={"predict": _ask_catboost("RawFormulaVal")},
        normalises=_are_one_vs_all,
    ),
    Convention("LightGBM classifier of one class against all", _is_one_vs_all_lightgbm, normalises=_are_one_vs_all),
    Convention(
        "pyod",
        _is_a("pyod.models.base.BaseDetector"),
        classification={"predict_proba": None, "decision_function": _margin_over_threshold, "predict": None},
        regression={"decision_function": None},
        classes=lambda _: [0, 1],
    ),
    Convention(
        "scikit-survival",
        is_survival,
        regression={"predict": None, "predict_survival_function": _survival_curves},
    ),
    Convention(
        "YDF",
        _is_a("ydf.model.generic_model.GenericModel"),
        classification={"predict_proba": _ask_ydf},
        regression={"predict": _ask_ydf},
        classes=lambda model: model.label_classes(),
    ),
    Convention(
        "online classifier or regressor",
        _only_has("predict_one", "predict_proba_one", "predict_many", "predict_proba_many"),
        classification={"predict_proba": _ask_stream("predict_proba")},
        regression={"predict": _ask_stream("predict")},
    ),
)
"""The families with a convention of their own; the first that matches a model applies."""
