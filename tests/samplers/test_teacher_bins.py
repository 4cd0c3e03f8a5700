"""What ``TeacherBins`` promises beyond the contract: rows like those that the teacher was fitted on."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler
from sklearn.svm import SVR

from skdistill.exceptions import SamplerError
from skdistill.samplers import TeacherBins, UniformBox
from skdistill.teachers import as_teacher

rng = np.random.default_rng(0)
first = rng.exponential(size=500)
X = np.column_stack([first, 3 * first + rng.normal(size=500), rng.poisson(2, 500)])
y = np.sin(X[:, 0]) + 0.3 * X[:, 1] + 0.2 * X[:, 2]
BOX = [(0.0, 10.0), (-5.0, 35.0), (0, 12)]
TEACHERS = {
    "splits": RandomForestRegressor(20, min_samples_leaf=3, random_state=0),
    "boosted": HistGradientBoostingRegressor(max_iter=20, random_state=0),
    "rows": make_pipeline(StandardScaler(), SVR()),
    "scales": make_pipeline(StandardScaler(), Ridge()),
}
FITTED = {name: teacher.fit(X, y) for name, teacher in TEACHERS.items()}
every_teacher = pytest.mark.parametrize("name", FITTED)


def distance(rows, others):
    """Return the largest difference of the distribution functions of each column."""
    grid = np.quantile(others, np.linspace(0, 1, 50), axis=0)
    below = [(table[None] <= grid[:, None]).mean(axis=1) for table in (rows, others)]
    return np.abs(below[0] - below[1]).max(axis=0)


@every_teacher
def test_columns_are_distributed_as_the_training_rows_were(name):
    """Each column is far nearer to its distribution than a box is, and with the shares of splits, it nearly has it."""
    rows = TeacherBins(FITTED[name], BOX).fit().sample(2000, random_state=0)
    of_box = distance(UniformBox(BOX).fit().sample(2000, random_state=0), X)
    assert np.all(distance(rows, X) < (0.1 if name in ("splits", "boosted") else 0.5 * of_box))
    np.testing.assert_array_equal(rows[:, 2], np.round(rows[:, 2]))


@pytest.mark.parametrize("name", ["splits", "boosted", "rows"])
def test_dependent_columns_stay_dependent(name):
    """Paths of trees, and ranks of stored rows, know that two columns rise together."""
    rows = TeacherBins(FITTED[name], BOX).fit().sample(2000, random_state=0)
    assert spearmanr(rows[:, 0], rows[:, 1]).statistic > 0.5


@pytest.mark.thinned(2)
@every_teacher
@pytest.mark.parametrize("design", ["random", "covering"])
def test_each_bin_is_equally_likely(name, design):
    """The designs over bins draw each bin of a column about equally often."""
    bins = TeacherBins(FITTED[name], BOX, design=design).fit()
    rows = bins.sample(4000, random_state=0)
    inner = bins._edges[0]
    counts = np.bincount(np.searchsorted(inner, rows[:, 0] / 10), minlength=len(inner) + 1)
    expected = 4000 / (len(inner) + 1)
    assert len(inner) > 20
    assert np.all(np.abs(counts - expected) < 6 * np.sqrt(expected) + 0.05 * expected)


@pytest.mark.parametrize("encoder", [OneHotEncoder(sparse_output=False), OrdinalEncoder()])
@pytest.mark.parametrize(
    "model", [RandomForestRegressor(20, random_state=0), KNeighborsRegressor()], ids=["splits", "rows"]
)
def test_values_are_as_frequent_as_they_were(encoder, model):
    """Categories that the teacher encodes are drawn with about their frequencies, and no others."""
    texts = np.array(["a", "b", "c"])[rng.choice(3, size=500, p=[0.8, 0.15, 0.05])]
    table = pd.DataFrame({"text": texts, "number": X[:, 0]})
    teacher = make_pipeline(make_column_transformer((encoder, ["text"]), remainder=StandardScaler()), model)
    teacher.fit(table, (texts == "b") + 0.5 * (texts == "c") + 0.2 * X[:, 0])
    rows = TeacherBins(teacher, {"text": ["a", "b", "c"], "number": (0.0, 10.0)}).fit().sample(2000, random_state=0)
    shares = rows["text"].value_counts(normalize=True)
    assert set(shares.index) <= {"a", "b", "c"}
    assert shares["a"] == pytest.approx(0.8, abs=0.12)
    assert shares["b"] > shares["c"]


def test_whole_numbers_go_left_as_a_whole():
    """A threshold between two whole numbers separates them: shares of integers are those of the training rows."""
    counts = rng.choice([1, 2, 7], size=400, p=[0.7, 0.2, 0.1])[:, None]
    tree = RandomForestRegressor(1, bootstrap=False, random_state=0).fit(counts, np.sqrt(counts[:, 0]))
    rows = TeacherBins(tree, [(1, 9)]).fit().sample(4000, random_state=0)[:, 0]
    for number in (1, 4):  # whole numbers between 2 and 7 are in the bin of 2 up to the threshold of 4.5
        assert (rows <= number).mean() == pytest.approx((counts[:, 0] <= number).mean(), abs=0.12)
    assert set(rows) <= set(range(1, 10))


def test_no_stored_row_is_drawn():
    """Support vectors are training rows, and only their quantiles and correlations are used."""
    bins = TeacherBins(FITTED["rows"], BOX).fit()
    rows = bins.sample(3000, random_state=0)
    assert bins.source_ == "rows"
    assert np.abs(rows[:, None, :2] - X[None, :, :2]).max(axis=2).min() > 0


def test_bins_are_found_in_outputs():
    """Of a function, the bins are those of trees on its answers: more rows where it varies."""
    table = UniformBox([(0.0, 1.0), (0.0, 1.0)]).fit().sample(400, random_state=0)
    answers = np.where(table[:, 0] > 0.8, np.sin(60 * table[:, 0]), 0.0)
    bins = TeacherBins(np.sin, [(0.0, 1.0), (0.0, 1.0)], random_state=0).fit(table, answers)
    rows = bins.sample(1000, random_state=0)
    assert bins.source_ == "outputs"
    assert (rows[:, 0] > 0.8).mean() > 0.4


def test_outputs_that_do_not_vary_leave_the_box():
    """A teacher that always answers the same has no bins."""
    rows = TeacherBins(np.sin, BOX).fit(X, np.ones(500)).sample(500, random_state=0)
    assert distance(rows, UniformBox(BOX).fit().sample(500, random_state=1)).max() < 0.15


@every_teacher
def test_constant_and_narrow_columns_stay_in_their_range(name):
    """The box is the user's: rows stay in it, even in one that holds a single value or none of the training rows."""
    box = [(2.0, 2.0), (100.0, 101.0), (3, 3)]
    rows = TeacherBins(FITTED[name], box).fit().sample(300, random_state=0)
    assert set(rows[:, 0]) == {2.0}
    assert set(rows[:, 2]) == {3.0}
    assert np.all((rows[:, 1] >= 100) & (rows[:, 1] <= 101))
    assert len(np.unique(rows[:, 1])) > 100


