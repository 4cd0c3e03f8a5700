"""``AutoStudent``: what a student is chosen among, and within which budget."""

from collections.abc import Sequence
from numbers import Integral
from typing import Any, Literal

import numpy as np
from scipy import sparse

from .._representation import Documented
from .._validation import check_number
from ..exceptions import StudentError
from ..students._families import FAMILIES, current_name, warn_of_former_names
from ..transfer import AUTO_RATIO, count_synthetic

WIDE = 1000
"""Columns of a sparse table from which on some families are not tried."""


BYTES_OF_A_PARAMETER, FIXED_BYTES = 1.6, 1000
"""First guess of what a size costs, until a student of a family is there."""

MOST_PARAMETERS = 60_000
"""Of a student unless ``student_size`` asks for more: with these it is no longer compact, and slow to teach."""

ROWS_OF_A_PARAMETER, MOST_RATIO = 10, 40
"""Synthetic rows that the parameters of a budget are worth, and most of them for each real row."""

FEW_ROWS, RATIO_OF_FEW = 1000, 20
"""Real rows below which there are more synthetic ones for each, since they cost little time, and how many at most."""

MODEST_ROWS = 100_000
"""Rows that a student of modest size is taught on at most; half of them may be synthetic in any case."""


class AutoStudent(Documented):
    """Choose family and size of the student, for this teacher and table, by fidelity on held-out real rows.

    These are the options of ``student="auto"`` of the distilled estimators. The search needs no label:

    1. A scout of each family, a small student that is taught quickly, is taught on a fifth of the real rows that do
       not validate and of half of the synthetic rows.
    2. The ``n_finalists`` families whose scouts are best are taught on all of these rows, as large as the budget
       allows, and so is a hybrid, whose two parts are among those scouted. What is compiled too large, or takes too
       many operations, is made smaller. Within a budget that the user gives, the best is also taught in a modest size.
       If the teacher has memorised its rows, the best is taught with another weight of the real rows.
    3. The best of these is taught on everything.

    With ``min_fidelity`` all families grow instead from small to large, until one reaches it.

    Parameters
    ----------
    families : sequence of str or "auto", default="auto"
        What to choose among: ``"linear"``, ``"tree"``, ``"kernel"``, ``"mlp"``, ``"mlp_ple"`` (an MLP on piecewise
        linear encodings of numbers), ``"boosting"``, ``"hybrid"``, and names that
        :func:`~skdistill.students.register_family` has registered. ``"auto"`` is all of them that are tried
        automatically: not the kernel, which was the best on none of the twelve tables that it was measured on.
    max_bytes : int, "auto" or None, default="auto"
        Size of the compiled student at most, in bytes. ``"auto"`` is modest, about 10 kB for one output and more for
        several, unless ``max_ops`` or ``student_size`` says what is allowed. What is allowed is used, up to some 60,000
        parameters (100 kB; more if ``student_size`` asks for them), and a larger student is taught on more synthetic
        rows, which takes longer.
    max_ops : int or None, default=None
        Operations for a row at most: comparisons, multiplications, additions. A count, so that it is the same
        everywhere; ``docs/students/choosing.md`` has a table of what it costs in microseconds.
    min_fidelity : float or None, default=None
        Fidelity in (0, 1] that is enough: of all that are tried, in six sizes for each family, the smallest student
        that reaches it is chosen.
    n_finalists : int >= 1, default=2
        Families, beside those that have no scouts, that are taught on half of the synthetic rows.
    validation_fraction : float in (0, 0.9], default=0.25
        Share of the real rows that validate where there are no better rows; where a sampler is chosen, that of
        :class:`~skdistill.AutoSampler` counts.

    See Also
    --------
    skdistill.DistilledClassifier : Its ``candidates_`` tell what was tried.

    Notes
    -----
    The best validation rows are real ones that the teacher was not fitted on: ``X_val``, ``X_unlabeled``, or rows of
    ``X`` that are labelled out of fold (``teacher_cv``) or out of bag. See :class:`~skdistill.AutoSampler` for what
    serves where there are none.

    References
    ----------
    .. [1] K. Jamieson and A. Talwalkar, "Non-stochastic Best Arm Identification and Hyperparameter Optimization",
       AISTATS 2016 (successive halving).

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.svm import SVR
    >>> from skdistill import AutoStudent, DistilledRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> teacher = SVR(C=100).fit(X[:300], y[:300])
    >>> student = AutoStudent(families=["linear", "mlp", "boosting"], max_bytes=10_000)
    >>> model = DistilledRegressor(teacher, student, sampler=None, random_state=0).fit(X[:300])
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
    ) -> None:
        self.families = families
        self.max_bytes = max_bytes
        self.max_ops = max_ops
        self.min_fidelity = min_fidelity
        self.n_finalists = n_finalists
        self.validation_fraction = validation_fraction

    def check(self) -> None:
        """Raise for options that cannot be."""
        warn_of_former_names("AutoStudent", np.atleast_1d(np.asarray(self.families, dtype=object)))
        names = self.family_names()
        unknown = [name for name in names if name not in FAMILIES]
        if unknown or not names:
            raise StudentError(
                f"AutoStudent: families={self.families!r}; expected 'auto' or some of {', '.join(FAMILIES)}."
            )
        for name in ("max_bytes", "max_ops"):
            if getattr(self, name) is not None and not (name == "max_bytes" and self.max_bytes == "auto"):
                check_number(self, name, getattr(self, name), kind=Integral, low=1)
        if self.min_fidelity is not None:
            check_number(self, "min_fidelity", self.min_fidelity, low=0, high=1, low_open=True)
        check_number(self, "n_finalists", self.n_finalists, kind=Integral, low=1)
        check_number(self, "validation_fraction", self.validation_fraction, low=0, high=0.9, low_open=True)

    def family_names(self) -> list[Any]:
        """Return the names of the families to choose among."""
        if isinstance(self.families, str) and self.families == "auto":
            return [name for name, family in FAMILIES.items() if family.is_automatic]
        is_one = isinstance(self.families, str) or not np.iterable(self.families)
        return list(dict.fromkeys(map(current_name, [self.families] if is_one else self.families)))

    def families_for(self, X: Any) -> list[str]:
        """Return those of them that serve a table: on wide sparse ones trees cost much and keep little."""
        names, is_auto = self.family_names(), isinstance(self.families, str) and self.families == "auto"
        is_wide = sparse.issparse(X) and X.shape[1] > WIDE
        return [name for name in names if not (is_auto and is_wide and name == "tree")]

    def allowed_parameters(self, student_size: int | None) -> float | None:
        """Return about how many parameters the user allows; ``None`` if there is no budget."""
        most = [float(student_size)] if student_size is not None else []
        if isinstance(self.max_bytes, Integral):
            of_bytes = max((self.max_bytes - FIXED_BYTES) / BYTES_OF_A_PARAMETER, self.max_bytes / 8)
            most.append(min(of_bytes, MOST_PARAMETERS))
        if self.max_bytes is None or self.max_ops is not None:
            most.append(MOST_PARAMETERS)
        return min(most, default=None)

    def count_synthetic(self, n_rows: int, n_features: int, student_size: int | None) -> int:
        """Return how many synthetic rows a student within the budget is worth."""
        n_parameters = self.allowed_parameters(student_size)
        if n_parameters is None:
            ratio = AUTO_RATIO if n_rows >= FEW_ROWS else min(AUTO_RATIO * FEW_ROWS // n_rows, RATIO_OF_FEW)
            most = max(MODEST_ROWS - n_rows, MODEST_ROWS // 2)
            return min(count_synthetic("auto", n_rows, n_features, ratio), most)
        ratio = np.clip(ROWS_OF_A_PARAMETER * min(n_parameters, MOST_PARAMETERS) / n_rows, AUTO_RATIO, MOST_RATIO)
        return count_synthetic("auto", n_rows, n_features, int(ratio))
