"""What is gained and what is lost when a slow vote becomes a small student.

    python examples/distil_digits.py

The teacher is a soft vote of a forest, a support vector machine and boosted trees, on the digits that come with
scikit-learn. The student is the package's default, which chooses one; the same is fitted without the teacher too. All
are judged on rows that none of them has seen.
"""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # threads that wait do not spin: small calls are timed fairly

from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_digits
from sklearn.ensemble import ExtraTreesClassifier, HistGradientBoostingClassifier, VotingClassifier
from sklearn.model_selection import train_test_split
from sklearn.svm import SVC

from skdistill import DistilledClassifier, as_teacher
from skdistill.metrics import agreement, brier_skill, fidelity, latency, pickled_bytes, retention


def vote():
    """Return the teacher: good, slow and large."""
    members = [
        ("forest", ExtraTreesClassifier(500, random_state=0)),
        ("machine", CalibratedClassifierCV(SVC(C=10), ensemble=False)),
        ("boosting", HistGradientBoostingClassifier(random_state=0)),
    ]
    return VotingClassifier(members, voting="soft")


def main():
    """Fit teacher, student, and student without teacher; print what each costs and keeps."""
    X_train, X_test, y_train, y_test = train_test_split(*load_digits(return_X_y=True), test_size=0.4, random_state=0)
    teacher = vote().fit(X_train, y_train)
    model = DistilledClassifier(teacher, random_state=0, verbose=1).fit(X_train, y_train)
    alone = clone(model.student_).fit(X_train, y_train)

    print(model.candidates_.explain(), end="\n\n")
    reference, labels = as_teacher(teacher).outputs(X_test), teacher.predict(X_test)
    models = {"teacher": teacher, "student": model.student_, "student without teacher": alone}
    skill = {
        name: brier_skill(y_test, fitted.predict_proba(X_test), classes=teacher.classes_)
        for name, fitted in models.items()
    }
    print(f"{'':26}accuracy  skill  kept  fidelity  agreement  µs, one row  µs a row, 700 rows     kB")
    for name, fitted in models.items():
        print(
            f"{name:26}{fitted.score(X_test, y_test):8.3f}{skill[name]:7.3f}"
            f"{retention(skill['teacher'], skill[name]):6.2f}{fidelity(reference, fitted.predict_proba(X_test)):10.3f}"
            f"{agreement(labels, fitted.predict(X_test)):11.3f}{latency(fitted.predict_proba, X_test[:1]):13,.0f}"
            f"{latency(fitted.predict_proba, X_test[:700]):20.1f}{pickled_bytes(fitted) / 1000:7,.0f}"
        )


if __name__ == "__main__":
    main()
