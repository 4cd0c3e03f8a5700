"""Functions are sent to workers once, and errors come back as they were raised."""

import os
import pickle
import sys

import joblib
import numpy as np
import pytest

from skdistill import _processes
from skdistill._processes import NotPicklableError, Shipped, named_backend
from skdistill._threads import count_threads, in_few_threads, in_threads
from skdistill.exceptions import TeacherQueryError


def test_contexts_are_told_apart():
    """A context that names a backend is told from one that names none, and from no context."""
    assert named_backend() is None
    for name in ("threading", "loky", "multiprocessing"):
        with joblib.parallel_config(name, n_jobs=2):
            assert named_backend() == name
    with joblib.parallel_config(n_jobs=2):
        assert named_backend() is None


def test_results_come_in_order_and_in_windows(monkeypatch):
    """Any number of items gives all results in order, also more than are held at a time."""
    monkeypatch.setattr(_processes, "MAX_WINDOW", 4)
    items = list(range(13))
    assert list(Shipped(lambda item: item**2).map(items, 2, "threading")) == [item**2 for item in items]


def test_a_start_loads_the_function_and_does_not_call_it(tmp_path):
    """Workers then have what takes long to load."""
    shipped = Shipped(lambda item: (tmp_path / str(item)).touch())
    shipped.start(2, "threading")
    assert shipped._token in _processes._loaded
    assert not list(tmp_path.iterdir())
    list(shipped.map(["called"], 2, "threading"))
    assert [path.name for path in tmp_path.iterdir()] == ["called"]


def test_libraries_that_were_loaded_since_use_one_thread_too(monkeypatch):
    """They are looked for again once there are other modules."""
    of = lambda: _processes._thread_pools(len(sys.modules))  # noqa: E731
    known = of()
    assert of() is known
    found = []
    monkeypatch.setattr(_processes, "_thread_pools", lambda n_modules: found.append(n_modules) or known)
    for _ in range(2):
        list(Shipped(abs).map([-1], 1, "threading"))
        monkeypatch.setitem(sys.modules, "a_module_that_was_loaded_since", _processes)
    assert found[1] == found[0] + 1


def test_an_error_comes_with_its_cause():
    """The error of the first failing item is raised in its turn, with the cause that a pickle of it would lose."""

    def fail(item):
        if item > 1:
            raise TeacherQueryError(f"item {item}") from OSError("disk")
        return item

    results = Shipped(fail).map(range(5), 2, "threading")
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(TeacherQueryError, match="item 2") as raised:
        next(results)
    assert isinstance(raised.value.__cause__, OSError)


def test_a_cause_that_cannot_be_pickled_is_described():
    """Where a cause cannot be sent back, what it says is."""

    def fail(item):
        error = RuntimeError("unsendable")
        error.held = (number for number in range(3))  # generators cannot be pickled
        raise ValueError(item) from error

    with pytest.raises(ValueError, match="7") as raised:
        list(Shipped(fail).map([7], 1, "threading"))
    assert "unsendable" in str(raised.value.__cause__)


def test_what_cannot_be_pickled_is_refused():
    """A function that refers to a generator cannot be sent."""
    held = (number for number in range(3))
    with pytest.raises(NotPicklableError, match="TypeError"):
        Shipped(lambda item: (held, item))


@pytest.mark.parametrize("inside", [in_threads, in_few_threads])
def test_nested_threads_are_bounded(inside):
    """Calls that ask for threads get what is left of those of the outer computation."""
    assert list(inside(lambda _: count_threads(4), range(4), 4)) == [1] * 4
    assert count_threads(4) == 4
    assert count_threads(None) == 1
    with joblib.parallel_config(n_jobs=2):
        assert count_threads(None) == min(2, joblib.cpu_count())


def test_threads_are_shared_by_few_items():
    """Two items of a computation with four threads have two each."""
    assert list(in_threads(lambda _: count_threads(4), range(2), 4)) == [2, 2]


def test_few_results_are_held():
    """However many items there are, threads are at most two items each ahead of what is used."""
    begun = []
    results = in_few_threads(lambda item: begun.append(item) or item, range(1000), 3)
    assert next(results) == 0
    assert len(begun) <= 6
    results.close()


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["loky", "multiprocessing"])
def test_processes_use_one_thread_each(backend):
    """Workers are other processes, have one thread, and keep the function that they were sent."""
    rows = np.arange(1000)

    def where(item):
        return os.getpid(), count_threads(4), int(rows[item])

    with joblib.parallel_config(backend, n_jobs=2):
        found = list(Shipped(where).map(list(range(20)), None))
    assert os.getpid() not in {pid for pid, _, _ in found}
    assert {n_threads for _, n_threads, _ in found} == {1}
    assert [cell for _, _, cell in found] == list(range(20))


def test_pickles_of_functions_have_no_copies():
    """A function that was sent is a plain array: it can be sent again."""
    shipped = pickle.loads(pickle.dumps(Shipped(len)))
    assert list(shipped.map(["a", "bc"], 1, "threading")) == [1, 2]
