"""Digests of what objects hold: equal after pickling, in another process, and with another hash seed.

A pickle of a model is not such a digest: the padding of structured arrays, interned texts, cached flags and the order
of sets differ after loading. Here, arrays are hashed by their named fields and values, sets in sorted order, and models
of some libraries by the form in which they export themselves.
"""

import copyreg
import functools
import hashlib
import itertools
import json
import logging
import operator
import sys
import tempfile
import threading
import weakref
from collections.abc import Callable, Iterable
from pathlib import Path
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np
from scipy import sparse

from .._tables import is_frame
from ..convert import is_booster, unwrap
from ._network_contents import network_contents
from ._pickle_hash import hash_of_pickle
from ._row_keys import row_keys
from ._user_code import class_contents, function_contents, is_of_library

IRRELEVANT = ("n_jobs", "verbose")
"""Parameters of estimators of a library that do not change their outputs."""

_NO_KNOWLEDGE = (
    *(type(threading.Lock()), type(threading.RLock()), threading.Event, threading.local),
    *(logging.Logger, logging.Handler, itertools.count),
)
"""Types of objects that a prediction may use, but not depend on."""


KEEP_STILL = ("sklearn", "lightgbm", "xgboost", "catboost", "skdistill")
"""Libraries whose models do not change by predicting, as far as they are read here."""

MAX_KNOWN = 100_000

_KNOWN: dict[bytes, bytes] = {}
"""Digests of models of libraries by the hashes of their pickles in this process."""


class UnknownContentError(TypeError):
    """Raised for an object whose contents cannot be read."""


