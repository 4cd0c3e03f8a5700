"""Checks of arguments and tables that all subpackages share."""

import copy
import math
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from numbers import Integral, Real
from typing import Any

import narwhals as nw
import numpy as np
import sklearn
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state as check_random_state_of_sklearn
from sklearn.utils import get_tags
from sklearn.utils.fixes import parse_version
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from ._described import described, with_article
from ._no_tables import check_column_names, check_is_table
from ._suggesting import did_you_mean
from ._tables import is_frame

MAX_INTEGER = int(np.iinfo(np.int64).max)
"""Largest integer that numpy counts with."""

MAX_JOBS = 1024
"""Maximum number of parallel jobs: more threads than this are a mistake."""

_SPARSE_TAG_IS_SET = parse_version(sklearn.__version__) >= parse_version("1.7")
"""Before scikit-learn 1.7, many estimators that accept sparse matrices do not set the tag; their own checks decide."""


_finite: ContextVar[list[np.ndarray] | None] = ContextVar("finite", default=None)
"""Arrays whose cells were found to be finite."""


def check_number(
    owner: object,
    name: str,
    value: Any,
    *,
    kind: type = Real,
    low: float = -np.inf,
    high: float = np.inf,
    low_open: bool = False,
    names: Sequence[str] = (),
    advice: str = "",
) -> None:
    """Raise an error unless ``value`` is a finite ``kind`` in [low, high] or, if ``low_open``, in (low, high].

    The texts ``names`` are allowed as well. Integers above ``MAX_INTEGER`` are refused: numpy cannot count with them.
    """
    if names and isinstance(value, str) and value in names:
        return
    is_kind = isinstance(value, kind) and not isinstance(value, bool | np.bool_)
    if kind is Integral and is_kind and int(value) > MAX_INTEGER:
        high = min(high, MAX_INTEGER)
    if is_kind and _is_finite(value) and low <= value <= high and not (low_open and value == low):
        return
    expected = f"{'an integer' if kind is Integral else 'a number'}"
    if np.isfinite(low):
        expected += f" {'above' if low_open else 'of at least'} {low:g}"
    if np.isfinite(high):
        expected += f"{' and' if np.isfinite(low) else ''} at most {high:g}"
    expected += "".join(f", or {each!r}" for each in names)
    who = owner if isinstance(owner, str) else type(owner).__name__
    message = f"{who}: {name}={described(value)}; expected {expected}.{did_you_mean(value, names)}"
    message += f" {advice}" if advice else ""
    raise (ValueError if is_kind else TypeError)(message)


def _is_finite(value: Any) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer or a fraction above the largest float
        return False


def check_choice(owner: object, name: str, value: Any, choices: Sequence[str], others: str = "") -> None:
    """Raise an error unless ``value`` is one of the texts ``choices``; ``others`` says what else is allowed."""
    if not (isinstance(value, str) and value in choices):
        who = owner if isinstance(owner, str) else type(owner).__name__
        listed = (" or " if len(choices) == 2 else ", ").join(map(repr, choices))
        listed = f"one of {listed}" if len(choices) > 2 else listed
        raise ValueError(f"{who}: {name}={described(value)}; expected {listed}{others}.{did_you_mean(value, choices)}")


def check_random_state(random_state: Any, owner: object = None) -> np.random.RandomState:
    """Return the random generator of a seed; the error for other objects names the owner of the parameter."""
    try:
        return check_random_state_of_sklearn(random_state)
    except (TypeError, ValueError):
        who = "" if owner is None else f"{owner if isinstance(owner, str) else type(owner).__name__}: "
        raise ValueError(
            f"{who}random_state={described(random_state)}; expected None, an integer from 0 to {2**32 - 1}, or an "
            "instance of numpy.random.RandomState."
        ) from None


def check_n_jobs(owner: object, n_jobs: Any) -> None:
    """Raise an error unless ``n_jobs`` is ``None`` or an integer that joblib accepts."""
    if n_jobs is None:
        return
    if not isinstance(n_jobs, Integral) or isinstance(n_jobs, bool) or n_jobs == 0 or abs(int(n_jobs)) > MAX_JOBS:
        raise ValueError(
            f"{type(owner).__name__}: n_jobs={described(n_jobs)}; expected None, a number of jobs from 1 to "
            f"{MAX_JOBS}, or -1 for all processors."
        )


def check_numbers(owner: object, name: str, values: Any) -> np.ndarray:
    """Return an array of finite floats of any number of axes.

    What scikit-learn refuses is refused with its message; other objects with one that names the owner.
    """
    try:
        return check_array(values, ensure_2d=False, allow_nd=True, dtype=np.float64, input_name=name)
    except (TypeError, ValueError):
        if _are_convertible(values):
            raise
        who = owner if isinstance(owner, str) else type(owner).__name__
        raise ValueError(
            f"{who}: {name} is {with_article(values)}, {described(values)}; expected an array of numbers."
        ) from None


