"""Integration with scikit-learn and notebooks: representation, metadata routing, progress, callbacks, failed fits."""

import pickle
import re
import sys

import joblib
import lightgbm
import numpy as np
import pytest
import sklearn
from helpers import dataset
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, KFold, cross_validate
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from sklearn.utils import estimator_html_repr
from sklearn.utils.fixes import parse_version

import skdistill
from skdistill import (
    AutoSampler,
    AutoStudent,
    DistilledClassifier,
    DistilledRegressor,
    _progress,
    _representation,
    as_teacher,
)
from skdistill.exceptions import StudentError, TeacherQueryError
from skdistill.samplers import Jitter, LeafSwap
from skdistill.students import CompactBoostingClassifier, CompactTreeClassifier

VERSION = parse_version(sklearn.__version__)
HAS_DOCUMENTATION, HAS_CALLBACKS = (parse_version(since) <= VERSION for since in ("1.8", "1.9"))
X, Y = dataset("three classes")
TREE = DecisionTreeClassifier(max_leaf_nodes=6, random_state=0)
FITTED = clone(TREE).fit(X, Y)
SMALL = AutoStudent(families=["linear", "tree"])


def first_column(rows):
    return np.asarray(rows)[:, 0]


class Slow:
    """A model of another library, whose text takes for ever."""

    def __repr__(self):
        raise AssertionError("repr was called")

    def predict(self, rows):
        return first_column(rows)


def booster():
    return lightgbm.train({"objective": "regression", "verbose": -1}, lightgbm.Dataset(X, X[:, 0]), 5)


def quick(model=DistilledClassifier, teacher=FITTED, student=TREE, **params):
    return model(teacher, student, **{"sampler": Jitter(), "n_synthetic": 50, "random_state": 0, **params})


class TestText:
    """``repr`` is short, tells what was changed, and asks no foreign object."""

    def test_only_changed_parameters_are_shown(self):
        """Defaults are not; in a line that makes the same model again."""
        assert repr(DistilledClassifier(TREE, temperature=2.0)) == (
            "DistilledClassifier(teacher=DecisionTreeClassifier(max_leaf_nodes=6,\n"
            "                                                   random_state=0),\n"
            "                    temperature=2.0)"
        )

    @pytest.mark.parametrize(
        ("teacher", "text"),
        [
            (
                RandomForestClassifier(200, max_depth=2).fit(X, Y),
                "RandomForestClassifier(max_depth=2, n_estimators=200)",
            ),
            (first_column, "<function first_column>"),
            (lambda rows: rows, r"<function .*<lambda>>"),
            (Slow().predict, r"<method Slow.predict>"),
            (Slow(), r"<\S*Slow>"),
            (FrozenEstimator(Slow()), r"FrozenEstimator\(estimator=<\S*Slow>\)"),
            (booster(), "<lightgbm.basic.Booster>"),
            (as_teacher(Slow()), "Teacher(Slow, task='regression', response_method='predict')"),
        ],
        ids=lambda case: "" if isinstance(case, str) else type(case).__name__,
    )
    def test_any_teacher_has_a_short_text(self, teacher, text):
        """Whatever it is, and wherever it is shown."""
        for shown in (repr(DistilledRegressor(teacher)), str(DistilledRegressor(teacher))):
            flat = re.sub(r"\s+", " ", shown)
            assert len(shown) < 300
            assert text in flat or re.search(text, flat)
            assert "0x" not in flat

    def test_large_parameters_are_cut(self):
        """Folds given as lists of numbers, and long texts: some 700 characters, as in scikit-learn."""
        folds = [(list(range(10_000)), list(range(10_000)))]
        assert len(repr(DistilledRegressor(TREE, teacher_cv=folds, memory="x" * 10_000))) < 900

    def test_the_text_is_of_the_model_not_a_part_of_it(self):
        """Nothing is changed by being shown."""
        model = quick(DistilledRegressor, Slow(), DecisionTreeRegressor())
        before = dict(vars(model))
        repr(model)
        estimator_html_repr(model)
        assert all(vars(model)[name] is value for name, value in before.items())
        assert type(model) is DistilledRegressor

    def test_results_have_texts_of_a_line(self):
        """What a fit says of itself, and what ships."""
        model = quick().fit(X, Y)
        compiled = skdistill.compile(model)
        assert repr(compiled) == "<CompiledModel: Forest, n_features_in_=4, n_classes=3>"
        assert re.fullmatch(r"TransferSummary\(n_real=150, .*n_synthetic=50, .*\)", repr(model.transfer_set_))
        assert not re.search(r"[1-9]\d{4}", repr(model.transfer_set_))
        assert "\n" not in repr(as_teacher(FITTED))


