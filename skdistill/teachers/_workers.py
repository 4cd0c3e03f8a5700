"""What labels the blocks of a table: this thread, several threads, or several processes, as the teacher allows."""

from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from contextvars import copy_context
from dataclasses import dataclass, field
from functools import partial
from time import perf_counter, process_time, sleep
from typing import Any, Literal, Protocol

import numpy as np

from .._processes import NotPicklableError, Shipped, count_jobs, named_backend
from .._tables import take_rows
from .._threads import in_few_threads
from ..convert import FORESTS
from ._adapter import Teacher
from ._asking import ask
from ._by_row import is_by_row
from ._elsewhere import labelled_elsewhere, name_of_elsewhere
from ._remote import remote_teachers
from ._steady import SteadyTeacher

MIN_BLOCKS = 4
"""Fewer blocks are labelled one after the other: a trial takes three of them."""

OWN_THREADS = 1.3
"""Processor time for a second of time from which a teacher counts as one that uses several cores itself."""

REST_SECONDS, MAX_REST_SECONDS, REST_CORES = 0.02, 0.5, 0.1
"""Before a trial, other threads of the process are watched for so long at a time, until they use hardly any core; who
reads rows ahead soon rests."""

MIN_THREAD_SECONDS, MIN_PROCESS_SECONDS = 0.3, 4.0
"""Expected time for the other blocks from which threads and processes are tried; processes take seconds to start."""

MAX_BLOCK_SECONDS = 2.0
"""Blocks that take longer are not labelled here while processes start: the processes would wait for the end of one."""

MIN_GAIN = 1.4
"""How many times faster two threads must be than one; they are not if a teacher holds the interpreter's lock."""

N_COMPARED_ROWS = 8
"""Number of rows for which a function must return the same outputs in another process."""


class BlockLabeller(Protocol):
    """Labels blocks of a table."""

    teacher: Teacher

    def label(self, rows: Any) -> np.ndarray:
        """Label a block."""
        ...

    def task(self, rows: Any) -> tuple[Any, str]:
        """Return the rows of a block and what errors call them."""
        ...

    def undisturbed(self, blocks: Sequence[Any]) -> AbstractContextManager[None]:
        """Return a context in which these blocks can be timed."""
        ...


@dataclass(frozen=True)
class Way:
    """What labels the blocks of a teacher.

    Attributes
    ----------
    kind : {"here", "threads", "processes"}
    n_jobs : int or None
        ``None`` is what the context of joblib says.
    text : str
        As stated in ``transfer_set_``.
    backend : str or None
        Of the processes; ``None`` is that of the context of joblib.
    shipped : Shipped or None
        The teacher, for processes.
    """

    kind: Literal["here", "threads", "processes"]
    n_jobs: int | None = 1
    text: str = "1 thread"
    backend: str | None = None
    shipped: Shipped | None = None


HERE = Way("here")


