"""Models are saved and loaded by skops with the documented list of types, and answer as before."""

import importlib.util
from importlib import import_module

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import make_regression
from sklearn.decomposition import PCA
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import FixedThresholdClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder, StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeRegressor

import skdistill
from skdistill import AutoSampler, AutoStudent, DistilledClassifier, DistilledRegressor, samplers
from skdistill.export import skops_trusted_types
from skdistill.export._skops import MOVED, TYPES
from skdistill.students import CompactLinearRegressor, CompactTreeClassifier
from skdistill.students._families import FAMILIES

needs_skops = pytest.mark.skipif(
    importlib.util.find_spec("skops") is None, reason="skops is not installed: saving by skops is not tested"
)
FOREIGN = ["sklearn.tree._tree.Tree"]
"""What a test trusts besides: a student of scikit-learn is not ours."""


def loaded(model, trusted=()):
    """Return what skops loads of a model, and check that the list has no type too few."""
    import skops.io

    data = skops.io.dumps(model)
    unknown = set(skops.io.get_untrusted_types(data=data)) - set(skops_trusted_types()) - set(trusted)
    assert not unknown
    return skops.io.loads(data, trusted=[*skops_trusted_types(), *trusted])


def assert_same(model, X, trusted=()):
    again = loaded(model, trusted)
    assert type(again) is type(model)
    method = "predict_proba" if hasattr(model, "predict_proba") else "predict"
    np.testing.assert_array_equal(getattr(again, method)(X), getattr(model, method)(X))
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    return again


def raw_table():
    rng = np.random.RandomState(0)
    frame = pd.DataFrame(
        {
            "number": np.where(rng.uniform(size=80) < 0.1, np.nan, rng.normal(size=80)),
            "text": rng.choice(["x", "y'\"", None], size=80),
            "kind": pd.Categorical(rng.choice([1, 2, 10], size=80)),
            "flag": rng.uniform(size=80) < 0.5,
            "day": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.randint(0, 1000, size=80), "D"),
        }
    )
    return frame, frame["number"].fillna(1.0) + frame["flag"]


@needs_skops
@pytest.mark.parametrize("classifies", [pytest.param(False, marks=pytest.mark.slow), True])
@pytest.mark.parametrize("family", FAMILIES)
def test_every_family(family, classifies):
    """Students and their compiled forms, on raw columns; not one digit differs."""
    X, y = raw_table()
    student = FAMILIES[family].member(classifies=classifies)
    student.fit(X, np.digitize(y, [0.5, 1.5]) if classifies else y)
    assert_same(student, X)
    compiled = skdistill.compile(student)
    np.testing.assert_array_equal(assert_same(compiled, X)(X.iloc[0]), compiled(X.iloc[0]))


@needs_skops
def test_distilled_with_a_selection():
    """The candidates of a selection and the convention by which a teacher is asked are loaded as well."""
    X, y = make_regression(60, 3, noise=1, random_state=0)
    student = AutoStudent(["linear", "tree"])
    model = DistilledRegressor(LinearRegression(), student, sampler=None, random_state=0).fit(X, y)
    again = assert_same(model, X)
    assert str(again.candidates_) == str(model.candidates_)
    assert str(again.candidates_.tried) == str(model.candidates_.tried)
    assert again.fidelity(X) == model.fidelity(X)


SAMPLERS = [AutoSampler(), *(getattr(samplers, name) for name in samplers.__all__ if name[0].isupper())]


@needs_skops
@pytest.mark.slow
@pytest.mark.parametrize("sampler", SAMPLERS, ids=str)
def test_every_sampler(sampler):
    """A distilled estimator keeps its sampler."""
    X, y = make_regression(100, 3, noise=1, random_state=0)
    if isinstance(sampler, type):
        sampler = sampler([samplers.Jitter(), samplers.LeafSwap()]) if sampler is samplers.Mixture else sampler()
    model = DistilledRegressor(LinearRegression(), CompactLinearRegressor(), sampler=sampler, random_state=0)
    assert_same(model.fit(X, y), X)


DISTILLED = {
    "a pipeline as teacher": {"teacher": make_pipeline(StandardScaler(), LogisticRegression())},
    "a tree of scikit-learn as student": {"student": DecisionTreeRegressor(max_depth=3)},
    "a naive student": {"student": GaussianNB()},
    "a soft weight that is chosen": {"soft_weight": "auto"},
    "thresholds of the teacher": {
        "teacher": FixedThresholdClassifier(LogisticRegression(), threshold=0.3, response_method="predict_proba"),
        "decision": "teacher",
    },
    "two teachers' answers": {"n_repeats": 2},
    "margins": {"teacher": LinearSVC()},
}


@needs_skops
@pytest.mark.slow
@pytest.mark.parametrize("options", DISTILLED.values(), ids=list(DISTILLED))
def test_distilled_classifiers(options):
    """Classifiers with every kind of attribute."""
    X, y = make_regression(100, 3, noise=1, random_state=0)
    options = {"teacher": LogisticRegression(), "student": CompactTreeClassifier(), "sampler": None} | options
    model = DistilledClassifier(**options, random_state=0).fit(X, np.where(y > 0, "yes", "no"))
    assert_same(model, X, trusted=FOREIGN)


@needs_skops
@pytest.mark.slow
def test_compiled_pipelines_and_bounded_values():
    """Computed columns, links, thresholds and weighted sums of compiled models."""
    X, y = make_regression(100, 3, noise=1, random_state=0)
    frame = pd.DataFrame(X, columns=list("abc"))
    encoded = make_pipeline(OrdinalEncoder(), Ridge()).fit(frame.round(), y)
    assert_same(skdistill.compile(encoded), frame.round())
    model = DistilledRegressor(Ridge(), CompactLinearRegressor(), bounds=(0, None), random_state=0)
    assert_same(model.fit(X, np.abs(y)), X)
    values = np.column_stack([y, y**2, y + X[:, 0]])
    model = DistilledRegressor(Ridge(), CompactLinearRegressor(), target_compressor=PCA(2), random_state=0)
    assert_same(model.fit(X, values), X)


def test_the_list_names_classes():
    """Every name is that of a class of this package where it is defined, or was in an earlier version."""
    for module, names in TYPES.items():
        for name in names:
            kind = getattr(import_module(module), name)
            assert isinstance(kind, type)
            assert kind.__module__ == module
    for module, names in MOVED.items():
        for name in names:
            assert getattr(import_module(module), name).__module__.startswith(f"{module}._")
    assert len(set(skops_trusted_types())) == len(skops_trusted_types())


@needs_skops
def test_prediction_intervals():
    """Intervals are loaded with the model inside, and are the same."""
    X, y = make_regression(100, 3, noise=1, random_state=0)
    intervals = skdistill.conformalize(CompactLinearRegressor().fit(X[:50], y[:50]), X[50:], y[50:])
    np.testing.assert_array_equal(loaded(intervals).predict_interval(X), intervals.predict_interval(X))
