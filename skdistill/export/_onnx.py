"""The writer of ONNX: a graph of standard operators that computes in double precision."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..exceptions import ExportError
from ._isotonic import add_isotonic
from ._onnx_cells import Input, add_cells, inputs_of, is_text, value_infos
from ._onnx_computed import add_computed
from ._onnx_graph import ML, Graph
from ._onnx_trees import add_trees
from ._order import add_order
from ._program import Inputs, Kernels, Layers, Part, Program, Trees

OPSET, ML_OPSET, IR = 13, 5, 7
"""Versions of the operators and of the format: trees add up doubles from version 5 of their domain on, and the other
operators do not need a later version."""


@dataclass(frozen=True)
class Cells:
    """The name of the encoded cells of shape (n_rows, n_columns), and the number of columns."""

    name: str
    n_columns: int


def output_names(program: Program) -> list[str]:
    """Return the names of the outputs, those of converters of scikit-learn's models."""
    return ["variable"] if program.classes is None else ["label", "probabilities"]


def onnx_model(program: Program, metadata_of: Callable[[list[Input]], dict[str, str]]) -> tuple[Any, list[Input]]:
    """Return a model in the format ONNX with metadata, and its inputs."""
    from onnx import helper

    outputs = output_names(program)
    inputs = inputs_of(program, outputs)
    graph = Graph([*outputs, *(each.name for each in inputs)])
    declared = add_model(graph, program, inputs)
    body = helper.make_graph(graph.nodes, "skdistill", value_infos(inputs), declared, graph.constants)
    versions = [helper.make_opsetid("", OPSET), *([helper.make_opsetid(ML, ML_OPSET)] if graph.needs_ml else [])]
    metadata = metadata_of(inputs)
    model = helper.make_model(
        body,
        opset_imports=versions,
        ir_version=IR,
        producer_name="skdistill",
        producer_version=metadata["skdistill_version"],
    )
    helper.set_model_props(model, metadata)
    return model, inputs


def add_model(graph: Graph, program: Program, inputs: list[Input]) -> list[Any]:
    """Add all steps of a model, from its inputs to its named outputs, and return the declarations of the outputs."""
    from onnx import TensorProto, helper

    cells = Cells(add_cells(graph, program, inputs), len(program.columns))
    if program.computed:
        cells = Cells(add_computed(graph, cells.name, program.computed), len(program.computed))
    parts = [_from_second(part) for part in program.parts] if program.link == "binary" else program.parts
    scores = _sum(graph, [_ADDERS[type(part)](graph, cells, part) for part in parts])
    values = _linked(graph, program, scores)
    names = output_names(program)
    shape = ["n_rows", program.n_outputs]
    declared = [helper.make_tensor_value_info(names[-1], TensorProto.DOUBLE, shape)]
    graph.rename(values, names[-1])
    if program.classes is not None:
        labels = label_tensor(program.classes)
        graph.rename(_label(graph, program, names[-1], labels), names[0])
        kind = TensorProto.STRING if isinstance(labels, list) else helper.np_dtype_to_tensor_dtype(labels.dtype)
        declared.insert(0, helper.make_tensor_value_info(names[0], kind, ["n_rows"]))
    return declared


# ---------------------------------------------------------------------- parts


def _sum(graph: Graph, scores: list[str]) -> str:
    total = scores[0]
    for name in scores[1:]:
        total = graph.add("Add", total, name)
    return total


def _from_second(part: Part) -> Part:
    """Return a part of one score with a first score of zero, so that its softmax gives both probabilities."""
    if isinstance(part, Trees):
        return replace(part, tree_output=part.tree_output + 1, base=np.append(0.0, part.base))
    if isinstance(part, Layers):
        weights = [*part.weights[:-1], _below_zeros(part.weights[-1])]
        return replace(part, weights=weights, biases=[*part.biases[:-1], np.append(0.0, part.biases[-1])])
    linear = _below_zeros(part.linear) if part.linear.size else part.linear
    return replace(part, coef=_below_zeros(part.coef), linear=linear, base=np.append(0.0, part.base))


def _below_zeros(weights: np.ndarray) -> np.ndarray:
    return np.vstack([np.zeros((1, weights.shape[1])), weights])