@dataclass
class Workers:
    """Finds for each teacher what labels its blocks, and labels them.

    Models that are known to depend on the row alone may be called by several threads. If two threads are not faster
    than one, and enough is left to label, they are sent to other processes. Of functions and models of unknown
    libraries nobody knows whether several threads may call them: they are sent to processes, if they can be pickled
    and return the same outputs there. Nothing is tried with teachers that use several cores themselves, whose outputs
    are random, or whose outputs for a row depend on the other rows.

    A backend that a context of joblib names is used without trying.

    Parameters
    ----------
    n_jobs : int or None, default=None
    has_budget : bool, default=False
        Whether queries are limited: no rows are then labelled twice to compare their outputs, unless :meth:`expect`
        was told of queries to spare.

    Attributes
    ----------
    n_compared : int
        Number of rows that were labelled again to compare their outputs.
    """

    n_jobs: int | None = None
    has_budget: bool = False
    n_compared: int = field(default=0, init=False)
    _n_expected: int = field(default=0, init=False)
    _n_spare: int = field(default=0, init=False)
    _ways: dict[int, tuple[Teacher, Way]] = field(default_factory=dict, init=False)

    def __getstate__(self) -> dict[str, Any]:
        return vars(self) | {"_ways": {}}  # ids are those of this process

    def describe(self) -> str:
        """Return what labels the blocks, as text."""
        return " and ".join(dict.fromkeys(way.text for _, way in self._ways.values())) or HERE.text

    def expect(self, n_rows: int, n_spare: int) -> None:
        """Expect tables of so many rows together, for which more is worth trying than for those before.

        ``n_spare`` is the number of queries of the budget that these rows leave over.
        """
        self._n_expected, self._n_spare = n_rows, n_spare
        self._ways = {key: known for key, known in self._ways.items() if known[1] is not HERE}

    def label(self, labeller: BlockLabeller, blocks: Sequence[Any]) -> Iterator[np.ndarray]:
        """Yield the outputs of blocks of rows in order."""
        teacher = labeller.teacher
        if (elsewhere := labelled_elsewhere(labeller, blocks)) is not None:
            self._keep(teacher, Way("here", text=name_of_elsewhere()))
            yield from elsewhere
            return
        known = self._ways.get(id(teacher))
        way = self._without_trying(teacher) if known is None else known[1]
        if way is not None:
            self._keep(teacher, way)
            yield from _label(way, labeller, blocks)
        elif len(blocks) < MIN_BLOCKS:
            yield from map(labeller.label, blocks)
        else:
            yield from self._trying(labeller, blocks)

    def _keep(self, teacher: Teacher, way: Way) -> None:
        self._ways[id(teacher)] = teacher, way

    def _without_trying(self, teacher: Teacher) -> Way | None:
        """Return the only way, or the one that the user has named; ``None`` if several have to be tried."""
        n_jobs = count_jobs(self.n_jobs)
        if n_jobs == 1 or not _is_steady(teacher):
            return HERE
        if (named := named_backend()) == "threading":
            return _threads(n_jobs)
        if named is not None:
            try:
                shipped = Shipped(partial(label_block, teacher))
            except NotPicklableError as error:
                return Way("here", text=f"1 thread: the teacher cannot be pickled ({error})")
            return Way("processes", self.n_jobs, f"{n_jobs} workers ({named})", None, shipped)
        return _threads(n_jobs) if _is_forest_of_one_thread(teacher) else None

    def _trying(self, labeller: BlockLabeller, blocks: Sequence[Any]) -> Iterator[np.ndarray]:
        """Label the first blocks in several ways, and the others in the best."""
        teacher, n_done = labeller.teacher, 1
        first, seconds, uses_several_cores = _timed(labeller, blocks[0])
        yield first
        left = seconds * max(len(blocks) - 1, self._n_expected / len(first))
        way, is_known = HERE, is_by_row(teacher.model)
        if uses_several_cores:
            way = Way("here", text="1 thread: the teacher uses several cores itself")
            left = 0.0
        elif is_known and left > MIN_THREAD_SECONDS:
            of_two, seconds_of_two = _timed_in_threads(labeller, blocks[1:3])
            yield from of_two
            way, n_done = self._in_threads() if 2 * seconds > MIN_GAIN * seconds_of_two else HERE, 3
        may_compare = not self.has_budget or self._n_spare >= N_COMPARED_ROWS
        if way is HERE and left > MIN_PROCESS_SECONDS and (is_known or may_compare):
            meanwhile = blocks[n_done:] if seconds < MAX_BLOCK_SECONDS else []
            way, n_more = yield from self._starting(labeller, blocks[0], None if is_known else first, meanwhile)
            n_done += n_more
        if left > MIN_THREAD_SECONDS or way is not HERE:
            self._keep(teacher, way)
        yield from _label(way, labeller, blocks[n_done:])

    def _starting(
        self, labeller: BlockLabeller, block: Any, expected: np.ndarray | None, others: Sequence[Any]
    ) -> Generator[np.ndarray, None, tuple[Way, int]]:
        """Start processes, and label some of the other blocks here until they run, which takes seconds.

        Returns the processes, or why there are none, and how many blocks were labelled.
        """
        try:  # before the teacher is called again, which may change it
            shipped = Shipped(partial(label_block, labeller.teacher))
        except NotPicklableError:
            return Way("here", text="1 thread: the teacher cannot be pickled"), 0
        rows, where = labeller.task(block)
        compared = None if expected is None else ((take_rows(rows, slice(0, N_COMPARED_ROWS)), where), expected)
        n_jobs, n_labelled = count_jobs(self.n_jobs), 0  # contexts of joblib are those of a thread
        with ThreadPoolExecutor(1) as pool:
            found = pool.submit(copy_context().run, self._in_processes, shipped, n_jobs, compared)
            while n_labelled < len(others) and not found.done():
                yield labeller.label(others[n_labelled])
                n_labelled += 1
            return found.result(), n_labelled

    def _in_threads(self) -> Way:
        return _threads(count_jobs(self.n_jobs))

    def _in_processes(self, shipped: Shipped, n_jobs: int, compared: tuple[tuple[Any, str], np.ndarray] | None) -> Way:
        """Return processes that have loaded the teacher, if it returns the outputs there that are expected.

        ``compared`` is a task for the processes with the outputs that were returned here, for these rows and others.
        """
        try:
            shipped.start(n_jobs, "loky")
            if compared is not None:
                task, expected = compared
                self.n_compared += task[0].shape[0]
                self._n_spare -= task[0].shape[0]
                [outputs] = shipped.map([task], n_jobs, "loky")
                if not np.array_equal(outputs, expected[: len(outputs)]):
                    return Way("here", text="1 thread: other processes return other outputs")
        except Exception as error:  # for example, a module that workers cannot import
            return Way("here", text=f"1 thread: the teacher fails in other processes ({type(error).__name__})")
        return Way("processes", n_jobs, f"{n_jobs} processes", "loky", shipped)


