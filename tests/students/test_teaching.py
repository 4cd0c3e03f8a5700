"""How soft targets reach any scikit-learn estimator, each way proven on real data."""

import warnings

import numpy as np
import pandas as pd
import pytest
import sklearn
from helpers import dataset
from hypothesis import given, settings
from hypothesis import strategies as st
from lightgbm import LGBMClassifier
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
)
from sklearn.feature_selection import SelectKBest
from sklearn.frozen import FrozenEstimator
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LinearRegression, LogisticRegression, Perceptron, Ridge, RidgeClassifier
from sklearn.multioutput import MultiOutputRegressor
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR, LinearSVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from sklearn.utils.validation import check_is_fitted

from skdistill.exceptions import StudentError
from skdistill.metrics import agreement, fidelity
from skdistill.students import CompactBoostingClassifier, _completion, teach_classifier, teach_regressor
from skdistill.students._teaching import _draw_labels, _draw_rows, _one_row_per_class

X, Y = load_digits(return_X_y=True)
X = X / 16
FOREST = RandomForestClassifier(50, min_samples_leaf=3, random_state=0).fit(X[:900], Y[:900])
PROBA = FOREST.predict_proba(X)
ONES = np.ones(900)


def taught(student, proba=PROBA[:900], weight=ONES, **options):
    return teach_classifier(
        student,
        X[: len(proba)],
        proba,
        classes=FOREST.classes_,
        sample_weight=weight,
        rng=np.random.RandomState(0),
        **options,
    )


@pytest.mark.parametrize(
    ("student", "floor"),
    [
        (CompactBoostingClassifier(20, 8), 0.75),
        (DecisionTreeClassifier(max_leaf_nodes=60), 0.4),
        (LogisticRegression(max_iter=300), 0.75),
        (HistGradientBoostingClassifier(max_iter=6), 0.6),
        (LGBMClassifier(n_estimators=15, verbosity=-1, n_jobs=1), 0.6),
        (KNeighborsClassifier(10), 0.5),
        (MLPClassifier(hidden_layer_sizes=(50,), max_iter=30), 0.7),
        (MLPRegressor(hidden_layer_sizes=(50,), max_iter=30), 0.6),
        (Ridge(), 0.5),
        (RidgeClassifier(), 0.3),
        (make_pipeline(StandardScaler(), PCA(20), LogisticRegression()), 0.7),
        (make_pipeline(SelectKBest(k=40), CompactBoostingClassifier(20, 8)), 0.7),
        pytest.param(
            make_pipeline(PCA(20), MLPRegressor(hidden_layer_sizes=(50,), max_iter=30)), 0.6, marks=pytest.mark.slow
        ),
    ],
    ids=lambda value: "-".join(type(step).__name__ for _, step in value.steps) if hasattr(value, "steps") else None,
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore:X does not have valid feature names:UserWarning")
@pytest.mark.filterwarnings("ignore:Features .* are constant:UserWarning")
@pytest.mark.filterwarnings("ignore:invalid value encountered in divide:RuntimeWarning")
def test_every_way_teaches(student, floor):
    """On rows the student has not seen it follows the teacher, and is complete."""
    fitted = taught(student)
    proba = fitted.predict_proba(X[900:])
    np.testing.assert_array_equal(fitted.classes_, FOREST.classes_)
    np.testing.assert_allclose(proba.sum(axis=1), 1, atol=1e-6)
    assert fidelity(PROBA[900:], proba) > floor
    assert fitted.n_features_in_ == 64


def test_soft_targets_teach_more_than_labels():
    """The point of it all: a tree taught probabilities follows the teacher better than one taught its labels."""
    tree = DecisionTreeClassifier(max_leaf_nodes=60, random_state=0)
    soft = taught(tree).predict_proba(X[900:])
    hard = tree.fit(X[:900], FOREST.predict(X[:900])).predict_proba(X[900:])
    assert fidelity(PROBA[900:], soft) > fidelity(PROBA[900:], hard)


@given(st.integers(0, 2**32 - 1), st.integers(2, 6), st.integers(2, 40))
@settings(max_examples=50, deadline=None)
def test_row_weights_survive_the_split_into_classes(seed, n_classes, n_rows):
    """Each row keeps its weight, every class keeps a row, and no class of weight is forgotten."""
    rng = np.random.default_rng(seed)
    proba = rng.dirichlet(np.full(n_classes, 0.1), size=n_rows)
    weight = rng.uniform(0.1, 3, size=n_rows)
    rows, columns, shares = _one_row_per_class(proba, weight)
    np.testing.assert_allclose(np.bincount(rows, shares, minlength=n_rows), weight)
    assert set(columns) == set(np.flatnonzero(proba.any(axis=0)))
    expected = (proba * weight[:, None]).sum(axis=0)
    np.testing.assert_allclose(np.bincount(columns, shares), expected, atol=2e-3 * weight.sum() * n_classes)


def test_certain_targets_repeat_nothing():
    """Where each row has one class, it is fitted once; the student has a copy of X, which it may write into."""
    seen = []

    class Tree(DecisionTreeClassifier):
        def fit(self, X, y, sample_weight=None):
            seen.append(X)
            return super().fit(X, y, sample_weight)

    rows = X[:900]
    proba = np.eye(10)[Y[:900]]
    teach_classifier(Tree(), rows, proba, classes=np.arange(10), sample_weight=ONES, rng=np.random.RandomState(0))
    np.testing.assert_array_equal(seen[0], rows)
    assert not np.shares_memory(seen[0], rows)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None)
