"""Fits on a cluster of Dask: the student of one machine, whatever happens to workers and partitions."""

import importlib
import os
import signal
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression

from skdistill import DistilledClassifier, DistilledRegressor, as_teacher, memory_info, report
from skdistill.datasets import as_dataset
from skdistill.distributed import label, on_cluster
from skdistill.distributed._cluster import Cluster, Task
from skdistill.distributed._drawing import ClusterDrawer
from skdistill.distributed._sent import Content, Sent
from skdistill.exceptions import ClusterError, DatasetError, TeacherQueryError
from skdistill.samplers import LeafSwap
from skdistill.teachers import RemoteTeacher
from skdistill.teachers._elsewhere import is_of_here

dd = pytest.importorskip("dask.dataframe")
pytest.importorskip("distributed")

N_ROWS = 3000


def rows(n_rows=N_ROWS, seed=0):
    rng = np.random.RandomState(seed)
    table = pd.DataFrame(rng.rand(n_rows, 3), columns=["a", "b", "c"])
    return table.assign(g=pd.Categorical(rng.choice(["u", "v"], n_rows)), weight=(table["b"] > 0.1).astype(float))


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
    assert there.transfer_set_.labelled_by == "a cluster of Dask"
    assert here.transfer_set_.n_unlabeled == there.transfer_set_.n_unlabeled


def test_a_refit_is_that_of_one_machine(client):
    """Rows beyond those that are held are labelled by the workers and summed here."""
    table = rows().drop(columns="weight")
    options = {"student": "linear", "sampler": None, "random_state": 0, "max_queries": 2600}
    here = DistilledRegressor(wavy, **options).fit(as_dataset([table[:1300], table[1300:]], sample_rows=500))
    with on_cluster(client):
        frame = as_dataset(dd.from_pandas(table, npartitions=3), sample_rows=500)
        there = DistilledRegressor(wavy, **options).fit(frame)
    assert here.refit_report_.n_summed == there.refit_report_.n_summed > 2400
    assert np.allclose(here.predict(table), there.predict(table))


class Abroad:
    """A teacher that no longer answers in the process of the test once it is told so."""

    def __init__(self):
        self.home = None

    def __call__(self, X):
        assert os.getpid() != self.home
        return wavy(X)


def test_datasets_are_measured_where_they_are(client, monkeypatch):
    """Fidelity and report are those of one machine, from the sums of each partition; no row is computed here."""
    teacher, table = Abroad(), rows(900).assign(truth=lambda X: X["a"] + X["b"])
    features = ["a", "b", "c", "g"]
    model = tree(teacher).fit(table[features][:300])
    options = {"timing": False, "max_rows": None, "columns": ["a", "g"]}
    expected = report(model, as_dataset([table]), "truth", sample_weight="weight", **options)
    fidelity = model.fidelity(table[features], sample_weight=table["weight"])
    teacher.home = os.getpid()
    monkeypatch.setattr("skdistill.datasets._other_sources._Computed.__call__", None)
    frame = dd.from_pandas(table, npartitions=3)
    with on_cluster(client):
        assert model.fidelity(frame, sample_weight="weight") == pytest.approx(fidelity, rel=1e-12)
        found = report(model, frame, "truth", sample_weight="weight", **options)
        with pytest.raises(DatasetError, match=r"the partition partition 1.*'b'.* not in index"):
            model.fidelity(spoiled(lambda part: part.drop(columns="b")))
    assert found.decision == expected.decision
    assert found.worst_rows["row"].tolist() == expected.worst_rows["row"].tolist()
    for part in ("models", "by_slice"):
        for name, values in getattr(expected, part).items():
            if values.dtype.kind == "f":
                assert np.allclose(getattr(found, part)[name], values, rtol=1e-9, equal_nan=True)


@pytest.mark.parametrize(
    ("n_threads", "trait", "is_there"), [(3, None, True), (4, None, False), (1, "transductive", False)]
)
def test_models_are_compared_where_that_keeps_workers_busy(n_threads, trait, is_there):
    """Of fewer partitions than threads, blocks are labelled; some teachers are never queried elsewhere."""
    drawer, teacher = ClusterDrawer(SimpleNamespace(n_threads=lambda: n_threads)), as_teacher(wavy)
    if trait:
        setattr(teacher, trait, True)
    dataset = as_dataset(dd.from_pandas(rows(30), npartitions=3))
    assert (drawer.results(dataset, len, [], teacher) is not None) == is_there


