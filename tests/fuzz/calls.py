"""Generated public calls: each draws its arguments, and says whether the call must succeed."""

import pickle
from dataclasses import dataclass
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd
import polars as pl
from fuzz import arguments, oracle, tables
from fuzz.oracle import demand
from scipy import sparse
from sklearn.linear_model import Ridge

import skdistill
from skdistill import DistilledClassifier, DistilledRegressor, metrics, samplers, students, targets
from skdistill.exceptions import CompileError


@dataclass
class Call:
    """A generated call.

    Attributes
    ----------
    run : callable
        Makes the call and demands that its result is right.
    kind : str
    arguments : dict
        What the caller passes, which must stay as it is.
    is_valid : bool or None
        Whether the call must succeed, or fail; ``None``: either is right.
    """

    run: Any
    kind: str
    arguments: dict
    is_valid: bool | None


def both(*validities):
    """Return whether a call with these arguments must succeed."""
    return False if False in validities else None if None in validities else True


def n_rows_of(table):
    shape = getattr(table, "shape", None)
    return int(shape[0]) if isinstance(shape, tuple) and shape else len(table) if isinstance(table, list) else 5


def distil(rng):
    """Fit a distilled estimator, predict, and compile the student."""
    task = ("regression", "classification")[rng.integers(2)]
    n_columns = int(rng.choice((1, 2, 3)))
    table = tables.draw_table(rng, n_columns=n_columns) if rng.random() < 0.6 else tables.plain(rng, 13, n_columns)
    X, n_rows = table.value, n_rows_of(table.value)
    teacher, student = arguments.draw_teacher(rng, task, n_columns), arguments.draw_student(rng, task)
    sampler, given = arguments.draw_sampler(rng), arguments.draw_parameters(rng, task)
    weights, more = arguments.draw_weights(rng, n_rows), draw_more(rng, X)
    is_recipe = rng.random() < 0.12
    needs_labels = is_recipe or rng.random() < 0.15
    labels = arguments.draw_labels(rng, n_rows, task) if needs_labels else tables.Made(None, "no y")
    if is_recipe:
        recipes = arguments.RECIPES[task]
        teacher = tables.Made(recipes[rng.integers(len(recipes))], "recipe", None)
    queried = {"teacher": teacher.value}
    if not is_recipe and "teacher_weights" not in given.value and rng.random() < 0.12:
        teacher = arguments.draw_teachers(rng, task, n_columns)
        queried = teacher.value
    parameters = {"student": student.value, "sampler": sampler.value, "random_state": 0, "n_synthetic": 6} | given.value
    model = (DistilledRegressor if task == "regression" else DistilledClassifier)(**queried, **parameters)
    is_used = sampler.is_valid is not False or not {"n_synthetic", "max_queries", "time_limit"} & set(given.value)
    parts = (table, teacher, student, given, weights, more) + ((sampler,) if is_used else ())
    is_valid = both(*(part.is_valid for part in parts))
    is_plain = table.kind == "plain array" and sampler.value is None and n_rows > 2
    is_simple = isinstance(student.value, str) and not given.value and not teacher.kind.startswith("fitted")
    if is_valid and (needs_labels or n_rows < 3 or sampler.value is not None or not (is_plain or is_simple)):
        is_valid = None

    def run():
        before = model.get_params(deep=False)
        oracle.fit_or_leave(model, X, labels.value, sample_weight=weights.value, **more.value)
        after = model.get_params(deep=False)
        demand(all(after[name] is before[name] for name in before), "other parameters after fit")
        values = oracle.check_predictions(model, X, n_rows_of(X))
        demand(np.array_equal(oracle.outputs_of(model.student_, X), values), "student_ and estimator differ")
        if "other answers later" not in teacher.kind:
            demand(np.isfinite(model.fidelity(X)), "fidelity that is not finite")
        loaded = pickle.loads(pickle.dumps(model.student_))
        demand(np.array_equal(oracle.outputs_of(loaded, X), values), "loaded student differs")
        try:
            compiled = skdistill.compile(model)
        except CompileError:
            return
        if table.kind == "array float16" and "pipeline" in student.kind:  # whose steps compute in half precision
            values = oracle.outputs_of(model.student_, X.astype(np.float32))
        oracle.check_compiled(compiled, X, values)

    made = (table, teacher, student, sampler, given, labels, weights, more)
    kind = f"distil {task}: {', '.join(part.kind for part in made if part.kind)}"
    return Call(run, kind, {"X": X, "y": labels.value, "sample_weight": weights.value, **more.value}, is_valid)


