"""The automatic choice: what it promises, and that it chooses by evidence."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from helpers import CountingClassifier, dataset
from scipy import sparse
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_diabetes, load_digits
from sklearn.ensemble import ExtraTreesRegressor, RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from skdistill import AutoSampler, DistilledClassifier, DistilledRegressor
from skdistill.exceptions import SamplerError
from skdistill.samplers import MUNGE, Jitter, MarginalResampling, UniformBox
from skdistill.selection._sampler_results import SamplerResults
from skdistill.students import CompactBoostingClassifier, CompactBoostingRegressor

X, Y = dataset("three classes")
TREE = DecisionTreeClassifier(max_leaf_nodes=8, random_state=0)
BOOSTING = CompactBoostingRegressor(30, 8)
"""A student whose size is not chosen, so that fits are quick."""
CHECK = 12
"""Number of queries that check whether a function returns the same output for a row again."""

COLUMNS = {
    "sampler",
    "n_synthetic",
    "weight",
    "real_weight",
    "student",
    "fidelity",
    "gain",
    "gain_error",
    "rank_fidelity",
    "n_queries",
    "seconds",
    "validated_on",
    "is_chosen",
}


class Counting:
    """A teacher that counts the rows it is asked about."""

    def __init__(self, function):
        self.function = function
        self.asked = 0

    def __call__(self, rows):
        self.asked += len(rows)
        return self.function(rows)


def spiral(rows):
    rows = np.asarray(rows, dtype=float)
    return np.sin(5 * rows[:, 0]) * rows[:, 1]


def first_column(rows):
    return np.asarray(rows, dtype=float)[:, 0]


def rows_of(n_rows, seed=0):
    return np.random.default_rng(seed).random((n_rows, 3))


class TestResults:
    def test_results_are_columns_like_cv_results(self):
        """A frame can be made of them; the first trial is no synthetic rows, and ranks follow fidelity."""
        model = DistilledRegressor(spiral, random_state=0).fit(rows_of(200))
        results = pd.DataFrame(model.sampler_results_)
        assert set(results) == COLUMNS
        assert (results["sampler"][0], results["n_synthetic"][0], results["gain"][0]) == ("none", 0, 0.0)
        assert list(results["rank_fidelity"].sort_values()) == list(range(1, len(results) + 1))
        assert results["fidelity"][results["rank_fidelity"] == 1].item() == results["fidelity"].max()
        without = results["student"].map(results[results["sampler"] == "none"].set_index("student")["fidelity"])
        np.testing.assert_allclose(results["gain"], results["fidelity"] - without, atol=1e-12)
        assert results["n_queries"].is_monotonic_increasing
        # all samplers gain, none much more than the first, which is the rule
        assert (results["gain"][2:] > 2 * results["gain_error"][2:]).all()
        assert model.transfer_set_.sampler == results["sampler"][2] == "LeafSwap()"
        assert list(results["sampler"][results["is_chosen"]]) == ["LeafSwap()"]

    @pytest.mark.parametrize("is_easy", [False, True])
    def test_they_explain_themselves(self, is_easy):
        """What was selected, if anything, is said in a sentence with its fidelity; all trials are a table."""
        student = "linear" if is_easy else BOOSTING  # a line needs no synthetic rows
        teacher = first_column if is_easy else spiral
        model = DistilledRegressor(teacher, student, random_state=0).fit(rows_of(200))
        results = model.sampler_results_
        (place,) = np.flatnonzero(results["is_chosen"])
        sampler = results["sampler"][place]
        assert sampler == (model.transfer_set_.sampler or "none")
        assert is_easy == (sampler == "none")
        start = "No synthetic rows were used" if is_easy else f"{sampler} was selected"
        measured = f"{results['fidelity'][place]:.3f} on {results['validated_on'][place]}"
        for shown in (results.explain(), str(results), results._repr_html_().removeprefix("<div><p>")):
            assert shown.startswith(start)
            assert measured in shown
        assert results._repr_html_().count("<tr>") == 1 + len(results["sampler"])
        assert str(pickle.loads(pickle.dumps(results))) == repr(results)

    def test_a_selection_without_trials_says_so(self):
        """The first sampler is then taken without a comparison."""
        results = SamplerResults({"is_chosen": np.zeros(1, dtype=bool)})
        assert "without a comparison" in results.explain()

    @pytest.mark.parametrize(
        ("arguments", "params", "validated_on"),
        [
            ({}, {}, "rows of X, which the teacher may have been fitted on"),
            ({"X_val": X[:50]}, {}, "X_val"),
            ({"X_unlabeled": X[:120]}, {}, "X_unlabeled"),
            ({"X_unlabeled": X[:20]}, {}, "rows of X and X_unlabeled; the teacher may have been fitted on the first"),
            ({"X_unlabeled": X[:120], "X_val": X[:50]}, {}, "X_val"),
            ({}, {"teacher_cv": 3}, "rows of X, labelled by teachers that had not seen them"),
        ],
    )
    def test_the_best_validation_rows_are_used(self, arguments, params, validated_on):
        """Rows the teacher has not seen are preferred, and the results say which were taken."""
        model = DistilledClassifier(TREE, TREE, n_synthetic=2.0, random_state=0, **params).fit(X, Y, **arguments)
        assert set(model.sampler_results_["validated_on"]) == {validated_on}

    def test_validation_rows_are_not_taught(self):
        """``X_val`` validates, and is not in the transfer set."""
        model = DistilledClassifier(TREE, TREE, n_synthetic=2.0, random_state=0).fit(X, Y, X_val=X[:60])
        summary = model.transfer_set_
        assert (summary.n_real, summary.n_unlabeled) == (150, 0)

    def test_results_of_an_earlier_fit_do_not_stay(self):
        """With another sampler there is nothing to tell."""
        model = DistilledClassifier(TREE, TREE, n_synthetic=2.0, random_state=0).fit(X, Y)
        assert hasattr(model, "sampler_results_")
        assert not hasattr(model.set_params(sampler=None).fit(X, Y), "sampler_results_")


class TestChoice:
    def test_it_raises_fidelity_where_rows_are_few(self):
        """On a table too small for its teacher, the choice beats no synthetic rows by far."""
        rows, values = load_diabetes(return_X_y=True)
        forest = RandomForestRegressor(100, random_state=0).fit(rows[:200], values[:200])
        tree = DecisionTreeRegressor(max_leaf_nodes=64, random_state=0)
        without, chosen = (
            DistilledRegressor(forest, tree, sampler=sampler, random_state=0).fit(rows[:200]).fidelity(rows[200:])
            for sampler in (None, "auto")
        )
        assert chosen > without + 0.1

    def test_rows_that_mislead_are_not_taken(self):
        """Where every sampler's rows are far from the real ones, none are drawn in the end."""
        line = np.repeat(rows_of(1500)[:, :1], 6, axis=1)
        teacher = lambda rows: np.where(np.ptp(rows, axis=1) < 1e-9, np.sin(9 * rows[:, 0]), 100.0)  # noqa: E731
        sampler = AutoSampler([UniformBox(), MarginalResampling(1.0)], tolerance=0.0)
        tree = DecisionTreeRegressor(max_leaf_nodes=64, random_state=0)
        model = DistilledRegressor(teacher, tree, sampler=sampler, random_state=0).fit(line)
        assert model.transfer_set_.n_synthetic == 0
        assert model.transfer_set_.sampler == ""
        assert (model.sampler_results_["gain"][1:] < 0).all()

    def test_rows_that_mislead_are_not_taken_though_few_rows_show_it(self):
        """A sampler with which the student is worse than a constant is not the rule that others must clearly beat."""
        line, unseen = (np.repeat(rows_of(400, seed=seed)[:, :1], 6, axis=1) for seed in (0, 1))
        teacher = lambda rows: np.where(np.ptp(rows, axis=1) < 0.1, np.sin(9 * rows[:, 0]), 100.0)  # noqa: E731
        tree = DecisionTreeRegressor(max_leaf_nodes=64, random_state=0)
        sampler = AutoSampler([UniformBox(), MUNGE(0.5, 10.0)])
        model = DistilledRegressor(teacher, tree, sampler=sampler, random_state=0).fit(line)
        assert model.fidelity(unseen) > 0.9  # 0.998 with MUNGE, and without synthetic rows

    @pytest.mark.parametrize("order", [1, -1], ids=["as the rule", "as a rival"])
    def test_the_better_sampler_wins(self, order):
        """Of a sampler that keeps to the manifold and one that leaves it, the first is chosen, in either order."""
        line = np.repeat(rows_of(400)[:, :1], 6, axis=1)
        teacher = lambda rows: np.where(np.ptp(rows, axis=1) < 0.1, np.sin(9 * rows[:, 0]), 100.0)  # noqa: E731
        tree = DecisionTreeRegressor(max_leaf_nodes=8, random_state=0)  # no leaf to spare
        sampler = AutoSampler([MUNGE(0.5, 10.0), UniformBox()][::order])
        model = DistilledRegressor(teacher, tree, sampler=sampler, random_state=0).fit(line)
        assert model.transfer_set_.sampler == "MUNGE(local_variance=10.0)"
        assert model.fidelity(np.repeat(rows_of(400, seed=1)[:, :1], 6, axis=1)) > 0.9

    def test_few_rows_of_many_columns_are_not_misled(self):
        """Where a linear student loses from many synthetic rows, and not from few, none are drawn in the end."""
        rng = np.random.default_rng(0)
        labels = rng.integers(2, size=500)
        rows = rng.normal(size=(500, 500)) + labels[:, None] * (np.arange(500) < 20)
        forest = RandomForestClassifier(50, random_state=0).fit(rows[:100], labels[:100])
        without, chosen = (
            DistilledClassifier(forest, "linear", sampler=sampler, random_state=0).fit(rows[:100]).fidelity(rows[100:])
            for sampler in (None, "auto")
        )
        assert chosen > without - 0.02

    @pytest.mark.parametrize("n_rows", [60, 120])
    def test_a_perfect_fit_of_memorised_rows_is_no_reason_to_stop(self, n_rows):
        """Few rows that the teacher has stored are fitted without a loss, which says nothing about other rows."""
        rows, values = load_diabetes(return_X_y=True)
        teacher = ExtraTreesRegressor(50, random_state=0).fit(rows[:n_rows], values[:n_rows] > 140)
        student = DecisionTreeRegressor(random_state=0)
        model = DistilledRegressor(teacher, student, sampler=AutoSampler(tolerance=1.0), random_state=0)
        assert len(model.fit(rows[:n_rows]).sampler_results_["sampler"]) > 1

    def test_large_tables_stop_early(self):
        """Where real rows teach all there is, no synthetic row is taught; few are asked, to validate and to measure."""
        teacher = Counting(lambda rows: (rows[:, 0] > 0.5) + 2.0 * (rows[:, 1] > 0.5))
        rows = rows_of(20_000)
        model = DistilledRegressor(teacher, DecisionTreeRegressor(max_leaf_nodes=4), random_state=0).fit(rows)
        assert model.transfer_set_.n_synthetic == 0
        assert model.transfer_set_.n_queries == teacher.asked < 20_000 * 1.6
        assert list(model.sampler_results_["sampler"]) == ["none"]
        eager = clone(model).set_params(sampler=AutoSampler(tolerance=0.0)).fit(rows)
        assert len(eager.sampler_results_["sampler"]) > 1

    def test_rows_are_labelled_once(self):
        """Every row that is labelled is counted, and what was labelled for the choice is taught."""
        teacher = Counting(spiral)
        model = DistilledRegressor(teacher, BOOSTING, random_state=0).fit(rows_of(300))
        assert teacher.asked == model.transfer_set_.n_queries
        assert teacher.asked <= 300 + 1.4 * model.transfer_set_.n_synthetic

    @pytest.mark.filterwarnings("ignore:.*real rows; from so few")
    @pytest.mark.parametrize("n_rows", [2, 5, 29])
    def test_tiny_tables_hold_nothing_out(self, n_rows):
        """With fewer than 30 rows there is no validation set: all samplers draw together."""
        model = DistilledRegressor(spiral, DecisionTreeRegressor(random_state=0), random_state=0).fit(rows_of(n_rows))
        assert model.transfer_set_.sampler.startswith("Mixture")
        assert not hasattr(model, "sampler_results_")

    @pytest.mark.parametrize("n_present", [1, 2, 20])
    def test_few_rows_of_weight(self, n_present):
        """However few rows count, these are learned, and what is asked of synthetic rows is within the budget."""
        weight = (np.arange(100) < n_present).astype(float)
        model = DistilledRegressor(spiral, DecisionTreeRegressor(random_state=0), random_state=0)
        model.fit(rows_of(100), sample_weight=weight)
        assert (model.transfer_set_.n_synthetic > 0) == (n_present > 1)
        few = clone(model).set_params(sampler=AutoSampler(max_queries=10)).fit(rows_of(100), sample_weight=weight)
        assert few.transfer_set_.n_queries <= 110 + CHECK
        first = clone(model).set_params(max_queries=30, sampler=None).fit(rows_of(100), sample_weight=weight)
        present = rows_of(100)[:n_present]
        for fitted in (model, first):
            np.testing.assert_allclose(fitted.student_.predict(present), spiral(present), atol=1e-6)

    def test_huge_outputs(self):
        """Units of the teacher do not overflow."""
        huge = lambda rows: 1e200 * spiral(rows)  # noqa: E731
        model, small = (
            DistilledRegressor(teacher, KNeighborsRegressor(3), random_state=0).fit(rows_of(200))
            for teacher in (huge, spiral)
        )
        np.testing.assert_allclose(model.sampler_results_["fidelity"], small.sampler_results_["fidelity"], atol=1e-3)

    def test_too_few_validation_rows_are_ignored(self):
        """A handful of validation rows decides nothing; neither does asking them use the budget up."""
        model = DistilledRegressor(spiral, BOOSTING, random_state=0).fit(rows_of(200), X_val=rows_of(5))
        assert set(model.sampler_results_["validated_on"]) != {"X_val"}
        model.set_params(max_queries=600).fit(rows_of(200), X_val=rows_of(2000, seed=1))
        assert set(model.sampler_results_["validated_on"]) == {"X_val"}
        assert model.transfer_set_.n_synthetic >= 200

    @pytest.mark.parametrize("n_synthetic", [10, 100, 200, 300, 2000])
    def test_what_is_asked_beyond_the_rows_taught(self, n_synthetic):
        """At most two fifths."""
        teacher = Counting(spiral)
        model = DistilledRegressor(teacher, DecisionTreeRegressor(), n_synthetic=n_synthetic, random_state=0)
        model.fit(rows_of(100))
        assert teacher.asked <= 100 + 1.4 * n_synthetic + CHECK

    def test_one_sampler_is_a_choice_of_weight(self):
        """With a single sampler its weight and whether to take it are chosen."""
        sampler = AutoSampler([Jitter()], weights=[0.5, 1.0, 2.0])
        model = DistilledRegressor(spiral, BOOSTING, sampler=sampler, random_state=0).fit(rows_of(200))
        results = pd.DataFrame(model.sampler_results_).drop_duplicates(["sampler", "weight"])
        assert list(results["weight"]) == [0.0, 0.5, 1.0, 2.0]
        assert list(results["sampler"][1:]) == ["Jitter()"] * 3

    def test_rows_of_weight_zero_neither_teach_nor_validate(self):
        """Weights of zero are as good as absence."""
        rows = np.r_[rows_of(200), rows_of(200, seed=1) + 50]
        teacher = lambda rows: np.where(rows[:, 0] < 5, spiral(rows), 1e6)  # noqa: E731
        weight = np.r_[np.ones(200), np.zeros(200)]
        model = DistilledRegressor(teacher, BOOSTING, random_state=0).fit(rows, sample_weight=weight)
        assert model.fidelity(rows_of(500, seed=2)) > 0.9


