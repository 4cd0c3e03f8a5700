"""Order of several outputs: quantiles rise, survival probabilities fall, and standard deviations are not negative.

The outputs of a row are sorted. Where the outputs of the teacher are in order, this increases neither the distance to
them nor the pinball loss; the guide on intervals has the proof.
"""

from typing import Literal

import numpy as np

Order = Literal["increasing", "decreasing", "mean_std"]

ORDERS: tuple[Order, ...] = ("increasing", "decreasing", "mean_std")
"""``"mean_std"`` stands for means followed by as many standard deviations, which are not negative."""


def ordered(outputs: np.ndarray, order: str | None) -> np.ndarray:
    """Return the outputs of rows in order.

    Parameters
    ----------
    outputs : ndarray of shape (n_rows, n_outputs)
        It is not changed.
    order : {"increasing", "decreasing", "mean_std"} or None
        ``None`` returns the outputs as they are.
    """
    if order is None or outputs.ndim == 1:
        return outputs
    if order == "mean_std":
        outputs = outputs.copy()
        deviations = outputs[:, outputs.shape[1] // 2 :]
        np.maximum(deviations, 0, out=deviations)
        return outputs
    rising = np.sort(outputs, axis=1)
    return rising if order == "increasing" else rising[:, ::-1]


def ordered_row(outputs: tuple[float, ...], order: str) -> list[float]:
    """Return the outputs of one row in order."""
    if order != "mean_std":
        return sorted(outputs, reverse=order == "decreasing")
    half = len(outputs) // 2
    return [*outputs[:half], *(0.0 if value < 0 else value for value in outputs[half:])]


def is_in_order(outputs: np.ndarray, order: str) -> np.ndarray:
    """Return for each row whether its outputs are in order; equal ones are."""
    if order == "mean_std":
        return np.all(outputs[:, outputs.shape[1] // 2 :] >= 0, axis=1)
    steps = np.diff(outputs, axis=1)
    return np.all(steps >= 0 if order == "increasing" else steps <= 0, axis=1)
