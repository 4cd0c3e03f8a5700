"""A fit that fails or is interrupted leaves the estimator as it was, and loses nothing that was paid for."""

import copy
from functools import cache

import joblib
import numpy as np
import pytest
from helpers import dataset
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from skdistill import AutoStudent, DistilledClassifier, DistilledRegressor
from skdistill.exceptions import StudentError
from skdistill.samplers import Jitter
from skdistill.students import CompactBoostingClassifier, CompactTreeClassifier

X, Y = dataset("three classes")
TREE = DecisionTreeClassifier(max_leaf_nodes=6, random_state=0)
FITTED = clone(TREE).fit(X, Y)
SMALL = AutoStudent(families=["linear", "tree"])


def first_column(rows):
    return np.asarray(rows)[:, 0]


def quick(model=DistilledClassifier, teacher=FITTED, student=TREE, **params):
    return model(teacher, student, **{"sampler": Jitter(), "n_synthetic": 50, "random_state": 0, **params})


class Interrupted:
    """A teacher that is interrupted in its third block, once."""

    def __init__(self):
        self.blocks, self.rows_asked = 0, 0

    def predict(self, rows):
        if rows.shape[0] == 10:
            self.blocks += 1
            if self.blocks == 3:
                raise KeyboardInterrupt("in the third block")
        self.rows_asked += rows.shape[0]
        return first_column(rows)

    def __reduce__(self):
        return Interrupted, ()


def test_an_interrupt_keeps_what_was_labelled(tmp_path):
    """With a memory the next fit asks only for the other blocks, and for the rows that it knows the teacher by."""
    teacher = Interrupted()
    memory = joblib.Memory(tmp_path, verbose=0)
    model = quick(DistilledRegressor, teacher, DecisionTreeRegressor(), sampler=None, memory=memory, chunk_size=10)
    with pytest.raises(KeyboardInterrupt, match="in the third block"):
        model.fit(X)
    assert set(vars(model)) == set(model.get_params(deep=False))
    before = teacher.rows_asked
    model.fit(X)
    assert teacher.rows_asked - before == len(X) - 20 + 16


def stop(*args, **kwargs):
    raise KeyboardInterrupt("stopped")


FAILURES = {
    "parameters": ({"temperature": -1.0}, {}, ValueError, "temperature=-1.0; expected a number above 0"),
    "rows": ({}, {"sample_weight": -np.ones(len(X))}, ValueError, "150 negative weights"),
    "more rows": ({}, {"X_val": X[:, :2]}, ValueError, "X has 2 features"),
    "the teacher": ({"teacher": LogisticRegression(C=-1)}, {}, ValueError, "The 'C' parameter of LogisticRegression"),
    "labelling": ({"teacher": stop}, {}, KeyboardInterrupt, "stopped"),
    "drawing": ({"sampler": type("Stops", (Jitter,), {"sample": stop})()}, {}, KeyboardInterrupt, "stopped"),
    "choosing": ({"student": AutoStudent(["tree"], max_bytes=100)}, {}, StudentError, "no student meets max_bytes=100"),
    "teaching": ({"student": type("Stops", (DecisionTreeClassifier,), {"fit": stop})()}, {}, KeyboardInterrupt, "stop"),
}


@pytest.mark.parametrize("phase", FAILURES)
@pytest.mark.filterwarnings("ignore:.*a fitted teacher is replaced by")
class TestFailingFits:
    """A fit that fails or is interrupted in whatever phase leaves the estimator as it was."""

    @staticmethod
    def fail_to_fit(model, phase):
        params, arguments, error, match = FAILURES[phase]
        with pytest.raises(error, match=match):
            model.set_params(**params).fit(X, Y, **arguments)

    def test_a_first_fit_leaves_nothing(self, phase):
        """No attribute that says it were fitted."""
        model = quick()
        self.fail_to_fit(model, phase)
        assert set(vars(model)) == set(model.get_params(deep=False))

    @staticmethod
    @cache
    def fitted_before():
        frame_like = X[:, :3] * 2
        model = DistilledClassifier(clone(TREE).fit(frame_like, Y != "setosa"), SMALL, n_synthetic=3.0, random_state=0)
        return model.fit(frame_like), frame_like

    def test_a_later_fit_leaves_the_model_before(self, phase):
        """Whole: each attribute is the same object, and it predicts as it did, on its own table."""
        model, frame_like = copy.copy(self.fitted_before()[0]), self.fitted_before()[1]
        fitted = {name: value for name, value in vars(model).items() if name not in model.get_params(deep=False)}
        assert {"candidates_", "sampler_results_", "classes_", "n_features_in_"} <= set(fitted)
        answers = model.predict_proba(frame_like)
        model.set_params(**quick().get_params(deep=False))
        self.fail_to_fit(model, phase)
        assert {name for name in vars(model) if name not in model.get_params(deep=False)} == set(fitted)
        assert all(vars(model)[name] is value for name, value in fitted.items())
        assert np.array_equal(model.predict_proba(frame_like), answers)
        assert model.teacher_ is fitted["teacher_"]


def test_students_are_left_as_they_were_too():
    """A compact student whose fit fails after its table was checked has the table of the fit before."""
    student = CompactBoostingClassifier(3).fit(X, Y)
    with pytest.raises(StudentError, match="no probabilities"):
        student.fit_soft(X[:, :2], np.full((len(X), 3), -1.0))
    assert student.n_features_in_ == 4
    assert len(student.predict(X)) == len(X)
    fresh = CompactTreeClassifier()
    with pytest.raises(ValueError, match="at least 2 classes"):
        fresh.fit(X, np.zeros(len(X)))
    assert set(vars(fresh)) == set(fresh.get_params(deep=False))
