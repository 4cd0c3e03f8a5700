#!/usr/bin/env bash
# joblib 1.6.0 (scikit-learn 1.9.1, numpy 2.4.6): the same file loaded several times gives models with different
# `joblib.hash`.
#
# scikit-learn keeps the nodes of a tree in records of 64 bytes, the last 7 of which belong to no field. `joblib.load`
# copies the fields into new memory and leaves these bytes as they are there; `joblib.hash` reads them. A cache with
# such a model among its arguments (`joblib.Memory`) therefore computes everything again after each load. Models
# loaded with pickle keep the hash, because pickle copies the bytes.
#
# Seen:
#   6 loads with pickle: 1 hash, 1 call of the cached function
#   6 loads with joblib: 6 hashes, 6 calls of the cached function
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check joblib==1.6.0 scikit-learn==1.9.1 numpy==2.4.6
"$folder/venv/bin/python" -I - "$folder" <<'PY'
import pickle
import sys
from pathlib import Path

import joblib
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier

folder = Path(sys.argv[1])
X, y = load_iris(return_X_y=True)
forest = RandomForestClassifier(10, random_state=0).fit(X, y)
joblib.dump(forest, folder / "forest.joblib")
(folder / "forest.pickle").write_bytes(pickle.dumps(forest))
calls = []


def answers(model):
    calls.append(model)
    return model.predict(X)


def numbers(name, load):
    """Numbers of hashes and of calls for six models, which are kept so that each has its own memory."""
    calls.clear()
    cached = joblib.Memory(folder / f"cache of {name}", verbose=0).cache(answers)
    models = [load() for _ in range(6)]
    for model in models:
        cached(model)
    counts = len(set(map(joblib.hash, models))), len(calls)
    print(
        f"6 loads with {name}: {counts[0]} hash{'es' * (counts[0] > 1)}, "
        f"{counts[1]} call{'s' * (counts[1] > 1)} of the cached function"
    )
    return counts


of_pickle = numbers("pickle", lambda: pickle.loads((folder / "forest.pickle").read_bytes()))
of_joblib = numbers("joblib", lambda: joblib.load(folder / "forest.joblib"))
if of_pickle != (1, 1) or min(of_joblib) < 2:
    raise SystemExit("This has changed.")
PY
