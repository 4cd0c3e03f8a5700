"""The threshold of a cascade: the boldest one that is proved to keep the promise, by testing in a fixed sequence."""

from dataclasses import dataclass

import numpy as np

from ..metrics import binomial_p_value, fixed_sequence
from ..metrics._binomial import most_failures

N_BETWEEN = 8
"""Number of thresholds between neighbouring certainties of known rows: calibration rows may lie between these."""

MOST_KNOWN = 500
"""Number of known rows, evenly among all, between which thresholds are tested."""

TIED = 1e-6
"""Certainties that are closer than this share of their range are not separated by a threshold."""


@dataclass(frozen=True, eq=False, repr=False)
class CascadePath:
    """What happens on the calibration rows at each threshold, from the strictest to the boldest.

    Parameters
    ----------
    thresholds : ndarray of shape (n_thresholds,)
        In falling order, fixed before calibration rows were looked at. The first, infinity, leaves all rows to the
        teacher, and the last, minus infinity, none.
    share_student : ndarray of shape (n_thresholds,)
        Share of rows that the student answers.
    kept : ndarray of shape (n_thresholds,)
        Share of rows for which the cascade does what is promised.
    p_values : ndarray of shape (n_thresholds,)
        Of the hypothesis that the promise is broken at this threshold.
    is_proved : ndarray of bool, shape (n_thresholds,)
        Whether this hypothesis is refuted, by testing in a fixed sequence.
    agreement : float
        The promised share.
    n_rows : int
        Number of calibration rows.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.cascades import CascadePath
    >>> path = CascadePath(
    ...     np.array([np.inf, 0.5]),
    ...     np.array([0, 0.8]),
    ...     np.ones(2),
    ...     np.array([0.01, 0.01]),
    ...     np.ones(2, bool),
    ...     0.9,
    ...     90,
    ... )
    >>> path
    <CascadePath: 2 thresholds on 90 rows; at 0.5, the student answers 0.8000, and 1.0000 is kept>
    """

    thresholds: np.ndarray
    share_student: np.ndarray
    kept: np.ndarray
    p_values: np.ndarray
    is_proved: np.ndarray
    agreement: float
    n_rows: int

    @property
    def chosen(self) -> int:
        """Position of the boldest threshold that is proved; 0 if there is none."""
        return int(self.is_proved.sum()) - 1 if self.is_proved.any() else 0

    @property
    def threshold(self) -> float:
        """The chosen threshold."""
        return float(self.thresholds[self.chosen])

    @property
    def share(self) -> float:
        """Share of the calibration rows that the student answers at the chosen threshold."""
        return float(self.share_student[self.chosen])

    def __repr__(self) -> str:
        return (
            f"<CascadePath: {len(self.thresholds):,} thresholds on {self.n_rows:,} rows; at {self.threshold:.4g}, the "
            f"student answers {self.share:.4f}, and {self.kept[self.chosen]:.4f} is kept>"
        )


def grid_of(certainty: np.ndarray, *, is_nested: bool = True) -> np.ndarray:
    """Return thresholds in falling order: infinity, values between distinct certainties of rows, minus infinity.

    A threshold that equals the certainty of rows would separate them by the last bits, which differ between one row and
    many.

    Parameters
    ----------
    certainty : ndarray of shape (n_rows,)
    is_nested : bool, default=True
        Whether each row that fails at a threshold also fails at all bolder ones, since the teacher never fails. Testing
        is then not stopped earlier by more thresholds, and there are several between two rows.
    """
    known = np.unique(certainty[np.isfinite(certainty)])[::-1]
    if len(known) > MOST_KNOWN:
        known = known[np.linspace(0, len(known) - 1, MOST_KNOWN).round().astype(int)]
    steps = -np.diff(known)
    is_apart = steps > TIED * np.ptp(known) if known.size else np.zeros(0, dtype=bool)
    n_between = N_BETWEEN if is_nested else 1
    parts = (np.arange(n_between) + 0.5) / n_between
    between = known[:-1][is_apart, None] - steps[is_apart, None] * parts
    return np.concatenate([[np.inf], between.ravel(), [-np.inf]])


def path_of(
    grid: np.ndarray,
    certainty: np.ndarray,
    student_fails: np.ndarray,
    teacher_fails: np.ndarray,
    agreement: float,
    confidence: float,
) -> CascadePath:
    """Test at each threshold whether the cascade fails for less than the share of rows that may fail.

    Parameters
    ----------
    grid : ndarray of shape (n_thresholds,)
        In falling order; it must not depend on these rows.
    certainty : ndarray of shape (n_rows,)
        Rows whose certainty is NaN are left to the teacher.
    student_fails, teacher_fails : ndarray of bool, shape (n_rows,)
        Whether the promise would be broken for a row by either answer.
    agreement, confidence : float in (0, 1)
    """
    order = np.argsort(-certainty, kind="stable")  # NaN comes last, after minus infinity
    n_answered = np.searchsorted(-certainty[order], -grid, side="right")
    by_student = np.append(0, np.cumsum(student_fails[order]))[n_answered]
    by_teacher = int(teacher_fails.sum()) - np.append(0, np.cumsum(teacher_fails[order]))[n_answered]
    n_rows, n_failures = len(certainty), by_student + by_teacher
    p_values = binomial_p_value(n_failures, n_rows, 1 - agreement)
    is_proved = fixed_sequence(p_values, confidence=confidence)
    return CascadePath(
        grid, n_answered / n_rows, 1 - n_failures / n_rows, p_values, is_proved, float(agreement), n_rows
    )


def as_strict(n_rows: int, agreement: float, confidence: float) -> int:
    """Return the smallest number of rows among which as many may fail as among ``n_rows``.

    The exact test of fewer rows with as many failures is a bolder one: of 1,200 rows, 6 may fail if 99 % are promised
    with confidence 0.95, and so may 6 of 1,182.
    """
    limit, error = 1 - agreement, 1 - confidence
    low, high, allowed = 0, n_rows, most_failures(np.array([n_rows]), limit, error)[0]
    while allowed >= 0 and high - low > 1:
        middle = (low + high) // 2
        enough = most_failures(np.array([middle]), limit, error)[0] >= allowed
        low, high = (low, middle) if enough else (middle, high)
    return high


def least_share(share: float, n_rows: int, confidence: float) -> float:
    r"""Return a lower bound of the share of all rows that the student answers.

    The threshold was chosen on the same rows, so that the bound must hold for all thresholds at once: it is that of
    Dvoretzky, Kiefer, Wolfowitz and Massart, :math:`\sqrt{\log(1 / \alpha) / 2 n}` below the share.
    """
    error = min(1 - confidence, 0.5)  # the inequality is proved for error probabilities of at most a half
    return max(0.0, share - float(np.sqrt(np.log(1 / error) / (2 * n_rows))))
