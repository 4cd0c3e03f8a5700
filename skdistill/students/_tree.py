"""A compact tree: one tree to read, grown on soft targets and then improved as a whole."""

from numbers import Integral
from typing import Any

import numpy as np

from .._encoding import find_durations
from .._tables import take_rows
from .._validation import check_fitted, check_number, check_table
from ..compiled import Forest
from ..compiled._links import LINKS
from ..compiled._nodes import forest_from_nodes
from ._binning import MISSING, BinnedTable
from ._growing import Table
from ._reading import NO_LIMIT, Nodes, as_sklearn, leaf_rules, probable, rules
from ._splitting import add_up
from ._student import CompactClassifier, CompactRegressor, CompactStudent
from ._tao import Rows, Tree, fit_tree

SMALLEST_PROBABILITY = 1e-6
"""So that its logarithm is a number."""


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
    ) -> None:
        self.max_leaf_nodes = max_leaf_nodes
        self.min_samples_leaf = min_samples_leaf
        self.max_bins = max_bins
        self.optimize = optimize
        self.n_regrowths = n_regrowths

    def _learn(self, X: Any, targets: np.ndarray, weight: np.ndarray) -> Forest:
        """Return a forest of one tree, whose leaves hold the scores of the mean targets."""
        self._check_parameters()
        used = np.flatnonzero(weight > 0)
        if len(used) < len(weight):
            X, targets, weight = take_rows(X, used), targets[used], weight[used]
        table = Table(X, weight)
        self._encoder, self._is_duration, self._has_missing = table.encoder, find_durations(X), table.has_missing
        binned = BinnedTable(table.cells, table.weight, self._n_codes(), self.max_bins)
        rows = Rows(binned, targets, table.weight, self.min_samples_leaf)
        tree = fit_tree(rows, self.max_leaf_nodes, optimize=self.optimize, n_regrowths=self.n_regrowths)
        forest = _forest_of(tree, binned, targets.shape[1])
        leaf = forest.leaves(table.cells)[:, 0]
        weighted = weight[:, None]
        sums = np.column_stack([np.ones(len(weight)), weight, weighted * targets, weighted * targets**2])
        self._nodes = Nodes.of(forest, add_up(leaf, forest.n_leaves, sums))
        self.leaf_rows_ = self._nodes.n_rows[-forest.n_leaves :]
        return forest.with_values(self._scores_of_means(self._nodes.mean[-forest.n_leaves :]))

    def _scores_of_means(self, mean: np.ndarray) -> np.ndarray:
        """Return what the link makes the mean target of."""
        if self._link == "identity":
            return mean
        proba = np.clip(mean, SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY)
        return np.log(proba / (1 - proba)) if self._link == "binary" else np.log(proba)

    def _params_of_size(self, n_parameters: int, n_inputs: int, n_outputs: int) -> dict[str, Any] | None:  # noqa: ARG002
        n_leaves = (n_parameters + 2 - n_outputs) // (2 + n_outputs)
        return {"max_leaf_nodes": int(n_leaves)} if n_leaves >= 2 else None

    def _check_parameters(self) -> None:
        check_number(self, "max_leaf_nodes", self.max_leaf_nodes, kind=Integral, low=2)
        check_number(self, "min_samples_leaf", self.min_samples_leaf, kind=Integral, low=1)
        check_number(self, "max_bins", self.max_bins, kind=Integral, low=2, high=MISSING)
        check_number(self, "n_regrowths", self.n_regrowths, kind=Integral, low=0)

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
        return self.scorer_.leaves(self._encode(check_table(self, X, reset=False)))[:, 0]

    def leaf_rules(self) -> list[str]:
        """Return what holds in each leaf, from left to right, such as ``"age > 30 and job is clerk, farmer"``.

        Returns
        -------
        rules : list of str
            As many as there are leaves; every row is in exactly one of them. Thresholds are rounded to four digits, and
            of more than eight categories some are named and the others counted.
        """
        check_fitted(self, "scorer_")
        return leaf_rules(self, self._has_missing, self._is_duration)

    def _rules(self, answers: list[str]) -> str:
        return rules(self, answers, self._has_missing, self._is_duration)


