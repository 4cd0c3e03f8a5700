"""What both distilled estimators share: the teacher rule, and the way from rows to a transfer set."""

import copy
import warnings
from contextlib import suppress
from functools import partial
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.utils import get_tags
from sklearn.utils.validation import check_memory

from .._tables import describe_mismatch
from .._validation import (
    check_fitted,
    check_number,
    check_random_state,
    check_table,
    check_weights,
    draw_seed,
    input_tags_of,
)
from ..exceptions import StudentError, TeacherError, TeacherWarning
from ..metrics import fidelity
from ..samplers import as_sampler
from ..students import CompactBoostingClassifier, CompactBoostingRegressor
from ..students._families import FAMILIES, current_name, scouted_families, warn_of_former_names
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
from ..transfer import Oracle, TransferSet, count_synthetic, label_real_rows
from ._auto_sampler import AutoSampler
from ._auto_student import AutoStudent
from ._callbacks import CallbackSupport, Phases
from ._candidates import Candidates
from ._choosing import SAFE, TaughtRows, Terms, choose_student
from ._deadline import Deadline
from ._extending import extend
from ._showing import Shown
from ._targets import Targets
from ._truth_weight import TruthWeight, compare, is_truth_weighed, reserved
from ._validation_rows import FEWEST_REAL, HeldOut, hold_out, label_given_rows

PROXIES = ("mlp_ple", "boosting")
"""Families whose scouts synthetic rows are tried with, where they are allowed."""


