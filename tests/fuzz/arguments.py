"""Generated teachers, students, samplers, parameters, targets and weights: ordinary ones, and mistakes."""

import narwhals as nw
import numpy as np
import pandas as pd
import polars as pl
from fuzz.tables import Made
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.cluster import DBSCAN, KMeans
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import IsolationForest
from sklearn.linear_model import LinearRegression, LogisticRegression, Perceptron, Ridge, RidgeClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KernelDensity, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from skdistill import AutoSampler, AutoStudent, as_teacher, samplers, students


def score_of_rows(table):
    """Return a number for each row of any table, from its first column; missing cells count 0."""
    if sparse.issparse(table):
        return np.asarray(table.tocsr()[:, [0]].todense(), dtype=np.float64).ravel()
    if nw.dependencies.is_into_dataframe(table):
        frame = nw.from_native(table, eager_only=True)
        cells = frame[:, 0].to_list() if frame.shape[1] else []
    else:
        cells = np.asarray(table)[:, 0].tolist()
    return np.array([number_of(cell) for cell in cells])


def number_of(cell):
    try:
        number = float(cell)
    except (TypeError, ValueError, OverflowError):
        return float(len(repr(cell)) % 7)
    return float(np.clip(number, -1e6, 1e6)) if np.isfinite(number) else 0.0


class Unprintable(Exception):  # noqa: N818
    def __str__(self):
        raise RuntimeError("no text")


class UnprintableBoth(Unprintable):
    def __repr__(self):
        raise RuntimeError("no text")


def raising(error):
    def teacher(table):
        raise error

    return teacher


def by_call(*answers):
    """Return a teacher whose answers change from call to call."""
    calls = []

    def teacher(table):
        calls.append(1)
        return answers[min(len(calls), len(answers)) - 1](score_of_rows(table))

    return teacher


def writing(table):
    """Answer, and write into the rows."""
    score = score_of_rows(table)
    if isinstance(table, np.ndarray) and table.dtype.kind == "f":
        table[:] = 0
    elif isinstance(table, pd.DataFrame):
        table.drop(columns=next(iter(table.columns)), inplace=True)
    return score


def probability(score):
    return 1 / (1 + np.exp(-np.clip(score, -30, 30)))


