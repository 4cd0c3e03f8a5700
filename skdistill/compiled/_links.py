"""Inverse link functions, from scores to outputs: for many rows in numpy, and for one row in plain Python."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Scores = tuple[float, ...]


def _logistic(scores: np.ndarray) -> np.ndarray:
    """Return 1 / (1 + exp(-s)) without overflow."""
    decay = np.exp(-np.abs(scores))
    return np.where(scores >= 0, 1, decay) / (1 + decay)


def _logistic_of_one(score: float) -> float:
    if score >= 0:
        return 1 / (1 + math.exp(-score))
    decay = math.exp(score)
    return decay / (1 + decay)


def _exp(scores: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):
        return np.exp(scores)


def _exp_of_one(score: float) -> float:
    return math.exp(score) if score <= 709 else math.inf


def _binary(scores: np.ndarray) -> np.ndarray:
    proba = _logistic(scores)
    return np.hstack([1 - proba, proba])


def _one_vs_rest(scores: np.ndarray) -> np.ndarray:
    """Return the logistic probabilities of the classes divided by their sum, without underflow of all of them."""
    highest = np.minimum(scores.max(axis=1, keepdims=True), 0)
    proba = np.exp(np.minimum(scores, 0) - highest) / (1 + np.exp(-np.abs(scores)))
    return proba / proba.sum(axis=1, keepdims=True)


def _one_vs_rest_of_one(scores: Scores) -> Scores:
    highest = min(max(scores), 0.0)
    proba = [math.exp(min(score, 0.0) - highest) / (1 + math.exp(-abs(score))) for score in scores]
    total = sum(proba)
    return tuple(share / total for share in proba)


def _softmax(scores: np.ndarray) -> np.ndarray:
    proba = np.exp(scores - scores.max(axis=1, keepdims=True))
    return proba / proba.sum(axis=1, keepdims=True)


def _softmax_of_one(scores: Scores) -> Scores:
    highest = max(scores)
    proba = [math.exp(score - highest) for score in scores]
    total = sum(proba)
    return tuple(share / total for share in proba)


@dataclass(frozen=True)
class Link:
    """An inverse link: from shape (n_rows, n_scores) to (n_rows, n_outputs), and for one row from tuple to tuple."""

    of_rows: Callable[[np.ndarray], np.ndarray]
    of_one: Callable[[Scores], Scores] | None = None
    ending: str = "    return array(link({scores}))"
    """The return statement of generated code; it inlines short links, since a call would take longer."""


LINKS = {
    "identity": Link(lambda scores: scores, ending="    return array({scores})"),
    "exp": Link(_exp, lambda scores: tuple(map(_exp_of_one, scores))),
    "logistic": Link(_logistic, lambda scores: tuple(map(_logistic_of_one, scores))),
    "binary": Link(
        _binary,
        ending="    proba = 0.0 if s0 <= -700 else 1 / (1 + exp(-s0))\n    return array((1 - proba, proba))",
    ),
    "one-vs-rest": Link(_one_vs_rest, _one_vs_rest_of_one),
    "softmax": Link(_softmax, _softmax_of_one),
}
