"""What the estimators do beyond the contract: raw tables, honest targets, memory, a student that stands alone."""

import pickle
import subprocess
import sys

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
from helpers import CountingClassifier, dataset
from scipy import sparse
from sklearn.cluster import DBSCAN, KMeans
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.datasets import load_diabetes, load_digits
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest, RandomForestClassifier, RandomForestRegressor, VotingClassifier
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.naive_bayes import MultinomialNB
from sklearn.neighbors import KernelDensity
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from skdistill import DistilledClassifier, DistilledRegressor, fidelity_scorer, memory_info, metrics
from skdistill.exceptions import TeacherError
from skdistill.samplers import MUNGE, LeafSwap
from skdistill.students import CompactBoostingClassifier, CompactBoostingRegressor

X, Y = dataset("three classes")
TREE = DecisionTreeClassifier(max_leaf_nodes=6, random_state=0)
BOOSTING = CompactBoostingClassifier(20, 8)
"""A student whose size is not chosen, so that fits are quick."""


class TestRawTables:
    """Frames as people have them."""

    @staticmethod
    def frame():
        rng = np.random.RandomState(0)
        frame = pd.DataFrame(
            {
                "town": rng.choice(["Aix", "Bonn", "Cork"], size=300),
                "grade": pd.Categorical(rng.choice(["low", "high"], size=300), categories=["low", "high", "never"]),
                "member": rng.uniform(size=300) < 0.5,
                "visits": rng.randint(0, 9, size=300),
                "income": rng.lognormal(size=300),
            }
        )
        y = np.where(frame["income"] * frame["member"] > frame["visits"] / 5, "buys", "leaves")
        frame.loc[::17, "income"] = np.nan
        frame.loc[::23, "town"] = None
        return frame, y

    @staticmethod
    def pipeline():
        numbers = make_column_selector(dtype_include=np.number)
        others = make_column_selector(dtype_exclude=np.number)
        encode = make_column_transformer((SimpleImputer(), numbers), (OneHotEncoder(handle_unknown="ignore"), others))
        return make_pipeline(encode, RandomForestClassifier(20, random_state=0))

    @pytest.mark.parametrize(("recipe", "student"), [(False, "auto"), (True, "tree")], ids=["fitted", "recipe"])
    def test_pandas(self, recipe, student):
        """A pipeline that wants a frame of strings, categories, flags and missing cells is distilled from the frame."""
        frame, y = self.frame()
        teacher = self.pipeline() if recipe else self.pipeline().fit(frame, y)
        model = DistilledClassifier(teacher, student, n_synthetic=2.0, random_state=0).fit(frame, y)
        assert model.feature_names_in_.tolist() == frame.columns.tolist()
        assert model.student_.feature_names_in_.tolist() == frame.columns.tolist()
        assert model.fidelity(frame) > 0.8
        assert set(model.predict(frame.assign(town="Unseen"))) <= {"buys", "leaves"}

    def test_polars(self):
        """The same with polars, and a teacher that is a function of the frame."""
        frame, _ = self.frame()
        table = pl.from_pandas(frame)

        def rule(rows):
            assert isinstance(rows, pl.DataFrame)
            rich = pl.when(pl.col("income") > 1).then(0.8).otherwise(0.2)
            return rows.select(pl.when(pl.col("town") == "Bonn").then(rich).otherwise(0.5)).to_series().to_numpy()

        model = DistilledClassifier(rule, BOOSTING, random_state=0).fit(table, np.arange(300) % 2)
        assert model.feature_names_in_.tolist() == table.columns
        assert model.fidelity(table) > 0.9

    def test_object_array(self):
        """An array of Python objects is a table, too."""
        rows = np.array([["a", 1.0], ["b", 2.0]] * 40, dtype=object)
        teacher = make_pipeline(OneHotEncoder(handle_unknown="ignore"), LogisticRegression())
        model = DistilledClassifier(teacher, random_state=0).fit(rows, [0, 1] * 40)
        assert model.score(rows, [0, 1] * 40) == 1

    def test_sparse_text(self):
        """Sparse counts stay sparse from sampler to student."""
        texts = [f"{'good fine' if i % 2 else 'bad awful'} {'film' if i % 3 else 'book'} {i % 7}" for i in range(90)]
        counts = CountVectorizer().fit_transform(texts)
        labels = np.arange(90) % 2
        teacher = MultinomialNB().fit(counts, labels)
        for student in ("auto", LogisticRegression()):
            model = DistilledClassifier(teacher, student, random_state=0).fit(counts)
            assert model.score(counts, labels) > 0.95
        assert sparse.issparse(MUNGE(random_state=0).fit(counts).sample(5, 0))

    def test_tags_follow_the_student(self):
        """What goes in is what the student takes."""
        from sklearn.utils import get_tags

        any_table = get_tags(DistilledClassifier(FrozenEstimator(TREE))).input_tags
        assert (any_table.string, any_table.allow_nan, any_table.sparse) == (True, True, True)
        linear = get_tags(DistilledClassifier(TREE, LogisticRegression())).input_tags
        assert (linear.string, linear.allow_nan) == (False, False)


