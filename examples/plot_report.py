"""
Displays and a report: what was kept, what was lost
===================================================

A forest that separates malignant from benign tumours is distilled into a small student.
Four displays and a report show what was kept and what was lost, on rows that neither
model has seen.
"""

# %%
# The data are part of scikit-learn. Forty percent of the rows are held out from both
# models.
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split

from skdistill import DistilledClassifier, report
from skdistill.inspection import (
    DisagreementDisplay,
    FidelityDisplay,
    SamplerDisplay,
    SizeFidelityDisplay,
)

N_TREES, STUDENT = 500, "auto"
# sphinx_gallery_start_ignore
import os

if os.environ.get("SKDISTILL_EXAMPLES") == "small":
    from skdistill import AutoStudent

    N_TREES, STUDENT = 100, AutoStudent(["linear", "tree"])
# sphinx_gallery_end_ignore

X, y = load_breast_cancer(return_X_y=True, as_frame=True)
y = y.map({0: "malignant", 1: "benign"})
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.4, random_state=0)
forest = RandomForestClassifier(N_TREES, random_state=0).fit(X_train, y_train)
model = DistilledClassifier(forest, STUDENT, random_state=0).fit(X_train, y_train)

# %%
# Fidelity: one point per row. Rows with different labels have probabilities close to
# one half in both models.
FidelityDisplay.from_estimator(model, X_test)

# %%
# The choice of the student: fidelity against bytes for each family that was tried. The
# grey steps mark the Pareto front: no smaller student has a higher fidelity than the
# students on it.
SizeFidelityDisplay.from_estimator(model)

# %%
# Where teacher and student differ: a few rules, found by a small tree fitted to the
# distance between them.
DisagreementDisplay.from_estimator(model, X_test, max_rules=4)

# %%
# The synthetic rows that the student was trained on, next to the real rows.
SamplerDisplay.from_estimator(
    model, X_train, features=["mean radius", "mean texture"], random_state=0
)

# %%
# The report contains all of this, and a verdict. If you pass the training rows, it also
# shows whether the teacher helped, by fitting the same student without it.
# ``to_html("report.html")`` writes it as a single page that works offline.
report(model, X_test, y_test, X_train=X_train, y_train=y_train)
