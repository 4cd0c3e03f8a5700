"""Models with other conventions than scikit-learn's are asked as their packages expect it.

Each family has a small class here that behaves alike, so that these tests need no other package.
"""

import pickle

import lightgbm as lgb
import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, OutlierMixin, RegressorMixin, clone
from sklearn.datasets import load_iris, make_classification
from sklearn.ensemble import IsolationForest, RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold, RepeatedKFold, TimeSeriesSplit
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.semi_supervised import LabelSpreading
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from skdistill import DistilledClassifier, DistilledRegressor, as_teacher
from skdistill.exceptions import TeacherError, TeacherOutputError, TeacherWarning
from skdistill.metrics import concordance, rank_agreement
from skdistill.teachers import is_fitted_teacher

X, y = load_iris(return_X_y=True)
EXACT = {"student": DecisionTreeRegressor(random_state=0), "sampler": None, "random_state": 0}


def of_package(module, name):
    """Name the class that is decorated as a base class of another package."""

    def rename(kind):
        kind.__module__, kind.__qualname__ = module, name
        return kind

    return rename


# ---------------------------------------------------------------------- how families are asked


@of_package("pyod.models.base", "BaseDetector")
class Detector(OutlierMixin, BaseEstimator):
    """Larger scores are more abnormal; 1 is the outlier."""

    def fit(self, X, y=None):
        self.forest_ = IsolationForest(random_state=0, contamination=0.1).fit(X)
        self.threshold_ = -self.forest_.offset_
        self.labels_ = self.predict(X)
        return self

    def decision_function(self, X):
        return -self.forest_.score_samples(X)

    def predict(self, X):
        return (self.decision_function(X) > self.threshold_).astype(int)

    def predict_proba(self, X):
        share = 1 / (1 + np.exp(-20 * (self.decision_function(X) - self.threshold_)))
        return np.column_stack([1 - share, share])


@pytest.mark.thinned(3)
@pytest.mark.parametrize("method", ["auto", "predict_proba", "decision_function", "predict"])
@pytest.mark.parametrize(
    "wrap", [lambda model: model, FrozenEstimator, lambda model: make_pipeline("passthrough", model)]
)
def test_detectors_whose_outlier_is_one(method, wrap):
    """The student calls the same rows outliers, whichever method is asked and whatever is around the detector."""
    detector = Detector().fit(X)
    model = DistilledClassifier(wrap(detector), response_method=method, **EXACT).fit(X, detector.labels_)
    assert model.classes_.tolist() == [0, 1]
    assert np.mean(model.predict(X) == detector.labels_) > 0.97


def test_classes_of_a_detector_can_be_named():
    """Labels that are passed explicitly name the columns; labels of another meaning are not guessed from y."""
    detector = Detector().fit(X)
    teacher = as_teacher(detector, classes=["usual", "fraud"])
    assert teacher.classes_.tolist() == ["fraud", "usual"]
    np.testing.assert_allclose(teacher.outputs(X), detector.predict_proba(X)[:, ::-1])
    with pytest.raises(ValueError, match="labels that the teacher does not know"):
        DistilledClassifier(detector, **EXACT).fit(X, np.where(detector.labels_ == 1, "fraud", "usual"))


class OneByOne:
    """An online classifier: rows are dicts, and so are answers; classes that it has not met are missing."""

    def __init__(self, model):
        self.model = model

    def predict_proba_one(self, row):
        proba = self.model.predict_proba([list(row.values())])[0]
        return {label: share for label, share in zip(self.model.classes_, proba, strict=True) if share > 0}

    def predict_one(self, row):
        return self.model.predict([list(row.values())])[0]


class InMiniBatches(OneByOne):
    def predict_proba_many(self, frame):
        return pd.DataFrame(self.model.predict_proba(frame.to_numpy())[:, ::-1], columns=self.model.classes_[::-1])


@pytest.mark.parametrize("kind", [OneByOne, InMiniBatches])
@pytest.mark.parametrize("rows", [X, pd.DataFrame(X, columns=list("abcd"))], ids=["array", "frame"])
def test_online_models(kind, rows):
    """Models that are asked one row or one mini-batch at a time give their probabilities by class."""
    inside = DecisionTreeClassifier(max_depth=3, random_state=0).fit(X, y)
    model = DistilledClassifier(kind(inside), **EXACT).fit(rows, y)
    np.testing.assert_allclose(model.soft_targets(rows), inside.predict_proba(X), atol=1e-12)
    values = DistilledRegressor(kind(inside), **EXACT).fit(rows)
    np.testing.assert_array_equal(values.predict(rows), inside.predict(X))


