"""A fit on a dataset that is not in memory: rows drawn at random first, and rows selected with their outputs."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from .._described import described
from .._progress import Progress
from .._tables import describe_mismatch, is_frame, take_rows
from .._validation import check_finite, check_random_state, check_table, draw_seed
from ..datasets import Chunk, ChunkedTable, as_dataset, is_dataset
from ..datasets._drawing import DrawnRows, RandomKeys, RandomPart, draw, results_of, row_keys, scan, scan_and_draw
from ..datasets._for_models import for_model
from ..exceptions import DatasetError
from ..metrics import FidelitySums
from ..samplers._pool import NO_PART, SpreadKeys
from ..samplers._selecting import select_ahead
from ..teachers import Teacher, TeacherEnsemble, is_fitted_teacher, is_list
from ..transfer import count_random

VALIDATION_SHARE, MOST_VALIDATION_ROWS, FEWEST_VALIDATION_ROWS = 0.05, 5000, 50
"""Share of the drawn rows that validate samplers and students, its maximum, and the minimum for which it is taken."""

KEPT_QUERIES = 4
"""Queries of the budget that are kept for each row that validates: a fit spends a quarter of what is left on them."""

HELD_OUT_SHARE = 0.05
"""Share of the rows beyond those of the fit that are held out, if the student is refitted to them."""

FIRST_SHARE, MOST_FIRST_ROWS, FEWEST_FIRST_ROWS = 0.25, 20_000, 200
"""Share of the drawn rows that are drawn at random and tell where the teacher's outputs vary, and its limits."""

SCORE_OF_DATASETS = "skdistill.report(model, X, 'name of the labels', max_rows=None) measures it on all rows."
"""What to do if ``score`` is given a dataset."""


class Passed(NamedTuple):
    """The arguments of ``fit`` as they were passed."""

    X: Any
    y: Any
    sample_weight: Any
    X_unlabeled: Any
    X_val: Any
    y_val: Any
    groups: Any


@dataclass
class DatasetPool:
    """A dataset of which informative rows are selected once the teacher has labelled others.

    Attributes
    ----------
    dataset : ChunkedTable
    n_rows : int
        Maximum number of rows to select.
    n_kept : int
        Number of queries of the budget that are left for validation rows.
    skipped : ndarray of int
        Sorted positions of the rows that were drawn already.
    y, weight : str or None
        Columns of true labels and of weights.
    verbose : int
    check : callable
        ``check(X, rows)`` checks the selected rows.
    seed : int
        Of the rows that are drawn at random.
    is_validated : bool
        Whether rows of the pool validate samplers or students: then some of them are drawn at random before others are
        selected.
    is_refitted : bool
        Whether the student may be refitted to further rows.
    truth_of : callable or None, default=None
        ``truth_of(rows, y)`` returns true labels as targets.
    is_ahead : bool, default=False
        Whether the first selected rows are labelled while others are still read.
    chosen : list of table, default=[]
        The rows that were selected.
    positions : list of ndarray, default=[]
        Positions of those that were selected last.
    """

    dataset: ChunkedTable
    n_rows: int
    n_kept: int
    skipped: np.ndarray
    y: str | None
    weight: str | None
    verbose: int
    check: Callable[[Any, Any], Any]
    seed: int
    is_validated: bool
    is_refitted: bool
    truth_of: Callable[[Any, Any], Any] | None = None
    is_ahead: bool = False
    chosen: list[Any] = field(default_factory=list)
    positions: list[np.ndarray] = field(default_factory=list)

    @property
    def drawn(self) -> np.ndarray:
        """Sorted positions of the rows that were drawn at random or selected, those that are taught among them."""
        return np.sort(np.concatenate([self.skipped, *self.positions]))

    @property
    def n_table(self) -> int:
        """Number of rows that were not drawn at random."""
        return (self.dataset.n_rows or 0) - len(self.skipped)

    @property
    def held_out(self) -> RandomPart:
        """Rows that are selected last, so that students before and after a refit are compared on random rows.

        They are a share of the rows that are not selected.
        """
        share = HELD_OUT_SHARE * max(1 - self.n_rows / max(self.n_table, 1), 0.0)
        return RandomPart(self.seed + 1, share) if self.is_refitted else NO_PART

    def for_teacher(self, model: Any, teacher: Teacher) -> "DatasetPool":
        """Return the pool that knows the teacher; the selected rows are noted in both."""
        is_ahead = self._can_be_ahead() and model.memory is None and _is_asked_in_any_order(teacher)
        return replace(self, truth_of=partial(_truth_of, model, teacher), is_ahead=is_ahead)

    def _can_be_ahead(self) -> bool:
        """Whether a thread can read the dataset, of which the rows so far are a random sample without weights."""
        return getattr(self.dataset.source, "is_read_by_threads", False) and len(self.skipped) > 0 and not self.weight

    @contextmanager
    def choose(
        self, X: Any, outputs: np.ndarray, n_left: float, rng: np.random.RandomState
    ) -> Iterator["ChosenOfDataset"]:
        """Return the selected rows, in a context in which they are labelled."""
        n_rows = int(min(self.n_rows, n_left - self.n_kept))
        if n_rows < 1:
            yield ChosenOfDataset(self, X, take_rows(X, slice(0, 0)))
            return
        random = self._drawn_at_random(n_rows)
        keys = SpreadKeys.of(X, outputs, rng, self.skipped, self.weight)
        keys = replace(keys, random=random, last=self.held_out)
        others = _names(self.y, self.weight)
        arriving = select_ahead(keys, self.dataset, n_rows, others, partial(self.check, X)) if self.is_ahead else None
        if arriving is not None:
            with arriving:
                yield ChosenOfDataset(self, X, arriving, random)
            return
        with Progress(f"select rows of {self.dataset.name}", self.dataset.n_rows, self.verbose) as progress:
            drawn = draw(self.dataset, n_rows, keys, others, progress.update)
        rows = self.check(X, drawn.table) if len(drawn) else drawn.table
        yield ChosenOfDataset(self, X, rows, random, drawn)

    def _drawn_at_random(self, n_rows: int) -> RandomPart:
        """Return the rows that are drawn at random before others are selected."""
        if n_rows >= self.n_table:  # all are drawn
            return RandomPart(self.seed, 1.0)
        return RandomPart(self.seed, count_random(n_rows) / self.n_table) if self.is_validated else NO_PART


