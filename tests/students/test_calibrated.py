"""Calibrated students: their labels, every form that is shipped, and what is folded into their parameters."""

import pickle

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression, RidgeClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier

import skdistill
from skdistill.compiled import CompiledModel, Decision, Isotonic, Linear
from skdistill.compression import Prune
from skdistill.exceptions import CompileError
from skdistill.students import teach_classifier
from skdistill.students._calibrated import IsotonicClassifier, with_temperature
from skdistill.students._deciding import DecidingClassifier
from skdistill.students._families import FAMILIES
from skdistill.targets import soften

RNG = np.random.RandomState(0)
X = RNG.normal(size=(200, 3))
FAR = 3 * RNG.normal(size=(300, 3))
LOGITS = X @ RNG.normal(size=(3, 3))
FOREIGN = {
    "forest": RandomForestClassifier(5, max_depth=3, random_state=0),
    "tree": DecisionTreeClassifier(max_depth=3),
    "logistic": LogisticRegression(),
    "regressor": LinearRegression(),
    "margins": RidgeClassifier(),
    "bayes": GaussianNB(),
}
"""Students of other packages by how they answer; the last one has no compiled form."""
SMALL = {"kernel": {"n_landmarks": 10}, "mlp": {"max_epochs": 3}, "boosting": {"n_trees": 4}}
OF_ISOTONIC = {
    2: Isotonic(((0.1, 0.4, 0.8),), ((0.05, 0.5, 0.9),)),
    3: Isotonic(((0.1, 0.4, 0.8),) * 3, ((0.05, 0.5, 0.9), (0.2, 0.2, 0.7), (0.01, 0.6, 1.0))),
}


def taught(name, n_classes, temperature=1.0):
    small = SMALL.get(name, {})
    student = FOREIGN[name] if name in FOREIGN else FAMILIES[name].member(classifies=True).set_params(**small)
    proba = np.exp(LOGITS[:, :n_classes])
    proba /= proba.sum(axis=1, keepdims=True)
    return teach_classifier(
        student,
        X,
        soften(proba, temperature),
        classes=np.arange(n_classes) * 10,
        sample_weight=np.ones(len(X)),
        rng=np.random.RandomState(0),
        temperature=temperature,
    )


CASES = [("linear", 2), ("tree", 3), *((name, 2 + place % 2) for place, name in enumerate(FOREIGN)), ("boosting", 3)]


