"""Bad input gets an error that says who, got, expected, next; and changes nothing the caller owns."""

import numpy as np
import pandas as pd
import pytest
from helpers import CountingClassifier, dataset
from sklearn.base import BaseEstimator
from sklearn.cluster import DBSCAN
from sklearn.decomposition import PCA
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import NearestNeighbors
from sklearn.tree import DecisionTreeClassifier

from skdistill import DistilledClassifier, DistilledRegressor
from skdistill.exceptions import SamplerError, StudentError, TeacherError, TeacherOutputError, TeacherQueryError
from skdistill.samplers import MUNGE

X, Y = dataset("three classes")
TEACHER = DecisionTreeClassifier(max_depth=3, random_state=0).fit(X, Y)
TREE = DecisionTreeClassifier(max_leaf_nodes=4)


class OtherColumns(BaseEstimator):
    """A sampler that breaks the contract."""

    def __init__(self, change):
        self.change = change

    def fit(self, X, y=None):
        self.X_ = X
        return self

    def sample(self, n_samples, random_state=None):
        return self.change(self.X_, n_samples)


def raises_halfway(rows):
    if len(rows) < 100:
        raise RuntimeError("connection lost")
    return np.full((len(rows), 3), 1 / 3)


@pytest.mark.parametrize(
    ("params", "arguments", "error", "match"),
    [
        ({"teacher": NearestNeighbors().fit(X)}, {"y": Y}, TeacherError, "NearestNeighbors has no suitable method"),
        (
            {"teacher": lambda X: np.full((len(X), 3), np.nan)},
            {"y": Y},
            TeacherOutputError,
            "finite numbers, without NaN",
        ),
        ({"teacher": lambda X: np.ones((len(X), 3))}, {"y": Y}, TeacherOutputError, "with a sum of one per row"),
        ({"teacher": lambda X: np.ones((4, 3))}, {"y": Y}, TeacherOutputError, r"shape \(4, 3\) for 150 rows"),
        ({"teacher": lambda X: X}, {}, TeacherError, "has no classes_. Pass y"),
        ({}, {"y": np.where(Y == "setosa", "rose", Y)}, ValueError, r"labels that the teacher does not know.*'rose'"),
        (
            {"teacher": raises_halfway, "chunk_size": 100},
            {"y": Y},
            TeacherQueryError,
            "raised RuntimeError for real rows 100 to 149 of 150: connection lost",
        ),
        ({"teacher": LogisticRegression()}, {}, ValueError, "requires y to be passed, but the target y is None"),
        ({"teacher": DummyClassifier()}, {"y": np.zeros(150)}, ValueError, "has 1 class, .*; expected at least 2"),
        ({}, {"X": X[:1], "y": Y[:1]}, ValueError, "n_samples = 1; expected at least 2"),
        ({}, {"X": X[:0], "y": Y[:0]}, ValueError, r"0 sample\(s\)"),
        ({}, {"X": pd.DataFrame(X[:0])}, ValueError, r"0 sample\(s\)"),
        ({}, {"y": Y[:9]}, ValueError, "inconsistent numbers of samples"),
        ({"temperature": 0}, {}, ValueError, "temperature=0; expected a number above 0. A temperature of 1 leaves"),
        ({"temperature": "hot"}, {}, TypeError, "temperature='hot'; expected a number"),
        ({"soft_weight": 0.5}, {}, ValueError, "soft_weight=0.5 blends in true labels, but y is None. Pass y"),
        ({"soft_weight": 1.5}, {"y": Y}, ValueError, "soft_weight=1.5; expected a number of at least 0 and at most 1"),
        ({"n_synthetic": -1}, {}, ValueError, "n_synthetic=-1; expected a number of at least 0"),
        ({"n_synthetic": "many"}, {}, ValueError, "n_synthetic='many'; expected 'auto' if it is a string"),
        ({"chunk_size": 0}, {}, ValueError, "chunk_size=0; expected an integer of at least 1"),
        ({"sampler": "munge"}, {}, ValueError, "sampler='munge'; expected 'auto' if it is a string"),
        (
            {"student": "forest"},
            {},
            ValueError,
            "student='forest'; expected an estimator, an AutoStudent, 'auto', or the name of a family: 'linear'",
        ),
        ({"sampler": PCA()}, {}, SamplerError, "has no sample; expected"),
        ({"student": NearestNeighbors()}, {}, StudentError, "is no classifier and no regressor"),
        ({"student": TREE, "target_compressor": PCA(2)}, {}, StudentError, "is no regressor; pass"),
        ({"target_compressor": PCA(2), "compressor": PCA(2)}, {}, ValueError, "expected only target_compressor"),
        (
            {"response_method": "score_samples"},
            {},
            TeacherError,
            "is not available for classification; expected 'auto' or",
        ),
        (
            {"response_method": "decision_function"},
            {},
            TeacherError,
            "has no decision_function; expected one of its methods",
        ),
        ({"teacher_cv": 3}, {"y": Y}, TeacherError, "is already fitted. Pass it unfitted, or teacher_cv=None"),
        ({"teacher": TREE, "teacher_cv": "oob"}, {"y": Y}, TeacherError, 'teacher_cv="oob" needs a forest'),
        (
            {"teacher": TREE, "teacher_cv": "folds"},
            {"y": Y},
            ValueError,
            "teacher_cv='folds'; expected 'oob' if it is a string",
        ),
        ({"memory": "nowhere", "random_state": None}, {}, ValueError, "memory= needs an integer random_state"),
        ({}, {"sample_weight": -np.ones(150)}, ValueError, "150 negative weights"),
        ({}, {"sample_weight": np.ones(3)}, ValueError, "one weight for each row"),
        ({}, {"X_unlabeled": X[:, :2]}, ValueError, "X has 2 features, but .* is expecting 4"),
        ({}, {"X_unlabeled": pd.DataFrame(X)}, ValueError, "X_unlabeled does not match X: got a DataFrame instead"),
        ({"teacher": DBSCAN(eps=0.8).fit(X)}, {"X": X[:90]}, TeacherError, "only has labels_ for the 150 rows"),
        (
            {"teacher": DBSCAN(eps=0.8).fit(X), "sampler": MUNGE()},
            {},
            TeacherError,
            "only has labels_ for the 150 rows",
        ),
        (
            {"teacher": DBSCAN(eps=0.8).fit(X), "max_queries": 9},
            {},
            TeacherError,
            "only has labels_ for all 150 rows of X together",
        ),
        ({"sampler": 5}, {}, SamplerError, "got 5 as a sampler, which has no fit and no sample"),
        ({}, {"X_val": X[:, :2]}, ValueError, "X has 2 features, but .* is expecting 4"),
    ],
)
def test_fit_refuses(params, arguments, error, match):
    """What cannot be fitted is refused by name, and the caller's objects are as before."""
    model = DistilledClassifier(**{"teacher": TEACHER, "n_synthetic": 1.0, "random_state": 0} | params)
    before = {name: repr(value) for name, value in model.get_params(deep=False).items()}
    with pytest.raises(error, match=match):
        model.fit(**{"X": X} | arguments)
    assert {name: repr(value) for name, value in model.get_params(deep=False).items()} == before
    assert not hasattr(model, "student_")


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda X, n: X[:n, :2], r"shape \(15, 2\) instead of \(n, 4\)"),
        (lambda X, n: X[:3], "3 rows instead of 15"),
        (lambda X, n: pd.DataFrame(X[:n]), "a DataFrame instead of a ndarray"),
        (lambda X, n: None, "a NoneType instead of|shape None"),
    ],
)
def test_sampler_that_returns_another_table(change, match):
    """Synthetic rows must be rows of the table."""
    with pytest.raises(SamplerError, match=f"OtherColumns.sample returned .*{match}.*; expected rows like those"):
        DistilledClassifier(TEACHER, TREE, sampler=OtherColumns(change), n_synthetic=15).fit(X)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda frame, n: frame[["b", "a"]][:n], r"columns \['b', 'a'\] instead of \['a', 'b'\]"),
        (lambda frame, n: frame[:n].astype({"b": "float64"}), "dtype Float64 instead of Int64 in column 'b'"),
    ],
)
def test_sampler_that_returns_another_schema(change, match):
    """In frames names and dtypes count as well."""
    frame = pd.DataFrame({"a": X[:, 2], "b": np.arange(150)})
    teacher = DecisionTreeClassifier(max_depth=2).fit(frame, Y)
    with pytest.raises(SamplerError, match=match):
        DistilledClassifier(teacher, TREE, sampler=OtherColumns(change), n_synthetic=15).fit(frame)


