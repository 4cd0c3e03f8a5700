"""Students that inherit: they start from the parameters of the teacher, and are fitted to its outputs from there."""

from dataclasses import replace
from numbers import Integral
from typing import Any, Literal

import numpy as np

from .._losses import Loss, OneVsRestCrossEntropy, SoftmaxCrossEntropy
from .._types import RandomState, SupportsPredict
from .._validation import check_n_jobs, check_number, check_random_state, draw_seed
from ..compiled import CompiledModel, Forest, Linear
from ..compiled._nodes import round_down
from ..compression import Budget, Inheritance, prune_tree, prune_trees, read_inheritance, select_trees, select_weights
from ..exceptions import StudentError
from ..solvers import TreeTable
from ._boosting import CompactBoostingRegressor
from ._inherit_kinds import inherit_other
from ._init_kept import KeepsInit, SameClasses, model_in_init
from ._lending import teacher_here
from ._student import CompactClassifier, CompactRegressor, CompactStudent

OWN_TREES, OWN_LEAVES, OWN_RATE = 100, 31, 0.1
"""Trees, leaves and learning rate of the boosting that a student without a teacher fits and compresses."""

PRUNED_SIZE = 2.0
"""A teacher of at most so many times the budget is also cut back as it is; the better student is kept."""

CLOSE_LOSS = 1e-4
"""Share of the variance of the targets up to which a teacher that was cut back is kept, and no trees are selected:
these could hardly be better, and take longest if the teacher has thousands of trees."""

SCORE_MARGIN = 1e-9
"""Bounds the distance of probabilities to 0 and 1 where they are compared with the scores of a teacher."""


