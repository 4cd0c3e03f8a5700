"""Constraints of distilled estimators: found, shown and kept."""

import functools

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.tree import DecisionTreeRegressor

import skdistill
from skdistill import AutoStudent, DistilledClassifier, DistilledRegressor
from skdistill.exceptions import StudentError
from skdistill.students import CompactBoostingClassifier, CompactBoostingRegressor

NAMES = ["rises", "falls", "waves", "unused", "kind"]
QUICK = {"sampler": None, "random_state": 0}


def table(n_rows=300, seed=0):
    cells = np.random.RandomState(seed).uniform(-1, 1, size=(n_rows, 5))
    frame = pd.DataFrame(cells, columns=NAMES)
    return frame.assign(kind=np.where(frame["kind"] > 0, "a", "b"))


def teacher(X):
    """Return values with small steps against the directions, as forests have them."""
    X = pd.DataFrame(X, columns=NAMES)
    noise = 0.001 * np.sin(400 * X["rises"])
    return (X["rises"] + noise - X["falls"] ** 3 + np.sin(9 * X["waves"]) + (X["kind"] == "a")).to_numpy(float)


def classes(X):
    """Return probabilities of three classes: the first one gains on both others as the first column grows."""
    logits = np.column_stack([3 * X["rises"], np.sin(9 * X["waves"]), X["falls"]])
    proba = np.exp(logits)
    return proba / proba.sum(axis=1, keepdims=True)


@functools.cache
def pairs(column):
    rows = table(100_000, seed=3)
    low, high = np.sort(np.random.RandomState(4).uniform(-1.2, 1.2, size=(2, len(rows))), axis=0)
    return rows.assign(**{column: low}), rows.assign(**{column: high})


def least_step(predict, column, sign):
    low, high = pairs(column)
    return (sign * (predict(high) - predict(low))).min()


@pytest.mark.parametrize(
    "student",
    [CompactBoostingRegressor(8, 8), *(pytest.param(each, marks=pytest.mark.slow) for each in ("tree", "linear"))],
)
def test_directions_of_the_teacher_are_found_shown_and_kept(student):
    """The evidence is that of moved columns; the student keeps what was found, compiled as well."""
    model = DistilledRegressor(teacher, student, monotonic_cst="teacher", **QUICK).fit(table())
    found = pd.DataFrame(model.constraints_.monotonic).set_index("column")
    assert found["direction"].to_dict() == {"rises": 1, "falls": -1, "waves": 0}  # others change nothing, or are text
    assert found.loc["waves", "violated"] > 0.2
    assert (found["source"] == "measured").all()
    assert "rises" in repr(model.constraints_)
    assert "<table>" in model.constraints_._repr_html_()
    for predict in (model.predict, skdistill.compile(model)):
        assert least_step(predict, "rises", 1) >= 0
        assert least_step(predict, "falls", -1) >= 0


def test_directions_of_one_of_several_classes():
    """Of more than two classes, one gains on all others in a column, or none does."""
    model = DistilledClassifier(
        classes, CompactBoostingClassifier(6, 8), monotonic_cst="teacher", temperature=2.0, **QUICK
    )
    model.fit(table(), np.arange(300) % 3)
    found = pd.DataFrame(model.constraints_.monotonic)
    assert found[["column", "class", "direction"]].to_numpy().tolist() == [["rises", 0, 1], ["falls", 2, 1]]
    assert least_step(lambda X: model.predict_proba(X)[:, 0], "rises", 1) >= -1e-12
    assert least_step(lambda X: model.predict_proba(X)[:, 2], "falls", 1) >= -1e-12


def test_what_the_teacher_was_fitted_with_needs_no_query():
    """Stated directions and sets are taken as they are."""
    X = table().drop(columns="kind")
    y = X["rises"] * X["falls"] + X["waves"]
    fitted = HistGradientBoostingRegressor(
        max_iter=20, monotonic_cst={"waves": 1}, interaction_cst=[{0, 1}, {2, 3}]
    ).fit(X, y)
    model = DistilledRegressor(fitted, "boosting", monotonic_cst="teacher", interaction_cst="teacher", **QUICK).fit(X)
    assert model.constraints_.monotonic["column"].tolist() == ["waves"]
    assert model.constraints_.monotonic["source"].tolist() == ["parameter of the teacher"]
    assert model.constraints_.interactions == [("rises", "falls"), ("waves", "unused")]
    assert "rises, falls; waves, unused" in repr(model.constraints_)
    assert model.transfer_set_.n_queries == 300
    np.testing.assert_array_equal(model.student_.monotonic_cst, [[0, 0, 1, 0]])
    binary = HistGradientBoostingClassifier(max_iter=5, monotonic_cst={"waves": 1}).fit(X, y > 0)
    model = DistilledClassifier(binary, "tree", monotonic_cst="teacher", **QUICK).fit(X)
    assert np.all(np.diff(model.predict_proba(X.assign(rises=0, falls=0, unused=0).sort_values("waves"))[:, 1]) >= 0)