class CompactTreeClassifier(CompactClassifier, _CompactTree):
    r"""One small tree for soft targets, to be read: ``max_leaf_nodes`` leaves, each with the mean probabilities.

    The tree minimises the squared error to the probabilities,

    .. math:: \sum_i w_i \lVert q_i - \bar q_{\ell(x_i)} \rVert^2,

    where :math:`\bar q_\ell` is the mean of leaf :math:`\ell`. It is grown best split first, on binned cells. Then it
    is improved as a whole, by steps that never raise the error: tree alternating optimisation [1]_ chooses each split
    again, given all others, from the deepest to the root; leaves move to where they save more; and the subtree of each
    split is grown anew from the best splits of several features, and kept if it is better.

    Parameters
    ----------
    max_leaf_nodes : int >= 2, default=32
        Leaves of the tree at most.
    min_samples_leaf : int >= 1, default=5
        Rows of a leaf at least; rows without weight do not count.
    max_bins : int in [2, 255], default=255
        Bins of a feature. Of more categories the heaviest are kept; the others are taken as unseen.
    optimize : bool, default=True
        Whether the tree is improved once it is grown.
    n_regrowths : int >= 0, default=4
        Features from whose best split each subtree is grown anew. It takes most of the time of the fit, and brings
        most of what the improvement brings; 0 leaves it out.

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
    >>> student = CompactTreeClassifier(max_leaf_nodes=3).fit_soft(X, targets, classes=["no", "yes"])
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
            A line for each side of a split and for each leaf, as :func:`sklearn.tree.export_text` writes them. Where
            missing cells go is said of columns that had some; anything else than the named categories holds unseen
            ones, too. Classes less probable than 0.005 are left out.
        """
        check_fitted(self, "scorer_")
        proba = LINKS[self._link].of_rows(self.scorer_.value)
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
            If the table had columns of categories or dates, which trees of scikit-learn cannot ask.
        """
        check_fitted(self, "scorer_")
        return as_sklearn(self, self._nodes, self.classes_)


class CompactTreeRegressor(CompactRegressor, _CompactTree):
    """One small tree for values, to be read: ``max_leaf_nodes`` leaves, each with the mean of its rows.

    The tree minimises the squared error, summed over the outputs, which are standardised for the fit. It is grown best
    split first, on binned cells. Then it is improved as a whole, by steps that never raise the error: tree alternating
    optimisation [1]_ chooses each split again, given all others, from the deepest to the root; leaves move to where
    they save more; and the subtree of each split is grown anew from the best splits of several features, and kept if it
    is better.

    Parameters
    ----------
    max_leaf_nodes : int >= 2, default=32
        Leaves of the tree at most.
    min_samples_leaf : int >= 1, default=5
        Rows of a leaf at least; rows without weight do not count.
    max_bins : int in [2, 255], default=255
        Bins of a feature. Of more categories the heaviest are kept; the others are taken as unseen.
    optimize : bool, default=True
        Whether the tree is improved once it is grown.
    n_regrowths : int >= 0, default=4
        Features from whose best split each subtree is grown anew. It takes most of the time of the fit, and brings
        most of what the improvement brings; 0 leaves it out.

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
            A line for each side of a split and for each leaf, as :func:`sklearn.tree.export_text` writes them. Where
            missing cells go is said of columns that had some; anything else than the named categories holds unseen
            ones, too.
        """
        check_fitted(self, "scorer_")
        forest = self.scorer_
        values = forest.base + forest.unit * forest.value
        values = np.where(np.abs(values) < 1e-12 * np.abs(values).max(axis=0), 0, values)  # a zero of standardised sums
        return self._rules([", ".join(f"{value:.6g}" for value in of_leaf) for of_leaf in values])

    def to_sklearn(self) -> Any:
        """Return the same tree as a fitted :class:`~sklearn.tree.DecisionTreeRegressor`, for its plots and tools.

        Returns
        -------
        tree : DecisionTreeRegressor
            Its nodes hold the mean targets, their mean variance, and numbers of rows of the fit.

        Raises
        ------
        StudentError
            If the table had columns of categories or dates, which trees of scikit-learn cannot ask.
        """
        check_fitted(self, "scorer_")
        return as_sklearn(self, self._nodes.scaled(self.scorer_.unit, self.scorer_.base), None)


def _forest_of(tree: Tree, table: BinnedTable, n_outputs: int) -> Forest:
    """Return a tree of codes as one of cells, its leaves blank."""
    left, right = tree.left.copy(), tree.right.copy()
    threshold = np.zeros(tree.n_nodes, dtype=np.float32)
    missing_left = np.zeros(tree.n_nodes, dtype=bool)
    is_category = table.is_category
    n_codes = max(
        (int(bounds[-1]) + 1 for bounds, coded in zip(table.bounds, is_category, strict=True) if coded), default=0
    )
    subsets: list[np.ndarray] = []
    for node in np.flatnonzero(tree.left >= 0):
        feature, goes_left = tree.feature[node], tree.goes_left[node]
        bounds, n_bins = table.bounds[feature], table.n_bins[feature]
        if is_category[feature]:
            if goes_left[MISSING]:  # goes right, and so do unseen categories
                left[node], right[node], goes_left = right[node], left[node], ~goes_left
            subset = np.zeros(n_codes, dtype=bool)
            subset[bounds[goes_left[:n_bins]]] = True
            threshold[node] = len(subsets)
            subsets.append(subset)
        else:
            last = int(goes_left[:n_bins].sum()) - 1
            threshold[node] = bounds[last] if last < len(bounds) else NO_LIMIT
            missing_left[node] = goes_left[MISSING]
    return forest_from_nodes(
        n_features=len(is_category),
        root=np.zeros(1, dtype=np.int64),
        left=left,
        right=right,
        feature=tree.feature,
        threshold=threshold,
        missing_left=missing_left,
        value=np.zeros((tree.n_nodes, n_outputs)),
        tree_output=np.zeros(1, dtype=np.int64),
        base=np.zeros(n_outputs),
        subsets=np.array(subsets).reshape(len(subsets), n_codes),
        is_category=is_category,
    )
