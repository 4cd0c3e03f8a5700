"""What both distilled estimators share: the story of a fit, and what a fitted one answers."""

import warnings
from contextlib import suppress
from typing import Any, ClassVar

import numpy as np
from sklearn.base import clone
from sklearn.utils import get_tags

from .._validation import check_fitted, check_random_state, check_table, draw_seed, input_tags_of
from ..exceptions import StudentError, TeacherWarning
from ..metrics import fidelity
from ..students import CompactBoostingClassifier, CompactBoostingRegressor
from ..students._families import FAMILIES, current_name, scouted_families
from ..students._student import count_inputs
from ..teachers import Teacher, ask, is_fitted_teacher
from ..transfer import Oracle, TransferSet, count_synthetic
from ._auto_sampler import AutoSampler
from ._auto_student import AutoStudent
from ._callbacks import CallbackSupport, Phases
from ._candidates import Candidates
from ._choosing import SAFE, TaughtRows, choose_student
from ._deadline import Deadline
from ._extending import Extension, extend
from ._given import Given, check_given
from ._parameters import check_parameters
from ._run import Run
from ._showing import Shown
from ._targets import Targets
from ._tasks import FitTask
from ._teacher_rule import KeepsTeacher, label_given, oracle_of, resolve_teacher
from ._terms import Terms
from ._truth_weight import TruthWeight, compare, is_truth_weighed, reserved
from ._validation_rows import FEWEST_REAL, HeldOut, hold_out, label_given_rows

PROXIES = ("mlp_ple", "boosting")
"""Families whose scouts synthetic rows are tried with, where they are allowed."""


