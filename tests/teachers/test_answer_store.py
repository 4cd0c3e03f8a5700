"""The store behind ``memory=``: each row is asked once, and never answered by another teacher."""

import errno
import multiprocessing
import os
import time
from datetime import timedelta

import joblib
import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeRegressor

from skdistill import DistilledClassifier, DistilledRegressor, as_teacher, memory_info, reduce_memory
from skdistill.exceptions import TeacherError, TeacherQueryError, TeacherWarning
from skdistill.samplers import Jitter
from skdistill.teachers import AnswerStore, _answer_files, query_teacher

RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 4))
PROBE = 16
"""Number of rows by which a change of the teacher is noticed, the first time that outputs of a file are used."""

N_CHECKED = 12
"""Number of queries by which a fit checks whether a teacher of an unknown class returns the same outputs again."""


class Counting:
    """Values by row, plus an error; its state is its version, as it declares it."""

    def __init__(self, version=1, error=0.0):
        self.version, self.error, self.sizes = version, error, []

    def __getstate__(self):
        return {"version": self.version}

    def predict(self, rows):
        self.sizes.append(rows.shape[0])
        cells = rows.toarray() if sparse.issparse(rows) else np.asarray(rows, dtype=float)
        return cells.sum(axis=1) * (1 + self.error)

    def n_asked(self):
        asked, self.sizes = sum(self.sizes), []
        return asked


@pytest.fixture
def memory(tmp_path):
    return joblib.Memory(tmp_path, verbose=0)


def ask(teacher, rows, memory, **params):
    """Query with a memory, check the outputs, and return how many rows were asked."""
    outputs = query_teacher(as_teacher(teacher), rows, memory=memory, **params)
    np.testing.assert_allclose(outputs, Counting().predict(rows), rtol=1e-2)
    return teacher.n_asked()


TABLES = {
    "array": lambda: X,
    "pandas": lambda: pd.DataFrame(X, columns=list("abcd")),
    "sparse": lambda: sparse.csr_matrix(X * (np.abs(X) > 0.1)),
    "objects": lambda: X.astype(object),
}


@pytest.mark.parametrize("name", TABLES)
def test_rows_are_asked_once(name, memory):
    """Another chunk size, another order, a part, a larger table and another process's objects ask only new rows."""
    table, order = TABLES[name](), RNG.permutation(300)
    part = table.iloc if name == "pandas" else table
    assert ask(Counting(), part[:200], memory, chunk_size=50) == 200
    assert ask(Counting(), part[:200], memory, chunk_size=7) == PROBE
    assert ask(Counting(), part[order[order < 200]], memory) == PROBE
    assert ask(Counting(), part[:5], memory) == 5
    assert ask(Counting(), part[order], memory, chunk_size=30) == 100 + PROBE
    assert ask(Counting(version=2), part[:200], memory) == 200


def test_growing_tables_ask_only_for_new_rows(memory):
    """Ten times ten per cent more."""
    for n_rows in range(100, 301, 20):
        assert ask(Counting(), X[:n_rows], memory) <= (100 if n_rows == 100 else 20 + PROBE)
    assert memory_info(memory.location).n_rows == 300


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_forest_in_threads(n_jobs, memory):
    """The outputs, and what is stored, do not depend on the number of threads."""
    teacher = as_teacher(RandomForestClassifier(3, random_state=0).fit(X, X[:, 0] > 0))
    for _ in range(2):
        outputs = query_teacher(teacher, X, chunk_size=40, memory=memory, n_jobs=n_jobs)
        np.testing.assert_array_equal(outputs, teacher.outputs(X))
    assert memory_info(memory.location).n_rows == 300


class AddsTheMean:
    """A teacher whose outputs depend on the other rows of a call."""

    depends_on_batch = True
    n_asked = 0

    def __getstate__(self):
        return {}

    def predict(self, rows):
        AddsTheMean.n_asked += len(rows)
        return rows[:, 0] + rows.mean()


def test_outputs_that_depend_on_the_batch_are_stored_by_batch(memory):
    """The same batches are found again, also in a longer table; other batches are asked anew."""
    teacher = as_teacher(AddsTheMean())
    expected = np.concatenate([AddsTheMean().predict(X[start : start + 50]) for start in range(0, 300, 50)])
    for n_rows, n_new in ((200, 200), (200, 0), (300, 100)):
        AddsTheMean.n_asked = 0
        outputs = query_teacher(teacher, X[:n_rows], chunk_size=50, memory=memory, by_batch=True)
        np.testing.assert_array_equal(outputs, expected[:n_rows])
        assert AddsTheMean.n_asked == n_new + PROBE
    AddsTheMean.n_asked = 0
    query_teacher(teacher, X[:200], chunk_size=40, memory=memory, by_batch=True)
    assert AddsTheMean.n_asked == 200 + PROBE


