"""Arrays in pickles: nothing is lost, whatever is in them, and files of earlier releases are read."""

import json
import pickle
import zlib
from dataclasses import replace

import lightgbm
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from skdistill.compiled import Columns, CompiledModel, Design, Forest, Linear, Network
from skdistill.compiled._forest_packing import _sizes
from skdistill.compiled._packing import pack_arrays, unpack_arrays
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


def assert_same_tests(flat, back):
    """The thresholds are the same numbers, and splits of categories have the same subsets, whose numbers may differ."""
    coded = flat.is_category[flat.feature]
    assert back.threshold.dtype == flat.threshold.dtype
    np.testing.assert_array_equal(back.threshold[~coded], flat.threshold[~coded])
    subsets = [one.subsets[one.threshold[coded].astype(int)] for one in (flat, back)]
    np.testing.assert_array_equal(*subsets)


@settings(max_examples=40, deadline=None)
@given(
    thresholds=arrays(
        st.sampled_from([np.float32, np.float64]),
        st.integers(1, 40),
        elements=st.one_of(
            st.integers(-300, 300).map(lambda number: number / 8),
            st.integers(-(2**24), 2**24).map(float),
            st.sampled_from([0.0, 2.0**-120, 2.0**120, -(2.0**60), np.inf, -np.inf]),
            st.floats(width=32, allow_nan=False),
        ),
    ),
    n_constants=st.integers(0, 2),
)
def test_any_thresholds_come_back(thresholds, n_constants):
    """Multiples of a power of two, far apart, tiny, infinite: the same number; and trees without splits stay."""
    n_splits = len(thresholds)
    flat = Forest(
        n_features=3,
        feature=np.arange(n_splits) % 2,
        threshold=thresholds,
        missing_left=np.arange(n_splits) % 3 == 0,
        n_left=np.zeros(n_splits, dtype=int),
        tree_splits=np.append(n_splits, np.zeros(n_constants, dtype=int)),
        tree_output=np.zeros(1 + n_constants, dtype=int),
        value=np.arange(n_splits + 1.0 + n_constants)[:, None],
        base=np.zeros(1),
    )
    back = pickle.loads(pickle.dumps(flat))
    assert_same_tests(flat, back)
    for name in ("feature", "missing_left", "n_left", "tree_splits", "tree_output", "value", "n_features"):
        np.testing.assert_array_equal(getattr(back, name), getattr(flat, name))


def test_numbers_on_a_grid_take_few_bits():
    """Thresholds halfway between whole numbers take about a byte each, wherever they lie."""
    rng = np.random.default_rng(0)
    flat, _ = forest(200)
    sizes = {}
    for name, threshold in {
        "whole": np.rint(rng.uniform(1e5, 1e5 + 2e4, len(flat.feature))) + 0.5,
        "any": rng.uniform(1e5, 1e5 + 2e4, len(flat.feature)),
    }.items():
        is_number = ~flat.is_category[flat.feature]
        changed = replace(flat, threshold=np.where(is_number, threshold, flat.threshold).astype(np.float32))
        sizes[name] = changed.n_bytes
    assert sizes["whole"] < sizes["any"] - 0.5 * np.count_nonzero(is_number)


def test_a_subset_takes_a_bit_for_each_category_of_its_column():
    """Columns with few categories do not pay for those with many."""
    rng = np.random.default_rng(0)
    subsets = np.zeros((40, 600), dtype=bool)
    subsets[:, :4] = rng.random((40, 4)) < 0.5
    subsets[20:] = rng.random((20, 600)) < 0.5
    flat = Forest(
        n_features=2,
        feature=np.repeat([0, 1], 20),
        threshold=np.arange(40, dtype=np.float32),
        missing_left=np.zeros(40, dtype=bool),
        n_left=np.zeros(40, dtype=int),
        tree_splits=np.array([40]),
        tree_output=np.array([0]),
        value=np.zeros((41, 1)),
        base=np.zeros(1),
        subsets=subsets,
        is_category=np.array([True, True]),
    )
    assert_same_tests(flat, pickle.loads(pickle.dumps(flat)))
    assert flat.n_bytes < 20 * 600 / 8 + 20 * 4 / 8 + 300


@pytest.mark.parametrize("names", [None, ["a", "b c", "ü"]])
@pytest.mark.parametrize("categories", [None, [None, None, None], [None, ["x", "y"], None]])
def test_columns_come_back_with_their_names(names, categories):
    """Names, categories and columns of times, or none of them, as files of earlier releases have them too."""
    columns = None
    if categories is not None:
        known = [None if of_column is None else np.array(of_column, dtype=object) for of_column in categories]
        columns = Columns(known, np.array([False, False, True]))
    model = CompiledModel(Linear(np.ones((3, 1)), np.zeros(1)), columns=columns, names=names)
    former = object.__new__(CompiledModel)
    packed = None if names is None else zlib.compress(json.dumps(names).encode())
    former.__setstate__({"scorer": model.scorer, "columns": columns, "names": packed})
    for back in (pickle.loads(pickle.dumps(model)), former):
        assert back.feature_names_in_ == names
        if columns is None:
            assert back.columns is None
        else:
            assert [known if known is None else list(known) for known in back.columns.categories] == categories
            assert back.columns.is_time.tolist() == [False, False, True]


@pytest.mark.parametrize("n_leaves", [2, 3, 40, 600])
def test_shapes_of_trees_take_two_bits_a_split(n_leaves):
    """Sizes of both subtrees follow from whether the children are splits; many splits of a feature as well."""
    flat, X = forest(n_leaves)
    n_right = flat.spans.n_splits - 1 - flat.n_left
    sizes = _sizes(((flat.n_left > 0) + 2 * (n_right > 0)).astype(np.uint8))
    np.testing.assert_array_equal(sizes, (flat.n_left, n_right))
    back = pickle.loads(pickle.dumps(flat))
    for name in ("feature", "missing_left", "n_left", "tree_splits", "tree_output", "value"):
        np.testing.assert_array_equal(getattr(back, name), getattr(flat, name))
    assert_same_tests(flat, back)
    np.testing.assert_array_equal(back.leaves(X), flat.leaves(X))