def test_drawn_rows_keep_their_share(seed):
    """Each row is drawn its share of times, rounded up or down."""
    rng = np.random.RandomState(seed)
    weight = rng.uniform(0, 3, size=50)
    drawn = np.bincount(_draw_rows(weight, rng), minlength=50)
    share = weight / weight.sum() * 50
    assert np.all(drawn >= np.floor(share - 1e-9))
    assert np.all(drawn <= np.ceil(share + 1e-9))


def test_drawn_labels_follow_the_targets():
    """Labels are drawn with the probability they have, and never where it is zero."""
    proba = np.tile([0.7, 0.0, 0.3], (20_000, 1))
    rows, columns = _draw_labels(proba, np.ones(len(proba)), np.random.RandomState(0))
    np.testing.assert_array_equal(rows, np.arange(len(proba)))
    np.testing.assert_allclose(np.bincount(columns, minlength=3) / len(proba), [0.7, 0.0, 0.3], atol=0.02)


@pytest.mark.parametrize("student", [DecisionTreeClassifier(max_depth=3), Ridge(), KNeighborsClassifier(3)])
def test_weight_zero_is_no_row(student):
    """Rows of weight zero teach nothing, whichever way the student takes weights."""
    weight = (np.arange(900) < 500).astype(float)
    with_zeros = taught(student, weight=weight)
    poisoned = PROBA[:900].copy()
    poisoned[500:] = np.roll(poisoned[500:], 1, axis=1)
    np.testing.assert_allclose(
        taught(student, poisoned, weight).predict_proba(X[900:]), with_zeros.predict_proba(X[900:])
    )


@pytest.mark.parametrize("temperature", [0.5, 3.0])
@pytest.mark.parametrize("student", [Ridge(alpha=1e-6), CompactBoostingClassifier(60, 16), DecisionTreeClassifier()])
def test_predictions_are_at_temperature_one(student, temperature):
    """Whatever temperature a student was taught at, its probabilities are those of the teacher at 1."""
    from skdistill.targets import soften

    rng = np.random.RandomState(0)
    points = rng.uniform(-2, 2, size=(600, 1))
    proba = np.hstack([1 / (1 + np.exp(2 * points)), 1 / (1 + np.exp(-2 * points))])
    fitted = teach_classifier(
        student,
        points,
        soften(proba, temperature),
        classes=np.array([0, 1]),
        sample_weight=np.ones(600),
        rng=rng,
        temperature=temperature,
    )
    np.testing.assert_allclose(fitted.predict_proba(points), proba, atol=0.05)


