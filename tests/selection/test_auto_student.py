"""Choosing family and size of the student within a budget."""

import pickle
from functools import cache
from hashlib import md5

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    ExtraTreesRegressor,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import GridSearchCV, HalvingGridSearchCV, validation_curve
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVR
from sklearn.tree import DecisionTreeRegressor

import skdistill
from skdistill import AutoStudent, DistilledClassifier, DistilledRegressor, fidelity_scorer
from skdistill.exceptions import StudentError
from skdistill.samplers import Jitter
from skdistill.students import CompactBoostingRegressor, CompactKernelRegressor
from skdistill.students._families import FAMILIES

X, Y = load_diabetes(return_X_y=True)
FOREST = RandomForestRegressor(20, random_state=0).fit(X, Y)
TREES = ExtraTreesRegressor(20, random_state=0).fit(X, Y)
IRIS = load_iris(return_X_y=True)
IRIS_FOREST = RandomForestClassifier(20, random_state=0).fit(*IRIS)
GRID = np.random.RandomState(0).uniform(-1, 1, size=(3000, 3))
QUICK = {"sampler": None, "random_state": 0}


def edges(rows):
    """A teacher of sharp edges."""
    return np.sign(rows[:, 0]) + np.sign(rows[:, 1] - 0.3) * (rows[:, 2] > 0)


def waves(rows):
    """A smooth teacher with much to learn."""
    return np.sin(6 * rows[:, 0]) * np.cos(5 * rows[:, 1]) + rows[:, 2]


def plane(rows):
    """A teacher that is linear."""
    return rows @ np.array([1.0, -2.0, 0.5])


