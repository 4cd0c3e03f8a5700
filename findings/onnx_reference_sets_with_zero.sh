#!/usr/bin/env bash
# onnx 1.23.2 (onnxruntime 1.32.0, numpy 2.4.6): `onnx.reference.ReferenceEvaluator` takes the number 0 in the sets of
# trees for the end of the set.
#
# A split of `TreeEnsemble` (`ai.onnx.ml` 5) may ask whether a number is in a set. The members of all sets are one
# list, with NaN after each set. The evaluator also stops at 0, so that the set loses 0 and all members after it, and
# the next set begins with what is left of the one before. Codes of categories usually start at 0. No warning is
# issued. onnxruntime answers as the standard says: compare exported categories with it, not with the evaluator.
#
# Seen, for the sets {1, 0, 2} and {3}:
#   onnxruntime: {0, 1, 2} and {3}
#   reference:   {1} and {2}
# Seen, for the sets {1, 4, 2} and {3}:
#   onnxruntime: {1, 2, 4} and {3}
#   reference:   {1, 2, 4} and {3}
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6
"$folder/venv/bin/python" -I - <<'PY'
import numpy as np
import onnx
import onnxruntime
from onnx import helper
from onnx.reference import ReferenceEvaluator


def tensor(values, dtype):
    return onnx.numpy_helper.from_array(np.array(values, dtype=dtype))


def model(first, second):
    """Two trees with a split each, which give 1 in an output of their own if x is in the set, and else 0."""
    trees = helper.make_node(
        "TreeEnsemble",
        ["X"],
        ["Y"],
        domain="ai.onnx.ml",
        n_targets=2,
        tree_roots=[0, 1],
        nodes_featureids=[0, 0],
        nodes_modes=tensor([6, 6], np.uint8),  # is in the set
        nodes_splits=tensor([0, 0], np.float32),
        membership_values=tensor([*first, np.nan, *second, np.nan], np.float32),
        nodes_truenodeids=[0, 2],
        nodes_trueleafs=[1, 1],
        nodes_falsenodeids=[1, 3],
        nodes_falseleafs=[1, 1],
        leaf_targetids=[0, 0, 1, 1],
        leaf_weights=tensor([1, 0, 1, 0], np.float32),
    )
    ends = [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["n", n]) for name, n in (("X", 1), ("Y", 2))]
    graph = helper.make_graph([trees], "sets", ends[:1], ends[1:])
    versions = [helper.make_opsetid("", 21), helper.make_opsetid("ai.onnx.ml", 5)]
    made = helper.make_model(graph, opset_imports=versions, ir_version=10)
    onnx.checker.check_model(made, full_check=True)
    return made


X = np.arange(6, dtype=np.float32)[:, np.newaxis]
for first, expected in (([1, 0, 2], [{1}, {2}]), ([1, 4, 2], [{1, 2, 4}, {3}])):
    made = model(first, [3])
    session = onnxruntime.InferenceSession(made.SerializeToString(), providers=["CPUExecutionProvider"])
    answers = [each.run(None, {"X": X})[0] for each in (session, ReferenceEvaluator(made))]
    sets = [[set(np.flatnonzero(column).tolist()) for column in answer.T] for answer in answers]
    print(f"for the sets {{{', '.join(map(str, first))}}} and {{3}}:")
    print(f"  onnxruntime: {sets[0][0]} and {sets[0][1]}")
    print(f"  reference:   {sets[1][0]} and {sets[1][1]}")
    if sets != [[set(first), {3}], expected]:
        raise SystemExit("This has changed.")
PY
