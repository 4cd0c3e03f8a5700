"""The base class of both cascades: the steps of ``fit``, and the answers of two models."""

import datetime
import math
import platform
from collections.abc import Iterator
from dataclasses import dataclass
from numbers import Integral, Real
from time import perf_counter
from typing import Any, ClassVar, Self, overload

import numpy as np
import sklearn

import skdistill

from .._representation import Documented
from .._restoring import all_or_nothing
from .._tables import take_rows
from .._validation import (
    check_choice,
    check_fitted,
    check_number,
    check_random_state,
    check_table,
    input_tags_of,
    tags_of,
    warn_caller,
)
from ..certificates import Certificate, Statement
from ..certificates._digests import data_digest, student_digest
from ..compilation import compile
from ..compiled import CompiledCascade
from ..compiled._certainty import KINDS
from ..convert import rows_of_student
from ..datasets import DatasetLike, is_dataset
from ..datasets._for_models import answers_by_chunk
from ..estimators._fit_arguments import check_more_rows
from ..estimators._teacher_rule import TeacherMixin
from ..exceptions import TeacherWarning
from ..inspection import CascadeDisplay
from ..metrics import rows_needed
from ..metrics._binomial import check_possible
from ..metrics._checks import as_floats
from ..metrics._confidence import check_share
from ..teachers import Task, is_fitted_teacher
from ._learning import LEARNED_SHARE, Tuning, choose_certainty, kinds_of
from ._models import BOTH, Answers, Models, check_apart, check_unseen, has_recipe, resolve_models
from ._thresholds import as_strict, grid_of, least_share, path_of

PROMISES = ("teacher", "truth")


@dataclass(frozen=True)
class CascadeCosts:
    """What a row costs, measured in ``fit`` on the calibration rows, in one batch.

    Parameters
    ----------
    student, teacher : float
        Microseconds a row of either model.
    share_student : float
        Share of rows that the student answers.

    Examples
    --------
    >>> from skdistill.cascades import CascadeCosts
    >>> costs = CascadeCosts(student=1.0, teacher=100.0, share_student=0.9)
    >>> costs
    <CascadeCosts: microseconds a row: student 1, teacher 100, cascade 11; the student answers 0.9000>
    >>> round(costs.cascade, 6), round(costs.expected(teacher=0.02), 6)
    (11.0, 0.002)
    """

    student: float
    teacher: float
    share_student: float

    @property
    def cascade(self) -> float:
        """Microseconds a row of the cascade: each row is answered by the student, and deferred ones by the teacher."""
        return self.student + (1 - self.share_student) * self.teacher

    def __repr__(self) -> str:
        times = ", ".join(f"{name} {getattr(self, name):.3g}" for name in ("student", "teacher", "cascade"))
        return f"<CascadeCosts: microseconds a row: {times}; the student answers {self.share_student:.4f}>"

    def expected(self, *, teacher: float, student: float = 0.0) -> float:
        """Return the expected cost of a row, from what a query of each model costs.

        Parameters
        ----------
        teacher, student : float
            Cost of a row, in any unit.

        Returns
        -------
        cost : float
            In the same unit.
        """
        return student + (1 - self.share_student) * teacher


