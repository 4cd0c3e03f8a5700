"""The line that says how far long work is."""

import re
import sys
from types import ModuleType, SimpleNamespace

import pytest

from skdistill import _progress
from skdistill._notebook import bar_html, in_notebook
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


def module_of(name, **things):
    module = ModuleType(name)
    vars(module).update(things)
    return module


@pytest.fixture
def shown(monkeypatch):
    """Be a kernel of a notebook; return the outputs of the cell, each with all its states."""
    outputs = []

    def display(content, *, raw, display_id):
        assert raw
        assert display_id
        outputs.append([content])
        return SimpleNamespace(update=lambda content, raw: outputs[-1].append(content))

    shell = SimpleNamespace(kernel=object())
    monkeypatch.setitem(sys.modules, "IPython", module_of("IPython", get_ipython=lambda: shell))
    monkeypatch.setitem(sys.modules, "IPython.display", module_of("IPython.display", display=display))
    return outputs


def test_a_notebook_has_one_bar_that_moves(shown, seconds, capsys):
    """Its value is the completed share of the work, its text the line of a terminal, and nothing else is written."""
    progress = Progress("choosing", 4, 1, "students", work=100, callback=lambda share: "about 60 s in all")
    for seconds.now, done, work in ((1.0, 1, 5), (10.0, 2, 20), (10.5, 3, 60), (40.0, 4, 100)):
        progress.update(done, work)
    captured = capsys.readouterr()
    assert captured.out + captured.err == ""
    (states,) = shown
    assert [state["text/plain"] for state in states] == [
        "choosing: 2 of 4 students, 40 s left; about 60 s in all",
        "choosing: 4 of 4 students, 40.0 s; about 60 s in all",
    ]
    pages = [state["text/html"] for state in states]
    assert [float(re.search(r'value="([^"]+)"', page).group(1)) for page in pages] == [0.2, 1.0]
    assert all(state["text/plain"] in state["text/html"] for state in states)


def test_bars_of_two_works_are_two(shown, seconds):
    """Labelling within a choice of samplers does not overwrite its bar."""
    works = [Progress(title, 10, 1) for title in ("choosing", "labelling")]
    seconds.now = 4.0
    for progress in works:
        progress.update(5)
    assert [states[0]["text/plain"].split(":")[0] for states in shown] == ["choosing", "labelling"]


def test_a_silent_notebook_shows_nothing(shown, seconds):
    """Without verbose, or within two seconds."""
    silent, quick = Progress("asking", 10, 0), Progress("asking", 10, 1)
    seconds.now = 1.0
    quick.update(10)
    seconds.now = 9.0
    silent.update(10)
    assert shown == []


@pytest.mark.parametrize("shell", [None, SimpleNamespace(kernel=None), SimpleNamespace()])
def test_a_terminal_is_no_notebook(shell, monkeypatch):
    """Not without IPython, and not in IPython's own terminal."""
    monkeypatch.setitem(sys.modules, "IPython", module_of("IPython", get_ipython=lambda: shell))
    assert not in_notebook()
    monkeypatch.setitem(sys.modules, "IPython", module_of("IPython"))
    assert not in_notebook()


def test_titles_are_texts():
    """The name of a teacher may be any text."""
    assert "<b>" not in bar_html(0.5, '<b>"A & B"</b> labels rows')
