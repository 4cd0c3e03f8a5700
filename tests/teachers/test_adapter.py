"""One narrow interface over anything that predicts."""

import lightgbm
import numpy as np
import pandas as pd
import polars as pl
import pytest
from helpers import dataset
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.cluster import DBSCAN, KMeans
from sklearn.datasets import load_breast_cancer
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest, RandomForestClassifier, RandomForestRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Perceptron, Ridge, RidgeClassifier
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.neighbors import NearestNeighbors
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC, OneClassSVM
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

import skdistill
from skdistill import as_teacher
from skdistill.exceptions import TeacherError, TeacherOutputError, TeacherQueryError

X, Y = dataset("three classes")
CODES = np.unique(Y, return_inverse=True)[1]


@pytest.mark.parametrize(
    ("model", "method", "kind"),
    [
        (LogisticRegression(max_iter=500), "predict_proba", "proba"),
        (SVC(), "decision_function", "logit"),
        (LinearSVC(), "decision_function", "logit"),
        (RidgeClassifier(), "decision_function", "logit"),
        (Perceptron(), "decision_function", "logit"),
        (make_pipeline(StandardScaler(), SVC()), "decision_function", "logit"),
    ],
)
def test_best_method_is_found(model, method, kind):
    """Probabilities are asked before margins, margins before labels; the columns are the classes."""
    teacher = as_teacher(model.fit(X, Y))
    outputs = teacher.outputs(X)
    assert (teacher.response_method, teacher.output_kind) == (method, kind)
    assert outputs.shape == (len(X), 3)
    np.testing.assert_array_equal(teacher.classes_[outputs.argmax(axis=1)], model.predict(X))


@pytest.mark.parametrize("model", [SVC(), RidgeClassifier(), LogisticRegression()])
def test_binary_margins_are_two_columns(model):
    """A binary margin m becomes -m / 2 and m / 2, so that the winner is the predicted label."""
    two = CODES < 2
    model.fit(X[two], Y[two])
    teacher = as_teacher(model, "decision_function")
    outputs = teacher.outputs(X[two])
    np.testing.assert_allclose(outputs[:, 1] - outputs[:, 0], model.decision_function(X[two]))
    np.testing.assert_array_equal(teacher.classes_[outputs.argmax(axis=1)], model.predict(X[two]))


def test_labels_only():
    """A model with nothing but labels teaches certain targets."""

    class Rule(ClassifierMixin, BaseEstimator):
        classes_ = np.unique(Y)

        def predict(self, X):
            return np.where(X[:, 2] < 2, "setosa", "virginica")

    outputs = as_teacher(Rule()).outputs(X)
    assert set(np.unique(outputs)) == {0.0, 1.0}
    np.testing.assert_array_equal(outputs.sum(axis=1), 1)


def test_outlier_detectors_and_mixtures_and_clusterers():
    """Models without ``classes_`` number their groups."""
    assert as_teacher(IsolationForest(random_state=0).fit(X)).classes_.tolist() == [-1, 1]
    assert as_teacher(KMeans(4, random_state=0).fit(X)).classes_.tolist() == [0, 1, 2, 3]
    mixture = as_teacher(GaussianMixture(3, random_state=0).fit(X), task="classification")
    assert mixture.classes_.tolist() == [0, 1, 2]
    assert mixture.response_method == "predict_proba"
    piped = as_teacher(make_pipeline(StandardScaler(), KMeans(2, random_state=0)).fit(X), task="classification")
    assert piped.classes_.tolist() == [0, 1]


def test_transductive_clusterer_answers_for_its_own_rows_only():
    """A clusterer that cannot predict labels the rows it was fitted on, and says so for others."""
    teacher = as_teacher(DBSCAN(eps=0.8).fit(X))
    assert teacher.transductive
    np.testing.assert_array_equal(teacher.classes_[teacher.outputs(X).argmax(axis=1)], teacher.model.labels_)
    with pytest.raises(TeacherError, match=r"only has labels_ for the 150 rows .* got 10 other rows"):
        teacher.outputs(X[:10])


