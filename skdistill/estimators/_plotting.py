"""``plot``: the displays of a distilled estimator, one call away."""

from importlib import import_module
from typing import Any, Literal

from .._described import described
from .._validation import check_choice, check_fitted

DisplayName = Literal["auto", "fidelity", "disagreement", "sampler", "size_fidelity", "columns"]
"""The displays of a distilled estimator, by the names of their classes."""

DISPLAYS = {
    "fidelity": "FidelityDisplay",
    "disagreement": "DisagreementDisplay",
    "sampler": "SamplerDisplay",
    "size_fidelity": "SizeFidelityDisplay",
    "columns": "ColumnsDisplay",
}
"""The class of each display in ``skdistill.inspection``."""

NEEDS_ROWS = ("fidelity", "disagreement", "sampler")
"""Displays that query models for rows; the others show what ``fit`` has measured."""


class PlotMixin:
    """Mixin for an estimator that :mod:`skdistill.inspection` can display."""

    def plot(self, X: Any = None, *, display: DisplayName = "auto", ax: Any = None, **options: Any) -> Any:
        """Draw a display of the fitted estimator.

        A shortcut to the ``from_estimator`` methods of the displays in :mod:`skdistill.inspection`. It needs
        matplotlib.

        Parameters
        ----------
        X : table of shape (n_samples, n_features) or None, default=None
            Rows, best those that the student was not fitted on. ``"fidelity"``, ``"disagreement"`` and ``"sampler"``
            need them, and query the teacher for them.
        display : {"auto", "fidelity", "disagreement", "sampler", "size_fidelity", "columns"}, default="auto"
            What is drawn:

            - ``"fidelity"``: the student's outputs against the teacher's;
            - ``"disagreement"``: rules that describe where they differ;
            - ``"sampler"``: real and synthetic rows;
            - ``"size_fidelity"``: the students that ``student="auto"`` has compared, by size; or with ``X`` and
              ``sizes``, students of these sizes, which are fitted first;
            - ``"columns"``: the fidelity by number of columns, after a fit with ``student_columns``.

            ``"auto"`` is ``"fidelity"`` if ``X`` is given, and ``"size_fidelity"`` otherwise.
        ax : matplotlib Axes or None, default=None
            ``None`` creates a new figure.
        **options : dict
            Further arguments of ``from_estimator`` of the display, such as ``features=[0, 1]`` for ``"sampler"``.

        Returns
        -------
        display : display of :mod:`skdistill.inspection`
            With the attributes ``ax_`` and ``figure_``.

        Raises
        ------
        ValueError
            If ``display`` is unknown, if it needs rows and ``X`` is ``None``, or if ``fit`` has not measured what it
            shows.
        ImportError
            If matplotlib is not installed.

        Examples
        --------
        >>> import numpy as np
        >>> from skdistill import DistilledRegressor
        >>> X = np.linspace(0, 1, 80).reshape(-1, 1)
        >>> model = DistilledRegressor(
        ...     lambda X: X[:, 0] ** 2, "tree", sampler=None, random_state=0
        ... )
        >>> display = model.fit(X[::2]).plot(X[1::2])
        >>> display.ax_.get_xlabel()
        'teacher'
        """
        who = f"{type(self).__name__}.plot"
        check_choice(who, "display", display, ("auto", *DISPLAYS))
        if isinstance(X, str):
            raise ValueError(
                f"{who}: X={described(X)}; expected rows. Pass display={described(X)} to choose a display."
            )
        if display == "auto":
            display = "size_fidelity" if X is None else "fidelity"
        if "sizes" not in options:
            check_fitted(self, "student_")
            _check_rows(who, display, X, has_candidates=hasattr(self, "candidates_"))
        # the displays are above the estimators: their room is only looked up when one is drawn
        drawn = getattr(import_module("skdistill.inspection"), DISPLAYS[display])
        rows = () if X is None else (X,)
        return drawn.from_estimator(self, *rows, ax=ax, **options)


def _check_rows(who: str, display: str, X: Any, *, has_candidates: bool) -> None:
    """Raise an error if a display lacks rows, or shows what ``fit`` has measured and got some."""
    if X is None and display in NEEDS_ROWS:
        raise ValueError(f"{who}: display={display!r} needs rows X; pass rows that the student was not fitted on.")
    if X is not None and display not in NEEDS_ROWS:
        sizes = " Pass sizes, too, to fit students of these sizes." if display == "size_fidelity" else ""
        raise ValueError(f"{who}: display={display!r} shows what fit has measured; got rows X, expected X=None.{sizes}")
    if display == "size_fidelity" and not has_candidates:
        raise ValueError(
            f"{who}: fit has compared no students, and X is None. Pass rows X to draw the fidelity of the student, or "
            'fit with student="auto".'
        )
