"""Compact linear models: weighted sums of inputs, and optionally of products of pairs of inputs."""

from numbers import Integral
from typing import Any, Literal

import numpy as np

from .._types import CategoricalFeatures, InteractionCst, MonotonicCst
from .._validation import check_choice, check_number
from ..compiled import Design, Network
from ..solvers import Features, LinearInputs, choose_pairs, solve, solve_with_signs
from ._student import CompactClassifier, CompactRegressor, CompactStudent

MAX_SIZED_PAIRS = 50
"""Bounds the pairs of a sized student."""


class _CompactLinear(CompactStudent):
    """Tables in, weights of inputs out: what classifier and regressor share."""

    def __init__(
        self,
        n_pairs: int = 0,
        *,
        penalty: Literal["l2", "l1"] = "l2",
        alpha: float = 1e-4,
        monotonic_cst: MonotonicCst = None,
        interaction_cst: InteractionCst = None,
        categorical_features: CategoricalFeatures = "from_dtype",
    ) -> None:
        self.n_pairs = n_pairs
        self.penalty = penalty
        self.alpha = alpha
        self.monotonic_cst = monotonic_cst
        self.interaction_cst = interaction_cst
        self.categorical_features = categorical_features

    def _learn(self, X: Any, targets: np.ndarray, weight: np.ndarray) -> Network:
        """Return the weights: of the inputs alone, and then, if wanted, together with those of selected products."""
        self._check_parameters()
        cells, targets, weight, design = self._prepare(X, targets, weight)
        rows = LinearInputs(design, cells, weight / weight.sum())
        directions, sets = self._directions(targets.shape[1]), self._interactions()
        features, pairs = rows.features(), None
        coef, constant = self._solved(features, targets, self._signs(design, directions))
        if self.n_pairs > 0:
            scores = constant + features.times(coef)
            may_interact = _may_interact(design, directions, sets)
            pairs = choose_pairs(rows, coef, scores, targets, self._loss, self.n_pairs, may_interact)
            features = rows.features(pairs)
            signs = self._signs(design, directions, len(pairs))
            coef, constant = self._solved(features, targets, signs, start=(coef, constant))
        base = constant - (features.mean + rows.origin(pairs)) @ coef
        return Network(design, [coef.astype(np.float32)], [], base, np.ones(len(base)), pairs)

    def _solved(
        self, features: Features, targets: np.ndarray, signs: np.ndarray | None, start: Any = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return coefficients and intercepts."""
        ridge, lasso = (self.alpha, 0.0) if self.penalty == "l2" else (0.0, self.alpha)
        if signs is None:
            return solve(features, targets, self._loss, ridge=ridge, lasso=lasso, start=start)
        return solve_with_signs(features, targets, self._loss, signs, ridge=ridge, lasso=lasso)

    def _signs(self, design: Design, directions: np.ndarray | None, n_pairs: int = 0) -> np.ndarray | None:
        """Return the signs of coefficients, shape (n_inputs + n_pairs, n_scores): numbers have those of the column."""
        if directions is None:
            return None
        signs = np.zeros((design.width + n_pairs, len(directions)), dtype=np.int64)
        signs[: len(design.numbers)] = directions[:, design.numbers].T
        return signs

    def _params_of_size(self, n_parameters: int, n_inputs: int, n_outputs: int) -> dict[str, Any] | None:
        n_pairs = (n_parameters - (n_inputs + 1) * n_outputs) // (n_outputs + 2)
        return None if n_pairs < 0 else {"n_pairs": int(min(n_pairs, n_inputs * (n_inputs + 1) // 2, MAX_SIZED_PAIRS))}

    def _check_parameters(self) -> None:
        check_number(self, "n_pairs", self.n_pairs, kind=Integral, low=0)
        check_number(self, "alpha", self.alpha, low=0)
        check_choice(self, "penalty", self.penalty, ("l1", "l2"))


def _may_interact(design: Design, directions: np.ndarray | None, sets: list[list[int]] | None) -> Any:
    """Return which products of two inputs are allowed, as a function of their positions; ``None`` for all.

    The slope of a product depends on the other factor, so that constrained columns are in no product.
    """
    if directions is None and sets is None:
        return None
    n_features = design.n_features
    allowed = np.full((n_features, n_features), sets is None)
    for columns in sets or []:
        allowed[np.ix_(columns, columns)] = True
    if directions is not None:
        constrained = np.asarray(directions.any(axis=0))
        allowed &= ~(constrained[:, None] | constrained)
    codes = np.repeat(np.arange(n_features), design.n_codes)
    column = np.concatenate([design.numbers, np.flatnonzero(design.has_missing), codes])
    return lambda first, second: allowed[column[first], column[second]]


class CompactLinearClassifier(CompactClassifier, _CompactLinear):
    r"""Weighted sums of inputs for soft targets: logistic regression, taught with probabilities [1]_.

    Inputs :math:`z` are standardised numbers, indicators of missing ones and of categories. Weights minimise

    .. math:: -\frac{\sum_i w_i \sum_k q_{ik} \log p_{ik}}{\sum_i w_i} + \alpha P(W), \qquad
        p_i = \operatorname{softmax}(b + z_i W);

    two classes need one sum. Numbers outside the range of the fit are clipped to it.

    Parameters
    ----------
    n_pairs : int >= 0, default=0
        Number of products of two inputs, squares included, that become inputs too. Orthogonal least squares [2]_
        selects those that lower the loss most; there are fewer if only fewer differ.
    penalty : {"l2", "l1"}, default="l2"
        :math:`P`: half the sum of squares, or the sum of absolute values, which makes some weights exactly zero.
    alpha : float >= 0, default=0.0001
        Strength of the penalty, beside a mean loss over rows. Intercepts are not penalised.
    monotonic_cst : array-like of int of shape (n_features,), dict or None, default=None
        1 where the probability of the second class must not fall as the column grows, -1 where it must not rise, 0
        where it is free. A dict names columns: ``{"age": 1}``. With more than two classes, a dict from a class to its
        directions, ``{"high risk": {"age": 1}}``, or an array of shape (n_classes, n_features): the odds of the class
        against every other class are then monotone, and so is its probability. At most one class per column. Weights
        have the signs of the directions, and constrained columns are in no product.
    interaction_cst : {"pairwise", "no_interactions"}, sequence of sets of int or str, or None, default=None
        Sets of columns that may interact, by position or name: only columns of one set are multiplied. Columns in no
        set form one more. ``"no_interactions"`` allows products of inputs of one column.
    categorical_features : "from_dtype" or array-like, default="from_dtype"
        Columns that are categories whatever their cells: names, positions, or a mask, as in scikit-learn's histogram
        gradient boosting. Each distinct value is one category. ``"from_dtype"`` declares none: columns of strings,
        of pandas categories, and of objects that are no numbers and no dates are categories in any case.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels.
    scorer_ : Network
        The weights, without hidden layers; one score for each class, a single one for two classes.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of str, shape (n_features,)
        Names of the columns, for frames.

    See Also
    --------
    CompactLinearRegressor : The same for values.

    References
    ----------
    .. [1] G. Hinton, O. Vinyals, J. Dean, "Distilling the Knowledge in a Neural Network", 2015.
    .. [2] S. Chen, C. F. N. Cowan, P. M. Grant, "Orthogonal Least Squares Learning Algorithm for Radial Basis Function
       Networks", IEEE Transactions on Neural Networks 1991.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.students import CompactLinearClassifier
    >>> X = np.linspace(0, 1, 200).reshape(-1, 1)
    >>> targets = np.hstack([1 - X, X])
    >>> student = CompactLinearClassifier().fit_soft(X, targets, classes=["no", "yes"])
    >>> student.predict([[0.1], [0.9]])
    array(['no', 'yes'], dtype='<U3')
    """


class CompactLinearRegressor(CompactRegressor, _CompactLinear):
    r"""Weighted sums of inputs for values: least squares.

    Inputs :math:`z` are standardised numbers, indicators of missing ones and of categories. Outputs :math:`t` are
    standardised for the fit. Weights minimise

    .. math:: \frac{\sum_i w_i \|t_i - b - z_i W\|^2}{2 \sum_i w_i} + \alpha P(W).

    Numbers outside the range of the fit are clipped to it.

    Parameters
    ----------
    n_pairs : int >= 0, default=0
        Number of products of two inputs, squares included, that become inputs too. Orthogonal least squares [1]_
        selects those that lower the loss most; there are fewer if only fewer differ.
    penalty : {"l2", "l1"}, default="l2"
        :math:`P`: half the sum of squares, or the sum of absolute values, which makes some weights exactly zero.
    alpha : float >= 0, default=0.0001
        Strength of the penalty, beside a mean loss over rows. Intercepts are not penalised.
    monotonic_cst : array-like of int of shape (n_features,), dict or None, default=None
        1 where the prediction must not fall as the column grows, -1 where it must not rise, 0 where it is free. A
        dict names columns: ``{"age": 1}``. For several outputs, an array of shape (n_outputs, n_features) has the
        directions of each. Weights have the signs of the directions, and constrained columns are in no product.
    interaction_cst : {"pairwise", "no_interactions"}, sequence of sets of int or str, or None, default=None
        Sets of columns that may interact, by position or name: only columns of one set are multiplied. Columns in no
        set form one more. ``"no_interactions"`` allows products of inputs of one column.
    categorical_features : "from_dtype" or array-like, default="from_dtype"
        Columns that are categories whatever their cells: names, positions, or a mask, as in scikit-learn's histogram
        gradient boosting. Each distinct value is one category. ``"from_dtype"`` declares none: columns of strings,
        of pandas categories, and of objects that are no numbers and no dates are categories in any case.

    Attributes
    ----------
    scorer_ : Network
        The weights, without hidden layers.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of str, shape (n_features,)
        Names of the columns, for frames.

    See Also
    --------
    CompactLinearClassifier : The same for classes.

    References
    ----------
    .. [1] S. Chen, C. F. N. Cowan, P. M. Grant, "Orthogonal Least Squares Learning Algorithm for Radial Basis Function
       Networks", IEEE Transactions on Neural Networks 1991.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.students import CompactLinearRegressor
    >>> X = np.random.default_rng(0).uniform(-1, 1, size=(200, 2))
    >>> student = CompactLinearRegressor(n_pairs=1).fit(X, 3 * X[:, 0] + X[:, 0] * X[:, 1])
    >>> student.predict([[0.5, 0.5]]).round(2)
    array([1.75])
    """
