"""What does not vary is predicted as it is, by every family."""

import numpy as np
import pytest

import skdistill
from skdistill.students._families import FAMILIES

X = np.random.default_rng(0).normal(size=(60, 3))


def small(student):
    """Return a student that is quick to fit."""
    given = {"n_trees": 3, "max_epochs": 5, "n_landmarks": 5, "refine": False}
    return student.set_params(**{name: value for name, value in given.items() if name in student.get_params()})


def answers_of(student):
    """Yield what the student answers, compiled too, and compiled for one row."""
    compiled = skdistill.compile(student)
    yield student.predict_proba(X) if hasattr(student, "classes_") else student.predict(X)
    yield compiled(X)
    yield np.array([compiled(X[0])])


@pytest.mark.thinned(3)
@pytest.mark.parametrize("constant", [1e6, 1e-6, -3e200])
@pytest.mark.parametrize("family", FAMILIES)
def test_a_constant_is_predicted_exactly(family, constant):
    """Alone, or beside an output that varies, which is still fitted."""
    student = small(FAMILIES[family].member(classifies=False))
    for answer in answers_of(student.fit(X, np.full(60, constant))):
        np.testing.assert_array_equal(answer, constant)
    both = np.column_stack([X[:, 0], np.full(60, constant)])
    for answer in answers_of(student.fit(X, both)):
        np.testing.assert_array_equal(answer[:, 1], constant)
    assert np.corrcoef(student.predict(X)[:, 0], X[:, 0])[0, 1] > 0.5


@pytest.mark.thinned(3)
@pytest.mark.parametrize("proba", [[0.7, 0.3], [0.2, 0.3, 0.5], [1.0, 0.0]])
@pytest.mark.parametrize("family", FAMILIES)
def test_constant_probabilities(family, proba):
    """They are exact; certain ones are at a distance of 1e-10, so that scores are finite."""
    student = small(FAMILIES[family].member(classifies=True)).fit_soft(X, np.tile(proba, (60, 1)))
    for answer in answers_of(student):
        np.testing.assert_allclose(
            answer, np.broadcast_to(proba, answer.shape), rtol=0, atol=3e-10 if 0 in proba else 1e-15
        )
