"""Datasets are read in chunks: the same rows and dtypes whatever the chunks, and errors that name the partition."""

import os
from types import SimpleNamespace

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.csv
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from scipy import sparse

from skdistill.datasets import as_dataset, is_dataset
from skdistill.datasets._drawing import LargestKeys, row_keys
from skdistill.datasets._for_models import for_model
from skdistill.exceptions import DatasetError


def frame(n_rows=60, seed=0):
    rng = np.random.RandomState(seed)
    return pd.DataFrame({"a": rng.rand(n_rows), "n": np.arange(n_rows), "c": rng.choice(["u", "v"], n_rows)})


@pytest.fixture
def folder(tmp_path):
    """Three files of Parquet with 20 rows each."""
    for place in range(3):
        frame()[20 * place : 20 * (place + 1)].to_parquet(tmp_path / f"p{place}.parquet", index=False)
    return tmp_path


def stacked(dataset):
    """All rows, with the dtypes that the chunks have after a first reading."""
    scanned, chunks = dataset.scanned()
    for _ in chunks:
        pass
    tables = [chunk.table for chunk in scanned.chunks()]
    return pd.concat(tables, ignore_index=True) if isinstance(tables[0], pd.DataFrame) else tables


SOURCES = {
    "folder": lambda folder: folder,
    "path": lambda folder: str(folder),
    "pattern": lambda folder: str(folder / "p*.parquet"),
    "list of paths": lambda folder: sorted(folder.glob("*.parquet")),
    "dataset": lambda folder: ds.dataset(folder),
    "filtered dataset": lambda folder: ds.dataset(folder).filter(ds.field("a") >= 0),
    "reader": lambda folder: ds.dataset(sorted(map(str, folder.iterdir()))).scanner().to_reader(),
    "frames": lambda folder: [frame()[:31], frame()[31:]],
    "function": lambda folder: lambda: iter([frame()[:7], frame()[7:]]),
    "generator": lambda folder: (frame()[start : start + 6] for start in range(0, 60, 6)),
    "batches": lambda folder: pa.Table.from_pandas(frame()).to_batches(max_chunksize=9),
    "lazy frame": lambda folder: pl.scan_parquet(folder / "*.parquet"),
}


@pytest.mark.thinned(2)
@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("chunk_size", [7, 1000])
def test_every_source_yields_all_rows_in_order(source, chunk_size, folder):
    """In chunks of at most the given size, that know where they start."""
    dataset = as_dataset(SOURCES[source](folder), chunk_size=chunk_size)
    chunks = list(dataset.chunks())
    assert max(map(len, chunks)) <= chunk_size
    assert [chunk.start for chunk in chunks] == np.cumsum([0, *map(len, chunks)])[:-1].tolist()
    numbers = np.concatenate([np.asarray(chunk.table["n"]) for chunk in chunks])
    assert numbers.tolist() == list(range(60))
    assert dataset.n_rows == 60


@pytest.mark.parametrize("source", ["folder", "dataset", "reader", "lazy frame", "frames"])
def test_sources_are_recognised(source, folder):
    """Without as_dataset; tables in memory are none."""
    assert is_dataset(SOURCES[source](folder))
    assert not any(map(is_dataset, [np.eye(2), frame(), pl.DataFrame(frame()), pa.table({"a": [1]}), [[1.0]], None]))


def test_dask_is_read_by_partition():
    """Frames and arrays, of which blocks of columns are joined."""
    dd, da = pytest.importorskip("dask.dataframe"), pytest.importorskip("dask.array")
    rows = dd.from_pandas(frame(), npartitions=3)
    assert is_dataset(rows)
    assert stacked(as_dataset(rows, columns=["n"]))["n"].tolist() == list(range(60))
    array = as_dataset(da.from_array(np.arange(30.0).reshape(10, 3), chunks=(4, 2)))
    assert (np.concatenate(stacked(array)) == np.arange(30).reshape(10, 3)).all()
    assert [chunk.partition for chunk in array.chunks()] == ["partition 0", "partition 1", "partition 2"]


FRAMES = {"pandas": pd.DataFrame, "polars": pl.DataFrame, "pyarrow": pa.Table}


@pytest.mark.parametrize("kind", FRAMES)
def test_chunks_are_of_the_kind_that_is_asked_for(kind, folder):
    """With the columns that are asked for, in their order; other columns come beside them."""
    dataset = as_dataset(folder, columns=["n", "a"], kind=kind)
    for chunk in dataset.chunks(others=["c"]):
        assert isinstance(chunk.table, FRAMES[kind])
        assert list(getattr(chunk.table, "column_names", chunk.table.columns)) == ["n", "a"]
        assert set(chunk.others["c"]) == {"u", "v"}
    [first, *_] = as_dataset(folder, columns=["n", "a"], kind="numpy").chunks()
    assert first.table.dtype == np.float64
    [first, *_] = as_dataset(folder, kind="numpy").chunks()
    assert first.table.dtype == object


