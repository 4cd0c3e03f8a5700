import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier

from skdistill.metrics import _footprint as footprint
from skdistill.metrics import latency, pickled_bytes


class FakeClock:
    """A clock that stands still but while somebody predicts."""

    def __init__(self, seconds):
        self.now, self.seconds, self.calls = 0.0, seconds, 0

    def perf_counter(self):
        return self.now

    def predict(self, X):
        self.calls += 1
        self.now += self.seconds[min(self.calls, len(self.seconds)) - 1]


@pytest.fixture
def clock(monkeypatch):
    """Put a fake clock into the module; give it the seconds of each call, the last one repeating."""

    def install(*seconds):
        fake = FakeClock(seconds)
        monkeypatch.setattr(footprint, "time", fake)
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
