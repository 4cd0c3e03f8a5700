"""The functions that export a model, one a language."""

import os
from collections.abc import Sequence
from typing import Any, Literal

from .._described import described
from .._suggesting import did_you_mean
from .._validation import check_choice
from ..exceptions import ExportError
from ._c import LAYOUTS
from ._c_drafts import c_draft
from ._dialects import DIALECTS
from ._export import Draft, Export, exported
from ._identifiers import is_identifier
from ._javascript import javascript_text
from ._program import Program
from ._python import python_text
from ._runtimes import run_duckdb, run_javascript, run_python, run_sqlite
from ._sql import sql_text


def to_python(model: Any, *, path: str | os.PathLike[str] | None = None, X: Any = None, verify: bool = True) -> Export:
    """Export a model as one Python file that needs the standard library only.

    The module has a function ``predict(row)`` and, for classifiers, ``predict_proba(row)``; ``COLUMNS`` and ``CLASSES``
    are tuples. A row is a list of cells in the order of ``COLUMNS``, or a dict with a cell for each column. ``None``
    and NaN are missing. Cells are what the student takes: numbers, booleans, texts, dates and durations of
    ``datetime``, and dates as texts in ISO 8601.

    Parameters
    ----------
    model : estimator
        A fitted model, as for :func:`skdistill.compile`. Its parameters are exported at full precision.
    path : str, path-like or None, default=None
        File to write. An existing file is replaced.
    X : table of shape (n_samples, n_features) or None, default=None
        Rows on which the exported model is compared with the model, in addition to drawn rows. At most 2,000 of them
        are compared.
    verify : bool, default=True
        Whether the exported model is run, here in a Python process of its own, and compared with the compiled model: on
        rows at, just below and just above thresholds, with missing cells, unseen categories, huge and tiny numbers.

    Returns
    -------
    export : Export

    Raises
    ------
    ExportError
        If the model cannot be exported, or if an output differs by more than 1e-9 of the scale of the outputs. Then no
        file is written.
    CompileError
        If the model cannot be compiled.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from skdistill.export import to_python
    >>> X, y = load_iris(return_X_y=True)
    >>> exported = to_python(DecisionTreeClassifier(max_leaf_nodes=3).fit(X, y), X=X)
    >>> module = {}
    >>> exec(exported.text, module)
    >>> module["predict_proba"]([5.1, 3.5, 1.4, 0.2])
    [1.0, 0.0, 0.0]
    """

    def write(program: Program) -> Draft:
        text = python_text(program)
        return Draft(text, lambda rows: run_python(text, rows.raw))

    return exported(model, "python", write, X=X, verify=verify, path=path)


