"""Compact networks and hybrids as estimators of their own."""

import pickle

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits
from sklearn.model_selection import cross_val_score

import skdistill
from skdistill.exceptions import StudentError
from skdistill.metrics import fidelity
from skdistill.students import (
    CompactBoostingRegressor,
    CompactHybridClassifier,
    CompactHybridRegressor,
    CompactMLPClassifier,
    CompactMLPRegressor,
)
from skdistill.students._families import FAMILIES
from skdistill.students._knots import find_knots
from skdistill.students._student import count_inputs

X = np.random.RandomState(0).uniform(-1, 1, size=(2000, 3))
SMOOTH = np.sin(3 * X[:, 0]) + X[:, 1] * X[:, 2]
EDGES = np.sign(X[:, 0] - 0.2) * (X[:, 1] > 0)
LOGITS = np.column_stack([2 * X[:, 0], np.sin(3 * X[:, 1]), X[:, 0] * X[:, 1]])
PROBA = np.exp(LOGITS) / np.exp(LOGITS).sum(axis=1, keepdims=True)
TWO = np.column_stack([PROBA[:, 0], 1 - PROBA[:, 0]])
STUDENTS = [CompactMLPRegressor, CompactHybridRegressor]
CLASSIFIERS = [CompactMLPClassifier, CompactHybridClassifier]


def surface(rows):
    """Return the values of a smooth surface with an edge."""
    return np.sin(3 * rows[:, 0]) + rows[:, 1] * rows[:, 2] + np.sign(rows[:, 0] - 0.2) * (rows[:, 1] > 0)


class TestKnots:
    def test_they_are_where_the_target_jumps(self):
        """Among the first few are the two jumps of the first two columns; the third has its ends alone."""
        knots = find_knots(X, np.zeros(3, dtype=int), EDGES[:, None], np.ones(2000), 2, seed=0)
        assert np.min(np.abs(knots[0] - 0.2)) < 0.02
        assert np.min(np.abs(knots[1])) < 0.02
        assert len(knots[2]) == 2

    def test_edges_need_them(self):
        """With knots a network follows jumps that it cannot follow without."""
        losses = [
            1 - CompactMLPRegressor(n_knots=n_knots, random_state=0).fit(X, EDGES).score(X, EDGES)
            for n_knots in (50, 0)
        ]
        assert losses[0] < 0.3 * losses[1]

    def test_constant_and_missing_columns_have_none(self):
        """Nothing bends there."""
        cells = np.column_stack([np.ones(2000), np.full(2000, np.nan), X[:, 0]])
        knots = find_knots(cells, np.zeros(3, dtype=int), EDGES[:, None], np.ones(2000), 5, seed=0)
        assert [len(of_column) > 1 for of_column in knots] == [False, False, True]


