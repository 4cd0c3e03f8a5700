"""
Text: docstrings told apart by a small student
==============================================

From which module does a docstring come? The texts are on every machine that runs this: what scipy, numpy and
scikit-learn say about their own functions. The teacher is a soft vote on tf-idf, the student a small network that stays
sparse from end to end; :class:`~skdistill.samplers.TermSwap` drops and exchanges terms to make synthetic texts.
"""

import inspect
import os
from importlib import import_module

import matplotlib.pyplot as plt
import numpy as np
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import ExtraTreesClassifier, VotingClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline
from sklearn.svm import SVC

from skdistill import DistilledClassifier
from skdistill.metrics import agreement, brier_skill, fidelity, latency, pickled_bytes
from skdistill.samplers import TermSwap

SMALL = os.environ.get("SKDISTILL_EXAMPLES") == "small"
MODULES = [f"scipy.{name}" for name in ("interpolate", "linalg", "ndimage", "optimize", "signal", "special", "stats")]
MODULES += ["numpy.ma", "numpy.random", "sklearn.linear_model", "sklearn.metrics", "sklearn.preprocessing"]

# %%
# The texts
# ---------
# The first 60 words of every docstring of a public function, class or method; one that several modules share counts for
# the first. Other versions of the libraries have other texts, so your numbers will differ a little.


def docstrings(module):
    """Yield the docstrings of a module's functions and classes, and of the methods of these."""
    for name, member in vars(import_module(module)).items():
        if not name.startswith("_") and callable(member):
            yield inspect.getdoc(member)
            methods = vars(member) if inspect.isclass(member) else {}
            yield from (inspect.getdoc(method) for key, method in methods.items() if key[0] != "_" and callable(method))


module_of = {}
for module in MODULES[:5] if SMALL else MODULES:
    for text in docstrings(module):
        if text and len(text) > 80:
            module_of.setdefault(" ".join(text.split()[:60]), module)
texts, y = np.array(list(module_of)), np.array(list(module_of.values()))
texts_train, texts_test, y_train, y_test = train_test_split(texts, y, test_size=0.4, random_state=0, stratify=y)
print(f"{len(texts)} texts of {len(np.unique(y))} modules")

# %%
# Teacher and student in one pipeline
# -----------------------------------
# The vote is not fitted yet: inside the pipeline it is a recipe, fitted on the tf-idf of the texts.

vote = VotingClassifier(
    [
        ("machine", CalibratedClassifierCV(SVC(C=10), ensemble=False)),
        ("forest", ExtraTreesClassifier(100 if SMALL else 300)),
        ("linear", LogisticRegression(C=30, max_iter=1000)),
    ],
    voting="soft",
)
pipeline = Pipeline(
    [
        ("tf-idf", TfidfVectorizer(sublinear_tf=True, min_df=2)),
        ("student", DistilledClassifier(vote, "mlp_ple", sampler=TermSwap(), n_synthetic=5.0, random_state=0)),
    ]
)
pipeline.fit(texts_train, y_train)
model = pipeline["student"]

# %%
# What is kept, what is lost
# --------------------------
# All see the same tf-idf. A logistic regression, which is one of the three that vote, is there for comparison: it needs
# no teacher either. Accuracy counts labels; the Brier skill (1 is certain and right, 0 the best constant) says whether
# the probabilities can be trusted.

X_train, X_test = (pipeline["tf-idf"].transform(some) for some in (texts_train, texts_test))
models = {
    "teacher": model.teacher_,
    "student": model.student_,
    "student without teacher": clone(model.student_).fit(X_train, y_train),
    "logistic regression": model.teacher_.named_estimators_["linear"],
}
reference = model.soft_targets(X_test)
print(f"{'':24}accuracy  skill  fidelity  agreement  µs, one row  µs a row, {X_test.shape[0]} rows     kB")
for name, fitted in models.items():
    proba = fitted.predict_proba(X_test)
    same = agreement(model.classes_[reference.argmax(axis=1)], model.classes_[proba.argmax(axis=1)])
    print(
        f"{name:24}{np.mean(model.classes_[proba.argmax(axis=1)] == y_test):8.3f}"
        f"{brier_skill(y_test, proba, classes=model.classes_):7.3f}{fidelity(reference, proba):10.3f}{same:11.3f}"
        f"{latency(fitted.predict_proba, X_test[:1]):13,.0f}{latency(fitted.predict_proba, X_test):20.1f}"
        f"{pickled_bytes(fitted) / 1000:7,.0f}"
    )

# %%
# Does the student follow?
# ------------------------
# For every unseen text, the probability of its true module.

of_truth = np.arange(len(y_test)), np.searchsorted(model.classes_, y_test)
figure, axes = plt.subplots(1, 3, figsize=(10, 4.3), sharey=True, layout="constrained")
for ax, name, colour in zip(axes, list(models)[1:], ("#0072B2", "#D55E00", "#009E73"), strict=True):
    ax.axline((0, 0), slope=1, color="0.5", linewidth=1)
    ax.scatter(
        reference[of_truth], models[name].predict_proba(X_test)[of_truth], s=12, color=colour, alpha=0.4, linewidth=0
    )
    ax.set(xlabel="teacher", title=name, aspect="equal")
axes[0].set_ylabel("the model above")
figure.suptitle("Probability of the true module")
plt.show()

# %%
# What to take home
# -----------------
# The student is as good as the vote within a percent, in a sixtieth of the time for one text and a 250th of the bytes.
# Fitted without the teacher it is somewhat less accurate and far too sure of itself: most of what the teacher
# gives here are honest probabilities.
#
# But look at the last line. A logistic regression, fitted on the labels alone, is as accurate as the vote, as close to
# it as the student, has the best probabilities of all, and is faster still. Text by tf-idf is nearly linear: try that
# before a vote, and before distilling one. A student pays where the teacher knows what a linear model cannot.
