"""Type checkers see what users call: public names, lazy ones too, and what comes back."""

import re
from pathlib import Path

import pytest

api = pytest.importorskip("mypy.api", reason="mypy is part of the development extra")

pytestmark = pytest.mark.slow  # six seconds of mypy

USER = """
from typing import Any

import numpy as np
import skdistill
from skdistill import AutoSampler, AutoStudent, Candidates, DistilledClassifier, DistilledRegressor, as_teacher
from skdistill import compile as compile_model
from skdistill.metrics import fidelity
from skdistill.samplers import LeafSwap
from skdistill.students import CompactTreeClassifier


def distil(teacher: Any, X: np.ndarray, y: np.ndarray) -> None:
    model = DistilledClassifier(teacher, "boosting", sampler=LeafSwap(), temperature=2.0, random_state=0)
    reveal_type(model.fit(X, y, sample_weight=y, X_unlabeled=X, X_val=X))
    reveal_type(DistilledClassifier(teacher).fit(X).predict(X))
    reveal_type(model.predict_proba(X))
    reveal_type(model.fidelity(X))
    reveal_type(model.soft_targets(X))
    reveal_type(DistilledRegressor(teacher, AutoStudent(max_bytes=1000), sampler=AutoSampler()).fit(X))
    reveal_type(CompactTreeClassifier().fit_soft(X, y).predict_proba(X))
    reveal_type(as_teacher(teacher).outputs(X))
    reveal_type(compile_model(model))
    reveal_type(skdistill.metrics.fidelity(y, y) + fidelity(y, y))


def explain(candidates: Candidates) -> str:
    return candidates.explain()
"""
REVEALED = [
    "DistilledClassifier",
    "ndarray",
    "ndarray",
    "float",
    "ndarray",
    "DistilledRegressor",
    "ndarray",
    "ndarray",
    "CompiledModel",
    "float",
]
WRONG = """
from skdistill import DistilledClassifier, nothing_of_this_name

DistilledClassifier(None, temperatur=2.0)
DistilledClassifier(None).fit()
"""


def check(source: str, path: Path) -> str:
    path.write_text(source)
    report, errors, _ = api.run(["--strict", "--ignore-missing-imports", str(path)])
    assert not errors
    return report


@pytest.fixture(scope="module")
def strictly_checked(tmp_path_factory):
    return check(USER, tmp_path_factory.mktemp("typing") / "user.py")


def test_a_users_program_is_clean_under_strict(strictly_checked):
    """Every public name is visible and typed, although it is imported only when it is asked for."""
    assert not re.findall("^.* error: .*$", strictly_checked, flags=re.MULTILINE)


def test_what_comes_back_has_a_type(strictly_checked):
    """``fit`` returns the estimator, answers are arrays, scores are numbers."""
    revealed = re.findall(r'Revealed type is "(.*)"', strictly_checked)
    assert len(revealed) == len(REVEALED)
    for given, expected in zip(revealed, REVEALED, strict=True):
        assert expected in given.split("[")[0], (given, expected)


def test_mistakes_are_seen(tmp_path):
    """A misspelt parameter, an argument that is missing and a name that is not there are errors."""
    report = check(WRONG, tmp_path / "wrong.py")
    assert 'Unexpected keyword argument "temperatur"' in report
    assert 'Missing positional argument "X"' in report or "Too few arguments" in report
    assert 'has no attribute "nothing_of_this_name"' in report