def _are_convertible(values: Any) -> bool:
    """Whether numpy converts an object to an array of floats."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the imaginary part of complex numbers is lost
            np.asarray(values, dtype=np.float64)
    except Exception:  # objects of others may raise anything
        return False
    return True


def check_table(estimator: Any, X: Any, *, reset: bool) -> Any:
    """Check ``X`` as scikit-learn does, but keep table types that the estimator's tags allow.

    Frames are returned unchanged after their column names and number of columns are recorded or compared. Other tables
    are converted to an array or, if the tags allow it, to a CSR matrix; object arrays are kept if strings are allowed.
    Infinite numbers are refused in every table. In frames and object arrays they are only searched for if ``reset``:
    later, compact students find them in encoded rows.
    """
    if not reset and _is_plain(estimator, X):
        return X
    if is_frame(X):
        return _checked_frame(estimator, X, reset=reset)
    check_is_table(type(estimator).__name__, X)
    _check_shape(type(estimator).__name__, X)
    tags = get_tags(estimator).input_tags
    keeps_strings = tags.string and getattr(X, "dtype", np.asarray(X).dtype).kind in "OUS"
    try:
        checked = validate_data(
            estimator,
            X,
            reset=reset,
            accept_sparse="csr" if tags.sparse or not _SPARSE_TAG_IS_SET else False,
            dtype=None if keeps_strings else "numeric",
            ensure_all_finite="allow-nan" if tags.allow_nan else True,
        )
    except (TypeError, ValueError) as error:
        if isinstance(X, np.ndarray) and X.ndim == 2 and X.dtype.kind == "f":
            check_finite(estimator, X)  # its message names the column
        if isinstance(X, np.ndarray | list | tuple) and not _are_convertible(X):
            who = type(estimator).__name__
            raise type(error)(
                f"{who}: X has cells that are no numbers ({error}); expected numbers. Encode or convert these columns."
            ) from None
        raise
    if reset and checked.dtype.kind == "O":
        check_finite(estimator, checked)
    return checked


def _checked_frame(estimator: Any, X: Any, *, reset: bool) -> Any:
    """Return a frame unchanged after recording or comparing its columns."""
    check_column_names(type(estimator).__name__, X)
    validate_data(estimator, X, reset=reset, skip_check_array=True)
    if 0 in X.shape:
        lacking = "sample" if X.shape[0] == 0 else "feature"
        raise ValueError(
            f"Found array with 0 {lacking}(s) (shape={X.shape}) while a minimum of 1 is required by "
            f"{type(estimator).__name__}."
        )
    if reset:
        check_finite(estimator, X)
    return X


def _check_shape(who: str, X: Any) -> None:
    """Raise an error for arrays of more than two axes, and for lists of rows of different lengths."""
    if len(getattr(X, "shape", ())) > 2:
        n_rows, *of_row = X.shape
        shape = ", ".join(map(str, of_row))
        raise ValueError(
            f"Found array with dim {1 + len(of_row)}, while dim <= 2 is required by {who}: got shape "
            f"{(n_rows, *of_row)}. Pass X.reshape(len(X), -1), and a teacher that restores the shape: "
            f"teacher=lambda X: model.predict_proba(X.reshape(-1, {shape}))."
        )
    if hasattr(X, "shape") or hasattr(X, "dtype"):
        return
    try:
        np.asarray(X)
    except ValueError:
        raise ValueError(
            f"{who}: X is {with_article(X)} of rows of different lengths; expected the same number of cells in each."
        ) from None


def check_finite(estimator: Any, X: Any) -> None:
    """Raise an error that names the first column of a dense table with an infinite number, if there is one."""
    if isinstance(X, np.ndarray) and X.dtype.kind == "f" and _is_sum_finite(X):
        return
    names = getattr(estimator, "feature_names_in_", None)
    for index, infinite in enumerate(_infinite_columns(X)):
        if infinite:
            raise ValueError(
                f"{type(estimator).__name__}: column {index if names is None else repr(str(names[index]))} of X "
                "contains infinity; expected finite numbers or missing cells. Replace infinite values, for example by "
                "NaN or by a large number."
            )


def _infinite_columns(X: Any) -> Iterator[bool]:
    """Yield for each column whether it contains an infinite number."""
    if is_frame(X):
        for column in nw.from_native(X, eager_only=True).iter_columns():
            yield (column.dtype.is_float() or column.dtype == nw.Object) and _any_infinite(column.to_numpy())
    else:
        yield from map(_any_infinite, X.T)


def _is_sum_finite(X: np.ndarray) -> bool:
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.isfinite(np.sum(X)))


def _any_infinite(values: np.ndarray) -> bool:
    return bool((_IS_INFINITE(values) if values.dtype.kind == "O" else np.isinf(values)).any())


_IS_INFINITE = np.frompyfunc(lambda cell: isinstance(cell, float | np.floating) and math.isinf(cell), 1, 1)


@contextmanager
def checked_once() -> Iterator[None]:
    """Within the block, nobody changes arrays of rows: those that an estimator checks are not checked by another."""
    token = _finite.set([])
    try:
        yield
    finally:
        _finite.reset(token)


def _is_plain(estimator: Any, X: Any) -> bool:
    """Whether ``X`` is an array of finite floats with the fitted number of columns, which every estimator accepts.

    The general checks of scikit-learn take longer than the prediction of a compact student for one row.
    """
    return (
        type(X) is np.ndarray
        and X.ndim == 2
        and X.dtype.kind == "f"
        and len(X) > 0
        and X.shape[1] == getattr(estimator, "n_features_in_", None)
        and not hasattr(estimator, "feature_names_in_")
        and _are_finite(X)
    )


def _are_finite(X: np.ndarray) -> bool:
    known = _finite.get()
    if known is not None and any(X is each for each in known):
        return True
    are_finite = bool(np.isfinite(X).all())
    if are_finite and known is not None:
        known.append(X)
    return are_finite


def check_fitted(estimator: Any, attribute: str) -> None:
    """Raise ``NotFittedError`` unless the attribute is set; ``check_is_fitted`` is slower, since it builds tags."""
    if attribute not in vars(estimator):
        check_is_fitted(estimator, attribute)


def check_weights(sample_weight: Any, n_rows: int, who: str = "fit") -> np.ndarray:
    """Return ``sample_weight`` as floats of shape (n_rows,), all ones if it is ``None``."""
    if sample_weight is None:
        return np.ones(n_rows)
    weight = check_numbers(who, "sample_weight", sample_weight)
    if weight.shape != (n_rows,):
        raise ValueError(f"sample_weight.shape == {weight.shape}, expected {(n_rows,)}: one weight for each row of X.")
    if np.any(weight < 0):
        raise ValueError(f"sample_weight has {int(np.sum(weight < 0))} negative weights; expected none.")
    if not np.any(weight > 0):
        raise ValueError("sample_weight: every weight is zero; expected at least one above zero.")
    return weight


def events_and_times(caller: str, y: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the two fields of structured survival labels: observed events and times."""
    y = np.asarray(y)
    fields = [y[name] for name in y.dtype.names or ()]
    events = [values for values in fields if values.dtype.kind == "b"]
    times = [values for values in fields if values.dtype.kind in "iuf"]
    if y.ndim != 1 or len(events) != 1 or len(times) != 1:
        raise ValueError(
            f"{caller}: got labels of dtype {y.dtype} and shape {y.shape}; expected a structured array with one "
            "boolean field, the observed events, and one field of times."
        )
    time = times[0].astype(np.float64)
    if not np.isfinite(time).all():
        raise ValueError(
            f"{caller}: {int((~np.isfinite(time)).sum())} times are NaN or infinite; expected finite times."
        )
    return events[0], time