REGRESSION = {
    "function": (True, lambda t: score_of_rows(t)),
    "two outputs": (True, lambda t: np.column_stack([score_of_rows(t), 1 - score_of_rows(t)])),
    "one column": (True, lambda t: score_of_rows(t)[:, None]),
    "constant": (True, lambda t: np.full(t.shape[0], 2.0)),
    "integers": (True, lambda t: np.rint(score_of_rows(t)).astype(int)),
    "bools": (True, lambda t: score_of_rows(t) > 0),
    "float16": (True, lambda t: np.clip(score_of_rows(t), -1e3, 1e3).astype(np.float16)),
    "list": (True, lambda t: score_of_rows(t).tolist()),
    "objects": (True, lambda t: score_of_rows(t).astype(object)),
    "pandas Series": (True, lambda t: pd.Series(score_of_rows(t), index=np.arange(t.shape[0])[::-1])),
    "polars Series": (True, lambda t: pl.Series(score_of_rows(t))),
    "frame": (True, lambda t: pd.DataFrame({"a": score_of_rows(t), "b": score_of_rows(t)})),
    "dict": (True, lambda t: {"a": score_of_rows(t), "b": score_of_rows(t)}),
    "huge": (True, lambda t: 1e200 * score_of_rows(t)),
    "tiny": (True, lambda t: 1e-200 * score_of_rows(t)),
    "writing": (True, writing),
    "NaN": (False, lambda t: np.where(np.arange(t.shape[0]) == 0, np.nan, score_of_rows(t))),
    "infinite": (False, lambda t: np.full(t.shape[0], np.inf)),
    "too huge": (False, lambda t: np.full(t.shape[0], 1e306)),
    "complex": (False, lambda t: score_of_rows(t) + 1j),
    "texts": (False, lambda t: np.full(t.shape[0], "1.0")),
    "dates": (False, lambda t: np.full(t.shape[0], np.datetime64("2020-01-01"))),
    "None": (False, lambda t: None),
    "Nones": (False, lambda t: [None] * t.shape[0]),
    "number": (False, lambda t: 3.0),
    "no outputs": (False, lambda t: np.empty((t.shape[0], 0))),
    "too few": (False, lambda t: score_of_rows(t)[:-1]),
    "three axes": (False, lambda t: score_of_rows(t)[:, None, None]),
    "ragged": (False, lambda t: [[1.0], *[[1.0, 2.0]] * (t.shape[0] - 1)]),
    "dict of ragged": (False, lambda t: {"a": score_of_rows(t), "b": score_of_rows(t)[:-1]}),
    "generator": (False, lambda t: (v for v in score_of_rows(t))),
    "object": (False, lambda t: object()),
    "sets": (False, lambda t: [{1}] * t.shape[0]),
    "masked": (False, lambda t: np.ma.masked_array(score_of_rows(t), np.arange(t.shape[0]) == 0)),
    "structured": (False, lambda t: np.zeros(t.shape[0], dtype=[("a", float)])),
    "raises": (False, raising(KeyError("x"))),
    "raises nothing": (False, raising(ValueError())),
    "raises unprintable": (False, raising(Unprintable())),
    "raises unprintable both": (False, raising(UnprintableBoth())),
    "needs more arguments": (False, lambda t, more: score_of_rows(t)),
    "a class": (False, Ridge),
    "text": (False, "ridge"),
    "number itself": (False, 3),
    "None itself": (False, None),
    "array": (False, np.ones(3)),
    "list of models": (None, [Ridge()]),  # a recipe, if there are labels
    "module": (False, np),
}


def thirds(score):
    """Return probabilities of three classes."""
    odds = np.exp(np.clip(np.column_stack([score, -score, 0 * score]), -20, 20))
    return odds / odds.sum(axis=1, keepdims=True)


CLASSES = {
    "three classes": [0, 1, 2],
    "three labels": ["x", "y", "z"],
    "texts": ["no", "yes"],
    "bools": [False, True],
}
"""Of the functions whose classes are not 0 and 1."""

CLASSIFICATION = {
    "function": (True, lambda t: probability(score_of_rows(t))),
    "two columns": (
        True,
        lambda t: np.column_stack([1 - probability(score_of_rows(t)), probability(score_of_rows(t))]),
    ),
    "labels": (True, lambda t: (score_of_rows(t) > 0).astype(int)),
    "one label": (True, lambda t: np.zeros(t.shape[0], dtype=int)),
    "frame": (True, lambda t: pd.DataFrame({0: 1 - probability(score_of_rows(t)), 1: probability(score_of_rows(t))})),
    "certain": (True, lambda t: np.eye(2)[(score_of_rows(t) > 0).astype(int)]),
    "constant": (True, lambda t: np.full((t.shape[0], 2), 0.5)),
    "three classes": (True, lambda t: thirds(score_of_rows(t))),
    "three labels": (True, lambda t: np.array(["x", "y", "z"])[thirds(score_of_rows(t)).argmax(axis=1)]),
    "texts": (True, lambda t: np.where(score_of_rows(t) > 0, "yes", "no")),
    "bools": (True, lambda t: score_of_rows(t) > 0),
    "three columns": (False, lambda t: np.full((t.shape[0], 3), 1 / 3)),
    "sum above one": (False, lambda t: np.full((t.shape[0], 2), 0.9)),
    "above one": (False, lambda t: np.full(t.shape[0], 1.5)),
    "negative": (False, lambda t: np.column_stack([np.full(t.shape[0], 1.5), np.full(t.shape[0], -0.5)])),
    "NaN": (False, lambda t: np.full((t.shape[0], 2), np.nan)),
    "unknown labels": (False, lambda t: np.full(t.shape[0], 7)),
    "text labels": (False, lambda t: np.full(t.shape[0], "yes")),
    "None": (False, lambda t: None),
    "frame of others": (False, lambda t: pd.DataFrame({"a": probability(score_of_rows(t)), "b": score_of_rows(t) * 0})),
    "raises": (False, raising(IndexError("x"))),
    "raises unprintable": (False, raising(Unprintable())),
}

