"""The style of the displays: colours for colour-blind readers, on light and dark backgrounds."""

from types import ModuleType
from typing import Any

BLUE, VERMILLION, GREEN, PURPLE, OCHRE, SKY, GREY, INDIGO = (
    "#1F83C4",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#A87900",
    "#3FA7D6",
    "#808080",
    "#7A66D9",
)
"""The Okabe-Ito palette with medium lightness, visible on white and on black, and an eighth colour."""

COLORS = (BLUE, VERMILLION, GREEN, PURPLE, OCHRE, SKY, GREY, INDIGO)
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")


def pyplot(who: str) -> ModuleType:
    """Return ``matplotlib.pyplot``.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    """
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(f'{who} needs matplotlib, which is not installed: pip install "matplotlib>=3.8".') from error
    return plt


def check_drawable(who: str) -> None:
    """Raise an error if matplotlib is not installed, before anything is queried or fitted for a figure."""
    pyplot(who)


def axes(who: str, ax: Any, **figure_kwargs: Any) -> Any:
    """Return ``ax``, or the axes of a new figure."""
    return pyplot(who).subplots(layout="constrained", **figure_kwargs)[1] if ax is None else ax


def ink() -> str:
    """Return the text colour of the current style."""
    import matplotlib as mpl

    return str(mpl.rcParams["text.color"])
