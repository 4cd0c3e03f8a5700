"""``AutoSampler``: choose sampler, number and weight of synthetic rows by fidelity on held-out real rows."""

from collections.abc import Sequence
from numbers import Integral
from typing import Any, Literal

import numpy as np
from scipy import sparse

from .._representation import Documented
from .._validation import check_number
from ..exceptions import SamplerError
from ..samplers import MUNGE, LeafSwap, MarginalResampling, TermSwap, as_sampler


class AutoSampler(Documented):
    """Choose how to draw synthetic rows, for this teacher, table and student, by fidelity on held-out real rows.

    These are the options of ``sampler="auto"`` of the distilled estimators. The search needs no label:

    1. The teacher is asked about some rows beside its own and beside synthetic ones, to see whether it has memorised
       its own rows. Validation rows are held out: the best there are, see Notes.
    2. The student is taught on the real rows that are left. If it loses less than ``tolerance`` with these alone, and
       the teacher has not memorised its rows, synthetic ones cannot bring more, and the search stops.
    3. Each sampler draws an equal share of a fifth of the synthetic rows, which are labelled once. The student is
       taught on rows of each, and with other ``weights``: beside the real rows, or without them if the teacher has
       memorised much of these.
    4. The first sampler is the rule. Another choice must be better by four standard errors: on more rows than it is
       tried on it seldom is. What is chosen draws the other rows, now from all real ones.
    5. If the teacher has memorised its rows, the student is taught with each of the ``real_weights``. Less than the
       full weight must be better by two standard errors, and by a tenth of the loss.

    With ``student="auto"``, scouts of two families are taught in steps 2 and 3, and the better one goes on to the other
    samplers; step 5 is for the student that is chosen.

    Parameters
    ----------
    samplers : sequence of samplers or "auto", default="auto"
        What to choose among; only the first of them where there are too few synthetic rows for each to draw 50.
        ``"auto"`` is leaf swap, MUNGE and marginal resampling; for sparse matrices term swap, leaf swap and
        MUNGE.
    weights : sequence of float, default=(4.0, 1.0)
        Weights to choose among: of all synthetic rows together, in weights of all real rows together. One synthetic
        row never weighs more than a real one in the mean.
    validation_fraction : float in (0, 1), default=0.25
        Share of the real rows that is held out where there are no better judges, at most 5,000 rows.
    max_queries : int or None, default=None
        Synthetic rows the teacher is asked about at most. ``None`` needs up to 1.4 times ``n_synthetic``.
    tolerance : float >= 0, default=0.001
        Loss (1 less fidelity) with real rows alone below which the search stops. 0 never stops.
    real_weights : sequence of float in [0, 1], default=(1.0, 0.0)
        Shares of their weight, to choose among, that the rows of ``X`` are taught with where the teacher has memorised
        them; 0 leaves them out. What it answers there is then another function than anywhere else.

    See Also
    --------
    skdistill.DistilledClassifier : Its ``sampler_results_`` tell what was tried.

    Notes
    -----
    The best validation rows are those the teacher was not fitted on: ``X_val``, else half of ``X_unlabeled``, else rows
    of ``X`` that are labelled out of fold or out of bag (``teacher_cv``). A fitted forest of scikit-learn that draws
    bootstrap samples knows which of its trees left a row out: if ``X`` is what it was fitted on, its out-of-bag answers
    validate. Where the teacher has memorised its rows, synthetic rows of held-out parents validate; elsewhere held-out
    rows of ``X``. ``sampler_results_["judged_on"]`` says which. Beside out-of-bag and own rows, synthetic rows of
    held-out parents count as well.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.ensemble import RandomForestRegressor
    >>> from skdistill import AutoSampler, DistilledRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> forest = RandomForestRegressor(random_state=0).fit(X[:300], y[:300])
    >>> model = DistilledRegressor(forest, sampler=AutoSampler(weights=[1.0]), random_state=0)
    >>> model = model.fit(X[:300], X_val=X[300:])
    >>> model.sampler_results_["sampler"][0], str(model.sampler_results_["judged_on"][0])
    ('none', 'X_val')
    """

    def __init__(
        self,
        samplers: Sequence[Any] | Literal["auto"] = "auto",
        weights: Sequence[float] = (4.0, 1.0),
        validation_fraction: float = 0.25,
        max_queries: int | None = None,
        tolerance: float = 1e-3,
        real_weights: Sequence[float] = (1.0, 0.0),
    ) -> None:
        self.samplers = samplers
        self.weights = weights
        self.validation_fraction = validation_fraction
        self.max_queries = max_queries
        self.tolerance = tolerance
        self.real_weights = real_weights

    def check(self) -> None:
        """Raise for options that cannot be."""
        if not isinstance(self.samplers, Sequence) or len(self.samplers) == 0 or self.samplers == "":
            raise SamplerError(f"AutoSampler: samplers={self.samplers!r}; expected a list of samplers, or 'auto'.")
        if isinstance(self.samplers, str) and self.samplers != "auto":
            raise SamplerError(f"AutoSampler: samplers={self.samplers!r}; expected 'auto' or samplers.")
        for sampler in () if isinstance(self.samplers, str) else self.samplers:
            as_sampler(sampler)
        for name in ("weights", "real_weights"):
            weights, is_share = getattr(self, name), name == "real_weights"
            if not isinstance(weights, Sequence | np.ndarray) or isinstance(weights, str) or len(weights) == 0:
                raise ValueError(f"AutoSampler: {name}={weights!r}; expected a list of at least one number.")
            for index, weight in enumerate(weights):
                high = 1 if is_share else np.inf
                check_number(self, f"{name}[{index}]", weight, low=0, high=high, low_open=not is_share)
        check_number(self, "validation_fraction", self.validation_fraction, low=0, high=0.9, low_open=True)
        check_number(self, "tolerance", self.tolerance, low=0)
        if self.max_queries is not None:
            check_number(self, "max_queries", self.max_queries, kind=Integral, low=0)

    def candidates(self, X: Any, n_jobs: int | None) -> list[Any]:
        """Return the samplers to choose among for a table."""
        if not isinstance(self.samplers, str):
            return list(self.samplers)
        if sparse.issparse(X):
            return [TermSwap(), LeafSwap(), MUNGE(n_jobs=n_jobs)]
        return [LeafSwap(), MUNGE(n_jobs=n_jobs), MarginalResampling()]
