import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import FixedThresholdClassifier
from strategies import distributions

import skdistill
from skdistill.compiled import Decision

CLASSES = np.array(["no", "yes"])
RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 2)).round(3)
Y = CLASSES[(X[:, 0] + X[:, 1] > 0).astype(int)]
NAMES = ["a", "b"]


@given(distributions(), st.data())
def test_a_class_wins_by_its_threshold(proba, data):
    """Equal thresholds choose the largest probability, and a lower threshold never costs a class a row."""
    n_classes = proba.shape[1]
    if n_classes == 2:
        return
    equal = Decision((1 / n_classes,) * n_classes)
    best = equal.positions(proba)
    assert np.all(proba[np.arange(len(proba)), best] >= proba.max(axis=1) - 1e-12)
    k = data.draw(st.integers(0, n_classes - 1))
    lower = np.full(n_classes, 1.0)
    lower[k] = data.draw(st.floats(0.01, 0.99))
    favoured = Decision(tuple(lower.tolist())).positions(proba)
    assert np.all(favoured[best == k] == k)


@pytest.mark.parametrize("pos_label", [None, "no", "yes"])
@pytest.mark.parametrize("threshold", [0.0, 0.2, 0.5, 0.9, 1.0])
def test_two_classes_follow_scikit_learn(threshold, pos_label):
    """Labels are those of ``FixedThresholdClassifier``, ties among them."""
    model = FixedThresholdClassifier(LogisticRegression(), threshold=threshold, pos_label=pos_label).fit(X, Y)
    proba = model.predict_proba(X)
    positive = 0 if pos_label == "no" else 1
    thresholds = (threshold, 1 - threshold) if positive == 0 else (1 - threshold, threshold)
    assert np.array_equal(CLASSES[Decision(thresholds, positive).positions(proba)], model.predict(X))
    tied = np.array([[0.75, 0.25], [0.25, 0.75]])
    assert Decision((0.75, 0.25)).positions(tied).tolist() == [1, 1]
    assert Decision((0.25, 0.75), positive=0).positions(tied).tolist() == [0, 0]


class TestCompiledModel:
    """Whatever the form of the rows, the label follows from the probabilities by the decision."""

    plain = skdistill.compile(LogisticRegression().fit(pd.DataFrame(X, columns=NAMES), Y))
    decision = Decision((0.9, 0.1))
    model = plain.deciding(decision)
    expected = CLASSES[decision.positions(plain(X))]

    def test_it_moves_labels_only(self):
        assert np.array_equal(self.model(X), self.plain(X))
        assert np.any(self.expected != self.plain.predict(X))
        assert self.plain.decision is None

    @pytest.mark.parametrize(
        "rows",
        [X, X.tolist(), pd.DataFrame(X, columns=NAMES), pl.DataFrame(X, schema=NAMES)],
        ids=lambda rows: str(type(rows)),
    )
    def test_many_rows(self, rows):
        assert np.array_equal(self.model.predict(rows), self.expected)

    @pytest.mark.parametrize(
        "as_row",
        [
            lambda row: row,
            lambda row: row.tolist(),
            lambda row: dict(zip(NAMES, row.tolist(), strict=True)),
            lambda row: pd.Series(row, NAMES),
        ],
        ids=["array", "list", "dict", "Series"],
    )
    def test_one_row(self, as_row):
        assert [self.model.predict(as_row(row)) for row in X] == self.expected.tolist()

    def test_tables_of_one_row(self):
        for row, label in zip(X, self.expected, strict=True):
            for table in (row[None], pd.DataFrame(row[None], columns=NAMES)):
                assert self.model.predict(table).tolist() == [label]

    def test_pickles(self):
        """Copies, other dtypes and pickles have the decision; a pickle without one has none."""
        copies = [pickle.loads(pickle.dumps(self.model)), self.model.stored_as(np.dtype("float64"))]
        assert all(np.array_equal(each.predict(X), self.expected) for each in copies)
        state = self.plain.__getstate__()
        assert not {"decision", "bounds"} & set(state)
        older = object.__new__(type(self.plain))
        older.__setstate__(state)
        assert np.array_equal(older.predict(X), self.plain.predict(X))