def tags_of(estimator: Any) -> Any:
    """Return the tags of an estimator; estimators whose tags cannot be read accept everything, and check it themselves.

    This concerns estimators of packages that follow the conventions of an older scikit-learn.
    """
    try:
        return get_tags(estimator)
    except AttributeError:
        tags = BaseEstimator().__sklearn_tags__()
        tags.input_tags.allow_nan = tags.input_tags.string = tags.input_tags.sparse = True
        tags.target_tags.multi_output = True
        return tags


def input_tags_of(estimator: Any) -> Any:
    """Return a copy of the estimator's input tags, with missing cells and strings allowed for wrappers.

    The tags of a pipeline, a search or a voting ensemble do not consider the encoders and imputers inside, which check
    their input themselves.
    """
    tags = copy.copy(tags_of(estimator).input_tags)
    if _is_wrapper(estimator):
        tags.allow_nan = tags.string = True
    return tags


def _is_wrapper(estimator: Any) -> bool:
    """Whether an estimator has another one as a parameter: a pipeline, a search, an ensemble of given members."""
    params = estimator.get_params(deep=True) if hasattr(estimator, "get_params") else {}
    return any(hasattr(value, "fit") and not isinstance(value, type) for value in params.values())


NOT_CALLERS = ("skdistill", "sklearn", "contextlib")
"""Packages whose lines are not what a warning is about; context managers decorate methods of this one."""


def warn_caller(message: str, category: type[Warning]) -> None:
    """Warn at the line outside this package and scikit-learn that led here."""
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and frame.f_globals.get("__name__", "").split(".")[0] in NOT_CALLERS:
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)


def draw_seed(rng: np.random.RandomState) -> int:
    """Draw one integer seed, which makes the receiver independent of other users of ``rng``."""
    return int(rng.randint(np.iinfo(np.int32).max))


def seed_estimator(estimator: Any, rng: np.random.RandomState) -> Any:
    """Set every ``random_state`` of ``estimator`` that is ``None`` to a seed drawn from ``rng``."""
    if not hasattr(estimator, "get_params"):
        return estimator
    params = estimator.get_params(deep=True)
    names = sorted(name for name in params if name == "random_state" or name.endswith("__random_state"))
    seeds = {name: draw_seed(rng) for name in names}
    estimator.set_params(**{name: seed for name, seed in seeds.items() if params[name] is None})
    return estimator


__all__ = [
    "check_choice",
    "check_finite",
    "check_fitted",
    "check_n_jobs",
    "check_number",
    "check_numbers",
    "check_random_state",
    "check_table",
    "check_weights",
    "draw_seed",
    "events_and_times",
    "input_tags_of",
    "seed_estimator",
    "tags_of",
]
