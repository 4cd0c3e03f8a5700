"""How much of a fit is done, and how long the rest takes: of fits whose durations the test sets."""

from itertools import pairwise

import pytest

from skdistill.selection import Forecast, _forecast

UNITS = {"hold out rows": 1.0, "choose a sampler": 8.0, "choose a student": 60.0, "fit the student": 12.0}


@pytest.fixture
def clock(monkeypatch):
    """Put a clock into forecasts that the test turns."""

    class Clock:
        now = 0.0

        def __call__(self):
            return self.now

    clock = Clock()
    monkeypatch.setattr(_forecast, "perf_counter", clock)
    return clock


def label(forecast, clock, n_rows, of_row):
    """Label rows in ten chunks."""
    for _ in range(10):
        clock.now += n_rows * of_row / 10
        forecast.label(n_rows / 10, n_rows * of_row / 10)
        yield


def run_phase(forecast, clock, name, seconds, n_rows=0, of_row=0.0):
    """Run a phase in ten steps, in which the teacher also labels rows."""
    forecast.begin(name)
    labelled = label(forecast, clock, n_rows, of_row)
    for step in range(1, 11):
        clock.now += seconds / 10
        next(labelled)
        forecast.advance(step / 10)
        yield
    forecast.end()


def fit(clock, of_row, of_unit, skipped=()):
    """Return the times of a fit with what is forecast at each, and its total time."""
    forecast, told = Forecast(UNITS, n_rows=1000, n_synthetic=14_000), []
    forecast.begin("label real rows")
    told += [(clock.now, *forecast.estimate()) for _ in label(forecast, clock, 1000, of_row)]
    forecast.end()
    for name, units in UNITS.items():
        if name not in skipped:
            n_rows = 14_000 if name == "choose a sampler" else 0
            steps = run_phase(forecast, clock, name, units * of_unit, n_rows, of_row)
            told += [(clock.now, *forecast.estimate()) for _ in steps]
    return told, clock.now


@pytest.mark.parametrize("of_row", [0.0, 1e-4, 1e-2])
@pytest.mark.parametrize("of_unit", [0.01, 0.07, 2.0])
def test_a_fit_takes_as_long_as_forecast(clock, of_row, of_unit):
    """Fast or slow teachers and students: when a student is chosen, the total is right within a third, or a second."""
    told, total = fit(clock, of_row, of_unit)
    late = [spent + left for spent, _, left in told if spent > total - 73 * of_unit]
    assert len(late) > 15
    assert late == pytest.approx([total] * len(late), rel=1 / 3, abs=1.0)
    assert told[-1][1:] == pytest.approx((1.0, 0.0))


def test_a_slow_teacher_is_forecast_at_once(clock):
    """After a tenth of the given rows, it is known how long all others take, also those that are not drawn yet."""
    told, total = fit(clock, 1e-2, 0.01)
    assert [spent + left for spent, _, left in told] == pytest.approx([total] * len(told), rel=0.1)


def test_the_share_is_that_of_the_time(clock):
    """What is told is one thing: the share is the time spent divided by the total."""
    for spent, share, left in fit(clock, 1e-3, 0.07)[0]:
        assert share == pytest.approx(spent / (spent + left))


def test_phases_that_are_left_out_do_not_count(clock):
    """Synthetic rows may turn out not to be needed: nothing of them remains."""
    told, total = fit(clock, 1e-2, 0.5, skipped=["hold out rows", "choose a sampler", "choose a student"])
    late = [spent + left for spent, _, left in told[-8:]]
    assert late == pytest.approx([total] * 8, rel=0.1)


def test_nothing_is_told_before_anything_is_known(clock):
    """A teacher that is being fitted, or that has not labelled its first rows, takes as long as it takes."""
    forecast = Forecast(UNITS, n_rows=100, is_fitted=False)
    forecast.begin("fit the teacher")
    clock.now = 1000.0
    assert forecast.estimate() == (0.0, None)
    forecast.end()
    assert forecast.estimate() == (0.0, None)
    forecast.label(10, 1.0)
    assert forecast.estimate()[1] == pytest.approx(9.0 + 0.07 * sum(UNITS.values()))


def test_teachers_of_folds_take_as_long_as_the_first(clock):
    """Five teachers, each fitted on four fifths of the rows: four times the first; then this time passes."""
    forecast = Forecast({"fit the student": 1.0}, n_folds=5, is_fitted=False)
    forecast.begin("fit the teacher")
    clock.now = 10.0
    forecast.end()
    lefts = [forecast.estimate()[1]]
    forecast.begin("label out of fold")
    for clock.now in (20.0, 30.0, 49.0, 70.0):
        lefts.append(forecast.estimate()[1])
    forecast.end()
    lefts.append(forecast.estimate()[1])
    assert [before - after for before, after in pairwise(lefts)] == pytest.approx([10.0, 10.0, 19.0, 1.0, 0.0])
    assert lefts[-1] == pytest.approx(0.07)


def test_a_phase_without_news_still_passes(clock):
    """The fit of the student says nothing until it is done; its time passes, and does not become negative."""
    forecast = Forecast({"fit the student": 100.0})
    forecast.begin("fit the student")
    lefts = []
    for clock.now in (0.0, 2.0, 6.0, 60.0):
        lefts.append(forecast.estimate()[1])
    assert lefts == pytest.approx([7.0, 5.0, 1.0, 0.0])


def test_a_time_limit_bounds_the_rest(clock):
    """A search that would take an hour is ended; the student is then fitted once."""
    forecast = Forecast(UNITS, time_limit=60)
    forecast.begin("choose a sampler")
    clock.now = 40.0
    forecast.end()
    of_unit = 40.0 / 8
    assert forecast.estimate()[1] == pytest.approx(20 + 12 * of_unit, rel=0.2)