@pytest.mark.parametrize(
    "spelled",
    [
        lambda proba: {2: proba[:, 2], 0: proba[:, 0], 1: proba[:, 1]},
        lambda proba: [dict(enumerate(row)) for row in proba],
        lambda proba: [{k: p for k, p in reversed(list(enumerate(row))) if p > 0} for row in proba],
        lambda proba: proba.tolist(),
    ],
    ids=["dict", "dicts", "dicts without zeros", "lists"],
)
def test_answers_of_dicts_and_lists(spelled):
    """Dicts are read by their names, lists by their order."""
    inside = RandomForestClassifier(5, max_depth=2, random_state=0).fit(X, y)
    teacher = as_teacher(lambda rows: spelled(inside.predict_proba(rows)), classes=[0, 1, 2])
    np.testing.assert_allclose(teacher.outputs(X), inside.predict_proba(X))


class Effects(BaseEstimator):
    """A model of treatment effects: no ``predict``."""

    def fit(self, X, y):
        self.mean_ = np.mean(y)
        return self

    def effect(self, X):
        return X[:, 0] - self.mean_


def test_effects_are_values():
    """``effect`` is asked of models that estimate effects."""
    teacher = as_teacher(Effects().fit(X, y))
    assert teacher.response_method == "effect"
    np.testing.assert_array_equal(teacher.outputs(X), X[:, 0] - 1)


@pytest.mark.parametrize("objective", ["multiclassova", "multiclass"])
def test_scores_of_one_class_against_all_are_normalised(objective):
    """Probabilities that are computed class by class are divided by their sum; others must have the sum one."""
    options = {"n_estimators": 4, "verbose": -1, "n_jobs": 1}
    model = lgb.LGBMClassifier(objective=objective, **options).fit(X, y)
    proba = model.predict_proba(X)
    for teacher in (as_teacher(model), as_teacher(model.booster_, task="classification")):
        np.testing.assert_allclose(teacher.outputs(X), proba / proba.sum(axis=1, keepdims=True))


def test_unknown_probabilities_that_do_not_sum_to_one_are_refused():
    """The error names the three things that such numbers may be."""
    with pytest.raises(TeacherOutputError, match=r"margins, pass.*divide by the sum.*Several labels per row"):
        as_teacher(lambda rows: np.full((len(rows), 3), 0.5), classes=[0, 1, 2]).outputs(X)


def test_booster_with_a_custom_objective_gives_margins():
    """Its raw scores are margins of the classes, not probabilities."""
    data = lgb.Dataset(X, (y > 0).astype(float))

    def logistic(scores, data):
        proba = 1 / (1 + np.exp(-scores))
        return proba - data.get_label(), proba * (1 - proba)

    booster = lgb.train({"objective": logistic, "verbose": -1, "num_threads": 1}, data, 5)
    teacher = as_teacher(booster, task="classification")
    assert teacher.output_kind == "logit"
    np.testing.assert_allclose(np.diff(teacher.outputs(X))[:, 0], booster.predict(X, raw_score=True))
    np.testing.assert_allclose(as_teacher(booster).outputs(X), booster.predict(X, raw_score=True))
    assert pickle.loads(pickle.dumps(teacher)).output_kind == "logit"


# ---------------------------------------------------------------------- survival and ranking


@of_package("sksurv.base", "SurvivalAnalysisMixin")
class Survival(BaseEstimator):
    """Fitted on structured labels; predicts a risk, or curves on times."""

    def fit(self, X, y):
        assert y.dtype.names == ("event", "time")
        self.unique_times_ = np.unique(y["time"])
        return self

    def predict(self, X):
        return X[:, 0]

    def predict_survival_function(self, X):
        return [lambda times, rate=rate: np.exp(-rate * times / 10) for rate in X[:, 0]]


SURVIVED = np.array([(row[1] < 3.2, 10 - row[0]) for row in X], dtype=[("event", bool), ("time", float)])


