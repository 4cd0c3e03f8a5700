"""Models of integers: trees whose rows, thresholds and leaf values are integers of 32 bits."""

import math
from dataclasses import dataclass, replace

import numpy as np

from .._ordering import ordered
from ..exceptions import ExportError
from ._floats import refuse_doubles
from ._program import Part, Program, Trees

MISSING = -(2**31)
"""The cell of a missing number."""

LARGEST_CELL = 2**31 - 2
LARGEST_SCORE = 2**30


@dataclass(frozen=True)
class Integers:
    """A model whose scores are integers.

    Parameters
    ----------
    program : Program
        Trees with integers as thresholds, leaf values and base.
    shift : int
        The integers are the numbers of the model times two to the power of ``shift``.
    rounding : float
        Maximum error of the scores that comes from rounding leaf values.
    least : int or None
        Least score of the second one of two classes at which it is the label; ``None`` for other models.
    offsets : ndarray of shape (n_scores,)
        Added to the scores of the model so that the largest one is that of the label.
    """

    program: Program
    shift: int
    rounding: float
    least: int | None
    offsets: np.ndarray


def as_integers(program: Program) -> Integers:
    """Return the model of integers.

    Raises
    ------
    ExportError
        If the model does not consist of trees, needs an exponential, or has columns or values that do not fit.
    """
    refuse_doubles(program, "int")
    _refuse_others(program)
    offsets = _offsets(program)
    largest = _largest_scores(program) + np.abs(offsets)
    shift = 30 - math.ceil(math.log2(max(float(largest.max()), 1e-9)))
    if shift < 0:
        raise ExportError(
            f"to_c: the values of the model reach {float(largest.max()):.3g}, but dtype='int' has at most "
            f"{LARGEST_SCORE:,}. Fit on smaller values, or export with dtype='float'."
        )
    shift = min(shift, 30)
    parts: list[Part] = [_part(part, shift, offsets * (place == 0)) for place, part in enumerate(program.parts)]
    n_roundings = sum(len(part.tree_splits) + 1 for part in parts if isinstance(part, Trees))
    return Integers(
        program=replace(program, parts=parts),
        shift=shift,
        rounding=n_roundings * 0.5 / 2**shift,
        least=_least(program, shift),
        offsets=offsets,
    )


def integer_cells(cells: np.ndarray) -> np.ndarray:
    """Return numbers as rows of integers hold them: rounded and within the range; NaN stays missing."""
    return np.clip(np.round(cells), 1 - 2**31, LARGEST_CELL)


def _refuse_others(program: Program) -> None:
    what = None
    if not all(isinstance(part, Trees) for part in program.parts):
        what = "its parts are not all trees"
    elif program.classes is None and (program.link != "identity"):
        what = f"its link {program.link!r} needs an exponential"
    elif program.classes is not None and program.thresholds is not None and not _has_thresholds_of_scores(program):
        what = f"its thresholds of a decision are not those of scores with the link {program.link!r}"
    if what is not None:
        raise ExportError(f"to_c: dtype='int' is not possible for this model: {what}. Export with dtype='float'.")


def _has_thresholds_of_scores(program: Program) -> bool:
    is_of_two = program.link == "identity" and program.least_of_positive is not None
    return is_of_two or program.link in ("binary", "softmax")


def _offsets(program: Program) -> np.ndarray:
    """Return what is added to scores because of the thresholds of a decision."""
    offsets = np.zeros(program.n_scores)
    if program.link == "softmax" and program.least_of_positive is not None:
        offsets[program.positive] = -_logit(program.least_of_positive)
    elif program.link == "softmax" and program.thresholds is not None:
        offsets = -np.log(np.maximum(program.thresholds, 1e-12))
    return offsets


def _logit(share: float) -> float:
    share = min(max(share, 1e-12), 1 - 1e-12)
    return math.log(share / (1 - share))


def _largest_scores(program: Program) -> np.ndarray:
    """Return a bound of the absolute scores of any row."""
    largest = np.zeros(program.n_scores)
    for part in program.parts:
        assert isinstance(part, Trees)
        largest += np.abs(part.base)
        first = np.cumsum(part.tree_splits + 1) - (part.tree_splits + 1)
        if len(first):
            of_tree = np.maximum.reduceat(np.abs(part.value), first, axis=0)
            np.add.at(largest, part.tree_output[:, None] + np.arange(part.value.shape[1]), of_tree)
    if program.classes is None:
        for bound in (program.low, program.high):
            largest = np.maximum(largest, abs(bound) if math.isfinite(bound) else 0.0)
    return largest


def _part(part: Part, shift: int, offsets: np.ndarray) -> Trees:
    assert isinstance(part, Trees)
    below = np.floor(np.clip(part.bound, MISSING, LARGEST_CELL))  # no cell is as small as MISSING
    return replace(
        part,
        threshold=below.astype(np.int32),
        stored=np.round(part.value * 2.0**shift).astype(np.int32),
        unit=np.ones(len(part.base)),
        base=np.round((part.base + offsets) * 2.0**shift).astype(np.int32),
    )


def _least(program: Program, shift: int) -> int | None:
    """Return the least score of the second one of two classes."""
    if program.link != "binary":
        return None
    if program.least_of_positive is None:
        return 1  # the first class wins a tie
    logit = _logit(program.least_of_positive) * 2.0**shift
    least = math.ceil(logit) if program.positive == 1 else math.floor(-logit) + 1
    return min(max(least, -(2**31)), 2**31 - 1)


def integer_difference(model: Integers, expected: np.ndarray, answers: np.ndarray, labels: list[int] | None) -> float:
    """Return the largest difference of scores, infinity where it is not due to rounding.

    ``expected`` are the scores of the model, ``answers`` those of the integers times their unit.
    """
    program, allowed = model.program, model.rounding + 1e-9 * max(float(np.abs(expected).max(initial=0.0)), 1e-300)
    expected = expected + model.offsets
    if program.classes is None:
        expected = ordered(np.clip(expected, program.low, program.high), program.order)
    difference = float(np.abs(answers - expected).max(initial=0.0))
    if answers.shape != expected.shape or not difference <= allowed:
        return float("inf")
    if labels is not None and np.any(_losses(model, expected, np.array(labels, dtype=np.int64)) > 2 * allowed):
        return float("inf")
    return difference


def _losses(model: Integers, scores: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return by how much the score of each label misses that of the right one."""
    program = model.program
    if model.least is not None:
        beyond = scores[:, 0] - model.least / 2.0**model.shift
        return np.where(labels == 1, -beyond, beyond)
    if program.link == "identity" and program.least_of_positive is not None:
        beyond = scores[:, program.positive] - program.least_of_positive
        return np.where(labels == program.positive, -beyond, beyond)
    return scores.max(axis=1) - scores[np.arange(len(scores)), labels]
