"""The line that says how far long work is."""

import io
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from time import sleep
from types import SimpleNamespace

import pytest
from bars import be_in_a_terminal, module_of, stand_in_for_tqdm

from skdistill import _progress
from skdistill._bars import RichBar
from skdistill._notebook import bar_html, in_notebook
from skdistill._progress import Progress, about, begin_whole, whole_closed, write


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


class _Gone(io.StringIO):
    def write(self, text):
        raise OSError(5, "Input/output error")


@pytest.mark.parametrize("gone", [None, "closed", _Gone()])
def test_work_goes_on_if_nobody_can_be_told(monkeypatch, seconds, gone):
    """Standard error is missing without a console, closed in some services, or a terminal that is gone."""
    if gone == "closed":
        gone = io.StringIO()
        gone.close()
    monkeypatch.setattr(sys, "stderr", gone)
    with whole_closed(), Progress("asking", total=20, verbose=1) as progress:
        whole = begin_whole("fit", lambda: (0.5, 3.0))
        for done in (10, 20):
            seconds.now += 10
            progress.update(done)
        write("a line", 1)
        whole.end()


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


@pytest.fixture
def shown(monkeypatch):
    """Be a kernel of a notebook; return the outputs of the cell, each with all its states."""
    outputs = []

    def display(content, *, raw=False, display_id):
        assert raw is isinstance(content, dict)
        assert display_id
        outputs.append([content])
        return SimpleNamespace(update=lambda content, raw=False: outputs[-1].append(content))

    shell = SimpleNamespace(kernel=object())
    monkeypatch.setitem(sys.modules, "IPython", module_of("IPython", get_ipython=lambda: shell))
    monkeypatch.setitem(sys.modules, "IPython.display", module_of("IPython.display", display=display))
    monkeypatch.setitem(sys.modules, "ipywidgets", None)  # without it, tqdm draws no widget
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


# ---------------------------------------------------------------------- ends


def test_work_that_ends_early_says_so(capsys, seconds):
    """A network stops as soon as it no longer improves: its last line has the number of epochs and the time."""
    with Progress("training", 20, 1, "epochs") as progress:
        for seconds.now, epoch in ((3.0, 5), (3.2, 6)):
            progress.update(epoch)
    assert capsys.readouterr().err.splitlines() == [
        "[skdistill] training: 5 of 20 epochs, 9 s left",
        "[skdistill] training: ended after 6 of 20 epochs, 3.2 s",
    ]


def test_work_that_is_done_ends_once(capsys, seconds):
    """Closing says nothing more."""
    with Progress("asking", 2, 1) as progress:
        seconds.now = 3.0
        progress.update(2)
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_an_unknown_number_of_items_is_not_made_up(capsys, seconds):
    """A stream of rows has a number of rows so far, and the time that they took, but no end."""
    with Progress("score rows", None, 1) as progress:
        for seconds.now, rows in ((3.0, 1_000), (6.0, 5_000)):
            progress.update(rows)
    assert capsys.readouterr().err.splitlines() == [
        "[skdistill] score rows: 1,000 rows, 3.0 s",
        "[skdistill] score rows: 5,000 rows, 6.0 s",
        "[skdistill] score rows: 5,000 rows, 6.0 s",
    ]


@pytest.mark.parametrize(("number", "text"), [(0.4, "0 s"), (119, "119 s"), (150, "2 min"), (7500, "2 h 5 min")])
def test_long_times_are_in_minutes_and_hours(number, text):
    """Nobody divides 7,500 seconds by sixty."""
    assert about(number) == f"about {text}"


# ---------------------------------------------------------------------- bars of other packages


@pytest.fixture
def terminal(monkeypatch):
    """Be in a terminal, without any package that draws bars."""
    return be_in_a_terminal(monkeypatch)


def test_without_other_packages_a_terminal_has_lines(terminal, seconds):
    """Nothing else is needed."""
    progress = Progress("asking", 4, 1)
    seconds.now = 4.0
    progress.update(1)
    assert terminal.getvalue() == "[skdistill] asking: 1 of 4 rows, 12 s left\n"


def test_tqdm_draws_the_bar_of_a_terminal(terminal, seconds, monkeypatch):
    """One bar, with the line as its text, that is full and closed at the end; lines are written above it."""
    tqdm = stand_in_for_tqdm(monkeypatch)
    with Progress("training", 20, 1, "epochs") as progress:
        for seconds.now, epoch in ((3.0, 5), (6.0, 10)):
            progress.update(epoch)
        write("a line", 1)
    (bar,) = tqdm.bars
    assert bar.states == [
        (0.25, "training: 5 of 20 epochs, 9 s left"),
        (0.5, "training: 10 of 20 epochs, 6 s left"),
        (1.0, "training: ended after 10 of 20 epochs, 6.0 s"),
    ]
    assert bar.is_closed
    assert tqdm.lines == ["[skdistill] a line"]


def test_a_bar_stays_where_the_work_stopped(terminal, seconds, monkeypatch):
    """An error, or an interruption, closes the bar and does not fill it."""
    tqdm = stand_in_for_tqdm(monkeypatch)

    def ask():
        with Progress("asking", 4, 1) as progress:
            seconds.now = 3.0
            progress.update(1)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ask()
    (bar,) = tqdm.bars
    assert bar.states[-1][0] == 0.25
    assert bar.is_closed


