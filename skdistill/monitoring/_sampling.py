"""Which rows are audited: a random share that depends on a seed and on the numbers or the keys of the rows alone."""

from typing import Any

import numpy as np

_STEP = np.uint64(0x9E3779B97F4A7C15)


def is_sampled(numbers: np.ndarray, share: float, seed: int) -> np.ndarray:
    """Return a mask of the rows to audit.

    Parameters
    ----------
    numbers : ndarray of uint64, shape (n_samples,)
        Number or hashed key of each row.
    share : float in (0, 1]
    seed : int >= 0
    """
    if share == 1:
        return np.ones(len(numbers), dtype=bool)
    start = _mixed(np.array([seed], dtype=np.uint64) + _STEP)
    return _mixed(numbers ^ start) < np.uint64(share * 2.0**64)


def key_numbers(keys: Any, n_rows: int, who: str) -> np.ndarray:
    """Return keys as numbers, by their texts."""
    texts = np.asarray(keys)
    if texts.shape != (n_rows,):
        raise ValueError(f"{who}: keys of shape {texts.shape}; expected {(n_rows,)}, one key for each row of X.")
    texts = texts.astype(str)
    letters = np.ascontiguousarray(texts).view(np.uint32).reshape(n_rows, -1).astype(np.uint64)
    found = np.zeros(n_rows, dtype=np.uint64)
    for letter in letters.T:  # shorter texts are filled up with zeros, which must not count
        found = np.where(letter > 0, _mixed(found * np.uint64(31) + letter + _STEP), found)
    return found


def _mixed(bits: np.ndarray) -> np.ndarray:
    """Return well-mixed bits: the last steps of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014)."""
    bits = (bits + _STEP).astype(np.uint64)
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))
