"""Networks of torch are read as the library answers; their rules are tested with layers that only look like its own."""

from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_wine

import skdistill
from skdistill import DistilledClassifier
from skdistill.convert._torch import from_module, layers_of_module
from skdistill.exceptions import CompileError, StudentError
from skdistill.students import CompactInheritedClassifier, CompactMLPClassifier

RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(50, 3))


class Tensor(np.ndarray):
    """An array with the methods of a tensor that are used."""

    def detach(self):
        return self

    cpu = numpy = detach


def drawn(*shape):
    return RNG.normal(size=shape).view(Tensor)


def layer(kind, **attributes):
    """Return a layer that looks like one of torch."""
    made = type(kind, (SimpleNamespace,), {"__module__": "torch.nn.modules"})
    return made(**{"training": False} | attributes)


def linear(n_inputs, n_outputs):
    return layer("Linear", weight=drawn(n_outputs, n_inputs), bias=drawn(n_outputs))


def normalised(n_inputs, **attributes):
    numbers = {"running_mean": drawn(n_inputs), "running_var": np.exp(drawn(n_inputs)), "eps": 1e-5}
    return layer("BatchNorm1d", weight=drawn(n_inputs), bias=drawn(n_inputs), **numbers | attributes)


class Layers(list):
    """Layers in their order."""


Layers.__name__, Layers.__module__ = "Sequential", "torch.nn.modules.container"


def forward(layers, rows):
    """Return what the layers compute, one after the other."""
    for each in layers:
        kind = type(each).__name__
        if kind == "Sequential":
            rows = forward(each, rows)
        elif kind == "Linear":
            rows = rows @ np.asarray(each.weight).T + np.asarray(each.bias)
        elif kind == "BatchNorm1d":
            scaled = (rows - np.asarray(each.running_mean)) / np.sqrt(np.asarray(each.running_var) + each.eps)
            rows = scaled * np.asarray(each.weight) + np.asarray(each.bias)
        elif kind in ("ReLU", "LeakyReLU"):
            rows = np.where(rows > 0, rows, getattr(each, "negative_slope", 0.0) * rows)
    return rows


@pytest.mark.parametrize(
    ("layers", "hidden"),
    [
        ([linear(3, 4), layer("ReLU"), linear(4, 2)], [4]),
        ([linear(3, 4), layer("LeakyReLU", negative_slope=0.2), linear(4, 2)], [8]),
        ([linear(3, 4), linear(4, 5), layer("Dropout", p=0.5), layer("ReLU"), linear(5, 2)], [5]),
        ([normalised(3), linear(3, 4), normalised(4), layer("ReLU"), normalised(4), linear(4, 2), normalised(2)], [4]),
        ([normalised(3), normalised(3), layer("ReLU"), linear(3, 2)], [3]),
        ([linear(3, 4), layer("ReLU"), Layers([linear(4, 4), layer("ReLU")]), layer("Identity")], [4, 4]),
    ],
    ids=lambda part: "-".join(type(each).__name__ for each in part) if isinstance(part, Layers | list) else None,
)
def test_layers_are_folded(layers, hidden):
    """Linear layers become one, batch normalisation too, and a leaky unit takes two units."""
    module = Layers(layers)
    assert [len(bias) for bias in layers_of_module(module).biases[:-1]] == hidden
    np.testing.assert_allclose(from_module(module)(ROWS), forward(layers, ROWS), atol=1e-9)


@pytest.mark.parametrize(
    ("layers", "match"),
    [
        ([linear(3, 2), layer("Tanh")], "a layer Tanh; expected an nn.Sequential of Linear"),
        ([linear(3, 2), layer("Dropout", p=0.1, training=True)], "dropout in training mode; .* module.eval"),
        ([normalised(3, training=True), linear(3, 2)], "batch normalisation by each batch; .* module.eval"),
        ([normalised(3, running_mean=None), linear(3, 2)], "batch normalisation by each batch"),
        ([layer("ReLU"), linear(3, 2)], "an activation without a Linear layer before it"),
        ([linear(3, 2), layer("Softmax", dim=0)], r"Softmax\(dim=0\)"),
        ([linear(3, 2), layer("Softmax", dim=1), linear(2, 2)], "a layer Linear after a softmax layer"),
        ([layer("Linear", weight=np.full((2, 3), np.nan).view(Tensor), bias=None)], "weights that are NaN"),
        ([], "an activation without a Linear layer"),
    ],
)
def test_other_layers_are_refused(layers, match):
    """And training mode where it changes what the module computes."""
    with pytest.raises(CompileError, match=f"compile: the torch module Sequential has {match}"):
        layers_of_module(Layers(layers))


# ---------------------------------------------------------------------- the library itself, where it is installed


def trained(X, n_outputs, *last):
    """Return a module whose running means are those of some rows, in evaluation mode."""
    torch = pytest.importorskip("torch")
    nn = torch.nn
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.BatchNorm1d(X.shape[1]),
        nn.Linear(X.shape[1], 24),
        nn.BatchNorm1d(24),
        nn.LeakyReLU(0.1),
        nn.Dropout(0.2),
        nn.Sequential(nn.Linear(24, 20, bias=False), nn.ReLU()),
        nn.Linear(20, n_outputs),
        *(getattr(nn, name)(**params) for name, params in last),
    )
    for _ in range(30):
        module(torch.as_tensor(X, dtype=torch.float32))
    return module.eval()


@pytest.mark.parametrize(
    ("n_outputs", "last"), [(3, ()), (1, ()), (3, [("Softmax", {"dim": 1})]), (1, [("Sigmoid", {})])], ids=str
)
def test_modules_answer_as_the_library(n_outputs, last):
    """Many rows and one."""
    X, _ = load_wine(return_X_y=True)
    module = trained(X, n_outputs, *last)
    torch = pytest.importorskip("torch")
    expected, compiled = module(torch.as_tensor(X, dtype=torch.float32)).detach().numpy(), skdistill.compile(module)
    np.testing.assert_allclose(compiled(X), expected, rtol=0, atol=2e-6)
    np.testing.assert_allclose(compiled(X[0]), expected[0], rtol=0, atol=2e-6)


@pytest.mark.parametrize("load", [load_breast_cancer, load_wine])
def test_students_inherit_its_units(load):
    """Of two classes as well, for which the module has two scores; modules without units or of others are refused."""
    X, y = load(return_X_y=True)
    n_classes = y.max() + 1
    module = trained(X, n_classes)
    torch = pytest.importorskip("torch")

    def proba(rows):
        scores = 3 * module(torch.as_tensor(np.asarray(rows), dtype=torch.float32)).detach()
        return torch.softmax(scores, dim=1).numpy()

    for student in (CompactInheritedClassifier(900, init=module), CompactMLPClassifier((16, 12), init=module)):
        model = DistilledClassifier(proba, student, sampler=None, random_state=0).fit(X, y)
        assert model.fidelity(X) > 0.9
    with pytest.raises(StudentError, match=r"nothing can be inherited from a Sequential .*a layer Tanh"):
        CompactInheritedClassifier(900, init=torch.nn.Sequential(module, torch.nn.Tanh())).fit_soft(X, proba(X))