FITTED_ON = np.random.default_rng(0).normal(size=(30, 3))


def fitted(model, task):
    y = FITTED_ON[:, 0] if task == "regression" else (FITTED_ON[:, 0] > 0).astype(int)
    return model.fit(FITTED_ON, y)


MODELS = {
    "regression": {
        "Ridge": (True, fitted(Ridge(), "regression")),
        "tree": (True, fitted(DecisionTreeRegressor(max_depth=3), "regression")),
        "pipeline": (True, fitted(make_pipeline(StandardScaler(), Ridge()), "regression")),
        "IsolationForest": (False, fitted(IsolationForest(n_estimators=3, random_state=0), "regression")),
        "transformer": (True, fitted(StandardScaler(), "regression")),
        "classifier": (False, fitted(LogisticRegression(), "classification")),
        "classifier without methods": (
            False,
            fitted(make_pipeline(StandardScaler(), RidgeClassifier()), "classification"),
        ),
        "KMeans": (None, fitted(KMeans(2, n_init=1, random_state=0), "classification")),
        "DBSCAN": (False, fitted(DBSCAN(), "classification")),
        "KernelDensity": (None, fitted(KernelDensity(), "regression")),
        "nothing": (False, type("Nothing", (BaseEstimator,), {"fit": lambda self, X, y=None: self, "fitted_": 1})()),
    },
    "classification": {
        "LogisticRegression": (True, fitted(LogisticRegression(), "classification")),
        "tree": (True, fitted(DecisionTreeClassifier(max_depth=3), "classification")),
        "Perceptron": (True, fitted(Perceptron(), "classification")),
        "pipeline": (True, fitted(make_pipeline(StandardScaler(), GaussianNB()), "classification")),
        "KMeans": (True, fitted(KMeans(2, n_init=1, random_state=0), "classification")),
        "IsolationForest": (True, fitted(IsolationForest(n_estimators=3, random_state=0), "classification")),
        "one class": (False, DummyClassifier().fit(FITTED_ON, np.zeros(30))),
        "regressor": (False, fitted(Ridge(), "regression")),
        "DBSCAN": (False, fitted(DBSCAN(), "classification")),
        "several outputs": (False, DecisionTreeClassifier().fit(FITTED_ON, (FITTED_ON > 0).astype(int))),
        "transformer": (False, fitted(StandardScaler(), "classification")),
    },
}
"""Fitted on three columns."""

RECIPES = {
    "regression": (
        Ridge(),
        DecisionTreeRegressor(max_depth=3),
        make_pipeline(StandardScaler(), Ridge()),
        DummyRegressor(),
    ),
    "classification": (LogisticRegression(), DecisionTreeClassifier(max_depth=3), RidgeClassifier(), GaussianNB()),
}

