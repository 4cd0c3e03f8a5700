"""The parameter ``init``: students that start from an earlier student or from the teacher, and what they refuse."""

import pickle

import numpy as np
import pandas as pd
import pytest
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor, make_column_transformer
from sklearn.datasets import load_diabetes, load_iris
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.gaussian_process import GaussianProcessClassifier, GaussianProcessRegressor
from sklearn.impute import SimpleImputer
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.multioutput import MultiOutputRegressor
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, PolynomialFeatures, StandardScaler
from sklearn.svm import SVC, SVR, NuSVC, NuSVR, OneClassSVM

import skdistill
from skdistill import DistilledClassifier, DistilledRegressor
from skdistill.exceptions import StudentError, StudentSizeError
from skdistill.metrics import fidelity
from skdistill.students import (
    CompactBoostingClassifier,
    CompactBoostingRegressor,
    CompactInheritedClassifier,
    CompactInheritedRegressor,
    CompactKernelClassifier,
    CompactKernelRegressor,
    CompactMLPClassifier,
    CompactMLPRegressor,
)

X, Y = load_diabetes(return_X_y=True)
X = X * 20
FLOWERS, KINDS = load_iris(return_X_y=True)
LAYERS = {"hidden_layer_sizes": (40, 20), "max_iter": 60, "random_state": 0, "tol": 1e9}
NETWORK = TransformedTargetRegressor(
    make_pipeline(StandardScaler(), MLPRegressor(**LAYERS)), transformer=StandardScaler()
).fit(X, Y)
NETWORK_OF_KINDS = make_pipeline(StandardScaler(), MLPClassifier(**LAYERS)).fit(FLOWERS, KINDS)
MACHINE = make_pipeline(StandardScaler(), SVR(C=50)).fit(X, Y)
UNTRAINED = {"max_epochs": 1, "learning_rate": 1e-9, "random_state": 0}


