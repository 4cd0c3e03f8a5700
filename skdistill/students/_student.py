"""The base of all compact students: they fit raw tables to soft targets and hold one scorer of flat arrays."""

from collections.abc import Callable
from numbers import Integral
from typing import Any, Self

import numpy as np
from sklearn.base import ClassifierMixin, RegressorMixin, clone
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_array, check_consistent_length, column_or_1d

from .._declared_columns import FROM_DTYPE, declared_columns
from .._encoding import TableEncoder, fit_encoder, with_dense_categories
from .._losses import BinaryCrossEntropy, Loss, SoftmaxCrossEntropy, SquaredError
from .._representation import Documented
from .._restoring import all_or_nothing
from .._tables import own_rows, take_rows
from .._threads import count_threads, is_small, one_blas_thread
from .._validation import check_finite, check_fitted, check_number, check_numbers, check_table, check_weights
from ..compiled import Columns, CompiledModel, Design, Forest
from ..compiled._design import dense_chunks
from ..compiled._links import LINKS, inverse_link
from ..exceptions import StudentError, StudentSizeError
from ..targets import TargetLink
from ._constraints import interaction_sets, score_directions
from ._importances import importances_of


class CompactStudent(Documented):
    """A student whose predictions are the scores of one scorer, through a link.

    A family of students derives from it once, and from it both a :class:`CompactClassifier` and a
    :class:`CompactRegressor`. It defines how it is fitted (:meth:`_learn`) and what its size is
    (:meth:`_params_of_size`).
    """

    scorer_: Any
    _loss: Loss
    _encoder: TableEncoder
    _loss_of_many: type[Loss] = SoftmaxCrossEntropy
    """Loss of more than two classes."""
    _has_dense_inputs: bool = False
    """Whether the time of a fit is proportional to the number of categories, most of whose indicators are zero."""
    _contains_rows: bool = False

    def _learn(self, X: Any, targets: np.ndarray, weight: np.ndarray) -> Any:
        """Return a scorer, fitted to targets, and set ``_encoder``.

        Parameters
        ----------
        X : table of shape (n_rows, n_features)
            Checked, with raw cells.
        targets : ndarray of shape (n_rows, n_outputs)
            What ``_loss`` compares the scores with: standardised values, the probabilities of the second of two
            classes, or of all of more classes.
        weight : ndarray of shape (n_rows,)
            All are positive; rows of weight zero have been removed.
        """
        raise NotImplementedError

    def _params_of_size(self, n_parameters: int, n_inputs: int, n_outputs: int) -> dict[str, Any] | None:
        """Return hyperparameters of the largest student within a number of parameters; ``None`` if there is none."""
        raise NotImplementedError

    @property
    def contains_rows_(self) -> bool:
        """Whether the student contains rows of a table as they are, because the user has passed it such rows.

        Only kernel students can contain some: those passed as ``landmarks``.
        """
        check_fitted(self, "scorer_")
        return self._contains_rows

    @property
    def feature_importances_(self) -> np.ndarray:
        """Importance of each column for the scores, of shape ``(n_features_in_,)``, with the sum 1.

        For trees and boosting, it is the decrease of the sum of squares of the leaf values by the splits of the column;
        for linear students, the sum of the absolute coefficients of its standardised inputs. It is read off the model:
        it says what the student uses, not what would be lost without the column. It is zero for all columns if the
        student is a constant.

        Raises
        ------
        AttributeError
            For networks, kernels and hybrids, whose parameters have no such meaning.
        """
        check_fitted(self, "scorer_")
        found = importances_of(self.scorer_, pools_outputs=hasattr(self, "classes_"))
        if found is None:
            raise AttributeError(
                f"{type(self).__name__} has no feature_importances_: the weights of networks and kernels do not say "
                "how much a column counts. Use sklearn.inspection.permutation_importance."
            )
        return found

    def sized(self, n_parameters: int, *, n_inputs: int, n_outputs: int) -> Self:
        """Return an unfitted clone with about ``n_parameters`` parameters, and not more.

        Parameters
        ----------
        n_parameters : int >= 1
            Numbers that are learned: weights, features and thresholds of splits, leaf values.
        n_inputs : int >= 1
            Inputs of a row: one for each number, one for each category of a column.
        n_outputs : int >= 1
            Outputs; one for two classes.

        Returns
        -------
        student : estimator

        Raises
        ------
        StudentSizeError
            If the smallest student has more.
        """
        check_number(self, "n_parameters", n_parameters, kind=Integral, low=1)
        params = self._params_of_size(n_parameters, n_inputs, n_outputs)
        if params is None:
            raise StudentSizeError(
                f"{type(self).__name__}: a size of {n_parameters} parameters is too small for {n_inputs} inputs and "
                f"{n_outputs} outputs; pass a larger one, or another student."
            )
        return clone(self).set_params(**params)

    def _prepare(self, X: Any, targets: np.ndarray, weight: np.ndarray) -> tuple[Any, np.ndarray, np.ndarray, Design]:
        """Set ``_encoder``; return codes, targets, weights and the design.

        The targets of a softmax sum to one exactly.
        """
        encoder = fit_encoder(X, self._declared(X))
        self._encoder = with_dense_categories(encoder) if self._has_dense_inputs else encoder
        cells = self._encode(X)
        if isinstance(self._loss, SoftmaxCrossEntropy):
            targets = targets / targets.sum(axis=1, keepdims=True)
        return cells, targets, weight, Design.of(cells, weight, self._n_codes())

    def _declared(self, X: Any) -> tuple[int, ...]:
        """Return the positions of the columns that are declared as categories."""
        return declared_columns(type(self).__name__, getattr(self, "categorical_features", FROM_DTYPE), X)

    def _encode(self, X: Any) -> Any:
        """Return checked rows as codes."""
        return self._encoder.transform(X)

    def _encode_new(self, X: Any) -> Any:
        """Return unchecked rows as codes."""
        X = check_table(self, X, reset=False)
        encoded = self._encode(X)
        if encoded is not X and type(encoded) is np.ndarray:  # others have been checked
            check_finite(self, encoded)
        return encoded

    def _directions(self, n_scores: int) -> np.ndarray | None:
        """Return the directions of ``monotonic_cst`` for each score and column; ``None`` without a constraint."""
        return score_directions(
            type(self).__name__,
            getattr(self, "monotonic_cst", None),
            names=self._known_names(),
            is_category=self._encoder.is_category_,
            classes=getattr(self, "classes_", None),
            n_scores=n_scores,
        )

    def _interactions(self) -> list[list[int]] | None:
        """Return the sets of columns that may interact; ``None`` if all may."""
        given, n_features = getattr(self, "interaction_cst", None), len(self._encoder.is_category_)
        return interaction_sets(type(self).__name__, given, names=self._known_names(), n_features=n_features)

    def _known_names(self) -> list[str]:
        names = self._names()
        return [] if names is None else list(names)

    def _n_codes(self) -> np.ndarray:
        """Return the number of categories of each column, 0 for numbers."""
        return np.array([0 if known is None else len(known) for known in self._encoder.categories_])

    def _scores(self, X: Any) -> np.ndarray:
        """Return the scores of unchecked rows, shape (n_samples, n_scores)."""
        check_fitted(self, "scorer_")
        X = self._encode_new(X)
        if X.shape[0] == 1:  # what follows is a fifth of its time
            return self.scorer_.scores(X, 1)
        n_jobs = count_threads(getattr(self, "n_jobs", None))
        with one_blas_thread(is_small=is_small(X.shape[0], self.scorer_.n_parameters)):
            return self.scorer_.scores(X, n_jobs)

    def _columns(self) -> Columns | None:
        encoder = self._encoder
        return None if encoder.is_plain_ else Columns(encoder.categories_, encoder.is_time_)

    def _names(self) -> Any:
        return getattr(self, "feature_names_in_", None)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = tags.input_tags.string = tags.input_tags.sparse = True
        return tags