class TestTeachers:
    """Teachers of every kind, from end to end."""

    def test_margins_are_scaled_on_labels(self):
        """With labels an SVC's margins become honest probabilities; without, the labels still agree."""
        rows, labels = load_digits(n_class=5, return_X_y=True)
        rows, test, labels, truth = train_test_split(rows, labels, random_state=0)
        svc = SVC().fit(rows, labels)
        options = {"student": CompactBoostingClassifier(10, 12), "sampler": LeafSwap(), "n_synthetic": 2.0}
        with_labels = DistilledClassifier(svc, random_state=0, **options).fit(rows, labels)
        without = DistilledClassifier(svc, random_state=0, **options).fit(rows)
        skill = [
            metrics.brier_skill(truth, m.predict_proba(test), classes=svc.classes_) for m in (with_labels, without)
        ]
        assert skill[0] > skill[1]
        for model in (with_labels, without):
            assert metrics.agreement(svc.predict(test), model.predict(test)) > 0.9

    def test_clusterer_with_labels_only(self):
        """A clustering becomes inductive: from ``labels_`` to a function of new rows."""
        clusters = DBSCAN(eps=0.8, min_samples=4).fit(X)
        model = DistilledClassifier(clusters, BOOSTING, random_state=0).fit(X)
        assert model.transfer_set_.n_synthetic == 0
        assert metrics.agreement(clusters.labels_, model.predict(X)) > 0.95
        recipe = DistilledClassifier(DBSCAN(eps=0.8, min_samples=4), BOOSTING, random_state=0).fit(X)
        np.testing.assert_array_equal(recipe.predict(X), model.predict(X))

    def test_clusterer_that_predicts(self):
        """A clusterer with ``predict`` labels synthetic rows, too."""
        model = DistilledClassifier(
            KMeans(3, random_state=0), BOOSTING, sampler=LeafSwap(), n_synthetic=20.0, random_state=0
        ).fit(X)
        assert model.transfer_set_.n_synthetic == 20 * len(X)
        assert model.fidelity(X) > 0.9

    def test_mixture_memberships(self):
        """A mixture's memberships are soft targets."""
        model = DistilledClassifier(GaussianMixture(2, random_state=0), BOOSTING, random_state=0)
        assert model.fit(X).fidelity(X) > 0.9

    def test_anomaly_scores(self):
        """A slow anomaly score becomes a fast function."""
        forest, options = (
            IsolationForest(n_estimators=30, random_state=0),
            {"response_method": "score_samples", "random_state": 0},
        )
        model = DistilledRegressor(forest, CompactBoostingRegressor(60, 24), **options)
        assert model.fit(X).fidelity(X) > 0.9

    def test_embeddings(self):
        """A slow embedding becomes a fast function of several outputs."""
        model = DistilledRegressor(PCA(2), "mlp", response_method="transform", random_state=0).fit(X)
        assert model.predict(X).shape == (150, 2)
        assert model.fidelity(X) > 0.9

    @pytest.mark.parametrize("sampler", [KernelDensity(bandwidth=0.2), GaussianMixture(3, random_state=0), None])
    def test_other_samplers(self, sampler):
        """Scikit-learn's densities draw rows, too; without a sampler only real rows are taught."""
        teacher = RandomForestClassifier(20, random_state=0).fit(X, Y)
        model = DistilledClassifier(teacher, BOOSTING, sampler=sampler, n_synthetic=200, random_state=0).fit(X)
        assert model.transfer_set_.n_synthetic == (0 if sampler is None else 200)
        assert model.fidelity(X) > 0.8