class TestNetworks:
    def test_all_units_are_the_same_network(self):
        """Whatever the steps before it, the scale of the values, and the number of classes."""
        student = CompactMLPRegressor((40, 20), init=NETWORK, **UNTRAINED).fit(X, NETWORK.predict(X))
        assert fidelity(NETWORK.predict(X), student.predict(X)) > 0.9999
        for n_classes in (2, 3):
            rows, kinds = FLOWERS[: 50 * n_classes], KINDS[: 50 * n_classes]
            teacher = clone(NETWORK_OF_KINDS).fit(rows, kinds)
            student = CompactMLPClassifier((40, 20), init=teacher, **UNTRAINED)
            student.fit_soft(rows, teacher.predict_proba(rows))
            np.testing.assert_allclose(student.predict_proba(rows), teacher.predict_proba(rows), atol=0.005)

    def test_weights_of_any_size_are_read(self):
        """Students are stored in half precision, whose range the weights of a model may exceed."""
        model = small_network()
        outputs = model.predict(X)
        model.coefs_[0] *= 1e6
        model.intercepts_[0] *= 1e6
        model.coefs_[1] /= 1e6
        student = CompactMLPRegressor((40, 20), init=model, **UNTRAINED).fit(X, outputs)
        assert fidelity(outputs, student.predict(X)) > 0.9999

    def test_fewer_rows_than_columns_tell_where_columns_are_read_directly(self):
        """The inputs of such a network are no guess."""
        model = small_network()
        student = CompactMLPRegressor((40, 20), init=model, **UNTRAINED).fit(X[:8], model.predict(X[:8]))
        mixed = np.random.default_rng(0).permuted(np.tile(X[:8], (20, 1)), axis=0)  # within the ranges of the rows
        assert np.corrcoef(student.predict(mixed), model.predict(mixed))[0, 1] > 0.999

    def test_encoders_imputers_and_rotations_are_read(self):
        """Inputs that are linear functions of the columns, of frames with categories and missing cells."""
        frame = pd.DataFrame({"a": X[:, 2], "kind": np.where(X[:, 1] > 0, "x", "y"), "b": X[:, 8]})
        frame.loc[::7, "b"] = np.nan
        numbers = make_pipeline(SimpleImputer(), StandardScaler(), PCA(2))
        steps = make_column_transformer((OneHotEncoder(), ["kind"]), (numbers, ["a", "b"]))
        teacher = make_pipeline(steps, MLPRegressor(**LAYERS)).fit(frame, Y)
        student = CompactMLPRegressor((40, 20), init=teacher, **UNTRAINED).fit(frame, teacher.predict(frame))
        assert fidelity(teacher.predict(frame), student.predict(frame)) > 0.999

    def test_extreme_numbers_are_no_reason_to_refuse(self):
        """A student clips them, so that the inputs of the network are linear functions of the other rows alone."""
        rows = X.copy()
        rows[:, 3] = np.exp(3 * np.random.default_rng(0).normal(size=len(rows)))
        teacher = make_pipeline(StandardScaler(), MLPRegressor(**LAYERS)).fit(rows, Y)
        student = CompactMLPRegressor((40, 20), init=teacher, **UNTRAINED).fit(rows, teacher.predict(rows))
        is_usual = rows[:, 3] < rows[:, 3].mean() + 5 * rows[:, 3].std()
        assert fidelity(teacher.predict(rows)[is_usual], student.predict(rows)[is_usual]) > 0.95

    def test_few_rows_suffice_where_a_fresh_one_needs_many(self):
        """The start knows the teacher already."""
        few = X[:60]
        inherited, fresh = (
            CompactMLPRegressor((16, 16), init=init, learning_rate=0.001, n_knots=0, random_state=0)
            .fit(few, NETWORK.predict(few))
            .predict(X[60:])
            for init in (NETWORK, None)
        )
        reference = NETWORK.predict(X[60:])
        assert fidelity(reference, inherited) > fidelity(reference, fresh) + 0.05

    def test_an_earlier_student_is_continued(self):
        """With its knots and its categories; a new range of a number is no edge."""
        frame = pd.DataFrame({"a": X[:, 2], "kind": np.where(X[:, 1] > 0, "x", "y")})
        target = np.abs(X[:, 2]) + (X[:, 1] > 0)
        earlier = CompactMLPRegressor((16, 8), n_knots=8, random_state=0).fit(frame[:200], target[:200])
        again = CompactMLPRegressor((16, 8), init=earlier, **UNTRAINED).fit(frame, earlier.predict(frame))
        np.testing.assert_allclose(again.predict(frame), earlier.predict(frame), atol=0.02)
        assert again.scorer_.design.n_pieces == earlier.scorer_.design.n_pieces > 0
        plain = CompactMLPRegressor((16, 8), n_knots=0, random_state=0).fit(X[X[:, 2] < 0], Y[X[:, 2] < 0])
        wider = CompactMLPRegressor((16, 8), init=plain, random_state=0).fit(X, Y)
        assert wider.scorer_.design.high[2] > plain.scorer_.design.high[2] + 1

    def test_the_teacher_is_asked_for_by_name(self):
        """And is no part of the student that is shipped."""
        student = CompactMLPRegressor((16, 16), init="teacher", learning_rate=0.005)
        model = DistilledRegressor(NETWORK, student, sampler=None, random_state=0).fit(X)
        assert model.student_.init == "teacher"
        assert len(pickle.dumps(model.student_)) < 10_000
        assert model.fidelity(X) > 0.9

    @pytest.mark.parametrize("schedule", [None, "logistic"])
    def test_a_share_of_the_weights_is_shrunk(self, schedule):
        """Once or before each epoch; none of them, or by a factor of one, changes nothing."""
        params = {"hidden_layer_sizes": (16, 16), "init": NETWORK, "max_epochs": 3, "random_state": 0}

        def errors(**shrinking):
            student = CompactMLPRegressor(**params, **shrinking).fit(X, NETWORK.predict(X))
            return student.validation_errors_.tolist()

        plain = errors()
        assert errors(shrink_fraction=1.0, shrink_factor=1.0) == plain
        changed = errors(shrink_fraction=0.5, shrink_factor=0.5, shrink_schedule=schedule)
        assert changed[0] == plain[0]
        assert changed[1:] != plain[1:]


