"""How fast and how large are exported models, compared with the field's exporters?

    python docs/benchmarks/export.py --data FOLDER

Writes export.jsonl (resumable) and export.md beside this file. One thread. Ways whose libraries or programs are not
installed (gcc, node, duckdb, onnxruntime, skl2onnx, onnxmltools, treelite and tl2cgen, lleaves with llvmlite 0.44,
m2cgen, emlearn) are left out, and errors are listed.
"""

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = "1"

import gc
import signal
import tempfile
import warnings
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from time import perf_counter

import numpy as np
from export_ways import (
    Way,
    c_ways,
    seconds_of_duckdb,
    student_ways,
    with_emlearn,
    with_lleaves,
    with_m2cgen,
    with_onnxmltools,
    with_skl2onnx,
    with_tl2cgen,
)
from lightgbm import LGBMRegressor
from results import markdown_table, number, run
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.impute import SimpleImputer
from tables import load, split

import skdistill
from skdistill.metrics import pickled_bytes, r2_skill
from skdistill.students import CompactBoostingClassifier, CompactBoostingRegressor

TABLES = ("heloc", "credit_default", "pol", "puma8nh")
N_ROWS, N_DATABASE = 10_000, 1_000_000
ROUNDS, SECONDS = 7, 0.03
SECONDS_OF_EXPORTER = 60
STUDENT_BYTES = 10_000
MAX_TREES = 400
PACKAGES = (
    "onnxruntime",
    "skl2onnx",
    "onnxmltools",
    "treelite",
    "tl2cgen",
    "lleaves",
    "llvmlite",
    "m2cgen",
    "emlearn",
    "duckdb",
)


def measure(results, folder):
    signal.signal(signal.SIGALRM, give_up)
    for name in TABLES:
        if not results.has(table=name, model="done"):
            with tempfile.TemporaryDirectory() as build, warnings.catch_warnings():
                warnings.simplefilter("ignore")
                measure_table(results, folder, name, Path(build))
            results.add(table=name, model="done")


def measure_table(results, folder, name, build):
    X, y, task = load(folder, name)
    X_train, _, X_test, y_train, _, _ = split(X, y, 0)
    imputer = SimpleImputer().fit(X_train)
    rows, test = (np.ascontiguousarray(imputer.transform(part), dtype=np.float64) for part in (X_train, X_test))
    is_classifier = task == "classification"
    kind = RandomForestClassifier if is_classifier else RandomForestRegressor
    teacher = kind(100, min_samples_leaf=5, n_jobs=1, random_state=0).fit(rows, y_train)
    student = student_of(teacher, rows)
    score = margin if is_classifier else np.asarray
    wanted = r2_skill(outputs(teacher, test), outputs(student, test))
    equal, fidelity = equal_lightgbm(teacher, rows, test, score, wanted)
    same = LGBMRegressor(n_estimators=60, num_leaves=24, n_jobs=1, verbosity=-1).fit(
        rows, score(outputs(teacher, rows))
    )
    asked = test[np.random.default_rng(0).integers(len(test), size=N_ROWS)]
    everyone = list(ways(results, name, teacher, student, equal, same, build, asked))
    for model, way, (one, many), (of_one, of_many) in timed(everyone, asked):
        results.add(
            table=name,
            model=model,
            way=way.name,
            one=one,
            many=many,
            one_ratio=of_one,
            many_ratio=of_many,
            kilobytes=None if way.n_bytes is None else way.n_bytes / 1e3,
        )
    add_duckdb(results, name, student, asked)
    results.add(table=name, model="fidelity", student=wanted, lightgbm=fidelity, n_trees=equal.n_estimators_)


def outputs(model, X):
    """Return values, or probabilities of the second class."""
    return model.predict_proba(X)[:, 1] if hasattr(model, "predict_proba") else model.predict(X)


def margin(proba):
    proba = np.clip(proba, 0.005, 0.995)
    return np.log(proba / (1 - proba))


def student_of(teacher, rows):
    """Return a student of boosted trees with 24 leaves whose compiled pickle has about 10 kB."""
    n_trees = 60
    for _ in range(2):
        if hasattr(teacher, "classes_"):
            student = CompactBoostingClassifier(n_trees, 24, random_state=0).fit_soft(rows, teacher.predict_proba(rows))
        else:
            student = CompactBoostingRegressor(n_trees, 24, random_state=0).fit_soft(rows, teacher.predict(rows))
        n_trees = round(n_trees * STUDENT_BYTES / skdistill.compile(student).n_bytes)
    return student


def equal_lightgbm(teacher, rows, test, score, wanted):
    """Return the smallest LightGBM model of the teacher's scores with the fidelity of the student, and its own."""
    target, expected = score(outputs(teacher, rows)), outputs(teacher, test)
    settings = {"num_leaves": 24, "n_jobs": 1, "verbosity": -1}
    largest = LGBMRegressor(n_estimators=MAX_TREES, **settings).fit(rows, target)
    fidelity = 0.0
    for n_trees in range(20, MAX_TREES + 1, 20):
        found = largest.predict(test, num_iteration=n_trees)
        fidelity = r2_skill(expected, found if score is np.asarray else 1 / (1 + np.exp(-found)))
        if fidelity >= wanted:
            break
    return LGBMRegressor(n_estimators=n_trees, **settings).fit(rows, target), fidelity