class TestTransferSet:
    """Rows, weights and targets."""

    def test_summary_counts_rows_and_holds_none(self):
        """The summary says what was taught and stays small."""
        model = DistilledClassifier(TREE, TREE, sampler=MUNGE(), n_synthetic=2.0, random_state=0)
        model.fit(X, Y, X_unlabeled=X[:30])
        summary = model.transfer_set_
        assert (summary.n_real, summary.n_unlabeled, summary.n_synthetic) == (150, 30, 360)
        assert (summary.sampler, summary.n_queries) == ("MUNGE()", 540)
        assert summary.synthetic_weight == pytest.approx(1.0)
        assert summary.label_seconds > 0
        assert len(pickle.dumps(summary)) < 1000

    @pytest.mark.parametrize(
        ("n_synthetic", "expected"), [("auto", 1500), (7, 7), (0.5, 75), (0, 0), (np.int64(3), 3), (np.float64(2), 300)]
    )
    def test_number_of_synthetic_rows(self, n_synthetic, expected):
        """Integers count rows, floats are multiples of the real rows."""
        model = DistilledClassifier(TREE, TREE, sampler=MUNGE(), n_synthetic=n_synthetic, random_state=0).fit(X, Y)
        assert model.transfer_set_.n_synthetic == expected

    def test_large_tables_are_bounded(self):
        """``"auto"`` draws at most 200,000 rows, and fewer of a wide table."""
        from skdistill.transfer import count_synthetic

        assert count_synthetic("auto", 1_000_000, 10) == 200_000
        assert count_synthetic("auto", 60_000, 784) < 100_000

    def test_truth_replaces_the_teacher_at_soft_weight_zero(self):
        """At 0 only true labels are taught: a useless teacher does no harm, and at 1 it decides."""
        useless = FrozenEstimator(DecisionTreeClassifier(max_depth=1).fit(X, np.roll(Y, 75)))
        tree = DecisionTreeClassifier(random_state=0)
        truth = DistilledClassifier(useless, tree, sampler=None, soft_weight=0.0).fit(X, Y)
        assert truth.score(X, Y) == 1
        assert DistilledClassifier(useless, tree, sampler=None).fit(X, Y).score(X, Y) < 0.8

    def test_values_are_blended_half_way(self):
        """Half teacher, half truth, on real rows."""
        Z, values = dataset("regression")
        constant = lambda rows: np.zeros(len(rows))  # noqa: E731
        tree = DecisionTreeRegressor(random_state=0)
        model = DistilledRegressor(constant, tree, sampler=None, soft_weight=0.5).fit(Z, values)
        np.testing.assert_allclose(model.predict(Z), values / 2)

    def test_unlabelled_rows_teach(self):
        """The student learns regions that only unlabelled rows cover."""
        left = X[:, 2] < 3
        teacher = DecisionTreeClassifier(random_state=0).fit(X, Y)
        student = DecisionTreeClassifier(random_state=0)
        model = DistilledClassifier(teacher, student, sampler=None).fit(X[left], X_unlabeled=X[~left])
        assert model.score(X, teacher.predict(X)) == 1

    def test_synthetic_rows_raise_fidelity(self):
        """On a table too small for its teacher, synthetic rows make the student more faithful."""
        rows, values = load_diabetes(return_X_y=True)
        forest = RandomForestRegressor(100, random_state=0).fit(rows[:200], values[:200])
        tree = DecisionTreeRegressor(max_leaf_nodes=64, random_state=0)
        without, with_rows = (
            DistilledRegressor(forest, tree, sampler=sampler, random_state=0).fit(rows[:200]).fidelity(rows[200:])
            for sampler in (None, "auto")
        )
        assert with_rows > without

    def test_weights_reach_recipe_and_student(self):
        """Rows of weight zero teach neither."""
        weight = (Y != "virginica").astype(float)
        model = DistilledClassifier(TREE, TREE, sampler=None).fit(X, Y, sample_weight=weight)
        assert "virginica" not in model.predict(X)

    def test_rows_of_weight_zero_are_no_rows(self):
        """They are not in the synthetic rows either."""
        rng = np.random.RandomState(0)
        rows = np.r_[rng.rand(100, 2), rng.rand(100, 2) + 10]
        weight = np.r_[np.ones(100), np.zeros(100)]
        teacher = lambda rows: np.where(rows[:, 0] < 5, rows[:, 1], -100.0)  # noqa: E731
        model = DistilledRegressor(teacher, Ridge(), random_state=0).fit(rows, sample_weight=weight)
        assert model.fidelity(rows[:100]) > 0.99

    @pytest.mark.parametrize("scale", [1e-3, 1e3])
    def test_scale_of_the_weights_does_not_matter(self, scale):
        """Only ratios of weights count."""
        Z, values = dataset("regression")
        weight = 1.0 + np.arange(len(Z)) % 2
        tree = DecisionTreeRegressor(max_leaf_nodes=20, random_state=0)
        plain, scaled = (
            DistilledRegressor(Ridge().fit(Z, values), tree, random_state=0).fit(Z, sample_weight=factor * weight)
            for factor in (1.0, scale)
        )
        assert scaled.transfer_set_.synthetic_weight == pytest.approx(scale * plain.transfer_set_.synthetic_weight)
        np.testing.assert_allclose(scaled.predict(Z), plain.predict(Z))

    def test_wrappers_may_take_missing_cells(self):
        """Whether a search or a vote takes NaN is left to what it holds."""
        holes = X.copy()
        holes[::7, 1] = np.nan
        inner = make_pipeline(SimpleImputer(), LogisticRegression(max_iter=500))
        for wrapper in (GridSearchCV(inner, {"logisticregression__C": [1.0]}, cv=2), VotingClassifier([("a", inner)])):
            for teacher, student in ((wrapper, "tree"), (TREE, wrapper)):
                model = DistilledClassifier(teacher, student, sampler=MUNGE(), n_synthetic=1.0, random_state=0)
                assert model.fit(holes, Y).score(holes, Y) > 0.9


