"""What may be asked of any scorer, and a scorer as plain data."""

import pickle
from typing import Any, ClassVar, Protocol, Self, runtime_checkable

import numpy as np

from ._packing import pack_fields, unpack_fields


@runtime_checkable
class Scorer(Protocol):
    """From coded rows to scores: what a compiled model ships, and what a writer turns into code of a language.

    Objects of other packages may be scorers, too. Without a ``kind`` that a writer knows, one of them scores a single
    row as it scores many.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.compiled import Linear, Scorer
    >>> isinstance(Linear(np.array([[2.0]]), np.array([0.5])), Scorer)
    True
    """

    @property
    def base(self) -> np.ndarray:
        """Constant of each output, of shape (n_outputs,)."""

    @property
    def n_features(self) -> int:
        """Columns of a row."""

    @property
    def n_parameters(self) -> int:
        """Numbers that were learned."""

    @property
    def n_ops(self) -> int:
        """Operations for a row."""

    @property
    def n_bytes(self) -> int:
        """Size of the pickle in bytes."""

    def scores(self, X: Any, n_jobs: int = 1) -> np.ndarray:
        """Return the scores of rows, of shape (n_rows, n_outputs), as float64."""

    def scaled(self, factor: Any, shift: Any = 0.0) -> Self:
        """Return a scorer whose scores are ``factor`` times as large, plus ``shift``; numbers, or one per output."""

    def stored_as(self, dtype: Any) -> Self:
        """Return a scorer whose learned numbers are stored with this precision, where they have more."""

    def content(self) -> dict[str, Any]:
        """Return the kind and all fields as plain data, which a writer can walk."""


class FlatData:
    """A dataclass of arrays, numbers, lists, and other objects like it, which are its plain data and its pickle.

    Attributes
    ----------
    kind : str
        Name in the data; unique.
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

        :func:`scorer_from_content` undoes it.
        """
        fields: dict[str, Any] = self.__dataclass_fields__  # type: ignore[attr-defined]  # subclasses are dataclasses
        return {"kind": self.kind} | {name: _as_data(getattr(self, name)) for name in fields}

    def __getstate__(self) -> Any:
        return pack_fields(self)

    def __setstate__(self, state: Any) -> None:
        self.__dict__.update(unpack_fields(state))


def scorer_from_content(content: dict[str, Any]) -> Any:
    """Return the scorer, or the design of one, that :meth:`FlatData.content` described.

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