# ---------------------------------------------------------------------- names and changes


def test_rounding_is_tolerated_by_name(memory):
    """A teacher that answers with other last digits is known by its name; a change is noticed in spite of it."""
    assert ask(Counting(), X, memory, teacher_id="march") == 300
    assert ask(Counting(version=2, error=1e-5), X, memory, teacher_id="march") == PROBE
    assert ask(Counting(), X, memory, teacher_id="april") == 300
    with pytest.warns(TeacherWarning, match="no longer returns its stored outputs.*pass another teacher_id="):
        assert ask(Counting(error=9e-3), X, memory, teacher_id="march") == 300 + PROBE
    assert ask(Counting(error=9e-3), X, memory, teacher_id="march") == PROBE
    assert ask(Counting(), X, memory, teacher_id="march") == PROBE  # the first outputs are still there


def test_hidden_change_is_noticed(memory):
    """A service behind the same code that answers otherwise is asked again, and one sentence says so."""
    assert ask(Counting(), X, memory) == 300
    assert ask(Counting(error=1e-7), X, memory) == PROBE
    with pytest.warns(TeacherWarning, match=r"differ by up to 0\.0.*only rounds differently, pass teacher_id="):
        assert ask(Counting(error=1e-3), X, memory) == 300 + PROBE


def test_a_change_of_few_known_rows_is_noticed(memory):
    """The rows by which a change is noticed are among those whose outputs are stored, however few these are."""
    ask(Counting(), X[40:43], memory)
    with pytest.warns(TeacherWarning, match="no longer returns"):
        assert ask(Counting(error=1e-3), X, memory) == 300 + 3


def test_a_store_checks_each_file_once(tmp_path):
    """Outputs of a file that it checked or wrote are used without a query; those of another one are checked."""
    teacher, other = Counting(), Counting()
    query_teacher(as_teacher(other), X[:150], memory=AnswerStore(tmp_path))
    query_teacher(as_teacher(other), X[150:250], memory=AnswerStore(tmp_path))
    store, adapted = AnswerStore(tmp_path), as_teacher(teacher)
    for rows, n_asked in ((X[:100], PROBE), (X[50:150], 0), (X[120:250], PROBE), (X[:250], 0), (X, 50), (X, 0)):
        query_teacher(adapted, rows, memory=store)
        assert teacher.n_asked() == n_asked


def test_each_part_of_the_stored_rows_is_checked(memory):
    """Rows that were stored before a service changed are noticed, even if all probes are among those stored after."""
    between_probes = slice(20, 39)
    ask(Counting(), X[between_probes], memory)
    ask(Counting(error=5e-3), np.delete(X, between_probes, axis=0), memory)  # nothing is known of these rows
    service = Counting(error=5e-3)
    with pytest.warns(TeacherWarning, match="no longer returns"):
        outputs = query_teacher(as_teacher(service), X, memory=memory)
    np.testing.assert_array_equal(outputs, service.predict(X))


@pytest.mark.parametrize(
    ("teacher_id", "teacher", "error", "match"),
    [
        (3, DecisionTreeRegressor().fit(X, X[:, 0]), TypeError, "teacher_id=3; expected a text"),
        ("", DecisionTreeRegressor().fit(X, X[:, 0]), TypeError, "expected a text that is not empty"),
        ("a", DecisionTreeRegressor(), TeacherError, "names a fitted teacher, but DecisionTreeRegressor is not fitted"),
    ],
)
def test_teacher_id_is_checked(teacher_id, teacher, error, match):
    """A name is a text, and belongs to one fitted model."""
    with pytest.raises(error, match=match):
        DistilledRegressor(teacher, teacher_id=teacher_id).fit(X, X[:, 0])


def test_estimators_pass_the_name_on(tmp_path):
    """Two models of one name share their outputs; the folder knows the name."""
    first, second = Counting(1), Counting(2)
    for teacher in (first, second):
        model = DistilledRegressor(teacher, "linear", sampler=Jitter(), n_synthetic=50, memory=str(tmp_path))
        model.set_params(teacher_id="the name", random_state=0).fit(X)
    assert (first.n_asked(), second.n_asked()) == (350 + N_CHECKED, PROBE)
    (stored,) = memory_info(tmp_path).teachers
    assert (stored.teacher_id, stored.teacher, stored.n_rows) == ("the name", "Counting", 350)
    assert "the name" in repr(memory_info(tmp_path))


