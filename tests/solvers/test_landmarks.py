"""Landmarks: the gradient by which they are moved."""

import numpy as np
import pytest
from scipy.optimize import approx_fprime

from skdistill.solvers._landmarks import VariableProjection


@pytest.mark.parametrize("n_linear", [0, 3])
def test_gradients_are_those_of_finite_differences(n_linear):
    """By positions and scales, the coefficients being the best for these."""
    rng = np.random.RandomState(0)
    weight = rng.uniform(size=30)
    objective = VariableProjection(
        rng.normal(size=(30, 3)), rng.normal(size=(30, 2)), weight / weight.sum(), n_linear, (4, 3)
    )
    point = np.concatenate([rng.normal(size=12), np.log([0.3, 1.0, 0.5])])
    differences = approx_fprime(point, lambda at: objective(at)[0], 1e-7)
    np.testing.assert_allclose(objective(point)[1], differences, atol=1e-5)
