"""Every teacher with every student: it is followed; shapes, classes, sums, clones, pickles."""

import pickle

import lightgbm
import numpy as np
import pytest
from helpers import dataset
from sklearn.base import clone, is_classifier
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import (
    BaggingRegressor,
    ExtraTreesRegressor,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    RandomForestRegressor,
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifier
from sklearn.multioutput import MultiOutputRegressor, RegressorChain
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR, LinearSVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from sklearn.utils.validation import has_fit_parameter

from skdistill import AutoStudent, DistilledClassifier, DistilledRegressor
from skdistill.samplers import MUNGE
from skdistill.students import CompactBoostingClassifier, CompactBoostingRegressor

TREE, TREES = DecisionTreeClassifier(max_depth=3, random_state=0), RandomForestClassifier(5, random_state=0)

CLASSIFIER_TEACHERS = {
    "forest": TREES,
    "SVC without probability": SVC(),
    "LinearSVC": LinearSVC(random_state=0),
    "RidgeClassifier": RidgeClassifier(),
    "logistic pipeline": make_pipeline(StandardScaler(), LogisticRegression()),
    "soft vote": VotingClassifier([("tree", TREE), ("bayes", GaussianNB())], voting="soft"),
    "hard vote": VotingClassifier([("tree", TREE), ("bayes", GaussianNB())]),
    "stack": StackingClassifier([("tree", TREE), ("bayes", GaussianNB())], cv=2),
    "calibrated": CalibratedClassifierCV(TREE, cv=2),
    "LightGBM": lightgbm.LGBMClassifier(n_estimators=5, min_child_samples=5, verbosity=-1, n_jobs=1),
    "LightGBM booster": "booster",
    "function": "function",
}
REGRESSOR_TEACHERS = {
    "forest": RandomForestRegressor(5, random_state=0),
    "extra trees": ExtraTreesRegressor(5, random_state=0),
    "SVR": SVR(),
    "KernelRidge": KernelRidge(),
    "Gaussian process": GaussianProcessRegressor(RBF(5.0), alpha=1.0, optimizer=None),
    "nearest neighbours": KNeighborsRegressor(),
    "ridge pipeline": make_pipeline(StandardScaler(), Ridge()),
    "vote": VotingRegressor([("tree", DecisionTreeRegressor(max_depth=3)), ("ridge", Ridge())]),
    "stack": StackingRegressor([("tree", DecisionTreeRegressor(max_depth=3)), ("ridge", Ridge())], cv=2),
    "LightGBM": lightgbm.LGBMRegressor(n_estimators=5, min_child_samples=5, verbosity=-1, n_jobs=1),
    "LightGBM booster": "booster",
    "function": "function",
}
SINGLE_OUTPUT = {"SVR", "vote", "LightGBM"}
NETWORK = {"hidden_layer_sizes": (5,), "solver": "lbfgs", "max_iter": 60, "random_state": 0}

FLOOR = 0.3
"""Fidelity on the rows of the fit that every student reaches, however few its trees are; a constant has none."""


CLASSIFIER_STUDENTS = {
    "auto": AutoStudent(["linear", "boosting"]),
    "tree": DecisionTreeClassifier(max_leaf_nodes=8),
    "logistic": LogisticRegression(max_iter=500),
    "histogram boosting": HistGradientBoostingClassifier(max_iter=5),
    "LightGBM": lightgbm.LGBMClassifier(n_estimators=5, verbosity=-1, n_jobs=1),
    "nearest neighbours": KNeighborsClassifier(3),
    "mlp_ple": MLPClassifier(**NETWORK),
    "pipeline": make_pipeline(StandardScaler(), Ridge()),
}
REGRESSOR_STUDENTS = {
    "auto": AutoStudent(["linear", "boosting"]),
    "tree": DecisionTreeRegressor(max_leaf_nodes=8),
    "ridge": Ridge(),
    "boosting": GradientBoostingRegressor(n_estimators=5),
    "LightGBM": lightgbm.LGBMRegressor(n_estimators=5, verbosity=-1, n_jobs=1),
    "nearest neighbours": KNeighborsRegressor(3),
    "mlp_ple": TransformedTargetRegressor(MLPRegressor(**NETWORK), transformer=StandardScaler()),
    "pipeline": make_pipeline(StandardScaler(), CompactBoostingRegressor(n_trees=5)),
}


def learns_drawn_labels(student):
    """Whether a classifier takes no weights, and so learns labels that are drawn: its probabilities are not soft."""
    return hasattr(student, "fit") and is_classifier(student) and not has_fit_parameter(student, "sample_weight")


def a_function(X):
    return 1 / (1 + np.exp(-X[:, 0]))


def three_scores(X):
    proba = np.abs(X[:, :3]) + 1e-3
    return proba / proba.sum(axis=1, keepdims=True)


def two_values(X):
    return X[:, :2] + 1


def fitted_teacher(name, task, X, y):
    if task in ("binary", "three classes"):
        teacher = CLASSIFIER_TEACHERS[name]
        if teacher == "function":
            return a_function if task == "binary" else three_scores
        if teacher == "booster":
            params = {"objective": "binary"} if task == "binary" else {"objective": "multiclass", "num_class": 3}
            codes = np.unique(y, return_inverse=True)[1]
            return lightgbm.train(params | {"verbosity": -1, "num_threads": 1}, lightgbm.Dataset(X, codes), 5)
        return clone(teacher).fit(X, y)
    teacher = REGRESSOR_TEACHERS[name]
    if teacher == "function":
        return a_function if task == "regression" else two_values
    if teacher == "booster":
        values = y if y.ndim == 1 else y[:, 0]
        return lightgbm.train({"verbosity": -1, "num_threads": 1}, lightgbm.Dataset(X, values), 5)
    if task == "multi-output" and name == "stack":
        teacher = BaggingRegressor(Ridge(), n_estimators=3)  # a stack has one output, and no wrapper takes it
    elif task == "multi-output" and name in SINGLE_OUTPUT:
        teacher = MultiOutputRegressor(teacher)
    return clone(teacher).fit(X, y)


def in_turn(teachers, students, tasks):
    """Return every pair of teacher and student, with one of the tasks in turn: each meets each task.

    By default each teacher meets one of the students, every third one a second, in the other task, and each student
    some teachers; the other pairs are slow.
    """
    return [
        pytest.param(
            tasks[(place + other) % len(tasks)],
            teacher,
            student,
            marks=[] if (other - place) % len(students) in (3, place % 3 and 3) else [pytest.mark.slow],
        )
        for place, teacher in enumerate(teachers)
        for other, student in enumerate(students)
    ]


@pytest.mark.parametrize(
    ("task", "teacher", "student"), in_turn(CLASSIFIER_TEACHERS, CLASSIFIER_STUDENTS, ["binary", "three classes"])
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore:X does not have valid feature names:UserWarning")
def test_classifiers(task, teacher, student):
    """Any teacher teaches any student; the result follows it and is a classifier in every way."""
    X, y = dataset(task)
    model = DistilledClassifier(
        fitted_teacher(teacher, task, X, y),
        CLASSIFIER_STUDENTS[student],
        sampler=MUNGE(),
        n_synthetic=1.0,
        random_state=0,
    ).fit(X, y)
    proba = model.predict_proba(X)
    assert model.classes_.tolist() == np.unique(y).tolist()
    assert proba.shape == (len(X), len(model.classes_))
    assert proba.dtype == np.float64
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    assert proba.min() >= 0
    assert set(model.predict(X)) <= set(y)
    np.testing.assert_array_equal(model.student_.classes_, model.classes_)
    assert learns_drawn_labels(CLASSIFIER_STUDENTS[student]) or model.fidelity(X) > FLOOR
    alone = pickle.loads(pickle.dumps(model.student_))
    np.testing.assert_array_equal(alone.predict_proba(X), proba)
    np.testing.assert_array_equal(alone.predict(X), model.predict(X))
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict(X), model.predict(X))
    np.testing.assert_allclose(clone(model).fit(X, y).predict_proba(X), proba)


@pytest.mark.parametrize(
    ("task", "teacher", "student"), in_turn(REGRESSOR_TEACHERS, REGRESSOR_STUDENTS, ["regression", "multi-output"])
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore:X does not have valid feature names:UserWarning")
def test_regressors(task, teacher, student):
    """Any teacher teaches any student; the result follows it, and outputs have the teacher's shape."""
    X, y = dataset(task)
    fitted = fitted_teacher(teacher, task, X, y)
    expected = (fitted if callable(fitted) else fitted.predict)(X)
    model = DistilledRegressor(
        fitted, REGRESSOR_STUDENTS[student], sampler=MUNGE(), n_synthetic=1.0, soft_weight=1, random_state=0
    )
    values = model.fit(X).predict(X)
    assert values.shape == expected.shape
    assert np.isfinite(values).all()
    assert model.fidelity(X) > FLOOR
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model.student_)).predict(X), values)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict(X), values)
    np.testing.assert_allclose(clone(model).fit(X).predict(X), values)


def test_chain_and_labels_that_do_not_start_at_zero():
    """Labels keep their type and value: integers with gaps, booleans, negative numbers."""
    X, y = dataset("three classes")
    codes = np.unique(y, return_inverse=True)[1]
    for labels in (codes * 10 - 7, codes > 0):
        model = DistilledClassifier(TREES, CompactBoostingClassifier(5), n_synthetic=1.0, random_state=0).fit(X, labels)
        assert model.predict(X).dtype == labels.dtype
        assert np.mean(model.predict(X) == labels) > 0.9
    X, Y = dataset("multi-output")
    model = DistilledRegressor(RegressorChain(Ridge()), random_state=0, n_synthetic=1.0).fit(X, Y)
    assert model.predict(X).shape == Y.shape
