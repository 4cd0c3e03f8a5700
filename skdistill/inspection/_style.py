"""How displays look: colours that are told apart by all eyes, on white and on black."""

from types import ModuleType
from typing import Any

BLUE, VERMILLION, GREEN, PURPLE, OCHRE, SKY, GREY = (
    "#1F83C4",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#A87900",
    "#3FA7D6",
    "#808080",
)
"""After Okabe and Ito, moved towards the middle: each is seen on white and on black."""

COLORS = (BLUE, VERMILLION, GREEN, PURPLE, OCHRE, SKY, GREY)
MARKERS = ("o", "s", "^", "D", "v", "P", "X")


def pyplot(who: str) -> ModuleType:
    """Return ``matplotlib.pyplot``.

    Raises
    ------
    ImportError
        If matplotlib is not installed; says how to install it.
    """
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            f'{who} draws with matplotlib, which is not installed: pip install "matplotlib>=3.8".'
        ) from error
    return plt


def check_drawable(who: str) -> None:
    """Raise unless matplotlib is there, before anything is asked or fitted for a picture."""
    pyplot(who)


def axes(who: str, ax: Any, **figure_kwargs: Any) -> Any:
    """Return ``ax``, or the axes of a new figure."""
    return pyplot(who).subplots(layout="constrained", **figure_kwargs)[1] if ax is None else ax


def ink() -> str:
    """Return the colour of text of the current style: black on white, white on black."""
    import matplotlib as mpl

    return str(mpl.rcParams["text.color"])