class TestBudget:
    @pytest.mark.thinned(3)
    @pytest.mark.parametrize("max_queries", [2, 150, 151, 160, 400, 1000, 10_000])
    @pytest.mark.parametrize("extra", [{}, {"X_unlabeled": X[:140]}, {"X_val": X[:60]}])
    def test_the_teacher_is_never_asked_more(self, max_queries, extra):
        """Whatever is chosen, the budget holds, and the summary counts what was asked."""
        teacher = Counting(lambda rows: rows[:, 2])
        tree = DecisionTreeRegressor(max_leaf_nodes=8, random_state=0)
        model = DistilledRegressor(teacher, tree, max_queries=max_queries, random_state=0).fit(X, **extra)
        assert teacher.asked == model.transfer_set_.n_queries <= max_queries

    @pytest.mark.parametrize("max_queries", [0, 30, 49, 50, 300, 2000])
    def test_the_sampler_has_a_budget_of_its_own(self, max_queries):
        """``AutoSampler(max_queries=)`` bounds the synthetic rows."""
        teacher = Counting(lambda rows: rows[:, 2])
        sampler = AutoSampler(max_queries=max_queries)
        DistilledRegressor(teacher, DecisionTreeRegressor(), sampler=sampler, random_state=0).fit(X)
        assert teacher.asked <= 150 + max_queries + CHECK

    def test_real_rows_come_first(self):
        """A budget that is smaller than the real rows is spent on them alone, whatever the sampler."""
        for sampler in ("auto", MUNGE()):
            model = DistilledRegressor(
                lambda rows: rows[:, 0], "linear", sampler=sampler, max_queries=100, random_state=0
            )
            summary = model.fit(X).transfer_set_
            assert (summary.n_real, summary.n_synthetic, summary.n_queries) == (100, 0, 100)

    def test_rows_that_count_are_asked_first(self):
        """A budget below the rows of ``X`` is not spent on rows of weight zero while others wait."""
        asked = []
        weight = (np.arange(400) % 100 == 0).astype(float)
        model = DistilledRegressor(lambda rows: asked.append(rows) or rows[:, 0], sampler=None, max_queries=20)
        model.fit(rows_of(400), sample_weight=weight)
        assert np.isin(rows_of(400)[weight > 0, 0], np.vstack(asked)[:, 0]).all()

    def test_a_pool_is_labelled_where_the_teacher_varies(self):
        """Of a large pool so many rows are labelled as there is budget for, most where they tell something."""
        step = lambda rows: np.where(rows[:, 0] > 0.9, np.sin(60 * rows[:, 1]), 0.0)  # noqa: E731
        rows, pool, test = rows_of(300), rows_of(20_000, seed=1), rows_of(5000, seed=2)
        tree = DecisionTreeRegressor(random_state=0)
        model = DistilledRegressor(step, tree, sampler=None, max_queries=1300, random_state=0)
        model.fit(rows, X_unlabeled=pool)
        assert (model.transfer_set_.n_unlabeled, model.transfer_set_.n_queries) == (1000 - CHECK, 1300)
        blind = DistilledRegressor(step, tree, sampler=None, random_state=0).fit(rows, X_unlabeled=pool[:1000])
        assert model.fidelity(test) > blind.fidelity(test)

    @pytest.mark.parametrize("max_queries", [0, 1, 2.5, "all"])
    def test_bad_budgets_are_refused(self, max_queries):
        """A budget is an integer of at least two."""
        with pytest.raises((TypeError, ValueError), match=r"max_queries=.*; expected an integer of at least 2"):
            DistilledRegressor(spiral, max_queries=max_queries).fit(X)

    def test_held_out_labels_need_the_whole_of_x(self):
        """Out-of-fold labels and a budget below the real rows exclude each other."""
        with pytest.raises(ValueError, match="max_queries=100 is less than the 150 rows of X, which teacher_cv=3"):
            DistilledClassifier(TREE, teacher_cv=3, max_queries=100).fit(X, Y)


