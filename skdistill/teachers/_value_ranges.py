"""What is known of the values of a teacher before it is queried: the link that it states, and bounds of its values."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import special
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import ExtraTreesRegressor, HistGradientBoostingRegressor, RandomForestRegressor
from sklearn.linear_model import GammaRegressor, PoissonRegressor, TweedieRegressor
from sklearn.preprocessing import FunctionTransformer
from sklearn.tree import BaseDecisionTree, DecisionTreeRegressor, ExtraTreeRegressor

from ..convert import is_booster, objective_of, unwrap
from ..targets import TargetLink
from ._adapter import Teacher
from ._ensemble import TeacherEnsemble

LOG = TargetLink.of("log")

TREES_AT_ONCE = 32
"""Number of trees of which the values are copied at a time: the calls of numpy take longer than the values of one."""

OF_FUNCTIONS = {
    np.log: LOG,
    np.log2: LOG,
    np.log10: LOG,
    np.log1p: TargetLink.of("log", (-1, None)),
    special.logit: TargetLink.of("logit"),
}
"""Links of teachers whose targets are transformed by these functions."""

OBJECTIVES = {
    **dict.fromkeys(("poisson", "gamma", "tweedie"), LOG),
    **dict.fromkeys(("count:poisson", "reg:gamma", "reg:tweedie"), LOG),
    **dict.fromkeys(("cross_entropy", "xentropy", "reg:logistic"), TargetLink.of("logit")),
}
"""Links of boosting libraries by objective; options after a colon or a space are ignored if the whole is unknown."""


def stated_link(teacher: Teacher) -> TargetLink | None:
    """Return the link of the predictions of a teacher, if the model states one other than the identity.

    These are the generalised linear models of scikit-learn, gradient boosting with a Poisson, gamma or Tweedie loss
    (scikit-learn, LightGBM, XGBoost, CatBoost), perceptrons with an exponential output, and regressors whose targets
    are transformed by a logarithm or logit, and models of this package with a link; all of them also in pipelines and
    searches.

    Parameters
    ----------
    teacher : Teacher
        Of values. Several teachers have the link that all of them state.
    """
    model = unwrap(teacher.model).model
    if isinstance(model, TeacherEnsemble):
        links = [stated_link(member) for member in model.members]  # type: ignore[arg-type]
        return links[0] if all(link == links[0] for link in links) else None
    if teacher.response_method != "predict":
        return None
    own = next((link for link in _links_of(model) if isinstance(link, TargetLink)), None)
    if own is not None:
        return None if own.name == "identity" else own
    if isinstance(model, TransformedTargetRegressor):
        return _link_of_transformer(getattr(model, "transformer_", None))
    if isinstance(model, PoissonRegressor | GammaRegressor):
        return LOG
    if isinstance(model, TweedieRegressor):
        is_log = model.link == "log" or (model.link == "auto" and model.power > 0)
        return LOG if is_log else None
    if isinstance(model, HistGradientBoostingRegressor):
        return LOG if model.loss in ("poisson", "gamma") else None
    if getattr(model, "out_activation_", None) == "exp":
        return LOG
    return _link_of_objective(_objective_of(model))


def known_bounds(teacher: Teacher) -> tuple[float, float] | None:
    """Return bounds that no value of a teacher can exceed, if they are known.

    They are known for probabilities, and for single trees and forests of scikit-learn, whose values are means of leaf
    values: a forest is bounded by the mean over its trees of their smallest and of their largest value. The mean of
    several teachers is between the smallest and the largest bound, if all are known.

    Parameters
    ----------
    teacher : Teacher
        Of values.
    """
    if teacher.response_method in ("predict_proba", "predict_survival_function"):
        return 0.0, 1.0
    model = unwrap(teacher.model).model
    if isinstance(model, TeacherEnsemble):
        bounds = [known_bounds(member) for member in model.members]  # type: ignore[arg-type]
        known = [each for each in bounds if each is not None]
        return (min(known)[0], max(high for _, high in known)) if len(known) == len(bounds) else None
    if teacher.response_method != "predict":
        return None
    if type(model) in (DecisionTreeRegressor, ExtraTreeRegressor):
        low, high = _mean_range([model])
    elif type(model) in (RandomForestRegressor, ExtraTreesRegressor):
        low, high = _mean_range(model.estimators_)
    else:
        return None
    slack = 1e-9 * max(abs(low), abs(high))  # a forest adds its trees in any order
    return float(low - slack), float(high + slack)


def _mean_range(trees: Sequence[BaseDecisionTree]) -> tuple[float, float]:
    """Return the means of the smallest and of the largest value of each tree, over all outputs.

    The inner nodes need no mask: their values are means or medians of the targets below them, as those of the leaves
    are, and lie between these.
    """
    low = high = 0.0
    for start in range(0, len(trees), TREES_AT_ONCE):
        values = [tree.tree_.value.ravel() for tree in trees[start : start + TREES_AT_ONCE]]
        starts, together = np.cumsum([0, *map(len, values[:-1])]), np.concatenate(values)
        low += float(np.minimum.reduceat(together, starts).sum())
        high += float(np.maximum.reduceat(together, starts).sum())
    return low / len(trees), high / len(trees)


def _links_of(model: Any) -> list[Any]:
    """Return what may be the link of a distilled estimator or of a student of this package."""
    return [getattr(model, name, None) for name in ("link_", "_link", "link")]


def _link_of_transformer(transformer: Any) -> TargetLink | None:
    """Return the link of a transformer of targets, if it is one of the known functions."""
    if not isinstance(transformer, FunctionTransformer):
        return None
    try:
        return OF_FUNCTIONS.get(transformer.func)
    except TypeError:  # a function that has no hash
        return None


def _objective_of(model: Any) -> Any:
    """Return the objective of a model of a boosting library; ``None`` if there is none to read."""
    if is_booster(model):
        return objective_of(model)
    for name in ("objective_", "objective"):
        if isinstance(getattr(model, name, None), str):
            return getattr(model, name)
    if type(model).__module__.startswith("sklearn."):
        return None
    try:
        return model.get_params().get("loss_function")  # of CatBoost
    except Exception:  # a model of any library, which need not have parameters
        return None


def _link_of_objective(objective: Any) -> TargetLink | None:
    if not isinstance(objective, str):
        return None
    known = objective.lower()
    return OBJECTIVES.get(known) or OBJECTIVES.get(known.replace(" ", ":").split(":")[0])
