"""The project in examples/service works from the table to the load test."""

import json
import pickle
import re
import shutil
import subprocess
import sys
import urllib.error
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from skdistill.certificates import Certificate

PROJECT = Path(__file__).parents[1] / "examples" / "service"
README = (PROJECT / "README.markdown").read_text()


def test_the_readme_knows_the_files():
    """Its table lists each script once, its commands run scripts that exist, and its links lead to files."""
    scripts = sorted(path.name for path in PROJECT.glob("*.py"))
    assert sorted(re.findall(r"^\| `(\w+\.py)` \|", README, re.MULTILINE)) == scripts
    assert set(re.findall(r"^    python (\S+)", README, re.MULTILINE)) <= set(scripts)
    for target in re.findall(r"\]\(([^)#]+)", README):
        assert (PROJECT / target).exists(), target


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A copy of the project, in which the table was written and the student trained; the working folder."""
    for name in ("fastapi", "uvicorn"):
        pytest.importorskip(name)
    folder = tmp_path_factory.mktemp("project") / "service"
    shutil.copytree(PROJECT, folder, ignore=shutil.ignore_patterns("__pycache__", "shipped"))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.syspath_prepend(folder)
        for script in ("make_table.py", "train.py"):
            subprocess.run([sys.executable, script], check=True)
        yield folder
    for name in ("audit", "load_test"):
        sys.modules.pop(name, None)


@pytest.mark.slow
class TestProject:
    """One training, several promises."""

    def test_what_is_shipped(self, project):
        """A student that keeps its promise, without the teacher; rows of the load test were not used."""
        assert {path.name for path in (project / "shipped").iterdir()} == {
            "certificate.json",
            "monitor.pickle",
            "student.pickle",
        }
        certificate = Certificate.from_json((project / "shipped" / "certificate.json").read_text())
        assert certificate.verdict == "met"
        assert (project / "shipped" / "student.pickle").stat().st_size < (
            project / "teacher.joblib"
        ).stat().st_size / 50

    def test_the_service_answers_counts_and_is_audited(self, project):
        """Without scikit-learn, as the student does; the chosen rows are answered by the teacher, each once."""
        (project / "sitecustomize.py").write_text(
            "import sys\nsys.modules.update(dict.fromkeys(['sklearn', 'scipy', 'lightgbm', 'joblib', 'pandas']))\n"
        )
        audit, load_test = import_module("audit"), import_module("load_test")
        rows = json.loads((project / "later.json").read_text())
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PYTHONPATH", str(project), prepend=":")
            with load_test.started("student") as port:
                address = f"http://127.0.0.1:{port}"
                _, answers = load_test.send(port, rows, 0)
                self.check_answers(project, rows, answers)
                assert audit.ask(f"{address}/status")["n_rows"] == len(rows)
                chosen = audit.ask(f"{address}/audits")
                assert 0 < len(chosen["rows"]) < len(rows) / 2
                assert audit.ask(f"{address}/audits")["rows"] == []
                labels = ["benign"] * len(chosen["rows"])
                recorded = audit.ask(f"{address}/audits", {"rows": chosen["rows"], "labels": labels})
                assert recorded == {"audits": len(labels)}
                assert audit.ask(f"{address}/certificate")["verdict"] == "met"
                missing = dict.fromkeys(rows[0])
                assert sum(audit.ask(f"{address}/predict", missing).values()) == pytest.approx(1)
                with pytest.raises(urllib.error.HTTPError, match="422"):
                    audit.ask(f"{address}/predict", {**rows[0], "weight": 1})
        (project / "sitecustomize.py").unlink()

    @staticmethod
    def check_answers(project, rows, answers):
        """Compare the answers of the service with those of the student that was shipped."""
        student = pickle.loads((project / "shipped" / "student.pickle").read_bytes())
        expected = student(pd.DataFrame(rows))
        found = [[answer[name] for name in student.classes_] for answer in answers]
        np.testing.assert_allclose(found, expected, rtol=1e-9)

    def test_the_day_ends_with_an_audit(self, project, capsys):
        """The script finds rows to audit, and no alarm on rows like the reference."""
        audit, load_test = import_module("audit"), import_module("load_test")
        rows = json.loads((project / "later.json").read_text())
        with load_test.started("student") as port:
            load_test.send(port, rows, 0)
            audit.main(f"http://127.0.0.1:{port}")
        n_rows, n_audits = map(
            int, re.match(r"(\d+) rows, (\d+) audits\nalarms: none", capsys.readouterr().out).groups()
        )
        assert n_rows == len(rows)
        assert n_audits > 0

    def test_the_load_test_compares_both(self, project, capsys):
        """It counts the requests of teacher and student, whose labels differ as rarely as was promised."""
        import_module("load_test").main("0.2")
        printed = capsys.readouterr().out
        assert re.search(r"teacher: [\d,]+ requests/s.*\nstudent: [\d,]+ requests/s.*", printed)
        same, n_rows = map(int, re.search(r"same label for (\d+) of (\d+) new rows", printed).groups())
        assert same >= 0.9 * n_rows