def draw_more(rng, X):
    """Return further arguments of ``fit``: seldom any, and often wrong ones."""
    if rng.random() < 0.85:
        return tables.Made({}, "")
    n_rows = n_rows_of(X)
    good = X if isinstance(X, np.ndarray) and X.ndim == 2 else None
    other = tables.draw_table(rng).value
    ways = {
        "X_unlabeled alike": (None, {"X_unlabeled": X}),
        "X_unlabeled": (None, {"X_unlabeled": other}),
        "X_val alike": (None, {"X_val": X}),
        "X_val": (None, {"X_val": other}),
        "X_val of other columns": (False, {"X_val": np.zeros((4, 9))}),
        "y_val alone": (False, {"y_val": np.zeros(3)}),
        "y_val": (None, {"X_val": X, "y_val": arguments.draw_labels(rng, n_rows, "regression").value}),
        "groups": (None, {"groups": np.arange(n_rows)}),
        "groups too short": (False, {"groups": [1]}),
        "groups of objects": (None, {"groups": [object()] * n_rows}),
        "one unlabelled row": (None, {"X_unlabeled": None if good is None else good[:1]}),
    }
    name = str(rng.choice(list(ways)))
    is_valid, given = ways[name]
    return tables.Made(given, name, is_valid)


STUDENT_PARAMETERS = {
    students.CompactLinearRegressor: {
        "n_pairs": ((0, 2, np.int64(1)), (*arguments.BAD_NUMBERS, None, 1.5)),
        "penalty": (("l2", "l1"), ("L2", "l3", 3, None, ["l2"])),
        "alpha": ((0.0, 1e-3, 1, np.float32(0.1)), (*arguments.BAD_NUMBERS, None)),
    },
    students.CompactTreeRegressor: {
        "max_leaf_nodes": ((2, 8, 10**9, np.int64(4)), (*arguments.BAD_NUMBERS, 1, None)),
        "min_samples_leaf": ((1, 2, 10**9), (*arguments.BAD_NUMBERS, 0, None)),
        "max_bins": ((2, 16), (*arguments.BAD_NUMBERS, 1, 10**30, None)),
        "n_regrowths": ((0, 1), (*arguments.BAD_NUMBERS, None)),
    },
    students.CompactBoostingRegressor: {
        "n_trees": ((1, 2, np.int64(2)), (*arguments.BAD_NUMBERS, 0, None, 10**30)),
        "learning_rate": ((0.1, 1, "auto"), (*arguments.BAD_NUMBERS, 0, "Auto")),
        "max_bins": ((2, 16), (*arguments.BAD_NUMBERS, 1, 10**30, None)),
        "n_jobs": ((None, 1, np.int64(2)), ("a", 1.5, 0, [1], 10**30)),
        "monotonic_cst": ((None,), (3, [5, 5], "up", [1, 1, 1, 1, 1, 1, 1], {"zz": 1}, object(), [[1]], [np.nan])),
        "memory": ((None,), (3, object())),
        "random_state": ((None, 0, np.random.RandomState(0)), (-1, "a", 1.5, 10**30, object())),
    },
    students.CompactMLPRegressor: {
        "hint_weight": ((0.0, "auto"), (*arguments.BAD_NUMBERS, "Auto", None)),
        "adversarial_weight": ((0, 0.1, np.float32(1)), (*arguments.BAD_NUMBERS, "auto", None)),
        "hidden_layer_sizes": (((4,), [2, 2]), ("4", -1, np.nan, object(), None, 0, (0,), (10**30,))),
    },
    students.CompactKernelRegressor: {
        "n_landmarks": ((1, 5, 10**9), (*arguments.BAD_NUMBERS, 0, None)),
        "gamma": ((0.5, "auto", np.float32(1)), (*arguments.BAD_NUMBERS, 0, "Auto", None)),
        "landmarks": ((None,), (3, "a", [[1.0] * 9], object())),
    },
}