def test_row_groups_are_partitions_of_large_files(tmp_path, monkeypatch):
    """A file is read in groups of its row groups, so that a kill loses one of them."""
    monkeypatch.setattr("skdistill.datasets._parquet.PARTITION_ROWS", 25)
    frame().to_parquet(tmp_path / "p.parquet", index=False, row_group_size=10)
    dataset = as_dataset(tmp_path / "p.parquet")
    parts = list(dataset.source.partitions())
    assert [(part.name, part.n_rows) for part in parts] == [
        ("p.parquet, row groups 0 to 1", 20),
        ("p.parquet, row groups 2 to 3", 20),
        ("p.parquet, row groups 4 to 5", 20),
    ]
    pd.testing.assert_frame_equal(stacked(dataset), frame(), check_dtype=False)


def test_folders_state_columns(tmp_path):
    """As Hive writes them; the partition has its path as a name."""
    pq.write_to_dataset(pa.Table.from_pandas(frame(), preserve_index=False), tmp_path, partition_cols=["c"])
    dataset = as_dataset(tmp_path, columns=["n", "c"])
    rows = stacked(dataset).sort_values("n")
    assert rows["c"].astype(str).tolist() == frame()["c"].tolist()
    assert "c=u" in next(dataset.chunks()).partition


def test_chunks_have_the_dtypes_of_all():
    """After a first reading: numbers the common dtype, categories their union, whatever is missing where."""
    parts = [
        pd.DataFrame({"n": [1, 2], "x": np.float32([1, 2]), "c": pd.Categorical(["u", "v"]), "b": [True, False]}),
        pd.DataFrame({"n": [1.0, np.nan], "x": [1, 2], "c": pd.Categorical(["w", "v"]), "b": [None, True]}),
        pd.DataFrame({"n": [np.nan] * 2, "x": [None, None], "c": pd.Categorical([None, None]), "b": [None, None]}),
    ]
    whole = stacked(as_dataset(parts))
    for chunk in (rows := as_dataset(parts).scanned())[1]:
        assert chunk.table.shape == (2, 4)
    for chunk in rows[0].chunks():
        assert chunk.table.dtypes.tolist() == whole.dtypes.tolist()
    assert whole["n"].dtype == whole["x"].dtype == np.float64
    assert whole["c"].cat.categories.tolist() == ["u", "v", "w"]
    assert whole["b"].tolist() == [True, False, None, True, None, None]
    flipped = stacked(as_dataset(parts[::-1]))
    assert flipped["n"].dtype == np.float64
    assert flipped["b"].tolist()[::-1][:2] == [False, True]


def test_missing_integers_of_parquet_are_floats_in_every_chunk(tmp_path):
    """As in the whole table read by pandas, although only one file has a missing cell."""
    for place, cells in enumerate([[1, 2], [None, 3]]):
        pq.write_table(pa.table({"n": pa.array(cells, pa.int64())}), tmp_path / f"p{place}.parquet")
    scanned, chunks = as_dataset(tmp_path).scanned()
    assert len(list(chunks)) == 2
    assert {str(chunk.table["n"].dtype) for chunk in scanned.chunks()} == {"float64"}


def test_partitions_without_rows_are_passed_over(tmp_path):
    """Of files, and of iterables; a dataset without any row is an error."""
    frame()[:0].to_parquet(tmp_path / "p0.parquet", index=False)
    frame().to_parquet(tmp_path / "p1.parquet", index=False)
    assert len(stacked(as_dataset(tmp_path))) == 60
    assert sum(map(len, as_dataset([frame()[:0], frame()]).chunks())) == 60
    with pytest.raises(DatasetError, match="has no rows; expected at least 1"):
        list(as_dataset([frame()[:0]]).chunks())


OTHERS = {
    "dtype": (frame().assign(a="text"), r"dtype .* instead of Float64 in column 'a'"),
    "fewer columns": (frame()[["a", "n"]], r"lacks the columns \['c'\]"),
    "more columns": (frame().assign(new=1), r"columns.*\['new'\]"),
    "names": (frame().rename(columns={"a": "b"}), r"\['a'\]"),
}


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("source", ["parquet", "frames", "polars"])
def test_a_partition_that_does_not_fit_is_named(other, source, tmp_path):
    """With what is different, and what to do."""
    table, said = OTHERS[other]
    frame().to_parquet(tmp_path / "p0.parquet", index=False)
    table.to_parquet(tmp_path / "p1.parquet", index=False)
    frames = [frame(), table]
    given = {"parquet": tmp_path, "frames": frames, "polars": [pl.from_pandas(each) for each in frames]}[source]
    name = "p1.parquet" if source == "parquet" else "chunk 1"
    with pytest.raises(DatasetError, match=rf"partition {name}.*{said}.*columns="):
        list(as_dataset(given).chunks())
    if other == "more columns":
        assert sum(map(len, as_dataset(given, columns=["a", "n", "c"]).chunks())) == 120


