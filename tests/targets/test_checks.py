import numpy as np
import pytest

from skdistill.targets import blend, centred_logits, fit_margin_scale, one_hot, scheduled_temperature, soften, softmax

P = np.array([[0.2, 0.8], [0.5, 0.5]])


def test_lists_are_arrays():
    """Each function accepts what numpy converts to an array."""
    np.testing.assert_array_equal(softmax(P.tolist()), softmax(P))
    np.testing.assert_array_equal(centred_logits(P.tolist()), centred_logits(P))
    np.testing.assert_array_equal(soften(P.tolist(), 2), soften(P, 2.0))
    np.testing.assert_array_equal(blend(P.tolist(), P.tolist(), 0.5), P)
    assert fit_margin_scale(P.tolist(), P.tolist()) == fit_margin_scale(P, P)
    np.testing.assert_array_equal(one_hot(["b"], ["a", "b"]), [[0, 1]])


@pytest.mark.parametrize("temperature", [-1, 0, np.nan, np.inf, "2", None, True])
def test_temperatures_are_positive_numbers(temperature):
    """A negative temperature would turn the probabilities round, and NaN would spread."""
    with pytest.raises(ValueError, match=r"soften: temperature=.*expected a number above 0"):
        soften(P, temperature)


@pytest.mark.parametrize(
    "function", [softmax, centred_logits, lambda given: soften(given, 2.0), fit_margin_scale], ids=range(4)
)
@pytest.mark.parametrize(
    ("given", "said"),
    [
        (P * np.nan, "NaN or infinity"),
        (P * np.inf, "NaN or infinity"),
        (P[0], r"has shape \(2,\); expected \(n_samples, n_classes\)"),
        (P[:0], r"has shape \(0, 2\)"),
        (P + 1j, "dtype complex128; expected real numbers"),
        ([["a", "b"]], "expected real numbers"),
        ([[1.0], [1.0, 2.0]], "rows of different lengths"),
        (None, "is None; expected an array of numbers"),
    ],
)
def test_what_is_no_matrix_is_told(function, given, said):
    """By the name of the function and of its argument."""
    with pytest.raises(ValueError, match=said):
        function(given)


def test_probabilities_are_softened():
    """Logits and rows of zeros are none."""
    for wrong in (-P, np.zeros((2, 2))):
        with pytest.raises(ValueError, match=r"expected probabilities\. Convert logits with softmax"):
            soften(wrong, 2.0)


def test_shapes_and_weights_agree():
    """Numpy would broadcast, or fail."""
    with pytest.raises(ValueError, match="expected equal shapes"):
        blend(P, P[:, 0], 0.5)
    with pytest.raises(ValueError, match="soft_weight=2; expected a number from 0 to 1"):
        blend(P, P, 2)
    with pytest.raises(ValueError, match="expected that of margins"):
        fit_margin_scale(P, P[:1])
    with pytest.raises(ValueError, match="a column for each class"):
        fit_margin_scale(P[:, :1])
    with pytest.raises(ValueError, match="Did you mean 'cosine'"):
        scheduled_temperature("cosin", 2.0, 1.0, 0.5)
    with pytest.raises(ValueError, match="in one axis"):
        one_hot(3, ["a", "b"])
