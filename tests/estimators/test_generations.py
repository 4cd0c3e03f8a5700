"""A student may teach the next one; the best generation is kept, and the teacher labels no more rows than for one."""

from itertools import pairwise

import numpy as np
import pytest
from helpers import CountingClassifier, dataset
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsRegressor
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeRegressor

from skdistill import AutoStudent, DistilledClassifier, DistilledRegressor
from skdistill.exceptions import StudentError
from skdistill.metrics import n_parameters
from skdistill.samplers import Jitter, LeafSwap

RNG = np.random.default_rng(0)
X = RNG.normal(size=(200, 3))


def teacher(rows):
    return np.sin(2 * rows[:, 0]) + rows[:, 1]


class Smoother(RegressorMixin, BaseEstimator):
    """A student that records what it is fitted to; each one predicts half of it."""

    seen: list[np.ndarray] = []

    def fit(self, X, y):
        type(self).seen.append(np.asarray(y))
        self.coef_ = np.linalg.lstsq(np.asarray(X), np.asarray(y), rcond=None)[0]
        return self

    def predict(self, X):
        return 0.5 * np.asarray(X) @ self.coef_


def distilled(student="tree", **params):
    return DistilledRegressor(teacher, student, **{"sampler": None, "random_state": 0, "n_generations": 3, **params})


def test_each_generation_is_fitted_to_the_one_before():
    """The targets of a generation are the outputs of the previous one on the same rows."""
    Smoother.seen = []
    model = distilled(Smoother()).fit(X)
    first, *chain = Smoother.seen
    assert len(first) == len(X)
    assert [len(each) for each in chain] == [len(chain[0])] * 3
    for before, after in pairwise(chain[1:]):
        np.testing.assert_allclose(after, 0.5 * before)  # a projection, halved
    assert model.generations_["is_chosen"].tolist() == [True, False, False]  # the first errs least
    np.testing.assert_allclose(model.student_.predict(X), model.predict(X))


@pytest.mark.parametrize("student", ["linear", "auto"])
def test_the_teacher_labels_no_more_rows(student):
    """Queries are the same for one generation and for several, with a sampler and without."""
    for sampler in (None, Jitter()) if student != "auto" else (LeafSwap(),):
        n_synthetic = 2.0 if student == "auto" else 10.0  # so many that validation rows would be drawn as well
        counted = [
            distilled(student, n_generations=n, sampler=sampler, n_synthetic=n_synthetic).fit(X).transfer_set_.n_queries
            for n in (1, 2)
        ]
        assert counted[0] == counted[1]


def test_the_best_generation_is_kept_and_ships_alone():
    """What is chosen has the largest score of the candidates, and is the student that predicts."""
    model = DistilledRegressor(
        teacher, DecisionTreeRegressor(max_depth=4, random_state=0), sampler=None, random_state=0, n_generations=4
    ).fit(X)
    found = model.generations_
    assert found["generation"].tolist() == [f"generation {place}" for place in (1, 2, 3, 4)]
    assert found["taught_by"].tolist() == ["teacher", "generation 1", "generation 2", "generation 3"]
    assert found["score"][found["is_chosen"]].tolist() == [found["score"].max()]
    assert np.flatnonzero(found["is_chosen"])[0] == 0  # a tree that copies itself is no better: the first of equals


def test_true_labels_of_unseen_rows_decide_if_they_are_there():
    """With ``y_val``, generations are compared by skill: a smoother one beats a teacher that repeats noise."""
    noise, X_val = RNG.normal(size=len(X)), RNG.normal(size=(400, 3))

    def noisy(rows):
        nearest = np.argmin(((rows[:, None] - X[None]) ** 2).sum(axis=2), axis=1)
        return rows[:, 1] + 3 * noise[nearest]

    model = DistilledRegressor(noisy, Smoother(), sampler=None, random_state=0, n_generations=2)
    by_fidelity = model.fit(X).generations_
    truth = 0.25 * X_val[:, 1]
    by_skill = model.fit(X, X_val=X_val, y_val=truth).generations_
    assert by_fidelity["is_chosen"].tolist() == [True, False]
    assert by_skill["is_chosen"].tolist() == [False, True]
    errors = [((each - truth) ** 2).sum() for each in (model.predict(X_val), 2 * model.predict(X_val))]
    assert errors[0] < errors[1]


