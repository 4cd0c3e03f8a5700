"""What a fitted distilled estimator answers: predictions of its student, and how closely it follows the teacher."""

from collections.abc import Iterator
from typing import Any, ClassVar, overload

import numpy as np

from .._tables import is_frame
from .._threads import context_of_threads
from .._validation import check_fitted, check_table, checked_once
from ..datasets import DatasetLike, is_dataset
from ..datasets._for_models import answers_by_chunk
from ..metrics import fidelity
from ..teachers import query_teacher
from ._datasets import fidelity_to_dataset
from ._importances import importances_of_student
from ._student_view import columns_by_name, lacks_names
from ._tasks import FitTask


class PredictionMixin:
    """Mixin of the distilled estimators with what they answer after ``fit``."""

    _task: ClassVar[FitTask]
    _targets: Any
    student_: Any
    student_columns_: Any
    chunk_size: int
    n_jobs: int | None
    verbose: int

    @property
    def feature_importances_(self) -> np.ndarray:
        """Importances of the columns for the student, ``(n_features_in_,)``; 0 for columns that it does not see.

        Raises
        ------
        AttributeError
            If the student has no ``feature_importances_``, as networks, kernels and hybrids.
        """
        check_fitted(self, "student_")
        return importances_of_student(self)

    @overload
    def predict(self, X: DatasetLike) -> Iterator[np.ndarray]: ...
    @overload
    def predict(self, X: Any) -> np.ndarray: ...
    def predict(self, X: Any) -> Any:
        """Predict with the student.

        Parameters
        ----------
        X : table of shape (n_samples, n_features), or dataset
            With the columns seen in ``fit``, or a data frame with those of ``student_columns_``. Of a dataset that is
            read in chunks (:func:`~skdistill.datasets.as_dataset`), other columns are not read.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs), or iterator over them
            Labels or values; of a dataset, those of each chunk.

        Notes
        -----
        Tables of at least 10,000 rows are predicted by ``n_jobs`` threads; ``student_`` alone does so within a context
        of joblib: ``with joblib.parallel_config(n_jobs=2)``.
        """
        check_fitted(self, "student_")
        if is_dataset(X):
            return answers_by_chunk(X, self, "predict")
        if self.n_jobs is None:  # nothing is lent, which saves time for single rows
            return self.student_.predict(self._student_rows(X))
        with checked_once():
            rows = self._student_rows(X)
            with context_of_threads(self.n_jobs, rows.shape[0]):
                return self.student_.predict(rows)

    def _student_rows(self, X: Any) -> Any:
        """Return checked rows with the columns that the student sees."""
        view = self._targets.view
        if view.columns is None:
            return check_table(self, X, reset=False)
        names = getattr(self, "feature_names_in_", None)
        if names is not None and is_frame(X) and lacks_names(X, names):
            return columns_by_name(type(self).__name__, X, [str(name) for name in self.student_columns_])
        return view.rows(check_table(self, X, reset=False))

    def fidelity(self, X: Any, *, sample_weight: Any = None) -> float:
        """R² of the student's outputs with respect to the teacher's: 1 is a perfect copy.

        This queries the teacher, which may be slow. Evaluate on rows that neither the teacher nor the student was
        fitted on.

        Parameters
        ----------
        X : table of shape (n_samples, n_features), or dataset
            With the columns seen in ``fit``. No labels are needed. All rows of a dataset that is read in chunks
            (:func:`~skdistill.datasets.as_dataset`) are labelled.
        sample_weight : array-like of shape (n_samples,), str or None, default=None
            Weight of each row; of a dataset, the name of a column.

        Returns
        -------
        score : float
            See :func:`skdistill.metrics.fidelity`.
        """
        check_fitted(self, "student_")
        if is_dataset(X):
            return fidelity_to_dataset(self, X, sample_weight)
        soft_targets = self.soft_targets(X)
        outputs = self._targets.predict_seen(self.student_, self._student_rows(X))
        return fidelity(soft_targets, outputs, sample_weight=sample_weight, multioutput=self._task.multioutput)

    def soft_targets(self, X: Any) -> np.ndarray:
        """Return the teacher's outputs for ``X`` as soft targets at temperature 1.

        This queries the teacher, which may be slow. Compare the soft targets with ``predict_proba`` of a classifier and
        with ``predict`` of a regressor, for example with the functions of :mod:`skdistill.metrics`.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)
            With the columns seen in ``fit``.

        Returns
        -------
        soft_targets : ndarray of shape (n_samples, n_classes), (n_samples,) or (n_samples, n_outputs)
            Class probabilities in the order of ``classes_``, or values.
        """
        check_fitted(self, "student_")
        X = check_table(self, X, reset=False)
        outputs = query_teacher(self._targets.teacher, X, chunk_size=self.chunk_size, verbose=self.verbose)
        return self._targets.of(outputs)
