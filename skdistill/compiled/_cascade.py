"""The compiled form of a cascade: the student, and whether a row should be answered by the teacher instead."""

from typing import Any

import numpy as np

from ._certainty import Certainty
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
    threshold: float

    def __init__(self, student: CompiledModel, certainty: Certainty, threshold: float) -> None:
        self.__setstate__(student.__getstate__() | {"certainty": certainty, "threshold": threshold})

    def answer(self, X: Any) -> tuple[Any, Any]:
        """Return the outputs of the student, and whether the teacher should be queried instead.

        Parameters
        ----------
        X : table of shape (n_samples, n_features), or one row
            As for a call of the model.

        Returns
        -------
        outputs : ndarray or float
            Probabilities or values: those of :meth:`predict` and ``predict_proba`` where the student answers.
        defers : ndarray of bool, shape (n_samples,), or bool
            Whether the certainty is below the threshold.
        """
        outputs = self(X)
        is_one = type(outputs) is float or outputs.ndim == (1 if not self.is_single else 0)
        if is_one:
            return outputs, not self.certainty.of_one(outputs, X) >= self.threshold
        return outputs, ~(self.certainty.of_rows(outputs, X) >= self.threshold)

    def defers(self, X: Any) -> Any:
        """Return whether the teacher should be queried: for one row, or for each of many.

        Parameters
        ----------
        X : table of shape (n_samples, n_features), or one row

        Returns
        -------
        defers : ndarray of bool, shape (n_samples,), or bool
        """
        return self.answer(X)[1]

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
        return ~defers if isinstance(defers, np.ndarray) else not defers

    def __repr__(self) -> str:
        return f"<CompiledCascade: certainty={self.certainty.kind!r}, threshold={self.threshold:.4g}>"

    def __getstate__(self) -> dict[str, Any]:
        return super().__getstate__() | {"certainty": self.certainty, "threshold": self.threshold}
