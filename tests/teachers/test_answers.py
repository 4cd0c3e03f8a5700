"""What a teacher answers is read as it is meant, or refused; and what it is given is its own."""

import datetime as dt
import warnings
from functools import partial

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from sklearn.base import clone
from sklearn.ensemble import RandomForestRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from skdistill import AutoStudent, DistilledClassifier, DistilledRegressor, as_teacher
from skdistill.exceptions import TeacherOutputError, TeacherWarning
from skdistill.samplers import Jitter

ROWS = np.random.default_rng(0).normal(size=(60, 3))
LABELS = np.array(["high", "low", "mid"])
FRAMES = {"pandas": pd.DataFrame, "polars": pl.DataFrame}


def probabilities(rows):
    """In the order of LABELS: the largest of three columns wins."""
    scores = np.exp(np.asarray(rows)[:, :3])
    return scores / scores.sum(axis=1, keepdims=True)


class TestNamedColumns:
    @given(
        order=st.permutations(range(3)),
        library=st.sampled_from(sorted(FRAMES)),
        spelling=st.sampled_from(["{}", "proba_{}", "{}_score", "p({})"]),
    )
    def test_names_decide_and_not_the_order(self, order, library, spelling):
        """A frame whose columns are the classes in any order gives the same outputs."""

        def teacher(rows):
            proba = probabilities(rows)
            return FRAMES[library]({spelling.format(LABELS[place]): proba[:, place] for place in order})

        outputs = as_teacher(teacher, classes=LABELS).outputs(ROWS)
        np.testing.assert_allclose(outputs, probabilities(ROWS))

    @pytest.mark.parametrize(
        ("classes", "names"),
        [
            ([1, 2, 10], [10, 1, 2]),
            ([1, 2, 10], ["10", "1", "2"]),
            ([1.0, 2.0, 10.0], ["10", "1", "2"]),
            ([False, True], [True, False]),
            ([0, 1], [1, 0]),
            ([False, True], ["True", "False"]),
        ],
    )
    def test_labels_of_any_kind(self, classes, names):
        """Numbers are matched by their value, however they are spelled."""
        width = len(classes)
        proba = probabilities(ROWS)[:, :width] / probabilities(ROWS)[:, :width].sum(axis=1, keepdims=True)
        value = lambda label: float({"True": 1, "False": 0}.get(label, label))  # noqa: E731
        places = [[value(label) for label in classes].index(value(name)) for name in names]
        frame = pd.DataFrame(proba[:, places], columns=names)
        np.testing.assert_allclose(as_teacher(lambda _: frame, classes=classes).outputs(ROWS), proba)

    @pytest.mark.parametrize(
        "names", [range(3), ["0", "1", "2"], ["column_0", "column_1", "column_2"], ["p1", "p2", "p3"]]
    )
    def test_numbered_columns_are_in_the_order_of_the_classes(self, names):
        """Names that only count say nothing."""
        frame = pd.DataFrame(probabilities(ROWS), columns=list(names))
        np.testing.assert_allclose(as_teacher(lambda _: frame, classes=LABELS).outputs(ROWS), probabilities(ROWS))

    @pytest.mark.parametrize(
        ("classes", "names"),
        [
            (["a1", "a0"], ["p_a0", "p_a1"]),
            ([10, 11], ["p11", "p10"]),
            (["bad", "bat"], ["proba_bat", "proba_bad"]),
            (["high", "higher"], ["p_higher", "p_high"]),
        ],
    )
    def test_classes_that_share_letters_are_told_apart(self, classes, names):
        """What all names share is not taken from the classes."""
        proba = np.column_stack([probabilities(ROWS)[:, 0], 1 - probabilities(ROWS)[:, 0]])
        ordered = sorted(classes)
        column_of = {str(label): proba[:, place] for place, label in enumerate(ordered)}
        frame = pd.DataFrame(
            {name: column_of[name.removeprefix("proba_").removeprefix("p_").removeprefix("p")] for name in names}
        )
        np.testing.assert_allclose(as_teacher(lambda _: frame, classes=classes).outputs(ROWS), proba)

    @pytest.mark.parametrize("names", [["high", "low", "middle"], ["a", "b", "c"], ["2", "0", "1"]])
    def test_other_names_are_refused(self, names):
        """Neither classes nor a count: to guess could turn labels round."""
        frame = pd.DataFrame(probabilities(ROWS), columns=names)
        with pytest.raises(TeacherOutputError, match=r"named after the classes .* in any order"):
            as_teacher(lambda _: frame, classes=LABELS).outputs(ROWS)

    def test_margins_have_names_too(self):
        """The frame of a ``decision_function`` is read as that of ``predict_proba``."""

        class Machine:
            classes_ = LABELS

            def decision_function(self, rows):
                return pd.DataFrame(np.asarray(rows)[:, ::-1], columns=LABELS[::-1])

        np.testing.assert_allclose(as_teacher(Machine()).outputs(ROWS), ROWS)

    def test_the_student_says_what_the_teacher_says(self):
        """Through the whole fit, as AutoML predictors answer."""
        labels = LABELS[probabilities(ROWS).argmax(axis=1)]

        class Predictor:
            def predict_proba(self, rows):
                return pd.DataFrame(probabilities(rows), columns=LABELS)[["low", "mid", "high"]]

        student = DecisionTreeClassifier(random_state=0)
        model = DistilledClassifier(Predictor(), student, sampler=None, random_state=0).fit(ROWS, labels)
        np.testing.assert_array_equal(model.predict(ROWS), labels)