class Digester:
    """Hashes a graph of objects; each object once, and a circle by the number of steps back to its start.

    The digest of an object depends on everything that it holds, and on nothing else.
    """

    def __init__(self) -> None:
        self._known: dict[int, tuple[Any, bytes]] = {}
        self._pickles: dict[int, bytes] = {}
        self._open: dict[int, int] = {}
        self._with_user_code: set[int] = set()
        self._has_met_user_code = False
        self._n_circles = 0

    def of(self, obj: Any) -> bytes:
        """Return 16 bytes for an object.

        Raises
        ------
        UnknownContentError
            If the object holds something that cannot be read, such as a connection.
        """
        try:
            return self._of(obj)
        except UnknownContentError:
            raise
        except RecursionError:
            raise UnknownContentError(f"{type(obj).__name__} is nested too deeply") from None
        except Exception as error:
            raise UnknownContentError(f"{type(obj).__name__} cannot be read ({error})") from error

    def has_user_code(self, obj: Any) -> bool:
        """Whether an object, whose digest was taken, holds a function or an object of a class of the user."""
        return id(obj) in self._with_user_code

    def hash_of_pickle(self, model: Any) -> bytes | None:
        """Return the hash of the pickle of a model, whose digest was taken; ``None`` if it is no full description.

        It is none of functions and objects of the user, whose code is not pickled, nor of models that have no pickle.
        """
        return self._pickles.get(id(model))

    def without_user_code(self) -> "Digester":
        """Return a digester that knows the digests of models of libraries which predicting does not change."""
        other = Digester()
        other._known = {
            key: known
            for key, known in self._known.items()
            if key not in self._with_user_code and holds_models(known[0], keeping_still=True)
        }
        return other

    def _of(self, obj: Any) -> bytes:
        atom = _of_atom(obj)
        if atom is not None:
            return atom
        key = id(obj)
        if key in self._known:
            self._has_met_user_code |= key in self._with_user_code
            return self._known[key][1]
        if key in self._open:
            self._n_circles += 1
            return _hash("circle", str(len(self._open) - self._open[key]).encode())
        before, self._has_met_user_code = self._has_met_user_code, False
        self._open[key] = len(self._open)
        try:
            found = self._of_models(obj) if holds_models(obj) else self._of_contents(obj)
        finally:
            del self._open[key]
        self._has_met_user_code |= isinstance(obj, FunctionType | type) and not is_of_library(obj)
        if self._has_met_user_code:
            self._with_user_code.add(key)
        self._has_met_user_code |= before
        self._known[key] = (obj, found)  # the reference keeps the id from being used again
        return found

    def _of_models(self, obj: Any) -> bytes:
        """Return the digest of a model of a library, or of a list of some, which is known already if its pickle is.

        Within a process, an object that has not changed has an equal pickle, which is much faster to make.
        """
        pickled = hash_of_pickle(obj)
        if pickled is not None and pickled in _KNOWN:
            self._pickles[id(obj)] = pickled
            return _KNOWN[pickled]
        n_before = self._n_circles
        found = self._of_contents(obj)
        if pickled is not None and not self._has_met_user_code and self._n_circles == n_before:
            if len(_KNOWN) >= MAX_KNOWN:
                _KNOWN.clear()
            self._pickles[id(obj)], _KNOWN[pickled] = pickled, found
        return found

    def _all(self, tag: str, parts: Iterable[Any]) -> bytes:
        return _hash(tag, *(self._of(part) for part in parts))

    def _of_contents(self, obj: Any) -> bytes:
        kind = type(obj)
        if kind is list or kind is tuple:
            return self._all(kind.__name__, obj)
        if kind is dict:
            return self._all("dict", (part for item in obj.items() for part in item))
        if kind is set or kind is frozenset:
            return _hash(kind.__name__, *sorted(self._of(part) for part in obj))
        if isinstance(obj, np.ndarray) and not isinstance(obj, np.ma.MaskedArray):
            return self._of_array(obj)
        network = network_contents(obj)
        if network is not None:
            return self._all("network", network)
        contents = _of_search if _is_search(obj) else _contents_by_type(obj)
        return self._of_state(obj) if contents is None else self._all(_name(kind), contents(obj))

    def _of_array(self, array: np.ndarray) -> bytes:
        form = f"array {array.shape}"
        if array.dtype.names is not None:
            return self._all(f"{form} {array.dtype.names}", (array[name] for name in array.dtype.names))
        if array.dtype == object:
            return self._all(form, array.ravel().tolist())
        return _hash(f"{form} {array.dtype.str}", np.ascontiguousarray(array).reshape(-1).view(np.uint8))

    def _of_state(self, obj: Any) -> bytes:
        """Return the digest of what pickle would store of an object."""
        reduce = copyreg.dispatch_table.get(type(obj))
        reduced: Any = reduce(obj) if reduce is not None else obj.__reduce_ex__(4)
        if isinstance(reduced, str):
            return self._all(f"name {reduced}", [getattr(obj, "__wrapped__", None)])  # what functools.cache wraps
        make, arguments, state, *more = (*reduced, None, None, None)[:5]
        if hasattr(obj, "get_params") and isinstance(state, dict) and is_of_library(type(obj)):
            state = {name: value for name, value in state.items() if name not in IRRELEVANT}
        items = [tuple(part) if part is not None else None for part in more]
        return self._all("object", (make, arguments, state, *items))


def keeps_still(model: Any) -> bool:
    """Whether a model is of a library whose models do not change by predicting."""
    return type(model).__module__.split(".")[0] in KEEP_STILL


def holds_models(obj: Any, *, keeping_still: bool = False) -> bool:
    """Whether an object is a model of a library, or a list of such models, as a forest has."""
    if isinstance(obj, list):
        kinds = set(map(type, obj))
        return len(obj) > 0 and all(_is_model_class(kind, keeping_still=keeping_still) for kind in kinds)
    return _is_model_class(type(obj), keeping_still=keeping_still)


def _is_model_class(kind: type, *, keeping_still: bool) -> bool:
    is_still = not keeping_still or kind.__module__.split(".")[0] in KEEP_STILL
    return is_still and hasattr(kind, "get_params") and is_of_library(kind)


def _hash(tag: str, *parts: Any) -> bytes:
    hashed = hashlib.sha256(f"{tag}:{len(parts)}:".encode())
    for part in parts:
        hashed.update(part)
    return hashed.digest()[:16]


