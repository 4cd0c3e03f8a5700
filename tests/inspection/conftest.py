"""Teachers and students of every kind, small, and made once."""

import sys
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import pytest
from helpers import dataset
from scipy import sparse
from sklearn.cluster import AgglomerativeClustering
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from strategies import example_table

import skdistill
from skdistill import DistilledClassifier, DistilledRegressor, as_teacher, fidelity_scorer


class Case(NamedTuple):
    """A model, and rows that it is inspected on."""

    model: Any
    X: Any
    y: Any
    options: dict[str, Any]


def risk(X):
    """Return a probability for rows of a raw frame."""
    return 1 / (1 + np.exp(-np.nan_to_num(np.asarray(X["size"], dtype=float)) * 3))


@cache
def make_case(name):
    """Return a model and rows."""
    options = {"sampler": None, "random_state": 0}
    task = {"three classes": "three classes", "values": "regression", "several values": "multi-output"}.get(name)
    if name in ("pandas", "polars"):
        X = example_table(name, 150)
        model = DistilledClassifier(as_teacher(risk, classes=["high", "low"]), "tree", **options).fit(X)
        return Case(model, X, np.where(risk(X) < 0.3, "high", "low"), {})
    if name == "texts":
        rng = np.random.default_rng(0)
        X = [" ".join(rng.choice(["good", "bad", "film", "plot", "star", "dull"], 6)) for _ in range(120)]
        y = np.array(["bad" in text for text in X])
        teacher = LogisticRegression()
        return Case(
            make_pipeline(CountVectorizer(), DistilledClassifier(teacher, "tree", **options)).fit(X, y), X, y, {}
        )
    X, y = dataset(task or "binary")
    if task in ("regression", "multi-output"):
        forest = RandomForestRegressor(10, random_state=0).fit(X, y)
        return Case(DistilledRegressor(forest, "linear", **options).fit(X), X, y, {})
    if name == "clusters":
        return Case(DistilledClassifier(AgglomerativeClustering(3).fit(X), "tree", **options).fit(X), X, None, {})
    forest = RandomForestClassifier(10, random_state=0).fit(X, y)
    if name in ("csr", "coo"):
        rows = sparse.csr_matrix(X) if name == "csr" else sparse.coo_array(X)
        return Case(DistilledClassifier(forest, "linear", **options).fit(rows), rows, y, {})
    if name == "margins":
        return Case(LogisticRegression().fit(X, y), X, y, {"teacher": LinearSVC(random_state=0).fit(X, y)})
    if name == "function":
        teacher = as_teacher(lambda X: 1 / (1 + np.exp(-X[:, 0])), classes=[0, 1])
        return Case(DistilledClassifier(teacher, "linear", **options).fit(X), X, y, {})
    if name == "any model":
        return Case(LogisticRegression().fit(X, y), X, y, {"teacher": forest})
    if name == "recipe in a pipeline":
        inside = DistilledClassifier(RandomForestClassifier(10, random_state=0), "tree", **options)
        return Case(make_pipeline(StandardScaler(), inside).fit(X, y), X, y, {})
    model = DistilledClassifier(forest, "tree", student_size=40, **options)
    if name == "search":
        grid = {"student_size": [20, 40, 80]}
        return Case(GridSearchCV(model, grid, scoring=fidelity_scorer, cv=3).fit(X, y), X, y, {})
    model.fit(X)
    if name == "compiled":
        return Case(skdistill.compile(model), X, y, {"teacher": forest})
    return Case(model, X, y, {})


NAMES = (
    "two classes",
    "three classes",
    "values",
    "several values",
    "recipe in a pipeline",
    "search",
    "any model",
    "compiled",
    "function",
    "margins",
    "clusters",
    "pandas",
    "polars",
    "csr",
    "coo",
    "texts",
)

REPEATED = ("three classes", "any model", "margins", "clusters", "polars", "coo")
"""Those that differ little from others of the list; they run with ``-m slow``."""


@pytest.fixture(params=[pytest.param(name, marks=pytest.mark.slow if name in REPEATED else ()) for name in NAMES])
def case(request):
    """Each of them in turn."""
    return make_case(request.param)


@pytest.fixture
def make():
    """Return the function that makes them by name."""
    return make_case


@pytest.fixture(autouse=True)
def no_open_figures():
    """Close what earlier tests, and examples of docstrings, have left open."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None:
        pyplot.close("all")
