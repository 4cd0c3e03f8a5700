"""Teachers that memorise the rows they were fitted on: noticed, allowed for, and not hidden."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.datasets import load_breast_cancer, load_diabetes, make_classification
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor, RandomForestClassifier
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVR

from skdistill import AutoSampler, AutoStudent, DistilledClassifier, DistilledRegressor
from skdistill.samplers import LeafSwap
from skdistill.selection._memorization import Memorization
from skdistill.selection._validation_rows import HALF_WIDTH_SHARES, HeldOut, Validation

MADE = make_classification(3000, 20, n_informative=10, n_classes=3, random_state=0)
X, Y = MADE[0][:600], MADE[1][:600]
UNSEEN = MADE[0][600:]
DIABETES = load_diabetes(return_X_y=True)
CANCER = load_breast_cancer(return_X_y=True)
QUICK = {"student": "linear", "n_synthetic": 6000, "random_state": 0}


def share_of(teacher, rows, y, seed=0):
    """Return what is measured of a fitted teacher, without a label."""
    kind = DistilledClassifier if hasattr(teacher, "classes_") else DistilledRegressor
    return kind(teacher, **QUICK | {"random_state": seed}).fit(rows).teacher_memorization_


class TestMeasure:
    @pytest.mark.parametrize(
        "teacher",
        [ExtraTreesClassifier(20, random_state=0), RandomForestClassifier(20, random_state=0), KNeighborsClassifier(1)],
        ids=lambda teacher: type(teacher).__name__,
    )
    def test_memorised_classes_are_seen(self, teacher):
        """Without labels, beyond the threshold on average: from few rows, the share varies with the seed."""
        n_seeds = 3 if isinstance(teacher, KNeighborsClassifier) else 1  # its outputs are the roughest
        assert np.mean([share_of(teacher.fit(X, Y), X, Y, seed) for seed in range(n_seeds)]) > 0.05

    def test_memorised_values_are_seen(self):
        """Of extra trees."""
        assert share_of(ExtraTreesRegressor(50, random_state=0).fit(*DIABETES), *DIABETES) > 0.2

    @pytest.mark.parametrize(
        ("teacher", "data"),
        [
            (LogisticRegression(), (X, Y)),
            (GaussianNB(), CANCER),
            (Ridge(), DIABETES),
            (SVR(C=100), DIABETES),
            pytest.param(GaussianProcessRegressor(alpha=0.5, normalize_y=True), DIABETES, marks=pytest.mark.slow),
        ],
        ids=lambda value: type(value).__name__,
    )
    def test_smooth_teachers_memorise_nothing(self, teacher, data):
        """Nothing beyond chance: their rows keep their weight."""
        kind = DistilledClassifier if hasattr(teacher.fit(*data), "classes_") else DistilledRegressor
        model = kind(teacher, **QUICK).fit(data[0])
        assert model.teacher_memorization_ < 0.05
        assert set(model.sampler_results_["real_weight"]) == {1.0}

    def test_units_do_not_matter(self):
        """Nor does their size: the share is one of the variance."""
        teacher = ExtraTreesRegressor(20, random_state=0).fit(*DIABETES)
        small, large = (
            DistilledRegressor(lambda rows, unit=unit: unit * teacher.predict(rows) + unit, **QUICK)
            .fit(DIABETES[0])
            .teacher_memorization_
            for unit in (1e-200, 1e200)
        )
        assert small == pytest.approx(large)
        assert 0.2 < small <= 1

    def test_sparse_rows(self):
        """Rows beside sparse rows have a few terms of others."""
        counts = sparse.random(400, 60, 0.2, format="csr", random_state=0)
        y = np.random.RandomState(0).randint(0, 2, 400)
        assert share_of(ExtraTreesClassifier(20, random_state=0).fit(counts, y), counts, y) > 0.05

    def test_it_is_not_measured_where_nothing_is_chosen(self):
        """Then the teacher is asked for nothing but what is taught, and an earlier fit leaves nothing behind."""
        teacher = ExtraTreesClassifier(10, random_state=0).fit(X, Y)
        model = DistilledClassifier(teacher, **QUICK).fit(X)
        assert hasattr(model, "teacher_memorization_")
        model.set_params(sampler=LeafSwap()).fit(X)
        assert not hasattr(model, "teacher_memorization_")
        assert model.transfer_set_.n_queries == 6600

    def test_synthetic_rows_of_another_world_tell_nothing(self):
        """Where the teacher answers them quite otherwise than real ones, it is not called a memoriser for it."""
        line = np.repeat(np.random.RandomState(0).rand(500, 1), 4, axis=1)
        teacher = lambda rows: np.where(np.ptp(rows, axis=1) < 1e-9, np.sin(9 * rows[:, 0]), 100.0)  # noqa: E731
        model = DistilledRegressor(teacher, **QUICK).fit(line)
        assert np.isnan(model.teacher_memorization_)
        assert set(model.sampler_results_["validated_on"]) == {"rows of X, which the teacher may have been fitted on"}


def test_it_is_reported(capsys):
    """With ``verbose``, in a line with the validation rows."""
    DistilledClassifier(ExtraTreesClassifier(20, random_state=0).fit(X, Y), verbose=1, **QUICK).fit(X)
    assert "validating on synthetic rows; the teacher has memorised its training rows (0." in capsys.readouterr().err


class TestWhatFollowsFromIt:
    TREES = ExtraTreesClassifier(50, random_state=0).fit(X, Y)

    def test_memorised_rows_can_be_left_out(self):
        """The summary says so, still counts them, and the student is nearer to its teacher than without other rows."""
        without = DistilledClassifier(self.TREES, "mlp_ple", sampler=None, random_state=0).fit(X)
        options = {"student": "mlp_ple", "n_synthetic": 6000, "random_state": 0}
        left_out = DistilledClassifier(self.TREES, sampler=AutoSampler(real_weights=[0.0]), **options).fit(X)
        assert (left_out.transfer_set_.real_weight, left_out.transfer_set_.n_real) == (0, len(X))
        assert left_out.fidelity(UNSEEN) > without.fidelity(UNSEEN) + 0.5

    def test_they_are_left_out_beside_a_sampler_that_was_named(self):
        """If the student is chosen: its family and the weight of real rows depend on each other."""
        student = AutoStudent(["linear", "mlp_ple"])
        model = DistilledClassifier(self.TREES, student, sampler=LeafSwap(), n_synthetic=6000, random_state=0).fit(X)
        assert model.transfer_set_.real_weight == 0
        assert model.transfer_set_.n_synthetic == 6000
        assert not hasattr(model, "sampler_results_")

    @pytest.mark.parametrize(("leaf", "seed", "weight"), [(3, 2, 0), (1, 0, 1)])
    def test_unseen_rows_decide_evenly(self, leaf, seed, weight):
        """With ``X_val``, the weight of the higher fidelity there is selected, however small the difference is."""
        forest = RandomForestClassifier(50, min_samples_leaf=leaf, random_state=0).fit(X, Y)
        model = DistilledClassifier(forest, AutoStudent(["linear"]), n_synthetic=2000, random_state=seed)
        tried = model.fit(X, X_val=UNSEEN[:60]).candidates_
        scores = {w: s for w, s, r in zip(tried["real_weight"], tried["score"], tried["rung"], strict=True) if r == 1}
        assert set(scores) == {0, 1}
        assert model.transfer_set_.real_weight == max(scores, key=scores.get) == weight

    def test_synthetic_rows_do_not(self):
        """They favour students fitted without real rows; of real rows, only those the teacher has not seen do not."""
        least = {
            kind: HeldOut(np.arange(3), Validation((), (), "", kind, None), Memorization(0.5, 0.01)).least_gain
            for kind in HALF_WIDTH_SHARES
        }
        assert {kind for kind, gain in least.items() if gain == (0, 0)} == {"given", "unseen"}
        assert all(gain.n_errors >= 2 and gain.share >= 0.05 for gain in least.values() if gain != (0, 0))

    @pytest.mark.parametrize(
        ("teacher", "validated_on"),
        [
            pytest.param(TREES, "synthetic rows", marks=pytest.mark.slow),
            (RandomForestClassifier(50, random_state=0).fit(X, Y), "rows of X, out of bag"),
            pytest.param(LogisticRegression().fit(X, Y), "rows of X and synthetic rows", marks=pytest.mark.slow),
        ],
        ids=["extra trees", "forest", "linear"],
    )
    def test_the_interval_holds(self, teacher, validated_on):
        """The default says on which rows its estimate rests, and unseen rows do not contradict it."""
        student = AutoStudent(["linear", "mlp_ple"], max_bytes=8000)
        model = DistilledClassifier(teacher, student, n_synthetic=2000, random_state=0).fit(X)
        chosen = model.candidates_.chosen
        assert chosen.validated_on == validated_on
        assert chosen.fidelity_low <= model.fidelity(UNSEEN) <= chosen.fidelity_high
        assert chosen.fidelity_low < chosen.fidelity < chosen.fidelity_high <= 1
        assert ("pass X_val" in model.candidates_.explain()) == (validated_on == "synthetic rows")

    @pytest.mark.slow
    def test_given_rows_tell_of_the_student_itself(self):
        """They are taught to nobody, so that the estimate is the fidelity of the student that is there in the end."""
        model = DistilledClassifier(self.TREES, AutoStudent(["linear", "tree"]), random_state=0)
        model.fit(X, X_val=UNSEEN[:500])
        assert model.candidates_.chosen.fidelity == pytest.approx(model.fidelity(UNSEEN[:500]))
