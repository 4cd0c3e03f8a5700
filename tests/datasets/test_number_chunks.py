"""Chunks of numbers from Arrow are converted in parts, and have the cells and dtypes that they have as a whole."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from skdistill.datasets import as_dataset
from skdistill.datasets._drawing import RandomKeys, scan_and_draw
from skdistill.datasets._number_chunk import NumberChunk
from skdistill.samplers._pool import SpreadKeys, Strata

N_ROWS = 200


def numbers(seed=0):
    """Columns of all widths, large and missing numbers, and a column whose first cells are missing."""
    rng = np.random.RandomState(seed)
    wide = 1e9 + rng.rand(N_ROWS)
    late = np.where(np.arange(N_ROWS) < 50, np.nan, rng.rand(N_ROWS))
    return {
        "f": pa.array(rng.rand(N_ROWS).astype(np.float32)),
        "d": pa.array(wide, mask=rng.rand(N_ROWS) < 0.2),
        "n": pa.array(np.where(rng.rand(N_ROWS) < 0.3, np.nan, 1e35 * rng.standard_normal(N_ROWS))),
        "i": pa.array(rng.randint(-5, 5, N_ROWS)),
        "b": pa.array(2**60 + rng.randint(0, 9, N_ROWS)),
        "late": pa.array(late, mask=np.isnan(late)),
        "gaps": pa.array(rng.randint(0, 5, N_ROWS), mask=rng.rand(N_ROWS) < 0.1),
        "narrow": pa.array(rng.randint(0, 5, N_ROWS).astype(np.int8)),
    }


CASES = {
    "floats": [["f"], ["f"]],
    "mixed": [["f", "d", "n", "i"], ["f", "d", "n", "i"]],
    "whole": [["i", "b", "narrow"], ["i", "b", "narrow"]],
    "missing at first": [["late", "f"], ["late", "f"]],
    "whole numbers that are missing": [["gaps", "f"], ["i", "f"], ["gaps", "f"]],
    "other dtypes": [["f", "i"], ["narrow", "f"], ["n", "i"]],
}


@pytest.fixture(params=CASES)
def files(request, tmp_path):
    """Files whose columns have the same names, and now and then other dtypes."""
    for place, columns in enumerate(CASES[request.param]):
        of = numbers(place)
        table = pa.table({f"x{number}": of[name] for number, name in enumerate(columns)})
        pq.write_table(table, tmp_path / f"p{place}.parquet", row_group_size=130)
    return tmp_path


def read(dataset):
    """The chunks of a second reading, which have common dtypes, and the schema."""
    scanned, chunks = dataset.scanned()
    for _ in chunks:
        pass
    return list(scanned.chunks()), scanned.schema


@pytest.mark.parametrize("kind", ["numpy", "pandas"])
def test_cells_and_dtypes_are_those_of_whole_chunks(files, kind, monkeypatch):
    """Of all rows, and of those that are taken, in any order."""
    chunks, schema = read(as_dataset(files, kind=kind, chunk_size=70))
    monkeypatch.setattr("skdistill.datasets._chunked_table.is_of_numbers", lambda table, kind: False)
    wholes, schema_of_wholes = read(as_dataset(files, kind=kind, chunk_size=70))
    assert schema == schema_of_wholes
    for chunk, whole in zip(chunks, wholes, strict=True):
        assert not isinstance(whole, NumberChunk)
        rows = np.random.RandomState(len(chunk)).permutation(len(chunk))[:9]
        for some, expected in ((chunk.table, whole.table), (chunk.take(rows).table, whole.take(rows).table)):
            if kind == "numpy":
                assert some.dtype == expected.dtype
                np.testing.assert_array_equal(some, expected)
            else:
                some, expected = (table.reset_index(drop=True) for table in (some, expected))
                pd.testing.assert_frame_equal(some, expected)


def test_an_index_of_pandas_is_no_column():
    """Neither is it converted as one."""
    table = pd.DataFrame({"a": np.arange(9.0)}, index=np.arange(9)[::-1])
    [chunk] = as_dataset(pa.Table.from_pandas(table).to_batches()).chunks()
    assert not isinstance(chunk, NumberChunk)
    assert list(chunk.table.columns) == ["a"]


def test_only_rows_that_are_drawn_are_converted(tmp_path, monkeypatch):
    """And the first of each chunk, which tell the dtypes."""
    pq.write_table(pa.table({"x0": np.arange(20_000.0), "x1": np.arange(20_000)}), tmp_path / "p.parquet")
    sizes, convert = [], NumberChunk._convert

    def counting(chunk, rows):
        sizes.append(len(chunk) if rows is None else 32 if isinstance(rows, slice) else len(rows))
        return convert(chunk, rows)

    monkeypatch.setattr(NumberChunk, "_convert", counting)
    dataset = as_dataset(tmp_path, kind="numpy", chunk_size=1000)
    _, drawn = scan_and_draw(dataset, 100, RandomKeys(0), (), lambda n_rows: None)
    assert len(drawn) == 100
    assert sum(sizes) < 4000
    assert (drawn.table[:, 0] == drawn.positions).all()


@pytest.mark.parametrize("kind", ["numpy", "pandas"])
def test_strata_of_a_chunk_are_those_of_its_table(files, kind):
    """Also with missing and infinite numbers, and with those that only differ in float64."""
    [first, *others], _ = read(as_dataset(files, kind=kind))
    outputs = np.random.RandomState(0).rand(len(first))
    strata = Strata(first.table, outputs, np.random.RandomState(0))
    for chunk in (first, *others):
        assert (strata.of_chunk(chunk) == strata.of(chunk.table)).all()
    keys = SpreadKeys(strata, 0, np.zeros(0, dtype=int), None)
    assert len(np.unique(strata.own)) > 3
    assert np.isfinite(keys(first)).all()


@pytest.mark.parametrize("n_rows", [None, 3000])
@pytest.mark.parametrize("n_of_more", [50, 250])
def test_fewer_rows_are_drawn_of_more(n_rows, n_of_more):
    """They have the largest keys, whether or not the number of rows is known before; all are drawn if there are few."""
    table = np.arange(3000.0).reshape(-1, 1)
    dataset = as_dataset([table[:7], table[7:900], table[900:]], chunk_size=400)
    dataset.seen[""] = "", n_rows
    keys_of = RandomKeys(3)
    keys = np.concatenate([keys_of(chunk) for chunk in dataset.chunks()])
    options = {"keys_of": keys_of, "others": (), "on_rows": lambda n_rows: None, "n_of_more": n_of_more}
    _, drawn = scan_and_draw(dataset, 300, **options)
    assert set(drawn.positions) == set(np.argsort(keys)[-n_of_more:])
    _, drawn = scan_and_draw(dataset, 3000, **options)
    assert (drawn.positions == np.arange(3000)).all()


def test_rows_beyond_the_first_count_for_dtypes(tmp_path):
    """A column without a cell in the first rows, and one of whole numbers of which a later one is missing."""
    rows = np.arange(40)
    parts = [{"x": pa.array(rows.astype(np.float32)), "i": pa.array(rows)}]
    parts += [{"x": pa.array(np.where(rows < 35, np.nan, 0.1)), "i": pa.array(rows, mask=rows == 39)}]
    for place, part in enumerate(parts):
        pq.write_table(pa.table(part), tmp_path / f"p{place}.parquet")
    for kind in ("pandas", "numpy"):
        for chunk in read(as_dataset(tmp_path, kind=kind))[0]:
            dtypes = chunk.table.dtypes if kind == "pandas" else [chunk.table.dtype]
            assert set(dtypes) == {np.dtype(float)}
    assert chunk.table[35, 0] == 0.1
    assert np.isnan(chunk.table[39, 1])