def test_classes_a_student_never_saw_have_probability_zero():
    """Drawn labels may miss a class; the student knows it all the same."""
    proba = np.full((60, 3), [0.5, 0.5, 0.0])
    fitted = teach_classifier(
        KNeighborsClassifier(3),
        X[:60],
        proba,
        classes=np.array(["a", "b", "c"]),
        sample_weight=np.ones(60),
        rng=np.random.RandomState(0),
    )
    assert fitted.classes_.tolist() == ["a", "b", "c"]
    np.testing.assert_array_equal(fitted.predict_proba(X)[:, 2], 0)
    assert set(fitted.predict(X)) == {"a", "b"}


def test_student_with_margins_only_gets_fitted_probabilities():
    """A student without probabilities answers with its margins, scaled on the soft targets; labels stay its own."""
    fitted = taught(RidgeClassifier())
    np.testing.assert_array_equal(fitted.predict(X), fitted.estimator.predict(X))
    assert fitted.predict_proba(X).max() > 0.5
    assert taught(Perceptron()).predict_proba(X).shape == (len(X), 10)


def test_margins_are_scaled_on_rows_of_the_whole_table(monkeypatch):
    """Large tables are often sorted: the first rows do not speak for the others."""
    monkeypatch.setattr(_completion, "MAX_MARGIN_ROWS", 50)
    rows = np.random.RandomState(0).rand(400, 2)
    rows = rows[np.argsort(rows[:, 0])]
    second = 1 / (1 + np.exp(-8 * (rows[:, 1] - 0.5) * (rows[:, 0] > 0.3)))
    proba = np.column_stack([1 - second, second])
    fitted = teach_classifier(
        LinearSVC(), rows, proba, classes=np.arange(2), sample_weight=np.ones(400), rng=np.random.RandomState(0)
    )
    assert fidelity(proba, fitted.predict_proba(rows)) > 0.5


def test_student_with_labels_only():
    """A student with nothing but labels has certain probabilities."""

    class Labels(ClassifierMixin, BaseEstimator):
        def fit(self, X, y):
            self.tree_ = DecisionTreeClassifier(max_depth=3).fit(X, y)
            self.classes_ = self.tree_.classes_
            return self

        def predict(self, X):
            return self.tree_.predict(X)

    proba = taught(Labels()).predict_proba(X)
    assert set(np.unique(proba)) == {0.0, 1.0}


@pytest.mark.parametrize("student", [MLPRegressor(hidden_layer_sizes=(60,), max_iter=30), "boosting"])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_compressed_targets(student):
    """Ten classes taught as a code of six still make a classifier of ten classes that follows the teacher."""
    from skdistill.students import CompactBoostingRegressor

    student = CompactBoostingRegressor(30, 16) if student == "boosting" else student
    fitted = taught(student, target_compressor=PCA(6, random_state=0))
    proba = fitted.predict_proba(X[900:])
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    assert proba.shape == (len(X) - 900, 10)
    assert fidelity(PROBA[900:], proba) > 0.6


def test_compressed_values():
    """Values come back in the teacher's shape and scale."""
    rng = np.random.RandomState(0)
    values = 100 + X[:, :20] @ rng.normal(size=(20, 3)) @ rng.normal(size=(3, 50))
    fitted = teach_regressor(Ridge(), X, values, sample_weight=np.ones(len(X)), rng=rng, target_compressor=PCA(3))
    assert fitted.predict(X).shape == values.shape
    assert fidelity(values, fitted.predict(X)) > 0.99


@pytest.mark.parametrize("student", [SVR(), GaussianProcessRegressor(alpha=0.1)])
def test_regressors_of_one_output_or_without_weights(student):
    """Single-output students are fitted once an output; those without weights get rows by their weight."""
    Z, values = dataset("multi-output")
    weight = np.where(np.arange(len(Z)) < 75, 2.0, 0.5)
    fitted = teach_regressor(student, Z, values, sample_weight=weight, rng=np.random.RandomState(0))
    assert fitted.predict(Z).shape == values.shape
    heavy, light = (fidelity(values[rows], fitted.predict(Z[rows])) for rows in (weight > 1, weight < 1))
    assert heavy > max(light, 0.3)


