"""Coefficients of features: optimal for every loss, whichever way they are found."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import approx_fprime

from skdistill._losses import BinaryCrossEntropy, SoftmaxCrossEntropy, SquaredError
from skdistill.solvers import _regression as regression
from skdistill.solvers._regression import Features, choose_features, ridge_solution, solve

LOSSES = [SquaredError(), BinaryCrossEntropy(), SoftmaxCrossEntropy()]


def draw_problem(loss, n_rows=30, n_features=3, n_scores=3):
    rng = np.random.RandomState(0)
    n_scores = 1 if isinstance(loss, BinaryCrossEntropy) else n_scores
    targets = rng.uniform(size=(n_rows, n_scores))
    targets = targets / targets.sum(axis=1, keepdims=True) if isinstance(loss, SoftmaxCrossEntropy) else targets
    block, weight = rng.normal(size=(n_rows, n_features)), rng.uniform(size=n_rows)
    return Features(lambda: iter([block[:10], block[10:]]), weight / weight.sum(), block.size), targets


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.link)
def test_gradients_are_those_of_finite_differences(loss):
    """Of the mean loss by coefficients and constant; for the cross-entropy second derivatives too."""
    features, targets = draw_problem(loss)
    objective, shape = regression._Objective(features, targets, loss, 0.3), (3, targets.shape[1])
    point = np.random.RandomState(1).normal(size=(shape[0] + 1) * shape[1])

    def of(point):
        rows = point.reshape(-1, shape[1])
        return objective(rows[:-1], rows[-1])

    def gradient(point):
        _, of_coef, of_constant = of(point)
        return np.vstack([of_coef, of_constant]).ravel()

    np.testing.assert_allclose(gradient(point), approx_fprime(point, lambda at: of(at)[0], 1e-7), atol=1e-5)
    if not loss.is_quadratic:
        rows = point.reshape(-1, shape[1])
        hessian = np.array([approx_fprime(point, lambda at, k=k: gradient(at)[k], 1e-7) for k in range(len(point))])
        np.testing.assert_allclose(objective.hessian(rows[:-1], rows[-1]), hessian, atol=1e-5)


@pytest.mark.parametrize("newton_work", [0, np.inf], ids=["L-BFGS", "Newton"])
@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.link)
def test_solutions_are_flat(loss, newton_work, monkeypatch):
    """Gradients vanish where a solution is, however it was found, from zero or from elsewhere."""
    monkeypatch.setattr(regression, "MAX_NEWTON_WORK", newton_work)
    features, targets = draw_problem(loss)
    for start in (None, (np.full((2, targets.shape[1]), 3.0), np.full(targets.shape[1], -1.0))):
        coef, constant = solve(features, targets, loss, ridge=0.01, start=start)
        _, of_coef, of_constant = regression._Objective(features, targets, loss, 0.01)(coef, constant)
        assert max(np.abs(of_coef).max(), np.abs(of_constant).max()) < 1e-4


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.link)
def test_features_made_anew_are_those_kept(loss, monkeypatch):
    """Many features are not kept in memory, and wide ones have no products: the answer is the same."""
    features, targets = draw_problem(loss)
    kept = solve(features, targets, loss, ridge=0.1)
    monkeypatch.setattr(regression, "MAX_CELLS_IN_MEMORY", 0)
    anew = solve(draw_problem(loss)[0], targets, loss, ridge=0.1)
    monkeypatch.setattr(regression, "MAX_GRAM_FEATURES", 0)
    wide = solve(draw_problem(loss)[0], targets, loss, ridge=0.1)
    np.testing.assert_allclose(anew[0], kept[0], atol=1e-10)
    np.testing.assert_allclose(wide[0], kept[0], atol=1e-3)


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 10**6), n_chosen=st.integers(1, 8), n_outputs=st.integers(1, 3))
def test_each_feature_is_the_best_one_left(seed, n_chosen, n_outputs):
    """Orthogonal least squares: no other feature would lower the error of all chosen ones more at its step."""
    rng = np.random.RandomState(seed)
    features, targets = rng.normal(size=(20, 6)), rng.normal(size=(20, n_outputs))
    features = np.hstack([features, features[:, :2]])  # twins
    chosen = choose_features(features.T @ features, features.T @ targets, n_chosen)

    def error(columns):
        some = features[:, columns]
        return np.sum((targets - some @ np.linalg.lstsq(some, targets, rcond=None)[0]) ** 2)

    assert len(set(chosen % 6)) == len(chosen) == min(n_chosen, 6)
    for step in range(len(chosen)):
        best = min(error([*chosen[:step], other]) for other in range(8))
        assert error(chosen[: step + 1]) <= best + 1e-8


def test_products_without_a_factor_get_a_ridge():
    """Collinear features, features of zeros, and products that rounding made indefinite are solved for."""
    one = np.ones((3, 3)) - 1e-15 * np.eye(3)
    for gram in (one, np.zeros((3, 3)), np.diag([1.0, 0.0, -1e-9])):
        assert np.isfinite(ridge_solution(gram, np.ones((3, 1)), 0.0)).all()


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.link)
def test_the_lasso_is_optimal(loss):
    """Gradients are alpha against the sign of each weight, and at most alpha where weights are exactly zero."""
    features, targets = draw_problem(loss)
    coef, constant = solve(features, targets, loss, lasso=0.03)
    _, gradient, of_constant = regression._Objective(features, targets, loss, 0.0)(coef, constant)
    assert (coef == 0).any()
    assert (coef != 0).any()
    np.testing.assert_allclose(gradient[coef != 0], -0.03 * np.sign(coef[coef != 0]), atol=1e-5)
    assert np.abs(gradient[coef == 0]).max() <= 0.03 + 1e-6
    np.testing.assert_allclose(of_constant, 0, atol=1e-5)
