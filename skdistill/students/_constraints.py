"""The parameters ``monotonic_cst`` and ``interaction_cst``: what users write, as directions and sets of columns.

With more than two classes the probabilities sum to one, so that not all of them can rise together: "the prediction must
not fall" says nothing there. A constraint then belongs to one class: its odds against every other class must not fall
as the column grows, so that its probability does not fall either. The scores of all families keep this if that of the
class does not fall and those of all others do not rise.
"""

import reprlib
from collections.abc import Mapping
from itertools import combinations
from numbers import Integral
from typing import Any

import numpy as np

from .._described import described
from .._suggesting import did_you_mean


def score_directions(
    owner: str, given: Any, *, names: list[str], is_category: np.ndarray, classes: Any, n_scores: int
) -> np.ndarray | None:
    """Return -1, 0 or 1 for each score and column, shape (n_scores, n_features); ``None`` if no column is constrained.

    Parameters
    ----------
    owner : str
        Name of the student, for messages.
    given : object
        The parameter ``monotonic_cst``.
    names : list of str
        Names of the columns; empty for arrays.
    is_category : ndarray of bool, shape (n_features,)
        Which columns hold categories.
    classes : ndarray of shape (n_classes,) or None
        Labels of a classifier.
    n_scores : int
        1 for two classes.

    Raises
    ------
    ValueError
        If ``given`` is malformed, contradicts itself, or constrains a column of categories.
    """
    if given is None:
        return None
    n_features = len(is_category)
    if classes is not None and (n_scores > 1 or _is_by_class(given, classes, n_features)):
        directions = _of_classes(owner, given, names, n_features, np.asarray(classes).tolist())
    else:
        directions = _of_outputs(owner, given, names, n_features, n_scores)
    coded = np.flatnonzero(directions.any(axis=0) & is_category)
    if len(coded):
        raise ValueError(
            f"{owner}: monotonic_cst constrains column {_name(names, coded[0])}, which holds categories; expected "
            "0 there. Encode an order of categories as numbers."
        )
    return directions if directions.any() else None


def _of_outputs(owner: str, given: Any, names: list[str], n_features: int, n_outputs: int) -> np.ndarray:
    """Return the same directions for all outputs, or those given for each."""
    table = np.asarray(None) if isinstance(given, Mapping) else _as_array(given)
    if table.ndim == 2 and table.shape[0] == n_outputs:
        return np.array([one_direction(owner, row, names, n_features) for row in table])
    return np.tile(one_direction(owner, given, names, n_features), (n_outputs, 1))


def one_direction(owner: str, given: Any, names: list[str], n_features: int) -> np.ndarray:
    """Return -1, 0 or 1 for each column, from an array or from a mapping of names."""
    if isinstance(given, Mapping):
        unknown = [name for name in given if name not in names]
        if unknown:
            known = str(names) if names else "no names, since X is an array: pass an array with -1, 0 or 1 per column"
            raise ValueError(f"{owner}: monotonic_cst names {unknown}; expected some of {known}.")
        directions = _as_array([given.get(name, 0) for name in names])
    else:
        directions = _as_array(given)
    is_direction = directions.shape == (n_features,) and directions.dtype.kind in "iufb"
    if not is_direction or not np.isin(directions, (-1, 0, 1)).all():
        raise ValueError(
            f"{owner}: monotonic_cst={described(given)}; expected -1, 0 or 1 for each of the "
            f"{n_features} columns, or a dict from names of columns to these."
        )
    return directions.astype(np.int64)


def _as_array(given: Any) -> np.ndarray:
    try:
        return np.asarray(given)
    except ValueError:  # rows of different lengths
        return np.asarray(None)


def _is_by_class(given: Any, classes: np.ndarray, n_features: int) -> bool:
    """Whether directions are given for each class."""
    if isinstance(given, Mapping):
        return any(isinstance(value, Mapping) or np.ndim(value) == 1 for value in given.values())
    return _as_array(given).shape == (len(classes), n_features)


