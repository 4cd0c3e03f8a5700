"""Trees of boosting are grown by the workers of a cluster: the same in each run, in students of the same size."""

import os
import signal
import time
from threading import Thread
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import sparse

from skdistill.distributed import _trees, on_cluster
from skdistill.distributed._trees import ClusterTrees, grow_part, shared_out
from skdistill.exceptions import ClusterError
from skdistill.solvers import trees_grown_by
from skdistill.students import CompactBoostingClassifier, CompactBoostingRegressor

N_ROWS = 12_000
rng = np.random.RandomState(0)
X = np.column_stack([rng.normal(size=(N_ROWS, 3)), rng.randint(0, 6, N_ROWS)])
SCORE = X[:, 0] + np.sin(3 * X[:, 1]) + (X[:, 3] == 2)
PROBA = np.exp(np.column_stack([SCORE, X[:, 1], -X[:, 2]]))
PROBA /= PROBA.sum(axis=1, keepdims=True)


class OneMachine:
    """Grows trees as a cluster of one worker, in this process."""

    def __init__(self):
        self.n_calls = 0

    def grows(self, cells):
        return not sparse.issparse(cells)

    def __call__(self, cells, weight, categories, target, start, params, n_trees):
        self.n_calls += 1
        return grow_part((cells, weight), target, start, categories, params, n_trees)


@pytest.mark.parametrize(
    ("student", "targets"),
    [
        (CompactBoostingRegressor(21, 8, random_state=0, categorical_features=[3]), SCORE),
        (CompactBoostingRegressor(5, 8, random_state=0, monotonic_cst=[1, 0, 0, 0]), SCORE),
        (CompactBoostingClassifier(5, 8, random_state=0), PROBA),
    ],
)
def test_one_machine_grows_the_trees_of_a_fit_here(student, targets):
    """With the same parameters, weights, categories and starting scores, and the same leaves and pruning afterwards."""
    here, there, weight = student, type(student)(**student.get_params()), rng.uniform(0.5, 1, 500)
    machine = OneMachine()
    here.fit_soft(X[:500], targets[:500], sample_weight=weight)
    with trees_grown_by(machine):
        there.fit_soft(X[:500], targets[:500], sample_weight=weight)
    assert machine.n_calls == len(here.scorer_.base)
    assert (here._scores(X) == there._scores(X)).all()
    assert here.scorer_.n_parameters == there.scorer_.n_parameters


def test_few_rows_and_sparse_tables_are_grown_here():
    """Nothing is sent for them: the client is not even asked for its workers."""
    trees = ClusterTrees(None)
    assert trees.grows(X)
    assert not trees.grows(X[: _trees.MIN_ROWS - 1])
    assert not trees.grows(sparse.csr_matrix(X))
    with trees_grown_by(trees):
        CompactBoostingRegressor(2, 4).fit(sparse.csr_matrix(X), SCORE)


class LosesAWorker:
    """A client of two workers, of which one ends when something is asked of both; the other is this process."""

    def __init__(self, when):
        self.when, self.workers = when, {"tcp://a:1": 1, "tcp://b:1": 1}

    def nthreads(self):
        return dict(self.workers)

    def _ask(self, what, workers):
        if what == self.when:
            self.workers.pop("tcp://a:1", None)
        if not set(workers) <= set(self.workers):
            raise OSError(f"cannot reach {workers}")

    def scatter(self, data, *, workers, hash):
        self._ask("scatter", workers)
        return data

    def run(self, function, *, workers):
        self._ask("run", workers)
        return {at: function() for at in workers}

    def submit(self, function, *arguments, **_):
        return SimpleNamespace(done=lambda: True, status="finished", result=lambda: function(*arguments))

    def cancel(self, futures):
        pass


@pytest.mark.parametrize("when", ["scatter", "run"])
def test_a_worker_may_end_before_trees_grow(when, monkeypatch):
    """The trees are those of the workers that are left."""
    monkeypatch.setattr(_trees, "NOTICE_SECONDS", 0.0)
    arguments = (
        X,
        np.ones(N_ROWS),
        [],
        SCORE,
        np.zeros(N_ROWS),
        {"verbosity": -1, "learning_rate": 0.3, "num_threads": 1},
        1,
    )
    assert ClusterTrees(LosesAWorker(when))(*arguments) == OneMachine()(*arguments)


