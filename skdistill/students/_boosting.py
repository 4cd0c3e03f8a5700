"""Compact boosting: few small trees that LightGBM grows on soft targets and whose leaves are then refitted."""

from collections.abc import Callable
from numbers import Integral
from typing import Any, Literal, Self

import numpy as np
from sklearn.base import clone
from sklearn.utils.validation import check_memory

from .._losses import OneVsRestCrossEntropy
from .._threads import count_threads
from .._types import CategoricalFeatures, InteractionCst, Memory, MonotonicCst, RandomState, SupportsPredict
from .._validation import check_n_jobs, check_number, check_random_state, draw_seed
from ..compiled import Forest
from ..compiled._nodes import stack_outputs
from ..solvers import (
    MAX_ORDERED_LEAVES,
    VALIDATION_SHARE,
    GrowingRate,
    TreeGrower,
    TreeTable,
    in_order,
    leaf_weights,
    prune_forest,
    refit_leaves,
    refit_leaves_in_order,
)
from ._boosting_from import continued, trees_to_start, with_first_half
from ._init_kept import KeepsInit, SameClasses, model_in_init
from ._student import CompactClassifier, CompactRegressor, CompactStudent

MAX_TREES, MAX_LEAVES, MAX_BINS = 10_000, 131_072, 65_535
"""Maximum parameters: more trees take hours to fit, and LightGBM supports no more leaves of a tree and no more bins."""

RATE_NAMES = ("auto", "growing")

MAX_LEARNING_RATE = 10.0
"""Maximum learning rate: from 2 on, boosting diverges; very large rates overflow."""

GROWING_RATES = (
    GrowingRate(0.3, 0.3, 40),
    GrowingRate(0.2, 0.6, 80),
    GrowingRate(0.14, 0.42, 160),
    GrowingRate(0.1, 0.3, 320),
    GrowingRate(0.07, 0.21, 640),
    GrowingRate(0.05, 0.05, MAX_TREES),
)
"""The rates of ``"growing"`` for up to so many trees; sizes with the same ones share their trees."""

MIN_ROWS_FOR_THREADS = 10_000
"""Minimum number of rows for several threads of LightGBM; with fewer rows, threads are slower on a busy machine."""


