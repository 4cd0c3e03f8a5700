"""The example with Ray in the guide runs as it is printed."""

import re
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier

PAGE = Path(__file__).parents[2] / "docs" / "guide" / "my_teacher_is_a_service.md"
FOLDER = "/mnt/shared"


@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # Ray warns of its own names
def test_rows_are_labelled_by_ray_and_looked_up(tmp_path):
    """Labels of a class that Ray maps over batches teach a student that follows the model inside."""
    ray = pytest.importorskip("ray")
    pytest.importorskip("pyarrow")
    X = np.random.default_rng(0).normal(size=(2000, 4))
    y = np.where(X[:, 0] + X[:, 1] ** 2 > 1, "yes", "no")
    joblib.dump(RandomForestClassifier(50, random_state=0).fit(X[:500], y[:500]), tmp_path / "teacher.joblib")
    pd.DataFrame(X, columns=["f0", "f1", "f2", "f3"]).to_parquet(tmp_path / "rows.parquet")
    blocks = re.findall(r"^```py\n(.*?)^```$", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    [code] = [block for block in blocks if "import ray" in block]
    assert FOLDER in code
    namespace = {"__name__": "page"}
    ray.init(num_cpus=4, include_dashboard=False, log_to_driver=False)
    try:
        exec(compile(code.replace(FOLDER, str(tmp_path)), PAGE.name, "exec"), namespace)
    finally:
        ray.shutdown()
    model = namespace["model"]
    assert model.classes_.tolist() == ["no", "yes"]
    assert model.transfer_set_.n_synthetic == 0
    assert model.fidelity(namespace["rows"].tail(1000)) > 0.9
