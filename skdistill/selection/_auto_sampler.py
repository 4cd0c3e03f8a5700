"""``AutoSampler``: select the sampler and the weight of the synthetic rows by fidelity on validation rows."""

from collections.abc import Sequence
from numbers import Integral
from typing import Any, Literal

import numpy as np
from scipy import sparse

from .._representation import Documented
from .._suggesting import did_you_mean
from .._validation import check_number
from ..exceptions import SamplerError
from ..samplers import MUNGE, LeafSwap, MarginalResampling, TermSwap, as_sampler
from ..samplers._lending import lend_teacher


class AutoSampler(Documented):
    """Select the sampler of the synthetic rows and their weight by fidelity on validation rows.

    ``sampler="auto"`` of the distilled estimators is this object with its defaults. The search needs no true labels:

    1. The teacher labels rows close to its training rows and rows close to synthetic rows, to measure whether it has
       memorised its training rows. Validation rows are held out; the notes below describe them.
    2. The student is fitted on the remaining real rows alone. The search stops if its loss is below ``tolerance`` and
       the teacher has not memorised its training rows, because synthetic rows cannot improve the student further.
    3. Each sampler draws an equal share of a fifth of the synthetic rows, which the teacher labels once. The student is
       fitted on the rows of each sampler and with each of the ``weights``, together with the real rows, or without them
       if the teacher has strongly memorised them.
    4. The first sampler is the default. Another one is selected only if it is better by four standard errors, because
       smaller differences rarely persist on larger transfer sets. The selected sampler draws the remaining rows from
       all real rows.
       If there are fewer than 500 training rows, or fewer than columns, it first draws most of them from the training
       rows, and the student is fitted on these; no synthetic rows are used if it is then worse than without any by one
       standard error and a tenth of the loss.
    5. If the teacher has memorised its training rows, the student is fitted with each of the ``real_weights``. The
       better one on ``X_val``, ``X_unlabeled`` or rows labelled out-of-fold is selected. Other validation rows are
       synthetic in part, which favours students fitted without real rows; there, a weight below one must be better by
       two standard errors and by a twentieth of the loss.

    With ``student="auto"``, steps 2 and 3 fit small students of two families, and the better one evaluates the other
    samplers; step 5 applies to the selected student.

    Parameters
    ----------
    samplers : sequence of samplers or "auto", default="auto"
        Samplers to select from. If there are too few synthetic rows for each sampler to draw 50, only the first ones
        are evaluated. ``"auto"`` is leaf swap, MUNGE and marginal resampling; for sparse matrices, term swap, leaf swap
        and MUNGE.
    weights : sequence of float, default=(4.0, 1.0)
        Weights to select from. A weight is the total weight of all synthetic rows divided by the total weight of all
        real rows. The weight of one synthetic row never exceeds the mean weight of a real row.
    validation_fraction : float in (0, 0.9], default=0.25
        Fraction of the real rows held out for validation if there are no better validation rows; at most 5,000 rows are
        held out.
    max_queries : int or None, default=None
        Maximum number of synthetic rows that the teacher labels. ``None`` allows 1.4 times ``n_synthetic``.
    tolerance : float >= 0, default=0.001
        The search stops if the loss (1 - fidelity) with real rows alone is below this. 0 never stops the search.
    real_weights : sequence of float in [0, 1], default=(1.0, 0.0)
        Factors to select from that multiply the weights of the rows of ``X`` if the teacher has memorised them; 0
        excludes these rows. The outputs of such a teacher are overfitted on its training rows.

    See Also
    --------
    skdistill.DistilledClassifier : Its attribute ``sampler_results_`` holds the results of the search.

    Notes
    -----
    The best validation rows are rows that the teacher was not fitted on: ``X_val``, otherwise half of ``X_unlabeled``
    (if rows of it are selected within a budget: those that are drawn at random before), otherwise rows of ``X`` that
    are labelled out-of-fold or out-of-bag (``teacher_cv``). For a fitted scikit-learn forest with bootstrap samples
    whose training set is ``X``, the out-of-bag outputs are used. Otherwise, if the teacher has memorised its training
    rows, the validation set consists of synthetic rows drawn from held-out rows; if not, of held-out rows of ``X``.
    ``sampler_results_["validated_on"]`` reports which. Out-of-bag rows and held-out rows of ``X`` are combined with
    synthetic rows drawn from held-out rows.

    A stratified sample of a larger table (``max_real_rows``) is not extended, and no sampler is evaluated, unless the
    teacher has memorised its training rows: synthetic rows, each of the weight of a row of the table, hardly count.

    A teacher may refuse synthetic rows: it raises an error, or returns NaN, e.g. for numbers that are codes and that it
    has not seen. If it still labels a row of ``X``, whole numbers or all numbers in synthetic rows are restricted to
    values seen in ``X``, whichever the teacher needs; rows that it still refuses are left out, samplers of which it
    refuses most rows are not evaluated, and ``fit`` warns once. Rows that are refused count as queries.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.ensemble import RandomForestRegressor
    >>> from skdistill import AutoSampler, DistilledRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> forest = RandomForestRegressor(30, random_state=0).fit(X[:300], y[:300])
    >>> model = DistilledRegressor(
    ...     forest, "tree", sampler=AutoSampler(weights=[1.0]), random_state=0
    ... )
    >>> model = model.fit(X[:300], X_val=X[300:])
    >>> model.sampler_results_["sampler"][0], str(model.sampler_results_["validated_on"][0])
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

    def with_teacher(self, teacher: Any) -> "AutoSampler":
        """Return a copy whose samplers read this teacher unless they have one of their own.

        Parameters
        ----------
        teacher : estimator
            The fitted teacher of a distilled estimator.

        Returns
        -------
        sampler : AutoSampler
        """
        if isinstance(self.samplers, str):
            return self
        return AutoSampler(
            **self.get_params(deep=False) | {"samplers": [lend_teacher(sampler, teacher) for sampler in self.samplers]}
        )

    def check(self) -> None:
        """Raise an error if an option is invalid."""
        if not isinstance(self.samplers, Sequence) or len(self.samplers) == 0 or self.samplers == "":
            raise SamplerError(f"AutoSampler: samplers={self.samplers!r}; expected a list of samplers, or 'auto'.")
        if isinstance(self.samplers, str) and self.samplers != "auto":
            raise SamplerError(
                f"AutoSampler: samplers={self.samplers!r}; expected 'auto' or samplers."
                f"{did_you_mean(self.samplers, ['auto'])}"
            )
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
        """Return the samplers to select from for ``X``."""
        if not isinstance(self.samplers, str):
            return list(self.samplers)
        if sparse.issparse(X):
            return [TermSwap(), LeafSwap(), MUNGE(n_jobs=n_jobs)]
        return [LeafSwap(), MUNGE(n_jobs=n_jobs), MarginalResampling()]