def test_columns_in_another_order_are_no_other_columns(tmp_path):
    """Files are read by name."""
    frame().to_parquet(tmp_path / "p0.parquet", index=False)
    frame()[["c", "n", "a"]].to_parquet(tmp_path / "p1.parquet", index=False)
    assert list(stacked(as_dataset(tmp_path)).columns) == ["a", "n", "c"]


def test_arrays_get_their_common_dtype():
    """Numbers, texts of different lengths, and sparse matrices."""
    for parts in ([np.eye(2, dtype=np.float32), np.eye(2, dtype=int)], [np.array([["a"]]), np.array([["long"]])]):
        assert {part.dtype for part in stacked(as_dataset(parts))} == {np.result_type(*parts)}
    [first, second] = stacked(as_dataset([sparse.eye(2, dtype=np.float32), sparse.eye(2)]))
    assert first.dtype == second.dtype == np.float64


@pytest.mark.parametrize(
    ("tables", "said"),
    [
        ([np.eye(2), np.eye(3)], r"chunk 1 does not fit.*shape \(3, 3\) instead of \(n, 2\)"),
        ([np.eye(2), frame()], "chunk 1 does not fit.*DataFrame of pandas instead of a table of numpy"),
        ([sparse.eye(2), np.eye(2)], "chunk 1 does not fit.*of numpy instead of a table of scipy"),
        ([np.eye(2), np.array([["a", "b"]])], "chunk 1 does not fit.*dtype <U1 instead of float64"),
        ([np.eye(2), np.zeros(3)], r"chunk 1.*shape \(3,\); expected a frame, or an array"),
        ([1.0], r"chunk 0.*a float of shape \(\)"),
    ],
)
def test_arrays_that_do_not_fit_are_named(tables, said):
    """Sparse or dense, of another width, or no tables at all."""
    with pytest.raises(DatasetError, match=said):
        list(as_dataset(tables).chunks())


def test_a_dataset_that_changes_is_noticed(folder):
    """Between two readings, and while a file is read; the message names the file, or the chunk."""
    dataset = as_dataset(folder, chunk_size=5)
    stacked(dataset)
    frame(10).to_parquet(folder / "p1.parquet", index=False)
    with pytest.raises(DatasetError, match=r"p1.parquet has changed since it was first read \(its fingerprint was"):
        list(dataset.chunks())
    fresh = as_dataset(folder, chunk_size=5)
    chunks = fresh.chunks()
    assert next(chunk for chunk in chunks if chunk.partition == "p2.parquet")
    os.utime(folder / "p2.parquet", (1, 1))
    with pytest.raises(DatasetError, match=r"p2.parquet has changed"):
        list(chunks)
    growing = [frame(10)]
    dataset = as_dataset(lambda: iter(growing))
    assert sum(map(len, dataset.chunks())) == 10
    growing[0] = frame(11)
    with pytest.raises(DatasetError, match=r"chunk 0 has changed.*it had 10 rows and has 11.*memory="):
        list(dataset.chunks())
    growing[0] = frame(10).assign(c=pd.Categorical(["u"] * 10))
    scanned, chunks = as_dataset(lambda: iter(growing)).scanned()
    assert len(list(chunks)) == 1
    growing[0] = frame(10).assign(c=pd.Categorical(["new"] * 10))
    with pytest.raises(DatasetError, match=r"chunk 0 does not fit.*categories \['new'\] in column 'c'"):
        list(scanned.chunks())


def test_a_file_that_cannot_be_read_is_named(folder):
    """Broken before it is opened, and gone while the others are read."""
    dataset = as_dataset(folder)
    list(dataset.source.partitions())
    (folder / "p1.parquet").unlink()
    with pytest.raises(DatasetError, match=r"partition p1.parquet.*no longer there"):
        list(dataset.chunks())
    (folder / "p1.parquet").write_bytes(b"no parquet")
    with pytest.raises(DatasetError, match=r"p1.parquet.*cannot be read"):
        list(as_dataset(folder).chunks())

    def failing():
        yield frame()
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        list(as_dataset(failing).chunks())


