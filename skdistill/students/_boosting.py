"""Compact boosting: few small trees that LightGBM grows on soft targets."""

from numbers import Integral
from typing import Any, Literal, Self

import lightgbm
import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_array, check_consistent_length, check_is_fitted, column_or_1d

from .._encoding import TableEncoder
from .._validation import check_number, check_random_state, check_table, check_weights, draw_seed
from ..exceptions import StudentError


class _CompactBoosting(BaseEstimator):
    """Tables in, one LightGBM booster for each output: what classifier and regressor share."""

    def __init__(
        self,
        n_trees: int = 60,
        max_leaf_nodes: int = 24,
        *,
        learning_rate: float | Literal["auto"] = "auto",
        min_samples_leaf: int = 5,
        l2_regularization: float = 1.0,
        max_bins: int = 255,
        n_jobs: int | None = None,
        random_state: Any = None,
    ) -> None:
        self.n_trees = n_trees
        self.max_leaf_nodes = max_leaf_nodes
        self.learning_rate = learning_rate
        self.min_samples_leaf = min_samples_leaf
        self.l2_regularization = l2_regularization
        self.max_bins = max_bins
        self.n_jobs = n_jobs
        self.random_state = random_state

    def _grow(self, X: Any, targets: np.ndarray, weight: np.ndarray, objective: str) -> None:
        """Grow one booster for each column of ``targets``, all on one binned copy of ``X``."""
        self._check_parameters()
        self._encoder = TableEncoder().fit(X)
        params = self._lightgbm_params(objective)
        dataset = lightgbm.Dataset(
            self._encode(X),
            label=targets[:, 0],
            weight=weight / weight.mean(),
            categorical_feature=np.flatnonzero(self._encoder.is_category_).tolist(),
            params=params,
        )
        self.boosters_ = []
        for target in targets.T:
            dataset.construct().set_label(target)
            self.boosters_.append(lightgbm.train(params, dataset, num_boost_round=self.n_trees))

    def _raw(self, X: Any) -> np.ndarray:
        """Return the raw scores of checked rows, shape (n_samples, n_boosters)."""
        encoded = self._encode(X)
        threads = _n_threads(self.n_jobs)
        scores = [booster.predict(encoded, raw_score=True, num_threads=threads) for booster in self.boosters_]
        return np.column_stack(scores)

    def _encode(self, X: Any) -> Any:
        encoded = self._encoder.transform(X)
        return sparse.csr_matrix(encoded) if sparse.issparse(encoded) else encoded  # LightGBM warns of sparse arrays

    def _check_parameters(self) -> None:
        check_number(self, "n_trees", self.n_trees, kind=Integral, low=1)
        check_number(self, "max_leaf_nodes", self.max_leaf_nodes, kind=Integral, low=2)
        if self.learning_rate != "auto":
            check_number(self, "learning_rate", self.learning_rate, low=0, low_open=True)
        check_number(self, "min_samples_leaf", self.min_samples_leaf, kind=Integral, low=1)
        check_number(self, "l2_regularization", self.l2_regularization, low=0)
        check_number(self, "max_bins", self.max_bins, kind=Integral, low=2)

    def _lightgbm_params(self, objective: str) -> dict[str, Any]:
        rate = auto_learning_rate(self.n_trees) if self.learning_rate == "auto" else self.learning_rate
        return {
            "objective": objective,
            "num_leaves": self.max_leaf_nodes,
            "learning_rate": rate,
            "min_data_in_leaf": self.min_samples_leaf,
            "lambda_l2": self.l2_regularization,
            "max_bin": self.max_bins,
            "num_threads": _n_threads(self.n_jobs),
            "seed": draw_seed(check_random_state(self.random_state)),
            "deterministic": True,
            "force_col_wise": True,
            "feature_pre_filter": False,
            "verbosity": -1,
        }

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = tags.input_tags.string = tags.input_tags.sparse = True
        return tags


