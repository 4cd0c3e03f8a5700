"""What functions and classes consist of: libraries are known by name, the code of users by what it does and reads."""

import dis
import os
import sys
import sysconfig
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import CodeType, FunctionType, GetSetDescriptorType, MemberDescriptorType, ModuleType
from typing import Any

FITTING = ("fit", "partial_fit", "fit_predict", "fit_transform", "score", "get_params", "set_params", "__repr__")
"""Methods that do not take part in a prediction."""

_OF_NO_VALUE = (MemberDescriptorType, GetSetDescriptorType)

_DECLARED = ("__getstate__", "__reduce__", "__reduce_ex__")


@cache
def _library_folders() -> tuple[str, ...]:
    paths = sysconfig.get_paths()
    folders = [paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    return (*(os.path.join(folder, "") for folder in folders), str(Path(__file__).parents[1]) + os.sep)


@cache
def _is_library_file(name: str) -> bool:
    is_installed = f"{os.sep}site-packages{os.sep}" in name or f"{os.sep}dist-packages{os.sep}" in name
    return is_installed or name.startswith(("<frozen ", *_library_folders()))


def is_of_library(obj: Any) -> bool:
    """Whether a function, class or module belongs to an installed library, the standard library or this package."""
    if isinstance(obj, FunctionType):
        return _is_library_file(obj.__code__.co_filename)
    if isinstance(obj, ModuleType):
        return _is_library_module(obj.__name__)
    module, name = getattr(obj, "__module__", None), getattr(obj, "__qualname__", "")
    if module is None or not isinstance(module, str):
        return True
    return _is_library_module(module) and (module == "builtins" or _find(module, name) is obj)


def _is_library_module(name: str) -> bool:
    if name.split(".")[0] in sys.stdlib_module_names:
        return name != "__main__"
    module = sys.modules.get(name) or sys.modules.get(name.split(".")[0])
    file = getattr(module, "__file__", None)
    return file is not None and _is_library_file(file)


def _find(module: str, qualified_name: str) -> Any:
    """Return the object with a qualified name, and ``None`` for a class that was made in a function."""
    found: Any = sys.modules.get(module)
    for part in qualified_name.split("."):
        found = getattr(found, part, None)
    return found


# ---------------------------------------------------------------------- functions


def function_contents(function: FunctionType) -> list[Any]:
    """Return the code of a function, its defaults, its closure, and the global objects that it reads.

    Line numbers, file names and the name of the function are left out. The code and the globals of a function of a
    library are represented by its name.
    """
    own = [function.__defaults__, function.__kwdefaults__, list(closure_of(function).values())]
    if is_of_library(function):
        return [f"{function.__module__}.{function.__qualname__}", *own]
    return [function.__code__, *own, globals_of(function)]


def closure_of(function: FunctionType) -> dict[str, Any]:
    """Return the values of the closure of a function by name; variables that have no value yet are left out."""
    found = {}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            found[name] = cell.cell_contents
        except ValueError:  # an empty cell
            continue
    return found


def globals_of(function: FunctionType) -> dict[str, Any]:
    """Return the global objects by name that the code of a function reads, without libraries.

    Of a module of the user, these are the attributes whose names occur in the code.
    """
    found, names = {}, set(_names_in(function.__code__))
    for name in sorted(_globals_in(function.__code__)):
        if name not in function.__globals__:
            continue
        value = function.__globals__[name]
        if not isinstance(value, ModuleType):
            found[name] = value
        elif not is_of_library(value):
            read = {part: vars(value)[part] for part in names & set(vars(value))}
            found |= {f"{name}.{part}": read[part] for part in sorted(read) if not isinstance(read[part], ModuleType)}
    return found


def _globals_in(code: CodeType) -> set[str]:
    own = {step.argval for step in dis.get_instructions(code) if step.opname in ("LOAD_GLOBAL", "LOAD_NAME")}
    return own.union(*(_globals_in(inner) for inner in _inner(code)))


def _names_in(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for inner in _inner(code):
        yield from _names_in(inner)


def _inner(code: CodeType) -> list[CodeType]:
    return [constant for constant in code.co_consts if isinstance(constant, CodeType)]


# ---------------------------------------------------------------------- classes


def class_contents(kind: type) -> list[Any]:
    """Return the methods and attributes of a class that a prediction may use, and its bases; of a library, its name."""
    if is_of_library(kind):
        return [f"{kind.__module__}.{kind.__qualname__}"]
    return [kind.__qualname__, kind.__bases__, methods_of(kind), attributes_of(kind)]


def methods_of(kind: type) -> dict[str, Any]:
    """Return the methods and properties that are defined in a class itself, without those that fit."""
    wrappers = (FunctionType, staticmethod, classmethod, property)
    return {name: value for name, value in vars(kind).items() if isinstance(value, wrappers) and name not in FITTING}


def attributes_of(kind: type) -> dict[str, Any]:
    """Return the attributes of a class that a prediction may read, which are not those that only its fit uses.

    If the class declares the state of its objects, these are none.
    """
    if declares_state(kind):
        return {}
    methods, wrappers = methods_of(kind), (FunctionType, staticmethod, classmethod, property)
    of_fit = _names_in_methods([vars(kind)[name] for name in FITTING if name in vars(kind)])
    of_fit -= _names_in_methods(list(methods.values()))
    own = {
        name: value for name, value in vars(kind).items() if not name.startswith(("__", "_abc_")) and name not in of_fit
    }
    names = sorted(set(own) - of_fit)
    return {name: own[name] for name in names if not isinstance(own[name], (*wrappers, *_OF_NO_VALUE))}


def _names_in_methods(methods: list[Any]) -> set[str]:
    functions = [getattr(method, "fget", None) or getattr(method, "__func__", method) for method in methods]
    return {
        name for function in functions if isinstance(function, FunctionType) for name in _names_in(function.__code__)
    }


def declares_state(kind: type) -> bool:
    """Whether a class of the user defines itself what its objects are pickled as."""
    own = [base for base in kind.__mro__ if not is_of_library(base)]
    return any(name in vars(base) for base in own for name in _DECLARED)
