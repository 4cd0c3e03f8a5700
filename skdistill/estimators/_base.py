"""The base class of both distilled estimators: the steps of ``fit``."""

from contextlib import suppress
from dataclasses import replace
from typing import Any, ClassVar, NamedTuple

import numpy as np
from sklearn.base import clone

from .._declared_columns import declared_columns
from .._encoding import columns_ignored, declare, declared_here
from .._progress import whole_closed
from .._threads import blas_threads_restored
from .._validation import check_random_state, draw_seed, warn_caller
from ..exceptions import StudentError, TeacherWarning
from ..samplers._lending import lend_teacher
from ..selection import (
    MIN_VALIDATION_ROWS,
    AutoSampler,
    AutoStudent,
    CallbackSupport,
    Candidates,
    Deadline,
    Extension,
    HeldOut,
    Run,
    Targets,
    Terms,
    TrainingRows,
    choose_student,
    extend,
    find_ignored_features,
    hold_out,
    label_given_rows,
    name_columns,
)
from ..students import CompactBoostingClassifier, CompactBoostingRegressor
from ..students._deciding import DecidingClassifier
from ..students._families import FAMILIES, current_name, scouted_families
from ..students._hints import without_hints
from ..students._student import count_inputs
from ..teachers import SeenRows, Teacher, trees_asked, usage_counted
from ..transfer import Oracle, TransferSet, count_synthetic
from ._calibration import calibrate, label_rows, leave_out_rows
from ._datasets import Passed, draw_first_rows
from ._decision import LabelComparison, compare_labels, reserve_label_queries
from ._expected_phases import expected_phases
from ._fit_arguments import FitArguments, check_fit_arguments
from ._generations import Generations
from ._html_diagram import HTMLDiagramMixin
from ._parameters import check_parameters
from ._plotting import PlotMixin
from ._predicting import PredictionMixin
from ._refitting import Refitted, refit
from ._refreshing import RefreshMixin
from ._row_sample import sample_rows, seen_tables, without_outputs
from ._scoring_of_task import try_before_queries, try_before_synthetic
from ._several_teachers import known_of_several
from ._soft_weight import SoftWeightChoice, compare_soft_weights, is_soft_weight_chosen, reserve_queries
from ._student_view import (
    Seen,
    check_names,
    count_columns,
    is_constrained,
    only_constrained,
    see,
)
from ._tags import TagsMixin
from ._tasks import FitTask
from ._teacher_noise import end_query_budget, measure_teacher_noise
from ._teacher_rule import TeacherMixin, label_given, oracle_of, resolve_teacher

PROXIES = ("mlp_ple", "boosting")
"""Families whose small students evaluate the samplers with ``student="auto"``, if the user allows these families."""


FEW_REAL_ROWS = 10
"""With fewer real rows, a warning says that they are few."""


class Taught(NamedTuple):
    """A fitted student, and what was selected for it."""

    student: Any
    extension: Extension
    held_out: HeldOut | None
    candidates: Candidates | None
    soft_weight_choice: SoftWeightChoice | None
    generations: dict[str, np.ndarray] | None = None
    calibration: dict[str, np.ndarray] | None = None
    refitted: Refitted | None = None


