"""``ColumnsDisplay``: fidelity of students that see fewer and fewer columns."""

from typing import Any, Self

import numpy as np

from .._validation import check_fitted
from ..metrics._unwrapping import distilled_inside
from ._style import BLUE, VERMILLION, axes, check_drawable

MOST_LABELS = 30
"""Maximum number of steps that are labelled with the columns left out."""

MOST_NAMES = 2
"""Maximum number of columns that are named in a label."""


class ColumnsDisplay:
    """Fidelity against the number of columns that the student sees, with the columns left out at each step.

    Create it with :meth:`from_estimator`. All parameters are stored as attributes.

    Parameters
    ----------
    n_columns : ndarray of int, shape (n_steps,)
        Number of columns, from all to the fewest.
    fidelity : ndarray of shape (n_steps,)
        R² of the outputs of a small student with respect to the teacher's, on rows that it was not fitted on.
    left_out : list of tuple of str
        Names of the columns left out at each step.
    chosen : int or None, default=None
        Index of the step that is marked.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes of the display.
    figure_ : matplotlib Figure
        The figure that contains it.
    line_ : matplotlib Line2D
        The fidelity.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill import DistilledRegressor
    >>> from skdistill.inspection import ColumnsDisplay
    >>> X = np.random.default_rng(0).uniform(size=(200, 4))
    >>> model = DistilledRegressor(
    ...     lambda X: X[:, 0] + X[:, 2], "linear", student_columns="auto", random_state=0
    ... )
    >>> display = ColumnsDisplay.from_estimator(model.fit(X))
    >>> display.ax_.get_ylabel()
    'left out (columns left)'
    """

    def __init__(self, *, n_columns: Any, fidelity: Any, left_out: Any, chosen: int | None = None) -> None:
        self.n_columns = n_columns
        self.fidelity = fidelity
        self.left_out = left_out
        self.chosen = chosen

    @classmethod
    def from_estimator(cls, estimator: Any, *, ax: Any = None) -> Self:
        """Show the ``columns_path_`` of a distilled estimator.

        Parameters
        ----------
        estimator : fitted DistilledClassifier or DistilledRegressor, or a pipeline or search that ends in one
            Fitted with ``student_columns``.
        ax : matplotlib Axes or None, default=None
            ``None`` creates a new figure.

        Returns
        -------
        display : ColumnsDisplay

        Raises
        ------
        ValueError
            If the estimator has no ``columns_path_``.
        """
        who = f"{cls.__name__}.from_estimator"
        check_drawable(who)
        distilled, _ = distilled_inside(estimator, None, who=who)
        check_fitted(distilled, "student_")
        path = getattr(distilled, "columns_path_", None)
        if path is None:
            raise ValueError(
                f"{who}: this {type(distilled).__name__} has no columns_path_; expected one fitted with "
                "student_columns and at least 20 real rows."
            )
        display = cls(
            n_columns=path["n_columns"],
            fidelity=path["fidelity"],
            left_out=[tuple(map(str, each)) for each in path["left_out"]],
            chosen=int(np.flatnonzero(path["is_chosen"])[0]),
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
        display : ColumnsDisplay
        """
        kept, steps = np.asarray(self.fidelity, dtype=float), np.arange(len(self.fidelity))
        height = max(3.0, 0.28 * min(len(steps), MOST_LABELS) + 1.2)
        ax = axes(f"{type(self).__name__}.plot", ax, figsize=(6.4, height))
        (self.line_,) = ax.plot(kept, steps, marker="o", markersize=4, color=BLUE)
        if self.chosen is not None:
            ax.plot(
                kept[self.chosen], self.chosen, "o", markersize=11, fillstyle="none", color=VERMILLION, label="chosen"
            )
            ax.legend(frameon=False, fontsize="small", loc="upper left")
        shown = steps if len(steps) <= MOST_LABELS else np.unique(np.linspace(0, steps[-1], MOST_LABELS).astype(int))
        ax.set_yticks(shown, [self._label(int(step)) for step in shown], parse_math=False)
        ax.invert_yaxis()
        ax.set(xlabel="fidelity (R²)", ylabel="left out (columns left)")
        ax.grid(alpha=0.25)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _label(self, step: int) -> str:
        """Return the names of the columns that a step leaves out, and the number of columns that are left."""
        names, left = self.left_out[step], self.n_columns[step]
        if not names:
            return f"none ({left})"
        others = "" if len(names) <= MOST_NAMES else f" and {len(names) - MOST_NAMES} more"
        return f"{', '.join(names[:MOST_NAMES])}{others} ({left})"
