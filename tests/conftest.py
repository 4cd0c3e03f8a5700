"""Every run is the same, drawn examples and unseeded fits included, and no test is timed: machines are shared."""

import importlib.util

import numpy as np
import pytest
from hypothesis import settings

settings.register_profile("calm", deadline=None, derandomize=True)
settings.load_profile("calm")


@pytest.fixture(autouse=True)
def _same_in_every_run():
    """What ``random_state=None`` draws from starts anew in each test."""
    np.random.seed(0)  # noqa: NPY002 - the generator that scikit-learn takes then


def pytest_collection_modifyitems(items):
    """Examples that run optional libraries are skipped where these are not installed."""
    if all(importlib.util.find_spec(name) is not None for name in ("onnx", "onnxruntime")):
        return
    for item in items:
        if item.name == "skdistill.export._onnx_function.to_onnx":
            item.add_marker(pytest.mark.skip(reason="onnx and onnxruntime are not installed: to_onnx is not run"))