class Network:
    """Weights and a device, as a network of torch has; the order of sums depends on the device."""

    def __init__(self, device):
        self.weights, self.device = np.linspace(-1, 1, 4 * 50, dtype=np.float32).reshape(4, 50), device
        self.n_rows = 0

    def predict(self, rows):
        self.n_rows += len(rows)
        cells, order = rows.astype(np.float32), np.arange(50) if self.device == "cpu" else np.arange(50)[::-1]
        hidden = np.maximum(cells @ self.weights, 0)[:, order]
        return np.add.accumulate(hidden, axis=1)[:, -1]


def test_network_on_another_device_is_known_by_its_name(tmp_path):
    """Its outputs, which differ by rounding, are found again; without a name, another device is another teacher."""
    assert np.any(Network("cpu").predict(X) != Network("gpu").predict(X))
    for teacher_id, n_asked in ((None, len(X)), ("network", 0)):
        stored = query_teacher(as_teacher(Network("cpu")), X, memory=AnswerStore(tmp_path, teacher_id))
        other = Network("gpu")
        found = query_teacher(as_teacher(other), X, memory=AnswerStore(tmp_path, teacher_id))
        assert np.array_equal(found, stored) == (teacher_id is not None)
        assert n_asked <= other.n_rows <= n_asked + 2 * PROBE


# ---------------------------------------------------------------------- failures


def test_full_disk_is_said_once_and_the_fit_goes_on(tmp_path, monkeypatch):
    """One true sentence; the model is that without memory; what was stored before is found again."""
    left = [3_000]

    def write(file, content):
        if left[0] < len(content):
            file.write(content[: left[0]])
            raise OSError(errno.ENOSPC, "No space left on device")
        left[0] -= len(content)
        file.write(content)

    params = {"student": "linear", "sampler": None, "chunk_size": 50, "random_state": 0}
    plain = DistilledRegressor(Counting(), **params).fit(X).predict(X)
    monkeypatch.setattr(_answer_files, "write_all", write)
    with pytest.warns(UserWarning, match="could not be stored in .*: No space left on device. They are used") as caught:
        full = DistilledRegressor(Counting(), memory=str(tmp_path), **params).fit(X).predict(X)
    assert len(caught) == 1
    np.testing.assert_array_equal(full, plain)
    monkeypatch.undo()
    teacher = Counting()
    found = DistilledRegressor(teacher, memory=str(tmp_path), **params).fit(X).predict(X)
    np.testing.assert_array_equal(found, plain)
    assert teacher.n_asked() == 200 + PROBE  # two of six chunks had room


def test_read_only_folder_is_read(tmp_path, memory, monkeypatch):
    """A folder that cannot be written still answers what it holds."""
    assert ask(Counting(), X[:100], memory) == 100
    denied = PermissionError(errno.EACCES, "Permission denied")
    monkeypatch.setattr("skdistill.teachers._answer_store.Writer.append", lambda *_: (_ for _ in ()).throw(denied))
    with pytest.warns(UserWarning, match="Permission denied"):
        assert ask(Counting(), X, memory) == 200 + PROBE


def test_cells_that_cannot_be_read_are_asked_again(memory):
    """Rows that have no key are labelled all the same."""
    table = np.empty((30, 2), dtype=object)
    table[:] = [[place, (cell for cell in "ab")] for place in range(30)]
    with pytest.warns(TeacherWarning, match="a cell cannot be read.*Convert the cells to numbers or texts"):
        outputs = query_teacher(as_teacher(lambda rows: rows[:, 0].astype(float)), table, memory=memory)
    np.testing.assert_array_equal(outputs, np.arange(30.0))


class Breaks(Counting):
    """A teacher that fails for a row, as long as it is broken."""

    is_broken = True

    def predict(self, rows):
        if self.is_broken and (rows == X[100]).all(axis=1).any():
            raise ConnectionError("gone")
        return super().predict(rows)


def test_error_names_the_missing_rows_and_keeps_the_chunks_before(memory):
    """A teacher that fails is asked for the rows that are missing only."""
    ask(Counting(), X[10:60], memory, teacher_id="a")
    teacher = Breaks()
    with pytest.raises(TeacherQueryError, match="Breaks raised ConnectionError for rows 80 to 109 of 300: gone"):
        query_teacher(as_teacher(teacher), X, memory=memory, chunk_size=30, teacher_id="a")
    teacher.is_broken = False
    assert teacher.n_asked() == PROBE + 30
    assert ask(teacher, X, memory, chunk_size=30, teacher_id="a") == 300 - 50 - 30 + PROBE


