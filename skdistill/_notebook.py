"""A progress bar in a notebook, drawn with what every notebook has: IPython's display."""

import sys
from html import escape
from importlib import import_module


def in_notebook() -> bool:
    """Whether this process is the kernel of a notebook, whose cells show HTML.

    IPython is not imported for it: in a kernel, it has been imported.
    """
    get_shell = getattr(sys.modules.get("IPython"), "get_ipython", None)
    return get_shell is not None and getattr(get_shell(), "kernel", None) is not None


class NotebookBar:
    """A bar above which a line of text stands; both are updated in place.

    It is an output of the cell, so that a saved notebook keeps its last state.
    """

    def __init__(self, share: float, line: str) -> None:
        display = import_module("IPython.display").display  # optional, and not typed
        self._handle = display(_content(share, line), raw=True, display_id=True)

    def show(self, share: float, line: str) -> None:
        """Show the completed share of the work, from 0 to 1, and a line of text."""
        self._handle.update(_content(share, line), raw=True)

    def close(self) -> None:
        """Leave the bar as it is."""


def _content(share: float, line: str) -> dict[str, str]:
    return {"text/plain": line, "text/html": bar_html(share, line)}


def bar_html(share: float, line: str) -> str:
    """Return the bar and the line as HTML; the text has the colour of the page, light or dark."""
    text = escape(line)
    return (
        f'<div class="skdistill-progress"><div>{text}</div><progress max="1" value="{share:.4f}" '
        f'aria-label="{text}" style="width: 100%; max-width: 40em; accent-color: #1F83C4"></progress></div>'
    )
