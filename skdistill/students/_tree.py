"""Compact trees: one readable tree, grown on soft targets and then optimised as a whole."""

from dataclasses import replace
from numbers import Integral
from typing import Any

import numpy as np

from .._encoding import find_durations
from .._types import CategoricalFeatures, InteractionCst, MonotonicCst
from .._validation import check_fitted, check_number
from ..compiled import Forest
from ..solvers import (
    MAX_ORDERED_LEAVES,
    MISSING,
    BinnedTable,
    TreeData,
    TreeTable,
    add_up,
    fit_tree_of_sets,
    forest_from_tree,
    ordered_means,
)
from ._reading import Nodes, as_sklearn, digits_of_large, leaf_rules, probable, rules, sums_of_rows
from ._student import CompactClassifier, CompactRegressor, CompactStudent

PROBABILITY_MARGIN = 1e-6
"""Bounds the distance of the mean probabilities of leaves to 0 and 1, so that scores are finite."""


class _CompactTree(CompactStudent):
    """Tables in, one tree out: what classifier and regressor share."""

    def __init__(
        self,
        max_leaf_nodes: int = 32,
        *,
        min_samples_leaf: int = 5,
        max_bins: int = 255,
        optimize: bool = True,
        n_regrowths: int = 4,
        monotonic_cst: MonotonicCst = None,
        interaction_cst: InteractionCst = None,
        categorical_features: CategoricalFeatures = "from_dtype",
    ) -> None:
        self.max_leaf_nodes = max_leaf_nodes
        self.min_samples_leaf = min_samples_leaf
        self.max_bins = max_bins
        self.optimize = optimize
        self.n_regrowths = n_regrowths
        self.monotonic_cst = monotonic_cst
        self.interaction_cst = interaction_cst
        self.categorical_features = categorical_features

    def _learn(self, X: Any, targets: np.ndarray, weight: np.ndarray) -> Forest:
        """Return a forest of one tree, whose leaves hold the scores of the mean targets."""
        self._check_parameters()
        table = TreeTable(X, weight, self._declared(X))
        self._encoder, self._is_duration, self._has_missing = table.encoder, find_durations(X), table.has_missing
        binned = BinnedTable(table.cells, table.weight, self._n_codes(), self.max_bins)
        self._n_digits = digits_of_large(binned.bounds, table.needs_double)
        data = TreeData(binned, targets, table.weight, self.min_samples_leaf)
        directions, n_leaves = self._directions(targets.shape[1]), min(self.max_leaf_nodes, len(weight))
        options: dict[str, Any] = {"optimize": self.optimize, "n_regrowths": self.n_regrowths}
        tree = fit_tree_of_sets(data, n_leaves, self._interactions(), **options)
        forest = forest_from_tree(tree, binned, targets.shape[1])
        leaf = forest.leaves(table.cells)[:, 0]
        sums = add_up(leaf, forest.n_leaves, sums_of_rows(targets, weight))
        return forest.with_values(self._value_leaves(forest, sums, directions))

    def _value_leaves(self, forest: Forest, sums: np.ndarray, directions: np.ndarray | None) -> np.ndarray:
        """Return the scores of the leaves from sums of their rows, and note what rows are at each node.

        ``sums``, of shape (n_leaves, n_sums), are those of :func:`sums_of_rows`.
        """
        self._nodes, n_leaves = Nodes.of(forest, sums), forest.n_leaves
        self.leaf_rows_ = self._nodes.n_rows[-n_leaves:]
        mean = self._loss.clipped(self._nodes.mean[-n_leaves:], PROBABILITY_MARGIN)
        if directions is not None:
            mean = ordered_means(forest, mean, self._nodes.weight[-n_leaves:], directions, self._loss)
            self._nodes = self._nodes.with_leaf_means(forest, mean)
        return self._loss.scores(mean)

    def _params_of_size(self, n_parameters: int, n_inputs: int, n_outputs: int) -> dict[str, Any] | None:  # noqa: ARG002
        n_leaves = (n_parameters + 2 - n_outputs) // (2 + n_outputs)
        return {"max_leaf_nodes": int(n_leaves)} if n_leaves >= 2 else None

    def _check_parameters(self) -> None:
        check_number(self, "max_leaf_nodes", self.max_leaf_nodes, kind=Integral, low=2)
        check_number(self, "min_samples_leaf", self.min_samples_leaf, kind=Integral, low=1)
        check_number(self, "max_bins", self.max_bins, kind=Integral, low=2, high=MISSING)
        check_number(self, "n_regrowths", self.n_regrowths, kind=Integral, low=0)
        if self.monotonic_cst is not None and self.max_leaf_nodes > MAX_ORDERED_LEAVES:
            raise ValueError(
                f"{type(self).__name__}: max_leaf_nodes={self.max_leaf_nodes} with monotonic_cst; expected at most "
                f"{MAX_ORDERED_LEAVES}. Pass fewer leaves, or boosting, which has more trees."
            )

    def apply(self, X: Any) -> np.ndarray:
        """Return the leaf of each row.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)
            With the columns seen in ``fit``.

        Returns
        -------
        leaf : ndarray of int, shape (n_samples,)
            Numbered from left to right, from 0, as ``leaf_rows_`` and :meth:`leaf_rules` are.
        """
        check_fitted(self, "scorer_")
        return self.scorer_.leaves(self._encode_new(X))[:, 0]

    def leaf_rules(self) -> list[str]:
        """Return the conditions of each leaf, from left to right, such as ``"age > 30 and job is clerk, farmer"``.

        Returns
        -------
        rules : list of str
            As many as there are leaves; every row is in exactly one of them. Thresholds are rounded to four digits,
            or to as many as large numbers need to differ, and of more than eight categories some are named and the
            others counted.
        """
        check_fitted(self, "scorer_")
        return leaf_rules(self, self._has_missing, self._is_duration)

    def _rules(self, answers: list[str]) -> str:
        return rules(self, answers, self._has_missing, self._is_duration)