def test_clones_searches_and_pipelines_keep_constraints():
    """They are parameters like any others; the rows of a search are labelled in each fold."""
    model = DistilledRegressor(teacher, "linear", monotonic_cst={"rises": 1}, **QUICK)
    assert clone(model).get_params()["monotonic_cst"] == {"rises": 1}
    search = GridSearchCV(model, {"monotonic_cst": [{"rises": 1}, "teacher"]}, cv=2)
    search.fit(table(), teacher(table()))
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    piped = make_pipeline(FunctionTransformer(), model).fit(table())
    assert least_step(piped.predict, "rises", 1) >= 0


def test_auto_selects_among_families_that_keep_constraints():
    """Other families are passed over, also if they are named beside these."""
    model = DistilledRegressor(teacher, monotonic_cst={"rises": 1}, **QUICK).fit(table(40))
    assert {trial.family for trial in model.candidates_.tried} <= {"boosting", "tree", "linear"}
    assert least_step(model.predict, "rises", 1) >= 0
    options = AutoStudent(families=["mlp", "linear"])
    model = DistilledRegressor(teacher, options, interaction_cst="no_interactions", **QUICK).fit(table(60))
    assert {trial.family for trial in model.candidates_.tried} == {"linear"}
    with pytest.raises(StudentError, match=r"none of the families \['mlp'\] keeps constraints"):
        DistilledRegressor(teacher, AutoStudent(families=["mlp"]), monotonic_cst={"rises": 1}, **QUICK).fit(table())


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ({"student": "mlp", "monotonic_cst": "teacher"}, StudentError, "CompactMLPRegressor cannot keep"),
        ({"student": DecisionTreeRegressor(), "interaction_cst": "pairwise"}, StudentError, "DecisionTreeRegressor"),
        ({"monotonic_cst": "Teacher"}, ValueError, "monotonic_cst='Teacher'; expected 'teacher'"),
        ({"interaction_cst": "pairs"}, ValueError, "interaction_cst='pairs'; expected 'teacher', 'pairwise'"),
        ({"monotonic_cst": {"zz": 1}}, ValueError, r"monotonic_cst names \['zz'\]"),
        ({"monotonic_cst": {"kind": 1}}, ValueError, "column 'kind', which holds categories"),
        ({"interaction_cst": [["zz"]]}, ValueError, "interaction_cst has the column 'zz'"),
        ({"interaction_cst": "teacher"}, ValueError, "states no sets of columns"),
        ({"monotonic_cst": "teacher", "max_queries": 310}, ValueError, "moves at least 10 rows in each of 4 columns"),
        (
            {"student": CompactBoostingRegressor(monotonic_cst={"rises": 1}), "monotonic_cst": "teacher"},
            ValueError,
            "monotonic_cst is given here and to the student",
        ),
        ({"monotonic_cst": {"rises": 1}, "target_compressor": PCA(1)}, ValueError, "the student learns a code"),
    ],
)
def test_bad_constraints_leave_nothing_half_fitted(params, error, message):
    """The error names the parameter and what was expected."""
    model = DistilledRegressor(teacher, **{"student": "boosting", **QUICK, **params})
    with pytest.raises(error, match=message):
        model.fit(table())
    assert not [name for name in vars(model) if name.endswith("_")]


def test_other_draws_do_not_depend_on_constraints():
    """Measuring directions does not change which rows are drawn, nor does a constraint that holds already."""
    params = {"student": "linear", "n_synthetic": 200, "random_state": 0, "sampler": skdistill.samplers.Jitter()}
    X = table(60)[["rises", "falls"]]
    models = [
        DistilledRegressor(lambda X: 2 * X["rises"] - X["falls"], monotonic_cst=given, **params).fit(X)
        for given in (None, "teacher")
    ]
    assert models[1].constraints_.monotonic["direction"].tolist() == [1, -1]
    np.testing.assert_allclose(models[0].predict(X), models[1].predict(X), atol=1e-3)
