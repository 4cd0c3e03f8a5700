#!/usr/bin/env bash
# onnxmltools 1.16.0 (lightgbm 4.7.0, onnx 1.23.2, onnxruntime 1.32.0, numpy 2.4.6): LightGBM models whose parameters
# change how trees are evaluated or added up are converted as if they had the default parameters.
#
# The parameters are written in LightGBM's model files, but the converter does not read them and issues no warning.
# Linear leaves become constants, random forests are sums rather than means, zeros do not count as missing, the scale
# of the logistic function is 1, and the square of `reg_sqrt` is not taken.
#
# Seen, rows with another answer:
#   default: 0%
#   linear_tree: 100%
#   boosting=rf: 100%
#   zero_as_missing: 28%
#   sigmoid=2: 100%
#   reg_sqrt: 100%
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  onnxmltools==1.16.0 lightgbm==4.7.0 onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6
"$folder/venv/bin/python" -I - <<'PY'
import lightgbm
import numpy as np
import onnxmltools
import onnxruntime
from onnxmltools.convert.common.data_types import FloatTensorType

rng = np.random.default_rng(0)
X = rng.normal(size=(400, 3)).round(1).astype(np.float32)
X[rng.random(X.shape) < 0.3] = 0
y = 2 * X[:, 0] + np.abs(X[:, 1]) + X[:, 0] * X[:, 2]


def share_of_other_answers(parameters):
    fixed = {"num_leaves": 8, "num_threads": 1, "verbose": -1, "seed": 0}
    is_classifier = parameters.get("objective") == "binary"
    data = lightgbm.Dataset(X.astype(np.float64), y > np.median(y) if is_classifier else y)
    booster = lightgbm.train(fixed | parameters, data, num_boost_round=10)
    made = onnxmltools.convert_lightgbm(booster, initial_types=[("X", FloatTensorType([None, 3]))], zipmap=False)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(made.SerializeToString(), options, providers=["CPUExecutionProvider"])
    answer = session.run(None, {"X": X})[-1].reshape(len(X), -1)[:, -1]
    expected = booster.predict(X)
    return np.mean(np.abs(answer - expected) > 1e-5 + 1e-4 * np.abs(expected))


cases = {
    "default": {},
    "linear_tree": {"linear_tree": True},
    "boosting=rf": {"boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.6},
    "zero_as_missing": {"zero_as_missing": True},
    "sigmoid=2": {"objective": "binary", "sigmoid": 2.0},
    "reg_sqrt": {"reg_sqrt": True},
}
shares = {name: share_of_other_answers(parameters) for name, parameters in cases.items()}
for name, share in shares.items():
    print(f"{name}: {share:.0%}")
if shares.pop("default") > 0 or min(shares.values()) < 0.1:
    raise SystemExit("This has changed.")
PY
