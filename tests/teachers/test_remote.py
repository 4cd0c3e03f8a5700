"""A service that fails on purpose is asked until it answers, within its limits, and no answer is lost."""

import asyncio
import contextlib
import http.client
import json
import pickle
import threading
import time
import urllib.error
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from types import SimpleNamespace
from urllib.request import urlopen

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.dummy import DummyRegressor
from sklearn.model_selection import cross_val_score

from skdistill import DistilledClassifier, DistilledRegressor, PrecomputedTeacher, RemoteTeacher, _progress
from skdistill.exceptions import TeacherError, TeacherOutputError, TeacherQueryError, TeacherUnavailableError
from skdistill.samplers import Jitter
from skdistill.teachers import _pacing
from skdistill.teachers._kept_answers import KeptAnswers, read_request
from skdistill.teachers._transient import is_transient, retry_after

X = np.random.default_rng(0).normal(size=(100, 2))
TRUE = X[:, 0] - X[:, 1]
LINEAR = {"student": "linear", "random_state": 0}


class Service(ThreadingHTTPServer):
    """A service whose next answers follow a script; afterwards, it answers as it should."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.lock = threading.Lock()
        self.reset()

    def reset(self):
        self.script, self.sizes, self.n_requests, self.is_broken = deque(), [], 0, False

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/"

    @property
    def n_answered(self):
        return sum(self.sizes)


class Handler(BaseHTTPRequestHandler):
    """Answers a list of rows with the difference of two columns, unless the script has something else in mind."""

    def do_POST(self):
        rows = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.lock:
            self.server.n_requests += 1
            step = self.server.script.popleft() if self.server.script else "ok"
            step = "503" if self.server.is_broken else step
            self.server.sizes += [len(rows)] if step == "ok" else []
        answer = json.dumps([row[0] - row[1] for row in rows]).encode()
        if step == "slow":
            time.sleep(0.3)
        if step != "dropped":
            self.send(step, answer)

    def send(self, step, answer):
        status = int(step) if step.isdigit() else 200
        self.send_response(status)
        if status == 429:
            self.send_header("Retry-After", "7")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        with contextlib.suppress(OSError):  # the client has left
            self.wfile.write(answer[:9] if step == "truncated" else answer)

    def log_message(self, *arguments):
        """Write nothing."""


@pytest.fixture(scope="module")
def running():
    server = Service()
    thread = threading.Thread(target=partial(server.serve_forever, poll_interval=0.01), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def service(running):
    running.reset()
    return running


@pytest.fixture
def waits(monkeypatch):
    """Let waiting take no time, and record it."""
    clock = SimpleNamespace(time=0.0, waits=[], lock=threading.Lock())

    def wait(seconds, stop):
        if seconds > 0 and not stop.is_set():
            with clock.lock:
                clock.waits.append(seconds)
                clock.time += seconds

    monkeypatch.setattr(_pacing, "wait", wait)
    monkeypatch.setattr(_pacing, "now", lambda: clock.time)
    return clock.waits


def post(url, rows, timeout=5.0):
    """Ask the service for the rows of an array."""
    with urlopen(url, json.dumps(np.asarray(rows).tolist()).encode(), timeout=timeout) as response:
        return json.load(response)


def remote(service, **options):
    return RemoteTeacher(partial(post, service.url), **{"batch_size": 10, **options})


def exact(rows):
    return rows[:, 0] - rows[:, 1]


# ---------------------------------------------------------------------- failures


@pytest.mark.thinned(2)
@pytest.mark.parametrize("concurrent", [1, 4])
@pytest.mark.parametrize("failure", ["500", "502", "503", "429", "truncated", "dropped"])
def test_requests_that_fail_are_repeated(failure, concurrent, service, waits):
    """Each row is answered once, in its place, whichever requests fail and in whichever order they are answered."""
    service.script.extend([failure, "ok", "ok", failure, failure])
    teacher = remote(service, concurrent=concurrent)
    np.testing.assert_array_equal(teacher(X), TRUE)
    assert service.n_answered == len(X)
    assert teacher.usage == (100, 13, 3, 0.0)
    assert len(waits) >= 3


def test_a_slow_answer_is_a_failure(service, waits):
    """The time limit holds for functions without one of their own, and their late answers are not used."""
    service.script.extend(["slow"])
    teacher = remote(service, timeout=0.1)
    np.testing.assert_array_equal(teacher(X[:20]), TRUE[:20])
    assert teacher.usage == (20, 3, 1, 0.0)
    with pytest.raises(TeacherUnavailableError, match=r"TimeoutError: no answer within 0.01 s"):
        RemoteTeacher(lambda rows: time.sleep(0.2), timeout=0.01, max_retries=1)(X)


@pytest.mark.parametrize("concurrent", [1, 3])
def test_delays_double_and_vary(concurrent, service, waits):
    """Between half and all of the doubled delay is waited, at most the longest one, and then the teacher gives up."""
    service.is_broken = True
    teacher = remote(service, first_delay=2.0, longest_delay=10.0, max_retries=4, concurrent=concurrent)
    with pytest.raises(TeacherUnavailableError, match=r"post did not answer; the last of 5 requests raised HTTPError"):
        teacher(X[:10])
    assert service.n_requests == 5
    for waited, most in zip(waits, [2, 4, 8, 10], strict=True):
        assert most / 2 <= waited <= most
    assert len(set(waits)) == 4


def test_the_service_says_when(service, waits):
    """``Retry-After`` is the least that is waited; a service that asks for too long is not asked again."""
    service.script.extend(["429"])
    np.testing.assert_array_equal(remote(service, first_delay=0.0)(X[:20]), TRUE[:20])
    assert waits == [7.0]
    service.script.extend(["429"])
    with pytest.raises(TeacherUnavailableError, match=r"asks to wait 7 s .HTTPError.*longest_delay=3"):
        remote(service, longest_delay=3)(X[:20])


def test_errors_of_the_rows_are_not_repeated(service, waits):
    """A request that the service calls wrong is wrong again: its error is raised at once, and names the rows."""
    service.script.extend(["ok", "422"])
    model = DistilledRegressor(remote(service), chunk_size=10, **LINEAR)
    service.script.extendleft(["ok"] * 2)  # the check of the teacher
    with pytest.raises(TeacherQueryError, match=r"post raised HTTPError for real rows 10 to 19 of 100.*422") as raised:
        model.fit(X)
    with raised.value.__cause__ as error:
        assert error.code == 422
    assert service.n_requests == 4
    assert waits == []


@pytest.mark.parametrize("retry_on", [KeyError, (KeyError, OSError), lambda error: "busy" in str(error)])
def test_which_errors_are_repeated_can_be_said(retry_on, waits):
    """Classes and functions of the error replace the automatic choice."""
    failures = iter([KeyError("busy")])

    def function(rows):
        for error in failures:
            raise error
        return exact(rows)

    np.testing.assert_array_equal(RemoteTeacher(function, retry_on=retry_on)(X), TRUE)
    failures = iter([ValueError("wrong")])
    with pytest.raises(ValueError, match="wrong"):
        RemoteTeacher(function, retry_on=retry_on)(X)


ERRORS = [
    (ConnectionResetError(), True),
    (TimeoutError(), True),
    (http.client.IncompleteRead(b""), True),
    (urllib.error.URLError("no route"), True),
    (json.JSONDecodeError("cut off", "", 0), True),
    (type("ReadTimeout", (type("TransportError", (Exception,), {}),), {})(), True),
    (type("APIError", (Exception,), {"status_code": 503})(), True),
    (type("APIError", (Exception,), {"status_code": 401})(), False),
    (type("APIError", (Exception,), {"response": SimpleNamespace(status_code=429)})(), True),
    (type("APIError", (ConnectionError,), {"response": SimpleNamespace(status=400)})(), False),
    (type("RpcError", (Exception,), {"code": lambda _: SimpleNamespace(name="UNAVAILABLE")})(), True),
    (type("RpcError", (Exception,), {"code": lambda _: SimpleNamespace(name="INVALID_ARGUMENT")})(), False),
    (FileNotFoundError("key.json"), False),
    (ValueError("no such column"), False),
]


@pytest.mark.parametrize(("error", "is_it"), ERRORS, ids=lambda value: getattr(type(value), "__name__", value))
def test_transient_errors_are_recognised(error, is_it):
    """Connections, time limits, truncated answers and states of overload may pass; other errors stay."""
    assert is_transient(error) is is_it


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (SimpleNamespace(), 0),
        (SimpleNamespace(retry_after=2.5), 2.5),
        (SimpleNamespace(headers={"Retry-After": "3"}), 3),
        (SimpleNamespace(response=SimpleNamespace(headers={"retry-after": "4"})), 4),
        (SimpleNamespace(headers={"Retry-After": "Fri, 01 Jan 2100 00:00:00 GMT"}), 4102444800 - time.time()),
        (SimpleNamespace(headers={"Retry-After": "Sun, 06 Nov 1994 08:49:37 GMT"}), 0),
        (SimpleNamespace(headers={"Retry-After": "soon"}), 0),
        (SimpleNamespace(retry_after=float("nan")), 0),
    ],
    ids=["nothing", "attribute", "header", "response", "date", "past", "text", "nan"],
)
def test_requests_to_wait_are_read(error, seconds):
    """Seconds and dates are read from the error and its response."""
    assert retry_after(error) == pytest.approx(seconds, abs=3600 if seconds > 100 else 0)


def test_other_numbers_of_rows_are_noticed(waits):
    """An answer for another number of rows is an error at once: which rows it is about, nobody knows."""
    teacher = RemoteTeacher(lambda rows: rows[1:, 0], batch_size=10)
    with pytest.raises(TeacherOutputError, match="<lambda> returned 9 answers for a request of 10 rows"):
        teacher(X)
    assert teacher.usage == (0, 1, 1, 0.0)


# ---------------------------------------------------------------------- several requests at a time


def test_the_limit_of_concurrent_requests_is_reached_and_holds():
    """Of two calls in two threads, together not more requests are under way than allowed, and no fewer if possible."""
    lock, barrier = threading.Lock(), threading.Barrier(4, timeout=10)
    under_way = SimpleNamespace(now=0, most=0)

    def function(rows):
        with lock:
            under_way.now += 1
            under_way.most = max(under_way.most, under_way.now)
        barrier.wait()  # breaks unless four are there
        time.sleep(0.005)  # so that a fifth would meet them
        with lock:
            under_way.now -= 1
        return exact(rows)

    teacher = RemoteTeacher(function, batch_size=10, concurrent=4, max_retries=0)
    with ThreadPoolExecutor(2) as pool:
        for answers in pool.map(teacher, [X[:80], X[:80]]):
            np.testing.assert_array_equal(answers, TRUE[:80])
    assert under_way.most == 4
    assert teacher.usage == (160, 16, 0, 0.0)


def test_coroutines_share_one_loop_beside_that_of_a_notebook():
    """Asynchronous functions work within a running loop, in the same loop in all calls, several at a time."""
    loops, under_way = set(), SimpleNamespace(now=0, most=0)

    async def function(rows):
        loops.add(asyncio.get_running_loop())
        under_way.now += 1
        under_way.most = max(under_way.most, under_way.now)
        await asyncio.sleep(0.002)
        under_way.now -= 1
        return exact(rows)

    teacher = RemoteTeacher(function, batch_size=5, concurrent=4)

    async def notebook():
        loops.add(asyncio.get_running_loop())
        return teacher(X)

    np.testing.assert_array_equal(asyncio.run(notebook()), TRUE)
    np.testing.assert_array_equal(teacher(X), TRUE)
    assert len(loops) == 2
    assert under_way.most == 4


def test_late_coroutines_are_cancelled(waits):
    """A coroutine that takes too long does not go on, and functions that return one are awaited, too."""
    cancelled = []

    async def function(rows):
        try:
            await asyncio.sleep(0 if cancelled else 60)
        except asyncio.CancelledError:
            cancelled.append(True)
            raise
        return exact(rows)

    assert RemoteTeacher(function, timeout=0.02)(X).tolist() == TRUE.tolist()
    assert cancelled == [True]
    assert RemoteTeacher(lambda rows: function(rows))(X).tolist() == TRUE.tolist()


def test_requests_are_spaced(waits):
    """No more requests a second are sent than allowed, repeated ones among them."""
    moments, failures = [], iter([True, False, True])

    def function(rows):
        moments.append(_pacing.now())
        if next(failures, False):
            raise ConnectionError
        return exact(rows)

    RemoteTeacher(function, batch_size=10, rate_limit=4.0, first_delay=0.0)(X)
    assert len(moments) == 12
    assert np.diff(moments).min() >= 0.25


# ---------------------------------------------------------------------- budgets


@pytest.mark.parametrize("budget", [60, 250, 700])
def test_the_budget_is_exact_to_the_row(budget, service, waits):
    """What the service answers is what the fit counts and allows, with checks, synthetic rows and failures."""
    service.script.extend(["ok", "500", "429", "ok", "truncated"] * 4)
    teacher = remote(service, batch_size=7, concurrent=3, max_retries=20, first_delay=0.0)
    model = DistilledRegressor(teacher, max_queries=budget, **LINEAR).fit(X)
    assert service.n_answered == teacher.usage.n_rows == model.transfer_set_.n_queries == budget
    plain = DistilledRegressor(exact, max_queries=budget, **LINEAR).fit(X)
    np.testing.assert_array_equal(model.predict(X), plain.predict(X))


def test_all_folds_together_have_a_limit(service, waits):
    """``max_rows`` counts over all fits, folds and threads; a call for more than is left is not sent."""
    teacher = remote(service, max_rows=150, concurrent=2)
    model = DistilledRegressor(teacher, sampler=None, max_queries=60, **LINEAR)
    assert clone(model).teacher is teacher
    with pytest.raises(TeacherUnavailableError, match=r"60 more rows, but 30 of max_rows=150 are left"):
        cross_val_score(model, X, TRUE, cv=3, scoring=lambda *_: 0.0, error_score="raise")
    assert service.n_answered == 120
    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(teacher, X[:10]) for _ in range(5)]
    assert sum(each.exception() is None for each in asked) == 3
    assert service.n_answered == 150


def test_the_cost_is_told(service, waits, monkeypatch, capsys):
    """Answered rows and requests cost, failed ones do not, and the progress says how much it was so far."""
    monkeypatch.setattr(_progress, "QUIET_SECONDS", 0.0)
    service.script.extend(["ok", "ok", "500"])
    teacher = remote(service, batch_size=50, cost_per_row=0.01, cost_per_request=0.5)
    DistilledRegressor(teacher, sampler=None, verbose=1, **LINEAR).fit(X)
    assert teacher.usage == (112, 5, 1, 0.01 * 112 + 0.5 * 4)
    assert "100 of 100 rows" in (told := capsys.readouterr().err)
    assert "112 rows answered in all, 1 failed requests, cost 3.12" in told


def test_small_prices_and_requests_without_rows_cost():
    """Nothing is rounded away but what binary numbers add, and an answer for no rows is none that failed."""
    teacher = RemoteTeacher(lambda rows: rows[:, 0], batch_size=1, cost_per_row=1e-12, cost_per_request=3e-12)
    teacher(X[:100])
    teacher(X[:0])
    assert teacher.usage == (100, 101, 0, pytest.approx(403e-12))
    dimes = RemoteTeacher(lambda rows: rows[:, 0], batch_size=1, cost_per_row=0.1)
    dimes(X[:3])
    assert dimes.usage.cost == 0.3


# ---------------------------------------------------------------------- nothing is lost


@pytest.mark.thinned(2)
@pytest.mark.parametrize("concurrent", [1, 3])
@pytest.mark.parametrize("on_disk", [False, True])
def test_a_fit_goes_on_where_it_stopped(on_disk, concurrent, service, waits, tmp_path):
    """However often a fit fails, the service answers no row more than in one that does not, and the student is equal.

    Without ``memory``, the teacher keeps the answers; with it, so does the disk, and another process goes on.
    """
    options = {"chunk_size": 40, "memory": str(tmp_path) if on_disk else None, **LINEAR}
    teacher = remote(service, concurrent=concurrent, max_retries=0)
    n_failures = 0
    while True:
        service.script = deque(["ok"] * 9 + ["503"])
        try:
            model = DistilledRegressor(teacher, max_queries=400, **options).fit(X)
            break
        except TeacherUnavailableError as error:
            n_failures += 1
            assert f"{teacher.n_kept:,} rows are kept: fit again" in str(error) or on_disk  # noqa: PT017
            if on_disk:
                teacher = remote(service, concurrent=concurrent, max_retries=0)
    assert n_failures >= 3
    whole = DistilledRegressor(exact, max_queries=400, **options | {"memory": None}).fit(X)
    n_asked = whole.transfer_set_.n_queries
    n_checks = 12 + 2 * 16  # of each process: the check, and the rows by which it would notice that answers changed
    assert 300 < n_asked <= service.n_answered <= n_asked + n_checks * (n_failures if on_disk else 0)
    assert teacher.n_kept == 0
    np.testing.assert_array_equal(model.predict(X), whole.predict(X))


@pytest.mark.parametrize("concurrent", [1, 3])
def test_an_interrupted_fit_leaves_its_answers_on_disk(concurrent, tmp_path):
    """Ctrl-C in the middle of a chunk loses no answer: another process asks only for the rows that are left."""
    calls, n_answered = count(), []

    def function(rows):
        if next(calls) == 7:
            raise KeyboardInterrupt
        n_answered.append(len(rows))
        return exact(rows)

    for ends in (pytest.raises(KeyboardInterrupt), contextlib.nullcontext()):
        teacher = RemoteTeacher(function, batch_size=10, concurrent=concurrent)
        model = DistilledRegressor(teacher, sampler=None, memory=str(tmp_path), teacher_id="exact", **LINEAR)
        with ends:
            model.fit(X)
    n_checks = 12 + 16  # of the first process, and the rows by which the second would notice that answers changed
    assert sum(n_answered) <= len(X) + n_checks


def test_a_fit_that_fails_otherwise_loses_nothing(service):
    """Answers are kept whatever ends the fit, each is used once, and a fit that ends well keeps none."""
    teacher = remote(service)

    class Failing(DummyRegressor):
        """A student whose fit is interrupted."""

        def fit(self, *arguments, **weights):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        DistilledRegressor(teacher, Failing(), sampler=None, random_state=0).fit(X)
    assert teacher.n_kept == service.n_answered == 112
    DistilledRegressor(teacher, sampler=None, **LINEAR).fit(X)
    assert service.n_answered == 112
    assert teacher.n_kept == 0
    DistilledRegressor(teacher, sampler=None, **LINEAR).fit(X)
    assert service.n_answered == 224


def test_answers_of_random_services_are_used_once(waits):
    """A fit that is repeated gets the answers of the first in their order, also several for one row."""
    noise, fails = np.random.default_rng(0), SimpleNamespace(after=14)

    def function(rows):
        fails.after -= 1
        if fails.after == 0:
            raise ConnectionError
        return exact(rows) + noise.normal(size=len(rows))

    def fit(after):
        nonlocal noise
        noise, fails.after = np.random.default_rng(0), after
        teacher = RemoteTeacher(function, batch_size=25, max_retries=0)
        model = DistilledRegressor(teacher, sampler=None, n_repeats=5, **LINEAR)
        if after:
            with pytest.raises(TeacherUnavailableError):
                model.fit(X)
        return model.fit(X), teacher

    (whole, at_once), (resumed, in_two) = fit(0), fit(14)
    assert at_once.usage.n_rows == in_two.usage.n_rows
    np.testing.assert_array_equal(whole.predict(X), resumed.predict(X))


def test_equal_rows_have_answers_of_their_own():
    """A table that repeats rows uses as many kept answers as it has rows, and leaves the others."""
    keys = np.array([[1, 1], [2, 2], [1, 1]], dtype=np.uint64)
    kept = KeptAnswers("service")
    first = read_request("service", [10.0, 20.0, 11.0], 3, None)
    kept.keep([type(first)(first.values, None, False, keys)])
    rows, answers = kept.take(np.array([[1, 1], [3, 3]], dtype=np.uint64))
    assert (rows.tolist(), answers.values.tolist(), len(kept)) == ([0], [10.0], 2)
    rows, answers = kept.take(np.array([[1, 1], [1, 1], [2, 2]], dtype=np.uint64))
    assert (rows.tolist(), answers.values.tolist(), len(kept)) == ([0, 2], [11.0, 20.0], 0)


def test_an_outage_is_no_refusal_of_synthetic_rows(service, waits):
    """A service that stops answers in the middle of a fit is not taken for one that refuses the rows of a sampler."""
    service.script.extend(["ok"] * 12)
    teacher = remote(service, max_retries=0)
    stops = SimpleNamespace(n=0)

    def function(rows):
        stops.n += 1
        service.is_broken = stops.n > 14
        return post(service.url, rows)

    teacher = RemoteTeacher(function, batch_size=10, max_retries=0)
    for sampler in (Jitter(), "auto"):
        stops.n = 0
        with pytest.raises(TeacherUnavailableError, match="did not answer"):
            DistilledRegressor(teacher, sampler=sampler, n_synthetic=200, **LINEAR).fit(X)
        assert stops.n == 15


# ---------------------------------------------------------------------- as any teacher


def test_it_is_recognised_as_its_function(tmp_path):
    """``memory`` knows the function inside, whatever the limits and counters around it."""
    asked = []

    def function(rows):
        asked.append(len(rows))
        return rows[:, 0] * 3.0

    options = {"sampler": None, "memory": str(tmp_path), "teacher_id": None, **LINEAR}
    DistilledRegressor(RemoteTeacher(function, batch_size=30), **options).fit(X)
    n_before = sum(asked)
    DistilledRegressor(RemoteTeacher(function, batch_size=50, concurrent=2), **options).fit(X)
    DistilledRegressor(function, **options).fit(X)
    assert sum(asked) - n_before <= 2 * (12 + 16 + 16)


def test_columns_are_joined_by_name():
    """Requests may name their columns in any order, and dicts may leave out classes."""
    frames = iter([["no", "yes"], ["yes", "no"]])
    p = 1 / (1 + np.exp(-X[:, 0]))

    def named(rows):
        q = 1 / (1 + np.exp(-rows[:, 0]))
        return pd.DataFrame({"no": 1 - q, "yes": q})[next(frames)]

    answers = RemoteTeacher(named, batch_size=50)(X)
    np.testing.assert_array_equal(answers["yes"], p)

    def dicts(rows):
        return [{"yes": 1.0} if row[0] > 0 else {"no": 1.0} for row in rows]

    teacher = RemoteTeacher(dicts, batch_size=1, concurrent=5, classes=["no", "yes"])
    model = DistilledClassifier(teacher, "tree", sampler=None, random_state=0).fit(X)
    np.testing.assert_array_equal(model.predict(X) == "yes", X[:, 0] > 0)
    frames = iter([["no", "yes"], ["yes"]])
    with pytest.raises(TeacherOutputError, match=r"columns \['yes'\] in one request.*same columns in every call"):
        RemoteTeacher(named, batch_size=50)(X)
    shapes = iter([1, 2])
    with pytest.raises(TeacherOutputError, match="in different requests; expected one"):
        RemoteTeacher(lambda rows: rows[:, : next(shapes)], batch_size=50)(X)


def test_it_is_pickled_with_its_counters(service):
    """A copy goes on counting, and works in another process."""
    teacher = remote(service, concurrent=2, rate_limit=1e6, max_rows=150)
    teacher(X)
    copied = pickle.loads(pickle.dumps(teacher))
    assert copied.usage == teacher.usage
    with pytest.raises(TeacherUnavailableError, match="50 of max_rows=150 are left"):
        copied(X)
    np.testing.assert_array_equal(copied(X[:50]), TRUE[:50])
    assert repr(copied) == "RemoteTeacher(post, batch_size=10, concurrent=2)"


@pytest.mark.parametrize("rows", [X[0], X[0].tolist(), X[0, 0]])
def test_what_is_no_table_is_refused_before_a_request(rows):
    """One row is a table of one row; a teacher of recorded answers says the same."""
    with pytest.raises(TeacherError, match=r"got X of shape \(.*\); expected a table of"):
        RemoteTeacher(exact)(rows)
    with pytest.raises(TeacherError, match=r"got X of shape \(.*\); expected \(n_samples, n_features\)"):
        PrecomputedTeacher(X, TRUE).has_answer(rows)
    assert PrecomputedTeacher(X, TRUE).has_answer(X[:2].tolist()).all()


BAD = [
    ({"function": "http://127.0.0.1"}, TypeError, "expected a function of a table"),
    ({"batch_size": 0}, ValueError, "batch_size=0; expected an integer of at least 1"),
    ({"concurrent": 1.5}, TypeError, "concurrent=1.5; expected an integer"),
    ({"rate_limit": 0}, ValueError, "rate_limit=0; expected a number above 0. Or pass None"),
    ({"timeout": -1}, ValueError, "timeout=-1"),
    ({"max_retries": -1}, ValueError, "max_retries=-1"),
    ({"retry_on": "always"}, TypeError, "retry_on='always'; expected 'auto', an exception class"),
    ({"retry_on": (KeyError, int)}, TypeError, "retry_on="),
    ({"longest_delay": None}, TypeError, "longest_delay=None"),
    ({"max_rows": 0}, ValueError, "max_rows=0"),
    ({"cost_per_row": -0.1}, ValueError, "cost_per_row=-0.1"),
]


@pytest.mark.parametrize(("options", "error", "message"), BAD, ids=lambda value: str(value)[:30])
def test_bad_parameters_are_refused(options, error, message):
    """An error names the parameter, what was passed and what was expected."""
    with pytest.raises(error, match=message):
        RemoteTeacher(**{"function": exact, **options})
