"""Descriptions of arguments and errors for messages; they never fail."""

import reprlib
from typing import Any

_BRIEF = reprlib.Repr()
_BRIEF.maxother = _BRIEF.maxstring = 80


def described(value: Any) -> str:
    """Return a short text for any object: its ``repr``, or its type if it has none.

    Examples
    --------
    >>> from skdistill._described import described
    >>> described([1, 2])
    '[1, 2]'
    """
    try:
        return _BRIEF.repr(value)
    except Exception:  # a repr may raise anything
        return f"an object of type {type(value).__name__}"


def text_of(error: BaseException) -> str:
    """Return the text of an error; its type if the text is empty or cannot be printed.

    Examples
    --------
    >>> from skdistill._described import text_of
    >>> text_of(ValueError("no answer")), text_of(TimeoutError())
    ('no answer', 'TimeoutError without a message')
    """
    try:
        return str(error) or f"{type(error).__name__} without a message"
    except Exception:  # the text of an error of others may raise anything
        return f"{type(error).__name__}, whose message cannot be printed"


def is_printable(error: BaseException) -> bool:
    """Whether an error has a text, if only an empty one."""
    try:
        str(error)
    except Exception:  # see text_of
        return False
    return True


def with_article(value: Any) -> str:
    """Return the type of an object with its article, as in "an ndarray" and "a OneClassSVM"."""
    name = type(value).__name__
    is_vowel = name[:1].lower() in "aeiou" and not name.lower().startswith(("one", "uni", "eu"))
    return f"{'an' if is_vowel else 'a'} {name}"
