"""A stranger's first notebook runs as it stands."""

import json
from pathlib import Path

import pytest

NOTEBOOK = Path(__file__).parents[1] / "examples" / "first_report.ipynb"
MOST_LINES = 15


def test_notebook_is_short():
    """From a fitted ensemble to a report and a picture of sizes in fifteen lines of code."""
    cells = json.loads(NOTEBOOK.read_text())["cells"]
    code = "".join("".join(cell["source"]) + "\n" for cell in cells if cell["cell_type"] == "code")
    lines = [line for line in code.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    assert len(lines) <= MOST_LINES
    assert "report(" in code
    assert "SizeFidelityDisplay" in code


@pytest.mark.slow
def test_notebook_runs(tmp_path):
    """Executed in a fresh kernel it shows the report as a page, and a picture."""
    pytest.importorskip("ipykernel")
    nbclient = pytest.importorskip("nbclient")
    nbformat = pytest.importorskip("nbformat")
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbclient.NotebookClient(notebook, timeout=300, resources={"metadata": {"path": tmp_path}}).execute()
    shown = [output.get("data", {}) for cell in notebook.cells for output in cell.get("outputs", [])]
    assert any("skdistill-report" in data.get("text/html", "") for data in shown)
    assert any("image/png" in data for data in shown)


CELL = """
import numpy as np
from skdistill import DistilledRegressor, _progress

_progress.QUIET_SECONDS = 0.0
model = DistilledRegressor(lambda X: X[:, 0], "linear", sampler=None, chunk_size=10, verbose=1)
model.fit(np.random.default_rng(0).normal(size=(50, 2)))
model.transfer_set_
"""


def shown_by(cell, tmp_path):
    """Return what a cell shows in a fresh kernel."""
    pytest.importorskip("ipykernel")
    nbclient = pytest.importorskip("nbclient")
    nbformat = pytest.importorskip("nbformat")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell)])
    nbclient.NotebookClient(notebook, timeout=300, resources={"metadata": {"path": tmp_path}}).execute()
    return [output["data"] for output in notebook.cells[0].outputs if "data" in output]


@pytest.mark.slow
def test_a_kernel_shows_a_bar_and_tables(tmp_path):
    """The bar of a fit is an output of the cell with its last state; what ``fit`` sets is shown as HTML."""
    bar, transfer_set = shown_by(f"import sys; sys.modules['ipywidgets'] = None\n{CELL}", tmp_path)
    assert bar["text/plain"].startswith("DistilledRegressor fitted in ")
    assert "skdistill-progress" in bar["text/html"]
    assert 'value="1.0000"' in bar["text/html"]
    assert "50 real rows" in transfer_set["text/html"]


@pytest.mark.slow
def test_a_kernel_with_widgets_shows_a_bar_of_tqdm(tmp_path):
    """One widget, which is full at the end."""
    pytest.importorskip("tqdm")
    pytest.importorskip("ipywidgets")
    bar, _ = shown_by(CELL, tmp_path)
    assert "application/vnd.jupyter.widget-view+json" in bar
    assert bar["text/plain"].startswith("100%|")