class OwnOrder:
    """A model whose classes are in an order of its own."""

    classes_ = np.array(["low", "high", "mid"])

    def predict_proba(self, rows):
        return probabilities(rows)[:, [1, 0, 2]]

    def decision_function(self, rows):
        return np.log(self.predict_proba(rows))

    def predict(self, rows):
        return self.classes_[self.predict_proba(rows).argmax(axis=1)]


class TestBoundMethods:
    @pytest.mark.parametrize("y", [None, LABELS[probabilities(ROWS).argmax(axis=1)]], ids=["no labels", "labels"])
    @pytest.mark.parametrize("wrap", [lambda method: method, partial], ids=["itself", "partial"])
    def test_columns_are_in_the_order_of_the_model(self, wrap, y):
        """A method of a model knows the classes of its model, as the model itself does."""
        student = DecisionTreeClassifier(random_state=0)
        model = DistilledClassifier(wrap(OwnOrder().predict_proba), student, sampler=None, random_state=0).fit(ROWS, y)
        np.testing.assert_array_equal(model.predict(ROWS), OwnOrder().predict(ROWS))

    @pytest.mark.parametrize("method", ["predict_proba", "decision_function", "predict"])
    def test_each_method_is_read_as_what_it_is(self, method):
        """Margins as margins, and labels as labels."""
        teacher = as_teacher(getattr(OwnOrder(), method), task="classification")
        assert teacher.response_method == method
        np.testing.assert_array_equal(teacher.classes_, LABELS)
        np.testing.assert_array_equal(LABELS[teacher.outputs(ROWS).argmax(axis=1)], OwnOrder().predict(ROWS))

    def test_predict_of_a_model_without_classes_returns_probabilities(self):
        """A booster or a network of one output answers ``predict`` with probabilities, whether bound or in a lambda."""

        class Network:
            def predict(self, rows):
                return probabilities(rows)[:, 0]

        student, labels = DecisionTreeClassifier(random_state=0), (probabilities(ROWS)[:, 0] > 0.5).astype(int)
        bound, wrapped = (
            DistilledClassifier(teacher, student, sampler=None, random_state=0).fit(ROWS, labels).predict_proba(ROWS)
            for teacher in (Network().predict, lambda rows: Network().predict(rows))
        )
        np.testing.assert_array_equal(bound, wrapped)
        np.testing.assert_array_equal(bound.argmax(axis=1), labels)

    def test_margins_of_pairs_are_refused_as_those_of_the_model(self):
        """Three margins for three classes may be those of pairs."""
        labels = probabilities(ROWS).argmax(axis=1)
        machine = SVC(decision_function_shape="ovo").fit(ROWS, labels)
        for teacher in (machine, machine.decision_function):
            with pytest.raises(TeacherOutputError, match="one column for each of the 3 classes"):
                as_teacher(teacher, task="classification").outputs(ROWS)


