"""A report on a dataset that is read in chunks: the rows of a sample, and sums over all rows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._described import described
from .._validation import check_random_state, draw_seed
from ..datasets import Chunk, ChunkedTable
from ..datasets._drawing import DrawnRows, RandomKeys, results_of, scan_and_draw
from ..datasets._for_models import for_model
from ..exceptions import DatasetError
from ._all_rows import AllRows
from ._answers import Answers, ask_again
from ._subject import data_of

SAMPLE_ROWS = 10_000
"""Rows that rules, costs and the ranges of slices are taken from if all rows are measured."""


@dataclass(frozen=True)
class DatasetRows:
    """A dataset and a sample of its rows.

    Attributes
    ----------
    dataset : ChunkedTable
    drawn : DrawnRows
        The sample.
    y, weight : str or None
        Columns of true labels and of weights.
    is_all : bool
        Whether all rows are measured.
    """

    dataset: ChunkedTable
    drawn: DrawnRows
    y: str | None
    weight: str | None
    is_all: bool

    @property
    def sample(self) -> tuple[Any, Any, Any]:
        """The rows of the sample, their true labels and their weights."""
        of = self.drawn.others
        y, weight = (None if name is None else of[name] for name in (self.y, self.weight))
        return self.drawn.table, y, weight

    def sums(self, model: Any, teacher: Any, sample: Answers, columns: Any, n_worst: int) -> AllRows | None:
        """Query both models for all rows, and return the sums; ``None`` if only the sample is measured."""
        if not self.is_all:
            return None
        if sample.pair is not None and sample.pair.margins:
            raise DatasetError(
                f"report: the {sample.pair.margins[0]} returns margins, whose scale is that of the rows; expected "
                "probabilities to measure all rows of a dataset. Pass max_rows, or a model with predict_proba."
            )
        has_truth = self.y is not None and sample.levels is None
        sums = AllRows(sample, columns, n_worst, has_truth, self.weight is not None)
        assert sample.pair is not None
        add_up = _Summed(sums.emptied(), model, teacher, self.dataset.name, self.y if has_truth else None, self.weight)
        for part in results_of(self.dataset, add_up, _names(self.y, self.weight), sample.pair.teacher):
            sums.join(part)
        return sums

    def told(self, found: Any, sums: AllRows | None, sample: Answers) -> dict[str, Any]:
        """Return the parts of a report on the sample that are those of the dataset."""
        positions = self.drawn.positions
        n_rows = self.dataset.n_rows or len(positions)
        if sums is None:
            drawn = f"Measured on {len(positions):,} of the {n_rows:,} rows of {self.dataset.name}, drawn at random."
            notes = () if len(positions) == n_rows else (drawn,)
            worst = found.worst_rows | {"row": positions[found.worst_rows["row"]]}
            about = found.subject | {"data": data_of(sample, len(positions), n_rows)}
            return {"notes": (*notes, *found.notes), "worst_rows": worst, "subject": about}
        return {
            "subject": found.subject | {"data": data_of(sample, sums.n_rows, sums.n_rows)},
            "divergences": sums.divergences(),
            "by_output": sums.by_output(found.by_output),
            "by_slice": sums.by_slice(),
            "calibration": sums.calibration(),
            "worst_rows": sums.worst_rows(),
            "notes": (*self._notes(sums, sample), *(note for note in found.notes if not _is_of_sample(note))),
        }

    def _notes(self, sums: AllRows, sample: Answers) -> list[str]:
        notes = [
            f"Measured on all {sums.n_rows:,} rows of {self.dataset.name}. The rules, the costs, the quality of "
            f"the compiled student and the ranges of the slices are those of {len(self.drawn):,} rows, drawn at random."
        ]
        if sums.closeness.is_varying.any():
            notes.append(f"Fidelity has a standard error of {sums.closeness.standard_error(1.0):.4f} on these rows.")
        if sums.share_of_other_labels > 0:
            notes.append(
                f"For {sums.share_of_other_labels:.1%} of these rows, the label that the teacher predicts is not its "
                "largest probability. Agreement and accuracy refer to the labels that the models predict."
            )
        if sample.levels is not None and self.y is not None:
            notes.append(
                f"The losses of quantiles, and what depends on them, are those of the {len(self.drawn):,} rows."
            )
        if sample.link is not None:
            notes.append(f"The fidelity on the scale of the {sample.link.name} link is not measured on all rows.")
        return notes


@dataclass(frozen=True)
class _Summed:
    """Adds up the rows of some chunks, here or on a worker.

    Attributes
    ----------
    empty : AllRows
        Without the sample.
    model, teacher : object
        As passed to the report.
    dataset : str
        Its name.
    y, weight : str or None
        Columns of true labels and of weights.
    """

    empty: AllRows
    model: Any
    teacher: Any
    dataset: str
    y: str | None
    weight: str | None

    def __call__(self, chunks: Iterator[Chunk]) -> AllRows:
        """Return the sums of the rows."""
        sums = self.empty.emptied()
        for chunk in chunks:
            weight = np.ones(len(chunk)) if self.weight is None else chunk.others[self.weight].astype(float)
            y = None if self.y is None else chunk.others[self.y]
            try:
                sums.update(ask_again("report", self.model, self.teacher, chunk.table, y, weight), chunk.start)
            except ValueError as error:
                raise DatasetError(f"report: {self.dataset}, partition {chunk.partition}: {error}") from error
        return sums


def _is_of_sample(note: str) -> bool:
    """Whether a note is about the rows of the sample alone."""
    starts = ("Fidelity has a standard error", "Measured on", "Only ", "Of other rows like these")
    return note.startswith(starts) or "is not its largest probability" in note or "fidelity is R² on that" in note


def read_sample(
    model: Any, X: Any, y: Any, sample_weight: Any, max_rows: int | None, random_state: Any, *, is_trained: bool
) -> DatasetRows:
    """Read a dataset once, and draw rows at random from those with a weight above zero.

    Raises
    ------
    DatasetError
        If training rows are passed, or labels that are no column; or if all rows are to be measured, and the dataset
        can be read only once.
    """
    if is_trained:
        raise DatasetError(
            "report: got X_train with a dataset; the student without the teacher is only fitted for tables in memory. "
            "Leave out X_train and y_train, or pass a table."
        )
    for name, value in (("y", y), ("sample_weight", sample_weight)):
        if value is not None and not isinstance(value, str):
            raise DatasetError(
                f"report: X is a dataset that is read in chunks, but {name}={described(value)}; expected None or the "
                "name of a column of the dataset."
            )
    others = _names(y, sample_weight)
    dataset = for_model(X, model, others)
    if max_rows is None:
        dataset.require_repeatable("a report on all rows reads it twice; pass max_rows to read it once")
    seed = draw_seed(check_random_state(random_state, "report"))
    n_drawn = SAMPLE_ROWS if max_rows is None else max_rows
    scanned, drawn = scan_and_draw(dataset, n_drawn, RandomKeys(seed, sample_weight), others)
    return DatasetRows(scanned, drawn.weighted(sample_weight), y, sample_weight, max_rows is None)


def _names(*columns: str | None) -> Sequence[str]:
    return [name for name in columns if name is not None]