@dataclass(frozen=True)
class ChosenOfDataset:
    """Rows that were selected from a dataset, or are still being selected.

    Attributes
    ----------
    pool : DatasetPool
    X : table
        The rows that were labelled before.
    rows : table or ArrivingRows
    random : RandomPart, default=none
        Those of the rows that were drawn at random, and not selected.
    drawn : DrawnRows or None, default=None
        The rows with their positions and further columns; ``None`` if they are still arriving.
    """

    pool: DatasetPool
    X: Any
    rows: Any
    random: RandomPart = NO_PART
    drawn: DrawnRows | None = None

    def labelled(self, outputs: np.ndarray) -> tuple[Any, np.ndarray, np.ndarray | None, np.ndarray | None, np.ndarray]:
        """Return the rows in the order of the dataset, outputs, weights, labels as targets, and which were selected."""
        pool, rows, drawn = self.pool, self.rows, self.drawn
        if drawn is None:
            drawn, order = rows.in_order()
            rows, outputs = drawn.table, outputs[order]
        pool.chosen.append(rows)
        # if labels are taught instead of probabilities, the rows that were selected for these are not taught
        pool.positions[:] = [drawn.positions]
        weight = None if pool.weight is None else drawn.others[pool.weight].astype(float)
        truth = None if pool.y is None or pool.truth_of is None else pool.truth_of(rows, drawn.others[pool.y])
        return rows, outputs, weight, truth, ~self.random.at(drawn.positions)


def _is_asked_in_any_order(teacher: Teacher) -> bool:
    """Whether the outputs of one teacher do not depend on which rows are asked together."""
    depends = teacher.depends_on_batch or teacher.is_random or teacher.batch_size is not None or teacher.transductive
    return not depends and not isinstance(teacher.model, TeacherEnsemble)


def _truth_of(model: Any, teacher: Teacher, rows: Any, y: np.ndarray) -> Any:
    return model._task.truth(model, teacher, model._task.check_y(model, rows, y))