class TestStudents:
    @pytest.mark.thinned(2)
    @pytest.mark.parametrize("kind", STUDENTS)
    @pytest.mark.parametrize("target", [SMOOTH, EDGES, SMOOTH + EDGES])
    def test_values_are_followed(self, kind, target):
        """Smooth ones, edges, and both."""
        assert fidelity(target, kind(random_state=0).fit(X, target).predict(X)) > 0.97

    @pytest.mark.thinned(2)
    @pytest.mark.parametrize("kind", CLASSIFIERS)
    @pytest.mark.parametrize("targets", [PROBA, TWO])
    def test_soft_targets_are_reproduced(self, kind, targets):
        """Probabilities, for two classes and for more."""
        student = kind(random_state=0).fit_soft(X, targets)
        np.testing.assert_allclose(student.predict_proba(X), targets, atol=0.12)
        assert fidelity(targets, student.predict_proba(X)) > 0.98

    def test_hard_labels_are_learned(self):
        """With true labels they are good classifiers and regressors like any other."""
        for kind in CLASSIFIERS:
            assert cross_val_score(kind(random_state=0), *load_breast_cancer(return_X_y=True), cv=3).min() > 0.9
            assert cross_val_score(kind(random_state=0), *load_digits(n_class=4, return_X_y=True), cv=3).min() > 0.9
        for kind in STUDENTS:
            assert cross_val_score(kind(random_state=0), *load_diabetes(return_X_y=True), cv=3).min() > 0.2

    def test_a_hybrid_follows_both_better_than_its_parts(self):
        """Of the same numbers of parameters, on a smooth surface with an edge, on rows that none was fitted on."""
        sizes = {"n_parameters": 800, "n_inputs": 3, "n_outputs": 1}
        unseen = np.random.RandomState(1).uniform(-1, 1, size=(3000, 3))
        loss_of_hybrid, *losses_of_parts = (
            1 - fidelity(surface(unseen), student.sized(**sizes).fit(X, surface(X)).predict(unseen))
            for student in (
                CompactHybridRegressor(random_state=0),
                CompactMLPRegressor(n_knots=0, random_state=0),
                CompactBoostingRegressor(random_state=0),
            )
        )
        assert loss_of_hybrid < 0.7 * min(losses_of_parts)

    @pytest.mark.thinned(2)
    @pytest.mark.parametrize("kind", STUDENTS)
    @pytest.mark.parametrize("scale", [1e-9, 1e9])
    def test_scale_of_the_targets_does_not_matter(self, kind, scale):
        """Targets are standardised for the fit."""
        plain = kind(8, random_state=0).fit(X, SMOOTH).predict(X)
        np.testing.assert_allclose(
            kind(8, random_state=0).fit(X, scale * SMOOTH).predict(X), scale * plain, rtol=1e-3, atol=1e-3 * scale
        )

    @pytest.mark.parametrize("kind", STUDENTS)
    def test_several_outputs_and_a_constant_one(self, kind):
        """A column without variance is its constant."""
        values = np.column_stack([SMOOTH, np.full(2000, 7.0), EDGES])
        predicted = kind(random_state=0).fit(X, values).predict(X)
        np.testing.assert_allclose(predicted[:, 1], 7, atol=0.1)
        assert fidelity(values[:, ::2], predicted[:, ::2]) > 0.95

    @pytest.mark.parametrize("kind", [*STUDENTS, *CLASSIFIERS])
    def test_rows_of_weight_zero_do_not_teach(self, kind):
        """Nonsense without weight changes next to nothing."""
        target = (X[:, 0] > 0).astype(float)
        wrong, weight = np.where(np.arange(2000) < 1000, target, 1 - target), np.repeat([1.0, 0.0], 1000)
        predicted = kind(random_state=0).fit(X, wrong, weight).predict(X)
        assert np.mean((predicted > 0.5) == (target > 0.5)) > 0.95

    @pytest.mark.parametrize("kind", [*STUDENTS, *CLASSIFIERS])
    def test_raw_tables_unseen_and_missing_cells_and_compiled_forms(self, kind):
        """Text, missing cells, unseen categories, dates; compiled, pickled, and row by row it answers the same."""
        rng = np.random.RandomState(0)
        frame = pd.DataFrame(
            {
                "text": rng.choice(["a", "b", None], size=600),
                "number": np.where(rng.uniform(size=600) < 0.1, np.nan, rng.normal(size=600)),
                "day": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.randint(1000, size=600), unit="D"),
            }
        )
        target = ((frame["text"] == "a") + frame["number"].fillna(0) > 0.5).astype(float).to_numpy()
        student = kind(16, random_state=0).fit(frame, target)
        assert np.mean((student.predict(frame) > 0.5) == (target > 0.5)) > 0.9
        strange = pd.DataFrame(
            {"text": ["z", None], "number": [np.nan, 1e30], "day": [pd.NaT, pd.Timestamp("1999-01-01")]}
        )
        answers = getattr(student, "predict_proba", student.predict)
        compiled = pickle.loads(pickle.dumps(skdistill.compile(student)))
        rows = pd.concat([frame[:50], strange], ignore_index=True)
        expected = answers(rows)
        assert np.all(np.isfinite(expected))
        np.testing.assert_allclose(compiled(rows), expected, atol=1e-9)
        each = [compiled(row) for row in rows.to_numpy(dtype=object)]
        np.testing.assert_allclose(each, expected, atol=1e-9)

    @pytest.mark.parametrize("kind", STUDENTS)
    def test_sparse_is_dense(self, kind):
        """The same answers, for the same rows."""
        cells = np.where(X > 0.3, X, 0.0)
        student = kind(8, n_knots=0, random_state=0)
        dense = student.fit(cells, SMOOTH).predict(cells)
        loose = student.fit(sparse.csr_matrix(cells), SMOOTH).predict(sparse.csr_matrix(cells))
        np.testing.assert_allclose(loose, dense, atol=0.02)

    @pytest.mark.parametrize("kind", [*STUDENTS, *(pytest.param(kind, marks=pytest.mark.slow) for kind in CLASSIFIERS)])
    def test_same_seed_same_student(self, kind):
        """And another seed another one."""
        target = (SMOOTH > 0).astype(int)
        one, two, other = (kind(8, random_state=seed).fit(X, target) for seed in (0, 0, 1))
        np.testing.assert_array_equal(one.scorer_.scores(X), two.scorer_.scores(X))
        assert not np.array_equal(one.scorer_.scores(X), other.scorer_.scores(X))