class TestNumbers:
    @pytest.mark.parametrize(
        ("answer", "match"),
        [
            (ROWS[:, 0] + 1j, "values of dtype complex128; expected real numbers"),
            (np.datetime64("2020-01-01") + np.arange(60), "values of dtype datetime64.*expected real numbers"),
            (np.array([np.datetime64("NaT")] * 60), "values of dtype datetime64.*expected real numbers"),
            (np.arange(60).astype("timedelta64[s]"), "values of dtype timedelta64.*expected real numbers"),
            (np.array([dt.date(2020, 1, 1)] * 60, dtype=object), "values of dtype object; expected real numbers"),
            (np.ma.masked_array(ROWS[:, 0], ROWS[:, 0] > 0), "masked cells; expected an output for each row"),
            (np.char.mod("%f", ROWS[:, 0]), "texts of dtype <U9; expected real numbers"),
            (np.char.mod("%f", ROWS[:, 0]).astype(object), "texts of dtype object; expected real numbers"),
            (np.array([None] * 60, dtype=object), "row 0 as nan; expected finite numbers"),
            (np.where(ROWS[:, 0] > 0, 1.7e308, 1.0), "numbers of at most 1e\\+300"),
            (np.where(ROWS[:, 0] > 0, np.inf, 1.0), "finite numbers"),
        ],
    )
    def test_what_is_no_number_is_refused(self, answer, match):
        """It is neither cut to a number nor taken for one, and the message says what came."""
        with pytest.raises(TeacherOutputError, match=match):
            DistilledRegressor(lambda _: answer, "linear", sampler=None).fit(ROWS)

    @pytest.mark.parametrize(
        "answer",
        [
            ROWS[:, 0].astype(np.float32),
            (ROWS[:, 0] > 0),
            np.arange(60),
            pd.Series(ROWS[:, 0], dtype="Float64"),
            np.ma.masked_array(ROWS[:, 0], np.zeros(60, dtype=bool)),
            pl.Series(ROWS[:, 0]),
            ROWS[:, 0].astype(object),
        ],
    )
    def test_numbers_of_any_kind_are_read(self, answer):
        """As floats, in their order."""
        outputs = as_teacher(lambda _: answer).outputs(ROWS)
        np.testing.assert_allclose(outputs, np.asarray(answer).astype(float))

    def test_synthetic_rows_are_answered_as_real_ones_are(self):
        """Another number of outputs is an error that says both."""

        def teacher(rows):
            return rows[:, 0] if np.isin(rows[:, 0], ROWS[:, 0]).all() else rows[:, :2]

        for sampler in (Jitter(), "auto"):  # it is no refusal of the rows
            model = DistilledRegressor(teacher, "linear", sampler=sampler, n_synthetic=50, random_state=0)
            with pytest.raises(TeacherOutputError, match=r"^the outputs .*, 2\) for synthetic rows, but shape \(60,\)"):
                model.fit(ROWS)

    @pytest.mark.parametrize(("passed", "origin"), [("X_unlabeled", "unlabelled rows"), ("X_val", "validation rows")])
    @pytest.mark.parametrize("shrinks", [False, True])
    def test_other_rows_are_answered_as_the_first_ones_are(self, passed, origin, shrinks):
        """Fewer outputs are an error, too: they would be compared with those of other columns."""

        def teacher(rows):
            are_first = np.isin(rows[:, 0], ROWS[:, 0]).all()
            return rows[:, :2] if are_first == shrinks else rows[:, 0]

        model = DistilledRegressor(teacher, AutoStudent(["linear", "tree"]), sampler=None, random_state=0)
        with pytest.raises(TeacherOutputError, match=f"for {origin}, but shape .* for real rows"):
            model.fit(ROWS, **{passed: ROWS + 1})


