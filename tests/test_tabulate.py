import re
from html import unescape

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skdistill._tabulate import as_html, as_text, cells

NUMBERS = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=6)
TEXTS = st.lists(st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1), min_size=1, max_size=6)


@given(values=NUMBERS)
def test_numbers_are_near_what_they_were(values):
    """A column has one number of digits, enough for three of its largest number."""
    texts = cells(values)
    assert len({len(text.partition(".")[2]) for text in texts}) == 1
    read = np.array([float(text.replace(",", "")) for text in texts])
    assert np.all(np.abs(read - values) <= 0.005 * np.max(np.abs(values)) + 1e-12)


def test_what_is_not_known_is_a_dash():
    """None and NaN; infinity, labels and truths are written out; integers have no decimals beside floats."""
    assert cells([None, float("nan"), 0.5]) == ["-", "-", "0.500"]
    assert cells([float("inf"), True, np.bool_(False), "a"]) == ["inf", "True", "False", "a"]
    assert cells([3, 0.25]) == ["3", "0.250"]
    assert cells([0.0, 1.0]) == ["0.000", "1.000"]
    assert cells([1234567.8]) == ["1,234,568"]
    assert cells([35_222.0, 137.949, 5.6]) == ["35,222.0", "137.9", "5.6"]
    assert cells([]) == []


def test_text_is_aligned():
    """Texts left, numbers right, and no blanks at the ends of lines."""
    text = as_text({"model": ["teacher", "student"], "skill": [1.0, 0.25], "n": [10, 1000]})
    assert text.splitlines() == ["model    skill      n", "teacher  1.000     10", "student  0.250  1,000"]


@given(names=TEXTS, values=TEXTS)
def test_nothing_reaches_html_unescaped(names, values):
    """Names and cells come back whole once they are unescaped, and make no tags."""
    html = as_html(dict.fromkeys(names, values))
    assert re.sub(r"</?(table|thead|tbody|tr|th|td)\b[^<>]*>", "", html).count("<") == 0
    found = [unescape(cell) for cell in re.findall(r"<t[hd][^>]*>([^<]*)</t[hd]>", html)]
    distinct = list(dict.fromkeys(names))
    assert found == distinct + [value for value in values for _ in distinct]


def test_html_tells_which_cells_are_heads():
    """The first column heads its rows; texts are marked so that they can stand left."""
    html = as_html({"model": ["teacher"], "skill": [0.5], "says": ["yes"]})
    assert '<th scope="col" class=text>model</th>' in html
    assert '<th scope="row" class=text>teacher</th><td>0.500</td><td class=text>yes</td>' in html


def test_columns_may_be_read_once_only():
    """Iterators serve as well as arrays."""
    assert as_text({"a": iter(["x", "yy"])}) == as_text({"a": ["x", "yy"]})
    assert as_html({"a": iter(["x", "yy"])}) == as_html({"a": np.array(["x", "yy"])})


def test_columns_are_equally_long():
    """Anything else is an error of the caller's."""
    with pytest.raises(ValueError, match="zip"):
        as_text({"a": [1], "b": [1, 2]})


@given(st.text(st.characters(exclude_categories=[])), st.sampled_from(["\ud800", "\udfff"]))
def test_halves_of_characters_are_replaced(text, half):
    """Whatever texts a table holds, it can be written to a file; whole characters stay."""
    table = {f"name {half}{text}": [f"{text}{half} ", "\U0001f600"]}
    for written in (as_text(table), as_html(table)):
        assert "\ufffd" in written.encode().decode()
        assert "\U0001f600" in written
