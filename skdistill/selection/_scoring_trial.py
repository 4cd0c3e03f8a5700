"""A trial of ``scoring=`` on made-up outputs: what can never be computed is refused before the teacher is queried."""

import warnings
from typing import Any

import numpy as np
from sklearn.metrics import get_scorer_names

from .._described import described, text_of
from .._suggesting import did_you_mean
from ..exceptions import StudentError
from ._scoring import name_known, value_of

MAX_CLASSES = 3
"""Scorers differ between two classes and more; which labels these are matters, too."""


def try_scoring(scoring: Any, outputs: str, classes: np.ndarray | None = None, n_outputs: int | None = None) -> None:
    """Raise an error if a scorer of scikit-learn cannot be computed for such outputs; others are not tried.

    Parameters
    ----------
    scoring : object
        Valid for :class:`skdistill.AutoStudent`. Callables of users may read the rows, which are not made up.
    outputs : str
        What the outputs are, for the message.
    classes : ndarray of shape (n_classes,) or None, default=None
        Labels of a classifier; ``None`` for values.
    n_outputs : int or None, default=None
        Number of values of a row; ``None`` for an array of shape (n_samples,).

    Raises
    ------
    StudentError
        With the names that can be computed.
    """
    name = name_known(scoring)
    if name is None:
        return
    given = _made_up_values(n_outputs) if classes is None else _made_up_classes(classes[:MAX_CLASSES])
    reason = _why_not(name, *given)
    if reason is None:
        return
    works = [each for each in get_scorer_names() if _why_not(each, *given) is None]
    raise StudentError(
        f"AutoStudent: scoring={described(scoring)} cannot be computed for {outputs}: {reason} Expected one of "
        f"{', '.join(works)}, or a callable scorer(estimator, X, y).{did_you_mean(name, works)}"
    )


def _why_not(name: str, outputs: np.ndarray, truth: np.ndarray, weight: np.ndarray, classes: Any) -> str | None:
    """Return why a score cannot be computed; ``None`` if it can."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", UserWarning)  # such as a score that is the same for all students
            value = value_of(name, np.arange(len(truth)).reshape(-1, 1), outputs, truth, weight, classes)
    except Exception as error:  # a scorer may raise anything
        text = text_of(error).rstrip()
        return text if text.endswith(".") else f"{text}."
    return None if np.ndim(value) == 0 and np.isfinite(value) else f"it is {described(value)}."


def _made_up_classes(classes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return probabilities, truth and weights of rows of each class, some right and some wrong, and the classes."""
    n_classes = len(classes)
    right = np.arange(n_classes)
    true, predicted = np.tile(right, 4), np.concatenate([right, right, right, (right + 1) % n_classes])
    proba = np.full((4 * n_classes, n_classes), 0.4 / max(n_classes - 1, 1))
    proba[np.arange(4 * n_classes), predicted] = 0.6
    return proba, np.eye(n_classes)[true], np.ones(4 * n_classes), classes


def _made_up_values(n_outputs: int | None) -> tuple[np.ndarray, np.ndarray, np.ndarray, None]:
    """Return values, truth and weights; values are positive, because their signs are not known before the teacher."""
    truth = np.linspace(0.6, 7.3, 12)
    truth = truth if n_outputs is None else np.column_stack([truth] * n_outputs)
    return 1.1 * truth, truth, np.ones(12), None
