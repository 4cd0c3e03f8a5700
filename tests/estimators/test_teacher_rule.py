"""A fitted teacher is kept by reference and never refitted or changed; an unfitted one is a recipe."""

import copy
import pickle

import numpy as np
import pytest
import sklearn
from helpers import CountingClassifier, dataset
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV, HalvingGridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from skdistill import DistilledClassifier, DistilledRegressor, as_teacher
from skdistill.exceptions import TeacherWarning


@pytest.fixture
def data():
    return dataset("three classes")


@pytest.fixture
def teacher(data):
    fitted = CountingClassifier(random_state=0).fit(*data)
    CountingClassifier.fits = 0
    return fitted


def distilled(teacher, **params):
    return DistilledClassifier(
        teacher, DecisionTreeClassifier(random_state=0), n_synthetic=2.0, random_state=0, **params
    )


GRID = {"student__max_leaf_nodes": [2, 8]}


@pytest.mark.parametrize(
    "use",
    [
        lambda model, X, y: model.fit(X, y),
        lambda model, X, y: clone(model).fit(X, y),
        lambda model, X, y: cross_val_score(model, X, y, cv=3),
        lambda model, X, y: GridSearchCV(model, GRID, cv=2).fit(X, y),
        lambda model, X, y: HalvingGridSearchCV(model, GRID, cv=2, random_state=0).fit(X, y),
        lambda model, X, y: (
            make_pipeline(FrozenEstimator(StandardScaler(with_mean=False, with_std=False).fit(X)), model)
            .fit(X, y)
            .predict(X)
        ),
        lambda model, X, y: GridSearchCV(
            make_pipeline(StandardScaler(with_mean=False, with_std=False), model),
            {f"distilledclassifier__{name}": values for name, values in GRID.items()},
            cv=2,
        ).fit(X, y),
    ],
    ids=["fit", "clone", "cross_val_score", "grid", "halving", "pipeline", "grid over pipeline"],
)
def test_fitted_teacher_is_never_refitted(use, teacher, data):
    """However the estimator is cloned and searched, the fitted teacher is fitted zero times."""
    use(distilled(teacher), *data)
    assert CountingClassifier.fits == 0


def test_fitted_teacher_is_kept_by_reference(teacher, data):
    """The clone and the fitted attribute are the caller's very object, not a copy."""
    model = clone(clone(distilled(teacher)))
    assert model.teacher is teacher
    assert model.fit(*data).teacher_ is teacher


def test_cloning_never_copies_a_fitted_teacher(teacher):
    """Not even on the way: a large model would be copied once for every fit of a search."""

    class Heavy(CountingClassifier):
        def __sklearn_clone__(self):
            raise AssertionError("the teacher was cloned")

        def __deepcopy__(self, memo):
            raise AssertionError("the teacher was copied")

    heavy = Heavy()
    heavy.__dict__.update(teacher.__dict__)
    assert clone(distilled(heavy)).teacher is heavy


def test_recipe_is_cloned_and_fitted(data):
    """An unfitted teacher is fitted as a clone; the caller's object stays unfitted."""
    recipe = CountingClassifier(random_state=0)
    CountingClassifier.fits = 0
    model = distilled(recipe).fit(*data)
    assert CountingClassifier.fits == 1
    assert not hasattr(recipe, "tree_")
    assert model.teacher_ is not recipe
    assert clone(model).teacher is not recipe


def test_frozen_teacher_is_respected(teacher, data):
    """``FrozenEstimator`` is a fitted teacher, also as the value of a grid."""
    other = CountingClassifier(max_depth=1, random_state=0).fit(*data)
    CountingClassifier.fits = 0
    grid = {"teacher": [FrozenEstimator(teacher), FrozenEstimator(other)]}
    search = GridSearchCV(distilled(FrozenEstimator(teacher)), grid, cv=2).fit(*data)
    assert CountingClassifier.fits == 0
    assert search.best_params_["teacher"].estimator is teacher


def test_unfrozen_teachers_in_a_grid_are_recipes(teacher, data):
    """A search clones the values of its grid, which unfits them: a warning names the two ways to keep the fit."""
    with pytest.warns(
        TeacherWarning, match=r"will be fitted in each fit.*FrozenEstimator\(model\) or as_teacher\(model\)"
    ):
        GridSearchCV(distilled(teacher), {"teacher": [teacher, clone(teacher)]}, cv=2, refit=False).fit(*data)
    assert CountingClassifier.fits == 4


def test_fitted_teacher_shows_no_parameters(teacher):
    """No ``teacher__*`` is listed for a fitted teacher; they are for a recipe."""
    assert "teacher__max_depth" not in distilled(teacher).get_params()
    assert "teacher__max_depth" in distilled(clone(teacher)).get_params()


