"""``Constraints``: the directions and sets of columns that a student keeps, and where they come from."""

from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np

from .._tabulate import as_html, as_text


@dataclass(frozen=True, repr=False, eq=False)
class Constraints:
    """The constraints of a student, and the evidence for them.

    It is printed as a table, and shown as one in notebooks.

    Parameters
    ----------
    monotonic : dict of ndarray
        One row for each column that is constrained or was tested, in the format of ``cv_results_``: ``column``, the
        ``class`` whose odds it moves (only for more than two classes), ``direction`` (1, -1, or 0 if it is free),
        ``violated`` (the share in [0, 1] of the pairs of rows that contradict the direction, or the better of both if
        it is free; NaN if it was not measured), ``n_pairs`` (pairs of rows, equal but for the column, whose outputs
        differ) and ``source``: ``"given"``, ``"parameter of the teacher"`` or ``"measured"``. Empty without
        ``monotonic_cst``.
    interactions : list of tuple or None, default=None
        The sets of columns that may interact; ``None`` if all may.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill import DistilledRegressor
    >>> X = np.random.default_rng(0).uniform(size=(200, 2))
    >>> teacher = lambda X: X[:, 0] ** 3 + np.sin(9 * X[:, 1])
    >>> model = DistilledRegressor(
    ...     teacher, "boosting", sampler=None, monotonic_cst="teacher", random_state=0
    ... ).fit(X)
    >>> model.constraints_.monotonic["direction"].tolist()
    [1, 0]
    >>> model.constraints_.monotonic["violated"].round(1).tolist()
    [0.0, 0.5]
    """

    monotonic: dict[str, np.ndarray]
    interactions: list[tuple[Any, ...]] | None = None

    def _words(self) -> str:
        """Return the sets of columns as a sentence."""
        if self.interactions is None:
            return ""
        sets = "; ".join(", ".join(map(str, each)) for each in self.interactions)
        return f"Columns that may interact: {sets}."

    def __repr__(self) -> str:
        table = as_text(self._shown()) if len(self.monotonic.get("column", ())) else "No column is monotone."
        return "\n".join(part for part in (table, self._words()) if part)

    def _repr_html_(self) -> str:
        table = as_html(self._shown()) if len(self.monotonic.get("column", ())) else "<p>No column is monotone.</p>"
        words = self._words()
        return table + (f"<p>{escape(words)}</p>" if words else "")

    def _shown(self) -> dict[str, list[Any]]:
        """Return the table with words for directions."""
        words = {1: "rises", -1: "falls", 0: "free"}
        columns: dict[str, list[Any]] = {name: list(values) for name, values in self.monotonic.items()}
        columns["direction"] = [words[int(value)] for value in columns["direction"]]
        columns["column"] = [str(name) for name in columns["column"]]
        return columns
