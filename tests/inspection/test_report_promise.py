"""A report promises an agreement on other rows only where one can be promised."""

import numpy as np
import pytest

from skdistill import DistilledClassifier, as_teacher, report
from skdistill.metrics import clopper_pearson

X = np.random.default_rng(0).normal(size=(300, 2))


def proba(rows):
    share = 1 / (1 + np.exp(-3 * rows[:, 0] * rows[:, 1]))
    return np.column_stack([1 - share, share])


TEACHER = as_teacher(proba, classes=["no", "yes"])
MODEL = DistilledClassifier(TEACHER, "tree", sampler=None, random_state=0).fit(X[:150])


def promises(**options):
    """Return the notes that promise something."""
    given = {"model": MODEL, "X": X[150:], "timing": False, "columns": [], **options}
    return [note for note in report(given.pop("model"), given.pop("X"), **given).notes if "certify" in note]


def test_the_bound_is_exact():
    """It is Clopper and Pearson's one-sided bound on rows that the fit has not seen."""
    same = (MODEL.predict(X[150:]) == MODEL.teacher_labels(X[150:])).sum()
    (note,) = promises()
    assert f"at least {float(clopper_pearson(int(same), 150, side='lower')[0]):.1%} (confidence 95 %" in note


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"X": X}, id="rows of the fit"),
        pytest.param({"X": X[150:220]}, id="few rows"),
        pytest.param({"sample_weight": 1.0 + np.arange(150)}, id="weights"),
        pytest.param({"model": MODEL.student_, "teacher": TEACHER}, id="no keys"),
    ],
)
def test_nothing_is_promised_where_nothing_can_be(options):
    """Neither on rows that were seen or may have been, nor on few or weighted rows."""
    assert promises(**options) == []