class TestKernels:
    @pytest.mark.parametrize(
        "model",
        [
            SVR(C=50),
            NuSVR(C=50),
            KernelRidge(kernel="rbf", gamma=0.05, alpha=0.1),
            GaussianProcessRegressor(alpha=1.0, normalize_y=True, optimizer=None),
            OneClassSVM(nu=0.3),
            KNeighborsRegressor(15),
        ],
        ids=lambda model: type(model).__name__,
    )
    def test_values_of_every_machine_that_can_be_read(self, model):
        """Behind a scaler; no landmark is a row of the model."""
        teacher = make_pipeline(StandardScaler(), model).fit(X, Y)
        outputs = teacher.decision_function(X) if isinstance(model, OneClassSVM) else teacher.predict(X)
        student = CompactInheritedRegressor(500, init=teacher, random_state=0).fit(X, outputs)
        assert student.scorer_.n_parameters <= 500
        assert fidelity(outputs, student.predict(X)) > 0.8
        np.testing.assert_allclose(skdistill.compile(student)(X), student.predict(X), rtol=1e-6)
        assert not student.contains_rows_
        assert_no_rows(student, X)

    @pytest.mark.parametrize(
        "model",
        [SVC(), NuSVC(nu=0.2), GaussianProcessClassifier(), KNeighborsClassifier(10)],
        ids=lambda model: type(model).__name__,
    )
    def test_classes_of_every_machine_that_can_be_read(self, model):
        """The soft targets may be those of a calibration around it."""
        teacher = make_pipeline(StandardScaler(), model).fit(FLOWERS, KINDS)
        student = CompactInheritedClassifier(200, init=teacher, random_state=0)
        student.fit_soft(FLOWERS, np.eye(3)[teacher.predict(FLOWERS)])
        assert np.mean(student.predict(FLOWERS) == teacher.predict(FLOWERS)) > 0.95

    def test_support_vectors_are_a_start(self):
        """For kernel students too; an earlier one is continued with more landmarks, and with more rows."""
        outputs = MACHINE.predict(X)
        first = CompactKernelRegressor(15, init=MACHINE, random_state=0).fit(X[:300], outputs[:300])
        more = CompactKernelRegressor(40, init=first, random_state=0).fit(X, outputs)
        assert_no_rows(first, X)
        assert_no_rows(CompactKernelRegressor(15, init=MACHINE, random_state=0).fit(X[:40], outputs[:40]), X)
        assert fidelity(outputs, more.predict(X)) > max(fidelity(outputs, first.predict(X)), 0.97)

    def test_the_teacher_is_asked_for_by_name(self):
        """By kernel students of distilled estimators."""
        student = CompactKernelClassifier(10, init="teacher")
        teacher = make_pipeline(StandardScaler(), SVC()).fit(FLOWERS, KINDS)
        model = DistilledClassifier(teacher, student, response_method="decision_function", sampler=None, random_state=0)
        assert model.fit(FLOWERS, KINDS).student_.score(FLOWERS, teacher.predict(FLOWERS)) > 0.95


