"""Students that inherit from a model: what they read, what they refuse, and what they keep."""

import pickle
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.cross_decomposition import PLSRegression
from sklearn.datasets import load_diabetes, load_iris
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsRegressor
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import QuantileTransformer, StandardScaler
from sklearn.svm import SVR
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

import skdistill
from skdistill import AutoStudent, DistilledClassifier, DistilledRegressor
from skdistill.exceptions import StudentError, StudentSizeError
from skdistill.metrics import fidelity
from skdistill.selection._terms import KERNEL_STEPS, Terms
from skdistill.solvers._landmarks import INHERITED_STEPS
from skdistill.students import (
    CompactBoostingRegressor,
    CompactInheritedClassifier,
    CompactInheritedRegressor,
    _inherit,
)
from skdistill.students._inheritable import inherited_kind

X, Y = load_diabetes(return_X_y=True)
FLOWERS, KINDS = load_iris(return_X_y=True)
FOREST = RandomForestRegressor(30, random_state=0).fit(X, Y)
FOREST_OF_KINDS = RandomForestClassifier(30, random_state=0).fit(FLOWERS, KINDS)
NETWORK = MLPRegressor(hidden_layer_sizes=(10,), max_iter=5, random_state=0)
QUICK = {"sampler": None, "random_state": 0}

VALUES = [
    FOREST,
    ExtraTreesRegressor(20, min_samples_leaf=5, random_state=0),
    LGBMRegressor(n_estimators=30, n_jobs=1, verbosity=-1),
    HistGradientBoostingRegressor(max_iter=20),
    DecisionTreeRegressor(random_state=0),
    LinearRegression(),
    CompactBoostingRegressor(30, random_state=0),
]
CLASSES = [
    FOREST_OF_KINDS,
    ExtraTreesClassifier(20, random_state=0),
    LGBMClassifier(n_estimators=15, n_jobs=1, verbosity=-1),
    HistGradientBoostingClassifier(max_iter=10),
    DecisionTreeClassifier(random_state=0),
    LogisticRegression(max_iter=1000),
]


def name_of(model):
    return type(model).__name__


@pytest.mark.parametrize("model", VALUES, ids=name_of)
def test_values_of_every_model_that_can_be_read(model):
    """The student follows it within the budget, and compiled it does the same."""
    teacher = model if model is FOREST else model.fit(X, Y)
    student = CompactInheritedRegressor(700, init=teacher, random_state=0).fit_soft(X, teacher.predict(X))
    assert student.scorer_.n_parameters <= 700
    assert fidelity(teacher.predict(X), student.predict(X)) > 0.85
    np.testing.assert_allclose(skdistill.compile(student)(X), student.predict(X), rtol=1e-6)


@pytest.mark.thinned(2)
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("model", CLASSES, ids=name_of)
def test_classes_of_every_model_that_can_be_read(model, n_classes):
    """For two classes and for more, with labels of any kind."""
    rows, labels = FLOWERS[50 * (3 - n_classes) :], np.array(["a", "b", "c"])[KINDS[50 * (3 - n_classes) :]]
    teacher = clone(model).fit(rows, labels)
    proba = teacher.predict_proba(rows)
    student = CompactInheritedClassifier(500, init=teacher, random_state=0)
    student.fit_soft(rows, proba, classes=teacher.classes_)
    assert student.scorer_.n_parameters <= 500
    assert fidelity(proba, student.predict_proba(rows), multioutput="variance_weighted") > 0.8
    np.testing.assert_allclose(skdistill.compile(student)(rows), student.predict_proba(rows), atol=1e-6)
    assert set(student.predict(rows)) <= set(labels)


@pytest.mark.parametrize("temperature", [1.0, 3.0])
def test_a_model_within_the_budget_is_kept(temperature):
    """Up to half precision, at any temperature of the targets, and whatever the scale of the values."""
    small = LGBMClassifier(n_estimators=5, num_leaves=4, n_jobs=1, verbosity=-1).fit(FLOWERS, KINDS)
    student = DistilledClassifier(small, "inherit", temperature=temperature, **QUICK).fit(FLOWERS)
    np.testing.assert_allclose(student.predict_proba(FLOWERS), small.predict_proba(FLOWERS), atol=2e-3)
    boosting = LGBMRegressor(n_estimators=20, n_jobs=1, verbosity=-1).fit(X, 1e6 * Y)
    values = DistilledRegressor(boosting, "inherit", **QUICK).fit(X)
    assert values.fidelity(X) > 0.99999
    assert values.student_.scorer_.n_trees == 20


