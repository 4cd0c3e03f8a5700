"""The certainty of a student for a row: from its outputs alone, or with a second, smaller model."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ._decision import Decision


def margin(proba: np.ndarray, decision: Decision | None = None) -> np.ndarray:
    """Return how far the label of each row is from another label.

    Parameters
    ----------
    proba : ndarray of shape (n_samples, n_classes)
    decision : Decision or None, default=None
        How the label is chosen; ``None`` is the most probable class.

    Returns
    -------
    margin : ndarray of shape (n_samples,)
        The difference between the two largest probabilities or, with a decision, the distance from its thresholds on
        the same scale.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.compiled import Decision
    >>> from skdistill.compiled._certainty import margin
    >>> proba = np.array([[0.25, 0.75], [0.5, 0.5]])
    >>> margin(proba).tolist(), margin(proba, Decision((0.75, 0.25))).tolist()
    ([0.5, 0.0], [1.0, 0.5])
    """
    if proba.shape[1] == 2:
        return 2 * np.abs(proba[:, 1] - (0.5 if decision is None else decision.thresholds[1]))
    if proba.shape[1] < 2:
        return np.ones(len(proba))
    scores = proba if decision is None else proba / (len(decision.thresholds) * np.array(decision.thresholds))
    top = np.partition(scores, -2, axis=1)[:, -2:]
    return top[:, 1] - top[:, 0]


def margin_of_one(proba: list[float], decision: Decision | None = None) -> float:
    """Return the margin of one row of probabilities, and take the largest of several out of the list."""
    if len(proba) == 2:
        return 2 * abs(proba[1] - (0.5 if decision is None else decision.thresholds[1]))
    if len(proba) < 2:
        return 1.0
    if decision is not None:
        n_classes = len(proba)
        proba = [each / (n_classes * cut) for each, cut in zip(proba, decision.thresholds, strict=True)]
    first = max(proba)
    proba.remove(first)
    return first - max(proba)


KINDS = ("margin", "deviation", "families")


@dataclass(eq=False)
class Certainty:
    """A score of each row that is larger the more certain a student is to answer as its teacher would.

    Parameters
    ----------
    kind : {"margin", "deviation", "families"}
        ``"margin"`` is that of the probabilities. ``"deviation"`` divides it by the expected distance between student
        and teacher, which a second model predicts; for values, it is that distance, negated. ``"families"`` is the
        margin of the mean of the probabilities of the student and of a second one of another family; for values, it is
        the distance of the two, negated.
    classifies : bool
        Whether the outputs are probabilities.
    helper : CompiledModel or None, default=None
        The second model.
    scale : float or ndarray of shape (n_outputs,), default=1.0
        Unit of the distances of values.
    floor : float, default=0.0
        Smallest expected distance that a margin is divided by.
    decision : Decision or None, default=None
        The decision of the student.
    reader : CompiledModel or None, default=None
        Encodes rows as the student does. The second model then reads encoded cells, and behind them the margin of the
        student or its values; otherwise it reads rows as they are.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.compiled._certainty import Certainty
    >>> Certainty("margin", True).of_rows(
    ...     np.array([[0.25, 0.75], [0.5, 0.5]]), None
    ... ).tolist()
    [0.5, 0.0]
    """

    kind: str
    classifies: bool
    helper: Any = None
    scale: Any = 1.0
    floor: float = 0.0
    decision: Decision | None = None
    reader: Any = None

    @property
    def reads_raw_rows(self) -> bool:
        """Whether a second model reads rows as they are."""
        return self.kind != "margin" and self.reader is None

    def of_rows(self, outputs: np.ndarray, X: Any) -> np.ndarray:
        """Return the certainty of rows, from the outputs of the student, of shape (n_samples,)."""
        return self.of_cells(outputs, X if self.reader is None else self.reader.encoded(X))

    def of_cells(self, outputs: np.ndarray, cells: Any) -> np.ndarray:
        """Return the certainty of rows that are already encoded if there is a reader."""
        if self.kind == "margin":
            return margin(outputs, self.decision)
        return self.with_second(outputs, self.helper(cells if self.reads_raw_rows else self.beside(cells, outputs)))

    def beside(self, cells: Any, outputs: np.ndarray) -> Any:
        """Return encoded rows, with what the second model reads of the outputs of the student behind them."""
        read = margin(outputs, self.decision)[:, None] if self.classifies else outputs.reshape(len(outputs), -1)
        if not hasattr(cells, "tocsr"):
            return np.hstack([cells, read])
        from scipy import sparse  # which sparse rows need anyway

        return sparse.hstack([cells, sparse.csr_matrix(read)], format="csr")

    def with_second(self, outputs: np.ndarray, second: np.ndarray) -> np.ndarray:
        """Return the certainty of rows, from the outputs of the student and of the second model."""
        if self.kind == "deviation":
            if not self.classifies:
                return -second
            return margin(outputs, self.decision) / np.maximum(second, self.floor)
        if not self.classifies:
            return -(np.abs(outputs - second) / self.scale).reshape(len(outputs), -1).max(axis=1)
        label = outputs.argmax(axis=1) if self.decision is None else self.decision.positions(outputs)
        others, rows = outputs + second, np.arange(len(outputs))
        of_label = others[rows, label].copy()
        others[rows, label] = -np.inf
        return (of_label - others.max(axis=1)) / 2

    def of_one(self, outputs: Any, row: Any) -> float:
        """Return the certainty of one row, from the output of the student: an array of probabilities, or a value.

        Only for a second model that reads rows as they are; see ``_certainty_code`` for the others.
        """
        second = self.helper.output_of_row(row)
        if self.kind == "deviation":
            if not self.classifies:
                return -second
            return margin_of_one(outputs.tolist(), self.decision) / (second if second > self.floor else self.floor)
        if self.classifies:
            return self._margin_of_mean(outputs, second.tolist())
        if type(outputs) is float:
            return -abs(outputs - second) / self.scale
        return float(self.with_second(outputs[None], second[None])[0])

    def _margin_of_mean(self, outputs: np.ndarray, second: list[float]) -> float:
        both = [own + other for own, other in zip(outputs.tolist(), second, strict=True)]
        label = outputs.argmax() if self.decision is None else self.decision.positions(outputs)
        of_label = both.pop(label)
        return (of_label - max(both)) / 2 if both else 1.0