@pytest.mark.parametrize(
    ("model", "method", "shape"),
    [
        (IsolationForest(random_state=0), "score_samples", (150,)),
        (OneClassSVM(), "score_samples", (150,)),
        (GaussianMixture(2, random_state=0), "score_samples", (150,)),
        (PCA(2), "transform", (150, 2)),
        (IsolationForest(random_state=0), "decision_function", (150,)),
    ],
)
def test_scores_and_embeddings_are_values(model, method, shape):
    """For regression any method that returns numbers will do."""
    teacher = as_teacher(model.fit(X), method, task="regression")
    np.testing.assert_array_equal(teacher.outputs(X), getattr(model, method)(X))
    assert teacher.outputs(X).shape == shape
    assert teacher.output_kind == "value"


def test_transformer_needs_no_method_named():
    """A model that can only transform is asked to."""
    assert as_teacher(PCA(2).fit(X)).response_method == "transform"


def test_boosters():
    """A LightGBM booster knows numbers; labels are given."""
    params = {"verbosity": -1, "num_threads": 1}
    booster = lightgbm.train(params | {"objective": "multiclass", "num_class": 3}, lightgbm.Dataset(X, CODES), 3)
    np.testing.assert_allclose(as_teacher(booster, task="classification").outputs(X), booster.predict(X))
    assert as_teacher(booster, task="classification").classes_.tolist() == [0, 1, 2]
    assert as_teacher(booster, classes=["a", "b", "c"]).classes_.tolist() == ["a", "b", "c"]
    value = lightgbm.train(params, lightgbm.Dataset(X, X[:, 0]), 3)
    np.testing.assert_array_equal(as_teacher(value).outputs(X), value.predict(X))


class TestFunctions:
    """A plain function of X."""

    def test_floats_are_probabilities(self):
        """One-dimensional floats are the probability of the second class."""
        outputs = as_teacher(lambda X: np.full(len(X), 0.25), classes=["no", "yes"]).outputs(X)
        np.testing.assert_allclose(outputs[0], [0.75, 0.25])

    def test_other_answers_are_labels(self):
        """Anything else one-dimensional is labels, also a list."""
        outputs = as_teacher(lambda X: ["no"] * len(X), classes=["no", "yes"]).outputs(X)
        np.testing.assert_array_equal(outputs[0], [1, 0])

    def test_response_method_says_how_to_read(self):
        """Float labels and margins can be told apart by name."""
        labels = as_teacher(lambda X: np.full(len(X), 2.0), "predict", classes=[1.0, 2.0])
        np.testing.assert_array_equal(labels.outputs(X)[0], [0, 1])
        margins = as_teacher(lambda X: X[:, :3] * 10, "decision_function", classes=[0, 1, 2])
        np.testing.assert_array_equal(margins.outputs(X), X[:, :3] * 10)

    def test_unsorted_classes_are_sorted_with_their_columns(self):
        """Classes may be given in the order of the columns, whatever that is."""
        teacher = as_teacher(lambda X: np.tile([0.7, 0.2, 0.1], (len(X), 1)), classes=["c", "a", "b"])
        assert teacher.classes_.tolist() == ["a", "b", "c"]
        np.testing.assert_allclose(teacher.outputs(X)[0], [0.2, 0.1, 0.7])

    def test_values(self):
        """Without classes it is a regressor; a single column is no second dimension."""
        np.testing.assert_array_equal(as_teacher(lambda X: X[:, :1]).outputs(X), X[:, 0])

    def test_classes_must_be_known(self):
        """A classifier needs classes."""
        with pytest.raises(TeacherError, match=r"has no classes_\. Pass y to fit, or pass the classes"):
            as_teacher(lambda X: X, task="classification")