def test_a_model_that_loses_next_to_nothing_is_cut_back(monkeypatch):
    """No trees are selected then, which takes long of many trees."""
    boosting = LGBMRegressor(n_estimators=20, n_jobs=1, verbosity=-1).fit(X, Y)
    most = skdistill.compile(boosting).scorer.n_parameters - 10
    monkeypatch.setattr(_inherit, "select_trees", None)
    student = CompactInheritedRegressor(most, init=boosting, random_state=0).fit_soft(X, boosting.predict(X))
    assert student.scorer_.n_parameters <= most
    assert fidelity(boosting.predict(X), student.predict(X)) > 0.9999


def test_several_outputs_share_the_trees():
    """A leaf has a value for each output."""
    both = np.column_stack([Y, X[:, 2]])
    teacher = RandomForestRegressor(30, random_state=0).fit(X, both)
    student = CompactInheritedRegressor(2000, init=teacher, random_state=0).fit_soft(X, teacher.predict(X))
    assert student.scorer_.value.shape[1] == 2
    assert fidelity(teacher.predict(X), student.predict(X)) > 0.9


def test_missing_cells_go_where_the_teacher_sends_them():
    """Splits of the teacher know the side of missing cells."""
    rows = np.where(np.random.default_rng(0).uniform(size=X.shape) < 0.3, np.nan, X)
    teacher = HistGradientBoostingRegressor(max_iter=10, max_leaf_nodes=6).fit(rows, Y)
    student = CompactInheritedRegressor(4000, init=teacher, random_state=0).fit_soft(rows, teacher.predict(rows))
    assert fidelity(teacher.predict(rows), student.predict(rows)) > 0.9999


def test_the_distilled_student_keeps_nothing_of_the_teacher():
    """It is lent while the student is taught; what is shipped is small, and knows no teacher."""
    model = DistilledRegressor(FOREST, "inherit", student_size=500, **QUICK).fit(X)
    student = model.student_
    assert student.init is None
    assert len(pickle.dumps(student)) < 20_000
    assert not {"init__n_estimators", "random_state__"} & set(student.get_params())
    tied = {(f, t) for f, t in zip(student.scorer_.feature, student.scorer_.threshold, strict=True)}
    forest = skdistill.compile(FOREST).scorer
    assert tied <= set(zip(forest.feature, forest.threshold, strict=True))


def test_init_survives_clone_and_search():
    """A fitted model in ``init`` is used as it is, and its parameters are not those of the student."""
    student = CompactInheritedRegressor(init=FOREST, random_state=0)
    assert clone(student).init is FOREST
    assert not any(name.startswith("init__") for name in student.get_params())
    search = GridSearchCV(make_pipeline(student), {"compactinheritedregressor__max_parameters": [20, 400]}, cv=2)
    search.fit(X, FOREST.predict(X))
    assert search.best_params_ == {"compactinheritedregressor__max_parameters": 400}
    assert search.best_estimator_[-1].init is FOREST


def test_without_a_model_it_compresses_trees_of_its_own():
    """Of any table, with categories and missing cells."""
    frame = pd.DataFrame({"number": X[:, 2], "kind": np.where(X[:, 1] > 0, "b", "a"), "other": X[:, 8]})
    frame.loc[:20, "number"] = np.nan
    student = CompactInheritedRegressor(400, random_state=0).fit(frame, Y)
    assert student.scorer_.n_parameters <= 400
    assert student.score(frame, Y) > 0.4
    assert CompactInheritedClassifier(400, random_state=0).fit(FLOWERS, KINDS).score(FLOWERS, KINDS) > 0.9


@pytest.mark.parametrize(
    ("init", "match"),
    [
        (SVR(kernel="linear").fit(X, Y), "nothing can be inherited from a SVR whose kernel has no width"),
        (
            PLSRegression().fit(X, Y),
            "nothing can be inherited from a PLSRegression; expected a decision tree, a random",
        ),
        (RandomForestRegressor(), "RandomForestRegressor that is not fitted; .* Fit it first"),
        (make_pipeline(StandardScaler(), FOREST), "Pipeline of 2 steps, whose RandomForestRegressor reads other"),
        (lambda rows: rows[:, 0], "nothing can be inherited from a function"),
        (FOREST_OF_KINDS, "RandomForestClassifier was fitted on 4 columns, and X has 10"),
        (LGBMRegressor(n_estimators=2, linear_tree=True, n_jobs=1, verbosity=-1).fit(X, Y), "has linear trees"),
    ],
    ids=["SVR", "PLS", "unfitted", "pipeline", "function", "columns", "linear leaves"],
)
def test_what_cannot_be_read_is_refused(init, match):
    """With the list of what can be, and nothing is fitted."""
    student = CompactInheritedRegressor(init=init)
    with pytest.raises(StudentError, match=f"CompactInheritedRegressor: .*{match}"):
        student.fit(X, Y)
    assert not hasattr(student, "scorer_")


