"""Several teachers are one teacher: the weighted mean of their probabilities or values, with classes by value."""

import numpy as np
import pandas as pd
import pytest
from helpers import dataset
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import sparse
from sklearn.cluster import DBSCAN, KMeans
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor, VotingClassifier
from sklearn.linear_model import LinearRegression, PoissonRegressor
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from skdistill import as_teacher
from skdistill.exceptions import TeacherError, TeacherOutputError
from skdistill.teachers import (
    RegionWeights,
    TeacherEnsemble,
    disagreement,
    errors_of,
    is_fitted_teacher,
    known_bounds,
    label_teacher,
    loss_weights_of,
    stated_link,
)
from skdistill.teachers._by_row import is_by_row
from skdistill.teachers._weighing import simplex_weights

RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def models():
    X, y = dataset("three classes")
    return [each.fit(X, y) for each in (DecisionTreeClassifier(max_depth=2), KNeighborsClassifier())]


@pytest.mark.parametrize("weights", [None, [1, 3], (2.0, 0.0), np.array([1e300, 1e300])])
def test_outputs_are_those_of_a_soft_vote(models, weights):
    """With the same weights, of any scale, the outputs are those of scikit-learn's soft vote."""
    X, y = dataset("three classes")
    shares = None if weights is None else np.asarray(weights) / np.max(weights)
    vote = VotingClassifier([("a", models[0]), ("b", models[1])], voting="soft", weights=shares).fit(X, y)
    teacher = as_teacher(models, teacher_weights=weights)
    np.testing.assert_allclose(teacher.outputs(X), vote.predict_proba(X), atol=1e-12)
    assert teacher.classes_.tolist() == vote.classes_.tolist()
    assert (teacher.model.predict(X) == vote.predict(X)).all()


def test_classes_are_aligned_by_value():
    """Teachers may have their classes in another order; each probability belongs to its class."""
    one = as_teacher(lambda X: np.tile([0.9, 0.1], (len(X), 1)), classes=["yes", "no"])
    other = as_teacher(lambda X: np.tile([0.3, 0.7], (len(X), 1)), classes=["no", "yes"])
    teacher = as_teacher([one, other])
    assert teacher.classes_.tolist() == ["no", "yes"]
    np.testing.assert_allclose(teacher.outputs(np.zeros((2, 1))), [[0.2, 0.8]] * 2)


def test_each_teacher_keeps_its_own_way_of_being_asked():
    """Members that were adapted keep their response method, and any kinds may be mixed."""
    X, y = dataset("regression")
    forest, line = RandomForestRegressor(3, random_state=0).fit(X, y), LinearRegression().fit(X, y)
    teacher = as_teacher([forest, as_teacher(line.predict), ("sum", lambda rows: rows.sum(axis=1))])
    assert teacher.model.names == ("randomforestregressor", "predict", "sum")
    expected = (forest.predict(X) + line.predict(X) + X.sum(axis=1)) / 3
    np.testing.assert_allclose(teacher.outputs(X), expected)
    assert teacher.model.models["randomforestregressor"] is forest


def test_names_are_unique():
    """Teachers of one type are numbered; given names are kept."""
    tree = DecisionTreeClassifier().fit([[0], [1]], [0, 1])
    assert as_teacher([tree, ("named", tree), tree]).model.names == (
        "decisiontreeclassifier-1",
        "named",
        "decisiontreeclassifier-2",
    )


def test_a_list_is_fitted_if_all_are(models):
    """A recipe among fitted teachers makes the list one that is to be fitted."""
    assert is_fitted_teacher(models)
    assert is_fitted_teacher([("a", models[0])])
    assert not is_fitted_teacher([models[0], ("b", KNeighborsClassifier())])


@pytest.mark.parametrize(
    ("teachers", "message"),
    [
        (lambda a, b: [], "an empty list of teachers"),
        (lambda a, b: [a, [b, a]], "a list in the list of teachers"),
        (lambda a, b: [("same", a), ("same", b)], r"the names \['same', 'same'\]"),
        (lambda a, b: [a, SVC().fit(*dataset("three classes"))], "the teacher svc returns margins"),
        (lambda a, b: [a, as_teacher([a, b])], "contains TeacherEnsemble"),
        (lambda a, b: [a, LinearRegression().fit([[0], [1]], [0, 1])], r"are for \['classification', 'regression'\]"),
        (
            lambda a, b: [a, DecisionTreeClassifier().fit([[0], [1]], ["setosa", "unknown"])],
            r"disagree on the classes: .*only the first: \['versicolor', 'virginica'\]; only .*: \['unknown'\]",
        ),
        (lambda a, b: [KMeans(2, n_init=1).fit(a.tree_.threshold[:, None]), a], "is a clusterer"),
        (lambda a, b: [DBSCAN().fit(a.tree_.threshold[:, None])], "is a clusterer"),
    ],
)
def test_lists_that_are_no_teacher(models, teachers, message):
    """What cannot be averaged is refused, and the message names the teacher."""
    with pytest.raises(TeacherError, match=message):
        as_teacher(teachers(*models))


