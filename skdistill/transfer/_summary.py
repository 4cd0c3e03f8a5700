"""The summary of a transfer set: how many rows of which origin, and what they cost, without the rows."""

from dataclasses import dataclass
from html import escape
from typing import Protocol

from .._tabulate import as_html, encodable
from ..teachers import RemoteUsage, Workers


class Costs(Protocol):
    """What labelling and drawing rows has cost; see :class:`TransferSummary`."""

    teacher_noise: float
    label_seconds: float
    sample_seconds: float
    extra_seconds: float
    started: float
    workers: Workers

    @property
    def n_asked(self) -> int: ...


@dataclass(frozen=True)
class TransferSummary:
    """Summary of a transfer set without its rows.

    Attributes
    ----------
    n_real, n_unlabeled, n_synthetic : int
        Number of rows by origin.
    real_weight : float
        Factor in [0, 1] that multiplies the weights of the rows of ``X``. It is 0 if the teacher has memorised these
        rows and the student is better without them.
    synthetic_weight : float
        Mean weight of a synthetic row. The weight of a row of ``X`` is ``real_weight`` times its ``sample_weight``.
    sampler : str
        The sampler of the synthetic rows; empty if there are none.
    n_queries : int
        Number of rows that the teacher labelled, including rows used only for selection and validation, repeated
        queries of the same row, rows that complete a batch, and rows from which a student with ``hint_weight`` read
        hints.
    teacher_noise : float
        Share in [0, 1] of the variance of the soft targets that differs between two queries of the same row. A student
        that reproduces the rest has a fidelity of ``1 - teacher_noise``, the most that can be expected. 0 for a teacher
        that always returns the same output for a row; NaN if it was not measured, for lack of rows or queries.
    label_seconds : float
        Time to label these rows and to read hints, without rows that were cached in ``memory``.
    sample_seconds : float
        Time to draw synthetic rows.
    seconds : float
        Total time from the first query of the teacher until the student was fitted.
    sampled_from : int, default=0
        Number of rows of ``X`` that the ``n_real`` rows are a stratified sample of (``max_real_rows``); 0 if they are
        no such sample.
    labelled_by : str, default="1 thread"
        What labelled the blocks of rows, for example ``"2 threads"``: see ``n_jobs``.
    n_summed : int, default=0
        Number of rows of a dataset to which coefficients or leaf values of the student were fitted again, by sums over
        chunks; 0 if the student is that of the rows above.
    usage : RemoteUsage or None, default=None
        The rows answered, requests, failed requests and cost of this fit, if the teacher is a
        :class:`~skdistill.RemoteTeacher` that was sent requests: answers that were kept or cached need none.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill import DistilledRegressor
    >>> from skdistill.samplers import Jitter
    >>> X = np.linspace(0, 1, 40).reshape(-1, 1)
    >>> model = DistilledRegressor(
    ...     lambda X: X[:, 0] ** 2,
    ...     "linear",
    ...     sampler=Jitter(),
    ...     n_synthetic=100,
    ...     random_state=0,
    ... )
    >>> summary = model.fit(X).transfer_set_
    >>> summary.n_real, summary.n_synthetic, summary.sampler, summary.teacher_noise
    (40, 100, 'Jitter()', 0.0)
    >>> summary.n_queries  # 12 of them check whether outputs are the same again
    152
    >>> summary.explain()
    '40 real and 100 synthetic rows, drawn by Jitter(); the teacher labelled 152 rows.'
    """

    n_real: int
    n_unlabeled: int
    n_synthetic: int
    real_weight: float
    synthetic_weight: float
    sampler: str
    n_queries: int
    teacher_noise: float
    label_seconds: float
    sample_seconds: float
    seconds: float
    sampled_from: int = 0
    labelled_by: str = "1 thread"
    n_summed: int = 0
    usage: RemoteUsage | None = None

    def __repr__(self) -> str:
        fields = vars(self).items()
        texts = [f"{name}={value:.3g}" if isinstance(value, float) else f"{name}={value!r}" for name, value in fields]
        return f"TransferSummary({', '.join(texts)})"

    def explain(self) -> str:
        """Return what the transfer set consists of, as a sentence.

        Returns
        -------
        text : str
        """
        counts = {"real": self.n_real, "unlabelled": self.n_unlabeled, "synthetic": self.n_synthetic}
        *others, last = (f"{n:,} {origin}" for origin, n in counts.items() if n or origin == "real")
        rows = f"{', '.join(others)} and {last}" if others else last
        drawn = f", drawn by {' '.join(self.sampler.split())}" if self.sampler else ""
        drawn += f"; the real ones are a sample of {self.sampled_from:,}" if self.sampled_from else ""
        without = "" if self.real_weight else " The student was fitted without the real rows of X (real_weight=0)."
        asked = "" if self.usage is None else f" ({self.usage.explain()})"
        summed = f" Its values were fitted again to {self.n_summed:,} rows, by sums." if self.n_summed else ""
        return f"{rows} rows{drawn}; the teacher labelled {self.n_queries:,} rows{asked}.{without}{summed}"

    def _repr_html_(self) -> str:
        values = [f"{value:.3g}" if isinstance(value, float) else value for value in vars(self).values()]
        values = [value.explain() if isinstance(value, RemoteUsage) else value for value in values]
        texts = [f"{value:,}" if isinstance(value, int) else value for value in values]
        table = as_html({"attribute": list(vars(self)), "value": texts})
        return encodable(f"<div><p>{escape(self.explain())}</p>{table}</div>")
