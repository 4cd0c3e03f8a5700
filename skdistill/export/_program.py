"""The steps of a compiled model, as plain numbers and texts: what every language writes in its own words."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._spelling import Lookup
from ..compiled import Columns, CompiledModel, Computed, ExactColumns, Isotonic
from ..compiled._computed import ComputedColumn
from ..compiled._tree_code import _bounds_for_doubles
from ..exceptions import ExportError

LINKS = ("identity", "exp", "logistic", "binary", "one-vs-rest", "softmax")


@dataclass(frozen=True)
class Column:
    """A column of a raw row: a number, a time in microseconds, or a category with its codes.

    Unless the column holds categories, the dicts are empty.
    """

    name: str
    kind: str
    texts: dict[str, int]
    """The code of each text that matches a category."""
    numbers: dict[float, int]
    """The code of each number that matches a category by its value."""
    by_float: dict[float, int]
    """The code of each float, with what it would match as a text: for languages without Python's spelling."""
    missing: int = -1
    """The code of a missing cell; -1 is also that of an unseen category."""


@dataclass(frozen=True)
class Trees:
    """Trees in preorder: the left child of a split follows it, the right child follows the whole left subtree."""

    column: np.ndarray
    threshold: np.ndarray
    """Cells that are at most this number, once they are rounded to its dtype, go left; for categories, the position in
    ``subsets``."""
    bound: np.ndarray
    """Doubles that make the same comparisons without rounding."""
    missing_left: np.ndarray
    is_category: np.ndarray
    """Whether a split tests a category."""
    n_left: np.ndarray
    tree_splits: np.ndarray
    tree_output: np.ndarray
    value: np.ndarray
    """Leaf values, of shape (n_leaves, width)."""
    stored: np.ndarray
    """Leaf values as the model stores them: those of ``value`` divided by their units."""
    unit: np.ndarray
    """Factor of the stored values of each output."""
    subsets: np.ndarray
    base: np.ndarray


@dataclass(frozen=True)
class Inputs:
    """The inputs of weighted sums: scaled numbers, indicators of missing cells, indicators of categories.

    Input i of the numbers is ``(cell[column[i]] - center[i]) / scale[i]``, clipped to ``low[i]`` and ``high[i]``, and 0
    if the cell is missing. Column ``coded[k]`` has ``n_codes[k]`` categories, and the first one is input ``first[k]``.
    """

    column: np.ndarray
    center: np.ndarray
    scale: np.ndarray
    low: np.ndarray
    high: np.ndarray
    indicators: np.ndarray
    coded: np.ndarray
    n_codes: np.ndarray
    first: np.ndarray
    width: int


@dataclass(frozen=True)
class Layers:
    """Weighted sums of inputs, rectified but for the last layer; ``inputs`` is ``None`` for sums of the cells."""

    inputs: Inputs | None
    pairs: np.ndarray
    """Pairs of inputs whose products are appended to them, of shape (n_pairs, 2)."""
    weights: list[np.ndarray]
    """Of shape (n_outputs, n_inputs) for each layer."""
    biases: list[np.ndarray]


@dataclass(frozen=True)
class Kernels:
    """Weighted sums of RBF kernels at positions, and of the inputs."""

    inputs: Inputs
    positions: np.ndarray
    """Positions times scales, of shape (n_positions, n_inputs)."""
    scales: np.ndarray
    coef: np.ndarray
    """Of shape (n_outputs, n_positions)."""
    linear: np.ndarray
    """Of shape (n_outputs, n_inputs), or (0, 0) without a linear part."""
    base: np.ndarray


Part = Trees | Layers | Kernels