def test_other_columns_at_predict():
    """Names and width are checked as scikit-learn checks them."""
    frame = pd.DataFrame(X, columns=list("abcd"))
    model = DistilledClassifier(DecisionTreeClassifier().fit(frame, Y), TREE, n_synthetic=1.0).fit(frame)
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(frame[list("badc")])
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(frame[list("abc")])
    with pytest.raises(ValueError, match="X has 3 features, but DistilledClassifier is expecting 4"):
        DistilledClassifier(TEACHER, TREE, n_synthetic=1.0).fit(X).predict_proba(X[:, :3])


def test_missing_cells_where_the_student_cannot_have_them():
    """NaN is refused before the teacher is asked, if the student cannot take it."""
    holes = X.copy()
    holes[3, 1] = np.nan
    CountingClassifier.rows_asked = 0
    teacher = CountingClassifier().fit(X, Y)
    with pytest.raises(ValueError, match="contains NaN"):
        DistilledClassifier(teacher, LogisticRegression()).fit(holes)
    assert CountingClassifier.rows_asked == 0


def test_regressor_refuses_values_of_another_shape():
    """Values to blend must look like the teacher's."""
    Z, values = dataset("regression")
    teacher = Ridge().fit(Z, np.column_stack([values, values]))
    with pytest.raises(ValueError, match=r"y has shape \(150,\), but the outputs of the teacher have shape \(150, 2\)"):
        DistilledRegressor(teacher, Ridge(), soft_weight=0.5).fit(Z, values)
    with pytest.raises(ValueError, match="contains NaN"):
        DistilledRegressor(teacher, Ridge()).fit(Z, np.full(150, np.nan))


def test_failed_fit_keeps_what_was_fitted_before():
    """A fit that fails leaves the student of the fit before."""
    model = DistilledClassifier(TEACHER, TREE, n_synthetic=1.0, random_state=0).fit(X)
    expected = model.predict_proba(X)
    with pytest.raises(ValueError, match="does not know"):
        model.fit(X, np.full(150, "rose"))
    np.testing.assert_array_equal(model.predict_proba(X), expected)


def test_callers_arrays_are_not_written():
    """X, y, weights and further rows come out as they went in, whether they can be written or not."""
    before = [X, Y, np.linspace(1, 2, 150), X[:20], X[:40], Y[:40]]
    for is_writable in (True, False):
        given = [array.copy() for array in before]
        for array in given:
            array.setflags(write=is_writable)
        rows, labels, weight, pool, rows_val, labels_val = given
        model = DistilledClassifier(TEACHER, TREE, soft_weight=0.5, n_synthetic=2.0, random_state=0)
        model.fit(rows, labels, sample_weight=weight, X_unlabeled=pool, X_val=rows_val, y_val=labels_val)
        for array, expected in zip(given, before, strict=True):
            np.testing.assert_array_equal(array, expected)