def edit(rows):
    """Answer the sum of a row, and change the rows."""
    if sparse.issparse(rows):
        total = np.asarray(rows.sum(axis=1)).ravel()
        rows.data[:] = 0
        return total
    if isinstance(rows, np.ndarray):
        total = rows.sum(axis=1)
        rows[:] = 0
        return total
    total = np.asarray(rows).sum(axis=1)
    rows["a"] = 0.0
    return total


class TestOwnRows:
    @pytest.mark.parametrize(
        "rows",
        [ROWS, np.asfortranarray(ROWS), pd.DataFrame(ROWS, columns=list("abc")), sparse.csr_matrix(ROWS)],
        ids=["array", "by columns", "frame", "sparse"],
    )
    def test_the_callers_rows_stay_as_they_are(self, rows):
        """In fit, fidelity and soft targets; and the student is taught on the rows that were answered."""
        before = rows.copy()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", TeacherWarning)
            model = DistilledRegressor(edit, "linear", sampler=None, random_state=0).fit(rows)
            assert model.fidelity(rows) > 0.999
            model.soft_targets(rows)
        same = (rows != before).nnz == 0 if sparse.issparse(rows) else np.array_equal(rows, before)
        assert same

    def test_a_teacher_that_writes_is_told_of_once(self):
        """The warning names it, says what was done about it, and points at the call."""
        with pytest.warns(TeacherWarning, match="edit changed the rows that were passed to it") as told:
            DistilledRegressor(edit, "linear", sampler=Jitter(), n_synthetic=2.0, random_state=0).fit(ROWS)
        assert len(told) == 1
        assert told[0].filename == __file__

    def test_models_that_write_change_neither_rows_nor_the_teacher(self):
        """A teacher with a kernel, one with out-of-bag rows, and a student of others: all write into their rows."""
        values, rows = ROWS[:, 0] ** 2, ROWS.copy()
        machine = make_pipeline(StandardScaler(copy=False), SVR()).fit(ROWS.copy(), values)
        forest = make_pipeline(StandardScaler(copy=False), RandomForestRegressor(30, random_state=0))
        forest.fit(ROWS.copy(), values)
        before = [teacher.predict(ROWS.copy()) for teacher in (machine, forest)]
        student = make_pipeline(StandardScaler(copy=False), DecisionTreeRegressor(random_state=0))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", TeacherWarning)
            DistilledRegressor(machine, "kernel", sampler=None, random_state=0).fit(rows)
            model = DistilledRegressor(forest, student, n_synthetic=2.0, random_state=0).fit(rows)
            gentle = clone(student).set_params(standardscaler__copy=True)
            same = DistilledRegressor(forest, gentle, n_synthetic=2.0, random_state=0).fit(rows)
        np.testing.assert_array_equal(rows, ROWS)
        for teacher, answers in zip((machine, forest), before, strict=True):
            np.testing.assert_array_equal(teacher.predict(ROWS.copy()), answers)
        np.testing.assert_array_equal(model.sampler_results_["fidelity"], same.sampler_results_["fidelity"])

    def test_others_are_not(self):
        """Missing cells are equal to themselves, missing dates too."""
        dates = np.array([["2020-01-01"], ["NaT"]], dtype="M8[D]")
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            as_teacher(lambda given: np.zeros(len(given))).outputs(dates)
        rows = ROWS.copy()
        rows[::5, 1] = np.nan
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            as_teacher(lambda given: np.nan_to_num(given).sum(axis=1)).outputs(rows)
            as_teacher(StandardScaler().fit(ROWS), "transform", task="regression").outputs(rows[1:5])