def fit_student(rng):
    """Fit a compact student, predict, and compile it."""
    kinds = list(STUDENT_PARAMETERS)
    kind = kinds[rng.choice(len(kinds), p=(0.35, 0.35, 0.1, 0.1, 0.1))]
    table = tables.draw_table(rng)
    X, n_rows = table.value, n_rows_of(table.value)
    given, is_right = {}, True
    if kind is students.CompactBoostingRegressor:
        given["n_trees"] = 2
    if kind is students.CompactMLPRegressor:
        given |= {"max_epochs": 2, "n_knots": 2}
    if rng.random() < 0.4:
        name = str(rng.choice(list(STUDENT_PARAMETERS[kind])))
        good, bad = STUDENT_PARAMETERS[kind][name]
        is_right = rng.random() < 0.5
        options = good if is_right else bad
        given[name] = options[rng.integers(len(options))]
    classifies = rng.random() < 0.4
    family = kind
    if classifies:
        family = getattr(students, kind.__name__.replace("Regressor", "Classifier"))
    labels = arguments.draw_labels(rng, n_rows, "classification" if classifies else "regression")
    weights = arguments.draw_weights(rng, n_rows)
    is_valid = both(table.is_valid, is_right, None if labels.value is None else labels.is_valid, weights.is_valid)
    if is_valid and (classifies or n_rows < 3):
        is_valid = None
    if classifies and labels.kind in ("y huge", "y infinite", "y NaN", "y number", "y one value", "y dates", "y mixed"):
        is_valid = None if both(table.is_valid, is_right, weights.is_valid) is not False else is_valid
    model = family(**given)

    def run():
        oracle.fit_or_leave(model, X, labels.value, weights.value)
        values = oracle.check_predictions(model, X, n_rows)
        loaded = pickle.loads(pickle.dumps(model))
        demand(np.array_equal(oracle.outputs_of(loaded, X), values), "loaded student differs")
        oracle.check_compiled(skdistill.compile(model), X, values)

    text = f"{family.__name__}: {table.kind}, {list(given.items())}, {labels.kind}, {weights.kind}"
    return Call(run, text, {"X": X, "y": labels.value, "w": weights.value}, is_valid)


FITTED = {}


def fitted_student(rng):
    """Return a fitted student, one of a few, with the table it was fitted on."""
    key = (int(rng.integers(4)), int(rng.integers(3)))
    if key not in FITTED:
        own = np.random.default_rng(key)
        X = own.normal(size=(30, 3))
        mixed = pd.DataFrame({"a": X[:, 0], "b": np.where(X[:, 1] > 0, "u", "v"), "c": X[:, 2] > 0})
        rows = [X, pd.DataFrame(X, columns=list("abc")), mixed][key[1]]
        family = [
            students.CompactLinearRegressor(),
            students.CompactTreeRegressor(),
            DistilledRegressor(arguments.score_of_rows, "linear", sampler=None, random_state=0),
            DistilledClassifier(
                skdistill.as_teacher(lambda t: arguments.probability(arguments.score_of_rows(t)), classes=[0, 1]),
                "tree",
                sampler=None,
                random_state=0,
            ),
        ][key[0]]
        model = family.fit(rows, X[:, 0]) if key[0] < 2 else family.fit(rows)
        FITTED[key] = (model, skdistill.compile(model), rows)
    return FITTED[key]


