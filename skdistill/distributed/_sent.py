"""Objects that are sent to each worker once, and loaded once in each process."""

import hashlib
import pickle
from collections import OrderedDict
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from ..exceptions import ClusterError

MAX_LOADED = 4
"""Number of objects that a process keeps loaded: teachers may be large."""


@dataclass(frozen=True)
class Sent:
    """A pickled object with its digest.

    Attributes
    ----------
    content : bytes
    digest : str
    what : str
        What messages call it.
    """

    content: bytes
    digest: str
    what: str

    @classmethod
    def of(cls, obj: Any, what: str) -> "Sent":
        """Pickle an object; functions of a notebook are pickled by value.

        Raises
        ------
        ClusterError
            If it cannot be pickled.
        """
        import cloudpickle

        try:
            content = cloudpickle.dumps(obj)
        except Exception as error:  # any object fails in its own way
            raise ClusterError(
                f"{what} cannot be sent to the workers: it cannot be pickled ({type(error).__name__}: {error}). "
                "Open files, connections and sessions inside the function, when it is called, instead of outside."
            ) from error
        return cls(content, hashlib.sha256(content).hexdigest()[:32], what)


@dataclass(frozen=True)
class Content:
    """A task that returns the content of a pickled object, which other workers get from the one that ran it."""

    content: bytes = field(repr=False)  # Dask asks for the text of functions

    def __call__(self) -> bytes:
        """Return the content."""
        return self.content


@dataclass
class Loaded:
    """An object in the process of a worker.

    Attributes
    ----------
    value : object
    lock : Lock
        To be held by threads that call an object of which nobody knows whether several threads may call it.
    state : dict
        What goes with it, such as the stores of its outputs.
    """

    value: Any
    lock: Any = field(default_factory=Lock)
    state: dict[Any, Any] = field(default_factory=dict)


_loaded: OrderedDict[str, Loaded] = OrderedDict()
_loading = Lock()


def load(content: bytes, digest: str, what: str) -> Loaded:
    """Return an object, which is unpickled once in each process.

    Raises
    ------
    ClusterError
        If this worker cannot unpickle it, for example because it lacks a library.
    """
    with _loading:
        if digest not in _loaded:
            _loaded[digest] = Loaded(_unpickled(content, what))
            while len(_loaded) > MAX_LOADED:
                _loaded.popitem(last=False)
        _loaded.move_to_end(digest)
        return _loaded[digest]


def _unpickled(content: bytes, what: str) -> Any:
    try:
        return pickle.loads(content)  # the caller's own object
    except Exception as error:
        raise ClusterError(
            f"the worker {worker_name()} cannot load {what}: {type(error).__name__}: {error}. Install the same "
            "packages and versions on all workers as here."
        ) from error


def worker_name() -> str:
    """Return the address of the worker that this code runs on."""
    from distributed import get_worker

    try:
        return str(get_worker().address)
    except ValueError:  # a scheduler of Dask without workers
        return "in this process"
