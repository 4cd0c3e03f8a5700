"""What ``Disagreement`` promises beyond the contract: rounds, and exactly as many queries as rows."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.ensemble import RandomForestRegressor

from skdistill.exceptions import SamplerError
from skdistill.samplers import Disagreement, Jitter, TeacherBins, UniformBox

SQUARE = UniformBox([(0.0, 1.0), (0.0, 1.0)])


class Counting:
    """A teacher that varies in a corner only, and counts its rows."""

    def __init__(self):
        self.asked = []

    def __call__(self, rows):
        self.asked.append(rows.copy())
        return np.where(rows[:, 0] > 0.8, np.sin(60 * rows[:, 0]), 0.0)


@pytest.mark.parametrize(
    ("n_rows", "n_rounds", "n_queries"), [(100, 4, 4), (101, 4, 4), (3, 4, 3), (1, 4, 1), (50, 1, 1)]
)
def test_the_teacher_is_asked_for_exactly_the_rows_returned(n_rows, n_rounds, n_queries):
    """However many rounds there are, each row is asked once, and no other."""
    teacher = Counting()
    rows = Disagreement(SQUARE, teacher, n_rounds=n_rounds).fit().sample(n_rows, random_state=0)
    assert len(teacher.asked) == n_queries
    np.testing.assert_array_equal(np.concatenate(teacher.asked), rows)
    assert rows.shape == (n_rows, 2)


def test_rounds_look_where_the_teacher_varies():
    """The share of rows in the corner rises from round to round above that of the sampler."""
    teacher = Counting()
    Disagreement(SQUARE, teacher, random_state=0).fit().sample(400, random_state=0)
    shares = [(rows[:, 0] > 0.8).mean() for rows in teacher.asked]
    assert shares[0] < 0.3
    assert min(shares[1:]) > 0.5


def test_candidates_are_compared_in_chunks(monkeypatch):
    """The rows do not depend on how many candidates are compared at a time."""
    expected = Disagreement(SQUARE, Counting(), random_state=0).fit().sample(60, random_state=0)
    monkeypatch.setattr("skdistill.samplers._disagreement.CHUNK_ROWS", 37)
    rows = Disagreement(SQUARE, Counting(), random_state=0).fit().sample(60, random_state=0)
    np.testing.assert_array_equal(rows, expected)


def test_given_outputs_make_the_first_round_one_of_choice():
    """With outputs for some rows, the first round already looks where the teacher varies."""
    table, teacher = SQUARE.fit().sample(300, random_state=1), Counting()
    Disagreement(Jitter(0.1), teacher, random_state=0).fit(table, Counting()(table)).sample(100, random_state=0)
    assert (teacher.asked[0][:, 0] > 0.8).mean() > 0.4


def test_bins_of_a_function_are_found_anew():
    """Bins of a teacher that cannot be read come from its answers, and more rows fall where it varies."""
    teacher = Counting()
    sampler = Disagreement(TeacherBins(columns=SQUARE.columns), teacher, n_candidates=1, random_state=0).fit()
    sampler.sample(400, random_state=0)
    assert (teacher.asked[0][:, 0] > 0.8).mean() < 0.3
    assert (teacher.asked[-1][:, 0] > 0.8).mean() > 0.35


def test_rows_may_be_left_out_by_the_teacher():
    """What is asked may leave rows out, even all of a round, and the answers belong to the rows returned."""

    def ask(rows):
        kept = rows[rows[:, 1] > 0.5]
        return kept, kept[:, 0]

    rows, outputs = Disagreement(SQUARE).fit().search(80, ask, random_state=0)
    assert 0 < len(rows) < 80
    np.testing.assert_array_equal(outputs, rows[:, 0])
    rows, outputs = Disagreement(SQUARE).fit().search(80, lambda rows: (rows[:0], np.zeros(0)), random_state=0)
    assert len(rows) == len(outputs) == 0


def test_the_teacher_stays_fitted():
    """Clones refer to the same teacher, and its parameters are not those of the sampler."""
    forest = RandomForestRegressor(2, random_state=0).fit(np.eye(3), np.arange(3))
    copy = clone(Disagreement(TeacherBins(forest), forest))
    assert copy.teacher is forest
    assert copy.sampler.teacher is forest
    assert not any(name.startswith("teacher__") for name in copy.get_params())


def test_answers_have_one_shape():
    """Outputs given to fit must be those that the teacher returns."""
    sampler = Disagreement(Jitter(), lambda rows: rows[:, 0]).fit(np.eye(8), np.eye(8))
    with pytest.raises(SamplerError, match=r"outputs of shape \(\) for a row, but before, or in y, of shape \(8,\)"):
        sampler.sample(5, random_state=0)


@pytest.mark.parametrize(
    ("sampler", "error", "match"),
    [
        (Disagreement(SQUARE, n_rounds=0), ValueError, "n_rounds=0; expected an integer of at least 1"),
        (Disagreement(SQUARE, n_candidates=0.5), TypeError, "n_candidates=0.5; expected an integer of at least 1"),
        (Disagreement(3), SamplerError, "got 3 as a sampler"),
        (Disagreement(SQUARE), SamplerError, "teacher=None; expected a fitted model or a function of rows"),
        (Disagreement(SQUARE, lambda rows: np.zeros(3)), SamplerError, "returned 3 outputs for 1[23] rows"),
        (Disagreement(SQUARE, lambda rows: rows[:, 0] * np.nan), ValueError, "the outputs of the teacher"),
    ],
    ids=["rounds", "candidates", "sampler", "no teacher", "fewer outputs", "missing outputs"],
)
def test_bad_input(sampler, error, match):
    """Parameters are checked in fit, and the teacher when it is asked."""
    with pytest.raises(error, match=match):
        sampler.fit().sample(50, random_state=0)