def changed_rows(rng, rows):
    """Return rows that differ from those of the fit in one respect, and whether they must be accepted."""
    if isinstance(rows, np.ndarray):
        options = {
            "fewer columns": (False, rows[:, :2]),
            "more columns": (False, np.column_stack([rows, rows])),
            "one row": (True, rows[:1]),
            "list": (True, rows[:3].tolist()),
            "float32": (True, rows.astype("f4")),
            "objects": (True, rows.astype(object)),
            "texts": (None, rows.astype(str)),
            "no rows": (False, rows[:0]),
            "one axis": (None, rows[0]),
            "three axes": (False, rows[None]),
            "infinite": (False, rows * np.inf),
            "csr": (True, sparse.csr_matrix(rows)),
            "csc": (True, sparse.csc_matrix(rows)),
            "coo": (True, sparse.coo_matrix(rows)),
            "lil": (True, sparse.lil_matrix(rows)),
            "dok": (True, sparse.dok_matrix(rows)),
            "frame": (None, pd.DataFrame(rows)),
            "words": (False, np.full(rows.shape, "word")),
            "complex": (False, rows + 1j),
            "None": (False, None),
            "Nones": (None, np.full(rows.shape, None)),
            "empty list": (False, []),
            "dict": (False, {"a": 1}),
            "lazy": (None, pl.DataFrame(rows).lazy()),
            "generator": (False, (r for r in rows)),
            "number": (False, 3),
            "text": (False, "abc"),
            "ragged": (False, [[1.0], [1.0, 2.0, 3.0]]),
            "dates": (False, rows.astype("M8[s]")),
            "NaN": (None, rows * np.nan),
            "dok array": (True, sparse.dok_array(rows)),
            "masked": (None, np.ma.masked_array(rows, rows > 0)),
        }
    else:
        options = {
            "fewer columns": (False, rows[["a", "b"]]),
            "more columns": (None, rows.assign(d=1)),
            "one row": (True, rows[:1]),
            "polars": (True, pl.from_pandas(rows)),
            "arrow": (True, pl.from_pandas(rows).to_arrow()),
            "another order": (None, rows[["c", "b", "a"]]),
            "renamed": (None, rows.rename(columns={"a": "z"})),
            "duplicated": (False, pd.concat([rows, rows[["a"]]], axis=1)),
            "duplicated and as wide": (False, rows[["a", "a", "b"]]),
            "no rows": (False, rows[:0]),
            "array": (None, rows.to_numpy()),
            "words": (False, rows.assign(a="word")),
            "dates": (False, rows.assign(a=pd.Timestamp("2020-01-01"))),
            "missing": (None, rows.assign(a=None)),
            "Series": (None, rows.iloc[0]),
            "dict": (None, rows.iloc[0].to_dict()),
            "dict of one": (False, {"a": 1}),
            "lazy": (None, pl.from_pandas(rows).lazy()),
            "None": (False, None),
            "names": (False, list("abc")),
            "unseen": (
                True,
                rows.assign(b=rows["b"].map(lambda v: 0.5 if v == v and not isinstance(v, str) else "unseen")),
            ),
            "objects": (None, rows.astype(object)),
            "infinite": (False, rows.assign(a=np.inf)),
            "attrs": (True, _with_attrs(rows)),
            "records": (None, rows[:3].to_dict("records")),
            "numbered": (None, rows.set_axis(range(3), axis=1)),
            "lists": (False, rows.assign(a=[[1]] * len(rows))),
            "category": (None, rows.assign(b=rows["b"].astype("category"))),
        }
    name = str(rng.choice(list(options)))
    is_valid, changed = options[name]
    return tables.Made(changed, name, is_valid)


def _with_attrs(rows):
    rows = rows.copy()
    rows.attrs["units"] = np.array(["m", "s"])
    return rows


def predict_other_rows(rng):
    """Pass rows to a fitted student, an estimator and a compiled model that are not those of the fit."""
    model, compiled, rows = fitted_student(rng)
    made = changed_rows(rng, rows)
    method = str(rng.choice(["predict", "predict_proba", "fidelity", "soft_targets", "compiled", "compiled labels"]))
    method = method if method.startswith("compiled") or hasattr(model, method) else "predict"
    is_compiled = method.startswith("compiled")
    function = {"compiled": compiled, "compiled labels": compiled.predict}.get(method) or getattr(model, method)
    is_valid = made.is_valid
    if is_compiled and made.kind in (
        "infinite",
        "no rows",
        "NaN",
        "dict",
        "words",
        "dates",
        "ragged",
        "complex",
        "masked",
    ):
        is_valid = None  # a compiled model checks the number of columns only
    if isinstance(rows, pd.DataFrame) and made.kind in ("polars", "arrow", "attrs", "one row", "unseen") and is_valid:
        is_valid = None if made.kind in ("polars", "arrow", "unseen") else True
    if sparse.issparse(made.value) and is_valid:
        is_valid = None
    if method in ("fidelity", "soft_targets"):
        is_valid = None  # the teacher accepts all rows

    def run():
        values = function(made.value)
        if made.kind == "lazy" and not isinstance(values, float):  # a dataset: the outputs of each chunk
            values = np.concatenate(list(values))
        is_few = method == "fidelity" and made.kind == "one row"
        demand(
            np.isfinite(np.asarray(values, dtype=np.float64)).all() or is_compiled or is_few,
            "predictions that are not finite",
        )
        same = (
            "float32",
            "csr",
            "csc",
            "coo",
            "lil",
            "dok",
            "dok array",
            "objects",
            "polars",
            "arrow",
            "attrs",
            "frame",
            "another order",
            "lazy",
        )
        if method in ("predict", "compiled", "compiled labels", "predict_proba") and made.kind in same:
            right = function(rows)
            are_labels = method in ("predict", "compiled labels") and isinstance(model, DistilledClassifier)
            is_alike = np.mean(values != right) < 0.1 if are_labels else np.allclose(values, right, rtol=1e-4)
            demand(
                made.kind == "another order" or (np.shape(values) == np.shape(right) and is_alike),
                f"{made.kind}: other predictions",
            )

    text = f"{method} of a {type(model).__name__}: {type(rows).__name__}, {made.kind}"
    return Call(run, text, {"X": made.value}, is_valid)


