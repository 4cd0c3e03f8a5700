"""A chain of compressions keeps its tolerance, and its table says what is true."""

import datetime as dt
import importlib.util
import pickle
import shutil
from functools import cache

import numpy as np
import polars as pl
import pytest
from lightgbm import LGBMRegressor
from sklearn.base import clone
from sklearn.datasets import make_classification, make_regression
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR

import skdistill
from skdistill import compress
from skdistill.compiled import CompiledModel, Computed, Forest, Landmarks, Linear, Network, Sum
from skdistill.compression import LowRank, Prune, Quantize, ShareThresholds, Step
from skdistill.compression._compressing import JUDGED_SHARE
from skdistill.exceptions import CompileError
from skdistill.metrics import fidelity
from skdistill.students import CompactHybridRegressor, CompactKernelRegressor, CompactMLPClassifier

TOLERANCE = 0.01


@cache
def rows(task="regression"):
    """Return rows with some missing cells in the first column, and their truth."""
    if task == "regression":
        X, y = make_regression(400, 6, noise=3.0, random_state=0)
    else:
        X, y = make_classification(400, 6, n_informative=5, n_redundant=0, n_classes=3, random_state=0)
    return X, y


@cache
def models():
    """Return compiled models of every kind of scorer."""
    X, y = rows()
    Xc, yc = rows("classification")
    proba = np.eye(3)[yc] * 0.8 + 0.2 / 3
    y = y / y.std()
    return {
        "forest": skdistill.compile(RandomForestRegressor(12, max_leaf_nodes=20, random_state=0).fit(X, y)),
        "classes": skdistill.compile(RandomForestClassifier(8, max_leaf_nodes=12, random_state=0).fit(Xc, yc)),
        "linear": skdistill.compile(LogisticRegression().fit(Xc, yc)),
        "network": skdistill.compile(
            MLPRegressor(
                hidden_layer_sizes=(16, 12), learning_rate_init=0.01, tol=1e-2, n_iter_no_change=3, random_state=0
            ).fit(X, y)
        ),
        "student network": skdistill.compile(
            CompactMLPClassifier((12,), n_knots=20, max_epochs=3, random_state=0).fit_soft(Xc, proba, classes=[0, 1, 2])
        ),
        "landmarks": skdistill.compile(SVR(C=5.0, epsilon=0.3).fit(X, y)),
        "kernel student": skdistill.compile(CompactKernelRegressor(12, random_state=0).fit_soft(X, y)),
        "sum": skdistill.compile(
            CompactHybridRegressor((8,), n_trees=12, max_leaf_nodes=6, random_state=0).fit_soft(X, y)
        ),
        "pipeline": skdistill.compile(
            make_pipeline(StandardScaler(), RandomForestRegressor(12, max_leaf_nodes=20, random_state=0)).fit(X, y)
        ),
    }


NAMES = (
    "forest",
    "classes",
    "linear",
    "network",
    "student network",
    "landmarks",
    "kernel student",
    "sum",
    "pipeline",
)


def rows_of(name):
    return rows("classification" if name in ("classes", "linear", "student network") else "regression")[0]


@cache
def compressed(name, dtype="int8"):
    steps = [Prune(), LowRank(), ShareThresholds(), Quantize(dtype)]
    return compress(models()[name], steps, X=rows_of(name), tolerance=TOLERANCE, order="given")


def judging_rows(name):
    X = rows_of(name)
    return X[np.random.RandomState(0).permutation(len(X))[: round(JUDGED_SHARE * len(X))]]


@pytest.mark.parametrize("name", NAMES)
def test_the_table_is_true(name):
    """Bytes, operations and fidelity are those of the model; what is lost is within the tolerance."""
    found, X = compressed(name), judging_rows(name)
    kept = [record for record in found.records if record.is_kept]
    last = kept[-1]
    assert last.n_bytes == found.model.n_bytes == len(pickle.dumps(found.model, protocol=pickle.HIGHEST_PROTOCOL))
    assert (last.n_ops, last.n_parameters) == (found.model.scorer.n_ops, found.model.scorer.n_parameters)
    assert last.fidelity == pytest.approx(fidelity(models()[name](X), found.model(X)), abs=1e-12)
    assert found.loss <= TOLERANCE
    assert found.model.quantization_loss_ == pytest.approx(max(found.loss, 0))
    assert [record.n_bytes for record in kept] == sorted((record.n_bytes for record in kept), reverse=True)
    assert found.ratio > 1.1
    assert found.n_fitted + found.n_judged == len(rows_of(name))
    assert all(record.reason for record in found.records[1:])


