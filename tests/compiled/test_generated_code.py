"""Generated code consists of numbers and of names of this package, whatever a model holds."""

import ast
import copy
import dataclasses
import io
import re
import token
import tokenize
from functools import cache
from inspect import getsource
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import skdistill
from skdistill.compiled import CompiledModel, Linear, _links, _row_code, _tree_code
from skdistill.compiled._code import FUNCTIONS, Code, float_literal, int_literal
from skdistill.exceptions import CompileError
from skdistill.students._families import FAMILIES

KEYWORDS = {"def", "row", "cells", "return", "if", "else", "in", "link", "proba", "int", "float", "where"}
METHODS = {"dot", "take", "sum", "item", "tolist"}
ARRAYS = {"center", "scale", "low", "high", "missing", "columns", "of_code", "of_pair", "first", "second"}
ARRAYS |= {"scales", "base", "linear", "twice", "squares", "coef"}
NUMBERED = re.compile(r"[sxwb]\d+|t\d+_\d+|z|h|u|length|inputs")
OPERATORS = set("()[]{},.:+-*/<>=") | {"<=", ">=", "!=", "+="}
HOSTILE = ["a'b", 'say "x"', "two\nlines", "{scores}", "\\", "pwned()", "]", "%s", "#", "''' + pwned + '''"]


def is_own(name):
    """Whether a name is one that the writers use; those of the parts of a sum have a prefix."""
    bare = re.sub(r"^(p\d+_)+", "", name)
    return bare in KEYWORDS | METHODS | ARRAYS | FUNCTIONS.keys() or NUMBERED.fullmatch(bare) is not None


@pytest.mark.parametrize(("columns", "n_features"), [([], 0), ([], 2), ([0], 1), ([1], 3), ([0, 1], 2)])
def test_cells_are_read_into_their_variables(columns, n_features):
    """All or some of them, and none of a row without cells."""
    known = {"given": [float(index) for index in range(n_features)]}
    exec("\n".join(line.strip() for line in _tree_code.reading(columns, n_features, cells="given", name="c")), known)
    assert {name: known[name] for name in known if name[1:].isdigit()} == {f"c{index}": index for index in columns}


def test_a_sum_leaves_what_its_last_part_has_read(monkeypatch):
    """Another part may have read other numbers into variables of the same names."""
    for kind, read in (("first", {0, 1}), ("last", {1})):
        code = Code(["    s0 = 1.0"], read=frozenset(read))
        monkeypatch.setitem(_row_code.WRITERS, kind, lambda scorer, prefix, code=code: code)
    parts = [SimpleNamespace(kind=kind) for kind in ("first", "last")]
    assert _row_code.row_code(SimpleNamespace(kind="sum", base=[0.0], parts=parts)).read == {1}


def assert_is_clean(source):
    """Every token is a number, an operator or a name of this package; no strings, no comments."""
    layout = {token.NEWLINE, token.INDENT, token.DEDENT, token.ENDMARKER, token.NL}
    for found in tokenize.generate_tokens(io.StringIO(source).readline):
        if found.type in layout:
            continue
        assert found.type in (token.NUMBER, token.OP, token.NAME), found
        assert found.type != token.OP or found.string in OPERATORS, found
        assert found.type != token.NAME or is_own(found.string), found


NUMBERS = np.random.RandomState(0).normal(size=(120, 3))
TEXTS = pd.DataFrame(NUMBERS.copy(), columns=HOSTILE[:3])
TEXTS[HOSTILE[5]] = np.resize(HOSTILE, 120)
TEXTS.iloc[::7, 0] = np.nan


SCORERS = [*FAMILIES, "weighted sums"]


@cache
def model_of(family, task="classes"):
    """Return a compiled student of a table whose names, categories and labels are hostile."""
    if family == "weighted sums":
        return CompiledModel(Linear(NUMBERS[:3, :1], np.ones(1)), is_single=True, bounds=(-np.inf, 2))
    signal = NUMBERS[:, 0] + NUMBERS[:, 1] ** 2
    y = np.array(HOSTILE)[np.digitize(signal, [0.0, 1.0])] if task == "classes" else signal
    student = FAMILIES[family].member(classifies=task == "classes")
    return skdistill.compile(student.fit(TEXTS, y))


@pytest.mark.thinned(2)
@pytest.mark.parametrize("task", ["classes", "values"])
@pytest.mark.parametrize("family", SCORERS)
def test_texts_are_never_part_of_the_code(family, task):
    """Column names, categories and labels with quotes, braces and line breaks."""
    model = model_of(family, task)
    assert_is_clean(model.source)
    assert len(model(TEXTS.iloc[:1, : model.n_features_in_])) == 1


