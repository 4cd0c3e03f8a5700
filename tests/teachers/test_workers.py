"""Who labels the blocks of a table: found by trying, stated, and without influence on the outputs."""

import pickle
import threading
import time

import joblib
import numpy as np
import pytest
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LinearRegression

from skdistill import DistilledRegressor, as_teacher
from skdistill.exceptions import TeacherQueryError
from skdistill.teachers import SteadyTeacher, Workers, _workers, open_store, query_teacher, steady
from skdistill.transfer import Oracle

X = np.random.default_rng(0).standard_normal((300, 3))
LINEAR = LinearRegression().fit(X, X[:, 0])


def label(teacher, n_jobs=2, chunk_size=30, workers=None, **options):
    """Return the outputs for X and what labelled it."""
    workers = Workers(n_jobs, **options) if workers is None else workers
    return query_teacher(teacher, X, chunk_size=chunk_size, workers=workers), workers.describe()


def waiting(rows):
    """Take time without holding the interpreter's lock."""
    time.sleep(0.05)
    return rows[:, 0] ** 2


def checked(function):
    """Return a function as a teacher that was found to be steady."""
    teacher = steady(as_teacher(function), 1)
    assert isinstance(teacher, SteadyTeacher)
    from skdistill.teachers import check_repeatability

    teacher.settle(check_repeatability(teacher, X[:8]), None)
    return teacher


def test_one_job_is_one_thread():
    """Without ``n_jobs`` and without a context of joblib, rows are labelled one block after the other."""
    assert label(as_teacher(LINEAR), None)[1] == "1 thread"


def test_quick_models_are_not_worth_it():
    """Blocks that take no time are labelled by one thread."""
    assert label(as_teacher(LINEAR))[1] == "1 thread"


class Clock:
    """A clock that runs while the teacher is called and while others are watched, and the cores in use meanwhile."""

    def __init__(self, of_teacher, of_others=(0.0,)):
        self.wall = self.processor = 0.0
        self.of_teacher, self.of_others = of_teacher, list(of_others)

    def sleep(self, seconds, n_cores=0.0):
        others = self.of_others.pop(0) if len(self.of_others) > 1 else self.of_others[0]
        self.wall += seconds
        self.processor += (n_cores + others) * seconds

    def teacher(self, rows):
        self.sleep(0.05, self.of_teacher)
        return rows[:, 0] ** 2

    def used_by(self, monkeypatch):
        for name, clock in {
            "perf_counter": lambda: self.wall,
            "process_time": lambda: self.processor,
            "sleep": self.sleep,
        }.items():
            monkeypatch.setattr(_workers, name, clock)
        return self


@pytest.mark.parametrize(("holds_lock", "found"), [(False, "2 threads"), (True, "1 thread")])
def test_threads_are_found_by_trying(monkeypatch, holds_lock, found):
    """A slow model that leaves the interpreter to others is called by threads; outputs are those of one thread."""
    monkeypatch.setattr(_workers, "is_by_row", lambda model: True)
    clock, lock = Clock(1.0).used_by(monkeypatch), threading.Lock()

    def slow(rows):
        is_beside_another = threading.current_thread() is not threading.main_thread() and not holds_lock
        with lock:
            clock.sleep(0.025 if is_beside_another else 0.05)
        return rows[:, 0] ** 2

    outputs, text = label(as_teacher(slow))
    assert text == found
    np.testing.assert_array_equal(outputs, X[:, 0] ** 2)


@pytest.mark.parametrize("of_others", [0.0, 1.0])
def test_models_that_use_all_cores_are_left_alone(monkeypatch, of_others):
    """A teacher that uses several cores itself is called by one thread, whatever others do."""
    teacher = checked(waiting)
    teacher.model = Clock(2.0, [of_others]).used_by(monkeypatch).teacher
    outputs, text = label(teacher)
    assert text == "1 thread: the teacher uses several cores itself"
    np.testing.assert_array_equal(outputs, X[:, 0] ** 2)


