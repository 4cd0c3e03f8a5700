"""``AutoStudent``: the candidate families of students and the budget within which one is selected."""

from collections.abc import Callable, Sequence
from numbers import Integral
from typing import Any, Literal

import numpy as np
from scipy import sparse

from .._described import described
from .._representation import Documented
from .._suggesting import did_you_mean
from .._validation import check_number
from ..exceptions import StudentError
from ..students._families import FAMILIES, current_name, warn_of_former_names
from ..students._inheritable import Kind
from ..transfer import AUTO_RATIO, count_synthetic
from ._cascade_students import check_tolerance
from ._scoring import check_scoring

WIDE_TABLE_COLUMNS = 1000
"""Sparse tables with more columns than this exclude the tree family from ``families="auto"``."""

FEW_ROWS_FAMILY = "kernel"
"""The family that ``families="auto"`` includes if there are so few rows that students are cross-validated."""

INHERITING_FAMILY = "inherit"
"""The family that ``families="auto"`` includes if the trees, hidden units or kernel of the teacher can be read."""

BYTES_PER_PARAMETER, FIXED_BYTES = 1.6, 1000
"""Initial estimate of the size of a compiled student, used until a student of the family has been measured."""

MAX_PARAMETERS = 60_000
"""Maximum number of parameters unless ``student_size`` is larger: beyond it, students are neither compact nor fast."""

ROWS_PER_PARAMETER, MAX_RATIO = 10, 40
"""Number of synthetic rows drawn per parameter of a budget, and the maximum number of them per real row."""

SMALL_TABLE_ROWS, MAX_SMALL_TABLE_RATIO = 1000, 20
"""Tables with fewer real rows than the first number draw more synthetic rows per real row, at most the second."""

MAX_DEFAULT_ROWS = 100_000
"""Maximum number of rows without a budget of the user; at least half of it may be synthetic rows."""