class TestHeldOutLabels:
    """Real rows labelled by a teacher that has not seen them."""

    def test_out_of_fold_labels_are_not_in_sample(self):
        """A teacher that learns by heart is no use in sample; out of fold it is honest."""
        rng = np.random.RandomState(0)
        noise = rng.normal(size=(200, 3))
        labels = rng.randint(0, 2, size=200)
        parrot = DecisionTreeClassifier(random_state=0)
        in_sample, out_of_fold = (
            DistilledClassifier(parrot, parrot, sampler=None, teacher_cv=cv, random_state=0).fit(noise, labels)
            for cv in (None, 5)
        )
        assert in_sample.score(noise, labels) == 1
        assert out_of_fold.score(noise, labels) < 0.7

    def test_groups_are_not_labelled_out_of_fold(self):
        """Each fold would number them anew."""
        with pytest.raises(TeacherError, match=r"the clusters of .* are numbered differently in every fit"):
            DistilledClassifier(KMeans(3, n_init=1), teacher_cv=5).fit(X, Y)

    def test_out_of_fold_with_a_rare_class(self):
        """A class that a fold's teacher never saw has probability zero there, and is a class all the same."""
        labels = Y.copy()
        labels[0] = "a rare one"
        with pytest.warns(UserWarning, match="least populated class"):
            model = DistilledClassifier(TREE, TREE, teacher_cv=5, sampler=None, random_state=0).fit(X, labels)
        assert model.classes_.tolist() == ["a rare one", "setosa", "versicolor", "virginica"]
        assert model.score(X, labels) > 0.9

    @pytest.mark.thinned(2)
    @pytest.mark.parametrize("task", ["classification", "regression"])
    @pytest.mark.parametrize("pipeline", [False, True])
    def test_out_of_bag(self, task, pipeline):
        """A forest fitted inside labels each row by the trees that have not seen it."""
        classify = task == "classification"
        rows, y = (X, Y) if classify else dataset("regression")
        forest = (RandomForestClassifier if classify else RandomForestRegressor)(100, random_state=0)
        recipe = make_pipeline(StandardScaler(), forest) if pipeline else forest
        distilled = DistilledClassifier if classify else DistilledRegressor
        student = (DecisionTreeClassifier if classify else DecisionTreeRegressor)(random_state=0)
        model = distilled(recipe, student, sampler=None, teacher_cv="oob", random_state=0).fit(rows, y)
        fitted = model.teacher_[-1] if pipeline else model.teacher_
        held_out = fitted.oob_decision_function_ if classify else fitted.oob_prediction_
        taught = model.student_.predict_proba(rows) if classify else model.student_.predict(rows)
        assert metrics.fidelity(held_out, taught) > 0.97
        assert forest.oob_score is False

    def test_rows_in_every_bag_keep_the_in_sample_label(self):
        """With few trees some rows are in every bag; they are labelled in sample."""
        rng = np.random.RandomState(0)
        noise, labels = rng.normal(size=(200, 3)), rng.randint(0, 2, size=200)
        tree = DecisionTreeClassifier(random_state=0)
        model = DistilledClassifier(RandomForestClassifier(2), tree, sampler=None, teacher_cv="oob", random_state=0)
        with pytest.warns(UserWarning, match="Some inputs do not have OOB scores"):
            model.fit(noise, labels)
        held_out = model.teacher_.oob_decision_function_
        is_in_every_bag = ~(held_out.sum(axis=1) > 0)  # zeros or NaN, as the version of scikit-learn has it
        assert 50 < np.count_nonzero(is_in_every_bag) < 150
        in_sample = model.teacher_.predict_proba(noise)
        np.testing.assert_allclose(model.predict_proba(noise)[is_in_every_bag], in_sample[is_in_every_bag])
        np.testing.assert_allclose(model.predict_proba(noise)[~is_in_every_bag], held_out[~is_in_every_bag])
        assert not np.allclose(model.predict_proba(noise), in_sample)


