"""One BLAS thread where sums decide, and the user's number of threads everywhere else."""

import multiprocessing
import sys
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from threading import Barrier, Event, Thread
from time import sleep

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits, make_classification
from sklearn.linear_model import LinearRegression
from threadpoolctl import ThreadpoolController, threadpool_limits

import skdistill
from skdistill import _threads
from skdistill._threads import (
    _BlasLimit,
    _libraries,
    _limit,
    _set_threads,
    blas_threads_restored,
    in_threads,
    in_turns,
    is_small,
    one_blas_thread,
)
from skdistill.students import CompactMLPClassifier, teach_classifier, teach_regressor
from skdistill.students._families import FAMILIES


def counts():
    """Return the threads of each BLAS."""
    return [found["num_threads"] for found in ThreadpoolController().select(user_api="blas").info()]


@pytest.fixture
def two_threads():
    """The user's BLAS has two threads, whatever thread has controlled it before."""
    libraries = ThreadpoolController().select(user_api="blas").lib_controllers
    before = [library.get_num_threads() for library in libraries]
    for library in libraries:
        _set_threads(library, 2)
    yield
    for library, n_threads in zip(libraries, before, strict=True):
        _set_threads(library, n_threads)


def run_in_threads(*functions):
    """Run functions at the same time, each in a thread of its own."""
    threads = [Thread(target=function) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.parametrize("error", [None, KeyError])
def test_threads_are_as_before_when_all_are_out(two_threads, error):
    """However blocks of several threads overlap, with errors or without, they end as the first one began."""
    before, inside = counts(), []
    barrier = Barrier(4)

    def stay():
        barrier.wait()
        for _ in range(8):
            with suppress(KeyError), one_blas_thread():
                inside.append(max(counts(), default=1))
                if error is not None:
                    raise error

    run_in_threads(*[stay] * 4)
    assert counts() == before
    assert set(inside) == {1}


def test_the_limit_lasts_until_the_last_block_ends(two_threads):
    """The order in which blocks end changes nothing; neither does a block that only restores."""
    before = counts()
    with ExitStack() as first, ExitStack() as second, blas_threads_restored():
        assert counts() == before
        first.enter_context(one_blas_thread())
        second.enter_context(one_blas_thread())
        first.close()
        assert set(counts()) <= {1}
        second.close()
        assert counts() == before
    assert counts() == before
    assert not _limit._before


@pytest.mark.parametrize("is_other_thread", [False, True])
def test_limits_of_others_that_end_later_leave_nothing_behind(two_threads, is_other_thread):
    """Neighbours in scikit-learn limit BLAS as well, and restore what they found: the limit of another thread."""
    before, has_begun, may_end = counts(), Event(), Event()

    def limit_like_others():
        with blas_threads_restored():
            libraries = ThreadpoolController().select(user_api="blas").lib_controllers
            found = [library.get_num_threads() for library in libraries]
            has_begun.set()
            may_end.wait(10)
            for library, n_threads in zip(libraries, found, strict=True):
                _set_threads(library, n_threads)

    thread = Thread(target=limit_like_others)
    with one_blas_thread():
        thread.start()
        has_begun.wait(10)
        if is_other_thread:
            run_in_threads(lambda: one_blas_thread()(counts)())
    may_end.set()
    thread.join()
    assert counts() == before


def test_a_number_of_threads_set_since_is_kept(two_threads):
    """Who sets another number in between means it; a block that ends does not undo that."""
    with one_blas_thread():
        for library in ThreadpoolController().select(user_api="blas").lib_controllers:
            _set_threads(library, 3)
        chosen = counts()
    assert counts() == chosen


def test_limits_work_in_the_thread_that_asks_for_them(two_threads):
    """Also once another thread has set a limit: threadpoolctl 3.8 then ignores all other threads."""
    seen = []
    with threadpool_limits(2, user_api="blas"):
        run_in_threads(lambda: one_blas_thread()(lambda: seen.extend(counts()))())
    assert set(seen) <= {1}


class OwnNumbers:
    """A BLAS library with OpenMP, which has a number of threads for each thread."""

    def __init__(self):
        self.n_threads = 4

    def get_num_threads(self):
        return self.n_threads

    def set_num_threads(self, n_threads):
        self.n_threads = n_threads


def test_libraries_with_a_number_for_each_thread_are_limited_in_each(monkeypatch):
    """A block limits them whether or not another thread is in a block, and restores what it found itself."""
    library, limit = OwnNumbers(), _BlasLimit()
    monkeypatch.setattr("skdistill._threads._libraries", lambda **_: ([], [library]))
    elsewhere = limit.enter(is_limited=True)
    library.n_threads = 4  # that of this thread
    block = limit.enter(is_limited=True)
    assert library.n_threads == 1
    limit.leave(block)
    assert library.n_threads == 4
    limit.leave(elsewhere)
    assert library.n_threads == 4


@pytest.mark.skipif(sys.platform != "linux", reason="processes are not forked by default")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_forked_processes_are_not_held_by_threads_they_do_not_have(two_threads):
    """A process that is forked while another thread has limited BLAS, or holds the lock, works as usual."""
    before, has_begun, may_end = counts(), Event(), Event()

    def stay():
        with one_blas_thread(), _limit._lock:
            has_begun.set()
            may_end.wait(10)

    thread = Thread(target=stay)
    thread.start()
    has_begun.wait(10)
    queue = multiprocessing.get_context("fork").SimpleQueue()
    process = multiprocessing.get_context("fork").Process(target=_report_counts, args=[queue])
    process.start()
    may_end.set()
    process.join(10)
    thread.join()
    assert process.exitcode == 0
    assert queue.get() == (before, before)


def _report_counts(queue):
    at_first = counts()
    with one_blas_thread():
        pass
    queue.put((at_first, counts()))


@pytest.mark.parametrize(("n_rows", "n_weights", "small"), [(1, 10**6, True), (16, 1000, True), (16, 10**5, False)])
def test_few_rows_are_left_alone(two_threads, n_rows, n_weights, small):
    """Their products are not shared out, unless the model is large; to limit BLAS would take longer than they."""
    before = counts()
    with one_blas_thread(is_small=is_small(n_rows, n_weights)):
        assert (counts() == before) == (small or not before)


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


FITS = [pytest.param("kernel", None)]
FITS += [pytest.param(name, n_jobs, marks=pytest.mark.slow) for name in sorted(FAMILIES) for n_jobs in (1, 2)]


@pytest.mark.parametrize(("family", "n_jobs"), FITS)
def test_a_fit_does_not_depend_on_other_threads(two_threads, family, n_jobs):
    """Bit for bit: alone, beside the same fit in another thread, and with another number of BLAS threads."""
    X, _ = make_classification(400, 10, n_informative=5, random_state=0)
    score = X[:, 0] + X[:, 1] ** 2
    proba = np.column_stack([1 / (1 + np.exp(score)), 1 / (1 + np.exp(-score))])
    student = FAMILIES[family].member(classifies=True, n_jobs=n_jobs)
    if "random_state" in student.get_params():
        student.set_params(random_state=0)

    def fit(_):
        return clone(student).fit_soft(X, proba).predict_proba(X)

    alone, before = fit(0), counts()
    with ThreadPoolExecutor(2) as pool:
        for beside in pool.map(fit, range(2)):
            np.testing.assert_array_equal(beside, alone)
    assert counts() == before
    for library in ThreadpoolController().select(user_api="blas").lib_controllers:
        _set_threads(library, 1)
    np.testing.assert_array_equal(fit(0), alone)


class Watched(LinearRegression):
    """An estimator of another package that records the BLAS threads of its fit."""

    seen = []

    def fit(self, X, y, sample_weight=None):
        self.seen.extend(counts())
        return super().fit(X, y, sample_weight)


def test_students_of_others_are_fitted_on_one_thread(two_threads):
    """The final fit as those that compare candidates, so that it does not depend on other threads either."""
    rows = {"sample_weight": np.ones(20), "rng": np.random.RandomState(0)}
    X = np.arange(40.0).reshape(20, 2)
    teach_regressor(Watched(), X, X[:, 0], **rows)
    teach_classifier(Watched(), X, np.full((20, 2), 0.5), classes=np.arange(2), **rows)
    assert set(Watched.seen) <= {1}


def test_compiled_models_do_without_threadpoolctl(monkeypatch):
    """Where it is not installed nothing is limited."""
    monkeypatch.setitem(sys.modules, "threadpoolctl", None)
    _libraries.cache_clear()
    with one_blas_thread():
        pass
    assert _libraries(has_scipy=True) == ([], [])
    monkeypatch.undo()
    _libraries.cache_clear()


@pytest.mark.parametrize("n_jobs", [None, 1, 2, 3])
def test_results_come_in_order(n_jobs):
    """Whoever is done first, results are in the order of the items, each made with a single thread of BLAS."""

    def square(number):
        assert set(counts()) <= {1}
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


# ---------------------------------------------------------------------- items in turns


@pytest.mark.parametrize(("n_items", "n_threads"), [(0, 2), (1, 2), (5, 1), (100, 3), (2, 8)])
def test_each_item_has_one_turn(n_items, n_threads):
    """Whatever the number of threads, each item is worked on once."""
    done = []
    in_turns(done.append, range(n_items), n_threads)
    assert sorted(done) == list(range(n_items))


def test_the_last_item_is_taken_by_one_thread(monkeypatch):
    """Threads that find an item waiting, which another one then takes, end without an error."""

    class SlowToAnswer(deque):
        def __len__(self):
            n_items = super().__len__()
            sleep(0.005)  # the others take items in the meantime
            return n_items

    monkeypatch.setattr(_threads, "deque", SlowToAnswer)
    done = []
    in_turns(done.append, range(6), 4)
    assert sorted(done) == list(range(6))


@pytest.mark.parametrize("n_threads", [1, 2])
def test_an_error_ends_all_turns(n_threads):
    """The error of any thread is raised, and no thread takes another item after it."""
    done = []

    def work(item):
        done.append(item)
        if item == 3:
            raise ValueError("three")
        if item > 3:
            sleep(0.001)

    with pytest.raises(ValueError, match="three"):
        in_turns(work, range(10_000), n_threads)
    assert len(done) < 10_000
