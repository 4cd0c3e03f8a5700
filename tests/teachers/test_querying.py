"""A teacher is queried in chunks, and with a memory only once."""

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
from helpers import CountingClassifier, dataset
from sklearn.cluster import DBSCAN

from skdistill import _progress, as_teacher
from skdistill.exceptions import TeacherOutputError, TeacherQueryError
from skdistill.teachers import AnswerStore, query_teacher

X, Y = dataset("three classes")
NAMES = list("abcd")
PROBE = 16


@pytest.fixture
def teacher():
    fitted = CountingClassifier(random_state=0).fit(X, Y)
    CountingClassifier.rows_asked = 0
    return fitted


@pytest.fixture
def memory(tmp_path):
    return joblib.Memory(tmp_path, verbose=0)


@pytest.mark.parametrize("chunk_size", [1, 7, 150, 1000])
def test_chunks_do_not_change_the_answer(chunk_size, teacher):
    """The outputs do not depend on the chunk size, and each row is queried once."""
    np.testing.assert_array_equal(
        query_teacher(as_teacher(teacher), X, chunk_size=chunk_size), teacher.tree_.predict_proba(X)
    )
    assert CountingClassifier.rows_asked == len(X)


@pytest.mark.parametrize(
    "table",
    [
        lambda: X.copy(),
        lambda: pd.DataFrame(X.copy(), columns=NAMES).assign(text=Y),
        lambda: pl.DataFrame(X.copy(), schema=NAMES).with_columns(text=pl.Series(Y)),
    ],
    ids=["numpy", "pandas", "polars"],
)
def test_memory_answers_the_same_rows(table, teacher, memory):
    """Cached rows are not queried again, even in an equal copy of the table; a few rows probe the teacher."""

    def function(rows):
        teacher_rows.append(len(rows))
        return np.zeros(len(rows))

    teacher_rows = []
    first = query_teacher(as_teacher(function), table(), chunk_size=40, memory=memory)
    assert sum(teacher_rows) == len(X) + PROBE
    second = query_teacher(as_teacher(function), table(), chunk_size=40, memory=memory)
    assert sum(teacher_rows) == len(X) + 2 * PROBE
    np.testing.assert_array_equal(first, second)


def test_memory_knows_a_teacher_that_was_fitted_again(teacher, memory):
    """Answers of a model that changed in place are not given again."""
    adapted = as_teacher(teacher)
    query_teacher(adapted, X, memory=memory)
    teacher.max_depth = 1
    teacher.fit(X, Y)
    np.testing.assert_array_equal(query_teacher(adapted, X, memory=memory), teacher.tree_.predict_proba(X))


def test_memory_tells_functions_apart(memory):
    """Two lambdas, and two closures over other values, are other teachers."""

    def closure(value):
        return lambda X: np.full(len(X), value)

    answers = [query_teacher(as_teacher(closure(value)), X, memory=memory)[-1] for value in (1.0, 2.0)]
    assert answers == [1.0, 2.0]


def test_teacher_is_recognised_once_for_several_tables(teacher, tmp_path, monkeypatch):
    """A large model is not hashed for every table that one fit asks it about."""
    hashed = []
    monkeypatch.setattr("skdistill.teachers._answer_store.recognise", lambda *_: hashed.append(1) or b"a digest")
    adapted, store = as_teacher(teacher), AnswerStore(tmp_path)
    for rows in (X, X[:50], X + 1):
        query_teacher(adapted, rows, memory=store)
    assert hashed == [1]


class Fragile:
    """Raises for one block as long as ``Fragile.fails``; its state, as it declares it, does not change."""

    fails = True
    asked = 0

    def __getstate__(self):
        return {}

    def predict(self, rows):
        if Fragile.fails and np.array_equal(rows, X[100:150]):
            raise MemoryError("out of memory")
        Fragile.asked += len(rows)
        return np.zeros(len(rows))


def test_answered_blocks_survive_an_error(memory):
    """A teacher that raises halfway: the error names the block, and what was answered before is kept."""
    Fragile.fails, Fragile.asked = True, 0
    with pytest.raises(TeacherQueryError, match="Fragile raised MemoryError for rows 100 to 149 of 150"):
        query_teacher(as_teacher(Fragile()), X, chunk_size=50, memory=memory)
    Fragile.fails, Fragile.asked = False, 0
    query_teacher(as_teacher(Fragile()), X, chunk_size=50, memory=memory)
    assert Fragile.asked == 50 + PROBE


def test_malformed_block_is_named():
    """Nonsense in one block names that block."""

    def with_a_hole(rows):
        return np.where(np.all(rows == X[53], axis=1), np.nan, 0.0)

    with pytest.raises(TeacherOutputError, match=r"row 3 as nan; .*\(in rows 50 to 99 of 150\)"):
        query_teacher(as_teacher(with_a_hole), X, chunk_size=50)


def test_shape_may_not_change_between_blocks():
    """All blocks have the same width."""
    with pytest.raises(TeacherOutputError, match="as for the previous rows"):
        query_teacher(as_teacher(lambda rows: np.zeros((len(rows), len(rows)))), X[:15], chunk_size=10)


def test_transductive_teacher_is_asked_at_once(memory):
    """A clusterer that only has labels for its training rows is never queried for a part of them."""
    teacher = as_teacher(DBSCAN(eps=0.8).fit(X))
    outputs = query_teacher(teacher, X, chunk_size=10, memory=memory)
    np.testing.assert_array_equal(teacher.classes_[outputs.argmax(axis=1)], teacher.model.labels_)


def test_progress_is_shown(capsys, monkeypatch):
    """With ``verbose``, labelling reports its progress."""
    monkeypatch.setattr(_progress, "QUIET_SECONDS", 0.0)
    query_teacher(as_teacher(lambda rows: np.zeros(len(rows))), X, verbose=1)
    assert "150 of 150 rows" in capsys.readouterr().err
    query_teacher(as_teacher(lambda rows: np.zeros(len(rows))), X)
    assert capsys.readouterr().err == ""


def test_interrupt_passes_through():
    """Ctrl-C is not turned into another error."""

    def interrupted(rows):
        raise KeyboardInterrupt("stopped")

    with pytest.raises(KeyboardInterrupt, match="stopped"):
        query_teacher(as_teacher(interrupted), X)