@pytest.mark.parametrize("teacher", [Survival(), Survival().fit(X, SURVIVED)], ids=["recipe", "fitted"])
def test_survival_labels(teacher):
    """Structured labels are accepted by ``fit`` and ``score``, which is the concordance index of the risk."""
    model = DistilledRegressor(teacher, **EXACT).fit(X, SURVIVED)
    assert model.score(X, SURVIVED) == concordance(SURVIVED, model.predict(X)) > 0.98
    with pytest.raises(ValueError, match=r"soft_weight=0.5 with survival labels"):
        DistilledRegressor(teacher, soft_weight=0.5, **EXACT).fit(X, SURVIVED)


def test_survival_curves():
    """Curves are evaluated at up to twenty of the times at which events happened, in order."""
    curves = as_teacher(Survival().fit(X, SURVIVED), "predict_survival_function").outputs(X)
    assert curves.shape == (150, 20)
    assert np.all(np.diff(curves, axis=1) < 0)


def test_concordance_counts_comparable_pairs():
    """It is the share of ordered pairs, found here one pair at a time."""
    rng = np.random.default_rng(0)
    labels = np.array(list(zip(rng.random(40) < 0.6, rng.integers(1, 12, 40), strict=True)), SURVIVED.dtype)
    risk = rng.integers(0, 5, 40).astype(float)
    order = [
        (risk[i] > risk[j]) + (risk[i] == risk[j]) / 2
        for i in range(40)
        for j in range(40)
        if labels["event"][i]
        and (
            labels["time"][i] < labels["time"][j] or (labels["time"][i] == labels["time"][j] and not labels["event"][j])
        )
    ]
    assert concordance(labels, risk) == pytest.approx(np.mean(order))
    assert concordance(labels, -risk) == pytest.approx(1 - np.mean(order))


def test_rank_agreement_is_within_groups():
    """What is added to all rows of a query changes nothing."""
    rng = np.random.default_rng(0)
    teacher, groups = rng.normal(size=60), rng.integers(0, 6, 60)
    assert rank_agreement(teacher, np.exp(teacher) + 100 * groups, groups) == pytest.approx(1)
    assert rank_agreement(teacher, -teacher - 100 * groups, groups) == pytest.approx(-1)
    assert rank_agreement(teacher, np.zeros(60), groups) == 0
    with pytest.raises(ValueError, match="expected one value per row"):
        rank_agreement(teacher, teacher[:5])


class GroupRanker(RegressorMixin, BaseEstimator):
    """Expects the sizes of queries, whose rows are consecutive."""

    def fit(self, X, y, group=None):
        assert group.sum() == len(X)
        starts = np.append(0, np.cumsum(group)[:-1])
        assert all(len(set(X[start : start + size, 0])) == 1 for start, size in zip(starts, group, strict=True))
        self.fitted_ = True
        return self

    def predict(self, X):
        return X[:, 1]


class QidRanker(GroupRanker):
    def fit(self, X, y, qid=None):
        assert np.all(np.diff(qid) >= 0)
        return super().fit(X, y, np.bincount(qid))


@pytest.mark.parametrize("kind", [GroupRanker, QidRanker])
@pytest.mark.parametrize("options", [{}, {"teacher_cv": GroupKFold(3)}])
def test_recipes_that_rank_are_given_the_queries(kind, options):
    """``groups`` of ``fit`` reach a ranker in the form that it expects, on all rows and in each fold."""
    queries = np.random.default_rng(0).integers(0, 8, 150)
    rows = np.column_stack([queries, X[:, 0]])
    model = DistilledRegressor(kind(), **options, **EXACT).fit(rows, y, groups=queries)
    assert rank_agreement(X[:, 0], model.predict(rows), queries) == pytest.approx(1)


# ---------------------------------------------------------------------- several labels, other shapes


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(
    "model",
    [
        OneVsRestClassifier(LogisticRegression()),
        MLPClassifier((4,), max_iter=5),
        ClassifierChain(LogisticRegression()),
        MultiOutputClassifier(LogisticRegression()),
        DecisionTreeClassifier(),
    ],
    ids=lambda model: type(model).__name__,
)
def test_several_labels_per_row(model):
    """One sentence says what to do, before anything is asked, and what it says works."""
    labels = np.column_stack([y > 0, y > 1]).astype(int)
    model.fit(X, labels)
    with pytest.raises(TeacherError, match=r"Several labels per row are not supported.*DistilledRegressor"):
        DistilledClassifier(model, **EXACT).fit(X)
    with pytest.raises(ValueError, match=r"y has shape \(150, 2\); expected \(n_samples,\).*Several labels per row"):
        DistilledClassifier(model, **EXACT).fit(X, labels)

    def probabilities(rows):
        answer = model.predict_proba(rows)
        return np.column_stack([proba[:, 1] for proba in answer]) if isinstance(answer, list) else answer

    student = DistilledRegressor(probabilities, **EXACT).fit(X)
    assert np.mean((student.predict(X) > 0.5) == (probabilities(X) > 0.5)) > 0.99


