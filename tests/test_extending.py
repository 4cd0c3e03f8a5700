"""The page on extending shows code that runs."""

import re
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone

from skdistill.students._families import FAMILIES

PAGE = Path(__file__).parents[1] / "docs" / "extending.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)


@pytest.fixture(autouse=True)
def _registry_as_before():
    before = dict(FAMILIES)
    yield
    FAMILIES.clear()
    FAMILIES.update(before)


@cache
def run(block):
    """Return the names that a block of the page leaves behind: of one run, however many tests ask for them."""
    names = {"__name__": "extending"}
    exec(compile(block, str(PAGE), "exec"), names)
    return names


def block_with(text):
    return next(block for block in BLOCKS if text in block)


@pytest.mark.parametrize("block", BLOCKS, ids=["sampler", "student", "family", "size", "teacher"])
def test_each_block_runs_by_itself(block):
    """Each block can be pasted into an empty session: it needs no other, and what it asserts holds."""
    run(block)


def test_groups_stay_together():
    """The sampler of the page draws each group of columns from one real row, and its clone draws the same."""
    names = run(block_with("class GroupSwap"))
    X, groups = names["X"], names["groups"]
    rows = clone(names["sampler"]).fit(X).sample(300, random_state=1)
    for group in groups:
        real = set(map(tuple, X[group].to_numpy()))
        assert set(map(tuple, rows[group].to_numpy())) <= real
    assert not set(map(tuple, rows.to_numpy())) <= set(map(tuple, X.to_numpy()))
    assert names["model"].transfer_set_.sampler.startswith("GroupSwap")


def test_soft_targets_reach_the_student():
    """The student of the page learns labels as certain soft targets, and weights count as rows do."""
    names = run(block_with("class SoftCentroids"))
    student, X, y = names["SoftCentroids"](), names["X"], names["y"]
    of_labels = clone(student).fit(X, y)
    of_targets = clone(student).fit_soft(X, np.eye(10)[y], classes=np.arange(10))
    np.testing.assert_allclose(of_labels.predict_proba(X), of_targets.predict_proba(X))
    twice = clone(student).fit(np.vstack([X, X[:50]]), np.append(y, y[:50]))
    weighted = clone(student).fit(X, y, sample_weight=1 + (np.arange(len(y)) < 50))
    np.testing.assert_allclose(twice.coef_, weighted.coef_)
    assert names["model"].fidelity(X[900:]) > 0  # better than the mean answer
