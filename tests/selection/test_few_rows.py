"""Few rows, no synthetic ones: candidates are cross-validated."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.svm import SVC

from skdistill import AutoStudent, DistilledClassifier, DistilledRegressor
from skdistill.selection._cross_validation import MAX_FEW_ROWS, N_FOLDS, divide
from skdistill.selection._validation_rows import Group, Validation
from skdistill.transfer import TransferSet

RNG = np.random.default_rng(0)
ROWS, FRESH = RNG.uniform(-1, 1, size=(100, 3)), RNG.uniform(-1, 1, size=(1000, 3))
IN_FOLDS = "rows of X, which the teacher may have been fitted on, in 5-fold cross-validation"


def surface(rows):
    return np.sin(3 * rows[:, 0]) * np.cos(2 * rows[:, 1]) + rows[:, 2] ** 2


@pytest.fixture(scope="module")
def of_surface():
    return DistilledRegressor(surface, sampler=None, random_state=0).fit(ROWS)


def test_auto_is_as_good_as_the_best_family(of_surface):
    """On few rows of a smooth function, the choice is no worse than a student of any family that is named."""
    named = [DistilledRegressor(surface, name, sampler=None, random_state=0).fit(ROWS) for name in ("kernel", "mlp")]
    best = max(model.fidelity(FRESH) for model in named)
    assert of_surface.fidelity(FRESH) > best - 0.01 > 0.9


def test_all_families_in_several_sizes(of_surface):
    """Every family is tried on four fifths of the rows, and the two best, if rows do not bound them, in three sizes."""
    tried = pd.DataFrame(of_surface.candidates_)
    candidates = tried[tried["rung"] < 2]
    n_sizes = candidates.groupby("family")["student"].nunique()
    assert set(n_sizes.index) == {"linear", "tree", "boosting", "mlp", "mlp_ple", "hybrid", "kernel"}
    best = candidates.groupby("family")["score"].max().nlargest(2).index
    assert n_sizes[best].tolist() == [3, 3]
    assert set(n_sizes.drop(best)) == {1}
    assert set(candidates["n_rows"]) == {len(ROWS) * 4 // 5}
    assert tried["n_rows"].iloc[-1] == len(ROWS)


def test_the_estimate_says_where_it_is_from_and_holds(of_surface):
    """The chosen student has the fidelity estimated out of fold, within its interval, and the text names the rows."""
    chosen = of_surface.candidates_.chosen
    assert chosen.validated_on == IN_FOLDS
    assert f"measured on {IN_FOLDS}. It was not measured whether" in of_surface.candidates_.explain()
    assert chosen.fidelity_low <= of_surface.fidelity(FRESH) <= chosen.fidelity_high


@pytest.mark.parametrize("max_queries", [len(ROWS), 150])
def test_a_small_budget_of_queries_is_the_same(max_queries):
    """The rows are few as well if a budget leaves fewer synthetic rows than real ones."""
    model = DistilledRegressor(surface, AutoStudent(["linear"]), max_queries=max_queries, random_state=0)
    model.fit(ROWS)
    assert "5-fold" in model.candidates_.chosen.validated_on
    assert model.transfer_set_.n_queries <= max_queries


def test_a_classifier_in_a_budget():
    """Probabilities are cross-validated too; all sizes are within the budget, which the error would name."""
    teacher = SVC(random_state=0).fit(ROWS, ROWS[:, 0] * ROWS[:, 1] > 0)
    student = AutoStudent(["linear", "kernel"], max_bytes=4000)
    model = DistilledClassifier(teacher, student, sampler=None, response_method="decision_function", random_state=0)
    model.fit(ROWS, ROWS[:, 0] * ROWS[:, 1] > 0)
    assert model.candidates_.chosen.family == "kernel"
    assert model.candidates_.chosen.n_bytes <= 4000
    model.set_params(student=AutoStudent(["kernel"], min_fidelity=0.8)).fit(ROWS, ROWS[:, 0] * ROWS[:, 1] > 0)
    assert model.candidates_.chosen.fidelity >= 0.8


def test_better_validation_rows_are_used_instead():
    """Rows of ``X_val`` judge alone, and many unlabelled rows too."""
    model = DistilledRegressor(surface, AutoStudent(["linear"]), sampler=None, random_state=0)
    assert model.fit(ROWS, X_val=FRESH[:50]).candidates_.chosen.validated_on == "X_val"
    assert model.fit(ROWS, X_unlabeled=FRESH[:200]).candidates_.chosen.validated_on == "X_unlabeled"


def validation_of(kind="own"):
    return Validation((), (), "rows", kind, type("Targets", (), {"of": staticmethod(lambda outputs: outputs)}))


@settings(max_examples=20, deadline=None)
@given(n_rows=st.integers(30, 90), n_without=st.integers(0, 20), seed=st.integers(0, 9))
def test_no_row_is_predicted_by_a_student_that_has_seen_it(n_rows, n_without, seed):
    """Each row of positive weight is in one fold and seen by the students of the others; no row of weight zero is."""
    weight = np.ones(n_rows)
    weight[:n_without] = 0
    real = TransferSet(np.arange(n_rows)[:, None] * 1.0, np.arange(n_rows) * 1.0, weight)
    folds = divide(real, validation_of(), np.random.RandomState(seed))
    (group,) = folds.validation.ranking
    np.testing.assert_array_equal(group.targets, np.arange(n_without, n_rows))
    seen = [set(real.X[training, 0]) for training in folds.training]
    judged = [set(group.X[validating, 0]) for validating in folds.validating]
    for one, others in zip(judged, seen, strict=True):
        assert one | others == set(range(n_without, n_rows))
        assert not one & others
    student = folds.fit(lambda rows: type("Student", (), {"predict": lambda self, X: X[:, 0] + 0 * len(rows)})())
    np.testing.assert_array_equal(student.predict(group.X), group.targets)


@pytest.mark.parametrize(
    ("n_rows", "n_synthetic", "kind", "is_divided"),
    [
        (MAX_FEW_ROWS, 0, "own", True),
        (MAX_FEW_ROWS + 1, 0, "own", False),
        (100, 99, "unseen", True),
        (100, 100, "own", False),
        (100, 0, "given", False),
        (100, 0, "synthetic", False),
    ],
)
def test_only_few_rows_are_divided(n_rows, n_synthetic, kind, is_divided):
    """Many rows, synthetic rows and better or other validation rows leave the choice as it was."""
    real = TransferSet(np.zeros((n_rows, 1)), np.zeros(n_rows), np.ones(n_rows))
    if n_synthetic:
        real = real.extend([(np.zeros((n_synthetic, 1)), np.zeros(n_synthetic))], 1.0, "zeros")
    folds = divide(real, validation_of(kind), np.random.RandomState(0))
    assert (folds is not None) == is_divided
    assert folds is None or (len(folds.training) == N_FOLDS and isinstance(folds.validation.ranking[0], Group))
