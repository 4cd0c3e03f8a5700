"""Suggestions for misspelt names in messages of errors."""

import difflib
from collections.abc import Iterable
from typing import Any


def did_you_mean(given: Any, names: Iterable[str]) -> str:
    """Return a question that suggests the name most similar to a misspelt one; empty if none is similar.

    Upper and lower case, spaces, hyphens and underscores are not compared.

    Parameters
    ----------
    given : object
        What was passed; only texts are compared.
    names : iterable of str
        The names that are allowed.

    Returns
    -------
    question : str
        With a leading space, so that it can be appended to a sentence.

    Examples
    --------
    >>> from skdistill._suggesting import did_you_mean
    >>> did_you_mean("Boostin", ["boosting", "tree"])
    " Did you mean 'boosting'?"
    >>> did_you_mean("forest", ["boosting", "tree"])
    ''
    """
    found = closest(given, names)
    return "" if found is None else f" Did you mean {found!r}?"


def closest(given: Any, names: Iterable[str]) -> str | None:
    """Return the name most similar to a misspelt one; ``None`` if none is similar."""
    if not isinstance(given, str):
        return None
    by_plain = {_plain(name): name for name in names}
    found = difflib.get_close_matches(_plain(given), by_plain, n=1)
    return by_plain[found[0]] if found else None


def _plain(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())
