"""Synthetic rows: how many there are, and drawing them with a sampler, whose rows are checked."""

from dataclasses import dataclass
from numbers import Integral
from typing import Any, Literal

import numpy as np

from .._encoding import fit_table_encoder
from .._tables import describe_mismatch
from .._validation import draw_seed, seed_estimator
from ..exceptions import SamplerError
from ..samplers import as_sampler
from ._transfer_set import TransferSet

AUTO_RATIO = 10
"""Number of synthetic rows per real row for ``n_synthetic="auto"``."""

AUTO_ROWS, AUTO_CELLS = 200_000, 20_000_000
"""Maximum numbers of synthetic rows and of their cells for ``n_synthetic="auto"``: large tables gain the least."""

SYNTHETIC_WEIGHT = 4.0
"""Total weight of the synthetic rows divided by that of the real rows; no synthetic row outweighs a mean real row."""


@dataclass(frozen=True)
class Draw:
    """A request for synthetic rows: a sampler, the real rows it is fitted on, the number of rows and a seed."""

    sampler: Any
    real: TransferSet
    n_samples: int
    seed: int


def draw_rows(
    sampler: Any, X: Any, outputs: np.ndarray, n_samples: int, seed: int, declared: tuple[int, ...] = ()
) -> Any:
    """Fit a clone of the sampler and draw rows; ``declared`` are the columns that are declared as categories.

    Raises
    ------
    SamplerError
        If the rows differ from ``X`` in columns, dtypes or table type, if their number is not ``n_samples``, or if a
        declared column has a category that no row of ``X`` has.
    """
    rng = np.random.RandomState(seed)
    fitted = seed_estimator(as_sampler(sampler), rng).fit(X, outputs)
    rows = fitted.sample(n_samples, random_state=draw_seed(rng))
    check_drawn(sampler, X, rows, n_samples, declared)
    return rows


def check_drawn(sampler: Any, X: Any, rows: Any, n_samples: int, declared: tuple[int, ...]) -> None:
    """Raise an error if drawn rows are not like those that the sampler was fitted on."""
    mismatch = describe_mismatch(X, rows)
    if mismatch is None and rows.shape[0] != n_samples:
        mismatch = f"{rows.shape[0]} rows instead of {n_samples}"
    if mismatch is None and isinstance(X, np.ndarray) and rows.dtype.kind != X.dtype.kind:
        mismatch = f"dtype {rows.dtype} instead of {X.dtype}"
    if mismatch is None and declared:
        mismatch = _describe_invented(X, rows, declared)
    if mismatch is not None:
        raise SamplerError(
            f"{type(sampler).__name__}.sample returned {mismatch}; expected rows like those it was fitted on. "
            "Return the same table type with the same columns and dtypes."
        )


def _describe_invented(X: Any, rows: Any, declared: tuple[int, ...]) -> str | None:
    """Describe the first declared column of ``rows`` that has a category which the column of ``X`` lacks."""
    known, drawn = (fit_table_encoder(table, declared).categories_ for table in (X, rows))
    for index in declared:
        invented = sorted(set(drawn[index]) - set(known[index]))  # type: ignore[arg-type]
        if invented:
            return f"the value {invented[0]} in column {index}, which is declared as categories and lacks it"
    return None


def count_synthetic(
    n_synthetic: int | float | Literal["auto"], n_rows: int, n_features: int, ratio: int = AUTO_RATIO
) -> int:
    """Return the number of rows that ``n_synthetic`` stands for; a float is a multiple of the number of real rows."""
    if n_synthetic == "auto":
        return min(ratio * n_rows, AUTO_ROWS, max(n_rows, AUTO_CELLS // n_features))
    return int(n_synthetic) if isinstance(n_synthetic, Integral) else round(float(n_synthetic) * n_rows)
