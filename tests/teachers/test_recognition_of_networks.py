"""Networks of torch, skorch and TabNet are asked once for each row, also after they were saved and loaded."""

import io
import os
import pickle
import subprocess
import sys

import joblib
import numpy as np
import pytest
from sklearn.datasets import load_wine
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdistill import as_teacher
from skdistill.teachers import query_teacher

torch = pytest.importorskip("torch")

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

X, Y = load_wine(return_X_y=True)
X = StandardScaler().fit_transform(X).astype(np.float32)
PROBE = 16


class Network(torch.nn.Module):
    """A network of the user, with parts that are random in training."""

    def __init__(self, n_hidden=8):
        super().__init__()
        nn = torch.nn
        hidden = [nn.Linear(13, n_hidden), nn.BatchNorm1d(n_hidden), nn.ReLU(), nn.Dropout(0.1)]
        self.layers = nn.Sequential(*hidden, nn.Linear(n_hidden, 3))

    def forward(self, rows):
        return torch.softmax(self.layers(rows), 1)


class Holder:
    """A class of the user around a network, as the guide recommends for networks."""

    classes_ = np.arange(3)

    def __init__(self, network):
        self.network = network.eval()

    def predict_proba(self, rows):
        with torch.no_grad():
            dtype = next(self.network.parameters()).dtype
            return self.network(torch.as_tensor(np.asarray(rows), dtype=dtype)).numpy()


def plain(seed=0):
    torch.manual_seed(seed)
    return Holder(Network())


def skorch(seed=0):
    library = pytest.importorskip("skorch")
    torch.manual_seed(seed)
    return library.NeuralNetClassifier(Network, max_epochs=2, lr=0.1, verbose=0, train_split=None).fit(X, Y)


def skorch_of_the_user(seed=0):
    library = pytest.importorskip("skorch")
    torch.manual_seed(seed)
    kind = type("Own", (library.NeuralNetClassifier,), {"__module__": __name__, "extra": 1.0})
    globals()["Own"] = kind
    return kind(Network, max_epochs=2, lr=0.1, verbose=0, train_split=None).fit(X, Y)


def pipeline(seed=0):
    return make_pipeline(StandardScaler(), skorch(seed)).fit(X, Y)


def tabnet(seed=0):
    library = pytest.importorskip("pytorch_tabnet.tab_model")
    model = library.TabNetClassifier(n_d=4, n_a=4, n_steps=2, verbose=0, seed=seed, device_name="cpu")
    model.fit(X, Y, max_epochs=2, batch_size=64, virtual_batch_size=32)
    return model


MODELS = [plain, skorch, skorch_of_the_user, pipeline, tabnet]


def module_of(model):
    """Return the torch module inside a teacher."""
    model = model[-1] if hasattr(model, "steps") else model
    return getattr(model, "module_", None) or model.network


def by_pickle(model):
    return pickle.loads(pickle.dumps(model))


def by_joblib(model):
    file = io.BytesIO()
    joblib.dump(model, file)
    file.seek(0)
    return joblib.load(file)


def by_own_format(model, folder):
    """Save and load as the library recommends; a pipeline has no format of its own."""
    if hasattr(model, "save_model"):
        loaded = type(model)(verbose=0, device_name="cpu")
        loaded.load_model(model.save_model(str(folder / "tabnet")))
        loaded.classes_ = model.classes_  # the format does not keep them
        return loaded
    path = folder / "weights.pt"
    if hasattr(model, "save_params"):
        model.save_params(f_params=path)
        loaded = type(model)(Network, verbose=0, classes=list(model.classes_)).initialize()
        loaded.load_params(f_params=path)
        return loaded
    torch.save(module_of(model).state_dict(), path)
    network = Network()
    network.load_state_dict(torch.load(path))
    return Holder(network)


@pytest.fixture
def ask(tmp_path):
    """Return a function that queries with a memory, checks the outputs, and returns how many rows were asked."""
    memory = joblib.Memory(tmp_path / "memory", verbose=0)

    def ask(model, rows=X, **params):
        teacher = as_teacher(model)
        outputs, n_asked = teacher.outputs, []
        teacher.outputs = lambda part: n_asked.append(len(part)) or outputs(part)
        found = query_teacher(teacher, rows, memory=memory, **params)
        np.testing.assert_allclose(found, outputs(rows), atol=1e-6)
        return sum(n_asked)

    return ask


@pytest.mark.parametrize("make", MODELS)
def test_loaded_networks_are_not_asked_again(make, ask, tmp_path):
    """By pickle, joblib and the format of the library, in other chunks and in another order of the rows."""
    model = make()
    assert ask(model) <= len(X) + 2 * PROBE
    order = np.random.default_rng(0).permutation(len(X))
    for copy in (model, by_pickle(model), by_joblib(model), by_joblib(by_pickle(model))):
        assert ask(copy) <= 3 * PROBE
        assert ask(copy, X[order], chunk_size=50) <= 3 * PROBE
    if make is not pipeline:
        assert ask(by_own_format(model, tmp_path)) <= 3 * PROBE


@pytest.mark.parametrize("make", MODELS)
def test_changed_networks_are_asked(make, ask):
    """Another fit, and a weight that was written into, also one so small that no probe shows it."""
    model = make()
    ask(model)
    assert ask(make(seed=1)) >= len(X)
    with torch.no_grad():
        next(module_of(model).parameters()).view(-1)[0] += 1e-7
    assert ask(model) >= len(X)


@pytest.mark.parametrize("wrap", [lambda held: held.predict_proba, lambda held: lambda rows: held.predict_proba(rows)])
def test_networks_behind_functions_are_noticed(wrap, ask):
    """A bound method, and a closure."""
    held = plain()
    assert ask_function(ask, wrap(held)) >= len(X)
    assert ask_function(ask, wrap(by_pickle(held))) <= 3 * PROBE
    with torch.no_grad():
        held.network.layers[1].running_mean += 1e-7
    assert ask_function(ask, wrap(held)) >= len(X)


def ask_function(ask, function):
    return ask(as_teacher(function, classes=[0, 1, 2]))


def test_network_with_other_rounding_is_known_by_its_name(ask):
    """As on another device: the same weights in another precision."""
    model = plain()
    assert ask(model, teacher_id="wine") >= len(X)
    other = by_pickle(model)
    other.network.double()
    assert ask(other, teacher_id="wine") <= 3 * PROBE
    assert ask(other) >= len(X)


SCRIPT = """
import sys
sys.path.insert(0, sys.argv[1])
import test_recognition_of_networks as networks
from skdistill.teachers._recognition import recognise
for make in (networks.plain, networks.skorch, networks.tabnet):
    with open(f"{sys.argv[2]}/{make.__name__}", "rb") as file:
        model = networks.pickle.load(file)
    print(recognise(model, lambda: model.predict_proba(networks.X)).hex())
"""


def test_other_processes_and_hash_seeds_know_them(tmp_path):
    """Saved networks are the same in each process."""
    sys.path.insert(0, os.path.dirname(__file__))
    try:
        import test_recognition_of_networks as networks
    finally:
        sys.path.pop(0)
    for make in (networks.plain, networks.skorch, networks.tabnet):
        (tmp_path / make.__name__).write_bytes(pickle.dumps(make()))
    found = [
        subprocess.run(
            [sys.executable, "-c", SCRIPT, os.path.dirname(__file__), str(tmp_path)],
            env={**os.environ, "PYTHONHASHSEED": seed},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert found[0] == found[1]
    assert len(set(found[0].split())) == 3