class TestTemperature:
    @pytest.mark.thinned(2)
    @pytest.mark.parametrize("final", [None, 1.0])
    @pytest.mark.parametrize("schedule", ["constant", "linear", "cosine", "logistic", lambda share: share**2])
    def test_answers_are_at_temperature_one(self, final, schedule):
        """Whatever the targets were softened by in training."""
        for targets in (PROBA,) if final else (TWO,):
            options = {"temperature": 4.0, "temperature_schedule": schedule}
            student = CompactMLPClassifier(final_temperature=final, random_state=0, **options)
            assert fidelity(targets, student.fit_soft(X, targets).predict_proba(X)) > 0.97


@pytest.mark.parametrize(
    ("student", "error", "match"),
    [
        (CompactMLPRegressor((8, 8, 8)), ValueError, r"hidden_layer_sizes=\(8, 8, 8\); expected one or two"),
        (CompactMLPRegressor("wide"), TypeError, "hidden_layer_sizes='wide'; expected an integer"),
        (CompactMLPRegressor(0), ValueError, "hidden_layer_sizes=0; expected an integer of at least 1"),
        (CompactMLPRegressor(learning_rate=0), ValueError, "learning_rate=0; expected a number above 0"),
        (CompactMLPRegressor(n_knots=-1), ValueError, "n_knots=-1; expected an integer of at least 0"),
        (CompactMLPRegressor(batch_size="large"), TypeError, "batch_size='large'; expected an integer"),
        (CompactMLPRegressor(weight_decay=-1), ValueError, "weight_decay=-1; expected"),
        (CompactMLPRegressor(validation_fraction=1), ValueError, "validation_fraction=1; expected"),
        (CompactMLPClassifier(temperature=0), ValueError, "temperature=0; expected a number above 0"),
        (CompactMLPClassifier(final_temperature=-1), ValueError, "final_temperature=-1; expected"),
        (CompactMLPClassifier(temperature_schedule="wild"), ValueError, "temperature_schedule='wild'; expected one of"),
        (CompactHybridRegressor(n_trees=0), ValueError, "n_trees=0; expected an integer of at least 1"),
        (CompactHybridRegressor((1, 2, 3)), ValueError, "hidden_layer_sizes"),
    ],
)
def test_parameters_are_checked(student, error, match):
    """By name, before anything is learned."""
    with pytest.raises(error, match=match):
        student.fit(X[:50], (SMOOTH > 0)[:50].astype(int))


