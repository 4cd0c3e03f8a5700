"""Inverse link functions, from scores to outputs: for many rows in numpy, and for one row in plain Python."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from .._ordering import ordered, ordered_row
from ._code import float_literal
from ._isotonic import Isotonic

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
    single_ending: str = "    return link({scores})[0]"
    """The return statement for a single output."""


LINKS = {
    "identity": Link(lambda scores: scores, ending="    return array({scores})", single_ending="    return s0"),
    "exp": Link(_exp, lambda scores: tuple(map(_exp_of_one, scores))),
    "logistic": Link(_logistic, lambda scores: tuple(map(_logistic_of_one, scores))),
    "binary": Link(
        _binary,
        ending="    proba = 0.0 if s0 <= -700 else 1 / (1 + exp(-s0))\n    return array((1 - proba, proba))",
    ),
    "one-vs-rest": Link(_one_vs_rest, _one_vs_rest_of_one),
    "softmax": Link(_softmax, _softmax_of_one),
}


MAX_EXPONENT = 700.0
"""Maximum absolute score that the bounded exponential takes: beyond it, results would be zero or infinite."""


def inverse_link(name: str, bounds: tuple[float, float] | None = None, order: str | None = None) -> Link:
    """Return an inverse link by name, whose outputs stay within the bounds and in order, if there are any.

    Parameters
    ----------
    name : str
        A key of ``LINKS``.
    bounds : (low, high) or None, default=None
        For ``"identity"``, outputs are clipped to them. ``"exp"`` is low + exp(s), at most high, and ``"logistic"`` is
        low + (high - low) / (1 + exp(-s)); other links have no bounds. One of the bounds may be infinite.
    order : {"increasing", "decreasing", "mean_std"} or None, default=None
        Order of the outputs of a row: they are sorted, or standard deviations below zero are replaced by zero.
    """
    if order is not None:
        return _in_order(name, bounds, order)
    if bounds is None:
        return LINKS[name]
    return _bounded(name, float(bounds[0]), float(bounds[1]))


@lru_cache(maxsize=64)
def _in_order(name: str, bounds: tuple[float, float] | None, order: str) -> Link:
    """Return a link whose outputs are put in order after it: rounding could exchange outputs of ordered scores."""
    link = inverse_link(name, bounds)
    of_one = link.of_one

    def of_rows(scores: np.ndarray) -> np.ndarray:
        return ordered(link.of_rows(scores), order)

    def in_order(scores: Scores) -> Scores:
        return tuple(ordered_row(scores if of_one is None else of_one(scores), order))

    if of_one is None and order != "mean_std":  # the identity: a call of a function would take as long as the sort
        options = "" if order == "increasing" else ", reverse=True"
        return replace(link, of_rows=of_rows, ending=f"    return array(sorted({{scores}}{options}))")
    return Link(of_rows, in_order, single_ending=link.single_ending)


def link_of_one_row(link: Link, name: str, power: float, isotonic: Isotonic | None) -> Link:
    """Return a link of one row whose probabilities are raised to a power, divided by their sum, and calibrated."""
    of_one = link.of_one

    def probabilities(scores: Scores) -> Scores:
        if name == "binary":
            share = _logistic_of_one(scores[0])
            return 1 - share, share
        return scores if of_one is None else of_one(scores)

    def raised(scores: Scores) -> Scores:
        if power == 1:
            return probabilities(scores)
        shares = [share**power for share in probabilities(scores)]
        total = sum(shares) or math.nan
        return tuple(share / total for share in shares)

    return replace(
        LINKS["softmax"], of_one=raised if isotonic is None else lambda scores: isotonic.of_one(raised(scores))
    )


@lru_cache(maxsize=64)
def _bounded(name: str, low: float, high: float) -> Link:
    return _BOUNDED[name](low, high)


def _within(scores: np.ndarray, low: float, high: float) -> np.ndarray:
    """Return what ``np.clip`` does, which takes several times as long for few rows."""
    inside = np.maximum(scores, low)
    return np.minimum(inside, high, out=inside)


def _bounded_identity(low: float, high: float) -> Link:
    def of_one(scores: Scores) -> Scores:
        return tuple(low if score < low else high if score > high else score for score in scores)

    least, most = float_literal(low), float_literal(high)
    inline = f"    return {least} if s0 < {least} else {most} if s0 > {most} else s0"
    return Link(lambda scores: _within(scores, low, high), of_one, single_ending=inline)


def _bounded_exp(low: float, high: float) -> Link:
    def of_rows(scores: np.ndarray) -> np.ndarray:
        return np.minimum(low + np.exp(_within(scores, -MAX_EXPONENT, MAX_EXPONENT)), high)

    def of_one(scores: Scores) -> Scores:
        return tuple(min(low + math.exp(min(max(score, -MAX_EXPONENT), MAX_EXPONENT)), high) for score in scores)

    return Link(of_rows, of_one)


def _bounded_logistic(low: float, high: float) -> Link:
    def of_rows(scores: np.ndarray) -> np.ndarray:
        return np.minimum(low + (high - low) * _logistic(scores), high)

    def of_one(scores: Scores) -> Scores:
        return tuple(min(low + (high - low) * _logistic_of_one(score), high) for score in scores)

    return Link(of_rows, of_one)


_BOUNDED = {"identity": _bounded_identity, "exp": _bounded_exp, "logistic": _bounded_logistic}