@pytest.mark.parametrize(
    "weights", [[1], [1, 2, 3], [-1, 2], [0, 0], [np.nan, 1], [np.inf, 1], ["a", "b"], "loss", 3, [[1, 2]], [None, 1]]
)
def test_weights_that_are_none(models, weights):
    """Weights are one finite number of at least 0 for each teacher, not all 0."""
    with pytest.raises(ValueError, match="expected one number of at least 0 for each of the 2 teachers"):
        as_teacher(models, teacher_weights=weights)


def test_weights_need_a_list(models):
    """One teacher has no weights."""
    with pytest.raises(TeacherError, match="got teacher_weights and one teacher"):
        as_teacher(models[0], teacher_weights=[1])


def test_outputs_of_other_shapes():
    """Teachers of another number of outputs are refused when they answer."""
    teacher = as_teacher([("one", lambda X: X[:, 0]), ("two", lambda X: X[:, :2])])
    with pytest.raises(TeacherOutputError, match=r"teacher two returns outputs of shape \(3, 2\), and the teacher one"):
        teacher.outputs(np.zeros((3, 2)))


def test_what_is_known_of_each_is_known_of_all(models):
    """A link, bounds, and that outputs depend on the row alone hold together if they hold for each."""
    X, y = dataset("regression")
    forests = [RandomForestRegressor(2, random_state=seed).fit(X, y) for seed in (0, 1)]
    low, high = known_bounds(as_teacher(forests))
    assert low == min(known_bounds(as_teacher(each))[0] for each in forests)
    assert high == max(known_bounds(as_teacher(each))[1] for each in forests)
    line, counts = LinearRegression().fit(X, y), PoissonRegressor().fit(X / 20, y)
    assert known_bounds(as_teacher([forests[0], line])) is None
    assert stated_link(as_teacher([counts, counts])).name == "log"
    assert stated_link(as_teacher([counts, line])) is None
    assert is_by_row(as_teacher(models).model)
    assert not is_by_row(as_teacher([*models, as_teacher(lambda X: X, classes=models[0].classes_)]).model)
    assert label_teacher(as_teacher(models)) is None


# ---------------------------------------------------------------------- weights


@given(arrays(float, (3, 12), elements=st.floats(-5, 5)), st.lists(st.floats(0, 1), min_size=3, max_size=3))
def test_no_other_weights_have_a_smaller_error(residuals, others):
    """The weights are on the simplex, and their squared error is the least that any weights there have."""
    gram = residuals @ residuals.T
    weights = simplex_weights(gram)
    assert weights.min() >= 0
    assert weights.sum() == pytest.approx(1)
    other = np.array(others) + 1e-9
    for each in (other / other.sum(), *np.eye(3)):
        assert weights @ gram @ weights <= each @ gram @ each + 1e-6 * np.diag(gram).max()


def test_equal_teachers_share_their_weight():
    """The solution does not depend on the order of teachers that always say the same."""
    residual = RNG.normal(size=(1, 50))
    np.testing.assert_allclose(loss_weights_of(np.tile(residual, (4, 1))[:, :, None], np.ones(50)), 0.25, atol=1e-6)


def test_rows_of_weight_zero_do_not_count():
    """Weights of teachers are those of the rows that count."""
    errors, weight = RNG.normal(size=(2, 100, 1)), np.repeat([1.0, 0.0], 50)
    np.testing.assert_allclose(loss_weights_of(errors, weight), loss_weights_of(errors[:, :50], np.ones(50)), atol=1e-9)


def regions(X, n_rows, rng=RNG):
    """Return errors of two teachers of which each is right in one half of the first column."""
    column = X["where"] == "here" if isinstance(X, pd.DataFrame) else X[:, [0]] > 0
    is_first = (column.toarray() if sparse.issparse(column) else np.asarray(column)).ravel()
    noise = rng.normal(size=(2, n_rows))
    return np.stack([np.where(is_first, 0.1, 1.0) * noise[0], np.where(is_first, 1.0, 0.1) * noise[1]])[:, :, None]