class TestBoosting:
    def test_trees_are_added_after_those_of_an_earlier_student(self):
        """Up to ``n_trees``, and fit more rows better than the earlier ones."""
        earlier = CompactBoostingRegressor(15, 8, random_state=0).fit(X[:250], Y[:250])
        more = CompactBoostingRegressor(40, 8, init=earlier, random_state=0).fit(X, Y)
        assert more.scorer_.n_trees == 40
        tested = set(zip(earlier.scorer_.feature, earlier.scorer_.threshold, strict=True))
        kept = tested & set(zip(more.scorer_.feature, more.scorer_.threshold, strict=True))
        assert len(kept) > 0.9 * len(tested)
        assert more.score(X, Y) > earlier.score(X, Y) + 0.05
        assert earlier.scorer_.n_trees == 15

    def test_without_room_for_trees_leaves_are_refitted(self):
        """As many trees as there are is no error."""
        earlier = CompactBoostingRegressor(15, 8, random_state=0).fit(X, Y)
        again = CompactBoostingRegressor(15, 8, init=earlier, random_state=0).fit(X, Y)
        assert again.scorer_.n_trees == 15
        assert again.score(X, Y) > earlier.score(X, Y) - 0.05

    @pytest.mark.parametrize("n_classes", [2, 3])
    def test_classes_and_other_models(self, n_classes):
        """LightGBM with few trees, and our own with categories."""
        rows, kinds = FLOWERS[-50 * n_classes :], KINDS[-50 * n_classes :]
        frame = pd.DataFrame({"size": rows[:, 2], "wide": np.where(rows[:, 3] > 1.5, "yes", "no")})
        earlier = CompactBoostingClassifier(4, 4, random_state=0).fit(frame, kinds)
        more = CompactBoostingClassifier(8, 4, init=earlier, random_state=0).fit(frame, kinds)
        assert more.score(frame, kinds) >= earlier.score(frame, kinds)
        boosting = LGBMClassifier(n_estimators=4, n_jobs=1, verbosity=-1).fit(rows, kinds)
        assert CompactBoostingClassifier(8, 4, init=boosting, random_state=0).fit(rows, kinds).score(rows, kinds) > 0.9

    def test_several_outputs(self):
        """Each has its own trees before and after."""
        both = np.column_stack([Y, -Y])
        earlier = CompactBoostingRegressor(6, 6, random_state=0).fit(X, both)
        more = CompactBoostingRegressor(12, 6, init=earlier, random_state=0).fit(X, both)
        np.testing.assert_allclose(more.predict(X)[:, 0], -more.predict(X)[:, 1], atol=0.2 * Y.std())
        assert more.score(X, both) > earlier.score(X, both)


STUDENTS = [CompactMLPRegressor(8), CompactKernelRegressor(8), CompactBoostingRegressor(8)]


@pytest.mark.parametrize("student", STUDENTS, ids=lambda student: type(student).__name__)
def test_init_survives_clone_and_search(student):
    """A fitted model in ``init`` is used as it is, and its parameters are not those of the student."""
    earlier = clone(student).fit(X[:100], Y[:100])
    student = clone(student).set_params(init=earlier, random_state=0)
    before = pickle.dumps(earlier)
    assert clone(student).init is earlier
    assert not any(name.startswith("init__") for name in student.get_params())
    search = GridSearchCV(make_pipeline(student), {f"{type(student).__name__.lower()}__random_state": [0]}, cv=2)
    assert search.fit(X[:100], Y[:100]).best_estimator_[-1].init is earlier
    assert pickle.dumps(earlier) == before


@pytest.mark.parametrize("student", STUDENTS, ids=lambda student: type(student).__name__)
def test_the_name_of_the_teacher_needs_one(student):
    """Alone, a student has no teacher; and no other name means anything."""
    with pytest.raises(StudentError, match='init="teacher", but the student is fitted alone'):
        clone(student).set_params(init="teacher").fit(X, Y)
    with pytest.raises(StudentError, match="init='master'; expected a fitted model"):
        clone(student).set_params(init="master").fit(X, Y)


def broken(model, **attributes):
    """Return a fitted model with some attributes replaced, or removed."""
    for name, value in attributes.items():
        delattr(model, name) if value is None else setattr(model, name, value)
    return model