class BaseDistilled(CallbackSupport, Shown, KeepsTeacher):
    """Base of ``DistilledClassifier`` and ``DistilledRegressor``."""

    _task: ClassVar[FitTask]

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
        check_parameters(self, y)
        given = check_given(self, X, y, sample_weight, X_unlabeled, X_val, y_val, self._task.check_y)
        run = self._run(given)
        teacher = resolve_teacher(self, given, run)
        truth = self._task.truth(self, teacher, given.y)
        truth_val = self._task.truth(self, teacher, given.y_val, "y_val")

        oracle = oracle_of(self, teacher, given, run)
        real = label_given(self, teacher, given, truth, oracle, run)
        targets = self._task.targets(self, teacher, real)
        with reserved(self, given, truth_val, oracle):
            held_out, extension = self._extend(real, given, targets, oracle, run)
        truth_weight = None
        if is_truth_weighed(self, given.y):
            truth_weight = compare(self, given, truth_val, extension, real, targets, oracle, run.aside())
        student, candidates = self._teach(extension.rows, held_out, targets, truth_weight, run)

        self._keep(student, teacher, oracle, extension, held_out, candidates, truth_weight)
        self._targets = targets
        if truth_weight is not None and truth_weight.caution:
            warnings.warn(f"{type(self).__name__}: {truth_weight.caution}", TeacherWarning, stacklevel=5)
        run.phases.end()

    def _run(self, given: Given) -> Run:
        rng = check_random_state(self.random_state)
        return Run(rng, self._phases(given), Deadline(self.time_limit), self.n_jobs)

    def _extend(
        self, real: TransferSet, given: Given, targets: Targets, oracle: Oracle, run: Run
    ) -> tuple[HeldOut | None, Extension]:
        """Hold validation rows out, where anything is chosen, and add synthetic rows to the real ones."""
        held_out, n_synthetic = None, self._count_synthetic(targets.teacher, real, oracle)
        n_before = oracle.n_queries
        if self._is_anything_chosen(n_synthetic) and np.count_nonzero(real.sample_weight) >= FEWEST_REAL:
            with run.phases.phase("hold rows out") as phase:
                held_out, n_before = self._hold_out(real, given, targets, oracle, n_synthetic, run)
                phase.say(str(held_out))
            n_synthetic = int(min(n_synthetic, oracle.n_left))
        extension = extend(
            self._sampler_or_options(),
            real,
            held_out,
            self._students_to_try(targets, real),
            oracle,
            n_synthetic=int(min(n_synthetic, run.deadline.rows_in_time(oracle.n_queries, oracle.label_seconds))),
            n_before=n_before,
            is_student_chosen=isinstance(self._resolve_student(), AutoStudent),
            run=run,
        )
        return held_out, extension

    def _hold_out(
        self, real: TransferSet, given: Given, targets: Targets, oracle: Oracle, n_synthetic: int, run: Run
    ) -> tuple[HeldOut, int]:
        """Hold out validation rows; also return how many queries there were before any synthetic row was labelled."""
        options = self._sampler_or_options()
        if not isinstance(options, AutoSampler):
            options = self._resolve_student()
        of_user = label_given_rows(given.X_val, targets, oracle, run.rng)  # before synthetic rows use up the budget
        n_before = oracle.n_queries
        held_out = hold_out(
            options.validation_fraction,
            real,
            of_user,
            targets,
            oracle,
            are_out_of_sample=self.teacher_cv is not None,
            n_synthetic=int(min(n_synthetic, oracle.n_left)),
            n_jobs=self.n_jobs,
            rng=run.rng,
        )
        return held_out, n_before

    def _teach(
        self,
        rows: TaughtRows,
        held_out: HeldOut | None,
        targets: Targets,
        truth_weight: TruthWeight | None,
        run: Run,
    ) -> tuple[Any, Candidates | None]:
        """Return the student, taught: the one given, or the one that serves this teacher best, and what was tried."""
        student, terms = self._student_to_teach(), self._terms(targets, rows.whole)
        settle = None if truth_weight is None else truth_weight.settle
        if isinstance(student, AutoStudent):
            validation = None if held_out is None else held_out.validation
            return choose_student(student, terms, rows, validation, targets, settle=settle, run=run)
        student, real_weight = self._sized(student, terms), rows.real_weights[0]
        with run.phases.phase("teach the student") as phase:
            targets = targets if settle is None else settle(student, real_weight)
            phase.say(f"teaching {type(student).__name__} on {len(rows.whole):,} rows")
            return targets.teach(student, rows.whole.weigh_real(real_weight), draw_seed(run.rng)), None

    def _keep(
        self,
        student: Any,
        teacher: Teacher,
        oracle: Oracle,
        extension: Extension,
        held_out: HeldOut | None,
        candidates: Candidates | None,
        truth_weight: TruthWeight | None,
    ) -> None:
        """Set fitted attributes; those that this fit does not have are not left over from an earlier one."""
        real_weight = extension.rows.real_weights[0] if candidates is None else candidates.tried[-1].real_weight
        fitted = {
            "student_": student,
            "teacher_": teacher.model,
            "transfer_set_": extension.rows.whole.summary(oracle, real_weight),
            "candidates_": candidates,
            "sampler_results_": extension.results or None,
            "teacher_memorization_": None if held_out is None else held_out.memorization.share,
            "soft_weight_": self._given_soft_weight if truth_weight is None else truth_weight.soft_weight,
            "soft_weights_": None if truth_weight is None else truth_weight.results or None,
            "classes_": teacher.classes_,
        }
        for name, value in fitted.items():
            self.__dict__.pop(name, None)
            if value is not None:
                setattr(self, name, value)

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
        if self._task.name == "classification" and n_outputs == 2:
            n_outputs = 1
        n_inputs = count_inputs(transfer_set.X)
        return Terms(targets.classifies, n_inputs, n_outputs, len(transfer_set), self.student_size, self.n_jobs)

    def _sized(self, student: Any, terms: Terms) -> Any:
        """Return a student of the size that was asked for."""
        if self.student_size is None:
            return student
        return student.sized(self.student_size, n_inputs=terms.n_inputs, n_outputs=terms.n_outputs)

    def _phases(self, given: Given) -> Phases:
        """Return what tells the phases of this fit: labelling, teaching, and before, between and after these others."""
        is_sampler_chosen = isinstance(self._sampler_or_options(), AutoSampler)
        known = {
            "hold rows out": self._is_anything_chosen(1),
            "choose a sampler": is_sampler_chosen,
            "draw rows": self.sampler is not None and not is_sampler_chosen,
            "choose a student": isinstance(self._resolve_student(), AutoStudent),
            "teach the student": True,
        }
        others = [not is_fitted_teacher(self.teacher), self.teacher_cv is not None, given.X_unlabeled is not None]
        others.append(is_truth_weighed(self, given.y))
        names = [name for name, is_there in known.items() if is_there]
        return Phases(self, 1 + sum(others) + len(names), given.X, given.y, names)

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
        classifies = self._task.name == "classification" and self._target_compressor is None
        return FAMILIES[name].member(classifies=classifies, n_jobs=self.n_jobs)

    @property
    def _target_compressor(self) -> Any:
        """The target compressor, under whichever name it was passed."""
        return self.target_compressor if isinstance(self.compressor, str) else self.compressor

    @property
    def _given_soft_weight(self) -> float:
        """The share of the teacher that was asked for: all, while that is still to be chosen."""
        return 1.0 if isinstance(self.soft_weight, str) else float(self.soft_weight)

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
        return fidelity(soft_targets, outputs, sample_weight=sample_weight, multioutput=self._task.multioutput)

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
