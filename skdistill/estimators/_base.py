"""What both distilled estimators share: the teacher rule, and the way from rows to a transfer set."""

import copy
from functools import cache, partial
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.utils import get_tags
from sklearn.utils.validation import check_memory

from .._tables import describe_mismatch
from .._validation import check_fitted, check_number, check_table, check_weights, draw_seed, input_tags_of
from ..exceptions import StudentError, TeacherError
from ..metrics import fidelity
from ..samplers import as_sampler
from ..students import (
    CompactBoostingClassifier,
    CompactBoostingRegressor,
    CompactKernelClassifier,
    CompactKernelRegressor,
)
from ..students._families import FAMILIES, family_member
from ..students._student import CompactStudent, count_inputs
from ..teachers import (
    Task,
    Teacher,
    as_teacher,
    ask,
    fit_teacher,
    is_fitted_teacher,
    out_of_bag_outputs,
    out_of_fold_outputs,
)
from ..transfer import AUTO_RATIO, SYNTHETIC_WEIGHT, Oracle, TransferSet, count_synthetic, label_real_rows
from ._auto_sampler import (
    CHOICE_RATIO,
    FEWEST_JUDGES,
    FEWEST_REAL,
    AutoSampler,
    HoldOut,
    Judge,
    choose_transfer_set,
    draw,
    hold_out_judges,
)
from ._auto_student import AutoStudent
from ._callbacks import CallbackSupport, Phases
from ._choosing import PROXY, Terms, choose_student, hold_out_for_students
from ._showing import Shown


