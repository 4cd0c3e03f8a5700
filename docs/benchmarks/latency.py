"""How fast is a compiled student, compared with other runtimes?

    python docs/benchmarks/latency.py --data FOLDER

Writes latency.jsonl (resumable) and latency.md beside this file. One thread. Rows of libraries that are not installed
(onnxruntime, skl2onnx, onnxmltools, treelite, tl2cgen and a C compiler) are left out.
"""

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = "1"

import tempfile
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter

import numpy as np
from lightgbm import LGBMClassifier
from results import markdown_table, number, run
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.tree import DecisionTreeClassifier
from tables import load, split

import skdistill
from skdistill.metrics import pickled_bytes
from skdistill.students import CompactBoostingClassifier

ROUNDS = 7
BATCH = 10_000
HAS_ONNX = all(find_spec(name) for name in ("onnxruntime", "skl2onnx", "onnxmltools"))
HAS_TREELITE = all(find_spec(name) for name in ("treelite", "tl2cgen"))


class Contender:
    """A way to call a model: for one row, in the given ``shape``, and for a batch."""

    def __init__(self, name, ask, n_bytes, *, one_row="2-D"):
        self.name, self.ask, self.n_bytes, self.one_row = name, ask, n_bytes, one_row

    def microseconds(self, X):
        """Return the times of one row (different ones), one row (always the same) and a row of a batch."""
        rows = [X[i] if self.one_row == "1-D" else X[i : i + 1] for i in range(1000)]
        return (
            self._mean_time(lambda: [self.ask(row) for row in rows]) / len(rows),
            self._mean_time(lambda: [self.ask(row) for row in rows[:1] * 1000]) / len(rows),
            self._mean_time(lambda: self.ask(X)) / len(X),
        )

    def _mean_time(self, work, seconds=0.1):
        n_calls, started = 0, perf_counter()
        while n_calls == 0 or perf_counter() - started < seconds:
            work()
            n_calls += 1
        return 1e6 * (perf_counter() - started) / n_calls


def with_onnx(name, model, convert):
    import onnxruntime

    onnx = convert(model).SerializeToString()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(onnx, options, providers=["CPUExecutionProvider"])
    outputs = [session.get_outputs()[1].name]
    return Contender(name, lambda X: session.run(outputs, {"x": X})[0], len(onnx))


def forest_to_onnx(forest):
    from skl2onnx import convert_sklearn
    from skl2onnx.common.data_types import FloatTensorType

    inputs = [("x", FloatTensorType([None, forest.n_features_in_]))]
    return convert_sklearn(forest, initial_types=inputs, options={id(forest): {"zipmap": False}})


def booster_to_onnx(model):
    from onnxmltools import convert_lightgbm
    from onnxmltools.convert.common.data_types import FloatTensorType

    return convert_lightgbm(model, initial_types=[("x", FloatTensorType([None, model.n_features_in_]))], zipmap=False)


def with_treelite(name, forest, folder):
    import tl2cgen
    import treelite

    path = Path(folder) / "forest.so"
    tl2cgen.export_lib(
        treelite.sklearn.import_model(forest), toolchain="gcc", libpath=path, params={"parallel_comp": 8}
    )
    predictor = tl2cgen.Predictor(path, nthread=1)
    return Contender(name, lambda X: predictor.predict(tl2cgen.DMatrix(X, dtype="float32")), path.stat().st_size)


