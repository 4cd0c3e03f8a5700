"""How many numbers a model has learned, and how many operations it takes for a row.

Models are known by what they have once they are fitted, so that no library has to be imported for it.
"""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np
from sklearn.pipeline import FeatureUnion, Pipeline

from ._unwrapping import compiled_form, completed, shipped

UNKNOWN = float("nan")
NAMES = ("classes_", "categories_")
"""Labels and categories are no parameters, also where they are floats."""

DIAGNOSTICS = ("_scores_", "_score_", "_curve_", "_path_", "_paths_", "history_", "cv_results_")
"""Ends of names of what was written down during a fit, and what no answer depends on."""


class Count(NamedTuple):
    """What one model has."""

    n_parameters: float
    n_operations: float

    @classmethod
    def total(cls, counts: Iterable["Count"]) -> "Count":
        """Return the sums; unknown where one is."""
        counts = list(counts)
        return cls(sum(count.n_parameters for count in counts), sum(count.n_operations for count in counts))


def n_parameters(model: Any) -> float:
    """Count the numbers a model has learned.

    Of students of this package and compiled models it is what ``student_size`` speaks of. Of others: feature and
    threshold of each split and the values of each leaf (trees, forests and boosting of scikit-learn, LightGBM);
    coefficients and intercepts (linear models, networks); support vectors and their coefficients. Pipelines, votes,
    stacks and bags have the sum of their members. Of anything else with fitted arrays of floats it is their size.

    Parameters
    ----------
    model : object
        Fitted. Of a distilled estimator its student counts; pipelines and searches are looked into.

    Returns
    -------
    n_parameters : int or float
        NaN where nothing is known, as of functions.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from skdistill.metrics import n_parameters
    >>> tree = DecisionTreeClassifier(max_leaf_nodes=3).fit(*load_iris(return_X_y=True))
    >>> n_parameters(tree)  # two splits of two numbers, three leaves of three probabilities
    13
    """
    return _whole(_count(model).n_parameters)


def n_operations(model: Any) -> float:
    """Count the operations a model takes for one row: comparisons, multiplications, additions of leaf values.

    They are counted as a runtime would need them, not as any library makes them: one for each split on the way to the
    mean leaf of each tree and one for each value added, one for each coefficient, one for each number of a support
    vector. Two models of one family compare well by it; of two families microseconds tell more: :func:`latency`.

    Parameters
    ----------
    model : object
        Fitted. Of a distilled estimator its student counts; pipelines and searches are looked into.

    Returns
    -------
    n_operations : int or float
        NaN where it is not known, also of one member or step.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from skdistill.metrics import n_operations
    >>> tree = DecisionTreeClassifier(max_leaf_nodes=3).fit(*load_iris(return_X_y=True))
    >>> n_operations(tree)  # leaves after one, two and two splits; then three probabilities
    5
    """
    return _whole(_count(model).n_operations)


def _whole(number: float) -> float:
    return UNKNOWN if np.isnan(number) else round(number)


def _count(model: Any) -> Count:
    model = shipped(model)
    scorer = getattr(compiled_form(model), "scorer", None)
    if scorer is not None and hasattr(scorer, "n_parameters") and hasattr(scorer, "n_ops"):
        return Count(scorer.n_parameters, scorer.n_ops)
    inner = completed(model)
    if inner is not None:
        return Count.total(map(_count_member, (inner, getattr(model, "decoder", None))))
    for attributes, read in _READERS:
        if all(_has(model, attribute) for attribute in attributes):
            return read(model)
    members = _members(model)
    return _count_arrays(model) if members is None else Count.total(map(_count_member, members))


def _has(thing: Any, path: str) -> bool:
    """Whether there is an attribute, or one of an attribute: ``a.b``."""
    name, _, rest = path.partition(".")
    return hasattr(thing, name) and (not rest or _has(getattr(thing, name), rest))


# ---------------------------------------------------------------------- those with members


def _count_member(member: Any) -> Count:
    is_nothing = member is None or isinstance(member, str)  # a step that passes on what it gets, or drops it
    return Count(0, 0) if is_nothing else _count(member)


def _members(model: Any) -> list[Any] | None:
    """Return the fitted parts whose sum a model is; ``None`` of models that are no sum."""
    if isinstance(model, Pipeline):
        return [step for _, step in model.steps]
    if isinstance(model, FeatureUnion):
        return [step for _, step in model.transformer_list]
    if hasattr(model, "transformers_"):  # by columns
        return [step for _, step, _ in model.transformers_]
    if hasattr(model, "calibrated_classifiers_"):
        pairs = model.calibrated_classifiers_
        return [part for pair in pairs for part in (pair.estimator, *pair.calibrators)]
    if hasattr(model, "estimators_"):
        final = [model.final_estimator_] if hasattr(model, "final_estimator_") else []
        return [*np.ravel(np.array(model.estimators_, dtype=object)), *final]
    for name in ("regressor_", "estimator_"):
        if hasattr(model, name):
            return [getattr(model, name)]
    return [model.transformer_] if hasattr(model, "transformer_") else None


# ---------------------------------------------------------------------- trees


def _count_tree(model: Any) -> Count:
    tree = model.tree_
    return _of_pointers(tree.children_left, tree.children_right, int(np.prod(tree.value.shape[1:])))


