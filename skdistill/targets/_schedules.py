"""Temperature schedules: temperatures that change during the training of a student."""

from collections.abc import Callable

import numpy as np

from .._described import described
from .._suggesting import did_you_mean
from .._types import ScheduleName
from ._checks import check_positive, is_real

Schedule = Callable[[float], float]
"""Maps the completed share of the training to the share of the change from start to end temperature; both in [0, 1]."""


MAX_STEEPNESS = 500
"""Maximum steepness of a logistic schedule: a step, of which larger exponentials would overflow."""


def logistic_schedule(steepness: float = 10.0, center: float = 0.5) -> Schedule:
    r"""Return a logistic schedule: nearly constant at first, changing around ``center``, then nearly constant again.

    .. math:: T(x) = \frac{1}{1 + \exp(-k (x - c))},

    rescaled so that its values at 0 and 1 are exactly 0 and 1.

    Parameters
    ----------
    steepness : float in (0, 500], default=10.0
        The slope parameter k.
    center : float in [0, 1], default=0.5
        The inflection point c.

    Returns
    -------
    schedule : callable

    Examples
    --------
    >>> from skdistill.targets import logistic_schedule
    >>> schedule = logistic_schedule(steepness=20.0)
    >>> [round(schedule(share), 3) for share in (0.0, 0.25, 0.5, 1.0)]
    [0.0, 0.007, 0.5, 1.0]
    """
    if not (is_real(steepness) and is_real(center) and 0 < steepness <= MAX_STEEPNESS and 0 <= center <= 1):
        raise ValueError(
            f"logistic_schedule: steepness={described(steepness)}, center={described(center)}; expected steepness "
            f"above 0 and center in [0, 1], and steepness at most {MAX_STEEPNESS}."
        )

    def at(share: float) -> float:
        return float(1 / (1 + np.exp(-steepness * (share - center))))

    return lambda share: (at(share) - at(0.0)) / (at(1.0) - at(0.0))


SCHEDULES: dict[str, Schedule] = {
    "constant": lambda share: 0.0,  # noqa: ARG005
    "linear": lambda share: share,
    "cosine": lambda share: float(1 - np.cos(np.pi * share)) / 2,
    "logistic": logistic_schedule(),
}


def schedule_of(schedule: str | Schedule, who: str = "scheduled_temperature", name: str = "schedule") -> Schedule:
    """Return the schedule that a name stands for, and a callable unchanged.

    Raises
    ------
    ValueError
        If the name is unknown, or the object is neither a name nor callable.
    """
    if isinstance(schedule, str) and schedule in SCHEDULES:
        return SCHEDULES[schedule]
    if callable(schedule):
        return schedule
    raise ValueError(
        f"{who}: {name}={described(schedule)}; expected one of {', '.join(map(repr, SCHEDULES))}, or a callable."
        f"{did_you_mean(schedule, SCHEDULES)}"
    )


def scheduled_temperature(schedule: ScheduleName | Schedule, start: float, end: float, share: float) -> float:
    """Return the temperature at a given share of the training.

    Parameters
    ----------
    schedule : {"constant", "linear", "cosine", "logistic"} or callable
        How the temperature changes from ``start`` to ``end``; ``"constant"`` remains at ``start``. A callable maps the
        completed share of the training to the share of the change.
    start, end : float > 0
        Temperatures at the start and at the end of the training.
    share : float in [0, 1]
        Completed share of the training.

    Returns
    -------
    temperature : float

    References
    ----------
    .. [1] A. Jafari et al., "Annealing Knowledge Distillation", EACL 2021.

    Examples
    --------
    >>> from skdistill.targets import scheduled_temperature
    >>> [
    ...     round(scheduled_temperature("cosine", 5.0, 1.0, share), 2)
    ...     for share in (0.0, 0.5, 1.0)
    ... ]
    [5.0, 3.0, 1.0]
    """
    start, end = (
        check_positive("scheduled_temperature", name, given) for name, given in (("start", start), ("end", end))
    )
    temperature = start + (end - start) * schedule_of(schedule)(share)
    if not temperature > 0:
        raise ValueError(
            f"temperature_schedule: the temperature is {temperature!r} after {share:.0%} of the training; expected a "
            "number above 0. Change the schedule, or its start and end temperatures."
        )
    return temperature