@pytest.mark.parametrize("name", NAMES)
def test_compressed_models_are_models(name):
    """One row is many rows; a pickle and another precision give the same."""
    model, X = compressed(name).model, rows_of(name)[:20]
    many = model(X)
    assert model.source is not None
    np.testing.assert_allclose([model(row) for row in X], many, rtol=1e-6, atol=1e-9)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model))(X), many)
    np.testing.assert_array_equal(model.stored_as(np.dtype("float64"))(X), many)


@pytest.mark.parametrize("name", NAMES)
def test_compressed_models_can_be_exported(name):
    """Exports read plain arrays: run in another process, they answer as the model does."""
    exported = skdistill.export.to_python(compressed(name).model)
    assert exported.n_rows > 300
    assert exported.largest_difference <= 1e-9


@pytest.mark.parametrize("name", ["forest", "student network"])
def test_exports_become_smaller_too(name):
    """Files of C and ONNX hold int8 codes and a step where the model has them, and answer as the model does."""
    has_gcc = shutil.which("gcc") is not None
    has_onnx = all(importlib.util.find_spec(library) is not None for library in ("onnx", "onnxruntime"))
    sizes = []
    for model in (models()[name], compressed(name).model):
        in_c = skdistill.export.to_c(model, verify=has_gcc, layout="table")
        assert not has_gcc or in_c.largest_difference <= 1e-9
        sizes.append([len(in_c.text)])
        if has_onnx:
            onnx = skdistill.export.to_onnx(model)
            assert onnx.largest_difference <= 1e-9
            sizes[-1].append(len(onnx.data))
    assert "static const signed char" in in_c.text
    assert all(after < 0.9 * before for before, after in zip(*sizes, strict=True))


def test_a_pipeline_is_compressed_as_the_model_in_it():
    """Values are solved for on the columns that it computes, and lose no more than those of the model alone."""
    X, y = rows()
    scaler = StandardScaler().fit(X)
    forest = RandomForestRegressor(12, max_leaf_nodes=20, random_state=0).fit(scaler.transform(X), y)
    steps = {"steps": [ShareThresholds(), Quantize("int8")], "tolerance": TOLERANCE, "order": "given"}
    alone = compress(forest, X=scaler.transform(X), **steps)
    inside = compress(make_pipeline(scaler, forest), X=X, **steps)
    assert [record.fidelity for record in inside.records] == [record.fidelity for record in alone.records]
    assert inside.ratio > 1.3


def test_models_of_lightgbm_are_exact_first():
    """Without tolerance, a model of LightGBM keeps its answers, categories and missing cells included."""
    X, y = rows()
    X = np.column_stack([X, np.arange(len(X)) % 7])
    booster = LGBMRegressor(n_estimators=8, num_leaves=8, verbosity=-1, n_jobs=1).fit(X, y, categorical_feature=[6])
    exact, smaller = (compress(booster, X=X, tolerance=tolerance, order="given") for tolerance in (0.0, 0.01))
    X[::5] = np.nan
    np.testing.assert_allclose(exact.model(X), skdistill.compile(booster)(X), rtol=1e-12)
    np.testing.assert_allclose(exact.model(X), booster.predict(X), rtol=1e-5)
    assert smaller.model.n_bytes < exact.model.n_bytes <= exact.records[0].n_bytes


@pytest.mark.parametrize("order", ["given", "smallest"])
def test_what_changes_nothing_is_left_out_even_if_every_step_is_refused(order):
    """Eight trees that are equal are one tree, whatever the tolerance and the order."""
    X, y = rows()
    same = RandomForestRegressor(8, bootstrap=False, max_leaf_nodes=12, random_state=0).fit(X, y)
    found = compress(same, [Prune(0.5), Quantize("int8", 5)], X=X, tolerance=0, order=order)
    assert not any(record.is_kept for record in found.records[2:])
    assert found.records[1].is_kept
    assert found.model.scorer.n_trees == 1
    assert found.model.n_bytes < found.records[0].n_bytes
    np.testing.assert_allclose(found.model(X), skdistill.compile(same)(X), rtol=1e-12)


