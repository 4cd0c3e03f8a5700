"""A stratified sample of a large table: more rows where the teacher's outputs vary, and weights that make up for it."""

from dataclasses import dataclass

import numpy as np

UNIFORM_SHARE = 0.5
"""Share of a sample that is allocated in proportion to the rows of each stratum, so that no weight exceeds twice the
mean: the spread of the outputs in a stratum is only known from some of its rows."""


@dataclass(frozen=True)
class Stratified:
    """A stratified sample.

    Attributes
    ----------
    rows : ndarray of int, shape (n_sampled,)
        Sorted positions of the sampled rows.
    weight : ndarray of shape (n_sampled,)
        Number of rows of the table that each of them stands for, divided by the mean of these numbers.
    """

    rows: np.ndarray
    weight: np.ndarray


def allocate(count: np.ndarray, spread: np.ndarray, taken: np.ndarray, n_rows: int) -> np.ndarray:
    r"""Return how many rows to sample from each stratum.

    Half of the rows are allocated in proportion to the number of rows :math:`N_h` of a stratum, and half in proportion
    to :math:`N_h s_h`, where :math:`s_h` is the spread of the outputs (Neyman's allocation [1]_).

    Parameters
    ----------
    count : ndarray of int, shape (n_strata,)
        Number of rows of each stratum.
    spread : ndarray of shape (n_strata,)
    taken : ndarray of int, shape (n_strata,)
        Number of rows that are sampled in any case.
    n_rows : int
        Number of rows of the sample, at most ``count.sum()`` and at least ``taken.sum()``.

    Returns
    -------
    n_sampled : ndarray of int, shape (n_strata,)
        Between ``taken`` and ``count``; the sum is ``n_rows``.

    References
    ----------
    .. [1] J. Neyman, "On the Two Different Aspects of the Representative Method", JRSS 97, 1934.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.samplers._stratified import allocate
    >>> allocate(np.array([800, 200]), np.array([0.0, 1.0]), np.array([10, 10]), 100)
    array([40, 60])
    """
    share = count / count.sum()
    varying = count * spread
    if varying.sum() > 0:
        share = UNIFORM_SHARE * share + (1 - UNIFORM_SHARE) * varying / varying.sum()
    low, high = 0.0, 2.0 * count.sum() / share[count > 0].min()
    for _ in range(100):  # the factor at which bounded shares add up to n_rows
        factor = (low + high) / 2
        is_short = np.clip(factor * share, taken, count).sum() < n_rows
        low, high = (factor, high) if is_short else (low, factor)
    wanted = np.clip(high * share, taken, count)
    sampled = np.floor(wanted).astype(np.int64)
    missing = n_rows - int(sampled.sum())
    rest = np.where(sampled < count, wanted - sampled, -1.0)
    sampled[np.argsort(-rest, kind="stable")[:missing]] += 1
    return sampled


def complete_sample(
    strata: np.ndarray, spread: np.ndarray, first: np.ndarray, n_rows: int, rng: np.random.Generator
) -> Stratified:
    """Complete a first random sample to a stratified one.

    Parameters
    ----------
    strata : ndarray of uint8, shape (n_table,)
        Stratum of each row of the table.
    spread : ndarray of shape (n_strata,)
        Spread of the teacher's outputs within each stratum.
    first : ndarray of int
        Positions of rows that were drawn at random, all of which are part of the sample.
    n_rows : int
        Number of rows of the sample.
    rng : Generator

    Returns
    -------
    sample : Stratified

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.samplers._stratified import complete_sample
    >>> strata = np.repeat([0, 1], [800, 200]).astype(np.uint8)
    >>> rng = np.random.default_rng(0)
    >>> sample = complete_sample(
    ...     strata, np.array([0.0, 1.0]), np.arange(0, 1000, 50), 100, rng
    ... )
    >>> bool(np.isclose(sample.weight[sample.rows < 800].sum() / sample.weight.sum(), 0.8))
    True
    """
    count, taken = (np.bincount(each, minlength=len(spread)) for each in (strata, strata[first]))
    sampled = allocate(count, spread, taken, n_rows)
    is_sampled = np.zeros(len(strata), dtype=bool)
    is_sampled[first] = True
    for stratum in np.flatnonzero(sampled > taken):
        left = np.flatnonzero((strata == stratum) & ~is_sampled)
        is_sampled[rng.choice(left, sampled[stratum] - taken[stratum], replace=False, shuffle=False)] = True
    rows = np.flatnonzero(is_sampled)
    weight = (count / np.maximum(sampled, 1))[strata[rows]]
    return Stratified(rows, weight / weight.mean())
