"""Layouts and types of numbers in C, and rows in blocks: each form is run and answers as the model does."""

import ctypes
import re
import shutil
import subprocess

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_models import random_forest, random_model
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.tree import DecisionTreeRegressor

import skdistill
from skdistill.compiled import Columns, CompiledModel, Decision, Forest, Linear, Sum
from skdistill.exceptions import ExportError
from skdistill.export import _c_masks, to_c
from skdistill.export._c import c_header, c_text
from skdistill.export._floats import _at_most
from skdistill.export._integers import as_integers, integer_difference
from skdistill.export._program import program_of
from skdistill.export._rows import rows_for
from skdistill.export._runtimes import C_FLAGS, CRun
from skdistill.students import CompactBoostingClassifier

needs_gcc = pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed: C is not tested")
RNG = np.random.RandomState(0)
X = RNG.normal(size=(400, 3)).round(2)
X[RNG.uniform(size=X.shape) < 0.05] = np.nan
Y = np.nansum(X * [1, 2, 0], axis=1) * (1 + np.nan_to_num(X[:, 2]))


def forest(n_trees, n_leaves, y=Y):
    return skdistill.compile(
        RandomForestRegressor(n_trees, max_leaf_nodes=n_leaves, random_state=0).fit(X, y), dtype="float64"
    )


@needs_gcc
def test_masks_of_any_width():
    """Trees of 8, 16, 32 and 64 leaves and larger ones, and more trees than are kept at a time."""
    shapes = [(2, 8), (2, 16), (2, 32), (2, 64), (2, 65), (130, 3)]
    model = CompiledModel(Sum([forest(*shape).scorer for shape in shapes]))
    assert to_c(model, X=X).largest_difference <= 1e-12


@needs_gcc
def test_many_rows_through_ctypes(tmp_path):
    """An array of doubles is an array of rows, of any number of rows; outputs and labels are those of the student."""
    y = np.digitize(Y, [-1.0, 1.0])
    student = CompactBoostingClassifier(3, 8, random_state=0).fit(X, y)
    to_c(student, path=tmp_path / "model.c", verify=False)
    subprocess.run(
        ["gcc", *C_FLAGS, "-fPIC", "-shared", "model.c", "-o", "model.so", "-lm"], cwd=tmp_path, check=True, timeout=120
    )
    library = ctypes.CDLL(tmp_path / "model.so")
    for n_rows in (0, 1, 31, 32, 33, len(X)):
        rows, proba = np.ascontiguousarray(X[:n_rows]), np.full((n_rows, 3), np.nan)
        labels = np.full(n_rows, -1, dtype=np.intc)
        arguments = ctypes.c_void_p(rows.ctypes.data), ctypes.c_size_t(n_rows)
        library.model_predict_proba_batch(*arguments, ctypes.c_void_p(proba.ctypes.data))
        library.model_predict_batch(*arguments, ctypes.c_void_p(labels.ctypes.data))
        if n_rows:
            np.testing.assert_allclose(proba, student.predict_proba(rows), rtol=1e-12)
            np.testing.assert_array_equal(labels, student.predict(rows))


FAULTS = {
    "one row": ("_ONE_ROW", "&= ", "&= ~", "differs in a batch"),
    "a block": ("_BLOCK", "stays[r] | mask", "stays[r] & mask", "differs in a batch"),
}


@needs_gcc
@pytest.mark.parametrize("fault", FAULTS)
def test_rows_alone_and_in_blocks_are_compared(monkeypatch, fault):
    """A fault in either function is an error."""
    template, right, wrong, message = FAULTS[fault]
    text = getattr(_c_masks, template)
    assert right in text
    monkeypatch.setattr(_c_masks, template, text.replace(right, wrong))
    with pytest.raises(ExportError, match=message):
        to_c(forest(2, 4))


@pytest.mark.thinned(2)
@needs_gcc
@pytest.mark.parametrize("layout", ["fast", "table"])
@pytest.mark.parametrize("dtype", ["float", "int"])
def test_other_numbers(layout, dtype):
    """A forest with categories and missing cells on both sides, in single precision and of integers."""
    exported = to_c(random_model(36, "forest"), layout=layout, dtype=dtype)
    assert exported.n_rows > 200
    if dtype == "int":
        assert exported.largest_difference <= exported.largest_rounding
        code = exported.text.split("#include", 1)[1]
        assert re.search(r"\b(float|double|math)\b", code) is None
    else:
        assert exported.largest_difference <= 1e-5
        assert re.search(r"\bdouble\b", exported.text + exported.header) is None


@pytest.mark.parametrize("seed", range(0, 60, 3))
def test_every_function_is_called(seed):
    """Compilers warn of functions that nothing calls: no form of any model has one, not even trees without numbers."""
    model = random_model(seed, "forest")
    for layout, dtype in FORMS:
        try:
            text = to_c(model, layout=layout, dtype=dtype, verify=False).text
        except ExportError:
            continue
        names = re.findall(r"^(?:WIDE )?static [^=;]*?(\w+)\(", text, flags=re.MULTILINE)
        assert names
        assert [name for name in names if len(re.findall(rf"\b{name}\(", text)) < 2] == []