@pytest.mark.parametrize("routing", [False, True])
def test_weights_reach_the_end_of_a_pipeline(routing):
    """Whether metadata routing is on or off."""
    Z, values = dataset("regression")
    weight = (np.arange(len(Z)) < 75).astype(float)
    with sklearn.config_context(enable_metadata_routing=routing):
        fitted = teach_regressor(
            make_pipeline(StandardScaler().fit(Z), LinearRegression()),
            Z,
            values,
            sample_weight=weight,
            rng=np.random.RandomState(0),
        )
    expected = LinearRegression().fit(Z[:75], values[:75]).predict(Z)
    np.testing.assert_allclose(fitted.predict(Z), expected)


@pytest.mark.parametrize("student", [Ridge(), LinearSVC(), KNeighborsClassifier(3)])
def test_what_is_shipped_is_an_estimator(student):
    """Inspection, calibration, pipelines and clone take a completed student as they take any fitted estimator."""
    fitted = taught(student, temperature=2.0)
    check_is_fitted(fitted)
    assert permutation_importance(fitted, X[:60], Y[:60], n_repeats=1, random_state=0).importances.shape == (64, 1)
    CalibratedClassifierCV(FrozenEstimator(fitted), cv=2).fit(X[:300], Y[:300])
    np.testing.assert_array_equal(clone(fitted).predict(X), fitted.predict(X))
    np.testing.assert_array_equal(Pipeline([("student", fitted)]).predict(X), fitted.predict(X))


@pytest.mark.parametrize("student", [SVC(), LinearSVC(), LogisticRegression(max_iter=300), KNeighborsClassifier(3)])
def test_a_class_the_teacher_never_gives(student):
    """A class of probability zero everywhere is known to the student and never predicted."""
    proba = np.hstack([PROBA[:300, :5] + PROBA[:300, 5:], np.zeros((300, 1))])
    fitted = teach_classifier(
        student, X[:300], proba, classes=np.arange(6), sample_weight=ONES[:300], rng=np.random.RandomState(0)
    )
    np.testing.assert_array_equal(fitted.classes_, np.arange(6))
    np.testing.assert_array_equal(fitted.predict_proba(X)[:, 5], 0)


def test_pairwise_margins_of_a_student_are_refused():
    """A student with a margin for each pair of classes is told what to set."""
    with pytest.raises(StudentError, match='Pass decision_function_shape="ovr"'):
        taught(SVC(decision_function_shape="ovo"), PROBA[:100], ONES[:100])


def test_pipeline_with_memory_and_soft_targets(tmp_path):
    """The fitted steps of a caching pipeline are those that predict; nested pipelines are taught softly, too."""
    boosting = CompactBoostingClassifier(20, 8)
    kept = Pipeline([("a", StandardScaler()), ("b", PCA(20)), ("c", boosting)], memory=str(tmp_path))
    nested = make_pipeline(StandardScaler(), make_pipeline(PCA(20), boosting))
    for student in (kept, nested):
        assert fidelity(PROBA[900:], taught(student).predict_proba(X[900:])) > 0.7