class CompactClassifier(ClassifierMixin, CompactStudent):
    """Soft targets in, probabilities out."""

    @all_or_nothing
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit to true labels, which are soft targets of probability one.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)
            An array, a sparse matrix, or a frame with numbers, strings, categories, booleans, dates, missing cells.
        y : array-like of shape (n_samples,)
            Labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row.

        Returns
        -------
        self : estimator
        """
        if y is None:
            raise ValueError(f"{type(self).__name__} requires y to be passed, but the target y is None.")
        X = check_table(self, X, reset=True)
        y = column_or_1d(y, warn=True)
        check_consistent_length(X, y)
        check_classification_targets(y)
        classes, codes = np.unique(y, return_inverse=True)
        return self._fit_checked(X, np.eye(len(classes))[codes], classes, sample_weight)

    @all_or_nothing
    def fit_soft(self, X: Any, targets: Any, *, classes: Any = None, sample_weight: Any = None) -> Self:
        """Fit to soft targets.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)
            As for :meth:`fit`.
        targets : array-like of shape (n_samples, n_classes)
            Probabilities; each row sums to one.
        classes : array-like of shape (n_classes,), default=None
            Labels of the columns, sorted. ``None`` numbers them from 0.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row.

        Returns
        -------
        self : estimator

        Raises
        ------
        StudentError
            If ``targets`` are no probabilities of ``classes``.
        """
        X = check_table(self, X, reset=True)
        targets = check_array(targets, dtype=np.float64, input_name="targets")
        check_consistent_length(X, targets)
        classes = np.arange(targets.shape[1]) if classes is None else np.asarray(classes)
        if targets.shape[1] != len(classes):
            raise StudentError(
                f"{type(self).__name__}: targets have {targets.shape[1]} columns; expected {len(classes)}, one for "
                f"each of the classes {classes}."
            )
        if len(np.unique(classes)) < len(classes) or np.any(classes[1:] < classes[:-1]):
            raise StudentError(f"{type(self).__name__}: classes={classes.tolist()}; expected each once, sorted.")
        if np.any(targets < 0) or not np.allclose(targets.sum(axis=1), 1, atol=1e-3):
            raise StudentError(
                f"{type(self).__name__}: targets are no probabilities; expected rows without a negative number that "
                "sum to one."
            )
        return self._fit_checked(X, targets, classes, sample_weight)

    @one_blas_thread()  # sums of several threads differ in their last digits
    def _fit_checked(self, X: Any, targets: np.ndarray, classes: np.ndarray, sample_weight: Any) -> Self:
        if len(classes) < 2:
            raise ValueError(f"{type(self).__name__} needs at least 2 classes; got 1 class: {classes.tolist()}.")
        self._loss = BinaryCrossEntropy() if len(classes) == 2 else self._loss_of_many()
        X, targets, weight = rows_with_weight(X, targets, check_weights(sample_weight, X.shape[0], type(self).__name__))
        weight = weight / weight.max()
        targets = targets[:, 1:] if len(classes) == 2 else targets
        self.classes_ = classes  # constraints name them
        self.scorer_ = with_exact_constants(self._learn(X, targets, weight), targets, self._loss)
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the class probabilities of ``X``, of shape (n_samples, n_classes)."""
        return self._probabilities(self._scores(X))

    def predict(self, X: Any) -> np.ndarray:
        """Return the most probable label of each row, of shape (n_samples,)."""
        winner = self.predict_proba(X).argmax(axis=1)
        return self.classes_[winner]

    def _probabilities(self, scores: np.ndarray) -> np.ndarray:
        """Return the probabilities of all classes, as compiled models do."""
        return LINKS[self._loss.link].of_rows(scores)

    def __skdistill_compile__(self) -> CompiledModel:
        return CompiledModel(
            self.scorer_, self._loss.link, classes=self.classes_, columns=self._columns(), names=self._names()
        )