@pytest.mark.parametrize("series", [np.zeros((20, 2, 5)), np.zeros(20)], ids=["series", "one column"])
def test_other_shapes_are_refused_with_the_cure(series):
    """An array of series, or of one column without a second dimension, is refused with what to write instead."""
    with pytest.raises(ValueError, match=r"reshape"):
        DistilledRegressor(lambda rows: rows.sum(axis=1), **EXACT).fit(series)


# ---------------------------------------------------------------------- recipes


class ReturnsNothing(ClassifierMixin, BaseEstimator):
    """``fit`` returns None."""

    def fit(self, X, y):
        self.tree_ = DecisionTreeClassifier(random_state=0).fit(X, y)

    def predict_proba(self, X):
        return self.tree_.predict_proba(X)

    def predict(self, X):
        return self.tree_.predict(X)


class ChangesItsParameter(ReturnsNothing):
    """scikit-learn's ``clone`` refuses it."""

    def __init__(self, columns=None):
        self.columns = None if columns is None else list(columns)


@pytest.mark.parametrize(
    "recipe", [ReturnsNothing(), ChangesItsParameter((0, 1))], ids=lambda recipe: type(recipe).__name__
)
@pytest.mark.parametrize("options", [{}, {"teacher_cv": 3}])
def test_recipes_without_the_conventions_of_fit(recipe, options):
    """The object that was fitted is asked, also in each fold and in a search; the recipe stays unfitted."""
    model = DistilledClassifier(recipe, student=DecisionTreeRegressor(), sampler=None, **options).fit(X, y)
    assert model.score(X, y) > 0.9
    assert not hasattr(recipe, "tree_")
    search = GridSearchCV(model, {"student__max_depth": [1, 3]}, cv=2).fit(X, y)
    assert search.best_params_ == {"student__max_depth": 3}


class HiddenState(RegressorMixin, BaseEstimator):
    """Its fitted attributes do not end in an underscore."""

    def __init__(self):
        self.members = []

    def fit(self, X, y):
        self.members = [np.mean(y)]
        return self

    def predict(self, X):
        return np.full(len(X), self.members[0])


class LooksFitted(RegressorMixin, BaseEstimator):
    """It has an attribute with a trailing underscore before it is fitted."""

    def __init__(self):
        self.n_rows_ = 0

    def fit(self, X, y):
        self.n_rows_, self.mean_ = len(X), np.mean(y)
        return self

    def predict(self, X):
        return np.full(len(X), self.mean_)


class SaysSo(HiddenState):
    """It states whether it is fitted."""

    @property
    def is_fitted(self):
        return len(self.members) > 0


@pytest.mark.parametrize("kind", [HiddenState, LooksFitted, SaysSo])
def test_fitted_models_and_recipes_are_told_apart(kind):
    """A fitted model is used as it is, whatever its attributes are called; an unfitted one is fitted."""
    fitted = kind().fit(X, y)
    assert is_fitted_teacher(fitted)
    assert not is_fitted_teacher(kind())
    kept = DistilledRegressor(fitted, **EXACT).fit(X, y + 100.0)
    assert kept.teacher_ is fitted
    np.testing.assert_allclose(kept.predict(X), 1)
    np.testing.assert_allclose(DistilledRegressor(kind(), **EXACT).fit(X, y + 100.0).predict(X), 101)
    assert clone(kept).teacher is fitted


class Contradicts(HiddenState):
    """It looks fitted by its state, but raises when asked."""

    def predict(self, X):
        raise RuntimeError("needs a server")


class AnswersUnfitted(LooksFitted):
    """It answers without a fit."""

    def predict(self, X):
        return np.zeros(len(X))


@pytest.mark.parametrize("model", [Contradicts().fit(X, y), AnswersUnfitted()], ids=lambda model: type(model).__name__)
def test_doubt_is_refused(model):
    """If state and answer contradict each other, the error names both ways to say what is meant."""
    with pytest.raises(TeacherError, match=r"cannot tell whether the teacher .* is fitted.*FrozenEstimator.*a new"):
        DistilledRegressor(model, **EXACT).fit(X, y)


