"""Boosting that continues trees: those of an earlier student, or of another model with few trees."""

import copy
from dataclasses import replace
from typing import Any

import numpy as np

from .._losses import Loss
from ..compiled import Forest
from ..compiled._nodes import round_down
from ..compression import read_inheritance
from ..compression._kept_splits import take_trees
from ..compression._model_inside import check_names
from ..exceptions import StudentError
from ..solvers import TreeTable
from ._network_from import aligned, check_own
from ._student import CompactStudent


def trees_to_start(
    student: CompactStudent, model: Any, table: TreeTable, targets: np.ndarray, loss: Loss, n_trees: int
) -> list[Forest]:
    """Return the trees of each output of a model, with scores on the scale of those of the targets.

    Raises
    ------
    StudentError
        If the model has no such trees, more than ``n_trees`` for an output, or reads other columns.
    """
    try:
        forest = _read(student, model, table, loss)
    except StudentError as error:
        raise StudentError(f"{type(student).__name__}: {error}") from error
    if len(forest.base) != targets.shape[1]:
        raise StudentError(
            f"{type(student).__name__}: the {type(model).__name__} in init has {len(forest.base)} outputs, and the "
            f"targets have {targets.shape[1]}; expected as many. Pass a model of the same outputs, or init=None."
        )
    forest = aligned(_in_dtype(forest, table.cells.dtype), table.cells, targets, table.weight, loss)
    sequences = [_of_output(forest, output) for output in range(len(forest.base))]
    most = max(trees.n_trees for trees in sequences)
    if most > n_trees:
        raise StudentError(
            f"{type(student).__name__}: the {type(model).__name__} in init has {most} trees for an output; expected at "
            f"most n_trees={n_trees}, which includes them. Pass a larger n_trees, or a CompactInheritedClassifier or "
            "CompactInheritedRegressor, which select among trees."
        )
    return sequences


def _read(student: CompactStudent, model: Any, table: TreeTable, loss: Loss) -> Forest:
    """Return the trees of a model that reads the columns of a table."""
    model = getattr(model, "student_", model)
    own = getattr(model, "scorer_", None)
    if isinstance(own, Forest) and isinstance(model, CompactStudent):
        check_own(student, model)
        pairs = zip(model._encoder.categories_, table.encoder.categories_, strict=True)
        for column, (known, given) in enumerate(pairs):
            if _as_list(known) != _as_list(given):
                raise StudentError(
                    f"column {column} of X has other categories than the {type(model).__name__} in init knows; "
                    "expected the same ones, since its splits name them. Pass init=None."
                )
        is_quadratic, kind = model._loss.is_quadratic, type(model).__name__
    else:
        start, kind = read_inheritance(model), type(model).__name__
        if not isinstance(start.scorer, Forest):
            raise StudentError(f"init is a {kind}, which has no trees; expected a model of trees, or None.")
        own, is_quadratic = start.scorer, start.link == "identity"
        check_names(student._names(), start.names, len(table.encoder.categories_), own.n_features, kind)
    if is_quadratic != loss.is_quadratic:
        wanted = "values" if loss.is_quadratic else "logits of probabilities"
        raise StudentError(
            f"the trees of the {kind} in init do not add up to {wanted}, which further trees could be added to; "
            "expected boosting of the same task. Pass such a model, or init=None."
        )
    return own


def _as_list(known: Any) -> list[Any] | None:
    return None if known is None else list(known)


def _in_dtype(forest: Forest, dtype: Any) -> Forest:
    """Return the forest with thresholds of the dtype of a table."""
    if forest.dtype == dtype:
        return forest
    is_coded = forest.is_category[forest.feature]
    rounded = round_down(forest.threshold) if dtype == np.float32 else forest.threshold
    return replace(forest, threshold=np.where(is_coded, forest.threshold, rounded).astype(dtype))


def _of_output(forest: Forest, output: int) -> Forest:
    """Return the trees of one output, whose base is their constant score."""
    is_shared = forest.value.shape[1] > 1
    trees = np.arange(forest.n_trees) if is_shared else np.flatnonzero(forest.tree_output == output)
    taken = take_trees(forest, trees)
    return replace(
        taken,
        value=taken.leaf_values[:, [output if is_shared else 0]],
        tree_output=np.zeros(len(trees), dtype=forest.tree_output.dtype),
        base=forest.base[[output]],
        unit=np.ones(1),
    )


def with_first_half(student: Any) -> Any:
    """Return a fitted student with the first half of the trees of each output, but at least one."""
    outputs = student.scorer_.tree_output
    of_each = [np.flatnonzero(outputs == output) for output in np.unique(outputs)]
    kept = np.concatenate([trees[: max(len(trees) // 2, 1)] for trees in of_each]) if of_each else outputs
    half = copy.copy(student)
    half.scorer_ = take_trees(student.scorer_, np.sort(kept))
    return half


def continued(first: Forest, more: Forest) -> Forest:
    """Return the trees of one output, followed by trees that were grown after them."""
    n_subsets = len(first.subsets)
    subsets = np.zeros((n_subsets + len(more.subsets), max(first.subsets.shape[1], more.subsets.shape[1])), dtype=bool)
    subsets[:n_subsets, : first.subsets.shape[1]] = first.subsets
    subsets[n_subsets:, : more.subsets.shape[1]] = more.subsets
    shifted = more.threshold + np.where(more.is_category[more.feature], n_subsets, 0)
    names = ("feature", "missing_left", "n_left", "tree_splits", "tree_output")
    return Forest(
        n_features=first.n_features,
        threshold=np.concatenate([first.threshold, shifted]).astype(first.dtype),
        value=np.concatenate([first.leaf_values, more.leaf_values]),
        base=first.base + more.base,
        subsets=subsets,
        is_category=first.is_category | more.is_category,
        **{name: np.concatenate([getattr(first, name), getattr(more, name)]) for name in names},
    )
