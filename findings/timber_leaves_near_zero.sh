#!/usr/bin/env bash
# timber-compiler 0.6.0 (lightgbm 4.7.0, numpy 2.4.6; needs gcc): by default, a leaf whose value is near zero gets the
# value of its sibling.
#
# A pass that is on by default takes leaves below a thousandth of the largest leaf for leaves without effect. It does
# not set them to zero, which would change little: it removes the split above, and rows of both sides get the value of
# the other leaf. The tree with the leaves 0 and 1 becomes the constant 1. In ordinary models, late trees have leaves
# that are small beside those of the first tree. No warning is issued. `optimize=False`, or `--no-optimize` on the
# command line, gives the right answers.
#
# Seen:
#   one split: LightGBM [0.0, 1.0]; timber [1.0, 1.0], without optimization [0.0, 1.0]
#   a regression with 100 trees: 98% of rows have another answer, without optimization 0%
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
command -v gcc >/dev/null || { echo "This needs gcc." >&2 && exit 2; }
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  timber-compiler==0.6.0 lightgbm==4.7.0 numpy==2.4.6
"$folder/venv/bin/python" -I - "$folder/model.txt" <<'PY'
import sys

import lightgbm
import numpy as np
from timber.runtime.predictor import TimberPredictor


def answers(X, y, n_trees, parameters):
    """Answers of LightGBM, of timber, and of timber without optimization on the rows that the model was fitted to."""
    parameters = {"num_threads": 1, "verbose": -1} | parameters
    booster = lightgbm.train(parameters, lightgbm.Dataset(X, y), n_trees)
    booster.save_model(sys.argv[1])
    compiled = [TimberPredictor.from_model(sys.argv[1], optimize=optimize) for optimize in (True, False)]
    return [booster.predict(X), *(each.predict(X.astype(np.float32)).ravel() for each in compiled)]


X = np.repeat([[0.0], [1.0]], 50, axis=0)
one_split = {"boost_from_average": False, "learning_rate": 1.0, "num_leaves": 2}
found = [answer[[0, -1]].tolist() for answer in answers(X, X[:, 0], 1, one_split)]
print(f"one split: LightGBM {found[0]}; timber {found[1]}, without optimization {found[2]}")

X = np.random.default_rng(0).normal(size=(2000, 5)).astype(np.float32).astype(np.float64)
y = 2 * X[:, 0] + np.abs(X[:, 1]) + X[:, 0] * X[:, 2]
expected, *others = answers(X, y, 100, {})
shares = [np.mean(np.abs(other - expected) > 1e-4 * (1 + np.abs(expected))) for other in others]
print(
    f"a regression with 100 trees: {shares[0]:.0%} of rows have another answer, without optimization {shares[1]:.0%}"
)
if found != [[0.0, 1.0], [1.0, 1.0], [0.0, 1.0]] or shares[0] < 0.5 or shares[1] > 0:
    raise SystemExit("This has changed.")
PY