def label_part(folder, start, seed):
    rows = X[start : start + 200][np.random.default_rng(seed).permutation(200)]
    query_teacher(as_teacher(Counting()), rows, chunk_size=5, memory=joblib.Memory(folder, verbose=0))


@pytest.mark.slow
@pytest.mark.parametrize("n_processes", [2, 4])
def test_processes_share_a_folder(n_processes, memory):
    """Nothing is lost, whoever writes at the same time."""
    context = multiprocessing.get_context("spawn")
    starts = [0, 100, 50, 20][:n_processes]
    runs = [context.Process(target=label_part, args=(memory.location, start, start)) for start in starts]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert [run.exitcode for run in runs] == [0] * n_processes
    assert ask(Counting(), X, memory) <= PROBE + n_processes


class Logging(Counting):
    """Appends the number of rows of each call to a file."""

    def __init__(self, log):
        super().__init__()
        self.log = log

    def predict(self, rows):
        with open(self.log, "a") as file:
            file.write(f"{len(rows)}\n")
        time.sleep(0.01)
        return super().predict(rows)

    def logged(self):
        return [int(line) for line in self.log.read_text().split()] if self.log.exists() else []


def label_and_log(folder, log):
    query_teacher(as_teacher(Logging(log)), X, chunk_size=5, memory=joblib.Memory(folder, verbose=0))


@pytest.mark.slow
def test_killed_processes_lose_a_block_each(memory, tmp_path):
    """What a process stored before it was killed is found; the chunk in which it was killed is asked again."""
    teacher, n_kills, n_calls = Logging(tmp_path / "log"), 4, 12
    for _ in range(n_kills):
        n_before = len(teacher.logged())
        run = multiprocessing.get_context("spawn").Process(target=label_and_log, args=(memory.location, teacher.log))
        run.start()
        while run.is_alive() and len(teacher.logged()) < n_before + n_calls:
            time.sleep(0.001)
        run.kill()
        run.join()
        assert run.exitcode != 0
    outputs = query_teacher(as_teacher(teacher), X, chunk_size=5, memory=memory)
    np.testing.assert_allclose(outputs, Counting().predict(X))
    assert memory_info(memory.location).n_rows == len(X)
    n_checked = n_kills * (PROBE + n_kills)
    assert sum(teacher.logged()) <= len(X) + 5 * n_kills + n_checked


# ---------------------------------------------------------------------- size and age


def test_limits_of_size_and_age(memory):
    """The outputs that were used last are kept; files of other formats, and of joblib, are left alone."""
    folder = memory.location
    for version in (1, 2, 3):
        ask(Counting(version), X, memory)
    stored = {path.folder: path.n_bytes for path in memory_info(folder).teachers}
    files = sorted(path for home in stored for path in home.rglob("*.answers"))
    now = time.time()
    for age, path in enumerate(files):
        os.utime(path, (now - age * 86_400 - 60,) * 2)
    foreign = files[0].parent / "1.answers"
    foreign.write_bytes(b"another format")
    assert reduce_memory(folder, age_limit=timedelta(days=2)).n_rows == 600
    assert reduce_memory(folder, bytes_limit=stored[files[0].parents[1]] + 10).n_rows == 300
    assert files[0].exists()
    assert reduce_memory(folder, bytes_limit="0K").n_rows == 0
    assert foreign.read_bytes() == b"another format"
    assert memory_info(folder).n_other_bytes > 0


@pytest.mark.parametrize("limit", ["much", -1, "-3M", "nan"])
def test_limit_is_a_number_of_bytes(limit, tmp_path):
    """Anything else is refused."""
    with pytest.raises(ValueError, match=r"bytes_limit=.*; expected a number of bytes"):
        reduce_memory(tmp_path, bytes_limit=limit)


def test_use_renews_the_age(memory):
    """Outputs that are found are used."""
    ask(Counting(), X, memory)
    (path,) = memory_info(memory.location).teachers[0].folder.rglob("*.answers")
    os.utime(path, (0, 0))
    ask(Counting(), X[:40], memory)
    assert memory_info(memory.location).teachers[0].last_used > 1e9


def test_recipes_are_stored_by_what_they_learned(tmp_path):
    """Teachers fitted on folds are told apart, and found again in the next fit."""
    y = (X[:, 0] > 0).astype(int)
    model = DistilledClassifier(
        LogisticRegression(), "linear", sampler=None, teacher_cv=3, memory=str(tmp_path), random_state=0
    )
    model.fit(X, y)
    before = memory_info(tmp_path)
    model.fit(X, y)
    assert (before.n_rows, len(before.teachers)) == (600, 4)
    assert memory_info(tmp_path).n_rows == 600
