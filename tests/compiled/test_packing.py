"""Arrays in pickles: nothing is lost, whatever is in them, and files of earlier releases are read."""

import pickle
import zlib

import lightgbm
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from skdistill.compiled import CompiledModel, Design, Forest, Network
from skdistill.compiled._packing import _sizes, pack_arrays, unpack_arrays
from skdistill.convert import forest_from_lightgbm

FEW = st.sampled_from([0.0, -0.0, 0.125, -0.25, 1.0, 127.0, np.inf, -np.inf, np.nan, 2.0**-100])


@settings(max_examples=60, deadline=None)
@given(
    few=arrays(np.float32, st.integers(0, 400), elements=FEW),
    many=arrays(np.float64, st.integers(0, 90), elements=st.floats(width=64)),
    step=st.floats(1e-3, 1e3),
    flags=arrays(bool, st.tuples(st.integers(0, 5), st.integers(0, 9))),
)
def test_the_bits_come_back(few, many, step, flags):
    """Also those of NaN, of negative zeros, and of multiples of a step that cannot be recovered exactly."""
    codes = np.arange(few.size) % 100 - 50
    given_arrays = {
        "few": few,
        "many": many,
        "multiples": (codes * np.float64(np.float16(step))).astype(np.float32),
        "nearly": (codes * step).astype(np.float32).reshape(-1, 1),
        "flags": flags,
        "one": np.array(7),
    }
    back = unpack_arrays(pickle.loads(pickle.dumps(pack_arrays(given_arrays))))
    assert list(back) == list(given_arrays)
    for name, array in given_arrays.items():
        assert (back[name].dtype, back[name].shape) == (array.dtype, array.shape)
        assert back[name].tobytes() == array.tobytes()


def test_few_values_take_few_bits():
    """Multiples of a step take less than a byte, and any 16 values half a byte and the table."""
    rng = np.random.default_rng(0)
    codes = rng.integers(-7, 8, 4000)
    for values in (np.arange(-7, 8) * 0.375, rng.normal(size=15)):
        array = values.astype(np.float32)[codes + 7]
        assert len(pack_arrays({"a": array})) < 4000 * 4.1 / 8 + 200


def forest(n_leaves=12):
    rng = np.random.RandomState(0)
    X = rng.normal(size=(500, 5)).astype(np.float32)
    X[:, 4] = rng.randint(0, 9, 500)
    X[::7, 0] = np.nan
    params = {"num_leaves": n_leaves, "min_data_in_leaf": 3, "verbosity": -1, "num_threads": 1}
    y = np.nan_to_num(X[:, 0]) * X[:, 1] + (X[:, 4] == 3)
    grown = lightgbm.train(params, lightgbm.Dataset(X, y, categorical_feature=[4]), 10)
    return forest_from_lightgbm([grown.model_to_string()]), X


def former_arrays(given_arrays):
    """Pack arrays as earlier releases did."""
    described, planes = [], []
    for name, array in given_arrays.items():
        described.append((name, array.dtype.str, array.shape))
        flat = np.packbits(array) if array.dtype == bool else np.ascontiguousarray(array).reshape(-1)
        planes.append(flat.view(np.uint8).reshape(len(flat), flat.itemsize).T.tobytes())
    return described, zlib.compress(b"".join(planes), 9)


def former_forest(flat):
    """Return the state of a forest in pickles of earlier releases."""
    ints = ("feature", "n_left", "tree_splits", "tree_output")
    others = ("missing_left", "value", "base", "subsets", "is_category", "unit")
    state = {name: getattr(flat, name) for name in others}
    state |= {name: getattr(flat, name).astype(np.uint16) for name in ints}
    cut, cuts = np.zeros(len(flat.feature), dtype=np.uint16), []
    for feature in np.unique(flat.feature):
        of = flat.feature == feature
        distinct, cut[of] = np.unique(flat.threshold[of], return_inverse=True)
        cuts.append(distinct)
    state |= {"n_features": np.array(flat.n_features), "threshold": np.concatenate(cuts), "cut": cut}
    return former_arrays(state | {"n_cuts": np.array([len(distinct) for distinct in cuts], dtype=np.uint8)})


def test_forests_of_earlier_releases_are_read():
    """Thresholds, shapes and values are the same."""
    flat, X = forest()
    former = object.__new__(Forest)
    former.__setstate__(pickle.loads(pickle.dumps(former_forest(flat))))
    np.testing.assert_array_equal(former.scores(X), flat.scores(X))
    np.testing.assert_array_equal(former.n_left, flat.n_left)


def test_models_of_earlier_releases_are_read():
    """Their labels are arrays, all their attributes are in the file, and designs are packed by themselves."""
    flat, X = forest()
    labels = np.array(["no", "yes"], dtype=object)
    model = CompiledModel(flat, "binary", classes=labels)
    former = object.__new__(CompiledModel)
    state = {name: model.__dict__[name] for name in ("scorer", "link", "power", "classes_", "columns", "is_single")}
    former.__setstate__(pickle.loads(pickle.dumps(state | {"quantization_loss_": 0.0, "names": None})))
    np.testing.assert_array_equal(former(X), model(X))
    np.testing.assert_array_equal(former.predict(X), model.predict(X))
    design = Design.of(X[:, 1:4], np.ones(len(X)), np.zeros(3, dtype=int))
    weights = [np.ones((3, 2)), np.ones((2, 1))]
    network = Network(design, weights, [np.zeros(2)], np.zeros(1), np.ones(1))
    arrays_of = {"weights/0": weights[0], "weights/1": weights[1], "biases/0": np.zeros(2)}
    arrays_of |= {"base": network.base, "unit": network.unit}
    former = object.__new__(Network)
    state = {"design": design, "weights": [], "biases": [], "pairs": None}
    former.__setstate__(state | {"packed": former_arrays(arrays_of)})
    np.testing.assert_array_equal(former.scores(X[:, 1:4]), network.scores(X[:, 1:4]))


@pytest.mark.parametrize(
    "labels",
    [
        np.array([0, 1]),
        np.array([False, True]),
        np.array(["a", "b"]),
        np.array(["a", "b"], dtype=object),
        np.array([1.5, 2.5], dtype=np.float32),
        np.array(["2020-01-01", "2020-01-02"], dtype="M8[D]"),
        np.array([1, "a"], dtype=object),
    ],
    ids=lambda labels: labels.dtype.str,
)
def test_labels_come_back(labels):
    """With their dtype, and with the types of objects."""
    model = CompiledModel(forest()[0], "binary", classes=labels)
    back = pickle.loads(pickle.dumps(model)).classes_
    assert back.dtype == labels.dtype
    assert [type(label) for label in back.tolist()] == [type(label) for label in labels.tolist()]
    np.testing.assert_array_equal(back, labels)


@pytest.mark.parametrize("n_leaves", [2, 3, 40, 600])
def test_shapes_of_trees_take_two_bits_a_split(n_leaves):
    """Sizes of both subtrees follow from whether the children are splits; many splits of a feature as well."""
    flat, X = forest(n_leaves)
    n_right = flat.spans.n_splits - 1 - flat.n_left
    sizes = _sizes(((flat.n_left > 0) + 2 * (n_right > 0)).astype(np.uint8))
    np.testing.assert_array_equal(sizes, (flat.n_left, n_right))
    back = pickle.loads(pickle.dumps(flat))
    for name in ("feature", "threshold", "missing_left", "n_left", "value", "subsets"):
        np.testing.assert_array_equal(getattr(back, name), getattr(flat, name))
    np.testing.assert_array_equal(back.leaves(X), flat.leaves(X))
