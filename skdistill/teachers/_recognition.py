"""Recognition of a teacher: a digest of what it knows, without counters and logs that change when it is asked.

The parts of functions and of objects of the user's classes are compared before and after the teacher answers a few
rows. A number, a log or a random generator that changes by answering is no knowledge. A model that changes by answering
cannot be recognised.
"""

import random
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from .._tables import is_frame
from ._contents import Digester, UnknownContentError, holds_models, keeps_still
from ._network_contents import network_contents
from ._user_code import attributes_of, closure_of, declares_state, globals_of, is_of_library, methods_of

MAX_PARTS = 1_000
"""Larger lists and dictionaries are one part, whose change is not taken for that of a log."""


class Part(NamedTuple):
    """A part of a teacher: its digest, and what it may be."""

    digest: bytes
    kind: str


_COUNTERS: dict[int, tuple[weakref.ref[Any], tuple[str, ...]]] = {}
"""Paths of the parts of a model that changed when it was last asked, by its ``id``."""


def recognise(model: Any, ask: Callable[[], Any] | None, digester: Digester | None = None) -> bytes:
    """Return a digest of what a model knows.

    Parameters
    ----------
    model : object
        A fitted model or a function.
    ask : callable or None
        Lets the model answer a few rows; it is called if parts of the model may change by this. ``None`` leaves out the
        parts that changed when the model was last asked in this process.
    digester : Digester or None, default=None
        Reads the model; ``None`` is a new one.

    Returns
    -------
    digest : bytes
        16 bytes.

    Raises
    ------
    UnknownContentError
        If the model holds something that cannot be read, or that changes whenever it is asked.
    """
    digester = digester or Digester()
    digest = digester.of(model)
    if keeps_still(model) and not digester.has_user_code(model):
        return digest
    parts = parts_of(model, digester)
    if ask is None:
        known = _COUNTERS.get(id(model))
        counters = known[1] if known is not None and known[0]() is model else ()
    elif all(part.kind == "fixed" for part in parts.values()):
        counters = ()
    else:
        parts, counters = _counters_of(model, parts, ask, digester)
        with suppress(TypeError):  # an object without weak references is asked each time
            _COUNTERS[id(model)] = weakref.ref(model, partial(_forget, id(model))), counters
    logs = tuple(path for path in counters if path.endswith("."))
    kept = [path for path in sorted(parts) if path not in counters and not path.startswith(logs)]
    return digester.of([(path, parts[path].digest) for path in kept])


def _forget(key: int, _: Any) -> None:
    _COUNTERS.pop(key, None)


def _counters_of(
    model: Any, before: dict[str, Part], ask: Callable[[], Any], digester: Digester
) -> tuple[dict[str, Part], tuple[str, ...]]:
    """Let a model answer; return its parts afterwards, and the paths of those that are counters, logs and the like."""
    ask()
    after = parts_of(model, digester.without_user_code())
    logs, changed = _changes(before, after)
    are_new = any(path not in before and not path.startswith(logs) for path in after)
    if are_new or any(after[path].kind in ("data", "model") for path in changed):
        ask()
        later = parts_of(model)
        more_logs, more_changed = _changes(after, later)  # of those that the first call made
        logs, changed = (*logs, *more_logs), [*changed, *more_changed]
        _check_settled({path: part for path, part in after.items() if not path.startswith(logs)}, later)
    counters = {path for path in changed if after[path].kind == "number"}
    randoms = [path for path, part in after.items() if part.kind == "random"]
    return after, (*logs, *sorted(counters), *randoms)


def _changes(before: dict[str, Part], after: dict[str, Part]) -> tuple[tuple[str, ...], list[str]]:
    """Return the paths of the logs, and of the other parts that changed by asking."""
    logs = tuple(_logs(before, after))
    changed = [path for path, part in after.items() if path in before and before[path] != part]
    return logs, [path for path in changed if not path.startswith(logs)]


def _logs(before: dict[str, Part], after: dict[str, Part]) -> list[str]:
    """Return the lists and dictionaries of numbers, texts and tables whose length changed by asking."""
    sizes = [path for path, part in after.items() if part.kind == "length" and before.get(path, part) != part]
    folders = [path.removesuffix("len()") for path in sizes]
    return [
        folder
        for folder in folders
        if not any(path.startswith(folder) and part.kind == "model" for path, part in after.items())
    ]


def _check_settled(after: dict[str, Part], later: dict[str, Part]) -> None:
    """Raise an error if a model or a table changes again when the teacher is asked again."""
    for path, part in after.items():
        if part.kind in ("data", "model") and later.get(path) != part:
            raise UnknownContentError(f"{path.strip('.') or 'it'} changes whenever the teacher is asked")


# ---------------------------------------------------------------------- parts