STUDENTS = {
    "regression": {
        "linear": (True, "linear"),
        "tree": (True, "tree"),
        "compact": (True, students.CompactTreeRegressor(max_leaf_nodes=4)),
        "Ridge": (None, Ridge()),
        "DecisionTree": (None, DecisionTreeRegressor(max_leaf_nodes=4)),
        "pipeline": (None, make_pipeline(StandardScaler(), LinearRegression())),
        "neighbours": (None, KNeighborsRegressor(2)),
        "classifier": (False, LogisticRegression()),
        "fitted": (None, fitted(Ridge(), "regression")),
        "boosting": (True, students.CompactBoostingRegressor(2, 4)),
        "mlp": (True, students.CompactMLPRegressor(4, n_knots=2, max_epochs=2)),
        "kernel": (True, students.CompactKernelRegressor(3)),
        "hinted": (None, students.CompactMLPRegressor(4, n_knots=2, max_epochs=2, hint_weight=0.3)),
        "hints if any": (True, students.CompactMLPRegressor(4, n_knots=2, max_epochs=2, hint_weight="auto")),
        "bad hints": (False, students.CompactMLPRegressor(4, max_epochs=2, hint_weight=-1)),
        "adversarial": (True, students.CompactMLPRegressor(4, n_knots=2, max_epochs=2, adversarial_weight=0.1)),
        "bad adversary": (False, students.CompactMLPRegressor(4, max_epochs=2, adversarial_weight="auto")),
    },
    "classification": {
        "linear": (True, "linear"),
        "tree": (True, "tree"),
        "compact": (True, students.CompactLinearClassifier(n_pairs=1)),
        "LogisticRegression": (None, LogisticRegression()),
        "RidgeClassifier": (None, RidgeClassifier()),
        "DecisionTree": (None, DecisionTreeClassifier(max_leaf_nodes=4)),
        "Ridge": (None, Ridge()),
        "Perceptron": (None, Perceptron()),
        "DummyClassifier": (None, DummyClassifier()),
        "boosting": (True, students.CompactBoostingClassifier(2, 4)),
        "mlp": (True, students.CompactMLPClassifier(4, n_knots=2, max_epochs=2)),
        "kernel": (True, students.CompactKernelClassifier(3)),
        "hinted": (None, students.CompactMLPClassifier(4, n_knots=2, max_epochs=2, hint_weight=0.3)),
        "hints if any": (True, students.CompactMLPClassifier(4, n_knots=2, max_epochs=2, hint_weight="auto")),
        "bad hints": (False, students.CompactMLPClassifier(4, max_epochs=2, hint_weight=[1])),
        "adversarial": (True, students.CompactMLPClassifier(4, n_knots=2, max_epochs=2, adversarial_weight=0.1)),
        "bad adversary": (False, students.CompactMLPClassifier(4, max_epochs=2, adversarial_weight=np.nan)),
    },
}
BAD_STUDENTS = ("lineer", "Tree", "", 3, None, Ridge, object(), ["linear"], b"linear", StandardScaler(), 10**30)

SAMPLERS = (
    samplers.Jitter(),
    samplers.MarginalResampling(),
    samplers.LeafSwap(),
    samplers.Interpolation(),
    samplers.MUNGE(),
    samplers.SPUNGE(),
    samplers.TermSwap(),
    samplers.Mixture([samplers.Jitter(), samplers.LeafSwap()]),
)
BAD_SAMPLERS = (
    "jitter",
    "LeafSwap",
    "",
    3,
    samplers.Jitter,
    object(),
    [samplers.Jitter()],
    Ridge(),
    samplers.Jitter(-1),
    samplers.Jitter(np.nan),
    samplers.Jitter("a"),
    samplers.Mixture([]),
    samplers.Mixture([3]),
    samplers.Mixture([samplers.Jitter()], [0.0]),
    samplers.LeafSwap(min_samples_leaf=0),
    samplers.Jitter(10**30, 2),
    samplers.Jitter(random_state="a"),
    samplers.Jitter(random_state=-1),
    AutoSampler(["jitter"]),
    AutoSampler(3),
    AutoSampler(validation_fraction=2.0),
)

BAD_NUMBERS = (
    -1,
    -0.5,
    np.nan,
    np.inf,
    -np.inf,
    "3",
    "many",
    [1],
    (1, 2),
    {},
    object(),
    1j,
    np.datetime64("2020"),
    np.ones(2),
    b"1",
    -(10**30),
    True,
    float,
    pd.NA,
    np.array([]),
    np.array("a"),
)