def test_a_reader_is_read_once():
    """And who needs it twice says so before."""
    reader = as_dataset(pa.Table.from_pandas(frame()).to_reader())
    with pytest.raises(DatasetError, match=r"the RecordBatchReader can be read only once, but.*Write it to Parquet"):
        reader.require_repeatable("this test reads it twice")
    assert sum(map(len, reader.chunks())) == 60


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (frame(), "got a DataFrame, a table in memory; expected a path of Parquet files"),
        (np.eye(2), "got an? ndarray, a table in memory"),
        ({"a": [1]}, "got a dict"),
        (3, "got an int, 3"),
        ("nowhere", "'nowhere' does not exist; expected a Parquet file"),
        ("nowhere/*.parquet", r"no file matches 'nowhere/\*.parquet'"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_no_dataset_is_told(source, said):
    """With what is one."""
    with pytest.raises(DatasetError, match=said):
        as_dataset(source)


def test_other_formats_are_read_by_pyarrow(tmp_path):
    """Their path is refused with what to pass, and their dataset is read."""
    pyarrow.csv.write_csv(pa.Table.from_pandas(frame(), preserve_index=False), tmp_path / "rows.csv")
    with pytest.raises(DatasetError, match=r"is not a dataset of Parquet.*pyarrow.dataset.dataset\(path, format="):
        list(as_dataset(tmp_path / "rows.csv").chunks())
    dataset = as_dataset(ds.dataset(tmp_path / "rows.csv", format="csv"))
    assert stacked(dataset)["n"].tolist() == list(range(60))


def test_unknown_columns_are_told(folder):
    """By name, before anything is read where the names are known, and with the partition otherwise."""
    with pytest.raises(DatasetError, match=r"has no columns \['x'\]; expected some of its columns \['a', 'n', 'c'\]"):
        as_dataset(folder, columns=["x"])
    with pytest.raises(DatasetError, match=r"has no columns \['x'\]; expected some of its columns \['a', 'n', 'c'\]"):
        list(as_dataset(folder).chunks(others=["x"]))
    with pytest.raises(DatasetError, match=r"chunk 0: it has no columns \['x'\]"):
        list(as_dataset([frame()], columns=["x"]).chunks())
    with pytest.raises(DatasetError, match=r"chunk 0.*arrays, which have no columns"):
        list(as_dataset([np.eye(2)], columns=["x"]).chunks())
    with pytest.raises(DatasetError, match="with other options; pass the options with its source"):
        as_dataset(as_dataset(folder), columns=["a"])


def test_models_are_given_the_columns_and_tables_that_they_know(folder):
    """By the names that they were fitted with; arrays if they were fitted on arrays, unless a kind is asked for."""
    named = SimpleNamespace(feature_names_in_=np.array(["n", "a"]), n_features_in_=2)
    assert list(next(for_model(folder, named).chunks()).table.columns) == ["n", "a"]
    unnamed = SimpleNamespace(n_features_in_=2)
    assert isinstance(next(for_model(as_dataset(folder, columns=["a", "n"]), unnamed).chunks()).table, np.ndarray)
    polars = as_dataset(folder, columns=["a", "n"], kind="polars")
    assert isinstance(next(for_model(polars, unnamed).chunks()).table, pl.DataFrame)
    assert list(next(for_model(folder, object(), ["c"]).chunks()).table.columns) == ["a", "n"]


def test_keys_depend_on_positions_alone():
    """So that rows that are drawn are the same in chunks of any size, whoever reads them."""
    whole = row_keys(3, 0, 100)
    assert (np.concatenate([row_keys(3, 0, 1), row_keys(3, 1, 64), row_keys(3, 65, 35)]) == whole).all()
    assert ((whole >= 0) & (whole < 1)).all()
    drawn = []
    for chunk_size in (1, 7, 60):
        dataset, kept = as_dataset([frame()[:13], frame()[13:]], chunk_size=chunk_size), LargestKeys(10)
        for chunk in dataset.chunks():
            kept.offer(row_keys(5, chunk.start, len(chunk)), chunk)
        drawn.append(kept.rows(dataset))
    expected = np.sort(np.argsort(-row_keys(5, 0, 60))[:10])
    for rows in drawn:
        assert rows.positions.tolist() == rows.table["n"].tolist() == expected.tolist()


def test_few_rows_are_kept_in_memory():
    """Not more than twice those that are drawn, however many there are."""
    kept, most = LargestKeys(5), 0
    for chunk in as_dataset([frame(400)], chunk_size=3).chunks():
        kept.offer(row_keys(0, chunk.start, len(chunk)), chunk)
        most = max(most, sum(len(piece.keys) for piece in kept._pieces))
    assert most <= 2 * 5