def test_assistants_go_down_in_size_to_the_student():
    """Sizes fall to that of the student, assistants are not kept, and the student that the teacher taught competes."""
    model = distilled("boosting", student_size=100, assistant_size=2500).fit(X)
    found = model.generations_
    assert found["taught_by"].tolist() == ["teacher", "teacher", "assistant 1", "assistant 2"]
    assert found["n_parameters"][1] > found["n_parameters"][2] > found["n_parameters"][3]
    assert found["n_parameters"][[0, 3]].max() <= 100
    assert found["n_parameters"][1] <= 2500
    assert n_parameters(model.student_) <= 100
    assert not found["is_chosen"][[1, 2]].any()


@pytest.mark.parametrize("kind", ["margins", "binary", "links", "several"])
def test_every_kind_of_output_has_generations(kind):
    """Margins, probabilities, positive values and several teachers: the student stays complete and close."""
    rows, y = dataset("binary" if kind != "margins" else "three classes")
    if kind == "links":
        model = DistilledRegressor(lambda rows: np.exp(rows[:, 0] / 2), "tree", link="log", n_generations=2)
        model.set_params(sampler=None, random_state=0).fit(rows)
        assert model.predict(rows).min() > 0
    else:
        models = [SVC().fit(rows, y), CountingClassifier().fit(rows, y)]
        model = DistilledClassifier(models if kind == "several" else models[0], "tree", n_generations=2)
        model.set_params(sampler=None, random_state=0).fit(rows, y)
        assert model.classes_.tolist() == np.unique(y).tolist()
        np.testing.assert_allclose(model.predict_proba(rows).sum(axis=1), 1)
    assert model.fidelity(rows) > 0.7
    assert len(model.generations_["score"]) == 2
    assert min(model.generations_["score"]) > 0.4


def test_margins_of_a_student_are_those_of_its_teacher():
    """A student that repeats its targets teaches the same ones, also those of a teacher whose margins are scaled."""
    rows, y = dataset("three classes")
    model = DistilledClassifier(SVC().fit(rows, y), KNeighborsRegressor(1), n_generations=3)
    scores = model.set_params(sampler=None, random_state=0).fit(rows, y).generations_["score"]
    np.testing.assert_allclose(scores, scores[0], atol=1e-3)


def test_a_budget_holds_for_every_generation():
    """Within the budget of a selection, no generation that is larger than the first one is kept."""
    model = distilled(AutoStudent(["boosting", "tree"], max_bytes=4000), n_generations=2).fit(X)
    found = model.generations_
    assert found["n_parameters"][found["is_chosen"]] <= found["n_parameters"][0] * 1.0001 or found["is_chosen"][0]


def test_generations_are_reproducible_and_searchable():
    """The same seed gives the same student, for any number of jobs, and a grid may vary their number."""
    first, second = (distilled("linear", n_jobs=n_jobs).fit(X).predict(X) for n_jobs in (None, 2))
    np.testing.assert_array_equal(first, second)
    search = GridSearchCV(distilled(Ridge()), {"n_generations": [1, 2]}, cv=2).fit(X, teacher(X))
    assert set(search.cv_results_["param_n_generations"]) == {1, 2}


def test_one_generation_is_what_it_was():
    """The default has no results; few rows have one generation."""
    assert not hasattr(distilled(n_generations=1).fit(X), "generations_")
    assert not hasattr(distilled().fit(X[:20]), "generations_")


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ({"n_generations": 0}, ValueError, "n_generations=0; expected an integer of at least 1"),
        ({"n_generations": 1.5}, TypeError, "n_generations=1.5; expected an integer"),
        ({"assistant_size": 0}, ValueError, "assistant_size=0; expected an integer of at least 1"),
        ({"assistant_size": 1000}, ValueError, "and student_size=None; expected at least two generations"),
        (
            {"assistant_size": 1000, "student_size": 100, "n_generations": 1},
            ValueError,
            "n_generations=1 and student_size=100; expected at least two generations",
        ),
        ({"assistant_size": 100, "student_size": 100}, ValueError, "assistant_size=100 is not above student_size=100"),
    ],
)
def test_bad_generations(params, error, message):
    """Numbers that contradict each other are refused before the teacher is queried."""

    def unasked(rows):
        raise AssertionError("the teacher was queried")

    with pytest.raises(error, match=message):
        DistilledRegressor(unasked, "boosting", **{"n_generations": 3, **params}).fit(X)


def test_assistants_are_compact_students():
    """Sizes of other estimators are not known: the error says how to distil twice."""
    with pytest.raises(StudentError, match="student_size=100 needs a compact student"):
        distilled(Ridge(), student_size=100, assistant_size=1000).fit(X)
