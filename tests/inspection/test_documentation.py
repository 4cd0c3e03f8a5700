"""Methods are documented as completely as classes."""

import inspect

import pytest
from numpydoc.docscrape import FunctionDoc

from skdistill import inspection

METHODS = [
    pytest.param(getattr(owner, name), id=f"{owner.__name__}.{name}")
    for owner in (getattr(inspection, name) for name in inspection.__all__)
    if inspect.isclass(owner)
    for name in vars(owner)
    if not name.startswith("_") and callable(getattr(owner, name))
]


@pytest.mark.parametrize("method", METHODS)
def test_methods_are_documented_with_their_defaults(method):
    """Every parameter in order, with the default it has; what is returned; or a word that it is as elsewhere."""
    parameters = inspect.signature(method).parameters
    doc = FunctionDoc(method)
    assert doc["Summary"]
    documented = [
        (name.strip().lstrip("*"), entry.type) for entry in doc["Parameters"] for name in entry.name.split(",")
    ]
    assert [name for name, _ in documented] == [name for name in parameters if name != "self"]
    for name, described in documented:
        default = parameters[name].default
        if default is inspect.Parameter.empty or not described:
            assert "default" not in described
        else:
            stated = described.rsplit("default=", 1)[-1].replace("_", "")
            assert stated in (repr(default), str(default), f'"{default}"'.replace("_", "")), (name, described)
    returns_nothing = inspect.signature(method).return_annotation is None
    assert bool(doc["Returns"]) != returns_nothing