class TestMemory:
    """Label once."""

    def test_a_grid_labels_once(self, tmp_path):
        """All sizes of a grid ask the teacher what one size asks, but for the few rows that probe it."""
        teacher = CountingClassifier(random_state=0).fit(X, Y)
        model = DistilledClassifier(
            teacher, TREE, sampler=MUNGE(), n_synthetic=5.0, memory=str(tmp_path), random_state=0
        )
        CountingClassifier.rows_asked = 0
        GridSearchCV(model, {"student__max_leaf_nodes": [4]}, cv=2, refit=False).fit(X, Y)
        once = CountingClassifier.rows_asked
        assert once > 5 * 150  # drawn rows that equal rows that were labelled before are not asked again
        CountingClassifier.rows_asked = 0
        sizes = {"student__max_leaf_nodes": [2, 3, 4, 5, 6, 7, 8, 9]}
        GridSearchCV(model, sizes, cv=2, refit=False).fit(X, Y)
        assert CountingClassifier.rows_asked <= 8 * 2 * 2 * 16

    @pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
    def test_frames(self, frame, tmp_path):
        """Rows drawn for a frame are found again."""
        table = frame({"text": Y, "a": X[:, 0], "b": X[:, 2]})
        asked = []

        def teacher(rows):
            asked.append(len(rows))
            return np.asarray(rows["a"], dtype=float)

        memory = joblib.Memory(tmp_path, verbose=0)
        models = [
            DistilledRegressor(teacher, "linear", sampler=MUNGE(), memory=memory, random_state=0) for _ in range(3)
        ]
        models[0].fit(table)
        assert max(asked) > 5 * 150
        asked.clear()
        models = [model.fit(table) for model in models]
        of_probes = 16  # rows by which the memory knows the teacher
        assert set(asked) == {of_probes}
        np.testing.assert_array_equal(models[0].predict(table), models[2].predict(table))

    @pytest.mark.parametrize(
        "teacher",
        [
            RandomForestClassifier(50, min_samples_leaf=5, n_jobs=2, random_state=0),
            GridSearchCV(DecisionTreeClassifier(random_state=0), {"max_depth": [3, 4]}, cv=2),
        ],
        ids=["threads", "search"],
    )
    def test_teachers_with_threads_and_searches_are_known_again(self, teacher, tmp_path):
        """The last bits of a sum, and what joblib cannot hash, do not make a teacher another one."""
        teacher.fit(X, Y)
        memory = joblib.Memory(tmp_path, verbose=0)
        stored = []
        for _ in range(4):
            DistilledClassifier(teacher, TREE, sampler=MUNGE(), memory=memory, random_state=0).fit(X)
            stored.append(memory_info(tmp_path).n_rows)
        assert len(memory_info(tmp_path).teachers) == 1
        assert len(X) < stored[0] == stored[3]

    def test_memory_that_is_off_needs_no_seed(self):
        """``Memory(None)`` keeps nothing: no seed is needed, and each fit asks for all rows again."""
        teacher = CountingClassifier(random_state=0).fit(X, Y)
        CountingClassifier.rows_asked = 0
        model = DistilledClassifier(teacher, TREE, sampler=MUNGE(), n_synthetic=2.0, memory=joblib.Memory(None))
        for n_fits in (1, 2):
            assert model.fit(X, Y).score(X, teacher.predict(X)) > 0.9
            of_check = 12  # rows that check whether the teacher returns the same output again
            compared = len(X)  # predict of the teacher, for the real rows
            assert CountingClassifier.rows_asked == n_fits * (3 * len(X) + of_check + compared) + n_fits * len(X)

    def test_memory_changes_nothing(self, tmp_path):
        """The model is the one without memory."""
        teacher = RandomForestClassifier(5, random_state=0).fit(X, Y)
        plain = DistilledClassifier(teacher, TREE, random_state=0).fit(X).predict_proba(X)
        for _ in range(2):
            kept = DistilledClassifier(teacher, TREE, random_state=0, memory=str(tmp_path)).fit(X).predict_proba(X)
            np.testing.assert_array_equal(kept, plain)


