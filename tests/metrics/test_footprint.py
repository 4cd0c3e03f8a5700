from importlib import import_module

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skdistill
from skdistill import DistilledRegressor
from skdistill.metrics import Footprint, footprint, latency, n_operations, n_parameters, pickled_bytes


class FakeClock:
    """A clock that stands still but while somebody predicts."""

    def __init__(self, seconds):
        self.now, self.seconds, self.calls, self.asked = 0.0, seconds, 0, []

    def perf_counter(self):
        return self.now

    def predict(self, X):
        self.calls += 1
        self.asked.append(X)
        self.now += self.seconds[min(self.calls, len(self.seconds)) - 1]


@pytest.fixture
def clock(monkeypatch):
    """Put a fake clock into the module; give it the seconds of each call, the last one repeating."""

    def install(*seconds):
        fake = FakeClock(seconds)
        monkeypatch.setattr(import_module("skdistill.metrics._footprint"), "time", fake)
        return fake

    return install


def test_pickled_bytes_grow_with_the_model():
    """More trees, more bytes."""
    X, y = np.random.default_rng(0).normal(size=(60, 3)), np.arange(60) % 2
    sizes = [pickled_bytes(RandomForestClassifier(n_trees, random_state=0).fit(X, y)) for n_trees in (1, 5, 10)]
    assert np.all(np.diff(sizes) > 0)


def test_pickled_bytes_hold_the_arrays():
    """A pickle is at least as large as the arrays inside it, and not much larger."""
    inside = np.random.default_rng(0).normal(size=10_000)
    assert inside.nbytes < pickled_bytes({"coefficients": inside}) < 1.1 * inside.nbytes


def test_pickling_does_not_change_the_model():
    """The model is only looked at."""
    model = {"coefficients": [1.0, 2.0]}
    assert pickled_bytes(model) == pickled_bytes(model)
    assert model == {"coefficients": [1.0, 2.0]}


def test_latency_is_positive_and_finite():
    """A real call takes some time, and not forever."""
    measured = latency(np.sum, np.ones((10, 2)), n_repeats=2, min_seconds=0.0)
    assert np.isfinite(measured)
    assert measured > 0


@pytest.mark.parametrize(("n_rows", "seconds"), [(1, 0.001), (100, 0.001), (100, 2.0)])
def test_latency_is_microseconds_a_row(clock, n_rows, seconds):
    """The time of a call is divided by its rows, in microseconds, however often a measurement repeats it."""
    fake = clock(seconds)
    assert latency(fake.predict, np.ones((n_rows, 2))) == pytest.approx(seconds / n_rows * 1e6)


def test_first_call_only_warms_up(clock):
    """What happens once, like a compilation, is not measured."""
    fake = clock(1_000.0, 1.0)
    assert latency(fake.predict, np.ones((1, 2))) == pytest.approx(1e6)


def test_one_slow_call_does_not_matter(clock):
    """The median of the measurements ignores a hiccup of the machine."""
    fake = clock(1.0, 1.0, 1_000.0, 1.0)
    assert latency(fake.predict, np.ones((1, 2)), n_repeats=5) == pytest.approx(1e6)


def test_a_measurement_lasts_long_enough(clock):
    """Fast calls are repeated until the smallest time has passed, in each measurement."""
    fake = clock(0.25)
    latency(fake.predict, np.ones((1, 2)), n_repeats=3, min_seconds=1.0)
    assert fake.calls == 1 + 3 * 4


def test_slow_calls_are_made_once_a_measurement(clock):
    """A call that is long enough by itself is not repeated."""
    fake = clock(5.0)
    latency(fake.predict, np.ones((1, 2)), n_repeats=3, min_seconds=1.0)
    assert fake.calls == 1 + 3


def test_latency_needs_rows_and_repeats():
    """Otherwise there is nothing to divide by."""
    with pytest.raises(ValueError, match="latency: X has no rows; expected at least one"):
        latency(np.sum, np.ones((0, 3)))
    with pytest.raises(ValueError, match="latency: n_repeats=0; expected an integer of at least 1"):
        latency(np.sum, np.ones((1, 3)), n_repeats=0)


# ---------------------------------------------------------------------- all of it

X = np.random.default_rng(0).normal(size=(60, 3))
LABELS = np.where(X[:, 0] > 0, "yes", "no")
TABLES = {
    "numpy": X,
    "list": X.tolist(),
    "pandas": pd.DataFrame(X, columns=list("abc"), index=np.arange(60) + 7),
    "polars": pl.DataFrame(X, schema=list("abc")),
    "csr": sparse.csr_matrix(X),
    "coo": sparse.coo_array(X),
}


class Recorder:
    """A model that remembers what it was asked, and how."""

    def __init__(self):
        self.asked = []

    def predict(self, X):
        self.asked.append(("predict", X))


class Confident(Recorder):
    """One that has probabilities."""

    def predict_proba(self, X):
        self.asked.append(("predict_proba", X))


@pytest.fixture
def quick(monkeypatch):
    """Make every measurement a single call."""
    module = import_module("skdistill.metrics._footprint")
    timed = module._median_seconds
    monkeypatch.setattr(module, "_median_seconds", lambda predict, X, *_: timed(predict, X, 1, 0.0))


def rows_of(X):
    return X.shape[0] if hasattr(X, "shape") else len(X)