@pytest.mark.parametrize("of_others", [[1.0], [1.0, 1.0, 1.0, 0.0], [0.5]])
@pytest.mark.parametrize("of_teacher", [0.0, 1.0])
def test_cores_of_other_threads_are_not_those_of_the_teacher(monkeypatch, of_teacher, of_others):
    """Whether other threads go on or end what they read ahead, the teacher is not taken for one of several cores."""
    teacher = checked(waiting)
    teacher.model = Clock(of_teacher, of_others).used_by(monkeypatch).teacher
    assert label(teacher)[1] == "1 thread"


@pytest.mark.parametrize(("of_others", "n_periods"), [([0.0], 1), ([1.0, 0.5, 0.0, 1.0], 3), ([1.0], 25)])
def test_others_are_watched_until_they_rest(monkeypatch, of_others, n_periods):
    """For as short a time as possible, and half a second at most."""
    clock, expected = Clock(0.0, of_others).used_by(monkeypatch), of_others[min(n_periods, len(of_others)) - 1]
    assert _workers._cores_of_others() == pytest.approx(expected)
    assert clock.wall == pytest.approx(n_periods * _workers.REST_SECONDS, abs=1.5 * _workers.REST_SECONDS)


def test_each_trial_begins_when_others_rest(monkeypatch):
    """Both times are then those of the teacher alone, for one block and for two in threads."""
    events, teacher = [], as_teacher(lambda rows: events.append("call") or rows[:, 0])
    monkeypatch.setattr(_workers, "is_by_row", lambda model: True)
    monkeypatch.setattr(_workers, "MIN_THREAD_SECONDS", 0.0)
    monkeypatch.setattr(_workers, "OWN_THREADS", np.inf)
    monkeypatch.setattr(_workers, "_cores_of_others", lambda: events.append("rest") or 0.0)
    label(teacher)
    assert events[:5] == ["rest", "call", "rest", "call", "call"]


def test_functions_are_never_called_by_threads_unasked(monkeypatch):
    """Nobody knows whether a function may be called by several threads: it would be sent to processes."""
    asked = []
    monkeypatch.setattr(_workers, "MIN_PROCESS_SECONDS", 0.1)
    monkeypatch.setattr(Workers, "_in_processes", lambda *_: asked.append(1) or _workers.HERE)
    label(checked(waiting), chunk_size=75)
    assert asked == [1]
    label(checked(waiting), chunk_size=75, has_budget=True)
    assert asked == [1], "with a budget, no row is labelled again to compare"


@pytest.mark.parametrize(
    ("change", "text"), [(0.0, "2 processes"), (1.0, "1 thread: other processes return other outputs")]
)
def test_processes_must_return_the_same_outputs(monkeypatch, change, text):
    """A function is sent to processes if it returns the same outputs there; the rows compared are counted."""
    calls = []

    def function(rows):
        calls.append(len(rows))
        time.sleep(0.02)
        return rows[:, 0] + change * len(calls)

    teacher = checked(lambda rows: rows[:, 0])
    teacher.model = function
    monkeypatch.setattr(_workers, "MIN_PROCESS_SECONDS", 0.05)
    monkeypatch.setattr(_workers.Shipped, "start", lambda *_: None)
    monkeypatch.setattr(
        _workers.Shipped, "map", lambda shipped, items, *_: iter([teacher.outputs(t[0]) for t in items])
    )
    workers = Workers(2, has_budget=True)
    workers.expect(300, 15)
    assert label(teacher, workers=workers)[1] == text
    assert workers.n_compared == 8
    other = checked(lambda rows: time.sleep(0.01) or rows[:, 0])
    label(other, workers=workers)  # for which only 7 queries are left
    assert workers.n_compared == 8


