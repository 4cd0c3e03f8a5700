"""A teacher is known again when it is saved and loaded, and not when anything that it knows has changed."""

import io
import itertools
import os
import pickle
import subprocess
import sys
import threading
from functools import lru_cache, partial

import joblib
import lightgbm
import numpy as np
import pandas as pd
import pytest
from helpers import CountingClassifier
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_wine
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from skdistill import as_teacher
from skdistill.exceptions import TeacherWarning
from skdistill.students import CompactTreeClassifier
from skdistill.teachers import AnswerStore, Teacher, _contents, memory_info, query_teacher
from skdistill.teachers._contents import UnknownContentError
from skdistill.teachers._recognition import recognise

X, Y = load_wine(return_X_y=True)
X, Y = X[::3, :5], Y[::3]
OTHER_Y = np.where(np.isin(np.arange(len(Y)), [3, 20, 41]), (Y + 1) % 3, Y)
MIXED = pd.DataFrame(X, columns=list("abcde")).assign(town=pd.Categorical(["Bath", "Ely"] * (len(X) // 2)))
ENCODER = make_column_transformer((OneHotEncoder(), ["town"]), remainder="passthrough")


def forest(n_trees=3, **params):
    return RandomForestClassifier(n_trees, random_state=0, **params)


def members():
    return [("a", forest()), ("b", LogisticRegression(max_iter=2_000))]


TEACHERS = {
    "tree": lambda: DecisionTreeClassifier(random_state=0).fit(X, Y),
    "forest": lambda: forest().fit(X, Y),
    "extra trees": lambda: ExtraTreesClassifier(3, random_state=0).fit(X, Y),
    "histogram boosting": lambda: HistGradientBoostingClassifier(max_iter=3).fit(X, Y),
    "gradient boosting": lambda: GradientBoostingClassifier(n_estimators=2, random_state=0).fit(X, Y),
    "SVC": lambda: SVC().fit(X, Y),
    "MLP": lambda: MLPClassifier(4, solver="lbfgs", max_iter=5, tol=1e9, random_state=0).fit(X, Y),
    "kNN": lambda: KNeighborsClassifier(algorithm="kd_tree").fit(X, Y),
    "vote": lambda: VotingClassifier(members(), voting="soft").fit(X, Y),
    "stack": lambda: StackingClassifier(members(), cv=2).fit(X, Y),
    "search": lambda: GridSearchCV(DecisionTreeClassifier(random_state=0), {"max_depth": [2, 3]}, cv=2).fit(X, Y),
    "pipeline": lambda: make_pipeline(ENCODER, HistGradientBoostingClassifier(max_iter=3)).fit(MIXED, Y),
    "categories": lambda: HistGradientBoostingClassifier(max_iter=3).fit(MIXED, Y),
    "sparse SVC": lambda: make_pipeline(OneHotEncoder(handle_unknown="ignore"), SVC()).fit(X, Y),
    "LightGBM": lambda: lightgbm.LGBMClassifier(n_estimators=3, verbose=-1, n_jobs=1).fit(X, Y),
    "Booster": lambda: lightgbm.train({"verbose": -1, "num_threads": 1}, lightgbm.Dataset(X, Y), 3),
    "frozen": lambda: FrozenEstimator(forest().fit(X, Y)),
    "student": lambda: CompactTreeClassifier().fit(X, Y),
    "class of the user": lambda: CountingClassifier(random_state=0).fit(X, Y),
}


def rows_for(name):
    return MIXED if name in ("pipeline", "categories") else X


def ask(model, rows):
    return lambda: model.predict(rows)


def by_joblib(model):
    file = io.BytesIO()
    joblib.dump(model, file)
    file.seek(0)
    return joblib.load(file)


@pytest.mark.filterwarnings("ignore:lbfgs failed to converge")
@pytest.mark.parametrize("name", TEACHERS)
def test_loaded_teachers_are_known_again(name):
    """Saving, loading, predicting and another number of threads change nothing; another fit does."""
    model, rows = TEACHERS[name](), rows_for(name)
    known_as = recognise(model, ask(model, rows))
    for copy in (pickle.loads(pickle.dumps(model)), by_joblib(model), by_joblib(by_joblib(model))):
        assert recognise(copy, ask(copy, rows)) == known_as
        copy.predict(rows)
        assert recognise(copy, ask(copy, rows)) == known_as
    if "n_jobs" in getattr(model, "get_params", dict)():
        assert recognise(model.set_params(n_jobs=2), ask(model, rows)) == known_as


def test_booster_is_known_by_its_text():
    """The own format of LightGBM keeps a booster what it is."""
    booster = TEACHERS["Booster"]()
    loaded = lightgbm.Booster(model_str=booster.model_to_string())
    assert recognise(loaded, list) == recognise(booster, list)
    loaded.set_leaf_output(0, 0, 0.5)
    assert recognise(loaded, list) != recognise(booster, list)


SCRIPT = """
import pickle, sys
from skdistill.teachers._recognition import recognise

def risk(rows):
    return [1.0 if str(row) in {"a", "b", "c", "d"} else 0.0 for row in rows]

with open(sys.argv[1], "rb") as file:
    models = pickle.load(file)
found = [recognise(model, list).hex() for model in (risk, *models)]
"""


@pytest.mark.slow
def test_other_processes_and_hash_seeds_know_them(tmp_path, monkeypatch):
    """Saved teachers, and a function with a set among its constants, are the same in another process."""
    path = tmp_path / "models"
    path.write_bytes(pickle.dumps([TEACHERS[name]() for name in ("forest", "pipeline", "stack")]))
    monkeypatch.setattr(sys, "argv", ["", str(path)])
    here = {"__name__": "__main__"}
    exec(SCRIPT, here)
    there = subprocess.run(
        [sys.executable, "-c", f"{SCRIPT}\nprint(*found)", str(path)],
        env={**os.environ, "PYTHONHASHSEED": "1"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    assert there.stdout.split() == here["found"]


# ---------------------------------------------------------------------- changes at every layer


class Service:
    """Holds a model."""

    classes_ = np.arange(3)

    def __init__(self, model):
        self.model = model

    def predict_proba(self, rows):
        return self.model.predict_proba(rows)


class Slots(Service):
    __slots__ = ("model",)


class OfClass:
    """The model is an attribute of the class, whose name is not in its code."""

    classes_ = np.arange(3)
    model = None

    def predict_proba(self, rows):
        return getattr(self, "mod" + "el").predict_proba(rows)


class Called:
    def __init__(self, model):
        self.model = model

    def __call__(self, rows):
        return self.model.predict_proba(rows)


class OwnEnsemble(ClassifierMixin, BaseEstimator):
    """An estimator of the user with a list of models of a library, which counts its calls."""

    n_calls_ = 0

    def __init__(self, models):
        self.models = models
        self.classes_ = np.arange(3)

    def predict_proba(self, rows):
        self.n_calls_ += 1
        return np.mean([model.predict_proba(rows) for model in self.models], axis=0)


MODEL = None


def reads_a_global(rows):
    return MODEL.predict_proba(rows)


def reads_a_global_by_row(row):
    return MODEL.predict_proba(row[None])[0]


def of_vectorised(tree):
    globals()["MODEL"] = tree
    return np.vectorize(reads_a_global_by_row, signature="(n)->(k)")


SHIFT = [1.0]


def shifted(rows):
    return rows + SHIFT[0]


def of_class(tree):
    OfClass.model = tree
    return OfClass()


def of_global(tree):
    globals()["MODEL"] = tree
    return reads_a_global


def of_cache(tree):
    @lru_cache
    def get():
        return tree

    return lambda rows: get().predict_proba(rows)


def of_property(tree):
    class Owner:
        classes_ = np.arange(3)

        @property
        def model(self):
            return tree

        def predict_proba(self, rows):
            return self.model.predict_proba(rows)

    return Owner()


def of_inner_function(tree):
    service = Service(tree)

    def inner(rows):
        return service.predict_proba(rows)

    return lambda rows: inner(rows)


def of_default(tree):
    def outer(rows, *, models=(tree,)):
        return models[0].predict_proba(rows)

    return outer


def of_dictionary(tree):
    models = {"a": [{"b": tree}]}
    return lambda rows: models["a"][0]["b"].predict_proba(rows)


HOLDERS = {
    "itself": lambda tree: tree,
    "frozen": FrozenEstimator,
    "twice frozen": lambda tree: FrozenEstimator(make_pipeline(FrozenEstimator(tree))),
    "adapted": lambda tree: as_teacher(tree),
    "bound method": lambda tree: tree.predict_proba,
    "closure": lambda tree: lambda rows: tree.predict_proba(rows),
    "holder": Service,
    "holder with slots": Slots,
    "method of a holder": lambda tree: Service(tree).predict_proba,
    "callable object": Called,
    "class": of_class,
    "global": of_global,
    "function inside an object of a library": of_vectorised,
    "cache": of_cache,
    "property": of_property,
    "inner function": of_inner_function,
    "default": of_default,
    "dictionary": of_dictionary,
    "partial": lambda tree: partial(lambda model, rows: model.predict_proba(rows), tree),
    "object array": lambda tree: partial(lambda a, rows: a[0].predict_proba(rows), np.array([tree, 0], dtype=object)),
    "list": lambda tree: partial(lambda models, rows: models[1].predict_proba(rows), [tree, tree]),
    "ensemble of the user": lambda tree: OwnEnsemble([DecisionTreeClassifier(random_state=1).fit(X, Y), tree]),
    "vote": lambda tree: fitted_vote([tree, tree]),
    "step of a pipeline": lambda tree: make_pipeline(FunctionTransformer(), FrozenEstimator(tree)),
}


def fitted_vote(trees):
    vote = VotingClassifier([(str(place), tree) for place, tree in enumerate(trees)], voting="soft").fit(X, Y)
    vote.estimators_ = trees
    return vote


def refit(tree):
    tree.fit(X, OTHER_Y)


def write_into(tree):
    tree.tree_.value[:] = tree.tree_.value[:, :, ::-1].copy()


def adapt(model):
    return model if isinstance(model, Teacher) else as_teacher(model, classes=[0, 1, 2])


@pytest.mark.thinned(2)
@pytest.mark.parametrize("change", [refit, write_into])
@pytest.mark.parametrize("name", HOLDERS)
def test_no_answer_is_stale(name, change, tmp_path):
    """A model that is fitted again, or written into, behind any layer is asked again, whatever the probes say."""
    tree = DecisionTreeClassifier(random_state=0).fit(X, Y)
    teacher = HOLDERS[name](tree)
    memory = joblib.Memory(tmp_path, verbose=0)
    query_teacher(adapt(teacher), X, memory=memory)
    n_stored = memory_info(tmp_path).n_rows
    query_teacher(adapt(teacher), X, memory=memory)
    assert memory_info(tmp_path).n_rows == n_stored  # found again
    change(tree)
    np.testing.assert_array_equal(query_teacher(adapt(teacher), X, memory=memory), adapt(teacher).outputs(X))
    assert len(memory_info(tmp_path).teachers) == 2


def test_models_in_a_list_are_read_together(monkeypatch):
    """The time to recognise an ensemble that has not changed is that of one pickle, also in a class of the user."""
    ensemble = OwnEnsemble([DecisionTreeClassifier(random_state=seed).fit(X, Y) for seed in range(20)])
    known_as = recognise(ensemble, ask_proba(ensemble))
    pickled, hash_of_pickle = [], _contents.hash_of_pickle
    monkeypatch.setattr(_contents, "hash_of_pickle", lambda obj: pickled.append(obj) or hash_of_pickle(obj))
    assert recognise(ensemble, ask_proba(ensemble)) == known_as
    assert pickled == [ensemble.models]
    ensemble.models.append(ensemble.models[0])
    assert recognise(ensemble, ask_proba(ensemble)) != known_as


def ask_proba(model):
    return lambda: model.predict_proba(X)


def test_other_code_and_constants_are_other_teachers():
    """What a function computes, by its code, its nested code or the functions that it calls."""

    def calls(function):
        return lambda rows: function(rows)

    functions = [
        lambda rows: rows[:, 0],
        lambda rows: rows[:, 1],
        lambda rows: rows[:, 0] + rows[:, 1],
        lambda rows: rows[:, 0] - rows[:, 1],
        lambda rows: [row[0] for row in rows],
        lambda rows: [row[1] for row in rows],
        calls(lambda rows: rows[:, 0]),
        calls(lambda rows: rows[:, 1]),
        np.sum,
        np.mean,
        partial(np.sum, axis=1),
        partial(np.mean, axis=1),
    ]
    assert len({recognise(function, list) for function in functions}) == len(functions)


def test_weights_changed_in_place_are_noticed():
    """Numbers in a list, an array or an online model."""
    weights, array, online = [1.0, 2.0], np.ones(2), SGDClassifier(random_state=0).partial_fit(X, Y, np.unique(Y))
    pipeline = make_pipeline(FunctionTransformer(shifted), FrozenEstimator(DecisionTreeClassifier().fit(X, Y)))
    functions = [lambda rows: rows[:, 0] * weights[0], lambda rows: rows[:, 0] * array[0], online.predict, pipeline]
    before = [recognise(function, list) for function in functions]
    assert [recognise(function, list) for function in functions] == before
    weights[0], array[0], SHIFT[0] = 3.0, 3.0, SHIFT[0] + 1
    online.partial_fit(X, Y)
    assert not set(before) & {recognise(function, list) for function in functions}


# ---------------------------------------------------------------------- counters, and what cannot be recognised


class Counts:
    """Counts its calls in every way."""

    calls = 0

    def __init__(self):
        self.n_rows, self.log, self.by_size = 0, [], {len(X): 0}
        self.lock, self.numbers, self.rng = threading.Lock(), itertools.count(1), np.random.default_rng()
        self.weight = 2.0

    def predict(self, rows):
        Counts.calls += 1
        with self.lock:
            self.n_rows += len(rows)
            self.by_size[len(rows)] += next(self.numbers)
            self.log.append(rows.copy())
        return rows[:, 0] * self.weight + 0 * self.rng.random()


def test_counters_and_logs_are_no_knowledge():
    """A teacher that counts what it is asked is known again; its other numbers still matter."""
    teacher, asked, n_asked = Counts(), [], [0]

    def function(rows):
        asked.append(len(rows))
        n_asked[0] += 1
        return teacher.predict(rows)

    for model, call in ((teacher, teacher.predict), (function, function)):
        teacher.weight = 2.0
        first = recognise(model, lambda call=call: call(X))
        call(X)
        assert recognise(model, lambda call=call: call(X)) == first
        teacher.weight = 3.0
        assert recognise(model, lambda call=call: call(X)) != first


class CountsLazily:
    """Its counter and its log are of the class until it is asked, or are made then."""

    n_calls, weight = 0, 2.0

    def predict(self, rows):
        self.n_calls += 1
        self.n_rows = getattr(self, "n_rows", 0) + len(rows)
        self.__dict__.setdefault("log", []).append(len(rows))
        self.loaded = [self.weight, 1.0]
        return rows[:, 0] * self.loaded[0]


def test_counters_made_by_the_first_call_are_no_knowledge():
    """A new object, and one that was asked, are the same teacher; what the first call loads still matters."""
    new, asked, other = CountsLazily(), CountsLazily(), CountsLazily()
    other.weight = 3.0
    asked.predict(X)
    found = [recognise(model, lambda model=model: model.predict(X)) for model in (new, asked, new, other)]
    assert found[0] == found[1] == found[2] != found[3]


class ReadsWeights:
    """Holds its weights as bytes, as a model that was packed for another device, once it is asked."""

    def __init__(self, path):
        self.path, self.weights = path, b""

    def predict(self, rows):
        self.weights = self.weights or self.path.read_bytes()
        return rows[:, 0] * self.weights[0]


def test_weights_as_bytes_are_no_counter(tmp_path):
    """Bytes that the first call changes are knowledge."""
    models = [ReadsWeights(tmp_path / "weights") for _ in range(3)]
    found = []
    for model, content in zip(models, (b"\1\2", b"\1\2", b"\1\3"), strict=True):
        model.path.write_bytes(content)
        found.append(recognise(model, lambda model=model: model.predict(X)))
    assert found[0] == found[1] != found[2]


class Learns:
    """Changes its weights whenever it is asked."""

    def __init__(self):
        self.weights = np.zeros(2)

    def predict(self, rows):
        self.weights = self.weights + 1
        return rows[:, 0]


class Connected:
    def __init__(self):
        self.generator = (number for number in range(3))

    def predict(self, rows):
        return rows[:, 0]


@pytest.mark.parametrize(
    ("model", "reason"),
    [(Learns(), "weights changes whenever the teacher is asked"), (Connected(), "cannot pickle 'generator' object")],
)
def test_unrecognisable_teachers_are_asked_again(model, reason, tmp_path):
    """What changes by being asked, or cannot be read, is asked again, and one sentence says what to do."""
    with pytest.raises(UnknownContentError, match=reason):
        recognise(model, lambda: model.predict(X))
    store, teacher = AnswerStore(tmp_path), as_teacher(model)
    with pytest.warns(TeacherWarning, match=f"{reason}.*Pass teacher_id=") as caught:
        first = query_teacher(teacher, X, memory=store)
    assert len(caught) == 1
    np.testing.assert_array_equal(first, X[:, 0])
    np.testing.assert_array_equal(query_teacher(teacher, X, memory=store), X[:, 0])  # without another warning
    assert memory_info(tmp_path).n_rows == 0


def test_a_model_that_settles_is_known():
    """A model that is loaded when it is first asked is the loaded one from then on."""

    class Lazy:
        def __init__(self):
            self.model = None

        def predict(self, rows):
            self.model = self.model or DecisionTreeClassifier(random_state=0).fit(X, Y)
            return self.model.predict(rows)

    first, second = Lazy(), Lazy()
    second.predict(X)
    assert recognise(first, lambda: first.predict(X)) == recognise(second, lambda: second.predict(X))
    first.model.fit(X, OTHER_Y)
    assert recognise(first, lambda: first.predict(X)) != recognise(second, lambda: second.predict(X))
