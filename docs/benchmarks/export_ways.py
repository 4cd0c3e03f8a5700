"""Ways to run an exported model, and the field's own exporters, for ``export.py``.

Each way has functions for one row and for many rows of doubles; node measures itself, since it cannot be called.
"""

import ctypes
import json
import subprocess
from pathlib import Path

import numpy as np

import skdistill
from skdistill.export import to_c, to_javascript, to_python, to_sql

SECONDS_OF_COMPILER = 90
FLAGS = ["-std=c99", "-O2", "-fPIC", "-shared"]


class Way:
    """A way to run a model.

    ``one`` takes a row, ``many`` all rows; either may be missing. ``own`` measures both by itself.
    """

    def __init__(self, name, one=None, many=None, n_bytes=None, own=None):
        self.name, self.one, self.many, self.n_bytes, self.own = name, one, many, n_bytes, own


def gcc(source, flags=FLAGS, libraries=("-lm",)):
    """Return the path of the shared library of a C file, and the size of its code and tables in bytes."""
    library, compiled = source.with_suffix(".so"), source.with_suffix(".o")
    commands = (
        ["gcc", *flags[:-1], "-c", source, "-o", compiled],
        ["gcc", *flags, source, "-o", library, *libraries],
    )
    for command in commands:
        subprocess.run(command, check=True, capture_output=True, timeout=SECONDS_OF_COMPILER)
    size = subprocess.run(["size", compiled], check=True, capture_output=True, text=True).stdout
    return library, int(size.split("\n")[1].split()[0])


_LOOP = """
void one_by_one(const {name}_row *rows, size_t n_rows, double *out)
{{
    for (size_t i = 0; i < n_rows; i++)
        {call};
}}
"""


def c_ways(label, model, folder, name, X, **options):
    """Yield the C of ``to_c``: called from Python, and in a loop of C over the function for one row."""
    exported = to_c(model, name=name, path=folder / f"{name}.c", verify=False, **options)
    is_classifier = f"{name}_predict_proba" in exported.text
    width = 2 if is_classifier else 1
    call = f"{name}_predict_proba(rows + i, out + 2 * i)" if is_classifier else f"out[i] = {name}_predict(rows + i)"
    source = folder / f"{name}_loop.c"
    source.write_text(exported.text + _LOOP.format(name=name, call=call))
    _, n_bytes = gcc(folder / f"{name}.c")
    library = ctypes.CDLL(gcc(source)[0])
    one = library[f"{name}_predict_proba" if is_classifier else f"{name}_predict"]
    one.argtypes, one.restype = [ctypes.c_void_p] * width, None if is_classifier else ctypes.c_double
    batch = library[f"{name}_predict_proba_batch" if is_classifier else f"{name}_predict_batch"]
    batch.argtypes = library.one_by_one.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p]
    out = np.empty((len(X), width))
    to = (out.ctypes.data,) * is_classifier
    yield Way(
        f"{label}, through ctypes",
        lambda row: one(row.ctypes.data, *to),
        lambda rows: batch(rows.ctypes.data, len(rows), out.ctypes.data),
        n_bytes,
    )
    yield Way(
        f"{label}, one by one in a C loop",
        many=lambda rows: library.one_by_one(rows.ctypes.data, len(rows), out.ctypes.data),
    )


_NODE = """
import * as model from "./model.mjs";
import { readFileSync } from "node:fs";
const rows = JSON.parse(readFileSync("rows.json", "utf8"));
const ask = model.predictProba ?? model.predict;
let sum = 0;
const timed = (rows) => {
  const started = performance.now();
  for (const row of rows) { const found = ask(row); sum += Array.isArray(found) ? found[0] : found; }
  return (1e3 * (performance.now() - started)) / rows.length;
};
const cold = timed(rows.slice(0, 1));
timed(rows);
console.log(JSON.stringify([timed(rows.slice(0, 1000)), timed(rows), cold, sum]));
"""


def node_way(model, folder, X):
    """Return the way of node, which measures itself once its compiler has seen all rows."""
    folder.mkdir()
    exported = to_javascript(model, path=folder / "model.mjs", verify=False)
    (folder / "rows.json").write_text(json.dumps(X.tolist()))
    (folder / "main.mjs").write_text(_NODE)

    def own():
        found = subprocess.run(["node", "main.mjs"], cwd=folder, check=True, capture_output=True, timeout=120)
        return json.loads(found.stdout)[:2]

    return Way("JavaScript, in node", n_bytes=len(exported.text), own=own)


def python_way(model):
    """Return the way of the file of Python, in this process."""
    exported, module = to_python(model, verify=False), {}
    exec(exported.text, module)
    ask = module.get("predict_proba", module["predict"])
    return Way("Python file", ask, lambda rows: [ask(row) for row in rows[:2000]], len(exported.text))