class TestNotebook:
    """scikit-learn's diagram, with our documentation in it."""

    def test_teacher_sampler_and_student_are_blocks(self):
        """Also where the defaults are options of a choice."""
        html = estimator_html_repr(DistilledClassifier(FITTED))
        places = [html.index(f"<label>{name}") for name in ("teacher: fitted", "sampler", "student")]
        assert places == sorted(places)
        for name in ("DecisionTreeClassifier", "AutoSampler", "AutoStudent"):
            assert name in html[places[0] :]
        assert "<label>sampler" not in estimator_html_repr(DistilledClassifier(FITTED, sampler=None))

    def test_badge_is_that_of_the_model_and_the_label_that_of_the_teacher(self):
        """A fitted teacher does not make a fitted model; an unfitted one is a recipe."""
        badge = "<span>Fitted</span>"
        fitted_teacher, recipe = quick(), quick(teacher=TREE)
        assert badge not in estimator_html_repr(fitted_teacher)
        assert "<span>Not fitted</span>" in estimator_html_repr(fitted_teacher)
        assert "teacher: fitted, used as it is" in estimator_html_repr(fitted_teacher)
        assert "teacher: recipe, fitted in fit" in estimator_html_repr(recipe)
        assert badge in estimator_html_repr(recipe.fit(X, Y))

    def test_the_fitted_student_is_shown(self):
        """Not what it was chosen from."""
        model = DistilledClassifier(FITTED, SMALL, sampler=None, random_state=0).fit(X)
        assert type(model.student_).__name__ in estimator_html_repr(model)
        assert "AutoStudent" not in estimator_html_repr(model).split("<label>student")[1]

    @pytest.mark.parametrize("teacher", [Slow(), Slow().predict, first_column, booster(), FrozenEstimator(Slow())])
    def test_teachers_of_any_kind_are_shown_shortly(self, teacher):
        """Without asking them."""
        model = DistilledRegressor(teacher, "tree", sampler=None)
        plain = len(estimator_html_repr(DistilledRegressor(DecisionTreeRegressor(), "tree", sampler=None)))
        html = estimator_html_repr(model)
        assert "teacher: fitted" in html
        assert len(html) < plain + 10_000
        if not isinstance(teacher, FrozenEstimator):
            assert len(estimator_html_repr(model.fit(X))) < 2 * plain

    def test_within_others(self):
        """A pipeline shows the same blocks."""
        html = estimator_html_repr(make_pipeline(StandardScaler(), DistilledRegressor(booster(), "tree")))
        assert "teacher: fitted" in html
        assert "CompactTreeRegressor" in html

    @pytest.mark.skipif(not HAS_DOCUMENTATION, reason="scikit-learn shows no documentation of parameters")
    @pytest.mark.parametrize(
        ("estimator", "parameter", "text"),
        [
            (DistilledClassifier(FITTED), "temperature", "Divides the teacher"),
            (AutoStudent(), "max_bytes", "Maximum size of the compiled student"),
            (AutoSampler(), "tolerance", "The search stops if the loss (1 - fidelity)"),
            (LeafSwap(), "random_state", "random_state: int"),
            (CompactBoostingClassifier(), "n_trees", "n_trees: int"),
        ],
        ids=lambda case: type(case).__name__,
    )
    def test_parameters_show_their_documentation_without_a_wrong_link(self, estimator, parameter, text, monkeypatch):
        """There is no site yet, so nothing is linked to, least of all scikit-learn's; what it means is still shown."""
        html = estimator._get_params_html(doc_link=estimator._get_doc_link())._repr_html_inner()
        assert f"{parameter}: " in html
        assert text in html
        assert "href" not in html
        assert 'tabindex="0"' in html
        monkeypatch.setattr(_representation, "DOCUMENTATION", "https://site.test")
        link = estimator._get_doc_link()
        assert re.fullmatch(r"https://site\.test/api/generated/skdistill(\.\w+)?\.\w+\.html", link)
        name = link.rsplit("/", 1)[1].removesuffix(".html").removeprefix("skdistill.")
        home, _, name = name.rpartition(".")
        assert getattr(getattr(skdistill, home) if home else skdistill, name) is type(estimator)
        assert f'href="{link}#' in estimator._get_params_html(doc_link=link)._repr_html_inner()

    def test_estimators_of_others_are_not_linked_to_our_pages(self, monkeypatch):
        """A class derived elsewhere has its own documentation."""
        monkeypatch.setattr(_representation, "DOCUMENTATION", "https://site.test")
        Derived = type("Derived", (LeafSwap,), {"__module__": "elsewhere"})
        assert Derived()._get_doc_link() == ""


