"""``DistilledRegressor``."""

from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils import get_tags
from sklearn.utils.validation import check_array, check_consistent_length

from .._restoring import all_or_nothing
from ..teachers import Task, Teacher, is_fitted_teacher
from ..transfer import TransferSet
from ._base import BaseDistilled
from ._callbacks import supports_callbacks
from ._targets import Targets, ValueTargets


class DistilledRegressor(RegressorMixin, BaseDistilled):
    """A small, fast regressor that imitates a slow model.

    The teacher labels real and synthetic rows with values; the student is fitted on them. Values are what the teacher
    predicts, or what another of its methods returns: a slow anomaly score or embedding becomes a fast function.

    Parameters
    ----------
    teacher : object
        What is imitated. A *fitted* regressor, pipeline, transformer, outlier detector, LightGBM ``Booster`` or
        function of ``X`` is used as it is: never refitted, copied or changed, not even by ``clone`` or a search (the
        values of a search grid are the exception: put fitted teachers there inside ``FrozenEstimator``). An
        *unfitted* estimator is a recipe: a clone is fitted on ``(X, y)``.
    student : estimator, str or "auto", default="auto"
        Any scikit-learn regressor, or a pipeline that ends in one. ``"auto"``, which is
        :class:`~skdistill.AutoStudent` with its defaults, chooses family and size of a compact student within a
        budget; the name of a family, such as ``"boosting"`` or ``"mlp_ple"``, is that student with its defaults.
    student_size : int or None, default=None
        Parameters of the student at most: weights, thresholds, leaf values. All compact students of this package and
        ``"auto"`` understand it, so that one grid sweeps families and sizes. ``None`` leaves students as they are.
    sampler : sampler, None or "auto", default="auto"
        Draws synthetic rows: an object with ``fit(X, y)`` and ``sample(n_samples, random_state)``, scikit-learn's
        ``KernelDensity`` or ``GaussianMixture``. ``None`` draws none; ``"auto"``, which is
        :class:`~skdistill.AutoSampler` with its defaults, chooses what serves this student best.
    n_synthetic : int, float or "auto", default="auto"
        Number of synthetic rows; as a float, a multiple of the real ones. ``"auto"`` is ten a real row, twenty of
        few rows for a student that is chosen, up to forty within a large budget, at most 200,000; of wide tables 20
        million cells, but at least one a real row.
    soft_weight : float in [0, 1] or "auto", default=1.0
        Share of the teacher, against the true values ``y``, in the targets of real rows. 1 is the teacher alone;
        less can bring the student nearer to the truth where values have little noise, and costs fidelity where they
        have much. ``"auto"`` chooses among 1, 0.75, 0.5 and 0.25 by true values that students are not taught, best
        ``y_val``, and warns where the student is better without the teacher; without ``y`` it is 1.
    teacher_cv : int, splitter, "oob" or None, default=None
        How a recipe labels the real rows: by a teacher that saw them (``None``), out of fold, or out of bag.
    target_compressor : transformer or None, default=None
        Fitted on the teacher's outputs, e.g. ``PCA(5)``; the student learns the code, which is decoded by
        ``inverse_transform`` at predict. For many outputs.
    max_queries : int or None, default=None
        Rows that a slow or dear teacher is asked about in ``fit``, at most: first those of ``X``, then of
        ``X_unlabeled``, then of ``X_val``, then synthetic ones. Where it is less than the rows of ``X``, so many
        of them are drawn at random. Not counted are the 16 rows that ``memory`` asks to know a teacher again, and the
        teachers of folds.
    response_method : {"auto", "predict", "decision_function", "score_samples", "transform", "predict_proba"}, \
default="auto"
        How to ask the teacher; see :func:`~skdistill.as_teacher`.
    memory : str, joblib.Memory or None, default=None
        Where the teacher's answers and the drawn rows are kept, so that a grid over students labels once and a killed
        run goes on. Needs an integer ``random_state``.
    chunk_size : int >= 1, default=10_000
        Rows the teacher is asked at once.
    time_limit : float > 0 or None, default=None
        Seconds that choosing and teaching may take, counted from when the teacher is there. As many synthetic rows are
        drawn as can be labelled in a part of it, and the choice goes on as long as what comes next should end in time;
        then the best student so far is kept. One is taught in any case, and the rows of ``X`` are labelled. With a
        limit, the same seed may give another student.
    random_state : int, RandomState instance or None, default=None
        Seeds sampler, student and recipe wherever their own ``random_state`` is ``None``.
    n_jobs : int or None, default=None
        Students that are tried at a time, and threads of the default student and sampler. The same student comes out
        whatever it is.
    verbose : int, default=0
        Above 0, labelling, drawing, choosing and teaching are told on standard error, the long ones with time left.
        From scikit-learn 1.9 on its callbacks are told them too: ``set_callbacks(ProgressBar())``.
    compressor : "deprecated" or transformer, default="deprecated"
        Former name of ``target_compressor``.

    Attributes
    ----------
    teacher_ : object
        The fitted teacher; the object given, if that was fitted.
    student_ : estimator
        The student, complete by itself.
    transfer_set_ : TransferSummary
        Rows by origin, their weights, and queries and seconds it took to draw and label them.
    candidates_ : Candidates
        What :class:`~skdistill.AutoStudent` tried, a column for each key; printed, it says why what was chosen. Only
        there where a student was chosen: with ``student="auto"`` and at least 30 real rows.
    sampler_results_ : dict of ndarray
        What :class:`~skdistill.AutoSampler` tried, a column for each key, as ``cv_results_`` are: ``sampler``,
        ``n_synthetic``, ``weight``, ``real_weight``, the ``student`` it was tried with, ``fidelity``, ``gain`` over no
        synthetic rows with the same student and its standard error ``gain_error``, ``rank_fidelity``, ``n_queries`` and
        ``seconds`` up to then, and ``judged_on``, the validation rows. Only there where a sampler was chosen: with
        ``sampler="auto"`` and at least 30 real rows.
    teacher_memorization_ : float
        Share in [0, 1] of the variance of the teacher's answers on rows of ``X`` that is found on no row beside them: 0
        where it answers the rows it was fitted on as it does any others, 1 where it looks all answers up among those of
        its own rows. NaN where it was not measured (too few rows or
        queries, or synthetic rows that the teacher answers quite otherwise). Only there where a sampler or a student
        was chosen.
    soft_weight_ : float
        Share of the teacher that the student was taught with.
    soft_weights_ : dict of ndarray
        What ``soft_weight="auto"`` tried, a column for each key: ``soft_weight``, ``n_synthetic``, ``skill``, which is
        the explained share of the variance of the true values, ``gain`` over the teacher alone and its standard error
        ``gain_error``, ``n_judged``, the number of true values that judged, and ``judged_on``, where they are from.
        The last row is the student without the teacher: ``soft_weight`` 0 and no synthetic rows. Only there with
        ``"auto"`` and about 120 real rows with true values, or 30 of ``y_val``.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of str, shape (n_features,)
        Names of the columns, for frames whose names are all strings.

    See Also
    --------
    DistilledClassifier : For classes.

    Notes
    -----
    With a fitted teacher that has seen all of ``X``, cross-validation leaks: each fold is judged on rows the teacher
    was trained on. Keep a test set from the teacher, or pass the teacher unfitted.

    References
    ----------
    .. [1] C. Bucila, R. Caruana and A. Niculescu-Mizil, "Model Compression", KDD 2006.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.svm import SVR
    >>> from skdistill import DistilledRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> teacher = SVR(C=100).fit(X[:300], y[:300])
    >>> model = DistilledRegressor(teacher, random_state=0).fit(X[:300])
    >>> model.fidelity(X[300:]) > 0.8
    True
    """

    _task: ClassVar[Task] = "regression"
    _multioutput: ClassVar[str] = "uniform_average"

    def __init__(
        self,
        teacher: Any,
        student: Any = "auto",
        *,
        student_size: int | None = None,
        sampler: Any = "auto",
        n_synthetic: Any = "auto",
        soft_weight: Any = 1.0,
        teacher_cv: Any = None,
        target_compressor: Any = None,
        max_queries: int | None = None,
        response_method: str = "auto",
        memory: Any = None,
        chunk_size: int = 10_000,
        time_limit: float | None = None,
        random_state: Any = None,
        n_jobs: int | None = None,
        verbose: int = 0,
        compressor: Any = "deprecated",
    ) -> None:
        self.teacher = teacher
        self.student = student
        self.student_size = student_size
        self.sampler = sampler
        self.n_synthetic = n_synthetic
        self.soft_weight = soft_weight
        self.teacher_cv = teacher_cv
        self.target_compressor = target_compressor
        self.max_queries = max_queries
        self.response_method = response_method
        self.memory = memory
        self.chunk_size = chunk_size
        self.time_limit = time_limit
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose
        self.compressor = compressor

    @all_or_nothing
    @supports_callbacks
    def fit(
        self,
        X: Any,
        y: Any = None,
        *,
        sample_weight: Any = None,
        X_unlabeled: Any = None,
        X_val: Any = None,
        y_val: Any = None,
    ) -> Self:
        """Check, resolve the teacher, extend the rows, ask, teach.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)
            Real rows: an array, a sparse matrix or a frame, as teacher and student take them.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            True values. Not needed with a fitted teacher.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row, for the student and for a recipe that takes weights.
        X_unlabeled : table of shape (n_unlabeled, n_features), default=None
            More real rows, without values.
        X_val : table of shape (n_validation, n_features), default=None
            Real rows the teacher was not fitted on, without labels: what synthetic rows and students are best chosen
            by, and what their fidelity is best estimated on, where there are at least 30. The student is not taught on
            them.
        y_val : array-like of shape (n_validation,) or (n_validation, n_outputs), default=None
            True values of ``X_val``, which only ``soft_weight="auto"`` uses: it is best chosen by them.

        Returns
        -------
        self : DistilledRegressor

        Raises
        ------
        TeacherError, TeacherOutputError, TeacherQueryError
            If the teacher cannot be used, answers nonsense, or raises.
        SamplerError
            If the sampler returns rows of another table.
        StudentError
            If the student cannot be taught.
        ValueError
            For arguments and tables that do not fit.
        """
        self._fit(X, y, sample_weight, X_unlabeled, X_val, y_val)
        return self

    def _check_y(self, X: Any, y: Any) -> np.ndarray | None:
        if y is None:
            return None
        y = check_array(y, ensure_2d=False, dtype="numeric", input_name="y", estimator=self)
        check_consistent_length(X, y)
        return y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y

    def _truth(self, teacher: Teacher, y: np.ndarray | None, name: str = "y") -> np.ndarray | None:  # noqa: ARG002
        """Return the true values, if they are blended in."""
        return y if self.soft_weight != 1 else None

    def _targets_of(self, teacher: Teacher, real: TransferSet) -> Targets:
        if real.truth is not None and real.truth.shape[1:] != real.outputs.shape[1:]:
            raise ValueError(
                f"{type(self).__name__}: y has shape {real.truth.shape}, but the teacher answers with shape "
                f"{real.outputs.shape}. Pass y of that shape, or soft_weight=1."
            )
        return ValueTargets(teacher, self._given_soft_weight, self._target_compressor)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        fitted = is_fitted_teacher(self.teacher) or not hasattr(self.teacher, "__sklearn_tags__")
        tags.target_tags.multi_output = fitted or get_tags(self.teacher).target_tags.multi_output
        return tags