class CompactTreeClassifier(CompactClassifier, _CompactTree):
    r"""One small, readable tree for soft targets: ``max_leaf_nodes`` leaves, each with the mean probabilities.

    The tree minimises the squared error to the probabilities,

    .. math:: \sum_i w_i \lVert q_i - \bar q_{\ell(x_i)} \rVert^2,

    where :math:`\bar q_\ell` is the mean of leaf :math:`\ell`. It is grown best-first, on binned features. Then it is
    optimised as a whole, by steps that never raise the error: tree alternating optimisation [1]_ chooses each split
    again, given all others, from the deepest to the root; leaves move to where they lower the error more; and the
    subtree of each split is grown again from the best splits of several features, and kept if it is better. In
    tables with more than 256 features, the optimisation chooses from the 256 best features and those of the grown tree.

    Parameters
    ----------
    max_leaf_nodes : int >= 2, default=32
        Maximum number of leaves of the tree.
    min_samples_leaf : int >= 1, default=5
        Minimum number of rows of a leaf; rows without weight do not count.
    max_bins : int in [2, 255], default=255
        Maximum number of bins of a feature. Of more categories, those of largest weight are kept; the others count as
        unseen.
    optimize : bool, default=True
        Whether the tree is optimised once it is grown.
    n_regrowths : int >= 0, default=4
        Number of features from whose best split each subtree is grown again. These regrowths take most of the time of
        the fit and bring most of the improvement; 0 leaves them out.
    monotonic_cst : array-like of int of shape (n_features,), dict or None, default=None
        1 where the probability of the second class must not fall as the column grows, -1 where it must not rise, 0
        where it is free. A dict names columns: ``{"age": 1}``. With more than two classes, a dict from a class to its
        directions, ``{"high risk": {"age": 1}}``, or an array of shape (n_classes, n_features): the odds of the class
        against every other class are then monotone, and so is its probability. At most one class per column. The means
        of the leaves are replaced by the nearest ones that are in order; at most 512 leaves.
    interaction_cst : {"pairwise", "no_interactions"}, sequence of sets of int or str, or None, default=None
        Sets of columns that may interact, by position or name. Columns in no set form one more. A single tree is no
        sum of functions: all its splits test columns of one set, the one that lowers the loss most.
    categorical_features : "from_dtype" or array-like, default="from_dtype"
        Columns that are categories whatever their cells: names, positions, or a mask, as in scikit-learn's histogram
        gradient boosting. Each distinct value is one category. ``"from_dtype"`` declares none: columns of strings,
        of pandas categories, and of objects that are no numbers and no dates are categories in any case.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels.
    scorer_ : Forest
        The tree as flat arrays; its leaves hold the logarithms of probabilities, or the logit of the second of two.
    leaf_rows_ : ndarray of int, shape (n_leaves,)
        Rows of the fit in each leaf, from left to right.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of str, shape (n_features,)
        Names of the columns, for frames.

    See Also
    --------
    CompactTreeRegressor : The same for values.

    References
    ----------
    .. [1] M. Carreira-Perpiñán and P. Tavallali, "Alternating optimization of decision trees, with application to
       learning sparse oblique trees", NeurIPS 2018.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.students import CompactTreeClassifier
    >>> X = np.linspace(0, 1, 200).reshape(-1, 1)
    >>> targets = np.hstack([1 - X, X])
    >>> student = CompactTreeClassifier(max_leaf_nodes=3).fit_soft(
    ...     X, targets, classes=["no", "yes"]
    ... )
    >>> student.predict([[0.1], [0.9]])
    array(['no', 'yes'], dtype='<U3')
    >>> print(student.to_text())
    |--- column 0 <= 0.339196
    |   |--- no: 0.832, yes: 0.168 (68 rows)
    |--- column 0 > 0.339196
    |   |--- column 0 <= 0.670854
    |   |   |--- yes: 0.505, no: 0.495 (66 rows)
    |   |--- column 0 > 0.670854
    |   |   |--- yes: 0.837, no: 0.163 (66 rows)
    """

    def to_text(self) -> str:
        """Return the tree as rules: names of columns and categories, probabilities, rows of the fit.

        Returns
        -------
        text : str
            A line for each side of a split and for each leaf, in the format of :func:`sklearn.tree.export_text`. For
            columns that had missing cells it says where these go; unseen categories are among "anything else".
            Classes less probable than 0.005 are left out.
        """
        check_fitted(self, "scorer_")
        proba = self._probabilities(self.scorer_.value)
        return self._rules([probable(self.classes_, of_leaf) for of_leaf in proba])

    def to_sklearn(self) -> Any:
        """Return the same tree as a fitted :class:`~sklearn.tree.DecisionTreeClassifier`, for its plots and tools.

        Returns
        -------
        tree : DecisionTreeClassifier
            Its nodes hold the mean soft targets, the Gini impurity of these, and numbers of rows of the fit.

        Raises
        ------
        StudentError
            If the table had columns of categories or dates, which trees of scikit-learn cannot split on, or if the tree
            splits on numbers that scikit-learn would round to equal ones.
        """
        check_fitted(self, "scorer_")
        return as_sklearn(self, self._nodes, self.classes_)