def test_a_distilled_teacher_that_cannot_be_read_is_refused():
    """The name of the family asks for the teacher's own parts."""
    with pytest.raises(StudentError, match="nothing can be inherited from a PLSRegression"):
        DistilledRegressor(PLSRegression().fit(X, Y), "inherit", **QUICK).fit(X)


def test_names_and_kinds_of_columns_are_compared():
    """Columns in another order, or with text, are not those that the splits test."""
    frame = pd.DataFrame(X, columns=[f"c{index}" for index in range(10)])
    teacher = RandomForestRegressor(3, random_state=0).fit(frame, Y)
    with pytest.raises(StudentError, match="expected the same columns in the same order"):
        CompactInheritedRegressor(init=teacher).fit(frame[frame.columns[::-1]], Y)
    text = frame.assign(c0="x")
    with pytest.raises(StudentError, match="column 0 of X holds categories or text"):
        CompactInheritedRegressor(init=teacher).fit(text, Y)
    assert CompactInheritedRegressor(init=FrozenEstimator(teacher)).fit(frame, Y).n_features_in_ == 10


def test_classes_are_compared():
    """A model of other classes has nothing to say about these."""
    with pytest.raises(StudentError, match=r"knows the classes \[0, 1, 2\], and the targets have \[5, 6, 7\]"):
        CompactInheritedClassifier(init=FOREST_OF_KINDS).fit(FLOWERS, KINDS + 5)


@pytest.mark.parametrize(
    ("params", "error", "match"),
    [
        ({"max_parameters": None}, ValueError, "are all None; expected a limit"),
        ({"max_parameters": 0}, ValueError, "max_parameters=0"),
        ({"max_bytes": 1.5}, TypeError, r"max_bytes=1\.5"),
        ({"max_ops": -1}, ValueError, "max_ops=-1"),
        ({"max_bytes": 20}, StudentSizeError, "max_bytes=20 is too small"),
        ({"max_leaf_nodes": 1}, ValueError, "max_leaf_nodes=1"),
        ({"learning_rate": 2}, ValueError, "learning_rate=2"),
        ({"min_samples_leaf": 0}, ValueError, "min_samples_leaf=0"),
        ({"l2_regularization": -1.0}, ValueError, "l2_regularization=-1"),
        ({"n_jobs": 0}, ValueError, "n_jobs=0"),
        ({"random_state": -1}, ValueError, "random_state=-1"),
    ],
)
def test_parameters_are_checked(params, error, match):
    """And named in the error."""
    with pytest.raises(error, match=match):
        CompactInheritedRegressor(init=FOREST).set_params(**params).fit(X, Y)


def test_sized():
    """By the number of parameters, of which the smallest tree needs five."""
    sized = CompactInheritedRegressor().sized(70, n_inputs=10, n_outputs=1)
    assert sized.max_parameters == 70
    with pytest.raises(StudentSizeError, match="a size of 9 parameters"):
        CompactInheritedClassifier().sized(9, n_inputs=4, n_outputs=3)


