"""How many numbers a model has learned, and how many operations it takes for a row.

Models are recognised by their fitted attributes, so that no other library is imported.
"""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np

from ..convert import members_of, read_structure
from ._unwrapping import compiled_form, completed, shipped

UNKNOWN = float("nan")
NAMES = ("classes_", "categories_")
"""Attributes with labels and categories, which are no parameters even if they are floats."""

DIAGNOSTICS = ("_scores_", "_score_", "_curve_", "_path_", "_paths_", "history_", "cv_results_")
"""Suffixes of attributes that record a fit, and on which no prediction depends."""


class Count(NamedTuple):
    """The counts of one model."""

    n_parameters: float
    n_operations: float

    @classmethod
    def total(cls, counts: Iterable["Count"]) -> "Count":
        """Return the sums; NaN if one of the counts is NaN."""
        counts = list(counts)
        return cls(sum(count.n_parameters for count in counts), sum(count.n_operations for count in counts))


def n_parameters(model: Any) -> float:
    """Count the numbers a model has learned.

    For students of this package and compiled models, this is the number that ``student_size`` bounds. For other models,
    these numbers are counted: feature and threshold of each split and the values of each leaf (trees, forests and
    boosting of scikit-learn, LightGBM); coefficients and intercepts (linear models, networks); support vectors and
    their coefficients. Pipelines, votes, stacks and bags have the sum of their members. For any other model, the
    elements of all fitted arrays of floats are counted.

    Parameters
    ----------
    model : object
        Fitted. Of a distilled estimator, the student is counted, also inside pipelines and searches.

    Returns
    -------
    n_parameters : int or float
        NaN if it is unknown, for example for functions.

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

    The count is what an efficient implementation needs, whatever the library does: one for each split on the way to the
    mean leaf of each tree and one for each value added, one for each coefficient, one for each number of a support
    vector. It compares models of one family; to compare two families, measure their :func:`latency`.

    Parameters
    ----------
    model : object
        Fitted. Of a distilled estimator, the student is counted, also inside pipelines and searches.

    Returns
    -------
    n_operations : int or float
        NaN if it is unknown for the model, or for one of its members or steps.

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
    is_nothing = member is None or isinstance(member, str)  # the step "passthrough" or "drop"
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
    """Count a model that is a single array, each number of which is used once for each row."""

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
    """Return the number of elements of all arrays of floats among the fitted attributes; each array counts once."""
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
    if name == "_fit_X":  # the training rows of nearest neighbours
        return True
    return name.endswith("_") and not name.startswith(("_", "oob_")) and not name.endswith((*NAMES, *DIAGNOSTICS))


_TRANSFORMERS: tuple[tuple[tuple[str, ...], Callable[[Any], Count]], ...] = (
    (("components_", "explained_variance_"), _count_projection),
    (("scale_", "inverse_transform"), _count_scaling),
    (("statistics_",), _count_only("statistics_")),
    (("cluster_centers_",), _count_only("cluster_centers_")),
)
"""The attributes that identify each kind of transformer; the first match counts."""