def ways(results, table, teacher, student, equal, same, build, X):
    """Yield the name of each model with a way to run it."""
    for way in student_ways(student, folder_of(build, "student"), X):
        yield "student", way
    ask = teacher.predict_proba if hasattr(teacher, "predict_proba") else teacher.predict
    yield "teacher", Way("scikit-learn", lambda row: ask(row[None]), ask, pickled_bytes(teacher))
    for way in c_ways("C of to_c", teacher, folder_of(build, "teacher"), "forest", X):
        yield "teacher", way
    exporters = [with_skl2onnx, with_tl2cgen, with_m2cgen, *([with_emlearn] * hasattr(teacher, "classes_"))]
    yield from tried(results, table, "teacher", teacher, exporters, build, X)
    for model, booster in (("LightGBM of equal fidelity", equal), ("LightGBM 60 x 24", same)):
        core, folder = booster.booster_, folder_of(build, model)
        compiled = skdistill.compile(booster)
        yield model, Way("skdistill.compile", compiled, compiled, compiled.n_bytes)
        for way in c_ways("C of to_c", booster, folder, "trees", X):
            yield model, way
        yield (
            model,
            Way(
                "LightGBM's Booster",
                lambda row, core=core: core.predict(row[None], num_threads=1),
                lambda rows, core=core: core.predict(rows, num_threads=1),
                len(core.model_to_string()),
            ),
        )
        yield from tried(results, table, model, booster, [with_m2cgen, with_onnxmltools], build, X)
        yield from tried(results, table, model, core, [with_lleaves, with_tl2cgen], build, X)


def tried(results, table, model, fitted, exporters, build, X):
    """Yield the exporters that work, and record the errors of the others."""
    for exporter in exporters:
        try:
            signal.alarm(SECONDS_OF_EXPORTER)
            way = exporter(fitted, folder_of(build, f"{model} {exporter.__name__}"), X)
            signal.alarm(0)
            yield model, way
        except Exception as error:  # any failure of theirs is a result
            signal.alarm(0)
            text = " ".join(f"{type(error).__name__}: {error}".split())[:160]
            results.add(table=table, model="error", of=model, way=exporter.__name__[5:], text=text)


def give_up(number, frame):
    raise TimeoutError(f"not finished after {SECONDS_OF_EXPORTER} seconds")


def folder_of(build, name):
    folder = build / name.replace(" ", "_")
    folder.mkdir()
    return folder


def timed(everyone, X):
    """Yield each model and way with its median microseconds, and the median ratios to the student's compiled form."""
    times = np.full((ROUNDS, len(everyone), 2), np.nan)
    gc.disable()
    for turn in range(ROUNDS):
        for place, (model, way) in enumerate(everyone):
            if turn < 3 or not (model == "teacher" and way.name == "scikit-learn"):
                times[turn, place] = way.own() if way.own else microseconds(way, X)
    gc.enable()
    for place, (model, way) in enumerate(everyone):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of columns that are empty
            yield model, way, np.nanmedian(times[:, place], axis=0), np.nanmedian(times[:, place] / times[:, 0], axis=0)


def microseconds(way, X):
    """Return the microseconds of one row, alone and among many."""
    one = many = np.nan
    if way.one is not None:
        n_rows, started = 0, perf_counter()
        while perf_counter() - started < SECONDS:
            for row in X[n_rows % 9000 : n_rows % 9000 + 10]:
                way.one(row)
            n_rows += 10
        one = 1e6 * (perf_counter() - started) / n_rows
    if way.many is not None:
        n_calls, started = 0, perf_counter()
        while perf_counter() - started < SECONDS:
            way.many(X)
            n_calls += 1
        n_rows = n_calls * (2000 if way.name == "Python file" else len(X))
        many = 1e6 * (perf_counter() - started) / n_rows
    return one, many