@pytest.mark.parametrize("name", ["forest", "classes", "sum"])
def test_codebooks_share_values(name):
    """Leaf values are few, and a pickle holds each of them once."""
    found = compressed(name, "codebook")
    forest = found.model.scorer.parts[-1] if name == "sum" else found.model.scorer
    assert found.loss <= TOLERANCE
    assert len(np.unique(forest.value)) < max(forest.value.size / 2, 60)
    assert forest.value.dtype == np.float32


def test_the_smallest_order_is_found():
    """No order of the steps that is given by hand has a smaller result."""
    steps = [Prune(), Quantize()]
    X, model = rows_of("forest"), models()["forest"]
    best = compress(model, steps, X=X, tolerance=TOLERANCE)
    by_hand = [compress(model, order, X=X, tolerance=TOLERANCE, order="given") for order in (steps, steps[::-1])]
    assert best.model.n_bytes == min(found.model.n_bytes for found in by_hand)


def test_the_same_seed_gives_the_same_model():
    """Rows that judge are drawn with the seed."""
    X, model = rows_of("forest"), models()["forest"]
    first, second, other = (
        compress(model, [Quantize(n_steps=15)], X=X, tolerance=1.0, random_state=seed).model for seed in (3, 3, 4)
    )
    assert pickle.dumps(first) == pickle.dumps(second)
    assert pickle.dumps(first) != pickle.dumps(other)


def test_without_tolerance_only_lossless_parts_go():
    """Steps that lose anything are not kept, and the table says why."""
    X = rows_of("forest")
    found = compress(models()["forest"], [Prune(0.5), Quantize("int8")], X=X, tolerance=0)
    assert [record.is_kept for record in found.records[2:]] == [False, False]
    assert "below" in found.records[2].reason
    np.testing.assert_array_equal(found.model(X), models()["forest"](X))


def test_steps_for_other_kinds_are_said():
    """Layers of lower rank are no step of forests."""
    found = compress(models()["forest"], [LowRank()], X=rows_of("forest"))
    assert found.records[-1].reason == "not for this kind of model"
    assert not found.records[-1].is_kept


def test_outputs_of_a_teacher_are_followed():
    """With y, fidelity is that to y, and values are solved for so that it stays."""
    X, truth = rows()
    truth = truth / truth.std()
    found = compress(models()["forest"], [Quantize("int8", 30)], X=X, y=truth, tolerance=0.02)
    judged = judging_rows("forest")
    of_judged = truth[np.random.RandomState(0).permutation(len(X))[: len(judged)]]
    assert found.records[0].fidelity == pytest.approx(fidelity(of_judged, models()["forest"](judged)))
    assert found.records[-1].fidelity == pytest.approx(fidelity(of_judged, found.model(judged)))


def test_rows_without_weight_change_nothing():
    """They are neither fitted to nor do they judge."""
    X = rows_of("forest")
    weight = (np.arange(len(X)) < 300).astype(float)
    changed = X.copy()
    changed[300:] = 1e3
    found = [
        compress(models()["forest"], [Quantize(n_steps=9)], X=table, sample_weight=weight, tolerance=1.0)
        for table in (X, changed)
    ]
    assert pickle.dumps(found[0].model) == pickle.dumps(found[1].model)


def test_constant_models_lose_nothing():
    """R² of a constant is 0 for the smallest error, and yet nothing is lost."""
    X = rows_of("forest")
    constant = RandomForestRegressor(3, random_state=0).fit(X, np.full(len(X), 0.1))
    found = compress(constant, X=X)
    np.testing.assert_allclose(found.model(X), 0.1)
    assert found.loss == pytest.approx(0, abs=1e-12)


def test_text_and_html_hold_the_table():
    """The sentence, and one line for each step."""
    found = compressed("forest")
    assert str(found).startswith(f"{found.records[0].n_bytes:,} bytes became {found.model.n_bytes:,}")
    assert found._repr_html_().count("<tr>") == len(found.records) + 1
    _, table = str(found).split("\n\n")
    assert len(table.splitlines()) == len(found.records) + 1
    assert list(found.table())[:4] == ["step", "n_bytes", "n_ops", "n_parameters"]


def test_steps_are_small_objects():
    """Steps are cloned, pickled and set as estimators are."""
    for step in (Prune(0.3), LowRank(), ShareThresholds(0.1), Quantize("codebook", n_steps=7)):
        assert repr(clone(step)) == repr(pickle.loads(pickle.dumps(step))) == repr(step)
    assert Quantize().set_params(n_steps=3).strengths() == (3,)


