"""Every run is the same, drawn examples and unseeded fits included, and no test is timed: machines are shared."""

import numpy as np
import pytest
from hypothesis import settings

settings.register_profile("calm", deadline=None, derandomize=True)
settings.load_profile("calm")


@pytest.fixture(autouse=True)
def _same_in_every_run():
    """What ``random_state=None`` draws from starts anew in each test."""
    np.random.seed(0)  # noqa: NPY002 - the generator that scikit-learn takes then