@pytest.mark.parametrize("block_seconds", [0.01, 10.0])
def test_rows_are_labelled_here_while_processes_start(monkeypatch, block_seconds):
    """In order, each once; blocks that take longer than the start are all left to the processes."""
    here, was_started = [], threading.Event()

    class Shipped:
        def __init__(self, _):
            pass

        def start(self, *_):
            assert was_started.wait(20)

        def map(self, tasks, *_):
            return [rows[:, 0] for rows, _ in tasks]

    def function(rows):
        here.append(len(rows))
        if block_seconds > 1 or len(here) == 4:
            was_started.set()
        clock.sleep(block_seconds)
        return rows[:, 0]

    teacher, clock = checked(lambda rows: rows[:, 0]), Clock(1.0).used_by(monkeypatch)
    teacher.model = function
    monkeypatch.setattr(_workers, "MIN_PROCESS_SECONDS", 0.05)
    monkeypatch.setattr(_workers, "Shipped", Shipped)
    outputs, text = label(teacher, workers=Workers(2))
    assert text == "2 processes"
    np.testing.assert_array_equal(outputs, X[:, 0])
    assert len(here) >= 4 if block_seconds < 1 else len(here) == 1


@pytest.mark.parametrize(("n_rows", "n_spare", "is_tried"), [(300, 8, False), (10**6, 7, False), (10**6, 8, True)])
def test_more_is_tried_for_more_rows(monkeypatch, n_rows, n_spare, is_tried):
    """What was too little for processes does not count for more rows, if the budget has queries to compare outputs."""
    asked = []
    monkeypatch.setattr(Workers, "_in_processes", lambda *_: asked.append(1) or _workers.HERE)
    teacher, workers = checked(waiting), Workers(2, has_budget=True)
    teacher.model = Clock(1.0).used_by(monkeypatch).teacher
    label(teacher, workers=workers)
    assert not asked
    workers.expect(n_rows, n_spare)
    label(teacher, workers=workers)
    assert bool(asked) == is_tried


@pytest.mark.slow
def test_processes_are_found_by_trying(monkeypatch):
    """A function in real processes returns the same outputs, and the summary says what labelled the rows."""
    monkeypatch.setattr(_workers, "MIN_PROCESS_SECONDS", 0.05)
    outputs, text = label(checked(waiting))
    assert text == "2 processes"
    np.testing.assert_array_equal(outputs, X[:, 0] ** 2)


@pytest.mark.parametrize("trait", ["is_random", "depends_on_batch", "transductive"])
def test_unsteady_teachers_are_called_by_one_thread(trait):
    """Nothing is tried with teachers whose outputs for a row may differ between calls, even in a context."""
    teacher = checked(waiting)
    setattr(teacher, trait, True)
    with joblib.parallel_config("threading", n_jobs=2):
        assert Workers()._without_trying(teacher) is _workers.HERE


def test_a_context_is_obeyed():
    """The backend of a context of joblib is used without trying, and ``n_jobs=None`` means its number of jobs."""
    teacher = checked(lambda rows: rows[:, 0] ** 2)
    with joblib.parallel_config("threading", n_jobs=2):
        outputs, text = label(teacher, None)
    assert text == "2 threads"
    np.testing.assert_array_equal(outputs, X[:, 0] ** 2)


def test_forests_are_labelled_by_threads():
    """Forests that use one thread are known to be faster in several."""
    forest = RandomForestRegressor(3, random_state=0).fit(X, X[:, 0])
    outputs, text = label(as_teacher(forest))
    assert text == "2 threads"
    np.testing.assert_array_equal(outputs, forest.predict(X))


def test_the_budget_is_exact_in_threads():
    """The summary states the way and the queries; two jobs label as many rows as one."""
    forest = RandomForestRegressor(3, random_state=0).fit(X, X[:, 0])
    params = {"sampler": None, "max_queries": 200, "chunk_size": 20, "random_state": 0}
    first, second = (DistilledRegressor(forest, "linear", n_jobs=jobs, **params).fit(X) for jobs in (1, 2))
    assert first.transfer_set_.n_queries == second.transfer_set_.n_queries == 200
    assert second.transfer_set_.labelled_by == "2 threads"
    np.testing.assert_array_equal(first.predict(X), second.predict(X))


