"""Freed memory is used again instead of being returned to the operating system after each block of rows."""

from functools import cache

import numpy as np

LARGEST_ADAPTED = 2**25 - 2**16
"""The C library of Linux adapts to freed arrays of less than 32 MiB."""


@cache
def keep_freed_memory() -> None:
    """Let the C library keep the memory of working arrays, so that each block of rows does not claim it anew.

    The C library of Linux returns freed memory as soon as there is twice as much of it as in the largest array that was
    freed so far. Blocks of rows free a few megabytes each; claiming these again takes as long as the computation with
    them. One large array, which is never written to and therefore takes no memory, ends this for the whole process, as
    any large array of the caller does. Elsewhere, this has no effect.
    """
    np.empty(LARGEST_ADAPTED, dtype=np.uint8)