def _of_classes(owner: str, given: Any, names: list[str], n_features: int, classes: list[Any]) -> np.ndarray:
    """Return the directions of scores, given those of the odds of classes."""
    by_class = directions_by_class(owner, given, names, n_features, classes)
    if len(classes) == 2:
        contradicts = np.flatnonzero(by_class.prod(axis=0) > 0)
        if len(contradicts):
            raise ValueError(
                f"{owner}: monotonic_cst moves both classes the same way in column {_name(names, contradicts[0])}, "
                "but their probabilities sum to one. Constrain one of them."
            )
        return np.where(by_class[1] != 0, by_class[1], -by_class[0])[None]
    several = np.flatnonzero(np.count_nonzero(by_class, axis=0) > 1)
    if len(several):
        which = [classes[index] for index in np.flatnonzero(by_class[:, several[0]])]
        raise ValueError(
            f"{owner}: monotonic_cst constrains several classes, {which}, in column {_name(names, several[0])}; "
            "expected one class for each column, whose odds against all others are monotone. Keep the class that "
            "matters most there."
        )
    signed = by_class.sum(axis=0)
    return np.where(by_class != 0, by_class, -signed)


def directions_by_class(owner: str, given: Any, names: list[str], n_features: int, classes: list[Any]) -> np.ndarray:
    """Return -1, 0 or 1 for each class and column, as given."""
    if isinstance(given, Mapping):
        unknown = [label for label in given if label not in classes]
        if unknown and all(label in names for label in unknown):
            raise ValueError(_needs_classes(owner, given, classes))
        if unknown:
            raise ValueError(f"{owner}: monotonic_cst has classes {unknown}; expected some of {classes}.")
        none = np.zeros(n_features, dtype=np.int64)
        rows = [given.get(label, none) for label in classes]
        return np.array([one_direction(owner, row, names, n_features) for row in rows])
    table = _as_array(given)
    if table.shape != (len(classes), n_features):
        raise ValueError(_needs_classes(owner, given, classes))
    return np.array([one_direction(owner, row, names, n_features) for row in table])


def _needs_classes(owner: str, given: Any, classes: list[Any]) -> str:
    return (
        f"{owner}: monotonic_cst={described(given)} with {len(classes)} classes, whose probabilities sum to one, so "
        "that not all can rise; expected directions for each class. Pass a dict from a class to its directions, such "
        f"as {{{classes[-1]!r}: ...}}, or an array with a row for each of {reprlib.repr(classes)}."
    )


def interaction_sets(owner: str, given: Any, *, names: list[str], n_features: int) -> list[list[int]] | None:
    """Return the sets of columns that may interact, each as sorted positions; ``None`` if all may.

    Columns in none of the sets form one more, as in scikit-learn's histogram gradient boosting.

    Raises
    ------
    ValueError
        If ``given`` is malformed or has columns that the table lacks.
    """
    if given is None:
        return None
    if isinstance(given, str):
        if given not in SETS:
            raise ValueError(f"{owner}: interaction_cst={given!r}; {_EXPECTED_SETS}{did_you_mean(given, SETS)}")
        size = 2 if given == "pairwise" and n_features > 1 else 1
        return [list(each) for each in combinations(range(n_features), size)]
    is_sets = np.iterable(given) and not isinstance(given, Mapping | bytes)
    groups: list[Any] = list(given) if is_sets else [None]
    if not all(np.iterable(group) and not isinstance(group, str | bytes | Mapping) for group in groups):
        raise ValueError(f"{owner}: interaction_cst={described(given)}; {_EXPECTED_SETS}{did_you_mean(given, SETS)}")
    sets = [sorted({_position(owner, column, names, n_features) for column in group}) for group in groups]
    rest = sorted(set(range(n_features)) - {column for group in sets for column in group})
    sets = [group for group in [*sets, rest] if group]
    return None if any(len(group) == n_features for group in sets) else sets


SETS = ("pairwise", "no_interactions")
_EXPECTED_SETS = "expected 'pairwise', 'no_interactions', or a list of sets of column names or positions."


def _position(owner: str, column: Any, names: list[str], n_features: int) -> int:
    """Return the position of a column."""
    if isinstance(column, str) and column in names:
        return names.index(column)
    if isinstance(column, Integral) and not isinstance(column, bool) and 0 <= int(column) < n_features:
        return int(column)
    known = f"some of {names}" if isinstance(column, str) and names else f"0 to {n_features - 1}, the columns of X"
    raise ValueError(f"{owner}: interaction_cst has the column {column!r}; expected {known}.")


def _name(names: list[str], index: int) -> str:
    return repr(names[index]) if names else str(index)