@pytest.mark.parametrize(
    ("function", "match"),
    [
        (lambda X: np.full((len(X), 2), np.nan), r"row 0 as \[nan, nan\]; expected finite numbers"),
        (lambda X: np.full((len(X), 2), 0.7), r"row 0 as \[0.7, 0.7\] \(150 such rows\); expected probabilities"),
        (lambda X: np.tile([1.5, -0.5], (len(X), 1)), "expected probabilities"),
        (lambda X: np.full((len(X), 3), 1 / 3), r"shape \(150, 3\); expected 2 columns"),
        (lambda X: np.ones((3, 2)), r"shape \(3, 2\) for 150 rows; expected one output per row"),
        (lambda X: np.ones((len(X), 2, 2)), "expected one output per row"),
        (lambda X: [np.ones((len(X), 2))] * 3, "a list of 3 arrays for 150 rows; expected one array"),
        (lambda X: np.full(len(X), "maybe"), "unknown labels .*maybe.*; known are"),
        (lambda X: np.full((len(X), 2), "a"), "expected real numbers"),
        (lambda X: None, "expected one output per row"),
    ],
    ids=["NaN", "sum", "negative", "width", "length", "3-D", "list", "labels", "text", "None"],
)
def test_nonsense_is_named(function, match):
    """A teacher that returns nonsense is told what it returned and what was expected."""
    with pytest.raises(TeacherOutputError, match=match):
        as_teacher(function, classes=["no", "yes"]).outputs(X)


def test_infinite_values_are_named():
    """Values must be finite."""
    with pytest.raises(TeacherOutputError, match=r"row 7 as inf; expected finite numbers"):
        as_teacher(lambda X: np.where(np.arange(len(X)) == 7, np.inf, 0.0)).outputs(X)


@pytest.mark.parametrize(
    ("model", "arguments", "match"),
    [
        (NearestNeighbors().fit(X), {"task": "classification"}, "NearestNeighbors has no suitable method"),
        (
            PCA().fit(X),
            {"response_method": "predict"},
            r"PCA has no predict; expected one of its methods \['transform', 'score_samples'\]",
        ),
        (Ridge().fit(X, CODES), {"task": "classification"}, "Ridge is a regressor; .* Use DistilledRegressor"),
        (
            RandomForestClassifier(2).fit(X, Y),
            {"task": "regression"},
            "predicts classes or .* Use DistilledClassifier",
        ),
        (RandomForestClassifier(2).fit(X, Y), {"response_method": "transform"}, "is not available for classification"),
        (RandomForestClassifier, {}, "got the class RandomForestClassifier"),
        (
            RandomForestClassifier(2).fit(X, np.c_[CODES, CODES]),
            {},
            "is a multi-output classifier with 2 outputs; expected one",
        ),
    ],
)
def test_unusable_teachers(model, arguments, match):
    """What cannot teach is refused with what it has and what to do."""
    with pytest.raises(TeacherError, match=match):
        as_teacher(model, **arguments)


@pytest.mark.parametrize("n_classes", [3, 4])
def test_one_against_one_margins_are_refused(n_classes):
    """Margins of pairs of classes are no margins of classes, also where there are as many of both."""
    rows, labels = (X, Y) if n_classes == 3 else (np.r_[X, X + 9], np.r_[Y, ["x"] * 150])
    svc = SVC(decision_function_shape="ovo")
    for model in (svc, make_pipeline(svc), GridSearchCV(make_pipeline(svc), {"svc__C": [1.0]}, cv=2)):
        with pytest.raises(TeacherOutputError, match='An SVC needs decision_function_shape="ovr"'):
            as_teacher(model.fit(rows, labels)).outputs(X)


def test_margins_made_of_pairwise_ones_are_margins():
    """A wrapper that asks a one-against-one machine for two classes at a time has a margin for each class."""
    model = OneVsRestClassifier(SVC(decision_function_shape="ovo")).fit(X, Y)
    outputs = as_teacher(model).outputs(X)
    np.testing.assert_array_equal(model.classes_[outputs.argmax(axis=1)], model.predict(X))


def test_one_column_is_the_probability_of_the_second_class():
    """Networks answer with a column; so may functions of labels."""
    column = as_teacher(lambda X: np.full((len(X), 1), 0.25), classes=["no", "yes"]).outputs(X)
    np.testing.assert_allclose(column[0], [0.75, 0.25])
    labels = as_teacher(lambda X: np.full((len(X), 1), "no"), classes=["no", "yes"]).outputs(X)
    np.testing.assert_array_equal(labels[0], [1, 0])


