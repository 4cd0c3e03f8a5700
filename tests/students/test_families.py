"""The registry of families: a user's own may be chosen, and former names still work."""

import numpy as np
import pytest

from skdistill import AutoStudent, DistilledClassifier, DistilledRegressor
from skdistill.exceptions import StudentError
from skdistill.students import (
    CompactLinearClassifier,
    CompactLinearRegressor,
    Family,
    ParameterLimit,
    register_family,
)
from skdistill.students._families import FAMILIES

ROWS = np.random.default_rng(0).uniform(-3, 3, size=(400, 1))


def tangent(rows):
    """A line in disguise: no family but a line in the tangent of the cells is near it."""
    return np.tan(1.5 * np.sin(5 * np.asarray(rows)[:, 0]))


class LineInTangent(CompactLinearRegressor):
    """A line in the tangent of a row, fitted in a column of its own."""

    def fit(self, X, y, sample_weight=None):
        super().fit(np.column_stack([tangent(X)]), y, sample_weight)
        return self

    def predict(self, X):
        return super().predict(np.column_stack([tangent(X)]))

    def __skdistill_compile__(self):
        return super().__skdistill_compile__()


class CountedLinear(CompactLinearClassifier):
    """A linear student that remembers that it was taught."""

    n_taught = 0

    def fit_soft(self, X, targets, *, classes=None, sample_weight=None):
        CountedLinear.n_taught += 1
        return super().fit_soft(X, targets, classes=classes, sample_weight=sample_weight)


@pytest.fixture
def registered(monkeypatch):
    """Return what registers a family until the test ends."""
    monkeypatch.setattr("skdistill.students._families.FAMILIES", FAMILIES)
    before = dict(FAMILIES)
    yield register_family
    FAMILIES.clear()
    FAMILIES.update(before)


@pytest.mark.parametrize("scout", [None, {}], ids=["without a scout", "with one"])
def test_a_registered_family_is_chosen_where_it_is_best(registered, scout):
    """``student="auto"`` tries it beside the others, and takes it if it follows the teacher best."""
    registered("tangent", Family(CompactLinearClassifier, LineInTangent, {"n_pairs": 0}, scout=scout))
    model = DistilledRegressor(tangent, n_synthetic=2.0, random_state=0).fit(ROWS)
    assert "tangent" in set(model.candidates_["family"])
    assert model.candidates_.chosen.family == "tangent"
    assert model.fidelity(ROWS) > 0.99


def test_a_name_stands_for_it(registered):
    """``student=name`` is its member for the task, with its parameters."""
    registered("counted", Family(CountedLinear, CompactLinearRegressor, {"n_pairs": 0}, is_automatic=False))
    labels = (ROWS[:, 0] > 0).astype(int)
    model = DistilledClassifier(lambda rows: np.eye(2)[(rows[:, 0] > 0).astype(int)], "counted", sampler=None)
    before = CountedLinear.n_taught
    model.fit(ROWS, labels)
    assert CountedLinear.n_taught == before + 1
    assert type(model.student_) is CountedLinear
    assert model.student_.n_pairs == 0


def test_only_automatic_families_are_tried_without_being_named(registered):
    """The others take part where they are named."""
    registered("counted", Family(CountedLinear, CompactLinearRegressor, is_automatic=False))
    assert "counted" not in AutoStudent().families_for(ROWS)
    assert AutoStudent(["counted", "tree"]).families_for(ROWS) == ["counted", "tree"]


@pytest.mark.parametrize(
    ("name", "family", "match"),
    [
        ("auto", Family(CountedLinear, CompactLinearRegressor), "name='auto'; expected a text other than"),
        ("network", Family(CountedLinear, CompactLinearRegressor), "name='network'; expected a text other than"),
        ("mine", CountedLinear, "expected a skdistill.students.Family"),
        ("mine", Family(dict, CompactLinearRegressor), "<class 'dict'> has no method fit"),
    ],
)
def test_what_cannot_be_registered(name, family, match):
    """It is refused, and the registry is as it was."""
    before = dict(FAMILIES)
    with pytest.raises(StudentError, match=match):
        register_family(name, family)
    assert before == FAMILIES


@pytest.mark.parametrize(("former", "current"), [("network", "mlp_ple"), ("smooth network", "mlp")])
def test_former_names_are_accepted_with_a_warning(former, current):
    """They give the same student."""
    with pytest.warns(FutureWarning, match=f"the family '{former}' is now called '{current}'"):
        old = DistilledRegressor(np.ravel, former, sampler=None, random_state=0).fit(ROWS)
    new = DistilledRegressor(np.ravel, current, sampler=None, random_state=0).fit(ROWS)
    np.testing.assert_array_equal(old.predict(ROWS), new.predict(ROWS))
    with pytest.warns(FutureWarning, match=f"AutoStudent: the family '{former}' is now called"):
        AutoStudent([former, "tree"]).check()
    assert AutoStudent([former, "tree"]).family_names() == [current, "tree"]


def test_limits_grow_with_the_outputs():
    """In the power that is said, and modest sizes are no larger than the largest."""
    assert ParameterLimit(100, 0.5).of(9) == 300
    for family in FAMILIES.values():
        for n_outputs in (1, 3, 10):
            modest = family.most_parameters(n_outputs, is_modest=True)
            assert np.isfinite(modest)
            assert modest <= family.most_parameters(n_outputs, is_modest=False)
