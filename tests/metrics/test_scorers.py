import pickle
from contextlib import nullcontext
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import sklearn
from helpers import dataset
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score, cross_validate, learning_curve
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

import skdistill
from skdistill import DistilledClassifier, DistilledRegressor
from skdistill.exceptions import TeacherWarning
from skdistill.metrics import (
    _scorers,
    agreement,
    agreement_scorer,
    brier_skill,
    fidelity_scorer,
    neg_bytes_scorer,
    neg_latency_scorer,
    pickled_bytes,
    r2_skill,
    retention,
    retention_scorer,
)

X, y = dataset("three classes")
VALUES = np.column_stack([X[:, 0] * X[:, 1], X[:, 3] ** 2])
OF_TEACHER = [fidelity_scorer, agreement_scorer, retention_scorer]
SCORERS = [*OF_TEACHER, neg_bytes_scorer, neg_latency_scorer]
names = pytest.mark.parametrize("scorer", SCORERS, ids=lambda scorer: scorer.__name__)


@pytest.fixture(scope="module")
def classifier():
    """Return a fitted distilled classifier that does not follow its teacher everywhere."""
    teacher = LogisticRegression(max_iter=1000).fit(X, y)
    student = DecisionTreeClassifier(max_leaf_nodes=3, random_state=0)
    return DistilledClassifier(teacher, student, sampler=None, random_state=0).fit(X)


@pytest.fixture(scope="module")
def regressor():
    """Return a fitted distilled regressor of two outputs."""
    teacher = LinearRegression().fit(X, VALUES)
    return DistilledRegressor(teacher, "tree", student_size=20, sampler=None, random_state=0).fit(X)


def wrapped(model):
    """Return a fitted model in all that scorers reach through, each with the rows it is asked about."""
    pipeline = make_pipeline(StandardScaler(with_mean=False, with_std=False), model)
    pipeline[0].fit(X)
    search = GridSearchCV(clone(model), {"max_queries": [None]}, scoring=fidelity_scorer, cv=2)
    search.fit(X)
    search.best_estimator_ = model
    return [
        model,
        pipeline,
        make_pipeline("passthrough", pipeline),
        FrozenEstimator(model),
        search,
        make_pipeline(model),
    ]


@pytest.mark.parametrize("scorer", [fidelity_scorer, agreement_scorer, retention_scorer, neg_bytes_scorer])
def test_wrappers_change_nothing(classifier, scorer):
    """The same score alone, in pipelines, frozen, and as the best of a search."""
    scores = [scorer(model, X, y) for model in wrapped(classifier)]
    assert scores == [scores[0]] * len(scores)


@pytest.mark.parametrize("with_step", [False, True])
def test_latency_is_that_of_the_student_for_one_row(classifier, with_step, monkeypatch):
    """In microseconds, negated: the student alone is asked, for the first row as it sees it."""
    asked = []
    monkeypatch.setattr(
        "skdistill.metrics._scorers.latency", lambda predict, rows: asked.append((predict, rows)) or 250.0
    )
    halved = FunctionTransformer(lambda rows: rows / 2).fit(X)
    assert neg_latency_scorer(make_pipeline(halved, classifier) if with_step else classifier, X) == -250.0
    ((predict, rows),) = asked
    np.testing.assert_array_equal(rows, X[:1] / 2 if with_step else X[:1])
    np.testing.assert_array_equal(predict(X), classifier.student_.predict_proba(X))


def test_rows_are_those_that_the_model_sees(classifier):
    """Those of the last step, whatever the earlier ones make of them; who looks at no rows needs none."""
    reduced = PCA(4).fit(X)
    pipeline = make_pipeline(reduced, classifier)
    seen = reduced.transform(X)
    assert fidelity_scorer(pipeline, X) == classifier.fidelity(seen) != classifier.fidelity(X)
    assert agreement_scorer(pipeline, X) == agreement(classifier.teacher.predict(seen), classifier.predict(seen))
    assert neg_bytes_scorer(pipeline, None) == neg_bytes_scorer(classifier, X)


def test_fidelity_is_the_models_own(classifier, regressor):
    """Exactly, also of the best of a search, with labels and without, with weights."""
    weight = np.arange(150) % 3
    for model in (classifier, regressor):
        for outer in wrapped(model):
            assert fidelity_scorer(outer, X) == fidelity_scorer(outer, X, y) == model.fidelity(X)
        assert fidelity_scorer(model, X, sample_weight=weight) == model.fidelity(X, sample_weight=weight)


