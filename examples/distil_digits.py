"""Distil a slow voting ensemble into a small student, and print what is lost.

    python examples/distil_digits.py

The teacher is a soft-voting ensemble of a forest, a support vector machine and boosted
trees, fitted on the digits dataset of scikit-learn. The student is chosen by the
package's default. The same student is also fitted without the teacher. All models are
evaluated on rows that none of them has seen.
"""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # idle threads do not spin

from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_digits
from sklearn.ensemble import (
    ExtraTreesClassifier,
    HistGradientBoostingClassifier,
    VotingClassifier,
)
from sklearn.model_selection import train_test_split
from sklearn.svm import SVC

from skdistill import DistilledClassifier, as_teacher
from skdistill.metrics import (
    agreement,
    brier_skill,
    fidelity,
    latency,
    pickled_bytes,
    retention,
)


def vote():
    """Return the teacher: accurate, slow and large."""
    members = [
        ("forest", ExtraTreesClassifier(500, random_state=0)),
        ("svm", CalibratedClassifierCV(SVC(C=10), ensemble=False)),
        ("boosting", HistGradientBoostingClassifier(random_state=0)),
    ]
    return VotingClassifier(members, voting="soft")


def main():
    """Fit teacher, student and student alone; print their scores and costs."""
    X_train, X_test, y_train, y_test = train_test_split(
        *load_digits(return_X_y=True), test_size=0.4, random_state=0
    )
    teacher = vote().fit(X_train, y_train)
    model = DistilledClassifier(teacher, random_state=0, verbose=1).fit(
        X_train, y_train
    )
    alone = clone(model.student_).fit(X_train, y_train)

    print(model.candidates_.explain(), end="\n\n")
    reference, labels = as_teacher(teacher).outputs(X_test), teacher.predict(X_test)
    models = {"teacher": teacher, "student": model.student_, "student alone": alone}
    skill = {
        name: brier_skill(
            y_test, fitted.predict_proba(X_test), classes=teacher.classes_
        )
        for name, fitted in models.items()
    }
    print(
        f"{'':13}"
        "accuracy  skill  retention  fidelity  agreement µs, 1 row  µs, batch     kB"
    )
    for name, fitted in models.items():
        print(
            f"{name:13}{fitted.score(X_test, y_test):8.3f}{skill[name]:7.3f}"
            f"{retention(skill['teacher'], skill[name]):11.2f}"
            f"{fidelity(reference, fitted.predict_proba(X_test)):10.3f}"
            f"{agreement(labels, fitted.predict(X_test)):11.3f}"
            f"{latency(fitted.predict_proba, X_test[:1]):10,.0f}"
            f"{latency(fitted.predict_proba, X_test[:700]):11.1f}"
            f"{pickled_bytes(fitted) / 1000:7,.0f}"
        )


if __name__ == "__main__":
    main()