def small_network(**params):
    return MLPRegressor(**{**LAYERS, **params}).fit(X, Y)


REFUSED = [
    (
        CompactMLPRegressor((8, 8)),
        LinearRegression().fit(X, Y),
        "init is a LinearRegression; expected an MLPClassifier",
    ),
    (CompactMLPRegressor((8, 8)), MLPRegressor(), "MLPRegressor that is not fitted"),
    (CompactMLPRegressor((8, 8)), small_network(activation="tanh"), "activation='tanh'"),
    (
        CompactMLPRegressor((8, 8)),
        broken(small_network(), coefs_=[np.ones((10, 3)), np.ones((9, 1))]),
        "is half fitted",
    ),
    (CompactMLPRegressor((8, 8)), broken(small_network(), out_activation_=None), "is half fitted"),
    (CompactMLPRegressor((64, 8)), NETWORK, r"hidden_layer_sizes=\(64, 8\), and the network in init has \(40, 20\)"),
    (CompactMLPRegressor(8), NETWORK, "expected as many layers"),
    (CompactMLPRegressor((8, 8)), NETWORK_OF_KINDS, "the MLPClassifier cannot read X"),
    (CompactKernelRegressor(8), SVR(kernel="poly").fit(X, Y), "whose kernel has no width"),
    (CompactKernelRegressor(8), MultiOutputRegressor(SVR()).fit(X, X[:, :2]), "init is a MultiOutputRegressor"),
    (CompactKernelRegressor(8), SVR().fit(X[:, :3], Y), "was fitted on 3 columns, and X has 10"),
    (CompactKernelRegressor(8), broken(SVR().fit(X, Y), dual_coef_=None), "half fitted"),
    (
        CompactMLPRegressor((8, 8)),
        make_pipeline(PolynomialFeatures(3), MLPRegressor(**LAYERS)).fit(X, Y),
        "are no linear functions of the columns of X",
    ),
    (
        CompactBoostingRegressor(5),
        LGBMRegressor(n_estimators=9, n_jobs=1, verbosity=-1).fit(X, Y),
        "has 9 trees for an",
    ),
    (CompactBoostingRegressor(5), LinearRegression().fit(X, Y), "which has no trees"),
]


@pytest.mark.parametrize(("student", "init", "match"), REFUSED, ids=range(len(REFUSED)))
def test_what_cannot_be_a_start_is_refused(student, init, match):
    """With what is expected, and nothing is fitted."""
    student = clone(student).set_params(init=init)
    with pytest.raises(StudentError, match=f"{type(student).__name__}: .*{match}"):
        student.fit(X, Y)
    assert not hasattr(student, "scorer_")


@pytest.mark.parametrize("kind", [CompactInheritedRegressor, CompactMLPRegressor, CompactKernelRegressor])
def test_parameters_that_are_no_numbers_are_refused(kind):
    """A diverged model has nothing to inherit."""
    model = SVR().fit(X, Y) if kind is CompactKernelRegressor else small_network()
    if kind is CompactKernelRegressor:
        model.support_vectors_[0, 0] = np.nan
    else:
        model.coefs_[1][0, 0] = np.nan
    with pytest.raises(StudentError, match="has parameters that are NaN or infinite"):
        kind(init=model).fit(X, Y)


@pytest.mark.parametrize("part", ["leaf", "threshold", "weight", "intercept"])
def test_trees_and_weights_that_are_no_numbers_are_refused(part):
    """Also those of linear models and trees, of which a student would keep some, and predict NaN in silence."""
    if part in ("leaf", "threshold"):
        model = RandomForestRegressor(3, random_state=0).fit(X, Y)
        tree = model.estimators_[1].tree_
        (tree.value if part == "leaf" else tree.threshold)[0 if part == "threshold" else -1] = np.nan
    else:
        model = Ridge().fit(X, Y)
        model.coef_ = model.coef_ + (np.inf if part == "weight" else 0)
        model.intercept_ = model.intercept_ + (np.nan if part == "intercept" else 0)
    student = CompactInheritedRegressor(init=model)
    with pytest.raises(StudentError, match=f"the {type(model).__name__} has parameters that are NaN or infinite"):
        student.fit(X, Y)
    assert not hasattr(student, "scorer_")