GOOD = {
    "n_synthetic": (0, 5, 0.5, 2.0, "auto", np.int64(3), np.float32(1)),
    "soft_weight": (1, 1.0, np.float64(1), np.int8(1)),
    "truth_margin": (None,),
    "max_queries": (None, 10, 1000, 10**12, np.int64(50)),
    "max_real_rows": (None, "auto", 1000, 10**12, np.int64(5000)),
    "n_repeats": (1, 2, np.int64(1)),
    "chunk_size": (1, 3, 10**6, 10**9, np.int64(4)),
    "time_limit": (None, 1e6, 10**30),
    "random_state": (None, 0, np.int64(3), np.random.RandomState(0)),
    "n_jobs": (None, 1, np.int64(1), np.int32(2), -1),
    "verbose": (0, False, np.int64(0)),
    "temperature": (1, 2.0, 0.5, np.float32(3)),
    "decision": ("auto", "argmax", "teacher"),
    "calibration": (None, "auto", "temperature", "isotonic"),
    "link": ("auto", "identity"),
    "bounds": (None, "auto", "seen"),
    "output_order": (None, "auto", "increasing", "decreasing", "mean_std"),
    "quantiles": (None, [0.1, 0.9], (0.25, 0.75), np.array([0.05, 0.5, 0.95])),
    "n_generations": (1, 2, np.int64(3)),
    "assistant_size": (None, 500),
    "teacher_weights": (None,),
    "teacher_cv": (None,),
    "response_method": ("auto",),
    "categorical_features": ("from_dtype", []),
    "target_compressor": (None,),
    "student_size": (None, 10**3, 10**9, np.int64(100)),
}
BAD = {
    "n_synthetic": (*(b for b in BAD_NUMBERS if b is not None), 10**30, "Auto"),
    "soft_weight": (*BAD_NUMBERS[:-4], 2, 10**30, "Auto", "aut"),
    "truth_margin": (*(b for b in BAD_NUMBERS if b is not None), "auto"),
    "max_queries": (*BAD_NUMBERS, 0, 1, 2.5, "auto"),
    "max_real_rows": (*(b for b in BAD_NUMBERS if b is not None), 0, 999, 1500.5, "Auto"),
    "n_repeats": (*BAD_NUMBERS, 0, None, 1.5),
    "chunk_size": (*BAD_NUMBERS, 0, None, 1.5),
    "time_limit": (*BAD_NUMBERS, 0, "auto"),
    "random_state": (-1, "a", 1.5, 10**30, [1], object(), 2**32, np.nan),
    "n_jobs": ("a", 1.5, [1], object(), 0, 10**30, np.nan),
    "verbose": ("a", [1, 2], np.nan, -1, object()),
    "student_size": (*BAD_NUMBERS, 0, 1.5, "small"),
    "response_method": ("predct", "predict_prob", "", 3, None, ["predict"], "labels_", object()),
    "memory": (3, object(), ["cache"]),
    "teacher_cv": ("OOB", "ob", 3.5, -1, 0, 1, object(), [[0]], np.nan, 10**30),
    "categorical_features": ("all", [7], [-1], ["c9"], [True] * 9, 3, None, [[0]], object(), [0.5], [object()]),
    "target_compressor": (3, "pca", object(), Ridge(), Ridge),
    "link": ("Log", "exp", "", 3, None, ["log"], object()),
    "bounds": ("none", 3, (1, 0), (0,), (0, 1, 2), ("a", "b"), (np.nan, 1), object(), (0, 0), [[0, 1]], (10**30, 1)),
    "output_order": ("Increasing", "rising", "", 3, ["increasing"], object()),
    "quantiles": (0.5, "0.5", [0.9, 0.1], [0.5], [0, 0.5], [0.5, 1], [0.1, np.nan], [[0.1, 0.9]], object(), ["a", "b"]),
    "temperature": (*BAD_NUMBERS, 0, None, "hot"),
    "decision": ("Argmax", "treshold", 3, None, object(), ["argmax"]),
    "calibration": ("Auto", "sigmoid", "", 3, True, object(), ["auto"]),
    "compressor": (3, object()),
    "n_generations": (*BAD_NUMBERS, 0, None, 1.5, 10**30),
    "assistant_size": (*BAD_NUMBERS, 0, 1.5, 3, 10**30),  # without generations, also those that are numbers
    "teacher_weights": ("loss", "region", [1.0], 0.5, "Loss", object(), {}),  # with one teacher
}