def to_c(
    model: Any,
    *,
    name: str = "model",
    layout: Literal["fast", "table"] = "fast",
    dtype: Literal["double", "float", "int"] = "double",
    path: str | os.PathLike[str] | None = None,
    X: Any = None,
    verify: bool = True,
) -> Export:
    """Export a model as one C99 file without allocation.

    The file defines a struct ``model_row`` with a field per column, and ``model_predict``; for classifiers also
    ``model_predict_proba``, and ``model_predict`` returns the position of the label in ``model_classes``. Names of
    fields are the names of columns with underscores in place of other characters. Numbers are doubles, NaN if missing.
    Times are doubles of microseconds, dates since 1970 in UTC. Categories are strings in UTF-8, ``NULL`` if missing.
    ``model_predict_batch`` and, for classifiers, ``model_predict_proba_batch`` take an array of rows, which may be an
    array of doubles if no column holds categories, and return the same numbers as the functions for one row.

    The mathematical library (``-lm``) is needed unless the model consists of trees or weighted sums without a link. The
    file refuses to be compiled with ``-ffast-math``, which removes the tests for NaN.

    Parameters
    ----------
    model : estimator
        A fitted model, as for :func:`skdistill.compile`. Its parameters are exported at full precision.
    name : str, default="model"
        Beginning of the public names.
    layout : {"fast", "table"}, default="fast"
        How trees are stored. ``"fast"`` finds the leaves of trees with at most 64 leaves by bit masks, for many rows
        with vector instructions. ``"table"`` takes about half as many bytes, for microcontrollers; one row takes 1.3 to
        1.5 times as long, many rows more than ten times. Other models are not affected.
    dtype : {"double", "float", "int"}, default="double"
        Type of numbers. With ``"float"``, rows hold floats, each split takes the side that the model takes for the
        same floats, and outputs may differ by 1e-5 of their scale. With ``"int"``, for trees, rows hold integers of 32
        bits and ``model_missing``, no floating-point number is used, and ``model_predict`` of a regressor returns the
        value times ``model_one``; a classifier has ``model_scores`` instead of ``model_predict_proba``. Leaf values are
        then rounded, see ``largest_rounding``. There are no times with either, and no functions for many rows with
        ``"int"``.
    path : str, path-like or None, default=None
        File to write, and beside it a header that ends in ``.h``. Existing files are replaced.
    X : table of shape (n_samples, n_features) or None, default=None
        Rows on which the exported model is compared with the model, in addition to drawn rows. At most 2,000 of them
        are compared.
    verify : bool, default=True
        Whether the exported model is compiled with ``gcc``, run, and compared with the compiled model, as by
        :func:`~skdistill.export.to_python`. A warning is issued if there is no ``gcc``.

    Returns
    -------
    export : Export
        Its ``header`` declares the public names for other files.

    Raises
    ------
    ExportError
        If the model cannot be exported, or if an output differs by more than 1e-9 of the scale of the outputs, or what
        ``dtype`` allows. Then no file is written.
    CompileError
        If the model cannot be compiled.

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> from skdistill.export import to_c
    >>> exported = to_c(
    ...     LinearRegression().fit([[0.0], [1.0]], [1.0, 3.0]), name="line", verify=False
    ... )
    >>> "double line_predict(const line_row *row)" in exported.text
    True
    """
    if not is_identifier(name):
        raise ExportError(
            f"to_c: name={name!r}; expected letters, digits and underscores, and no keyword of C or C++: the names of "
            "functions begin with it."
        )

    _check_choice("layout", layout, LAYOUTS)
    _check_choice("dtype", dtype, ("double", "float", "int"))
    return exported(model, "c", lambda program: c_draft(program, name, layout, dtype), X=X, verify=verify, path=path)


