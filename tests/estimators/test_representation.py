"""How estimators show themselves: a short text, and scikit-learn's diagram with our documentation."""

import pickle
import re

import lightgbm
import numpy as np
import pytest
from helpers import dataset
from scipy import sparse
from sklearn.base import clone
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from sklearn.utils import estimator_html_repr

import skdistill
from skdistill import AutoSampler, AutoStudent, DistilledClassifier, DistilledRegressor, _representation, as_teacher
from skdistill.estimators._html_diagram import _selected
from skdistill.samplers import Jitter, LeafSwap, Mixture
from skdistill.students import CompactBoostingClassifier, CompactBoostingRegressor

X, Y = dataset("three classes")
TREE = DecisionTreeClassifier(max_leaf_nodes=6, random_state=0)
FITTED = clone(TREE).fit(X, Y)
SMALL = AutoStudent(families=["linear", "tree"])


def first_column(rows):
    return np.asarray(rows)[:, 0]


def waves(rows):
    return np.sin(5 * rows[:, 0]) * rows[:, 1]


class Slow:
    """A model of another library, whose text takes for ever."""

    def __repr__(self):
        raise AssertionError("asked what it says of itself")

    def predict(self, rows):
        return first_column(rows)


def booster():
    return lightgbm.train({"objective": "regression", "verbose": -1}, lightgbm.Dataset(X, X[:, 0]), 5)


def quick(model=DistilledClassifier, teacher=FITTED, student=TREE, **params):
    return model(teacher, student, **{"sampler": Jitter(), "n_synthetic": 50, "random_state": 0, **params})


def without_ids(html):
    """Return a diagram without the numbers that tell it from others on a page."""
    return re.sub(r"sk-(container|estimator)-id-[\w-]+", "", html)


class TestText:
    """``repr`` is short, tells what was changed, and asks no foreign object."""

    def test_only_what_was_changed_is_told(self):
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
                RandomForestClassifier(20, max_depth=2).fit(X, Y),
                "RandomForestClassifier(max_depth=2, n_estimators=20)",
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
        assert type(model.student_).__name__ in estimator_html_repr(model).split("<label>student: selected in fit")[1]
        assert "AutoStudent" not in estimator_html_repr(model).split("<label>student")[1]

    def test_the_sampler_that_was_selected_is_shown(self):
        """Instead of the options; before ``fit``, the options."""
        model = DistilledRegressor(waves, CompactBoostingRegressor(30, 8), random_state=0)
        assert "AutoSampler" in estimator_html_repr(model)
        html = estimator_html_repr(model.fit(np.random.default_rng(0).random((200, 3))))
        assert "<label>sampler: selected in fit" in html
        assert model.transfer_set_.sampler == "LeafSwap()"
        assert "LeafSwap" in html.split("<label>sampler")[1]
        assert "AutoSampler" not in html

    def test_no_synthetic_rows_are_shown_as_such(self):
        """If they were not needed."""
        model = DistilledRegressor(first_column, "linear", random_state=0)
        html = estimator_html_repr(model.fit(np.random.default_rng(0).random((200, 3))))
        assert "no synthetic rows" in html.split("<label>sampler: selected in fit")[1]
        assert "AutoSampler" not in html

    @pytest.mark.parametrize("n_jobs", [None, 2])
    @pytest.mark.parametrize("rows", [X, sparse.csr_array(X)], ids=["dense", "sparse"])
    def test_every_sampler_that_may_be_selected_is_found_again(self, rows, n_jobs):
        """By its text; so is the mixture of all that is used without validation rows. Others are texts."""
        candidates = AutoSampler().candidates(rows, n_jobs)
        for sampler in (*candidates, Mixture(candidates)):
            found = _selected(AutoSampler(), repr(sampler), n_jobs)
            assert (type(found), repr(found)) == (type(sampler), repr(sampler))
        given = AutoSampler([Jitter(0.3), LeafSwap()])
        assert _selected(given, "Jitter(scale=0.3)", n_jobs) is given.samplers[0]
        assert repr(_selected(given, "Other()", n_jobs)) == "Other()"

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

    @pytest.mark.parametrize(
        "estimator",
        [DistilledClassifier(FITTED), AutoStudent(), AutoSampler(), LeafSwap(), CompactBoostingClassifier()],
        ids=lambda case: type(case).__name__,
    )
    def test_links_lead_to_our_pages(self, estimator, monkeypatch):
        """Nothing is linked to while there is no site, least of all pages of scikit-learn; with one, pages are ours."""
        assert estimator._get_doc_link() == ""
        monkeypatch.setattr(_representation.Documented, "_doc_link_module", "skdistill")
        monkeypatch.setattr(_representation.Documented, "_doc_link_template", "https://site.test/{page}.html")
        link = estimator._get_doc_link()
        page = re.fullmatch(r"https://site\.test/skdistill\.(.*)\.html", link).group(1)
        home, _, name = page.rpartition(".")
        assert getattr(getattr(skdistill, home) if home else skdistill, name) is type(estimator)
        assert f'href="{link}' in estimator_html_repr(estimator)

    def test_estimators_of_others_are_not_linked_to_our_pages(self, monkeypatch):
        """A class derived elsewhere has its own documentation."""
        monkeypatch.setattr(_representation.Documented, "_doc_link_module", "skdistill")
        Derived = type("Derived", (LeafSwap,), {"__module__": "elsewhere"})
        assert Derived()._get_doc_link() == ""


def test_a_pickle_is_shown_alike():
    """A model that was pickled has the text and the diagram of the model itself, and its answers."""
    model = quick(teacher=DummyClassifier().fit(X, Y), student="tree").fit(X)
    again = pickle.loads(pickle.dumps(model))
    assert repr(again) == repr(model)
    assert without_ids(estimator_html_repr(again)) == without_ids(estimator_html_repr(model))
    assert np.array_equal(again.predict_proba(X), model.predict_proba(X))


def test_parts_of_scikit_learn_that_may_move_are_not_needed(monkeypatch):
    """Where scikit-learn's blocks have moved, an estimator shows itself as any other does."""
    monkeypatch.setattr("skdistill.estimators._html_diagram._VisualBlock", None)
    assert "DistilledRegressor" in DistilledRegressor(DecisionTreeRegressor())._repr_html_()
