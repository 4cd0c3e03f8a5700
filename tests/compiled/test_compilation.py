"""Compiled models: whatever can be compiled answers as the model does, needs numpy only, and says what it cannot do."""

import pickle
import subprocess
import sys

import lightgbm
import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits
from sklearn.decomposition import PCA
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier, RandomForestRegressor
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import Lasso, LinearRegression, LogisticRegression, Ridge, SGDRegressor
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeRegressor

import skdistill
from skdistill import DistilledClassifier, DistilledRegressor
from skdistill.compiled import CompiledModel
from skdistill.compiled._code import compile_row, scores_as_tuple
from skdistill.compiled._links import LINKS
from skdistill.exceptions import CompileError
from skdistill.students import CompactBoostingClassifier, CompactBoostingRegressor

TWO, MANY, VALUES = load_breast_cancer(return_X_y=True), load_digits(return_X_y=True), load_diabetes(return_X_y=True)
TWO = StandardScaler().fit_transform(TWO[0]), TWO[1]
OUTPUTS = VALUES[0], np.column_stack([VALUES[1], 1e4 * VALUES[0][:, 0]])
LIGHTGBM = {"n_estimators": 10, "verbosity": -1, "n_jobs": 1}
CLASSIFIERS = [
    DecisionTreeClassifier(max_leaf_nodes=64, random_state=0),
    DecisionTreeClassifier(random_state=0),
    RandomForestClassifier(10, max_leaf_nodes=30, random_state=0),
    ExtraTreesClassifier(3, random_state=0),
    LogisticRegression(C=0.01, tol=0.1, max_iter=2000),
    CompactBoostingClassifier(10, 8, random_state=0),
    lightgbm.LGBMClassifier(**LIGHTGBM),
    lightgbm.LGBMClassifier(objective="multiclassova", num_class=10, **LIGHTGBM),
]
REGRESSORS = [
    DecisionTreeRegressor(max_leaf_nodes=64, random_state=0),
    ExtraTreeRegressor(random_state=0),
    RandomForestRegressor(10, random_state=0),
    LinearRegression(),
    Ridge(),
    Lasso(),
    SGDRegressor(max_iter=50, tol=None, random_state=0),
    CompactBoostingRegressor(10, 8, random_state=0),
    lightgbm.LGBMRegressor(**LIGHTGBM),
    lightgbm.LGBMRegressor(objective="poisson", **LIGHTGBM),
]
CASES = [
    pytest.param(model, data, id=f"{model!r:.40}-{name}")
    for models, tables in (
        (CLASSIFIERS, {"two classes": TWO, "ten classes": MANY}),
        (REGRESSORS, {"values": VALUES}),
        (
            [model for model in REGRESSORS if "LGBM" not in repr(model) and "SGD" not in repr(model)],
            {"outputs": OUTPUTS},
        ),
    )
    for model in models
    for name, data in tables.items()
    if not ("multiclassova" in repr(model) and name == "two classes")
]


def squared(y, score):
    return score - y, np.ones_like(y)


def answer(model, X):
    return model.predict_proba(X) if hasattr(model, "predict_proba") else model.predict(X)


def assert_same(compiled, model, X):
    """Compare many rows, single rows and the pickle with the model's own answer."""
    expected = answer(model, X)
    atol = 1e-6 * max(1, np.abs(expected).max())
    np.testing.assert_allclose(compiled(X), expected, rtol=0, atol=atol)
    copied = pickle.loads(pickle.dumps(compiled))
    np.testing.assert_array_equal(copied(X), compiled(X))
    for row, one in zip(X[:40], expected, strict=False):
        for form in (row, row.tolist(), tuple(row.tolist())):
            np.testing.assert_allclose(copied(form), one, rtol=0, atol=atol)
        assert np.shape(copied(row)) == np.shape(one)


@pytest.mark.parametrize(("model", "data"), CASES)
def test_compiled_models_answer_as_the_model(model, data):
    """To 1e-6 of the answers' scale: blocks of rows, one row as array, list or tuple, and after unpickling."""
    X, y = data
    fitted = model.fit(X, y)
    compiled = skdistill.compile(fitted)
    assert_same(compiled, fitted, X)
    assert compiled.n_features_in_ == X.shape[1]
    if hasattr(fitted, "classes_"):
        first, second = np.sort(fitted.predict_proba(X), axis=1)[:, :-3:-1].T
        clear = first - second > 1e-6
        np.testing.assert_array_equal(compiled.predict(X)[clear], fitted.predict(X)[clear])


