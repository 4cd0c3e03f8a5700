"""Write the inventories beside this file, by which the site links names of other packages to their documentation.

    python docs/inventories/make.py

The inventories that these projects publish need the network, and list tens of thousands of names. These are made of
the installed packages: the public names of scikit-learn, and those of other packages that the pages mention. All of
these projects have a page per name.
"""

import zlib
from importlib import import_module
from pathlib import Path

import sklearn
from sklearn.utils.discovery import all_displays, all_estimators

HERE = Path(__file__).parent
BASES = ("BaseEstimator", "ClassifierMixin", "RegressorMixin", "TransformerMixin")
OTHERS = {
    "numpy": ("reference/generated", {"numpy.ndarray": "class", "numpy.memmap": "class"}),
    "pandas": (
        "reference/api",
        {"pandas.DataFrame": "class", "pandas.Series": "class", "pandas.Categorical": "class"},
    ),
    "joblib": ("generated", {"joblib.Memory": "class", "joblib.dump": "function", "joblib.load": "function"}),
}


def write(name, version, lines):
    """Write an inventory: a header, and the compressed lines."""
    header = f"# Sphinx inventory version 2\n# Project: {name}\n# Version: {version}\n"
    header += "# The remainder of this file is compressed using zlib.\n"
    body = zlib.compress("\n".join([*sorted(lines), ""]).encode(), 9)
    (HERE / f"{name}.inv").write_bytes(header.encode() + body)


def of_sklearn():
    """Yield the lines of scikit-learn's public estimators, displays and base classes, and of two labels."""
    classes = [thing for _, thing in [*all_estimators(), *all_displays()]]
    for thing in [*classes, *(getattr(sklearn.base, name) for name in BASES)]:
        yield f"{public_module(thing)}.{thing.__name__} py:class 1 modules/generated/$.html#$ -"
    yield "sklearn.base.clone py:function 1 modules/generated/$.html#$ -"
    for metric in ("accuracy", "r2"):
        yield f"{metric}_score std:label -1 modules/model_evaluation.html#{metric}-score {metric} score"


def public_module(thing):
    """Return the first module on the way to that of a thing, below `sklearn`, that offers it."""
    parts = thing.__module__.split(".")
    modules = [".".join(parts[:length]) for length in range(2, len(parts) + 1)]
    return next(name for name in modules if getattr(import_module(name), thing.__name__, None) is thing)


if __name__ == "__main__":
    write("sklearn", sklearn.__version__, of_sklearn())
    for project, (folder, kinds) in OTHERS.items():
        write(project, "", [f"{name} py:{kind} 1 {folder}/$.html#$ -" for name, kind in kinds.items()])
