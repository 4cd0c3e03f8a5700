"""A list of teachers is one teacher: each is fitted or kept by its own rule, asked once, and weighed with others."""

import copy
import pickle

import joblib
import numpy as np
import pandas as pd
import pytest
from helpers import CountingClassifier, dataset
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from skdistill import DistilledClassifier, DistilledRegressor, as_teacher, report
from skdistill.exceptions import TeacherError, TeacherWarning


@pytest.fixture
def data():
    return dataset("three classes")


@pytest.fixture
def fitted(data):
    models = CountingClassifier(2, random_state=0).fit(*data), CountingClassifier(5, random_state=0).fit(*data)
    CountingClassifier.fits = CountingClassifier.rows_asked = 0
    return list(models)


def distilled(teacher, **params):
    params = {"sampler": None, "random_state": 0, **params}
    return DistilledClassifier(teacher, "tree", **params)


# ---------------------------------------------------------------------- the rule for each teacher

GRID = {"student_size": [20, 40]}


@pytest.mark.parametrize(
    "use",
    [
        lambda model, X, y: model.fit(X, y),
        lambda model, X, y: clone(clone(model)).fit(X, y),
        lambda model, X, y: copy.copy(model).set_params(teacher=list(model.teacher)).fit(X, y),
        lambda model, X, y: cross_val_score(model, X, y, cv=3),
        lambda model, X, y: GridSearchCV(model, GRID, cv=2).fit(X, y),
        lambda model, X, y: GridSearchCV(
            model, {"teacher": [[FrozenEstimator(each) for each in model.teacher]]}, cv=2
        ).fit(X, y),
        lambda model, X, y: make_pipeline(FunctionTransformer(), model).fit(X, y).predict(X),
    ],
    ids=["fit", "clone", "set_params", "cross_val_score", "grid", "grid over teachers", "pipeline"],
)
def test_fitted_teachers_of_a_list_are_never_refitted(use, fitted, data):
    """However the estimator is cloned and searched, the fitted teachers are fitted zero times."""
    use(distilled(fitted), *data)
    assert CountingClassifier.fits == 0


def test_each_teacher_follows_the_rule_on_its_own(fitted, data):
    """Fitted and frozen teachers are kept by reference, also by a clone; recipes are cloned and fitted once."""
    recipe, frozen = CountingClassifier(random_state=0), FrozenEstimator(fitted[1])
    given = [("a", fitted[0]), ("b", recipe), frozen]
    model = clone(distilled(given)).fit(*data)
    models = model.teacher_.models
    assert list(models) == ["a", "b", "frozenestimator"]
    assert models["a"] is fitted[0]
    assert models["frozenestimator"] is frozen
    assert CountingClassifier.fits == 1
    assert not hasattr(recipe, "tree_")
    assert models["b"] is not recipe
    assert given == [("a", fitted[0]), ("b", recipe), frozen]


def test_a_list_shows_no_parameters(fitted):
    """No ``teacher__*`` is listed for a list, and setting one is an error that changes nothing."""
    for teachers in (fitted, [*fitted, CountingClassifier()]):
        model = distilled(teachers)
        assert not [name for name in model.get_params() if name.startswith("teacher__")]
        with pytest.raises(ValueError, match="cannot set teacher__a__max_depth: the teacher is a list"):
            model.set_params(teacher__a__max_depth=1, temperature=2.0)
        assert model.temperature == 1.0


def test_unfitted_teachers_in_a_grid_are_announced(fitted, data):
    """A search clones lists of a grid, too, which unfits their members: the warning is that for one teacher."""
    with pytest.warns(TeacherWarning, match="will be fitted in each fit"):
        GridSearchCV(distilled(fitted), {"teacher": [fitted]}, cv=2, refit=False).fit(*data)