@pytest.mark.parametrize("wrap", [lambda teacher: teacher, FrozenEstimator], ids=["fitted", "frozen"])
def test_setting_a_parameter_of_a_fitted_teacher_is_an_error(wrap, teacher):
    """Nothing can change the caller's model through the estimator, and a refused call changes nothing else."""
    model = distilled(wrap(teacher))
    with pytest.raises(ValueError, match=r"cannot set teacher__max_depth: the teacher .* is fitted"):
        model.set_params(temperature=3.0, teacher__max_depth=1)
    assert teacher.max_depth == 4
    assert model.temperature == 1.0


def test_recipe_parameters_can_be_searched(data):
    """A recipe's parameters are parameters like any others."""
    model = distilled(CountingClassifier(random_state=0)).set_params(teacher__max_depth=2)
    assert model.fit(*data).teacher_.max_depth == 2


def test_fitted_teacher_keeps_its_random_state(data):
    """Searches seed every ``random_state`` they see; the caller's model is not among them."""
    from sklearn.ensemble import BaggingClassifier

    X, y = data
    codes = np.unique(y, return_inverse=True)[1]
    forest = RandomForestClassifier(3, random_state=None).fit(X, codes)
    BaggingClassifier(distilled(forest), n_estimators=2, random_state=0).fit(X, codes)
    assert forest.random_state is None


@pytest.mark.parametrize("with_callbacks", [False, True])
def test_clone_keeps_what_scikit_learn_keeps(with_callbacks, teacher):
    """Metadata requests, and callbacks where scikit-learn has them, survive ``clone`` as for any estimator."""
    model = distilled(teacher)
    with sklearn.config_context(enable_metadata_routing=True):
        model.set_fit_request(sample_weight=True, X_unlabeled=True)
        request = clone(model).get_metadata_routing().fit.requests
        assert request["sample_weight"] is True
        assert request["X_unlabeled"] is True
    if with_callbacks:
        model._skl_callbacks = ["a callback"]
        recipe = distilled(clone(teacher))
        recipe._skl_callbacks = model._skl_callbacks
        expected = getattr(clone(recipe), "_skl_callbacks", None)
        assert getattr(clone(model), "_skl_callbacks", None) == expected


def test_clone_of_nested_parameters_is_independent(teacher):
    """Only the teacher is shared by a clone; student and sampler are cloned."""
    model = distilled(teacher)
    twin = clone(model).set_params(student__max_leaf_nodes=3)
    assert model.student.max_leaf_nodes is None
    assert twin.student is not model.student


@pytest.mark.parametrize("copier", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_copies_and_pickles_predict_alike(copier, teacher, data):
    """A deep copy and a pickle of a fitted model predict what it predicts."""
    X, y = data
    model = distilled(teacher).fit(X, y)
    np.testing.assert_array_equal(copier(model).predict_proba(X), model.predict_proba(X))


def test_bound_method_is_not_copied(teacher, data):
    """``clone`` deep-copies a bound method and its owner with it; here it is kept by reference."""
    X, y = data
    model = clone(distilled(teacher.predict_proba))
    assert model.teacher.__self__ is teacher
    assert model.fit(X, y).classes_.tolist() == ["setosa", "versicolor", "virginica"]


def test_adapted_teacher_is_a_fitted_teacher(teacher, data):
    """What ``as_teacher`` returns is used as it is."""
    adapted = as_teacher(teacher)
    model = clone(distilled(adapted)).fit(*data)
    assert model.teacher_ is teacher
    assert CountingClassifier.fits == 0


@pytest.mark.parametrize("cls", [DistilledClassifier, DistilledRegressor])
def test_class_instead_of_object(cls, data):
    """A class is no teacher."""
    with pytest.raises(ValueError, match="got the class RandomForestClassifier as a teacher; expected an object"):
        cls(RandomForestClassifier).fit(*data if cls is DistilledClassifier else dataset("regression"))


def test_same_seed_same_model_for_any_chunk_size_and_jobs(teacher, data):
    """The result depends on ``random_state`` and on nothing else, though neither student nor sampler has a seed."""
    X, y = data
    first, second = (
        DistilledClassifier(teacher, random_state=7, chunk_size=chunk, n_jobs=n_jobs, n_synthetic=3.0)
        .fit(X, y)
        .predict_proba(X)
        for chunk, n_jobs in [(7, None), (10_000, 2)]
    )
    np.testing.assert_array_equal(first, second)


def test_random_recipe_is_reproducible(data):
    """Also the recipe is seeded, so that the whole model is reproducible."""
    X, y = data
    first, second = (
        DistilledClassifier(RandomForestClassifier(3), "linear", n_synthetic=2.0, random_state=0)
        .fit(X, y)
        .predict_proba(X)
        for _ in range(2)
    )
    np.testing.assert_array_equal(first, second)
