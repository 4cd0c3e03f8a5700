"""
From a forest to a C file under 20 kB
=====================================

A forest is distilled into a few small trees, and these are written as one C file that
needs no library. Before the file is written, it is compiled and compared with the
student. The same student is also written in other languages.
"""

import os

import matplotlib.pyplot as plt
from sklearn.datasets import make_friedman1
from sklearn.ensemble import RandomForestRegressor

from skdistill import DistilledRegressor
from skdistill.export import to_c, to_javascript, to_python, to_sql
from skdistill.metrics import pickled_bytes
from skdistill.students import CompactBoostingRegressor

SMALL = os.environ.get("SKDISTILL_EXAMPLES") == "small"

# %%
# Distil
# ------

X, y = make_friedman1(500 if SMALL else 5000, random_state=0)
forest = RandomForestRegressor(10 if SMALL else 200, random_state=0).fit(X[::2], y[::2])
student = CompactBoostingRegressor(5 if SMALL else 20, 16)
model = DistilledRegressor(forest, student, random_state=0).fit(X[::2])
print(f"fidelity on unseen rows: {model.fidelity(X[1::2]):.3f}")

# %%
# Export
# ------
# Without gcc, the file is written all the same, but a warning says that it has not been
# run. ``to_c(model, path="model.c")`` writes the file and its header.

exported = to_c(model, X=X[1::2])
print(exported.header)
print(f"C: {len(exported.text) / 1000:.0f} kB")
print(f"forest: {pickled_bytes(forest) / 1000:,.0f} kB")
print(f"largest difference on {exported.n_rows} rows: {exported.largest_difference}")

# %%
# The same student in other languages
# -----------------------------------

exports = {"Python": to_python(model), "SQL": to_sql(model), "C": exported}
exports["JavaScript"] = to_javascript(model)
sizes = {name: len(export.text) / 1000 for name, export in exports.items()}
sizes["pickle"] = pickled_bytes(model.student_) / 1000

fig, ax = plt.subplots(layout="constrained")
ax.barh(list(sizes), list(sizes.values()))
ax.set(xlabel="kB", title="One student in several languages")
plt.show()