def _add_layers(graph: Graph, cells: Cells, layers: Layers) -> str:
    """Add weighted sums, of inputs and products of pairs of them, rectified but for the last layer."""
    values = cells.name if layers.inputs is None else _add_inputs(graph, cells, layers.inputs)
    if len(layers.pairs):
        first, second = (graph.add("Gather", values, graph.constant(pair), axis=1) for pair in layers.pairs.T)
        values = graph.add("Concat", values, graph.add("Mul", first, second), axis=1)
    for place, (weights, bias) in enumerate(zip(layers.weights, layers.biases, strict=True)):
        values = graph.add("Relu", values) if place else values
        values = _weighted(graph, values, weights, graph.constant(bias))
    return values


def _add_kernels(graph: Graph, cells: Cells, kernels: Kernels) -> str:
    """Add weighted sums of kernels at positions, of squared distances as products of inputs and positions."""
    values = _add_inputs(graph, cells, kernels.inputs)
    total = graph.constant(kernels.base)
    if kernels.linear.size:
        total = _weighted(graph, values, kernels.linear, total)
    elif len(kernels.positions) == 0:
        total = _weighted(graph, values, np.zeros((len(kernels.base), kernels.inputs.width)), total)
    if len(kernels.positions) == 0:
        return total
    scaled = graph.add("Mul", values, graph.constant(kernels.scales))
    squares = graph.constant(-np.square(kernels.positions).sum(axis=1))
    products = _weighted(graph, scaled, 2 * kernels.positions, squares)
    lengths = graph.add("ReduceSum", graph.add("Mul", scaled, scaled), graph.constant(np.array([1])), keepdims=1)
    exponent = graph.add("Sub", products, lengths)
    kernel = graph.add("Exp", graph.add("Min", exponent, graph.constant(np.array(0.0))))
    return _weighted(graph, kernel, kernels.coef, total)


def _weighted(graph: Graph, values: str, weights: np.ndarray, start: str) -> str:
    """Add weighted sums; ``weights`` has the shape (n_outputs, n_inputs)."""
    return graph.add("Gemm", values, graph.constant(weights), start, transB=1)


def _add_inputs(graph: Graph, cells: Cells, inputs: Inputs) -> str:
    """Add scaled numbers, indicators of missing cells, and indicators of categories."""
    from onnx import TensorProto

    blocks = []
    if len(inputs.column):
        blocks.append(_add_numbers(graph, cells, inputs))
    if len(inputs.indicators):
        is_missing = graph.add("IsNaN", _columns(graph, cells, inputs.indicators))
        blocks.append(graph.add("Cast", is_missing, to=TensorProto.DOUBLE))
    if len(inputs.coded):
        codes = np.concatenate([np.arange(n_codes) for n_codes in inputs.n_codes.tolist()]).astype(np.float64)
        repeated = _columns(graph, cells, np.repeat(inputs.coded, inputs.n_codes))
        blocks.append(graph.add("Cast", graph.add("Equal", repeated, graph.constant(codes)), to=TensorProto.DOUBLE))
    return blocks[0] if len(blocks) == 1 else graph.add("Concat", *blocks, axis=1)


def _add_numbers(graph: Graph, cells: Cells, inputs: Inputs) -> str:
    values = _columns(graph, cells, inputs.column)
    values = graph.add("Sub", values, graph.constant(inputs.center))
    values = graph.add("Div", values, graph.constant(inputs.scale))
    is_missing = graph.add("IsNaN", values)
    if np.isfinite(inputs.low).any():
        values = graph.add("Max", values, graph.constant(inputs.low))
    if np.isfinite(inputs.high).any():
        values = graph.add("Min", values, graph.constant(inputs.high))
    return graph.add("Where", is_missing, graph.constant(np.array(0.0)), values)


def _columns(graph: Graph, cells: Cells, columns: np.ndarray) -> str:
    if np.array_equal(columns, np.arange(cells.n_columns)):
        return cells.name
    return graph.add("Gather", cells.name, graph.constant(columns), axis=1)


_ADDERS: dict[type, Callable[[Graph, Cells, Any], str]] = {
    Trees: lambda graph, cells, trees: add_trees(graph, cells.name, trees),
    Layers: _add_layers,
    Kernels: _add_kernels,
}


# ---------------------------------------------------------------------- outputs