class Weighted(RegressorMixin, BaseEstimator):
    """A student that remembers how it was fitted."""

    def fit(self, rows, y, sample_weight=None):
        self.n_features_in_ = rows.shape[1]
        self.rows_, self.weight_ = rows, sample_weight
        return self

    def predict(self, rows):
        return np.asarray(rows)[:, 0]


POOL, VALIDATION_ROWS = X[:40] * 1.01, X[:35] * 0.99


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


@pytest.mark.usefixtures("routing")
class TestRouting:
    """With scikit-learn's metadata routing, weights and further rows arrive."""

    WEIGHT = np.linspace(1, 2, len(X))

    @staticmethod
    def model():
        model = DistilledRegressor(first_column, Weighted(), sampler=None, random_state=0)
        model.set_score_request(sample_weight=False)
        return model.set_fit_request(sample_weight=True, X_unlabeled=True, X_val=True)

    def test_through_a_pipeline(self):
        """As they are: steps before do not see them."""
        pipe = make_pipeline(StandardScaler().set_fit_request(sample_weight=False), self.model())
        pipe.fit(X, X[:, 0], sample_weight=self.WEIGHT, X_unlabeled=POOL, X_val=VALIDATION_ROWS)
        student = pipe[-1].student_
        assert len(student.rows_) == len(X) + len(POOL)
        np.testing.assert_allclose(student.rows_[len(X) :], POOL)
        assert np.allclose(student.weight_[: len(X)], self.WEIGHT)
        assert pipe[-1].transfer_set_.n_unlabeled == len(POOL)

    def test_through_a_pipeline_that_transforms_them(self):
        """``transform_input`` sends them through the steps before."""
        pipe = Pipeline(
            [("scale", StandardScaler()), ("distil", self.model())], transform_input=["X_unlabeled", "X_val"]
        )
        pipe.fit(X, X[:, 0], X_unlabeled=POOL, X_val=VALIDATION_ROWS)
        np.testing.assert_allclose(pipe[-1].student_.rows_[len(X) :], pipe[0].transform(POOL))

    def test_through_a_search_and_cross_validation(self):
        """Rows of another number than ``X`` pass whole, weights are cut with the folds."""
        search = GridSearchCV(self.model(), {"chunk_size": [7, 1000]}, cv=KFold(2))
        search.fit(X, X[:, 0], sample_weight=self.WEIGHT, X_unlabeled=POOL, X_val=VALIDATION_ROWS)
        assert search.best_estimator_.transfer_set_.n_unlabeled == len(POOL)
        params = {"sample_weight": self.WEIGHT, "X_unlabeled": POOL, "X_val": VALIDATION_ROWS}
        done = cross_validate(
            self.model(), X, X[:, 0], cv=KFold(2), params=params, return_estimator=True, return_indices=True
        )
        for model, fitted_on in zip(done["estimator"], done["indices"]["train"], strict=True):
            assert model.transfer_set_.n_unlabeled == len(POOL)
            assert np.allclose(model.student_.weight_[: len(fitted_on)], self.WEIGHT[fitted_on])

    def test_clone_keeps_requests(self):
        """Whether the teacher is fitted, which scikit-learn's clone is kept from, or a recipe."""
        for teacher in (FITTED, TREE, first_column):
            model = DistilledClassifier(teacher).set_fit_request(X_unlabeled=True, sample_weight=False)
            requests = clone(model).get_metadata_routing().fit.requests
            assert requests["X_unlabeled"] is True
            assert requests["sample_weight"] is False

    def test_what_is_not_requested_is_refused(self):
        """scikit-learn says which request is missing."""
        model = DistilledRegressor(first_column, Weighted(), sampler=None)
        with pytest.raises(ValueError, match="X_unlabeled"):
            make_pipeline(StandardScaler(), model).fit(X, X[:, 0], X_unlabeled=POOL)