class BaseDistilled(CallbackSupport, Shown):
    """Base of ``DistilledClassifier`` and ``DistilledRegressor``."""

    _task: ClassVar[Task]
    _multioutput: ClassVar[str]

    teacher: Any
    student: Any
    student_size: int | None
    sampler: Any
    n_synthetic: Any
    soft_weight: float
    teacher_cv: Any
    compressor: Any
    max_queries: int | None
    response_method: str
    memory: Any
    chunk_size: int
    random_state: Any
    n_jobs: int | None
    verbose: int

    # ------------------------------------------------------------------ the teacher rule

    def __sklearn_clone__(self) -> Any:
        if not is_fitted_teacher(self.teacher):
            return super().__sklearn_clone__()
        without = copy.copy(self)
        without.teacher = None
        twin = BaseEstimator.__sklearn_clone__(without)
        twin.teacher = self.teacher
        return twin

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters; those of a fitted teacher are not among them.

        Parameters
        ----------
        deep : bool, default=True
            Also those of student, sampler, compressor and an unfitted teacher.

        Returns
        -------
        params : dict
        """
        params = super().get_params(deep=deep)
        if deep and is_fitted_teacher(self.teacher):
            params = {name: value for name, value in params.items() if not name.startswith("teacher__")}
        return params

    def set_params(self, **params: Any) -> Any:
        """Set parameters; those of a fitted teacher cannot be set.

        Parameters
        ----------
        **params : dict
            Parameters, those of nested estimators as ``student__max_leaf_nodes``.

        Returns
        -------
        self : estimator

        Raises
        ------
        ValueError
            For ``teacher__*`` with a fitted teacher: the caller's model is never changed.
        """
        nested = [name for name in params if name.startswith("teacher__")]
        teacher = params.get("teacher", self.teacher)
        if nested and is_fitted_teacher(teacher):
            raise ValueError(
                f"{type(self).__name__}: cannot set {nested[0]}: the teacher {type(teacher).__name__} is fitted and is "
                "never changed. Set it on the model itself before fitting it, or pass an unfitted one as a recipe."
            )
        return super().set_params(**params)

    def _resolve_teacher(
        self, X: Any, y: Any, sample_weight: Any, rng: np.random.RandomState, phases: Phases
    ) -> Teacher:
        """Adapt the fitted teacher, or fit a clone of the recipe."""
        if is_fitted_teacher(self.teacher):
            if self.teacher_cv is not None:
                raise TeacherError(
                    f"{type(self).__name__}: teacher_cv={self.teacher_cv!r} fits teachers, but the teacher "
                    f"{type(self.teacher).__name__} is fitted already. Pass it unfitted, or teacher_cv=None."
                )
            return self._adapt(self.teacher, y)
        self._check_recipe(y)
        with phases.phase("fit the teacher") as phase:
            phase.say(f"fitting the teacher {type(self.teacher).__name__} on {X.shape[0]:,} rows")
            fitted = fit_teacher(
                self.teacher, X, y, sample_weight=sample_weight, rng=rng, oob=isinstance(self.teacher_cv, str)
            )
        if self.teacher_cv is not None and self._task == "classification" and not hasattr(fitted, "classes_"):
            raise TeacherError(
                f"{type(self).__name__}: teacher_cv={self.teacher_cv!r} fits several teachers, but "
                f"{type(fitted).__name__} numbers its groups anew in every fit. Pass teacher_cv=None."
            )
        return self._adapt(fitted, y)

    def _check_recipe(self, y: Any) -> None:
        if y is None and (self.teacher_cv is not None or get_tags(self.teacher).target_tags.required):
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is None: the teacher "
                f"{type(self.teacher).__name__} is not fitted. Pass y, or fit the teacher first."
            )

    def _adapt(self, model: Any, y: Any) -> Teacher:
        classes = np.unique(y) if self._task == "classification" and y is not None else None
        return as_teacher(model, self.response_method, task=self._task, classes=classes)

    # ------------------------------------------------------------------ from rows to a transfer set

    def _label_real_rows(
        self,
        teacher: Teacher,
        X: Any,
        y: Any,
        truth: Any,
        sample_weight: Any,
        X_unlabeled: Any,
        rng: np.random.RandomState,
        phases: Phases,
    ) -> tuple[TransferSet, np.ndarray, Oracle]:
        """Label the rows of ``X`` and ``X_unlabeled``; see :func:`skdistill.transfer.label_real_rows`."""
        memory = check_memory(self.memory)

        def query(teacher: Teacher, rows: Any, origin: str) -> np.ndarray:
            with phases.phase(f"label {origin}") as phase:
                return ask(
                    teacher,
                    rows,
                    origin=origin,
                    chunk_size=self.chunk_size,
                    memory=memory,
                    verbose=self.verbose,
                    tell=phase.tell,
                )

        def label_out_of_fold(_: np.ndarray) -> np.ndarray:
            with phases.phase("label out of fold") as phase:
                phase.say("fitting a teacher for each fold")
                return out_of_fold_outputs(
                    lambda X, y, weight: self._adapt(fit_teacher(self.teacher, X, y, sample_weight=weight, rng=rng), y),
                    lambda fold, X: query(fold, X, "rows of a fold"),
                    X,
                    y,
                    sample_weight,
                    cv=self.teacher_cv,
                    classes=teacher.classes_,
                )

        label_anew = None
        if self.teacher_cv is not None:
            is_oob = isinstance(self.teacher_cv, str)
            label_anew = partial(out_of_bag_outputs, teacher) if is_oob else label_out_of_fold
        if teacher.transductive and self.max_queries is not None and self.max_queries < X.shape[0]:
            raise TeacherError(
                f"{type(self).__name__}: {teacher.name} answers for all {X.shape[0]} rows of X or none, but "
                f"max_queries={self.max_queries}. Pass max_queries=None, or a teacher with predict."
            )
        oracle = Oracle(partial(query, teacher), memory, self.max_queries)
        real, is_unlabeled = label_real_rows(
            X,
            oracle,
            sample_weight=np.ones(X.shape[0]) if sample_weight is None else sample_weight,
            truth=truth,
            X_unlabeled=X_unlabeled,
            label_anew=label_anew,
            rng=rng,
        )
        return real, is_unlabeled, oracle

    def _judges(
        self, real: TransferSet, is_unlabeled: np.ndarray, X_val: Any, oracle: Oracle, rng: np.random.RandomState
    ) -> HoldOut:
        """Return the function that holds out real rows, the same whenever it is called."""
        options = AutoSampler() if isinstance(self.sampler, str) else self.sampler
        if not isinstance(options, AutoSampler):
            student = self._resolve_student()
            options = student if isinstance(student, AutoStudent) else AutoSampler()
        share = options.validation_fraction
        judges = (share, real, is_unlabeled, X_val, self.teacher_cv is not None)
        return cache(lambda: hold_out_judges(*judges, oracle, self._soft_targets, rng))

    def _has_fresh_judges(self, is_unlabeled: np.ndarray, X_val: Any) -> bool:
        """Whether there are real rows to judge students by that the teacher was not fitted on."""
        given = X_val is not None and X_val.shape[0] >= FEWEST_REAL
        return bool(given or np.count_nonzero(is_unlabeled) >= FEWEST_JUDGES or self.teacher_cv is not None)

    def _extend(
        self, real: TransferSet, hold_out: HoldOut, oracle: Oracle, rng: np.random.RandomState, phases: Phases
    ) -> TransferSet:
        """Add synthetic rows to the real ones: of the sampler given, or of the one that serves this student best."""
        self.__dict__.pop("sampler_results_", None)  # of an earlier fit
        sampler = AutoSampler() if isinstance(self.sampler, str) else self.sampler
        chooses = isinstance(sampler, AutoSampler)
        n_rows, n_features = real.X.shape
        n_synthetic = count_synthetic(self.n_synthetic, n_rows, n_features, CHOICE_RATIO if chooses else AUTO_RATIO)
        n_synthetic = int(min(n_synthetic, oracle.n_left))
        if sampler is None or n_synthetic < 1 or (chooses and self._teacher.transductive):
            return real
        if not chooses:
            with phases.phase("draw rows") as phase:
                rows = draw(phase, oracle, sampler, real, n_synthetic, draw_seed(rng))
            return real.extend([rows], SYNTHETIC_WEIGHT, repr(sampler))

        student = self._sized_student(real)
        if isinstance(student, AutoStudent):  # choosing both at once would take a choice of students for each sampler
            student = self._terms(real).sized(PROXY, student)

        def rows_and_judge() -> tuple[TransferSet, Judge]:
            rows, judge = hold_out()
            return real.take(rows), judge

        with phases.phase("choose a sampler") as phase:
            transfer_set, results = choose_transfer_set(
                sampler,
                real,
                rows_and_judge,
                lambda taught, judge, seed: self._losses(self._teach(student, taught, seed), judge),
                oracle,
                n_synthetic=n_synthetic,
                rng=rng,
                phase=phase,
                n_jobs=self.n_jobs,
            )
        if results:
            self.sampler_results_ = results
        return transfer_set

    def _teach_student(
        self,
        transfer_set: TransferSet,
        hold_out: HoldOut,
        rng: np.random.RandomState,
        phases: Phases,
        *,
        is_fresh: bool,
    ) -> Any:
        """Return the student, taught: the one given, or the one that serves this teacher best.

        ``is_fresh`` says that there are real rows to judge which the teacher was not fitted on.
        """
        self.__dict__.pop("candidates_", None)  # of an earlier fit
        student = self._sized_student(transfer_set)
        if not isinstance(student, AutoStudent):
            with phases.phase("teach the student") as phase:
                phase.say(f"teaching {type(student).__name__} on {len(transfer_set.sample_weight):,} rows")
                return self._teach(student, transfer_set, draw_seed(rng))
        terms = self._terms(transfer_set)
        has_judges = np.count_nonzero(transfer_set.sample_weight[: transfer_set.n_real]) >= FEWEST_REAL
        rows, judge = np.arange(len(transfer_set.sample_weight)), None
        if has_judges:
            rows, judge = hold_out_for_students(transfer_set, hold_out, is_fresh, self._soft_targets, rng)
        taught, self.candidates_ = choose_student(
            student,
            terms,
            transfer_set,
            transfer_set.take(rows),
            judge,
            self._teach,
            self._losses,
            rng=rng,
            phases=phases,
        )
        return taught

    def _inheriting(self, student: Any) -> Any:
        """Return a kernel student with the kernel of the teacher, where that has one, and none of its rows."""
        if not isinstance(student, CompactKernelClassifier | CompactKernelRegressor):
            return student
        return student.inherit(self._teacher.model).set_params(landmarks=student.landmarks)

    def _losses(self, student: Any, judge: Judge) -> np.ndarray:
        """Return the losses of a judge's rows; fidelity is one minus their mean."""
        return judge.losses(self._outputs_of(student, judge.X), pool_outputs=self._task == "classification")

    def _terms(self, transfer_set: TransferSet) -> Terms:
        """Return what a student of ours is made for."""
        classifies = self._task == "classification" and self.compressor is None
        n_outputs = self._soft_targets(transfer_set.outputs[:1]).reshape(1, -1).shape[1]
        if self._task == "classification" and n_outputs == 2:
            n_outputs = 1
        n_rows = len(transfer_set.sample_weight)
        return Terms(classifies, count_inputs(transfer_set.X), n_outputs, n_rows, self.student_size, self.n_jobs)

    def _sized_student(self, transfer_set: TransferSet) -> Any:
        """Return the student, of the size that was asked for."""
        student = self._student_to_teach()
        if self.student_size is None or isinstance(student, AutoStudent):
            return student
        terms = self._terms(transfer_set)
        return student.sized(self.student_size, n_inputs=terms.n_inputs, n_outputs=terms.n_outputs)

    def _phases(self, X: Any, y: Any, X_unlabeled: Any, X_val: Any) -> Phases:
        """Return what tells the phases of this fit: labelling, teaching, and before, between and after these others."""
        others = [
            not is_fitted_teacher(self.teacher),
            self.teacher_cv is not None,
            X_unlabeled is not None,
            X_val is not None,
            self.sampler is not None,
            isinstance(self._resolve_student(), AutoStudent),
        ]
        return Phases(self, 2 + sum(others), X, y)

    # ------------------------------------------------------------------ checks

    def _check_parameters(self, y: Any) -> None:
        check_number(self, "chunk_size", self.chunk_size, kind=Integral, low=1)
        check_number(self, "soft_weight", self.soft_weight, low=0, high=1)
        if self.max_queries is not None:
            check_number(self, "max_queries", self.max_queries, kind=Integral, low=2)
        if self.student_size is not None:
            check_number(self, "student_size", self.student_size, kind=Integral, low=1)
        student = self._resolve_student()
        if isinstance(student, AutoStudent):
            student.check()
        elif self.student_size is not None and not isinstance(student, CompactStudent):
            raise StudentError(
                f"{type(self).__name__}: student_size={self.student_size} needs a compact student of this package, or "
                f'student="auto"; got {type(student).__name__}. Pass its own parameters as student__..., and '
                "student_size=None."
            )
        if isinstance(self.sampler, AutoSampler):
            self.sampler.check()
        elif self.sampler is not None and not isinstance(self.sampler, str):
            as_sampler(self.sampler)
        if not isinstance(self.n_synthetic, str):
            check_number(self, "n_synthetic", self.n_synthetic, kind=Real, low=0)
        if isinstance(self.student, str) and self.student not in ("auto", *FAMILIES):
            raise ValueError(
                f"{type(self).__name__}: student={self.student!r}; the only texts it takes are 'auto' and "
                f"{', '.join(map(repr, FAMILIES))}."
            )
        for name in ("sampler", "n_synthetic", "teacher_cv"):
            value, allowed = getattr(self, name), "oob" if name == "teacher_cv" else "auto"
            if isinstance(value, str) and value != allowed:
                advice = " Pass a sampler, such as skdistill.samplers.LeafSwap()." if name == "sampler" else ""
                raise ValueError(
                    f"{type(self).__name__}: {name}={value!r}; the only text it takes is {allowed!r}.{advice}"
                )
        if self.soft_weight < 1 and y is None:
            raise ValueError(
                f"{type(self).__name__}: soft_weight={self.soft_weight} blends in true labels, but y is None. "
                "Pass y, or soft_weight=1."
            )
        draws_rows = self.sampler is not None and self.n_synthetic != 0
        keeps = self.memory is not None and getattr(self.memory, "location", self.memory) is not None
        if keeps and draws_rows and not isinstance(self.random_state, Integral):
            raise ValueError(
                f"{type(self).__name__}: memory= needs an integer random_state, so that the same rows are drawn again "
                f"and found; got random_state={self.random_state!r}. Pass e.g. random_state=0."
            )

    def _check_rows(
        self, X: Any, sample_weight: Any, X_unlabeled: Any, X_val: Any
    ) -> tuple[Any, np.ndarray | None, Any, Any]:
        X = check_table(self, X, reset=True)
        if X.shape[0] < 2:
            raise ValueError(f"{type(self).__name__} got n_samples = {X.shape[0]} row; expected at least 2.")
        if sample_weight is not None:
            sample_weight = check_weights(sample_weight, X.shape[0])
        if self.max_queries is not None and self.teacher_cv is not None and self.max_queries < X.shape[0]:
            raise ValueError(
                f"{type(self).__name__}: max_queries={self.max_queries} is less than the {X.shape[0]} rows of X, which "
                f"teacher_cv={self.teacher_cv!r} labels all. Pass at least so many, or teacher_cv=None."
            )
        return (
            X,
            sample_weight,
            self._check_more_rows("X_unlabeled", X_unlabeled, X),
            self._check_more_rows("X_val", X_val, X),
        )

    def _check_more_rows(self, name: str, rows: Any, X: Any) -> Any:
        """Return more real rows, which must be rows of the same table."""
        if rows is None:
            return None
        rows = check_table(self, rows, reset=False)
        mismatch = describe_mismatch(X, rows)
        if mismatch is not None:
            raise ValueError(
                f"{type(self).__name__}: {name} is or has {mismatch}; expected the columns and dtypes of X."
            )
        return rows

    # ------------------------------------------------------------------ after fit

    def predict(self, X: Any) -> np.ndarray:
        """Predict with the student.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)
            With the columns seen in ``fit``.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Labels or values.
        """
        check_fitted(self, "student_")
        return self.student_.predict(check_table(self, X, reset=False))

    def fidelity(self, X: Any, *, sample_weight: Any = None) -> float:
        """R² of the student's outputs to the teacher's: 1 is a perfect copy.

        Asks the teacher, which may be slow. Rows the student was not fitted on tell the truth.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)
            With the columns seen in ``fit``. No labels are needed.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row.

        Returns
        -------
        score : float
            See :func:`skdistill.metrics.fidelity`.
        """
        soft_targets = self.soft_targets(X)
        outputs = self._outputs_of(self.student_, check_table(self, X, reset=False))
        return fidelity(soft_targets, outputs, sample_weight=sample_weight, multioutput=self._multioutput)

    def soft_targets(self, X: Any) -> np.ndarray:
        """Return what the teacher says of ``X``, as the student is taught it at temperature 1.

        Asks the teacher, which may be slow. To be compared with ``predict_proba`` of a classifier and ``predict`` of a
        regressor, for example by :mod:`skdistill.metrics`.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)
            With the columns seen in ``fit``.

        Returns
        -------
        soft_targets : ndarray of shape (n_samples, n_classes), (n_samples,) or (n_samples, n_outputs)
            Class probabilities in the order of ``classes_``, or values.
        """
        check_fitted(self, "student_")
        X = check_table(self, X, reset=False)
        return self._soft_targets(ask(self._teacher, X, chunk_size=self.chunk_size, verbose=self.verbose))

    def _student_to_teach(self) -> Any:
        """Return the student; one of ours keeps its trees where the teacher's answers are kept."""
        student = self._resolve_student()
        is_ours = isinstance(student, CompactBoostingClassifier | CompactBoostingRegressor)
        if self.memory is None or not is_ours or student.memory is not None:
            return student
        return clone(student).set_params(memory=self.memory)

    def _resolve_student(self) -> Any:
        """Return the student or the options to choose one, where a name was given."""
        if not isinstance(self.student, str):
            return self.student
        if self.student not in FAMILIES:
            return AutoStudent()
        classifies = self._task == "classification" and self.compressor is None
        return family_member(self.student, classifies=classifies, n_jobs=self.n_jobs)

    def _soft_targets(self, outputs: np.ndarray) -> np.ndarray:
        raise NotImplementedError

    def _teach(self, student: Any, transfer_set: TransferSet, seed: int) -> Any:
        raise NotImplementedError

    def _outputs_of(self, student: Any, X: Any) -> np.ndarray:
        raise NotImplementedError

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        student = self._resolve_student()
        if isinstance(student, AutoStudent):
            student = family_member(PROXY, classifies=False)
        if hasattr(student, "__sklearn_tags__"):
            tags.input_tags = input_tags_of(student)
        fitted = is_fitted_teacher(self.teacher)
        tags.target_tags.required = False
        if not fitted and hasattr(self.teacher, "__sklearn_tags__"):
            of_teacher = get_tags(self.teacher)
            tags.target_tags.required = of_teacher.target_tags.required
            tags.input_tags.sparse &= of_teacher.input_tags.sparse
            tags.input_tags.allow_nan &= input_tags_of(self.teacher).allow_nan
        return tags