def onnx_way(name, data):
    """Return the way of onnxruntime for the bytes of a graph."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    name_of_input, outputs = session.get_inputs()[0].name, [session.get_outputs()[-1].name]
    is_double = "double" in session.get_inputs()[0].type

    def ask(rows):
        return session.run(outputs, {name_of_input: rows})[0]

    if is_double:
        return Way(name, lambda row: ask(row[None]), ask, len(data))
    return Way(name, lambda row: ask(row[None].astype(np.float32)), lambda X: ask(X.astype(np.float32)), len(data))


def student_ways(student, folder, X):
    """Yield the student in all languages."""
    compiled = skdistill.compile(student)
    yield Way("skdistill.compile", compiled, compiled, compiled.n_bytes)
    yield from c_ways("C", student, folder, "student", X)
    yield from list(c_ways("C, layout='table'", student, folder, "small", X, layout="table"))[:1]
    yield node_way(student, folder / "node", X)
    yield python_way(student)
    try:
        from skdistill.export import to_onnx
    except ImportError:
        return
    yield onnx_way("ONNX, in onnxruntime", to_onnx(student, verify=False).data)


def seconds_of_duckdb(student, X, n_rows):
    """Return what DuckDB needs for many rows on one thread, and the size of the statement."""
    import time

    import duckdb
    import pandas as pd

    connection = duckdb.connect(config={"threads": 1})
    frame = pd.DataFrame(X, columns=[f"x{place}" for place in range(X.shape[1])])  # noqa: F841 (DuckDB reads it by name)
    connection.execute(f"CREATE TABLE rows AS SELECT frame.* FROM frame, range({n_rows // len(X)})")
    text = to_sql(student, dialect="duckdb", table="rows", verify=False).text
    output = "proba_0" if "proba_0" in text else "value"
    started = time.perf_counter()
    connection.execute(f"SELECT sum({output}) FROM ({text})").fetchall()
    return time.perf_counter() - started, len(text)


# ---------------------------------------------------------------------- the field's exporters


def with_lleaves(booster, folder, X):
    import lleaves

    booster.save_model(folder / "lleaves.txt")
    model = lleaves.Model(model_file=str(folder / "lleaves.txt"))
    model.compile()
    return Way("lleaves", lambda row: model.predict(row[None], n_jobs=1), lambda rows: model.predict(rows, n_jobs=1))


def with_tl2cgen(model, folder, X):
    import tl2cgen
    import treelite

    if hasattr(model, "save_model"):
        model.save_model(folder / "tl2cgen.txt")
        trees, dtype = treelite.frontend.load_lightgbm_model(folder / "tl2cgen.txt"), "float64"
    else:
        trees, dtype = treelite.sklearn.import_model(model), "float64"
    path = folder / "tl2cgen.so"
    tl2cgen.export_lib(trees, toolchain="gcc", libpath=path, params={"parallel_comp": 8})
    predictor = tl2cgen.Predictor(path, nthread=1)

    def ask(rows):
        return predictor.predict(tl2cgen.DMatrix(rows, dtype=dtype))

    return Way("treelite, tl2cgen, gcc", lambda row: ask(row[None]), ask, path.stat().st_size)


def with_m2cgen(model, folder, X):
    import m2cgen

    source = folder / "m2cgen.c"
    is_booster = hasattr(model, "booster_")
    source.write_text(m2cgen.export_to_c(model))
    path, n_bytes = gcc(source, ["-O1", "-fPIC", "-shared"])
    score = ctypes.CDLL(path).score
    score.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
    if is_booster or not hasattr(model, "classes_"):
        score.argtypes, score.restype = [ctypes.c_void_p], ctypes.c_double
        return Way("m2cgen, gcc", lambda row: score(row.ctypes.data), n_bytes=n_bytes)
    out = np.empty(2)
    score.restype = None
    return Way("m2cgen, gcc", lambda row: score(row.ctypes.data, out.ctypes.data), n_bytes=n_bytes)


def with_emlearn(forest, folder, X):
    import emlearn

    np.seterr(all="warn")  # emlearn makes numpy raise, for the whole process
    converted = emlearn.convert(forest, method="inline", dtype="float")
    text = converted.save(name="forest", format="c", include_proba=False)
    source = folder / "emlearn.c"
    source.write_text(f"{text}\nint ask(const float *row) {{ return forest_predict(row, {X.shape[1]}); }}\n")
    headers = Path(emlearn.__file__).parent
    path, n_bytes = gcc(source, ["-O2", f"-I{headers}", "-fPIC", "-shared"])
    ask = ctypes.CDLL(path).ask
    ask.argtypes = [ctypes.c_void_p]
    narrow = X[:2000].astype(np.float32)
    share = np.mean(forest.predict(narrow) == [forest.classes_[ask(row.ctypes.data)] for row in narrow])
    if share < 0.99:
        raise ValueError(f"{share:.1%} of its labels are those of the forest, with dtype='float'")
    return Way("emlearn, labels only, gcc", lambda row: ask(row.astype(np.float32).ctypes.data), n_bytes=n_bytes)


def with_skl2onnx(forest, folder, X):
    from skl2onnx import convert_sklearn
    from skl2onnx.common.data_types import FloatTensorType

    options = {id(forest): {"zipmap": False}} if hasattr(forest, "classes_") else {}
    inputs = [("x", FloatTensorType([None, X.shape[1]]))]
    graph = convert_sklearn(forest, initial_types=inputs, options=options, target_opset=21)
    return onnx_way("skl2onnx, in onnxruntime", graph.SerializeToString())


def with_onnxmltools(model, folder, X):
    from onnxmltools import convert_lightgbm
    from onnxmltools.convert.common.data_types import FloatTensorType

    graph = convert_lightgbm(model, initial_types=[("x", FloatTensorType([None, X.shape[1]]))], target_opset=15)
    return onnx_way("onnxmltools, in onnxruntime", graph.SerializeToString())