class BaseCascade(Documented, TeacherMixin):
    """Base of ``CascadeClassifier`` and ``CascadeRegressor``."""

    _kept_fitted = ("teacher", "student")
    _sets_itself = ("teacher", "student")
    _task: ClassVar[Task]

    teacher: Any
    student: Any
    agreement: float
    confidence: float
    promise: str
    certainty: str
    tuning_fraction: float
    n_synthetic: int
    chunk_size: int
    random_state: Any

    @all_or_nothing
    def fit(self, X: Any, y: Any = None, *, X_train: Any = None) -> Self:
        """Choose the threshold on calibration rows.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)
            Rows that neither the teacher nor the student was fitted on or selected with, drawn as those that the
            promise is about. The teacher is queried for all of them.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs) or None, default=None
            True labels or values. Only needed with ``promise="truth"``, and by a teacher that is not fitted.
        X_train : table of shape (n_train, n_features) or None, default=None
            Rows that the student was taught on, or others that are none of ``X``. They prove nothing, but the synthetic
            rows that scores are learned from are drawn from them, too, which tell more about the student than those of
            few tuning rows. The teacher is queried for at most ``n_synthetic`` of them. ``None`` is the rows that an
            unfitted model is fitted on, if there is one.

        Returns
        -------
        self : estimator

        Raises
        ------
        ValueError
            If there are too few rows for the promise (the message says how many are needed); if the student was taught
            on some of the rows, or if they are among ``X_train``; if the teacher itself does not keep a promise about
            the truth; if an argument is invalid.

        Warns
        -----
        UserWarning
            If all rows are deferred, since no threshold is proved to keep the promise.
        TeacherWarning
            If the teacher's answer is the same for all rows.
        """
        self._check_parameters()
        X = check_table(self, X, reset=True)
        y = self._check_y(X, y)
        check_unseen(self, X)
        X_train = check_more_rows(self, "X_train", X_train, X)
        if X_train is not None:
            check_apart(self, X, X_train)
        rng = check_random_state(self.random_state, self)
        fitting, tuning, calibration = self._split(X.shape[0], rng)
        models = resolve_models(self, self._task, X, y, fitting, rng)
        self._keep(models)
        if X_train is None and len(fitting):
            X_train = take_rows(X, fitting)
        certainty, grid = self._tune(models, X, y, tuning, rng, X_train)
        self._models, self._certainty = models, certainty
        self._calibrate(X, y, calibration, grid)
        return self

    def _check_parameters(self) -> None:
        name = type(self).__name__
        check_possible(name, "agreement", self.agreement)
        check_share(name, "confidence", self.confidence)
        check_choice(self, "promise", self.promise, PROMISES)
        known = KINDS if self._task == "classification" else KINDS[1:]
        check_choice(self, "certainty", self.certainty, ("auto", *known))
        check_share(name, "tuning_fraction", self.tuning_fraction)
        check_number(self, "n_synthetic", self.n_synthetic, kind=Integral, low=0)
        check_number(self, "chunk_size", self.chunk_size, kind=Integral, low=1)

    def _check_y(self, X: Any, y: Any) -> np.ndarray | None:
        """Return the checked truth; ``None`` if it is not used."""
        is_needed = self.promise == "truth" or self._needs_y_for_teacher()
        if y is None and is_needed:
            why = "the promise is about the truth" if self.promise == "truth" else "the teacher is not fitted"
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is None: {why}. Pass y, or a fitted "
                'teacher and promise="teacher".'
            )
        return None if y is None else self._checked_y(X, y)

    def _checked_y(self, X: Any, y: Any) -> np.ndarray:
        raise NotImplementedError

    def _needs_y_for_teacher(self) -> bool:
        return not is_fitted_teacher(self.teacher) and bool(tags_of(self.teacher).target_tags.required)

    def _split(self, n_rows: int, rng: np.random.RandomState) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return rows that unfitted models are fitted on, rows to tune on, and rows to calibrate on.

        Tables are often sorted, so that the rows are drawn at random. Rows tune, too, if none of the others may fail
        more for them.
        """
        order = rng.permutation(n_rows)
        n_fitting = n_rows // 2 if has_recipe(self) else 0
        n_tuning = max(1, round(self.tuning_fraction * (n_rows - n_fitting)))
        n_left, needed = n_rows - n_fitting - n_tuning, rows_needed(self.agreement, confidence=self.confidence)
        if n_left < needed:
            total = math.ceil((needed + 1) / (1 - self.tuning_fraction)) * (2 if n_fitting else 1)
            raise ValueError(
                f"{type(self).__name__}: got n_samples={n_rows}, of which {n_left} are left to calibrate on; expected "
                f"at least {needed:,} of them to promise agreement={self.agreement:g} with confidence "
                f"{self.confidence:g}, {total:,} rows in all. Pass more rows, or promise less."
            )
        n_calibration = as_strict(n_left, self.agreement, self.confidence)
        return tuple(np.split(order, [n_fitting, n_rows - n_calibration]))  # type: ignore[return-value]

    # ------------------------------------------------------------------ the steps of fit

    def _tune(
        self, models: Models, X: Any, y: np.ndarray | None, rows: np.ndarray, rng: np.random.RandomState, X_train: Any
    ) -> tuple[Any, np.ndarray]:
        """Choose the score of certainty and the thresholds to test, on tuning rows and synthetic ones."""
        taken, truth = take_rows(X, rows), None if y is None else y[rows]
        if self.n_synthetic == 0:
            X_train = None  # only synthetic rows are drawn from it
        n_learned = round(LEARNED_SHARE * len(rows)) + (0 if X_train is None else X_train.shape[0])
        kinds = kinds_of(self.certainty, self._task == "classification", n_learned)
        learns = kinds != ("margin",) or models.teacher.output_kind == "logit"
        teacher, student = models.ask_teacher(taken, BOTH if learns else ("labels",)), models.ask_student(taken)
        self._set_tolerance(teacher)
        fails = self._fails(student, teacher, truth)
        tuning = Tuning(taken, teacher, student, fails, getattr(self, "tolerance_", 1.0), self.promise == "truth")
        choice = choose_certainty(tuning, models, kinds, int(self.n_synthetic), self.agreement, rng, X_train)
        self.certainty_, self.certainty_results_ = choice.score.kind, choice.shares
        is_nested = self.promise == "teacher"
        known = [tuning] if choice.drawn is None or not is_nested else [tuning, choice.drawn]
        certainty = [
            choice.score.of_rows(each.student.outputs, rows_of_student(models.student.model, each.X)) for each in known
        ]
        return choice.score, grid_of(np.concatenate(certainty), is_nested=is_nested)

    def _calibrate(self, X: Any, y: np.ndarray | None, rows: np.ndarray, grid: np.ndarray) -> None:
        """Test the thresholds on calibration rows, and set the fitted attributes."""
        X, truth = take_rows(X, rows), None if y is None else y[rows]
        started = perf_counter()
        teacher = self._models.ask_teacher(X, ("labels",))
        asked = perf_counter()
        student = self._models.ask_student(X)
        certainty = self._certainty_of(student, X)
        ended = perf_counter()
        self._warn_if_constant(teacher)
        fails = self._fails(student, teacher, truth), self._fails(teacher, teacher, truth)
        path = path_of(grid, certainty, *fails, self.agreement, self.confidence)
        self._check_proved(path, fails[1])
        self.path_, self.threshold_ = path, path.threshold
        self.share_student_ = path.share
        self.share_student_bound_ = least_share(path.share, path.n_rows, self.confidence)
        each = 1e6 / path.n_rows
        self.costs_ = CascadeCosts((ended - asked) * each, (asked - started) * each, path.share)
        self._rows_digest = data_digest(X)

    def _check_proved(self, path: Any, teacher_fails: np.ndarray) -> None:
        """Raise an error if the teacher alone does not keep the promise, and warn if it has to answer everything."""
        name = type(self).__name__
        if not path.is_proved.any():
            raise ValueError(
                f"{name}: the teacher itself is right on {1 - teacher_fails.mean():.4f} of the calibration rows, which "
                f"does not prove agreement={self.agreement:g} with the truth at confidence {self.confidence:g}; "
                'expected a promise that the teacher keeps. Promise less, or promise="teacher".'
            )
        if path.share == 0:
            warn_caller(
                f"{name}: all rows are deferred to the teacher, since no threshold is proved to keep agreement="
                f"{self.agreement:g}: the student fails even on rows of which it is most certain. Promise less, or "
                "teach a better student.",
                UserWarning,
            )

    def _warn_if_constant(self, teacher: Answers) -> None:
        given = teacher.outputs if teacher.labels is None else teacher.labels
        if len(given) > 1 and (given == given[0]).all():
            what = "value" if teacher.labels is None else "class"
            warn_caller(
                f"{type(self).__name__}: the teacher {self._models.teacher.name} returns the same {what} for all "
                f"{len(given)} calibration rows, so that agreeing with it says nothing. Pass rows for which it varies, "
                "or look at the teacher.",
                TeacherWarning,
            )

    def _keep(self, models: Models) -> None:
        """Set the attributes that follow from the models."""

    def _set_tolerance(self, teacher: Answers) -> None:
        """Set the tolerance of values; labels have none."""

    def _fails(self, given: Answers, teacher: Answers, truth: np.ndarray | None) -> np.ndarray:
        """Return whether the promise is broken for each row, if it is answered so."""
        raise NotImplementedError

    # ------------------------------------------------------------------ after fit

    @overload
    def defers(self, X: DatasetLike) -> Iterator[np.ndarray]: ...
    @overload
    def defers(self, X: Any) -> np.ndarray: ...
    def defers(self, X: Any) -> Any:
        """Return which rows are left to the teacher, without querying it.

        Parameters
        ----------
        X : table of shape (n_samples, n_features), or dataset

        Returns
        -------
        defers : ndarray of bool, shape (n_samples,), or iterator over them
            Of a dataset that is read in chunks (:func:`~skdistill.datasets.as_dataset`), those of each chunk.
        """
        check_fitted(self, "threshold_")
        if is_dataset(X):
            return answers_by_chunk(X, self, "defers")
        X = check_table(self, X, reset=False)
        return self._defers(self._models.ask_student(X), X)

    def _certainty_of(self, student: Answers, X: Any) -> np.ndarray:
        return self._certainty.of_rows(student.outputs, rows_of_student(self._models.student.model, X))

    def _defers(self, student: Answers, X: Any) -> np.ndarray:
        return ~(self._certainty_of(student, X) >= self.threshold_)  # also if the certainty is NaN

    def _answer(self, X: Any, needs: str) -> Answers:
        """Return the outputs or labels of the student, and those of the teacher for the rows that are deferred."""
        X = check_table(self, X, reset=False)
        student = self._models.ask_student(X)
        deferred = np.flatnonzero(self._defers(student, X))
        if not deferred.size:
            return student
        teacher = self._models.ask_teacher(take_rows(X, deferred), (needs,))
        if needs == "labels" and student.labels is not None:
            labels = student.labels.copy()
            labels[deferred] = teacher.labels
            return student._replace(labels=labels)
        outputs = student.outputs.astype(np.float64)
        outputs[deferred] = teacher.outputs
        return student._replace(outputs=outputs)

    @property
    def fitted_teacher_(self) -> Any:
        """The teacher that rows are deferred to."""
        check_fitted(self, "threshold_")
        return self._models.teacher.model

    @property
    def fitted_student_(self) -> Any:
        """The student that answers the other rows."""
        check_fitted(self, "threshold_")
        return self._models.student.model

    @property
    def certificate_(self) -> Certificate:
        """The promise as a certificate, which prints and is written as JSON."""
        check_fitted(self, "threshold_")
        kept = float(self.path_.kept[self.path_.chosen])
        common: dict[str, Any] = {"rows": "all", "direction": "at least", "high": math.nan, "low": math.nan}
        common |= {"n": self.path_.n_rows, "confidence": float(self.confidence), "family": "overall"}
        threshold = repr(self.threshold_) if math.isinf(self.threshold_) else self.threshold_
        details = {"certainty": self.certainty_, "threshold": threshold, "promise": self.promise}
        statements = (
            Statement(
                f"share of rows on which the cascade agrees with the {self.promise}",
                bound=float(self.agreement),
                estimate=kept,
                method="fixed sequence of exact tests",
                details=details | self._details(),
                **common,
            ),
            Statement(
                "share of rows that the student answers",
                bound=self.share_student_bound_,
                estimate=self.share_student_,
                method="Dvoretzky-Kiefer-Wolfowitz-Massart",
                details=details,
                **common,
            ),
        )
        return Certificate(
            statements=statements,
            confidence=float(self.confidence),
            n_rows=self.path_.n_rows,
            n_units=self.path_.n_rows,
            promise=float(self.agreement),
            verdict="met",
            student=self._models.student.name,
            teacher=self._models.teacher.name,
            digests={"student": student_digest(self.fitted_student_), "rows": self._rows_digest},
            date=datetime.datetime.now(datetime.UTC).date().isoformat(),
            versions={
                "python": platform.python_version(),
                "skdistill": skdistill.__version__,
                "numpy": np.__version__,
                "scikit-learn": sklearn.__version__,
            },
            notes=("Each statement holds with the confidence by itself.",),
        )

    def _details(self) -> dict[str, Any]:
        """Return what the promise depends on, beside the threshold."""
        return {}

    def plot(self, *, ax: Any = None) -> CascadeDisplay:
        """Draw the thresholds that were tested: the shares of rows that the student answers, and what they keep.

        A shortcut to :meth:`skdistill.inspection.CascadeDisplay.from_estimator`. It needs matplotlib.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            ``None`` creates a new figure.

        Returns
        -------
        display : CascadeDisplay
        """
        return CascadeDisplay.from_estimator(self, ax=ax)

    def __skdistill_compile__(self) -> CompiledCascade:
        """Return the student in its compiled form, with the certainty of rows and the threshold."""
        check_fitted(self, "threshold_")
        return CompiledCascade(compile(self.fitted_student_), self._certainty, self.threshold_)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        of_both = [input_tags_of(model) for model in (self.teacher, self.student)]
        for name in ("allow_nan", "string", "sparse"):
            setattr(tags.input_tags, name, all(getattr(each, name) for each in of_both))
        tags.target_tags.required = self.promise == "truth" or self._needs_y_for_teacher()
        return tags


def as_tolerance(name: str, tolerance: Any, outputs: np.ndarray) -> Any:
    """Return the tolerance of values: the one given, or a tenth of their standard deviation."""
    if tolerance is None:
        spread = 0.1 * np.std(outputs, axis=0)
        return np.where(spread > 0, spread, 1.0) if outputs.ndim == 2 else float(spread) or 1.0
    if isinstance(tolerance, Real):
        check_number(name, "tolerance", tolerance, low=0, low_open=True)
        return float(tolerance)
    given = as_floats(name, "tolerance", tolerance)
    if given.shape != outputs.shape[1:] or not (np.isfinite(given) & (given > 0)).all():
        raise ValueError(
            f"{name}: tolerance={tolerance!r}; expected a finite number above 0, or one for each of the outputs of "
            f"the teacher, of shape {outputs.shape[1:]}."
        )
    return given
