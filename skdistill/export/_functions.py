"""The functions that export a model, one a language."""

import os
from typing import Any

from ..exceptions import ExportError
from ._c import c_header, c_text
from ._export import Export, exported
from ._identifiers import is_identifier
from ._javascript import javascript_text
from ._python import python_text
from ._runtimes import run_c, run_javascript, run_python


def to_python(
    model: Any, *, path: str | os.PathLike[str] | None = None, X: Any = None, verify: bool = True
) -> Export:
    """Export a model as one Python file that needs the standard library only.
    """
    return exported(
        model, "python", python_text, lambda program, text, rows: run_python(text, rows.raw), X=X, verify=verify, path=path
    )


def to_c(
    model: Any,
    *,
    name: str = "model",
    path: str | os.PathLike[str] | None = None,
    X: Any = None,
    verify: bool = True,
) -> Export:
    """Export a model as one C99 file.
    """
    if not is_identifier(name):
        raise ExportError(
            f"to_c: name={name!r}; expected letters, digits and underscores, and no keyword of C or C++: the names of "
            "functions begin with it."
        )
    return exported(
        model,
        "c",
        lambda program: c_text(program, name),
        lambda program, text, rows: run_c(program, text, rows.plain, name),
        X=X,
        verify=verify,
        path=path,
        header=lambda program: c_header(program, name),
    )


def to_javascript(
    model: Any, *, path: str | os.PathLike[str] | None = None, X: Any = None, verify: bool = True
) -> Export:
    """Export a model as one ES module without dependencies.
    """
    return exported(
        model,
        "javascript",
        javascript_text,
        lambda program, text, rows: run_javascript(text, rows.raw),
        X=X,
        verify=verify,
        path=path,
    )
