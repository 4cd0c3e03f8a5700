"""``DistilledClassifier``."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar, Literal, Self, overload

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import ClassifierMixin

from .._encoding import encoded_once
from .._restoring import all_or_nothing
from .._threads import context_of_threads
from .._types import (
    CategoricalFeatures,
    InteractionCst,
    Memory,
    MonotonicCst,
    RandomState,
    StudentLike,
    SupportsSample,
    SupportsSplit,
    SupportsTransform,
    TeacherLike,
)
from .._validation import check_fitted, check_table, checked_once
from ..datasets import DatasetLike, is_dataset
from ..datasets._for_models import answers_by_chunk
from ..datasets._recognition import refuse_dataset
from ..selection import AutoColumns, supports_callbacks
from ..teachers import positions_said
from ._base import BaseDistilled
from ._datasets import SCORE_OF_DATASETS
from ._tasks import ClassTask, FitTask


class DistilledClassifier(ClassifierMixin, BaseDistilled):
    """A small, fast classifier distilled from a slow one.

    The teacher labels real and synthetic rows with class probabilities, and the student is fitted on them. The result,
    ``student_``, is a complete classifier that holds no reference to the teacher or the data.

    Parameters
    ----------
    teacher : object
        The model to imitate. A *fitted* classifier, pipeline, clusterer, outlier detector, LightGBM ``Booster`` or
        function of ``X`` is used as it is: it is never refitted, copied or changed, not even by ``clone`` or a search
        (except as a value of a search grid: wrap a fitted teacher in ``FrozenEstimator`` there). An *unfitted*
        estimator is a recipe: a clone of it is fitted on ``(X, y)``. A list of several, or of pairs (name, model), is
        the weighted mean of their outputs; each of them is fitted or unfitted.
    student : estimator, str or "auto", default="auto"
        Any scikit-learn classifier or regressor, or a pipeline that ends in one. ``"auto"`` is
        :class:`~skdistill.AutoStudent` with its defaults and selects the family and size of a compact student within a
        budget. The name of a family is that student with its defaults: ``"linear"``, ``"tree"``, ``"kernel"``,
        ``"mlp"``, ``"mlp_ple"``, ``"boosting"``, ``"hybrid"``, ``"inherit"``, or one of
        :func:`~skdistill.students.register_family`.
    student_size : int or None, default=None
        Maximum number of parameters of the student: weights, thresholds, leaf values. All compact students of this
        package and ``"auto"`` support it, so that one grid can vary family and size. ``None`` does not change the size.
    n_generations : int >= 1, default=1
        Number of students of which each is fitted to the outputs of the one before it, the first one to those of the
        teacher; the teacher labels no more rows. The best one is kept, by its fidelity to the teacher on held-out rows,
        or by its skill on ``y_val``, if that is given. With fewer than 30 real rows, there is one generation.
    assistant_size : int or None, default=None
        Maximum number of parameters of the first student, a teacher assistant; the sizes of ``n_generations`` students
        go down in geometric steps to ``student_size``. The student of the final size that the teacher has taught is
        compared, too. ``None`` gives all generations the same size. Compact students of this package only.
    sampler : sampler, None or "auto", default="auto"
        Draws the synthetic rows: an object with ``fit(X, y)`` and ``sample(n_samples, random_state)``, or
        scikit-learn's ``KernelDensity`` or ``GaussianMixture``. ``None`` draws no synthetic rows. ``"auto"`` is
        :class:`~skdistill.AutoSampler` with its defaults and selects a sampler by the fidelity of the student.
    n_synthetic : int, float or "auto", default="auto"
        Number of synthetic rows; a float is a multiple of the number of real rows. ``"auto"`` draws ten synthetic rows
        per real row; with ``student="auto"``, up to twenty on tables of fewer than 1,000 rows and up to forty within a
        large budget. ``"auto"`` draws at most 200,000 rows. On wide tables, it draws at most 20 million cells, but at
        least one row per real row.
    temperature : float > 0, default=1.0
        Divides the teacher's logits before the student is fitted. ``predict_proba`` always returns probabilities at
        temperature 1.
    soft_weight : float in [0, 1] or "auto", default=1.0
        Weight of the teacher's probabilities in the targets of the real rows; the true labels ``y`` have the rest. 1
        uses the teacher alone. A smaller weight can improve the accuracy of the student if the labels have little
        noise, and lowers its fidelity if they have much. ``"auto"`` selects among 1, 0.75, 0.5 and 0.25 by the skill on
        held-out true labels, preferably ``y_val``, and warns if the student is better without the teacher. Without
        ``y``, ``"auto"`` is 1.
    truth_margin : float >= 0 or None, default=None
        With a number, the true labels only count in rows where the loss of the student with respect to them is not
        smaller than that of the teacher by this margin; see :func:`skdistill.targets.teacher_bounded`. The unit is that
        of the loss: nats, for the log loss. The student is fitted four times, and the fit with the smallest loss is
        kept. A teacher that was fitted on these rows has too small a loss there, and hardly any row is left out: use it
        with ``teacher_cv``. It needs a ``soft_weight`` below 1. With ``None``, the true labels count in all rows.
    teacher_cv : int, splitter, "oob" or None, default=None
        How a recipe labels the real rows: in-sample (``None``), out-of-fold (an integer or a splitter) or out-of-bag
        (``"oob"``). Rows that are in no test fold, as with ``TimeSeriesSplit``, are labelled in-sample, with a warning.
        Pass ``groups`` to ``fit`` for splitters such as ``GroupKFold``.
    teacher_weights : "loss", "region", array-like of shape (n_teachers,) or None, default=None
        Weights of several teachers, passed as ``teacher=[a, b]`` or ``teacher=[("a", a), ("b", b)]``: numbers of at
        least 0, or ``None`` for equal ones. ``"loss"`` minimises the squared error of the weighted mean on true labels,
        and ``"region"`` does so in each region of the table, which a small tree finds; both compare the teachers on
        ``X_val`` and ``y_val`` or, if all teachers are unfitted, on the rows of ``X``, labelled out of fold.
    target_compressor : transformer or None, default=None
        Compresses the teacher's logits, e.g. ``PCA(5)``, for problems with many classes. The student is a regressor of
        the compressed logits; ``predict`` decodes its output by ``inverse_transform``.
    max_queries : int or None, default=None
        Maximum number of rows that the teacher labels in ``fit``, for teachers that are slow or expensive to query.
        Rows of ``X`` are labelled first, then those of ``X_unlabeled``, those of ``X_val`` and synthetic rows. If ``X``
        has more rows than this, a random subset of them is used. Of a dataset, further rows are labelled for a refit if
        this is above its ``sample_rows``. The count includes the queries that check whether the
        teacher returns the same output for a row again (none for models that are known to do so). It excludes the 16
        rows that ``memory`` queries to identify the teacher, the queries of teachers fitted on folds, and the rows
        from which a student with ``hint_weight`` reads hints.
    max_real_rows : int >= 1000, "auto" or None, default="auto"
        Maximum number of rows of ``X``, and of ``X_unlabeled``, that are labelled and that the student is selected and
        fitted on. A larger ``X`` is replaced by a stratified sample: half of it is drawn at random and labelled, and
        the other half makes it larger where the outputs vary more. The weights of its rows make up for this, so that
        the sample stands for all rows. ``"auto"`` is 100,000, or ten rows for each parameter of a student within a
        budget if these are more; it does not limit the rows of a student that is passed as an estimator. ``None``
        labels all rows. An unfitted teacher is fitted on all rows. With ``teacher_cv``, with
        ``soft_weight="auto"`` and an unfitted teacher, and with a teacher that only has ``labels_``, all rows are used.
    n_repeats : int >= 1, default=1
        Number of times that the teacher is queried for each row; its outputs are averaged. Increase it for teachers
        that draw random numbers, such as a network with dropout that is active in prediction. Each query counts towards
        ``max_queries``, and only the averages are cached in ``memory``.
    response_method : {"auto", "predict_proba", "decision_function", "predict"}, default="auto"
        Method of the teacher that is called; see :func:`~skdistill.as_teacher`. Margins of ``decision_function`` are
        scaled to logits. The scale is fitted on ``y``; without ``y``, it makes the mean difference between the two
        largest logits equal to 2.
    decision : {"auto", "argmax", "teacher"}, default="auto"
        Which label ``predict`` returns if the labels of the teacher are not those of its largest probabilities, as with
        a decision threshold. ``"argmax"`` returns the label of the largest probability. The others compare ``predict``
        of the teacher with its probabilities on at most 300 rows and imitate its labels with thresholds of the
        probabilities: those that the teacher states or, if it states none, those that reproduce most of its labels, for
        which at most 300 more rows are labelled. ``"auto"`` warns that the labels of the teacher are not its largest
        probabilities. If no thresholds reproduce 98 % of its labels, ``"auto"`` uses the best thresholds, or the
        largest probability if they are no better, and ``"teacher"`` fits the student to the labels instead of the
        probabilities and warns. Nothing is compared if the two are known to be equal, as for forests, or if the teacher
        has no ``predict``. ``predict_proba`` is the same in all cases, unless the labels are taught.
    calibration : {"temperature", "isotonic", "auto"} or None, default=None
        Calibration of the probabilities of the student. ``"temperature"`` divides its logits by one number, which
        changes no label. ``"isotonic"`` maps the probability of each class by a non-decreasing function of at most 32
        knots; with more than two classes, the results are divided by their sum. It may change labels. ``"auto"`` uses
        the one that lowers the log loss by more than its standard error, or none, in cross-validation on the rows of
        the calibration. These are the rows of ``X_val`` with ``y_val``; without ``y_val``, a fifth of the rows of ``X``
        that nothing else in ``fit`` uses, of at least 250 rows (``"isotonic"``: 1,500). The targets are the true
        labels, or the probabilities of the teacher if there are none; the rows are then those of ``X_val``, if given.
        Compiled and exported models are calibrated, too. A student that is calibrated to true labels follows its
        teacher less: its fidelity is lower.
    memory : str, joblib.Memory or None, default=None
        Stores the teacher's outputs by row and the synthetic rows in a folder, so that a grid search over students
        queries the teacher once, a larger table only queries its new rows, and an interrupted run resumes. Requires an
        integer ``random_state``. See :func:`~skdistill.memory_info` and :func:`~skdistill.reduce_memory`.
    teacher_id : str or None, default=None
        Name by which ``memory`` recognises a fitted teacher, for example ``"credit model of March"``. Change it
        whenever the model changes. ``None`` recognises the teacher by what it holds: code, parameters and arrays, which
        must be exactly equal. With a name, outputs may differ by rounding, as they do on another device.
    chunk_size : int >= 1, default=10_000
        Maximum number of rows in one call of the teacher. If its outputs for a row depend on the other rows of the
        call, all calls have the same number of rows, and a warning says so.
    time_limit : float > 0 or None, default=None
        Time limit in seconds for selecting and fitting the student, counted from when the teacher is fitted. The number
        of synthetic rows is limited to those that can be labelled within a part of this time. The search stops when the
        next step is expected to exceed the limit, and the best student so far is kept. The rows of ``X`` are always
        labelled and one student is always fitted. With a limit, the result may differ between runs with the same seed.
    random_state : int, RandomState instance or None, default=None
        Seeds the sampler, the student and the recipe where their own ``random_state`` is ``None``.
    n_jobs : int or None, default=None
        Number of blocks of rows that the teacher labels in parallel, of candidate students that are fitted in parallel,
        and of threads of the default student and sampler. Whether blocks are labelled by threads, by processes or one
        after the other is found by trying; ``transfer_set_.labelled_by`` states it. ``None`` is 1, or what the context
        says: ``with joblib.parallel_config("loky", n_jobs=2)``, whose backend is used without trying. The result does
        not depend on it.
    verbose : int, default=0
        If above 0, each phase is written to standard error, and a bar shows how far the whole fit is and how long the
        rest takes: drawn by tqdm or rich where one of them is installed, in notebooks also without them. Otherwise,
        each second has a line. From scikit-learn 1.9 on, its callbacks receive the same progress:
        ``set_callbacks(ProgressBar())``.
    categorical_features : "from_dtype" or array-like, default="from_dtype"
        Columns that are categories whatever their cells, such as codes in a column of integers: names, positions, or a
        mask, as in scikit-learn's histogram gradient boosting. Samplers swap their cells and never interpolate them,
        and compact students treat each distinct value as one category; other students decide for themselves.
        ``"from_dtype"`` declares none: columns of strings, of pandas categories, and of objects that are no numbers and
        no dates are categories in any case.
    monotonic_cst : "teacher", array-like of int, dict or None, default=None
        Directions that the student keeps: 1 where the probability of the second class must not fall as the column
        grows, -1 where it must not rise, 0 where it is free. A dict names columns: ``{"age": 1}``. With more than two
        classes, a dict from a class to its directions, or an array of shape (n_classes, n_features): the odds of the
        class against every other one are then monotone. ``"teacher"`` takes the constraints that the teacher was fitted
        with, if it states some (histogram gradient boosting, trees and forests of scikit-learn, LightGBM, XGBoost);
        otherwise, up to 100 real rows take four values of each column of numbers, and a direction is kept if at most
        5 % of the pairs whose outputs differ contradict it. ``constraints_`` shows the evidence. Students of the
        families ``"boosting"``, ``"tree"`` and ``"linear"`` keep constraints; ``student="auto"`` selects among these.
    interaction_cst : "teacher", "pairwise", "no_interactions", sequence of sets of int or str, or None, default=None
        Sets of columns that may interact in the student, by position or name; columns in no set form one more.
        ``"no_interactions"`` makes each score a sum of functions of one column each. ``"teacher"`` takes the sets that
        the teacher was fitted with.
    student_columns : "auto", AutoColumns, array-like, callable or None, default=None
        Columns that the student sees, while the teacher sees all: names, positions, a mask, or a callable such as
        ``make_column_selector``. ``"auto"`` is :class:`~skdistill.AutoColumns` with its defaults; pass
        ``AutoColumns(max_columns=5)`` to select five columns. The student, compiled and exported, takes rows of these
        columns only; ``predict`` of this estimator takes all columns, or a data frame with at least these.
        ``columns_path_`` shows the loss of fidelity for each column left out.
    compressor : "deprecated" or transformer, default="deprecated"
        Former name of ``target_compressor``.

    Attributes
    ----------
    teacher_ : object
        The fitted teacher: the object passed, if it was fitted. For a list, a
        :class:`~skdistill.teachers.TeacherEnsemble`, whose ``models`` are the fitted teachers.
    teacher_weights_ : ndarray of shape (n_teachers,)
        Weights of several teachers; with ``"region"``, their means over the labelled rows of ``X``, and
        ``teacher_.weights_of(X)`` returns those of each row. Only set with a list of teachers.
    teacher_disagreement_ : ndarray of shape (n_labelled,)
        How far several teachers differ in each labelled row of ``X``: half the mean squared difference between the
        outputs of two of them, as a share of the variance of the soft targets. Only set with a list of teachers.
    student_ : estimator
        The fitted student, usable without this object: it has ``classes_``, ``predict`` and ``predict_proba``.
    classes_ : ndarray of shape (n_classes,)
        The class labels of the teacher.
    transfer_set_ : TransferSummary
        Number and weight of the rows by origin, number of queries, noise of the teacher, and seconds spent on drawing
        and labelling.
    feature_importances_ : ndarray of shape (n_features,)
        Importance of each column for the student, with the sum 1; 0 for columns that the student does not see. Only
        available if the student has importances, as trees, boosting and linear students have.
    candidates_ : Candidates
        Candidates evaluated by :class:`~skdistill.AutoStudent`, one column per key; the printed form explains the
        selection. Only set if the student was selected: with ``student="auto"`` and at least 30 real rows.
    sampler_results_ : dict of ndarray
        Results of :class:`~skdistill.AutoSampler`, one column per key, in the format of ``cv_results_``: ``sampler``,
        ``n_synthetic``, ``weight``, ``real_weight``, the ``student`` it was evaluated with, ``fidelity``, the ``gain``
        over the same student without synthetic rows and its standard error ``gain_error``, ``rank_fidelity``, the
        cumulative ``n_queries`` and ``seconds``, ``validated_on``, the origin of the validation rows, and
        ``is_chosen``, which marks the trial that was selected. The printed form explains the selection. Only set if the
        sampler was selected: with ``sampler="auto"`` and at least 30 real rows.
    generations_ : dict of ndarray
        Results of ``n_generations``, one column per key: ``generation``, ``taught_by``, ``n_parameters``, ``score``
        (the fidelity or skill by which the best one is chosen, of students fitted without the validation rows) and
        ``is_chosen``. Only set with more than one generation and at least 30 real rows.
    seen_rows_ : SeenRows
        Salted keys of the distinct rows of ``X``, ``X_unlabeled`` and ``X_val``, 16 bytes each, by which
        :func:`~skdistill.certify` recognises rows that teaching or selection has seen; of the further rows of a refit,
        those of about 1,000,000 at most. The student has none. They may be deleted: ``del model.seen_rows_``.
    refit_report_ : RefitReport
        Fidelity before and after the refit to further rows of a dataset, on some that were held out, the numbers of
        rows, and ``is_kept``: whether the refitted student is ``student_``, because its fidelity is higher; it is
        printed as a sentence. ``length`` is the share of the Newton step that was taken, chosen on ``n_chosen_on``
        other rows that were held out. Only set after a refit.
    refresh_report_ : RefreshReport
        Fidelity before and after, bytes, and agreement of both students; it is printed as a sentence. Only set by
        :meth:`refresh`, in the estimator that it returns.
    teacher_memorization_ : float
        How strongly the teacher has memorised the rows of ``X``: the share in [0, 1] of the variance of its outputs on
        these rows that it does not reproduce on neighbouring rows. 0 means that its outputs on its training rows are
        like its outputs on unseen rows; 1 means that it returns stored values, as a nearest-neighbour model does. NaN
        if it was not measured: too few rows or queries, or synthetic rows whose outputs are distributed differently.
        Only set if the sampler or the student was selected.
    decision_ : Decision
        How ``predict`` chooses the label: the thresholds of the classes. Only set if it is not the largest probability.
    calibration_ : dict of ndarray
        Results of ``calibration``, one column per key: ``method`` (``"none"`` first), its ``temperature`` (NaN for
        isotonic functions, and for methods that are not used), ``log_loss`` in nats, in cross-validation on the rows of
        the calibration, the ``gain`` over no calibration and its standard error ``gain_error``, ``is_chosen``, the
        number of rows ``n_validated`` and ``validated_on`` (their origin). Only set with ``calibration`` and enough
        rows.
    soft_weight_ : float
        Weight of the teacher in the targets that the student was fitted on.
    soft_weights_ : dict of ndarray
        Results of ``soft_weight="auto"``, one column per key: ``soft_weight``, ``n_synthetic``, ``skill`` (the share of
        the variance of the true labels that is explained), the ``gain`` over the teacher alone and its standard error
        ``gain_error``, ``n_validated`` (the number of true labels used for validation) and ``validated_on`` (their
        origin). The last row is the student without the teacher: ``soft_weight`` 0 and no synthetic rows. Only set with
        ``"auto"`` and about 120 real rows with true labels, or 30 of ``y_val``.
    constraints_ : Constraints
        The directions and sets of columns that the student keeps, with the evidence for them; it is printed as a table.
        Only set with ``monotonic_cst`` or ``interaction_cst``.
    student_columns_ : list of str or int
        Names, or positions, of the columns that the student sees. Only set with ``student_columns``.
    columns_path_ : dict of ndarray
        Fidelity of small students that see fewer and fewer columns, on synthetic rows drawn from real rows that they
        were not fitted on (without a sampler, on these real rows), in the format of ``cv_results_``: the columns
        ``left_out`` at each step, ``n_columns``, ``cost``, ``fidelity``, its ``loss`` compared with all columns, and
        ``is_chosen``. Only set with ``student_columns`` and at least 20 real rows.
    ignored_features_ : dict of {str or int: str}
        Columns of many categories that students of this package do not read or store, by name or position, and why:
        columns of keys, in which at least 90 % of the cells have a value that occurs once, and columns of rare
        categories that the teacher does not read. For the latter, the teacher labels 200 rows with permuted cells, if
        these are at most 5 % of the synthetic rows. The student still accepts tables with these columns.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of str, shape (n_features,)
        Column names, if ``X`` is a frame whose column names are all strings.

    See Also
    --------
    DistilledRegressor : Distillation of regressors.

    Notes
    -----
    If the fitted teacher was trained on all of ``X``, cross-validation leaks: each test fold contains rows that the
    teacher was trained on. Evaluate on a test set that the teacher has not seen, or pass the teacher unfitted.

    References
    ----------
    .. [1] C. Bucila, R. Caruana and A. Niculescu-Mizil, "Model Compression", KDD 2006.
    .. [2] G. Hinton, O. Vinyals and J. Dean, "Distilling the Knowledge in a Neural Network", 2015, arXiv:1503.02531.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from sklearn.model_selection import train_test_split
    >>> from skdistill import DistilledClassifier
    >>> X_train, X_test, y_train, y_test = train_test_split(
    ...     *load_breast_cancer(return_X_y=True), random_state=0
    ... )
    >>> forest = RandomForestClassifier(random_state=0).fit(X_train, y_train)
    >>> model = DistilledClassifier(forest, random_state=0).fit(X_train, y_train)
    >>> model.fidelity(X_test) > 0.9
    True
    """

    _task: ClassVar[FitTask] = ClassTask()

    def __init__(
        self,
        teacher: TeacherLike | Sequence[TeacherLike | tuple[str, TeacherLike]],
        student: StudentLike = "auto",
        *,
        student_size: int | None = None,
        n_generations: int = 1,
        assistant_size: int | None = None,
        sampler: SupportsSample | Literal["auto"] | None = "auto",
        n_synthetic: float | Literal["auto"] = "auto",
        temperature: float = 1.0,
        soft_weight: float | Literal["auto"] = 1.0,
        truth_margin: float | None = None,
        teacher_cv: int | SupportsSplit | Literal["oob"] | None = None,
        teacher_weights: Literal["loss", "region"] | ArrayLike | None = None,
        target_compressor: SupportsTransform | None = None,
        max_queries: int | None = None,
        max_real_rows: int | Literal["auto"] | None = "auto",
        n_repeats: int = 1,
        response_method: Literal["auto", "predict_proba", "decision_function", "predict"] = "auto",
        decision: Literal["auto", "argmax", "teacher"] = "auto",
        calibration: Literal["temperature", "isotonic", "auto"] | None = None,
        memory: Memory = None,
        teacher_id: str | None = None,
        chunk_size: int = 10_000,
        time_limit: float | None = None,
        random_state: RandomState = None,
        n_jobs: int | None = None,
        verbose: int = 0,
        categorical_features: CategoricalFeatures = "from_dtype",
        monotonic_cst: Literal["teacher"] | MonotonicCst = None,
        interaction_cst: Literal["teacher"] | InteractionCst = None,
        student_columns: Literal["auto"] | AutoColumns | ArrayLike | Callable[[Any], Any] | None = None,
        compressor: Any = "deprecated",
    ) -> None:
        self.teacher = teacher
        self.student = student
        self.student_size, self.n_generations, self.assistant_size = student_size, n_generations, assistant_size
        self.sampler = sampler
        self.n_synthetic = n_synthetic
        self.temperature = temperature
        self.soft_weight, self.truth_margin = soft_weight, truth_margin
        self.teacher_cv, self.teacher_weights = teacher_cv, teacher_weights
        self.target_compressor = target_compressor
        self.max_queries, self.max_real_rows = max_queries, max_real_rows
        self.n_repeats = n_repeats
        self.response_method = response_method
        self.decision, self.calibration = decision, calibration
        self.memory = memory
        self.teacher_id = teacher_id
        self.chunk_size = chunk_size
        self.time_limit = time_limit
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose
        self.categorical_features = categorical_features
        self.monotonic_cst = monotonic_cst
        self.interaction_cst = interaction_cst
        self.student_columns = student_columns
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
        groups: Any = None,
    ) -> Self:
        """Label real and synthetic rows with the teacher, and fit the student on them.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)
            Real rows: an array, a sparse matrix or a data frame that both teacher and student accept. A dataset that is
            read in chunks (:func:`~skdistill.datasets.as_dataset`) is read twice: at most ``sample_rows`` of its rows,
            and of ``max_queries``, are labelled and taught, a quarter of them (at most 20,000) drawn at random and the
            others where the teacher's outputs vary. If a sampler or a student is selected, a twentieth (at most 5,000),
            drawn at random, is used as ``X_val``. If ``max_queries`` is above ``sample_rows`` and the student is
            linear, a tree or boosting, the dataset is read once more, and its coefficients or leaf values are fitted
            again to the sums of all labelled rows (``refit_report_``). The teacher must be fitted.
        y : array-like of shape (n_samples,), str or None, default=None
            True labels; of a dataset, the name of their column. Not needed if the teacher is fitted and has
            ``classes_``.
        sample_weight : array-like of shape (n_samples,), str or None, default=None
            Weight of each row, for the student and for a recipe that accepts ``sample_weight``; of a dataset, the name
            of a column.
        X_unlabeled : table of shape (n_unlabeled, n_features), default=None
            More real rows, without labels. A dataset that is read in chunks may be passed beside a table ``X``.
        X_val : table of shape (n_validation, n_features), default=None
            Real rows, without labels, that the teacher was not fitted on. If there are at least 30, samplers and
            students are selected by their fidelity on these rows, and ``candidates_`` reports that fidelity. The
            student is not fitted on them.
        y_val : array-like of shape (n_validation,), default=None
            True labels of ``X_val``, used only by ``soft_weight="auto"``, by ``calibration``, and by
            ``teacher_weights="loss"`` and ``"region"``.
        groups : array-like of shape (n_samples,), default=None
            Group of each row, for the splitter ``teacher_cv``, and the query of each row for a recipe that ranks.

        Returns
        -------
        self : DistilledClassifier

        Raises
        ------
        TeacherError, TeacherOutputError, TeacherQueryError
            If the teacher is unusable, returns malformed outputs, or raises.
        SamplerError
            If the sampler returns rows with other columns or dtypes than ``X``.
        StudentError
            If the student cannot be fitted.
        ValueError
            If an argument is invalid or inconsistent with ``X``.
        DatasetError
            If a partition of a dataset cannot be read or differs from the others, or all its rows are needed at once.
        """
        with encoded_once():
            self._fit(X, y, sample_weight, X_unlabeled, X_val, y_val, groups)
        return self

    @overload
    def predict_proba(self, X: DatasetLike) -> Iterator[np.ndarray]: ...
    @overload
    def predict_proba(self, X: Any) -> np.ndarray: ...
    def predict_proba(self, X: Any) -> Any:
        """Return the student's class probabilities at temperature 1.

        Parameters
        ----------
        X : table of shape (n_samples, n_features), or dataset
            With the columns seen in ``fit``, or a data frame with those of ``student_columns_``. Of a dataset that is
            read in chunks (:func:`~skdistill.datasets.as_dataset`), other columns are not read.

        Returns
        -------
        proba : ndarray of shape (n_samples, n_classes), or iterator over them
            Columns in the order of ``classes_``; of a dataset, the probabilities of each chunk.
        """
        check_fitted(self, "student_")
        if is_dataset(X):
            return answers_by_chunk(X, self, "predict_proba")
        if self.n_jobs is None:  # nothing is lent, which saves time for single rows
            return self._targets.predict_seen(self.student_, self._student_rows(X))
        with checked_once():
            rows = self._student_rows(X)
            with context_of_threads(self.n_jobs, rows.shape[0]):
                return self._targets.predict_seen(self.student_, rows)

    def teacher_labels(self, X: Any) -> np.ndarray:
        """Return the labels that the teacher predicts for ``X``.

        This queries the teacher, which may be slow: ``predict`` if its labels may differ from those of its largest
        outputs, or else its outputs. If ``predict`` fails or returns no labels, the largest outputs decide.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)
            With the columns seen in ``fit``. No labels are needed.

        Returns
        -------
        labels : ndarray of shape (n_samples,)
        """
        check_fitted(self, "student_")
        return self._teacher_labels(check_table(self, X, reset=False))

    def _teacher_labels(self, X: Any, soft_targets: np.ndarray | None = None) -> np.ndarray:
        """Return the labels of the teacher for checked rows, whose soft targets may be known."""
        teacher = self._targets.teacher

        def outputs() -> np.ndarray:
            return self.soft_targets(X) if soft_targets is None else soft_targets

        return self.classes_[positions_said(teacher, X, outputs, chunk_size=self.chunk_size)]

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the share of rows whose label is the true one.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)
            With the columns seen in ``fit``.
        y : array-like of shape (n_samples,)
            True labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row.

        Returns
        -------
        score : float
            In [0, 1].

        Raises
        ------
        DatasetError
            If ``X`` is a dataset that is read in chunks; :func:`skdistill.report` measures it on all rows.
        """
        refuse_dataset(f"{type(self).__name__}.score", X, SCORE_OF_DATASETS)
        return super().score(X, y, sample_weight)

    def predict_log_proba(self, X: Any) -> np.ndarray:
        """Return the logarithm of :meth:`predict_proba`, of shape (n_samples, n_classes)."""
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))
