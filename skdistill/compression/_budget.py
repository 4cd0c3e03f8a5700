"""Budgets: limits of the bytes, the operations and the parameters of a scorer."""

from dataclasses import dataclass
from numbers import Integral

from .._validation import check_number
from ..compiled import Scorer
from ..exceptions import StudentSizeError


@dataclass(frozen=True)
class Budget:
    """Limits of a scorer; at least one of them is set.

    Parameters
    ----------
    max_parameters : int >= 1 or None, default=None
        Learned parameters at most.
    max_bytes : int >= 1 or None, default=None
        Size of the scorer's pickle at most, in bytes; ``None`` for no limit.
    max_ops : int >= 1 or None, default=None
        Operations per row at most; ``None`` for no limit.

    Raises
    ------
    ValueError
        If a limit is no positive integer, or if there is none.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.compiled import Linear
    >>> from skdistill.compression import Budget
    >>> Budget(max_parameters=6).excess(Linear(np.ones((2, 1)), np.zeros(1)))
    0.5
    """

    max_parameters: int | None = None
    max_bytes: int | None = None
    max_ops: int | None = None

    def __post_init__(self) -> None:
        given = {name: value for name, value in vars(self).items() if value is not None}
        for name, value in given.items():
            check_number(self, name, value, kind=Integral, low=1)
        if not given:
            raise ValueError("Budget: no limit is set; expected max_parameters, max_bytes or max_ops.")

    def excess(self, scorer: Scorer) -> float:
        """Return the largest cost of a scorer divided by its limit: above 1, the scorer exceeds the budget.

        Parameters
        ----------
        scorer : Scorer

        Returns
        -------
        excess : float
        """
        costs = []
        if self.max_parameters is not None:
            costs.append(scorer.n_parameters / self.max_parameters)
        if self.max_ops is not None:
            costs.append(scorer.n_ops / self.max_ops)
        if self.max_bytes is not None:
            costs.append(scorer.n_bytes / self.max_bytes)
        return max(costs)

    def __str__(self) -> str:
        return ", ".join(f"{name}={value}" for name, value in vars(self).items() if value is not None)

    def too_small(self, who: str, scorer: Scorer) -> StudentSizeError:
        """Return the error for a budget that the smallest scorer exceeds."""
        return StudentSizeError(
            f"{who}: {self} is too small: the smallest result has {scorer.n_parameters} parameters, {scorer.n_bytes} "
            f"bytes and {scorer.n_ops} operations. Pass a larger budget."
        )
