"""How many numbers a model has learned, and how many operations it takes for a row.

Models are known by what they have once they are fitted, so that no library has to be imported for it.
"""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np

from ..convert import members_of, read_structure
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
    structure = read_structure(model)
    if structure is not None:
        return Count(structure.n_parameters, structure.n_operations)
    for attributes, count in _TRANSFORMERS:
        if all(hasattr(model, attribute) for attribute in attributes):
            return count(model)
    members = members_of(model)
    return _count_arrays(model) if members is None else Count.total(map(_count_member, members))


def _count_member(member: Any) -> Count:
    is_nothing = member is None or isinstance(member, str)  # a step that passes on what it gets, or drops it
    return Count(0, 0) if is_nothing else _count(member)


# ---------------------------------------------------------------------- transformers, and arrays of anything else


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


_TRANSFORMERS: tuple[tuple[tuple[str, ...], Callable[[Any], Count]], ...] = (
    (("components_", "explained_variance_"), _count_projection),
    (("scale_", "inverse_transform"), _count_scaling),
    (("statistics_",), _count_only("statistics_")),
    (("cluster_centers_",), _count_only("cluster_centers_")),
)
"""By which attributes a kind is known, the first that fits."""
