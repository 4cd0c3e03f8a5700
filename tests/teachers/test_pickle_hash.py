"""A model is known to be unchanged within a process, and any change of it is noticed."""

import copy
import hashlib

import joblib
import lightgbm
import numpy as np
import pytest
from sklearn.datasets import load_wine
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.tree import DecisionTreeClassifier

from skdistill import as_teacher
from skdistill.teachers import _pickle_hash, query_teacher
from skdistill.teachers._pickle_hash import BYTES_AT_ONCE, hash_of_pickle

X, Y = load_wine(return_X_y=True)
LARGE = BYTES_AT_ONCE // 8 + 1_000

ARRAYS = {
    "empty": np.empty((0, 3)),
    "zero dimensions": np.array(1.5),
    "small": np.arange(12.0).reshape(3, 4),
    "by column": np.asfortranarray(np.arange(12.0).reshape(3, 4)),
    "not contiguous": np.arange(24.0).reshape(3, 8)[:, ::2],
    "large": np.arange(float(LARGE)),
    "large, by column": np.asfortranarray(np.arange(2.0 * LARGE).reshape(-1, 2)),
    "large, not contiguous": np.arange(2.0 * LARGE)[::2],
    "structured": np.zeros(5, dtype=[("a", "f8"), ("b", "i4")]),
    "objects": np.array(["a", 1, None], dtype=object),
}


@pytest.mark.parametrize("hash_bytes", [hash, lambda content: hashlib.sha256(content).digest()])
@pytest.mark.parametrize("name", ARRAYS)
def test_every_cell_counts(name, hash_bytes, monkeypatch):
    """An array that differs in one cell, in its shape or its type has another hash; a copy has the same."""
    monkeypatch.setattr(_pickle_hash, "_hash_bytes", hash_bytes)
    array = ARRAYS[name]
    known_as = hash_of_pickle([array])
    assert hash_of_pickle([array.copy(order="K")]) == known_as
    others = [array.reshape(1, *array.shape), array.astype("S9" if array.dtype == object else object)]
    others += [array.view(array.dtype.newbyteorder())] if array.dtype.kind == "f" else []
    for place in {0, array.size // 2, array.size - 1} if array.size else ():
        other = array.copy()
        cell = other.reshape(-1)[place]
        other.reshape(-1)[place] = (1.0, 2) if array.dtype.names else ("b" if array.dtype == object else cell + 1e-9)
        others.append(other if other.flags.c_contiguous else np.array(other))
    found = [hash_of_pickle([other]) for other in others]
    assert len({known_as, *found}) == 1 + len(others)


def test_every_part_of_a_tree_counts():
    """The nodes, the values and the form of a tree of scikit-learn."""
    tree = DecisionTreeClassifier(max_depth=3, random_state=0).fit(X, Y).tree_
    known_as = hash_of_pickle([tree])
    assert hash_of_pickle([copy.deepcopy(tree)]) == hash_of_pickle([copy.deepcopy(tree)])
    found = {known_as}
    for name in ("threshold", "feature", "children_left", "value", "impurity", "n_node_samples"):
        cells = getattr(tree, name).reshape(-1)
        before = cells[0]
        cells[0] += 1
        found.add(hash_of_pickle([tree]))
        cells[0] = before
    assert len(found) == 7
    assert hash_of_pickle([tree]) == known_as
    others = [DecisionTreeClassifier(max_depth=1).fit(X[:, :n], labels).tree_ for n in (5, 6) for labels in (Y, Y > 0)]
    assert len({hash_of_pickle(other) for other in others}) == 4


# ---------------------------------------------------------------------- asked once in a process

MODELS = {
    "tree": lambda: DecisionTreeClassifier(random_state=0).fit(X, Y),
    "forest": lambda: RandomForestClassifier(3, random_state=0).fit(X, Y),
    "histogram boosting": lambda: HistGradientBoostingClassifier(max_iter=2).fit(X, Y),
    "LightGBM": lambda: lightgbm.LGBMClassifier(n_estimators=2, verbose=-1, n_jobs=1).fit(X, Y),
    "pipeline": lambda: make_pipeline(FrozenEstimator(DecisionTreeClassifier(random_state=0).fit(X, Y))),
}


@pytest.fixture
def ask(tmp_path, monkeypatch):
    """Return a function that queries with a memory, checks the outputs, and returns how many rows were asked."""
    memory = joblib.Memory(tmp_path, verbose=0)

    def ask(model):
        kind, n_asked = type(model), []
        true = kind.predict_proba

        def counted(self, rows, **params):
            n_asked.append(len(rows))
            return true(self, rows, **params)

        with monkeypatch.context() as patched:
            patched.setattr(kind, "predict_proba", counted)
            outputs = query_teacher(as_teacher(model), X, memory=memory)
        np.testing.assert_array_equal(outputs, as_teacher(model).outputs(X))
        return sum(n_asked)

    return ask


@pytest.mark.parametrize("name", MODELS)
def test_models_of_known_libraries_are_asked_once_in_a_process(name, ask):
    """Unless they change: then all rows are asked, and none when the model is again what it was."""
    model = MODELS[name]()
    assert ask(model) == len(X)
    assert ask(model) == ask(model) == 0
    other = MODELS[name]()
    final = other[-1].estimator if name == "pipeline" else other
    final.fit(X, np.roll(Y, 30))
    assert ask(other) == len(X)
    assert ask(model) == 0


class Holder:
    """A class of the user, whose outputs may depend on anything."""

    classes_ = np.arange(3)

    def __init__(self, model):
        self.model = model

    def predict_proba(self, rows):
        return self.model.predict_proba(rows)


@pytest.mark.parametrize("wrap", [Holder, lambda tree: make_pipeline(FunctionTransformer(copy.copy), tree)])
def test_other_models_are_asked_in_each_fit(wrap, ask):
    """What the code of the user or of another library calls may have changed without a change of what they hold."""
    model = wrap(MODELS["tree"]())
    assert ask(model) >= len(X)
    assert 0 < ask(model) < len(X)
    assert 0 < ask(model) < len(X)


@pytest.mark.filterwarnings("ignore:memory=. .* no longer returns its stored outputs")
@pytest.mark.parametrize("name", ["tree", "LightGBM"])
def test_a_method_that_was_replaced_is_noticed(name, ask):
    """A function of the user in the place of a method of a model, which no format of the library stores."""
    model = MODELS[name]()
    assert ask(model) == len(X)
    for share in (0.2, 0.3):
        model.predict_proba = lambda rows, share=share: np.full((len(rows), 3), [share, share, 1 - 2 * share])
        ask(model)


def test_outputs_of_other_processes_are_checked(ask, monkeypatch):
    """Each process compares the outputs that it did not store once, also for models that it has read."""
    model = MODELS["forest"]()
    assert ask(model) == len(X)
    monkeypatch.setattr("skdistill.teachers._agreement._AGREED", {})
    assert 0 < ask(model) < len(X)
    assert ask(model) == 0
