"""Names that parameters take: in the documentation, in the signature, and suggested where they are misspelt."""

import inspect
import re
import typing
from importlib import import_module

import numpy as np
import pytest
from numpydoc.docscrape import ClassDoc, FunctionDoc
from sklearn.linear_model import LogisticRegression, Ridge
from test_public_surface import PUBLIC

import skdistill
from skdistill import (
    AutoStudent,
    DistilledClassifier,
    DistilledRegressor,
    _types,
    as_teacher,
    certify,
    compress,
    export,
    inspection,
    metrics,
    targets,
)
from skdistill import compile as compile_model
from skdistill.compression import Quantize
from skdistill.students._families import FAMILIES

X = np.random.RandomState(0).normal(size=(40, 3))
y, labels = X @ np.arange(3), (X[:, 0] > 0).astype(int)
CLASSIFIER = LogisticRegression().fit(X, labels)
MODEL = Ridge().fit(X, y)

PUBLIC_CALLABLES = sorted(
    {
        getattr(import_module(module), name)
        for module, names in PUBLIC.items()
        for name in names
        if callable(getattr(import_module(module), name))
    },
    key=lambda thing: thing.__qualname__,
)
RESULTS = {"Alarm", "Certificate", "CompiledModel", "ConformalIntervals", "Report", "TargetLink"}
"""What the package makes, not users: their fields are plain texts."""


def documented_names(thing):
    """Return the names in the documented type of each parameter that takes some."""
    doc = ClassDoc(thing) if inspect.isclass(thing) else FunctionDoc(thing)
    types = {parameter.name: parameter.type.partition("default=")[0] for parameter in doc["Parameters"]}
    found = {name: set(re.findall('"([^"]+)"', text)) for name, text in types.items() if '"' in text}
    return {name: names for name, names in found.items() if names != {"deprecated"}}


def typed_names(annotation):
    """Return the names that an annotation lists."""
    if typing.get_origin(annotation) is typing.Literal:
        return {name for name in typing.get_args(annotation) if isinstance(name, str)}
    return set().union(*map(typed_names, typing.get_args(annotation)))


def hints_of(thing):
    """Return the annotations of the parameters; those of tuples and of dataclasses are their fields."""
    fields = typing.get_type_hints(thing)
    return fields | typing.get_type_hints(thing.__init__) if inspect.isclass(thing) else fields


@pytest.mark.parametrize(
    "thing", [each for each in PUBLIC_CALLABLES if each.__name__ not in RESULTS], ids=lambda thing: thing.__qualname__
)
def test_an_editor_completes_the_documented_names(thing):
    """Each name in the documented type of a parameter is one of its annotation, and the other way round."""
    documented = documented_names(thing)
    hints = hints_of(thing) if documented else {}
    for parameter, names in documented.items():
        assert typed_names(hints[parameter]) - set(FAMILIES) == names - set(FAMILIES), parameter


@pytest.mark.parametrize("kind", [DistilledClassifier, DistilledRegressor])
def test_families_are_completed_and_documented(kind):
    """``student`` completes the families of the package, and its text names each of them."""
    families = {"linear", "tree", "kernel", "mlp", "mlp_ple", "boosting", "hybrid", "inherit"}
    assert families <= set(FAMILIES)
    assert set(typing.get_args(_types.FamilyName)) == {"auto", *families}
    text = next(" ".join(each.desc) for each in ClassDoc(kind)["Parameters"] if each.name == "student")
    assert set(re.findall('"([^"]+)"', text)) == {"auto", *families}


MISSPELT = [
    (kind, parameter, sorted(names)[0] + "e")
    for kind in PUBLIC_CALLABLES
    if inspect.isclass(kind) and hasattr(kind, "fit")
    for parameter, names in documented_names(kind).items()
]


@pytest.mark.parametrize(("kind", "parameter", "name"), MISSPELT, ids=lambda value: getattr(value, "__name__", value))
def test_a_misspelt_name_of_an_estimator_is_answered_with_the_right_one(kind, parameter, name):
    """``fit`` raises an error that names the parameter, what was passed, and the name that was meant."""
    required = {"teacher": Ridge().fit(X, y), "student": Ridge().fit(X, y)}
    if "Classifier" in kind.__name__:
        required = {"teacher": LogisticRegression().fit(X, labels), "student": LogisticRegression().fit(X, labels)}
    needed = [each for each in inspect.signature(kind).parameters.values() if each.default is inspect.Parameter.empty]
    model = kind(**{each.name: required[each.name] for each in needed}).set_params(**{parameter: name})
    with pytest.raises((ValueError, TypeError), match=f"{parameter}='{name}'.*Did you mean '{name[:-1]}'"):
        model.fit(X, labels if "Classifier" in kind.__name__ else y)


CALLS = {
    "as_teacher": lambda: as_teacher(CLASSIFIER, response_method="predict_probe"),
    "task": lambda: as_teacher(CLASSIFIER, task="classificatio"),
    "certify": lambda: certify(MODEL, X, on_seen="rais"),
    "compile": lambda: compile_model(MODEL, dtype="float31"),
    "compress steps": lambda: compress(MODEL, "autoo", X=X),
    "compress order": lambda: compress(MODEL, "auto", X=X, order="smallst"),
    "quantize": lambda: compress(MODEL, [Quantize("int9")], X=X),
    "side": lambda: metrics.clopper_pearson(1, 2, side="upperr"),
    "multioutput": lambda: metrics.fidelity(y, y, multioutput="uniform"),
    "kind": lambda: inspection.FidelityDisplay.from_predictions(y, y, kind="student_vs_techer"),
    "layout": lambda: export.to_c(MODEL, layout="tabel"),
    "dtype": lambda: export.to_c(MODEL, dtype="doubl"),
    "dialect": lambda: export.to_sql(MODEL, dialect="sqlit"),
    "schedule": lambda: targets.scheduled_temperature("linar", 1, 2, 0.5),
    "loss": lambda: targets.loss_weights(y, y, y, loss="squared_eror"),
    "families": lambda: AutoStudent(families=["boostin"]).check(),
    "student": lambda: DistilledRegressor(MODEL, "boostin").fit(X),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_misspelt_name_of_a_function_is_answered_with_the_right_one(call):
    """The error suggests the name that was meant."""
    with pytest.raises(Exception, match="Did you mean"):
        call()


def test_help_fits_a_screen_and_names_what_there_is():
    """``help(skdistill)`` starts with a page of at most 30 lines of 80 letters that leads to every public name."""
    lines = skdistill.__doc__.strip().splitlines()
    assert len(lines) <= 30
    assert max(map(len, lines)) <= 80
    named = set(re.findall(r"[A-Za-z_]+", skdistill.__doc__))
    internal = {"checking", "compiled", "exceptions", "targets", "transfer", "monitoring", "cascades", "metrics"}
    assert set(skdistill.__all__) - internal - {"AutoColumns", "Candidates", "Constraints"} <= named
