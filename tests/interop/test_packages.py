"""Teachers of other packages that are installed; the extra ``interop`` installs all of them."""

import importlib.metadata
import importlib.util
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.interop, pytest.mark.filterwarnings("ignore")]

SCRIPT = Path(__file__).parents[2] / "docs" / "benchmarks" / "interop.py"


def load():
    """Import the benchmark, which lists the models."""
    spec = importlib.util.spec_from_file_location("interop", SCRIPT)
    module = sys.modules["interop"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


BENCHMARK = load()


@pytest.mark.parametrize("case", BENCHMARK.CASES, ids=lambda case: f"{case.package}: {case.title}")
def test_students_follow_teachers_of_other_packages(case):
    """The student of each model, passed as the page says, follows it on unseen rows."""
    try:
        importlib.metadata.version(case.package)
    except importlib.metadata.PackageNotFoundError:
        pytest.skip(f"{case.package} is not installed")
    fidelity, _ = BENCHMARK.measure(case)
    assert fidelity > 0.85