def draw_first_rows(model: Any, passed: Passed) -> tuple[Passed, DatasetPool | None]:
    """Return the arguments with tables in memory, and the pool that further rows are selected from.

    A dataset with no more rows than are drawn is read as a whole, and the fit is that of the table in memory. Otherwise
    some rows are drawn at random: those of ``X``, and those that validate samplers and students unless ``X_val`` is
    passed. Rows with weight 0 are not among them; if they leave fewer rows than that, the fit is that of these. The
    other rows are selected later, where the outputs of the teacher vary, and count as unlabelled ones.

    Raises
    ------
    DatasetError
        If the dataset can be read only once, or what is asked for needs all rows at once.
    """
    if not is_dataset(passed.X):
        return _draw_unlabelled(model, passed) if is_dataset(passed.X_unlabeled) else (passed, None)
    seed = draw_seed(check_random_state(model.random_state, model))
    _check_streamable(model, passed)
    dataset = _prepared(model, as_dataset(passed.X), passed)
    y, weight = (_column(model, name, getattr(passed, name)) for name in ("y", "sample_weight"))
    n_rows = _n_drawn(model, dataset)
    n_validation = _n_validation(model, n_rows) if passed.X_val is None else 0
    n_first = int(min(max(FEWEST_FIRST_ROWS, FIRST_SHARE * n_rows), MOST_FIRST_ROWS, n_rows - n_validation))
    keys_of = RandomKeys(seed, weight)
    scanned, drawn = _draw_at_random(model, dataset, n_rows, n_first + n_validation, keys_of, _names(y, weight))
    if (scanned.n_rows or 0) <= n_rows:
        return _as_passed(passed, drawn, y, weight), None
    if weight is not None and (drawn.others[weight] == 0).any():  # then these are all rows that have a weight
        return _as_passed(passed, drawn.weighted(weight), y, weight), None
    order = np.argsort(row_keys(seed + 1, 0, len(drawn)))
    first, held = drawn.take(np.sort(order[:n_first])), drawn.take(np.sort(order[n_first:]))
    passed = _as_passed(passed, first, y, weight)
    if n_validation:
        passed = passed._replace(X_val=held.table, y_val=None if y is None else held.others[y])
    skipped = np.sort(np.concatenate([first.positions, held.positions]))
    pool = DatasetPool(
        scanned,
        n_rows - len(skipped),
        KEPT_QUERIES * n_validation,
        skipped,
        y,
        weight,
        model.verbose,
        partial(_checked, model),
        seed + 2,
        model._is_anything_chosen(1) and n_validation == 0,
        is_refitted(model, scanned),
    )
    return passed, pool


def is_refitted(model: Any, dataset: ChunkedTable) -> bool:
    """Whether a fit may label more rows of a dataset than it holds in memory, if the student can use them."""
    if model.max_queries is None or model.n_generations > 1 or model._target_compressor is not None:
        return False
    is_bounded = model.truth_margin is not None  # which rows count depends on the student
    return not is_bounded and model.max_queries // model.n_repeats > dataset.sample_rows


def fidelity_to_dataset(model: Any, X: Any, sample_weight: Any) -> float:
    """Return the fidelity of a fitted distilled estimator on all rows of a dataset."""
    weight = _column(model, "sample_weight", sample_weight)
    dataset, add_up = for_model(X, model, _names(weight)), partial(_fidelity_sums, model, weight)
    sums = FidelitySums(model._task.multioutput)
    for part in results_of(dataset, add_up, _names(weight), model._targets.teacher):
        sums.join(part)
    return sums.fidelity


def _fidelity_sums(model: Any, weight: str | None, chunks: Iterator[Chunk]) -> FidelitySums:
    sums = FidelitySums(model._task.multioutput)
    for chunk in chunks:
        weights = None if weight is None else chunk.others[weight]
        outputs = model._targets.predict_seen(model.student_, model._student_rows(chunk.table))
        sums.update(model.soft_targets(chunk.table), outputs, weights)
    return sums


def _draw_unlabelled(model: Any, passed: Passed) -> tuple[Passed, DatasetPool | None]:
    """Return the arguments without the dataset in place of ``X_unlabeled``, from which rows are selected later."""
    dataset = as_dataset(passed.X_unlabeled)
    dataset.require_repeatable("a fit reads it twice")
    is_named = is_frame(passed.X)
    if dataset.columns is None and is_named and dataset.column_names is not None:
        dataset = dataset.select([str(name) for name in passed.X.columns])
    if dataset.kind is None:
        library: Any = type(passed.X).__module__.partition(".")[0] if is_named else "numpy"
        dataset = dataset.converted_to(library)
    scanned, seed = scan(dataset), draw_seed(check_random_state(model.random_state, model))
    pool = DatasetPool(
        scanned,
        dataset.sample_rows,
        0,
        np.zeros(0, dtype=int),
        None,
        None,
        model.verbose,
        partial(_checked, model),
        seed,
        model._is_anything_chosen(1),
        is_refitted(model, scanned),
    )
    return passed._replace(X_unlabeled=None), pool


