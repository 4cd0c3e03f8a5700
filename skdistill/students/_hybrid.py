"""Compact hybrids: a small network, and small trees boosted on its residuals."""

from typing import Any, Literal

import numpy as np

from .._encoding import fit_encoder
from .._losses import OneVsRestCrossEntropy
from .._types import CategoricalFeatures, RandomState
from .._validation import check_n_jobs, check_random_state, draw_seed
from ..compiled import Sum
from ._boosting import CompactBoostingRegressor, size_of_trees
from ._mlp import CompactMLPRegressor, size_of_network
from ._student import CompactClassifier, CompactRegressor, CompactStudent

NETWORK_SHARE = 0.5
"""Share of the parameters of a sized hybrid that its network gets."""


class _CompactHybrid(CompactStudent):
    """What classifier and regressor share."""

    _loss_of_many = OneVsRestCrossEntropy

    def __init__(
        self,
        hidden_layer_sizes: Any = (32, 32),
        n_trees: int = 20,
        max_leaf_nodes: int = 16,
        *,
        n_knots: int = 0,
        learning_rate: float | Literal["auto", "growing"] = "auto",
        min_samples_leaf: int = 5,
        max_epochs: int | Literal["auto"] = "auto",
        weight_decay: float = 0.1,
        n_jobs: int | None = None,
        random_state: RandomState = None,
        verbose: int = 0,
        categorical_features: CategoricalFeatures = "from_dtype",
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.n_trees = n_trees
        self.max_leaf_nodes = max_leaf_nodes
        self.n_knots = n_knots
        self.learning_rate = learning_rate
        self.min_samples_leaf = min_samples_leaf
        self.max_epochs = max_epochs
        self.weight_decay = weight_decay
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose
        self.categorical_features = categorical_features

    def _learn(self, X: Any, targets: np.ndarray, weight: np.ndarray) -> Sum:
        """Return the sum of a network fitted to all columns of ``targets`` and of trees boosted from its scores.

        The output layer of the network is refitted together with the leaves of the trees.
        """
        rng = check_random_state(self.random_state, self)
        check_n_jobs(self, self.n_jobs)
        smooth = CompactMLPRegressor(
            self.hidden_layer_sizes,
            n_knots=self.n_knots,
            max_epochs=self.max_epochs,
            weight_decay=self.weight_decay,
            random_state=draw_seed(rng),
            verbose=self.verbose,
            categorical_features=self.categorical_features,
        )
        edges = CompactBoostingRegressor(
            self.n_trees,
            self.max_leaf_nodes,
            learning_rate=self.learning_rate,
            min_samples_leaf=self.min_samples_leaf,
            n_jobs=self.n_jobs,
            random_state=draw_seed(rng),
            categorical_features=self.categorical_features,
        )
        smooth._loss = edges._loss = self._loss
        network = smooth._learn(X, targets, weight)
        self._encoder = fit_encoder(X, self._declared(X))  # trees read more categories than the network
        cells = self._encode(X)
        hidden, center, scale = network.standardised_hidden(cells)
        forest, change = edges._grow(X, targets, weight, network.scores(cells), hidden)
        return Sum([network.with_output_changed(change / scale[:, None], center), forest])

    def _params_of_size(self, n_parameters: int, n_inputs: int, n_outputs: int) -> dict[str, Any] | None:
        network = size_of_network(NETWORK_SHARE * n_parameters, n_inputs, n_outputs)
        trees = size_of_trees((1 - NETWORK_SHARE) * n_parameters, n_outputs)
        return None if network is None or trees is None else network | trees


class CompactHybridClassifier(CompactClassifier, _CompactHybrid):
    r"""A small network and small trees, boosted on its residuals, for soft targets.

    A network needs few weights for smooth surfaces, trees need few leaves for sharp edges. The scores are

    .. math:: f(x) = f_\mathrm{network}(x) + \sum_t v_t(x):

    the network is fitted first, boosting [1]_ continues from its scores, and all leaf values and the output layer of
    the network are then refitted together. For each class both minimise the cross-entropy to its probability, and the
    probabilities :math:`\sigma(f_k)` are normalised to sum to one.

    Parameters
    ----------
    hidden_layer_sizes : int or tuple of one or two int, default=(32, 32)
        Hidden units of each layer of the network, at most 10,000.
    n_trees : int in [1, 10000], default=20
        Number of trees for each class (one sequence for two classes).
    max_leaf_nodes : int in [2, 131072], default=16
        Maximum number of leaves of a tree.
    n_knots : int >= 0, default=0
        Number of knots of the network's inputs; see :class:`CompactMLPClassifier`. The trees model edges.
    learning_rate : float in (0, 10], "auto" or "growing", default="auto"
        Shrinkage of each tree, as of :class:`CompactBoostingRegressor`.
    min_samples_leaf : int >= 1, default=5
        Minimum number of rows of a leaf.
    max_epochs : int >= 1 or "auto", default="auto"
        Maximum number of passes of the network over the rows; see :class:`CompactMLPClassifier`.
    weight_decay : float >= 0, default=0.1
        Share of each weight that a step takes away, times the learning rate.
    n_jobs : int or None, default=None
        Threads of the trees. ``None`` is 1.
    random_state : int, RandomState instance or None, default=None
        Seed of both parts.
    verbose : int, default=0
        Above 0, progress is written to standard error.
    categorical_features : "from_dtype" or array-like, default="from_dtype"
        Columns that are categories whatever their cells: names, positions, or a mask, as in scikit-learn's histogram
        gradient boosting. Each distinct value is one category. ``"from_dtype"`` declares none: columns of strings,
        of pandas categories, and of objects that are no numbers and no dates are categories in any case.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels.
    scorer_ : Sum
        The network and the forest, as arrays.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of str, shape (n_features,)
        Names of the columns, for frames.

    See Also
    --------
    CompactHybridRegressor : The same for values.

    References
    ----------
    .. [1] J. Friedman, "Greedy Function Approximation: A Gradient Boosting Machine", Annals of Statistics 2001.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.students import CompactHybridClassifier
    >>> X = np.linspace(0, 1, 200).reshape(-1, 1)
    >>> targets = np.hstack([1 - X, X])
    >>> student = CompactHybridClassifier(8, random_state=0).fit_soft(
    ...     X, targets, classes=["no", "yes"]
    ... )
    >>> student.predict([[0.1], [0.9]])
    array(['no', 'yes'], dtype='<U3')
    """


class CompactHybridRegressor(CompactRegressor, _CompactHybrid):
    r"""A small network and small trees, boosted on its residuals, for values.

    A network needs few weights for smooth surfaces, trees need few leaves for sharp edges. The scores are

    .. math:: f(x) = f_\mathrm{network}(x) + \sum_t v_t(x):

    the network is fitted first, boosting [1]_ continues from its scores, and all leaf values and the output layer of
    the network are then refitted together. For each output both minimise the squared error.

    Parameters
    ----------
    hidden_layer_sizes : int or tuple of one or two int, default=(32, 32)
        Hidden units of each layer of the network, at most 10,000.
    n_trees : int in [1, 10000], default=20
        Number of trees for each output.
    max_leaf_nodes : int in [2, 131072], default=16
        Maximum number of leaves of a tree.
    n_knots : int >= 0, default=0
        Number of knots of the network's inputs; see :class:`CompactMLPRegressor`. The trees model edges.
    learning_rate : float in (0, 10], "auto" or "growing", default="auto"
        Shrinkage of each tree, as of :class:`CompactBoostingRegressor`.
    min_samples_leaf : int >= 1, default=5
        Minimum number of rows of a leaf.
    max_epochs : int >= 1 or "auto", default="auto"
        Maximum number of passes of the network over the rows; see :class:`CompactMLPRegressor`.
    weight_decay : float >= 0, default=0.1
        Share of each weight that a step takes away, times the learning rate.
    n_jobs : int or None, default=None
        Threads of the trees. ``None`` is 1.
    random_state : int, RandomState instance or None, default=None
        Seed of both parts.
    verbose : int, default=0
        Above 0, progress is written to standard error.
    categorical_features : "from_dtype" or array-like, default="from_dtype"
        Columns that are categories whatever their cells: names, positions, or a mask, as in scikit-learn's histogram
        gradient boosting. Each distinct value is one category. ``"from_dtype"`` declares none: columns of strings,
        of pandas categories, and of objects that are no numbers and no dates are categories in any case.

    Attributes
    ----------
    scorer_ : Sum
        The network and the forest, as arrays.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of str, shape (n_features,)
        Names of the columns, for frames.

    See Also
    --------
    CompactHybridClassifier : The same for classes.

    References
    ----------
    .. [1] J. Friedman, "Greedy Function Approximation: A Gradient Boosting Machine", Annals of Statistics 2001.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.students import CompactHybridRegressor
    >>> X = np.linspace(0, 1, 1000).reshape(-1, 1)
    >>> student = CompactHybridRegressor(8, random_state=0).fit(
    ...     X, np.sin(3 * X[:, 0]) + (X[:, 0] > 0.5)
    ... )
    >>> student.predict([[0.25], [0.75]]).round(1)
    array([0.7, 1.8])
    """