class CompactRegressor(RegressorMixin, CompactStudent):
    """Values in, values out; they may be fitted on the scale of a link."""

    _loss: Loss = SquaredError()
    _link: TargetLink = TargetLink()

    @all_or_nothing
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit to values, true or a teacher's.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)
            An array, a sparse matrix, or a frame with numbers, strings, categories, booleans, dates, missing cells.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Values.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row.

        Returns
        -------
        self : estimator
        """
        if y is None:
            raise ValueError(f"{type(self).__name__} requires y to be passed, but the target y is None.")
        return self._fit_linked(X, y, TargetLink(), sample_weight, "y")

    @all_or_nothing
    def fit_soft(
        self,
        X: Any,
        targets: Any,
        *,
        link: str = "identity",
        bounds: Any = None,
        order: str | None = None,
        sample_weight: Any = None,
    ) -> Self:
        r"""Fit to the values of a teacher, on the scale of a link; predictions then stay within the bounds of the link.

        The student minimises the squared error of the scores :math:`s` of the values, and a row counts in proportion to
        the square root of the derivative of the inverse link, which serves the errors on both scales:

        ============  ======================================  ======================================================
        link          score                                   weight
        ============  ======================================  ======================================================
        ``identity``  :math:`t`                               1
        ``log``       :math:`\log(t - low)`                   :math:`\sqrt{t - low}`
        ``logit``     :math:`\log((t - low) / (high - t))`    :math:`\sqrt{(t - low) (high - t)} / (high - low)`
        ============  ======================================  ======================================================

        Parameters
        ----------
        X : table of shape (n_samples, n_features)
            As for :meth:`fit`.
        targets : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Values within the bounds. For the log, values at the lower bound are replaced by the smallest value above
            it (distances below 0.000001 of the mean distance by that); for the logit, values within 0.1 % of the range
            of a bound are moved to that distance.
        link : {"identity", "log", "logit"}, default="identity"
            The link of all outputs. ``"log"`` suits positive values that differ by factors, ``"logit"`` shares.
        bounds : (low, high) or None, default=None
            Bounds of the values; one of them may be ``None``. The usual ones are none for ``"identity"``, (0, inf) for
            ``"log"`` and (0, 1) for ``"logit"``. With ``"identity"``, predictions are clipped to them.
        order : {"increasing", "decreasing", "mean_std"} or None, default=None
            Order of the outputs of a row, which predictions always have: quantiles increase, survival probabilities
            decrease, and ``"mean_std"`` stands for means followed by as many standard deviations, which are not
            negative. Targets are put in order, too.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row.

        Returns
        -------
        self : estimator

        Raises
        ------
        ValueError
            If ``link``, ``bounds`` or ``order`` are invalid, or a target is outside the bounds.
        """
        checked = TargetLink.of(link, bounds, order, who=type(self).__name__)
        return self._fit_linked(X, targets, checked, sample_weight, "targets")

    @one_blas_thread()  # sums of several threads differ in their last digits
    def _fit_linked(self, X: Any, y: Any, link: TargetLink, sample_weight: Any, name: str) -> Self:
        X = check_table(self, X, reset=True)
        y = check_numbers(self, name, y)
        if y.ndim > 2 or y.size == 0:
            raise ValueError(
                f"{type(self).__name__}: {name} has shape {y.shape}; expected (n_samples,) or (n_samples, n_outputs)."
            )
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        check_consistent_length(X, y)
        link.check(y, type(self).__name__, name)
        link.check_count(1 if y.ndim == 1 else y.shape[1], type(self).__name__, name)
        self._is_single = y.ndim == 1
        X, values, weight = rows_with_weight(
            X, link.in_order(y.reshape(len(y), -1)), check_weights(sample_weight, X.shape[0], type(self).__name__)
        )
        if link.name != "identity":
            values, weight = link.scores(values), weight * link.weights(values)
        self.scorer_ = self._learn_values(X, values, weight)
        self._link = TargetLink(order=link.order) if _is_tree_within(self.scorer_, link) else link
        return self

    def _learn_values(self, X: Any, values: np.ndarray, weight: np.ndarray) -> Any:
        """Return a scorer of the values, which are standardised for the fit."""
        weight = weight / weight.max()  # sums of huge weights, and squares of huge values, stay within floats
        size = np.maximum(np.abs(values).max(axis=0), np.finfo(np.float64).tiny)
        mean = np.average(values / size, axis=0, weights=weight)
        deviation = np.sqrt(np.average((values / size - mean) ** 2, axis=0, weights=weight))
        scale = np.where(deviation > 0, deviation, 1.0)
        targets = (values / size - mean) / scale
        scorer = with_exact_constants(self._learn(X, targets, weight), targets, self._loss)
        return scorer.scaled(size * scale, size * mean)

    def predict(self, X: Any) -> np.ndarray:
        """Return the values of ``X``, of shape (n_samples,) or (n_samples, n_outputs)."""
        values = self._values(self._scores(X))
        return values[:, 0] if self._is_single else values

    def _values(self, scores: np.ndarray) -> np.ndarray:
        """Return the values of scores, as compiled models do."""
        return inverse_link(self._link.inverse, self._link.bounds, self._link.order).of_rows(scores)

    def __skdistill_compile__(self) -> CompiledModel:
        return CompiledModel(
            self.scorer_,
            self._link.inverse,
            columns=self._columns(),
            is_single=self._is_single,
            names=self._names(),
            bounds=self._link.bounds,
            order=self._link.order,
        )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags


def _is_tree_within(scorer: Any, link: TargetLink) -> bool:
    """Whether a scorer is a single tree whose values are all within the bounds, so that clipping is not needed."""
    if link.name != "identity" or not isinstance(scorer, Forest) or scorer.n_trees != 1:
        return False
    return bool(link.is_inside(scorer.base + scorer.unit * scorer.value.astype(np.float64)).all())


def rows_with_weight(X: Any, targets: np.ndarray, weight: np.ndarray) -> tuple[Any, np.ndarray, np.ndarray]:
    """Return the rows of positive weight; the fit is then as if the others were not there."""
    if weight.all():
        return X, targets, weight
    rows = np.flatnonzero(weight)
    return take_rows(X, rows), targets[rows], weight[rows]


def with_exact_constants(scorer: Any, targets: np.ndarray, loss: Loss) -> Any:
    """Return a scorer whose scores are exact where all targets of an output are equal; training ends near them.

    The scores of a softmax depend on each other and are replaced only if all targets are constant.
    """
    is_constant = targets.max(axis=0) == targets.min(axis=0)
    if not is_constant.any() or (isinstance(loss, SoftmaxCrossEntropy) and not is_constant.all()):
        return scorer
    constant = loss.best_constant(targets[0])
    return scorer.scaled(np.where(is_constant, 0.0, 1.0), np.where(is_constant, constant, 0.0))


def rows_for(student: Any, X: Any) -> Any:
    """Return rows for a student: students of others get a copy, since a step may write into its rows."""
    return X if isinstance(getattr(student, "estimator", student), CompactStudent) else own_rows(X)


def count_inputs(X: Any, declared: tuple[int, ...] | None = None) -> int:
    """Return the number of inputs of a table: one for each number, column with missing cells, and category.

    ``declared`` is that of :func:`~skdistill._encoding.fit_encoder`.
    """
    encoder = fit_encoder(X, declared)
    n_inputs = sum(1 if known is None else len(known) for known in encoder.categories_)
    missing = [np.isnan(cells).any(axis=0) for _, cells in dense_chunks(encoder.transform(X))]
    return n_inputs + int(np.count_nonzero(np.any(missing, axis=0) & ~encoder.is_category_))


def largest_below(cost: Callable[[int], float], most: float, low: int, high: int) -> int | None:
    """Return the largest integer in [low, high] whose cost, a non-decreasing function, is at most ``most``."""
    sizes = np.arange(low, high + 1)
    fits = np.flatnonzero(np.array([cost(int(size)) for size in sizes]) <= most)
    return int(sizes[fits[-1]]) if len(fits) else None
