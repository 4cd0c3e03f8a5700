"""
What was kept, what was lost: displays and a report
===================================================

A forest tells malignant from benign tumours. It is distilled into a small student; four displays and one report tell
the owner what was kept and what was lost, on rows that neither has seen.
"""

# %%
# The data come with scikit-learn. Four in ten rows are kept from everybody.
import os

from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split

from skdistill import AutoStudent, DistilledClassifier, report
from skdistill.inspection import DisagreementDisplay, FidelityDisplay, SamplerDisplay, SizeFidelityDisplay

SMALL = os.environ.get("SKDISTILL_EXAMPLES") == "small"

X, y = load_breast_cancer(return_X_y=True, as_frame=True)
y = y.map({0: "malignant", 1: "benign"})
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.4, random_state=0)
forest = RandomForestClassifier(100 if SMALL else 500, random_state=0).fit(X_train, y_train)
student = AutoStudent(["linear", "tree"]) if SMALL else "auto"
model = DistilledClassifier(forest, student, random_state=0).fit(X_train, y_train)

# %%
# Fidelity: a point for each row. Where the labels differ, both are near one half.
FidelityDisplay.from_estimator(model, X_test)

# %%
# The choice of the student: fidelity against bytes, for each family that was tried. The grey steps are the front: who
# stands on it is beaten by nothing smaller.
SizeFidelityDisplay.from_estimator(model)

# %%
# Where teacher and student differ: a few rules, found by a small tree of the distance between them.
DisagreementDisplay.from_estimator(model, X_test, max_rules=4)

# %%
# The synthetic rows the student was taught on, beside the real ones.
SamplerDisplay.from_estimator(model, X_train, features=["mean radius", "mean texture"], random_state=0)

# %%
# The report has all of it, and a verdict. With the training rows it also tells whether the teacher was of use at all,
# by fitting the same student without it. ``to_html("report.html")`` writes it as one page that needs no network.
report(model, X_test, y_test, X_train=X_train, y_train=y_train)
