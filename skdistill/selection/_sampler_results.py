"""The results of a sampler selection as a table, and an explanation of the selection."""

from html import escape
from typing import Any

import numpy as np

from .._tabulate import as_html, as_text, encodable

COLUMNS = (
    "sampler",
    "n_synthetic",
    "weight",
    "real_weight",
    "student",
    "fidelity",
    "gain",
    "gain_error",
    "n_queries",
    "seconds",
)
"""Columns of the printed table."""


class SamplerResults(dict[str, np.ndarray]):
    """Results of a sampler selection, one column per key, in the format of ``cv_results_``.

    ``pandas.DataFrame(results)`` converts them to a frame. The printed form is an explanation of the selection and a
    table.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill import DistilledRegressor
    >>> X = np.random.default_rng(0).uniform(size=(200, 2))
    >>> model = DistilledRegressor(lambda X: X[:, 0] - X[:, 1], "linear", random_state=0)
    >>> model.fit(X).sampler_results_.explain()[:29]
    'No synthetic rows were used: '
    """

    def explain(self) -> str:
        """Return a short explanation of the selection.

        Returns
        -------
        text : str
        """
        places = np.flatnonzero(self["is_chosen"])
        if len(places) == 0:
            return "The first sampler was used without a comparison of the samplers, for which time_limit left no time."
        chosen = {name: column[places[0]] for name, column in self.items()}
        measured = f"the fidelity of a student was {chosen['fidelity']:.3f} on {chosen['validated_on']}"
        if chosen["n_synthetic"] == 0:
            return f"No synthetic rows were used: with real rows alone, {measured}."
        gain = f"{chosen['gain']:+.3f} against real rows alone, with a standard error of {chosen['gain_error']:.3f}"
        return f"{_one_line(chosen['sampler'])} was selected: with its rows, {measured} ({gain})."

    def _table(self) -> dict[str, list[Any]]:
        table: dict[str, list[Any]] = {name: self[name].tolist() for name in COLUMNS}
        table["sampler"] = list(map(_one_line, table["sampler"]))
        return {**table, "chosen": ["yes" if is_chosen else "" for is_chosen in self["is_chosen"]]}

    def __str__(self) -> str:
        return encodable(f"{self.explain()}\n\n{as_text(self._table())}")

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return encodable(f"<div><p>{escape(self.explain())}</p>{as_html(self._table())}</div>")


def _one_line(text: str) -> str:
    """Return the text of a sampler without the line breaks of a long ``repr``."""
    return " ".join(text.split())
