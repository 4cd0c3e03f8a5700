r"""Evidence from counts against a hypothesis, valid at any time: logarithms of e-processes.

An e-process is at most 1 in expectation at any stopping time if the hypothesis is true, so the probability that it ever
reaches :math:`1 / \alpha` is at most :math:`\alpha` (Ville's inequality). All of these depend on counts alone and not
on the order of the rows, so that counts of several workers can be added.
"""

import math

import numpy as np

N_SHARES = 32
"""Number of smaller shares that share the bets against a promise."""

MAX_PERIODS = 64
"""Number of the latest periods with which a change may begin; earlier ones count as one."""


def log_evidence_of_change(n_hits: np.ndarray, n_rows: np.ndarray, ref_hits: np.ndarray, n_ref: int) -> np.ndarray:
    r"""Return the evidence that the share of hits has changed since the reference rows.

    Universal inference (Wasserman, Ramdas and Balakrishnan, PNAS 2020): :math:`m(k, n)\, m(k_0, n_0) / \sup_p p^{k +
    k_0} (1 - p)^{n + n_0 - k - k_0}`, where m is the probability of the hits if their share has the distribution
    Beta(1/2, 1/2). It holds for any share, known or not, and any number of reference rows.

    Parameters
    ----------
    n_hits, n_rows : ndarray of the same shape
        Hits among rows.
    ref_hits : ndarray of a shape that broadcasts to theirs
        Hits among reference rows.
    n_ref : int
        Number of reference rows.
    """
    hits, rows = n_hits + ref_hits, n_rows + n_ref
    largest = _times_log(hits, rows) + _times_log(rows - hits, rows)
    return _log_marginal(n_hits, n_rows) + _log_marginal(ref_hits, np.full_like(ref_hits, n_ref)) - largest


def log_evidence_below(n_kept: np.ndarray, n_audits: np.ndarray, promise: float) -> np.ndarray:
    r"""Return the evidence that the share of kept rows is below the promise.

    The mean over smaller shares q of the likelihood ratio :math:`(q / p)^k ((1 - q) / (1 - p))^{n - k}`, which is a
    supermartingale whenever the share is at least p; the shares lost, 1 - q, are equally spaced in their logarithm.
    """
    lost = (1 - promise) ** (1 - np.arange(1, N_SHARES + 1) / (N_SHARES + 1))
    gains = np.log((1 - lost) / promise), np.log(lost / (1 - promise))
    kept, failed = np.asarray(n_kept)[..., None], np.asarray(n_audits - n_kept)[..., None]
    return log_mean(kept * gains[0] + failed * gains[1], axis=-1)


def share_interval(n_kept: int, n_audits: int, confidence: float) -> tuple[float, float]:
    """Return an interval for the share of kept rows that holds at all times together (Robbins, 1970)."""
    if not n_audits:
        return 0.0, 1.0
    least = float(_log_marginal(np.array(n_kept), np.array(n_audits))) + math.log(1 - confidence)
    share = n_kept / n_audits
    ends = []
    for inside, outside in ((share, 0.0), (share, 1.0)):
        for _ in range(60):
            middle = (inside + outside) / 2
            is_inside = _log_likelihood(n_kept, n_audits, middle) > least
            inside, outside = (middle, outside) if is_inside else (inside, middle)
        ends.append(outside)
    return ends[0], ends[1]


def log_weights(starts: list[int]) -> np.ndarray:
    """Return the logarithms of the prior weights of changes that begin with each period; they add up to at most 1."""
    number = np.asarray(starts, dtype=float)
    return -np.log((number + 1) * (number + 2))


def log_mean(logs: np.ndarray, axis: int = 0) -> np.ndarray:
    """Return the logarithm of the mean of numbers that are given by their logarithms."""
    return log_sum(logs, axis) - math.log(logs.shape[axis])


def log_sum(logs: np.ndarray, axis: int = 0) -> np.ndarray:
    """Return the logarithm of the sum of numbers that are given by their logarithms."""
    return np.logaddexp.reduce(logs, axis=axis)


def _log_marginal(n_hits: np.ndarray, n_rows: np.ndarray) -> np.ndarray:
    hits, rest = _log_gamma(n_hits + 0.5), _log_gamma(n_rows - n_hits + 0.5)
    return hits + rest - _log_gamma(n_rows + 1.0) - math.log(math.pi)


def _log_likelihood(n_kept: int, n_audits: int, share: float) -> float:
    parts = ((n_kept, share), (n_audits - n_kept, 1 - share))
    if any(number and part <= 0 for number, part in parts):
        return -math.inf
    return sum(number * math.log(part) for number, part in parts if number)


def _times_log(number: np.ndarray, total: np.ndarray) -> np.ndarray:
    return number * np.log(np.maximum(number, 1) / np.maximum(total, 1))


def _log_gamma(x: np.ndarray) -> np.ndarray:
    """Return the logarithm of the gamma function for x > 0: Stirling's series after the recurrence is applied."""
    shift = np.log(x * (x + 1) * (x + 2)) + np.log((x + 3) * (x + 4) * (x + 5)) + np.log((x + 6) * (x + 7))
    y = x + 8.0
    series = 1 / (12 * y) - 1 / (360 * y**3) + 1 / (1260 * y**5) - 1 / (1680 * y**7)
    return (y - 0.5) * np.log(y) - y + 0.5 * math.log(2 * math.pi) + series - shift