@pytest.mark.parametrize("data", [TWO, MANY], ids=["two", "ten"])
def test_boosters(data):
    """A Booster answers as its own ``predict``."""
    X, y = data
    booster = lightgbm.LGBMClassifier(**LIGHTGBM).fit(X, y).booster_
    np.testing.assert_allclose(skdistill.compile(booster)(X), booster.predict(X), atol=1e-6)
    soft = lightgbm.train({"objective": "cross_entropy", "verbosity": -1}, lightgbm.Dataset(X, y > 0), 5)
    np.testing.assert_allclose(skdistill.compile(soft)(X), soft.predict(X), atol=1e-6)


@pytest.mark.thinned(2)
@pytest.mark.parametrize("temperature", [1.0, 2.5])
@pytest.mark.parametrize(
    "student",
    ["auto", DecisionTreeRegressor(max_leaf_nodes=30), DecisionTreeClassifier(max_leaf_nodes=30), Ridge()],
    ids=["auto", "regression tree", "tree", "ridge"],
)
@pytest.mark.parametrize("data", [TWO, MANY], ids=["two", "ten"])
def test_distilled_classifiers(data, student, temperature):
    """The student of a distilled classifier, completed and sharpened to temperature 1."""
    X, y = data
    teacher = RandomForestClassifier(10, random_state=0).fit(X, y)
    student = CompactBoostingClassifier(5, 8) if student == "auto" else student
    model = DistilledClassifier(teacher, student, sampler=None, temperature=temperature, random_state=0).fit(X)
    assert_same(skdistill.compile(model), model, X)
    assert_same(skdistill.compile(model.student_), model, X)


def test_distilled_regressors():
    """The student of a distilled regressor."""
    X, y = VALUES
    model = DistilledRegressor(RandomForestRegressor(10).fit(X, y), CompactBoostingRegressor(5, 8), sampler=None).fit(X)
    assert_same(skdistill.compile(model), model, X)
    assert_same(skdistill.compile(FrozenEstimator(model.student_)), model, X)


# ---------------------------------------------------------------------- how it may be asked


def test_any_layout_and_dtype_of_rows():
    """Empty, integer, boolean, float32, transposed, strided and sparse-like input."""
    X, y = MANY
    compiled = skdistill.compile(CompactBoostingClassifier(5, 8).fit(X, y))
    expected = compiled(X)
    np.testing.assert_array_equal(compiled(X.astype(int)), expected)
    np.testing.assert_array_equal(compiled(X.astype(np.float32)), expected)
    np.testing.assert_array_equal(compiled(np.asfortranarray(X)), expected)
    np.testing.assert_array_equal(compiled(np.repeat(X, 2, axis=1)[::3, ::2]), expected[::3])
    np.testing.assert_array_equal(compiled(X[:20].tolist()), expected[:20])
    assert compiled(X[:0]).shape == (0, 10)
    np.testing.assert_allclose(compiled(X[:1]), expected[:1], rtol=1e-12)
    np.testing.assert_allclose(compiled(X[0].astype(int)), expected[0], rtol=1e-12)
    np.testing.assert_allclose(compiled(X[0].astype(np.float32)), expected[0], rtol=1e-12)
    np.testing.assert_array_equal(compiled(X > 7), compiled((X > 7).astype(float)))


def raw_table(n_rows=300):
    rng = np.random.RandomState(0)
    frame = pd.DataFrame(
        {
            "number": np.where(rng.uniform(size=n_rows) < 0.2, np.nan, rng.normal(size=n_rows)),
            "text": rng.choice(["a", "b", "nan", None], size=n_rows),
            "category": pd.Categorical(rng.choice([1, 2, 10], size=n_rows)),
            "flag": rng.uniform(size=n_rows) < 0.5,
            "day": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.randint(0, 300, size=n_rows), unit="D"),
            "lasts": pd.to_timedelta(rng.randint(0, 300, size=n_rows), unit="h"),
        }
    )
    y = frame["number"].fillna(2) + frame["text"].eq("a") + 2 * frame["flag"] + (frame["category"] == 10)
    return frame, (y + (frame["day"] > "2024-06-01") + (frame["lasts"] > pd.Timedelta("100h"))).to_numpy()


