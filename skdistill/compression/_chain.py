"""A chain of compressions: steps in the order that is smallest at the end, as long as fidelity stays within bounds."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from html import escape
from itertools import permutations, product
from textwrap import fill
from typing import Any

from .._tabulate import as_html, as_text
from ..compiled import CompiledModel, Computed, Sum
from ._judging import CONFIDENCE, Judge, Measured
from ._lossless import without_redundancy
from ._rows import Rows
from ._steps import Step

SHARES = (1, 2)
"""Shares of the tolerance of a step relative to others: all combinations are tried for the best order."""

TEXT_WIDTH = 88
"""Maximum width of the sentence above the table as text."""

Path = tuple[tuple[int, float], ...]
"""Positions of steps in the order in which they are applied, with the share of the remaining tolerance of each."""

MAX_SEARCHED = 4
"""Maximum number of steps for which all orders are tried."""


@dataclass(frozen=True)
class StepRecord:
    """One line of the table of a chain.

    Parameters
    ----------
    step : str
        The step; ``"as compiled"`` and ``"lossless"`` for the first two lines.
    n_bytes, n_ops, n_parameters : int
        Size, operations per row and parameters of the model after the step; of what it would have been if the step was
        not kept.
    fidelity : float
        Fidelity on the rows that the steps are judged on.
    is_kept : bool
        Whether the step is part of the result.
    reason : str
        What the step did, or why it was not kept.
    """

    step: str
    n_bytes: int
    n_ops: int
    n_parameters: int
    fidelity: float
    is_kept: bool
    reason: str


@dataclass(frozen=True)
class Compression:
    """A compressed model, and the table of the steps that made it.

    Made by :func:`skdistill.compress`. In notebooks, and as text, it is a sentence and the table;
    ``pandas.DataFrame(found.table())`` is the table as a frame.

    Parameters
    ----------
    model : CompiledModel
        The compressed model.
    records : list of StepRecord
        One line for the model as it was, one for the parts that could be left out without loss, and one for each step,
        in the order in which they were applied.
    tolerance : float
        Maximum loss of fidelity on unseen rows.
    n_fitted, n_judged : int
        Number of rows on which values were solved for, and of other rows on which fidelity was measured.
    loss_bound : float
        Upper end of a one-sided interval of the loss on unseen rows, at a confidence of 95 %; at most the tolerance.

    Examples
    --------
    >>> import skdistill
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.ensemble import RandomForestRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> forest = RandomForestRegressor(10, max_leaf_nodes=8, random_state=0).fit(X, y)
    >>> found = skdistill.compress(forest, X=X, tolerance=0.01)
    >>> found.ratio > 1.5, found.loss <= 0.01
    (True, True)
    """

    model: CompiledModel
    records: list[StepRecord]
    tolerance: float
    n_fitted: int
    n_judged: int
    loss_bound: float

    @property
    def loss(self) -> float:
        """Fidelity of the model as it was, minus that of the compressed model."""
        return self.records[0].fidelity - [record for record in self.records if record.is_kept][-1].fidelity

    @property
    def ratio(self) -> float:
        """Size of the model as it was, divided by that of the compressed model."""
        return self.records[0].n_bytes / self.model.n_bytes

    def table(self) -> dict[str, list[Any]]:
        """Return the columns of the table by name."""
        columns = {name: [getattr(record, name) for record in self.records] for name in COLUMNS}
        return columns | {"is_kept": ["yes" if kept else "no" for kept in columns["is_kept"]]}

    def explain(self) -> str:
        """Return the result in a sentence."""
        first = self.records[0]
        change = f"{-self.loss:+.5f} on {self.n_judged:,} rows that nothing was fitted to"
        bound = f"at most {max(self.loss_bound, 0):.5f} with a confidence of {CONFIDENCE:.0%}"
        return (
            f"{first.n_bytes:,} bytes became {self.model.n_bytes:,}, a factor of {self.ratio:.2f}; fidelity changed by "
            f"{change}. On unseen rows, it is lower by {bound} (tolerance {self.tolerance:g})."
        )

    def __str__(self) -> str:
        return f"{fill(self.explain(), TEXT_WIDTH)}\n\n{as_text(self.table())}"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return f"<p>{escape(self.explain())}</p>{as_html(self.table())}"


COLUMNS = tuple(StepRecord.__dataclass_fields__)


@dataclass(frozen=True)
class State:
    """A scorer in the middle of a chain, and how it was made."""

    scorer: Any
    n_bytes: int
    measured: Measured
    records: tuple[StepRecord, ...] = field(default=())


class Chain:
    """Applies steps in several orders to a model.

    Parameters
    ----------
    model : CompiledModel
        If it computes columns, the scorer of these columns is compressed.
    steps : sequence of Step
    rows : Rows
        Rows to solve for values on, with the columns of this scorer.
    judge : Judge
    tolerance : float
    """

    def __init__(self, model: CompiledModel, steps: Sequence[Step], rows: Rows, judge: Judge, tolerance: float) -> None:
        self.compiled, self.steps, self.rows, self.judge, self.tolerance = model, steps, rows, judge, tolerance
        self.original = model.scorer.scorer if isinstance(model.scorer, Computed) else model.scorer
        self.parts = [rows.following(part) for part in _parts_of(without_redundancy(self.original))]
        self.known: dict[Path, State] = {(): self._start()}

    def run(self, *, is_order_given: bool, scout: "Chain | None" = None) -> list[StepRecord]:
        """Apply the steps in the given or in the best order; return the records, and set ``model`` to the result.

        Parameters
        ----------
        is_order_given : bool
        scout : Chain, default=None
            A chain with other rows, which finds the order and the shares. ``None`` means this one.
        """
        is_given = is_order_given or len(self.steps) > MAX_SEARCHED
        path = _path(tuple(range(len(self.steps)))) if is_given else (scout or self).smallest()
        best = self._after(path)
        self.model = self._with_scorer(best.scorer, best.measured)
        self.loss_bound = self.before.fidelity - best.measured.lower
        return list(best.records)

    def smallest(self) -> Path:
        """Return the order, and then the shares of the tolerance, with the smallest result."""
        places = range(len(self.steps))
        order = min(permutations(places), key=lambda order: self._after(_path(order)).n_bytes)
        paths = [_path(order, weights) for weights in product(SHARES, repeat=len(order))]
        return min(paths, key=lambda path: self._after(path).n_bytes)

    def _start(self) -> State:
        self.before = before = self.judge.measure(self.original)
        first = self._record("as compiled", self.original, before, reason="")
        scorer = without_redundancy(self.original)
        removed = self.original.n_parameters - scorer.n_parameters
        reason = f"{removed:,} parameters without any effect were left out" if removed else "nothing to leave out"
        measured = self.judge.measure(scorer)
        second = self._record("lossless", scorer, measured, reason=reason)
        return State(scorer, second.n_bytes, measured, (first, second))

    def _after(self, path: Path) -> State:
        """Return the state after steps; paths that begin alike are computed once."""
        if path not in self.known:
            state, (place, share) = self._after(path[:-1]), path[-1]
            reached = state.measured.lower
            allowed = reached - max(reached - (self.before.fidelity - self.tolerance), 0) * share
            self.known[path] = self._applied(self.steps[place], state, allowed)
        return self.known[path]

    def _applied(self, step: Step, state: State, lowest: float) -> State:
        """Apply a step as strongly as the bound of the fidelity stays above ``lowest``, if it makes the model smaller.

        A step that is not kept is shown at the weakest strength that loses too much.
        """
        strengths = step.strengths()
        found, low, high = None, -1, len(strengths)
        refused = state.scorer, state.measured
        while high - low > 1:
            middle = (low + high) // 2
            scorer = self._changed(step, state.scorer, strengths[middle])
            if scorer is state.scorer:
                return self._not_kept(state, repr(step), state.scorer, state.measured, "not for this kind of model")
            measured = self.judge.measure(scorer)
            if measured.lower >= lowest:
                found, low = (scorer, measured, strengths[middle]), middle
            else:
                high = middle
                refused = scorer, measured
        if found is None:
            loss = (
                f"fidelity would be {refused[1].lower:.5f} or more, below {lowest:.5f}, all that is left for this step"
            )
            return self._not_kept(state, repr(step), *refused, loss)
        scorer, measured, strength = found
        record = self._record(repr(step), scorer, measured, reason=_said(step, strength))
        if record.n_bytes >= state.n_bytes:
            return replace(state, records=(*state.records, replace(record, is_kept=False, reason="not smaller")))
        return State(scorer, record.n_bytes, measured, (*state.records, record))

    def _changed(self, step: Step, scorer: Any, strength: Any) -> Any:
        parts = _parts_of(scorer)
        changed = [step.apply(part, rows, strength) for part, rows in zip(parts, self.parts, strict=True)]
        if all(new is old for new, old in zip(changed, parts, strict=True)):
            return scorer
        return without_redundancy(replace(scorer, parts=changed) if isinstance(scorer, Sum) else changed[0])

    def _not_kept(self, state: State, name: str, scorer: Any, measured: Measured, reason: str) -> State:
        record = replace(self._record(name, scorer, measured, reason=reason), is_kept=False)
        return replace(state, records=(*state.records, record))

    def _record(self, name: str, scorer: Any, measured: Measured, reason: str) -> StepRecord:
        model, reached = self._with_scorer(scorer, measured), measured.fidelity
        return StepRecord(name, model.n_bytes, model.scorer.n_ops, model.scorer.n_parameters, reached, True, reason)

    def _with_scorer(self, scorer: Any, measured: Measured) -> CompiledModel:
        """Return the model with another scorer, and the loss of fidelity it has measured."""
        whole = self.compiled.scorer
        whole = replace(whole, scorer=scorer) if isinstance(whole, Computed) else scorer
        model = self.compiled.scored_by(whole)
        model.quantization_loss_ = self.compiled.quantization_loss_ + max(self.before.fidelity - measured.fidelity, 0.0)
        return model


def _path(order: Sequence[int], weights: Sequence[int] | None = None) -> Path:
    """Return steps with their shares of the tolerance that is left, so that they share all of it by their weights."""
    weights = [1] * len(order) if weights is None else weights
    left = [sum(weights[place:]) for place in range(len(weights))]
    return tuple((step, weight / total) for step, weight, total in zip(order, weights, left, strict=True))


def _parts_of(scorer: Any) -> list[Any]:
    return scorer.parts if isinstance(scorer, Sum) else [scorer]


def _said(step: Step, strength: Any) -> str:
    """Return what was chosen, as text."""
    return f"{step.strength_name}={strength}" if strength else "applied"
