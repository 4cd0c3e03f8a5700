"""Linear scorers and kernels with fewer terms or coarser weights."""

from dataclasses import replace

import numpy as np

from ..compiled import Landmarks, Linear
from ..compiled._kernel import rbf_kernel
from ._layers import Moments, short_step
from ._rows import Rows

KERNEL_RIDGE_SHARE = 1e-7
"""Ridge as a share of the mean second moment of kernels, which are nearly dependent, so that coefficients cancel."""

MAX_TERM_CELLS = 4_000_000
"""Maximum number of terms of rows that are held at a time."""


# ---------------------------------------------------------------------- linear scorers


def with_fewer_weights(linear: Linear, rows: Rows, fraction: float) -> Linear:
    """Return the scorer with a fraction of its features left out, those with the least effect."""
    moments = _moments_of_cells(linear, rows)
    removed = moments.least_useful(linear.value, round(fraction * len(linear.value)))
    value = np.zeros(linear.value.shape)
    solved, shift = moments.without(linear.value.astype(np.float64), removed)
    value[np.setdiff1d(np.arange(len(value)), removed)] = solved
    return replace(linear, value=value.astype(linear.value.dtype), base=linear.base + shift)


def with_coarse_linear(linear: Linear, rows: Rows, n_steps: int) -> Linear:
    """Return the scorer with weights of few binary digits: multiples of a power of two for each feature."""
    moments = _moments_of_cells(linear, rows)
    largest = np.abs(linear.value).max(axis=1).astype(np.float64)
    step = np.exp2(np.ceil(np.log2(np.where(largest > 0, largest, 1.0) / n_steps)))
    coarse = moments.rounded(linear.value, step)
    base = linear.base + moments.mean @ (linear.value - coarse)
    narrow = coarse.astype(np.float32)
    return replace(linear, value=narrow if np.array_equal(narrow, coarse) else coarse, base=base)


def _moments_of_cells(linear: Linear, rows: Rows) -> Moments:
    """Return the moments of the cells of rows without missing ones, whose scores would be missing too."""
    rows = rows.at_most(MAX_TERM_CELLS // max(linear.n_features, 1))
    cells = rows.cells.toarray() if hasattr(rows.cells, "toarray") else np.asarray(rows.cells, dtype=np.float64)
    known = np.isfinite(cells).all(axis=1)
    if not known.any():
        return Moments(np.zeros(linear.n_features), np.eye(linear.n_features))
    return Moments.of(cells[known], rows.weight.mean(axis=1)[known])


# ---------------------------------------------------------------------- kernels


def with_fewer_landmarks(kernel: Landmarks, rows: Rows, fraction: float) -> Landmarks:
    """Return the scorer without a fraction of its landmarks, those with the least effect."""
    rows = _bounded(kernel, rows)
    terms, weights, n_landmarks = _terms(kernel, rows), _weights(kernel), len(kernel.positions)
    moments = Moments.of(terms, rows.weight.mean(axis=1), KERNEL_RIDGE_SHARE)
    n_removed = min(round(fraction * n_landmarks), n_landmarks - 1)
    removed = moments.least_useful(weights, n_removed, n_landmarks)
    solved, shift = moments.without(weights, removed)
    kept = np.setdiff1d(np.arange(n_landmarks), removed)
    smaller = replace(kernel, positions=kernel.positions[kept], base=kernel.base + shift * kernel.unit)
    return _with_weights(smaller, solved.astype(kernel.coef.dtype))


def with_coarse_landmarks(kernel: Landmarks, rows: Rows, n_steps: int, *, is_shared: bool = False) -> Landmarks:
    """Return the scorer with positions and coefficients that are multiples of steps.

    Positions are rounded first; coefficients are solved for at the rounded positions, then rounded one after the other,
    so that later ones correct the errors of earlier ones. Their distinct values are solved for as shared parameters if
    ``is_shared``.
    """
    rows, n_landmarks = _bounded(kernel, rows), len(kernel.positions)
    step = short_step(float(np.abs(kernel.positions).max(initial=0)), n_steps)
    positions = (np.rint(kernel.positions.astype(np.float64) / step) * step).astype(np.float32)
    coarse = replace(kernel, positions=positions)
    weight, weights = rows.weight.mean(axis=1), _weights(kernel)
    terms = _terms(coarse, rows)
    moments = Moments.of(terms, weight, KERNEL_RIDGE_SHARE)
    sums = (rows.scores - kernel.base) / kernel.unit
    errors = sums - terms @ weights
    centred = errors - np.average(errors, weights=weight, axis=0)
    moment = (terms - moments.mean).T @ (centred * (weight / weight.sum())[:, None])
    solved = weights + np.linalg.solve(moments.gram, moment)
    steps = np.empty(len(solved))
    for part in (slice(n_landmarks), slice(n_landmarks, None)):
        steps[part] = short_step(float(np.abs(solved[part]).max(initial=0)), n_steps)
    rounded = moments.rounded(solved, steps)
    rounded = moments.with_shared_values(solved, rounded) if is_shared else rounded
    shift = np.average(sums - terms @ rounded, weights=weight, axis=0)
    return _with_weights(replace(coarse, base=kernel.base + shift * kernel.unit), rounded.astype(np.float32))


def _bounded(kernel: Landmarks, rows: Rows) -> Rows:
    return rows.at_most(MAX_TERM_CELLS // (len(kernel.positions) + kernel.design.width))


def _terms(kernel: Landmarks, rows: Rows) -> np.ndarray:
    """Return the kernels of rows with the landmarks, and the inputs if there is a linear part."""
    cells = rows.cells.toarray() if hasattr(rows.cells, "toarray") else np.asarray(rows.cells)
    inputs = kernel.design.inputs(cells)
    kernels = rbf_kernel(inputs, kernel.positions.astype(np.float64), kernel.scales)
    return kernels if kernel.linear is None else np.hstack([kernels, inputs])


def _weights(kernel: Landmarks) -> np.ndarray:
    """Return the weights of :func:`_terms`."""
    parts = [kernel.coef] if kernel.linear is None else [kernel.coef, kernel.linear]
    return np.vstack(parts).astype(np.float64)


def _with_weights(kernel: Landmarks, weights: np.ndarray) -> Landmarks:
    n_landmarks = len(kernel.positions)
    linear = None if kernel.linear is None else weights[n_landmarks:]
    return replace(kernel, coef=weights[:n_landmarks], linear=linear)
