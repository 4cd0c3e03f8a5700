"""Products on as many threads as were asked for."""

import sys
from threading import Barrier, Thread

import numpy as np
import pytest
from sklearn.datasets import load_digits
from threadpoolctl import ThreadpoolController, threadpool_limits

import skdistill
from skdistill._threads import _blas, blas_threads
from skdistill.students import CompactMLPClassifier


def counts():
    """Return the threads of each BLAS."""
    return [found["num_threads"] for found in ThreadpoolController().select(user_api="blas").info()]


def test_threads_are_as_before_when_all_are_out():
    """However the stays of several threads overlap, the last one out leaves things as the first one found them."""
    before, inside = counts(), []
    barrier = Barrier(4)

    def stay():
        barrier.wait()
        for _ in range(50):
            with blas_threads(1):
                inside.append(max(counts(), default=1))

    threads = [Thread(target=stay) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts() == before
    assert max(inside) == 1


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
    assert set(seen) <= {1}
    np.testing.assert_array_equal(on_two[0], student.predict_proba(X))
    np.testing.assert_array_equal(on_two[1], skdistill.compile(student)(X))


def test_compiled_models_do_without_threadpoolctl(monkeypatch):
    """Where it is not installed nothing is held back."""
    monkeypatch.setitem(sys.modules, "threadpoolctl", None)
    _blas.cache_clear()
    with blas_threads(1):
        pass
    assert _blas() is None
    monkeypatch.undo()
    _blas.cache_clear()
    if not counts():
        pytest.skip("no BLAS that can be held back")
    assert _blas() is not None
