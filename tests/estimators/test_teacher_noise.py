"""Teachers whose outputs depend on the batch or are random: what ``fit`` says, asks and reports."""

import pickle
import warnings

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse
from sklearn.ensemble import RandomForestRegressor
from sklearn.tree import DecisionTreeRegressor

from skdistill import DistilledClassifier, DistilledRegressor, as_teacher, report
from skdistill.exceptions import TeacherWarning
from skdistill.samplers import Jitter, LeafSwap
from skdistill.teachers import query_teacher, steady

X = np.random.default_rng(0).normal(size=(300, 3))
FRESH = np.random.default_rng(1).normal(size=(2000, 3))
TREE = DecisionTreeRegressor(max_leaf_nodes=8, random_state=0)
DEPENDS = "the outputs of Shifting for a row depend on the other rows of the call"
RANDOM = "Noisy returned other outputs for the same rows in another call"


class Counting:
    """A teacher that records the sizes of its calls."""

    def __init__(self, scale=1.0, seed=0):
        self.scale, self.sizes = scale, []
        self.rng = np.random.default_rng(seed)

    def predict(self, rows):
        rows = np.asarray(rows.todense() if sparse.issparse(rows) else rows, dtype=float)
        self.sizes.append(len(rows))
        return rows[:, 0] + self.effect(rows)

    def __reduce__(self):
        return type(self), (self.scale,)


class Shifting(Counting):
    """The mean of the batch is added."""

    def effect(self, rows):
        return self.scale * rows[:, 1].mean()


class Noisy(Counting):
    """Noise is added."""

    def effect(self, rows):
        return self.scale * self.rng.normal(size=len(rows))


class Rounded(Counting):
    """The last bits of float32 differ between calls."""

    def effect(self, rows):
        return 1e-7 * self.rng.normal(size=len(rows))


def distilled(teacher, **params):
    return DistilledRegressor(teacher, **{"student": "linear", "sampler": None, "random_state": 0, **params})


class TestWarnings:
    @pytest.mark.parametrize("params", [{}, {"chunk_size": 20}, {"max_queries": 800}, {"sampler": Jitter()}])
    def test_dependence_on_the_batch(self, params):
        """One warning that says how large it is and what to do."""
        with pytest.warns(TeacherWarning, match=rf"{DEPENDS}: they differ by up to .*chunk_size=1") as caught:
            distilled(Shifting(), **params).fit(X)
        assert len(caught) == 1

    def test_randomness(self):
        """The warning names the parameter that helps, until it is used."""
        with pytest.warns(TeacherWarning, match=rf"{RANDOM}.*n_repeats=10") as caught:
            distilled(Noisy()).fit(X)
        assert len(caught) == 1
        assert "rows in mixed order" not in str(caught[0].message)
        distilled(Noisy(), n_repeats=3).fit(X)

    def test_rounding(self):
        """Neither a warning nor noise, and no query beyond the check."""
        model = distilled(Rounded()).fit(X)
        assert model.transfer_set_.teacher_noise == 0
        assert model.transfer_set_.n_queries == len(X) + 12

    def test_an_effect_that_only_large_batches_have(self):
        """The rows of the check are compared with the same rows in the batches of the fit."""
        teacher = lambda rows: rows[:, 0] * (1 + 0.1 * (len(rows) > 100))  # noqa: E731
        with pytest.warns(TeacherWarning, match=r"depend on the other rows .* batches of 300 rows"):
            distilled(teacher).fit(X)

    def test_single_rows_depend_on_nothing(self):
        """With ``chunk_size=1``, a row is always alone."""
        model = distilled(Shifting(), chunk_size=1).fit(X[:40])
        assert set(model.teacher_.sizes) == {1}
        assert model.transfer_set_.teacher_noise == 0

    def test_known_models_are_not_checked(self):
        """A forest is queried for its rows alone, in one call."""
        forest = RandomForestRegressor(3, random_state=0).fit(X, X[:, 0])
        assert distilled(forest).fit(X).transfer_set_.n_queries == len(X)


TABLES = [np.array, pd.DataFrame, lambda rows: pl.DataFrame(rows, schema=list("abc")), sparse.csr_matrix]


class TestBatches:
    @pytest.mark.parametrize("table", TABLES, ids=["numpy", "pandas", "polars", "sparse"])
    def test_batches_have_one_size(self, table):
        """In ``fit``, ``soft_targets`` and ``fidelity``: after the check, every call has as many rows."""
        names = {"columns": list("abc")} if table is pd.DataFrame else {}
        with pytest.warns(TeacherWarning, match=DEPENDS):
            model = distilled(Shifting(), sampler=LeafSwap(), n_synthetic=130, chunk_size=100).fit(table(X, **names))
        teacher = model.teacher_
        n_asked = sum(teacher.sizes)
        model.soft_targets(table(FRESH[:1], **names))
        model.fidelity(table(FRESH[:150], **names))
        assert teacher.sizes[:3] == [8, 4, 8]
        assert set(teacher.sizes[3:]) == {100}
        assert n_asked == model.transfer_set_.n_queries

    def test_the_order_of_the_table_does_not_matter(self):
        """Chunks of a sorted table resemble the table, so that students of different chunk sizes are similar."""
        standardised = lambda rows: (rows[:, 0] - rows[:, 0].mean()) / rows[:, 0].std()  # noqa: E731
        table = np.sort(X, axis=0)
        with pytest.warns(TeacherWarning, match="depend on the other rows"):
            few, many = (distilled(standardised, chunk_size=size).fit(table).predict(table) for size in (30, 1000))
        assert np.abs(few - many).max() < 0.3

    def test_the_student_keeps_no_rows(self):
        """The rows that complete batches are kept beside the teacher, not in the student."""
        with pytest.warns(TeacherWarning, match=DEPENDS):
            model = distilled(Shifting()).fit(X)
        assert len(pickle.dumps(model.student_)) < X.nbytes