@pytest.mark.parametrize(("name", "n_classes"), CASES)
def test_a_temperature_divides_the_logits(name, n_classes):
    """In every form; the student that was given is not changed, and no label changes."""
    fitted = taught(name, n_classes, temperature=2.0 if name == "bayes" else 1.0)
    before = fitted.predict_proba(FAR)
    hotter = with_temperature(fitted, 2.5)
    expected = soften(before, 2.5)
    np.testing.assert_array_equal(fitted.predict_proba(FAR), before)
    np.testing.assert_allclose(hotter.predict_proba(FAR), expected, rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(hotter.predict(FAR), fitted.predict(FAR))
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(hotter)).predict_proba(FAR), hotter.predict_proba(FAR))
    if name == "bayes":
        return
    compiled = skdistill.compile(hotter)
    np.testing.assert_allclose(compiled(FAR), expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose([compiled(row) for row in FAR[:20]], compiled(FAR[:20]), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.slow
def test_a_temperature_of_every_family(name):
    """Its parameters are divided, and its compiled form has no further step."""
    for n_classes in (2, 3):
        fitted = taught(name, n_classes)
        hotter = with_temperature(fitted, 0.4)
        np.testing.assert_allclose(hotter.predict_proba(FAR), soften(fitted.predict_proba(FAR), 0.4), rtol=1e-7)
        np.testing.assert_allclose(skdistill.compile(hotter)(FAR), hotter.predict_proba(FAR), rtol=1e-5, atol=1e-6)


def test_a_temperature_of_a_compact_student_takes_no_further_step():
    """The student has the same class, and its compiled form the same link and size."""
    fitted = taught("linear", 3)
    hotter = with_temperature(fitted, 3.0)
    assert type(hotter) is type(fitted)
    first, second = skdistill.compile(fitted), skdistill.compile(hotter)
    assert (first.link, first.power, first.isotonic) == (second.link, second.power, second.isotonic)
    assert abs(first.n_bytes - second.n_bytes) < 32


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("temperature", [0.3, 4.0])
def test_a_temperature_keeps_the_labels_of_a_decision(n_classes, temperature):
    """Its thresholds move with the probabilities."""
    decision = Decision((0.8, 0.2) if n_classes == 2 else (0.6, 0.1, 0.3))
    fitted = DecidingClassifier(taught("linear", n_classes), decision)
    assert np.any(fitted.predict(FAR) != fitted.estimator.predict(FAR))
    hotter = with_temperature(fitted, temperature)
    np.testing.assert_array_equal(hotter.predict(FAR), fitted.predict(FAR))
    np.testing.assert_array_equal(skdistill.compile(hotter).predict(FAR), fitted.predict(FAR))
    assert sum(hotter.decision.thresholds) == pytest.approx(1)


@pytest.mark.parametrize(("name", "n_classes"), CASES)
def test_isotonic_functions_in_every_form(name, n_classes):
    """Rows and single rows, compiled or not, before and after pickling."""
    fitted = IsotonicClassifier(taught(name, n_classes), OF_ISOTONIC[n_classes])
    expected = OF_ISOTONIC[n_classes].of_rows(fitted.estimator.predict_proba(FAR))
    np.testing.assert_array_equal(fitted.predict_proba(FAR), expected)
    np.testing.assert_allclose(expected.sum(axis=1), 1)
    np.testing.assert_array_equal(fitted.predict(FAR), fitted.classes_[expected.argmax(axis=1)])
    if name == "bayes":
        with pytest.raises(CompileError, match="GaussianNB"):
            skdistill.compile(fitted)
        return
    compiled = skdistill.compile(fitted)
    for form in (compiled, pickle.loads(pickle.dumps(compiled))):
        np.testing.assert_allclose(form(FAR), expected, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose([form(row) for row in FAR[:30]], form(FAR[:30]), rtol=1e-9, atol=1e-12)
        np.testing.assert_array_equal(form.predict(FAR[:30]), [form.predict(row) for row in FAR[:30]])


def test_isotonic_functions_survive_compression():
    """Pruning changes scores, and what follows them stays."""
    fitted = IsotonicClassifier(taught("boosting", 2), OF_ISOTONIC[2])
    found = skdistill.compress(fitted, [Prune()], X=X, tolerance=0.2)
    assert found.model.isotonic == OF_ISOTONIC[2]
    assert found.model(FAR)[:, 1].max() <= 0.9


@pytest.mark.parametrize("share", [0.0, 0.1, 0.25, 0.4, 0.8, 1.0, float("nan")])
def test_one_row_is_mapped_as_many(share):
    """At knots, between them, outside, and for a missing probability."""
    row = np.array([[1 - share, share]])
    np.testing.assert_allclose(OF_ISOTONIC[2].of_one(row[0]), OF_ISOTONIC[2].of_rows(row)[0], rtol=1e-15)


def test_a_power_is_part_of_the_code_for_one_row():
    """Also of probabilities that are all too small for it, which are missing then as among many rows."""
    model = CompiledModel(Linear(np.ones((1, 2)), np.zeros(2)), power=3.0, classes=np.arange(2))
    assert model.source is not None
    np.testing.assert_allclose(model(np.array([0.5])), [0.5, 0.5])
    assert np.isnan(model(np.array([1e-200]))).all()


def test_models_without_calibration_do_not_store_it():
    """Pickles of other models are as small as before."""
    model = CompiledModel(Linear(np.ones((3, 1)), np.zeros(1)), "binary", classes=np.arange(2))
    assert "isotonic" not in model.__dict__
    assert "isotonic" not in model.__getstate__()
    assert "isotonic" not in pickle.loads(pickle.dumps(model)).__dict__
