"""Names that parameters take: in the documentation, in the signature, and suggested where they are misspelt."""

import inspect
import re
import typing
from importlib import import_module

import pytest
from numpydoc.docscrape import ClassDoc, FunctionDoc
from test_public_surface import PUBLIC

from skdistill import DistilledClassifier, DistilledRegressor
from skdistill import typing as skdistill_typing
from skdistill.students._families import FAMILIES

PUBLIC_CALLABLES = sorted(
    {
        getattr(import_module(module), name)
        for module, names in PUBLIC.items()
        for name in names
        if callable(getattr(import_module(module), name))
    },
    key=lambda thing: thing.__qualname__,
)


def documented_names(thing):
    """Return the names in the documented type of each parameter that takes some."""
    doc = ClassDoc(thing) if inspect.isclass(thing) else FunctionDoc(thing)
    types = {parameter.name: parameter.type.partition("default=")[0] for parameter in doc["Parameters"]}
    return {name: set(re.findall('"([^"]+)"', text)) for name, text in types.items() if '"' in text}


def typed_names(annotation):
    """Return the names that an annotation lists."""
    if typing.get_origin(annotation) is typing.Literal:
        return {name for name in typing.get_args(annotation) if isinstance(name, str)}
    return set().union(*map(typed_names, typing.get_args(annotation)))


def hints_of(thing):
    """Return the annotations of the parameters; those of tuples and of dataclasses are their fields."""
    fields = typing.get_type_hints(thing)
    return fields | typing.get_type_hints(thing.__init__) if inspect.isclass(thing) else fields


@pytest.mark.parametrize("thing", PUBLIC_CALLABLES, ids=lambda thing: thing.__qualname__)
def test_an_editor_completes_the_documented_names(thing):
    """Each name in the documented type of a parameter is one of its annotation, and the other way round."""
    documented = documented_names(thing)
    if not documented:
        return
    hints = hints_of(thing)
    for parameter, names in documented.items():
        assert typed_names(hints[parameter]) - set(FAMILIES) == names - set(FAMILIES), parameter


@pytest.mark.parametrize("kind", [DistilledClassifier, DistilledRegressor])
def test_families_are_completed_and_documented(kind):
    """``student`` completes the families of the package, and its text names each of them."""
    families = {"linear", "tree", "kernel", "mlp", "mlp_ple", "boosting", "hybrid", "inherit"}
    assert families <= set(FAMILIES)
    assert set(typing.get_args(skdistill_typing.FamilyName)) == {"auto", *families}
    text = next(" ".join(each.desc) for each in ClassDoc(kind)["Parameters"] if each.name == "student")
    assert set(re.findall('"([^"]+)"', text)) == {"auto", *families}