class TestStudentAlone:
    """``student_`` needs neither teacher nor data."""

    SECRET = 0.123456789012345

    def test_pickle_holds_no_row_and_no_teacher(self):
        """No cell of the table and no name of the teacher's class is in the student's pickle."""
        marked = X.copy()
        marked[:, 3] = self.SECRET + np.arange(150)
        teacher = CountingClassifier(random_state=0).fit(marked, Y)
        for student in ("boosting", TREE, Ridge(), LogisticRegression(max_iter=1000)):
            model = DistilledClassifier(teacher, student, sampler=None, temperature=2.0).fit(marked)
            pickled = pickle.dumps(model.student_)
            assert b"CountingClassifier" not in pickled
            rows = [np.float64(value).tobytes() for value in marked[:, 3]]
            assert sum(row in pickled for row in rows) == 0

    def test_predicts_where_the_teacher_cannot_be_imported(self, tmp_path):
        """A new process without the teacher's library loads the student and predicts the same."""
        (tmp_path / "teachers_library.py").write_text(
            "from sklearn.ensemble import ExtraTreesClassifier\nclass Slow(ExtraTreesClassifier):\n    pass\n"
        )
        sys.path.insert(0, str(tmp_path))
        try:
            from teachers_library import Slow

            options = {"sampler": MUNGE(), "n_synthetic": 2.0, "temperature": 2.0, "random_state": 0}
            model = DistilledClassifier(Slow(10, random_state=0), "boosting", **options).fit(X, Y)
        finally:
            sys.path.remove(str(tmp_path))
        joblib.dump((model.student_, X, model.predict_proba(X)), tmp_path / "student.joblib")
        script = (
            "import sys, joblib, numpy as np\n"
            "sys.modules['teachers_library'] = None\n"
            f"student, X, expected = joblib.load({str(tmp_path / 'student.joblib')!r})\n"
            "np.testing.assert_allclose(student.predict_proba(X), expected)\n"
            "assert student.classes_.tolist() == ['setosa', 'versicolor', 'virginica']\n"
        )
        subprocess.run([sys.executable, "-c", script], check=True)

    def test_student_is_small_however_large_the_table(self):
        """Ten times the rows make no larger student."""
        teacher = RandomForestClassifier(5, random_state=0).fit(X, Y)
        sizes = [
            metrics.pickled_bytes(DistilledClassifier(teacher, TREE, sampler=None).fit(rows).student_)
            for rows in (X, np.tile(X, (10, 1)))
        ]
        assert sizes[1] <= 1.1 * sizes[0]


