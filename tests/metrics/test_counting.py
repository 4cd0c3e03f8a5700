"""Counts are known by hand, or are those of the compiled form."""

import numpy as np
import pytest
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_iris
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    BaggingRegressor,
    ExtraTreesRegressor,
    GradientBoostingRegressor,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KernelDensity, KNeighborsClassifier
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC, SVR
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

import skdistill
from skdistill import DistilledClassifier, DistilledRegressor
from skdistill.metrics import n_operations, n_parameters

X, y = load_iris(return_X_y=True)
VALUES = X[:, 0] * X[:, 1]


def counts(model):
    """Return both counts."""
    return n_parameters(model), n_operations(model)


def plane(X):
    """Answer as a teacher with few parameters would."""
    return X @ np.arange(1.0, 5.0)


@pytest.mark.parametrize(
    "model",
    [
        DecisionTreeClassifier(random_state=0),
        DecisionTreeClassifier(max_depth=0 + 1, random_state=0),
        RandomForestClassifier(5, random_state=0),
        LogisticRegression(max_iter=1000),
        LGBMClassifier(n_estimators=4, verbose=-1),
    ],
)
def test_classifiers_count_as_their_compiled_form(model):
    """But for the base, a number a class, which the compiled form of trees has."""
    compiled = skdistill.compile(model.fit(X, y))
    base = 0 if hasattr(model, "coef_") else 3
    assert counts(model) == (compiled.scorer.n_parameters - base, compiled.scorer.n_ops)
    assert counts(compiled) == (compiled.scorer.n_parameters, compiled.scorer.n_ops)


@pytest.mark.parametrize(
    "model",
    [
        DecisionTreeRegressor(max_leaf_nodes=7, random_state=0),
        ExtraTreesRegressor(3, max_depth=4, random_state=0),
        Ridge(),
        LGBMRegressor(n_estimators=3, num_leaves=5, verbose=-1),
    ],
)
def test_regressors_count_as_their_compiled_form(model):
    """The same with a base of one number."""
    scorer = skdistill.compile(model.fit(X, VALUES)).scorer
    assert counts(model) == (scorer.n_parameters - (0 if hasattr(model, "coef_") else 1), scorer.n_ops)


def test_a_tree_without_splits():
    """One leaf: its value, and one addition."""
    constant = np.ones(len(X))
    assert counts(DecisionTreeRegressor().fit(X, constant)) == (1, 1)
    stump = LGBMRegressor(n_estimators=1, verbose=-1, min_child_samples=200).fit(X, VALUES)
    assert n_operations(stump) == 1
    assert n_operations(stump.booster_) == 1


def test_boosting_counts_every_tree():
    """Of scikit-learn's both kinds: two numbers a split, one a leaf, and as many operations as splits on the way."""
    model = GradientBoostingRegressor(n_estimators=4, max_depth=1).fit(X, VALUES)
    assert counts(model) == (4 * (2 + 2), 4 * 2)
    model = HistGradientBoostingRegressor(max_iter=4, max_depth=1).fit(X, VALUES)
    assert counts(model) == (1 + 4 * (2 + 2), 4 * 2)


def test_linear_models_and_networks_multiply_by_each_weight():
    """Coefficients and intercepts."""
    assert counts(LinearRegression().fit(X, np.column_stack([VALUES, VALUES]))) == (2 * 4 + 2, 2 * 4)
    network = MLPRegressor(hidden_layer_sizes=(8, 3), max_iter=1, random_state=0)
    with pytest.warns(UserWarning, match="hasn't converged"):
        network.fit(X, VALUES)
    n_weights = 4 * 8 + 8 * 3 + 3
    assert counts(network) == (n_weights + 8 + 3 + 1, n_weights + 8 + 3 + 1)


def test_machines_keep_their_support_vectors():
    """Each is compared with the row, and its kernel is weighed."""
    machine = SVR().fit(X, VALUES)
    n_vectors = len(machine.support_)
    assert counts(machine) == (n_vectors * (4 + 1) + 1, n_vectors * (4 + 1 + 1))
    machine = SVC(kernel="linear").fit(X, y)  # has coef_, but does not use it
    assert n_operations(machine) == len(machine.support_) * (4 + 2 + 1)


