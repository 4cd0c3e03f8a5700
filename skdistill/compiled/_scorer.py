"""The protocol of scorers, and the conversion of scorers to plain data."""

import pickle
from typing import Any, ClassVar, Protocol, Self, runtime_checkable

import numpy as np

from ._packing import pack_fields, unpack_fields


@runtime_checkable
class Scorer(Protocol):
    """Computes scores of encoded rows: the model inside a compiled model, and the input of code generators.

    Classes of other packages can implement this protocol. A scorer whose ``kind`` has no code generator scores a single
    row in the same way as many rows.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.compiled import Linear, Scorer
    >>> isinstance(Linear(np.array([[2.0]]), np.array([0.5])), Scorer)
    True
    """

    @property
    def base(self) -> np.ndarray:
        """Constant that is added to each output, of shape (n_outputs,)."""

    @property
    def n_features(self) -> int:
        """Number of columns of a row."""

    @property
    def n_parameters(self) -> int:
        """Number of learned parameters."""

    @property
    def n_ops(self) -> int:
        """Number of operations per row."""

    @property
    def n_bytes(self) -> int:
        """Size of the pickle in bytes."""

    def scores(self, X: Any, n_jobs: int = 1) -> np.ndarray:
        """Return the scores of rows, of shape (n_rows, n_outputs), as float64."""

    def scaled(self, factor: Any, shift: Any = 0.0) -> Self:
        """Return a scorer with scores multiplied by ``factor``, plus ``shift``: numbers, or arrays over the outputs."""

    def stored_as(self, dtype: Any) -> Self:
        """Return a scorer whose parameters are rounded to at most this precision."""

    def content(self) -> dict[str, Any]:
        """Return the kind and all fields as plain data."""


class FlatData:
    """Base class of dataclasses whose fields are arrays, numbers, lists, or other such dataclasses.

    The class implements their conversion to plain data and a compressed pickle.

    Attributes
    ----------
    kind : str
        Unique name of the class in the plain data.
    """

    kind: ClassVar[str]
    _kinds: ClassVar[dict[str, type["FlatData"]]] = {}

    def __init_subclass__(cls, kind: str | None = None) -> None:
        super().__init_subclass__()
        if kind is not None:
            cls.kind = kind
            FlatData._kinds[kind] = cls

    @property
    def n_bytes(self) -> int:
        """Size of the pickle in bytes."""
        return len(pickle.dumps(self, protocol=pickle.HIGHEST_PROTOCOL))

    def content(self) -> dict[str, Any]:
        """Return the kind and all fields as plain data: arrays, numbers, ``None``, lists and dicts of these.

        :func:`scorer_from_content` is the inverse.
        """
        fields: dict[str, Any] = self.__dataclass_fields__  # type: ignore[attr-defined]  # subclasses are dataclasses
        return {"kind": self.kind} | {name: _as_data(getattr(self, name)) for name in fields}

    def __getstate__(self) -> Any:
        return pack_fields(self)

    def __setstate__(self, state: Any) -> None:
        self.__dict__.update(unpack_fields(state))


def scorer_from_content(content: dict[str, Any]) -> Any:
    """Return the scorer or design from the plain data that its method ``content`` returned.

    Parameters
    ----------
    content : dict

    Returns
    -------
    scorer : Scorer or Design

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.compiled import Linear, scorer_from_content
    >>> content = Linear(np.array([[2.0], [1.0]]), np.array([0.5])).content()
    >>> sorted(content)
    ['base', 'kind', 'value']
    >>> scorer_from_content(content).scores([[1.0, 3.0]])
    array([[5.5]])
    """
    fields = {name: _from_data(value) for name, value in content.items() if name != "kind"}
    return FlatData._kinds[content["kind"]](**fields)


def _as_data(value: Any) -> Any:
    if isinstance(value, list):
        return [_as_data(item) for item in value]
    return value.content() if isinstance(value, FlatData) else value


def _from_data(value: Any) -> Any:
    if isinstance(value, list):
        return [_from_data(item) for item in value]
    return scorer_from_content(value) if isinstance(value, dict) else value