SAMPLERS = {
    samplers.Jitter: {
        "scale": ((0.1, 1), (*arguments.BAD_NUMBERS, 0, None)),
        "swap_probability": ((0, 0.5, 1), (2, "a", None, -1)),
    },
    samplers.MarginalResampling: {"swap_probability": ((0.5,), (0, 2, np.nan, "a"))},
    samplers.LeafSwap: {
        "min_samples_leaf": ((2, 5, 10**9), (0, 1.5, "a", None)),
        "max_tree_rows": ((2, 10), (0, "a")),
    },
    samplers.Interpolation: {
        "n_neighbors": ((1, 3, 10**9), (0, 1.5, None)),
        "n_jobs": ((1, np.int64(2)), ("a", 0, 1.5)),
    },
    samplers.MUNGE: {"local_variance": ((0.5,), (0, -1, None)), "max_candidates": ((2, 10**9), (1, None, "a"))},
    samplers.SPUNGE: {"noise": ((0, 0.1), (-1, "a", None))},
    samplers.TermSwap: {"drop_probability": ((0, 0.5), (-1, 2, None))},
}


def draw_rows(rng):
    """Fit a sampler and draw rows."""
    family = list(SAMPLERS)[rng.integers(len(SAMPLERS))]
    table = tables.draw_table(rng)
    X, n_rows = table.value, n_rows_of(table.value)
    given, is_right = {}, True
    if rng.random() < 0.3:
        name = str(rng.choice([*SAMPLERS[family], "random_state"]))
        good, bad = {**SAMPLERS[family], "random_state": ((None, 3), (-1, "a", 10**30))}[name]
        is_right = rng.random() < 0.5
        options = good if is_right else bad
        given[name] = options[rng.integers(len(options))]
    sizes, bad_sizes = (1, 7, np.int64(3)), (0, -1, 1.5, "a", None, np.nan, 10**30, True, [1])
    is_size_right = rng.random() < 0.8
    size = (sizes if is_size_right else bad_sizes)[rng.integers(3 if is_size_right else len(bad_sizes))]
    seed = (0, None, np.int64(1), -1, "a", 1.5, 10**30)[rng.choice(7, p=(0.6, 0.1, 0.1, 0.05, 0.05, 0.05, 0.05))]
    is_seed_right = seed is None or (isinstance(seed, int | np.integer) and 0 <= seed < 2**32)
    answers = (
        rng.normal(size=n_rows)
        if rng.random() < 0.9
        else [None, "a", np.ones(n_rows + 1), np.full(n_rows, np.nan)][rng.integers(4)]
    )
    sampler = family(**given)
    is_valid = both(table.is_valid, is_right, is_size_right, is_seed_right)
    is_usual = isinstance(answers, np.ndarray) and len(answers) == n_rows and np.isfinite(answers).all()
    is_usual = is_usual and (family is not samplers.TermSwap or table.kind == "plain array")  # it reads numbers only
    if is_valid and (n_rows < 3 or "sparse" in table.kind or not is_usual):
        is_valid = None

    def run():
        rows = sampler.fit(X, answers).sample(size, random_state=seed)
        demand(rows.shape[0] == size, f"{rows.shape[0]} rows instead of {size}")
        if not isinstance(X, list):
            demand(type(rows) is type(X) or isinstance(X, np.ndarray) or sparse.issparse(X), "another table type")
            if nw.dependencies.is_into_dataframe(X):
                is_pandas = isinstance(X, pd.DataFrame)
                old, new = (frame.dtypes.to_dict() if is_pandas else frame.schema for frame in (X, rows))
                demand(old == new, "another schema")
            else:
                demand(rows.dtype == X.dtype, f"dtype {rows.dtype} instead of {X.dtype}")
        if isinstance(seed, int | np.integer):
            again = sampler.sample(size, random_state=seed)
            demand(oracle.is_same(rows, again), "another sample with the same seed")

    text = f"{family.__name__}: {table.kind}, {list(given.items())}, n_samples={size!r}, seed={seed!r}"
    return Call(run, text, {"X": X}, is_valid)


