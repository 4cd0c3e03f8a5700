"""Rows drawn from what models without trees tell about their columns: quantiles of stored rows, and scalers."""

import numpy as np
from scipy.special import ndtr, ndtri
from scipy.stats import rankdata

N_BINS = 32
"""Number of bins of each column."""

LARGEST_SHARE = np.nextafter(1.0, 0.0)


class StoredQuantiles:
    """Draws shares of ranges with the quantiles and the rank correlations of rows that a model stores.

    Only the quantiles of each column, the frequencies of values, and the correlations of the normal scores of the ranks
    are kept, and no row.

    Parameters
    ----------
    shares : ndarray of float64, shape (n_rows, n_features)
        Stored rows as shares of the range of each column, or of its list of values; NaN where they are not known or
        outside the range. A column without any number is uniform.
    n_values : dict of {int: int}
        Number of values of each column that is described by its values.
    """

    def __init__(self, shares: np.ndarray, n_values: dict[int, int]) -> None:
        self._edges = {
            column: np.nanquantile(shares[:, column], np.linspace(0, 1, N_BINS + 1))
            for column in range(shares.shape[1])
            if column not in n_values and not np.isnan(shares[:, column]).all()
        }
        self._reached = {
            column: np.cumsum(np.bincount((shares[:, column] * count).astype(np.int64), minlength=count)) / len(shares)
            for column, count in n_values.items()
            if not np.isnan(shares[:, column]).any()
        }
        scores = np.nan_to_num(ndtri(rankdata(np.nan_to_num(shares), axis=0) / (len(shares) + 1)))
        deviation = np.sqrt((scores**2).mean(axis=0))
        scores = np.divide(scores, deviation, out=np.zeros_like(scores), where=deviation > 0)
        values, vectors = np.linalg.eigh(scores.T @ scores / len(scores))
        self._factor = vectors * np.sqrt(np.maximum(values, 0))

    def draw(self, n_rows: int, rng: np.random.Generator) -> np.ndarray:
        """Return shares in [0, 1) of shape (n_rows, n_features)."""
        quantile = ndtr(rng.standard_normal((n_rows, len(self._factor))) @ self._factor.T)
        shares = rng.random(quantile.shape)
        for column, edges in self._edges.items():
            shares[:, column] = np.interp(quantile[:, column], np.linspace(0, 1, len(edges)), edges)
        for column, reached in self._reached.items():
            position = np.searchsorted(reached[:-1], quantile[:, column], side="right")
            shares[:, column] = (position + 0.5) / len(reached)
        return np.clip(shares, 0, LARGEST_SHARE)

    def edges(self) -> dict[int, np.ndarray]:
        """Return the inner edges of the bins of columns of numbers."""
        return {column: edges[1:-1] for column, edges in self._edges.items()}


class ScaledNormal:
    """Draws shares of ranges that are normally distributed about the centre that a scaler has learned.

    Parameters
    ----------
    centre, spread : ndarray of shape (n_features,)
        In shares of the range of each column; NaN in columns without a scaler, which are uniform. The distribution is
        truncated to the range. A column whose range does not reach within eight spreads of the centre is uniform.
    """

    def __init__(self, centre: np.ndarray, spread: np.ndarray) -> None:
        is_known = (spread > 0) & (centre > -8 * spread) & (centre < 1 + 8 * spread)
        self._centre, self._spread = np.where(is_known, centre, 0.0), np.where(is_known, spread, 1.0)
        self._is_known = is_known
        self._low, self._high = (ndtr((end - self._centre) / self._spread) for end in (0.0, 1.0))

    def draw(self, n_rows: int, rng: np.random.Generator) -> np.ndarray:
        """Return shares in [0, 1) of shape (n_rows, n_features)."""
        return self._placed(rng.random((n_rows, len(self._centre))))

    def _placed(self, quantile: np.ndarray) -> np.ndarray:
        share = self._centre + self._spread * ndtri(self._low + quantile * (self._high - self._low))
        return np.clip(np.where(self._is_known, share, quantile), 0, LARGEST_SHARE)

    def edges(self) -> dict[int, np.ndarray]:
        """Return the inner edges of the bins of columns with a scaler."""
        inner = self._placed(np.repeat(np.linspace(0, 1, N_BINS + 1)[1:-1, None], len(self._centre), axis=1))
        return {column: inner[:, column] for column in np.flatnonzero(self._is_known).tolist()}
