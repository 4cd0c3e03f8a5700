"""Fits on a cluster of Dask: the student of one machine, whatever happens to workers and partitions."""

import importlib
import os
import signal
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier

from skdistill import DistilledClassifier, DistilledRegressor, memory_info
from skdistill.datasets import as_dataset
from skdistill.distributed import label, on_cluster
from skdistill.exceptions import ClusterError, DatasetError, TeacherQueryError
from skdistill.samplers import LeafSwap

dd = pytest.importorskip("dask.dataframe")
pytest.importorskip("distributed")

N_ROWS = 3000


def rows(n_rows=N_ROWS, seed=0):
    rng = np.random.RandomState(seed)
    table = pd.DataFrame(rng.rand(n_rows, 3), columns=["a", "b", "c"])
    return table.assign(g=pd.Categorical(rng.choice(["u", "v"], n_rows)), weight=(table["b"] > 0.1).astype(float))


FEATURES = ["a", "b", "c", "g"]


def wavy(X):
    """Vary where a is large, and hardly elsewhere."""
    return np.where(X["a"] > 0.8, np.sin(40 * X["b"]), 0.01 * X["b"]) + 0.1 * (X["g"] == "u").to_numpy()


class Fatal:
    """A teacher whose process ends the first time that it is queried, unless the process is that of the test."""

    def __init__(self, folder, n_times=1):
        self.folder, self.n_times, self.home = Path(folder), n_times, os.getpid()

    def __call__(self, X):
        if os.getpid() != self.home and len(list(self.folder.glob("*"))) < self.n_times:
            (self.folder / str(os.getpid())).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return wavy(X)


def tree(teacher=wavy, **options):
    return DistilledRegressor(teacher, "tree", **{"sampler": None, "random_state": 0, **options})


@pytest.mark.parametrize(
    ("n_partitions", "options"),
    [
        (1, {"max_queries": 600}),
        (7, {"max_queries": 600, "chunk_size": 50}),
        (4, {"chunk_size": 1100}),
        (3, {"max_queries": 900, "sampler": LeafSwap(), "student": "linear"}),
    ],
)
def test_the_student_is_that_of_one_machine(client, n_partitions, options):
    """On the same rows and seed, for any number of partitions, with and without a selection of rows."""
    table = rows().drop(columns="weight")
    options = {"random_state": 0, "sampler": None, "student": "tree", **options}
    here = DistilledRegressor(wavy, **options).fit(as_dataset([table[:1300], table[1300:]]))
    with on_cluster(client):
        there = DistilledRegressor(wavy, **options).fit(dd.from_pandas(table, npartitions=n_partitions))
    assert (here.predict(table) == there.predict(table)).all()
    assert here.transfer_set_.n_queries == there.transfer_set_.n_queries
    assert here.transfer_set_.n_unlabeled == there.transfer_set_.n_unlabeled


def test_labels_weights_and_models_travel(client):
    """A classifier of texts, with columns of labels and weights, and a model that is fitted on arrays."""
    table = rows().assign(label=lambda X: np.where(X["a"] > 0.5, "yes", "no"))
    teacher = RandomForestClassifier(5, random_state=0).fit(table[["a", "b"]].to_numpy(), table["label"])
    small = table[["a", "b", "label", "weight"]]
    fits = []
    for X in (as_dataset([small]), dd.from_pandas(small, npartitions=3)):
        model = DistilledClassifier(teacher, "tree", sampler=None, max_queries=500, soft_weight=0.5, random_state=0)
        with on_cluster(client):
            fits.append(model.fit(X, "label", sample_weight="weight").predict_proba(table[["a", "b"]].to_numpy()))
    assert (fits[0] == fits[1]).all()


def test_a_worker_may_die(client, tmp_path):
    """Its block is labelled by another worker, and each answer is stored once."""
    (tmp_path / "deaths").mkdir()
    table = rows(1000).drop(columns="weight")
    here = tree(chunk_size=100).fit(table)
    model = tree(Fatal(tmp_path / "deaths"), chunk_size=100, memory=str(tmp_path / "memory"), teacher_id="fatal")
    with on_cluster(client):
        model.fit(dd.from_pandas(table, npartitions=3))
    assert len(list((tmp_path / "deaths").iterdir())) == 1
    assert (here.predict(table) == model.predict(table)).all()
    assert memory_info(str(tmp_path / "memory")).n_rows == model.transfer_set_.n_queries == 1000