def test_pipelines_votes_stacks_and_bags_are_sums():
    """Of their fitted members, however nested."""
    linear, tree = LogisticRegression(max_iter=1000).fit(X, y), DecisionTreeClassifier(random_state=0).fit(X, y)
    both = [("linear", LogisticRegression(max_iter=1000)), ("tree", DecisionTreeClassifier(random_state=0))]
    total = tuple(np.add(counts(linear), counts(tree)))
    assert counts(VotingClassifier(both).fit(X, y)) == total
    stack = StackingClassifier(both, final_estimator=LogisticRegression(max_iter=1000), cv=3).fit(X, y)
    assert counts(stack) == (total[0] + 3 * (6 + 1), total[1] + 3 * 6)
    pipeline = make_pipeline("passthrough", StandardScaler(), PCA(2), Ridge()).fit(X, VALUES)
    assert counts(pipeline) == ((4 + 4) + (2 * 4 + 4) + (2 + 1), 4 + 2 * 4 + 2)
    bag = BaggingRegressor(Ridge(), n_estimators=3, random_state=0).fit(X, VALUES)
    assert counts(bag) == (3 * 5, 3 * 4)
    columns = ColumnTransformer([("scaled", StandardScaler(), [0, 1]), ("dropped", "drop", [2])], remainder="drop")
    assert counts(make_pipeline(columns, Ridge()).fit(X, VALUES)) == (4 + 3, 2 + 2)
    union = FeatureUnion([("scaled", StandardScaler()), ("few", PCA(1))])
    assert counts(make_pipeline(union, Ridge()).fit(X, VALUES)) == (8 + 8 + 6, 4 + 4 + 5)


def test_wrappers_are_looked_into():
    """Searches, frozen and calibrated ones count as what is inside."""
    inside = LogisticRegression(max_iter=1000).fit(X, y)
    search = GridSearchCV(LogisticRegression(max_iter=1000), {"C": [1.0]}, cv=2).fit(X, y)
    assert counts(search) == counts(FrozenEstimator(inside)) == counts(inside)
    calibrated = CalibratedClassifierCV(FrozenEstimator(inside)).fit(X, y)
    assert n_parameters(calibrated) == n_parameters(inside) + 3 * 2
    assert np.isnan(n_operations(calibrated))


def test_other_models_have_the_size_of_their_arrays():
    """And as many operations as nobody knows, also as a step among others."""
    assert n_parameters(KNeighborsClassifier().fit(X, y)) >= X.size
    bayes = GaussianNB().fit(X, y)
    assert n_parameters(bayes) >= bayes.theta_.size + bayes.var_.size
    assert np.isnan(n_operations(bayes))
    assert np.isnan(n_parameters(KernelDensity().fit(X)))  # its tree_ is one of neighbours
    encoded = make_pipeline(OneHotEncoder(handle_unknown="ignore"), Ridge()).fit(X, VALUES)
    assert n_parameters(encoded) == n_parameters(encoded[-1])
    assert np.isnan(n_operations(encoded))


@pytest.mark.parametrize("thing", [len, plane, None, "text", Ridge, Ridge(), object()])
def test_what_nothing_is_known_of_is_nan(thing):
    """Functions, unfitted models, classes: never zero, which would look small."""
    assert np.isnan(n_parameters(thing))
    assert np.isnan(n_operations(thing))


@pytest.mark.thinned(2)
@pytest.mark.parametrize("student", ["boosting", "linear", "mlp_ple", "tree", "kernel"])
@pytest.mark.parametrize("temperature", [1.0, 2.0])
def test_distilled_estimators_count_as_their_compiled_student(student, temperature):
    """Alone or at the end of a pipeline, whatever completes the student's answers."""
    teacher = LogisticRegression(max_iter=1000).fit(X, y)
    model = DistilledClassifier(
        teacher, student, student_size=150, sampler=None, temperature=temperature, random_state=0
    ).fit(X)
    scorer = skdistill.compile(model).scorer
    expected = (scorer.n_parameters, scorer.n_ops)
    assert counts(model) == counts(model.student_) == counts(make_pipeline("passthrough", model)) == expected
    assert n_parameters(model) <= 150 + 3


def test_compressed_targets_count_with_their_decoder():
    """What the student learned, and what decodes it."""
    outputs = np.column_stack([VALUES, 2 * VALUES, X[:, 3]])
    teacher = LinearRegression().fit(X, outputs)
    model = DistilledRegressor(teacher, "linear", sampler=None, target_compressor=PCA(2), random_state=0).fit(X)
    inner = counts(model.student_.estimator)
    assert n_parameters(model) == inner[0] + 2 * 3 + 3
    assert n_operations(model) == inner[1] + 2 * 3
