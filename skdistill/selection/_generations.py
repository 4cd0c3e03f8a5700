"""Generations of students: a student teaches the next one, of the same size, or of a smaller one in steps."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..metrics import n_parameters
from ..targets import centred_logits
from ..transfer import TransferSet
from ._targets import ClassTargets, Targets
from ._validation_rows import Validation

TEACHER = "teacher"

MIN_PROBABILITY = 1e-6
"""Smaller probabilities of a student count as this one where they become margins, which have no upper bound."""


@dataclass(frozen=True)
class Step:
    """A student of a chain.

    Attributes
    ----------
    name : str
    student : estimator
        Unfitted.
    taught_by : str
        Name of the student whose outputs it is fitted to, or ``"teacher"``.
    is_candidate : bool
        Whether it may be the final student; assistants are too large.
    """

    name: str
    student: Any
    taught_by: str
    is_candidate: bool = True


def same_size(student: Any, n_generations: int) -> list[Step]:
    """Return a chain of students with the same parameters."""
    return [
        Step(f"generation {place + 1}", student, f"generation {place}" if place else TEACHER)
        for place in range(n_generations)
    ]


def with_assistants(sized: Callable[[int], Any], first: int, last: int, n_generations: int) -> list[Step]:
    """Return the student of the final size, and a chain from a larger one to it in geometric steps.

    Parameters
    ----------
    sized : callable
        ``sized(n)`` returns an unfitted student of at most ``n`` parameters.
    first, last : int
        Maximum numbers of parameters of the first assistant and of the final student.
    n_generations : int
        Number of students of the chain.
    """
    sizes = np.rint(np.geomspace(first, last, n_generations)).astype(int).tolist()
    chain = [
        Step(f"assistant {place + 1}", sized(size), f"assistant {place}" if place else TEACHER, is_candidate=False)
        for place, size in enumerate(sizes[:-1])
    ]
    last_student = sized(last)
    return [
        Step("generation 1", last_student, TEACHER),
        *chain,
        Step(f"generation {n_generations}", last_student, chain[-1].name),
    ]


def choose_generation(
    steps: list[Step],
    first: Any,
    for_selection: TransferSet,
    whole: TransferSet,
    validation: Validation,
    targets: Targets,
    *,
    seed: int,
    most_parameters: float = np.inf,
) -> tuple[Any, dict[str, np.ndarray]]:
    """Return the best student of a chain, fitted on all rows, and the results.

    The teacher is not queried: each student is fitted on the rows that there are, to the outputs of the one before it.

    Parameters
    ----------
    steps : list of Step
        The first one is the student without generations.
    first : estimator
        This student, fitted on all rows.
    for_selection, whole : TransferSet
        The rows without validation rows, on which students are compared, and all rows.
    validation : Validation
    targets : Targets
    seed : int
    most_parameters : float, default=no limit
        Larger students are not chosen.

    Returns
    -------
    student : estimator
    results : dict of ndarray
        One row per student.
    """
    fitted = _fit_chain(steps, for_selection, targets, seed, {})
    scores = np.array([validation.losses(fitted[step.name]).fidelity for step in steps])
    sizes = np.array([float(n_parameters(fitted[step.name])) for step in steps])
    may_be = np.array([step.is_candidate for step in steps]) & ~(sizes > most_parameters)
    may_be[0] = True
    best = int(np.argmax(np.where(may_be, scores, -np.inf)))
    results = {
        "generation": np.array([step.name for step in steps], dtype=object),
        "taught_by": np.array([step.taught_by for step in steps], dtype=object),
        "n_parameters": sizes,
        "score": scores,
        "is_chosen": np.arange(len(steps)) == best,
    }
    if best == 0:
        return first, results
    needed = _up_to(steps, steps[best])
    known = {steps[0].name: first}
    return _fit_chain(needed, whole, targets, seed, known)[steps[best].name], results


def _up_to(steps: list[Step], last: Step) -> list[Step]:
    """Return the students that must be fitted for the last one, in order."""
    by_name, needed = {step.name: step for step in steps}, [last]
    while needed[0].taught_by != TEACHER:
        needed.insert(0, by_name[needed[0].taught_by])
    return needed


def _fit_chain(
    steps: list[Step], rows: TransferSet, targets: Targets, seed: int, known: dict[str, Any]
) -> dict[str, Any]:
    """Return the fitted students by name; those that are known are not fitted again."""
    fitted = dict(known)
    for step in steps:
        if step.name in fitted:
            continue
        taught = rows
        if step.taught_by != TEACHER:
            taught = replace(rows, outputs=_as_outputs(targets, targets.predict(fitted[step.taught_by], rows.X)))
        fitted[step.name] = targets.teach(step.student, taught, seed)
    return fitted


def _as_outputs(targets: Targets, predicted: np.ndarray) -> np.ndarray:
    """Return the predictions of a student in the form of the teacher's outputs: probabilities, margins or values."""
    if isinstance(targets, ClassTargets) and targets.teacher.output_kind == "logit":
        return centred_logits(predicted, floor=MIN_PROBABILITY) / targets.margin_scale
    return predicted