class _CompactBoosting(KeepsInit, CompactStudent):
    """Base class of the boosted classifier and regressor."""

    _loss_of_many = OneVsRestCrossEntropy

    def __init__(
        self,
        n_trees: int = 60,
        max_leaf_nodes: int = 24,
        *,
        learning_rate: float | Literal["auto", "growing"] = "auto",
        min_samples_leaf: int = 5,
        l2_regularization: float = 1.0,
        max_bins: int = 255,
        resolve_leaves: bool = True,
        monotonic_cst: MonotonicCst = None,
        interaction_cst: InteractionCst = None,
        init: SupportsPredict | Literal["teacher"] | None = None,
        memory: Memory = None,
        n_jobs: int | None = None,
        random_state: RandomState = None,
        categorical_features: CategoricalFeatures = "from_dtype",
    ) -> None:
        self.n_trees = n_trees
        self.max_leaf_nodes = max_leaf_nodes
        self.learning_rate = learning_rate
        self.min_samples_leaf = min_samples_leaf
        self.l2_regularization = l2_regularization
        self.max_bins = max_bins
        self.resolve_leaves = resolve_leaves
        self.monotonic_cst = monotonic_cst
        self.interaction_cst = interaction_cst
        self.init = init
        self.memory = memory
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.categorical_features = categorical_features

    def _learn(self, X: Any, targets: np.ndarray, weight: np.ndarray) -> Forest:
        """Return the trees of all columns of ``targets``, grown on one binned copy of ``X``."""
        return self._grow(X, targets, weight)[0]

    def _start_on_new_rows(self) -> Any:
        """Return the student with the first half of its trees.

        All leaves are refitted, but the splits of all trees are those for other rows, and there is room for new ones.
        """
        return with_first_half(self)

    def _earlier_trees(self, table: TreeTable, targets: np.ndarray) -> list[Forest] | None:
        """Return the trees of each output that the first new tree is added to."""
        model = model_in_init(self)
        if model is None:
            return None
        for name in ("monotonic_cst", "interaction_cst"):
            if getattr(self, name) is not None:
                raise ValueError(
                    f"{type(self).__name__}: {name} is set, which trees in init may break; expected one of both. Pass "
                    f"init=None or {name}=None."
                )
        return trees_to_start(self, model, table, targets, self._loss, self.n_trees)

    def _grow(
        self,
        X: Any,
        targets: np.ndarray,
        weight: np.ndarray,
        offset: np.ndarray | None = None,
        hidden: np.ndarray | None = None,
    ) -> tuple[Forest, np.ndarray]:
        """Return trees, and weights of ``hidden``, of shape (n_hidden, n_outputs), that are refitted with their leaves.

        ``offset``, of the targets' shape, holds scores that the trees are added to; ``hidden``, of shape
        (n_rows, n_hidden), numbers that these scores are linear in.
        """
        self._check_parameters()
        rng = check_random_state(self.random_state, self)
        common = self.__dict__.pop("_common", None)  # shared with the other sizes of a path
        shared = {} if common is None else common
        table = shared.get("table") or TreeTable(X, weight, self._declared(X))
        self._encoder = table.encoder
        seed, directions = draw_seed(rng), self._directions(targets.shape[1])
        shared["table"] = table
        is_validation = rng.uniform(size=len(weight)) < VALIDATION_SHARE
        forests, changes, ridges, earlier = [], [], [], self._earlier_trees(table, targets)
        for output, target in enumerate(targets.T):
            others = None if offset is None else offset[:, output]
            order = None if directions is None else directions[output]
            first, grower = None if earlier is None else earlier[output], self._grower(shared, seed, order)
            forest = self._sequence(grower, output, target, others, first, only_these=common is None)
            if order is None:
                forest, change, ridge = self._refit(forest, table, target, is_validation, others, hidden)
            else:
                forest, change, ridge = self._refit_in_order(forest, table, target, is_validation, order)
            forests.append(forest)
            changes.append(change)
            ridges.append(ridge)
        self.ridge_ = np.array(ridges)
        return stack_outputs(forests).stored_as(np.float16), np.column_stack(changes)

    def _sequence(
        self,
        grower: TreeGrower,
        output: int,
        target: np.ndarray,
        offset: np.ndarray | None,
        first: Forest | None,
        *,
        only_these: bool,
    ) -> Forest:
        """Return the trees of an output, the first of which may be given."""
        if first is None:
            start = self._start(target, grower.table, offset)
            return grower.grow(output, target, start, self.n_trees, only_these=only_these)
        if first.n_trees == self.n_trees:
            return first
        scores = first.scores(grower.table.cells, count_threads(self.n_jobs))[:, 0]
        n_more = self.n_trees - first.n_trees
        return continued(first, grower.grow(output, target, scores, n_more, only_these=only_these))

    def _grower(self, shared: dict[str, Any], seed: int, directions: np.ndarray | None) -> TreeGrower:
        """Return the grower of trees with some constraints, which outputs and sizes with the same ones share."""
        table = shared["table"]
        params = self._lightgbm_params(seed, len(table.weight))
        if directions is not None:
            params["monotone_constraints"] = directions.tolist()
            params["monotone_constraints_method"] = "intermediate"
        if (sets := self._interactions()) is not None:
            params["interaction_constraints"] = sets
        return shared.setdefault(str(params), TreeGrower(table, params, check_memory(self.memory)))

    def _start(self, target: np.ndarray, table: TreeTable, offset: np.ndarray | None) -> float | np.ndarray:
        """Return the scores that the trees of an output are added to."""
        return float(self._loss.best_constant(np.average(target, weights=table.weight))) if offset is None else offset

    def _refit(
        self,
        forest: Forest,
        table: TreeTable,
        target: np.ndarray,
        is_validation: np.ndarray,
        offset: np.ndarray | None,
        hidden: np.ndarray | None,
    ) -> tuple[Forest, np.ndarray, float]:
        """Return the trees of an output, refitted and pruned, the weights of ``hidden``, and the chosen ridge."""
        leaves, weight = forest.leaves(table.cells, count_threads(self.n_jobs)), table.weight
        forest = forest.with_missing_sent(table.has_missing, leaf_weights(forest, leaves, weight))
        values, change, ridge = forest.value[:, 0], np.zeros(0 if hidden is None else hidden.shape[1]), np.inf
        if self.resolve_leaves:
            values, change, ridge = refit_leaves(
                forest, leaves, target, weight, self._loss, is_validation, offset, hidden
            )
        return prune_forest(forest.with_values(values[:, None]), leaf_weights(forest, leaves, weight)), change, ridge

    def _refit_in_order(
        self, forest: Forest, table: TreeTable, target: np.ndarray, is_validation: np.ndarray, directions: np.ndarray
    ) -> tuple[Forest, np.ndarray, float]:
        """Return what :meth:`_refit` does, with leaf values that keep the trees monotone."""
        leaves, weight = forest.leaves(table.cells, count_threads(self.n_jobs)), table.weight
        forest = forest.with_missing_sent(table.has_missing, leaf_weights(forest, leaves, weight))
        if forest.tree_splits.max(initial=0) >= MAX_ORDERED_LEAVES:
            return forest, np.zeros(0), np.inf
        ridge = np.inf
        if self.resolve_leaves:
            values, ridge = refit_leaves_in_order(forest, leaves, target, weight, self._loss, is_validation, directions)
            forest = forest.with_values(values[:, None])
        pruned = prune_forest(forest, leaf_weights(forest, leaves, weight))
        return in_order(pruned, directions), np.zeros(0), ridge

    def _path(self, fit: Callable[[Self], Self], sizes: Any) -> list[Self]:
        """Fit a clone for each size; the table and the trees that they share are made once."""
        seed = self.random_state
        if not isinstance(seed, Integral):
            seed = draw_seed(check_random_state(seed, self))
        common: dict[str, Any] = {}
        students = []
        for n_trees, max_leaf_nodes in self._check_sizes(sizes):
            student = clone(self).set_params(n_trees=n_trees, max_leaf_nodes=max_leaf_nodes, random_state=seed)
            student._common = common
            students.append(fit(student))
        return students

    def _check_sizes(self, sizes: Any) -> list[Any]:
        """Return ``n_trees`` and ``max_leaf_nodes`` of each size."""
        given = list(sizes) if np.iterable(sizes) else []
        pairs = [(size, self.max_leaf_nodes) if isinstance(size, Integral) else size for size in given]
        if not pairs or not all(isinstance(pair, tuple | list) and len(pair) == 2 for pair in pairs):
            raise ValueError(
                f"{type(self).__name__}: sizes={sizes!r}; expected a list of n_trees, or of (n_trees, max_leaf_nodes)."
            )
        return pairs

    def _params_of_size(self, n_parameters: int, n_inputs: int, n_outputs: int) -> dict[str, Any] | None:  # noqa: ARG002
        return size_of_trees(n_parameters, n_outputs)

    def _check_parameters(self) -> None:
        check_number(self, "n_trees", self.n_trees, kind=Integral, low=1, high=MAX_TREES)
        check_number(self, "max_leaf_nodes", self.max_leaf_nodes, kind=Integral, low=2, high=MAX_LEAVES)
        check_number(
            self, "learning_rate", self.learning_rate, low=0, low_open=True, high=MAX_LEARNING_RATE, names=RATE_NAMES
        )
        check_number(self, "min_samples_leaf", self.min_samples_leaf, kind=Integral, low=1)
        check_number(self, "l2_regularization", self.l2_regularization, low=0)
        check_number(self, "max_bins", self.max_bins, kind=Integral, low=2, high=MAX_BINS)
        check_n_jobs(self, self.n_jobs)

    def _lightgbm_params(self, seed: int, n_rows: int) -> dict[str, Any]:
        rate: Any = self.learning_rate
        if isinstance(rate, str):
            rate = {"auto": auto_learning_rate, "growing": growing_learning_rate}[rate](self.n_trees)
        return {
            "objective": "regression" if self._loss.is_quadratic else "cross_entropy",
            "num_leaves": self.max_leaf_nodes,
            "learning_rate": rate,
            "min_data_in_leaf": min(self.min_samples_leaf, n_rows + 1),
            "lambda_l2": self.l2_regularization,
            "max_bin": self.max_bins,
            "num_threads": count_threads(self.n_jobs) if n_rows >= MIN_ROWS_FOR_THREADS else 1,
            "seed": seed,
            "deterministic": True,
            "force_col_wise": True,
            "feature_pre_filter": False,
            "verbosity": -1,
        }