def test_an_error_of_workers_that_are_there_is_raised(monkeypatch):
    """It is no loss of a worker."""
    monkeypatch.setattr(_trees, "NOTICE_SECONDS", 0.0)
    client = LosesAWorker("never")
    client.run = None
    with pytest.raises(TypeError, match="not callable"):
        ClusterTrees(client)(X, np.ones(N_ROWS), [], SCORE, np.zeros(N_ROWS), {}, 1)


@pytest.mark.parametrize("n_workers", [1, 2, 5])
def test_each_worker_has_rows_of_all_parts_of_a_table(n_workers):
    """Each row is at one worker; a sorted column varies in the rows of each as much as in all."""
    rows = shared_out(10_007, n_workers)
    assert (np.sort(np.concatenate(rows)) == np.arange(10_007)).all()
    assert max(map(len, rows)) - min(map(len, rows)) <= 1
    for own in rows:
        assert np.quantile(own, [0.1, 0.5, 0.9]) == pytest.approx([1000, 5000, 9000], abs=500)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("student", "targets"),
    [
        (CompactBoostingRegressor(30, 12, random_state=0, categorical_features=[3]), SCORE),
        (CompactBoostingRegressor(30, 12, random_state=0, monotonic_cst=[1, 0, 0, 0]), SCORE),
        (CompactBoostingClassifier(20, 12, random_state=0), PROBA),
    ],
)
def test_two_processes_grow_the_trees_together(client, student, targets):
    """The student has the size and about the fidelity of one fitted here, and is the same in each fit.

    That is of sorted rows, too, although each worker finds the bins of some columns in its rows.
    """
    order = np.argsort(SCORE)
    rows, targets = X[order], targets[order]
    here = type(student)(**student.get_params()).fit_soft(rows, targets)
    found = []
    for _ in range(2):
        with on_cluster(client, grow_trees=True):
            found.append(type(student)(**student.get_params()).fit_soft(rows, targets))
    assert (found[0]._scores(rows) == found[1]._scores(rows)).all()
    assert not (found[0]._scores(rows) == here._scores(rows)).all()
    assert found[0].scorer_.n_parameters == pytest.approx(here.scorer_.n_parameters, rel=0.02)

    def fidelity(fitted):
        outputs = fitted.predict_proba(rows) if hasattr(fitted, "predict_proba") else fitted.predict(rows)
        return 1 - ((outputs - targets) ** 2).sum() / ((targets - targets.mean(axis=0)) ** 2).sum()

    assert fidelity(found[0]) == pytest.approx(fidelity(here), abs=0.01)
    if student.monotonic_cst is not None:
        line = np.column_stack([np.linspace(-3, 3, 60), *np.zeros((3, 60))])
        assert (np.diff(found[0].predict(line)) >= 0).all()


@pytest.mark.slow
def test_what_fails_on_a_worker_is_said(client):
    """With the error of LightGBM, and what to do instead."""
    trees = ClusterTrees(client)
    target = np.full(N_ROWS, 2.0)  # no probability
    options = {"objective": "cross_entropy", "verbosity": -1, "learning_rate": 0.1}
    with pytest.raises(ClusterError, match=r"growing trees.*LightGBMError.*grow_trees=False"):
        trees(X, np.ones(N_ROWS), [], target, np.zeros(N_ROWS), options, 2)


@pytest.mark.slow
def test_a_worker_may_die_while_trees_grow(client):
    """They are grown again by the workers that are left, or by all if it is there again."""
    [pid, _] = client.run(os.getpid).values()
    student = CompactBoostingRegressor(1000, 31, learning_rate=0.05, resolve_leaves=False, random_state=0)

    def kill():
        time.sleep(1)
        os.kill(pid, signal.SIGKILL)

    killer = Thread(target=kill)
    killer.start()
    with on_cluster(client, grow_trees=True):
        student.fit(X, SCORE)
    killer.join()
    assert np.mean((student.predict(X) - SCORE) ** 2) < 0.05
