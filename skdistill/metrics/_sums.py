"""Metrics of rows that are not in memory at once: sums that are updated chunk by chunk, and joined."""

from typing import Any, Self

import numpy as np

from .._types import Average
from .._validation import check_choice
from ._checks import SUM_TOLERANCE, as_floats, check_finite, check_outputs, check_row_weights
from ._fidelity import AVERAGES


class Moments:
    """Weighted first and second moments of the columns of a table, of which linear functions are evaluated later.

    Parameters
    ----------
    n_columns : int
    has_second : bool, default=True
        Whether second moments are kept, for standard errors.
    """

    def __init__(self, n_columns: int, *, has_second: bool = True) -> None:
        self.n_rows, self.has_second = 0, has_second
        self.weight = self.squared_weight = 0.0
        self.first = np.zeros(n_columns)
        self.second = np.zeros((n_columns, n_columns) if has_second else (0, 0))

    def update(self, values: np.ndarray, weight: np.ndarray | None) -> None:
        """Add rows; ``values`` has shape (n_rows, n_columns), and ``None`` gives each row the weight 1."""
        self.n_rows += len(values) if weight is None else int(np.count_nonzero(weight))
        weighted = values if weight is None else values * weight[:, None]
        self.weight += len(values) if weight is None else float(weight.sum())
        self.squared_weight += len(values) if weight is None else float(weight @ weight)
        self.first += np.ones(len(weighted)) @ weighted  # faster than numpy adds up narrow tables
        if self.has_second:
            self.second += weighted.T @ values

    def mapped(self, matrix: np.ndarray, offset: np.ndarray) -> "Moments":
        """Return the moments of the rows ``matrix @ values + offset``."""
        mapped = Moments(len(offset), has_second=self.has_second)
        mapped.n_rows, mapped.weight, mapped.squared_weight = self.n_rows, self.weight, self.squared_weight
        moved = matrix @ self.first
        mapped.first = moved + self.weight * offset
        if not self.has_second:
            return mapped
        crossed = np.outer(moved, offset)
        mapped.second = matrix @ self.second @ matrix.T + crossed + crossed.T + self.weight * np.outer(offset, offset)
        return mapped

    def add(self, other: "Moments") -> None:
        """Add the rows of other moments of the same columns."""
        self.n_rows += other.n_rows
        self.weight += other.weight
        self.squared_weight += other.squared_weight
        self.first += other.first
        self.second += other.second

    def mean(self, direction: np.ndarray) -> float:
        """Return the weighted mean of a linear function of the columns."""
        return float(direction @ self.first / self.weight)

    def standard_error(self, direction: np.ndarray) -> float:
        """Return the standard error of :meth:`mean`; NaN for fewer than two rows."""
        if self.n_rows < 2 or not self.has_second:
            return float("nan")
        centre = self.first / self.weight
        covariance = self.second / self.weight - np.outer(centre, centre)
        n_effective = self.weight**2 / self.squared_weight
        return float(np.sqrt(max(direction @ covariance @ direction, 0.0) / max(n_effective - 1, 1e-12)))


