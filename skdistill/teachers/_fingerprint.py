"""Fingerprints of teachers, which identify cached outputs on disk."""

import contextlib
import hashlib
import pickle
import weakref
from types import CodeType, FunctionType
from typing import Any

import joblib
import numpy as np

from ..exceptions import TeacherError
from ._adapter import Teacher

_KNOWN: dict[int, tuple[weakref.ref[Any], tuple[Any, ...], str]] = {}
"""Hashes of models by ``id``, so that a large forest is hashed once per process."""


def fingerprint(teacher: Teacher, outputs: np.ndarray) -> str:
    """Return a hash of the model, the response method, the classes, and ``outputs``, its outputs for a few rows.

    A model is hashed once per process, and again if its attributes were replaced, for example by ``fit``. The outputs
    detect changes inside attributes.
    """
    classes = None if teacher.classes_ is None else teacher.classes_.tolist()
    rounded = outputs.astype(np.float32)  # threads sum the trees of a forest in random order
    return joblib.hash((_hash_model(teacher.model), teacher.response_method, classes, rounded))


def _hash_model(model: Any) -> str:
    key, state = id(model), tuple((name, id(value)) for name, value in getattr(model, "__dict__", {}).items())
    known = _KNOWN.get(key)
    if known is not None and known[0]() is model and known[1] == state:
        return known[2]
    digest = _hash_anything(model)
    with contextlib.suppress(TypeError):  # without weak references, the model is hashed each time
        _KNOWN[key] = (weakref.ref(model, lambda _: _KNOWN.pop(key, None)), state, digest)
    return digest


def _hash_anything(model: Any) -> str:
    try:
        return joblib.hash(_function_state(model) if isinstance(model, FunctionType) else model)
    except Exception:  # joblib cannot hash some picklable objects, e.g. masked arrays of a fitted search
        try:
            return hashlib.sha256(pickle.dumps(model)).hexdigest()
        except Exception as error:
            raise TeacherError(
                f"memory= needs a teacher that can be pickled, because its hash identifies cached outputs; got "
                f"{type(model).__name__}, which cannot be pickled ({error}). Pass memory=None."
            ) from error


def _function_state(function: FunctionType) -> tuple[Any, ...]:
    """Return the code, defaults and closure of a function, but neither its name nor the globals that it uses."""
    closure = [cell.cell_contents for cell in function.__closure__ or ()]
    inner = [_function_state(value) if isinstance(value, FunctionType) else value for value in closure]
    return (_code_state(function.__code__), function.__defaults__, function.__kwdefaults__, inner)


def _code_state(code: CodeType) -> tuple[Any, ...]:
    constants = [_code_state(value) if isinstance(value, CodeType) else repr(value) for value in code.co_consts]
    return (code.co_code, code.co_names, constants)
