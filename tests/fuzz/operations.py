"""Generated operations on fitted estimators: certify, cascade, watch and compress, with right and wrong arguments."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
from fuzz import arguments, oracle, tables
from fuzz.calls import Call, both
from fuzz.oracle import demand
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skdistill
from skdistill import CascadeClassifier, CascadeRegressor, DistilledClassifier, DistilledRegressor, Monitor, students
from skdistill.certificates import Certificate
from skdistill.compression import LowRank, Prune, Quantize, ShareThresholds

N_TAUGHT, N_FRESH = 60, 140
TASKS = ("values", "two values", "two labels", "three labels")

STUDENTS = {
    "tree": (students.CompactTreeRegressor(6), students.CompactTreeClassifier(6)),
    "linear": (students.CompactLinearRegressor(), students.CompactLinearClassifier()),
    "boosting": (students.CompactBoostingRegressor(3, 4), students.CompactBoostingClassifier(3, 4)),
    "mlp": (
        students.CompactMLPRegressor(4, n_knots=2, max_epochs=2, random_state=0),
        students.CompactMLPClassifier(4, n_knots=2, max_epochs=2, random_state=0),
    ),
    "pipeline": (make_pipeline(StandardScaler(), Ridge()), make_pipeline(StandardScaler(), LogisticRegression())),
}

DISTILLED = {}


class Fitted:
    """A distilled estimator, with rows that it was taught on and fresh ones, and their truth."""

    def __init__(self, task, name, table):
        own = np.random.default_rng([TASKS.index(task), list(STUDENTS).index(name), table == "frame"])
        cells = own.normal(size=(N_TAUGHT + N_FRESH, 3))
        score = cells[:, 0] + np.sin(3 * cells[:, 1])
        self.classifies = "labels" in task
        self.truth = {
            "values": score,
            "two values": np.column_stack([score, cells[:, 2]]),
            "two labels": (score > 0).astype(int),
            "three labels": np.array(["x", "y", "z"])[np.digitize(score, [-0.5, 0.7])],
        }[task]
        is_frame = table == "frame" and name != "pipeline"
        forest = (RandomForestClassifier if self.classifies else RandomForestRegressor)(5, max_depth=4, random_state=0)
        self.teacher = forest.fit(cells[:N_TAUGHT], self.truth[:N_TAUGHT])
        if is_frame:  # a teacher that reads frames: a function of their columns
            predict = forest.predict_proba if self.classifies else forest.predict
            classes = forest.classes_ if self.classifies else None
            self.teacher = skdistill.as_teacher(lambda rows: predict(np.asarray(rows)), classes=classes)
        self.rows = pd.DataFrame(cells, columns=list("abc")) if is_frame else cells
        family = DistilledClassifier if self.classifies else DistilledRegressor
        model = family(self.teacher, STUDENTS[name][self.classifies], sampler=None, random_state=0)
        self.model = model.fit(self.rows[:N_TAUGHT])
        self.kind = f"{name} for {task}{' of a frame' if is_frame else ''}"

    @property
    def fresh(self):
        return self.rows[N_TAUGHT:]

    @property
    def fresh_truth(self):
        return self.truth[N_TAUGHT:]


def draw_fitted(rng):
    """Return one of a few fitted estimators."""
    key = (str(rng.choice(TASKS)), str(rng.choice(list(STUDENTS))), ("array", "frame")[rng.integers(2)])
    if key not in DISTILLED:
        DISTILLED[key] = Fitted(*key)
    return DISTILLED[key]


def draw_options(rng, options, n_most=2):
    """Return a few arguments of ``{name: (right ones, wrong ones)}``, what they are, and whether they are right."""
    given, is_valid, kinds = {}, True, []
    for name in rng.permutation(list(options))[: rng.integers(n_most + 1)].tolist():
        good, bad = options[name]
        is_bad = bool(bad) and (not good or rng.random() < 0.35)
        chosen = bad if is_bad else good
        given[name] = chosen[rng.integers(len(chosen))]
        kinds.append(f"{'bad' if is_bad else 'good'} {name}={given[name]!r:.40}")
        is_valid = is_valid and not is_bad
    return given, is_valid, " ".join(kinds)


def draw_rows(rng, fitted):
    """Return fresh rows, mostly as they must be."""
    fresh = fitted.fresh
    if rng.random() < 0.6:
        return tables.Made(fresh, "fresh rows")
    ways = {
        "seen rows": (None, fitted.rows[:N_TAUGHT]),
        "few rows": (None, fresh[:5]),
        "one row": (None, fresh[:1]),
        "no rows": (False, fresh[:0]),
        "equal rows": (None, fresh[:1] if len(fresh) == 0 else _repeated(fresh)),
        "fewer columns": (False, fresh.iloc[:, :2] if isinstance(fresh, pd.DataFrame) else fresh[:, :2]),
        "infinite": (False, fresh * np.inf),
        "NaN": (None, fresh * np.nan),
        "texts": (None, fresh.astype(str)),
        "list": (None, np.asarray(fresh).tolist()),
        "None": (False, None),
        "number": (False, 3),
        "text": (False, "rows"),
        "polars": (None, pl.DataFrame(np.asarray(fresh), schema=list("abc"))),
        "objects": (None, np.asarray(fresh).astype(object)),
        "one axis": (None, np.asarray(fresh)[0]),
        "three axes": (False, np.asarray(fresh)[None]),
        "any table": (None, tables.draw_table(rng, n_columns=3).value),
    }
    name = str(rng.choice(list(ways)))
    is_valid, rows = ways[name]
    return tables.Made(rows, name, is_valid)


def _repeated(rows):
    return pd.concat([rows[:1]] * N_FRESH) if isinstance(rows, pd.DataFrame) else np.repeat(rows[:1], N_FRESH, axis=0)


def draw_truth(rng, fitted):
    """Return no truth, the truth, or what is none."""
    if rng.random() < 0.5:
        return tables.Made(None, "no y", None)
    if rng.random() < 0.6:
        return tables.Made(fitted.fresh_truth, "y", None)
    made = arguments.draw_labels(rng, N_FRESH, "classification" if fitted.classifies else "regression")
    return tables.Made(made.value, made.kind, None)


SHARES = (*arguments.BAD_NUMBERS, 0, 1, None, 1.5)
POSITIVE = (*(bad for bad in arguments.BAD_NUMBERS if bad is not None), 0)

# ---------------------------------------------------------------------- certificates


def certify(rng):
    """Certify a student, print and store the certificate."""
    fitted = draw_fitted(rng)
    rows, truth = draw_rows(rng, fitted), draw_truth(rng, fitted)
    bounded = {} if fitted.classifies else {"tolerance": 0.5, "max_error": 2.0}
    options = {
        "confidence": ((0.9, 0.95, np.float32(0.9), 0.999), SHARES),
        "promise": ((None, 0.5, 0.9), (*SHARES[:-2], 1.5)),
        "tolerance": ((), ("a", -1, 0, np.nan, [1, 2, 3, 4], object())),
        "max_error": ((), ("a", -1, 0, np.inf, [1], object())),
        "variance": ((None, 2.0), ("a", -1, 0, np.nan, [1.0] * 9, object(), "auto", [[1.0]], [None])),
        "share": ((0.5, 0.9), SHARES),
        "by": ((None, 0, [0]), (9, "zz", [1, 2, "zz"], object(), np.zeros(3), {"a": 3}, -9, 1.5, [None])),
        "pos_label": ((None,), (object(), [1], np.nan, "no label")),
        "groups": ((None, np.arange(N_FRESH) // 2), (3, "a", [1], object(), np.zeros((2, 2)))),
        "sample_weight": ((None, np.ones(N_FRESH)), (3.0, "a", [1.0], -np.ones(N_FRESH), np.full(N_FRESH, np.nan))),
        "max_weight": ((None,), (*(bad for bad in POSITIVE if bad is not True), 1e-9)),
        "X_train": ((None, fitted.rows[:N_TAUGHT]), (3, "rows", object(), np.zeros((3, 9)))),
        "on_seen": (("raise", "drop"), ("Raise", "ignore", "", 3, None, ["drop"])),
        "teacher": ((None,), (3, "teacher", [Ridge()], object(), Ridge)),
    }
    given, is_right, kind = draw_options(rng, options)
    is_valid = both(rows.is_valid, is_right)
    needs_more = {"groups", "max_weight", "share", "pos_label", "variance", "X_train", "by", "promise"} & set(given)
    if is_valid or needs_more:  # what a student of few rows can promise depends on all of them
        is_valid = None
    if rows.kind == "fresh rows" and truth.value is None and not given:
        is_valid = True
    given = bounded | given

    def run():
        certificate = skdistill.certify(fitted.model, rows.value, truth.value, **given)
        demand(len(certificate.statements) > 0, "a certificate without statements")
        for statement in certificate.statements:
            demand(not np.isnan(statement.bound), f"no bound: {statement.quantity}")
        again = Certificate.from_json(certificate.to_json())
        demand(str(again) == str(certificate) and again.hash == certificate.hash, "another certificate as JSON")
        demand(certificate.is_about(fitted.model), "a certificate about another student")
        demand(len(certificate._repr_html_()) > 0, "no page")

    return Call(run, f"certify {fitted.kind}: {rows.kind}, {truth.kind}, {kind}", {"X": rows.value, **given}, is_valid)


# ---------------------------------------------------------------------- cascades


def cascade(rng):
    """Fit a cascade, and check which model answers."""
    fitted = draw_fitted(rng)
    rows, truth = draw_rows(rng, fitted), draw_truth(rng, fitted)
    options = {
        "agreement": ((0.7, 0.9), SHARES),
        "confidence": ((0.8, 0.95), SHARES),
        "promise": (("teacher", "truth"), ("Teacher", "", 3, None, ["truth"])),
        "certainty": (
            ("auto", "deviation", "families"),
            ("Margin", "", 3, None, ["margin"], *(() if fitted.classifies else ("margin",))),
        ),
        "tuning_fraction": ((0.3, np.float32(0.5)), SHARES),
        "n_synthetic": ((0, 5, np.int64(3)), (*arguments.BAD_NUMBERS, None, 1.5)),
        "chunk_size": ((1000, 10**9, np.int64(70)), (*arguments.BAD_NUMBERS, 0, None)),
        "random_state": ((None, 3), (-1, "a", 1.5, 10**30, object())),
    }
    if not fitted.classifies:
        options["tolerance"] = ((None, 0.5), ("a", -1, 0, np.nan, [1.0] * 9, object(), [None], [[1.0]]))
    given, is_right, kind = draw_options(rng, options)
    models = {
        "as distilled": (None, fitted.teacher, fitted.model),
        "student alone": (None, fitted.teacher, fitted.model.student_),
        "compiled student": (None, fitted.teacher, skdistill.compile(fitted.model)),
        "exchanged": (None, fitted.model, fitted.teacher),
        "recipe": (None, fitted.teacher, STUDENTS["linear"][fitted.classifies]),
        "no student": (False, fitted.teacher, None),
        "no teacher": (False, 3, fitted.model),
        "class": (False, fitted.teacher, Ridge),
        "other task": (False, fitted.teacher, arguments.MODELS["classification"]["Perceptron"][1])
        if not fitted.classifies
        else (False, arguments.MODELS["regression"]["Ridge"][1], fitted.model),
    }
    chosen = "as distilled" if rng.random() < 0.6 else str(rng.choice(list(models)))
    is_model_valid, teacher, student = models[chosen]
    is_valid = both(rows.is_valid, is_right, is_model_valid)
    if rows.kind == "fresh rows" and chosen == "as distilled" and not given:
        is_valid = True
    given = {"agreement": 0.8, "random_state": 0, "n_synthetic": 10} | given
    if fitted.classifies:
        given = {"certainty": "margin"} | given
    model = (CascadeClassifier if fitted.classifies else CascadeRegressor)(teacher, student, **given)
    if truth.kind not in ("no y", "y") and is_valid:
        is_valid = None

    def run():
        oracle.fit_or_leave(model, rows.value, truth.value)
        deferred, answers = model.defers(rows.value), model.predict(rows.value)
        demand(len(deferred) == len(answers) == oracle_rows(rows.value), "answers for other rows")
        if hasattr(model.fitted_student_, "predict"):
            kept = np.asarray(model.fitted_student_.predict(rows.value))
            demand(_is_alike(answers[~deferred], kept[~deferred]), "other answers than those of the student")
        if hasattr(model, "predict_proba") and deferred.any() and not deferred.all():
            demand(np.isfinite(model.predict_proba(rows.value)).all(), "probabilities that are not finite")
        demand(0 <= model.share_student_ <= 1 and model.share_student_bound_ <= model.share_student_, "no share")
        certificate = model.certificate_
        demand(str(Certificate.from_json(certificate.to_json())) == str(certificate), "another certificate as JSON")
        loaded = pickle.loads(pickle.dumps(skdistill.compile(model)))
        outputs, left = loaded(rows.value), loaded.defers(rows.value)
        demand(len(outputs) == len(answers) and np.mean(left != deferred) < 0.1, "the compiled cascade defers others")

    text = f"cascade {fitted.kind}: {rows.kind}, {truth.kind}, {chosen}, {kind}"
    return Call(run, text, {"X": rows.value, "y": truth.value}, is_valid)


def oracle_rows(rows):
    return len(rows) if isinstance(rows, list) else rows.shape[0]


def _is_alike(first, second):
    if len(first) == 0 or first.dtype.kind in "OUS":
        return bool(np.all(first == second))
    return bool(np.allclose(first, second, rtol=1e-4, atol=1e-6))


# ---------------------------------------------------------------------- monitors


def watch(rng):
    """Create a monitor, pass it rows and audits, merge and store it."""
    fitted = draw_fitted(rng)
    rows = draw_rows(rng, fitted)
    bounded = {} if fitted.classifies else {"tolerance": 0.5}
    options = {
        "promise": ((None, 0.9), (*SHARES[:-2], 1.5)),
        "audit_share": ((1, 0.5, np.float64(0.3)), (*arguments.BAD_NUMBERS[:16], 0, 2, None)),
        "false_alarm_rate": ((0.5, 1e-9), SHARES),
        "random_state": ((0, np.int64(5)), (-1, "a", None, 1.5, 10**30, object(), True)),
        "X_reference": ((), (3, "rows", None, [[1.0]] * 70, np.zeros((70, 9)), np.full((70, 3), "a"))),
        "certificate": ((None,), (3, "certificate", object(), {})),
        "tolerance": ((), ("a", -1, 0, np.nan, [1.0], object(), True, *((0.5,) if fitted.classifies else ()))),
    }
    given, is_right, kind = draw_options(rng, options)
    given = {"X_reference": fitted.fresh[:70]} | bounded | given
    outputs = _draw_outputs(rng, fitted, rows)
    teacher_outputs = arguments.draw_labels(rng, N_FRESH, "regression") if rng.random() < 0.3 else None
    is_valid = both(rows.is_valid, is_right, outputs.is_valid)
    says_nothing = rows.kind == "no rows" and is_right  # a batch without rows
    if says_nothing or (is_valid and (rows.kind != "fresh rows" or teacher_outputs is not None)):
        is_valid = None

    def run():
        monitor = Monitor(fitted.model, **given)
        monitor.status()
        before = pickle.dumps(monitor)
        try:
            monitor.update(rows.value, outputs.value)
        except Exception:
            demand(pickle.loads(before).n_rows_ == monitor.n_rows_, "rows counted that were refused")
            raise
        demand(monitor.n_rows_ == oracle_rows(rows.value), "another number of rows")
        chosen = monitor.to_audit(rows.value)
        demand(set(chosen.tolist()) <= set(range(monitor.n_rows_)), "rows to audit that do not exist")
        monitor.start_period()
        if teacher_outputs is not None:
            monitor.record_audit(fitted.fresh, teacher_outputs.value)
        else:
            monitor.record_audit(rows.value, fitted.model.soft_targets(rows.value))
        other = pickle.loads(pickle.dumps(monitor))
        together = Monitor.merge([monitor, other])
        demand(together.n_rows_ == 2 * monitor.n_rows_ and together.n_audits_ == 2 * monitor.n_audits_, "other sums")
        status = monitor.status()
        demand(not any(np.isnan(each) for each in status.log_evidence.values()), "evidence that is no number")
        demand(bool(str(status)) and bool(repr(monitor)) and bool(status._repr_html_()), "no text")

    text = f"watch {fitted.kind}: {rows.kind}, {outputs.kind}, {getattr(teacher_outputs, 'kind', 'teacher')}, {kind}"
    return Call(run, text, {"X": rows.value, **given}, is_valid)


def _draw_outputs(rng, fitted, rows):
    """Return what the student has returned for rows, or what it cannot have returned."""
    if rng.random() < 0.6 or rows.kind != "fresh rows":
        return tables.Made(None, "own outputs")
    right = oracle.outputs_of(fitted.model, fitted.fresh)
    ways = {
        "outputs": (True, right),
        "list": (True, right.tolist()),
        "too few": (False, right[:-1]),
        "NaN": (False, right * np.nan),
        "texts": (False, np.full(right.shape, "a")),
        "objects": (False, np.full(right.shape, object())),
        "complex": (False, right + 1j),
        "three axes": (False, right[None]),
        "number": (False, 3.0),
        "text": (False, "outputs"),
        "ragged": (False, [[1.0], [1.0, 2.0]]),
        "dict": (False, {"a": 1}),
        "Series": (None, pd.Series(list(right))),
    }
    name = str(rng.choice(list(ways)))
    is_valid, outputs = ways[name]
    return tables.Made(outputs, f"outputs {name}", is_valid)


# ---------------------------------------------------------------------- compression


def compress(rng):
    """Compress a student by a chain of steps."""
    fitted = draw_fitted(rng)
    rows = draw_rows(rng, fitted)
    fractions = (*arguments.BAD_NUMBERS, 0, None, 1.5, "Auto")
    wrong = fractions[rng.integers(len(fractions))]
    options = {
        "steps": (
            (
                "auto",
                [],
                [Prune()],
                [Quantize("int8"), Prune(0.2)],
                [ShareThresholds(), LowRank(0.5), Quantize("codebook", n_steps=7)],
                (Prune(0.5), Quantize("float16")),
            ),
            ("Auto", 3, None, Prune(), Prune, [Prune], [3], [Prune(wrong)], [LowRank(wrong)], [Quantize("int9")]),
        ),
        "tolerance": ((0, 0.05, np.float32(0.5), 1e9), (*arguments.BAD_NUMBERS, None)),
        "order": (("smallest", "given"), ("Given", "", 3, None, ["given"])),
        "random_state": ((None, 3, np.random.RandomState(0)), (-1, "a", 1.5, 10**30, object())),
        "sample_weight": ((None, np.ones(N_FRESH)), (3.0, "a", [1.0], -np.ones(N_FRESH), np.zeros(N_FRESH))),
        "y": ((None, oracle.outputs_of(fitted.model, fitted.fresh)), (3, "a", [1.0], np.zeros((N_FRESH, 7)), object())),
    }
    given, is_right, kind = draw_options(rng, options)
    is_valid = both(rows.is_valid, is_right)
    if (is_valid and rows.kind != "fresh rows") or rows.kind == "infinite":  # a tree finds a leaf for them
        is_valid = None
    given = {"steps": [Prune(), Quantize("int8")], "order": "given"} | given

    def run():
        before = skdistill.compile(fitted.model)
        found = skdistill.compress(fitted.model, X=rows.value, **given)
        demand(found.model.n_bytes <= before.n_bytes, "a larger model")
        demand(found.loss_bound <= max(found.tolerance, 0) + 1e-12, "a loss above the tolerance")
        small, large = found.model(fitted.fresh), before(fitted.fresh)
        demand(small.shape == large.shape and np.isfinite(small).all(), "outputs of another shape, or not finite")
        if found.tolerance == 0 and given.get("y") is None:
            demand(oracle.is_close(small, large, max(float(np.abs(large).max()), 1e-300)), "other outputs, tolerance 0")
        demand(len(found.records) >= 2 and bool(str(found)) and bool(found._repr_html_()), "no table")
        loaded = pickle.loads(pickle.dumps(found.model))
        demand(np.array_equal(loaded(fitted.fresh), small), "loaded model differs")

    text = f"compress {fitted.kind}: {rows.kind}, {kind}"
    return Call(run, text, {"X": rows.value, "y": given.get("y")}, is_valid)


OPERATIONS = (certify, cascade, watch, compress)


def operate(rng):
    """Apply one of the operations to a fitted estimator."""
    return OPERATIONS[rng.choice(len(OPERATIONS), p=(0.3, 0.25, 0.25, 0.2))](rng)
