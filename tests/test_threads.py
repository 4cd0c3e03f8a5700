"""Products on as many threads as were asked for."""

import sys
from contextlib import ExitStack
from threading import Barrier, Thread

import numpy as np
import pytest
from sklearn.datasets import load_digits
from threadpoolctl import ThreadpoolController, threadpool_limits

import skdistill
from skdistill._threads import _blas, blas_threads, in_threads
from skdistill.students import CompactMLPClassifier


def counts():
    """Return the threads of each BLAS."""
    return [found["num_threads"] for found in ThreadpoolController().select(user_api="blas").info()]


def test_threads_are_as_before_when_all_are_out():
    """However stays of several threads and limits overlap, the last one out leaves things as the first found them."""
    before, inside = counts(), []
    barrier = Barrier(4)

    def stay(limit):
        barrier.wait()
        for _ in range(50):
            with blas_threads(limit, 1000):
                inside.append(max(counts(), default=1))

    threads = [Thread(target=stay, args=[limit]) for limit in (1, 1, 2, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts() == before
    assert set(inside) <= {1, 2}


def test_overlapping_limits_leave_nothing_behind():
    """Who comes first sets the limit; that another one leaves last changes nothing for those after."""
    before = counts()
    with ExitStack() as first, ExitStack() as second:
        first.enter_context(blas_threads(1, 1000))
        second.enter_context(blas_threads(2, 1000))
        first.close()
        assert set(counts()) <= {1}
        second.close()
        assert counts() == before


def test_few_rows_are_left_alone():
    """Their products are not shared out, and to hold BLAS back would take longer than they."""
    with threadpool_limits(2, user_api="blas"):
        before = counts()
        with blas_threads(1, 16):
            assert counts() == before


def test_students_answer_on_one_thread_and_the_same_on_any(monkeypatch):
    """While a student answers many rows BLAS has one thread, and the answers do not depend on how many there are."""
    X, y = load_digits(return_X_y=True)
    student = CompactMLPClassifier(random_state=0).fit(X[:300], y[:300])
    seen = []
    scores = type(student.scorer_).scores

    def watched(self, *args):
        seen.extend(counts())
        return scores(self, *args)

    monkeypatch.setattr(type(student.scorer_), "scores", watched)
    with threadpool_limits(2, user_api="blas"):
        on_two = student.predict_proba(X), skdistill.compile(student)(X)
    assert set(seen) == {1} or not counts()
    np.testing.assert_array_equal(on_two[0], student.predict_proba(X))
    np.testing.assert_array_equal(on_two[1], skdistill.compile(student)(X))


def test_compiled_models_do_without_threadpoolctl(monkeypatch):
    """Where it is not installed nothing is held back."""
    monkeypatch.setitem(sys.modules, "threadpoolctl", None)
    _blas.cache_clear()
    with blas_threads(1, 1000):
        pass
    assert _blas() is None
    monkeypatch.undo()
    _blas.cache_clear()
    if not counts():
        pytest.skip("no BLAS that can be held back")
    assert _blas() is not None


@pytest.mark.parametrize("n_jobs", [None, 1, 2, 3])
def test_results_come_in_order(n_jobs):
    """Whoever is done first, results are in the order of the items, each made with a single thread of BLAS."""

    def square(number):
        if _blas() is not None:
            assert set(counts()) == {1}
        return number**2

    assert list(in_threads(square, range(20), n_jobs)) == [number**2 for number in range(20)]


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_errors_come_out_of_threads(n_jobs):
    """With their own class and words, and BLAS is left as it was."""
    before = counts()

    def fail(number):
        raise KeyError(f"number {number}")

    with pytest.raises(KeyError, match="number 0"):
        list(in_threads(fail, [0, 0], n_jobs))
    assert counts() == before
