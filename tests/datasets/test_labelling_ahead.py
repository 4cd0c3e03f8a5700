"""Rows that are certainly selected are labelled while a thread reads others, and the student is the same."""

import threading
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from helpers import CountingTeacher
from scipy import sparse

from skdistill import DistilledRegressor
from skdistill._processes import Shipped
from skdistill.datasets import as_dataset
from skdistill.datasets._arriving import ArrivingRows
from skdistill.datasets._drawing import DrawnRows, RandomPart, draw
from skdistill.exceptions import DatasetError, TeacherQueryError
from skdistill.samplers import _selecting
from skdistill.samplers._pool import SpreadKeys
from skdistill.samplers._selecting import KeyBounds, bound_keys, select_ahead

N_ROWS, WANTED = 6000, 4000


def rows(n_rows=N_ROWS, seed=0):
    return np.random.RandomState(seed).rand(n_rows, 3)


def wavy(X):
    """Vary where the first column is large, and hardly elsewhere."""
    X = np.asarray(X)
    return np.where(X[:, 0] > 0.8, np.sin(40 * X[:, 1]), 0.01 * X[:, 1])


Counting = partial(CountingTeacher, wavy)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Three files."""
    folder = tmp_path_factory.mktemp("files")
    for place, part in enumerate(np.split(rows(), [1000, 3500])):
        pq.write_table(pa.table(dict(zip("abc", part.T, strict=True))), folder / f"p{place}.parquet")
    return folder


def dataset(folder, chunk_size=700, n_rows=WANTED):
    return as_dataset(folder, kind="numpy", chunk_size=chunk_size, sample_rows=n_rows)


def model(teacher=wavy, **options):
    return DistilledRegressor(
        teacher, "tree", **{"sampler": None, "random_state": 0, "chunk_size": 300, "n_repeats": 1, **options}
    )


def is_reading():
    return any(thread.name == "read rows ahead" for thread in threading.enumerate())


@contextmanager
def counted(monkeypatch):
    """Count the fits whose rows arrive."""
    made = []

    def noting(*arguments):
        made.append(select_ahead(*arguments))
        return made[-1]

    monkeypatch.setattr("skdistill.estimators._datasets.select_ahead", noting)
    yield made


@pytest.mark.parametrize("options", [{"chunk_size": 6000}, {"chunk_size": 90, "n_jobs": 2}])
def test_the_student_is_that_of_rows_that_are_selected_first(folder, options, monkeypatch):
    """Of the same rows in the same order, whatever the chunks of the dataset and the blocks of queries."""
    with counted(monkeypatch) as made:
        ahead = model(**options).fit(dataset(folder, options["chunk_size"]))
    assert made[0] is not None
    plain = model().fit(as_dataset(np.split(rows(), [1000, 3500]), sample_rows=WANTED))
    assert (ahead.predict(rows(seed=1)) == plain.predict(rows(seed=1))).all()
    summary = ahead.transfer_set_
    assert (summary.n_real, summary.n_unlabeled) == (1000, WANTED - 1000)
    assert summary.n_queries == plain.transfer_set_.n_queries
    assert not is_reading()


@pytest.mark.parametrize("kind", ["pandas", "polars", "pyarrow"])
def test_frames_arrive_as_arrays_do(tmp_path, kind, monkeypatch):
    """With a column of texts, from Parquet and from a lazy frame."""
    table = pd.DataFrame(rows(), columns=list("abc")).assign(g=np.where(rows()[:, 0] > 0.5, "u", "v"))
    table.to_parquet(tmp_path / "p.parquet", index=False)

    def teacher(X):
        return wavy(np.column_stack([np.asarray(X[name], dtype=float) for name in "abc"]))

    sources = [tmp_path / "p.parquet"] + ([pl.scan_parquet(tmp_path / "p.parquet")] if kind == "polars" else [])
    with counted(monkeypatch) as made:
        models = [
            model(teacher).fit(as_dataset(each, kind=kind, chunk_size=700, sample_rows=WANTED)) for each in sources
        ]
    assert None not in made
    plain = model(teacher).fit(as_dataset([table], kind=kind, sample_rows=WANTED))
    some = as_dataset([table[:300]], kind=kind)
    for each in models:
        assert (next(each.predict(some)) == next(plain.predict(some))).all()


def test_true_labels_keep_their_rows(folder, tmp_path):
    """They come in the order of the dataset, as the rows do."""
    X = rows()
    columns = dict(zip("abc", X.T, strict=True))
    pq.write_table(pa.table({**columns, "y": 3 * X[:, 2]}), tmp_path / "p.parquet")
    data = as_dataset(tmp_path / "p.parquet", columns=["a", "b", "c"], kind="numpy", sample_rows=WANTED)
    fitted = DistilledRegressor(wavy, "linear", sampler=None, soft_weight=0.0, random_state=0).fit(data, "y")
    assert fitted.predict(X) == pytest.approx(3 * X[:, 2], abs=0.01)


def test_the_teacher_is_asked_while_rows_are_read():
    """The last partition is only read once the teacher has labelled selected rows."""
    asked = threading.Event()

    class Told(CountingTeacher):
        def __call__(self, X):
            outputs = super().__call__(X)
            if self.n_asked > 1500:
                asked.set()
            return outputs

    class Waiting:
        name, is_repeatable, is_read_by_threads = "rows", True, True
        column_names, n_rows, n_readings, was_asked = None, N_ROWS, 0, None

        def partitions(self):
            self.n_readings += 1
            source = as_dataset(np.split(rows(), 6)).source
            for place, part in enumerate(source.partitions()):
                if place == 5 and self.n_readings == 3:  # the columns, rows at random, and the others
                    self.was_asked = asked.wait(20)
                yield part

    source = Waiting()
    model(Told(wavy)).fit(replace(as_dataset([rows()], sample_rows=WANTED), source=source))
    assert source.was_asked is True


def keys_of(data, seed=0):
    scanned, chunks = data.scanned()
    whole = np.concatenate([chunk.table for chunk in chunks])
    first = np.sort(np.random.RandomState(seed).permutation(N_ROWS)[:1500])
    return SpreadKeys.of(whole[first], wavy(whole[first]), np.random.RandomState(seed), first), scanned


@pytest.mark.parametrize("n_rows", [1000, 2000, 4400])
def test_bounds_hold(folder, n_rows):
    """Rows with keys above are selected, those below are not, and most of the selected ones are above."""
    for seed in range(5):
        keys, scanned = keys_of(dataset(folder), seed)
        bounds = bound_keys(keys, N_ROWS - 1500, n_rows)
        found = np.sort(np.concatenate([keys(chunk) for chunk in scanned.chunks()]))[::-1]
        assert np.count_nonzero(found > bounds.high) <= n_rows <= np.count_nonzero(found > bounds.low)
        assert np.count_nonzero(found > bounds.high) > n_rows / 2


@pytest.mark.parametrize("n_rows", [400, 2000])
def test_random_rows_come_first_and_others_last(folder, n_rows):
    """By their positions alone, and the bounds hold with them."""
    for seed in range(3):
        keys, scanned = keys_of(dataset(folder), seed)
        keys = replace(keys, random=RandomPart(seed, 0.04), last=RandomPart(seed + 1, 0.2))
        is_free = ~np.isin(np.arange(N_ROWS), keys.skipped)
        is_last = keys.last.of(0, N_ROWS) & is_free
        is_random = keys.random.of(0, N_ROWS) & is_free & ~is_last
        found = np.concatenate([keys(chunk) for chunk in scanned.chunks()])
        assert found[is_random].min() > found[is_free & ~is_random].max()
        assert found[is_last].max() < found[is_free & ~is_last].min()
        chosen = draw(scanned, n_rows, keys, (), lambda n_rows: None).positions
        assert np.isin(np.flatnonzero(is_random), chosen).all()
        assert not np.isin(np.flatnonzero(is_last), chosen).any()
        np.testing.assert_array_equal(keys.random.at(chosen), keys.random.of(0, N_ROWS)[chosen])
        if (bounds := bound_keys(keys, N_ROWS - 1500, n_rows)) is not None:
            found = np.sort(found)[::-1]
            assert np.count_nonzero(found > bounds.high) <= n_rows <= np.count_nonzero(found > bounds.low)


def test_few_rows_are_too_uncertain(folder):
    """They are selected before they are labelled, and so are all that are left."""
    keys, scanned = keys_of(dataset(folder))
    assert bound_keys(keys, N_ROWS - 1500, 20) is None
    assert select_ahead(keys, scanned, N_ROWS - 1500, (), np.asarray) is None


def test_a_lower_bound_that_misleads_costs_a_reading(folder, monkeypatch):
    """The rows are the same."""
    plain = model().fit(as_dataset([rows()], sample_rows=WANTED))
    monkeypatch.setattr(_selecting, "bound_keys", lambda *_: KeyBounds(3.0, 4.0))
    ahead = model().fit(dataset(folder))
    assert (ahead.predict(rows(seed=1)) == plain.predict(rows(seed=1))).all()


def test_an_upper_bound_that_misleads_costs_no_query(folder, monkeypatch):
    """As many rows are labelled as are asked for, each once."""
    monkeypatch.setattr(_selecting, "bound_keys", lambda *_: KeyBounds(-9.0, -8.0))
    teacher = Counting()
    fitted = model(teacher, max_queries=3000).fit(dataset(folder))
    assert teacher.n_asked == fitted.transfer_set_.n_queries == 3000
    assert fitted.seen_rows_.find(rows()).sum() == fitted.transfer_set_.n_real + fitted.transfer_set_.n_unlabeled


def test_with_weights_or_a_memory_rows_are_selected_first(tmp_path, monkeypatch):
    """With weights, and with a store, which looks for all rows first; a pool beside a table is no random sample."""
    table = pd.DataFrame(rows(), columns=list("abc")).assign(w=1.0)
    table.to_parquet(tmp_path / "p.parquet", index=False)
    data = as_dataset(tmp_path / "p.parquet", columns=["a", "b", "c"], kind="numpy", sample_rows=WANTED)
    with counted(monkeypatch) as made:
        model().fit(data, sample_weight="w")
        model(memory=str(tmp_path / "store")).fit(data)
        model(max_queries=800).fit(rows(300), X_unlabeled=data)
    assert made == []


def test_errors_of_reading_reach_the_caller(folder, monkeypatch):
    """With the partition, from whatever thread asks for rows, and the thread that reads ends."""
    kept, n_readings = SpreadKeys.__call__, []

    def failing(keys, chunk):
        n_readings.append(1)
        if chunk.partition == "p2.parquet":
            raise DatasetError("the partition p2.parquet: the disk is gone")
        return kept(keys, chunk)

    monkeypatch.setattr(SpreadKeys, "__call__", failing)
    for n_jobs in (1, 2):
        with pytest.raises(DatasetError, match=r"p2\.parquet: the disk is gone"):
            model(n_jobs=n_jobs).fit(dataset(folder))
        assert not is_reading()


def test_errors_of_the_teacher_end_the_reading(folder):
    """They name the rows as usual."""
    with pytest.raises(TeacherQueryError, match="rows of the dataset"):
        model(Counting(stops_after=2000)).fit(dataset(folder))
    assert not is_reading()


def test_infinite_numbers_are_found_before_they_are_asked_for(tmp_path):
    """In the rows that are selected."""
    X = rows()
    X[5000:, 1] = np.inf
    pq.write_table(pa.table(dict(zip("abc", X.T, strict=True))), tmp_path / "p.parquet")
    seen = []

    def teacher(X):
        seen.append(np.isfinite(X).all())
        return wavy(X)

    with pytest.raises(ValueError, match="infinity"):
        model(teacher, max_queries=3000).fit(dataset(tmp_path))
    assert all(seen)


def arriving(n_parts=50, on_part=lambda place: None, n_rows=None, as_kind=np.asarray):
    table = rows(5 * n_parts)

    def read():
        for place in range(n_parts):
            on_part(place)
            positions = np.arange(5 * place, 5 * place + 5)
            yield DrawnRows(as_kind(table[positions]), positions, {"y": table[positions, 0]})
            yield None

    return ArrivingRows(read, 5 * n_parts if n_rows is None else n_rows, 3, np.asarray), table


@pytest.mark.parametrize("as_kind", [np.asarray, pd.DataFrame, pl.DataFrame, sparse.csr_array])
def test_rows_are_those_of_the_table(as_kind):
    """In slices of any size, in part or all, whatever the kind of table."""
    some, table = arriving(as_kind=as_kind)
    some._check = lambda part: part.toarray() if sparse.issparse(part) else np.asarray(part)
    with some:
        for start, stop in ((0, 1), (3, 17), (5, 10), (240, 250), (0, 250), (249, 400)):
            assert (some[start:stop] == table[start:stop]).all()
        assert (some[np.array([7, 3])] == table[[7, 3]]).all()
        drawn, _ = some.in_order()
    assert (some._check(drawn.table) == table).all()
    assert (drawn.others["y"] == table[:, 0]).all()


@pytest.mark.parametrize("as_kind", [np.asarray, pd.DataFrame, pl.DataFrame])
def test_rows_in_order_are_still_found_by_their_arrival(as_kind):
    """All rows come in the order of the dataset with their outputs; blocks that are taken later are the same."""
    table, order = rows(100), np.random.RandomState(0).permutation(100)

    def read():
        for places in np.split(order, 10):
            yield DrawnRows(as_kind(table[places]), places, {"y": table[places, 0]})

    with ArrivingRows(read, 100, 3, lambda part: part) as some:
        outputs = np.asarray(some[:])[:, 1]
        drawn, arrived_at = some.in_order()
        assert (np.asarray(drawn.table) == table).all()
        assert (drawn.positions == np.arange(100)).all()
        assert (drawn.others["y"] == table[:, 0]).all()
        assert (outputs[arrived_at] == table[:, 1]).all()
        assert (np.asarray(some[5:37]) == table[order[5:37]]).all()
        assert list(getattr(some[5:37], "index", range(32))) == list(range(32))
        assert (np.asarray(some[np.array([7, 3])]) == table[order[[7, 3]]]).all()


def test_nothing_is_read_while_calls_are_timed():
    """Reading goes on afterwards."""
    n_read = []
    some, table = arriving(2000, n_read.append)
    with some:
        with some.undisturbed(20):
            before = len(n_read)
            threading.Event().wait(0.02)
            assert len(n_read) == before >= 4
        assert some[:].shape == table.shape
    assert len(n_read) == 2000


def test_rows_are_sorted_only_where_somebody_waits_for_that():
    """Neither while calls are timed nor after the end."""
    n_checked, some = [], None

    def read():
        yield DrawnRows(rows(20), np.arange(20), {})
        some._may_read.clear()  # as if calls were timed from now on
        is_read.set()

    is_read = threading.Event()
    some = ArrivingRows(read, 20, 3, lambda part: n_checked.append(len(part)) or part)
    with some:
        assert is_read.wait(20)
        assert not n_checked
    assert not n_checked


def test_missing_rows_are_an_error():
    """Nobody waits for rows that never come."""
    some, _ = arriving(n_rows=300)
    with some, pytest.raises(RuntimeError, match="250 of 300 rows have arrived"):
        some[290:300]


@pytest.mark.parametrize("backend", ["threading", None])
def test_an_error_in_the_items_of_processes_is_raised(backend):
    """Backends that ask for items in a thread of theirs would wait for ever; nothing else is said."""

    class Broken(list):
        def __getitem__(self, place):
            return Broken(super().__getitem__(place)) if isinstance(place, slice) else super().__getitem__(place)

        def __iter__(self):
            yield from range(6)
            raise DatasetError("the disk is gone")

    results = Shipped(abs).map(Broken(range(9)), 2, backend)
    with pytest.raises(DatasetError, match="the disk is gone"):
        list(results)