@dataclass(frozen=True)
class Program:
    """A model as steps: cells are encoded, the scores of all parts are added up, and a link gives the outputs.

    Between the first two steps, the columns that the parts read may be computed from the cells.
    """

    columns: list[Column]
    computed: list[ComputedColumn]
    """The columns that the parts read; without any, they read the cells."""
    parts: list[Part]
    n_scores: int
    link: str
    low: float
    high: float
    """Bounds of the outputs; infinite where there is none."""
    order: str | None
    """Order of the outputs of a row: they are sorted last; ``"mean_std"`` replaces deviations below zero by zero."""
    power: float
    isotonic: Isotonic | None
    """Isotonic calibration of the probabilities, after the power."""
    classes: list[Any] | None
    """Labels as Python objects; ``None`` for a regressor."""
    thresholds: tuple[float, ...] | None
    positive: int
    is_single: bool

    @property
    def n_cells(self) -> int:
        """Number of columns that the parts read."""
        return len(self.computed or self.columns)

    @property
    def n_outputs(self) -> int:
        """Number of probabilities or values."""
        return 2 if self.link == "binary" else self.n_scores

    @property
    def needs_exp(self) -> bool:
        """Whether any step is an exponential."""
        return self.link != "identity" or any(isinstance(part, Kernels) for part in self.parts)

    @property
    def is_numeric(self) -> bool:
        """Whether the parts read the cells as they are: there are no categories, and no computed columns."""
        return not self.computed and all(column.kind != "category" for column in self.columns)

    @property
    def unit_of_decision(self) -> list[float]:
        """Thresholds that probabilities are divided by before the largest one is chosen, for three classes or more."""
        return [1.0] * self.n_outputs if self.thresholds is None else list(self.thresholds)

    @property
    def least_of_positive(self) -> float | None:
        """The least probability of the positive one of two classes at which it is chosen; ``None`` without it."""
        if self.thresholds is None or self.n_outputs > 2:
            return None
        return float(self.thresholds[self.positive])


def program_of(model: CompiledModel) -> Program:
    """Return the steps of a compiled model.

    Raises
    ------
    ExportError
        If a scorer has a kind that no writer knows, or a label is no text and no number.
    """
    scorer = model.scorer.scorer if isinstance(model.scorer, Computed) else model.scorer
    parts = _parts_of(scorer.content())
    low, high = model.bounds or (-np.inf, np.inf)
    link, power = model.link, float(model.power)
    if link in ("binary", "softmax") and power != 1:  # the same as powers of probabilities, divided by their sum
        parts, power = _parts_of(scorer.scaled(power).content()), 1.0
    decision = model.decision
    return Program(
        columns=_columns_of(model),
        computed=list(model.scorer.each()) if isinstance(model.scorer, Computed) else [],
        parts=parts,
        n_scores=len(model.scorer.base),
        link=link,
        low=float(low),
        high=float(high),
        order=model.order,
        power=power,
        isotonic=model.isotonic,
        classes=None if model.classes_ is None else [_label(label) for label in model.classes_.tolist()],
        thresholds=None if decision is None else tuple(map(float, decision.thresholds)),
        positive=1 if decision is None else int(decision.positive),
        is_single=model.is_single,
    )


def _label(label: Any) -> Any:
    if type(label) in (bool, int, float, str):
        return label
    raise ExportError(
        f"export: got a class label of type {type(label).__name__}; expected texts, integers, floats or booleans. Fit "
        "on labels of one of these types."
    )


# ---------------------------------------------------------------------- columns


def _columns_of(model: CompiledModel) -> list[Column]:
    n_features = model.n_features_in_
    names = model.feature_names_in_ or [f"x{index}" for index in range(n_features)]
    if model.columns is None:
        return [_plain_column(name, "number") for name in names]
    return [_column_of(name, model.columns, index) for index, name in enumerate(names)]


def _column_of(name: str, columns: Columns, index: int) -> Column:
    known = columns.categories[index]
    if known is None:
        return _plain_column(name, "time" if columns.is_time[index] else "number")
    if isinstance(columns, ExactColumns) and columns.is_exact[index]:
        texts = {text: code for code, text in enumerate(known.tolist())}
        return Column(name, "category", texts, {}, {}, columns.missing_code(index))
    return _category_column(name, known)


def _plain_column(name: str, kind: str) -> Column:
    return Column(name, kind, {}, {}, {})


def _category_column(name: str, known: np.ndarray) -> Column:
    lookup = Lookup(known.tolist())
    texts, numbers = _whole(lookup.texts), _whole(lookup.numbers)
    spelled = {float(text) for text in texts if _spells_a_number(text)}
    found = {number: lookup.code(float(number)) for number in spelled | {float(number) for number in numbers}}
    return Column(name, "category", texts, numbers, _whole({key: code for key, code in found.items() if code == code}))


