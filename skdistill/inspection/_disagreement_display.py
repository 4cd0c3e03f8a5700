"""``DisagreementDisplay``: rules that describe where teacher and student differ."""

import textwrap
from typing import Any, Self

import numpy as np

from ..metrics._checks import check_count
from ._answers import Answers, ask_both, given_answers
from ._rules import find_rules
from ._style import BLUE, axes, check_drawable, ink


class DisagreementDisplay:
    """Rules that describe where teacher and student differ, with counts and shares, the worst first.

    The rules are the leaves of a small tree that predicts the distance between teacher and student: the total variation
    between probabilities, or the absolute difference between values in standard deviations of the teacher. The rules
    are evaluated on the rows they were found on, so the worst one looks slightly worse than it is.

    Create it with :meth:`from_estimator` or :meth:`from_predictions`. All parameters are stored as attributes.

    Parameters
    ----------
    rules : list of str
        Conditions on the columns, such as ``"age > 30 and job is clerk"``. Each row satisfies exactly one rule.
    n_rows : ndarray of int, shape (n_rules,)
        Number of rows of each rule.
    distance : ndarray of shape (n_rules,)
        Mean distance between teacher and student.
    distance_error : ndarray of shape (n_rules,) or None, default=None
        Standard errors.
    share_of_distance : ndarray of shape (n_rules,) or None, default=None
        Share of each rule in the total distance.
    disagreement : ndarray of shape (n_rules,) or None, default=None
        Share of rows with different labels; ``None`` for values.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes of the display.
    figure_ : matplotlib Figure
        The figure that contains it.
    bars_ : matplotlib BarContainer
        One bar per rule.

    See Also
    --------
    FidelityDisplay : How much teacher and student differ.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.ensemble import RandomForestRegressor
    >>> from skdistill import DistilledRegressor
    >>> from skdistill.inspection import DisagreementDisplay
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> forest = RandomForestRegressor(20, random_state=0).fit(X[:250], y[:250])
    >>> model = DistilledRegressor(forest, "tree", sampler=None, random_state=0).fit(
    ...     X[:250]
    ... )
    >>> display = DisagreementDisplay.from_estimator(model, X[250:], max_rules=3)
    >>> int(sum(display.n_rows))
    192
    """

    def __init__(
        self,
        *,
        rules: list[str],
        n_rows: Any,
        distance: Any,
        distance_error: Any = None,
        share_of_distance: Any = None,
        disagreement: Any = None,
    ) -> None:
        self.rules = rules
        self.n_rows = n_rows
        self.distance = distance
        self.distance_error = distance_error
        self.share_of_distance = share_of_distance
        self.disagreement = disagreement

    @classmethod
    def from_estimator(
        cls,
        model: Any,
        X: Any,
        *,
        teacher: Any = None,
        sample_weight: Any = None,
        max_rules: int = 6,
        max_rows: int | None = 20_000,
        random_state: Any = None,
        ax: Any = None,
        **bar_kwargs: Any,
    ) -> Self:
        """Query teacher and student for the rows of ``X``, find rules, and draw them.

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
            Weight of each row.
        max_rules : int >= 1, default=6
            Maximum number of rules.
        max_rows : int or None, default=20_000
            Maximum number of rows, drawn at random; ``None`` uses all rows.
        random_state : int, RandomState instance or None, default=None
            Seed for drawing the rows.
        ax : matplotlib Axes or None, default=None
            ``None`` creates a new figure.
        **bar_kwargs : dict
            Passed to ``barh`` of matplotlib.

        Returns
        -------
        display : DisagreementDisplay
        """
        who = f"{cls.__name__}.from_estimator"
        check_drawable(who)
        check_count(who, "max_rules", max_rules)
        if max_rows is not None:
            check_count(who, "max_rows", max_rows)
        answers = ask_both(
            who,
            model,
            X,
            teacher=teacher,
            sample_weight=sample_weight,
            max_rows=max_rows,
            random_state=random_state,
        )
        return cls._of(answers, max_rules).plot(ax, **bar_kwargs)

    @classmethod
    def from_predictions(
        cls,
        X: Any,
        teacher_outputs: Any,
        student_outputs: Any,
        *,
        classes: Any = None,
        sample_weight: Any = None,
        max_rules: int = 6,
        ax: Any = None,
        **bar_kwargs: Any,
    ) -> Self:
        """Find rules for given outputs, and draw them.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)
            The rows, for the conditions of the rules.
        teacher_outputs, student_outputs : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Class probabilities or values.
        classes : array-like of shape (n_classes,) or None, default=None
            Labels of the columns of probabilities; ``None`` for values.
        sample_weight, max_rules, ax, **bar_kwargs
            As for :meth:`from_estimator`.

        Returns
        -------
        display : DisagreementDisplay
        """
        who = f"{cls.__name__}.from_predictions"
        check_drawable(who)
        check_count(who, "max_rules", max_rules)
        answers = given_answers(
            who, teacher_outputs, student_outputs, classes=classes, X=X, sample_weight=sample_weight
        )
        return cls._of(answers, max_rules).plot(ax, **bar_kwargs)

    @classmethod
    def _of(cls, answers: Answers, max_rules: int) -> Self:
        found = find_rules(answers, max_rules)
        return cls(
            rules=found.rule,
            n_rows=found.n_rows,
            distance=found.distance,
            distance_error=found.distance_error,
            share_of_distance=found.share_of_distance,
            disagreement=found.disagreement,
        )

    def plot(self, ax: Any = None, **bar_kwargs: Any) -> Self:
        """Draw the display.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            ``None`` creates a new figure.
        **bar_kwargs : dict
            Passed to ``barh`` of matplotlib.

        Returns
        -------
        display : DisagreementDisplay
        """
        ax = axes(f"{type(self).__name__}.plot", ax, figsize=(7, 0.8 + 0.62 * len(self.rules)))
        places = np.arange(len(self.rules))
        self.bars_ = ax.barh(
            places,
            self.distance,
            xerr=self.distance_error,
            **{"color": BLUE, "ecolor": ink(), "height": 0.62, "error_kw": {"linewidth": 0.8}, **bar_kwargs},
        )
        ax.set_yticks(places, [textwrap.fill(rule, 42) for rule in self.rules], fontsize="small", parse_math=False)
        ax.invert_yaxis()
        for place, text in enumerate(self._counts()):
            ax.annotate(
                text,
                (0, place),
                xytext=(1.01, place),
                textcoords=("axes fraction", "data"),
                va="center",
                fontsize="small",
            )
        ax.set_xlabel(
            "mean distance (standard deviations of the teacher)"
            if self.disagreement is None
            else "mean distance of probabilities (total variation)"
        )
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _counts(self) -> list[str]:
        """Return the texts next to the bars."""
        shares = np.asarray(self.n_rows) / np.sum(self.n_rows)
        lines = [f"{n_rows:,} rows ({share:.0%})" for n_rows, share in zip(self.n_rows, shares, strict=True)]
        if self.share_of_distance is not None:
            parts = zip(lines, self.share_of_distance, strict=True)
            lines = [f"{line}, {share:.0%} of the distance" for line, share in parts]
        if self.disagreement is not None:
            lines = [
                f"{line}\n{share:.1%} different label" for line, share in zip(lines, self.disagreement, strict=True)
            ]
        return lines
