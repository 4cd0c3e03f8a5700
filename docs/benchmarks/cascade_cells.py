"""The cells of cascades.py: a table, a teacher, a student, and the answers of both for rows that neither saw.

The student has 5,500 parameters, about 10 kB. Teacher and student are fitted on 3,000 rows. The rest of the rows tunes;
the test rows (see tables.py) are the population that calibration rows are drawn from.
"""

import joblib
import numpy as np
import tables
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.pipeline import make_pipeline

from skdistill import DistilledClassifier, DistilledRegressor

NAMES = ("adult", "credit_default", "heloc", "optdigits", "pendigits", "california", "pol", "puma8nh")
MOST_ROWS = 6000
"""Rows of the population, at most: labelling by the support vector machine takes long."""


def forest_teacher(task, seed):
    """Return an unfitted forest of 300 trees."""
    forest = RandomForestClassifier if task == "classification" else RandomForestRegressor
    return make_pipeline(tables.encoder(False), forest(300, min_samples_leaf=2, random_state=seed))


TEACHERS = {"forest": forest_teacher, "RBF SVM": tables.svm_teacher, "vote": tables.vote_teacher}


def cell(folder, cache, name, teacher_name, n_tuning, seed=0):
    """Return the fitted teacher and distilled estimator, tuning rows, the population, and their labels and outputs."""
    path = cache / f"{name}-{teacher_name.replace(' ', '_')}.joblib"
    if path.exists():
        return joblib.load(path)
    X, y, task = tables.load(folder, name)
    X_train, X_rest, X_test, y_train, _, y_test = tables.split(X, y, seed)
    X_tuning = X_rest.iloc[:n_tuning].reset_index(drop=True)
    X_test, y_test = X_test.iloc[:MOST_ROWS].reset_index(drop=True), y_test[:MOST_ROWS]
    teacher = TEACHERS[teacher_name](task, seed).fit(X_train, y_train)
    distilled = DistilledClassifier if task == "classification" else DistilledRegressor
    model = distilled(teacher, "hybrid", student_size=5_500, random_state=seed).fit(X_train)
    answers = {
        f"{who}_{part}": tables.outputs(each, rows)
        for who, each in (("teacher", teacher), ("student", model.student_))
        for part, rows in (("tuning", X_tuning), ("test", X_test))
    }
    labels = {
        f"{who}_labels_{part}": each.predict(rows)
        for who, each in (("teacher", teacher), ("student", model.student_))
        for part, rows in (("tuning", X_tuning), ("test", X_test))
    }
    found = {
        "task": task,
        "model": model,
        "X_train_variance": np.var(tables.outputs(teacher, X_train), axis=0),
        "X_tuning": X_tuning,
        "X_test": X_test,
        "y_test": y_test,
        **answers,
        **labels,
    }
    joblib.dump(found, path, compress=3)
    return found
