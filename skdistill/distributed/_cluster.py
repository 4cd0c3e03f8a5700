"""A cluster as skdistill uses it: results in order, however many workers die, and errors that say what failed."""

import pickle
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, NoReturn
from uuid import uuid4

from ..exceptions import ClusterError, DatasetError, SkdistillError
from ._sent import Content, Loaded, Sent, load

AHEAD = 3
"""Number of tasks for each thread of the workers that are submitted before the first result is used."""

MAX_LOSSES = 3
"""Number of times that a task is submitted again because what it needs was lost with the workers that held it."""

POLL_SECONDS, PATIENCE_SECONDS = 5.0, 60.0
"""How often the workers are counted while a result is waited for, and how long there may be none."""


@dataclass(frozen=True)
class Task:
    """A function that a worker calls.

    Attributes
    ----------
    function : callable
        ``function(loaded, *arguments)``, or ``function(loaded, part, *arguments)``.
    arguments : tuple
    name : str
        What messages call it, such as "the Dask DataFrame: the partition partition 3".
    part : dask.delayed.Delayed or None, default=None
        A partition, whose value is passed.
    """

    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    name: str
    part: Any = None


@dataclass(frozen=True)
class Failure:
    """An error that is returned by a task, with the cause that pickles of errors lack."""

    error: SkdistillError
    cause: BaseException | None


