#!/usr/bin/env bash
# emlearn 0.23.2 (numpy 2.4.6): after `import emlearn`, NumPy raises FloatingPointError where it gave a warning or
# nothing before, in all code of the thread that imported it.
#
# One of its modules calls `numpy.seterr(all="raise")` when it is imported. By default NumPy ignores underflow, and
# correct code depends on it: the softmax of scores that are far apart now fails, also in other libraries, whether or
# not emlearn is used afterwards. Threads that are started later have NumPy's defaults, so that the same code may fail
# with one worker and run with several. `numpy.seterr` with the former settings brings them back.
#
# Seen:
#   before the import: {'divide': 'warn', 'over': 'warn', 'under': 'ignore', 'invalid': 'warn'}
#     softmax of 0 and -1000: [1.0, 0.0]
#   after the import:  {'divide': 'raise', 'over': 'raise', 'under': 'raise', 'invalid': 'raise'}
#     softmax of 0 and -1000: FloatingPointError: underflow encountered in exp
#     in a new thread: [1.0, 0.0]
#     with the former settings: [1.0, 0.0]
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check emlearn==0.23.2 numpy==2.4.6
"$folder/venv/bin/python" -I - <<'PY'
from concurrent.futures import ThreadPoolExecutor

import numpy as np


def softmax():
    """The softmax of 0 and -1000, or the error."""
    try:
        scores = np.exp(np.array([0.0, -1000.0]))
    except FloatingPointError as error:
        return f"FloatingPointError: {error}"
    return (scores / scores.sum()).tolist()


before = np.geterr()
print("before the import:", before)
found = [softmax()]
print("  softmax of 0 and -1000:", found[-1])

import emlearn

after = np.geterr()
print("after the import: ", after)
found.append(softmax())
print("  softmax of 0 and -1000:", found[-1])
with ThreadPoolExecutor(1) as pool:
    found.append(pool.submit(softmax).result())
print("  in a new thread:", found[-1])
np.seterr(**before)
found.append(softmax())
print("  with the former settings:", found[-1])

right = [1.0, 0.0]
wrong = "FloatingPointError: underflow encountered in exp"
if set(after.values()) != {"raise"} or found != [right, wrong, right, right]:
    raise SystemExit("This has changed.")
PY