class CompactBoostingClassifier(ClassifierMixin, _CompactBoosting):
    r"""Small boosted trees for soft targets: ``n_trees`` trees of ``max_leaf_nodes`` leaves for each class.

    For each class one sequence of trees minimises the cross-entropy to the class's probability,

    .. math:: -\sum_i w_i \left( q_{ik} \log \sigma(f_k(x_i)) + (1 - q_{ik}) \log (1 - \sigma(f_k(x_i))) \right),

    all grown by LightGBM [1]_ on one binned copy of the table; two classes need one sequence. The probabilities
    :math:`\sigma(f_k)` are normalised to sum to one.

    Parameters
    ----------
    n_trees : int >= 1, default=60
        Number of trees for each class (one sequence for two classes).
    max_leaf_nodes : int >= 2, default=24
        Leaves of a tree at most.
    learning_rate : float > 0 or "auto", default="auto"
        Shrinkage of each tree. ``"auto"`` takes larger steps the fewer trees there are.
    min_samples_leaf : int >= 1, default=5
        Rows of a leaf at least.
    l2_regularization : float >= 0, default=1.0
        Ridge on the leaf values.
    max_bins : int >= 2, default=255
        Bins of a feature.
    n_jobs : int or None, default=None
        Threads of LightGBM. ``None`` is 1: small trees gain little from more, and lose much on a busy machine.
    random_state : int, RandomState instance or None, default=None
        Seed of LightGBM.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels.
    boosters_ : list of lightgbm.Booster
        One for each class; a single one for two classes.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of str, shape (n_features,)
        Names of the columns, for frames.

    See Also
    --------
    CompactBoostingRegressor : The same for values.

    References
    ----------
    .. [1] G. Ke et al., "LightGBM: A Highly Efficient Gradient Boosting Decision Tree", NeurIPS 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.students import CompactBoostingClassifier
    >>> X = np.linspace(0, 1, 200).reshape(-1, 1)
    >>> targets = np.hstack([1 - X, X])
    >>> student = CompactBoostingClassifier(n_trees=20).fit_soft(X, targets, classes=["no", "yes"])
    >>> student.predict([[0.1], [0.9]])
    array(['no', 'yes'], dtype='<U3')
    """

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit to true labels: soft targets that are certain.

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
        self : CompactBoostingClassifier
        """
        if y is None:
            raise ValueError(f"{type(self).__name__} requires y to be passed, but the target y is None.")
        X = check_table(self, X, reset=True)
        y = column_or_1d(y, warn=True)
        check_consistent_length(X, y)
        check_classification_targets(y)
        classes, codes = np.unique(y, return_inverse=True)
        return self._fit_checked(X, np.eye(len(classes))[codes], classes, sample_weight)

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
        self : CompactBoostingClassifier

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
        if np.any(targets < 0) or not np.allclose(targets.sum(axis=1), 1, atol=1e-3):
            raise StudentError(
                f"{type(self).__name__}: targets are no probabilities; expected rows without a negative number that "
                "sum to one."
            )
        return self._fit_checked(X, targets, classes, sample_weight)

    def _fit_checked(self, X: Any, targets: np.ndarray, classes: np.ndarray, sample_weight: Any) -> Self:
        if len(classes) < 2:
            raise ValueError(f"{type(self).__name__} needs at least 2 classes; got 1 class: {classes.tolist()}.")
        weight = check_weights(sample_weight, X.shape[0])
        self.classes_ = classes
        self._grow(X, targets[:, 1:] if len(classes) == 2 else targets, weight, "cross_entropy")
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the class probabilities of ``X``, of shape (n_samples, n_classes)."""
        check_is_fitted(self)
        proba = 1 / (1 + np.exp(-self._raw(check_table(self, X, reset=False))))
        if proba.shape[1] == 1:
            return np.hstack([1 - proba, proba])
        return proba / proba.sum(axis=1, keepdims=True)

    def predict(self, X: Any) -> np.ndarray:
        """Return the most probable label of each row of ``X``, of shape (n_samples,)."""
        winner = self.predict_proba(X).argmax(axis=1)
        return self.classes_[winner]


class CompactBoostingRegressor(RegressorMixin, _CompactBoosting):
    """Small boosted trees for values: ``n_trees`` trees of ``max_leaf_nodes`` leaves for each output.

    Each output has its own sequence of trees, grown by LightGBM [1]_ for squared error on one binned copy of the
    table. Outputs are standardised for the fit.

    Parameters
    ----------
    n_trees : int >= 1, default=60
        Number of trees for each output.
    max_leaf_nodes : int >= 2, default=24
        Leaves of a tree at most.
    learning_rate : float > 0 or "auto", default="auto"
        Shrinkage of each tree. ``"auto"`` takes larger steps the fewer trees there are.
    min_samples_leaf : int >= 1, default=5
        Rows of a leaf at least.
    l2_regularization : float >= 0, default=1.0
        Ridge on the leaf values.
    max_bins : int >= 2, default=255
        Bins of a feature.
    n_jobs : int or None, default=None
        Threads of LightGBM. ``None`` is 1: small trees gain little from more, and lose much on a busy machine.
    random_state : int, RandomState instance or None, default=None
        Seed of LightGBM.

    Attributes
    ----------
    boosters_ : list of lightgbm.Booster
        One for each output.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of str, shape (n_features,)
        Names of the columns, for frames.

    See Also
    --------
    CompactBoostingClassifier : The same for classes.

    References
    ----------
    .. [1] G. Ke et al., "LightGBM: A Highly Efficient Gradient Boosting Decision Tree", NeurIPS 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.students import CompactBoostingRegressor
    >>> X = np.linspace(0, 1, 200).reshape(-1, 1)
    >>> student = CompactBoostingRegressor(n_trees=40).fit(X, 3 * X[:, 0])
    >>> student.predict([[0.5]]).round(1)
    array([1.5])
    """

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
        self : CompactBoostingRegressor
        """
        if y is None:
            raise ValueError(f"{type(self).__name__} requires y to be passed, but the target y is None.")
        X = check_table(self, X, reset=True)
        y = check_array(y, ensure_2d=False, dtype=np.float64, input_name="y")
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        check_consistent_length(X, y)
        weight = check_weights(sample_weight, X.shape[0])
        self._is_single = y.ndim == 1
        values = y.reshape(len(y), -1)
        self._mean = np.average(values, axis=0, weights=weight)
        deviation = np.sqrt(np.average((values - self._mean) ** 2, axis=0, weights=weight))
        self._scale = np.where(deviation > 0, deviation, 1.0)
        self._grow(X, (values - self._mean) / self._scale, weight, "regression")
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Return the values of ``X``, of shape (n_samples,) or (n_samples, n_outputs)."""
        check_is_fitted(self)
        values = self._raw(check_table(self, X, reset=False)) * self._scale + self._mean
        return values[:, 0] if self._is_single else values

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags


def auto_learning_rate(n_trees: int) -> float:
    """Return the step for so many trees: 12 over their number, within [0.05, 0.3]."""
    return float(np.clip(12 / n_trees, 0.05, 0.3))


def _n_threads(n_jobs: int | None) -> int:
    """LightGBM's own convention for "all" is 0."""
    if n_jobs is None:
        return 1
    return max(n_jobs, 0)
