"""Networks that are trained with additional losses: hints from inside the teacher, and a discriminator."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from .._validation import check_number, check_weights, draw_seed, warn_caller
from ..compiled import Design, Network
from ..exceptions import StudentError
from ..solvers import Discriminator, HintLoss, OptimizerSettings, count_validation_rows, fit_network
from ._lending import hints_here, lent_hints

HINT_WEIGHTS = (0.1, 0.3, 1.0)
"""Weights that ``hint_weight="auto"`` compares with 0."""


class TrainingRows(NamedTuple):
    """Encoded rows, and what a network learns of them."""

    design: Design
    cells: Any
    targets: np.ndarray
    weight: np.ndarray


class Trained(NamedTuple):
    """A network with its validation errors, the weight of its hints, and what was not stable in its training."""

    network: Network
    errors: list[float]
    hint_weight: float
    cautions: list[str | None]


class AlignsHints:
    """Base class of networks with the parameter ``hint_weight``; it stands left of the classes that define a fit."""

    hint_weight: Any
    set_params: Any

    def _fit_checked(self, X: Any, targets: np.ndarray, classes: np.ndarray, sample_weight: Any) -> Any:
        with aligned_hints(self, targets, sample_weight):
            return super()._fit_checked(X, targets, classes, sample_weight)  # type: ignore[misc]

    def _fit_linked(self, X: Any, y: Any, link: Any, sample_weight: Any, name: str) -> Any:
        with aligned_hints(self, y, sample_weight):
            return super()._fit_linked(X, y, link, sample_weight, name)  # type: ignore[misc]


def check_weights_of_losses(student: Any) -> None:
    """Raise an error unless the weights of the additional losses are numbers of at least 0, or ``"auto"``."""
    check_number(student, "hint_weight", student.hint_weight, low=0, names=("auto",))
    check_number(student, "adversarial_weight", student.adversarial_weight, low=0)


def without_hints(student: Any) -> Any:
    """Return a student that reads no hints, for a comparison of anything else; others are returned unchanged."""
    if not isinstance(student, AlignsHints) or is_without_hints(student):
        return student
    return clone(student).set_params(hint_weight=0.0)


def is_without_hints(student: Any) -> bool:
    """Whether a student does not use hints."""
    return not isinstance(student.hint_weight, str) and student.hint_weight == 0


@contextmanager
def aligned_hints(student: Any, targets: Any, sample_weight: Any) -> Iterator[None]:
    """Lend the hints of the rows of positive weight, which alone are learned from."""
    if is_without_hints(student):
        yield
        return
    check_weights_of_losses(student)
    who, hints = type(student).__name__, read_hints(student)
    if hints is not None:
        hints = checked_hints(hints, len(targets), who)
        weight = check_weights(sample_weight, len(targets), who)
        hints = scaled_hints(hints[weight > 0], weight[weight > 0])
    with lent_hints(None if hints is None else lambda verbose: hints):  # noqa: ARG005
        yield


def read_hints(student: Any) -> Any:
    """Return the hints that are given or lent; ``None`` if there are none and they are optional."""
    source = hints_here()
    try:
        if source is None:
            raise StudentError(
                "the student is fitted alone. Pass hints to fit_soft, or fit the student inside DistilledClassifier "
                "or DistilledRegressor."
            )
        return source(student.verbose)
    except StudentError as error:
        if isinstance(student.hint_weight, str):
            return None
        raise StudentError(
            f"{type(student).__name__}: hint_weight={student.hint_weight!r}, but there are no hints: {error} "
            'Or pass hint_weight=0, or "auto", which uses hints where there are some.'
        ) from error


def train_network(
    student: Any,
    rows: TrainingRows,
    hidden: list[int],
    settings: OptimizerSettings,
    rng: np.random.RandomState,
    start: Network | None = None,
) -> Network:
    """Return the network of a student; with ``hint_weight="auto"``, the one with the smallest validation error."""
    source = None if is_without_hints(student) else hints_here()
    hints = None if source is None else source(0)
    weights: list[float] = [0.0]
    if hints is not None:
        weights = [0.0, *HINT_WEIGHTS] if isinstance(student.hint_weight, str) else [float(student.hint_weight)]
    discriminators = []
    if student.adversarial_weight > 0:
        seed = draw_seed(copy.deepcopy(rng))  # the network starts as it would without
        discriminators.append(Discriminator(float(student.adversarial_weight), seed))
    trained: list[Trained] = []
    for weight in weights:
        losses: list[Any] = [*discriminators, *([HintLoss(hints, weight)] if hints is not None and weight > 0 else [])]
        same = copy.deepcopy(rng) if len(weights) > 1 else rng  # the weights differ in nothing else
        network, errors = fit_network(*rows, student._loss, hidden, settings, same, start, losses)
        trained.append(Trained(network, errors, weight, [d.caution() for d in discriminators]))
    best = best_of(trained, count_validation_rows(len(rows.targets), settings.validation_fraction))
    for caution in filter(None, best.cautions):
        warn_caller(f"{type(student).__name__}: {caution}", ConvergenceWarning)
    student.validation_errors_, student.hint_weight_ = np.array(best.errors), best.hint_weight
    return best.network


def best_of(trained: list[Trained], n_validation: int) -> Trained:
    r"""Return the training with the smallest validation error, or the first one unless another is clearly better.

    Chance moves the ratio of two mean squared errors on :math:`n` rows by about :math:`1 / \sqrt n`.
    """
    best = min(trained, key=lambda one: min(one.errors))
    return best if min(best.errors) < (1 - n_validation**-0.5) * min(trained[0].errors) else trained[0]


@contextmanager
def given_hints(hints: Any) -> Iterator[None]:
    """Lend hints that are passed to ``fit_soft``; without any, those that are lent by others remain."""
    if hints is None:
        yield
        return
    with lent_hints(lambda verbose: hints):  # noqa: ARG005
        yield


def checked_hints(hints: Any, n_rows: int, who: str) -> np.ndarray:
    """Return hints as floats of shape (n_rows, n_hints)."""
    try:
        hints = np.asarray(hints, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise StudentError(
            f"{who}: hints are no array of numbers ({error}). Pass shape (n_samples, n_hints)."
        ) from error
    if hints.ndim not in (1, 2) or len(hints) != n_rows or hints.size == 0:
        raise StudentError(
            f"{who}: hints have shape {hints.shape}; expected ({n_rows}, n_hints), numbers for each row of X."
        )
    if not np.isfinite(hints).all():
        raise StudentError(f"{who}: hints have NaN or infinite numbers; expected finite ones. Leave out such columns.")
    return hints.reshape(n_rows, -1)


def scaled_hints(hints: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return hints whose columns have the mean zero and, in all, the variance one; constant ones become zeros."""
    size = max(float(np.abs(hints).max()), np.finfo(np.float64).tiny)
    hints = hints / size
    hints = hints - np.average(hints, axis=0, weights=weight)
    total = float(np.average(hints**2, axis=0, weights=weight).sum())
    return (hints / np.sqrt(total) if total > np.finfo(np.float32).eps ** 2 else 0 * hints).astype(np.float32)
