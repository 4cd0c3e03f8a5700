"""How samplers show themselves in notebooks: scikit-learn's diagram, what they do, and what they were fitted on."""

import re
from html import escape
from inspect import getdoc
from typing import Any

from .._representation import Documented


class ShownSampler(Documented):
    """A sampler whose diagram is followed by a sentence on what it does and on the rows it was fitted on."""

    def _repr_html_inner(self) -> str:
        return str(super()._repr_html_inner()) + self._facts()

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, str]:
        bundle: dict[str, str] = super()._repr_mimebundle_(**kwargs)
        if "text/html" in bundle:  # not with set_config(display="text")
            bundle["text/html"] += self._facts()
        return bundle

    def _facts(self) -> str:
        purpose = re.sub(r"``| \[\d+\]_|:\w+:", "", (getdoc(type(self)) or "").partition("\n\n")[0])
        return f"<p>{escape(' '.join(purpose.split()))}{self._fitted_on()}</p>"

    def _fitted_on(self) -> str:
        table = getattr(self, "_X", None)
        if table is None:
            return ""
        n_rows, n_columns = table.shape
        if getattr(self, "columns", None) is not None:
            return f" Fitted to a description of {n_columns:,} columns."
        return f" Fitted on {n_rows:,} rows with {n_columns:,} columns."