FORMS = [(layout, dtype) for layout in ("fast", "table") for dtype in ("double", "float", "int")]


@pytest.mark.slow
@needs_gcc
@pytest.mark.parametrize("seed", range(60))
def test_more_forms(seed):
    """Every kind of model in every form where it is possible, and watched by sanitizers without vector instructions."""
    for layout, dtype in FORMS:
        try:
            exported = to_c(random_model(seed), layout=layout, dtype=dtype)
        except ExportError as error:
            if re.search(r"holds times|is not possible for this model", str(error)) is None:
                raise
            continue
        assert exported.n_rows > 200
    assert_watched(random_model(seed, "forest"))


def assert_watched(model, *flags):
    program = program_of(model)
    text, header, rows = c_text(program, "model"), c_header(program, "model"), rows_for(model, program)
    watched = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-O1", "-DONE_PROCESSOR"]
    outputs, _ = CRun(program, text, header, "model", flags=[*C_FLAGS, *watched, *flags])(rows.plain)
    np.testing.assert_allclose(outputs, rows.expected, rtol=1e-9, atol=1e-9 * np.abs(rows.expected).max())


@pytest.mark.slow
@needs_gcc
@pytest.mark.parametrize("shape", [(3, 8), (70, 16), (10, 32), (10, 33), (130, 64), (3, 65)])
def test_forests_of_any_shape(shape):
    """One and several outputs, in all forms, with sanitizers."""
    classifier = RandomForestClassifier(shape[0], max_leaf_nodes=shape[1], random_state=0)
    for model in (forest(*shape), skdistill.compile(classifier.fit(X, np.digitize(Y, [-1, 1])), dtype="float64")):
        assert_watched(model)
        for layout in ("fast", "table"):
            for dtype in ("double", "float", "int"):
                assert to_c(model, layout=layout, dtype=dtype).largest_difference <= 1e-5


@pytest.mark.slow
@needs_gcc
@pytest.mark.parametrize("n_columns", [300, 600, 1500])
def test_wide_rows(n_columns):
    """Blocks have fewer rows, or there are none."""
    wide = np.random.RandomState(0).normal(size=(100, n_columns))
    model = RandomForestRegressor(5, max_leaf_nodes=8, random_state=0).fit(wide, wide[:, :5].sum(axis=1))
    assert to_c(model).largest_difference <= 1e-12


@pytest.mark.slow
@needs_gcc
def test_sizes():
    """Of 60 trees of 24 leaves: at most 6 bytes a parameter, and 4 as tables; a pickle, which is packed, has 2."""
    rows = np.random.RandomState(0).normal(size=(3000, 20))
    y = np.sin(rows[:, :6] @ np.arange(1, 7)) + rows[:, 7] * rows[:, 8] > 0
    student = CompactBoostingClassifier(60, 24, random_state=0).fit(rows, y)
    n_parameters = skdistill.compile(student).scorer.n_parameters
    assert to_c(student).object_bytes <= 6 * n_parameters
    assert to_c(student, layout="table").object_bytes <= 4 * n_parameters


@needs_gcc
def test_the_size_is_reported():
    """The bytes of code and tables are part of the representation; tables take fewer."""
    model = forest(2, 8)
    fast, small = to_c(model), to_c(model, layout="table")
    assert small.object_bytes < fast.object_bytes
    assert f"{small.object_bytes} bytes compiled" in repr(small)
    assert "compiled" not in repr(to_c(model, verify=False))


@given(st.floats(allow_nan=False), st.floats(width=32, allow_nan=False))
def test_floats_take_the_same_side(threshold, cell):
    """Any threshold, and the float next to it as well."""
    rounded = _at_most(np.array([threshold]))[0]
    with np.errstate(over="ignore"):
        following = np.nextafter(rounded, np.float32(np.inf))
    for value in (np.float32(cell), rounded, following):
        assert (float(value) <= threshold) == (value <= rounded)


def stump(threshold, missing_left=True, value=(1.0, 2.0)):
    """Return a tree with one split."""
    return Forest(
        n_features=1,
        feature=np.array([0]),
        threshold=np.array([threshold], dtype=np.float64),
        missing_left=np.array([missing_left]),
        n_left=np.array([0]),
        tree_splits=np.array([1]),
        tree_output=np.array([0]),
        value=np.array(value)[:, None],
        base=np.zeros(1),
    )