TIMES_BESIDE_NUMBERS = pl.DataFrame({"time": [dt.datetime(2026, 1, 1)] * 2, "number": [1, 2]}).to_arrow()
"""A table that is no array of one type."""


class TestBadInput:
    @pytest.mark.parametrize(
        ("changed", "error", "message"),
        [
            ({"X": None}, ValueError, "X is no table"),
            ({"X": np.zeros(6)}, ValueError, "X is no table"),
            ({"X": [[1.0], [1.0, 2.0]]}, ValueError, "X is no table"),
            ({"X": TIMES_BESIDE_NUMBERS}, ValueError, "X has 2 rows; expected at least 20"),
            ({"X": np.zeros((3, 6))}, ValueError, "X has 3 rows; expected at least 20"),
            ({"X": np.zeros((0, 6))}, ValueError, "X has 0 rows"),
            ({"X": np.zeros((40, 5))}, ValueError, "expected \\(n_rows, 6\\)"),
            ({"tolerance": -0.1}, ValueError, "tolerance=-0.1; expected a number of at least 0"),
            ({"tolerance": "no"}, TypeError, "tolerance='no'"),
            ({"steps": "all"}, TypeError, "steps='all'; expected a list of steps or 'auto'"),
            ({"steps": Prune()}, TypeError, "expected a list of steps"),
            ({"steps": [Prune]}, TypeError, "Pass Prune\\(\\)"),
            ({"steps": ["prune"]}, TypeError, "expected a step of skdistill.compression"),
            ({"steps": [Prune(1.5)]}, ValueError, "Prune: fraction=1.5; expected a number above 0 and at most 1"),
            ({"steps": [Quantize("int4")]}, ValueError, "Quantize: dtype='int4'"),
            ({"steps": [Quantize(n_steps=500)]}, ValueError, "Quantize: n_steps=500"),
            ({"order": "any"}, ValueError, "order='any'"),
            ({"y": np.zeros(3)}, ValueError, "y has shape \\(3,\\); expected \\(400,\\)"),
            ({"y": np.full(400, np.nan)}, ValueError, "y has NaN or infinity in 400 of 400 rows"),
            ({"sample_weight": np.zeros(400)}, ValueError, "all values of sample_weight are zero"),
            ({"sample_weight": np.eye(1, 400)[0]}, ValueError, "sample_weight is above zero for 1 rows"),
        ],
    )
    def test_arguments(self, changed, error, message):
        """Each message names the argument, what was got and what is expected."""
        given = {"steps": [Quantize()], "X": rows_of("forest")} | changed
        with pytest.raises(error, match=message):
            compress(models()["forest"], given.pop("steps"), **given)

    def test_models_that_cannot_be_read(self):
        """The error is that of compile."""
        X, y = rows("classification")
        with pytest.raises(CompileError, match="compile: got a SVC"):
            compress(SVC().fit(X, y), X=X)


def test_steps_of_ones_own():
    """A class with two methods is a step."""

    class Nothing(Step):
        def strengths(self):
            return (1,)

        def apply(self, scorer, rows, strength):
            assert rows.scores.shape == (len(rows.cells), 1)
            return scorer.scaled(1.0)

    found = compress(models()["forest"], [Nothing()], X=rows_of("forest"))
    assert found.records[-1].reason == "not smaller"


class TestOneByteNumbers:
    @pytest.mark.parametrize("name", ["forest", "network", "student network", "linear", "landmarks", "sum"])
    def test_compile(self, name):
        """Every kind of scorer is close to the exact one, and smaller."""
        X = rows_of(name)
        small = skdistill.compile(models()[name], dtype="int8", X=X, tolerance=0.01)
        assert isinstance(small, CompiledModel)
        assert small.n_bytes <= models()[name].n_bytes
        assert fidelity(models()[name](X), small(X)) > 0.99

    def test_a_tolerance_that_cannot_be_kept(self):
        """The error says how much would be lost."""
        X, y = rows()
        with pytest.raises(CompileError, match="dtype='int8' loses"):
            skdistill.compile(Ridge(1e-3).fit(X, y), dtype="int8", X=X, tolerance=0)
        with pytest.raises(ValueError, match='dtype="int8" needs rows'):
            skdistill.compile(Ridge().fit(X, y), dtype="int8")


def test_every_kind_of_scorer_is_among_the_models():
    """So that what holds for the models above holds for scorers of every kind."""
    kinds = {type(model.scorer) for model in models().values()}
    assert kinds == {Forest, Linear, Network, Landmarks, Sum, Computed}
