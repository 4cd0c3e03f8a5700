"""The compiled form of a cascade: the student, and whether a row should be answered by the teacher instead."""

from collections.abc import Callable
from types import GeneratorType
from typing import Any

import numpy as np

from ._certainty import Certainty
from ._certainty_code import code_of_both
from ._code import Code, float_literal, row_source
from ._model import CompiledModel


class CompiledCascade(CompiledModel):
    """A compiled student that says for which rows the teacher should be queried.

    ``compiled(X)`` returns the outputs of the student, as for any compiled model. ``defers(X)`` says which rows the
    student should not answer, and ``answer(X)`` returns both at once. The teacher is not inside. Compiled cascades are
    created by :func:`skdistill.compile`.

    Parameters
    ----------
    student : CompiledModel
    certainty : Certainty
        Score of rows.
    threshold : float
        Rows with a smaller certainty are left to the teacher.

    Attributes
    ----------
    certainty : Certainty
    threshold : float

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> import skdistill
    >>> X, y = load_digits(n_class=5, return_X_y=True)
    >>> forest = RandomForestClassifier(50, random_state=0).fit(X[:300], y[:300])
    >>> model = skdistill.DistilledClassifier(
    ...     forest, "boosting", sampler=None, random_state=0
    ... ).fit(X[:300])
    >>> cascade = skdistill.CascadeClassifier(
    ...     forest, model, certainty="margin", random_state=0
    ... ).fit(X[300:800])
    >>> compiled = skdistill.compile(cascade)
    >>> outputs, defers = compiled.answer(X[300])
    >>> outputs.shape, defers
    ((5,), False)
    """

    certainty: Certainty
    _both: Callable[[Any], tuple[Any, Any]] | None = None
    _both_of_one: Callable[[Any], tuple[Any, Any]] | None = None

    _added = frozenset({"certainty", "threshold"})

    def __init__(self, student: CompiledModel, certainty: Certainty, threshold: float) -> None:
        self.__setstate__(student.__getstate__() | {"certainty": certainty, "threshold": threshold})

    @property
    def threshold(self) -> float:
        """Rows with a smaller certainty are left to the teacher."""
        return float(self.__dict__["threshold"])

    @threshold.setter
    def threshold(self, threshold: float) -> None:
        self.__dict__["threshold"] = threshold
        self._reset_code()  # it is part of the generated code

    def answer(self, X: Any) -> tuple[Any, Any]:
        """Return the outputs of the student, and whether the teacher should be queried instead.

        Parameters
        ----------
        X : table of shape (n_samples, n_features), one row, or dataset
            As for a call of the model. Of a dataset, an iterator over the answers for its chunks is returned.

        Returns
        -------
        outputs : ndarray or float
            Probabilities or values: those of :meth:`predict` and ``predict_proba`` where the student answers.
        defers : ndarray of bool, shape (n_samples,), or bool
            Whether the certainty is below the threshold.
        """
        of_one = self._both_of_one or self._make_both()
        if type(X) is np.ndarray and X.ndim == 1:  # a call would take longer to find out
            return of_one(X)
        return self._both(X)  # type: ignore[misc]

    def defers(self, X: Any) -> Any:
        """Return whether the teacher should be queried: for one row, or for each of many.

        Parameters
        ----------
        X : table of shape (n_samples, n_features), or one row

        Returns
        -------
        defers : ndarray of bool, shape (n_samples,), or bool
        """
        answers = self.answer(X)
        return answers[1] if type(answers) is tuple else (defers for _, defers in answers)

    def certain(self, X: Any) -> Any:
        """Return whether the student should answer: for one row, or for each of many; the opposite of :meth:`defers`.

        Parameters
        ----------
        X : table of shape (n_samples, n_features), or one row

        Returns
        -------
        certain : ndarray of bool, shape (n_samples,), or bool
        """
        defers = self.defers(X)
        if type(defers) is GeneratorType:  # of a dataset
            return (~each for each in defers)
        return ~defers if isinstance(defers, np.ndarray) else not defers

    def _make_both(self) -> Callable[[Any], tuple[Any, Any]]:
        """Build the functions that return both answers; return that of an array of one row."""
        both = _separately(self) if self.certainty.reads_raw_rows else _StudentAndDeferral(self)
        of_one = both._one if isinstance(both, CompiledModel) else both
        self._both, self._both_of_one = both, of_one
        return of_one

    def _reset_code(self) -> None:
        super()._reset_code()
        self._both = self._both_of_one = None

    def __repr__(self) -> str:
        return f"<CompiledCascade: certainty={self.certainty.kind!r}, threshold={self.threshold:.4g}>"

    def __getstate__(self) -> dict[str, Any]:
        return super().__getstate__() | {"certainty": self.certainty, "threshold": self.threshold}


class _StudentAndDeferral(CompiledModel):
    """Returns the outputs of a student and whether to defer, for one row or many, from cells that are read once."""

    def __init__(self, cascade: CompiledCascade) -> None:
        self.certainty, self.threshold = cascade.certainty, cascade.threshold
        self.__setstate__(CompiledModel.__getstate__(cascade))

    def _many(self, X: Any) -> Any:
        cells = self._cells(X)
        outputs = self.outputs_of(cells)
        return outputs, _deferred(self.certainty.of_cells(outputs, cells), self.threshold)

    def _code(self) -> Code | None:
        code, link = super()._code(), self._inverse_link()
        ending = (link.single_ending if self.is_single else link.ending).format(scores=self._scores_as_tuple())
        n_outputs = 0 if self.is_single else len(self.scorer.base if self.classes_ is None else self.classes_)
        return None if code is None else code_of_both(code, ending, self.certainty, n_outputs)

    def _source_of(self, code: Code) -> str:
        outputs, threshold = "value" if self.is_single else "array(proba)", float_literal(self.threshold)
        return row_source(code.lines, f"    return {outputs}, not certainty >= {threshold}")

    def _first(self, outputs: Any) -> Any:
        of_row, defers = outputs
        return of_row[0], bool(defers[0])

    def _as_table(self, outputs: Any) -> Any:
        of_row, defers = outputs
        return super()._as_table(of_row), np.array([defers])


def _separately(cascade: CompiledCascade) -> Callable[[Any], tuple[Any, Any]]:
    """Return a function of rows whose second model reads them again, as they are."""

    def both(X: Any) -> Any:
        outputs = cascade(X)
        if type(outputs) is GeneratorType:
            from ..datasets._for_models import answers_by_chunk

            return answers_by_chunk(X, cascade, "answer")
        is_one = type(outputs) is float or outputs.ndim == (1 if not cascade.is_single else 0)
        certainty = (cascade.certainty.of_one if is_one else cascade.certainty.of_rows)(outputs, X)
        return outputs, _deferred(certainty, cascade.threshold)

    return both


def _deferred(certainty: Any, threshold: float) -> Any:
    """Return whether the certainty of one row or of many is below the threshold, or NaN."""
    return not certainty >= threshold if type(certainty) is float else ~(certainty >= threshold)
