"""Progress bars that are updated in place: of tqdm or rich if they are installed, or, in a notebook, of IPython.

Bars are drawn where standard error is a terminal and in the kernel of a notebook. tqdm comes first, as it is installed
most often, then rich; neither is a dependency. In a notebook, tqdm needs ipywidgets, and rich is not used.
"""

import sys
from contextlib import suppress
from importlib import import_module
from typing import Any, Protocol

from ._notebook import NotebookBar, in_notebook

BAR_WIDTH = 20
"""Width of a bar in a terminal, in characters; the text beside it is cut at the end of the line."""


class Bar(Protocol):
    """A bar with a line of text."""

    def show(self, share: float, line: str) -> None:
        """Show the completed share of the work, from 0 to 1, and a line of text."""

    def close(self) -> None:
        """Leave the bar as it is; what is written next is written below it."""


class TqdmBar:
    """A bar of tqdm in a terminal."""

    def __init__(self, tqdm: Any, share: float, line: str, bar: str = f"{{bar:{BAR_WIDTH}}}", **options: Any) -> None:
        layout = f"{{percentage:3.0f}}%|{bar}| {{desc}}"
        options = {"bar_format": layout, "dynamic_ncols": True, "file": sys.stderr} | options
        self._bar = tqdm(total=1.0, initial=share, desc=line, **options)

    def show(self, share: float, line: str) -> None:
        """Show the completed share of the work, and a line of text."""
        self._bar.n = share
        self._bar.set_description_str(line)

    def close(self) -> None:
        """End the line of the bar."""
        self._bar.close()


class TqdmWidget(TqdmBar):
    """A bar of tqdm in a notebook, coloured at the end by whether the work is done."""

    def __init__(self, tqdm: Any, share: float, line: str) -> None:
        super().__init__(tqdm, share, line, "{bar}", display=False)
        self._handle = import_module("IPython.display").display(self._bar.container, display_id=True)

    def close(self) -> None:
        """Colour the bar, and keep its last state in a saved notebook, where tqdm keeps the first."""
        super().close()
        self._handle.update(self._bar.container)


class RichBar:
    """A bar of rich; all bars at a time share one display, as rich draws one at a time."""

    _display: Any = None
    _n_open = 0

    def __init__(self, rich: Any, share: float, line: str) -> None:
        cls = type(self)
        if cls._display is None:
            columns = rich.BarColumn(BAR_WIDTH), rich.TextColumn("{task.description}", markup=False)
            cls._display = rich.Progress(
                rich.TextColumn("{task.percentage:>3.0f}%"), *columns, console=_console(), auto_refresh=False
            )
            cls._display.start()
        cls._n_open += 1
        self._task = cls._display.add_task(line, total=1.0, completed=share)
        cls._display.refresh()

    def show(self, share: float, line: str) -> None:
        """Show the completed share of the work, and a line of text."""
        self._display.update(self._task, completed=share, description=line, refresh=True)

    def close(self) -> None:
        """Stop the display with its last bar."""
        cls = type(self)
        cls._n_open -= 1
        if cls._n_open == 0:
            cls._display.stop()
            cls._display = None


def open_bar(share: float, line: str) -> Bar | None:
    """Return a new bar that shows a share and a line of text; ``None`` where only lines of text can be written."""
    if in_notebook():
        tqdm = _module("tqdm.auto") if _module("ipywidgets") else None
        return NotebookBar(share, line) if tqdm is None else TqdmWidget(tqdm.tqdm, share, line)
    if not _is_terminal():
        return None
    if (tqdm := _module("tqdm.auto")) is not None:
        return TqdmBar(tqdm.tqdm, share, line)
    if (rich := _module("rich.progress")) is not None:
        return RichBar(rich, share, line)
    return None


def write_line(line: str) -> None:
    """Write a line to standard error, above the bars that are drawn there.

    No work ends because nobody can be told about it: standard error may be missing, closed, or a terminal that is gone.
    """
    tqdm = getattr(sys.modules.get("tqdm"), "tqdm", None)
    with suppress(OSError, ValueError):
        if tqdm is not None and _is_terminal() and not in_notebook():
            tqdm.write(line, file=sys.stderr)
        elif sys.stderr is not None:  # rich puts what is written above its bars by itself
            sys.stderr.write(f"{line}\n")


def _is_terminal() -> bool:
    is_terminal = getattr(sys.stderr, "isatty", None)  # standard error may be replaced by any object that writes
    return is_terminal is not None and not getattr(sys.stderr, "closed", False) and is_terminal()


def _module(name: str) -> Any:
    """Return an optional module, ``None`` if it is not installed."""
    with suppress(ImportError):
        return import_module(name)
    return None


def _console() -> Any:
    return import_module("rich.console").Console(file=sys.stderr)