def _count_histogram_trees(model: Any) -> Count:
    counts = []
    for nodes in (predictor.nodes for of_round in model._predictors for predictor in of_round):
        is_leaf = nodes["is_leaf"].astype(bool)
        counts.append(_of_depths(int(np.count_nonzero(~is_leaf)), nodes["depth"][is_leaf], 1))
    return Count.total([Count(np.size(model._baseline_prediction), 0), *counts])


def _count_lightgbm(model: Any) -> Count:
    text = (model if hasattr(model, "model_to_string") else model.booster_).model_to_string()
    counts = []
    for block in text.split("\nTree=")[1:]:
        lines = dict(line.split("=", 1) for line in block.split("\n\n")[0].splitlines()[1:] if "=" in line)
        left, right = (np.array(lines.get(f"{side}_child", "").split(), dtype=int) for side in ("left", "right"))
        n_splits, leaves = len(left), np.full(len(left) + 1, -1)
        # leaf j is -j - 1 there, and node n_splits + j here
        left, right = (np.append(np.where(child < 0, n_splits - 1 - child, child), leaves) for child in (left, right))
        counts.append(_of_pointers(left, right, 1))
    return Count.total(counts)


def _of_pointers(left: np.ndarray, right: np.ndarray, width: int) -> Count:
    """Count a tree given by the children of its nodes, -1 for those of leaves; node 0 is the root."""
    depth, level, n_levels = np.zeros(len(left), dtype=int), np.array([0]), 0
    while len(level):
        depth[level], n_levels = n_levels, n_levels + 1
        splits = level[left[level] >= 0]
        level = np.concatenate([left[splits], right[splits]])
    return _of_depths(int(np.count_nonzero(left >= 0)), depth[left < 0], width)


def _of_depths(n_splits: int, depths: np.ndarray, width: int) -> Count:
    """Count a tree given the depths of its leaves, each of ``width`` values."""
    return Count(2 * n_splits + width * len(depths), float(np.mean(depths)) + width)


# ---------------------------------------------------------------------- arrays


def _count_machine(model: Any) -> Count:
    vectors, coef = model.support_vectors_, model.dual_coef_
    size = vectors.size + coef.size
    platt = sum(np.size(getattr(model, name, ())) for name in ("_probA", "_probB"))  # public ones are deprecated
    return Count(size + np.size(model.intercept_) + platt, size + vectors.shape[0])


def _count_network(model: Any) -> Count:
    weights, biases = (sum(np.size(array) for array in arrays) for arrays in (model.coefs_, model.intercepts_))
    return Count(weights + biases, weights + biases)


def _count_linear(model: Any) -> Count:
    return Count(model.coef_.size + np.size(getattr(model, "intercept_", ())), model.coef_.size)


def _count_projection(model: Any) -> Count:
    mean = getattr(model, "mean_", None)
    return Count(model.components_.size + (0 if mean is None else np.size(mean)), model.components_.size)


def _count_scaling(model: Any) -> Count:
    shifts = (getattr(model, name, None) for name in ("mean_", "center_", "min_"))
    size = [np.size(array) for array in (model.scale_, *shifts) if array is not None]
    return Count(sum(size), max(size, default=0))


def _count_only(attribute: str) -> Callable[[Any], Count]:
    """Count a model that is one array, each number of which is used once a row."""

    def count(model: Any) -> Count:
        size = getattr(model, attribute).size
        return Count(size, size)

    return count


def _count_arrays(model: Any) -> Count:
    """Count the fitted floats of anything else."""
    seen: set[int] = set()
    size = _floats_in(model, seen)
    knows_nothing = size == 0 and (hasattr(model, "predict") or not hasattr(model, "transform"))
    return Count(UNKNOWN if knows_nothing else size, UNKNOWN)


def _floats_in(thing: Any, seen: set[int]) -> int:
    """Return the size of all arrays of floats among the fitted attributes, each array once."""
    if id(thing) in seen or isinstance(thing, type):
        return 0
    seen.add(id(thing))
    if hasattr(thing, "dtype") and hasattr(thing, "size"):
        return int(thing.size) if getattr(thing.dtype, "kind", "") == "f" else 0
    if isinstance(thing, dict):
        return sum(_floats_in(value, seen) for value in thing.values())
    if isinstance(thing, list | tuple):
        return sum(_floats_in(value, seen) for value in thing)
    fitted = {name: value for name, value in getattr(thing, "__dict__", {}).items() if _is_learned(name)}
    return sum(_floats_in(value, seen) for value in fitted.values())


def _is_learned(name: str) -> bool:
    if name == "_fit_X":  # the rows that nearest neighbours are looked for among
        return True
    return name.endswith("_") and not name.startswith(("_", "oob_")) and not name.endswith((*NAMES, *DIAGNOSTICS))


_READERS: tuple[tuple[tuple[str, ...], Callable[[Any], Count]], ...] = (
    (("tree_.children_left", "tree_.value"), _count_tree),  # others keep a tree of neighbours there
    (("_predictors", "_baseline_prediction"), _count_histogram_trees),
    (("model_to_string",), _count_lightgbm),
    (("booster_", "fitted_"), _count_lightgbm),
    (("support_vectors_", "dual_coef_"), _count_machine),
    (("coefs_", "intercepts_"), _count_network),
    (("coef_",), _count_linear),
    (("components_", "explained_variance_"), _count_projection),
    (("scale_", "inverse_transform"), _count_scaling),
    (("statistics_",), _count_only("statistics_")),
    (("cluster_centers_",), _count_only("cluster_centers_")),
)
"""By which attributes a kind is known, the first that fits; a machine has ``coef_`` as well."""