def _timed(labeller: BlockLabeller, block: Any) -> tuple[np.ndarray, float, bool]:
    """Label a block; return the outputs, the seconds, and whether the teacher uses several cores itself."""
    with labeller.undisturbed([block]):
        of_others = _cores_of_others()
        started = perf_counter(), process_time()
        outputs = labeller.label(block)
        seconds, of_processor = perf_counter() - started[0], process_time() - started[1]
    return outputs, seconds, of_processor > (OWN_THREADS + of_others) * seconds


def _timed_in_threads(labeller: BlockLabeller, blocks: Sequence[Any]) -> tuple[list[np.ndarray], float]:
    """Label two blocks in two threads, and return the outputs and the seconds."""
    with labeller.undisturbed(blocks):
        _cores_of_others()
        started = perf_counter()
        outputs = list(in_few_threads(labeller.label, blocks, 2))
        return outputs, perf_counter() - started


def _cores_of_others() -> float:
    """Wait for a while until other threads of this process rest, and return how many cores they use then."""
    ended = perf_counter() + MAX_REST_SECONDS
    while True:
        started = perf_counter(), process_time()
        sleep(REST_SECONDS)
        n_cores = (process_time() - started[1]) / (perf_counter() - started[0])
        if n_cores < REST_CORES or perf_counter() > ended:
            return n_cores


def label_block(teacher: Teacher, task: tuple[Any, str]) -> np.ndarray:
    """Return the outputs for the rows of a block; errors name them."""
    return ask(teacher, *task)


def _label(way: Way, labeller: BlockLabeller, blocks: Sequence[Any]) -> Iterator[np.ndarray]:
    if way.kind == "threads":
        yield from in_few_threads(labeller.label, blocks, way.n_jobs)
    elif way.shipped is not None and len(blocks) > 1:
        yield from way.shipped.map(_Tasks(labeller.task, blocks), way.n_jobs, way.backend)
    else:
        yield from map(labeller.label, blocks)


class _Tasks(Sequence[Any]):
    """The tasks of blocks, whose rows are only copied when they are sent."""

    def __init__(self, task: Callable[[Any], Any], blocks: Sequence[Any]) -> None:
        self._task, self._blocks = task, blocks

    def __len__(self) -> int:
        return len(self._blocks)

    def __getitem__(self, place: Any) -> Any:
        if isinstance(place, slice):
            return _Tasks(self._task, self._blocks[place])
        return self._task(self._blocks[place])


def _threads(n_jobs: int) -> Way:
    return Way("threads", n_jobs, f"{n_jobs} threads")


def _is_steady(teacher: Teacher) -> bool:
    """Whether the outputs for a row are not known to differ between calls."""
    if teacher.answers_only_given_rows or remote_teachers(teacher):  # a service has limits of its own
        return False
    if teacher.depends_on_batch or teacher.is_random:
        return False
    is_unchecked = isinstance(teacher, SteadyTeacher) and (teacher.finding is None or not teacher.finding.is_known)
    return not is_unchecked or is_by_row(teacher.model)


def _is_forest_of_one_thread(teacher: Teacher) -> bool:
    return type(teacher.model) in FORESTS and teacher.model.n_jobs in (None, 1)