@pytest.mark.thinned(2)
@pytest.mark.parametrize(
    "student",
    [
        GradientBoostingRegressor(n_estimators=3),
        MultiOutputRegressor(HistGradientBoostingRegressor(max_iter=3)),
        MultiOutputRegressor(make_pipeline(StandardScaler(), Ridge())),
        MultiOutputRegressor(KNeighborsRegressor()),
        BaggingClassifier(KNeighborsClassifier(), n_estimators=2),
        CalibratedClassifierCV(KNeighborsClassifier(), cv=2),
        AdaBoostClassifier(DecisionTreeClassifier(max_depth=8), n_estimators=3),
    ],
    ids=lambda student: f"{type(student).__name__}-{type(getattr(student, 'estimator', None)).__name__}",
)
@pytest.mark.parametrize("routing", [False, True])
def test_wrapped_students_with_weights(student, routing):
    """Weights reach whoever fits inside a wrapper, or rows are drawn: wrong rows of hardly any weight do no harm."""
    is_right = np.arange(900) % 3 == 0
    proba = np.where(is_right[:, None], PROBA[:900], np.roll(PROBA[:900], 1, axis=1))
    with sklearn.config_context(enable_metadata_routing=routing):
        fitted = taught(student, proba, np.where(is_right, 1.0, 1e-4))
    assert agreement(FOREST.predict(X[900:]), fitted.predict(X[900:])) > 0.4


def test_the_callers_student_is_not_touched():
    """The student is cloned; its own random state and parameters stay."""
    student = DecisionTreeClassifier(max_depth=2)
    taught(student)
    assert not hasattr(student, "tree_")
    assert student.random_state is None


@pytest.mark.parametrize(
    ("student", "options", "match"),
    [
        ("tree", {}, "got 'tree' as a student; expected"),
        (DecisionTreeClassifier, {}, "as a student; expected"),
        (StandardScaler(), {}, "StandardScaler is no classifier and no regressor"),
        (DecisionTreeClassifier(), {"target_compressor": PCA(2)}, "is no regressor; pass"),
        (Ridge(), {"target_compressor": "pca"}, "got 'pca' as target_compressor, which has no fit"),
    ],
)
def test_students_that_cannot_be_taught(student, options, match):
    """What is no student is refused with what to pass."""
    with pytest.raises(StudentError, match=match):
        taught(student, **options)


def test_values_need_a_regressor():
    """Values cannot be taught to a classifier, and one output cannot be compressed."""
    arguments = {"sample_weight": ONES, "rng": np.random.RandomState(0)}
    with pytest.raises(StudentError, match="DecisionTreeClassifier is no regressor"):
        teach_regressor(DecisionTreeClassifier(), X[:900], ONES, **arguments)
    with pytest.raises(StudentError, match="needs a teacher of several outputs"):
        teach_regressor(DecisionTreeRegressor(), X[:900], ONES, target_compressor=PCA(1), **arguments)


def test_an_error_of_the_student_says_who_was_fitted():
    """The student's own error is raised, with a note of who was fitting what."""
    with pytest.raises(ValueError, match=r"n_estimators|max_depth") as caught:
        taught(DecisionTreeClassifier(max_depth=-1))
    assert "skdistill was fitting the student DecisionTreeClassifier" in caught.value.__notes__[0]


def test_no_warning_is_raised_on_the_way():
    """Teaching is silent, whichever way the student is taught."""
    with warnings.catch_warnings(record=True) as raised:
        warnings.simplefilter("always")
        for student in (DecisionTreeClassifier(max_depth=3), Ridge(), KNeighborsClassifier(3), RidgeClassifier()):
            taught(student)
    assert raised == []


@pytest.mark.parametrize("is_frame", [False, True])
@pytest.mark.parametrize("student", [RidgeClassifier(), Ridge(), LogisticRegression()])
def test_half_precision_of_rows_is_not_that_of_the_student(student, is_frame):
    """Rows of float16 teach the same coefficients as the same numbers of float32."""
    half = X[:200].astype(np.float16)
    rows = pd.DataFrame(half).rename(columns=str) if is_frame else half
    rng, options = np.random.RandomState(0), {"classes": FOREST.classes_, "sample_weight": ONES[:200]}
    first = teach_classifier(clone(student), rows, PROBA[:200], rng=rng, **options)
    second = teach_classifier(
        clone(student), rows.astype(np.float32), PROBA[:200], rng=np.random.RandomState(0), **options
    )
    np.testing.assert_allclose(first.predict_proba(rows), second.predict_proba(rows.astype(np.float32)), atol=1e-5)