class SquaredErrors:
    r"""Squared errors of the outputs of several models with respect to the expected outputs, and their R².

    For each output (or for all together, if they are pooled), a row has the loss :math:`l_m` of each model m, and the
    loss :math:`v = (t - c)^2` of a constant c near the mean m of the expected outputs t. Because
    :math:`(t - m)^2 = v - 2 (m - c)(t - c) + (m - c)^2`, the moments of l, v and t - c are sufficient for R² and for
    its standard error.

    Parameters
    ----------
    n_models : int
        Number of models.
    is_pooled : bool
        Whether the losses of all outputs are added, as for probabilities.
    has_errors : bool, default=True
        Whether standard errors are wanted.
    """

    def __init__(self, n_models: int, is_pooled: bool, *, has_errors: bool = True) -> None:
        self.n_models, self.is_pooled, self.has_errors = n_models, is_pooled, has_errors
        self.centre, self.least, self.most = np.zeros((3, 0))
        self.moments: Moments | None = None

    def update(self, expected: np.ndarray, outputs: list[np.ndarray], weight: np.ndarray | None) -> None:
        """Add the outputs of all models for some rows."""
        expected = expected.reshape(len(expected), -1)
        if self.moments is None:
            self._begin(expected, weight)
        assert self.moments is not None
        away = expected - self.centre
        losses = [(expected - each.reshape(expected.shape)) ** 2 for each in outputs] + [away**2]
        if self.is_pooled:
            losses = [each @ np.ones((each.shape[1], 1)) for each in losses]  # faster than numpy adds up short rows
        if not self.is_varying.all():
            self._note_range(expected if weight is None or weight.all() else expected[weight > 0])
        self.moments.update(np.hstack([*losses, away]), weight)

    def _note_range(self, counted: np.ndarray) -> None:
        """Note the range of outputs, until all are known to differ between rows."""
        if len(counted):
            self.least = np.minimum(self.least, counted.min(axis=0))
            self.most = np.maximum(self.most, counted.max(axis=0))

    def _begin(self, expected: np.ndarray, weight: np.ndarray | None) -> None:
        has_weight = weight is None or weight.any()
        self.centre = np.average(expected, axis=0, weights=weight if has_weight else None)
        self.least, self.most = np.full((2, expected.shape[1]), np.inf) * np.array([[1], [-1]])
        n_units = 1 if self.is_pooled else expected.shape[1]
        self.moments = Moments(n_units * (self.n_models + 1) + expected.shape[1], has_second=self.has_errors)

    def add(self, other: "SquaredErrors") -> None:
        """Add the rows of other sums of the same models and outputs."""
        if other.moments is None:
            return
        if self.moments is None:
            self.centre, self.least, self.most = other.centre, other.least.copy(), other.most.copy()
            self.moments = Moments(len(other.moments.first), has_second=self.has_errors)
        matrix, offset = self._shift(other.centre, self.centre)
        self.moments.add(other.moments.mapped(matrix, offset))
        self.least, self.most = np.minimum(self.least, other.least), np.maximum(self.most, other.most)

    @property
    def n_units(self) -> int:
        """Number of outputs that have a loss of their own."""
        return 1 if self.is_pooled else len(self.centre)

    @property
    def is_varying(self) -> np.ndarray:
        """Which expected outputs differ between rows, of shape (n_outputs,)."""
        return np.asarray(self.most > self.least)

    def r_squared(self, model: int, output: int | None = None) -> float:
        """Return R² of a model, as :func:`sklearn.metrics.r2_score` does; NaN for a single row or without any."""
        if self.moments is None or self.moments.n_rows < 2:
            return float("nan")
        scores = self._scores(model)
        return float(scores.mean() if output is None else scores[output])

    def mean_loss(self, model: int) -> np.ndarray:
        """Return the mean squared error of each output, or their sum if they are pooled."""
        assert self.moments is not None
        n_units = self.n_units
        return np.asarray(self.moments.first[model * n_units : (model + 1) * n_units] / self.moments.weight)

    def standard_error(self, *of_models: float) -> float:
        """Return the standard error of a sum of the R² of the models, each multiplied by a number.

        The variance of the expected outputs is estimated too, so that it is that of the influence of each row.
        """
        assert self.moments is not None
        moved = self.moments.mapped(*self._shift(self.centre, self._mean()))
        direction = np.zeros(len(moved.first))
        n_units, unit = self.n_units, self._constant_loss()
        unit = np.where(unit > 0, unit, 1.0)
        for model, factor in enumerate(of_models):
            losses = slice(model * n_units, (model + 1) * n_units)
            constant = slice(self.n_models * n_units, (self.n_models + 1) * n_units)
            direction[losses] -= factor / unit / n_units
            direction[constant] += factor * self.mean_loss(model) / unit**2 / n_units
        return moved.standard_error(direction)

    def _scores(self, model: int) -> np.ndarray:
        lost, constant = self.mean_loss(model), self._constant_loss()
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(constant > 0, 1 - lost / constant, np.where(lost == 0, 1.0, 0.0))

    def _mean(self) -> np.ndarray:
        assert self.moments is not None
        return np.asarray(self.centre + self.moments.first[-len(self.centre) :] / self.moments.weight)

    def _constant_loss(self) -> np.ndarray:
        """Return the mean loss of the best constant: exactly 0 for outputs that are constant."""
        assert self.moments is not None
        n_units, weight = self.n_units, self.moments.weight
        away = self.moments.first[-len(self.centre) :] / weight
        constant = self.moments.first[self.n_models * n_units : (self.n_models + 1) * n_units] / weight
        if self.is_pooled:
            return np.where(self.is_varying.any(), np.maximum(constant - away @ away, 0.0), 0.0)
        return np.where(self.is_varying, np.maximum(constant - away**2, 0.0), 0.0)

    def _shift(self, before: np.ndarray, after: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the affine function from the columns about one centre to those about another."""
        assert self.moments is not None
        n_columns, n_outputs, n_units = len(self.moments.first), len(before), self.n_units
        moved = after - before
        matrix, offset = np.eye(n_columns), np.zeros(n_columns)
        offset[-n_outputs:] = -moved
        constant = self.n_models * n_units + np.arange(n_outputs) * (not self.is_pooled)
        matrix[constant, n_columns - n_outputs + np.arange(n_outputs)] = -2 * moved
        np.add.at(offset, constant, moved**2)
        return matrix, offset


class FidelitySums:
    """Fidelity of a student to its teacher on rows that are not in memory at once.

    The sums are updated with the outputs for some rows after the other, in any order and in chunks of any size, and the
    sums of several processes can be joined.

    Parameters
    ----------
    multioutput : {"auto", "uniform_average", "variance_weighted"}, default="auto"
        As for :func:`fidelity`; ``"auto"`` judges by the first rows.

    Attributes
    ----------
    fidelity : float
        That of :func:`fidelity` on all rows so far; NaN for fewer than two.
    standard_error : float
        Standard error of the fidelity; NaN for fewer than two rows.
    n_rows : int
        Number of rows with a weight above zero.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.metrics import FidelitySums, fidelity
    >>> teacher = np.arange(10.0)
    >>> student = teacher + np.tile([0.5, -0.5], 5)
    >>> first, rest = FidelitySums(), FidelitySums()
    >>> both = first.update(teacher[:4], student[:4]).join(
    ...     rest.update(teacher[4:], student[4:])
    ... )
    >>> round(both.fidelity, 6), round(fidelity(teacher, student), 6), both.n_rows
    (0.969697, 0.969697, 10)
    """

    def __init__(self, multioutput: Average = "auto") -> None:
        check_choice(self, "multioutput", multioutput, AVERAGES)
        self.multioutput = multioutput
        self._errors: SquaredErrors | None = None

    def update(self, teacher_outputs: Any, student_outputs: Any, sample_weight: Any = None) -> Self:
        """Add the outputs of both models for some rows.

        Parameters
        ----------
        teacher_outputs, student_outputs : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Class probabilities, or values.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row.

        Returns
        -------
        self : FidelitySums

        Raises
        ------
        ValueError
            If shapes differ from each other or from those before, or if values are NaN or infinite.
        """
        names = ("teacher_outputs", "student_outputs")
        teacher, student = check_outputs("FidelitySums", names, teacher_outputs, student_outputs)
        weight = _weights(sample_weight, len(teacher))
        if self._errors is None:
            self._errors = SquaredErrors(1, self._is_pooled(teacher))
        elif teacher.reshape(len(teacher), -1).shape[1] != len(self._errors.centre):
            raise ValueError(
                f"FidelitySums: outputs of shape {teacher.shape} after some with {len(self._errors.centre)} columns; "
                "expected the same number."
            )
        self._errors.update(teacher, [student], weight)
        return self

    def join(self, other: "FidelitySums") -> Self:
        """Add the rows of other sums.

        Parameters
        ----------
        other : FidelitySums
            Of the same models, with the same ``multioutput``.

        Returns
        -------
        self : FidelitySums
        """
        if other._errors is None:
            return self
        if self._errors is None:
            self._errors = SquaredErrors(1, other._errors.is_pooled)
        self._errors.add(other._errors)
        return self

    @property
    def n_rows(self) -> int:
        """Number of rows with a weight above zero."""
        return 0 if self._errors is None or self._errors.moments is None else self._errors.moments.n_rows

    @property
    def fidelity(self) -> float:
        """R² of the student's outputs with respect to the teacher's on all rows so far."""
        return float("nan") if self._errors is None else self._errors.r_squared(0)

    @property
    def standard_error(self) -> float:
        """Standard error of the fidelity."""
        return float("nan") if self.n_rows < 2 or self._errors is None else self._errors.standard_error(1.0)

    def _is_pooled(self, teacher: np.ndarray) -> bool:
        if self.multioutput != "auto":
            return self.multioutput == "variance_weighted"
        is_many = teacher.ndim == 2 and teacher.shape[1] > 1
        return is_many and bool(np.allclose(teacher.sum(axis=1), 1, atol=SUM_TOLERANCE))


def _weights(sample_weight: Any, n_rows: int) -> np.ndarray | None:
    """Return checked weights, which may all be zero within a chunk."""
    if sample_weight is None:
        return None
    weight = as_floats("FidelitySums", "sample_weight", sample_weight)
    if weight.shape == (n_rows,) and not weight.any():
        check_finite("FidelitySums", "sample_weight", weight)
        return weight
    return check_row_weights("FidelitySums", weight, n_rows)
