"""The bytes of an ONNX model with its lists of integers packed, which saves a byte for each integer.

ONNX declares lists of integers in a form that writes a tag before each of them. Parsers of Protocol Buffers read the
packed form, one tag and the length before all of them, in the same way.
"""

from typing import Any

import numpy as np

GRAPH_OF_MODEL, NODE_OF_GRAPH, ATTRIBUTE_OF_NODE, INTS_OF_ATTRIBUTE = 7, 1, 5, 8
"""Numbers of fields in the messages of ONNX."""


def packed(model: Any) -> bytes:
    """Return the bytes of a model whose attributes hold no graphs."""
    nodes = b"".join(_field(NODE_OF_GRAPH, _packed_node(node)) for node in model.graph.node)
    return _without(model, "graph") + _field(GRAPH_OF_MODEL, nodes + _without(model.graph, "node"))


def _packed_node(node: Any) -> bytes:
    attributes = [_field(ATTRIBUTE_OF_NODE, _packed_attribute(attribute)) for attribute in node.attribute]
    return _without(node, "attribute") + b"".join(attributes)


def _packed_attribute(attribute: Any) -> bytes:
    ints = np.array(attribute.ints, dtype=np.int64)
    if len(ints) == 0:
        return attribute.SerializeToString()
    return _without(attribute, "ints") + _field(INTS_OF_ATTRIBUTE, _varints(ints))


def _without(message: Any, name: str) -> bytes:
    """Return the bytes of a message without one of its fields."""
    rest = type(message)()
    rest.CopyFrom(message)
    rest.ClearField(name)
    return rest.SerializeToString()


def _field(number: int, content: bytes) -> bytes:
    """Return the bytes of a field with a length."""
    return _varints(np.array([number << 3 | 2, len(content)])) + content


def _varints(numbers: np.ndarray) -> bytes:
    """Return integers of variable length: seven bits a byte, the lowest first, and a bit that says that more follow."""
    groups = numbers.astype(np.uint64)[:, None] >> np.arange(0, 64, 7, dtype=np.uint64)
    is_used = (groups > 0) | (np.arange(10) == 0)
    has_more = np.append(is_used[:, 1:], np.zeros((len(numbers), 1), dtype=bool), axis=1)
    return ((groups & 127) + 128 * has_more).astype(np.uint8)[is_used].tobytes()
