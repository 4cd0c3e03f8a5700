"""Nodes and constants of an ONNX graph under construction."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from ._multiples import multiples_of

ML = "ai.onnx.ml"
"""The domain of trees and of encoders of texts."""

MIN_SAVING = 128
"""Number of bytes that a constant of fewer bytes a number must save, since it needs a node that widens it."""


class Graph:
    """Nodes and constants, with names that are given to nothing else.

    Parameters
    ----------
    taken : iterable of str
        Names of the inputs and outputs of the graph.
    ml_version : int, default=5
        Version of the domain of trees and encoders. Trees have other nodes before version 5.
    """

    def __init__(self, taken: Iterable[str], ml_version: int = 5) -> None:
        self.ml_version = ml_version
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self._taken = set(taken)
        self._n_names = 0

    @property
    def needs_ml(self) -> bool:
        """Whether any node is of the domain of trees and encoders."""
        return any(node.domain == ML for node in self.nodes)

    def add(self, operator: str, *inputs: str, domain: str = "", n_unused: int = 0, **attributes: Any) -> str:
        """Add a node and return the name of its first output; the others are unused."""
        from onnx import helper

        outputs = [self._new_name() for _ in range(1 + n_unused)]
        self.nodes.append(helper.make_node(operator, inputs, outputs, domain=domain, **attributes))
        return outputs[0]

    def constant(self, values: Any) -> str:
        """Add an array, or a list of texts, and return its name.

        Doubles that are exact in fewer bytes, or as multiples of a step, are stored in these, and nodes widen them;
        runtimes do that once.
        """
        from onnx import TensorProto

        if isinstance(values, np.ndarray) and values.dtype == np.float64:
            coded = multiples_of(values)
            if coded is not None:
                codes = self.add("Cast", self._constant(coded[0]), to=TensorProto.DOUBLE)
                return self.add("Mul", codes, self._constant(np.array([coded[1]])))
            narrow = _narrowest(values)
            if values.nbytes - narrow.nbytes > MIN_SAVING:
                return self.add("Cast", self._constant(narrow), to=TensorProto.DOUBLE)
        return self._constant(values)

    def _constant(self, values: Any) -> str:
        self.constants.append(tensor(values, self._new_name()))
        return self.constants[-1].name

    def rename(self, name: str, new: str) -> None:
        """Give the output of a node another name."""
        for node in self.nodes:
            for names in (node.input, node.output):
                names[:] = [new if used == name else used for used in names]

    def _new_name(self) -> str:
        while True:
            name = f"v{self._n_names}"
            self._n_names += 1
            if name not in self._taken:
                return name


def tensor(values: Any, name: str = "") -> Any:
    """Return an array, or a list of texts, as a tensor."""
    from onnx import TensorProto, helper, numpy_helper

    if isinstance(values, list):
        return helper.make_tensor(name, TensorProto.STRING, [len(values)], [text.encode() for text in values])
    return numpy_helper.from_array(np.ascontiguousarray(values) if np.ndim(values) else np.asarray(values), name)


def _narrowest(values: np.ndarray) -> np.ndarray:
    """Return doubles in the shortest float type that represents all of them."""
    for dtype in (np.float16, np.float32):
        with np.errstate(over="ignore", under="ignore"):
            narrow = values.astype(dtype)
        if np.array_equal(narrow.astype(np.float64), values):
            return narrow
    return values
