"""``truth_margin``: true labels that count only where the student is worse than the teacher."""

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression
from sklearn.neighbors import KNeighborsRegressor
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from skdistill import DistilledClassifier, DistilledRegressor
from skdistill.samplers import Jitter
from skdistill.selection._bounded_teaching import N_ROUNDS, BoundedLoss, teach_bounded
from skdistill.students import CompactBoostingRegressor
from skdistill.targets import blend, one_hot
from skdistill.transfer import TransferSet

RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 3))
VALUES = X[:, 0] + X[:, 1] ** 2 + RNG.normal(scale=0.5, size=300)
LABELS = np.where(VALUES > 0.8, "yes", "no")
VALUE_TREE = DecisionTreeRegressor(max_leaf_nodes=8, random_state=0)
TREE = DecisionTreeClassifier(max_leaf_nodes=8, random_state=0)


def teacher_of_values(rows):
    return rows[:, 0] + 0.7 * rows[:, 1] ** 2


def teacher_of_classes(rows):
    proba = 1 / (1 + np.exp(-2 * (rows[:, 0] + 0.7 * rows[:, 1] ** 2 - 0.6)))
    return np.column_stack([1 - proba, proba])


def loss_of(model, outputs, soft, truth, name):
    return BoundedLoss(model.soft_weight, 0.0, name).mean(outputs, soft, truth, np.ones(len(truth)))


@pytest.mark.parametrize("student", [VALUE_TREE, LinearRegression(), CompactBoostingRegressor(10), "mlp"])
def test_values_have_a_smaller_bounded_loss_than_with_the_blend(student):
    """For students of any kind, the loss that ``truth_margin`` asks for is at most that of a fit without it."""
    losses = []
    for margin in (None, 0.0):
        model = DistilledRegressor(
            teacher_of_values, student, sampler=None, soft_weight=0.3, truth_margin=margin, random_state=0
        ).fit(X, VALUES)
        losses.append(loss_of(model, model.predict(X), teacher_of_values(X), VALUES, "squared_error"))
    assert losses[1] <= losses[0]
    if student is VALUE_TREE:
        assert losses[1] < 0.95 * losses[0]


def test_probabilities_have_a_smaller_bounded_loss_than_with_the_blend():
    """The same for classes, whose loss is the log loss, with a temperature and synthetic rows too."""
    losses = []
    for margin in (None, 0.0):
        model = DistilledClassifier(
            teacher_of_classes, "mlp", sampler=Jitter(), n_synthetic=100, soft_weight=0.3, truth_margin=margin,
            temperature=2.0, random_state=0,
        ).fit(X, LABELS == "yes")  # fmt: skip
        truth = one_hot(LABELS == "yes", np.array([False, True]))
        losses.append(loss_of(model, model.predict_proba(X), teacher_of_classes(X), truth, "log_loss"))
    assert losses[1] < losses[0]


def test_a_margin_that_no_student_reaches_is_the_blend():
    """With a large margin the labels count in all rows, as they do without one."""
    given = {"sampler": None, "soft_weight": 0.3, "random_state": 0}
    blended = DistilledRegressor(teacher_of_values, VALUE_TREE, **given).fit(X, VALUES)
    bounded = DistilledRegressor(teacher_of_values, VALUE_TREE, truth_margin=1e9, **given).fit(X, VALUES)
    np.testing.assert_array_equal(bounded.predict(X), blended.predict(X))


