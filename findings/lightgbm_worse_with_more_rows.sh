#!/usr/bin/env bash
# lightgbm 4.7.0 (numpy 2.4.6): eighty times as many rows of the same distribution make the same small model worse on
# new rows.
#
# The target is the product of two independent, symmetric columns, and a tenth of the sum of 18 others. No first split
# of a column of the product has a gain in expectation: only the second one has. With few rows, chance makes a first
# split worth while; with many, this chance is gone, and at a small learning rate 60 trees are spent on the extremes of
# the product. Nothing warns. With the learning rate 0.5, more rows
# help as one expects.
#
# Seen (R² on 50,000 new rows, mean of three seeds; 60 trees of 24 leaves):
#   learning rate 0.2: 0.77 with 5,000 rows, 0.60 with 400,000
#   learning rate 0.5: 0.76 with 5,000 rows, 0.94 with 400,000
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check lightgbm==4.7.0 numpy==2.4.6
"$folder/venv/bin/python" -I - <<'PY'
import lightgbm
import numpy as np


def table(rng, n_rows):
    X = rng.standard_normal((n_rows, 20))
    return X, X[:, 0] * X[:, 1] + 0.1 * X[:, 2:].sum(axis=1)


def r2(n_rows, learning_rate, seed):
    """R² on 50,000 new rows."""
    rng = np.random.default_rng(seed)
    X, y = table(rng, n_rows)
    new, truth = table(rng, 50_000)
    params = {"num_leaves": 24, "learning_rate": learning_rate, "num_threads": 1, "deterministic": True}
    params |= {"objective": "regression", "force_col_wise": True, "verbosity": -1}
    model = lightgbm.train(params, lightgbm.Dataset(X, y), 60)
    return 1 - np.mean((model.predict(new, num_threads=1) - truth) ** 2) / truth.var()


means = {}
for rate in (0.2, 0.5):
    for n_rows in (5000, 400_000):
        means[rate, n_rows] = np.mean([r2(n_rows, rate, seed) for seed in range(3)])
    few, many = means[rate, 5000], means[rate, 400_000]
    print(f"learning rate {rate}: {few:.2f} with 5,000 rows, {many:.2f} with 400,000")
if means[0.2, 400_000] > means[0.2, 5000] - 0.08 or means[0.5, 400_000] < means[0.5, 5000] + 0.08:
    raise SystemExit("This has changed.")
PY