class _CompactInherited(KeepsInit, CompactStudent):
    """Base class of the classifier and the regressor that inherit."""

    _loss_of_many = OneVsRestCrossEntropy

    def __init__(
        self,
        max_parameters: int | None = 4200,
        *,
        init: SupportsPredict | CompiledModel | Literal["teacher"] | None = None,
        max_bytes: int | None = None,
        max_ops: int | None = None,
        max_leaf_nodes: int | Literal["auto"] = "auto",
        learning_rate: float | Literal["auto"] = "auto",
        min_samples_leaf: int = 5,
        l2_regularization: float = 1.0,
        refit: bool = True,
        n_steps: int | Literal["auto"] = "auto",
        n_jobs: int | None = None,
        random_state: RandomState = None,
    ) -> None:
        self.max_parameters = max_parameters
        self.init = init
        self.max_bytes = max_bytes
        self.max_ops = max_ops
        self.max_leaf_nodes = max_leaf_nodes
        self.learning_rate = learning_rate
        self.min_samples_leaf = min_samples_leaf
        self.l2_regularization = l2_regularization
        self.refit = refit
        self.n_steps = n_steps
        self.n_jobs = n_jobs
        self.random_state = random_state

    def _learn(self, X: Any, targets: np.ndarray, weight: np.ndarray) -> Any:
        """Return the part of the trees or weights of a teacher that fits into the budget."""
        budget, rng = self._check_parameters(), check_random_state(self.random_state, self)
        teacher = teacher_here() if self.init is None else model_in_init(self)
        other = None if teacher is None else inherit_other(self, teacher, (X, targets, weight), budget, rng)
        if other is not None:
            return other
        table = TreeTable(X, weight)
        self._encoder = table.encoder
        if teacher is None:
            start = Inheritance(self._grown(X, targets, weight, draw_seed(rng)), self._loss.link, None, None)
        else:
            start = self._read(teacher, table)
        if isinstance(start.scorer, Linear):
            if targets.shape[1] > 1 and start.link == "softmax" and self._classifies:
                self._loss = SoftmaxCrossEntropy()
            return select_weights(
                start.scorer, table.cells, targets, budget, link=self._loss.link, sample_weight=weight
            )
        return self._smaller_forest(start, table, targets, weight, budget, rng)

    def _smaller_forest(
        self,
        start: Inheritance,
        table: TreeTable,
        targets: np.ndarray,
        weight: np.ndarray,
        budget: Budget,
        rng: np.random.RandomState,
    ) -> Forest:
        forest = _in_precision(start.scorer, table)
        given: dict[str, Any] = {"sample_weight": weight}
        if forest.n_trees == 1:
            self._loss = SoftmaxCrossEntropy() if targets.shape[1] > 1 and self._classifies else self._loss
            return prune_tree(forest, table.cells, targets, budget, link=self._loss.link, **given)
        given.update(random_state=draw_seed(rng), n_jobs=self.n_jobs, refit=self.refit)
        pruned, loss = None, self._loss
        if forest.n_parameters <= PRUNED_SIZE * _most_parameters(budget):
            loss = SoftmaxCrossEntropy() if start.link == "softmax" and self._classifies else self._loss
            aligned = _aligned(start._replace(scorer=forest), table.cells, targets, weight, loss)
            if aligned is not None:
                pruned = prune_trees(aligned, table.cells, targets, budget, link=loss.link, **given)
        if pruned is None or _mean_loss(loss, pruned, table.cells, targets, weight) > CLOSE_LOSS:
            selected = select_trees(forest, table.cells, targets, budget, **self._selection_params(), **given)
            rows = (table.cells, targets, weight)
            if pruned is None or _mean_loss(self._loss, selected, *rows) < _mean_loss(loss, pruned, *rows):
                return selected
        self._loss = loss
        return pruned

    @property
    def _classifies(self) -> bool:
        return isinstance(self, CompactClassifier)

    def _read(self, model: Any, table: TreeTable) -> Inheritance:
        """Return what is inherited from a model that reads the columns of the table."""
        try:
            start = read_inheritance(model)
            check_columns(start, model, table.encoder.is_category_, self._names())
        except StudentError as error:
            raise StudentError(f"{type(self).__name__}: {error}") from error
        return start

    def _grown(self, X: Any, targets: np.ndarray, weight: np.ndarray, seed: int) -> Forest:
        """Return boosted trees fitted to the targets, which a student without a teacher compresses."""
        booster = CompactBoostingRegressor(
            OWN_TREES,
            OWN_LEAVES,
            learning_rate=OWN_RATE,
            min_samples_leaf=self.min_samples_leaf,
            resolve_leaves=False,
            n_jobs=self.n_jobs,
            random_state=seed,
        )
        booster._loss = self._loss
        return booster._learn(X, targets, weight)

    def _selection_params(self) -> dict[str, Any]:
        names = ("max_leaf_nodes", "learning_rate", "min_samples_leaf", "l2_regularization")
        return {"link": self._loss.link, **{name: getattr(self, name) for name in names}}

    def _params_of_size(self, n_parameters: int, n_inputs: int, n_outputs: int) -> dict[str, Any] | None:  # noqa: ARG002
        return {"max_parameters": int(n_parameters)} if n_parameters >= 5 * n_outputs else None

    def _check_parameters(self) -> Budget:
        """Return the budget, after a check of all parameters."""
        limits = {name: getattr(self, name) for name in ("max_parameters", "max_bytes", "max_ops")}
        for name, value in limits.items():
            if value is not None:
                check_number(self, name, value, kind=Integral, low=1)
        if all(value is None for value in limits.values()):
            raise ValueError(
                f"{type(self).__name__}: max_parameters, max_bytes and max_ops are all None; expected a limit. Set one."
            )
        check_number(self, "max_leaf_nodes", self.max_leaf_nodes, kind=Integral, low=2, names=("auto",))
        check_number(self, "learning_rate", self.learning_rate, low=0, high=1, low_open=True, names=("auto",))
        check_number(self, "min_samples_leaf", self.min_samples_leaf, kind=Integral, low=1)
        check_number(self, "l2_regularization", self.l2_regularization, low=0)
        check_number(self, "n_steps", self.n_steps, kind=Integral, low=0, names=("auto",))
        check_n_jobs(self, self.n_jobs)
        return Budget(**limits)


