"""What is only used is installed by one line, with numpy and nothing else."""

import pickle
import re
import subprocess
import sys
import venv
from pathlib import Path

import numpy as np
import pytest
from sklearn.tree import DecisionTreeClassifier

import skdistill
from skdistill.students import CompactBoostingClassifier, CompactBoostingRegressor

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "deploying.md").read_text()

USES = """
import pickle, sys
from importlib.metadata import distributions
from pathlib import Path
import numpy as np
X, models, outputs, monitor = pickle.loads(Path(sys.argv[1]).read_bytes())
for model, expected in zip(models, outputs):
    np.testing.assert_allclose(model(X), expected)
    np.testing.assert_allclose(model(X[0]), expected[0])
    np.testing.assert_allclose(pickle.loads(pickle.dumps(model))(X), expected)
monitor.update(X)
assert monitor.status().n_rows == len(X)
import skdistill, skdistill.checking
assert sys.prefix in skdistill.__file__, skdistill.__file__
try:
    skdistill.DistilledRegressor
except ModuleNotFoundError as error:
    print(error)
print(*{found.metadata["Name"] for found in distributions()})
"""


def test_what_needs_more_says_so():
    """A name of the package that needs a library which is not installed says which, and what to do."""
    for name in ("DistilledRegressor", "report", "students"):
        code = f"import sys; sys.modules['sklearn'] = None; import skdistill; skdistill.{name}"
        ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
        assert f"ModuleNotFoundError: skdistill.{name} needs sklearn, which is not installed." in ended.stderr
        assert ended.stderr.rstrip().endswith("pip install skdistill.")


@pytest.mark.slow
def test_the_line_of_the_page_installs_numpy_alone(tmp_path):
    """In a fresh environment, with the command of the page on deploying: models, intervals and monitors are used."""
    (command,) = re.findall(r"From a clone, `pip (install .*?)` in its folder", PAGE)
    assert f"    pip {command.replace('.', 'skdistill')}\n" in PAGE
    venv.create(tmp_path / "fresh", with_pip=True)
    python = tmp_path / "fresh" / "bin" / "python"
    installed = subprocess.run([python, "-m", "pip", *command.split()], cwd=ROOT, capture_output=True, text=True)
    if installed.returncode and re.search("No matching distribution found for (hatchling|numpy)", installed.stderr):
        pytest.skip("no package index can be reached: nothing is installed")
    assert installed.returncode == 0, installed.stderr
    path = tmp_path / "models.pickle"
    path.write_bytes(pickle.dumps(used()))
    ended = subprocess.run([python, "-I", "-c", USES, path], cwd=tmp_path, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    error, names = ended.stdout.splitlines()
    assert re.fullmatch(r"skdistill.DistilledRegressor needs \w+, which is not installed.*", error)
    assert set(names.split()) - {"pip", "setuptools"} == {"numpy", "skdistill"}


def used():
    """Return rows, compiled models and intervals with their outputs, and a monitor."""
    X = np.random.default_rng(0).normal(size=(400, 3))
    models = [CompactBoostingClassifier(3, 4).fit(X, X[:, 0] > 0), CompactBoostingRegressor(3, 4).fit(X, X[:, 1])]
    models = [skdistill.compile(model) for model in (*models, DecisionTreeClassifier().fit(X, X[:, 2] > 0))]
    monitor = skdistill.Monitor(models[0], X_reference=X[:100], promise=0.9)
    return X, models, [model(X) for model in models], monitor