def _of_atom(obj: Any) -> bytes | None:
    """Return the digest of a number, a text or bytes, and ``None`` for other objects."""
    kind = type(obj)
    if kind is str:
        return _of_text(obj)
    if kind in (bytes, bytearray):
        return _hash("bytes", obj)
    if kind in (int, float, bool, complex, type(None), type(...), type(NotImplemented)):
        return _hash(kind.__name__, repr(obj).encode())
    if isinstance(obj, np.generic) and not isinstance(obj, np.object_ | np.void):
        return _hash(f"scalar {obj.dtype.str}", obj.tobytes())
    if isinstance(obj, np.dtype):
        return _hash("dtype", repr(obj.descr if obj.names else obj.str).encode())
    return None


@functools.lru_cache(10_000)
def _of_text(text: str) -> bytes:
    return _hash("str", text.encode("utf-8", "surrogatepass"))


def _name(obj: Any) -> str:
    """Return the qualified name of a class or function."""
    return f"{getattr(obj, '__module__', None)}.{getattr(obj, '__qualname__', getattr(obj, '__name__', ''))}"


# ---------------------------------------------------------------------- objects with contents of their own


def _is_a(module: str, *names: str) -> Callable[[Any], bool]:
    """Whether an object is of a class of a library, which need not be imported."""

    def is_it(obj: Any) -> bool:
        own = is_of_library(type(obj))
        return own and any(
            kind.__name__ in names and kind.__module__.split(".")[0] == module for kind in type(obj).__mro__
        )

    return is_it


def _of_booster(booster: Any) -> list[Any]:
    """Return the trees of a LightGBM model as text; parameters that only matter in training change by loading."""
    text = booster.model_to_string(num_iteration=-1)
    return [text.split("\nend of trees")[0], max(booster.best_iteration, 0), booster.pandas_categorical or None]


def _of_lightgbm(model: Any) -> list[Any]:
    """Return the parameters, the classes and the booster of a LightGBM estimator, without the record of its fit."""
    relevant = {name: value for name, value in model.get_params().items() if name not in IRRELEVANT}
    encoder = getattr(model, "_le", None)
    classes = None if encoder is None else encoder.classes_
    return [relevant, classes, getattr(model, "_n_features", None), getattr(model, "_Booster", None)]


def _of_xgboost(booster: Any) -> list[Any]:
    return [bytes(booster.save_raw("json")), booster.feature_names, booster.feature_types]


def _of_xgboost_estimator(model: Any) -> list[Any]:
    """Return the booster of an XGBoost estimator; its own format does not keep the parameters of the training."""
    booster = getattr(model, "_Booster", None)
    relevant = {name: value for name, value in model.get_params().items() if name not in IRRELEVANT}
    return [booster, model.missing, getattr(model, "n_classes_", None), relevant if booster is None else None]