class TestTables:
    @pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
    def test_frames_with_text(self, frame):
        """Raw frames of either library, from end to end."""
        table = frame({"name": Y, "a": X[:, 0], "b": X[:, 2]})
        teacher = lambda rows: np.asarray(rows["b"]) + (np.asarray(rows["name"]) == "setosa")  # noqa: E731
        model = DistilledRegressor(teacher, BOOSTING, random_state=0)
        assert model.fit(table).fidelity(table) > 0.9

    def test_sparse_text(self):
        """Sparse counts have samplers of their own."""
        counts = sparse.random(200, 60, 0.1, format="csr", random_state=0)
        teacher = LogisticRegression().fit(counts, np.asarray(counts[:, 0].todense())[:, 0] > 0.05)
        model = DistilledClassifier(teacher, CompactBoostingClassifier(10, 8), random_state=0).fit(counts)
        assert any("TermSwap" in name for name in model.sampler_results_["sampler"])

    def test_without_data(self):
        """A teacher and a description of the columns are enough."""
        columns = {"age": (18, 90), "income": (0.0, 2e5), "town": ["Bath", "Ely", "York"]}
        real = UniformBox(columns).fit().sample(600, random_state=1)
        label = (real["income"] > 1e5) & (real["age"] > 50) | (real["town"] == "Ely")
        encoder = make_column_transformer((OneHotEncoder(), ["town"]), remainder="passthrough")
        teacher = make_pipeline(encoder, RandomForestClassifier(20, random_state=0)).fit(real, label)
        rows = UniformBox(columns, design="covering").fit().sample(2000, random_state=0)
        student = CompactBoostingClassifier(30, 8)
        model = DistilledClassifier(teacher, student, sampler=None, random_state=0).fit(rows)
        assert model.fidelity(real) > 0.85


