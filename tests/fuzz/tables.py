"""Generated tables: of every library and dtype, of every shape, and things that are no tables."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
from scipy import sparse


@dataclass(frozen=True)
class Made:
    """A generated argument, what it is in words, and whether it must be accepted; ``None``: either is right."""

    value: Any
    kind: str
    is_valid: bool | None = True


N_ROWS = (2, 3, 5, 8, 13, 30)
WORDS = ("a", "b", "c", "ä", "1", "1.0", "nan", "", "x y")


def numbers(rng, n_rows, n_columns):
    """Return numbers of ordinary size; sometimes with columns that are constant, equal, whole, large or missing."""
    X = rng.normal(size=(n_rows, n_columns))
    for column in range(n_columns):
        kind = rng.integers(12)
        if kind == 0:
            X[:, column] = 1.0
        elif kind == 1:
            X[:, column] = np.round(3 * X[:, column])
        elif kind == 2:
            X[:, column] *= 1e6
        elif kind == 3:
            X[rng.random(n_rows) < 0.3, column] = np.nan
        elif kind == 4:
            X[:, column] = X[:, 0]
        elif kind == 5:
            X[:, column] = 2e7 + np.arange(n_rows)
    return X


ARRAYS = {
    "float64": (True, lambda X, rng: X),
    "float32": (True, lambda X, rng: X.astype(np.float32)),
    "float16": (True, lambda X, rng: np.clip(X, -1000, 1000).astype(np.float16)),
    "longdouble": (True, lambda X, rng: X.astype(np.longdouble)),
    "int64": (True, lambda X, rng: np.nan_to_num(X).astype(np.int64)),
    "int8": (True, lambda X, rng: rng.integers(-100, 100, X.shape).astype(np.int8)),
    "uint64": (True, lambda X, rng: rng.integers(0, 1000, X.shape).astype(np.uint64)),
    "bool": (True, lambda X, rng: np.nan_to_num(X) > 0),
    "big endian": (True, lambda X, rng: X.astype(">f8")),
    "Fortran order": (True, lambda X, rng: np.asfortranarray(X)),
    "strided": (True, lambda X, rng: np.repeat(X, 2, axis=0)[::2]),
    "read-only": (True, lambda X, rng: _read_only(X)),
    "masked array": (None, lambda X, rng: np.ma.masked_array(X, np.nan_to_num(X) > 1)),
    "matrix": (None, lambda X, rng: np.asmatrix(X)),
    "complex": (False, lambda X, rng: X + 1j),
    "dates": (None, lambda X, rng: np.datetime64("2020-01-01", "s") + np.nan_to_num(X).astype(np.int64)),
    "durations": (None, lambda X, rng: np.nan_to_num(X).astype(np.int64).astype("m8[s]")),
    "texts": (True, lambda X, rng: rng.choice(WORDS, X.shape)),
    "bytes": (None, lambda X, rng: rng.choice([b"a", b"b"], X.shape)),
    "objects": (True, lambda X, rng: _objects(X, rng)),
    "objects of numbers": (True, lambda X, rng: X.astype(object)),
    "objects of any kind": (None, lambda X, rng: _odd_objects(X, rng)),
    "infinite": (False, lambda X, rng: _with(X, rng, np.inf)),
    "structured": (False, lambda X, rng: np.zeros(len(X), dtype=[("a", float), ("b", int)])),
    "one axis": (False, lambda X, rng: X[:, 0].copy()),
    "three axes": (False, lambda X, rng: np.stack([X, X], axis=2)),
    "no rows": (False, lambda X, rng: X[:0]),
    "no columns": (False, lambda X, rng: X[:, :0]),
    "one row": (None, lambda X, rng: X[:1]),
    "list of lists": (None, lambda X, rng: np.nan_to_num(X).tolist()),
    "ragged list": (False, lambda X, rng: [[1.0] * 9, *np.nan_to_num(X).tolist()]),
    "list of frames": (None, lambda X, rng: [pd.Series(row) for row in np.nan_to_num(X)]),
}

NO_TABLES = {
    "None": lambda X: None,
    "number": lambda X: 3.0,
    "text": lambda X: "table.csv",
    "generator": lambda X: (row for row in X),
    "iterator": lambda X: iter(X.tolist()),
    "dict of columns": lambda X: {"a": X[:, 0], "b": X[:, 0]},
    "list of dicts": lambda X: [{"a": cell} for cell in X[:, 0]],
    "set": lambda X: {1.0, 2.0},
    "object": lambda X: object(),
    "function": lambda X: len,
    "lazy frame": lambda X: pl.DataFrame(np.nan_to_num(X)).lazy(),
    "polars Series": lambda X: pl.Series(np.nan_to_num(X)[:, 0]),
    "pandas Series": lambda X: pd.Series(X[:, 0]),
    "pandas Index": lambda X: pd.Index(X[:, 0]),
    "group-by": lambda X: pd.DataFrame({"a": X[:, 0]}).groupby("a"),
    "arrow array": lambda X: pa.array(X[:, 0]),
    "empty list": lambda X: [],
    "list of Nones": lambda X: [None, None],
}

SPARSE = {
    "csr_matrix": (True, sparse.csr_matrix),
    "csr_array": (True, sparse.csr_array),
    "csc_matrix": (True, sparse.csc_matrix),
    "csc_array": (True, sparse.csc_array),
    "coo_matrix": (True, sparse.coo_matrix),
    "coo_array": (True, sparse.coo_array),
    "lil_matrix": (True, sparse.lil_matrix),
    "dok_matrix": (True, sparse.dok_matrix),
    "bsr_matrix": (True, sparse.bsr_matrix),
    "dia_matrix": (True, sparse.dia_matrix),
    "csr of integers": (True, lambda X: sparse.csr_matrix(X.astype(np.int64))),
    "csr of bools": (True, lambda X: sparse.csr_matrix(X > 0)),
    "csr of float32": (True, lambda X: sparse.csr_matrix(X.astype(np.float32))),
    "csr of int64 indices": (True, lambda X: _with_long_indices(sparse.csr_matrix(X))),
    "csr of complex": (False, lambda X: sparse.csr_matrix(X + 1j * (X != 0))),
}


def _read_only(X):
    X = X.copy()
    X.flags.writeable = False
    return X


def _with(X, rng, value):
    X = X.copy()
    X[rng.integers(len(X)), rng.integers(X.shape[1])] = value
    return X


def _objects(X, rng):
    """Return each column as objects: numbers, texts, mixtures, with missing cells."""
    Z = np.empty(X.shape, dtype=object)
    for column in range(X.shape[1]):
        kind = rng.integers(3)
        cells = X[:, column].tolist() if kind == 0 else rng.choice(WORDS[:4], len(X)).tolist()
        Z[:, column] = [None if kind == 2 and rng.random() < 0.3 else cell for cell in cells]
    return Z


ODD_CELLS = (
    [1],
    {"a": 1},
    (1, 2),
    1j,
    b"a",
    pd.NA,
    pd.NaT,
    dt.date(2020, 1, 1),
    dt.datetime(2021, 1, 1),
    dt.timedelta(1),
    dt.time(1),
    Decimal("1.5"),
    Decimal("NaN"),
    10**30,
    np.float32(1.5),
    np.int8(3),
    True,
    "a",
    None,
    object,
    float("inf"),
    np.datetime64("2020-01-01"),
    np.datetime64("NaT"),
    pd.Timestamp("2020-01-01", tz="UTC"),
    pd.Interval(0, 1),
    3,
    2.5,
)


def _odd_objects(X, rng):
    Z = np.empty(X.shape, dtype=object)
    for column in range(X.shape[1]):
        cells = [ODD_CELLS[place] for place in rng.integers(len(ODD_CELLS), size=rng.integers(1, 4))]
        for row in range(len(X)):
            Z[row, column] = cells[rng.integers(len(cells))]
    return Z


def _with_long_indices(X):
    X.indices, X.indptr = X.indices.astype(np.int64), X.indptr.astype(np.int64)
    return X


# ---------------------------------------------------------------------- columns of frames


def _durations(x):
    return pd.to_timedelta(np.clip(np.nan_to_num(x), -1e5, 1e5) * 1e4, unit="s")


PANDAS_COLUMNS = {
    "float64": lambda x, rng: x,
    "float32": lambda x, rng: x.astype(np.float32),
    "float16": lambda x, rng: np.clip(x, -1000, 1000).astype(np.float16),
    "int64": lambda x, rng: np.nan_to_num(x).astype(np.int64),
    "uint8": lambda x, rng: rng.integers(0, 9, len(x)).astype(np.uint8),
    "bool": lambda x, rng: np.nan_to_num(x) > 0,
    "Int64": lambda x, rng: pd.array([None if v > 1 else int(v) for v in np.nan_to_num(x)], dtype="Int64"),
    "Float64": lambda x, rng: pd.array(x, dtype="Float64"),
    "boolean": lambda x, rng: pd.array([None if v > 1 else v > 0 for v in np.nan_to_num(x)], dtype="boolean"),
    "string": lambda x, rng: pd.array(rng.choice(WORDS, len(x)), dtype="string"),
    "object texts": lambda x, rng: np.array(rng.choice(WORDS, len(x)).tolist(), dtype=object),
    "object odd": lambda x, rng: _odd_objects(x[:, None], rng)[:, 0],
    "category": lambda x, rng: pd.Categorical(rng.choice(WORDS, len(x))),
    "category of integers": lambda x, rng: pd.Categorical(rng.integers(0, 3, len(x))),
    "category with missing": lambda x, rng: pd.Categorical(
        [None if v > 0.5 else "ab"[int(v > 0)] for v in np.nan_to_num(x)]
    ),
    "category unused": lambda x, rng: pd.Categorical(rng.choice(["a", "b"], len(x)), categories=list("abcdz")),
    "datetime": lambda x, rng: pd.Timestamp("2020-01-01") + _durations(x),
    "datetime tz": lambda x, rng: pd.Timestamp("2020-01-01", tz="Europe/Berlin") + _durations(x),
    "timedelta": lambda x, rng: _durations(x),
    "period": lambda x, rng: pd.period_range("2020-01", periods=len(x), freq="M"),
    "interval": lambda x, rng: pd.interval_range(0, len(x)),
    "Sparse": lambda x, rng: pd.arrays.SparseArray(np.nan_to_num(x).round()),
    "arrow double": lambda x, rng: pd.array(x, dtype=pd.ArrowDtype(pa.float64())),
    "arrow string": lambda x, rng: pd.array(rng.choice(WORDS, len(x)), dtype=pd.ArrowDtype(pa.string())),
    "arrow decimal": lambda x, rng: pd.array(
        [Decimal(f"{v:.2f}") for v in np.nan_to_num(x).tolist()], dtype=pd.ArrowDtype(pa.decimal128(20, 2))
    ),
    "all missing": lambda x, rng: np.full(len(x), np.nan),
    "all None": lambda x, rng: np.full(len(x), None, dtype=object),
    "complex": lambda x, rng: x + 1j,
    "infinite": lambda x, rng: np.full(len(x), np.inf),
}
UNSURE_PANDAS = {"object odd", "period", "interval", "complex", "arrow decimal", "Sparse", "all None", "all missing"}

POLARS_COLUMNS = {
    "Float64": lambda x, rng: pl.Series(x),
    "Float32": lambda x, rng: pl.Series(x, dtype=pl.Float32),
    "Int64": lambda x, rng: pl.Series(np.nan_to_num(x).astype(np.int64)),
    "Int8": lambda x, rng: pl.Series(rng.integers(-9, 9, len(x)), dtype=pl.Int8),
    "UInt64": lambda x, rng: pl.Series(rng.integers(0, 9, len(x)), dtype=pl.UInt64),
    "Int128": lambda x, rng: pl.Series(rng.integers(0, 9, len(x)), dtype=pl.Int128),
    "Boolean": lambda x, rng: pl.Series([None if v > 1 else v > 0 for v in np.nan_to_num(x).tolist()]),
    "String": lambda x, rng: pl.Series(rng.choice(WORDS, len(x)).tolist()),
    "Categorical": lambda x, rng: pl.Series(rng.choice(WORDS, len(x)).tolist(), dtype=pl.Categorical),
    "Enum": lambda x, rng: pl.Series(rng.choice(WORDS, len(x)).tolist(), dtype=pl.Enum(list(WORDS))),
    "Date": lambda x, rng: pl.Series([dt.date(2020, 1, 1) + dt.timedelta(int(v % 999)) for v in np.nan_to_num(x)]),
    "Datetime": lambda x, rng: pl.Series([dt.datetime(2020, 1, 1) + dt.timedelta(v % 999) for v in np.nan_to_num(x)]),
    "Duration": lambda x, rng: pl.Series([dt.timedelta(v % 999) for v in np.nan_to_num(x)]),
    "Time": lambda x, rng: pl.Series([dt.time(int(v % 24)) for v in np.nan_to_num(x)]),
    "Decimal": lambda x, rng: pl.Series([Decimal(f"{v:.2f}") for v in np.nan_to_num(x).tolist()]),
    "List": lambda x, rng: pl.Series([[v, v] for v in np.nan_to_num(x)]),
    "Array": lambda x, rng: pl.Series([[v, v] for v in np.nan_to_num(x)], dtype=pl.Array(pl.Float64, 2)),
    "Struct": lambda x, rng: pl.Series([{"p": v} for v in np.nan_to_num(x)]),
    "Binary": lambda x, rng: pl.Series([b"ab"[: int(v) % 3] for v in np.nan_to_num(x)]),
    "Null": lambda x, rng: pl.Series([None] * len(x)),
    "Object": lambda x, rng: pl.Series([object if v > 0 else 3 for v in np.nan_to_num(x)], dtype=pl.Object),
}
if int(pl.__version__.split(".")[0]) < 2:  # it cannot do much with them
    del POLARS_COLUMNS["Int128"]
UNSURE_POLARS = {"Time", "List", "Array", "Struct", "Binary", "Null", "Object", "Decimal"}


def pandas_frame(rng, n_rows, n_columns):
    names = rng.choice(list(PANDAS_COLUMNS), n_columns)
    X = numbers(rng, n_rows, n_columns)
    frame = pd.DataFrame({f"c{place}": PANDAS_COLUMNS[name](X[:, place], rng) for place, name in enumerate(names)})
    return frame, names


def pandas_table(rng, n_rows, n_columns):
    frame, names = pandas_frame(rng, n_rows, n_columns)
    is_valid = False if "infinite" in names else None if UNSURE_PANDAS & set(names) else True
    kind = f"pandas {sorted(set(map(str, names)))}"
    way = rng.integers(14)
    if way == 0 and n_columns > 1:
        frame.columns = ["c0"] * n_columns
        return Made(frame, f"{kind} duplicate names", False)
    if way == 1:
        frame.columns = range(n_columns)
        return Made(frame, f"{kind} numbered", is_valid)
    if way == 2:
        frame.columns = ["c0", *range(1, n_columns)]
        return Made(frame, f"{kind} names of mixed types", False if n_columns > 1 else is_valid)
    if way == 3:
        frame.columns = pd.MultiIndex.from_tuples([("a", place) for place in range(n_columns)])
        return Made(frame, f"{kind} names of two levels", None)
    if way == 4:
        frame.attrs["units"] = np.array(["m", "s"])
        return Made(frame, f"{kind} attrs", is_valid)
    if way == 5:
        frame.index = [7] * n_rows
        return Made(frame, f"{kind} duplicate index", is_valid)
    if way == 6:
        return Made(frame.iloc[:0], f"{kind} no rows", False)
    if way == 7:
        return Made(frame[[]], "pandas no columns", False)
    if way == 8:
        frame.index = pd.date_range("2020", periods=n_rows)
        return Made(frame, f"{kind} index of dates", is_valid)
    return Made(frame, kind, is_valid)


def polars_table(rng, n_rows, n_columns):
    names = rng.choice(list(POLARS_COLUMNS), n_columns)
    X = numbers(rng, n_rows, n_columns)
    frame = pl.DataFrame({f"c{place}": POLARS_COLUMNS[name](X[:, place], rng) for place, name in enumerate(names)})
    kind, is_valid = f"polars {sorted(set(map(str, names)))}", None if UNSURE_POLARS & set(names) else True
    way = rng.integers(12)
    if way == 0:
        return Made(frame.lazy(), f"{kind} lazy", None)  # distilled estimators read it in chunks
    if way == 1:
        return Made(frame[:0], f"{kind} no rows", False)
    if way == 2:
        return Made(frame.select([]), "polars no columns", False)
    return Made(frame, kind, is_valid)


def arrow_table(rng, n_rows, n_columns):
    names = rng.choice([name for name in POLARS_COLUMNS if name not in ("Object", "Int128")], n_columns)
    X = numbers(rng, n_rows, n_columns)
    frame = pl.DataFrame({f"c{place}": POLARS_COLUMNS[name](X[:, place], rng) for place, name in enumerate(names)})
    kind, is_valid = f"pyarrow {sorted(set(map(str, names)))}", None if UNSURE_POLARS & set(names) else True
    way, table = rng.integers(12), frame.to_arrow()
    if way == 0 and n_columns > 1:
        return Made(table.rename_columns(["c0"] * n_columns), f"{kind} duplicate names", False)
    if way == 1:
        return Made(table[:0], f"{kind} no rows", False)
    if way == 2:
        return Made(table.select([]), "pyarrow no columns", False)
    if way == 3:
        return Made(table.to_batches()[0], f"{kind} batch", None)
    return Made(table, kind, is_valid)


def array(rng, n_rows, n_columns):
    name = str(rng.choice(list(ARRAYS)))
    is_valid, make = ARRAYS[name]
    return Made(make(numbers(rng, n_rows, n_columns), rng), f"array {name}", is_valid)


def plain(rng, n_rows, n_columns):
    return Made(rng.normal(size=(n_rows, n_columns)), "plain array")


def sparse_table(rng, n_rows, n_columns):
    name = str(rng.choice(list(SPARSE)))
    is_valid, make = SPARSE[name]
    X = rng.normal(size=(n_rows, n_columns)) * (rng.random((n_rows, n_columns)) < 0.5)
    return Made(make(X), f"sparse {name}", is_valid)


def no_table(rng, n_rows, n_columns):
    name = str(rng.choice(list(NO_TABLES)))
    is_valid = None if name == "lazy frame" else False  # distilled estimators read it in chunks
    return Made(NO_TABLES[name](numbers(rng, n_rows, n_columns)), f"no table: {name}", is_valid)


def draw_table(rng, n_rows=None, n_columns=None):
    """Return a random table, or something that is none."""
    n_rows = int(rng.choice(N_ROWS)) if n_rows is None else n_rows
    n_columns = int(rng.choice((1, 2, 3, 5))) if n_columns is None else n_columns
    makers = (array, pandas_table, polars_table, arrow_table, sparse_table, no_table, plain)
    weights = (0.25, 0.22, 0.12, 0.08, 0.08, 0.07, 0.18)
    return makers[rng.choice(len(makers), p=weights)](rng, n_rows, n_columns)