class CompactBoostingClassifier(SameClasses, CompactClassifier, _CompactBoosting):
    r"""Small boosted trees for soft targets: ``n_trees`` trees of ``max_leaf_nodes`` leaves for each class.

    For each class one sequence of trees minimises the cross-entropy to the class's probability,

    .. math:: -\sum_i w_i \left( q_{ik} \log \sigma(f_k(x_i)) + (1 - q_{ik}) \log (1 - \sigma(f_k(x_i))) \right),

    all grown by LightGBM [1]_ on one binned copy of the table; two classes need one sequence. The probabilities
    :math:`\sigma(f_k)` are normalised to sum to one.

    Parameters
    ----------
    n_trees : int in [1, 10000], default=60
        Number of trees for each class (one sequence for two classes).
    max_leaf_nodes : int in [2, 131072], default=24
        Maximum number of leaves of a tree.
    learning_rate : float in (0, 10], "auto" or "growing", default="auto"
        Shrinkage of each tree. ``"auto"`` takes larger steps the fewer trees there are: 0.3 up to 40 trees, 0.2 up to
        80, 0.1 up to 160, and 0.05. ``"growing"`` begins with about as large steps, which grow from tree to tree: 60
        trees end with 0.45. It follows teachers more closely if the targets have no noise and there are many rows, but
        less closely if rows are few or a forest labels its own training rows.
    min_samples_leaf : int >= 1, default=5
        Minimum number of rows of a leaf.
    l2_regularization : float >= 0, default=1.0
        Ridge on the leaf values.
    max_bins : int in [2, 65535], default=255
        Bins of a feature.
    resolve_leaves : bool, default=True
        Whether all leaf values are refitted together once the trees are grown [2]_, which brings about 60 % of what
        twice the trees would. The ridge is chosen on validation rows.
    monotonic_cst : array-like of int of shape (n_features,), dict or None, default=None
        1 where the probability of the second class must not fall as the column grows, -1 where it must not rise, 0
        where it is free. A dict names columns: ``{"age": 1}``. With more than two classes, a dict from a class to its
        directions, ``{"high risk": {"age": 1}}``, or an array of shape (n_classes, n_features): the odds of the class
        against every other class are then monotone, and so is its probability. At most one class per column. Leaves
        are refitted within the constraints, in trees of at most 512 leaves.
    interaction_cst : {"pairwise", "no_interactions"}, sequence of sets of int or str, or None, default=None
        Sets of columns that may interact, by position or name: the splits on the way to a leaf test columns of one
        set only. Columns in no set form one more. ``"no_interactions"`` allows none, so that each score is a sum of
        functions of one column each; ``"pairwise"`` allows all sets of two.
    init : estimator, Booster, "teacher" or None, default=None
        A fitted model whose trees come first: an earlier student of this kind (more rows, drift), or boosting of
        scikit-learn or LightGBM with no more than ``n_trees`` trees for an output. Trees are grown after them until
        there are ``n_trees``, and all leaves are refitted together. ``"teacher"`` is the teacher of a distilled
        estimator. The model is not changed, :func:`~sklearn.base.clone` keeps it as it is, and the fitted student
        refers to it until ``set_params(init=None)``.
    memory : str, joblib.Memory or None, default=None
        Where trees are cached: a fit of another size on the same rows reuses the trees that it shares with an earlier
        one. Sizes up to 40, 80, 160 and beyond share trees, since their learning rate is the same (``"growing"``: up to
        40, 80, 160, 320, 640 and beyond).
    n_jobs : int or None, default=None
        Threads. ``None`` is 1: small trees gain little from more, and lose much on a busy machine.
    random_state : int, RandomState instance or None, default=None
        Seed of LightGBM, and of the validation rows.
    categorical_features : "from_dtype" or array-like, default="from_dtype"
        Columns that are categories whatever their cells: names, positions, or a mask, as in scikit-learn's histogram
        gradient boosting. Each distinct value is one category. ``"from_dtype"`` declares none: columns of strings,
        of pandas categories, and of objects that are no numbers and no dates are categories in any case.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels.
    scorer_ : Forest
        The trees as flat arrays, one sequence for each class; a single one for two classes.
    ridge_ : ndarray of shape (n_scores,)
        The ridge that was chosen for each sequence, in rows per tree; infinite where the values of boosting were kept.
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
    .. [2] S. Ren et al., "Global Refinement of Random Forest", CVPR 2015, refine leaves in the same way.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.students import CompactBoostingClassifier
    >>> X = np.linspace(0, 1, 200).reshape(-1, 1)
    >>> targets = np.hstack([1 - X, X])
    >>> student = CompactBoostingClassifier(n_trees=20).fit_soft(
    ...     X, targets, classes=["no", "yes"]
    ... )
    >>> student.predict([[0.1], [0.9]])
    array(['no', 'yes'], dtype='<U3')
    """

    def path(
        self, X: Any, targets: Any, sizes: Any, *, classes: Any = None, sample_weight: Any = None
    ) -> list["CompactBoostingClassifier"]:
        """Fit students of several sizes; the trees that they share are grown once.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)
            As for :meth:`fit`.
        targets : array-like of shape (n_samples, n_classes)
            As for :meth:`fit_soft`.
        sizes : list of int, or of (int, int)
            ``n_trees`` of each student, or ``n_trees`` and ``max_leaf_nodes``.
        classes : array-like of shape (n_classes,), default=None
            As for :meth:`fit_soft`.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row.

        Returns
        -------
        students : list of CompactBoostingClassifier
            One for each size: the same as each fitted alone, for an integer ``random_state``.
        """
        return self._path(
            lambda student: student.fit_soft(X, targets, classes=classes, sample_weight=sample_weight), sizes
        )


