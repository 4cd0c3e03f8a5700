"""What students contain of the rows that they are fitted on: no rows, and no cells of single rows."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.svm import SVR

from skdistill import DistilledRegressor
from skdistill._encoding import MAX_COMMON_CATEGORIES, MIN_CATEGORY_ROWS, MIN_KEY_CATEGORIES
from skdistill.compiled import Forest
from skdistill.compiled._design import MAX_DEVIATIONS
from skdistill.solvers._landmarks import MIN_ROWS_OF_LANDMARK, means_of_rows
from skdistill.students import CompactKernelClassifier, CompactKernelRegressor
from skdistill.students._families import FAMILIES
from skdistill.students._knots import FEW_VALUES

RNG = np.random.RandomState(0)
NUMBERS = RNG.normal(size=(200, 4))
TABLES = {
    "numbers": NUMBERS,
    "mixed": pd.DataFrame(NUMBERS, columns=list("abcd")).assign(kind=RNG.choice(["x", "y", "z"], 200)),
}


def values_of(n_rows):
    return np.sin(2 * NUMBERS[:n_rows, 0]) + NUMBERS[:n_rows, 1] * NUMBERS[:n_rows, 2]


def distances(student, X):
    """Return how far the landmark closest to each row is from it, in its input that differs most."""
    scorer = student.scorer_
    inputs = scorer.design.inputs(student._encoder.transform(X))
    return np.abs(inputs[:, None] - scorer.positions.astype(float)).max(axis=2).min(axis=1)


@pytest.mark.thinned(2)
@pytest.mark.parametrize("refine", [True, False])
@pytest.mark.parametrize("n_rows", [8, 40, 200])
@pytest.mark.parametrize("table", TABLES)
def test_landmarks_are_no_rows(table, n_rows, refine):
    """Moved or not, whether there are fewer rows than landmarks or more."""
    X, y = TABLES[table][:n_rows], values_of(n_rows)
    for student in (
        CompactKernelRegressor(refine=refine, random_state=0).fit(X, y),
        CompactKernelClassifier(refine=refine, random_state=0).fit(X, y > 0),
    ):
        assert len(student.scorer_.positions)
        assert distances(student, X).min() > 0.01
        assert not student.contains_rows_


def test_landmarks_that_are_given_are_there():
    """The user has chosen that rows are in the student, and the student says so."""
    student = CompactKernelRegressor(5, landmarks=NUMBERS[:2], refine=False, gamma=3.0, random_state=0)
    student.fit(NUMBERS, np.exp(-3 * ((NUMBERS - NUMBERS[0]) ** 2).sum(axis=1)))
    assert distances(student, NUMBERS[:2]).min() < 1e-3
    assert student.contains_rows_


def test_distilled_kernels_contain_no_rows_of_the_teacher():
    """They take over the width of its kernel, but not its support vectors."""
    teacher = SVR().fit(NUMBERS, values_of(200))
    model = DistilledRegressor(teacher, "kernel", sampler=None, random_state=0).fit(NUMBERS)
    assert distances(model.student_, NUMBERS).min() > 0.01
    assert not model.student_.contains_rows_


@pytest.mark.parametrize("family", FAMILIES)
def test_only_fitted_students_say_what_they_contain(family):
    """No family contains rows unless they are passed to it as a parameter."""
    student = FAMILIES[family].member(classifies=False)
    assert not hasattr(student, "contains_rows_")
    if family in ("linear", "tree"):
        assert not student.fit(NUMBERS, values_of(200)).contains_rows_


def test_each_mean_is_one_of_several_rows():
    """Of the closest ones by the scales; a row that occurs as often is kept."""
    rows = np.column_stack([np.arange(50.0), np.zeros(50)])
    rows[10:15] = rows[10]
    means = means_of_rows(rows, rows, np.ones(2))
    np.testing.assert_array_equal(means[10], rows[10])
    np.testing.assert_allclose(means[30], rows[28:33].mean(axis=0))
    np.testing.assert_allclose(means[0], rows[:5].mean(axis=0))
    few = rows[: MIN_ROWS_OF_LANDMARK - 1]
    np.testing.assert_allclose(means_of_rows(few, few, np.ones(2)), np.broadcast_to(few.mean(axis=0), few.shape))


def test_few_distinct_rows_are_learned_as_they_are():
    """Rows that many have are no secret, and a mean of all of them would tell none apart."""
    X = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]]).repeat(10, axis=0)
    y = X[:, 0] != X[:, 1]
    for refine in (True, False):
        assert CompactKernelClassifier(refine=refine, random_state=0).fit(X, y).score(X, y) == 1


@pytest.mark.parametrize("family", ["tree", "boosting", "hybrid"])
def test_trees_contain_no_cells(family):
    """Thresholds lie between cells, and each leaf value is that of several rows."""
    X = NUMBERS.round(1)
    scorer = FAMILIES[family].member(classifies=False).fit(X, values_of(200)).scorer_
    forest = scorer if isinstance(scorer, Forest) else scorer.parts[-1]
    for column, cells in enumerate(X.T):
        thresholds = forest.threshold[forest.feature == column]
        assert not np.isin(thresholds, cells.astype(thresholds.dtype)).any()
    counts = np.bincount(forest.leaves(X).ravel())
    assert counts[counts > 0].min() >= 5


def test_the_page_names_the_limits():
    """The page on what a student holds has the numbers of the code."""
    page = " ".join((Path(__file__).parents[2] / "docs" / "contents.md").read_text().split())
    assert f"columns of up to {MAX_COMMON_CATEGORIES} values" in page
    assert MIN_CATEGORY_ROWS == MIN_ROWS_OF_LANDMARK == 5
    assert "values of at least five rows" in page
    assert "means of at least five rows" in page
    assert f"text with at least {MIN_KEY_CATEGORIES} values" in page
    assert f"columns of up to {FEW_VALUES} values" in page
    assert MAX_DEVIATIONS == 8
    assert "at most eight standard deviations" in page
