"""
A grid over sizes of students
=============================

How small may a student be? A grid over families and sizes answers it like any other question of scikit-learn, inside a
pipeline, scored by fidelity. With ``memory=`` the teacher labels the rows of a fold once, however many students are
taught on them.
"""

import os
from tempfile import TemporaryDirectory

import matplotlib.pyplot as plt
import pandas as pd
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from skdistill import DistilledClassifier, fidelity_scorer
from skdistill.inspection import SizeFidelityDisplay
from skdistill.metrics import agreement, fidelity, latency, pickled_bytes
from skdistill.samplers import LeafSwap

SMALL = os.environ.get("SKDISTILL_EXAMPLES") == "small"
FAMILIES = ["tree", "boosting", "mlp"]
SIZES = [1000, 4000] if SMALL else [800, 1600, 3200, 6400]

X, y = load_digits(return_X_y=True)
if SMALL:
    X, y = X[:700], y[:700]
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.4, random_state=0)

# %%
# The grid
# --------
# The teacher is not fitted: inside a pipeline it is a recipe, and each fold fits its own on its own scaled training
# rows. So no test fold reaches the student through the teacher. ``student_size`` is the number of parameters at most,
# and means the same for every family.

teacher = CalibratedClassifierCV(SVC(C=10), ensemble=False)
folder = TemporaryDirectory()
student = DistilledClassifier(teacher, sampler=LeafSwap(), n_synthetic=5.0, memory=folder.name, random_state=0)
pipeline = Pipeline([("scale", StandardScaler()), ("model", student)])
grid = {"model__student": FAMILIES, "model__student_size": SIZES}
search = GridSearchCV(pipeline, grid, scoring=fidelity_scorer, cv=2 if SMALL else 3).fit(X_train, y_train)

results = pd.DataFrame(search.cv_results_).rename(columns=lambda name: name.removeprefix("param_model__"))
print(results.pivot(index="student", columns="student_size", values="mean_test_score").round(3))
print("chosen:", search.best_params_)

# %%
# The teacher's answers are on disk now. A student of another size is taught on them without asking anew, but for 16
# rows by which the teacher is known again.

for name, memory in (("without memory", None), ("with memory", folder.name)):
    other = clone(search.best_estimator_).set_params(model__student_size=500, model__memory=memory)
    seconds = other.fit(X_train, y_train)["model"].transfer_set_.label_seconds
    print(f"labelling, {name}: {seconds:.3f} s")
folder.cleanup()

# %%
# What was chosen, on rows that nobody has seen
# ---------------------------------------------

scale, model = search.best_estimator_["scale"], search.best_estimator_["model"]
rows_train, rows_test = scale.transform(X_train), scale.transform(X_test)
models = {
    "teacher": model.teacher_,
    "student": model.student_,
    "student without teacher": clone(model.student_).fit(rows_train, y_train),
}
reference = model.soft_targets(rows_test)
print(f"{'':24}accuracy  fidelity  agreement  µs, one row  µs a row, {len(rows_test)} rows     kB")
for name, fitted in models.items():
    print(
        f"{name:24}{fitted.score(rows_test, y_test):8.3f}{fidelity(reference, fitted.predict_proba(rows_test)):10.3f}"
        f"{agreement(model.teacher_.predict(rows_test), fitted.predict(rows_test)):11.3f}"
        f"{latency(fitted.predict_proba, rows_test[:1]):13,.0f}{latency(fitted.predict_proba, rows_test):20.1f}"
        f"{pickled_bytes(fitted) / 1000:7,.0f}"
    )

# %%
# Fidelity against size
# ---------------------
# The display reads families and sizes from the search. Bars are standard errors over the folds, and a ring marks what
# the search has chosen.

display = SizeFidelityDisplay.from_search(search)
display.ax_.set_title("Digits: students of a support vector machine")
plt.show()

# %%
# What to take home
# -----------------
# On digits the family matters more than the size: the smallest network follows the support vector machine as closely as
# boosted trees of eight times its parameters, and a single tree does not follow it at any size. Beyond 3,200 parameters
# networks gain nothing; who can spare a hundredth of the fidelity takes half of that. Taught by the teacher, the chosen
# student is closer to it than fitted without, and a little more accurate.