def test_a_grid_of_teachers_keeps_their_fit():
    """``as_teacher`` is kept by reference in a search, as ``FrozenEstimator`` is."""
    trees = [DecisionTreeClassifier(max_depth=depth).fit(X, y) for depth in (1, 3)]
    model = DistilledClassifier(trees[0], **EXACT)
    search = GridSearchCV(model, {"teacher": [as_teacher(tree) for tree in trees]}, cv=2).fit(X, y)
    assert search.best_estimator_.teacher_ is trees[1]


def test_semi_supervised_recipe():
    """Rows of label -1 are unlabelled for a semi-supervised recipe, and no class."""
    partly = y.copy()
    partly[::2] = -1
    for soft_weight in (1.0, 0.5, "auto"):
        model = DistilledClassifier(LabelSpreading(), soft_weight=soft_weight, **EXACT).fit(X, partly)
        assert model.classes_.tolist() == [0, 1, 2]
        assert model.score(X, y) > 0.9
    with pytest.raises(ValueError, match="labels that the teacher does not know"):
        DistilledClassifier(DecisionTreeClassifier().fit(X, y), **EXACT).fit(X, partly)


class NoClasses(BaseEstimator):
    """A probabilistic classifier without ``classes_``, whose answer is the probability of the second class."""

    def fit(self, X, y):
        self.model_ = LogisticRegression().fit(X, y)
        return self

    def predict_proba(self, X):
        return self.model_.predict_proba(X)[:, 1]

    def predict(self, X):
        return self.model_.predict(X)


def test_recipe_without_classes_out_of_fold():
    """The classes are those of ``y``."""
    rows, labels = make_classification(120, 4, random_state=0)
    model = DistilledClassifier(NoClasses(), teacher_cv=3, **EXACT).fit(rows, labels)
    assert model.classes_.tolist() == [0, 1]
    assert model.score(rows, labels) > 0.8


# ---------------------------------------------------------------------- folds


def out_of_fold(cv, **fit_params):
    """Return what the student of an exact tree was taught on the rows of iris."""
    model = DistilledRegressor(DecisionTreeRegressor(random_state=0), teacher_cv=cv, **EXACT)
    return model.fit(X, np.arange(150.0), **fit_params).predict(X)


def test_groups_are_kept_together():
    """With ``groups``, the folds of a splitter of groups are those that it makes itself."""
    groups = np.arange(150) % 7
    folds = list(GroupKFold(4).split(X, groups=groups))
    np.testing.assert_array_equal(out_of_fold(GroupKFold(4), groups=groups), out_of_fold(folds))
    with pytest.raises(ValueError, match=r"groups of shape \(7,\); expected \(150,\)"):
        out_of_fold(GroupKFold(4), groups=groups[:7])


def test_rows_in_no_test_fold_are_labelled_in_sample():
    """The first rows of a time series are never held out: they keep the labels of the full teacher, and it is said."""
    with pytest.warns(TeacherWarning, match=r"30 of 150 rows are in no test fold.*in-sample"):
        labels = out_of_fold(TimeSeriesSplit(4))
    np.testing.assert_array_equal(labels[:30], np.arange(30))


def test_rows_in_several_test_folds_get_the_mean():
    """Repeated folds are averaged."""
    halves = [out_of_fold(KFold(2, shuffle=True, random_state=seed)) for seed in (0, 1)]
    both = [split for seed in (0, 1) for split in KFold(2, shuffle=True, random_state=seed).split(X)]
    np.testing.assert_allclose(out_of_fold(both), np.mean(halves, axis=0), rtol=1e-5)
    assert np.isfinite(out_of_fold(RepeatedKFold(n_splits=2, n_repeats=2, random_state=0))).all()


def test_a_list_of_folds_inside_a_search_is_refused():
    """Its positions are those of other rows there: the error says what to pass."""
    folds = list(KFold(3).split(X))
    model = DistilledRegressor(DecisionTreeRegressor(), teacher_cv=folds, **EXACT)
    with pytest.raises(TeacherError, match=r"list of folds with row 149, but fit got 75 rows.*pass a splitter"):
        GridSearchCV(model, {"soft_weight": [1.0]}, cv=2, error_score="raise").fit(X, y.astype(float))