class BaseDistilled(
    PredictionMixin, RefreshMixin, PlotMixin, CallbackSupport, HTMLDiagramMixin, TagsMixin, TeacherMixin
):
    """Base of ``DistilledClassifier`` and ``DistilledRegressor``."""

    _task: ClassVar[FitTask]
    _sets_itself = ("teacher",)

    teacher: Any
    teacher_weights: Any
    student: Any
    student_size: int | None
    n_generations: int
    assistant_size: int | None
    sampler: Any
    n_synthetic: Any
    soft_weight: Any
    truth_margin: float | None
    teacher_cv: Any
    target_compressor: Any
    max_queries: int | None
    max_real_rows: Any
    n_repeats: int
    response_method: str
    memory: Any
    teacher_id: str | None
    chunk_size: int
    time_limit: float | None
    random_state: Any
    n_jobs: int | None
    verbose: int
    categorical_features: Any
    monotonic_cst: Any
    interaction_cst: Any
    student_columns: Any
    compressor: Any

    # ------------------------------------------------------------------ the fit

    @whole_closed()
    @blas_threads_restored()
    @trees_asked()
    @usage_counted()
    def _fit(
        self, X: Any, y: Any, sample_weight: Any, X_unlabeled: Any, X_val: Any, y_val: Any, groups: Any = None
    ) -> None:
        """Check, resolve the teacher, label, extend and fit the student; set all fitted attributes at the end."""
        check_parameters(self, y)
        passed, pool = draw_first_rows(self, Passed(X, y, sample_weight, X_unlabeled, X_val, y_val, groups))
        given = replace(check_fit_arguments(self, *passed, self._task.check_y), pool=pool)
        declare(declared_columns(type(self).__name__, self.categorical_features, given.X))
        run = self._run(given)
        whole = given  # also with the rows that are left out next
        given, calibration_rows = leave_out_rows(self, given, run.rng)
        teacher = resolve_teacher(self, given, run)
        self._check_known(teacher, given.X)

        oracle = oracle_of(self, teacher, given, run)
        given = self._sample(teacher, given, calibration_rows, oracle, run)
        truth, truth_val = self._truth(teacher, given)
        real, targets, labels = self._label_real(teacher, given, truth, oracle, run)
        measure_teacher_noise(self, targets, given, real, oracle)
        ignored = self._ignored_features(real, targets, oracle, run)
        seen = see(self, real, targets, oracle, ignored, run)
        targets = self._task.seen(self, replace(targets, view=seen.view))  # type: ignore[type-var]
        with columns_ignored(count_columns(real.X, seen.view), seen.view.positions(ignored)):
            taught = self._extend_and_teach(real, given, truth_val, targets, labels, oracle, run)
        taught = calibrate(self, taught, calibration_rows, targets)

        oracle.count_hints(targets.hints.n_rows, targets.hints.seconds)
        self._keep(taught, teacher, oracle, seen)
        self._keep_rows(seen_tables(self, whole, given, calibration_rows), taught, real, targets, ignored)
        end_query_budget(teacher)
        self._end(given, taught, labels, oracle, run)

    def _extend_and_teach(
        self,
        real: TransferSet,
        given: FitArguments,
        truth_val: np.ndarray | None,
        targets: Targets,
        labels: LabelComparison | None,
        oracle: Oracle,
        run: Run,
    ) -> Taught:
        """Add synthetic rows, select what is to be selected, and fit the student."""
        with reserve_queries(self, given, truth_val, oracle):
            held_out, extension = self._extend(real, given, targets, oracle, run)
        soft_weight_choice = None
        if is_soft_weight_chosen(self, given.y):
            soft_weight_choice = compare_soft_weights(
                self, given, truth_val, extension, real, targets, oracle, run.with_copied_generator()
            )
        student, candidates = self._teach(extension.rows, held_out, targets, soft_weight_choice, run)
        student, generations = self._next_generations(
            Taught(student, extension, held_out, candidates, soft_weight_choice), given, truth_val, targets, run
        )
        if labels is not None:
            student = labels.decide(self, student, extension.rows.whole, targets, oracle)
        taught = Taught(student, extension, held_out, candidates, soft_weight_choice, generations)
        return self._refit(taught, given, targets, oracle, run)

    def _end(
        self, given: FitArguments, taught: Taught, labels: LabelComparison | None, oracle: Oracle, run: Run
    ) -> None:
        """Warn if the result is worse than asked for, and end the last phase."""
        n_real = sum(table.shape[0] for table in given.tables if table is not given.X_val)
        if n_real < FEW_REAL_ROWS:
            warn_caller(
                f"{type(self).__name__}: got {n_real} real rows; from so few, the student can hardly learn "
                f"the teacher's outputs for others. Pass at least {FEW_REAL_ROWS} rows; X_unlabeled needs no labels.",
                UserWarning,
            )
        if taught.soft_weight_choice is not None and taught.soft_weight_choice.caution:
            warn_caller(f"{type(self).__name__}: {taught.soft_weight_choice.caution}", TeacherWarning)
        if labels is not None:
            labels.decision = getattr(taught.student, "decision", labels.decision)  # a calibration moves thresholds
            labels.warn(self)
        self._warn_of_refusals(oracle, taught.extension)
        run.phases.end()

    def _check_known(self, teacher: Teacher, X: Any) -> None:
        """Check what the teacher decides, before it is queried."""
        check_names(self, teacher, X)
        try_before_queries(self, teacher)

    def _ignored_features(self, real: TransferSet, targets: Targets, oracle: Oracle, run: Run) -> dict[int, str]:
        """Return the positions of the columns that students need not read, with the reasons."""
        n_synthetic = self._count_synthetic(targets.teacher, real, oracle)
        return find_ignored_features(real, oracle, n_synthetic, run)

    def _run(self, given: FitArguments) -> Run:
        rng = check_random_state(self.random_state, self)
        return Run(rng, expected_phases(self, given), Deadline(self.time_limit), self.n_jobs)

    def _truth(self, teacher: Teacher, given: FitArguments) -> tuple[np.ndarray | None, np.ndarray | None]:
        """Return true labels or values of the rows of ``X`` and ``X_val``, as numbers."""
        return self._task.truth(self, teacher, given.y), self._task.truth(self, teacher, given.y_val, "y_val")

    def _sample(
        self, teacher: Teacher, given: FitArguments, calibration_rows: Any, oracle: Oracle, run: Run
    ) -> FitArguments:
        """Label the rows of the calibration, and replace a large ``X`` by a sample, of which half is labelled."""
        label_rows(calibration_rows, teacher, oracle)
        with reserve_label_queries(self, teacher, oracle):
            return sample_rows(self, teacher, given, oracle, run)

    def _label_real(
        self, teacher: Teacher, given: FitArguments, truth: np.ndarray | None, oracle: Oracle, run: Run
    ) -> tuple[TransferSet, Targets, LabelComparison | None]:
        """Label the real rows; with the labels of the teacher, if these are taught instead of its outputs."""
        with reserve_label_queries(self, teacher, oracle):
            real = label_given(self, teacher, given, truth, oracle, run)
        try_before_synthetic(self, real.outputs)
        targets = self._task.targets(self, teacher, real)
        labels = compare_labels(self, targets, real, oracle)
        if labels is not None and labels.are_taught:
            oracle.query = oracle_of(self, labels.teacher, given, run).query
            given = without_outputs(given)
            real = label_given(self, labels.teacher, given, truth, oracle, run)
            targets = self._task.targets(self, labels.teacher, real)
        return real, targets, labels

    def _extend(
        self, real: TransferSet, given: FitArguments, targets: Targets, oracle: Oracle, run: Run
    ) -> tuple[HeldOut | None, Extension]:
        """Hold out validation rows if a sampler or a student is selected, and add synthetic rows to the real ones."""
        held_out, n_synthetic = None, self._count_synthetic(targets.teacher, real, oracle)
        n_before = oracle.n_queries
        if self._is_anything_chosen(n_synthetic) and np.count_nonzero(real.sample_weight) >= MIN_VALIDATION_ROWS:
            with run.phases.phase("hold out rows") as phase:
                held_out, n_before = self._hold_out(real, given, targets, oracle, n_synthetic, run)
                phase.log(str(held_out))
            n_synthetic = int(min(n_synthetic, oracle.n_left))
        extension = extend(
            lend_teacher(self._sampler_or_options(), targets.teacher.model),
            real,
            held_out,
            self._students_to_try(targets, real) if n_synthetic > 0 else {},
            oracle,
            n_synthetic=int(min(n_synthetic, run.deadline.rows_in_time(oracle.n_queries, oracle.label_seconds))),
            n_before=n_before,
            is_student_chosen=self._is_student_compared(),
            run=run,
        )
        return held_out, extension

    def _hold_out(
        self, real: TransferSet, given: FitArguments, targets: Targets, oracle: Oracle, n_synthetic: int, run: Run
    ) -> tuple[HeldOut, int]:
        """Hold out validation rows; also return the number of queries before the first synthetic row is labelled."""
        options = self._sampler_or_options()
        if not isinstance(options, AutoSampler):
            options = self._resolve_student()
        if not isinstance(options, AutoStudent | AutoSampler):
            options, n_synthetic = AutoStudent(), 0  # generations are compared without further queries
        of_user = label_given_rows(given.X_val, targets, oracle, run.rng)  # before synthetic rows exhaust the budget
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
        rows: TrainingRows,
        held_out: HeldOut | None,
        targets: Targets,
        soft_weight_choice: SoftWeightChoice | None,
        run: Run,
    ) -> tuple[Any, Candidates | None]:
        """Return the fitted student, which is the one given or the best candidate, and the candidates evaluated."""
        student = self._student_to_teach()
        choose_targets = None if soft_weight_choice is None else soft_weight_choice.choose_targets
        if isinstance(student, AutoStudent):
            validation = None if held_out is None else held_out.validation
            terms = self._terms(targets, rows.whole)
            return choose_student(student, terms, rows, validation, targets, choose_targets=choose_targets, run=run)
        student, real_weight = self._sized(student, targets, rows.whole), rows.real_weights[0]
        with run.phases.phase("fit the student") as phase:
            targets = targets if choose_targets is None else choose_targets(student, real_weight)
            phase.log(f"fitting {type(student).__name__} on {len(rows.whole):,} rows")
            return targets.teach(student, rows.whole.weigh_real(real_weight), draw_seed(run.rng)), None

    def _next_generations(
        self, taught: Taught, given: FitArguments, truth_val: np.ndarray | None, targets: Targets, run: Run
    ) -> tuple[Any, dict[str, np.ndarray] | None]:
        """Return the best of the students that follow, or the first one, and the results of all."""
        if self.n_generations == 1:
            return taught.student, None
        rows, choice = taught.extension.rows, taught.soft_weight_choice
        if choice is not None:
            targets = replace(targets, soft_weight=choice.soft_weight)  # type: ignore[type-var]
        generations = Generations(self, rows, taught.held_out, targets, _real_weight(taught))
        return generations.best(taught.student, given, truth_val, self._terms(targets, rows.whole), run)

    def _refit(self, taught: Taught, given: FitArguments, targets: Targets, oracle: Oracle, run: Run) -> Taught:
        """Fit the values of the student again to more rows of a dataset, if the budget allows them."""
        if (choice := taught.soft_weight_choice) is not None:
            targets = replace(targets, soft_weight=choice.soft_weight)  # type: ignore[type-var]
        rows = taught.extension.rows.whole.weigh_real(_real_weight(taught))
        refitted = refit(self, taught.student, rows, given.pool, targets, oracle, run)
        return taught._replace(student=refitted.student, refitted=refitted)

    def _keep(self, taught: Taught, teacher: Teacher, oracle: Oracle, seen: Seen) -> None:
        """Set the fitted attributes, and delete attributes of an earlier fit that this fit does not set."""
        student, extension, held_out, candidates, choice, generations, calibration, refitted = taught
        fitted = {
            "student_": student,
            "teacher_": teacher.model,
            **known_of_several(teacher, oracle, extension.rows.whole),
            "transfer_set_": extension.rows.whole.summary(oracle, _real_weight(taught), _n_summed(taught)),
            "refit_report_": None if refitted is None else refitted.report,
            "candidates_": candidates,
            "generations_": generations,
            "sampler_results_": extension.results or None,
            "teacher_memorization_": None if held_out is None else held_out.memorization.share,
            "soft_weight_": self._given_soft_weight if choice is None else choice.soft_weight,
            "soft_weights_": None if choice is None else choice.results or None,
            "classes_": teacher.classes_,
            "student_columns_": seen.columns,
            "columns_path_": seen.path,
            "constraints_": seen.constraints,
            "calibration_": calibration,
            "decision_": getattr(student, "decision", None) if isinstance(student, DecidingClassifier) else None,
        }
        for name, value in fitted.items():
            self.__dict__.pop(name, None)
            if value is not None:
                setattr(self, name, value)

    def _keep_rows(
        self, tables: list[Any], taught: Taught, real: TransferSet, targets: Targets, ignored: dict[int, str]
    ) -> None:
        """Set what is known of the rows of all tables, of which no cell is kept."""
        if taught.refitted is not None and taught.refitted.keys is not None:
            tables = [*tables, taught.refitted.keys]
        self.ignored_features_ = name_columns(real.X, ignored)
        self._targets = targets
        self.seen_rows_ = SeenRows(tables, targets.of(real.outputs))

    def _warn_of_refusals(self, oracle: Oracle, extension: Extension) -> None:
        """Warn once if the teacher has refused synthetic rows."""
        if text := oracle.refusals.summary():
            is_alone = extension.rows.whole.n_synthetic == 0
            alone = " The student was fitted on real rows alone." if is_alone else ""
            warn_caller(f"{type(self).__name__}: {text}{alone}", TeacherWarning)

    # ------------------------------------------------------------------ which sampler and student, how many rows

    def _sampler_or_options(self) -> Any:
        """Return the sampler, or the options for selecting one."""
        return AutoSampler() if isinstance(self.sampler, str) else self.sampler

    def _is_anything_chosen(self, n_synthetic: int) -> bool:
        is_sampler_chosen = isinstance(self._sampler_or_options(), AutoSampler) and n_synthetic > 0
        return is_sampler_chosen or self._is_student_compared()

    def _is_student_compared(self) -> bool:
        """Whether students are compared on rows that they are not fitted on."""
        return self.n_generations > 1 or isinstance(self._resolve_student(), AutoStudent)

    def _count_synthetic(self, teacher: Teacher, real: TransferSet, oracle: Oracle) -> int:
        """Return the number of synthetic rows, limited by the budget, the teacher and the real rows."""
        options, (n_rows, n_features) = self._sampler_or_options(), real.X.shape
        is_auto = isinstance(options, AutoSampler)
        draws_none = teacher.answers_only_given_rows or np.count_nonzero(real.sample_weight) < 2
        if options is None or (is_auto and draws_none):
            return 0
        most = options.max_queries if is_auto and options.max_queries is not None else np.inf
        student, n_synthetic = self._resolve_student(), count_synthetic(self.n_synthetic, n_rows, n_features)
        if isinstance(student, AutoStudent) and isinstance(self.n_synthetic, str):
            n_synthetic = student.count_synthetic(n_rows, n_features, self.student_size)
        return int(min(n_synthetic, oracle.n_left, most))

    def _students_to_try(self, targets: Targets, real: TransferSet) -> dict[str, Any]:
        """Return the students that samplers are evaluated with: the one given, or small ones of two families."""
        student = self._student_to_teach()
        if not isinstance(student, AutoStudent):
            # hints take a pass of the teacher for each table, and samplers are compared on several
            return {type(student).__name__: without_hints(self._sized(student, targets, real))}
        terms = self._terms(targets, real)
        allowed, scouts = student.families_for(real.X), {}
        proxies = [name for name in PROXIES if name in allowed]
        for family in proxies or [name for name in allowed if name in scouted_families()]:
            with suppress(StudentError):  # the budget is too small for this family
                scouts[family] = terms.scout(family, student)
        return scouts or {allowed[0]: FAMILIES[allowed[0]].member(classifies=targets.classifies, n_jobs=self.n_jobs)}

    def _terms(self, targets: Targets, transfer_set: TransferSet) -> Terms:
        """Return the dimensions of the problem that a compact student is sized for."""
        n_outputs = targets.of(transfer_set.outputs[:1]).reshape(1, -1).shape[1]
        if self._task.name == "classification" and n_outputs == 2:
            n_outputs = 1
        n_inputs = count_inputs(targets.view.rows(transfer_set.X), tuple(targets.view.positions(declared_here())))
        return Terms(targets.classifies, n_inputs, n_outputs, len(transfer_set), self.student_size, self.n_jobs)

    def _sized(self, student: Any, targets: Targets, transfer_set: TransferSet) -> Any:
        """Return the student at size ``student_size``, if that is set."""
        if self.student_size is None:
            return student
        terms = self._terms(targets, transfer_set)
        return student.sized(self.student_size, n_inputs=terms.n_inputs, n_outputs=terms.n_outputs)

    def _student_to_teach(self) -> Any:
        """Return the student; compact boosting caches its trees in ``memory``."""
        student = self._resolve_student()
        is_ours = isinstance(student, CompactBoostingClassifier | CompactBoostingRegressor)
        if self.memory is None or not is_ours or student.memory is not None:
            return student
        return clone(student).set_params(memory=self.memory)

    def _resolve_student(self) -> Any:
        """Return the student, or the options for selecting one, if ``student`` is a name."""
        student = AutoStudent() if self._is_student_auto() else self.student
        if isinstance(student, AutoStudent) and is_constrained(self):
            return only_constrained(student)
        if not isinstance(student, str):
            return student
        name = current_name(student)
        classifies = self._task.name == "classification" and self._target_compressor is None
        return FAMILIES[name].member(classifies=classifies, n_jobs=self.n_jobs)

    def _is_student_auto(self) -> bool:
        return isinstance(self.student, str) and current_name(self.student) not in FAMILIES

    @property
    def _target_compressor(self) -> Any:
        """The target compressor, passed under its current or its former name."""
        is_given = not (self.compressor is None or isinstance(self.compressor, str))
        return self.compressor if is_given else self.target_compressor

    @property
    def _given_soft_weight(self) -> float:
        """``soft_weight``, or 1 until ``"auto"`` has selected a weight."""
        return 1.0 if isinstance(self.soft_weight, str) else float(self.soft_weight)


def _n_summed(taught: Taught) -> int:
    return 0 if taught.refitted is None else taught.refitted.n_summed


def _real_weight(taught: Taught) -> float:
    """Return the weight of the real rows that was selected."""
    candidates = taught.candidates
    return taught.extension.rows.real_weights[0] if candidates is None else candidates.tried[-1].real_weight