@pytest.mark.thinned(2)
@pytest.mark.parametrize("copier", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
@pytest.mark.parametrize("weights", [None, "region"])
def test_copies_and_pickles_of_several_predict_alike(copier, weights, data):
    """A copy asks and predicts like the original, and is shown like it."""
    X, y = data
    model = distilled([DecisionTreeClassifier(), SVC()], teacher_weights=weights).fit(X, y)
    twin = copier(model)
    np.testing.assert_array_equal(twin.predict_proba(X), model.predict_proba(X))
    np.testing.assert_array_equal(twin.soft_targets(X), model.soft_targets(X))
    assert repr(twin) == repr(model)
    assert "SVC" in model._repr_html_()


def test_several_is_one_teacher_with_their_mean(fitted, data):
    """A list, ``as_teacher`` of it and a function that averages give the same student."""
    X, y = data
    models = [
        distilled(teacher, teacher_weights=weights).fit(X, y)
        for teacher, weights in (
            (fitted, [1, 3]),
            (as_teacher(fitted, teacher_weights=[1, 3]), None),
            (lambda X: 0.25 * fitted[0].predict_proba(X) + 0.75 * fitted[1].predict_proba(X), None),
        )
    ]
    for other in models[1:]:
        np.testing.assert_allclose(models[0].predict_proba(X), other.predict_proba(X), atol=1e-9)
    assert models[0].fidelity(X) == pytest.approx(models[2].fidelity(X))
    np.testing.assert_allclose(models[0].teacher_weights_, [0.25, 0.75])


def test_teachers_may_see_other_columns_and_kinds_of_columns():
    """A teacher of texts and one of numbers share a table."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"kind": rng.choice(["a", "b"], 60), "size": rng.normal(size=60)})
    y = X["size"] + (X["kind"] == "a")
    of_size = make_pipeline(make_column_transformer(("passthrough", ["size"])), LinearRegression()).fit(X, y)
    model = DistilledRegressor(
        [of_size, lambda rows: (np.asarray(rows["kind"]) == "a").astype(float)],
        "boosting",
        sampler=None,
        random_state=0,
    ).fit(X)
    assert model.fidelity(X) > 0.9


def test_margins_are_scaled_before_they_are_averaged(data):
    """A teacher of margins counts as if it were distilled alone: its margins are scaled by the true labels."""
    X, y = data
    machine = SVC().fit(X, y)
    model = distilled([machine, LogisticRegression(max_iter=1000).fit(X, y)], teacher_weights=[1, 0]).fit(X, y)
    np.testing.assert_allclose(model.soft_targets(X), distilled(machine).fit(X, y).soft_targets(X))


def test_rows_that_scale_margins_are_counted(data):
    """``n_queries`` is the number of rows that each teacher has labelled, scaling its margins included."""
    X, y = data
    counting = CountingClassifier(2, random_state=0).fit(X, y)
    for others in ([LogisticRegression(max_iter=1000)], [SVC()]):
        CountingClassifier.rows_asked = 0
        model = distilled([counting, *(each.fit(X, y) for each in others)]).fit(X, y)
        n_scaled = len(X) if isinstance(others[0], SVC) else 0
        assert model.transfer_set_.n_queries == CountingClassifier.rows_asked + n_scaled


# ---------------------------------------------------------------------- weights


def test_loss_weights_prefer_the_better_teacher(data):
    """Without a fitted teacher, teachers are compared out of fold: one that has memorised its rows gains nothing."""
    X, y = data
    rng = np.random.default_rng(0)
    noisy = np.where(rng.random(len(y)) < 0.4, rng.permutation(y), y)
    teachers = [KNeighborsClassifier(1), LogisticRegression(max_iter=1000)]
    model = distilled(teachers, teacher_weights="loss").fit(X, noisy)
    assert model.teacher_.models["kneighborsclassifier"].score(X, noisy) > 0.9
    assert model.teacher_weights_[1] > 0.7


@pytest.mark.parametrize("weights", ["loss", "region"])
def test_weights_do_not_depend_on_chunks_jobs_or_repetition(weights, data):
    """The same seed gives the same weights and the same student, with any folds of the user as well."""
    X, y = data
    first, second = (
        distilled(
            [DecisionTreeClassifier(), SVC()],
            teacher_weights=weights,
            teacher_cv=KFold(3, shuffle=True, random_state=0),
            **kw,
        ).fit(X, y)
        for kw in ({}, {"chunk_size": 7, "n_jobs": 2})
    )
    np.testing.assert_array_equal(first.teacher_weights_, second.teacher_weights_)
    np.testing.assert_array_equal(first.predict_proba(X), second.predict_proba(X))


def test_regions_beat_fixed_weights_where_teachers_know_parts():
    """Teachers that are right in one half of the table each are combined by region, from rows with true labels."""
    rng = np.random.default_rng(0)
    X, X_val = rng.normal(size=(200, 2)), rng.normal(size=(300, 2))

    def fit(weights):
        model = DistilledRegressor(
            [("below", lambda rows: -rows[:, 0] * 2), ("above", lambda rows: rows[:, 0])],
            "boosting",
            teacher_weights=weights,
            sampler=None,
            random_state=0,
        )
        return model.fit(X, X_val=X_val, y_val=np.where(X_val[:, 0] < 0, -2, 1) * X_val[:, 0])

    truth = np.where(X[:, 0] < 0, -2, 1) * X[:, 0]
    errors = {weights: ((fit(weights).soft_targets(X) - truth) ** 2).mean() for weights in (None, "loss", "region")}
    assert 5 * errors["region"] < errors["loss"] < errors[None]


def test_rows_of_y_val_are_what_fitted_teachers_are_compared_on(fitted, data):
    """A teacher that is right on ``X_val`` has all the weight, whatever it says about ``X``; the rows are counted."""
    X, y = data
    first = np.arange(len(X)) % 2 == 0
    right = as_teacher(DecisionTreeClassifier().fit(X[first], y[first]))
    wrong = as_teacher(lambda rows: np.full((len(rows), 3), 1 / 3), classes=np.unique(y))
    model = distilled([wrong, right], teacher_weights="loss").fit(X[~first], X_val=X[first], y_val=y[first])
    np.testing.assert_allclose(model.teacher_weights_, [0, 1], atol=1e-6)
    n_alone = distilled([wrong, right]).fit(X[~first], X_val=X[first]).transfer_set_.n_queries
    assert model.transfer_set_.n_queries == n_alone + np.count_nonzero(first)


def test_budget_includes_rows_that_weights_need(data):
    """``max_queries`` holds with weights by loss and with margins, which are scaled by rows of ``X``."""
    X, y = data
    teachers = [SVC().fit(X, y), DecisionTreeClassifier(max_depth=3).fit(X, y)]
    model = distilled(teachers, teacher_weights="loss", max_queries=160)
    model.fit(X[::2], y[::2], X_val=X[1::2], y_val=y[1::2])
    assert model.transfer_set_.n_queries <= 160
    assert model.transfer_set_.n_real == 75


def test_budget_of_out_of_fold_labels_covers_all_rows(data):
    """With ``teacher_cv``, rows that scale margins are those that the budget leaves; none are an error."""
    X, y = data
    model = distilled([SVC(), DecisionTreeClassifier(max_depth=2)], teacher_cv=3, max_queries=160).fit(X, y)
    assert model.transfer_set_.n_queries <= 160
    with pytest.raises(TeacherError, match=r"max_queries=150 leaves no rows that scale the margins of \['svc'\]"):
        model.set_params(max_queries=150).fit(X, y)


def test_out_of_fold_labels_are_the_mean_of_all_recipes(data):
    """With ``teacher_cv``, each fold is labelled by all recipes, fitted on the other folds."""
    X, y = data
    folds = KFold(3, shuffle=True, random_state=0)
    recipes = [DecisionTreeClassifier(max_depth=2, random_state=0), KNeighborsClassifier(3)]
    seen = []

    class Recorder(DecisionTreeRegressor):
        def fit(self, X, y, sample_weight=None):
            seen.append(np.asarray(y))
            return super().fit(X, y, sample_weight)

    DistilledRegressor(
        [Ridge(), KNeighborsRegressor(3)], Recorder(), sampler=None, teacher_cv=folds, teacher_weights=[1, 3]
    ).fit(X, X[:, 0])
    expected = np.zeros(len(X))
    for fitted_on, left_out in folds.split(X):
        for share, recipe in ((0.25, Ridge()), (0.75, KNeighborsRegressor(3))):
            expected[left_out] += share * recipe.fit(X[fitted_on], X[fitted_on, 0]).predict(X[left_out])
    np.testing.assert_allclose(seen[-1], expected)
    assert distilled(recipes, teacher_cv=folds).fit(X, y).fidelity(X) > 0.5


# ---------------------------------------------------------------------- the store


def test_each_teacher_has_its_own_answers_in_the_store(fitted, data, tmp_path):
    """Other weights, another order and one more teacher query no teacher for rows that it has labelled."""
    X, y = data
    memory = joblib.Memory(tmp_path, verbose=0)

    def n_asked(teachers, **params):
        CountingClassifier.rows_asked = 0
        distilled(teachers, memory=memory, **params).fit(X, y)
        return CountingClassifier.rows_asked

    most = 60  # rows by which a teacher of the user's own class is recognised and checked
    assert n_asked(fitted) >= 2 * len(X)
    assert n_asked(fitted, teacher_weights=[1, 4]) <= 2 * most
    assert n_asked(fitted[::-1]) <= 2 * most
    third = CountingClassifier(1, random_state=0).fit(X, y)
    assert len(X) <= n_asked([*fitted, third]) <= len(X) + 3 * most
    assert n_asked([third]) <= most


def test_names_recognise_each_teacher(data, tmp_path):
    """``teacher_id`` needs the names of the list, by which each is found again."""
    X, _ = data
    pairs = [("a", lambda X: X[:, 0] * 1.0), ("b", lambda X: X[:, 1] * 1.0)]
    params = {"sampler": None, "random_state": 0, "memory": joblib.Memory(tmp_path, verbose=0), "teacher_id": "v1"}
    model = DistilledRegressor(pairs, "tree", **params).fit(X)
    again = DistilledRegressor(pairs[::-1], "tree", **params).fit(X)
    np.testing.assert_allclose(model.predict(X), again.predict(X))
    with pytest.raises(TeacherError, match=r"teacher_id='v1' with teachers without names"):
        DistilledRegressor([each for _, each in pairs], "tree", **params).fit(X)


@pytest.mark.parametrize("n_repeats", [1, 4])
def test_random_teachers_are_averaged_each(n_repeats, data):
    """Teachers that are random are noticed in a list, too, and each is queried ``n_repeats`` times."""
    X, _ = data
    rng, calls = np.random.default_rng(0), []

    def noisy(rows):
        calls.append(len(rows))
        return rows[:, 0] + rng.normal(size=len(rows))

    model = DistilledRegressor(
        [noisy, LinearRegression().fit(X, X[:, 1])], "tree", sampler=None, n_repeats=n_repeats, random_state=0
    )
    if n_repeats == 1:
        with pytest.warns(TeacherWarning, match="TeacherEnsemble returned other outputs for the same rows"):
            model.fit(X)
    else:
        model.fit(X)
    assert calls.count(len(X)) >= n_repeats
    assert model.transfer_set_.teacher_noise > 0


# ---------------------------------------------------------------------- disagreement


def test_disagreement_is_there_for_each_row_and_in_the_report(data):
    """It is 0 where the teachers say the same and positive elsewhere, and the report has a line about it."""
    X, _ = data
    half = np.arange(len(X)) < 75
    one = as_teacher(lambda rows: rows[:, 0] * 1.0)
    two = as_teacher(lambda rows: rows[:, 0] + (rows[:, 1] > 3))
    model = DistilledRegressor([("one", one), ("two", two)], "tree", sampler=None, random_state=0).fit(X)
    differ = X[:, 1] > 3
    assert (model.teacher_disagreement_[~differ] == 0).all()
    expected = 0.5 / model.soft_targets(X).var()
    np.testing.assert_allclose(model.teacher_disagreement_[differ], expected)
    notes = report(model, X, timing=False).notes
    assert any(note.startswith("2 teachers (one 0.50, two 0.50): on the rows of X") for note in notes)
    alone = DistilledRegressor(one, "tree", sampler=None, random_state=0).fit(X[half])
    assert not hasattr(alone, "teacher_disagreement_")
    assert not hasattr(alone, "teacher_weights_")


def test_refitting_with_one_teacher_forgets_the_weights(fitted, data):
    """Attributes of several teachers do not survive a fit with one."""
    model = distilled(fitted).fit(*data)
    model.set_params(teacher=fitted[0]).fit(*data)
    assert not hasattr(model, "teacher_weights_")


# ---------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("teacher", "params", "error", "message"),
    [
        ([], {}, TeacherError, "DistilledClassifier: got an empty list of teachers"),
        (
            "two",
            {"teacher_weights": [1, -1]},
            ValueError,
            "expected one number of at least 0 for each of the 2 teachers",
        ),
        ("two", {"teacher_weights": [1]}, ValueError, "expected one number of at least 0 for each of the 2 teachers"),
        ("two", {"teacher_weights": [0, 0]}, ValueError, "not all of them 0"),
        ("two", {"teacher_weights": [np.nan, 1]}, ValueError, "not all of them 0"),
        ("two", {"teacher_weights": "Loss"}, ValueError, "expected 'loss' or 'region', a number for each teacher"),
        ("one", {"teacher_weights": [1]}, ValueError, "with one teacher; expected a list"),
        ("two", {"teacher_weights": "loss"}, TeacherError, "may have seen X. Pass rows .* as X_val and y_val"),
        ("mixed", {"teacher_weights": "region"}, TeacherError, "some of them are fitted and may have seen X"),
        ("two", {"teacher_cv": 3}, TeacherError, r"needs unfitted teachers, but \['a', 'b'\] are already fitted"),
        ("recipes", {"teacher_cv": "oob"}, TeacherError, "expected folds"),
        ("recipes", {"teacher_id": "x"}, TeacherError, "names a fitted teacher"),
    ],
)
def test_bad_lists_and_weights(teacher, params, error, message, fitted, data):
    """What cannot be used is refused before anything is fitted or queried, and nothing is set."""
    recipes = [CountingClassifier(), CountingClassifier()]
    given = {
        "one": fitted[0],
        "two": list(zip("ab", fitted, strict=True)),
        "mixed": [fitted[0], recipes[0]],
        "recipes": recipes,
    }
    model = distilled(given[teacher] if isinstance(teacher, str) else teacher, **params)
    with pytest.raises(error, match=message):
        model.fit(*data)
    assert not [name for name in vars(model) if name.endswith("_") and not name.startswith("_")]


@pytest.mark.parametrize("weights", ["loss", "region"])
def test_weights_by_loss_need_labels_and_rows(weights, fitted, data):
    """Without true labels, with too few of them, or with others than the teachers know, weights are not found."""
    X, y = data
    model = distilled(fitted, teacher_weights=weights)
    with pytest.raises(ValueError, match="compares the teachers with true labels, but y is None"):
        model.fit(X)
    with pytest.raises(ValueError, match=r"needs at least 30 labelled rows .* but X_val with y_val has 9"):
        model.fit(X, X_val=X[:9], y_val=y[:9])
    with pytest.raises(ValueError, match="y has labels that the teachers do not know"):
        model.fit(X, X_val=X, y_val=np.where(y == "setosa", "other", y))
    with pytest.raises(ValueError, match="requires y to be passed"):
        distilled([DecisionTreeClassifier()], teacher_weights=weights).fit(X)


def test_teachers_that_disagree_on_their_outputs(data):
    """Other classes are refused before any query, other numbers of outputs when the teachers answer."""
    X, y = data
    teachers = [DecisionTreeClassifier().fit(X, y), DecisionTreeClassifier().fit(X, np.where(y == "setosa", "x", y))]
    with pytest.raises(TeacherError, match=r"only the first: \['setosa'\]; only decisiontreeclassifier-2: \['x'\]"):
        distilled(teachers).fit(X, y)
    values = DistilledRegressor([lambda X: X[:, 0], lambda X: X[:, :2]], "tree", sampler=None)
    with pytest.raises(TeacherError, match=r"returns outputs of shape \(150, 2\), and the teacher"):
        values.fit(X)