def test_raw_rows():
    """Frames, object arrays and single rows: text, categories, flags, dates, durations, missing and unseen cells."""
    frame, y = raw_table()
    student = CompactBoostingRegressor(20, 8, random_state=0).fit(frame, y)
    assert student.score(frame, y) > 0.9
    compiled = pickle.loads(pickle.dumps(skdistill.compile(student)))
    expected = student.predict(frame)
    np.testing.assert_allclose(compiled(frame), expected, rtol=1e-9)
    cells = frame.astype(object).to_numpy()
    np.testing.assert_allclose(compiled(cells), expected, rtol=1e-9)
    for index in range(60):
        np.testing.assert_allclose(compiled(cells[index]), expected[index], rtol=1e-9)
        np.testing.assert_allclose(compiled(frame.iloc[index]), expected[index], rtol=1e-9)
    odd = frame.iloc[:3].assign(text=["never seen", "a", "b"], category=pd.Categorical([77, 2, 10]))
    np.testing.assert_allclose(compiled(odd), student.predict(odd), rtol=1e-9)
    np.testing.assert_allclose(compiled(odd.iloc[0]), student.predict(odd)[0], rtol=1e-9)


def test_raw_rows_of_polars():
    """A polars frame."""
    frame, y = raw_table()
    frame = pl.from_pandas(frame.drop(columns="lasts").assign(category=frame["category"].astype(str)))
    student = CompactBoostingRegressor(10, 8).fit(frame, y)
    np.testing.assert_allclose(skdistill.compile(student)(frame), student.predict(frame), rtol=1e-9)


