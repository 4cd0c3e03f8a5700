"""Teachers of several outputs in order: quantiles, survival probabilities, and means with standard deviations."""

from numbers import Real
from typing import Any

import numpy as np

from ..convert import unwrap
from ._adapter import Teacher

PARAMETERS = ("default_quantiles", "quantile_alpha", "q", "quantiles")
"""Attributes and parameters that hold several quantiles: of quantile-forest, XGBoost, sklearn-quantile, and others."""


def stated_quantiles(teacher: Teacher) -> np.ndarray | None:
    """Return the levels of the quantiles that a teacher predicts, one for each output, if the model states them.

    These are ``default_quantiles`` of quantile forests, ``quantile_alpha`` of XGBoost, the levels in the loss
    ``"MultiQuantile:alpha=0.1,0.9"`` of CatBoost, and ``quantiles_`` of models of this package.

    Parameters
    ----------
    teacher : Teacher
        Of values.

    Returns
    -------
    quantiles : ndarray of shape (n_quantiles,) or None
        ``None`` if there are not at least two, all in (0, 1), in increasing order.
    """
    if teacher.response_method != "predict":
        return None
    model = unwrap(teacher.model).model
    if getattr(model, "quantiles_", None) is not None:
        return as_levels(model.quantiles_)
    params = _params_of(model)
    loss = str(params.get("loss_function", ""))
    if loss.startswith("MultiQuantile") and "alpha=" in loss:
        return as_levels(loss.split("alpha=")[1].split(";")[0].split(","))
    found = (as_levels(params.get(name, getattr(model, name, None))) for name in PARAMETERS)
    return next((levels for levels in found if levels is not None), None)


def as_levels(given: Any) -> np.ndarray | None:
    """Return levels of quantiles as an array; ``None`` if they are not two or more increasing numbers in (0, 1)."""
    if given is None or isinstance(given, str | Real) or callable(given):
        return None
    try:
        levels = np.array(given, dtype=np.float64)
    except (TypeError, ValueError):
        return None
    is_valid = levels.ndim == 1 and len(levels) > 1 and bool(np.all((levels > 0) & (levels < 1)))
    return levels if is_valid and bool(np.all(np.diff(levels) > 0)) else None


def stated_order(teacher: Teacher) -> str | None:
    """Return the order of the outputs of each row, if the response method or the model states one."""
    if teacher.response_method == "predict_survival_function":
        return "decreasing"
    if teacher.response_method == "mean_std":
        return "mean_std"
    if stated_quantiles(teacher) is not None:
        return "increasing"
    model = unwrap(teacher.model).model
    links = [getattr(model, name, None) for name in ("link_", "_link", "link")]
    orders = [getattr(link, "order", None) for link in links]
    return next((order for order in orders if isinstance(order, str)), None)


def _params_of(model: Any) -> dict[str, Any]:
    get_params = getattr(model, "get_params", None)
    try:
        return {} if get_params is None else dict(get_params())
    except Exception:  # a model of any library
        return {}