class CompactTreeRegressor(CompactRegressor, _CompactTree):
    """One small, readable tree for values: ``max_leaf_nodes`` leaves, each with the mean of its rows.

    The tree minimises the squared error, summed over the outputs, which are standardised for the fit. It is grown
    best-first, on binned features. Then it is optimised as a whole, by steps that never raise the error: tree
    alternating optimisation [1]_ chooses each split again, given all others, from the deepest to the root; leaves move
    to where they lower the error more; and the subtree of each split is grown again from the best splits of several
    features, and kept if it is better. In tables with more than 256 features, the optimisation chooses from the 256
    best features and those of the grown tree.

    Parameters
    ----------
    max_leaf_nodes : int >= 2, default=32
        Maximum number of leaves of the tree.
    min_samples_leaf : int >= 1, default=5
        Minimum number of rows of a leaf; rows without weight do not count.
    max_bins : int in [2, 255], default=255
        Maximum number of bins of a feature. Of more categories, those of largest weight are kept; the others count as
        unseen.
    optimize : bool, default=True
        Whether the tree is optimised once it is grown.
    n_regrowths : int >= 0, default=4
        Number of features from whose best split each subtree is grown again. These regrowths take most of the time of
        the fit and bring most of the improvement; 0 leaves them out.
    monotonic_cst : array-like of int of shape (n_features,), dict or None, default=None
        1 where the prediction must not fall as the column grows, -1 where it must not rise, 0 where it is free. A
        dict names columns: ``{"age": 1}``. For several outputs, an array of shape (n_outputs, n_features) has the
        directions of each. The means of the leaves are replaced by the nearest ones that are in order; at most 512
        leaves.
    interaction_cst : {"pairwise", "no_interactions"}, sequence of sets of int or str, or None, default=None
        Sets of columns that may interact, by position or name. Columns in no set form one more. A single tree is no
        sum of functions: all its splits test columns of one set, the one that lowers the loss most.
    categorical_features : "from_dtype" or array-like, default="from_dtype"
        Columns that are categories whatever their cells: names, positions, or a mask, as in scikit-learn's histogram
        gradient boosting. Each distinct value is one category. ``"from_dtype"`` declares none: columns of strings,
        of pandas categories, and of objects that are no numbers and no dates are categories in any case.

    Attributes
    ----------
    scorer_ : Forest
        The tree as flat arrays.
    leaf_rows_ : ndarray of int, shape (n_leaves,)
        Rows of the fit in each leaf, from left to right.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of str, shape (n_features,)
        Names of the columns, for frames.

    See Also
    --------
    CompactTreeClassifier : The same for classes.

    References
    ----------
    .. [1] M. Carreira-Perpiñán and P. Tavallali, "Alternating optimization of decision trees, with application to
       learning sparse oblique trees", NeurIPS 2018.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.students import CompactTreeRegressor
    >>> X = np.linspace(0, 1, 200).reshape(-1, 1)
    >>> student = CompactTreeRegressor(max_leaf_nodes=4).fit(X, X[:, 0] > 0.25)
    >>> print(student.to_text())
    |--- column 0 <= 0.248744
    |   |--- 0 (50 rows)
    |--- column 0 > 0.248744
    |   |--- 1 (150 rows)
    """

    def to_text(self) -> str:
        """Return the tree as rules: names of columns and categories, values, rows of the fit.

        Returns
        -------
        text : str
            A line for each side of a split and for each leaf, in the format of :func:`sklearn.tree.export_text`. For
            columns that had missing cells it says where these go; unseen categories are among "anything else".
        """
        check_fitted(self, "scorer_")
        forest = self.scorer_
        values = self._values(forest.base + forest.unit * forest.value)
        values = np.where(np.abs(values) < 1e-12 * np.abs(values).max(axis=0), 0, values)  # a zero of standardised sums
        return self._rules([", ".join(f"{value:.6g}" for value in of_leaf) for of_leaf in values])

    def to_sklearn(self) -> Any:
        """Return the same tree as a fitted :class:`~sklearn.tree.DecisionTreeRegressor`, for its plots and tools.

        Returns
        -------
        tree : DecisionTreeRegressor
            Its nodes hold the mean targets, their mean variance, and numbers of rows of the fit. If the student was
            fitted on the scale of a link, the means are those of the scores, converted to values, and the variances
            are those of the scores.

        Raises
        ------
        StudentError
            If the table had columns of categories or dates, which trees of scikit-learn cannot split on, or if the tree
            splits on numbers that scikit-learn would round to equal ones.
        """
        check_fitted(self, "scorer_")
        nodes = self._nodes.scaled(self.scorer_.unit, self.scorer_.base)
        return as_sklearn(self, replace(nodes, mean=self._values(nodes.mean)), None)