def test_outputs_are_stored_once_whatever_labels_them(tmp_path):
    """With ``memory``, blocks labelled by threads are stored as those of one thread, and asked for no more."""
    counts = []

    def counting(rows):
        counts.append(len(rows))
        return rows[:, 0] ** 2

    teacher, store = checked(counting), open_store(joblib.Memory(tmp_path, verbose=0), "counting")
    with joblib.parallel_config("threading", n_jobs=2):
        counts.clear()
        query_teacher(teacher, X, chunk_size=30, memory=store)
        n_asked = sum(counts)
        query_teacher(teacher, X, chunk_size=30, memory=open_store(joblib.Memory(tmp_path, verbose=0), "counting"))
    assert len(X) <= n_asked <= len(X) + 16
    assert sum(counts) <= n_asked + 16


def test_errors_name_the_block_in_any_way():
    """An error of a block in a thread names its rows, as it does in one thread."""

    def fail(rows):
        if rows[0, 0] == X[60, 0]:
            raise OSError("gone")
        return rows[:, 0]

    teacher = checked(lambda rows: rows[:, 0])
    teacher.model = fail
    with joblib.parallel_config("threading", n_jobs=2), pytest.raises(TeacherQueryError, match="60 to 89 of 300"):
        label(teacher, None)


def test_what_queries_need_can_be_pickled(tmp_path):
    """Workers, stores and oracles can be sent to other processes; what was found here is found there again."""
    workers = Workers(2)
    label(as_teacher(LINEAR), workers=workers)
    assert pickle.loads(pickle.dumps(workers)).n_jobs == 2
    store = open_store(joblib.Memory(tmp_path, verbose=0), None)
    query_teacher(as_teacher(LINEAR), X, memory=store)
    again = pickle.loads(pickle.dumps(store))
    np.testing.assert_allclose(query_teacher(as_teacher(LINEAR), X, memory=again), LINEAR.predict(X))
    oracle = pickle.loads(pickle.dumps(Oracle(len, joblib.Memory(None), max_queries=5)))
    assert oracle.n_left == 5


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["loky", "multiprocessing"])
def test_processes_label_as_threads_do(backend):
    """Functions, also lambdas, are labelled by the processes of a context: same outputs, same count."""
    teacher = lambda rows: np.sin(rows[:, 0])  # noqa: E731
    params = {"sampler": None, "chunk_size": 20, "random_state": 0}
    alone = DistilledRegressor(teacher, "linear", **params).fit(X)
    with joblib.parallel_config(backend, n_jobs=2):
        model = DistilledRegressor(teacher, "linear", **params).fit(X)
    assert model.transfer_set_.labelled_by == f"2 workers ({backend})"
    assert model.transfer_set_.n_queries == alone.transfer_set_.n_queries
    np.testing.assert_array_equal(model.predict(X), alone.predict(X))


@pytest.mark.slow
def test_a_cluster_of_dask_labels_rows():
    """``joblib.parallel_config("dask")`` sends blocks to a cluster without a line of its user."""
    distributed = pytest.importorskip("distributed")
    teacher = lambda rows: np.sin(rows[:, 0])  # noqa: E731
    params = {"sampler": None, "chunk_size": 20, "random_state": 0}
    alone = DistilledRegressor(teacher, "linear", **params).fit(X)
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster,
        distributed.Client(cluster),
        joblib.parallel_config("dask"),
    ):
        model = DistilledRegressor(teacher, "linear", **params).fit(X)
    assert model.transfer_set_.labelled_by.endswith("workers (dask)")
    np.testing.assert_array_equal(model.predict(X), alone.predict(X))