def test_remote_teachers_are_queried_here():
    """Where their limits and their budget are counted."""
    assert is_of_here(as_teacher(RemoteTeacher(wavy)))
    assert not is_of_here(as_teacher(wavy))


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


def test_arrays_of_dask_are_drawn_there(client):
    """And several teachers are sent, each once."""
    import dask.array as da

    X = np.random.RandomState(0).rand(900, 3)
    options = {"student": "tree", "sampler": None, "max_queries": 300, "random_state": 0}
    teachers = [LinearRegression().fit(X, X[:, 0]), LinearRegression().fit(X, X[:, 1])]
    here = DistilledRegressor(teachers, **options).fit(as_dataset([X]))
    with on_cluster(client):
        there = DistilledRegressor(teachers, **options).fit(da.from_array(X, chunks=(200, 2)))
    assert (here.predict(X) == there.predict(X)).all()


@pytest.fixture
def only_here(tmp_path, monkeypatch):
    """A module that the workers do not have."""
    (tmp_path / "vendor_model.py").write_text("def answer(X):\n    return X['a']\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield importlib.import_module("vendor_model")
    del sys.modules["vendor_model"]


def test_a_worker_without_the_library_of_the_teacher_is_named(client, only_here):
    """With what it lacks and what it was to do."""
    frame = dd.from_pandas(rows(100), npartitions=2)
    expected = "worker tcp://.* cannot load the teacher.*No module named 'vendor_model'.*Install"
    with on_cluster(client), pytest.raises(ClusterError, match="real rows 0 to 99.*" + expected):
        tree(only_here.answer).fit(frame)
    outputs = label(only_here.answer, frame, names=["output"])
    with pytest.raises(ClusterError, match="partition [01] of the Dask DataFrame.*" + expected):
        outputs.compute()


def test_what_cannot_be_sent_says_so(client, tmp_path):
    """An open file, or no client at all."""
    with (
        (tmp_path / "log").open("w") as log,
        on_cluster(client),
        pytest.raises(ClusterError, match="cannot be pickled"),
    ):
        tree(lambda X: X["a"] + log.write("")).fit(rows(100))
    with pytest.raises(ClusterError, match="got str as client; expected"), on_cluster("tcp://127.0.0.1:8786"):
        pass


def test_errors_of_the_teacher_name_the_rows(client):
    """And keep their cause."""

    def refuses(X):
        raise KeyError("no key")

    with on_cluster(client), pytest.raises(TeacherQueryError, match="KeyError for real rows 0 to 99") as caught:
        tree(refuses).fit(rows(100))
    assert isinstance(caught.value.__cause__, KeyError)
    with pytest.raises(TeacherQueryError, match=r"KeyError for rows of partition [01] of the Dask DataFrame 0 to 49"):
        label(refuses, dd.from_pandas(rows(100), npartitions=2), names=["output"]).compute()


def spoiled(change, meta=None):
    """Return a frame of Dask of which the partition 1 is another than Dask states."""

    def spoil(part, partition_info=None):
        return change(part) if partition_info and partition_info["number"] == 1 else part

    frame = dd.from_pandas(rows(100), npartitions=3)
    return frame.map_partitions(spoil, meta=frame._meta, enforce_metadata=False)


BAD = {
    "columns": (lambda part: part.drop(columns="b"), r"no columns \['b'\]|not in index"),
    "dtype": (lambda part: part.assign(a="x"), "in column 'a'"),
    "cannot be read": (lambda part: part["nothing"], "KeyError: 'nothing'"),
}


@pytest.mark.parametrize("bad", BAD)
def test_a_partition_that_does_not_fit_is_named(client, bad):
    """Before anything is labelled."""
    change, text = BAD[bad]
    with on_cluster(client), pytest.raises(DatasetError, match=f"the partition partition 1.*({text})"):
        tree().fit(spoiled(change))
    if bad != "cannot be read":
        with pytest.raises(DatasetError, match=f"the partition partition 1.*({text})"):
            label(wavy, spoiled(change), names=["output"]).compute()


def test_unknown_categories_are_named(client):
    """Where Dask states the categories; a fit joins those of all partitions."""
    frame = spoiled(lambda part: part.assign(g=part["g"].cat.rename_categories({"u": "new"})))
    with pytest.raises(DatasetError, match=r"the partition partition 1.*the categories \['new'\] in column 'g'"):
        label(wavy, frame, names=["output"]).compute()
    with on_cluster(client):
        model = tree().fit(frame)
    assert model.transfer_set_.n_real == 100


def first(frame, n_rows):
    return frame.map_partitions(lambda part: part[part.index < n_rows], meta=frame._meta)


def test_partitions_without_rows_are_passed_over(client):
    """By fits, and they have no outputs; a dataset without any row is an error."""
    table = rows(200).drop(columns="weight")
    frame = dd.from_pandas(table, npartitions=4)
    frame = first(frame, 120)
    with on_cluster(client):
        there = tree().fit(frame)
    assert (there.predict(table) == tree().fit(table[:120]).predict(table)).all()
    assert len(label(wavy, frame).compute()) == 120
    with on_cluster(client), pytest.raises(DatasetError, match="the Dask DataFrame has no rows"):
        tree().fit(first(frame, 0))


def test_labels_are_the_outputs_of_the_teacher(client):
    """With the index and the partitions of the rows, and with names that say what they are."""
    table = rows(300).set_index(np.arange(300) * 2)
    frame = dd.from_pandas(table, npartitions=4)
    forest = RandomForestClassifier(5, random_state=0).fit(table[["a", "b"]], table["g"].astype(str))
    outputs = label(forest, frame, chunk_size=17)
    assert list(outputs.columns) == ["proba_u", "proba_v"]
    computed = outputs.compute()
    assert (computed.to_numpy() == forest.predict_proba(table[["a", "b"]])).all()
    assert (computed.index == table.index).all()
    assert outputs.npartitions == 4
    two = label(lambda X: np.stack([X["a"], X["b"]], axis=1), frame)
    assert list(two.columns) == ["output_0", "output_1"]
    with pytest.raises(DatasetError, match="label got a DataFrame as X; expected a Dask DataFrame"):
        label(forest, table)


def test_labels_without_a_cluster(monkeypatch):
    """Any other scheduler of Dask computes them, too."""
    import distributed

    def none():
        raise ValueError("no client")

    monkeypatch.setattr(distributed, "get_client", none)
    table = rows(100)
    outputs = label(wavy, dd.from_pandas(table, npartitions=2))
    assert (outputs.compute(scheduler="sync")["output"].to_numpy() == wavy(table)).all()
    with pytest.raises(ClusterError, match="there is no client of Dask"), on_cluster():
        pass


class Silent(str):
    """Rows or a name whose text nobody may ask for, since that of a large table takes long."""

    __slots__ = ()

    def __repr__(self):
        raise AssertionError("what is sent was written as text")


def length(loaded, *parts):
    return loaded.value + sum(map(len, parts))


def test_what_is_sent_is_never_written_as_text(client):
    """Dask asks for the text of functions, which must not be that of a large teacher or table."""
    sent, cluster = Sent.of(7, "a number"), Cluster(client)
    part = dd.from_pandas(rows(5), npartitions=1).to_delayed()[0]
    tasks = [Task(length, (Silent("block"),), "of an argument"), Task(length, (), "of a partition", part)]
    assert list(cluster.run(sent, tasks)) == [12, 12]
    assert len(repr(Content(b"x" * 1000))) < 100


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
    assert memory_info(str(tmp_path / "memory")).n_rows == model.transfer_set_.n_real == 1000


@pytest.mark.slow
def test_a_block_that_ends_its_workers_is_named(client, tmp_path, monkeypatch):
    """Not tried for ever."""
    monkeypatch.setattr(client.cluster.scheduler, "allowed_failures", 0)
    with on_cluster(client), pytest.raises(ClusterError, match=r"labels real rows 0 to 99.*1 of them.*chunk_size"):
        tree(Fatal(tmp_path)).fit(rows(100))


@pytest.mark.slow
def test_a_partition_is_labelled_again_and_stored_once(client, tmp_path):
    """A worker ends in its partition, which another one labels; what was stored is found by the next run."""
    (tmp_path / "deaths").mkdir()
    table = rows(400)
    frame, memory = dd.from_pandas(table, npartitions=4), tmp_path / "memory"
    teacher = Fatal(tmp_path / "deaths")
    options = {"names": ["output"], "chunk_size": 30, "memory": memory, "teacher_id": "fatal"}
    for _ in range(2):
        computed = label(teacher, frame, **options).compute()
        assert (computed["output"].to_numpy() == wavy(table)).all()
    assert len(list((tmp_path / "deaths").iterdir())) == 1
    assert memory_info(str(memory)).n_rows == 400
