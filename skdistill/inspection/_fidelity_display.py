"""``FidelityDisplay``: the student's outputs against the teacher's."""

from typing import Any, Literal, Self, get_args

import numpy as np

from .._validation import check_choice
from ..metrics._checks import check_count
from ._answers import ask_both, draw_rows, given_answers
from ._style import BLUE, COLORS, VERMILLION, axes, check_drawable, ink

Kind = Literal["student_vs_teacher", "difference_vs_teacher"]
KINDS = get_args(Kind)


class FidelityDisplay:
    """The student's outputs against the teacher's, with one point per row and output.

    Create it with :meth:`from_estimator` or :meth:`from_predictions`. All parameters are stored as attributes.

    Parameters
    ----------
    teacher_outputs, student_outputs : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        Class probabilities (at least two columns that sum to one in each row), or values.
    classes : ndarray of shape (n_classes,) or None, default=None
        Labels of the columns of probabilities; ``None`` for values.
    fidelity : float or None, default=None
        R² of the student's outputs with respect to the teacher's, for the title.
    same_label : ndarray of bool, shape (n_samples,), or None, default=None
        Whether teacher and student predict the same label for a row of probabilities. ``None`` compares the labels of
        the largest probabilities.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes of the display.
    figure_ : matplotlib Figure
        The figure that contains it.
    scatter_ : list of matplotlib PathCollection
        The points: for probabilities, those of rows with the same label and those with different labels; for values,
        those of each output.
    line_ : matplotlib Line2D
        The line on which the outputs of student and teacher are equal.

    See Also
    --------
    DisagreementDisplay : Where teacher and student differ.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.ensemble import RandomForestRegressor
    >>> from skdistill import DistilledRegressor
    >>> from skdistill.inspection import FidelityDisplay
    >>> X, y = load_diabetes(return_X_y=True)
    >>> forest = RandomForestRegressor(20, random_state=0).fit(X[:300], y[:300])
    >>> model = DistilledRegressor(forest, "boosting", sampler=None, random_state=0).fit(
    ...     X[:300]
    ... )
    >>> display = FidelityDisplay.from_estimator(model, X[300:])
    >>> display.ax_.get_xlabel()
    'teacher'
    """

    def __init__(
        self,
        *,
        teacher_outputs: Any,
        student_outputs: Any,
        classes: Any = None,
        fidelity: float | None = None,
        same_label: Any = None,
    ) -> None:
        self.teacher_outputs = teacher_outputs
        self.student_outputs = student_outputs
        self.classes = classes
        self.fidelity = fidelity
        self.same_label = same_label

    @classmethod
    def from_estimator(
        cls,
        model: Any,
        X: Any,
        *,
        teacher: Any = None,
        sample_weight: Any = None,
        kind: Kind = "student_vs_teacher",
        subsample: int | None = 2000,
        random_state: Any = None,
        ax: Any = None,
        scatter_kwargs: dict[str, Any] | None = None,
        line_kwargs: dict[str, Any] | None = None,
    ) -> Self:
        """Query teacher and student for the rows of ``X``, and draw their outputs.

        Parameters
        ----------
        model : estimator
            A fitted ``DistilledClassifier`` or ``DistilledRegressor``, a pipeline or search that ends in one, or any
            fitted model together with ``teacher``.
        X : table of shape (n_samples, n_features)
            Rows that the student was not fitted on. No labels are needed.
        teacher : object or None, default=None
            A teacher as accepted by :func:`~skdistill.as_teacher`. ``None`` is the teacher the model was distilled
            from.
        sample_weight : array-like of shape (n_samples,) or None, default=None
            Weight of each row in the fidelity; rows with weight 0 are not drawn.
        kind : {"student_vs_teacher", "difference_vs_teacher"}, default="student_vs_teacher"
            The y-axis: the student's outputs, or their differences to the teacher's.
        subsample : int or None, default=2000
            Maximum number of rows, drawn at random; ``None`` uses all rows.
        random_state : int, RandomState instance or None, default=None
            Seed for drawing the rows.
        ax : matplotlib Axes or None, default=None
            ``None`` creates a new figure.
        scatter_kwargs, line_kwargs : dict or None, default=None
            Passed to ``scatter`` and ``plot`` of matplotlib.

        Returns
        -------
        display : FidelityDisplay
        """
        who = f"{cls.__name__}.from_estimator"
        check_drawable(who)
        _check_kind(cls.__name__, kind)
        if subsample is not None:
            check_count(who, "subsample", subsample)
        answers = ask_both(
            who,
            model,
            X,
            teacher=teacher,
            sample_weight=sample_weight,
            max_rows=subsample,
            random_state=random_state,
        )
        display = cls(
            teacher_outputs=answers.teacher,
            student_outputs=answers.student,
            classes=answers.classes,
            fidelity=answers.fidelity,
            same_label=answers.same_label,
        )
        return display.plot(ax, kind=kind, scatter_kwargs=scatter_kwargs, line_kwargs=line_kwargs)

    @classmethod
    def from_predictions(
        cls,
        teacher_outputs: Any,
        student_outputs: Any,
        *,
        classes: Any = None,
        same_label: Any = None,
        sample_weight: Any = None,
        kind: Kind = "student_vs_teacher",
        subsample: int | None = 2000,
        random_state: Any = None,
        ax: Any = None,
        scatter_kwargs: dict[str, Any] | None = None,
        line_kwargs: dict[str, Any] | None = None,
    ) -> Self:
        """Draw given outputs.

        Parameters
        ----------
        teacher_outputs, student_outputs : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Class probabilities or values.
        classes : array-like of shape (n_classes,) or None, default=None
            Labels of the columns of probabilities; ``None`` for values.
        same_label : array-like of bool, shape (n_samples,), or None, default=None
            Whether both models predict the same label; ``None`` compares the labels of the largest probabilities.
        sample_weight, kind, subsample, random_state, ax, scatter_kwargs, line_kwargs
            As for :meth:`from_estimator`; fidelity is computed on all rows.

        Returns
        -------
        display : FidelityDisplay
        """
        who = f"{cls.__name__}.from_predictions"
        check_drawable(who)
        _check_kind(cls.__name__, kind)
        if subsample is not None:
            check_count(who, "subsample", subsample)
        answers = given_answers(who, teacher_outputs, student_outputs, classes=classes, sample_weight=sample_weight)
        rows = draw_rows(answers.weight, subsample, random_state)
        display = cls(
            teacher_outputs=answers.teacher[rows],
            student_outputs=answers.student[rows],
            classes=answers.classes,
            fidelity=answers.fidelity,
            same_label=None if same_label is None else np.asarray(same_label)[answers.rows][rows],
        )
        return display.plot(ax, kind=kind, scatter_kwargs=scatter_kwargs, line_kwargs=line_kwargs)

    def plot(
        self,
        ax: Any = None,
        *,
        kind: Kind = "student_vs_teacher",
        scatter_kwargs: dict[str, Any] | None = None,
        line_kwargs: dict[str, Any] | None = None,
    ) -> Self:
        """Draw the display.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            ``None`` creates a new figure.
        kind : {"student_vs_teacher", "difference_vs_teacher"}, default="student_vs_teacher"
            The y-axis.
        scatter_kwargs, line_kwargs : dict or None, default=None
            Passed to ``scatter`` and ``plot`` of matplotlib.

        Returns
        -------
        display : FidelityDisplay
        """
        _check_kind(type(self).__name__, kind)
        ax = axes(f"{type(self).__name__}.plot", ax)
        teacher = np.asarray(self.teacher_outputs)
        upwards = np.asarray(self.student_outputs) - (teacher if kind == "difference_vs_teacher" else 0)
        self.scatter_ = [
            ax.scatter(
                teacher_points, points, **{"s": 14, "alpha": 0.6, "linewidths": 0, **look, **(scatter_kwargs or {})}
            )
            for teacher_points, points, look in self._series(teacher, upwards)
        ]
        ends = np.array([teacher.min(), teacher.max()])
        level = np.zeros(2) if kind == "difference_vs_teacher" else ends
        (self.line_,) = ax.plot(
            ends, level, **{"color": ink(), "linewidth": 1, "linestyle": "--", "alpha": 0.7, **(line_kwargs or {})}
        )
        what = "" if self.classes is None else ", probability"
        ax.set(xlabel="teacher" + what, ylabel=("student" if kind == KINDS[0] else "student - teacher") + what)
        if self.fidelity is not None:
            ax.set_title(f"fidelity (R²) {self.fidelity:.3f}, {len(teacher):,} rows shown", fontsize="medium")
        if len(self.scatter_) > 1:
            for handle in ax.legend(frameon=False, fontsize="small").legend_handles:
                handle.set_alpha(1)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _series(self, teacher: np.ndarray, upwards: np.ndarray) -> list[tuple[np.ndarray, np.ndarray, dict[str, Any]]]:
        """Return x, y and style of the points of each output, or of rows with the same and with different labels."""
        if self.classes is None:
            n_outputs = teacher.reshape(len(teacher), -1).shape[1]
            if n_outputs == 1 or n_outputs > len(COLORS):
                return [(teacher.ravel(), upwards.ravel(), {"color": BLUE})]
            names = [f"output {place}" for place in range(n_outputs)]
            return [
                (teacher[:, place], upwards[:, place], {"color": COLORS[place], "label": name})
                for place, name in enumerate(names)
            ]
        student = np.asarray(self.student_outputs)
        shown = slice(1, None) if len(self.classes) == 2 else slice(None)  # for two classes, one column is sufficient
        is_same = self.same_label
        is_other = teacher.argmax(axis=1) != student.argmax(axis=1) if is_same is None else ~np.asarray(is_same)
        looks = (
            (~is_other, {"color": BLUE, "label": f"same label ({np.mean(~is_other):.1%} of the rows)"}),
            (is_other, {"color": VERMILLION, "label": "different label", "marker": "X", "s": 28, "alpha": 0.8}),
        )
        return [
            (teacher[rows, shown].ravel(), upwards[rows, shown].ravel(), look) for rows, look in looks if rows.any()
        ]


def _check_kind(who: str, kind: str) -> None:
    check_choice(who, "kind", kind, KINDS)
