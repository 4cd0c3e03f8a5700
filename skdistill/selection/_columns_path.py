"""The path of columns: the fidelity of small students that see fewer and fewer of them."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .._tables import take_columns, take_rows, with_column_of
from .._types import Average
from .._validation import draw_seed
from ..metrics import fidelity
from ..samplers import LeafSwap
from ..students import CompactBoostingClassifier, CompactBoostingRegressor
from ..transfer import SYNTHETIC_WEIGHT, Oracle, TransferSet
from ._student_view import StudentView
from ._targets import Targets

MIN_PATH_ROWS = 20
"""Minimum number of real rows; from fewer, no fidelity is measured."""

MAX_PATH_ROWS, MAX_PERMUTED_ROWS = 20_000, 2000
"""Maximum number of rows that students of a path are fitted and validated on, and that are permuted."""

VALIDATION_SHARE = 4
"""Of so many rows, one is for validation."""

MAX_SINGLE_STEPS, DROPPED_SHARE = 20, 0.1
"""Maximum number of columns that are left out one by one, and the share of more columns that is left out at once."""

SCOUT: dict[str, Any] = {"n_trees": 40, "max_leaf_nodes": 16}
"""Size of the students of a path."""

DRAWN_RATIO, MAX_DRAWN_ROWS, DRAWN_SHARE = 3, 12_000, 0.2
"""Synthetic rows that are drawn for a path: a multiple of the real rows, their maximum number, and their maximum share
of the remaining queries."""


@dataclass(frozen=True)
class PathStep:
    """One student of a path: the columns that it sees, those left out last, and its fidelity on validation rows."""

    columns: tuple[int, ...]
    left_out: tuple[int, ...]
    fidelity: float


class ColumnsPath:
    """Students that see fewer and fewer columns.

    Parameters
    ----------
    real : TransferSet
        Labelled real rows.
    targets : Targets
        Their view is replaced.
    oracle : Oracle or None
        Draws synthetic rows, of training and of validation rows, and labels them. Validation is then on the latter,
        since a teacher may have memorised the real rows. ``None`` draws none.
    costs : ndarray of shape (n_features,)
        The rise of the error per cost decides which column is left out next.
    rng : RandomState
    """

    def __init__(
        self,
        real: TransferSet,
        targets: Targets,
        oracle: Oracle | None,
        costs: np.ndarray,
        rng: np.random.RandomState,
    ) -> None:
        rows = rng.permutation(np.flatnonzero(real.sample_weight))[:MAX_PATH_ROWS]
        self.training = real.take(np.sort(np.delete(rows, np.s_[::VALIDATION_SHARE])))
        self.validation = real.take(np.sort(rows[::VALIDATION_SHARE]))
        if oracle is not None:
            self._draw(oracle, rng)
        self.targets, self.costs, self.seed, self.rng = targets, costs, draw_seed(rng), rng
        kind = CompactBoostingClassifier if targets.classifies else CompactBoostingRegressor
        self.scout = kind(**SCOUT, resolve_leaves=False, random_state=0)

    def _draw(self, oracle: Oracle, rng: np.random.RandomState) -> None:
        """Add synthetic rows to the training rows, and validate on others."""
        n_real = len(self.training) + len(self.validation)
        n_drawn = min(DRAWN_RATIO * n_real, MAX_DRAWN_ROWS, int(DRAWN_SHARE * min(oracle.n_left, 1e9)))
        parts = []
        for part in (self.training, self.validation):
            n_samples, seed = n_drawn * len(part) // n_real, draw_seed(rng)
            parts.append(oracle.draw(LeafSwap(), part, n_samples, seed) if n_samples else (part.X, part.outputs))
        if min(len(outputs) for _, outputs in parts) < MIN_PATH_ROWS // VALIDATION_SHARE:
            return  # the budget is spent, or the teacher refuses such rows
        (rows, (others, outputs)) = parts
        self.training = self.training.extend([rows], SYNTHETIC_WEIGHT, "LeafSwap()")
        self.validation = TransferSet(others, outputs, np.ones(len(outputs)))

    def steps(self, start: list[int], kept: frozenset[int]) -> list[PathStep]:
        """Return students from some columns down to those that are kept, or to a single one if none is.

        Parameters
        ----------
        start : list of int
            Columns that the first student sees.
        kept : frozenset of int
            Columns that are not left out; the path ends with them. If it is empty, it ends with one column.
        """
        columns, found = tuple(sorted(start)), []
        left_out: tuple[int, ...] = ()
        while True:
            student, targets = self._teach(columns)
            found.append(PathStep(columns, left_out, self._fidelity(student, targets)))
            droppable = [column for column in columns if column not in kept]
            n_droppable = len(droppable) if kept else len(droppable) - 1
            if n_droppable < 1:
                return found
            n_dropped = 1 if n_droppable <= MAX_SINGLE_STEPS else int(DROPPED_SHARE * n_droppable)
            left_out = self._least_needed(student, targets, columns, droppable, n_dropped)
            columns = tuple(column for column in columns if column not in left_out)

    def _teach(self, columns: tuple[int, ...]) -> tuple[Any, Targets]:
        """Return a student that sees some columns, and the targets with this view."""
        targets: Any = replace(self.targets, view=StudentView(columns))  # type: ignore[type-var]
        return targets.teach(self.scout, self.training, self.seed), targets

    def _fidelity(self, student: Any, targets: Targets) -> float:
        soft, weight = targets.of(self.validation.outputs), self.validation.sample_weight
        if np.ptp(soft, axis=0).max() == 0:
            return 1.0
        outputs = targets.predict(student, self.validation.X)
        multioutput: Average = "variance_weighted" if targets.pools_outputs else "uniform_average"
        return fidelity(soft, outputs, sample_weight=weight, multioutput=multioutput)

    def _least_needed(
        self, student: Any, targets: Targets, columns: tuple[int, ...], droppable: list[int], n_dropped: int
    ) -> tuple[int, ...]:
        """Return the columns whose permutation raises the error least for their cost."""
        some = np.arange(min(len(self.validation), MAX_PERMUTED_ROWS))
        X, soft = take_columns(take_rows(self.validation.X, some), columns), targets.of(self.validation.outputs[some])
        order = self.rng.permutation(len(some))
        error = self._error(soft, targets.predict_seen(student, X))
        rises = []
        for column in droppable:
            permuted = with_column_of(X, take_rows(X, order), columns.index(column))
            rise = self._error(soft, targets.predict_seen(student, permuted)) - error
            rises.append(rise / max(self.costs[column], 1e-12))
        return tuple(droppable[place] for place in np.argsort(rises, kind="stable")[:n_dropped])

    def _error(self, soft: np.ndarray, outputs: np.ndarray) -> float:
        """Return the mean squared difference, in units of the variance of each output unless these are pooled."""
        unit = 1.0 if self.targets.pools_outputs else np.maximum(soft.var(axis=0), 1e-300)
        return float((((soft - outputs) ** 2).mean(axis=0) / unit).mean())


def as_columns(steps: list[PathStep], costs: np.ndarray, names: list[Any]) -> dict[str, np.ndarray]:
    """Return a path in the format of ``cv_results_``."""
    kept = np.array([step.fidelity for step in steps])
    left_out = np.empty(len(steps), dtype=object)
    left_out[:] = [tuple(names[column] for column in step.left_out) for step in steps]
    return {
        "left_out": left_out,
        "n_columns": np.array([len(step.columns) for step in steps]),
        "cost": np.array([costs[list(step.columns)].sum() for step in steps]),
        "fidelity": kept,
        "loss": kept[0] - kept,
    }