def test_the_teacher_is_kept_and_one_that_is_lent_is_second():
    """Clones refer to the same fitted teacher, and the teacher of an estimator is only read if there is no other."""
    forest, svm = FITTED["splits"], FITTED["rows"]
    assert clone(TeacherBins(forest)).teacher is forest
    assert "teacher__n_estimators" not in TeacherBins(forest).get_params(deep=True)
    assert TeacherBins(columns=BOX).with_teacher(svm).fit().source_ == "rows"
    assert clone(TeacherBins(columns=BOX).with_teacher(svm)).fit().source_ == "rows"
    assert TeacherBins(forest, BOX).with_teacher(svm).fit().source_ == "splits"
    assert TeacherBins(as_teacher(forest), BOX).fit().source_ == "splits"


@pytest.mark.parametrize(
    ("sampler", "error", "match"),
    [
        (
            TeacherBins(FITTED["splits"], BOX[:2]),
            SamplerError,
            "2 columns are described, but the teacher was fitted on 3",
        ),
        (TeacherBins(FITTED["splits"], []), SamplerError, "TeacherBins: columns is empty"),
        (
            TeacherBins(FITTED["splits"], [(1, 0), *BOX[1:]]),
            SamplerError,
            r"TeacherBins: column 0 is described by \(1, 0\)",
        ),
        (TeacherBins(FITTED["splits"]), ValueError, "TeacherBins got neither columns nor X"),
        (
            TeacherBins(FITTED["splits"], BOX, design="grid"),
            ValueError,
            "expected one of 'joint', 'random', 'covering'",
        ),
        (TeacherBins(RandomForestRegressor(), BOX), NotFittedError, "not fitted yet"),
    ],
    ids=["columns", "empty", "inverted", "nothing", "design", "unfitted"],
)
def test_bad_input(sampler, error, match):
    """What is wrong is said in fit, in words."""
    with pytest.raises(error, match=match):
        sampler.fit()


def test_columns_of_another_table():
    """Names in another order than those of the teacher would be read as other columns."""
    table = pd.DataFrame(X, columns=["a", "b", "c"])
    teacher = RandomForestRegressor(2).fit(table, y)
    with pytest.raises(SamplerError, match="expected the same columns in the same order"):
        TeacherBins(teacher, dict(zip("bac", BOX, strict=True))).fit()


@pytest.mark.parametrize("teacher", [np.sin, None])
def test_what_cannot_be_read_is_a_box_with_a_warning(teacher):
    """Rows of a box are worse than asked for."""
    with pytest.warns(UserWarning, match="no bins can be read from"):
        bins = TeacherBins(teacher, BOX).fit()
    assert bins.source_ == "box"
    rows, others = (sampler.sample(50, random_state=0) for sampler in (bins, UniformBox(BOX).fit()))
    np.testing.assert_array_equal(rows, others)