class AutoStudent(Documented):
    """Select the family and the size of the student by fidelity on validation rows, within a budget.

    ``student="auto"`` of the distilled estimators is this object with its defaults. The search needs no true labels and
    is a successive halving [1]_:

    1. A small, quick student of each family is fitted on a fifth of the selection set: the real rows that are not
       validation rows, and half of the synthetic rows.
    2. The ``n_finalists`` best families are fitted on the whole selection set at the largest size within the budget,
       and so is the hybrid family, whose two parts were evaluated in step 1. A student that exceeds the budget once it
       is compiled is made smaller. If the user sets a budget, the best family is also fitted at its default size. If
       the teacher has memorised its training rows, the best student is also fitted with other weights of the real rows.
    3. The best student is fitted on the whole transfer set.

    With at most 2,000 real rows and fewer synthetic rows than real ones, each candidate is cross-validated on five
    folds of the real rows instead: all families, and of the two best ones, networks, kernels and hybrids at the
    largest size within the budget, a third and a ninth of it. Their sizes are then not bounded by the number of rows.

    With ``min_fidelity``, students of all families are fitted at increasing sizes instead, until one reaches it.

    Parameters
    ----------
    families : sequence of str or "auto", default="auto"
        Families to select from: ``"linear"``, ``"tree"``, ``"kernel"``, ``"mlp"``, ``"mlp_ple"`` (an MLP on piecewise
        linear encodings of numbers), ``"boosting"``, ``"hybrid"``, ``"inherit"`` (parts of the teacher), and names that
        :func:`~skdistill.students.register_family` has registered. ``"auto"`` includes all automatic families; the
        kernel family is automatic only if candidates are cross-validated: it is the best family on few rows of smooth
        teachers, but was best on none of the twelve benchmark tables. ``"inherit"`` is automatic if
        the teacher's trees, hidden units or RBF kernel can be read.
    max_bytes : int, "auto" or None, default="auto"
        Maximum size of the compiled student in bytes. ``"auto"`` is about 10 kB for one output and more for several
        outputs, unless ``max_ops`` or ``student_size`` sets the budget. The search uses the whole budget, up to about
        60,000 parameters (100 kB), or more if ``student_size`` is larger. Larger students are fitted on more synthetic
        rows, which takes longer.
    max_ops : int or None, default=None
        Maximum number of operations per row: comparisons, multiplications and additions. This count does not depend on
        the machine; ``docs/students/choosing.md`` has a table of the corresponding times in microseconds.
    min_fidelity : float or None, default=None
        Sufficient fidelity in (0, 1]. Six sizes of each family are evaluated, and the smallest student that reaches
        this fidelity is selected.
    n_finalists : int >= 1, default=2
        Number of families that step 2 evaluates in addition to the families that step 1 does not evaluate.
    validation_fraction : float in (0, 0.9], default=0.25
        Fraction of the real rows held out for validation if there are no better validation rows. If the sampler is
        selected as well, ``validation_fraction`` of :class:`~skdistill.AutoSampler` applies instead. Cross-validation
        does not use it.
    scoring : str, callable or None, default=None
        What ranks the candidates instead of fidelity: the name of a scorer of scikit-learn, such as ``"roc_auc"``,
        ``"neg_log_loss"``, ``"average_precision"`` (rare classes) or ``"neg_mean_absolute_error"``, or a callable
        ``scorer(estimator, X, y)``; greater is better. The truth is the teacher's output, because true labels may be
        missing: each row counts once for each class, weighted by the teacher's probability, and a scorer without
        ``sample_weight`` gets the teacher's most probable labels. Candidates are ranked within the budget; the weight
        of the real rows and the sampler are chosen by fidelity as before. A name that cannot be computed for the task
        or the labels of the teacher is refused before the teacher is queried. It cannot be combined with
        ``min_fidelity``.
    tolerance : "auto", float > 0, array-like of shape (n_outputs,) or None, default=None
        Tolerance of the :class:`~skdistill.CascadeRegressor` that the student is for: the largest absolute difference
        from the teacher's values, in their unit. ``"auto"`` is a tenth of their standard deviation, as for the cascade.
        The best families are then fitted once more with smaller weights where their expected distance from the teacher
        is large, and of all, the student that answers most validation rows in a cascade is selected. A cascade leaves
        more rows to it; by itself, its fidelity may be a little lower. ``None`` is for students that are used without
        their teacher. Values only; it cannot be combined with ``min_fidelity``.

    See Also
    --------
    skdistill.DistilledClassifier : Its attribute ``candidates_`` holds the results of the search.
    skdistill.CascadeRegressor : Returns the values of the teacher where the student is not within a tolerance.

    Notes
    -----
    The best validation rows are real rows that the teacher was not fitted on: ``X_val``, ``X_unlabeled``, or rows of
    ``X`` that are labelled out-of-fold (``teacher_cv``) or out-of-bag. :class:`~skdistill.AutoSampler` describes the
    validation rows that are used otherwise.

    References
    ----------
    .. [1] K. Jamieson and A. Talwalkar, "Non-stochastic Best Arm Identification and Hyperparameter Optimization",
       AISTATS 2016.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.svm import SVR
    >>> from skdistill import AutoStudent, DistilledRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> teacher = SVR(C=100).fit(X[:300], y[:300])
    >>> student = AutoStudent(families=["linear", "mlp", "boosting"], max_bytes=10_000)
    >>> model = DistilledRegressor(teacher, student, sampler=None, random_state=0).fit(
    ...     X[:300]
    ... )
    >>> model.candidates_.chosen.family in student.families
    True
    >>> model.candidates_.chosen.n_bytes <= 10_000
    True
    """

    def __init__(
        self,
        families: Sequence[str] | Literal["auto"] = "auto",
        max_bytes: int | Literal["auto"] | None = "auto",
        max_ops: int | None = None,
        min_fidelity: float | None = None,
        n_finalists: int = 2,
        validation_fraction: float = 0.25,
        scoring: str | Callable[..., Any] | None = None,
        tolerance: float | Literal["auto"] | Sequence[float] | np.ndarray | None = None,
    ) -> None:
        self.families = families
        self.max_bytes = max_bytes
        self.max_ops = max_ops
        self.min_fidelity = min_fidelity
        self.n_finalists = n_finalists
        self.validation_fraction = validation_fraction
        self.scoring = scoring
        self.tolerance = tolerance

    def check(self) -> None:
        """Raise an error if an option is invalid."""
        warn_of_former_names("AutoStudent", self._given_families())
        names = self.family_names()
        unknown = [name for name in names if not (isinstance(name, str) and name in FAMILIES)]
        if unknown or not names:
            raise StudentError(
                f"AutoStudent: families={described(self.families)}; expected 'auto' or some of {', '.join(FAMILIES)}."
                f"{did_you_mean(unknown[0] if unknown else None, ['auto', *FAMILIES])}"
            )
        for name in ("max_bytes", "max_ops"):
            texts = ["auto"] if name == "max_bytes" else []
            if getattr(self, name) is not None:
                check_number(self, name, getattr(self, name), kind=Integral, low=1, names=texts)
        if self.min_fidelity is not None:
            check_number(self, "min_fidelity", self.min_fidelity, low=0, high=1, low_open=True)
        check_scoring(self.scoring)
        if self.scoring is not None and self.min_fidelity is not None:
            raise StudentError(
                f"AutoStudent: scoring={described(self.scoring)} with min_fidelity={self.min_fidelity!r}, which "
                "selects the smallest student of that fidelity; expected one of them. Omit either."
            )
        check_tolerance(self.tolerance)
        if self.tolerance is not None and self.min_fidelity is not None:
            raise StudentError(
                f"AutoStudent: tolerance={described(self.tolerance)} with min_fidelity={self.min_fidelity!r}, which "
                "selects the smallest student of that fidelity; expected one of them. Omit either."
            )
        check_number(self, "n_finalists", self.n_finalists, kind=Integral, low=1)
        check_number(self, "validation_fraction", self.validation_fraction, low=0, high=0.9, low_open=True)

    def family_names(self) -> list[Any]:
        """Return the names of the families to select from."""
        if isinstance(self.families, str) and self.families == "auto":
            return [name for name, family in FAMILIES.items() if family.is_automatic]
        names = [current_name(name) for name in self._given_families()]
        return [name for place, name in enumerate(names) if name not in names[:place]]

    def _given_families(self) -> list[Any]:
        is_one = isinstance(self.families, str) or not np.iterable(self.families)
        return [self.families] if is_one else list(self.families)

    def families_for(self, X: Any, *, is_few: bool = False, inherits: Kind | None = None) -> list[str]:
        """Return the families to evaluate on ``X``: on wide sparse tables, trees are large and have low fidelity.

        Kernels are the best family on few rows of a smooth teacher, and few rows take them little time. ``inherits`` is
        what can be inherited from the teacher.
        """
        names, is_auto = self.family_names(), isinstance(self.families, str) and self.families == "auto"
        is_wide = sparse.issparse(X) and X.shape[1] > WIDE_TABLE_COLUMNS
        of_few = [FEW_ROWS_FAMILY] if is_auto and is_few and not is_wide and FEW_ROWS_FAMILY not in names else []
        of_teacher = [INHERITING_FAMILY] if is_auto and not is_wide and inherits is not None else []
        return [name for name in names if not (is_auto and is_wide and name == "tree")] + of_few + of_teacher

    def may_inherit(self, X: Any) -> bool:
        """Whether it matters what can be inherited from the teacher: if the family is named, or may be automatic."""
        if isinstance(self.families, str) and self.families == "auto":
            return not (sparse.issparse(X) and X.shape[1] > WIDE_TABLE_COLUMNS)
        return INHERITING_FAMILY in self.family_names()

    def allowed_parameters(self, student_size: int | None, *, is_measured: bool = False) -> float | None:
        """Return the approximate number of parameters that the user's budget allows; ``None`` without a budget.

        If the bytes of a student of the family are measured, they bound its size instead of the estimate.
        """
        most = [float(student_size)] if student_size is not None else []
        if isinstance(self.max_bytes, Integral):
            of_bytes = max((self.max_bytes - FIXED_BYTES) / BYTES_PER_PARAMETER, self.max_bytes / 8)
            most.append(MAX_PARAMETERS if is_measured else min(of_bytes, MAX_PARAMETERS))
        if self.max_bytes is None or self.max_ops is not None:
            most.append(MAX_PARAMETERS)
        return min(most, default=None)

    def count_synthetic(self, n_rows: int, n_features: int, student_size: int | None) -> int:
        """Return the number of synthetic rows to draw for a student within the budget."""
        n_parameters = self.allowed_parameters(student_size)
        if n_parameters is None:
            ratio = (
                AUTO_RATIO
                if n_rows >= SMALL_TABLE_ROWS
                else min(AUTO_RATIO * SMALL_TABLE_ROWS // n_rows, MAX_SMALL_TABLE_RATIO)
            )
            most = max(MAX_DEFAULT_ROWS - n_rows, MAX_DEFAULT_ROWS // 2)
            return min(count_synthetic("auto", n_rows, n_features, ratio), most)
        ratio = np.clip(ROWS_PER_PARAMETER * min(n_parameters, MAX_PARAMETERS) / n_rows, AUTO_RATIO, MAX_RATIO)
        return count_synthetic("auto", n_rows, n_features, int(ratio))