def test_without_routing_pipelines_pass_arguments_by_the_name_of_the_step():
    """As for any estimator."""
    model = DistilledRegressor(first_column, Weighted(), sampler=None)
    weight = np.linspace(1, 2, len(X))
    pipe = make_pipeline(StandardScaler(), model).fit(
        X, X[:, 0], distilledregressor__sample_weight=weight, distilledregressor__X_unlabeled=POOL
    )
    assert np.allclose(pipe[-1].student_.weight_[: len(X)], weight)
    assert pipe[-1].transfer_set_.n_unlabeled == len(POOL)


class TestProgress:
    """``verbose`` announces every long phase; silence is silence."""

    def test_every_phase_is_reported_in_order(self, capsys, monkeypatch):
        """Recipe, labelling, choosing a sampler, drawing, choosing a student, teaching it."""
        monkeypatch.setattr(_progress, "QUIET_SECONDS", 0.0)
        DistilledClassifier(TREE, SMALL, n_synthetic=5.0, random_state=0, verbose=1).fit(X, Y, X_unlabeled=POOL)
        captured = capsys.readouterr()
        assert captured.out == ""
        shown = captured.err
        expected = [
            "fitting the teacher DecisionTreeClassifier on 150 rows",
            "labels real rows: 150 of 150 rows",
            "labels unlabelled rows: 40 of 40 rows",
            "drawing ",
            "labels synthetic rows",
            "choosing a sampler: ",
            "choosing a student: ",
            "fitting the student (",
        ]
        places = [shown.index(text) for text in expected]
        assert places == sorted(places)
        assert all(line.startswith("[skdistill] ") for line in shown.splitlines())

    def test_one_sampler_and_one_student_are_reported(self, capsys):
        """A given sampler and a given student are reported, and so are folds."""
        quick(teacher=TREE, teacher_cv=2, verbose=1).fit(X, Y)
        shown = capsys.readouterr().err
        for text in ("fitting a teacher for each fold", "drawing 50 rows with Jitter()", "fitting DecisionTreeCl"):
            assert text in shown

    def test_silence(self, capsys):
        """Nothing is written unless asked for."""
        DistilledClassifier(TREE, SMALL, n_synthetic=2.0, random_state=0).fit(X, Y)
        captured = capsys.readouterr()
        assert captured.out + captured.err == ""

    def test_time_left_is_estimated_from_the_work(self, capsys, monkeypatch):
        """A student selection begins with few rows: the number of students would underestimate the remaining time."""
        from skdistill import _progress

        clock = type("Clock", (), {"now": 0.0, "perf_counter": lambda self: self.now})()
        monkeypatch.setattr(_progress, "time", clock)
        shares = []
        progress = _progress.Progress("choosing", 4, 1, "students", work=100, callback=shares.append)
        clock.now = 10.0
        progress.update(2, 20)
        progress.update(4, 100)
        assert capsys.readouterr().err.splitlines() == [
            "[skdistill] choosing: 2 of 4 students, 40 s left",
            "[skdistill] choosing: 4 of 4 students, 10.0 s",
        ]
        assert shares == [0.2, 1.0]