def draw_teachers(rng, task, n_columns):
    """Return a list of teachers and their weights, often wrong ones."""
    made = [draw_teacher(rng, task, n_columns) for _ in range(rng.choice((0, 1, 2, 3), p=(0.05, 0.15, 0.6, 0.2)))]
    models = [each.value for each in made]
    if rng.random() < 0.3:
        models = [(f"teacher {number}", model) for number, model in enumerate(models)]
    good = (None, None, [1.0] * len(made), np.arange(1, len(made) + 1), "loss", "region")
    bad = ("Loss", "", 3, [1.0] * 7, [-1.0] * len(made), [np.nan] * len(made), [0] * len(made), ["a"] * len(made), {})
    is_bad = rng.random() < 0.25
    weights = (bad if is_bad else good)[rng.integers(len(bad if is_bad else good))]
    names = [(name, model) for name, model in zip("aa", models, strict=False)]
    odd = (models, tuple(models), [models], [*models, 3], names, [("", model) for model in models])
    form = rng.choice(6, p=(0.6, 0.2, 0.05, 0.05, 0.05, 0.05))
    is_valid = False if is_bad or not made or form in (2, 3) else None
    kind = f"teachers {[each.kind for each in made]} in form {form}, weights {weights!r}"
    return Made({"teacher": odd[form], "teacher_weights": weights}, kind, is_valid)


def draw_teacher(rng, task, n_columns):
    """Return a teacher of a table of ``n_columns`` columns; functions that classify know their classes."""
    if rng.random() < 0.25:
        name = str(rng.choice(list(MODELS[task])))
        is_valid, model = MODELS[task][name]
        return Made(model, f"fitted {name}", is_valid if n_columns == 3 or is_valid is False else None)
    if task == "regression" and rng.random() < 0.03:
        later = (lambda s: s[:, None] * [1, 1], lambda s: s[:-1], lambda s: s * np.nan, lambda s: s[:, None, None])
        return Made(by_call(lambda s: s, later[rng.integers(len(later))]), "other answers later", None)
    options = REGRESSION if task == "regression" else CLASSIFICATION
    name = "function" if rng.random() < 0.5 else str(rng.choice(list(options)))
    is_valid, model = options[name]
    if task == "classification":
        model = as_teacher(model, classes=CLASSES.get(name, [0, 1]))
    return Made(model, f"teacher {name}", is_valid)


