r"""Weighted sums with fewer terms, of lower rank, or with coarser weights: layers, linear scorers and kernels.

All of them change the weights :math:`W` of inputs :math:`h` so that the sums change least on rows,
:math:`\sum_i w_i \lVert h_i (W - W') \rVert^2`, which only depends on the second moments of the inputs.
"""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve, cholesky, solve_triangular

RIDGE_SHARE = 1e-3
"""Ridge as a share of the mean second moment of the inputs."""

MIN_SHARING = 16
"""Minimum number of weights that share a value, on average, for values to be solved for."""

LARGEST_CODE = 127
STEP_DIGITS = 16
"""Binary digits of a step: float32 then represents all its multiples exactly."""


@dataclass(frozen=True)
class Moments:
    """Second moments of the inputs of a layer about their means, with a ridge.

    Parameters
    ----------
    mean : ndarray of shape (n_inputs,)
    gram : ndarray of shape (n_inputs, n_inputs)
    """

    mean: np.ndarray
    gram: np.ndarray

    @classmethod
    def of(cls, inputs: np.ndarray, weight: np.ndarray, ridge_share: float = RIDGE_SHARE) -> "Moments":
        """Return the weighted moments of rows of inputs."""
        mean = np.average(inputs, weights=weight, axis=0)
        centred = inputs - mean
        gram = (centred * (weight / weight.sum())[:, None]).T @ centred
        ridge = ridge_share * max(float(np.trace(gram)) / max(len(gram), 1), 1e-12)
        return cls(mean, gram + ridge * np.eye(len(gram)))

    def least_useful(self, weights: np.ndarray, n_removed: int, n_candidates: int | None = None) -> np.ndarray:
        r"""Return the positions of inputs that the sums can best do without, if the others take over [1]_.

        Removing input j and solving for the weights of the others raises the squared error by
        :math:`\lVert w_j \rVert^2 / (H^{-1})_{jj}`. Inputs are removed one after the other. Only the first
        ``n_candidates`` may go, all if it is ``None``.

        References
        ----------
        .. [1] B. Hassibi, D. Stork, "Second Order Derivatives for Network Pruning: Optimal Brain Surgeon", NIPS 1992.
        """
        inverse, weights = np.linalg.inv(self.gram), weights.astype(np.float64).copy()
        is_left, removed = np.arange(len(weights)) < (len(weights) if n_candidates is None else n_candidates), []
        for _ in range(n_removed):
            diagonal = np.where(is_left, np.diag(inverse), 1.0)
            cost = np.where(is_left, (weights**2).sum(axis=1) / diagonal, np.inf)
            j = int(np.argmin(cost))
            weights -= np.outer(inverse[:, j], weights[j]) / inverse[j, j]
            inverse -= np.outer(inverse[:, j], inverse[j]) / inverse[j, j]
            is_left[j] = False
            weights[j] = 0
            removed.append(j)
        return np.array(removed, dtype=np.intp)

    def without(self, weights: np.ndarray, removed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the weights of the other inputs that come closest to the same sums, and what to add to the bias."""
        kept = np.setdiff1d(np.arange(len(weights)), removed)
        factor = cho_factor(self.gram[np.ix_(kept, kept)])
        solved = cho_solve(factor, self.gram[kept] @ weights)
        return solved, self.mean @ weights - self.mean[kept] @ solved

    def of_rank(self, weights: np.ndarray, rank: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the factors of the matrix of this rank that comes closest to the same sums.

        The singular value decomposition of the weights, multiplied by the root of the second moments [1]_.

        References
        ----------
        .. [1] P. Chen et al., "DRONE: Data-aware Low-rank Compression for Large NLP Models", NeurIPS 2021.
        """
        root = cholesky(self.gram)
        left, singular, right = np.linalg.svd(root @ weights, full_matrices=False)
        first = solve_triangular(root, left[:, :rank] * np.sqrt(singular[:rank]))
        return first, np.sqrt(singular[:rank])[:, None] * right[:rank]

    def rounded(self, weights: np.ndarray, step: np.ndarray) -> np.ndarray:
        r"""Return weights that are multiples of steps; later weights correct the rounding of earlier ones [1]_.

        Parameters
        ----------
        weights : ndarray of shape (n_inputs, n_outputs)
        step : ndarray of shape (n_inputs,)

        References
        ----------
        .. [1] E. Frantar et al., "GPTQ: Accurate Post-Training Quantization for Generative Pre-trained Transformers",
           ICLR 2023.
        """
        order = np.argsort(-np.diag(self.gram), kind="stable")  # the largest errors while there is who corrects them
        corrections = cholesky(np.linalg.inv(self.gram[np.ix_(order, order)]))
        weights, step = weights[order].astype(np.float64), step[order]
        result = np.empty_like(weights)
        for j in range(len(weights)):
            codes = np.clip(np.rint(weights[j] / step[j]), -LARGEST_CODE, LARGEST_CODE)
            result[order[j]] = codes * step[j] + 0.0  # no negative zeros
            error = (weights[j] - result[order[j]]) / corrections[j, j]
            weights[j + 1 :] -= np.outer(corrections[j, j + 1 :], error)
        return result

    def with_shared_values(self, weights: np.ndarray, coarse: np.ndarray) -> np.ndarray:
        r"""Return coarse weights whose distinct values are solved for: the sums come closest to those of ``weights``.

        Weights that share a value go on sharing it, and zeros remain: with :math:`C_j` the positions of the values of
        output j, :math:`\sum_j (w_j - C_j v)^\top H (w_j - C_j v)` is minimised over the values v [1]_. Few weights
        keep their steps, since a table of values would take more bytes than it saves.

        Parameters
        ----------
        weights, coarse : ndarray of shape (n_inputs, n_outputs)

        References
        ----------
        .. [1] S. Han et al., "Deep Compression: Compressing Deep Neural Networks with Pruning, Trained Quantization and
           Huffman Coding", ICLR 2016.
        """
        distinct, place = np.unique(coarse, return_inverse=True)
        if coarse.size < MIN_SHARING * len(distinct):
            return coarse
        place, is_free = place.reshape(coarse.shape), distinct != 0
        gram, moment, positions = np.zeros((len(distinct),) * 2), np.zeros(len(distinct)), np.eye(len(distinct))
        for output, of_output in enumerate(place.T):
            weighted = positions[of_output].T @ self.gram
            gram += weighted @ positions[of_output]
            moment += weighted @ (weights[:, output] - coarse[:, output])
        gram[np.diag_indices_from(gram)] += RIDGE_SHARE * max(float(np.trace(gram)) / len(gram), 1e-12)
        table = distinct.copy()
        table[is_free] += np.linalg.solve(gram[np.ix_(is_free, is_free)], moment[is_free])
        return table.astype(np.float32).astype(np.float64)[place]


def short_step(largest: float, n_steps: int) -> float:
    """Return a step with few binary digits, so that ``n_steps`` of it are about ``largest``."""
    step = largest / n_steps if largest > 0 else 1.0
    mantissa, exponent = np.frexp(step)
    return float(np.ldexp(np.ceil(mantissa * 2**STEP_DIGITS), int(exponent) - STEP_DIGITS))
