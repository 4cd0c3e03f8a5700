"""Samplers that read the teacher of a distilled estimator, or ask it in rounds."""

import numpy as np
import pytest
from sklearn.ensemble import RandomForestRegressor

from skdistill import AutoSampler, DistilledRegressor
from skdistill.exceptions import TeacherQueryError
from skdistill.samplers import Disagreement, Jitter, Mixture, TeacherBins

rng = np.random.default_rng(0)
X = rng.exponential(size=(60, 2))
FOREST = RandomForestRegressor(10, random_state=0).fit(X, np.sin(X).sum(axis=1))
BOX = [(0.0, 8.0), (0.0, 8.0)]


class Counting:
    """A function that counts the rows it is asked for."""

    def __init__(self):
        self.n_rows = 0

    def __call__(self, rows):
        self.n_rows += len(rows)
        return np.sin(rows).sum(axis=1)


@pytest.mark.parametrize(
    "sampler",
    [
        TeacherBins(),
        Mixture([TeacherBins(), Jitter()]),
        Disagreement(TeacherBins(columns=BOX)),
        AutoSampler([TeacherBins(columns=BOX), Disagreement(Jitter())]),
    ],
    ids=["bins", "mixture", "disagreement", "auto"],
)
def test_the_teacher_of_the_estimator_is_read(sampler):
    """Without a teacher of its own, a sampler reads the one that is distilled."""
    model = DistilledRegressor(FOREST, "linear", sampler=sampler, n_synthetic=300, random_state=0).fit(X)
    again = DistilledRegressor(FOREST, "linear", sampler=sampler, n_synthetic=300, random_state=0, n_jobs=2).fit(X)
    assert model.transfer_set_.n_synthetic in (0, 300)
    np.testing.assert_array_equal(model.predict(X), again.predict(X))


@pytest.mark.parametrize("max_queries", [40, 90, pytest.param(200, marks=pytest.mark.slow)])
def test_rounds_keep_the_budget(max_queries):
    """Every query counts, and each row of a round is asked once: the budget is used up and not exceeded."""
    teacher = Counting()
    sampler = Disagreement(TeacherBins(columns=BOX))
    model = DistilledRegressor(
        teacher, "linear", sampler=sampler, n_synthetic=500, max_queries=max_queries, random_state=0
    ).fit(X)
    assert model.transfer_set_.n_queries == max_queries
    assert teacher.n_rows <= max_queries


def test_rows_that_a_teacher_refuses_in_rounds():
    """A teacher that refuses drawn rows is an error that names the sampler that was given."""

    def teacher(rows):
        if rows.max() > X.max():
            raise RuntimeError("out of range")
        return rows[:, 0]

    model = DistilledRegressor(teacher, "linear", sampler=Disagreement(TeacherBins(columns=BOX)), n_synthetic=100)
    with pytest.raises(TeacherQueryError, match=r"refuses rows drawn by Disagreement.*out of range"):
        model.fit(X)