def _check_choice(parameter: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ExportError(
            f"to_c: {parameter}={described(value)}; expected one of {choices}.{did_you_mean(value, choices)}"
        )


def to_javascript(
    model: Any, *, path: str | os.PathLike[str] | None = None, X: Any = None, verify: bool = True
) -> Export:
    """Export a model as one ES module without dependencies.

    The module exports a function ``predict(row)`` and, for classifiers, ``predictProba(row)``; ``columns`` and
    ``classes`` are arrays. A row is an array of cells in the order of ``columns``, or an object with a cell for each
    column. ``null``, ``undefined`` and ``NaN`` are missing. Dates are ``Date`` objects, texts in ISO 8601 (in UTC
    unless they have another offset), or numbers of microseconds since 1970; durations are numbers of microseconds.

    Parameters
    ----------
    model : estimator
        A fitted model, as for :func:`skdistill.compile`. Its parameters are exported at full precision.
    path : str, path-like or None, default=None
        File to write. An existing file is replaced.
    X : table of shape (n_samples, n_features) or None, default=None
        Rows on which the exported model is compared with the model, in addition to drawn rows. At most 2,000 of them
        are compared.
    verify : bool, default=True
        Whether the exported model is run in ``node`` and compared with the compiled model, as by
        :func:`~skdistill.export.to_python`. A warning is issued if there is no ``node``.

    Returns
    -------
    export : Export

    Raises
    ------
    ExportError
        If the model cannot be exported, or if an output differs by more than 1e-9 of the scale of the outputs. Then no
        file is written.
    CompileError
        If the model cannot be compiled.

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> from skdistill.export import to_javascript
    >>> exported = to_javascript(
    ...     LinearRegression().fit([[0.0], [1.0]], [1.0, 3.0]), verify=False
    ... )
    >>> "export function predict(row)" in exported.text
    True
    """

    def write(program: Program) -> Draft:
        text = javascript_text(program)
        return Draft(text, lambda rows: run_javascript(text, rows.raw))

    return exported(model, "javascript", write, X=X, verify=verify, path=path)


def to_sql(
    model: Any,
    *,
    dialect: Literal["sqlite", "duckdb", "postgresql"] = "sqlite",
    table: str = "rows",
    key: str | Sequence[str] = (),
    path: str | os.PathLike[str] | None = None,
    X: Any = None,
    verify: bool = True,
) -> Export:
    """Export a model as one SELECT statement.

    The statement selects the outputs for each row of a table: ``value`` (``value_0``, ``value_1``, ... for several) or,
    for classifiers, ``proba_0``, ``proba_1``, ... in the order of ``classes_``, and ``label``. ``CREATE VIEW name AS``
    before it makes it a view. The table has the column names of ``fit`` (``x0``, ``x1``, ... without names). ``NULL``
    and NaN are missing. Categories are compared as texts. Dates and durations are values of types such as ``TIMESTAMP``
    and ``INTERVAL``; in SQLite, they are numbers of microseconds, or texts in ISO 8601 without an offset.

    Parameters
    ----------
    model : estimator
        A fitted model, as for :func:`skdistill.compile`. Its parameters are exported at full precision.
    dialect : {"sqlite", "duckdb", "postgresql"}, default="sqlite"
        The database. SQLite needs its mathematical functions (version 3.35 or later) unless the model consists of trees
        or weighted sums without a link. PostgreSQL has no cast from booleans to numbers: cast them to integers.
    table : str, default="rows"
        Name of the table.
    key : str or sequence of str, default=()
        Columns of the table that are selected before the outputs, such as a primary key.
    path : str, path-like or None, default=None
        File to write. An existing file is replaced.
    X : table of shape (n_samples, n_features) or None, default=None
        Rows on which the exported model is compared with the model, in addition to drawn rows. At most 2,000 of them
        are compared.
    verify : bool, default=True
        Whether the statement is run and compared with the compiled model, as by
        :func:`~skdistill.export.to_python`. SQLite comes with Python; a warning is issued if DuckDB is not installed.
        Statements for PostgreSQL are not run.

    Returns
    -------
    export : Export

    Raises
    ------
    ExportError
        If the model cannot be exported, if the statement has more than 1,000,000 bytes, or if an output differs by more
        than 1e-9 of the scale of the outputs. Then no file is written.
    CompileError
        If the model cannot be compiled.

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> from skdistill.export import to_sql
    >>> exported = to_sql(
    ...     LinearRegression().fit([[0.0], [1.0]], [1.0, 3.0]), table="points", key="id"
    ... )
    >>> import sqlite3
    >>> connection = sqlite3.connect(":memory:")
    >>> _ = connection.execute("CREATE TABLE points (id INTEGER, x0 REAL)")
    >>> _ = connection.execute("INSERT INTO points VALUES (7, 2.0)")
    >>> [(key, round(value, 6)) for key, value in connection.execute(exported.text)]
    [(7, 5.0)]
    >>> connection.close()
    """
    check_choice("to_sql", "dialect", dialect, list(DIALECTS))
    keys = [key] if isinstance(key, str) else list(key)

    def write(program: Program) -> Draft:
        text = sql_text(program, dialect, table, keys)
        run = {"sqlite": run_sqlite, "duckdb": run_duckdb}.get(dialect)
        return Draft(text, None if run is None else lambda rows: run(program, text, rows.plain, table, keys))

    return exported(model, dialect, write, X=X, verify=verify, path=path)