class TestChoice:
    def test_each_family_wins_where_it_should(self):
        """A linear teacher gets a linear student, a smaller one than any other; edges get trees."""
        flat = DistilledRegressor(plane, AutoStudent(["linear", "tree", "mlp_ple", "boosting"]), **QUICK).fit(GRID)
        assert flat.candidates_.chosen.family == "linear"
        assert flat.fidelity(GRID) > 0.9999
        sharp = DistilledRegressor(edges, AutoStudent(["linear", "mlp", "boosting"]), **QUICK).fit(GRID)
        assert sharp.candidates_.chosen.family == "boosting"

    @pytest.mark.parametrize(
        "budget",
        [
            {"max_bytes": 3000},
            {"max_ops": 300, "families": ["linear", "tree", "boosting"]},
            {"max_bytes": 1500, "max_ops": 100},
        ],
    )
    def test_budgets_are_kept(self, budget):
        """By the compiled student, whatever was guessed of its size."""
        model = DistilledRegressor(edges, AutoStudent(**({"max_bytes": None} | budget)), **QUICK).fit(GRID)
        compiled = skdistill.compile(model)
        assert compiled.n_bytes <= budget.get("max_bytes", np.inf)
        assert compiled.scorer.n_ops <= budget.get("max_ops", np.inf)
        assert all(model.candidates_["is_within_budget"][model.candidates_["rung"] == 2])

    @pytest.mark.slow
    def test_a_larger_budget_does_no_harm(self):
        """Smaller students stay in the running: of a smooth teacher of few rows, more bytes keep no less."""
        unseen = np.random.RandomState(1).uniform(-1, 1, size=(500, 3))
        kept = [
            DistilledRegressor(waves, AutoStudent(["mlp"], max_bytes=budget), random_state=0)
            .fit(GRID[:300], X_val=unseen)
            .candidates_
            for budget in (3000, 20_000)
        ]
        finalists = pd.DataFrame(kept[1]).query("rung == 1")
        assert finalists["n_parameters"].max() > 2 * finalists["n_parameters"].min()
        assert kept[1].chosen.n_parameters == finalists.sort_values("score")["n_parameters"].iloc[-1]
        assert kept[1].chosen.fidelity > kept[0].chosen.fidelity

    def test_smallest_that_is_good_enough(self):
        """``min_fidelity`` takes the smallest student that reaches it, and less fidelity takes fewer bytes."""
        families = ["mlp", "boosting"]
        small, large = (
            DistilledRegressor(waves, AutoStudent(families, min_fidelity=least), **QUICK).fit(GRID)
            for least in (0.5, 0.95)
        )
        assert small.candidates_.chosen.fidelity >= 0.5
        assert large.candidates_.chosen.fidelity >= 0.95
        assert small.candidates_.chosen.n_bytes < large.candidates_.chosen.n_bytes

    @pytest.mark.parametrize(
        ("options", "match"),
        [
            ({"max_bytes": 200}, "no student meets max_bytes=200; the closest is .* bytes"),
            ({"max_ops": 1, "families": ["mlp"]}, "max_bytes='auto', max_ops=1"),
            (
                {"min_fidelity": 1.0, "max_bytes": 2000, "families": ["linear", "mlp"]},
                "reaches min_fidelity=1.0; the closest is .* with fidelity 0",
            ),
        ],
    )
    def test_what_nothing_meets_says_what_came_nearest(self, options, match):
        """And notes what was tried; the model stays as it was."""
        model = DistilledRegressor(edges, AutoStudent(**options), **QUICK)
        with pytest.raises(StudentError, match=match) as caught:
            model.fit(GRID)
        assert "candidates was selected" in caught.value.__notes__[0]
        assert "n_bytes" in caught.value.__notes__[0]
        assert not hasattr(model, "candidates_")
        assert not hasattr(model, "student_")

    @pytest.mark.parametrize(
        ("options", "error", "match"),
        [
            ({"families": ["forest"]}, StudentError, "expected 'auto' or some of linear, tree"),
            ({"families": []}, StudentError, "families="),
            ({"max_bytes": 0}, ValueError, "max_bytes=0; expected an integer of at least 1"),
            ({"max_ops": 1.5}, TypeError, "max_ops=1.5; expected an integer"),
            ({"min_fidelity": 2}, ValueError, "min_fidelity=2; expected a number above 0 and at most 1"),
            ({"n_finalists": 0}, ValueError, "n_finalists=0"),
        ],
    )
    def test_options_are_checked_before_the_teacher_is_asked(self, options, error, match):
        """By name."""

        def teacher(rows):
            raise AssertionError

        with pytest.raises(error, match=match):
            DistilledRegressor(teacher, AutoStudent(**options)).fit(X)

    @pytest.mark.slow
    def test_same_seed_same_choice(self):
        """And the same student, for any number of threads."""
        one, two = (
            DistilledRegressor(FOREST, AutoStudent(["linear", "mlp"]), sampler=None, random_state=3, n_jobs=n)
            .fit(X)
            .predict(X)
            for n in (1, 2)
        )
        np.testing.assert_array_equal(one, two)

    def test_few_rows_are_no_choice(self):
        """With fewer than 30 rows there is no validation set: the default family is used within the budget."""
        model = DistilledRegressor(FOREST, AutoStudent(max_bytes=1500), sampler=None).fit(X[:20])
        assert model.candidates_.chosen.family == "boosting"
        assert skdistill.compile(model).n_bytes <= 1500
        assert "is the default: there were too few rows" in model.candidates_.explain()
        linear = DistilledRegressor(FOREST, AutoStudent(["linear"]), sampler=None).fit(X[:20])
        assert linear.candidates_.chosen.family == "linear"
        with pytest.raises(StudentError, match="needs at least 30 real rows"):
            DistilledRegressor(FOREST, AutoStudent(min_fidelity=0.9), sampler=None).fit(X[:20])

    @pytest.mark.parametrize(
        ("teacher", "sampler", "arguments", "validated_on"),
        [
            (FOREST, Jitter(), {"X_val": X[:50]}, "X_val"),
            (FOREST, Jitter(), {}, "rows of X, out of bag"),
            (FOREST, None, {}, "rows of X, out of bag, in 5-fold cross-validation"),
            (TREES, Jitter(), {}, "synthetic rows"),
            (TREES, None, {}, "rows of X, which the teacher may have been fitted on, in 5-fold cross-validation"),
            (plane, Jitter(), {}, "rows of X and synthetic rows"),
            (plane, None, {}, "rows of X, which the teacher may have been fitted on, in 5-fold cross-validation"),
        ],
    )
    def test_validation_rows_are_the_best_there_are(self, teacher, sampler, arguments, validated_on):
        """Unseen rows first; synthetic ones alone where the teacher has memorised its own; none without a sampler."""
        rows = X if teacher is not plane else GRID[:400]
        model = DistilledRegressor(teacher, AutoStudent(["linear"]), sampler=sampler, n_synthetic=4000, random_state=0)
        assert set(model.fit(rows, **arguments).candidates_["validated_on"]) == {validated_on}

    def test_classes_several_outputs_compressed_targets_and_raw_tables(self):
        """Whatever the estimators take, the choice takes."""
        quick = AutoStudent(["linear", "tree"])
        iris = DistilledClassifier(IRIS_FOREST, quick, temperature=2.0, **QUICK).fit(IRIS[0])
        assert iris.fidelity(IRIS[0]) > 0.9
        rows, values = X[:120], Y[:120]
        both = RandomForestRegressor(10, random_state=0).fit(rows, np.column_stack([values, rows[:, 2]]))
        assert DistilledRegressor(both, quick, **QUICK).fit(rows).predict(X).shape == (len(X), 2)
        wide = RandomForestRegressor(10, random_state=0).fit(rows, np.column_stack([values, rows]))
        short = DistilledRegressor(wide, quick, target_compressor=PCA(3), **QUICK).fit(rows)
        assert short.predict(X).shape == (len(X), 11)
        frame = pd.DataFrame({"text": np.where(X[:, 1] > 0, "a", None), "number": X[:, 2]})
        assert DistilledRegressor(lambda rows: rows["number"] * 2, quick, **QUICK).fit(frame).fidelity(frame) > 0.9