@pytest.mark.parametrize("kind", TABLES)
@pytest.mark.parametrize("model", [Recorder, Confident])
def test_one_row_and_a_batch_are_asked(quick, model, kind):
    """Of the same kind of table: its first row, and its first rows; probabilities where there are any."""
    model = model()
    footprint(model, TABLES[kind], n_rows=20)
    assert [rows_of(X) for _, X in model.asked] == [1, 1, 20, 20]
    method = "predict_proba" if isinstance(model, Confident) else "predict"
    assert {name for name, _ in model.asked} == {method}
    expected = {"list": np.ndarray, "coo": sparse.csr_array}.get(kind, type(TABLES[kind]))
    assert {type(X) for _, X in model.asked} == {expected}


def test_fewer_rows_than_asked_for_are_all_of_them(quick):
    """Nothing is repeated to fill a batch."""
    model = Recorder()
    footprint(model, X, n_rows=1000)
    assert [rows_of(X) for _, X in model.asked] == [1, 1, 60, 60]


def test_times_are_those_of_one_row_and_of_a_row_of_many(clock):
    """In microseconds: a call that takes a millisecond, whatever it is asked."""
    fake = clock(0.001)
    measured = footprint(fake, X, n_rows=50)
    assert measured.one_row == pytest.approx(1000)
    assert measured.many_rows == pytest.approx(20)


@pytest.mark.parametrize("kind", [kind for kind in TABLES if kind not in ("coo", "list")])
def test_every_table_is_measured(quick, kind):
    """A student, and its compiled form with the plain row it takes: positive times, the counts of both alike."""
    rows = TABLES[kind]
    teacher = make_pipeline(StandardScaler(with_mean=False), Ridge()).fit(rows, X[:, 0])
    model = DistilledRegressor(teacher, "boosting", student_size=60, sampler=None, random_state=0).fit(rows)
    measured, compiled = footprint(model, rows), footprint(skdistill.compile(model), rows)
    for cost in (measured, compiled):
        assert 0 < cost.one_row < np.inf
        assert 0 < cost.many_rows < np.inf
        assert (cost.n_parameters, cost.n_operations) == (n_parameters(model), n_operations(model))


def test_compiled_models_are_asked_for_a_plain_row(quick):
    """As fast as they can: by code, which is made for rows of one dimension only."""
    compiled = skdistill.compile(Ridge().fit(X, X[:, 0]))
    for rows in (X, TABLES["pandas"], TABLES["polars"]):
        compiled = skdistill.compile(Ridge().fit(X, X[:, 0]))
        assert compiled._row is None
        footprint(compiled, rows)
        assert compiled._row is not None


def test_what_is_shipped_is_measured(quick):
    """The student alone, without the teacher, also at the end of a pipeline and in a search; nothing is changed."""
    teacher = RandomForestClassifier(50, random_state=0).fit(X, LABELS)
    model = skdistill.DistilledClassifier(teacher, "linear", sampler=None, random_state=0)
    pipeline = make_pipeline(PCA(), model).fit(X)
    search = GridSearchCV(model, {"temperature": [1.0]}, scoring=skdistill.fidelity_scorer, cv=2).fit(X)
    assert footprint(pipeline[-1], PCA().fit_transform(X)).n_bytes == pickled_bytes(pipeline[-1].student_)
    assert footprint(search, X).n_bytes == pickled_bytes(search.best_estimator_.student_)
    of_pipeline = footprint(pipeline, X)
    assert pickled_bytes(pipeline[-1].student_) < of_pipeline.n_bytes < pickled_bytes(teacher) / 5
    assert of_pipeline.n_parameters == n_parameters(pipeline[0]) + n_parameters(pipeline[-1])
    assert pipeline[-1].teacher is teacher


def test_functions_have_times_only(quick):
    """One that cannot be pickled has no bytes, and says so."""
    measured = footprint(lambda rows: rows.sum(axis=1), X)
    assert np.isnan([measured.n_bytes, measured.n_parameters, measured.n_operations]).all()
    assert measured.one_row > 0
    assert str(measured).startswith("unknown bytes, unknown parameters, unknown operations a row, ")
    assert footprint(np.sum, X).n_bytes > 0


def test_transformers_are_measured(quick):
    """Embeddings are students, too."""
    assert footprint(PCA(2).fit(X), X).n_operations == 2 * 3


@pytest.mark.parametrize(
    ("cost", "text"),
    [
        (
            Footprint(999, 5, 3, 0.0123, 12345.6),
            "999 bytes, 5 parameters, 3 operations a row, 0.012 µs for one row, 12,346 ",
        ),
        (
            Footprint(1000, 1e6, 1234, 9.94, 0.5),
            "1.0 kB, 1,000,000 parameters, 1,234 operations a row, 9.9 µs for one row",
        ),
        (
            Footprint(44_433_000, 1, 1, 90_376.0, 200.6),
            "44.4 MB, 1 parameters, 1 operations a row, 90,376 µs for one row, 201",
        ),
    ],
)
def test_one_line_tells_it(cost, text):
    """In units that can be read."""
    assert str(cost).startswith(text)
    assert "\n" not in str(cost)
    with pytest.raises(AttributeError, match="cannot assign"):
        cost.n_bytes = 0


def test_what_cannot_be_asked_is_refused():
    """By name."""
    with pytest.raises(TypeError, match="footprint: got a dict; expected a fitted model with predict_proba or predict"):
        footprint({}, X)
    with pytest.raises(ValueError, match="footprint: X has no rows"):
        footprint(LogisticRegression().fit(X, LABELS), X[:0])
    with pytest.raises(ValueError, match="footprint: n_rows=0; expected an integer of at least 1"):
        footprint(LogisticRegression().fit(X, LABELS), X, n_rows=0)
