"""XGBoost models, read from their JSON format, which is documented and can be parsed without XGBoost.

The library is never imported: its models only exist if it has been imported.
"""

import json
import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ..compiled import CompiledModel, Forest
from ..exceptions import CompileError
from ._trees import Trees

N_PROBES = 16
"""Number of rows on which a forest is compared with the model that it was read from."""

PROBE_TOLERANCE = 2e-6
"""Largest difference of margins, as a share of the sum of absolute leaf values on a path: XGBoost adds in float32."""

IDENTITY = (
    *("reg:squarederror", "reg:squaredlogerror", "reg:pseudohubererror", "reg:absoluteerror", "reg:quantileerror"),
    *("reg:expectileerror", "binary:logitraw", "rank:pairwise", "rank:ndcg", "rank:map"),
)
LINKS = {
    **dict.fromkeys(IDENTITY, "identity"),
    **dict.fromkeys(("reg:logistic", "binary:logistic"), "logistic"),
    **dict.fromkeys(("count:poisson", "reg:gamma", "reg:tweedie", "survival:cox", "survival:aft"), "exp"),
    "multi:softprob": "softmax",
}
"""Links of the objectives whose answers are a function of the margins that a compiled model has."""


def is_xgboost(model: Any) -> bool:
    """Whether a model is an XGBoost estimator or ``Booster``."""
    xgboost = sys.modules.get("xgboost")
    return xgboost is not None and isinstance(model, xgboost.Booster | xgboost.XGBModel)


def from_xgboost(model: Any) -> CompiledModel:
    """Return the compiled form of a fitted XGBoost estimator or ``Booster``.

    Parameters
    ----------
    model : estimator or Booster
        Of trees (``booster="gbtree"`` or ``"dart"``) with numeric splits. Missing cells go where XGBoost sends them. An
        estimator that was stopped early has the trees up to its best iteration, as in its ``predict``.

    Raises
    ------
    CompileError
        If it has categorical splits, linear boosters, vector leaves, another mark of missing cells than NaN, several
        labels per row, or an objective whose answers are no known function of the margins.
    """
    booster = model.get_booster() if hasattr(model, "get_booster") else model
    learner = _learner(booster)
    classes = _classes_of(model)
    link = _link(model, learner["objective"]["name"], classes)
    forest = trees_of_xgboost(model).forest()
    if classes is not None and len(forest.base) != (1 if link == "binary" else len(classes)):
        raise _refused(model, f"{len(forest.base)} labels per row", "one label per row. Fit one model per label")
    _check_margins(model, booster, forest)
    is_single = classes is None and len(forest.base) == 1
    names = learner["feature_names"] or None
    return CompiledModel(forest, link, classes=classes, is_single=is_single, names=names)


def trees_of_xgboost(model: Any) -> Trees:
    """Read the trees of a fitted estimator or ``Booster``; the sums of their leaves are its margins.

    Raises
    ------
    CompileError
        If there are no trees, categorical splits or vector leaves.
    """
    booster = model.get_booster() if hasattr(model, "get_booster") else model
    learner = _learner(booster)
    _check_columns(model, learner)
    boosted = learner["gradient_booster"]
    weights = boosted.get("weight_drop")
    boosted = boosted.get("gbtree", boosted)["model"] if boosted["name"] != "gblinear" else {"trees": ()}
    if not boosted["trees"]:
        raise _refused(model, "no trees", "booster='gbtree' or 'dart'. Fit it with one of them")
    n_trees = _n_trees(model, boosted)
    trees = boosted["trees"][:n_trees]
    if any(int(tree["tree_param"].get("size_leaf_vector", 1)) > 1 for tree in trees):
        raise _refused(
            model, "multi_strategy='multi_output_tree'", "one output per tree. Fit it with multi_strategy=None"
        )
    if any(any(tree["split_type"]) for tree in trees):
        raise _refused(model, "categorical splits", "numeric columns. Encode categories as numbers before fitting")
    factors = np.ones(n_trees) if weights is None else np.array(weights[:n_trees], dtype=np.float64)
    start = _start(learner)
    joined = _joined(trees, factors, int(learner["learner_model_param"]["num_feature"]), len(start))
    return replace(joined, tree_output=np.array(boosted["tree_info"][:n_trees], dtype=np.int64), start=start)


def _learner(booster: Any) -> dict[str, Any]:
    return json.loads(bytes(booster.save_raw(raw_format="json")))["learner"]


def _check_columns(model: Any, learner: Mapping[str, Any]) -> None:
    missing = getattr(model, "missing", np.nan)
    if missing is not None and not np.isnan(missing):
        raise _refused(model, f"missing={missing!r}", "missing=nan. Replace such cells by NaN before fitting")
    if "c" in (learner["feature_types"] or ()):
        raise _refused(model, "categorical columns", "numeric columns. Encode categories as numbers before fitting")


