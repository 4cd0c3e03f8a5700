"""The functions that export a model, one a language."""

import os
from collections.abc import Sequence
from typing import Any

from ..exceptions import ExportError
from ._c import c_header, c_text
from ._dialects import DIALECTS
from ._export import Export, exported
from ._identifiers import is_identifier
from ._javascript import javascript_text
from ._program import Program
from ._python import python_text
from ._rows import Rows
from ._runtimes import Answers, run_c, run_duckdb, run_javascript, run_python, run_sqlite
from ._sql import sql_text


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


def to_sql(
    model: Any,
    *,
    dialect: str = "sqlite",
    table: str = "rows",
    key: str | Sequence[str] = (),
    path: str | os.PathLike[str] | None = None,
    X: Any = None,
    verify: bool = True,
) -> Export:
    """Export a model as a SELECT statement.
    """
    if dialect not in DIALECTS:
        raise ValueError(f"to_sql: dialect={dialect!r}; expected one of {list(DIALECTS)}.")
    keys = [key] if isinstance(key, str) else list(key)

    def run(program: Program, text: str, rows: Rows) -> Answers:
        return RUN[dialect](program, text, rows.plain, table, keys)

    return exported(
        model,
        dialect,
        lambda program: sql_text(program, dialect, table, keys),
        run,
        X=X,
        verify=verify and dialect in RUN,
        path=path,
    )


RUN = {"sqlite": run_sqlite, "duckdb": run_duckdb}
"""The databases that run here."""
