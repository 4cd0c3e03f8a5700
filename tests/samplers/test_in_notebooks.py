"""Samplers in notebooks: scikit-learn's diagram, what they do, and what they were fitted on."""

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.utils import estimator_html_repr

from skdistill import samplers

NUMBERS = np.random.default_rng(0).normal(size=(60, 3))
FRAME = pd.DataFrame({"a": np.arange(40.0), "b": list("xy") * 20})
EACH = [
    kind([samplers.Jitter()]) if name == "Mixture" else kind()
    for name in samplers.__all__
    if isinstance(kind := getattr(samplers, name), type) and name not in ("Disagreement", "TermSwap", "TeacherBins")
]


def pages(sampler):
    """Return both forms of HTML that front ends ask for."""
    return sampler._repr_html_(), sampler._repr_mimebundle_()["text/html"]


@pytest.mark.parametrize("sampler", EACH, ids=lambda sampler: type(sampler).__name__)
def test_the_diagram_is_followed_by_a_sentence(sampler):
    """What the class does, in plain text, and once fitted the size of the table."""
    for page in pages(sampler):
        diagram, _, sentence = page.rpartition("<p>")
        assert "sk-top-container" in diagram
        assert sentence.startswith(type(sampler).__doc__.split(" ")[0])
        assert not set("`[_") & set(sentence)
        assert "Fitted" not in sentence
    for page in pages(sampler.fit(NUMBERS)):
        assert page.endswith(" Fitted on 60 rows with 3 columns.</p>")
    for page in pages(sampler.fit(FRAME)):
        assert page.endswith(" Fitted on 40 rows with 2 columns.</p>")


def test_described_columns_are_not_called_rows():
    """A box that is described has seen no rows."""
    for page in pages(samplers.UniformBox(columns={"a": (0.0, 1.0), "b": (2, 5)}).fit()):
        assert page.endswith(" Fitted to a description of 2 columns.</p>")


def test_diagrams_of_others_and_texts_are_as_they_were():
    """The sentence is only in the output of a cell, and not where users have asked for text."""
    sampler = samplers.Jitter().fit(NUMBERS)
    assert "Fitted on" not in estimator_html_repr(sampler)
    with config_context(display="text"):
        assert set(sampler._repr_mimebundle_()) == {"text/plain"}
        assert not hasattr(sampler, "_repr_html_")