class TestScikitLearnLife:
    def test_nested_parameters_and_search(self):
        """Options are parameters like any: set, cloned, searched."""
        model = DistilledClassifier(TREE, TREE, sampler=AutoSampler([Jitter()]), n_synthetic=2.0, random_state=0)
        assert clone(model).get_params()["sampler__weights"] == (4.0, 1.0)
        search = GridSearchCV(model, {"sampler__weights": [(1.0,), (2.0,)]}, cv=2).fit(X, Y)
        assert search.best_score_ > 0.8

    @pytest.mark.slow
    def test_same_seed_same_model(self):
        """For any chunk size and number of threads."""
        teacher, student = RandomForestClassifier(10, random_state=0).fit(X, Y), CompactBoostingClassifier(10, 8)
        predicted = [
            DistilledClassifier(teacher, student, n_synthetic=1.0, random_state=3, chunk_size=chunk, n_jobs=n_jobs)
            .fit(X)
            .predict_proba(X)
            for chunk, n_jobs in ((10_000, None), (37, 2), (1, 1))
        ]
        np.testing.assert_array_equal(predicted[0], predicted[1])
        np.testing.assert_array_equal(predicted[0], predicted[2])

    @pytest.mark.parametrize("n_pool", [40, 150, 400])
    def test_a_pool_through_a_pipeline(self, n_pool):
        """``X_unlabeled`` and ``X_val`` are transformed by the steps before, however many rows they have."""
        pool = np.resize(X, (n_pool, 4)) * [1, 1, 1, 1]
        with sklearn.config_context(enable_metadata_routing=True):
            model = DistilledClassifier(TREE, TREE, n_synthetic=1.0, random_state=0)
            model.set_fit_request(X_unlabeled=True, X_val=True)
            piped = make_pipeline(StandardScaler(), model, transform_input=["X_unlabeled", "X_val"])
            piped.fit(X, Y, X_unlabeled=pool, X_val=X[:30])
        scaled = StandardScaler().fit(X)
        alone = clone(model).fit(
            scaled.transform(X), Y, X_unlabeled=scaled.transform(pool), X_val=scaled.transform(X[:30])
        )
        assert piped[-1].transfer_set_.n_unlabeled == n_pool
        np.testing.assert_array_equal(piped.predict_proba(X), alone.predict_proba(scaled.transform(X)))

    @pytest.mark.parametrize("n_pool", [40, 150])
    def test_a_pool_in_cross_validation(self, n_pool):
        """Whole where it is not as long as X; cut into folds, as scikit-learn cuts metadata, where it is."""
        with sklearn.config_context(enable_metadata_routing=True):
            model = DistilledClassifier(TREE, TREE, n_synthetic=1.0, random_state=0).set_fit_request(X_unlabeled=True)
            search = GridSearchCV(model, {"student__max_leaf_nodes": [4, 8]}, cv=3)
            search.fit(X, Y, X_unlabeled=X[:n_pool])
            scores = cross_val_score(model, X, Y, cv=3, params={"X_unlabeled": X[:n_pool]})
        assert search.best_estimator_.transfer_set_.n_unlabeled == n_pool
        assert scores.min() > 0.8

    def test_a_grid_labels_once(self, tmp_path):
        """With a memory, sizes of the student share the rows that are drawn before the choice."""
        teacher = CountingClassifier(random_state=0).fit(X, Y)
        model = DistilledClassifier(teacher, TREE, n_synthetic=5.0, memory=str(tmp_path), random_state=0)
        CountingClassifier.rows_asked = 0
        model.fit(X, Y)
        first = CountingClassifier.rows_asked
        CountingClassifier.rows_asked = 0
        clone(model).fit(X, Y)
        assert CountingClassifier.rows_asked < 0.25 * first


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"samplers": "all"}, SamplerError, "samplers='all'; expected 'auto' or samplers"),
        ({"samplers": []}, SamplerError, r"samplers=\[\]; expected a list of samplers"),
        ({"samplers": [3]}, SamplerError, "got 3 as a sampler"),
        ({"real_weights": [2]}, ValueError, r"real_weights\[0\]=2; expected a number of at least 0 and at most 1"),
        ({"weights": []}, ValueError, r"weights=\[\]; expected a list of at least one number"),
        ({"weights": [0]}, ValueError, r"weights\[0\]=0; expected a number above 0"),
        ({"validation_fraction": 0}, ValueError, "validation_fraction=0; expected a number above 0"),
        ({"tolerance": -1}, ValueError, "tolerance=-1; expected a number of at least 0"),
        ({"max_queries": -1}, ValueError, "max_queries=-1; expected an integer of at least 0"),
    ],
)
def test_bad_options_are_refused(options, error, match):
    """Each option is checked in fit, in words, before the teacher is asked."""
    teacher = Counting(spiral)
    with pytest.raises(error, match=match):
        DistilledRegressor(teacher, sampler=AutoSampler(**options), random_state=0).fit(X)
    assert teacher.asked == 0


@pytest.mark.slow
@pytest.mark.parametrize("student", ["auto", DecisionTreeClassifier(max_leaf_nodes=64, random_state=0)])
def test_never_much_worse_than_no_synthetic_rows(student):
    """On digits, for either kind of student."""
    rows, labels = load_digits(return_X_y=True)
    teacher = RandomForestClassifier(100, random_state=0).fit(rows[:1200], labels[:1200])
    without, chosen = (
        DistilledClassifier(teacher, student, sampler=sampler, random_state=0).fit(rows[:1200]).fidelity(rows[1200:])
        for sampler in (None, "auto")
    )
    assert chosen > without - 0.01
