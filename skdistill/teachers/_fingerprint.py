"""A short name for what a teacher knows, so that its answers can be kept on disk."""

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
"""Hashes of the models of this process by ``id``, so that a large forest is hashed once."""


def fingerprint(teacher: Teacher, answers: np.ndarray) -> str:
    """Return a hash of the teacher: of the model, of how it is asked, and of ``answers``, its outputs for a few rows.

    The model is hashed once a process, and again when its attributes were replaced, as ``fit`` does. Fresh answers
    tell apart what changed deeper inside.
    """
    classes = None if teacher.classes_ is None else teacher.classes_.tolist()
    rounded = answers.astype(np.float32)  # threads add up the trees of a forest in any order
    return joblib.hash((_hash_model(teacher.model), teacher.response_method, classes, rounded))


def _hash_model(model: Any) -> str:
    key, state = id(model), tuple((name, id(value)) for name, value in getattr(model, "__dict__", {}).items())
    known = _KNOWN.get(key)
    if known is not None and known[0]() is model and known[1] == state:
        return known[2]
    digest = _hash_anything(model)
    with contextlib.suppress(TypeError):  # not weakly referable: hashed anew each time
        _KNOWN[key] = (weakref.ref(model, lambda _: _KNOWN.pop(key, None)), state, digest)
    return digest


def _hash_anything(model: Any) -> str:
    try:
        return joblib.hash(_function_state(model) if isinstance(model, FunctionType) else model)
    except Exception:  # joblib cannot hash all that can be pickled, e.g. the masked arrays of a fitted search
        try:
            return hashlib.sha256(pickle.dumps(model)).hexdigest()
        except Exception as error:
            raise TeacherError(
                f"memory= needs a teacher that can be pickled, to know it again; {type(model).__name__} cannot "
                f"({error}). Pass memory=None."
            ) from error


def _function_state(function: FunctionType) -> tuple[Any, ...]:
    """Return what a function does, not what it is called: its code, defaults and closure. Globals are not looked at."""
    closure = [cell.cell_contents for cell in function.__closure__ or ()]
    inner = [_function_state(value) if isinstance(value, FunctionType) else value for value in closure]
    return (_code_state(function.__code__), function.__defaults__, function.__kwdefaults__, inner)


def _code_state(code: CodeType) -> tuple[Any, ...]:
    constants = [_code_state(value) if isinstance(value, CodeType) else repr(value) for value in code.co_consts]
    return (code.co_code, code.co_names, constants)
