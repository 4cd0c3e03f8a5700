"""Code generator for Python: from a scorer to code that scores one row."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ._code import Code, check_arrays, float_literal, int_literal
from ._computed_code import computed_code
from ._tree_code import forest_code, reading

MAX_TERMS = 500
"""Maximum number of products that plain Python computes faster than numpy."""

MAX_FOLDED_CENTER = 1e4
"""Maximum center, as a multiple of the scale, that is folded into the weights; larger ones would cancel digits."""


def row_code(scorer: Any, prefix: str = "") -> Code | None:
    """Return the code of a scorer; ``None`` for kinds without a code generator, and for scorers that are too large.

    Parameters
    ----------
    scorer : Scorer
    prefix : str, default=""
        Prefix of the names of arrays, which keeps the names of the parts of a sum distinct.
    """
    writer = WRITERS.get(getattr(scorer, "kind", ""))
    if writer is None:
        return None
    check_arrays(scorer)
    return writer(scorer, prefix)


def _forest(forest: Any, prefix: str) -> Code | None:  # noqa: ARG001
    return forest_code(forest)


def _linear(linear: Any, prefix: str) -> Code | None:  # noqa: ARG001
    if linear.value.size > MAX_TERMS:
        return None
    names = [f"x{index}" for index in range(linear.n_features)]
    sums = [
        " + ".join(
            [
                float_literal(start),
                *(f"{float_literal(weight)} * {name}" for weight, name in zip(column, names, strict=True)),
            ]
        )
        for start, column in zip(linear.base.tolist(), linear.value.astype(np.float64).T.tolist(), strict=True)
    ]
    lines = [f"    s{output} = {terms}" for output, terms in enumerate(sums)]
    every = range(linear.n_features)
    return Code([*reading(every, linear.n_features), *lines], read=frozenset(every))


def _network(network: Any, prefix: str) -> Code:
    """Generate the code of a network; the unit of the outputs is folded into the weights of the last layer."""
    weights = [array.astype(np.float64) for array in network.weights]
    biases = [*(bias.astype(np.float64) for bias in network.biases), network.base]
    weights[-1] = weights[-1] * network.unit
    first_layer = _first_layer if network.pairs is None else _first_layer_with_products
    lines, names, weights[0], biases[0] = first_layer(network, weights[0], biases[0], prefix)
    for layer in range(1, len(weights)):
        lines += [f"    h += {prefix}b{layer - 1}", f"    h = maximum(h, 0.0).dot({prefix}w{layer})"]
    names |= {f"w{layer}": array for layer, array in enumerate(weights)}
    names |= {f"b{layer}": array for layer, array in enumerate(biases)}
    lines += [f"    h += {prefix}b{len(biases) - 1}", f"    {_targets(network)} = h.tolist()"]
    return Code(lines, _prefixed(names, prefix), not network.design.has_codes)


FirstLayer = tuple[list[str], dict[str, Any], np.ndarray, np.ndarray]
"""Code that sets the sums of the first layer without its bias, the arrays that it mentions, weights, and bias."""


def _first_layer(network: Any, weights: np.ndarray, bias: np.ndarray, p: str) -> FirstLayer:
    """Fold the scale of the inputs into the weights, and their center into the bias unless it is large."""
    design, names = network.design, network.design.before_codes()
    of_numbers = weights[: design.n_before_codes] / names["scale"][:, None]
    cells = _centred(design, p)
    if _has_small_centers(names):
        cells, center = _cells(design, p), np.where(names["low"] == names["high"], 0.0, names.pop("center"))
        names |= {name: names[name] + center for name in ("low", "high", "missing")}
        bias = bias - center @ of_numbers
    names["of_code"] = np.vstack([weights[design.n_before_codes : design.width], np.zeros((1, weights.shape[1]))])
    lines = [f"    z = {_clipped(cells, p)}", f"    h = z.dot({p}w0)"]
    lines += ["    if h.item(0) != h.item(0):", _fill(p), f"        h = z.dot({p}w0)"]
    if design.has_codes:
        lines.append(f"    h += {p}of_code[{_places_of_codes(design, -design.n_before_codes)}].sum(0)")
    return lines, names, of_numbers, bias


def _has_small_centers(names: dict[str, np.ndarray]) -> bool:
    """Whether the center of every input that varies is small compared with its scale."""
    varies = names["low"] < names["high"]
    return bool(np.all(np.abs(names["center"]) <= MAX_FOLDED_CENTER * names["scale"], where=varies))


def _first_layer_with_products(network: Any, weights: np.ndarray, bias: np.ndarray, p: str) -> FirstLayer:
    """Compute the inputs, since pairs of them are multiplied."""
    design, pairs = network.design, network.pairs
    names = design.before_codes() | {"first": pairs[:, 0].astype(np.intp), "second": pairs[:, 1].astype(np.intp)}
    names["of_pair"], of_inputs = weights[design.width :], weights[: design.width]
    if design.has_codes:  # the last input is for unknown codes
        of_inputs = np.vstack([of_inputs, np.zeros((1, weights.shape[1]))])
    lines = _inputs(design, p)
    lines += [f"    h = z.dot({p}w0)", f"    h += (z.take({p}first) * z.take({p}second)).dot({p}of_pair)"]
    return lines, names, of_inputs, bias


def _landmarks(kernel: Any, prefix: str) -> Code:
    """Generate the code of a kernel scorer; ``unit`` is folded into the coefficients."""
    p, n_outputs = prefix, len(kernel.base)
    scales, positions = kernel.scales.astype(np.float64), kernel.positions.astype(np.float64)
    linear = np.zeros((len(scales), n_outputs)) if kernel.linear is None else kernel.linear * kernel.unit
    if kernel.design.has_codes:  # the last input is for unknown codes and has scale 0
        scales, positions = np.append(scales, 0), np.hstack([positions, np.zeros((len(positions), 1))])
        linear = np.vstack([linear, np.zeros((1, n_outputs))])
    scaled = positions * scales
    names = kernel.design.before_codes() | {"scales": scales, "base": kernel.base, "linear": linear}
    names |= {"twice": 2 * scaled, "squares": (scaled**2).sum(axis=1), "coef": kernel.coef * kernel.unit}
    distance = f"{p}twice.dot(u) - ({p}squares + u.dot(u))"
    lines = _inputs(kernel.design, p)
    lines += [f"    u = z * {p}scales", f"    h = array_exp(minimum({distance}, 0.0)).dot({p}coef)"]
    if kernel.linear is not None:
        lines.append(f"    h += z.dot({p}linear)")
    lines += [f"    h += {p}base", f"    {_targets(kernel)} = h.tolist()"]
    return Code(lines, _prefixed(names, p), not kernel.design.has_codes)


def _sum(total: Any, prefix: str) -> Code | None:
    """Generate the code of a sum; the scores of each part are stored under distinct names."""
    lines: list[str] = []
    names: dict[str, Any] = {}
    takes_array, read, scores = True, frozenset[int](), [f"s{output}" for output in range(len(total.base))]
    own = [f"{prefix}p{place}_" for place in range(len(total.parts))]
    for part, of_part in zip(total.parts, own, strict=True):
        code = row_code(part, of_part)
        if code is None:
            return None
        lines += [*code.lines, *(f"    {of_part}{score} = {score}" for score in scores)]
        names |= code.names
        takes_array, read = takes_array and code.takes_array, code.read  # another part may have read other numbers
    lines += [f"    {score} = {' + '.join(of_part + score for of_part in own)}" for score in scores]
    return Code(lines, names, takes_array, read)


def _computed(computed: Any, prefix: str) -> Code | None:
    """Generate the code of computed columns, and of their scorer; in a sum, other parts read the given cells again."""
    of_columns, of_scorer = computed_code(computed, prefix), row_code(computed.scorer, prefix)
    if of_columns is None or of_scorer is None:
        return None
    lines, names = of_columns
    before, after = ([f"    {prefix}given = cells"], [f"    cells = {prefix}given"]) if prefix else ([], [])
    return Code([*before, *lines, *of_scorer.lines, *after], names | of_scorer.names)


WRITERS: dict[str, Callable[[Any, str], Code | None]] = {
    "forest": _forest,
    "linear": _linear,
    "network": _network,
    "landmarks": _landmarks,
    "sum": _sum,
    "computed": _computed,
}
"""Code generators by kind of scorer."""


# ---------------------------------------------------------------------- inputs of weighted sums


def _inputs(design: Any, p: str) -> list[str]:
    """Return the statements that compute ``z``, the inputs of one row.

    With categorical columns, ``z`` has an additional last entry, which unknown categories set.
    """
    filled = ["    length = z.dot(z)", "    if length != length:", _fill(p)]
    lines = [f"    z = {_clipped(_centred(design, p), p)} / {p}scale", *filled]
    if not design.has_codes:
        return lines
    width, n_before = int_literal(design.width + 1), int_literal(design.n_before_codes)
    lines += [f"    inputs = zeros({width})", f"    inputs[:{n_before}] = z", "    z = inputs"]
    return [*lines, f"    z[{_places_of_codes(design)}] = 1.0"]


def _cells(design: Any, p: str) -> str:
    """Return the expression for the numbers and missing indicators of a row."""
    return "array(cells, float)" if design.is_plain else f"array(cells, float).take({p}columns)"


def _centred(design: Any, p: str) -> str:
    return f"{_cells(design, p)} - {p}center"


def _clipped(cells: str, p: str) -> str:
    """Return the expression for cells clipped to their range; NaN is kept."""
    return f"minimum(maximum({cells}, {p}low), {p}high)"


def _fill(p: str) -> str:
    """Return the statement that replaces NaN; only rows with missing cells execute it."""
    return f"        copyto(z, {p}missing, where=isnan(z))"


def _places_of_codes(design: Any, shift: int = 0) -> str:
    """Return the expression for the positions of the inputs set by the categories of a row; -1 if unknown."""
    columns = np.flatnonzero(design.n_codes)
    codes = [
        f"{first} + int(cells[{column}]) if -1 < cells[{column}] < {n_codes} else -1"
        for first, column, n_codes in zip(
            map(int_literal, design.first_input[columns] + shift),
            map(int_literal, columns),
            map(int_literal, design.n_codes[columns]),
            strict=True,
        )
    ]
    return f"[{', '.join(codes)}]"


def _prefixed(names: dict[str, Any], prefix: str) -> dict[str, Any]:
    return {prefix + name: array for name, array in names.items()}


def _targets(scorer: Any) -> str:
    return "".join(f"s{output}, " for output in range(len(scorer.base))).rstrip()