class BaseDistilled(CallbackSupport, Shown):
    """Base of ``DistilledClassifier`` and ``DistilledRegressor``."""

    _task: ClassVar[Task]
    _multioutput: ClassVar[str]

    teacher: Any
    student: Any
    student_size: int | None
    sampler: Any
    n_synthetic: Any
    soft_weight: Any
    teacher_cv: Any
    target_compressor: Any
    max_queries: int | None
    response_method: str
    memory: Any
    chunk_size: int
    time_limit: float | None
    random_state: Any
    n_jobs: int | None
    verbose: int
    compressor: Any

    # ------------------------------------------------------------------ the fit

    def _fit(self, X: Any, y: Any, sample_weight: Any, X_unlabeled: Any, X_val: Any, y_val: Any) -> None:
        """Check, resolve the teacher, label, extend, teach; what is fitted is set when all of it is there."""
        self._check_parameters(y)
        X, sample_weight, X_unlabeled, X_val = self._check_rows(X, sample_weight, X_unlabeled, X_val)
        y = self._check_y(X, y)
        y_val = self._check_y_val(X_val, y_val, y)
        rng, phases = check_random_state(self.random_state), self._phases(X, y, X_unlabeled)
        deadline = Deadline(self.time_limit)

        teacher = self._resolve_teacher(X, y, sample_weight, rng, phases)
        truth, truth_val = self._truth(teacher, y), self._truth(teacher, y_val, "y_val")

        oracle = self._oracle(teacher, X, phases)
        anew = self._out_of_sample_labels(teacher, X, y, sample_weight, rng, phases)
        weight = np.ones(X.shape[0]) if sample_weight is None else sample_weight
        real = label_real_rows(
            X, oracle, sample_weight=weight, truth=truth, X_unlabeled=X_unlabeled, label_anew=anew, rng=rng
        )
        targets = self._targets_of(teacher, real)

        with reserved(self, y, truth_val, oracle):
            held_out, n_synthetic, n_before = None, self._count_synthetic(teacher, real, oracle), oracle.n_queries
            if self._is_anything_chosen(n_synthetic) and np.count_nonzero(real.sample_weight) >= FEWEST_REAL:
                with phases.phase("hold rows out") as phase:
                    held_out, n_before = self._hold_out(real, X_val, targets, oracle, n_synthetic, rng)
                    phase.say(str(held_out))
                n_synthetic = int(min(n_synthetic, oracle.n_left))
            n_synthetic = int(min(n_synthetic, deadline.rows_in_time(oracle.n_queries, oracle.label_seconds)))
            extension = extend(
                self._sampler_or_options(),
                real,
                held_out,
                self._students_to_try(targets, real),
                oracle,
                n_synthetic=n_synthetic,
                n_before=n_before,
                is_student_chosen=isinstance(self._resolve_student(), AutoStudent),
                rng=rng,
                phases=phases,
                n_jobs=self.n_jobs,
                deadline=deadline,
            )
        truth_weight = None
        if is_truth_weighed(self, y):
            truth_weight = compare(
                self,
                X,
                y,
                sample_weight,
                X_val,
                truth_val,
                extension,
                real,
                targets,
                oracle,
                rng=copy.deepcopy(rng),
                phases=phases,
                deadline=deadline,
            )
        student, candidates = self._teach(extension.rows, held_out, targets, truth_weight, rng, phases, deadline)
        if truth_weight is not None and truth_weight.caution:
            warnings.warn(f"{type(self).__name__}: {truth_weight.caution}", TeacherWarning, stacklevel=5)

        real_weight = extension.rows.real_weights[0] if candidates is None else candidates.tried[-1].real_weight
        self._keep(
            student_=student,
            teacher_=teacher.model,
            transfer_set_=extension.rows.whole.summary(oracle, real_weight),
            candidates_=candidates,
            sampler_results_=extension.results or None,
            teacher_memorization_=None if held_out is None else held_out.memorization.share,
            soft_weight_=self._given_soft_weight if truth_weight is None else truth_weight.soft_weight,
            soft_weights_=None if truth_weight is None else truth_weight.results or None,
            classes_=teacher.classes_,
        )
        self._targets = targets
        phases.end()

    def _keep(self, **fitted: Any) -> None:
        """Set fitted attributes; those that this fit does not have are not left over from an earlier one."""
        for name, value in fitted.items():
            self.__dict__.pop(name, None)
            if value is not None:
                setattr(self, name, value)

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
            Also those of student, sampler, target compressor and an unfitted teacher.

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

    # ------------------------------------------------------------------ labels

    def _oracle(self, teacher: Teacher, X: Any, phases: Phases) -> Oracle:
        """Return the teacher within the budget, with the memory."""
        if teacher.transductive and self.max_queries is not None and self.max_queries < X.shape[0]:
            raise TeacherError(
                f"{type(self).__name__}: {teacher.name} answers for all {X.shape[0]} rows of X or none, but "
                f"max_queries={self.max_queries}. Pass max_queries=None, or a teacher with predict."
            )
        return Oracle(partial(self._ask, teacher, phases), check_memory(self.memory), self.max_queries)

    def _ask(self, teacher: Teacher, phases: Phases, rows: Any, origin: str) -> np.ndarray:
        with phases.phase(f"label {origin}") as phase:
            return ask(
                teacher,
                rows,
                origin=origin,
                chunk_size=self.chunk_size,
                memory=check_memory(self.memory),
                verbose=self.verbose,
                tell=phase.tell,
                n_jobs=self.n_jobs,
            )

    def _out_of_sample_labels(
        self,
        teacher: Teacher,
        X: Any,
        y: Any,
        sample_weight: Any,
        rng: np.random.RandomState,
        phases: Phases,
        cv: Any = None,
    ) -> Any:
        """Return what makes out-of-bag or out-of-fold labels of a recipe's in-sample ones, if that is asked for."""
        if self.teacher_cv is None:
            return None
        if isinstance(self.teacher_cv, str):
            return partial(out_of_bag_outputs, teacher)

        def label_out_of_fold(_: np.ndarray) -> np.ndarray:
            with phases.phase("label out of fold") as phase:
                phase.say("fitting a teacher for each fold")
                return out_of_fold_outputs(
                    lambda X, y, weight: self._adapt(fit_teacher(self.teacher, X, y, sample_weight=weight, rng=rng), y),
                    lambda fold, X: self._ask(fold, phases, X, "rows of a fold"),
                    X,
                    y,
                    sample_weight,
                    cv=self.teacher_cv if cv is None else cv,
                    classes=teacher.classes_,
                )

        return label_out_of_fold

    # ------------------------------------------------------------------ what is chosen, and by which rows

    def _sampler_or_options(self) -> Any:
        """Return the sampler, or the options to choose one."""
        return AutoSampler() if isinstance(self.sampler, str) else self.sampler

    def _is_anything_chosen(self, n_synthetic: int) -> bool:
        is_sampler_chosen = isinstance(self._sampler_or_options(), AutoSampler) and n_synthetic > 0
        return is_sampler_chosen or isinstance(self._resolve_student(), AutoStudent)

    def _count_synthetic(self, teacher: Teacher, real: TransferSet, oracle: Oracle) -> int:
        """Return how many synthetic rows there will be, as far as budget, teacher and real rows allow."""
        options, (n_rows, n_features) = self._sampler_or_options(), real.X.shape
        is_auto = isinstance(options, AutoSampler)
        if options is None or (is_auto and (teacher.transductive or np.count_nonzero(real.sample_weight) < 2)):
            return 0
        most = options.max_queries if is_auto and options.max_queries is not None else np.inf
        student, n_synthetic = self._resolve_student(), count_synthetic(self.n_synthetic, n_rows, n_features)
        if isinstance(student, AutoStudent) and isinstance(self.n_synthetic, str):
            n_synthetic = student.count_synthetic(n_rows, n_features, self.student_size)
        return int(min(n_synthetic, oracle.n_left, most))

    def _hold_out(
        self,
        real: TransferSet,
        X_val: Any,
        targets: Targets,
        oracle: Oracle,
        n_synthetic: int,
        rng: np.random.RandomState,
    ) -> tuple[HeldOut, int]:
        """Hold out validation rows; also return how many queries there were before any synthetic row was asked for."""
        options = self._sampler_or_options()
        if not isinstance(options, AutoSampler):
            options = self._resolve_student()
        given = label_given_rows(X_val, targets, oracle, rng)  # before synthetic rows use up what may be asked
        n_before = oracle.n_queries
        held_out = hold_out(
            options.validation_fraction,
            real,
            given,
            targets,
            oracle,
            are_out_of_sample=self.teacher_cv is not None,
            n_synthetic=int(min(n_synthetic, oracle.n_left)),
            n_jobs=self.n_jobs,
            rng=rng,
        )
        return held_out, n_before

    def _teach(
        self,
        rows: TaughtRows,
        held_out: HeldOut | None,
        targets: Targets,
        truth_weight: TruthWeight | None,
        rng: np.random.RandomState,
        phases: Phases,
        deadline: Deadline,
    ) -> tuple[Any, Candidates | None]:
        """Return the student, taught: the one given, or the one that serves this teacher best, and what was tried."""
        student, terms = self._student_to_teach(), self._terms(targets, rows.whole)
        settle = None if truth_weight is None else truth_weight.settle
        if isinstance(student, AutoStudent):
            validation = None if held_out is None else held_out.validation
            return choose_student(
                student,
                terms,
                rows,
                validation,
                targets,
                settle=settle,
                rng=rng,
                phases=phases,
                deadline=deadline,
            )
        student, real_weight = self._sized(student, terms), rows.real_weights[0]
        with phases.phase("teach the student") as phase:
            targets = targets if settle is None else settle(student, real_weight)
            phase.say(f"teaching {type(student).__name__} on {len(rows.whole):,} rows")
            return targets.teach(student, rows.whole.weigh_real(real_weight), draw_seed(rng)), None

    def _students_to_try(self, targets: Targets, real: TransferSet) -> dict[str, Any]:
        """Return the students that synthetic rows are tried with: the one given, or one of each of two families."""
        student, terms = self._student_to_teach(), self._terms(targets, real)
        if not isinstance(student, AutoStudent):
            return {type(student).__name__: self._sized(student, terms)}
        allowed, scouts = student.families_for(real.X), {}
        proxies = [name for name in PROXIES if name in allowed]
        for family in proxies or [name for name in allowed if name in scouted_families()]:
            with suppress(StudentError):  # the budget is too small for this family
                scouts[family] = terms.scout(family, student)
        return scouts or {allowed[0]: FAMILIES[allowed[0]].member(classifies=targets.classifies, n_jobs=self.n_jobs)}

    def _terms(self, targets: Targets, transfer_set: TransferSet) -> Terms:
        """Return what a student of ours is made for."""
        n_outputs = targets.of(transfer_set.outputs[:1]).reshape(1, -1).shape[1]
        if self._task == "classification" and n_outputs == 2:
            n_outputs = 1
        n_inputs = count_inputs(transfer_set.X)
        return Terms(targets.classifies, n_inputs, n_outputs, len(transfer_set), self.student_size, self.n_jobs)

    def _sized(self, student: Any, terms: Terms) -> Any:
        """Return a student of the size that was asked for."""
        if self.student_size is None:
            return student
        return student.sized(self.student_size, n_inputs=terms.n_inputs, n_outputs=terms.n_outputs)

    def _phases(self, X: Any, y: Any, X_unlabeled: Any) -> Phases:
        """Return what tells the phases of this fit: labelling, teaching, and before, between and after these others."""
        is_sampler_chosen = isinstance(self._sampler_or_options(), AutoSampler)
        known = {
            "hold rows out": self._is_anything_chosen(1),
            "choose a sampler": is_sampler_chosen,
            "draw rows": self.sampler is not None and not is_sampler_chosen,
            "choose a student": isinstance(self._resolve_student(), AutoStudent),
            "teach the student": True,
        }
        others = [not is_fitted_teacher(self.teacher), self.teacher_cv is not None, X_unlabeled is not None]
        others.append(is_truth_weighed(self, y))
        names = [name for name, is_there in known.items() if is_there]
        return Phases(self, 1 + sum(others) + len(names), X, y, names)

    # ------------------------------------------------------------------ checks

    def _check_parameters(self, y: Any) -> None:
        check_number(self, "chunk_size", self.chunk_size, kind=Integral, low=1)
        if not isinstance(self.soft_weight, str):
            check_number(self, "soft_weight", self.soft_weight, low=0, high=1)
        if self.max_queries is not None:
            check_number(self, "max_queries", self.max_queries, kind=Integral, low=2)
        if self.time_limit is not None:
            check_number(self, "time_limit", self.time_limit, low=0, low_open=True)
        if not isinstance(self.compressor, str):
            warnings.warn(
                f"{type(self).__name__}: compressor= is now called target_compressor=. The former name will be an "
                "error in a later release.",
                FutureWarning,
                stacklevel=5,
            )
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
        warn_of_former_names(type(self).__name__, [self.student])
        if isinstance(self.student, str) and current_name(self.student) not in ("auto", *FAMILIES):
            raise ValueError(
                f"{type(self).__name__}: student={self.student!r}; expected an estimator, an AutoStudent, 'auto', or "
                f"the name of a family: {', '.join(map(repr, FAMILIES))}."
            )
        for name in ("sampler", "n_synthetic", "teacher_cv", "soft_weight"):
            value, allowed = getattr(self, name), "oob" if name == "teacher_cv" else "auto"
            if isinstance(value, str) and value != allowed:
                advice = " Pass a sampler, such as skdistill.samplers.LeafSwap()." if name == "sampler" else ""
                raise ValueError(
                    f"{type(self).__name__}: {name}={value!r}; expected {allowed!r} if it is a text.{advice}"
                )
        if self._given_soft_weight < 1 and y is None:
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

    def _check_y_val(self, X_val: Any, y_val: Any, y: np.ndarray | None) -> np.ndarray | None:
        """Return the true labels or values of ``X_val``, checked."""
        if y_val is not None and X_val is None:
            raise ValueError(f"{type(self).__name__}: y_val is given, but X_val is None. Pass the rows that it labels.")
        y_val = self._check_y(X_val, y_val)
        if y_val is not None and y is not None and y_val.shape[1:] != y.shape[1:]:
            raise ValueError(
                f"{type(self).__name__}: y_val has shape {y_val.shape}, but y has shape {y.shape}; expected as many "
                "outputs."
            )
        return y_val

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
        outputs = self._targets.predict(self.student_, check_table(self, X, reset=False))
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
        outputs = ask(self._targets.teacher, X, chunk_size=self.chunk_size, verbose=self.verbose)
        return self._targets.of(outputs)

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
        name = current_name(self.student)
        if name not in FAMILIES:
            return AutoStudent()
        classifies = self._task == "classification" and self._target_compressor is None
        return FAMILIES[name].member(classifies=classifies, n_jobs=self.n_jobs)

    @property
    def _target_compressor(self) -> Any:
        """The target compressor, under whichever name it was passed."""
        return self.target_compressor if isinstance(self.compressor, str) else self.compressor

    @property
    def _given_soft_weight(self) -> float:
        """The share of the teacher that was asked for: all, while that is still to be chosen."""
        return 1.0 if isinstance(self.soft_weight, str) else float(self.soft_weight)

    # ------------------------------------------------------------------ what the two tasks know

    def _check_y(self, X: Any, y: Any) -> np.ndarray | None:
        """Return true labels or values, checked."""
        raise NotImplementedError

    def _truth(self, teacher: Teacher, y: np.ndarray | None, name: str = "y") -> np.ndarray | None:
        """Return the truth as targets, where it is used."""
        raise NotImplementedError

    def _targets_of(self, teacher: Teacher, real: TransferSet) -> Targets:
        """Return how the teacher's outputs become targets."""
        raise NotImplementedError

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        student = self._resolve_student()
        if isinstance(student, AutoStudent):
            student = FAMILIES[SAFE].member(classifies=False)
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
