"""``plot`` draws each display of a distilled estimator."""

import sys
from functools import cache
from typing import get_args

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

from skdistill import AutoStudent, DistilledRegressor, inspection
from skdistill.estimators._plotting import DISPLAYS, DisplayName
from skdistill.samplers import Jitter

matplotlib.use("Agg")
X, X_NEW = np.random.default_rng(0).random((2, 120, 3))


def hills(rows):
    return np.sin(4 * rows[:, 0]) + rows[:, 1]


SMALL = {"sampler": Jitter(), "n_synthetic": 100, "random_state": 0}
PLAIN = DistilledRegressor(hills, "linear", **SMALL)


@cache
def fitted():
    """Return a model without a selection."""
    return DistilledRegressor(hills, "linear", **SMALL).fit(X)


@cache
def selected():
    """Return a model whose student and columns were selected."""
    return DistilledRegressor(hills, AutoStudent(["linear", "tree"]), student_columns="auto", **SMALL).fit(X)


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def snake_case(name):
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).removeprefix("_")


def test_each_display_has_its_name():
    """All displays but that of cascades, by the names of their classes; an editor completes the same names."""
    classes = [name for name in inspection.__all__ if name.endswith("Display") and name != "CascadeDisplay"]
    assert {f"{short}_display": name for short, name in DISPLAYS.items()} == {
        snake_case(name): name for name in classes
    }
    assert get_args(DisplayName) == ("auto", *DISPLAYS)


@pytest.mark.parametrize("name", DISPLAYS)
def test_it_is_the_display(name):
    """Of the class named, into the axes given, with the numbers of ``from_estimator`` and its arguments."""
    rows = () if name in ("size_fidelity", "columns") else (X_NEW,)
    options = {"random_state": 3} if rows else {}
    ax = plt.figure().subplots()
    display = selected().plot(*rows, display=name, ax=ax, **options)
    same = getattr(inspection, DISPLAYS[name]).from_estimator(selected(), *rows, **options)
    assert type(display) is type(same)
    assert display.ax_ is ax
    numbers = {key: value for key, value in vars(display).items() if isinstance(value, np.ndarray)}
    assert numbers
    for key, value in numbers.items():
        np.testing.assert_array_equal(value, getattr(same, key))


def test_what_is_drawn_unless_told():
    """Rows are compared; without rows, the students that were tried are shown."""
    assert type(selected().plot(X_NEW)) is inspection.FidelityDisplay
    assert type(selected().plot()) is inspection.SizeFidelityDisplay


def test_sizes_are_fitted():
    """With rows and sizes nothing needs to be fitted before."""
    model = DistilledRegressor(hills, "tree", **SMALL)
    assert len(model.plot(X, display="size_fidelity", sizes=[20, 60]).size) == 2


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"display": "fidelty"}, r"plot: display='fidelty'; expected one of .* Did you mean 'fidelity'\?"),
        ({"X": "fidelity"}, r"X='fidelity'; expected rows. Pass display='fidelity'"),
        ({"display": "disagreement"}, "display='disagreement' needs rows X"),
        (
            {"X": X, "display": "columns"},
            "display='columns' shows what fit has measured; got rows X, expected X=None.$",
        ),
        ({"X": X, "display": "size_fidelity"}, "got rows X, expected X=None. Pass sizes, too"),
        ({}, "fit has compared no students, and X is None. Pass rows X"),
        ({"display": "columns"}, "no columns_path_"),
    ],
)
def test_errors_say_what_to_do(arguments, told):
    """Before anything is queried."""
    with pytest.raises(ValueError, match=told):
        fitted().plot(**arguments)


def test_it_needs_a_fit_and_matplotlib(monkeypatch):
    """What is missing is named."""
    with pytest.raises(NotFittedError, match="DistilledRegressor"):
        PLAIN.plot(X)
    for name in ("matplotlib", "matplotlib.pyplot"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match=r"FidelityDisplay\.from_estimator needs matplotlib, which is not installed"):
        fitted().plot(X)