class CompactInheritedClassifier(SameClasses, CompactClassifier, _CompactInherited):
    r"""Parts of the teacher's own trees or weights for soft targets, fitted again ("parameter distillation").

    Of a forest, extra trees or boosting, trees are selected one after the other [1]_. A row with the gradient
    :math:`g_i` and the curvature :math:`h_i` of the cross-entropy adds to the sums :math:`G` and :math:`H` of its leaf
    in each tree. The part of a tree that contains its root, has few leaves and the largest sum of gains

    .. math:: \frac{G_L^2}{H_L + \lambda} + \frac{G_R^2}{H_R + \lambda} - \frac{(G_L + G_R)^2}{H_L + H_R + \lambda}

    is added, with short Newton steps as leaf values. In the end all leaf values are refitted jointly [2]_. A teacher
    that fits into the budget is kept as it is; one that nearly does is also cut back by the weakest links of the whole
    forest, and the better student is kept. A single tree is cut back along its cost-complexity path [3]_, and of a
    linear model, weights are selected along an L1 path. Of a network, the hidden units that matter most to its scores
    are kept, and the network is trained on from there (:func:`skdistill.compression.prune_units`). Of an RBF kernel
    machine, landmarks near its support vectors are selected and moved, and coefficients are solved for [4]_; of nearest
    neighbours, the landmarks start from means of neighbouring rows. No landmark is a row of the model.

    Parameters
    ----------
    max_parameters : int >= 1 or None, default=4200
        Parameters at most: features and thresholds of splits, leaf values, weights. ``None`` for no limit.
    init : estimator, Booster, CompiledModel, "teacher" or None, default=None
        The fitted model whose parameters are inherited: a tree, a forest, extra trees, gradient boosting or a linear
        model of scikit-learn, a LightGBM or XGBoost model, or a compact student of trees, of numeric columns; a network
        of torch with rectified units (an ``nn.Sequential``, see :func:`skdistill.compile`); or a network with rectified
        units, a kernel machine with an RBF kernel or nearest neighbours of scikit-learn, also behind scalers, imputers
        and one-hot encoders. It is not changed, and :func:`~sklearn.base.clone` keeps it as it
        is. ``None`` and ``"teacher"`` are the teacher in a distilled estimator; without one, ``None`` means that
        boosted trees (100 of 31 leaves) are fitted to the targets first, and then compressed.
    max_bytes : int >= 1 or None, default=None
        Size of the scorer's pickle at most, in bytes; ``None`` for no limit.
    max_ops : int >= 1 or None, default=None
        Operations per row at most; ``None`` for no limit.
    max_leaf_nodes : int >= 2 or "auto", default="auto"
        Leaves of a selected tree at most. ``"auto"`` lets them grow with the budget, from 8 to 256.
    learning_rate : float in (0, 1] or "auto", default="auto"
        Shortens the steps of the leaf values of selected trees. ``"auto"`` falls with the number of trees, and
        is smaller for trees that are cut back.
    min_samples_leaf : int >= 1, default=5
        Rows of a leaf at least.
    l2_regularization : float >= 0, default=1.0
        Ridge on the leaf values of selected trees, in rows of mean weight.
    refit : bool, default=True
        Whether all leaf values are refitted jointly once trees are selected.
    n_steps : int >= 0 or "auto", default="auto"
        Number of L-BFGS steps by which landmarks are moved. ``"auto"`` is 60 steps on up to 20,000 rows; a number of
        steps is taken on 5,000 rows, which ``AutoStudent`` does (40 steps, and 10 where it compares students on
        many rows).
    n_jobs : int or None, default=None
        Threads that find the leaves of rows; ``None`` is 1.
    random_state : int, RandomState instance or None, default=None
        Seed of the groups of trees that are looked at in turn, and of the rows that the ridge is chosen on.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels.
    scorer_ : Forest, Network or Landmarks
        The trees, the weights or the landmarks, as flat arrays.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of str, shape (n_features,)
        Names of the columns, for frames.

    See Also
    --------
    CompactInheritedRegressor : The same for values.
    skdistill.compression.select_trees : The selection of trees alone.

    References
    ----------
    .. [1] Y. Pati, R. Rezaiifar, P. Krishnaprasad, "Orthogonal Matching Pursuit", Asilomar 1993.
    .. [2] S. Ren et al., "Global Refinement of Random Forest", CVPR 2015.
    .. [3] L. Breiman, J. Friedman, R. Olshen, C. Stone, "Classification and Regression Trees", 1984.
    .. [4] C. Burges, B. Schölkopf, "Improving the Accuracy and Speed of Support Vector Machines", NeurIPS 1996.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from skdistill.students import CompactInheritedClassifier
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> teacher = RandomForestClassifier(100, random_state=0).fit(X, y)
    >>> student = CompactInheritedClassifier(200, init=teacher, random_state=0)
    >>> student.fit_soft(X, teacher.predict_proba(X)).score(X, y) > 0.95
    True
    >>> student.scorer_.n_parameters <= 200
    True
    """