def contenders(forest, X, folder):
    """Yield the teacher and students in every form."""
    yield "teacher", Contender("scikit-learn", forest.predict_proba, pickled_bytes(forest))
    compiled = skdistill.compile(forest)
    yield "teacher", Contender("skdistill.compile", compiled, compiled.n_bytes, one_row="1-D")
    if HAS_ONNX:
        yield "teacher", with_onnx("onnxruntime", forest, forest_to_onnx)
    if HAS_TREELITE:
        yield "teacher", with_treelite("treelite, tl2cgen, gcc", forest, folder)
    soft = forest.predict_proba(X)
    labels = soft.argmax(axis=1)
    students = {"tree of 64 leaves": DecisionTreeClassifier(max_leaf_nodes=64, random_state=0).fit(X, labels)}
    for n_trees, n_leaves in ((20, 16), (60, 24)):
        students[f"{n_trees} x {n_leaves}"] = CompactBoostingClassifier(n_trees, n_leaves, random_state=0).fit_soft(
            X, soft
        )
    for name, student in students.items():
        kind = "scikit-learn" if "tree" in name else "predict_proba, all input checks"
        yield name, Contender(kind, student.predict_proba, pickled_bytes(student))
        for dtype in ("float32", "float16"):
            compiled = skdistill.compile(student, dtype=dtype, X=X)
            label = "skdistill.compile" if dtype == "float32" else "skdistill.compile, float16"
            yield name, Contender(label, compiled, compiled.n_bytes, one_row="1-D")
        if "tree" in name:
            if HAS_ONNX:
                yield name, with_onnx("onnxruntime", student, forest_to_onnx)
            continue
        n_trees, n_leaves = map(int, name.split(" x "))
        same = LGBMClassifier(n_estimators=n_trees, num_leaves=n_leaves, n_jobs=1, verbosity=-1).fit(X, labels)
        yield name, Contender("LightGBM's wrapper", same.predict_proba, pickled_bytes(same))
        booster = same.booster_
        size = len(booster.model_to_string())
        yield name, Contender("LightGBM's Booster", lambda X, b=booster: b.predict(X, num_threads=1), size)
        if HAS_ONNX:
            yield name, with_onnx("onnxruntime", same, booster_to_onnx)


def measure(results, folder):
    if results.rows:
        return
    X, y, _ = load(folder, "heloc")
    X_train, _, X_test, y_train, _, _ = split(X, y, 0)
    imputer = SimpleImputer().fit(X_train)
    rows, test = (np.ascontiguousarray(imputer.transform(part), dtype=np.float32) for part in (X_train, X_test))
    test = test[np.random.default_rng(0).integers(len(test), size=BATCH)]
    forest = RandomForestClassifier(300, min_samples_leaf=2, n_jobs=1, random_state=0).fit(rows, y_train)
    with tempfile.TemporaryDirectory() as build:
        everyone = list(contenders(forest, rows, build))
        times = {index: [] for index in range(len(everyone))}
        for turn in range(ROUNDS):
            for index, (model, contender) in enumerate(everyone):
                if turn < 2 or "scikit" not in contender.name or model != "teacher":
                    times[index].append(contender.microseconds(test))
            print(f"round {turn + 1} of {ROUNDS}", flush=True)
        for index, (model, contender) in enumerate(everyone):
            another, same, batch = np.median(times[index], axis=0)
            results.add(
                model=model,
                way=contender.name,
                another=another,
                same=same,
                batch=batch,
                kilobytes=contender.n_bytes / 1e3,
            )


def page(results):
    rows = [
        [
            f"{row['model']}: {row['way']}",
            number(row["another"], 2),
            number(row["same"], 2),
            number(row["batch"], 3),
            number(row["kilobytes"], 1),
        ]
        for row in results.rows
    ]
    return "\n\n".join(
        [
            "Teacher: a random forest of 300 trees, on 3,000 rows of heloc (23 numbers, two classes). The students "
            "are fitted to its probabilities, the tree to its labels. LightGBM's models have the same number of "
            "trees and leaves.",
            f"The table shows microseconds per row on one thread, as medians of {ROUNDS} rounds in which all models "
            "take turns: one row if each call uses another row, one row if it is always the same (the processor "
            f"then predicts the branches), and batches of {BATCH:,} rows of float32. Bytes are the size of the "
            "pickle, the ONNX file, the model text or the library.",
            markdown_table(["", "one row, different", "one row, the same", "batch, per row", "kB"], rows),
        ]
    )


if __name__ == "__main__":
    run(__file__, "Latency", __doc__, measure, page)