@given(
    st.one_of(st.floats(allow_nan=False), st.integers(-(2**31), 2**31)),
    st.integers(1 - 2**31, 2**31 - 2),
    st.integers(-1, 1),
)
def test_integers_take_the_same_side(threshold, cell, step):
    """Any threshold, infinite ones and those beyond the range too, and the integers beside it."""
    [part] = as_integers(program_of(CompiledModel(stump(float(threshold))))).program.parts
    near = int(np.clip(np.clip(threshold, -(2.0**31), 2.0**31) // 1 + step, 1 - 2**31, 2**31 - 2))
    for value in (cell, near):
        assert (value <= threshold) == (value <= int(part.threshold[0]))


IMPOSSIBLE = {
    "network": (random_model(2), "its parts are not all trees"),
    "exponential": (CompiledModel(stump(0.5), "exp"), "its link 'exp' needs an exponential"),
    "too large": (CompiledModel(stump(0.5, value=(1.0, 3e9))), "the values of the model reach 3e"),
    "thresholds": (
        CompiledModel(
            random_forest(np.random.default_rng(0), Columns([None], np.array([False])), 3),
            "one-vs-rest",
            classes=np.arange(3),
            decision=Decision((0.2, 0.3, 0.5), positive=0),
        ),
        "its thresholds of a decision",
    ),
    "times": (CompiledModel(stump(0.5), columns=Columns([None], np.array([True]))), "holds times"),
}


@pytest.mark.parametrize("kind", IMPOSSIBLE)
def test_models_of_no_integers(kind, tmp_path):
    """A clear error, and no file."""
    model, message = IMPOSSIBLE[kind]
    with pytest.raises(ExportError, match=message):
        to_c(model, dtype="int", path=tmp_path / "model.c")
    assert list(tmp_path.iterdir()) == []


def test_times_do_not_fit_floats():
    """Microseconds since 1970 need more digits."""
    with pytest.raises(ExportError, match="holds times, whose microseconds do not fit dtype='float'"):
        to_c(IMPOSSIBLE["times"][0], dtype="float")


@needs_gcc
def test_sums_that_need_doubles():
    """A small difference of large numbers is an error in single precision, with its cure."""
    model = CompiledModel(Linear(np.array([[1.0], [-1.0]]), np.zeros(1)))
    rows = 1e7 + np.arange(40.0).reshape(20, 2)
    with pytest.raises(ExportError, match=r'differ from those of the model[\s\S]*Export with dtype="double"'):
        to_c(CompiledModel(Linear(np.array([[1e9], [-1e9]]), np.zeros(1)), bounds=(-1e9, 1e9)), dtype="float", X=rows)
    assert to_c(model, X=rows).largest_difference <= 1e-9


@pytest.mark.parametrize(("option", "value"), [("layout", "small"), ("dtype", "float32"), ("dtype", np.float32)])
def test_unknown_forms(option, value):
    """The names that exist are said."""
    with pytest.raises(ExportError, match=f"to_c: {option}=.*; expected one of"):
        to_c(forest(1, 2), **{option: value})


def test_rounding_is_bounded():
    """Every sum of rounded leaf values is within the error that is stated, and one beyond it is found."""
    model = forest(40, 8)
    integers = as_integers(program_of(model))
    [part], [rounded] = program_of(model).parts, integers.program.parts
    errors = np.abs(rounded.stored / 2.0**integers.shift - part.value).max()
    assert 0 < errors <= 0.5 / 2**integers.shift
    scores = model.scorer.scores(np.nan_to_num(X))
    assert integer_difference(integers, scores, scores + integers.rounding / 2, None) < np.inf
    assert integer_difference(integers, scores, scores + 2 * integers.rounding, None) == np.inf


@pytest.mark.parametrize("positive", [0, 1])
@pytest.mark.parametrize("least", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("link", ["binary", "softmax"])
def test_labels_of_integers(link, least, positive):
    """Thresholds of a decision become thresholds of scores: labels that they exchange are found."""
    thresholds = (least, 1 - least) if positive == 0 else (1 - least, least)
    n_scores = 1 if link == "binary" else 2
    scorer = random_forest(np.random.default_rng(3), Columns([None], np.array([False])), n_scores)
    model = CompiledModel(
        scorer, link, classes=np.arange(2), decision=Decision(thresholds, positive=positive), columns=None
    )
    integers = as_integers(program_of(model))
    cells = np.linspace(-3, 3, 60)[:, None]
    scores, labels = scorer.scores(cells), (model(cells)[:, positive] >= least) ^ (positive == 0)
    answers = scores + integers.offsets
    assert integer_difference(integers, scores, answers, labels.astype(int).tolist()) <= integers.rounding
    assert integer_difference(integers, scores, answers, (~labels).astype(int).tolist()) == np.inf


def test_single_trees_have_few_bytes():
    """The text of a small tree stays small."""
    tree = DecisionTreeRegressor(max_leaf_nodes=4, random_state=0).fit(np.nan_to_num(X), Y)
    assert len(to_c(tree, layout="table", verify=False).text) < 5000