class CompactInheritedRegressor(CompactRegressor, _CompactInherited):
    r"""Parts of the teacher's own trees or weights for values, fitted again ("parameter distillation").

    Of a forest, extra trees or boosting, trees are selected one after the other [1]_: the part of a tree that contains
    its root, has few leaves, and lowers the squared error of what the trees so far leave over most is added, with
    shortened steps as leaf values. In the end all leaf values are refitted jointly [2]_. A teacher that fits into the
    budget is kept as it is; one that nearly does is also cut back by the weakest links of the whole forest, and the
    better student is kept. A single tree is cut back along its cost-complexity path [3]_, and of a linear model,
    weights are selected along an L1 path. Of a network, the hidden units that matter most to its scores are kept, and
    the network is trained on from there (:func:`skdistill.compression.prune_units`). Of an RBF kernel machine,
    landmarks near its support vectors are selected and moved, and coefficients are solved for [4]_; of nearest
    neighbours, the landmarks start from means of neighbouring rows. No landmark is a row of the model. Outputs are
    standardised for the fit.

    Parameters
    ----------
    max_parameters : int >= 1 or None, default=4200
        Parameters at most: features and thresholds of splits, leaf values, weights. ``None`` for no limit.
    init : estimator, Booster, CompiledModel, "teacher" or None, default=None
        The fitted model whose parameters are inherited: a tree, a forest, extra trees, gradient boosting or a linear
        model of scikit-learn, a LightGBM or XGBoost model, or a compact student of trees, of numeric columns; a network
        of torch with rectified units (an ``nn.Sequential``, see :func:`skdistill.compile`); or a network with rectified
        units, a kernel machine with an RBF kernel or nearest neighbours of scikit-learn, also behind scalers, imputers
        and one-hot encoders. It is not changed, and :func:`~sklearn.base.clone` keeps it as it
        is. ``None`` and ``"teacher"`` are the teacher in a distilled estimator; without one, ``None`` means that
        boosted trees (100 of 31 leaves) are fitted to the targets first, and then compressed.
    max_bytes : int >= 1 or None, default=None
        Size of the scorer's pickle at most, in bytes; ``None`` for no limit.
    max_ops : int >= 1 or None, default=None
        Operations per row at most; ``None`` for no limit.
    max_leaf_nodes : int >= 2 or "auto", default="auto"
        Leaves of a selected tree at most. ``"auto"`` lets them grow with the budget, from 8 to 256.
    learning_rate : float in (0, 1] or "auto", default="auto"
        Shortens the steps of the leaf values of selected trees. ``"auto"`` falls with the number of trees, and
        is smaller for trees that are cut back.
    min_samples_leaf : int >= 1, default=5
        Rows of a leaf at least.
    l2_regularization : float >= 0, default=1.0
        Ridge on the leaf values of selected trees, in rows of mean weight.
    refit : bool, default=True
        Whether all leaf values are refitted jointly once trees are selected.
    n_steps : int >= 0 or "auto", default="auto"
        Number of L-BFGS steps by which landmarks are moved. ``"auto"`` is 60 steps on up to 20,000 rows; a number of
        steps is taken on 5,000 rows, which ``AutoStudent`` does (40 steps, and 10 where it compares students on
        many rows).
    n_jobs : int or None, default=None
        Threads that find the leaves of rows; ``None`` is 1.
    random_state : int, RandomState instance or None, default=None
        Seed of the groups of trees that are looked at in turn, and of the rows that the ridge is chosen on.

    Attributes
    ----------
    scorer_ : Forest, Network or Landmarks
        The trees, the weights or the landmarks, as flat arrays.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of str, shape (n_features,)
        Names of the columns, for frames.

    See Also
    --------
    CompactInheritedClassifier : The same for classes.
    skdistill.compression.select_trees : The selection of trees alone.

    References
    ----------
    .. [1] Y. Pati, R. Rezaiifar, P. Krishnaprasad, "Orthogonal Matching Pursuit", Asilomar 1993.
    .. [2] S. Ren et al., "Global Refinement of Random Forest", CVPR 2015.
    .. [3] L. Breiman, J. Friedman, R. Olshen, C. Stone, "Classification and Regression Trees", 1984.
    .. [4] C. Burges, B. Schölkopf, "Improving the Accuracy and Speed of Support Vector Machines", NeurIPS 1996.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.ensemble import RandomForestRegressor
    >>> from skdistill.students import CompactInheritedRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> teacher = RandomForestRegressor(100, random_state=0).fit(X, y)
    >>> student = CompactInheritedRegressor(1000, init=teacher, random_state=0)
    >>> student.fit_soft(X, teacher.predict(X)).score(X, teacher.predict(X)) > 0.9
    True
    >>> student.scorer_.n_parameters <= 1000
    True
    """