@pytest.mark.parametrize("bias", [1.0, -1.0])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_unit_that_hardly_reads_its_inputs_does_no_harm(bias):
    """It is constant, or never active; its weights are not scaled up, which would take its bias out of any range."""
    network = MLPRegressor(hidden_layer_sizes=(4,), max_iter=50, random_state=0).fit(X, Y)
    network.coefs_[0][:, 0], network.intercepts_[0][0] = 1e-9, bias
    student = CompactInheritedRegressor(1000, init=network, random_state=0).fit_soft(X, network.predict(X))
    assert fidelity(network.predict(X), student.predict(X)) > 0.99


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
class TestAutomaticChoice:
    @pytest.mark.parametrize(
        ("teacher", "kind"),
        [
            (FOREST, "trees"),
            (SVR().fit(X, Y), "kernel"),
            (make_pipeline(StandardScaler(), SVR()).fit(X, Y), "kernel"),
            (TransformedTargetRegressor(make_pipeline(StandardScaler(), NETWORK)), "network"),
            (LinearRegression().fit(X, Y), None),
            (KNeighborsRegressor().fit(X, Y), None),
            (make_pipeline(QuantileTransformer(n_quantiles=50), SVR()).fit(X, Y), None),
            (SVR(kernel="poly").fit(X, Y), None),
            (RandomForestRegressor(3).fit(X[:, :3], Y), None),
            (np.sum, None),
            (None, None),
        ],
        ids=lambda part: getattr(part, "__name__", None) or f"{part!r:.60}",
    )
    def test_what_can_be_inherited(self, teacher, kind):
        """Trees, hidden units and RBF kernels of a teacher that reads the columns, or linear functions of them."""
        if isinstance(teacher, TransformedTargetRegressor):
            teacher.fit(X, Y)
        assert inherited_kind(teacher, X, 1) == kind
        assert ("inherit" in AutoStudent().families_for(X, inherits=kind)) == (kind is not None)
        assert "inherit" not in AutoStudent(["linear"]).families_for(X, inherits=kind)
        frame = pd.DataFrame(X).assign(text="a")
        assert inherited_kind(teacher, frame, 1) is None

    def test_networks_of_other_outputs_are_not_tried(self):
        """Such as one of three values for a single target."""
        network = MLPRegressor(hidden_layer_sizes=(5,), max_iter=5).fit(X, np.column_stack([Y, Y, Y]))
        assert inherited_kind(network, X, 3) == "network"
        assert inherited_kind(network, X, 1) is None

    def test_hidden_units_of_the_teacher_are_best_where_rows_are_few(self):
        """Its students know the scores between the rows, and are tried at sizes that the rows do not bound."""
        rng = np.random.default_rng(0)
        rows = rng.normal(size=(2100, 6))
        network = MLPRegressor(hidden_layer_sizes=(60,), max_iter=60, random_state=0)
        network.fit(rows[:2000], np.sin(2 * rows[:2000, 0]) + rows[:2000, 1] * rows[:2000, 2])
        model = DistilledRegressor(network, AutoStudent(), **QUICK).fit(rows[2000:])
        assert model.candidates_.chosen.family == "inherit"
        assert model.fidelity(rows[:2000]) > 0.9

    @pytest.mark.parametrize("n_rows", [400, 2100])
    def test_kernels_of_the_choice_are_moved_in_fewer_steps(self, n_rows):
        """Than those of the family by name, which takes three times as long; and no scout is fitted first."""
        rows = np.random.default_rng(0).normal(size=(n_rows, 3))
        machine = SVR(C=10).fit(rows[:400], np.sin(2 * rows[:400, 0]) + rows[:400, 1])
        choice = AutoStudent(["linear", "inherit"])
        model = DistilledRegressor(machine, choice, student_size=100, **QUICK).fit(rows)
        assert model.candidates_.chosen.family == "inherit"
        assert model.student_.n_steps == KERNEL_STEPS < INHERITED_STEPS
        assert CompactInheritedRegressor().n_steps == "auto"

    def test_candidates_among_many_rows_are_moved_in_even_fewer(self):
        """Only the chosen one is fitted in as many steps as on few rows, and no other family is touched."""
        many = Terms(classifies=False, n_inputs=3, n_outputs=1, n_rows=5000, inherits="kernel")
        few = replace(many, is_cross_validated=True)
        candidate, of_few = (terms.with_parameters("inherit", 500) for terms in (many, few))
        assert candidate.n_steps < of_few.n_steps == many.final("inherit", candidate).n_steps
        assert candidate.n_steps < KERNEL_STEPS
        boosting = many.with_parameters("boosting", 500)
        assert many.final("boosting", boosting) is boosting
        trees = replace(many, inherits="trees").with_parameters("inherit", 500)
        assert replace(many, inherits="trees").final("inherit", trees).n_steps == "auto"

    def test_what_exceeds_the_budget_is_left_out(self):
        """One hidden unit of 300 columns takes more than the budget; other families are chosen then."""
        rng = np.random.default_rng(0)
        wide = rng.normal(size=(120, 300))
        network = MLPRegressor(hidden_layer_sizes=(5,), max_iter=5, random_state=0).fit(wide, wide[:, 0])
        model = DistilledRegressor(network, AutoStudent(["tree", "inherit"]), student_size=100, **QUICK).fit(wide)
        assert model.candidates_.chosen.family != "inherit"

    def test_it_wins_where_it_is_exact(self):
        """Boosting within the budget is its own best student."""
        boosting = LGBMRegressor(n_estimators=40, num_leaves=8, n_jobs=1, verbosity=-1).fit(X, Y)
        student = AutoStudent(["linear", "boosting", "inherit"], max_bytes=10_000)
        model = DistilledRegressor(boosting, student, **QUICK).fit(X)
        assert model.candidates_.chosen.family == "inherit"
        assert model.candidates_.chosen.n_bytes <= 10_000
        assert model.fidelity(X) > 0.9999