def test_rows_that_the_teacher_has_memorised_are_warned_of():
    """Their fidelity is not that of unseen rows, which is far higher and raises no warning."""
    rows, noise = np.random.default_rng(0).normal(size=(600, 4)), np.random.default_rng(1).normal(size=600)
    teacher = ExtraTreesRegressor(10, random_state=0).fit(rows[:300, :3], 2 * rows[:300, 0] + 2 * noise[:300])
    model = DistilledRegressor(teacher, "linear", random_state=0).fit(rows[:150, :3])
    with pytest.warns(TeacherWarning, match=r"fidelity_scorer: the fidelity is far below.*has not seen") as caught:
        on_own = fidelity_scorer(model, rows[150:300, :3])
    assert caught[0].filename == __file__
    assert on_own + 0.2 < fidelity_scorer(model, rows[300:, :3])


@pytest.mark.parametrize(("memorised", "below", "warns"), [(0.5, 0.3, True), (0.5, 0.2, False), (0.04, 0.3, False)])
def test_only_what_is_nearer_to_memorised_rows_is_warned_of(regressor, monkeypatch, memorised, below, warns):
    """Than to unseen ones, and only if the teacher has memorised rows at all."""
    score = regressor.fidelity(X)
    monkeypatch.setattr(regressor, "teacher_memorization_", memorised, raising=False)
    monkeypatch.setattr(_scorers, "_estimate_of_fit", lambda model: score + below)
    with pytest.warns(TeacherWarning, match="memorised") if warns else nullcontext():
        assert fidelity_scorer(regressor, X) == score


def test_the_estimate_is_that_of_the_chosen_student():
    """Or of the chosen sampler, whose students are smaller; there may be none."""
    results = {"fidelity": np.array([0.9, 0.3]), "is_chosen": np.array([False, True])}
    candidates = SimpleNamespace(chosen=SimpleNamespace(fidelity=0.5))
    of_sampler = SimpleNamespace(sampler_results_=results)
    assert _scorers._estimate_of_fit(SimpleNamespace(candidates_=candidates, sampler_results_=results)) == 0.5
    assert _scorers._estimate_of_fit(of_sampler) == 0.3
    assert np.isnan(_scorers._estimate_of_fit(SimpleNamespace()))


def test_agreement_compares_labels(classifier):
    """Those that the student predicts with the teacher's."""
    weight = np.arange(150) % 3
    labels = classifier.teacher.predict(X), classifier.predict(X)
    assert agreement_scorer(classifier, X) == agreement(*labels) < 1
    assert agreement_scorer(classifier, X, y, sample_weight=weight) == agreement(*labels, sample_weight=weight)


def test_retention_compares_skills(classifier, regressor):
    """Of both against true labels or values, in any container."""
    weight = np.arange(150) % 3
    skills = [
        brier_skill(y, model.predict_proba(X), classes=classifier.classes_, sample_weight=weight)
        for model in (classifier.teacher, classifier)
    ]
    assert retention_scorer(classifier, X, pd.Series(y), sample_weight=weight) == pytest.approx(retention(*skills))
    skills = [r2_skill(VALUES, model.predict(X)) for model in (regressor.teacher, regressor)]
    assert retention_scorer(regressor, X, pd.DataFrame(VALUES)) == pytest.approx(retention(*skills))


def test_retention_needs_the_truth(classifier):
    """And labels that the teacher knows."""
    with pytest.raises(ValueError, match=r"retention_scorer: y is None; expected true labels"):
        retention_scorer(classifier, X)
    with pytest.raises(ValueError, match=r"unknown labels \['moss'\]; known are"):
        retention_scorer(classifier, X, np.where(y == "setosa", "moss", y))


def test_bytes_are_those_of_the_compiled_student(classifier, regressor):
    """Without teacher and data; of students of other libraries, those of the pickle."""
    assert neg_bytes_scorer(regressor, X) == -regressor.student_.__skdistill_compile__().n_bytes
    assert skdistill.compile(regressor).n_bytes <= -neg_bytes_scorer(regressor, X) < pickled_bytes(regressor.student_)
    assert neg_bytes_scorer(classifier, None) == -pickled_bytes(classifier.student_)
    warm = clone(classifier).set_params(student="boosting", temperature=2.0).fit(X)
    compiled = skdistill.compile(warm).n_bytes
    assert compiled / 2 < -neg_bytes_scorer(warm, X) < compiled + 1000


def test_agreement_is_for_labels(regressor):
    """Values are hardly ever equal."""
    with pytest.raises(TypeError, match="agreement_scorer: got a DistilledRegressor, which predicts values"):
        agreement_scorer(regressor, X)