def check_columns(start: Inheritance, model: Any, is_category: np.ndarray, names: Any) -> None:
    """Raise an error unless a model reads the columns of a table, which are numbers."""
    kind = type(model).__name__
    if start.scorer.n_features != len(is_category):
        raise StudentError(
            f"the {kind} was fitted on {start.scorer.n_features} columns, and X has {len(is_category)}; expected "
            "the columns that the model was fitted on."
        )
    if names is not None and start.names is not None and list(names) != list(start.names):
        raise StudentError(
            f"the {kind} was fitted on the columns {list(start.names)}, and X has {list(names)}; expected the same "
            "columns in the same order."
        )
    if is_category.any():
        raise StudentError(
            f"column {int(np.flatnonzero(is_category)[0])} of X holds categories or text, which the splits of the "
            f"{kind} do not read; expected numbers. Encode the column before both are fitted."
        )


def _most_parameters(budget: Budget) -> float:
    """Return about as many parameters as a budget allows."""
    limits = [float(budget.max_parameters or np.inf), float(budget.max_bytes or np.inf)]
    return min(limits)


def _in_precision(forest: Forest, table: TreeTable) -> Forest:
    """Return the forest with thresholds of half the bytes, where the cells of the table allow the same comparisons."""
    if table.cells.dtype != np.float32 or forest.dtype == np.float32:
        return forest
    is_coded = forest.is_category[forest.feature]
    threshold = np.where(is_coded, forest.threshold, round_down(forest.threshold)).astype(np.float32)
    return replace(forest, threshold=threshold)


def _aligned(start: Inheritance, cells: Any, targets: np.ndarray, weight: np.ndarray, loss: Loss) -> Forest | None:
    """Return the forest with its scores on the scale of the targets' scores; ``None`` if these are others.

    Values are standardised for a fit, and a temperature divides scores: one factor and one constant for each output.
    """
    forest = start.scorer
    if len(forest.base) != targets.shape[1] or (start.link == "identity") != loss.is_quadratic:
        return None
    if not loss.is_quadratic and start.link != loss.link:
        return None
    wanted = loss.centred(loss.scores(loss.clipped(targets, SCORE_MARGIN)))
    scores = loss.centred(forest.scores(cells))
    share = (weight / weight.sum())[:, None]
    mean, mean_wanted = (share * scores).sum(axis=0), (share * wanted).sum(axis=0)
    centred = share * (scores - mean)
    spread, product = (centred * scores).sum(axis=0), (centred * wanted).sum(axis=0)
    if isinstance(loss, SoftmaxCrossEntropy):  # one temperature
        spread, product = np.full_like(spread, spread.sum()), np.full_like(product, product.sum())
    factor = np.where(spread > 0, product / np.where(spread > 0, spread, 1), 1.0)
    return forest.scaled(factor, mean_wanted - factor * mean)


def _mean_loss(loss: Loss, scorer: Any, cells: Any, targets: np.ndarray, weight: np.ndarray) -> float:
    """Return the squared distance of outputs to targets, as a share of the variance of the targets."""
    mean = np.average(targets, axis=0, weights=weight)
    variance = np.average(((targets - mean) ** 2).sum(axis=1), weights=weight)
    distance = np.average(loss.validation_loss(scorer.scores(cells), targets), weights=weight)
    return float(distance / max(variance, np.finfo(np.float64).tiny))