class CompactBoostingRegressor(CompactRegressor, _CompactBoosting):
    """Small boosted trees for values: ``n_trees`` trees of ``max_leaf_nodes`` leaves for each output.

    Each output has its own sequence of trees, grown by LightGBM [1]_ for squared error on one binned copy of the
    table. Outputs are standardised for the fit.

    Parameters
    ----------
    n_trees : int in [1, 10000], default=60
        Number of trees for each output.
    max_leaf_nodes : int in [2, 131072], default=24
        Maximum number of leaves of a tree.
    learning_rate : float in (0, 10], "auto" or "growing", default="auto"
        Shrinkage of each tree. ``"auto"`` takes larger steps the fewer trees there are: 0.3 up to 40 trees, 0.2 up to
        80, 0.1 up to 160, and 0.05. ``"growing"`` begins with about as large steps, which grow from tree to tree: 60
        trees end with 0.45. It follows teachers more closely if the targets have no noise and there are many rows, but
        less closely if rows are few or a forest labels its own training rows.
    min_samples_leaf : int >= 1, default=5
        Minimum number of rows of a leaf.
    l2_regularization : float >= 0, default=1.0
        Ridge on the leaf values.
    max_bins : int in [2, 65535], default=255
        Bins of a feature.
    resolve_leaves : bool, default=True
        Whether all leaf values are refitted together once the trees are grown [2]_, which brings about 60 % of what
        twice the trees would. The ridge is chosen on validation rows.
    monotonic_cst : array-like of int of shape (n_features,), dict or None, default=None
        1 where the prediction must not fall as the column grows, -1 where it must not rise, 0 where it is free. A
        dict names columns: ``{"age": 1}``. For several outputs, an array of shape (n_outputs, n_features) has the
        directions of each. Leaves are refitted within the constraints, in trees of at most 512 leaves.
    interaction_cst : {"pairwise", "no_interactions"}, sequence of sets of int or str, or None, default=None
        Sets of columns that may interact, by position or name: the splits on the way to a leaf test columns of one
        set only. Columns in no set form one more. ``"no_interactions"`` allows none, so that each score is a sum of
        functions of one column each; ``"pairwise"`` allows all sets of two.
    init : estimator, Booster, "teacher" or None, default=None
        A fitted model whose trees come first: an earlier student of this kind (more rows, drift), or boosting of
        scikit-learn or LightGBM with no more than ``n_trees`` trees for an output. Trees are grown after them until
        there are ``n_trees``, and all leaves are refitted together. ``"teacher"`` is the teacher of a distilled
        estimator. The model is not changed, :func:`~sklearn.base.clone` keeps it as it is, and the fitted student
        refers to it until ``set_params(init=None)``.
    memory : str, joblib.Memory or None, default=None
        Where trees are cached: a fit of another size on the same rows reuses the trees that it shares with an earlier
        one. Sizes up to 40, 80, 160 and beyond share trees, since their learning rate is the same (``"growing"``: up to
        40, 80, 160, 320, 640 and beyond).
    n_jobs : int or None, default=None
        Threads. ``None`` is 1: small trees gain little from more, and lose much on a busy machine.
    random_state : int, RandomState instance or None, default=None
        Seed of LightGBM, and of the validation rows.
    categorical_features : "from_dtype" or array-like, default="from_dtype"
        Columns that are categories whatever their cells: names, positions, or a mask, as in scikit-learn's histogram
        gradient boosting. Each distinct value is one category. ``"from_dtype"`` declares none: columns of strings,
        of pandas categories, and of objects that are no numbers and no dates are categories in any case.

    Attributes
    ----------
    scorer_ : Forest
        The trees as flat arrays, one sequence for each output.
    ridge_ : ndarray of shape (n_outputs,)
        The ridge that was chosen for each sequence, in rows per tree; infinite where the values of boosting were kept.
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
    .. [2] S. Ren et al., "Global Refinement of Random Forest", CVPR 2015, refine leaves in the same way.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.students import CompactBoostingRegressor
    >>> X = np.linspace(0, 1, 200).reshape(-1, 1)
    >>> student = CompactBoostingRegressor(n_trees=40).fit(X, 3 * X[:, 0])
    >>> student.predict([[0.5]]).round(1)
    array([1.5])
    """

    def path(self, X: Any, y: Any, sizes: Any, *, sample_weight: Any = None) -> list["CompactBoostingRegressor"]:
        """Fit students of several sizes; the trees that they share are grown once.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)
            As for :meth:`fit`.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Values.
        sizes : list of int, or of (int, int)
            ``n_trees`` of each student, or ``n_trees`` and ``max_leaf_nodes``.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row.

        Returns
        -------
        students : list of CompactBoostingRegressor
            One for each size: the same as each fitted alone, for an integer ``random_state``.
        """
        return self._path(lambda student: student.fit(X, y, sample_weight=sample_weight), sizes)


def auto_learning_rate(n_trees: int) -> float:
    """Return the learning rate, which falls with the number of trees and is the same for sizes that are close."""
    return next((rate for most, rate in ((40, 0.3), (80, 0.2), (160, 0.1)) if n_trees <= most), 0.05)


def growing_learning_rate(n_trees: int) -> GrowingRate:
    """Return learning rates that grow from tree to tree, smaller ones for more trees."""
    return next(rate for rate in GROWING_RATES if n_trees <= rate.n_trees)


def size_of_trees(n_parameters: float, n_outputs: int) -> dict[str, int] | None:
    """Return number and leaves of the trees for about so many parameters; both grow with the size.

    A tree of L leaves has 3 L - 2 of them. 920 for an output are 20 trees of 16 leaves, 4,200 are 60 of 24.
    """
    for_one = n_parameters / n_outputs - 1
    if for_one < 4:
        return None
    n_leaves = int(min(np.clip(round(16 * (for_one / 920) ** 0.27), 2, 64), (for_one + 2) // 3))
    return {"n_trees": int(min(for_one // (3 * n_leaves - 2), MAX_TREES)), "max_leaf_nodes": n_leaves}
