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


@pytest.mark.slow
def test_a_kernel_shows_a_bar_and_tables(tmp_path):
    """Progress is an output of the cell with its last state; what ``fit`` sets is shown as HTML."""
    pytest.importorskip("ipykernel")
    nbclient = pytest.importorskip("nbclient")
    nbformat = pytest.importorskip("nbformat")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CELL)])
    nbclient.NotebookClient(notebook, timeout=300, resources={"metadata": {"path": tmp_path}}).execute()
    shown = [output["data"] for output in notebook.cells[0].outputs if "data" in output]
    bars = [data for data in shown if "skdistill-progress" in data["text/html"]]
    assert [data["text/plain"].split(",")[0] for data in bars] == ["<lambda> labels real rows: 50 of 50 rows"]
    assert 'value="1.0000"' in bars[0]["text/html"]
    assert "50 real rows" in shown[-1]["text/html"]