def draw_labels(rng, n_rows, task):
    """Return true labels or values, often wrong ones."""
    good = rng.normal(size=n_rows) if task == "regression" else np.arange(n_rows) % 2
    ways = {
        "plain": (True, good),
        "list": (True, good.tolist()),
        "column": (True, good[:, None]),
        "pandas Series": (True, pd.Series(good)),
        "polars Series": (True, pl.Series(good)),
        "too short": (False, good[:-1]),
        "too long": (False, np.append(good, 0)),
        "NaN": (False, good * np.nan),
        "None": (None, None),
        "text": (False, "y"),
        "number": (False, 3),
        "objects": (False, [object()] * n_rows),
        "three axes": (False, np.zeros((n_rows, 1, 1))),
        "complex": (False, good + 1j),
        "empty": (False, []),
        "Nones": (False, [None] * n_rows),
        "mixed": (False, [1, "a"] * (n_rows // 2) + [1] * (n_rows % 2)),
        "sparse": (False, sparse.csr_matrix(good.astype(float))),
        "dict": (False, {"y": good}),
        "dates": (None, np.full(n_rows, np.datetime64("2020"))),
        "infinite": (False, np.full(n_rows, np.inf)),
        "one value": (None, np.zeros(n_rows)),
        "huge": (None, good * 1e200),
        "generator": (False, (v for v in good)),
    }
    name = "plain" if rng.random() < 0.4 else str(rng.choice(list(ways)))
    is_valid, labels = ways[name]
    return Made(labels, f"y {name}", is_valid)


def draw_weights(rng, n_rows):
    """Return sample weights, often wrong ones."""
    good = rng.random(n_rows) + 0.1
    some = good * (np.arange(n_rows) % 2)
    ways = {
        "None": (True, None),
        "plain": (True, good),
        "some zero": (None, some),
        "list": (True, good.tolist()),
        "huge": (True, good * 1e300),
        "tiny": (True, good * 1e-300),
        "integers": (True, np.ones(n_rows, dtype=int)),
        "Series": (True, pd.Series(good)),
        "negative": (False, -good),
        "all zero": (False, good * 0),
        "NaN": (False, good * np.nan),
        "infinite": (False, good * np.inf),
        "too short": (False, good[:-1]),
        "text": (False, "weights"),
        "texts": (False, ["a"] * n_rows),
        "number": (False, 2.0),
        "matrix": (False, good[:, None]),
        "complex": (False, good + 1j),
        "one row": (None, (np.arange(n_rows) == 0) * 1.0),
        "object": (False, object()),
    }
    name = "None" if rng.random() < 0.5 else str(rng.choice(list(ways)))
    is_valid, weights = ways[name]
    return Made(weights, f"weights {name}", is_valid)


def draw_student(rng, task):
    if rng.random() < 0.06:
        bad = BAD_STUDENTS[rng.integers(len(BAD_STUDENTS))]
        return Made(bad, f"student {bad!r}", False)
    name = ("linear", "tree")[rng.integers(2)] if rng.random() < 0.6 else str(rng.choice(list(STUDENTS[task])))
    is_valid, student = STUDENTS[task][name]
    return Made(student, f"student {name}", is_valid)


def draw_sampler(rng):
    if rng.random() < 0.6:
        return Made(None, "no sampler")
    if rng.random() < 0.15:
        bad = BAD_SAMPLERS[rng.integers(len(BAD_SAMPLERS))]
        return Made(bad, f"sampler {type(bad).__name__} {str(bad)[:50]}", False)
    sampler = SAMPLERS[rng.integers(len(SAMPLERS))]
    return Made(sampler, f"sampler {type(sampler).__name__}", None)


DEPENDING = (
    "student_size",
    "max_queries",
    "n_repeats",
    "n_generations",
    "assistant_size",
    "output_order",
    "quantiles",
    "calibration",
)
"""Parameters that are right or wrong depending on others, or on the number of rows or outputs."""


def draw_parameters(rng, task):
    """Return a few parameters of a distilled estimator, and whether they are right."""
    given, is_valid, kinds = {}, True, []
    for _ in range(rng.choice((0, 1, 2), p=(0.4, 0.4, 0.2))):
        is_bad = rng.random() < 0.35
        options = BAD if is_bad else GOOD
        name = str(rng.choice(list(options)))
        if (name in ("temperature", "decision", "calibration") and task == "regression") or (
            name in ("link", "bounds", "output_order", "quantiles") and task == "classification"
        ):
            continue
        if name in given:
            continue
        given[name] = options[name][rng.integers(len(options[name]))]
        kinds.append(f"{'bad' if is_bad else 'good'} {name}")
        if is_bad:
            is_valid = False
        elif is_valid and name in DEPENDING:
            is_valid = None
    return Made(given, " ".join(kinds), is_valid)


__all__ = [
    "AutoStudent",
    "draw_labels",
    "draw_parameters",
    "draw_sampler",
    "draw_student",
    "draw_teacher",
    "draw_teachers",
    "draw_weights",
]
