"""Thinned tests keep each value of each of their parameters."""

import pytest


@pytest.mark.thinned(3)
@pytest.mark.parametrize(("letter", "number"), [("a", 1), ("b", 2), ("c", 3), ("d", 4)])
@pytest.mark.parametrize("sign", "+-*")
def test_a_third_of_the_combinations_runs(letter, number, sign, request):
    """Those whose places add up to a multiple of three; the others are marked as slow."""
    is_slow = request.node.get_closest_marker("slow") is not None
    assert is_slow == (("abcd".index(letter) + "+-*".index(sign)) % 3 > 0)
