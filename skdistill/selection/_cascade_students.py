r"""Students for a cascade of values: accurate on the rows that they answer, at the expense of those that they defer.

The squared error of a small student is mostly that of rows that it cannot learn. In a cascade, the teacher answers
these, and what counts is on how many rows the student is within the tolerance *and can be told to be*. After a first
fit, a small model learns the expected distance :math:`d(x)` of student and teacher in units of the tolerance, as the
score of a cascade does, and the student is fitted once more, with the weights

.. math:: w_i \max \! \left( d(x_i), \tfrac{1}{2} \right)^{-4} .

Rows that are expected to be within half the tolerance count equally; those beyond one count a sixteenth of that or
less, whatever they would cost.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .._described import described
from .._validation import check_number
from ..compiled._certainty import Certainty
from ..exceptions import StudentError
from ..metrics._answering import answered_share, distance_in_tolerances, reweighted
from ..students import CompactBoostingRegressor
from ..transfer import TransferSet
from ._targets import Targets
from ._validation_rows import Group, Validation

TOLERANCE_SHARE = 0.1
"""The tolerance in standard deviations of the teacher's values, unless one is given: the default of cascades."""

AGREEMENT = 0.99
"""The promise, the default of cascades, for which candidates are compared."""

DISTANCE_MODEL: dict[str, Any] = {"n_trees": 10, "max_leaf_nodes": 16, "learning_rate": 0.3}
"""The model of the distance: small, so that the rows that count can be told by a score that is small as well."""

ANSWERED = "the share of rows that it answers in a cascade"
"""What the score of a student for a cascade is."""


def check_tolerance(tolerance: Any) -> None:
    """Raise an error unless the tolerance is ``None``, ``"auto"``, or one positive number or several."""
    if tolerance is None:
        return
    given = np.asarray(tolerance, dtype=object)
    for each in given.ravel() if given.ndim else ():
        check_number("AutoStudent", "tolerance", each, low=0, low_open=True)
    if not given.ndim:
        check_number("AutoStudent", "tolerance", tolerance, low=0, low_open=True, names=["auto"])


@dataclass(frozen=True)
class CascadeStudents:
    """Fits students for a cascade with a tolerance, and says how many rows they would answer.

    Parameters
    ----------
    targets : Targets
    tolerance : float or ndarray of shape (n_outputs,)
    seed : int
        Seed of the model of the distance.
    """

    targets: Targets
    tolerance: Any
    seed: int

    @classmethod
    def of(cls, tolerance: Any, rows: TransferSet, targets: Targets, seed: int) -> "CascadeStudents":
        """Return students for a given tolerance, or for a tenth of the standard deviation of the teacher's values.

        Raises
        ------
        StudentError
            If the teacher returns probabilities, or another number of values than there are tolerances.
        """
        outputs = targets.of(rows.outputs)
        if isinstance(tolerance, str):
            spread = np.std(outputs, axis=0)
            return cls(targets, TOLERANCE_SHARE * np.where(spread > 0, spread, 1.0), seed)
        given = np.asarray(tolerance, dtype=float)
        if given.ndim and given.shape != outputs.shape[1:]:
            raise StudentError(
                f"AutoStudent: tolerance={described(tolerance)}; expected one number, or one for each of the outputs "
                f"of the teacher, of shape {outputs.shape[1:]}."
            )
        return cls(targets, given, seed)

    def teach(self, teach: Callable[[TransferSet], Any], rows: TransferSet) -> Any:
        """Return the second student: it is fitted with smaller weights where the first one is far from the teacher."""
        first = teach(rows)
        expected = self._distance_model(first, rows)(rows.X, self.targets.predict(first, rows.X))
        return teach(replace(rows, sample_weight=reweighted(rows.sample_weight, expected)))

    def answered(self, student: Any, rows: TransferSet, validation: Validation) -> float:
        """Return the share of validation rows that a student fitted on ``rows`` answers in a cascade."""
        expected, groups = self._distance_model(student, rows), validation.ranking
        shares = [self._answered(student, expected, group) for group in groups]
        return float(np.average(shares, weights=[group.importance for group in groups]))

    def _answered(self, student: Any, expected: Callable[[Any, np.ndarray], np.ndarray], group: Group) -> float:
        outputs = self.targets.predict(student, group.X)
        fails = distance_in_tolerances(group.targets, outputs.reshape(group.targets.shape), self.tolerance) > 1
        return answered_share(-expected(group.X, outputs), fails, AGREEMENT, group.sample_weight)

    def _distance_model(self, student: Any, rows: TransferSet) -> Callable[[Any, np.ndarray], np.ndarray]:
        """Return the expected distance, in tolerances, as a function of rows and of what the student answers."""
        compiled = getattr(student, "estimator", student).__skdistill_compile__()
        certainty = Certainty("deviation", False)

        def cells(X: Any, outputs: np.ndarray) -> Any:
            return certainty.beside(compiled.encoded(self.targets.view.rows(X)), outputs)

        outputs, values = self.targets.predict(student, rows.X), self.targets.of(rows.outputs)
        distance = distance_in_tolerances(values, outputs.reshape(values.shape), self.tolerance)
        model = CompactBoostingRegressor(**DISTANCE_MODEL, random_state=self.seed)
        model.fit(cells(rows.X, outputs), distance, sample_weight=rows.sample_weight)
        return lambda X, outputs: model.predict(cells(X, outputs))