def _of_catboost(model: Any) -> list[Any]:
    """Return the trees of a CatBoost model, without the record of its fit."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.json"
        model.save_model(str(path), format="json")
        exported = json.loads(path.read_text())
    exported.pop("model_info", None)
    return [json.dumps(exported, sort_keys=True), getattr(model, "classes_", None)]


def _of_perpetual(model: Any) -> list[Any]:
    """Return the trees of a Perpetual model, whose text has its parts in any order."""
    exported = json.dumps(json.loads(model.json_dump()), sort_keys=True)
    names = ("objective", "missing", "classes_", "cat_mapping", "feature_names_in_")
    return [exported, *(getattr(model, name, None) for name in names)]


def _of_ydf(model: Any) -> list[Any]:
    """Return the trees of a YDF model, which is serialised differently each time."""
    options: list[Any] = [getattr(model, name, list)() for name in ("initial_predictions", "winner_takes_all")]
    columns = model.data_spec().SerializeToString(deterministic=True)
    return [model.get_all_trees(), columns, model.label(), model.task().value, *options]


def _of_tensor(tensor: Any) -> list[Any]:
    """Return the numbers of a torch tensor, wherever they are."""
    cells = tensor.detach().cpu().contiguous().reshape(-1)
    return [str(tensor.dtype), tuple(tensor.shape), cells.view(sys.modules["torch"].uint8).numpy()]


def _of_sparse(matrix: Any) -> list[Any]:
    """Return the cells of a sparse matrix, without the flags that it sets when it is first used."""
    rows = matrix.tocsr(copy=True)
    rows.sum_duplicates()
    return [matrix.shape, rows.data, rows.indices.astype(np.int64), rows.indptr.astype(np.int64)]


def _of_pandas(table: Any) -> list[Any]:
    """Return the cells of a column or an index of pandas."""
    return [str(table.dtype), table.name, np.asarray(table)]


def _of_neighbours(tree: Any) -> Iterable[Any]:
    """Return the state of a tree of neighbours without the four counters of its queries."""
    state = tree.__getstate__()
    return (*state[:7], *state[11:])


def _of_search(search: Any) -> list[Any]:
    """Return the model that a fitted search predicts with, without the times of its trials."""
    return [unwrap(search, through=("search",)).model]


def _is_search(obj: Any) -> bool:
    is_sklearn = type(obj).__module__.startswith("sklearn.model_selection.")
    return is_sklearn and unwrap(obj, through=("search",)).model is not obj


_CONTENTS: tuple[tuple[Callable[[Any], bool], Callable[[Any], Iterable[Any]]], ...] = (
    (lambda obj: isinstance(obj, FunctionType), function_contents),
    (lambda obj: isinstance(obj, CodeType), lambda code: (code.co_code, code.co_names, code.co_consts)),
    (lambda obj: isinstance(obj, type), class_contents),
    (lambda obj: isinstance(obj, MethodType), lambda method: (method.__self__, method.__func__)),
    (lambda obj: isinstance(obj, functools.partial), lambda part: (part.func, part.args, part.keywords)),
    (lambda obj: isinstance(obj, BuiltinFunctionType), lambda func: (_name(func), _self_of(func))),
    (lambda obj: isinstance(obj, np.ufunc | operator.itemgetter), lambda func: (repr(func),)),
    (lambda obj: isinstance(obj, ModuleType), lambda module: (module.__name__,)),
    (lambda obj: isinstance(obj, staticmethod | classmethod), lambda method: (method.__func__,)),
    (lambda obj: isinstance(obj, property), lambda prop: (prop.fget,)),
    (lambda obj: isinstance(obj, functools.cached_property), lambda prop: (prop.func,)),
    (lambda obj: isinstance(obj, weakref.ref), lambda reference: (reference(),)),
    (lambda obj: isinstance(obj, _NO_KNOWLEDGE), lambda _: ()),
    (sparse.issparse, _of_sparse),
    (is_booster, _of_booster),
    (_is_a("lightgbm", "LGBMModel"), _of_lightgbm),
    (_is_a("xgboost", "Booster"), _of_xgboost),
    (_is_a("xgboost", "XGBModel"), _of_xgboost_estimator),
    (_is_a("catboost", "CatBoost"), _of_catboost),
    (_is_a("perpetual", "PerpetualBooster"), _of_perpetual),
    (_is_a("ydf", "DecisionForestModel"), _of_ydf),
    (_is_a("torch", "Tensor"), _of_tensor),
    (_is_a("sklearn", "Bunch"), lambda bunch: [part for item in bunch.items() for part in item]),
    (_is_a("sklearn", "BinaryTree64", "BinaryTree32"), _of_neighbours),
    (_is_a("pandas", "Series", "Index"), _of_pandas),
    (is_frame, lambda table: (list(table.columns), row_keys(table))),
)
"""How objects are read whose pickles differ from process to process, or that have none."""


_BY_TYPE: dict[type, Callable[[Any], Iterable[Any]] | None] = {}


def _contents_by_type(obj: Any) -> Callable[[Any], Iterable[Any]] | None:
    """Return how objects of a type are read; ``None`` if by what pickle would store."""
    kind = type(obj)
    if kind not in _BY_TYPE:
        _BY_TYPE[kind] = next((contents for is_kind, contents in _CONTENTS if is_kind(obj)), None)
    return _BY_TYPE[kind]


def _self_of(function: Any) -> Any:
    owner = getattr(function, "__self__", None)
    return None if isinstance(owner, ModuleType) else owner