def draw_matrix(rng):
    """Return numbers, probabilities, or what is neither."""
    n = int(rng.integers(2, 6))
    P = rng.dirichlet(np.ones(3), size=n)
    options = {
        "probabilities": (True, P),
        "list": (True, P.tolist()),
        "logits": (None, np.log(P)),
        "NaN": (False, P * np.nan),
        "infinite": (False, P * np.inf),
        "one axis": (None, P[:, 0]),
        "three axes": (False, P[None]),
        "empty": (False, P[:0]),
        "no columns": (False, P[:, :0]),
        "texts": (False, P.astype(str)),
        "None": (False, None),
        "number": (False, 1.0),
        "complex": (False, P + 1j),
        "frame": (True, pd.DataFrame(P)),
        "float32": (True, P.astype("f4")),
        "negative": (None, -P),
        "integers": (None, np.eye(3, dtype=int)[: min(n, 3)]),
        "sparse": (None, sparse.csr_matrix(P)),
        "object": (False, object()),
        "objects": (None, P.astype(object)),
        "ragged": (False, [[1.0], [0.5, 0.5]]),
        "one column": (None, P[:, :1]),
    }
    name = "probabilities" if rng.random() < 0.4 else str(rng.choice(list(options)))
    is_valid, matrix = options[name]
    return tables.Made(matrix, name, is_valid)


def call_function(rng):
    """Call a function of ``targets`` or ``metrics``."""
    first, second = draw_matrix(rng), draw_matrix(rng)
    number = [1.0, 0.5, 2, -1, 0, np.nan, np.inf, "a", None, 10**30, [1]][rng.integers(11)]
    labels = [[0, 1, 2], ["a", "b"], [], None, 3, np.array([0.5, np.nan]), "abc"][rng.integers(7)]
    options = {
        "softmax": (lambda: targets.softmax(first.value), first.is_valid),
        "centred_logits": (lambda: targets.centred_logits(first.value), first.is_valid),
        "soften": (
            lambda: targets.soften(first.value, number),
            both(first.is_valid, isinstance(number, int | float) and 0 < number < 1e300),
        ),
        "fit_margin_scale": (lambda: targets.fit_margin_scale(first.value), first.is_valid),
        "fit_margin_scale of two": (lambda: targets.fit_margin_scale(first.value, second.value), None),
        "one_hot": (lambda: targets.one_hot(labels, [0, 1, 2]), None),
        "blend": (lambda: targets.blend(first.value, second.value, number), None),
        "scheduled_temperature": (
            lambda: targets.scheduled_temperature(["linear", "cosin", 3, None][int(rng.integers(4))], number, 1.0, 0.5),
            None,
        ),
        "logistic_schedule": (lambda: targets.logistic_schedule(number), None),
        "fidelity": (lambda: metrics.fidelity(first.value, second.value), None),
        "agreement": (lambda: metrics.agreement(labels, labels), None),
        "kl_divergence": (lambda: metrics.kl_divergence(first.value, second.value), None),
        "total_variation": (lambda: metrics.total_variation(first.value, second.value), None),
        "calibration_error": (lambda: metrics.calibration_error(first.value, second.value), None),
        "brier_distance": (lambda: metrics.brier_distance(first.value, second.value), None),
        "top_k_agreement": (lambda: metrics.top_k_agreement(first.value, second.value, k=number), None),
        "rank_agreement": (lambda: metrics.rank_agreement(first.value, second.value), None),
        "concordance": (lambda: metrics.concordance(labels, first.value), None),
        "compile": (lambda: skdistill.compile([labels, Ridge(), Ridge, None, "model"][int(number == 1) + 2]), None),
        "as_teacher": (
            lambda: skdistill.as_teacher([labels, Ridge, None, "m"][len(first.kind) % 4], classes=labels),
            None,
        ),
        "TargetLink": (
            lambda: targets.TargetLink.of(["log", "Log", None, 3][len(first.kind) % 4], number, who="x"),
            None,
        ),
    }
    name = str(rng.choice(list(options)))
    function, is_valid = options[name]

    def run():
        result = function()
        if isinstance(result, float | np.ndarray) and getattr(result, "dtype", np.dtype(float)).kind == "f":
            demand(np.isfinite(result).all(), "a result that is not finite")

    text = f"{name}: {first.kind}, {second.kind}, number={number!r}, labels={labels!r}"
    return Call(run, text, {"first": first.value, "second": second.value}, is_valid)
