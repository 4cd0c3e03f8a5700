"""Tables and teachers that all benchmarks share.

A folder of gzipped CSV files, features first, the label in the last column, ``target``; strings are categories, empty
cells are missing. All are public: adult, page_blocks, pendigits, optdigits, splice, wine_quality_white (UCI),
california (StatLib), heloc (FICO), credit_default (UCI, one-hot), pol, ailerons, puma8nh (Torgo).

The rows of a table are shuffled once, with a fixed seed. The first 40 % are test rows and are never used for anything
but reporting; defaults of the package were chosen on the others.
"""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from pathlib import Path

import numpy as np
import pandas as pd
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor, make_column_selector, make_column_transformer
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor, VotingClassifier, VotingRegressor
from sklearn.impute import SimpleImputer
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC, SVR

from skdistill.metrics import brier_skill, r2_skill

REGRESSION = ("california", "pol", "ailerons", "puma8nh", "wine_quality_white")
CLASSIFICATION = ("adult", "heloc", "credit_default", "pendigits", "optdigits", "page_blocks", "splice")
TEST_SHARE = 0.4


def load(folder, name):
    """Return X (DataFrame), y (array) and the task of one table."""
    table = pd.read_csv(Path(folder) / f"{name}.csv.gz")
    y = table.pop("target").to_numpy()
    return table, y, "regression" if name in REGRESSION else "classification"


def split(X, y, seed, n_train=3000):
    """Return X_train, X_rest, X_test, y_train, y_rest, y_test; the test rows are the same for every seed."""
    order = np.random.default_rng(20261121).permutation(len(X))
    n_test = int(TEST_SHARE * len(X))
    test, others = order[:n_test], np.random.default_rng(seed).permutation(order[n_test:])
    parts = others[:n_train], others[n_train:], test
    return *(X.iloc[part].reset_index(drop=True) for part in parts), *(y[part] for part in parts)


def encoder(scale):
    """Return a transformer of raw tables: categories one-hot, missing numbers imputed."""
    numbers = make_pipeline(SimpleImputer(), StandardScaler()) if scale else SimpleImputer()
    texts = OneHotEncoder(handle_unknown="ignore", sparse_output=False, min_frequency=5)
    return make_column_transformer(
        (texts, make_column_selector(dtype_exclude=np.number)), (numbers, make_column_selector(dtype_include=np.number))
    )


def vote_teacher(task, seed):
    """Return an unfitted soft vote of a forest, boosted trees and a network."""
    if task == "classification":
        members = {
            "forest": RandomForestClassifier(300, min_samples_leaf=2, random_state=seed),
            "boosting": LGBMClassifier(n_estimators=200, learning_rate=0.05, verbosity=-1, n_jobs=1, random_state=seed),
            "network": MLPClassifier(
                hidden_layer_sizes=(100, 100), alpha=1e-2, early_stopping=True, max_iter=200, random_state=seed
            ),
        }
    else:
        members = {
            "forest": RandomForestRegressor(300, min_samples_leaf=2, random_state=seed),
            "boosting": LGBMRegressor(n_estimators=200, learning_rate=0.05, verbosity=-1, n_jobs=1, random_state=seed),
            "network": TransformedTargetRegressor(
                MLPRegressor(
                    hidden_layer_sizes=(100, 100), alpha=1e-2, early_stopping=True, max_iter=200, random_state=seed
                ),
                transformer=StandardScaler(),
            ),
        }
    pipelines = [
        (name, make_pipeline(encoder(name == "network").set_output(transform="default"), model))
        for name, model in members.items()
    ]
    return VotingClassifier(pipelines, voting="soft") if task == "classification" else VotingRegressor(pipelines)


def svm_teacher(task, seed):
    """Return an unfitted RBF SVM; probabilities by a sigmoid on its own margins."""
    if task == "classification":
        return CalibratedClassifierCV(make_pipeline(encoder(True), SVC(C=3.0)), ensemble=False, cv=3)
    return TransformedTargetRegressor(
        make_pipeline(encoder(True), SVR(C=3.0, cache_size=500)), transformer=StandardScaler()
    )


TEACHERS = {"vote": vote_teacher, "RBF SVM": svm_teacher}


def outputs(model, X):
    """Return probabilities or values."""
    return model.predict_proba(X) if hasattr(model, "predict_proba") else model.predict(X)


def skill(teacher, y, given):
    """Return the Brier skill of probabilities, or the R² of values, to the truth."""
    return brier_skill(y, given, classes=teacher.classes_) if hasattr(teacher, "classes_") else r2_skill(y, given)
