"""The cells of cascades.py: a table, a teacher, a student, and the answers of both for rows that neither saw.

Students have about 10 kB, unless their name says otherwise. Teacher and student are fitted on 3,000 rows. The rest of
the rows tunes; the test rows (see tables.py) are the population that calibration rows are drawn from.
"""

import time

import joblib
import tables
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.pipeline import make_pipeline

from skdistill import AutoStudent, DistilledClassifier, DistilledRegressor

NAMES = (*tables.CLASSIFICATION, *tables.REGRESSION)
LEAST_TUNING, MOST_TUNING, MOST_ROWS = 300, 1500, 6000
"""Rows of which some choose the score; further ones that settings of the package were chosen on; rows of the
population."""


def forest_teacher(task, seed):
    """Return an unfitted forest of 300 trees."""
    forest = RandomForestClassifier if task == "classification" else RandomForestRegressor
    return make_pipeline(tables.encoder(False), forest(300, min_samples_leaf=2, random_state=seed))


STUDENTS = {
    "hybrid": {"student": "hybrid", "student_size": 5_500},
    "auto": {"student": AutoStudent(max_bytes=10_000)},
    "for cascade": {"student": AutoStudent(max_bytes=10_000, tolerance="auto")},
    "for cascade, 30 kB": {"student": AutoStudent(max_bytes=30_000, tolerance="auto")},
}
"""Parameters of the distilled estimator, by the name of the student."""


TEACHERS = {"forest": forest_teacher, "RBF SVM": tables.svm_teacher, "vote": tables.vote_teacher}


def taught(folder, cache, name, teacher_name, seed=0):
    """Return a fitted teacher, the rows of its table, and its answers for those that tune and for the population."""
    path = cache / f"teacher-{name}-{teacher_name.replace(' ', '_')}.joblib"
    if path.exists():
        return joblib.load(path)
    X, y, task = tables.load(folder, name)
    n_train = min(3000, len(X) - int(tables.TEST_SHARE * len(X)) - LEAST_TUNING)
    X_train, X_rest, X_test, y_train, _, y_test = tables.split(X, y, seed, n_train)
    X_tuning = X_rest.iloc[:MOST_TUNING].reset_index(drop=True)
    X_test, y_test = X_test.iloc[:MOST_ROWS].reset_index(drop=True), y_test[:MOST_ROWS]
    teacher = TEACHERS[teacher_name](task, seed).fit(X_train, y_train)
    found = {"task": task, "teacher": teacher, "X_train": X_train, "X_tuning": X_tuning, "X_test": X_test}
    for part, rows in (("tuning", X_tuning), ("test", X_test)):
        found[f"teacher_{part}"] = tables.outputs(teacher, rows)
        found[f"teacher_labels_{part}"] = teacher.predict(rows)
    joblib.dump(found | {"y_test": y_test}, path, compress=1)
    return joblib.load(path)


def cell(folder, cache, name, teacher_name, student="hybrid", seed=0):
    """Return what :func:`taught` does, with the distilled estimator, and the answers of its student."""
    path = cache / f"{student.replace(' ', '_')}-{name}-{teacher_name.replace(' ', '_')}.joblib"
    found = taught(folder, cache, name, teacher_name, seed)
    if not path.exists():
        distilled = DistilledClassifier if found["task"] == "classification" else DistilledRegressor
        started = time.process_time()
        model = distilled(found["teacher"], **STUDENTS[student], random_state=seed).fit(found["X_train"])
        model.student_.seconds = time.process_time() - started
        joblib.dump(model.student_, path)
    student = joblib.load(path)
    for part in ("tuning", "test"):
        found[f"student_{part}"] = tables.outputs(student, found[f"X_{part}"])
        found[f"student_labels_{part}"] = student.predict(found[f"X_{part}"])
    return found | {"student": student}
