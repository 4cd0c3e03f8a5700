"""Temperatures that change while a student is taught."""

from collections.abc import Callable

import numpy as np

Schedule = Callable[[float], float]
"""From the share of the training that is over, in [0, 1], to the share of the way from start to end, in [0, 1]."""


def logistic_schedule(steepness: float = 10.0, center: float = 0.5) -> Schedule:
    r"""Return a schedule that stays near the start, changes fast around ``center``, and stays near the end.

    .. math:: T(x) = \frac{1}{1 + \exp(-k (x - c))},

    stretched so that it goes from exactly 0 to exactly 1.

    Parameters
    ----------
    steepness : float > 0, default=10.0
        k: how sudden the change is.
    center : float in [0, 1], default=0.5
        c: when half of it is over.

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
    if not steepness > 0 or not 0 <= center <= 1:
        raise ValueError(
            f"logistic_schedule: steepness={steepness!r}, center={center!r}; expected above 0, and in [0, 1]."
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


def scheduled_temperature(schedule: str | Schedule, start: float, end: float, share: float) -> float:
    """Return the temperature when a share of the training is over.

    Parameters
    ----------
    schedule : {"constant", "linear", "cosine", "logistic"} or callable
        How the temperature goes from ``start`` to ``end``; ``"constant"`` stays at the start. A callable takes the
        share of the training that is over and returns the share of the way.
    start, end : float > 0
        Temperatures.
    share : float in [0, 1]
        Of the training that is over.

    Returns
    -------
    temperature : float

    References
    ----------
    .. [1] A. Jafari et al., "Annealing Knowledge Distillation", EACL 2021, lower the temperature step by step.

    Examples
    --------
    >>> from skdistill.targets import scheduled_temperature
    >>> [round(scheduled_temperature("cosine", 5.0, 1.0, share), 2) for share in (0.0, 0.5, 1.0)]
    [5.0, 3.0, 1.0]
    """
    way = SCHEDULES[schedule] if isinstance(schedule, str) else schedule
    temperature = start + (end - start) * way(share)
    if not temperature > 0:
        raise ValueError(
            f"temperature_schedule: the temperature is {temperature!r} when {share:.0%} is over; expected a number "
            "above 0."
        )
    return temperature
