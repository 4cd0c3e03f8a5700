"""Every run is the same, drawn examples and unseeded fits included, and no test is timed: machines are shared."""

import gc
import importlib.util
import operator
from importlib import import_module

import numpy as np
import pytest
from hypothesis import find, settings, strategies

settings.register_profile("calm", deadline=None, derandomize=True)
settings.load_profile("calm")


@pytest.fixture(autouse=True)
def _same_in_every_run():
    """What ``random_state=None`` draws from starts anew in each test."""
    np.random.seed(0)  # noqa: NPY002 - the generator that scikit-learn takes then


@pytest.fixture(autouse=True, scope="session")
def _short_measurements():
    """No test compares seconds: to measure latency a model is asked seven times, not for 7 times 20 milliseconds."""
    module = import_module("skdistill.metrics._footprint")
    measured = module._median_seconds

    def ask_a_few_times(predict, argument, n_repeats=7, min_seconds=0.02):
        return measured(predict, argument, n_repeats, 0.0 if min_seconds == 0.02 else min_seconds)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_median_seconds", ask_a_few_times)
        yield


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """What is collected stays until the end: the garbage collector waits, and later looks at none of it."""
    gc.disable()
    try:
        return (yield)
    finally:
        find(strategies.none(), lambda _: True)  # hypothesis asks the collector who holds NumPy's generator, once
        gc.freeze()
        gc.enable()


@pytest.hookimpl(wrapper=True)
def pytest_collect_file():
    """Files of tests hold no examples: they are collected once, not searched for examples first."""
    return [collector for collector in (yield) if type(collector) is pytest.Module]


def pytest_generate_tests(metafunc):
    """A test is thinned such that each value of each of its parameters remains."""
    mark = metafunc.definition.get_closest_marker("thinned")
    if mark is not None:
        sizes = [len(each.args[1]) for each in metafunc.definition.iter_markers("parametrize")]
        assert len(sizes) > 1, "thinned needs two parametrize marks or more"
        assert sorted(sizes)[-2] >= mark.args[0], f"thinned({mark.args[0]}) would leave values out: there are {sizes}"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Of combinations of parameters only some run by default; examples are skipped where their library is missing."""
    for item in items:
        mark = item.get_closest_marker("thinned")
        if mark is not None and _place(item) % mark.args[0]:
            item.add_marker(pytest.mark.slow)
    if all(importlib.util.find_spec(name) is not None for name in ("onnx", "onnxruntime")):
        return
    for item in items:
        if item.name == "skdistill.export._onnx_function.to_onnx":
            item.add_marker(pytest.mark.skip(reason="onnx and onnxruntime are not installed: to_onnx is not run"))


def _place(item):
    """Return the sum of the places that the parameters of a test have in the lists of its ``parametrize`` marks."""
    place = 0
    for mark in item.iter_markers("parametrize"):
        names = [name.strip() for name in mark.args[0].split(",")] if isinstance(mark.args[0], str) else mark.args[0]
        given = [item.callspec.params[name] for name in names]
        is_given = [all(map(operator.is_, given, _values(listed, len(names)))) for listed in mark.args[1]]
        place += is_given.index(True)
    return place


def _values(listed, n_names):
    """Return what an entry of a ``parametrize`` mark says of each name."""
    if isinstance(listed, type(pytest.param())):
        return listed.values
    return listed if n_names > 1 else [listed]