@names
def test_what_is_not_distilled_is_refused(scorer):
    """By its name and the scorer's, also inside a pipeline or an unfitted search."""
    tree = DecisionTreeRegressor().fit(X, VALUES)
    with pytest.raises(
        TypeError, match=f"{scorer.__name__}: got a DecisionTreeRegressor; expected a DistilledClassifier"
    ):
        scorer(tree, X, y)
    with pytest.raises(TypeError, match="got a DecisionTreeRegressor"):
        scorer(make_pipeline("passthrough", tree), X, y)
    with pytest.raises(TypeError, match=r"got a GridSearchCV; expected .* Fit the search, with refit=True"):
        scorer(GridSearchCV(tree, {}), X, y)


@names
def test_what_is_not_fitted_says_so(scorer):
    """As scikit-learn does."""
    with pytest.raises(NotFittedError, match=r"DistilledClassifier.* not fitted yet"):
        scorer(DistilledClassifier(LogisticRegression()), X, y)


@names
def test_scorers_survive_a_pickle(scorer):
    """As parallel searches need it: by name."""
    assert pickle.loads(pickle.dumps(scorer)) is scorer


def test_the_scorer_is_at_the_top_of_the_package():
    """Where it has always been."""
    assert skdistill.fidelity_scorer is fidelity_scorer


QUICK = {"sampler": None, "random_state": 0}
MANY = {"fidelity": fidelity_scorer, "bytes": neg_bytes_scorer, "latency": neg_latency_scorer}


def test_a_search_weighs_fidelity_against_size():
    """Many scorers at once, without labels, in a pipeline: larger students are more faithful, and larger."""
    model = DistilledRegressor(LinearRegression().fit(X, VALUES), "tree", **QUICK)
    grid = {"distilledregressor__student_size": [10, 200]}
    search = GridSearchCV(
        make_pipeline(StandardScaler(with_mean=False, with_std=False), model),
        grid,
        scoring=MANY,
        refit="fidelity",
        cv=2,
    )
    search.fit(X)
    assert search.best_params_ == {"distilledregressor__student_size": 200}
    assert np.all(np.diff(search.cv_results_["mean_test_fidelity"]) > 0)
    assert np.all(np.diff(search.cv_results_["mean_test_bytes"]) < 0)
    assert np.all(search.cv_results_["mean_test_latency"] < 0)
    assert fidelity_scorer(search, X) == search.best_estimator_[-1].fidelity(X)


@pytest.mark.parametrize("scoring", [agreement_scorer, {"a": agreement_scorer, "b": retention_scorer}])
@pytest.mark.parametrize("routing", [False, True])
def test_weights_of_a_search_reach_the_scorers(monkeypatch, scoring, routing):
    """Where scikit-learn hands them on: since 1.7, and with metadata routing; many scorers take them as one does."""
    model = DistilledClassifier(LogisticRegression(max_iter=1000).fit(X, y), "tree", student_size=20, **QUICK)
    seen = []
    monkeypatch.setattr(
        "skdistill.metrics._scorers.agreement", lambda *labels, sample_weight: seen.append(sample_weight) or 1.0
    )
    with sklearn.config_context(enable_metadata_routing=routing):
        if routing:
            model.set_fit_request(sample_weight=True)
        refit = "a" if isinstance(scoring, dict) else True
        search = GridSearchCV(model, {"student_size": [20]}, scoring=scoring, refit=refit, cv=2, error_score="raise")
        search.fit(X, y, sample_weight=np.arange(150) % 4 + 1.0)
    hands_on = routing or tuple(map(int, sklearn.__version__.split(".")[:2])) >= (1, 7)
    assert len(seen) == 2
    assert all((weight is not None) == hands_on for weight in seen)


@pytest.mark.parametrize("routing", [False, True])
def test_validation_and_curves_take_them(routing):
    """With labels and without."""
    model = DistilledClassifier(LogisticRegression(max_iter=1000).fit(X, y), "tree", student_size=20, **QUICK)
    order = np.random.default_rng(0).permutation(150)
    with sklearn.config_context(enable_metadata_routing=routing):
        assert np.all(cross_val_score(model, X[order], scoring=fidelity_scorer, cv=3, params={}) > 0.5)
        scores = cross_validate(
            model, X, y, scoring={scorer.__name__: scorer for scorer in OF_TEACHER}, cv=3, params={}
        )
        assert np.all(scores["test_agreement_scorer"] > 0.5)
        assert np.all(scores["test_retention_scorer"] > 0.5)
        _, _, curve = learning_curve(model, X[order], None, train_sizes=[0.5, 1.0], scoring=fidelity_scorer, cv=2)
        assert curve.shape == (2, 2)