class Cluster:
    """The workers of a scheduler of Dask.

    Parameters
    ----------
    client : distributed.Client

    Raises
    ------
    ClusterError
        If the client is closed, or no worker arrives.
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        self._places: dict[str, Any] = {}
        self._require_workers()

    @property
    def address(self) -> str:
        """Address of the scheduler."""
        scheduler = self._client.scheduler
        return str(getattr(scheduler, "address", None) or "an unknown address")

    def run(self, sent: Sent, tasks: Iterable[Task]) -> Iterator[Any]:
        """Yield the results of tasks in order; few of them are held at a time.

        Parameters
        ----------
        sent : Sent
            The object that the functions of all tasks are called with, which is sent to each worker once.
        tasks : iterable of Task

        Raises
        ------
        ClusterError
            If the scheduler is gone, a task has ended several workers, or a worker cannot load the object.
        SkdistillError
            That of a task.
        """
        waiting: deque[tuple[Task, Any]] = deque()
        n_ahead = AHEAD * max(self.n_threads(), 1)
        try:
            for task in tasks:
                waiting.append((task, self._submit(sent, task)))
                if len(waiting) >= n_ahead:
                    yield self._result(sent, *waiting.popleft())
            while waiting:
                yield self._result(sent, *waiting.popleft())
        finally:
            for _, future in waiting:
                future.release()

    def forget(self, sent: Sent) -> None:
        """Let the workers delete an object."""
        self._places.pop(sent.digest, None)

    def _submit(self, sent: Sent, task: Task) -> Any:
        import dask

        call = Call(sent.digest, sent.what, task.function, task.arguments, task.name)
        are_large = {"distributed.admin.large-graph-warning-threshold": "100GB"}  # blocks of rows and teachers
        with self._errors_of(task.name), dask.config.set(are_large):
            place = self._place(sent)
            key = _key(task.function.__name__)
            if task.part is None:
                return self._client.submit(call, place, pure=False, key=key)
            delayed = dask.delayed(call, pure=False, traverse=False)
            return self._client.compute(delayed(place, task.part, dask_key_name=key))

    def _place(self, sent: Sent) -> Any:
        """Return where the object is: the result of a task, which is computed again if all workers that had it end.

        Data that are scattered would be lost with them: Dask keeps one copy, even if there were more.
        """
        place = self._places.get(sent.digest)
        if place is None:
            content = Content(sent.content)
            place = self._places[sent.digest] = self._client.submit(content, pure=False, key=_key("content"))
        return place

    def _result(self, sent: Sent, task: Task, future: Any) -> Any:
        from concurrent.futures import CancelledError

        for _ in range(MAX_LOSSES):
            try:
                with self._errors_of(task.name):
                    result = self._wait(future, task.name)
            except CancelledError:  # the workers that held the object, or the scheduler, are gone
                self._require_workers(task.name)
                self.forget(sent)
                future = self._submit(sent, task)
                continue
            if isinstance(result, Failure):
                raise result.error from result.cause
            return result
        raise ClusterError(f"{task.name}: the workers were lost {MAX_LOSSES} times. Look at their logs, and run again.")

    def _wait(self, future: Any, name: str) -> Any:
        """Return the result of a future; raise an error if there has been no worker for long."""
        last_seen = monotonic()
        while True:
            try:
                return future.result(timeout=POLL_SECONDS)
            except Exception as error:
                if future.status == "error":
                    raise _error_of_task(name, error) from error
                if not isinstance(error, TimeoutError):
                    raise
            if self.n_threads():
                last_seen = monotonic()
            elif monotonic() - last_seen > PATIENCE_SECONDS:
                raise ClusterError(
                    f"{name}: the scheduler at {self.address} has had no workers for {PATIENCE_SECONDS:.0f} s. Start "
                    "workers, and run again."
                )

    def n_threads(self) -> int:
        """Return the number of threads of all workers."""
        return sum(self._client.nthreads().values())

    def _require_workers(self, name: str = "on_cluster") -> None:
        """Raise an error unless the scheduler answers and has a worker, soon at least."""
        if self._client.status != "running":
            self._raise_lost(name, f"its client is {self._client.status}")
        with self._errors_of(name):
            try:
                self._client.wait_for_workers(1, timeout=PATIENCE_SECONDS)
            except TimeoutError as error:
                raise ClusterError(
                    f"{name}: the scheduler at {self.address} has no workers; expected at least 1. Start one: "
                    f"dask worker {self.address}"
                ) from error

    @contextmanager
    def _errors_of(self, name: str) -> Iterator[None]:
        """Name what failed in errors of the connection."""
        from concurrent.futures import CancelledError

        try:
            yield
        except (SkdistillError, CancelledError):
            raise
        except Exception as error:
            self._raise_lost(name, f"{type(error).__name__}: {error}", error)

    def _raise_lost(self, name: str, how: str, cause: BaseException | None = None) -> NoReturn:
        raise ClusterError(
            f"{name}: the Dask scheduler at {self.address} does not answer ({how}). Start it again, connect a new "
            "Client, and run again: with memory=, what was labelled is found again."
        ) from cause


def _key(name: str) -> str:
    """Return the key of a task, whose beginning dashboards show."""
    return f"skdistill_{name}-{uuid4().hex}"


def _error_of_task(name: str, error: Exception) -> SkdistillError:
    """Return the error for a task that raised in code that is not ours, or ended its workers."""
    from distributed.scheduler import KilledWorker

    if isinstance(error, KilledWorker):
        return ClusterError(
            f"{name}: the workers that computed it have ended, {error.allowed_failures + 1} of them, the last at "
            f"{error.last_worker.address}. If they ran out of memory, use smaller partitions, or a smaller chunk_size; "
            "their logs tell more."
        )
    return DatasetError(f"{name} cannot be read: {type(error).__name__}: {error}")


@dataclass(frozen=True)
class Call:
    """A call on a worker, which returns errors."""

    digest: str
    what: str
    function: Callable[..., Any]
    arguments: tuple[Any, ...] = field(repr=False)  # Dask asks for the text of functions, and these may be large
    name: str

    def __call__(self, content: bytes, *part: Any) -> Any:
        try:
            return self.function(self._load(content), *part, *self.arguments)
        except SkdistillError as error:
            return Failure(error, _picklable(error.__cause__))

    def _load(self, content: bytes) -> Loaded:
        try:
            return load(content, self.digest, self.what)
        except ClusterError as error:
            raise ClusterError(f"{self.name}: {error}") from error.__cause__


def _picklable(cause: BaseException | None) -> BaseException | None:
    """Return a cause, or what it says if it cannot be pickled."""
    try:
        pickle.loads(pickle.dumps(cause))
    except Exception:
        return RuntimeError(f"{type(cause).__name__}: {cause}")
    return cause