def test_works_in_threads_draw_one_after_the_other(monkeypatch, seconds):
    """Bars are opened, moved and closed by one thread at a time: those of a terminal share its display."""
    drawing, at_once = [], []

    class SlowBar:
        def __init__(self, *args):
            self.show(*args)

        def show(self, *args):
            drawing.append(args)
            sleep(0.002)
            at_once.append(len(drawing))
            drawing.pop()

        close = show

    monkeypatch.setattr(_progress, "open_bar", SlowBar)

    def work(progress):
        with progress:
            progress.update(20)
            progress.update(40)

    works = [Progress(f"work {place}", 100, 1, every=0.0) for place in range(4)]
    seconds.now = 5.0
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, works))
    assert len(at_once) == 4 * 4  # opened, moved, at its end, and closed
    assert max(at_once) == 1


def test_a_file_of_lines_has_no_bars(seconds, monkeypatch, capsys):
    """Where standard error is no terminal, bars would fill it with their states."""
    tqdm = stand_in_for_tqdm(monkeypatch)
    progress = Progress("asking", 4, 1)
    seconds.now = 4.0
    progress.update(1)
    assert tqdm.bars == []
    assert capsys.readouterr().err == "[skdistill] asking: 1 of 4 rows, 12 s left\n"


def test_a_notebook_with_widgets_has_bars_of_tqdm(shown, seconds, monkeypatch):
    """Without ipywidgets, tqdm would warn and write characters: the bar is then that of IPython.

    The widget is shown once more when it is closed, so that a saved notebook has its last state.
    """
    tqdm = stand_in_for_tqdm(monkeypatch)
    monkeypatch.setitem(sys.modules, "ipywidgets", module_of("ipywidgets"))
    with Progress("asking", 4, 1) as progress:
        for seconds.now, done in ((4.0, 1), (8.0, 4)):
            progress.update(done)
    (bar,) = tqdm.bars
    assert bar.states == [(0.25, "asking: 1 of 4 rows, 12 s left"), (1.0, "asking: 4 of 4 rows, 8.0 s")]
    assert bar.is_closed
    assert shown == [[bar, bar]]


def test_a_notebook_without_widgets_has_no_bars_of_tqdm(shown, seconds, monkeypatch):
    """The bar of IPython is drawn instead."""
    tqdm = stand_in_for_tqdm(monkeypatch)
    progress = Progress("asking", 4, 1)
    seconds.now = 4.0
    progress.update(1)
    assert tqdm.bars == []
    assert len(shown) == 1


def real(monkeypatch, *names):
    """Return the last of some modules, installed and imported anew, or skip the test."""
    for name in names:
        monkeypatch.delitem(sys.modules, name, raising=False)
    return [pytest.importorskip(name) for name in names][-1]


@pytest.mark.parametrize("names", [("tqdm", "tqdm.auto"), ("rich", "rich.progress")])
def test_real_packages_draw_bars(terminal, seconds, monkeypatch, names):
    """Two bars at a time, of tqdm or of rich, with their texts, and with a line above them."""
    real(monkeypatch, *names)
    with Progress("outer", 2, 1) as outer, Progress("inner [b]", 4, 1) as inner:
        seconds.now = 3.0
        inner.update(1)
        outer.update(1)
        write("a line", 1)
        seconds.now = 6.0
        inner.update(4)
        outer.update(2)
    written = terminal.getvalue()
    for text in (" 25%", "inner [b]: 1 of 4 rows", " 50%", "outer: 1 of 2 rows", "[skdistill] a line", "100%"):
        assert text in written
    assert RichBar._display is None


# ---------------------------------------------------------------------- one bar for all parts


class Known:
    """Estimates that the test sets."""

    share, left = 0.0, None

    def __call__(self):
        return self.share, self.left


def test_parts_share_one_bar(terminal, seconds, monkeypatch):
    """Its share and time left are those of the whole, its text is that of the part, and it never goes back."""
    tqdm, known = stand_in_for_tqdm(monkeypatch), Known()
    with whole_closed():
        whole = begin_whole("Fit", known)
        for seconds.now, known.share, known.left, done in (
            (3.0, 0.3, 7.0, 1),
            (5.0, 0.25, 15.0, 2),
            (8.0, 0.8, 2.0, 4),
        ):
            with Progress("asking", 4, 1) as progress:
                progress.update(done)
            write("a line", 1)
        whole.end()
    (bar,) = tqdm.bars
    shares, texts = zip(*bar.states, strict=True)
    assert list(shares) == sorted(shares)
    assert (shares[0], shares[-1]) == (0.3, 1.0)
    assert texts[0] == "about 7 s left: asking: 1 of 4 rows"
    assert "about 15 s left: a line" in texts
    assert texts[-1] == "Fit fitted in 8.0 s"
    assert bar.is_closed


def test_the_bar_of_a_whole_that_fails_is_closed(terminal, seconds, monkeypatch):
    """And the next work has its own."""
    tqdm, known = stand_in_for_tqdm(monkeypatch), Known()

    def fit():
        whole = begin_whole("Fit", known)
        seconds.now, known.share, known.left = seconds.now + 3.0, 0.5, 3.0
        whole.show("asking")
        raise RuntimeError

    for _ in range(2):
        with pytest.raises(RuntimeError):
            whole_closed()(fit)()
    assert [(bar.states, bar.is_closed) for bar in tqdm.bars] == [([(0.5, "about 3 s left: asking")], True)] * 2


def test_lines_of_parts_end_with_the_time_of_the_whole(capsys, seconds):
    """Where there is no bar; nothing is said as long as nothing is known."""
    known = Known()
    with whole_closed():
        begin_whole("Fit", known)
        progress = Progress("asking", 4, 1)
        seconds.now = 4.0
        progress.update(1)
        seconds.now, known.share, known.left = 6.0, 0.2, 24.0
        progress.update(2)
    assert capsys.readouterr().err.splitlines() == [
        "[skdistill] asking: 1 of 4 rows, 12 s left",
        "[skdistill] asking: 2 of 4 rows, 6 s left; Fit: 20 %, about 24 s left",
    ]