def test_needs_numpy_only(tmp_path):
    """A pickled model is loaded and asked where no other library can be imported."""
    X, y = MANY
    compiled = skdistill.compile(CompactBoostingClassifier(5, 8).fit(X, y))
    frame, values = raw_table()
    raw = skdistill.compile(CompactBoostingRegressor(5, 8).fit(frame, values))
    cells = frame.astype({"day": "datetime64[us]"}).to_numpy(dtype=object)[:5, :4].tolist()
    cells = [[*row, np.datetime64("2024-02-03"), np.timedelta64(5, "h")] for row in cells]
    path = tmp_path / "models"
    path.write_bytes(pickle.dumps((compiled, X[:5], compiled(X[:5]), raw, cells, raw(cells))))
    code = f"""
import sys
for name in ("sklearn", "scipy", "lightgbm", "joblib", "narwhals", "pandas", "threadpoolctl"):
    sys.modules[name] = None
import pickle
import numpy as np
model, X, expected, raw, cells, values = pickle.load(open({str(path)!r}, "rb"))
np.testing.assert_array_equal(model(X), expected)
np.testing.assert_allclose(model(X[0]), expected[0])
np.testing.assert_allclose(raw(cells), values)
np.testing.assert_allclose(raw(cells[0]), values[0])
np.testing.assert_allclose(raw([cells[0]]), values[:1])
np.testing.assert_allclose(raw(dict(zip(raw.feature_names_in_, cells[0]))), values[0])
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_importing_the_package_is_lazy():
    """``import skdistill`` alone loads no other library; every public name is there all the same."""
    code = "import sys, skdistill; assert 'sklearn' not in sys.modules; print(*dir(skdistill))"
    told = subprocess.run([sys.executable, "-c", code], check=True, timeout=60, capture_output=True, text=True).stdout
    assert set(skdistill.__all__) <= set(told.split())
    assert all(hasattr(skdistill, name) for name in told.split())
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = skdistill.nothing


@pytest.mark.thinned(2)
@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("kind", ["M8", "m8"])
def test_times_of_any_unit(kind, unit):
    """Dates and durations are the same time in whatever unit a table keeps them."""
    rng = np.random.RandomState(0)
    times = (rng.randint(0, 10**6, size=300) + 10**9).astype(f"{kind}[s]").astype(f"{kind}[{unit}]")
    frame = pd.DataFrame({"time": times, "number": rng.normal(size=300)})
    frame["time"] = frame["time"].astype(f"{'datetime' if kind == 'M8' else 'timedelta'}64[{unit}]")
    student = CompactBoostingRegressor(5, 8).fit(frame, times.astype("m8[s]" if kind == "m8" else "M8[s]").astype(int))
    compiled, expected = skdistill.compile(student), student.predict(frame)
    np.testing.assert_allclose(compiled(frame), expected)
    np.testing.assert_allclose([compiled(frame.iloc[index]) for index in range(20)], expected[:20])
    array = times[:, None]
    student = CompactBoostingRegressor(5, 8).fit(array, np.arange(300))
    compiled, expected = skdistill.compile(student), student.predict(array)
    np.testing.assert_allclose(compiled(array), expected)
    np.testing.assert_allclose([compiled(row) for row in array[:20]], expected[:20])
    missing = np.array([[np.array("NaT", dtype=times.dtype)]], dtype=times.dtype)
    np.testing.assert_allclose(compiled([missing[0, 0]]), student.predict(missing)[0])


@pytest.mark.parametrize("dtype", ["int64", "float32", "str", "datetime64[ns]", "bool"])
def test_categories_of_any_type(dtype):
    """Categories of pandas that are no text, some cells missing."""
    rng = np.random.RandomState(0)
    kinds = pd.Index(np.arange(6) % 2 if dtype == "bool" else np.arange(6)).astype(dtype).unique()
    codes = rng.randint(-1, len(kinds), size=400)
    frame = pd.DataFrame({"kind": pd.Categorical.from_codes(codes, kinds), "number": rng.normal(size=400)})
    student = CompactBoostingRegressor(5, 8).fit(frame, codes + frame["number"])
    np.testing.assert_allclose(skdistill.compile(student)(frame), student.predict(frame))
    if dtype in ("int64", "str", "bool"):
        rows = [skdistill.compile(student)(frame.iloc[index]) for index in range(40)]
        np.testing.assert_allclose(rows, student.predict(frame)[:40])


def test_numbers_with_missing_cells_of_pandas():
    """Nullable columns, for a model of numbers."""
    frame = pd.DataFrame({"a": pd.array([1, 2, None, 4] * 50, dtype="Int64"), "b": np.arange(200.0)})
    model = lightgbm.LGBMRegressor(**LIGHTGBM).fit(frame, np.arange(200) % 4)
    np.testing.assert_allclose(skdistill.compile(model)(frame), model.predict(frame), atol=1e-6)


def test_bytes_are_text():
    """Many rows of bytes and one alike."""
    X = np.array([[b"a"], [b"bb"], [b"c"]] * 50)
    student = CompactBoostingRegressor(5, 4).fit(X.astype(object), np.arange(150) % 3)
    compiled = skdistill.compile(student)
    np.testing.assert_allclose([compiled(row) for row in X[:3]], compiled(X[:3]))


@pytest.mark.parametrize("kind", [DecisionTreeRegressor(max_leaf_nodes=50), RandomForestRegressor(10, random_state=0)])
def test_large_offsets_keep_their_digits(kind):
    """Values that differ little for their size, such as times, are compiled in full."""
    X = np.random.RandomState(0).normal(size=(500, 2))
    model = kind.fit(X, 1.7e9 + X[:, 0])
    np.testing.assert_allclose(skdistill.compile(model)(X), model.predict(X), rtol=0, atol=1e-5)


def test_rows_of_numpys_own_scalars():
    """A list of float32 scalars is compared as the array is, whatever the model's precision."""
    X = (1.7e9 + 128 * np.random.RandomState(0).randint(0, 300, size=(2000, 2))).astype(np.float32)
    y = X[:, 0] - 1.7e9 + X[:, 1] % 256
    for model in (lightgbm.LGBMRegressor(num_leaves=60, **LIGHTGBM).fit(X, y), LinearRegression().fit(X, y)):
        compiled = skdistill.compile(model)
        expected = compiled(X[:100].astype(float))
        np.testing.assert_allclose([compiled(list(row)) for row in X[:100]], expected, rtol=1e-9)
        assert type(compiled(tuple(X[0]))) is float