class TestStrangeTables:
    """What every family must bear: each of these once gave wrong answers in silence."""

    FAMILY = pytest.mark.parametrize(
        "family",
        [pytest.param(name, marks=[pytest.mark.slow] if name == "inherit" else []) for name in FAMILIES],
    )

    @staticmethod
    def follows(student, rows, target):
        return fidelity(target, student.fit(rows, target).predict(rows))

    @staticmethod
    def member(family):
        student = FAMILIES[family].member(classifies=False)
        return student.set_params(random_state=0) if "random_state" in student.get_params() else student

    @pytest.mark.filterwarnings("ignore:invalid value encountered in cast")  # pandas 2.2
    @FAMILY
    def test_infinite_cells_are_refused_in_every_table(self, family):
        """Frames, arrays and objects, at fit and at predict, with the name of the column."""
        frame = pd.DataFrame(X[:60], columns=["a", "b", "c"])
        spoilt = frame.copy()
        spoilt.iloc[2, 1] = -np.inf
        for make, name in ((lambda rows: rows, "'b'"), (np.asarray, "1"), (lambda rows: rows.to_numpy(object), "1")):
            words = f"column {name} of X contains infinity; expected finite numbers or missing cells. Replace"
            with pytest.raises(ValueError, match=words):
                self.member(family).fit(make(spoilt), SMOOTH[:60])
        fitted = self.member(family).fit(frame, SMOOTH[:60])
        for rows in (spoilt, spoilt.iloc[2:3], spoilt.convert_dtypes()):
            with pytest.raises(ValueError, match="column 'b' of X contains infinity"):
                fitted.predict(rows)

    @pytest.mark.parametrize("family", ["linear", "kernel", "mlp"])
    def test_large_offsets_are_taken_off_in_double_precision(self, family):
        """Seconds since 1970, a few of them apart, are as good as from zero."""
        plain = self.follows(self.member(family), X[:500], SMOOTH[:500])
        assert self.follows(self.member(family), 1.7e9 + 5 * X[:500], SMOOTH[:500]) > plain - 0.02

    @pytest.mark.thinned(2)
    @FAMILY
    @pytest.mark.parametrize("scale", [1e-200, 1e160])
    def test_any_scale_of_targets(self, family, scale):
        """Squares of targets need not be floats."""
        plain = self.follows(self.member(family), X[:500], SMOOTH[:500])
        student = self.member(family).fit(X[:500], scale * SMOOTH[:500])
        assert fidelity(SMOOTH[:500], student.predict(X[:500]) / scale) == pytest.approx(plain, abs=0.02)

    @pytest.mark.thinned(2)
    @FAMILY
    @pytest.mark.parametrize("scale", [1e-6, 1e307])
    def test_any_scale_of_weights(self, family, scale):
        """Only ratios of weights count."""
        one, two = (
            self.member(family).fit(X[:500], SMOOTH[:500], np.full(500, weight)).predict(X[:500])
            for weight in (1.0, scale)
        )
        np.testing.assert_allclose(one, two, atol=1e-6)

    @FAMILY
    def test_rows_without_weight_set_no_ranges(self, family):
        """Far away rows that do not count change no answers, near or far: it is as if they were not there."""
        rows, weight = X[:500].copy(), np.ones(500)
        rows[:50] *= 1000
        weight[:50] = 0
        probes = np.vstack([X[500:], 3 * X[500:], np.full((1, 3), 50.0)])
        with_them = self.member(family).fit(rows, SMOOTH[:500], weight).predict(probes)
        without = self.member(family).fit(rows[50:], SMOOTH[50:500]).predict(probes)
        np.testing.assert_array_equal(with_them, without)

    @FAMILY
    def test_a_column_of_keys_is_not_carried_along(self, family):
        """A text in each row that no other row has teaches nothing and costs next to no bytes."""
        frame = pd.DataFrame({"number": X[:1000, 0], "key": [f"row number {index} of many" for index in range(1000)]})
        student = self.member(family).fit(frame, SMOOTH[:1000])
        assert b"row number 7" not in pickle.dumps(student)
        assert np.all(np.isfinite(student.predict(frame)))

    @FAMILY
    def test_sizes_are_kept_with_missing_cells_and_many_classes(self, family):
        """Indicators of missing cells count, and so does each class; a thousand parameters are enough for any."""
        rows = np.where(np.random.RandomState(0).uniform(size=X.shape) < 0.1, np.nan, X)
        for size in (30, 300, 1000):
            for student, outputs, target in (
                (FAMILIES[family].member(classifies=False), 1, SMOOTH),
                (FAMILIES[family].member(classifies=True), 3, PROBA),
            ):
                try:
                    sized = student.sized(size, n_inputs=count_inputs(rows), n_outputs=outputs)
                except StudentError:
                    assert size < 1000
                    continue
                fitted = (
                    sized.fit(rows[:150], target[:150]) if outputs == 1 else sized.fit_soft(rows[:150], target[:150])
                )
                assert fitted.scorer_.n_parameters <= size