def _n_trees(model: Any, boosted: Mapping[str, Any]) -> int:
    """Return the number of trees that ``predict`` uses: up to the best iteration of an estimator stopped early."""
    in_all = len(boosted["trees"])
    best = getattr(model, "best_iteration", None) if hasattr(model, "get_booster") else None
    bounds = boosted.get("iteration_indptr")
    return in_all if best is None or bounds is None else int(bounds[min(best + 1, len(bounds) - 1)])


def _joined(trees: list[dict[str, Any]], factors: np.ndarray, n_features: int, n_outputs: int) -> Trees:
    """Return the nodes of all trees, their leaf values multiplied by the factor of their tree."""
    size = np.array([len(tree["left_children"]) for tree in trees])
    root = np.cumsum(size) - size
    shift = np.repeat(root, size)

    def joined(name: str, dtype: Any) -> np.ndarray:
        return np.concatenate([np.asarray(tree[name], dtype=dtype) for tree in trees])

    left, right = joined("left_children", np.int64), joined("right_children", np.int64)
    condition = joined("split_conditions", np.float32)
    return Trees(
        n_features=n_features,
        root=root,
        left=np.where(left >= 0, left + shift, -1),
        right=np.where(left >= 0, right + shift, -1),
        feature=joined("split_indices", np.int64),
        threshold=np.nextafter(condition, np.float32(-np.inf)),  # cells below the condition go to the left
        missing_left=joined("default_left", np.int64).astype(bool),
        value=(condition.astype(np.float64) * np.repeat(factors, size))[:, None],
        tree_output=np.zeros(len(trees), dtype=np.int64),
        n_outputs=n_outputs,
    )


def _start(learner: Mapping[str, Any]) -> np.ndarray:
    """Return the margin of each output without trees: the base score on the scale of the margins."""
    param = learner["learner_model_param"]
    given = np.array(param["base_score"].strip("[]").split(","), dtype=np.float64)
    n_outputs = max(int(param["num_class"]), int(param.get("num_target", 1)), 1)
    start = np.broadcast_to(given, n_outputs)
    link = LINKS.get(learner["objective"]["name"])
    if link == "logistic" or learner["objective"]["name"] == "binary:logitraw":
        return np.log(start) - np.log1p(-start)
    return np.log(start) if link == "exp" else start.copy()


def _classes_of(model: Any) -> np.ndarray | None:
    """Return the labels of a classifier; ``None`` for other estimators and boosters."""
    classes = getattr(model, "classes_", None) if hasattr(model, "predict_proba") else None
    return None if classes is None else np.asarray(classes)


def _link(model: Any, objective: str, classes: np.ndarray | None) -> str:
    link = LINKS.get(objective)
    if link is None or (classes is not None and link not in ("logistic", "softmax")):
        raise _refused(
            model,
            f"the objective {objective!r}, whose answers are no known function of its margins",
            f"one of {', '.join(LINKS)}, and for a classifier 'binary:logistic' or 'multi:softprob'",
        )
    return "binary" if classes is not None and link == "logistic" else link


def _check_margins(model: Any, booster: Any, forest: Forest) -> None:
    """Raise an error unless the forest has the margins of the model on some rows, one of which has no cells.

    This guards against a format of another release.
    """
    rng = np.random.default_rng(0)
    rows = np.full((N_PROBES, forest.n_features), np.nan, dtype=np.float32)
    for feature in np.unique(forest.feature):
        drawn = rng.choice(forest.threshold[forest.feature == feature], N_PROBES - 1)
        rows[1:, feature] = np.where(rng.uniform(size=N_PROBES - 1) < 0.2, np.nan, drawn * rng.uniform(0.9, 1.1))
    xgboost = sys.modules["xgboost"]
    table = xgboost.DMatrix(rows, feature_names=booster.feature_names, feature_types=booster.feature_types)
    stop = getattr(model, "best_iteration", None) if hasattr(model, "get_booster") else None
    until = (0, 0) if stop is None else (0, stop + 1)
    margins = booster.predict(table, output_margin=True, iteration_range=until).reshape(N_PROBES, -1)
    largest = np.maximum.reduceat(np.abs(forest.leaf_values[:, 0]), forest.tree_leaf[:-1]).sum()
    size = largest + np.abs(forest.base).max()
    if not np.allclose(margins, forest.scores(rows), rtol=0, atol=PROBE_TOLERANCE * max(size, 1.0)):
        raise _refused(model, "margins other than those of its trees", "a release of XGBoost from 2.0 to 3.x")


def _refused(model: Any, got: str, expected: str) -> CompileError:
    return CompileError(f"compile: the {type(model).__name__} of XGBoost has {got}; expected {expected}.")