def parts_of(model: Any, digester: Digester | None = None) -> dict[str, Part]:
    """Return the parts of a model by their paths, such as ``.clients.0.url``."""
    digester = digester or Digester()
    seen: dict[int, tuple[str, Any]] = {}
    found: dict[str, Part] = {}
    todo: list[tuple[str, Any]] = [("", model)]
    while todo:
        path, obj = todo.pop()
        if isinstance(obj, _Fixed):
            found[path] = Part(digester.of(obj.value), "fixed")
            continue
        digest = digester.of(obj)
        if id(obj) in seen:
            found[path] = Part(digester.of(["as", seen[id(obj)][0]]), "fixed")
            continue
        inner = _inner(digester, obj)
        if inner is None:
            is_fixed = _is_fixed(obj) and not digester.has_user_code(obj)
            found[path] = Part(digest, "fixed" if is_fixed else _kind(obj))
            continue
        seen[id(obj)] = (path, obj)  # the reference keeps the id from being used again
        if isinstance(obj, list | dict | deque):
            found[f"{path}.len()"] = Part(digester.of(len(obj)), "length")
        todo += [(f"{path}.{name}", value) for name, value in inner]
    return found


class _Fixed(NamedTuple):
    """A part that does not change by asking, such as code."""

    value: Any


def _is_fixed(obj: Any) -> bool:
    """Whether an object is a function, class or module of a library, or a model of one that keeps still."""
    return isinstance(obj, FunctionType | BuiltinFunctionType | type | ModuleType) or keeps_still(obj)


def _inner(digester: Digester, obj: Any) -> list[tuple[str, Any]] | None:
    """Return the parts that an object is seen as, and ``None`` for one that is seen as a whole."""
    if isinstance(obj, list) and not digester.has_user_code(obj) and holds_models(obj, keeping_still=True):
        return None
    if isinstance(obj, list | deque) and len(obj) <= MAX_PARTS:
        return [(str(place), value) for place, value in enumerate(obj)]
    if isinstance(obj, dict) and len(obj) <= MAX_PARTS:
        return [(name if isinstance(name, str) else digester.of(name).hex(), value) for name, value in obj.items()]
    if not digester.has_user_code(obj):
        return None
    if isinstance(obj, FunctionType) and not is_of_library(obj):
        return [("code", _Fixed(obj.__code__)), *_read_by(obj)]
    if isinstance(obj, FunctionType):
        return [("name", _Fixed(obj.__qualname__)), *closure_of(obj).items()]
    if isinstance(obj, MethodType):
        return [("function", obj.__func__), ("self", obj.__self__)]
    if isinstance(obj, partial):
        return [("function", obj.func), ("arguments", list(obj.args)), ("keywords", obj.keywords)]
    if isinstance(obj, tuple):
        return [(str(place), value) for place, value in enumerate(obj)]
    if isinstance(obj, type):
        own = [base for base in obj.__bases__ if base is not object]
        return [
            ("name", _Fixed(obj.__qualname__)),
            *((f"base {base.__name__}", base) for base in own),
            *_members_of(obj),
        ]
    return _inner_of_instance(obj)


def _read_by(function: FunctionType) -> Iterator[tuple[str, Any]]:
    yield from closure_of(function).items()
    yield from globals_of(function).items()
    yield from (function.__kwdefaults__ or {}).items()
    for place, value in enumerate(function.__defaults__ or ()):
        yield f"default {place}", _Fixed(value) if _kind(value) == "number" else value


def _members_of(kind: type) -> Iterator[tuple[str, Any]]:
    yield from attributes_of(kind).items()
    for name, method in methods_of(kind).items():
        yield f"{name}()", getattr(method, "fget", None) or getattr(method, "__func__", method)


def _inner_of_instance(obj: Any) -> list[tuple[str, Any]] | None:
    kind, network = type(obj), network_contents(obj)
    if network is not None:
        return [(str(place), value) for place, value in enumerate(network)]
    if declares_state(kind):
        reduced = obj.__reduce_ex__(4)
        return [("class", kind), ("state", _Fixed(reduced[1:3]))] if isinstance(reduced, tuple) else None
    if is_of_library(kind) and not hasattr(obj, "get_params"):
        return None
    state = _attributes(obj)
    if state is None:
        return None
    return [("class", kind), *state.items()]


def _attributes(obj: Any) -> dict[str, Any] | None:
    """Return the attributes of an object, in its dictionary or in slots; ``None`` for another state."""
    state = obj.__getstate__()
    parts = state if isinstance(state, tuple) else (state,)
    if not all(part is None or isinstance(part, dict) for part in parts):
        return None
    return {name: value for part in parts for name, value in (part or {}).items()}


def _kind(obj: Any) -> str:
    """Return what a change of an object may mean."""
    if isinstance(obj, np.random.RandomState | np.random.Generator | random.Random):
        return "random"
    if isinstance(obj, bool | int | float | complex | str | np.generic | None):
        return "number"
    is_data = isinstance(obj, np.ndarray | set | frozenset | tuple | bytes | bytearray) or sparse.issparse(obj)
    is_data = is_data or (hasattr(type(obj), "columns") and is_frame(obj))
    return "data" if is_data else "model"
