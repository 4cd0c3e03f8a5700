"""A teacher that is down for good ends the work at once, as unavailable, whatever was being done with its answers."""

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from skdistill import AutoSampler, CascadeRegressor, DistilledClassifier, DistilledRegressor, RemoteTeacher, as_teacher
from skdistill.exceptions import TeacherQueryError, TeacherUnavailableError, TeacherWarning
from skdistill.samplers import Jitter, MarginalResampling
from skdistill.teachers import average
from skdistill.teachers._workers import _is_steady

X = np.random.default_rng(0).normal(size=(200, 2))
LINEAR = {"student": "linear", "random_state": 0, "n_synthetic": 200}


class Service:
    """Answers requests until it goes down for good, and counts them."""

    def __init__(self, answer, error=ConnectionResetError):
        self.answer, self.error, self.n_requests, self.n_rows, self.n_left = answer, error, 0, 0, np.inf

    def __call__(self, rows):
        self.n_requests += 1
        if self.n_requests > self.n_left:
            raise self.error("down")
        answer = self.answer(np.asarray(rows, dtype=float))
        self.n_rows += len(answer)
        return answer

    def reset(self, n_left=np.inf):
        self.n_requests, self.n_rows, self.n_left = 0, 0, n_left


def difference(rows):
    return rows[:, 0] - rows[:, 1]


KNOWN = {tuple(row) for row in X.tolist()}


def strict(rows):
    """Refuses about a quarter of the rows that it has not seen, whatever their numbers are restricted to."""
    if any(a > 0 and b > 0 and (a, b) not in KNOWN for a, b in rows.tolist()):
        raise KeyError("a combination that I do not know")
    return difference(rows)


STRICT = {"sampler": AutoSampler([MarginalResampling()]), **LINEAR, "n_synthetic": 60}


class Saying:
    """A classifier that asks a service for probabilities and for labels."""

    classes_ = np.array([0, 1])

    def __init__(self, service):
        self.remote = RemoteTeacher(service, max_retries=0)

    def fit(self, X, y):
        raise AssertionError

    def predict_proba(self, rows):
        return np.column_stack([0.5 - self.remote(rows) / 20, 0.5 + self.remote(rows) / 20])

    def predict(self, rows):
        return (self.remote(rows) > 0.1).astype(int)

    def __sklearn_is_fitted__(self):
        return True


def remote(service):
    return RemoteTeacher(service, batch_size=100, max_retries=0)


def plain(service):
    return DistilledRegressor(remote(service), sampler=Jitter(), **LINEAR).fit(X)


def repeated(service):
    return DistilledRegressor(remote(service), sampler=None, n_repeats=3, student="linear").fit(X)


def several(service):
    teachers = [("service", remote(service)), ("other", difference)]
    return DistilledRegressor(teachers, sampler=Jitter(), n_jobs=2, chunk_size=50, **LINEAR).fit(X)


def refusing(service):
    return DistilledRegressor(remote(service), **STRICT).fit(X)


def deciding(service):
    return DistilledClassifier(Saying(service), "linear", sampler=None, random_state=0).fit(X)


def cascade(service):
    student = DistilledRegressor(difference, **LINEAR).fit(X)
    new = np.random.default_rng(1).normal(size=(400, 2))
    return CascadeRegressor(remote(service), student, tolerance=1.0, n_synthetic=200, random_state=0).fit(new)


WORK = {
    plain: difference,
    repeated: difference,
    several: difference,
    refusing: strict,
    deciding: difference,
    cascade: difference,
}


@pytest.mark.filterwarnings("ignore::skdistill.exceptions.TeacherWarning")
@pytest.mark.parametrize("work", WORK, ids=lambda work: work.__name__)
def test_an_outage_ends_the_work_at_once_at_whatever_request(work):
    """It is never taken for a refusal of rows, for an unsteady teacher or for one without labels; none is sent more."""
    service = Service(WORK[work])
    work(service)
    n_requests = service.n_requests
    assert n_requests >= 3
    for n_left in {0, 1, 2, n_requests // 2, n_requests - 2, n_requests - 1}:
        service.reset(n_left)
        with pytest.raises(TeacherUnavailableError, match="down"):
            work(service)
        assert service.n_requests == n_left + 1


def test_what_was_answered_before_an_outage_is_not_asked_again():
    """The fit that follows asks the rest, and its summary states the requests of this fit alone."""
    service = Service(difference)
    teacher = RemoteTeacher(service, batch_size=50, concurrent=2, max_retries=0, cost_per_row=0.5, cost_per_request=1.0)
    model = DistilledRegressor(teacher, sampler=Jitter(), **LINEAR)
    whole = model.fit(X).transfer_set_
    assert whole.usage == teacher.usage
    assert (whole.usage.n_rows, whole.usage.n_requests) == (service.n_rows, service.n_requests)
    assert whole.usage.cost == 0.5 * service.n_rows + service.n_requests
    before = teacher.usage
    service.reset(5)
    with pytest.raises(TeacherUnavailableError, match=r"The answers for \d+ rows are kept"):
        model.fit(X)
    n_first = service.n_rows
    service.reset()
    rest = model.fit(X).transfer_set_
    assert rest.n_queries == whole.n_queries
    assert rest.usage.n_rows == service.n_rows == whole.usage.n_rows - n_first
    assert rest.usage.n_failed == 0
    assert f"{rest.usage.n_rows:,} rows answered by {rest.usage.n_requests} requests, cost" in rest.explain()
    n_of_failed_fit = teacher.usage.n_requests - before.n_requests - rest.usage.n_requests
    assert n_of_failed_fit - teacher.usage.n_failed == 5


def test_a_service_among_several_teachers_is_asked_by_one_thread():
    """It has limits of its own, and other processes would not share them, nor what it counts."""
    members = [
        as_teacher(each, task="regression")
        for each in (remote(Service(difference)), LinearRegression().fit(X, X[:, 0]))
    ]
    together = average("model", ["service", "line"], members, np.array([0.5, 0.5]))
    assert not _is_steady(together)
    assert _is_steady(average("model", ["line", "same"], members[1:] * 2, np.array([0.5, 0.5])))


class TransportError(Exception):  # as httpx names it
    """An error of a client that derives from no error of the system."""


@pytest.mark.parametrize("error", [OSError, TransportError])
def test_an_outage_of_a_plain_function_leaves_out_no_rows(error):
    """Also while the rows are found that it refuses, one by one and block by block."""
    service = Service(strict, error)
    with pytest.warns(TeacherWarning, match="synthetic rows were left out"):
        DistilledRegressor(service, **STRICT).fit(X)
    n_requests = service.n_requests
    for n_left in range(4, n_requests, 3):
        service.reset(n_left)
        with pytest.raises(TeacherQueryError, match="down"):
            DistilledRegressor(service, **STRICT).fit(X)
        assert service.n_requests == n_left + 1
