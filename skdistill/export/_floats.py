"""Models in single precision: for rows of floats, every split takes the side that it takes in double precision."""

from dataclasses import replace
from typing import Any

import numpy as np

from ..exceptions import ExportError
from ._program import Inputs, Kernels, Layers, Part, Program, Trees

TOLERANCE_OF_FLOATS = 1e-5
"""Maximum difference between the outputs in single precision and those of the model, relative to their scale."""


def as_floats(program: Program) -> Program:
    """Return the model with all numbers in single precision.

    Raises
    ------
    ExportError
        If a column holds times, or is computed by the steps of a pipeline.
    """
    refuse_doubles(program, "float")
    numbers: dict[str, Any] = {name: np.float32(getattr(program, name)) for name in ("low", "high", "power")}
    if program.thresholds is not None:
        numbers["thresholds"] = tuple(_narrow(np.array(program.thresholds)))
    return replace(program, parts=[_part(part) for part in program.parts], **numbers)


def refuse_doubles(program: Program, dtype: str) -> None:
    """Fail if a column holds times or is computed from cells, or if probabilities are calibrated by functions."""
    if program.isotonic is not None:
        raise ExportError(
            f"to_c: isotonic functions of probabilities are steep, and dtype={dtype!r} would move the results. Export "
            'with dtype="double", or calibrate with calibration="temperature".'
        )
    if program.computed:
        raise ExportError(
            f"to_c: the steps of the pipeline compute in double precision, and dtype={dtype!r} would move rows to the "
            'other side of thresholds. Export with dtype="double", or distil the whole pipeline on its raw columns.'
        )
    times = [column.name for column in program.columns if column.kind == "time"]
    if times:
        raise ExportError(
            f"to_c: the column {times[0]!r} holds times, whose microseconds do not fit dtype={dtype!r}. Export with "
            'dtype="double", or fit on numbers of days.'
        )


def float_cells(cells: np.ndarray) -> np.ndarray:
    """Return numbers as rows of floats hold them."""
    with np.errstate(over="ignore"):
        return cells.astype(np.float32).astype(np.float64)


def float_outputs(outputs: np.ndarray) -> np.ndarray:
    """Return outputs as they are, but infinite where a float would be."""
    return np.where(np.isinf(float_cells(outputs)), np.copysign(np.inf, outputs), outputs)


def _part(part: Part) -> Part:
    if isinstance(part, Trees):
        stored = part.stored if part.stored.dtype == np.float16 else _narrow(part.stored)
        threshold = np.where(part.is_category, part.threshold, _at_most(part.threshold)).astype(np.float32)
        return replace(part, threshold=threshold, stored=stored, unit=_narrow(part.unit), base=_narrow(part.base))
    if isinstance(part, Layers):
        return replace(
            part,
            inputs=None if part.inputs is None else _inputs(part.inputs),
            weights=[_narrow(weights) for weights in part.weights],
            biases=[_narrow(bias) for bias in part.biases],
        )
    return _kernels(part)


def _kernels(part: Kernels) -> Kernels:
    fields = ("positions", "scales", "coef", "linear", "base")
    return replace(part, inputs=_inputs(part.inputs), **{name: _narrow(getattr(part, name)) for name in fields})


def _inputs(inputs: Inputs) -> Inputs:
    numbers: dict[str, Any] = {name: _narrow(getattr(inputs, name)) for name in ("center", "scale", "low", "high")}
    return replace(inputs, **numbers)


def _narrow(values: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):
        return values.astype(np.float32)


def _at_most(thresholds: np.ndarray) -> np.ndarray:
    """Return the largest floats that are at most the thresholds: they have the same floats on their left."""
    nearest = _narrow(thresholds)
    with np.errstate(over="ignore"):
        return np.where(nearest > thresholds, np.nextafter(nearest, np.float32(-np.inf)), nearest)