@cache
def selected():
    """Return a model whose student was selected from three families."""
    student = AutoStudent(["linear", "tree", "boosting"], max_bytes=5000)
    return DistilledRegressor(edges, student, **QUICK).fit(GRID)


class TestCandidates:
    def test_columns_are_a_frame(self):
        """As ``cv_results_`` are."""
        frame = pd.DataFrame(selected().candidates_)
        assert list(frame["family"][:3]) == ["linear", "tree", "boosting"]
        assert frame["n_bytes"].iloc[-1] == skdistill.compile(selected()).n_bytes
        assert frame["fidelity"].iloc[:-1].between(0, 1).all()
        assert frame["rung"].iloc[-1] == 2

    def test_it_explains_itself(self):
        """In a sentence and a table, as text and as HTML."""
        candidates = selected().candidates_
        assert candidates.explain().startswith(candidates.chosen.family + " within ")
        assert "Other families: " in candidates.explain()
        assert "n_bytes" in str(candidates)
        assert candidates._repr_html_().count("<tr>") == 1 + len(candidates["family"])

    def test_it_is_small_and_survives_pickling(self):
        """No student, no rows inside."""
        again = pickle.loads(pickle.dumps(selected().candidates_))
        assert str(again) == str(selected().candidates_)
        assert len(pickle.dumps(again)) < 20_000


class TestSize:
    @pytest.mark.thinned(2)
    @pytest.mark.parametrize("family", FAMILIES)
    @pytest.mark.parametrize("n_parameters", [200, pytest.param(2000, marks=pytest.mark.slow)])
    def test_every_family_understands_it(self, family, n_parameters):
        """No student has more parameters than asked for; families that can use most of them do."""
        student = FAMILIES[family].member(classifies=False).sized(n_parameters, n_inputs=3, n_outputs=1)
        fitted = student.fit(GRID[:1000], edges(GRID[:1000]) + plane(GRID[:1000]))
        assert fitted.scorer_.n_parameters <= n_parameters
        if family not in ("linear", "kernel", "tree"):
            assert fitted.scorer_.n_parameters > 0.4 * n_parameters

    @pytest.mark.parametrize("family", FAMILIES)
    def test_too_small_is_said(self, family):
        """A size that leaves nothing for so many classes."""
        with pytest.raises(StudentError, match=r"a size of 20 parameters is too small for 4 inputs and 30 outputs"):
            FAMILIES[family].member(classifies=True).sized(20, n_inputs=4, n_outputs=30)

    def test_one_grid_sweeps_families_and_sizes(self):
        """Also in a pipeline, scored without labels."""
        model = make_pipeline(StandardScaler(), DistilledRegressor(plane, "linear", **QUICK))
        grid = {"distilledregressor__student": ["linear", "boosting"], "distilledregressor__student_size": [50, 500]}
        search = GridSearchCV(model, grid, scoring=fidelity_scorer, cv=2).fit(GRID)
        assert search.best_params_["distilledregressor__student"] == "linear"

    def test_searches_and_curves_over_sizes(self):
        """Halving, and a curve that rises with the size."""
        model = DistilledRegressor(edges, "tree", **QUICK)
        halving = HalvingGridSearchCV(model, {"student_size": [10, 100]}, scoring=fidelity_scorer, cv=2, random_state=0)
        assert halving.fit(GRID, edges(GRID)).best_params_ == {"student_size": 100}
        options = {"param_name": "student_size", "param_range": [5, 10, 100], "scoring": fidelity_scorer, "cv": 2}
        _, scores = validation_curve(model, GRID, edges(GRID), **options)
        assert np.all(np.diff(scores.mean(axis=1)) > 0)

    def test_auto_keeps_to_it(self):
        """The choice stays below the size."""
        model = DistilledRegressor(edges, student_size=150, **QUICK).fit(GRID)
        assert model.candidates_.chosen.n_parameters <= 150

    def test_other_students_have_no_size(self):
        """Of scikit-learn's own estimators."""
        model = DistilledRegressor(plane, DecisionTreeRegressor(), student_size=100)
        with pytest.raises(
            StudentError, match=r"student_size=100 needs a compact student .* got DecisionTreeRegressor"
        ):
            model.fit(GRID)

    def test_it_changes_nothing_the_caller_owns(self):
        """The student given stays as it was."""
        student = CompactBoostingRegressor(60, 24)
        DistilledRegressor(plane, student, student_size=100, **QUICK).fit(GRID)
        assert (student.n_trees, student.max_leaf_nodes) == (60, 24)
        assert clone(DistilledRegressor(plane, student, student_size=100)).student_size == 100