def _check_streamable(model: Any, passed: Passed) -> None:
    """Raise an error for what needs all rows at once."""
    name = type(model).__name__
    needs_all = {
        "the teacher is not fitted, and fitting it": not is_fitted_teacher(model.teacher),
        f"teacher_cv={model.teacher_cv!r}": model.teacher_cv is not None,
        "groups": passed.groups is not None,
        "X_unlabeled beside a dataset": passed.X_unlabeled is not None,
        "the teacher only has labels of the rows that it was fitted on, and": _is_transductive(model),
    }
    needing = next((what for what, is_asked in needs_all.items() if is_asked), None)
    if needing is not None:
        raise DatasetError(
            f"{name}: X is a dataset that is read in chunks, but {needing} needs all rows at once. Fit the teacher "
            "first and leave out the argument, or pass a table in memory."
        )


def _is_transductive(model: Any) -> bool:
    teacher = model.teacher
    has_labels_only = hasattr(teacher, "labels_") and not hasattr(teacher, "predict")
    return not is_list(teacher) and (bool(getattr(teacher, "transductive", False)) or has_labels_only)


def _prepared(model: Any, dataset: ChunkedTable, passed: Passed) -> ChunkedTable:
    """Return the dataset with the columns and the kind of table that the teacher was fitted on, where it tells."""
    dataset.require_repeatable("a fit reads it twice: to draw rows at random, and to select rows by their outputs")
    return for_model(dataset, model.teacher, _names(passed.y, passed.sample_weight))


def _column(model: Any, name: str, value: Any) -> str | None:
    """Return the name of a column of the dataset."""
    if value is None or isinstance(value, str):
        return value
    raise DatasetError(
        f"{type(model).__name__}: X is a dataset that is read in chunks, but {name}={described(value)}; expected None "
        "or the name of a column of the dataset."
    )


def _names(*columns: Any) -> list[str]:
    return [name for name in columns if isinstance(name, str)]


def _n_drawn(model: Any, dataset: ChunkedTable) -> int:
    """Return the number of rows that are drawn and labelled, within the budget."""
    budget = np.inf if model.max_queries is None else model.max_queries // model.n_repeats
    return int(min(dataset.sample_rows, budget))


def _n_validation(model: Any, n_rows: int) -> int:
    """Return the number of rows that validate, if a sampler or a student is chosen."""
    n_validation = min(round(VALIDATION_SHARE * n_rows), MOST_VALIDATION_ROWS)
    return n_validation if model._is_anything_chosen(1) and n_validation >= FEWEST_VALIDATION_ROWS else 0


def _draw_at_random(
    model: Any, dataset: ChunkedTable, n_rows: int, n_of_more: int, keys_of: RandomKeys, others: Sequence[str]
) -> tuple[ChunkedTable, DrawnRows]:
    """Read the dataset once: its schema, and rows drawn at random, fewer from a dataset of more than ``n_rows``."""
    with Progress(f"read {dataset.name}", dataset.n_rows, model.verbose) as progress:
        return scan_and_draw(dataset, n_rows, keys_of, others, progress.update, n_of_more=n_of_more)


def _as_passed(passed: Passed, drawn: DrawnRows, y: str | None, weight: str | None) -> Passed:
    """Return the arguments with drawn rows as ``X``."""
    return passed._replace(
        X=drawn.table,
        y=None if y is None else drawn.others[y],
        sample_weight=None if weight is None else drawn.others[weight],
    )


def _checked(model: Any, X: Any, rows: Any) -> Any:
    """Return selected rows after the checks of ``X_unlabeled``."""
    rows = check_table(model, rows, reset=False)
    if is_frame(rows):
        check_finite(model, rows)
    mismatch = describe_mismatch(X, rows)
    if mismatch is not None:
        raise DatasetError(f"{type(model).__name__}: the dataset does not match X: got {mismatch}.")
    return rows