class TestScikitLearnLife:
    """In pipelines, searches and routing."""

    def test_fidelity_needs_no_labels_and_takes_weights(self):
        """It is that of the answers; weights of zero leave rows out."""
        model = DistilledClassifier(TREE, DecisionTreeClassifier(max_depth=1), sampler=None, random_state=0).fit(X, Y)
        half = np.arange(150) < 90
        answers = model.teacher_.predict_proba(X), model.predict_proba(X)
        assert model.fidelity(X) == pytest.approx(metrics.fidelity(*answers)) != pytest.approx(1)
        weighted = model.fidelity(X, sample_weight=half.astype(float))
        assert weighted == pytest.approx(model.fidelity(X[half])) != pytest.approx(model.fidelity(X))

    def test_log_probabilities(self):
        """They are the logarithm of the probabilities; an impossible class has minus infinity."""
        model = DistilledClassifier(TREE, TREE, sampler=None).fit(X, Y)
        np.testing.assert_allclose(np.exp(model.predict_log_proba(X)), model.predict_proba(X))
        assert np.isneginf(model.predict_log_proba(X)).any()

    def test_compressor_makes_a_smaller_student(self):
        """Ten classes through a code of four: fewer trees, a full classifier."""
        rows, labels = load_digits(return_X_y=True)
        forest = RandomForestClassifier(30, random_state=0).fit(rows[:900], labels[:900])
        options = {"sampler": LeafSwap(), "n_synthetic": 300, "random_state": 0}
        plain = DistilledClassifier(forest, CompactBoostingClassifier(20), **options).fit(rows[:900])
        student = CompactBoostingRegressor(20)
        short = DistilledClassifier(forest, student, target_compressor=PCA(4), **options).fit(rows[:900])
        assert short.predict_proba(rows).shape == (len(rows), 10)
        assert metrics.pickled_bytes(short.student_) < 0.6 * metrics.pickled_bytes(plain.student_)
        assert short.fidelity(rows[900:]) > 0.5

    @pytest.mark.parametrize("kind", [DistilledClassifier, DistilledRegressor])
    def test_the_former_name_of_a_parameter_is_accepted(self, kind):
        """``compressor`` warns, and does what ``target_compressor`` does."""
        rows = np.random.default_rng(0).normal(size=(80, 3))
        teacher = lambda X: np.exp(X) / np.exp(X).sum(axis=1, keepdims=True)  # noqa: E731
        options, labels = {"student": Ridge(), "sampler": None, "random_state": 0}, rows.argmax(axis=1)
        with pytest.warns(FutureWarning, match=f"{kind.__name__}: compressor= is now called target_compressor="):
            former = kind(teacher, compressor=PCA(1), **options).fit(rows, labels)
        current = kind(teacher, target_compressor=PCA(1), **options).fit(rows, labels)
        plain = kind(teacher, **options).fit(rows, labels)
        answers = [getattr(model, "predict_proba", model.predict)(rows) for model in (former, current, plain)]
        np.testing.assert_array_equal(answers[0], answers[1])
        assert not np.allclose(answers[1], answers[2])

    def test_student_parameters_are_searched(self):
        """A grid over a parameter of the student fits each value, and the more faithful one wins."""
        rows, values = dataset("regression")
        forest = RandomForestRegressor(20, random_state=0).fit(rows, values)
        model = DistilledRegressor(
            forest, CompactBoostingRegressor(5), sampler=MUNGE(), n_synthetic=1.0, random_state=0
        )
        search = GridSearchCV(model, {"student__n_trees": [1, 10]}, scoring=fidelity_scorer, cv=2).fit(rows)
        one, ten = search.cv_results_["mean_test_score"]
        assert ten > one + 0.05
        assert search.best_params_ == {"student__n_trees": 10}
        assert search.best_estimator_.student_.n_trees == 10
        assert model.student.n_trees == 5
