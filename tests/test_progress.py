"""The line that says how far long work is."""

import sys

import pytest

from skdistill import _progress
from skdistill._progress import Progress


@pytest.fixture
def seconds(monkeypatch):
    """Put a clock into the progress line that stands where the test sets it."""

    class Clock:
        now = 0.0

        def perf_counter(self):
            return self.now

    clock = Clock()
    monkeypatch.setattr(_progress, "time", clock)
    return clock


def test_progress_is_silent_unless_asked(capsys):
    """Without verbose not a character is written."""
    progress = Progress("asking", total=10, verbose=0, every=0.0)
    progress.update(5)
    progress.update(10)
    captured = capsys.readouterr()
    assert captured.out + captured.err == ""


def test_progress_says_how_far_and_how_long(capsys, seconds):
    """A line has the title, the rows and the time left, on standard error; the last one has the time spent."""
    progress = Progress("asking", total=2_000, verbose=1)
    seconds.now = 10.0
    progress.update(500)
    seconds.now = 40.0
    progress.update(2_000)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == [
        "[skdistill] asking: 500 of 2,000 rows, 30 s left",
        "[skdistill] asking: 2,000 of 2,000 rows, 40.0 s",
    ]


def test_progress_does_not_chatter(capsys, seconds):
    """Lines are at least ``every`` seconds apart, but the end is always told."""
    progress = Progress("asking", total=100, verbose=1, every=5.0)
    for done in range(1, 101):
        seconds.now = done / 10
        progress.update(done)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert lines[-1].startswith("[skdistill] asking: 100 of 100 rows")


def test_progress_goes_where_standard_error_is_now(monkeypatch, seconds):
    """Standard error is looked up when it is written to, as notebooks replace it."""
    written = []
    monkeypatch.setattr(sys, "stderr", type("Stream", (), {"write": lambda self, text: written.append(text)})())
    progress = Progress("asking", total=1, verbose=1)
    seconds.now = 3.0
    progress.update(1)
    assert written == ["[skdistill] asking: 1 of 1 rows, 3.0 s\n"]


def test_short_work_is_quiet(capsys, seconds):
    """What takes less than two seconds says nothing, at its end neither."""
    progress = Progress("asking", total=100, verbose=1, every=0.0)
    for done in range(1, 101):
        seconds.now = done / 51
        progress.update(done)
    assert capsys.readouterr().err == ""


def test_the_time_of_the_whole_fit_ends_the_line(capsys, seconds):
    """Where it is known, how long the whole fit still takes stands beside what this work takes."""
    progress = Progress("asking", total=4, verbose=1, callback=lambda share: f"about {100 * share:.0f} s in all")
    seconds.now = 4.0
    progress.update(1)
    assert capsys.readouterr().err == "[skdistill] asking: 1 of 4 rows, 12 s left; about 25 s in all\n"


def test_time_left_is_told_by_rows_taught(capsys, seconds):
    """A choice of students begins with few rows: time left by their number would promise too much."""
    told = []
    progress = Progress("choosing", 4, 1, "students", work=100, callback=told.append)
    seconds.now = 10.0
    progress.update(2, 20)
    progress.update(4, 100)
    assert capsys.readouterr().err.splitlines() == [
        "[skdistill] choosing: 2 of 4 students, 40 s left",
        "[skdistill] choosing: 4 of 4 students, 10.0 s",
    ]
    assert told == [0.2, 1.0]
