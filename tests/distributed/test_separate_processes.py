"""A scheduler and two workers that are started as separate processes, and killed in the middle."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from threading import Thread

import numpy as np
import pandas as pd
import pytest

from skdistill import DistilledRegressor, memory_info
from skdistill.distributed import label, on_cluster
from skdistill.exceptions import ClusterError

dd = pytest.importorskip("dask.dataframe")
distributed = pytest.importorskip("distributed")
pytestmark = pytest.mark.slow


class Noting:
    """A slow teacher that notes which process it is called in."""

    def __init__(self, folder):
        self.folder = Path(folder)

    def __call__(self, X):
        (self.folder / f"{os.getpid()}-{time.time_ns()}").touch()
        time.sleep(0.1)
        return np.sin(9 * X["a"]) + X["b"]


def table(n_rows=4000):
    return pd.DataFrame(np.random.RandomState(0).rand(n_rows, 2), columns=["a", "b"])


@pytest.fixture
def processes(tmp_path):
    """Return a client and the processes of its scheduler and workers, which load this module by value."""
    import cloudpickle

    module = sys.modules[__name__]
    cloudpickle.register_pickle_by_value(module)
    file = tmp_path / "scheduler.json"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    options = {"env": environment, "cwd": tmp_path, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    dask = [sys.executable, "-m", "distributed.cli.dask_worker", "--scheduler-file", str(file)]
    scheduler = [dask[0], dask[1], "distributed.cli.dask_scheduler", *dask[3:], "--port", "0", "--no-dashboard"]
    worker = [*dask, "--nthreads", "1", "--no-nanny", "--no-dashboard"]
    started = [subprocess.Popen(command, **options) for command in (scheduler, worker, worker)]
    try:
        with distributed.Client(scheduler_file=str(file), timeout=60, set_as_default=True) as client:
            client.wait_for_workers(2, timeout=60)
            yield client, started
    finally:
        for process in started:
            process.kill()
            process.wait()
        cloudpickle.unregister_pickle_by_value(module)


def kill_after(n_calls, folder, process, pid=None, is_ready=lambda: True):
    """Kill a process once a teacher was called so often, by the process or by any, and something else is ready."""

    def watch():
        while len(list(folder.glob(f"{pid or ''}*"))) < n_calls or not is_ready():
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)

    thread = Thread(target=watch, daemon=True)
    thread.start()
    return thread


def test_a_fit_survives_the_death_of_a_worker(processes, tmp_path):
    """The student is that of one machine, and each answer is stored once."""
    client, (_, worker, _) = processes
    calls, memory = tmp_path / "calls", str(tmp_path / "memory")
    calls.mkdir()
    killer = kill_after(3, calls, worker, worker.pid)
    options = {"student": "tree", "sampler": None, "random_state": 0, "chunk_size": 200}
    model = DistilledRegressor(Noting(calls), memory=memory, teacher_id="noting", **options)
    with on_cluster(client):
        model.fit(dd.from_pandas(table(), npartitions=8))
    killer.join()
    (tmp_path / "here").mkdir()
    here = DistilledRegressor(Noting(tmp_path / "here"), **options).fit(table())
    assert (model.predict(table()) == here.predict(table())).all()
    assert memory_info(memory).n_rows == 4000
    assert len(client.nthreads()) == 1


def test_labels_survive_the_death_of_a_worker(processes, tmp_path):
    """Each row has its outputs once, in its partition."""
    _, (_, worker, _) = processes
    calls = tmp_path / "calls"
    calls.mkdir()
    killer = kill_after(3, calls, worker, worker.pid)
    outputs = label(Noting(calls), dd.from_pandas(table(), npartitions=20), names=["output"]).compute()
    killer.join()
    assert np.allclose(outputs["output"], np.sin(9 * table()["a"]) + table()["b"], rtol=0, atol=0)
    assert (outputs.index == table().index).all()


def test_a_dead_scheduler_is_named_and_the_next_run_goes_on(processes, tmp_path):
    """With what it did; the answers before are found in the memory."""
    client, (scheduler, _, _) = processes
    calls, memory = tmp_path / "calls", str(tmp_path / "memory")
    calls.mkdir()
    kill_after(8, calls, scheduler, is_ready=lambda: Path(memory).exists() and memory_info(memory).n_rows)
    model = DistilledRegressor(
        Noting(calls), "tree", sampler=None, random_state=0, chunk_size=100, memory=memory, teacher_id="noting"
    )
    with on_cluster(client), pytest.raises(ClusterError, match=r"real rows .*the Dask scheduler at tcp://.*memory="):
        model.fit(table())
    n_stored = memory_info(memory).n_rows
    assert 0 < n_stored < 4000
    n_before = len(list(calls.iterdir()))
    model.fit(table())
    n_after = len(list(calls.iterdir())) - n_before
    assert n_after <= (4000 - n_stored) / 100 + 5  # a few more, by which the teacher is recognised
    assert memory_info(memory).n_rows == 4000
    with pytest.raises(ClusterError, match="scheduler"), on_cluster(client):
        pass