def parts_of(scorer):
    """Return the paths of all fields of a scorer, its design and its parts."""
    for field in dataclasses.fields(scorer):
        value = getattr(scorer, field.name)
        if dataclasses.is_dataclass(value):
            yield from ((field.name, *path) for path in parts_of(value))
        elif isinstance(value, list):
            for place, item in enumerate(value):
                if dataclasses.is_dataclass(item):
                    yield from ((field.name, place, *path) for path in parts_of(item))
                else:
                    yield field.name, place
        elif value is not None:
            yield (field.name,)


def with_part(scorer, path, change):
    """Return a copy with a change of one of its fields, as a file that somebody has edited holds it."""
    first, *rest = path
    if not rest:
        replaced = change(scorer[first] if isinstance(scorer, list) else getattr(scorer, first))
    else:
        inner = scorer[first] if isinstance(scorer, list) else getattr(scorer, first)
        replaced = with_part(inner, rest, change)
    if isinstance(scorer, list):
        return [*scorer[:first], replaced, *scorer[first + 1 :]]
    clone = copy.copy(scorer)  # neither __init__ nor __post_init__ is called
    clone.__dict__ = {name: getattr(scorer, name) for name in scorer.__dataclass_fields__} | {first: replaced}
    return clone


class TextAsNumbers(np.ndarray):
    """An array of numbers that lists texts."""

    def tolist(self):
        """Return texts of the shape of the array."""
        return np.full(self.shape, "0], pwned, cells[0").tolist()


CHANGES = {
    "texts": lambda value: np.full(np.shape(value), "1/0", dtype=object),
    "fixed texts": lambda value: np.full(np.shape(value), "cells[0]"),
    "one text": lambda value: "0], pwned, cells[0",
}


@pytest.mark.thinned(3)
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("family", SCORERS)
def test_texts_in_fields_of_numbers_are_refused(family, change):
    """In any field of any scorer, whether arrays of objects, arrays of texts, or a text; the field is named."""
    scorer = model_of(family).scorer
    for path in parts_of(scorer):
        hostile = with_part(scorer, path, CHANGES[change])
        name = next(part for part in reversed(path) if isinstance(part, str))
        with pytest.raises(CompileError, match=f"{name} has .*; expected numbers. .*trusted source"):
            _row_code.row_code(hostile)
        if hasattr(scorer, "row"):
            with pytest.raises(CompileError, match=f"{name} has "):
                _ = hostile.row


@pytest.mark.parametrize("family", SCORERS)
def test_arrays_that_list_texts_leave_no_trace(family):
    """Whatever an array does when it is listed: there is no code, or clean code."""
    model = model_of(family)
    for path in parts_of(model.scorer):
        hostile = with_part(model.scorer, path, lambda value: np.asarray(value).view(TextAsNumbers))
        try:
            source = CompiledModel(hostile, "softmax").source
        except (CompileError, TypeError, ValueError, IndexError, RecursionError):
            continue
        assert_is_clean(source)


@settings(max_examples=40)
@given(
    st.floats() | st.integers(-(2**70), 2**70) | st.floats(width=32).map(np.float32) | st.integers(0, 9).map(np.int8)
)
def test_literals_are_the_number(number):
    """The code of a number evaluates to it, and is a number: also infinities and NaN, which have names."""
    source = float_literal(number)
    np.testing.assert_equal(eval(source, {"inf": np.inf, "nan": np.nan}), float(number))
    assert_is_clean(source)


@pytest.mark.parametrize("value", ["0], pwned, cells[0", "1", "nan", "", None, b"1", 1j, [1], np.array(["1"])])
def test_anything_else_is_no_number(value):
    """Texts are no numbers even if they spell one."""
    for literal in (float_literal, int_literal):
        with pytest.raises(CompileError, match="expected a number"):
            literal(value)


@pytest.mark.parametrize("value", [-1, 0.5, np.float32(1.5), np.int64(-3)])
def test_positions_are_nonnegative_integers(value):
    """A negative one would be an operator in the code."""
    with pytest.raises(CompileError, match="expected a position or a count"):
        int_literal(value)


class Float(float):
    """A float that is written as something else."""

    def __repr__(self):
        return "pwned"

    __str__ = __repr__
    __format__ = None


def test_numbers_are_not_written_by_themselves():
    """Their own text is not asked for."""
    assert float_literal(Float(1.5)) == "1.5"


@pytest.mark.parametrize("module", [_row_code, _tree_code, _links])
def test_numbers_are_written_in_one_place(module):
    """The writers use no repr, str, format or conversion, and write nothing that they read from a model directly."""
    for node in ast.walk(ast.parse(getsource(module))):
        assert not isinstance(node, ast.FormattedValue) or (node.conversion == -1 and node.format_spec is None)
        assert not isinstance(node, ast.FormattedValue) or not isinstance(node.value, ast.Attribute | ast.Subscript)
        is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        assert not is_call or node.func.id not in {"repr", "str", "format"}