@pytest.mark.skipif(not HAS_CALLBACKS, reason="scikit-learn has no callbacks before 1.9")
class TestCallbacks:
    """scikit-learn's callbacks receive each phase."""

    class Listener:
        """Notes begin and end of tasks; ``tasks`` is of the class, as callbacks may be copied."""

        max_propagation_depth = None

        def __init__(self):
            self.tasks = []

        def setup(self, estimator, context):
            self.tasks.append("setup")

        def teardown(self, estimator, context):
            self.tasks.append("teardown")

        def on_fit_task_begin(self, estimator, context):
            if type(estimator) is DistilledClassifier and context.task_name != "step":
                self.tasks.append(f"begin {context.task_name}")

        def on_fit_task_end(self, estimator, context):
            if type(estimator) is DistilledClassifier and context.task_name != "step":
                self.tasks.append(f"end {context.task_name}")

    PHASES = ("label real rows", "draw rows", "fit the student")

    def test_without_callbacks_nothing_experimental_is_called(self, monkeypatch):
        """A later scikit-learn may change it, and fits without callbacks go on."""
        monkeypatch.setattr(DistilledClassifier, "_init_callback_context", None)
        assert hasattr(quick().fit(X, Y), "student_")

    def test_phases_are_subtasks(self):
        """In order, each closed before the next, and closed down in the end."""
        listener = self.Listener()
        quick().set_callbacks(listener).fit(X, Y)
        phases = [f"{moment} {name}" for name in self.PHASES for moment in ("begin", "end")]
        assert listener.tasks == ["setup", "begin fit", *phases, "end fit", "teardown"]

    @pytest.mark.filterwarnings("ignore::skdistill.exceptions.TeacherWarning")
    def test_every_phase_there_may_be_fits_in(self):
        """Recipe, folds, more rows, all choices: no more than was announced."""
        listener = self.Listener()
        model = DistilledClassifier(TREE, SMALL, teacher_cv=KFold(3, shuffle=True), n_synthetic=3.0, random_state=0)
        model.set_params(soft_weight="auto").set_callbacks(listener).fit(X, Y, X_unlabeled=POOL, X_val=VALIDATION_ROWS)
        assert len([task for task in listener.tasks if task.startswith("begin")]) == 1 + 9
        assert listener.tasks.count("teardown") == 1

    def test_within_search_and_pipeline(self):
        """They are propagated to our fits."""
        listener = self.Listener()
        pipe = make_pipeline(StandardScaler(), quick())
        GridSearchCV(pipe, {"distilledclassifier__n_synthetic": [10, 20]}, cv=2).set_callbacks(listener).fit(X, Y)
        assert listener.tasks.count("begin fit the student") == 5

    def test_failing_fits_close_them(self):
        """And the next fit starts anew."""

        def refuses(rows):
            raise RuntimeError("no")

        listener = self.Listener()
        model = quick(teacher=refuses).set_callbacks(listener)
        with pytest.raises(TeacherQueryError, match="refuses raised RuntimeError"):
            model.fit(X, Y)
        assert listener.tasks[-1] == "teardown"
        assert not hasattr(model, "_callback_fit_ctx")
        model.set_params(teacher=FITTED).fit(X, Y)
        assert listener.tasks.count("teardown") == 2

    def test_progress_bar(self, capfd):
        """scikit-learn's own bars name the phases; models with them are cloned and pickled."""
        pytest.importorskip("rich")
        from sklearn.callback import ProgressBar

        model = quick().set_callbacks(ProgressBar()).fit(X, Y)
        shown = capfd.readouterr().out
        assert all(name in shown for name in self.PHASES)
        again = pickle.loads(pickle.dumps(model))
        assert np.array_equal(again.predict(X), model.predict(X))
        clone(model).fit(X, Y)


class Interrupted:
    """A teacher that is interrupted in its third block, once."""

    def __init__(self):
        self.blocks, self.rows_asked = 0, 0

    def predict(self, rows):
        if rows.shape[0] == 10:
            self.blocks += 1
            if self.blocks == 3:
                raise KeyboardInterrupt
        self.rows_asked += rows.shape[0]
        return first_column(rows)

    def __reduce__(self):
        return Interrupted, ()


def test_an_interrupt_keeps_what_was_labelled(tmp_path):
    """With a memory the next fit asks only for the other blocks, and for the rows that it knows the teacher by."""
    teacher = Interrupted()
    memory = joblib.Memory(tmp_path, verbose=0)
    model = quick(DistilledRegressor, teacher, DecisionTreeRegressor(), sampler=None, memory=memory, chunk_size=10)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X)
    assert set(vars(model)) == set(model.get_params(deep=False))
    before = teacher.rows_asked
    model.fit(X)
    assert teacher.rows_asked - before == len(X) - 20 + 16