def test_missing_cells_of_linear_models_are_not_hidden():
    """NaN in, NaN out: for one row as for many."""
    compiled = skdistill.compile(LogisticRegression().fit(*TWO))
    row = TWO[0][0].copy()
    row[3] = np.nan
    assert np.isnan(compiled(row)).all()
    assert np.isnan(compiled(row[None])).all()


def test_sparse_rows_and_names_of_columns():
    """Sparse rows of linear models and students; no warning for a model that was fitted on a frame."""
    X, y = MANY
    for model in (LogisticRegression(C=0.01, tol=0.1, max_iter=2000), CompactBoostingClassifier(3, 4)):
        fitted = model.fit(pd.DataFrame(X), y)
        compiled = skdistill.compile(fitted)
        np.testing.assert_allclose(compiled(sparse.csr_matrix(X)), compiled(X))
    thin = LogisticRegression(C=0.01, tol=0.1, max_iter=2000).fit(X, y).sparsify()
    np.testing.assert_allclose(skdistill.compile(thin)(X), thin.predict_proba(X))


def test_odd_codes_of_categories():
    """Fractions are cut off as LightGBM does, infinity and unseen codes are nowhere, for one row as for many."""
    rng = np.random.RandomState(0)
    X = np.column_stack([rng.randint(0, 8, size=500), rng.normal(size=500)])
    data = lightgbm.Dataset(X, np.isin(X[:, 0], [0, 3, 5]) + 0.0, categorical_feature=[0])
    booster = lightgbm.train({"verbosity": -1, "min_data_per_group": 1, "cat_smooth": 1}, data, 5)
    compiled = skdistill.compile(booster)
    odd = np.array([[code, 0.0] for code in (-0.5, 0.7, 3.2, -1.0, 99.0, np.nan)])
    np.testing.assert_allclose(compiled(odd), booster.predict(odd), atol=1e-6)
    odd = np.vstack([odd, [[np.inf, 0], [-np.inf, 0]]])
    np.testing.assert_allclose([compiled(row) for row in odd], compiled(odd))


def test_too_many_values_for_code():
    """Hundreds of classes go through arrays also for one row, in blocks that stay small."""
    rng = np.random.RandomState(0)
    X, y = rng.normal(size=(3000, 3)), rng.randint(0, 300, size=3000)
    model = RandomForestClassifier(3, random_state=0).fit(X, y)
    compiled = skdistill.compile(model)
    assert compiled.source is None
    assert compiled.scorer._block_rows < 1000
    np.testing.assert_allclose(compiled(X[0]), model.predict_proba(X[:1])[0], atol=1e-6)


# ---------------------------------------------------------------------- small dtypes


@pytest.mark.parametrize("model", [DecisionTreeRegressor(max_leaf_nodes=50), Ridge()])
def test_float16_is_smaller_and_says_what_it_costs(model):
    """The loss is measured on the rows given; beyond the tolerance it is refused, and the model is left alone."""
    X, y = VALUES
    fitted = model.fit(X, y)
    full, small = skdistill.compile(fitted), skdistill.compile(fitted, dtype="float16", X=X)
    assert small.n_bytes < full.n_bytes
    assert 0 < small.quantization_loss_ < 1e-3
    assert 1 - small.quantization_loss_ == pytest.approx(skdistill.metrics.fidelity(full(X), small(X)), abs=1e-6)
    before = fitted.predict(X)
    with pytest.raises(CompileError, match=r"loses .* of fidelity .* tolerance=0"):
        skdistill.compile(fitted, dtype="float16", X=X, tolerance=0)
    np.testing.assert_array_equal(fitted.predict(X), before)
    with pytest.raises(ValueError, match="X is a single row or not a table"):
        skdistill.compile(fitted, dtype="float16", X=X[0])
    with pytest.raises(ValueError, match="needs rows to measure the loss of fidelity on"):
        skdistill.compile(fitted, dtype="float16")


def test_float64_is_exact():
    """Without rounding, a tree is the tree."""
    X, y = VALUES
    tree = DecisionTreeRegressor().fit(X, y / 3)
    np.testing.assert_array_equal(skdistill.compile(tree, dtype="float64")(X), tree.predict(X))


