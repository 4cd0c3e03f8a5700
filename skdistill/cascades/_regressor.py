"""``CascadeRegressor``."""

from collections.abc import Iterator
from typing import Any, Literal, overload

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils.validation import check_array, check_consistent_length, column_or_1d

from .._types import RandomState, SupportsPredict, TeacherLike
from .._validation import check_fitted
from ..datasets import DatasetLike, is_dataset
from ..datasets._for_models import answers_by_chunk
from ..datasets._recognition import refuse_dataset
from ._base import BaseCascade, as_tolerance
from ._models import Answers


class CascadeRegressor(RegressorMixin, BaseCascade):
    """A student that answers where it is certain, and its teacher elsewhere, so that a promise holds.

    The threshold of the certainty is chosen on calibration rows, as low as it can be proved that the cascade predicts a
    value within a tolerance of that of the teacher on the promised share of all rows.

    Parameters
    ----------
    teacher, student : object
        The model that is right by definition, and the one that answers where it is certain. *Fitted* models, pipelines,
        distilled estimators, compiled models and functions are used as they are: they are never refitted, copied or
        changed, not even by ``clone`` or a search. An *unfitted* estimator is a recipe: a clone of it is fitted on half
        of the rows given to ``fit``, the student on the answers of the teacher. The name of a family of students, such
        as ``"boosting"``, is such a student, too.
    agreement : float in (0, 1), default=0.99
        Promised share of rows for which the value of the cascade is within ``tolerance`` of that of the teacher, or of
        the true one.
    confidence : float in (0, 1), default=0.95
        Probability, over the calibration rows, with which the promise holds.
    tolerance : float > 0, array-like of shape (n_outputs,) or None, default=None
        Largest absolute difference that counts as agreement, in units of the output. ``None`` is a tenth of the
        standard deviation of the teacher's values on the tuning rows.
    promise : {"teacher", "truth"}, default="teacher"
        What the cascade is to agree with. ``"truth"`` needs ``y``, and a teacher that keeps the promise by itself.
    certainty : {"auto", "deviation", "families"}, default="auto"
        Score of the certainty of the student. ``"deviation"`` is the distance from the teacher that a small second
        model expects, negated; ``"families"`` is the distance between the student and a small student of another
        family. ``"auto"`` is the deviation.
    tuning_fraction : float in (0, 1), default=0.1
        Least share of the rows that choose the score and the thresholds to test. The others prove the promise; those of
        them that would not let one more row fail choose, too.
    n_synthetic : int >= 0, default=8000
        Number of synthetic rows, drawn from tuning rows and ``X_train`` by :class:`~skdistill.samplers.LeafSwap` and
        labelled by the teacher, that scores are learned from, in addition to tuning rows. None are drawn for
        ``certainty="margin"``.
    chunk_size : int >= 1, default=10_000
        Number of rows in one call of the teacher.
    random_state : int, RandomState instance or None, default=None
        Seed for drawing the tuning rows and the synthetic ones, and for fitting.

    Attributes
    ----------
    threshold_ : float
        The student answers rows whose certainty is at least this. Infinity leaves all rows to the teacher, minus
        infinity none.
    certainty_ : {"deviation", "families"}
        The score that was chosen.
    certainty_results_ : dict of float
        For each score that was compared, the share of held-out tuning rows and synthetic rows that it leaves to the
        student; empty without a choice.
    share_student_ : float
        Share of the calibration rows that the student answers.
    share_student_bound_ : float
        Lower bound of the share of all rows that the student answers, with the same confidence.
    path_ : CascadePath
        Shares and p-values at each threshold.
    costs_ : CascadeCosts
        Microseconds a row of both models, and the expected cost of the cascade.
    certificate_ : Certificate
        The promise as a document.
    fitted_teacher_, fitted_student_ : object
        Both models: those that were passed, or those that were fitted.
    tolerance_ : float or ndarray of shape (n_outputs,)
        The tolerance.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of str, shape (n_features,)
        Column names, if ``X`` is a frame.

    See Also
    --------
    skdistill.compile : Its compiled form is the student, which says which rows to defer.
    skdistill.inspection.CascadeDisplay : Shows the share of the student against the promise.
    skdistill.certify : Certifies a student without a teacher behind it.

    Notes
    -----
    Rows that the teacher answers agree with it by definition. Thresholds are tested from the strictest to the boldest,
    each with the exact p-value of the hypothesis that the cascade keeps the promise on less than ``agreement`` of all
    rows, until one is not refuted [1]_. No correction is needed for their number. The thresholds and the score are
    fixed on other rows before.

    The promise holds for rows that are drawn like the calibration rows, on the average over all of them and not for
    each class or slice, and with the confidence over the choice of calibration rows.

    References
    ----------
    .. [1] A. N. Angelopoulos, S. Bates, E. J. Candès, M. I. Jordan and L. Lei, "Learn then test: calibrating predictive
       algorithms to achieve risk control", Annals of Applied Statistics 19, 2025.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.ensemble import RandomForestRegressor
    >>> from skdistill import CascadeRegressor, DistilledRegressor
    >>> X = np.random.default_rng(0).uniform(size=(2000, 3))
    >>> y = X[:, 0] + np.sin(9 * X[:, 1]) * (X[:, 0] > 0.7)
    >>> forest = RandomForestRegressor(20, min_samples_leaf=5, random_state=0).fit(
    ...     X[:700], y[:700]
    ... )
    >>> model = DistilledRegressor(forest, "boosting", sampler=None, random_state=0).fit(
    ...     X[:700]
    ... )
    >>> cascade = CascadeRegressor(
    ...     forest, model, agreement=0.95, tolerance=0.1, random_state=0
    ... ).fit(X[700:1500])
    >>> apart = np.abs(cascade.predict(X[1500:]) - forest.predict(X[1500:]))
    >>> float((apart <= 0.1).mean()) > 0.94
    True
    """

    _task = "regression"

    def __init__(
        self,
        teacher: TeacherLike,
        student: SupportsPredict,
        *,
        agreement: float = 0.99,
        confidence: float = 0.95,
        tolerance: Any = None,
        promise: Literal["teacher", "truth"] = "teacher",
        certainty: Literal["auto", "deviation", "families"] = "auto",
        tuning_fraction: float = 0.1,
        n_synthetic: int = 8000,
        chunk_size: int = 10_000,
        random_state: RandomState = None,
    ) -> None:
        self.teacher = teacher
        self.student = student
        self.agreement = agreement
        self.confidence = confidence
        self.tolerance = tolerance
        self.promise = promise
        self.certainty = certainty
        self.tuning_fraction = tuning_fraction
        self.n_synthetic = n_synthetic
        self.chunk_size = chunk_size
        self.random_state = random_state

    @overload
    def predict(self, X: DatasetLike) -> Iterator[np.ndarray]: ...
    @overload
    def predict(self, X: Any) -> np.ndarray: ...
    def predict(self, X: Any) -> Any:
        """Predict values; the teacher is only queried for rows that are deferred.

        Parameters
        ----------
        X : table of shape (n_samples, n_features), or dataset

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs), or iterator over them
            Of a dataset that is read in chunks (:func:`~skdistill.datasets.as_dataset`), those of each chunk.
        """
        check_fitted(self, "threshold_")
        if is_dataset(X):
            return answers_by_chunk(X, self, "predict")
        return self._answer(X, "outputs").outputs

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the R² of the values.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            True values.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row.

        Returns
        -------
        score : float
            At most 1, which is best.

        Raises
        ------
        DatasetError
            If ``X`` is a dataset that is read in chunks; compare the chunks of ``predict`` with ``y``.
        """
        refuse_dataset(f"{type(self).__name__}.score", X, "Compare what predict returns for its chunks with y.")
        return super().score(X, y, sample_weight)

    def _checked_y(self, X: Any, y: Any) -> np.ndarray:
        values = check_array(y, ensure_2d=False, dtype="numeric", input_name="y", estimator=self)
        check_consistent_length(X, values)
        return column_or_1d(values, warn=True) if values.ndim == 2 and values.shape[1] == 1 else values

    def _set_tolerance(self, teacher: Answers) -> None:
        self.tolerance_ = as_tolerance(type(self).__name__, self.tolerance, teacher.outputs)

    def _fails(self, given: Answers, teacher: Answers, truth: np.ndarray | None) -> np.ndarray:
        right = teacher.outputs if self.promise == "teacher" else truth
        apart = np.abs(given.outputs - right) / self.tolerance_
        return ~(apart.reshape(len(apart), -1).max(axis=1) <= 1)  # also if a value is NaN

    def _details(self) -> dict[str, Any]:
        return {"tolerance": np.asarray(self.tolerance_).tolist()}
