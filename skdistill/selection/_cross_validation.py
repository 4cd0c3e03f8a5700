"""Cross-validation of candidate students where rows are few: every row validates, and none judges a student of its own.

A quarter of a few hundred rows ranks students at random, and the students lack these rows. With so few rows, a student
takes so little time that each candidate can be fitted once for each fold.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from .._tables import take_rows
from ..transfer import TransferSet
from ._validation_rows import ON_UNLABELED_ROWS, Validation, group_of, out_of_bag_group

MAX_FEW_ROWS = 2000
"""Maximum number of real rows for cross-validation instead of a single validation set."""

N_FOLDS = 5
"""Number of folds."""

FINAL_FIT_GAIN = 0.15
"""As for a single validation set: less, since the final student is fitted on a quarter more rows only."""

KINDS_OF_X = ("unseen", "out of bag", "own")
"""Kinds of validation rows that are rows of ``X``, so that all rows of ``X`` can be validation rows in turn."""


@dataclass(frozen=True)
class Folds:
    """The real rows, divided into folds.

    Attributes
    ----------
    rows : TransferSet
        The real rows, without synthetic rows, which may be drawn from validation rows.
    training : tuple of ndarray of int
        For each fold, the positions of the rows that its student is fitted on.
    validating : tuple of ndarray of int
        For each fold, the positions of its rows among the validation rows.
    validation : Validation
        The validation rows of all folds together.
    """

    rows: TransferSet
    training: tuple[np.ndarray, ...]
    validating: tuple[np.ndarray, ...]
    validation: Validation

    def fit(self, teach: Callable[[TransferSet], Any]) -> "OutOfFold":
        """Return a student for each fold, fitted on the rows of the others."""
        return OutOfFold(tuple(teach(rows) for rows in self._training_rows), self.validating)

    @property
    def n_training(self) -> int:
        """Number of rows that the student of a fold is fitted on, at least."""
        return min(map(len, self.training))

    @cached_property
    def _training_rows(self) -> tuple[TransferSet, ...]:
        """The same objects for all candidates, so that they are encoded once."""
        return tuple(self.rows.take(training) for training in self.training)


@dataclass(frozen=True)
class OutOfFold:
    """Predicts all validation rows, each with the student of its fold, which was fitted without it.

    Attributes
    ----------
    students : tuple of estimators
        The fitted student of each fold.
    validating : tuple of ndarray of int
        The positions of the rows of each fold.
    """

    students: tuple[Any, ...]
    validating: tuple[np.ndarray, ...]

    def predict(self, X: Any) -> np.ndarray:
        """Return the values of all validation rows, in order."""
        return self._in_order("predict", X)

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the class probabilities of all validation rows, in order."""
        return self._in_order("predict_proba", X)

    def _in_order(self, method: str, X: Any) -> np.ndarray:
        parts = [
            getattr(student, method)(take_rows(X, rows))
            for student, rows in zip(self.students, self.validating, strict=True)
        ]
        outputs = np.concatenate(parts)
        outputs[np.concatenate(self.validating)] = outputs.copy()
        return outputs


def divide(real: TransferSet, validation: Validation, rng: np.random.RandomState) -> Folds | None:
    """Return the folds of a transfer set; ``None`` if its rows are many, or if other validation rows are better.

    Parameters
    ----------
    real : TransferSet
        With synthetic rows or without.
    validation : Validation
        The single validation set that the folds replace.
    rng : RandomState
    """
    real, n_synthetic = real.take(np.flatnonzero(~real.is_synthetic)), real.n_synthetic
    present = np.flatnonzero(real.sample_weight)
    is_few = n_synthetic < len(present) <= MAX_FEW_ROWS
    if not is_few or validation.kind not in KINDS_OF_X or validation.origin == ON_UNLABELED_ROWS:
        return None
    known, out_of_bag = present[~real.is_selected[present]], None
    if validation.kind == "out of bag":
        known, out_of_bag = out_of_bag_group(real, present, validation.targets)
    group = out_of_bag or group_of(real.take(known), validation.targets)
    fold = np.full(len(real), -1)
    fold[rng.permutation(present)] = np.arange(len(present)) % N_FOLDS
    training = tuple(np.flatnonzero((fold >= 0) & (fold != one)) for one in range(N_FOLDS))
    validating = tuple(np.flatnonzero(fold[known] == one) for one in range(N_FOLDS))
    of_folds = replace(
        validation,
        ranking=(group,),
        reported=(group,),
        origin=f"{validation.origin}, in {N_FOLDS}-fold cross-validation",
        final_fit_gain=FINAL_FIT_GAIN,
    )
    return Folds(real, training, validating, of_folds)