def add_duckdb(results, name, student, X):
    try:
        seconds, n_bytes = seconds_of_duckdb(student, X, N_DATABASE)
    except ImportError:
        return
    compiled, started = skdistill.compile(student), perf_counter()
    for _ in range(N_DATABASE // len(X) // 10):
        compiled(X)
    ratio = seconds / (10 * (perf_counter() - started))
    results.add(
        table=name,
        model="student",
        way="SQL, in DuckDB, 1,000,000 rows",
        one=None,
        many=1e6 * seconds / N_DATABASE,
        one_ratio=None,
        many_ratio=ratio,
        kilobytes=n_bytes / 1e3,
    )


# ---------------------------------------------------------------------- page

KNOWN = (
    "- lleaves 1.3.0 with llvmlite 0.50.0, the newest: `AttributeError: module 'llvmlite.binding' has no attribute "
    "'PassManagerBuilder'`. It was measured with llvmlite 0.44.0.",
    "- tl2cgen 1.0.0 contains treelite 4.1.2 and warns about models of treelite 4.8.1.",
    "- emlearn 0.23.2 makes numpy raise floating-point errors (`numpy.seterr`) in the whole process once it is "
    "imported. It was only tried on classifiers.",
)
"""Errors found by hand, with the versions of 2026-11-27."""


def cell(value, digits=2):
    return number(np.nan if value is None else value, digits)


def page(results):
    measured = [row for row in results.rows if row.get("way") and row["model"] != "error"]
    models = list(dict.fromkeys(row["model"] for row in measured))
    blocks = [introduction(results)]
    for model in models:
        rows = [row for row in measured if row["model"] == model]
        blocks += [f"## {model[0].upper()}{model[1:]}", one_table(rows)]
    return "\n\n".join(
        [*blocks, "## Ratios of the same trees", ratios(measured), "## What did not work", errors(results)]
    )


def introduction(results):
    found = [row for row in results.rows if row["model"] == "fidelity"]
    fidelities = "; ".join(
        f"{row['table']} {row['student']:.4f}, LightGBM {row['lightgbm']:.4f} with {row['n_trees']} trees"
        for row in found
    )
    versions = ", ".join(f"{name} {found}" for name in PACKAGES if (found := version_of(name)))
    return (
        f"Teacher: a random forest of 100 trees with at least 5 rows a leaf, on 3,000 rows of {', '.join(TABLES)} "
        "(numbers, missing cells imputed). Student: boosting with 24 leaves, of as many trees as give a compiled "
        "pickle of 10 kB, taught with the teacher's outputs on these rows. LightGBM (24 leaves) is taught with the "
        "same outputs, those of classifiers as logits, with the least number of trees (in steps of 20, at most "
        f"{MAX_TREES}) that has the student's fidelity. Fidelity on test rows: {fidelities}.\n\n"
        f"The tables show microseconds per row on one thread, as medians of {ROUNDS} rounds in which all ways take "
        f"turns: one row per call (calls from Python, but for node), and {N_ROWS:,} rows. The times relative to the "
        "compiled student are medians of the ratios in each round: the machine had other load, so compare ratios. "
        "C is compiled by gcc with -O2. Sizes are those of the pickle, of the compiled code and tables (by `size`), of "
        "the library, of the file or of the statement, as means over tables.\n\n"
        f"Versions: {versions}."
    )


def version_of(name):
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def one_table(rows):
    ways, tables = list(dict.fromkeys(row["way"] for row in rows)), list(dict.fromkeys(row["table"] for row in rows))
    cells = {(row["way"], row["table"]): row for row in rows}
    lines = []
    for way in ways:
        found = [cells.get((way, table), {}) for table in tables]
        lines.append(
            [
                way,
                *(cell(row.get("one")) for row in found),
                middle(found, "one_ratio"),
                *(cell(row.get("many"), 3) for row in found),
                middle(found, "many_ratio"),
                middle(found, "kilobytes", 1),
            ]
        )
    return markdown_table(
        [
            "",
            *(f"one row, {table}" for table in tables),
            "relative",
            *(f"many, {table}" for table in tables),
            "relative",
            "kB",
        ],
        lines,
    )


def middle(found, name, digits=2):
    """Return the mean over tables."""
    values = [row[name] for row in found if row.get(name) is not None and np.isfinite(row[name])]
    return number(float(np.mean(values)) if values else np.nan, digits)


def ratios(measured):
    """Return how C compares with others on the same 60 trees of 24 leaves."""
    lines = []
    for table in TABLES:
        of = {row["way"]: row for row in measured if row["table"] == table and row["model"] == "LightGBM 60 x 24"}
        ours = of.get("C of to_c, through ctypes")
        if ours is None:
            continue
        others = [of.get(way) for way in ("skdistill.compile", "treelite, tl2cgen, gcc", "lleaves")]
        lines.append(
            [
                table,
                *("–" if other is None else number(other["many_ratio"] / ours["many_ratio"], 1) for other in others),
                number(others[0]["one_ratio"] / ours["one_ratio"], 1),
            ]
        )
    heading = ["", *(f"rows a second / {way}" for way in ("compile", "tl2cgen", "lleaves")), "one row: compile / C"]
    return (
        "Times of others divided by those of the C of `to_c`, for LightGBM's 60 trees of 24 leaves: larger than 1 "
        f"means that the C is faster.\n\n{markdown_table(heading, lines)}"
    )


def errors(results):
    found = {(row["of"], row["way"], row["text"]): [] for row in results.rows if row["model"] == "error"}
    for row in results.rows:
        if row["model"] == "error":
            found[row["of"], row["way"], row["text"]].append(row["table"])
    lines = [f"- {way} on the {of} ({', '.join(tables)}): `{text}`" for (of, way, text), tables in found.items()]
    return "\n".join([*lines, *KNOWN])


if __name__ == "__main__":
    run(__file__, "Exported models", __doc__, measure, page)