class TestFidelityScorer:
    def test_it_is_the_models_own(self):
        """With or without labels."""
        model = DistilledRegressor(plane, "boosting", **QUICK).fit(GRID)
        assert fidelity_scorer(model, GRID) == fidelity_scorer(model, GRID, np.zeros(3000)) == model.fidelity(GRID)

    def test_others_are_refused(self):
        """By name."""
        with pytest.raises(TypeError, match="got a DecisionTreeRegressor; expected a DistilledClassifier"):
            fidelity_scorer(DecisionTreeRegressor(), X)


def test_kernel_students_inherit_the_kernel_and_no_rows():
    """Of a support vector machine: gamma, but none of its support vectors."""
    machine = SVR(gamma=0.5).fit(GRID, waves(GRID))
    model = DistilledRegressor(machine, CompactKernelRegressor(20, refine=False), **QUICK).fit(GRID[:300])
    assert model.student_.gamma == pytest.approx(0.5 * np.var(GRID), rel=0.1)
    assert model.student_.landmarks is None


class TestRefusals:
    def test_a_budget_is_never_exceeded_in_silence(self, monkeypatch):
        """If the whole transfer set makes every student too large, the next best is taken, or it is an error."""
        monkeypatch.setattr("skdistill._encoding.MIN_CATEGORY_ROWS", 0)
        pairs = [number // 2 for number in range(3000)]  # keys that occur once would be ignored
        frame = pd.DataFrame(
            {"key": [md5(bytes([pair % 256, pair // 256])).hexdigest() for pair in pairs], "x": GRID[:, 0]}
        )

        def teacher(rows):
            return np.asarray(rows["x"]) + 0.1 * (rows["key"].to_numpy() > "8")

        model = DistilledRegressor(teacher, AutoStudent(max_bytes=9000), **QUICK)
        with pytest.raises(StudentError, match="no student meets max_bytes=9000; the closest is"):
            model.fit(frame)

    def test_sampler_choice_takes_no_fraction_from_other_students(self):
        """scikit-learn's own ``validation_fraction`` means something else: samplers are tried alike whatever it is."""
        tried = [
            DistilledRegressor(FOREST, student, n_synthetic=200, random_state=0).fit(X).sampler_results_
            for student in (
                HistGradientBoostingRegressor(validation_fraction=fraction, max_iter=5) for fraction in (None, 0.5)
            )
        ]
        assert len(tried[0]["fidelity"]) > 2
        for other in tried[1:]:
            np.testing.assert_array_equal(other["fidelity"], tried[0]["fidelity"])

    def test_validation_rows_are_used_although_queries_are_few(self):
        """``X_val`` is labelled before synthetic rows exhaust the query budget."""
        model = DistilledRegressor(FOREST, AutoStudent(["linear"]), sampler=Jitter(), max_queries=500, random_state=0)
        assert set(model.fit(X[:300], X_val=X[300:]).candidates_["validated_on"]) == {"X_val"}

    def test_a_teachers_kernel_that_no_student_can_have_is_no_hint(self):
        """Its width is chosen then, as that of a student whose teacher is a function."""
        rows, student = GRID[:100], CompactKernelRegressor(5, refine=False)
        machine = SVR(gamma=1e9).fit(rows, waves(rows))
        inherited, chosen = (
            DistilledRegressor(each, student, **QUICK).fit(rows) for each in (machine, machine.predict)
        )
        assert inherited.student_.gamma == "auto"
        np.testing.assert_array_equal(inherited.predict(GRID), chosen.predict(GRID))


@pytest.mark.slow
def test_candidates_are_fitted_by_the_processes_of_a_context():
    """Processes that a context of joblib names fit the same candidates, with the columns that are declared here."""
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.integers(0, 9, 600), rng.standard_normal(600)])

    def teacher(rows):
        return np.array([3.0, -1, 4, 1, -5, 9, 2, -6, 5])[rows[:, 0].astype(int)] + rows[:, 1]

    params = {"student": skdistill.AutoStudent(["linear", "tree", "mlp"]), "random_state": 0, "sampler": None}
    model = skdistill.DistilledRegressor(teacher, categorical_features=[0], **params)
    alone = model.fit(X).predict(X)
    with joblib.parallel_config("loky", n_jobs=2):
        np.testing.assert_array_equal(model.fit(X).predict(X), alone)