def _linked(graph: Graph, program: Program, scores: str) -> str:
    """Add the link, the bounds, the order, and the power and calibration of probabilities."""
    values = _LINKS[program.link](graph, program, scores)
    if np.isfinite(program.low) or np.isfinite(program.high):
        ends = [graph.constant(np.array(end)) if np.isfinite(end) else "" for end in (program.low, program.high)]
        values = graph.add("Clip", values, *(ends if ends[1] else ends[:1]))
    values = add_order(graph, program, values)
    return add_isotonic(graph, program.isotonic, _raised(graph, program, values))


def _raised(graph: Graph, program: Program, values: str) -> str:
    """Add the power of probabilities."""
    if program.power == 1:
        return values
    powers = graph.add("Pow", values, graph.constant(np.array(program.power)))
    return graph.add("Div", powers, graph.add("ReduceSum", powers, graph.constant(np.array([1])), keepdims=1))


def _identity(graph: Graph, program: Program, scores: str) -> str:  # noqa: ARG001 - one signature for all links
    return scores


def _exp(graph: Graph, program: Program, scores: str) -> str:
    if not (np.isfinite(program.low) or np.isfinite(program.high)):
        return graph.add("Exp", scores)
    limits = [graph.constant(np.array(limit)) for limit in (-700.0, 700.0)]
    return graph.add("Add", graph.add("Exp", graph.add("Clip", scores, *limits)), graph.constant(np.array(program.low)))


def _logistic(graph: Graph, program: Program, scores: str) -> str:
    shares = graph.add("Sigmoid", scores)
    if not (np.isfinite(program.low) and np.isfinite(program.high)):
        return shares
    shares = graph.add("Mul", shares, graph.constant(np.array(program.high - program.low)))
    return graph.add("Add", shares, graph.constant(np.array(program.low)))


def _softmax(graph: Graph, program: Program, scores: str) -> str:  # noqa: ARG001
    return graph.add("Softmax", scores, axis=1)


def _one_vs_rest(graph: Graph, program: Program, scores: str) -> str:
    """Add the softmax of the logarithms of logistic probabilities, which divides these by their sum."""
    decay = graph.add("Exp", graph.add("Neg", graph.add("Abs", scores)))
    log_total = graph.add("Log", graph.add("Add", decay, graph.constant(np.array(1.0))))
    least = graph.add("Min", scores, graph.constant(np.array(0.0)))
    return _softmax(graph, program, graph.add("Sub", least, log_total))


_LINKS: dict[str, Callable[[Graph, Program, str], str]] = {
    "identity": _identity,
    "exp": _exp,
    "logistic": _logistic,
    "binary": _softmax,
    "one-vs-rest": _one_vs_rest,
    "softmax": _softmax,
}


def label_tensor(classes: list[Any]) -> Any:
    """Return the labels as an array of integers or doubles, or as a list of texts."""
    if all(isinstance(label, str) for label in classes):
        if not all(map(is_text, classes)):
            raise ExportError(
                "to_onnx: a class label has a lone surrogate, which no text in ONNX holds. Fit on other labels."
            )
        return classes
    if any(isinstance(label, str) for label in classes):
        raise ExportError(
            f"to_onnx: got the class labels {classes}; expected all of them to be texts, or all of them numbers."
        )
    if any(abs(label) >= 2**63 for label in classes):
        raise ExportError(f"to_onnx: got the class labels {classes}; expected integers of 64 bits. Fit on texts.")
    is_whole = all(label == int(label) for label in classes)
    return np.array([int(label) if is_whole else label for label in classes], dtype=np.int64 if is_whole else None)


def _label(graph: Graph, program: Program, probabilities: str, labels: Any) -> str:
    """Add the choice of the label, by the thresholds of the decision if there are any."""
    if program.least_of_positive is not None:
        share = graph.add("Gather", probabilities, graph.constant(np.array(program.positive)), axis=1)
        is_positive = graph.add("GreaterOrEqual", share, graph.constant(np.array(program.least_of_positive)))
        chosen = [graph.constant(labels[place : place + 1]) for place in (program.positive, 1 - program.positive)]
        return graph.add("Where", is_positive, *chosen)
    if program.thresholds is not None:
        probabilities = graph.add("Div", probabilities, graph.constant(np.array(program.unit_of_decision)))
    place = graph.add("ArgMax", probabilities, axis=1, keepdims=0)
    if not isinstance(labels, list) and np.array_equal(labels, np.arange(len(labels))):
        return place
    return graph.add("Gather", graph.constant(labels), place, axis=0)
