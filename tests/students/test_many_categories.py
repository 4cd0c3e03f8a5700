"""Columns of thousands of categories: inputs that are mostly zero."""

import numpy as np
import pandas as pd
import pytest

import skdistill
from skdistill import _encoding
from skdistill._encoding import fit_encoder, with_dense_categories
from skdistill.solvers import _linear_inputs
from skdistill.students import (
    CompactHybridRegressor,
    CompactKernelRegressor,
    CompactLinearClassifier,
    CompactLinearRegressor,
    CompactMLPRegressor,
)

RNG = np.random.default_rng(0)
N_ROWS = 1500
CODES = np.minimum(RNG.geometric(0.01, N_ROWS), 140)
TABLE = pd.DataFrame(
    {
        "code": CODES.astype(str),
        "a": RNG.normal(size=N_ROWS),
        "b": RNG.normal(size=N_ROWS),
        "few": RNG.choice(["x", "y"], N_ROWS),
    }
)
TABLE.loc[::9, "a"] = np.nan
TABLE.loc[::7, "code"] = None
VALUES = np.sin(CODES) + (TABLE["few"] == "x") + TABLE["a"].fillna(0.5).to_numpy() * TABLE["b"].to_numpy()


@pytest.mark.thinned(2)
@pytest.mark.parametrize(
    "student",
    [
        CompactLinearRegressor(),
        CompactLinearRegressor(3),
        CompactLinearRegressor(penalty="l1", alpha=0.01),
        CompactLinearClassifier(2),
    ],
)
@pytest.mark.parametrize("most_gram_features", [3000, 10])
def test_sparse_inputs_are_the_dense_ones(student, most_gram_features, monkeypatch):
    """Whether inputs are sparse changes time and memory, but no weight by more than the tolerance of the solver."""
    monkeypatch.setattr("skdistill.solvers._regression.MAX_GRAM_FEATURES", most_gram_features)
    targets = VALUES > 0 if isinstance(student, CompactLinearClassifier) else VALUES
    monkeypatch.setattr(_linear_inputs, "MIN_SPARSE_RATIO", 1e9)
    dense = student.fit(TABLE, targets).scorer_
    monkeypatch.setattr(_linear_inputs, "MIN_SPARSE_RATIO", 1)
    monkeypatch.setattr(_linear_inputs, "MIN_SPARSE_INPUTS", 1)
    made = []
    make = _linear_inputs._sparse_inputs
    monkeypatch.setattr(_linear_inputs, "_sparse_inputs", lambda *arguments: made.append(1) or make(*arguments))
    sparse = student.fit(TABLE, targets).scorer_
    assert made
    cells = student._encoder.transform(TABLE)
    np.testing.assert_allclose(sparse.scores(cells), dense.scores(cells), atol=3e-3)


def test_sparse_inputs_never_fill_the_memory(monkeypatch):
    """No step of a linear fit makes the inputs of many categories dense."""
    rows = pd.DataFrame({"code": np.repeat(np.arange(3500), 5).astype(str), "a": RNG.normal(size=17_500)})
    monkeypatch.setattr(_linear_inputs.Design, "inputs", _narrow_only(_linear_inputs.Design.inputs))
    student = CompactLinearRegressor(1).fit(rows, np.sin(np.repeat(np.arange(3500), 5)) + rows["a"])
    assert student.scorer_.design.width == 3501


def _narrow_only(inputs):
    def checked(design, cells, *arguments):
        assert design.width < 100, "inputs of all categories"
        return inputs(design, cells, *arguments)

    return checked


@pytest.mark.parametrize("kind", [CompactMLPRegressor, CompactKernelRegressor, CompactHybridRegressor])
def test_dense_inputs_are_those_of_the_most_frequent_categories(kind, monkeypatch):
    """Networks and kernels have as many inputs as is allowed; other categories are unseen, except for trees."""
    monkeypatch.setattr(_encoding, "MAX_COMMON_CATEGORIES", 50)
    monkeypatch.setattr(_encoding, "MAX_DENSE_CATEGORIES", 12)
    counts = TABLE["code"].value_counts()
    encoder = with_dense_categories(fit_encoder(TABLE))
    assert counts[list(encoder.categories_[0])].min() >= counts.iloc[12]
    student = kind().set_params(random_state=0).fit(TABLE, VALUES)
    scorer = student.scorer_.parts[0] if kind is CompactHybridRegressor else student.scorer_
    assert scorer.design.n_codes.max() == 12
    assert (len(student._encoder.categories_[0]) > 12) == (kind is CompactHybridRegressor)
    rest = TABLE.assign(
        code=[each if each in set(student._encoder.categories_[0]) else "new" for each in TABLE["code"]]
    )
    np.testing.assert_array_equal(student.predict(rest), student.predict(TABLE.fillna({"code": "new"})))
    rare = TABLE[TABLE["code"].isin(counts.index[40:])][:5]
    compiled = skdistill.compile(student)
    one_row = [compiled(row) for row in rare.to_numpy(dtype=object).tolist()]
    np.testing.assert_allclose(np.ravel(one_row), student.predict(rare), rtol=1e-6)