class TestBudget:
    @pytest.mark.thinned(3)
    @pytest.mark.parametrize("max_queries", [2, 100, 200, 299, 300, 305, 400, 700, 3000])
    @pytest.mark.parametrize("n_repeats", [1, 3])
    @pytest.mark.parametrize("kind", [Shifting, Noisy, Rounded])
    def test_the_budget_holds(self, kind, n_repeats, max_queries):
        """Check, repeats and measurement included; and the summary counts what was asked."""
        teacher = kind()
        max_queries *= n_repeats
        model = distilled(teacher, sampler=Jitter(), max_queries=max_queries, n_repeats=n_repeats)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", TeacherWarning)
            model.fit(X)
        assert sum(teacher.sizes) == model.transfer_set_.n_queries <= max_queries

    def test_queries_after_the_fit_have_no_budget(self):
        """They have complete batches again."""
        with pytest.warns(TeacherWarning, match=DEPENDS):
            model = distilled(Shifting(), max_queries=1000, chunk_size=50).fit(X)
        model.teacher_.sizes.clear()
        model.soft_targets(FRESH[:1])
        assert model.teacher_.sizes == [50]

    def test_a_budget_for_the_rows_alone_is_theirs(self):
        """No row is left out for a check."""
        summary = distilled(Rounded(), max_queries=300).fit(X).transfer_set_
        assert (summary.n_real, summary.n_queries) == (300, 300)
        assert np.isnan(summary.teacher_noise)

    def test_a_budget_below_the_repeats(self):
        """At least two rows are labelled."""
        with pytest.raises(ValueError, match="max_queries=7 is less than two rows times n_repeats=4"):
            distilled(Noisy(), max_queries=7, n_repeats=4).fit(X)

    @pytest.mark.parametrize("n_repeats", [0, 1.5, "many"])
    def test_bad_repeats(self, n_repeats):
        """A positive integer."""
        with pytest.raises((TypeError, ValueError), match=r"n_repeats=.*; expected an integer of at least 1"):
            distilled(Noisy(), n_repeats=n_repeats).fit(X)


class TestNoise:
    @pytest.mark.parametrize(("n_repeats", "scale"), [(1, 0.5), (4, 1.0)])
    def test_the_noise_is_that_of_the_teacher(self, n_repeats, scale):
        """Its variance, divided by ``n_repeats``, as a share of the variance of the outputs."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", TeacherWarning)
            model = distilled(Noisy(scale), n_repeats=n_repeats).fit(X)
        noise = scale**2 / n_repeats
        assert model.transfer_set_.teacher_noise == pytest.approx(noise / (X[:, 0].var() + noise), rel=0.5)

    def test_the_noise_limits_fidelity(self):
        """A student that has learned all there is to learn has the fidelity that remains."""
        with pytest.warns(TeacherWarning, match=RANDOM):
            model = distilled(Noisy(0.5)).fit(X)
        assert model.fidelity(FRESH) == pytest.approx(1 - model.transfer_set_.teacher_noise, abs=0.1)
        assert any("a fidelity above" in note for note in report(model, FRESH[:200], timing=False).notes)

    def test_noise_of_probabilities(self):
        """Noise of margins far from the boundary is no noise of probabilities, which students are compared by."""
        rng = np.random.default_rng(0)

        class Margins:
            classes_ = np.array([0, 1])

            def decision_function(self, rows):
                return 30 * rows[:, 0] + 10 * (np.abs(rows[:, 0]) > 0.6) * rng.normal(size=len(rows))

        with pytest.warns(TeacherWarning, match="n_repeats=10"):
            model = DistilledClassifier(Margins(), "linear", sampler=None, random_state=0).fit(X, X[:, 0] > 0)
        assert 0 < model.transfer_set_.teacher_noise < 0.01

    def test_labels_out_of_fold(self):
        """The outputs compared are those of one teacher."""

        class Recipe(DecisionTreeRegressor):
            def predict(self, rows):
                return super().predict(rows) + rows[:, 1].mean()

        with pytest.warns(TeacherWarning, match="depend on the other rows"):
            model = distilled(Recipe(max_depth=3, random_state=0), teacher_cv=3).fit(X, X[:, 0])
        assert 0 < model.transfer_set_.teacher_noise < 0.1


class TestMemory:
    @pytest.mark.parametrize(("kind", "n_probed"), [(Shifting, 0), (Noisy, 0), (Rounded, 2 * 16)])
    def test_stored_outputs_are_found_again(self, kind, n_probed, tmp_path):
        """Though its outputs differ between calls, nothing is asked again but rows whose outputs can be compared."""
        sizes = []
        for _ in range(2):
            teacher = kind()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", TeacherWarning)
                model = distilled(teacher, memory=str(tmp_path), n_repeats=2).fit(X)
            sizes.append(sum(teacher.sizes))
        assert sizes[0] == model.transfer_set_.n_queries  # there is nothing to compare with yet
        assert sizes[1] == n_probed

    def test_the_averages_are_stored(self, tmp_path):
        """Repeats are not answered with the first output, and other numbers of repeats are other outputs."""
        memory = joblib.Memory(tmp_path, verbose=0)
        for n_repeats in (1, 4, 16):
            for _ in range(2):  # queried, then stored
                teacher = steady(as_teacher(Noisy(2.0)), n_repeats)
                teacher.is_random = True
                noise = query_teacher(teacher, X, memory=memory) - X[:, 0]
                assert noise.var() == pytest.approx(4 / n_repeats, rel=0.25)