class TestRounds:
    """What each fit is taught."""

    def taught(self, predict, loss, truth=VALUES):
        """Return targets and weights of each fit, and the index of the fit that is kept."""
        rows = TransferSet(X, teacher_of_values(X), np.linspace(0, 2, len(X)), truth)
        fits = []

        def teach(targets, weight):
            fits.append((targets.copy(), weight.copy()))
            return len(fits) - 1

        return fits, teach_bounded(teach, lambda student, rows: predict(student, rows), rows, rows.outputs, loss)

    def test_the_fit_with_the_smallest_loss_is_kept(self):
        """A later fit that is worse replaces none."""
        soft, loss = teacher_of_values(X), BoundedLoss(0.5, 0.0, "squared_error")
        for best in range(N_ROUNDS + 1):
            fits, kept = self.taught(lambda fit, rows, b=best: teacher_of_values(rows) + 9.0 * (fit != b), loss)
            assert (len(fits), kept) == (N_ROUNDS + 1, best)
            np.testing.assert_array_equal(fits[0][0], blend(soft, VALUES, 0.5))

    def test_rows_without_truth_keep_target_and_weight(self):
        """Unlabelled and synthetic rows are taught the teacher's outputs in every fit, at their own weight."""
        truth = np.where(np.arange(300) % 3 == 0, VALUES, np.nan)
        fits, _ = self.taught(lambda fit, rows: rows[:, 0], BoundedLoss(0.25, 0.0, "squared_error"), truth)
        unlabelled, weight = np.isnan(truth), np.linspace(0, 2, len(X))
        for targets, given in fits:
            np.testing.assert_array_equal(targets[unlabelled], teacher_of_values(X)[unlabelled])
            np.testing.assert_array_equal(given[unlabelled], weight[unlabelled])
        factors = fits[1][1][~unlabelled][1:] / weight[~unlabelled][1:]
        assert set(factors.round(12)) == {0.625, 1.0}  # the mean with the first fit, where all labels count

    def test_no_row_loses_its_weight(self):
        """With the truth alone and a student that is always better than the teacher, later fits still have rows."""
        fits, kept = self.taught(lambda fit, rows: VALUES[1:], BoundedLoss(0.0, 0.0, "squared_error"))
        assert kept == 0
        for targets, weight in fits:
            np.testing.assert_allclose(targets[1:], VALUES[1:])
            assert (weight[1:] > 0).all()


def test_students_without_weights_and_unfitted_teachers_work():
    """Students whose ``fit`` takes no weights, out-of-bag teachers, and the choice of the weight go together."""
    nearest = DistilledRegressor(
        teacher_of_values, KNeighborsRegressor(3), sampler=None, soft_weight=0.5, truth_margin=0.0, random_state=0
    ).fit(X, VALUES)
    assert np.isfinite(nearest.predict(X)).all()
    forest = RandomForestClassifier(20, oob_score=True, random_state=0)
    model = DistilledClassifier(
        forest,
        TREE,
        sampler=Jitter(),
        n_synthetic=50,
        soft_weight="auto",
        truth_margin=0.0,
        teacher_cv="oob",
        random_state=0,
    ).fit(X, LABELS)
    np.testing.assert_allclose(model.predict_proba(X).sum(axis=1), 1)


def test_the_student_without_the_teacher_is_not_bounded_by_it():
    """``soft_weight="auto"`` compares with a student of the labels alone, for which the teacher does not matter."""
    skill = []
    for margin in (None, 0.0):
        model = DistilledRegressor(
            teacher_of_values, LinearRegression(), sampler=None, soft_weight="auto", truth_margin=margin, random_state=0
        ).fit(X, VALUES)
        skill.append(model.soft_weights_["skill"])
    assert skill[0][-1] == skill[1][-1]
    assert (skill[0][1:-1] != skill[1][1:-1]).any()


@pytest.mark.parametrize("kind", [DistilledClassifier, DistilledRegressor])
def test_margins_that_cannot_count_are_refused(kind):
    """A margin needs a weight of the truth, and must be a number of at least zero."""
    with pytest.raises(ValueError, match=r"truth_margin=0.1 with soft_weight=1, which ignores the true labels"):
        kind(teacher_of_values, TREE, truth_margin=0.1).fit(X, LABELS)
    with pytest.raises(ValueError, match="truth_margin=-1; expected a number of at least 0"):
        kind(teacher_of_values, TREE, soft_weight=0.5, truth_margin=-1).fit(X, LABELS)
