"""Converters of students and distilled estimators for skl2onnx, which add the graph of ``to_onnx`` to a pipeline's."""

from dataclasses import replace
from typing import Any

import numpy as np

from .. import students
from ..compilation import compile
from ..estimators import DistilledClassifier, DistilledRegressor
from ..exceptions import ExportError
from ._onnx import add_model, label_tensor, output_names
from ._onnx_cells import inputs_of
from ._onnx_graph import ML, Graph
from ._program import Program, program_of

ALIAS = "Skdistill"

OPSET, ML_VERSION = 13, 3
"""Versions of the operators; skl2onnx does not know later ones of the domain of trees."""


def register_skl2onnx() -> None:
    """Let ``skl2onnx.to_onnx`` convert students and distilled estimators, alone or as the last step of a pipeline.

    They must have been fitted on a table of numbers, which may have any numeric type in ONNX. Their part of the graph
    computes in double precision; convert with an input of doubles if earlier steps should do so too. The outputs have
    the names of :func:`~skdistill.export.to_onnx`: ``label`` and ``probabilities`` (an array), or ``variable``.

    skl2onnx does not compare the graph with the pipeline. :func:`~skdistill.export.to_onnx` does, takes raw columns,
    and writes smaller files. Calling this function again has no effect.

    Raises
    ------
    ExportError
        If skl2onnx is not installed. The conversion raises it for students that were fitted on categories or dates.

    Examples
    --------
    >>> from skdistill.export import register_skl2onnx
    >>> register_skl2onnx()  # doctest: +SKIP
    """
    try:
        from skl2onnx import update_registered_converter
    except ImportError:
        raise ExportError("register_skl2onnx needs skl2onnx, which is not installed: pip install skl2onnx.") from None
    compact = [getattr(students, name) for name in students.__all__ if name.startswith("Compact")]
    for kind in (DistilledClassifier, DistilledRegressor, *compact):
        update_registered_converter(kind, ALIAS + kind.__name__, _set_types, _convert, parser=_parse)


def _parse(scope: Any, model: Any, inputs: list[Any], custom_parsers: Any = None) -> list[Any]:  # noqa: ARG001
    """Declare the step with its outputs, whose types follow later."""
    from skl2onnx.common.data_types import DoubleTensorType

    step = scope.declare_local_operator(ALIAS + type(model).__name__, model)
    step.inputs.extend(inputs)
    for name in output_names(_program_of(model)):
        step.outputs.append(scope.declare_local_variable(name, DoubleTensorType()))
    return step.outputs


def _set_types(step: Any) -> None:
    """Set the types of the outputs."""
    from skl2onnx.common.data_types import DoubleTensorType, Int64TensorType, StringTensorType

    program = _program_of(step.raw_operator)
    *labels, values = step.outputs
    values.type = DoubleTensorType([None, program.n_outputs])
    for label in labels:
        tensor = label_tensor(program.classes or [])
        is_text, is_whole = isinstance(tensor, list), getattr(tensor, "dtype", None) == np.int64
        label.type = (StringTensorType if is_text else Int64TensorType if is_whole else DoubleTensorType)([None])


def _convert(scope: Any, step: Any, container: Any) -> None:
    """Add the nodes and constants of a student, with names that are unique in the whole graph."""
    from onnx import defs, helper

    program = _program_of(step.raw_operator)
    outputs, (table,) = output_names(program), step.inputs
    inputs = inputs_of(program, outputs)
    graph = Graph([*outputs, inputs[0].name], ML_VERSION)
    cells = _add_doubles(graph, inputs[0].name, table)
    add_model(graph, program, [replace(inputs[0], name=cells)])
    outer = [variable.full_name for variable in (table, *step.outputs)]
    renamed = dict(zip([inputs[0].name, *outputs], outer, strict=True))
    made = [each.name for each in graph.constants] + [name for node in graph.nodes for name in node.output]
    renamed |= {name: scope.get_unique_variable_name(ALIAS) for name in made if name not in renamed}
    for constant in graph.constants:
        constant.name = renamed[constant.name]
        container.initializers.append(constant)
    for node in graph.nodes:
        container.add_node(
            node.op_type,
            [renamed.get(name, name) for name in node.input],  # an input may be left out: its name is empty
            [renamed[name] for name in node.output],
            op_domain=node.domain,
            op_version=ML_VERSION if node.domain == ML else defs.get_schema(node.op_type, OPSET, "").since_version,
            name=scope.get_unique_operator_name(ALIAS),
            **{each.name: helper.get_attribute_value(each) for each in node.attribute},
        )


def _add_doubles(graph: Graph, name: str, table: Any) -> str:
    """Return the name of the table of numbers, converted to doubles if it has another type."""
    from onnx import TensorProto
    from skl2onnx.common.data_types import DoubleTensorType

    if isinstance(table.type, DoubleTensorType):
        return name
    return graph.add("Cast", name, to=TensorProto.DOUBLE)


def _program_of(model: Any) -> Program:
    program = program_of(compile(model, dtype="float64"))
    other = next((column for column in program.columns if column.kind != "number"), None)
    if other is not None:
        raise ExportError(
            f"register_skl2onnx: the column {other.name!r} of {type(model).__name__} is a {other.kind}; expected a "
            "student that was fitted on a table of numbers. Export with to_onnx, which takes raw columns."
        )
    return program