def _spells_a_number(text: str) -> bool:
    try:
        return float(text) == float(text)
    except ValueError:
        return False


def _whole(codes: dict[Any, float]) -> dict[Any, int]:
    return {key: int(code) for key, code in sorted(codes.items())}


# ---------------------------------------------------------------------- scorers


def _parts_of(content: dict[str, Any]) -> list[Part]:
    """Return the parts of the plain data of a scorer."""
    if content["kind"] == "sum":
        return [part for inner in content["parts"] for part in _parts_of(inner)]
    reader = _READERS.get(content["kind"])
    if reader is None:
        raise ExportError(
            f"export: got a scorer of the kind {content['kind']!r}; expected one of {sorted([*_READERS, 'sum'])}. "
            "Compose the model of the scorers of skdistill.compiled."
        )
    return [reader(content)]


def _trees(forest: dict[str, Any]) -> Trees:
    width = forest["value"].shape[1]
    tree_splits = forest["tree_splits"].astype(np.int64)
    output = np.repeat(forest["tree_output"], tree_splits + 1)[:, None] + np.arange(width)
    column = forest["feature"].astype(np.int64)
    is_category = forest["is_category"][column]
    threshold = forest["threshold"]
    return Trees(
        column=column,
        threshold=threshold,
        bound=np.where(is_category, threshold.astype(np.float64), _bounds_for_doubles(threshold).astype(np.float64)),
        missing_left=forest["missing_left"].astype(bool),
        is_category=is_category,
        n_left=forest["n_left"].astype(np.int64),
        tree_splits=tree_splits,
        tree_output=forest["tree_output"].astype(np.int64),
        value=forest["value"] * forest["unit"][output],
        stored=forest["value"],
        unit=_doubles(forest["unit"]),
        subsets=forest["subsets"].astype(bool),
        base=_doubles(forest["base"]),
    )


def _linear(linear: dict[str, Any]) -> Layers:
    return Layers(None, _NO_PAIRS, [_doubles(linear["value"]).T], [_doubles(linear["base"])])


def _network(network: dict[str, Any]) -> Layers:
    weights = [_doubles(array).T for array in network["weights"]]
    weights[-1] = weights[-1] * network["unit"][:, None]
    biases = [*map(_doubles, network["biases"]), _doubles(network["base"])]
    pairs = _NO_PAIRS if network["pairs"] is None else network["pairs"].astype(np.int64)
    return Layers(_inputs(network["design"]), pairs, weights, biases)


def _kernels(kernel: dict[str, Any]) -> Kernels:
    unit = kernel["unit"][:, None]
    linear = np.zeros((0, 0)) if kernel["linear"] is None else _doubles(kernel["linear"]).T * unit
    scales = _doubles(kernel["scales"])
    return Kernels(
        inputs=_inputs(kernel["design"]),
        positions=_doubles(kernel["positions"]) * scales,
        scales=scales,
        coef=_doubles(kernel["coef"]).T * unit,
        linear=linear,
        base=_doubles(kernel["base"]),
    )


def _inputs(design: dict[str, Any]) -> Inputs:
    n_codes = design["n_codes"].astype(np.int64)
    indicators, coded = np.flatnonzero(design["has_missing"]), np.flatnonzero(n_codes)
    n_before = len(design["numbers"]) + len(indicators)
    return Inputs(
        column=design["numbers"].astype(np.int64),
        center=_doubles(design["center"]),
        scale=_doubles(design["scale"]),
        low=_doubles(design["low"]),
        high=_doubles(design["high"]),
        indicators=indicators,
        coded=coded,
        n_codes=n_codes[coded],
        first=(n_before + np.cumsum(n_codes) - n_codes)[coded],
        width=n_before + int(n_codes.sum()),
    )


def _doubles(array: np.ndarray) -> np.ndarray:
    return np.asarray(array, dtype=np.float64)


_NO_PAIRS = np.zeros((0, 2), dtype=np.int64)
_READERS: dict[str, Callable[[dict[str, Any]], Part]] = {
    "forest": _trees,
    "linear": _linear,
    "network": _network,
    "landmarks": _kernels,
}
