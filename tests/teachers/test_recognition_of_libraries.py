"""Models of other libraries are known again when they are saved and loaded."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_wine

from skdistill.teachers._recognition import recognise

X, Y = load_wine(return_X_y=True)
TABLE = pd.DataFrame(X, columns=[f"c{place}" for place in range(X.shape[1])])


def xgboost():
    library = pytest.importorskip("xgboost")
    return library.XGBClassifier(n_estimators=5, n_jobs=1).fit(X, Y)


def catboost():
    library = pytest.importorskip("catboost")
    return library.CatBoostClassifier(iterations=5, verbose=0, allow_writing_files=False, thread_count=1).fit(X, Y)


def pygam():
    library = pytest.importorskip("pygam")
    return library.LinearGAM().fit(X[:, :3], Y)


def perpetual():
    library = pytest.importorskip("perpetual")
    model = library.PerpetualBooster(objective="SquaredLoss", budget=0.2)
    model.fit(X, Y.astype(float))
    return model


def flaml():
    library = pytest.importorskip("flaml")
    model = library.AutoML()
    model.fit(X, Y, task="classification", max_iter=2, estimator_list=["rf"], verbose=0, time_budget=10)
    return model


def ydf():
    library = pytest.importorskip("ydf")
    return library.RandomForestLearner(label="y", num_trees=5).train(TABLE.assign(y=Y), verbose=0)


def torch():
    library = pytest.importorskip("torch")
    return library.nn.Sequential(library.nn.Linear(13, 4), library.nn.BatchNorm1d(4), library.nn.Linear(4, 1)).eval()


def rows_for(make):
    return {pygam: X[:, :3], ydf: TABLE}.get(make, X)


def ask(model, make):
    if make is torch:
        return lambda: model(pytest.importorskip("torch").as_tensor(X, dtype=pytest.importorskip("torch").float32))
    return lambda: model.predict(rows_for(make))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("make", [xgboost, catboost, pygam, perpetual, flaml, ydf, torch])
def test_loaded_models_are_known_again(make):
    """Loading once or twice and predicting change nothing; another seed or other rows do."""
    model = make()
    known_as = recognise(model, ask(model, make))
    loaded = pickle.loads(pickle.dumps(model))
    for copy in (model, loaded, pickle.loads(pickle.dumps(loaded))):
        assert recognise(copy, ask(copy, make)) == known_as


def saved_by_xgboost(model, path):
    model.save_model(path)
    loaded = pytest.importorskip("xgboost").XGBClassifier()
    loaded.load_model(path)
    return loaded


def saved_by_catboost(model, path):
    model.save_model(str(path))
    return pytest.importorskip("catboost").CatBoostClassifier().load_model(str(path))


def saved_by_perpetual(model, path):
    model.save_booster(str(path))
    return pytest.importorskip("perpetual").PerpetualBooster.load_booster(str(path))


def saved_by_ydf(model, path):
    model.save(str(path))
    return pytest.importorskip("ydf").load_model(str(path))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("make", "save"),
    [
        (xgboost, saved_by_xgboost),
        (catboost, saved_by_catboost),
        (perpetual, saved_by_perpetual),
        (ydf, saved_by_ydf),
    ],
)
def test_models_in_their_own_format_are_known_again(make, save, tmp_path):
    """The format of the library keeps a model what it is."""
    model = make()
    loaded = save(model, tmp_path / "model.json")
    assert recognise(loaded, ask(loaded, make)) == recognise(model, ask(model, make))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("make", [xgboost, catboost, pygam, perpetual, ydf])
def test_models_of_other_labels_are_others(make, monkeypatch):
    """A model that was fitted to other labels is another teacher."""
    model = make()
    known_as = recognise(model, ask(model, make))
    monkeypatch.setitem(globals(), "Y", np.roll(Y, 30))
    other = make()
    assert recognise(other, ask(other, make)) != known_as