# ---------------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("model", "match"),
    [
        (SVC(), "got a SVC; expected a student"),
        (GaussianNB(), "Distil it first: DistilledClassifier"),
        (make_pipeline(StandardScaler(), GaussianNB()), "got a GaussianNB, the last step of a Pipeline of 2 steps;"),
        (lightgbm.LGBMClassifier(objective=squared, **LIGHTGBM), "objective 'none'"),
        (lightgbm.LGBMClassifier(objective="multiclassova", num_class=2, **LIGHTGBM), "objective 'multiclassova'"),
        (lightgbm.LGBMRegressor(linear_tree=True, **LIGHTGBM), "linear trees"),
        (lightgbm.LGBMRegressor(objective="regression", reg_sqrt=True, **LIGHTGBM), "objective 'regression sqrt'"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_cannot_be_compiled_is_named(model, match):
    """The error says what was given and what to do."""
    with pytest.raises(CompileError, match=match):
        skdistill.compile(model.fit(*TWO))


def test_more_that_is_refused():
    """Unfitted models, functions, unknown dtypes, compressed students, pandas categories inside LightGBM."""
    X, y = TWO
    with pytest.raises(NotFittedError):
        skdistill.compile(DecisionTreeClassifier())
    with pytest.raises(NotFittedError):
        skdistill.compile(CompactBoostingClassifier())
    with pytest.raises(CompileError, match="got a function"):
        skdistill.compile(lambda X: X)
    with pytest.raises(ValueError, match="dtype='int4'; expected one of"):
        skdistill.compile(DecisionTreeClassifier().fit(X, y), dtype="int4")
    forest = RandomForestClassifier(5).fit(*MANY)
    compressed = DistilledClassifier(forest, "linear", sampler=None, target_compressor=PCA(3)).fit(MANY[0])
    with pytest.raises(CompileError, match="has no compiled form"):
        skdistill.compile(compressed)
    with pytest.raises(CompileError, match="got the class DecisionTreeClassifier"):
        skdistill.compile(DecisionTreeClassifier)
    with pytest.raises(ValueError, match="tolerance='a'; expected a number"):
        skdistill.compile(DecisionTreeClassifier().fit(X, y), tolerance="a")
    frame = pd.DataFrame({"a": pd.Categorical(["x", "y"] * 50)})
    with pytest.raises(CompileError, match="encode them as numbers"):
        skdistill.compile(lightgbm.LGBMRegressor(**LIGHTGBM).fit(frame, np.arange(100)))


def test_other_estimators_take_part():
    """An estimator of anybody's with ``__skdistill_compile__`` can be compiled."""
    inner = LinearRegression().fit(*VALUES)

    class Ours:
        def __skdistill_compile__(self):
            return skdistill.compile(inner)

    assert skdistill.compile(Ours())(VALUES[0][0]) == pytest.approx(inner.predict(VALUES[0][:1])[0])

    class Exponential(Ridge):
        def predict(self, X):
            return np.exp(super().predict(X))

        def __skdistill_compile__(self):
            return CompiledModel(skdistill.compile(Ridge().fit(*VALUES)).scorer, "exp", is_single=True)

    model = DistilledClassifier(LogisticRegression().fit(*TWO), Exponential(), sampler=None).fit(TWO[0])
    with pytest.raises(CompileError, match="has no compiled form"):
        skdistill.compile(model)


# ---------------------------------------------------------------------- links


@settings(max_examples=60, deadline=None)
@given(scores=st.lists(st.floats(-800, 800), min_size=2, max_size=5), link=st.sampled_from(sorted(LINKS)))
def test_links_of_one_row_are_links_of_many(scores, link):
    """Generated code and numpy agree, far into saturation, and probabilities sum to one."""
    scores = scores[:1] if link == "binary" else [min(score, 700) for score in scores]
    many = LINKS[link].of_rows(np.array([scores]))[0]
    given_scores = "\n".join(f"    s{index} = cells[{index}]" for index in range(len(scores)))
    ending = LINKS[link].ending.format(scores=scores_as_tuple(len(scores)))
    one = compile_row(f"def row(cells):\n{given_scores}\n{ending}", link=LINKS[link].of_one)(scores)
    np.testing.assert_allclose(one, many, rtol=1e-9, atol=1e-300)
    if link in ("binary", "one-vs-rest", "softmax"):
        assert many.sum() == pytest.approx(1)
        assert np.all(many >= 0)
