"""The collection: thinned tests keep each value of each of their parameters, and tests hold no examples."""

import re
from pathlib import Path

import pytest


@pytest.mark.thinned(3)
@pytest.mark.parametrize(("letter", "number"), [("a", 1), ("b", 2), ("c", 3), ("d", 4)])
@pytest.mark.parametrize("sign", "+-*")
def test_a_third_of_the_combinations_runs(letter, number, sign, request):
    """Those whose places add up to a multiple of three; the others are marked as slow."""
    is_slow = request.node.get_closest_marker("slow") is not None
    assert is_slow == (("abcd".index(letter) + "+-*".index(sign)) % 3 > 0)


def test_each_value_of_each_parameter_remains(request):
    """Whatever is left out, each letter and each sign is run with another one."""
    items = [item for item in request.session.items if "test_a_third" in item.name]
    run = [item.callspec.params for item in items if item.get_closest_marker("slow") is None]
    if len(run) < 4:
        pytest.skip("the combinations were not all collected")
    assert {params["letter"] for params in run} == set("abcd")
    assert {params["sign"] for params in run} == set("+-*")


def test_tests_hold_no_examples():
    """Those of the package are run; in files of tests nobody looks for any."""
    for path in Path(__file__).parent.rglob("*.py"):
        assert not re.search(r"^\s*>>> ", path.read_text(encoding="utf-8"), re.MULTILINE), path
