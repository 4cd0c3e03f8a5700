"""A few queries tell teachers that return the same output again from others."""

import numpy as np
import pytest

from skdistill import as_teacher
from skdistill.teachers import check_repeatability, query_teacher, steady

X = np.random.default_rng(0).normal(size=(40, 3))
ROWS = X[:8]


def smooth(rows):
    return 100 * np.tanh(rows[:, 0])


def batch_mean(rows):
    return smooth(rows) + rows[:, 1].mean()


def random():
    rng = np.random.default_rng(1)
    return lambda rows: smooth(rows) + rng.normal(size=len(rows))


def float32(share=1e-7):
    """Outputs that differ between batches in the last bits of float32, as those of a network on a GPU."""
    return lambda rows: (smooth(rows) * (1 + share * (len(rows) % 3))).astype(np.float32)


def test_three_kinds_of_teachers():
    """Outputs that are the same, that depend on the batch, that are random."""
    same, batch, drawn = (check_repeatability(as_teacher(f), ROWS) for f in (smooth, batch_mean, random()))
    assert (same.is_steady, same.is_exact, same.n_queries) == (True, True, 12)
    assert (batch.depends_on_batch, batch.is_random, batch.n_queries) == (True, False, 20)
    assert (drawn.depends_on_batch, drawn.is_random, drawn.n_queries) == (False, True, 20)


def test_both_at_once():
    """Small noise does not hide a large effect of the batch."""
    noise = random()
    both = check_repeatability(as_teacher(lambda rows: 1e-3 * noise(rows) + 10 * rows[:, 1].mean()), ROWS)
    assert both.is_random
    assert both.depends_on_batch


@pytest.mark.parametrize(("share", "is_steady"), [(1e-7, True), (1e-6, True), (7e-4, False)])
def test_last_bits_are_not_an_effect(share, is_steady):
    """Rounding errors of float32 are ignored; differences of the size of TF32 are not."""
    found = check_repeatability(as_teacher(float32(share)), ROWS)
    assert found.is_steady == is_steady
    assert not found.is_exact


def test_each_output_has_its_own_scale():
    """A random output is found beside one that is a million times larger, and small probabilities are no scale."""
    noise = random()
    wide = as_teacher(lambda rows: np.column_stack([1e6 * smooth(rows), noise(rows)]))
    assert check_repeatability(wide, ROWS).is_random
    tiny = as_teacher(lambda rows: 1e-7 * len(rows) * np.ones(len(rows)), classes=["no", "yes"])
    assert check_repeatability(tiny, ROWS).is_steady


def test_errors_are_left_to_the_query():
    """A teacher that fails for the rows of the check, or returns other shapes, is not known; nothing is raised."""

    def failing(rows):
        raise MemoryError("too small")

    for function in (failing, lambda rows: np.zeros((len(rows), len(rows)))):
        found = check_repeatability(as_teacher(function), ROWS)
        assert not found.is_known
        assert found.n_queries >= 8


class Recorder:
    """A teacher that records the rows of each call and returns the means of its batches."""

    def __init__(self):
        self.calls = []

    def predict(self, rows):
        self.calls.append(rows.copy())
        return np.full(len(rows), rows[:, 0].mean()) + rows[:, 0]


def fixed(batch_size):
    teacher = steady(as_teacher(Recorder()), 1)
    teacher.settle(check_repeatability(teacher, ROWS), X[:batch_size])
    teacher.model.calls.clear()
    return teacher


@pytest.mark.parametrize("n_rows", [1, 7, 10, 25, 40])
def test_all_batches_have_the_same_size(n_rows):
    """Short batches are completed, and each output belongs to its row."""
    teacher = fixed(10)
    outputs = query_teacher(teacher, X[:n_rows], chunk_size=1000)
    calls = teacher.model.calls
    assert {len(call) for call in calls} == {10}
    assert 10 * len(calls) == n_rows + teacher.n_padded(n_rows)
    of_row = {call[place, 0]: call[place, 0] + call[:, 0].mean() for call in calls[::-1] for place in range(10)}
    np.testing.assert_allclose(outputs, [of_row[row[0]] for row in X[:n_rows]])


def test_rows_of_another_type_are_completed_by_themselves():
    """The rows that complete a batch never change the types of the rows of the table."""
    teacher = fixed(10)
    query_teacher(teacher, X[:7].astype(np.float32))
    assert [(call.dtype, len(call)) for call in teacher.model.calls] == [(np.float32, 10)]


def test_batches_within_a_budget_are_cut_evenly():
    """No row is added, and the sizes differ by one at most."""
    teacher = fixed(10)
    teacher.pads = False
    query_teacher(teacher, X[:25], chunk_size=1000)
    assert sorted(len(call) for call in teacher.model.calls) == [7, 9, 9]
    assert teacher.n_padded(25) == 0


def test_batches_do_not_follow_the_order_of_the_table():
    """A sorted table is not cut into batches of similar rows."""
    teacher = fixed(10)
    query_teacher(teacher, np.sort(X, axis=0), chunk_size=1000)
    ranges = [np.ptp(call[:, 0]) for call in teacher.model.calls]
    assert min(ranges) > np.ptp(X[:, 0]) / 3


def test_outputs_of_several_calls_are_averaged():
    """Each row is queried ``n_repeats`` times; probabilities stay probabilities."""
    calls = []

    def labels(rows):
        calls.append(len(rows))
        return np.where(np.arange(len(rows)) < len(calls), "a", "b")

    teacher = steady(as_teacher(labels, "predict", classes=["a", "b"]), 4)
    np.testing.assert_allclose(query_teacher(teacher, X[:4])[:, 0], [1, 0.75, 0.5, 0.25])
    assert calls == [4] * 4