@pytest.mark.parametrize("kind", ["array", "frame", "sparse"])
def test_regions_find_where_each_teacher_is_good(kind):
    """In a region where one teacher is much better, it has nearly all the weight: in any kind of table."""
    n_rows = 400
    cells = RNG.normal(size=(n_rows, 3)).round(2)
    X = {
        "array": np.column_stack([cells[:, :2], np.where(cells[:, 2] > 1, np.nan, cells[:, 2])]),
        "frame": pd.DataFrame({"where": np.where(cells[:, 0] > 0, "here", "there"), "x": cells[:, 1]}),
        "sparse": sparse.csr_matrix(cells),
    }[kind]
    errors = regions(X, n_rows)
    gate = RegionWeights.fit(X, errors, np.ones(n_rows), seed=0)
    weights = gate.of(X)
    np.testing.assert_allclose(weights.sum(axis=1), 1)
    is_better = np.abs(errors[0, :, 0]) < np.abs(errors[1, :, 0])
    assert gate.n_regions > 1
    assert weights[is_better, 0].mean() > 0.75 > 0.25 > weights[~is_better, 0].mean()
    mixed = np.einsum("im,mik->ik", weights, errors)
    assert (mixed**2).mean() < 0.1 * (loss_weights_of(errors, np.ones(n_rows)) @ errors[:, :, 0] ** 2).mean()


@pytest.mark.parametrize("seed", range(3))
def test_errors_in_all_rows_count_as_twenty_rows_in_a_region(seed):
    """In a region, no other weights have a smaller squared error, plus that in all rows as in twenty rows of it."""
    rng = np.random.default_rng(seed)
    X, weight = rng.normal(size=(200, 2)), rng.uniform(0.5, 2, 200)
    errors = regions(X, 200, rng)
    gate = RegionWeights.fit(X, errors, weight, seed=0)
    gram = np.einsum("mik,lik,i->iml", errors, errors, weight)
    chosen, region = np.unique(gate.of(X), axis=0, return_inverse=True)
    for place, weights in enumerate(chosen):
        penalised = gram[region.ravel() == place].sum(axis=0) + 20 / 200 * gram.sum(axis=0)
        for other in (np.array([share, 1 - share]) for share in np.clip(weights[0] + [-0.01, 0.01], 0, 1)):
            assert weights @ penalised @ weights <= other @ penalised @ other + 1e-9


def test_without_regions_there_is_one():
    """If no region has another best teacher, the weights are those of the whole table."""
    X, errors = RNG.normal(size=(300, 4)), RNG.normal(size=(2, 300, 1)) * [[[1.0]], [[2.0]]]
    gate = RegionWeights.fit(X, errors, np.ones(300), seed=0)
    assert gate.n_regions == 1
    np.testing.assert_allclose(gate.of(X), loss_weights_of(errors, np.ones(300))[None].repeat(300, 0), atol=1e-6)


def test_errors_of_values_have_no_unit():
    """An output in a larger unit counts no more than the others; probabilities keep their common unit."""
    truth = RNG.normal(size=(40, 2))
    given = [truth + RNG.normal(size=(40, 2)) for _ in range(2)]
    scale = np.array([1.0, 1e6])
    plain, scaled = (
        errors_of([each * factor for each in given], truth * factor, pools_outputs=False) for factor in (1.0, scale)
    )
    np.testing.assert_allclose(plain, scaled)
    np.testing.assert_allclose(errors_of(given, truth, pools_outputs=True)[0], given[0] - truth)


# ---------------------------------------------------------------------- disagreement


def test_disagreement_is_half_the_squared_difference_of_two():
    """Its mean over rows is the mean over pairs of half the squared difference, as a share of the variance."""
    soft = [RNG.normal(size=(30, 3)) for _ in range(3)]
    mean = np.mean(soft, axis=0)
    pairs = [((soft[a] - soft[b]) ** 2).sum(axis=1) / 2 for a, b in ((0, 1), (0, 2), (1, 2))]
    found = disagreement(soft, mean, pools_outputs=True)
    np.testing.assert_allclose(found, np.mean(pairs, axis=0) / mean.var(axis=0).sum())


@pytest.mark.parametrize("pools_outputs", [False, True])
def test_teachers_that_agree_do_not_differ(pools_outputs):
    """Equal outputs, one teacher, constants and huge values have a disagreement of 0."""
    values = RNG.normal(size=(20, 2)) * 1e200
    for soft in ([values, values], [values], [np.ones((20, 2))] * 3):
        assert (disagreement(soft, soft[0], pools_outputs=pools_outputs) == 0).all()


def test_it_shows_its_teachers(models):
    """A message and a notebook name the teachers."""
    assert repr(as_teacher([("tree", models[0]), models[1]]).model) == "TeacherEnsemble(tree, kneighborsclassifier)"
    assert isinstance(as_teacher([RandomForestClassifier(2).fit([[0], [1]], [0, 1])]).model, TeacherEnsemble)