def test_classes_columns_and_outputs_are_compared():
    """A start of other classes, names, outputs or categories has nothing to say about these."""
    earlier = CompactMLPClassifier(8, random_state=0, max_epochs=1).fit(FLOWERS, KINDS)
    with pytest.raises(StudentError, match=r"knows the classes \[0, 1, 2\], and the targets have \[5, 6, 7\]"):
        CompactMLPClassifier(8, init=earlier).fit(FLOWERS, KINDS + 5)
    frame = pd.DataFrame(X[:, :3], columns=list("abc"))
    for kind in (CompactMLPRegressor, CompactKernelRegressor, CompactBoostingRegressor):
        earlier = kind(8, random_state=0).fit(frame, Y)
        with pytest.raises(StudentError, match="expected the same columns in the same order"):
            kind(8, init=earlier).fit(frame[list("cab")], Y)
    with pytest.raises(StudentError, match="has 1 outputs, and the targets have 2"):
        CompactBoostingRegressor(8, init=CompactBoostingRegressor(8).fit(X, Y)).fit(X, X[:, :2])
    table = pd.DataFrame({"kind": np.where(X[:, 1] > 0, "x", "y"), "a": X[:, 2]})
    earlier = CompactBoostingRegressor(8).fit(table, Y)
    with pytest.raises(StudentError, match="column 0 of X has other categories"):
        CompactBoostingRegressor(8, init=earlier).fit(table.replace("x", "z"), Y)
    forest = RandomForestClassifier(3, random_state=0).fit(FLOWERS, KINDS)
    with pytest.raises(StudentError, match="do not add up to logits of probabilities"):
        CompactBoostingClassifier(8, init=forest).fit(FLOWERS, KINDS)
    for constraint in ({"monotonic_cst": [1] + 9 * [0]}, {"interaction_cst": "no_interactions"}):
        with pytest.raises(ValueError, match=f"{next(iter(constraint))} is set, which trees in init may break"):
            CompactBoostingRegressor(8, init=CompactBoostingRegressor(8).fit(X, Y), **constraint).fit(X, Y)


def test_budgets_of_inherited_networks_and_kernels():
    """Hold, and are refused where one unit or one landmark exceeds them."""
    for init in (NETWORK, MACHINE):
        student = CompactInheritedRegressor(None, init=init, max_bytes=2500, random_state=0).fit(X, init.predict(X))
        assert 1500 < student.scorer_.n_bytes <= 2500
        assert fidelity(init.predict(X), student.predict(X)) > 0.9
        with pytest.raises(StudentSizeError, match="max_parameters=3 is too small: the smallest result has"):
            CompactInheritedRegressor(3, init=init).fit(X, Y)


@pytest.mark.parametrize(
    ("params", "error", "match"),
    [
        ({"shrink_fraction": 1.5}, ValueError, r"shrink_fraction=1\.5"),
        ({"shrink_factor": 0}, ValueError, "shrink_factor=0"),
        ({"shrink_schedule": "logistics"}, ValueError, "shrink_schedule='logistics'; .* Did you mean 'logistic'"),
    ],
)
def test_parameters_of_shrinking_are_checked(params, error, match):
    """And named in the error."""
    with pytest.raises(error, match=match):
        CompactMLPRegressor(8, **params).fit(X, Y)


def assert_no_rows(student, rows):
    """Assert that no landmark is a row of a table."""
    design = student.scorer_.design
    inputs = design.inputs(rows)
    distances = ((student.scorer_.positions.astype(float)[:, None] - inputs) ** 2).sum(axis=2)
    assert distances.min() > 1e-3
