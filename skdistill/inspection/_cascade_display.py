"""``CascadeDisplay``: the share of rows that the student of a cascade answers, against what may be promised."""

from typing import Any, Self

import numpy as np

from .._validation import check_fitted
from ..metrics import clopper_pearson
from ._style import BLUE, GREY, VERMILLION, axes


class CascadeDisplay:
    """What a cascade keeps at each threshold, against the share of rows that its student answers.

    Create it with :meth:`from_estimator`. All parameters are stored as attributes.

    Parameters
    ----------
    share_student : ndarray of shape (n_thresholds,)
        Share of the calibration rows that the student answers.
    kept : ndarray of shape (n_thresholds,)
        Share of the calibration rows on which the cascade agrees.
    bound : ndarray of shape (n_thresholds,)
        Lower bound of that share, for each threshold by itself.
    promise : float
        The promised share.
    chosen : int
        Position of the threshold that was chosen.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes of the display.
    figure_ : matplotlib Figure
        The figure that contains it.
    line_, bound_ : matplotlib Line2D
        The share that is kept, and its bound.
    promise_ : matplotlib Line2D
        The promise.
    point_ : matplotlib PathCollection
        The chosen threshold.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.inspection import CascadeDisplay
    >>> display = CascadeDisplay(
    ...     share_student=np.array([0.0, 0.8, 1.0]),
    ...     kept=np.array([1.0, 0.997, 0.98]),
    ...     bound=np.array([0.995, 0.991, 0.97]),
    ...     promise=0.99,
    ...     chosen=1,
    ... ).plot()
    >>> display.ax_.get_xlabel()
    'share of rows answered by the student'
    """

    def __init__(self, *, share_student: Any, kept: Any, bound: Any, promise: float, chosen: int) -> None:
        self.share_student = share_student
        self.kept = kept
        self.bound = bound
        self.promise = promise
        self.chosen = chosen

    @classmethod
    def from_estimator(cls, cascade: Any, *, ax: Any = None) -> Self:
        """Show the thresholds that a cascade has tested.

        Parameters
        ----------
        cascade : CascadeClassifier or CascadeRegressor
            Fitted.
        ax : matplotlib Axes or None, default=None
            ``None`` creates a new figure.

        Returns
        -------
        display : CascadeDisplay
        """
        check_fitted(cascade, "path_")
        path = cascade.path_
        n_kept = np.rint(path.kept * path.n_rows).astype(int)
        bound = clopper_pearson(n_kept, path.n_rows, confidence=cascade.confidence, side="lower")[0]
        display = cls(
            share_student=path.share_student,
            kept=path.kept,
            bound=bound,
            promise=path.agreement,
            chosen=path.chosen,
        )
        return display.plot(ax)

    def plot(self, ax: Any = None) -> Self:
        """Draw the display.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            ``None`` creates a new figure.

        Returns
        -------
        display : CascadeDisplay
        """
        ax = axes(f"{type(self).__name__}.plot", ax)
        share = np.asarray(self.share_student)
        (self.line_,) = ax.plot(share, self.kept, color=BLUE, label="kept on the calibration rows")
        (self.bound_,) = ax.plot(share, self.bound, color=BLUE, linestyle=":", label="its lower bound")
        self.promise_ = ax.axhline(self.promise, color=GREY, linewidth=1, label="promise")
        at = share[self.chosen], np.asarray(self.bound)[self.chosen]
        self.point_ = ax.scatter([at[0]], [at[1]], color=VERMILLION, zorder=3, label=f"chosen: {at[0]:.1%} of the rows")
        ax.set_xlabel("share of rows answered by the student")
        ax.set_ylabel("share of rows kept")
        ax.legend(frameon=False, fontsize="small")
        self.ax_, self.figure_ = ax, ax.figure
        return self