@pytest.mark.parametrize("model", [IsolationForest(), KMeans(2), GaussianMixture(2), OneClassSVM()])
def test_groups_are_no_values(model):
    """Numbers of groups are not regressed by accident; scores are, when named."""
    fitted = model.fit(X)
    with pytest.raises(TeacherError, match="predicts classes or clusters; expected values"):
        as_teacher(fitted, task="regression")


def test_frozen_and_piped_models_number_their_groups_too():
    """Whatever it is wrapped in, the model inside says its groups, and errors name it."""
    frozen = FrozenEstimator(make_pipeline(StandardScaler(), KMeans(3, random_state=0)).fit(X))
    assert as_teacher(frozen, task="classification").classes_.tolist() == [0, 1, 2]
    assert as_teacher(frozen, task="classification").name == "Pipeline(..., KMeans)"
    piped = make_pipeline(StandardScaler(), DBSCAN(eps=0.8)).fit(X)
    assert as_teacher(piped, task="classification").response_method == "labels_"


def test_transductive_teacher_knows_its_rows():
    """As many other rows, or the same in another order, are not labelled with the labels of its own."""
    teacher = as_teacher(DBSCAN(eps=0.8).fit(X))
    teacher.outputs(X)
    with pytest.raises(TeacherError, match="in their order"):
        teacher.outputs(X[::-1])


def test_classifier_probabilities_as_values():
    """A classifier's probabilities can be regression targets if asked for by name."""
    forest = RandomForestClassifier(3, random_state=0).fit(X, Y)
    outputs = as_teacher(forest, "predict_proba", task="regression").outputs(X)
    np.testing.assert_array_equal(outputs, forest.predict_proba(X))


def test_adapting_twice_is_adapting_once():
    """What is adapted stays; a contradiction is refused."""
    teacher = as_teacher(RandomForestRegressor(2, random_state=0).fit(X, CODES))
    assert as_teacher(teacher) is teacher
    with pytest.raises(TeacherError, match="is for regression; expected one for classification"):
        as_teacher(teacher, task="classification")
    with pytest.raises(TeacherError, match="already has a response_method"):
        as_teacher(teacher, "transform")


@pytest.mark.filterwarnings("ignore:X does not have valid feature names:UserWarning")
def test_lightgbm_never_sees_a_polars_frame_with_text():
    """Text in a polars frame aborts the process inside LightGBM: numbers are handed over, text is refused."""
    frame = pl.DataFrame(X, schema=list("abcd"))
    model = lightgbm.LGBMClassifier(n_estimators=2, verbosity=-1, n_jobs=1)
    teacher = as_teacher(model.fit(X, Y))
    np.testing.assert_array_equal(teacher.outputs(frame), teacher.outputs(X))
    with pytest.raises(TeacherQueryError, match=r"cannot read columns \['a'\] of a polars frame"):
        teacher.outputs(frame.with_columns(a=pl.lit("text")))


def test_frames_reach_the_model_as_they_are():
    """A pipeline that selects columns by name gets the frame."""
    seen = []

    def named(frame):
        seen.append(type(frame))
        return frame["a"].to_numpy()

    as_teacher(named).outputs(pd.DataFrame(X, columns=list("abcd")))
    assert seen == [pd.DataFrame]


def test_a_compiled_classifier_teaches_probabilities():
    """What ``compile`` returns is a teacher as good as what it was made from; of regressors it teaches values."""
    X, y = load_breast_cancer(return_X_y=True)
    tree = DecisionTreeClassifier(max_leaf_nodes=5, random_state=0).fit(X, y)
    teacher = as_teacher(skdistill.compile(tree))
    assert teacher.output_kind == "proba"
    np.testing.assert_allclose(teacher.outputs(X), tree.predict_proba(X), atol=1e-6)
    values = DecisionTreeRegressor(max_leaf_nodes=5, random_state=0).fit(X, X[:, 0])
    np.testing.assert_allclose(as_teacher(skdistill.compile(values)).outputs(X), values.predict(X), rtol=1e-5)
    assert not hasattr(skdistill.compile(values), "predict_proba")