def fail(*args, **kwargs):
    raise KeyboardInterrupt


FAILURES = {
    "parameters": ({"temperature": -1.0}, {}),
    "rows": ({}, {"sample_weight": -np.ones(len(X))}),
    "more rows": ({}, {"X_val": X[:, :2]}),
    "the teacher": ({"teacher": LogisticRegression(C=-1)}, {}),
    "labelling": ({"teacher": fail}, {}),
    "drawing": ({"sampler": type("Fails", (Jitter,), {"sample": fail})()}, {}),
    "choosing": ({"student": AutoStudent(families=["tree"], max_bytes=100)}, {}),
    "teaching": ({"student": type("Fails", (DecisionTreeClassifier,), {"fit": fail})()}, {}),
}


@pytest.mark.parametrize("phase", FAILURES)
class TestFailingFits:
    """A fit that fails or is interrupted in whatever phase leaves the estimator as it was."""

    @staticmethod
    def fail_to_fit(model, phase):
        params, arguments = FAILURES[phase]
        model.set_params(**params)
        with pytest.raises((ValueError, KeyboardInterrupt)):
            model.fit(X, Y, **arguments)
        return set(params)

    def test_a_first_fit_leaves_nothing(self, phase):
        """No attribute that says it were fitted."""
        model = quick()
        self.fail_to_fit(model, phase)
        assert set(vars(model)) == set(model.get_params(deep=False))

    def test_a_later_fit_leaves_the_model_before(self, phase):
        """Whole: each attribute is the same object, and it predicts as it did, on its own table."""
        frame_like = X[:, :3] * 2
        model = DistilledClassifier(clone(TREE).fit(frame_like, Y != "setosa"), SMALL, n_synthetic=3.0, random_state=0)
        model.fit(frame_like)
        fitted = {name: value for name, value in vars(model).items() if name not in model.get_params(deep=False)}
        assert {"candidates_", "sampler_results_", "classes_", "n_features_in_"} <= set(fitted)
        answers = model.predict_proba(frame_like)
        model.set_params(**quick().get_params(deep=False))
        self.fail_to_fit(model, phase)
        assert {name for name in vars(model) if name not in model.get_params(deep=False)} == set(fitted)
        assert all(vars(model)[name] is value for name, value in fitted.items())
        assert np.array_equal(model.predict_proba(frame_like), answers)
        assert model.teacher_ is fitted["teacher_"]


def test_students_are_left_as_they_were_too():
    """A compact student whose fit fails after its table was checked has the table of the fit before."""
    student = CompactBoostingClassifier(3).fit(X, Y)
    with pytest.raises(StudentError, match="no probabilities"):
        student.fit_soft(X[:, :2], np.full((len(X), 3), -1.0))
    assert student.n_features_in_ == 4
    assert len(student.predict(X)) == len(X)
    fresh = CompactTreeClassifier()
    with pytest.raises(ValueError, match="at least 2 classes"):
        fresh.fit(X, np.zeros(len(X)))
    assert set(vars(fresh)) == set(fresh.get_params(deep=False))


def test_signatures_are_those_of_fit():
    """Decorators do not hide what ``fit`` takes, which routing and editors read."""
    import inspect

    for model in (DistilledClassifier, DistilledRegressor):
        assert list(inspect.signature(model.fit).parameters) == [
            "self",
            "X",
            "y",
            "sample_weight",
            "X_unlabeled",
            "X_val",
            "y_val",
        ]
        assert sys.modules[model.__module__].__name__ == model.fit.__module__


def test_models_are_pickled_with_their_attributes():
    """And shown again."""
    model = quick(teacher=DummyClassifier().fit(X, Y), student="tree").fit(X)
    again = pickle.loads(pickle.dumps(model))
    assert repr(again) == repr(model)
    assert np.array_equal(again.predict_proba(X), model.predict_proba(X))


def test_parts_of_scikit_learn_that_may_move_are_not_needed(monkeypatch):
    """Where scikit-learn's blocks have moved, an estimator shows itself as any other does."""
    monkeypatch.setattr("skdistill.estimators._html_diagram._VisualBlock", None)
    assert "DistilledRegressor" in DistilledRegressor(DecisionTreeRegressor())._repr_html_()
