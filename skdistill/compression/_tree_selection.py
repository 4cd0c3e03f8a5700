"""Selection of trees of a teacher, each cut back, one after the other for what the others leave over."""

from collections.abc import Callable
from dataclasses import replace
from numbers import Integral
from typing import Any, Literal, NamedTuple, Self

import numpy as np
from joblib import effective_n_jobs

from .._losses import Loss
from .._threads import one_blas_thread
from .._types import RandomState
from .._validation import check_number, check_random_state
from ..compiled import Forest
from ..exceptions import StudentSizeError
from ..solvers import VALIDATION_SHARE
from ._budget import Budget
from ._joint_refit import joined_outputs, refitted
from ._kept_splits import take_trees
from ._losses_of_links import as_transfer_set, loss_of, of_one_score
from ._shared_thresholds import share_thresholds
from ._tree_gains import CandidateTrees, Part, joined_parts

N_GROUPS, MIN_GROUP = 4, 20
"""Candidate trees are looked at in so many groups in turn, which takes a quarter of the time; groups are not smaller
than the second number."""

MAX_CANDIDATES, MIN_CANDIDATES = 1000, 100
"""Maximum number of candidate trees of all outputs together, but at least the second number for each output; of more,
some are drawn at random."""

SMALL_SHARE = 0.5
"""Trees with fewer than this share of the usual number of leaves are drawn only if there are too few others."""

MAX_CELLS, MIN_ROWS = 20_000_000, 2000
"""The first number bounds the candidate trees times the rows that they are compared on; there are at least as many rows
as the second."""

MAX_TREES = 10_000
"""Maximum number of trees of an output."""

REFIT_SHARE, MIN_REFIT_ROWS = 0.1, 500
"""Share of the rows on which no tree is selected: the ridge of the refitted leaves is chosen on them. With fewer rows
than the second number, trees are selected on all of them."""

SPLIT_BYTES, VALUE_BYTES = 2.0, 1.8
"""Lower estimates of the bytes of a split and of a leaf value, so that enough trees are selected."""

SIZE_SHARE = 0.98
"""Share of the budget that trees are selected for: refitted values compress a little less."""

MORE_TREES = 1.2
"""Factor of the number of trees where as many as expected leave room in the budget."""

AUTO_LEAVES = 50
"""Leaves of a tree at most for 1,000 leaves of all trees together; they grow with about the root of that number."""

RATES_OF_WHOLE = ((25, 0.3), (80, 0.2), (160, 0.16), (np.inf, 0.05))
RATES_OF_CUT = ((25, 0.3), (80, 0.12), (160, 0.1), (np.inf, 0.05))
"""Learning rates of ``"auto"`` up to a number of trees: of trees that are small enough to be selected whole, and of
those that are cut back, which fit the rows more closely, since each is cut to what is left over. Chosen on rows of four
tables that nothing reports."""


@one_blas_thread()
def select_trees(
    forest: Forest,
    X: Any,
    targets: Any,
    budget: Budget,
    *,
    link: Literal["identity", "binary", "one-vs-rest"] = "identity",
    sample_weight: Any = None,
    max_leaf_nodes: int | Literal["auto"] = "auto",
    learning_rate: float | Literal["auto"] = "auto",
    l2_regularization: float = 1.0,
    min_samples_leaf: int = 5,
    max_thresholds: int = 255,
    refit: bool = True,
    random_state: RandomState = None,
    n_jobs: int | None = None,
) -> Forest:
    r"""Select trees of a forest, cut back and with new leaf values, that imitate the targets together.

    Trees are selected one after the other, as in orthogonal matching pursuit [1]_: each time that part of a tree
    which contains the root, has at most ``max_leaf_nodes`` leaves, and lowers the loss of the scores so far most.
    The leaves of the part get a Newton step, shortened by the learning rate. In the end all leaf values are refitted
    jointly [2]_, and leaves that hardly differ from their siblings are merged. Thresholds are shared first
    (:func:`share_thresholds`), since new thresholds cost bytes [3]_.

    A forest with a tree for each output and step, as boosting of several classes has it, gives its trees to their
    outputs if there are as many targets, and each tree is selected for the output whose loss it lowers most; the leaves
    of the trees of other forests have a value for each output.

    Parameters
    ----------
    forest : Forest
        The trees to select from. Their leaf values are not used.
    X : ndarray or sparse matrix of shape (n_rows, n_features)
        Rows as the forest reads them.
    targets : array-like of shape (n_rows,) or (n_rows, n_outputs)
        Values, probabilities of the second of two classes, or probabilities of all of more classes.
    budget : Budget
        Limits of the result.
    link : {"identity", "binary", "one-vs-rest"}, default="identity"
        Link of the scores: values, the logit of the second of two classes, or a logit for each class.
    sample_weight : array-like of shape (n_rows,) or None, default=None
        Weight of each row; ``None`` for equal weights.
    max_leaf_nodes : int >= 2 or "auto", default="auto"
        Leaves of a tree at most. ``"auto"`` lets them grow with the budget, from 8 to 256.
    learning_rate : float in (0, 1] or "auto", default="auto"
        Shortens the steps of the leaf values. ``"auto"`` is 0.3 for up to 25 trees, and 0.05 for more than 160; between
        them it is smaller for trees that are cut back than for trees of at most ``max_leaf_nodes`` leaves.
    l2_regularization : float >= 0, default=1.0
        Ridge on the leaf values, in rows of mean weight.
    min_samples_leaf : int >= 1, default=5
        Rows of a leaf at least.
    max_thresholds : int >= 1, default=255
        Distinct thresholds of a feature at most.
    refit : bool, default=True
        Whether all leaf values are refitted jointly.
    random_state : int, RandomState instance or None, default=None
        Seed of the groups of trees that are looked at in turn, and of the rows that the ridge is chosen on.
    n_jobs : int or None, default=None
        Threads that find the leaves of rows; ``None`` is 1.

    Returns
    -------
    forest : Forest
        Within the budget, with values stored as float16.

    Raises
    ------
    StudentSizeError
        If a single tree of two leaves exceeds the budget.
    ValueError
        If an argument is invalid.

    References
    ----------
    .. [1] Y. Pati, R. Rezaiifar, P. Krishnaprasad, "Orthogonal Matching Pursuit", Asilomar 1993.
    .. [2] S. Ren et al., "Global Refinement of Random Forest", CVPR 2015.
    .. [3] "Boosted Trees on a Diet" (ToaD), ICLR 2026, penalise new features and thresholds of boosted trees.

    Examples
    --------
    >>> import numpy as np
    >>> import skdistill
    >>> from sklearn.ensemble import RandomForestRegressor
    >>> from skdistill.compression import Budget, select_trees
    >>> X = np.random.default_rng(0).uniform(size=(1000, 2))
    >>> teacher = RandomForestRegressor(50, random_state=0).fit(X, X[:, 0] * X[:, 1])
    >>> forest = skdistill.compile(teacher).scorer
    >>> small = select_trees(
    ...     forest, X, teacher.predict(X), Budget(max_parameters=500), random_state=0
    ... )
    >>> forest.n_parameters > 50_000, small.n_parameters <= 500
    (True, True)
    """
    who = "select_trees"
    targets, weight = as_transfer_set(who, X, targets, sample_weight)
    loss = loss_of(who, link, ("identity", "binary", "one-vs-rest"))
    _check_numbers(max_leaf_nodes, learning_rate, l2_regularization, min_samples_leaf, max_thresholds)
    rng, n_jobs = check_random_state(random_state, who), effective_n_jobs(n_jobs)
    shape = _Shape.of(budget, forest, targets.shape[1], max_leaf_nodes)
    rate = shape.auto_rate if isinstance(learning_rate, str) else learning_rate
    is_validation, is_seen = _divide_rows(rng, len(weight))
    shared = share_thresholds(forest, max_thresholds)
    sequences = []
    for outputs in shape.outputs:
        trees = forest.tree_splits > 0
        if shape.is_by_output:
            trees &= forest.tree_output == outputs[0]
        sequence = _Sequence(loss if len(outputs) > 1 else of_one_score(loss), targets[:, outputs], weight)
        n_candidates = max(MAX_CANDIDATES // len(shape.outputs), MIN_CANDIDATES)
        sequence.find_candidates(shared, np.flatnonzero(trees), n_candidates, X, is_seen, min_samples_leaf, rng, n_jobs)
        sequences.append(sequence)

    def finish(forests: list[Forest]) -> Forest:
        return refitted(forests, sequences, X, is_validation if refit else None, n_jobs=n_jobs)

    return _selected(sequences, shape, rate, l2_regularization, budget, finish)


def _selected(
    sequences: list["_Sequence"],
    shape: "_Shape",
    rate: float,
    ridge: float,
    budget: Budget,
    finish: Callable[[list[Forest]], Forest],
) -> Forest:
    """Return the finished forest; of smaller trees, where a single one exceeds the budget."""
    while True:
        try:
            return _Selection(sequences, shape, rate, ridge, budget).finished(finish)
        except StudentSizeError:
            if shape.max_leaf_nodes == 2:
                raise
            shape = shape._replace(max_leaf_nodes=max(shape.max_leaf_nodes // 2, 2))


class _Shape(NamedTuple):
    """The outputs of each sequence of trees, the number of its trees, their leaves at most, and if none is cut off."""

    outputs: list[np.ndarray]
    is_by_output: bool
    n_trees: int
    max_leaf_nodes: int
    are_whole: bool

    @classmethod
    def of(cls, budget: Budget, forest: Forest, n_outputs: int, max_leaf_nodes: int | str) -> Self:
        """Return the shape of the largest forest within a budget, or of one that is somewhat larger."""
        is_by_output = n_outputs > 1 and forest.value.shape[1] == 1 and len(forest.base) == n_outputs
        outputs = np.split(np.arange(n_outputs), n_outputs if is_by_output else 1)
        width = len(outputs[0])
        n_leaves = [np.inf]
        if budget.max_parameters is not None:
            n_leaves.append((budget.max_parameters - n_outputs) / (2 + width) / len(outputs))
        if budget.max_bytes is not None:
            n_leaves.append(budget.max_bytes / (SPLIT_BYTES + VALUE_BYTES * width) / len(outputs))
        of_teacher = _usual_leaves(forest.tree_splits)
        most = _auto_leaves(min(n_leaves)) if isinstance(max_leaf_nodes, str) else int(max_leaf_nodes)
        most = int(np.clip(most, 2, max(of_teacher, 2)))
        most = int(np.clip(min(n_leaves), 2, most)) if np.isfinite(min(n_leaves)) else most
        n_trees = min(n_leaves) * (2 + width) / ((2 + width) * most - 2)
        if budget.max_ops is not None:
            n_trees = min(n_trees, budget.max_ops / (np.log2(most) + width) / len(outputs))
        return cls(outputs, is_by_output, int(np.clip(np.ceil(n_trees), 1, MAX_TREES)), most, most >= of_teacher)

    @property
    def auto_rate(self) -> float:
        """Learning rate for the number of trees."""
        rates = RATES_OF_WHOLE if self.are_whole else RATES_OF_CUT
        return next(rate for most, rate in rates if self.n_trees <= most)


class _Sequence:
    """The trees that are selected for some of the outputs.

    Parameters
    ----------
    loss : Loss
    targets : ndarray of shape (n_rows, n_outputs)
    weight : ndarray of shape (n_rows,)
    """

    def __init__(self, loss: Loss, targets: np.ndarray, weight: np.ndarray) -> None:
        self.loss, self.targets, self.weight = loss, targets, weight
        self.base = np.atleast_1d(loss.best_constant(np.average(targets, axis=0, weights=weight)))
        self.groups: list[CandidateTrees] = []

    def find_candidates(
        self,
        forest: Forest,
        trees: np.ndarray,
        n_candidates: int,
        X: Any,
        is_seen: np.ndarray,
        min_rows: int,
        rng: np.random.RandomState,
        n_jobs: int,
    ) -> None:
        """Divide trees into groups, with the leaf of each row in each of them."""
        self.template = replace(take_trees(forest, trees[:0]), base=self.base, unit=np.ones(len(self.base)))
        trees = rng.permutation(trees)
        is_small = forest.tree_splits[trees] + 1 < SMALL_SHARE * _usual_leaves(forest.tree_splits[trees])
        trees = np.concatenate([trees[~is_small], trees[is_small]])[:n_candidates]
        seen = np.flatnonzero(is_seen & (self.weight > 0))
        n_rows = max(MAX_CELLS // max(len(trees), 1), MIN_ROWS)
        self.rows = seen if len(seen) <= n_rows else np.sort(rng.permutation(seen)[:n_rows])
        n_groups = int(np.clip(len(trees) // MIN_GROUP, 1, N_GROUPS))
        cells = X[self.rows]
        for group in range(n_groups if len(trees) else 0):
            of_group = take_trees(forest, np.sort(trees[group::n_groups]))
            self.groups.append(CandidateTrees(of_group, cells, min_rows, n_jobs))

    def curvature(self, scores: np.ndarray) -> np.ndarray:
        """Return the second derivatives, of shape (n_rows, n_scores) or, where they are all one, (n_rows, 1)."""
        if self.loss.is_quadratic:
            return np.ones((len(scores), 1))
        outputs = self.loss.outputs(scores)
        return np.column_stack([self.loss.second_derivative(outputs, score, score) for score in range(scores.shape[1])])

    def forest(self, parts: list[Part]) -> Forest:
        """Return the forest of some parts of trees."""
        if not parts:
            value = np.zeros((0, len(self.base)))
            return replace(self.template, value=value, tree_output=np.zeros(0, dtype=np.int64))
        return joined_parts(parts, self.base)


class _Growth:
    """The parts of trees that have been selected for a sequence, and the scores that they add up to."""

    def __init__(self, sequence: _Sequence, max_leaf_nodes: int, rate: float, ridge: float) -> None:
        self.sequence, self.max_leaf_nodes, self.rate, self.ridge = sequence, max_leaf_nodes, rate, ridge
        self.parts: list[Part] = []
        self.groups = list(sequence.groups)
        self.targets, weight = sequence.targets[sequence.rows], sequence.weight[sequence.rows, None]
        self.weight = weight / weight.mean()
        self.scores = np.tile(sequence.base, (len(self.targets), 1))
        self.next: tuple[Part, np.ndarray] | None = None

    def gain(self) -> float:
        """Return what the next tree lowers the loss by; minus infinity if no tree lowers it."""
        while self.groups and self.next is None:
            gradient = -self.weight * self.sequence.loss.gradient(self.scores, self.targets)
            curvature = self.weight * self.sequence.curvature(self.scores)
            group = self.groups.pop(0)
            self.next = group.best_part(gradient, curvature, self.max_leaf_nodes, self.ridge)
            if self.next is not None:
                self.groups.append(group)
        return -np.inf if self.next is None else self.next[0].gain

    def add(self) -> None:
        """Add the next tree."""
        assert self.next is not None
        part, change = self.next
        self.parts.append(part._replace(value=self.rate * part.value))
        self.scores += self.rate * change
        self.next = None


class _Selection:
    """The trees that are selected for all sequences, and how many of them the budget allows."""

    def __init__(self, sequences: list[_Sequence], shape: _Shape, rate: float, ridge: float, budget: Budget) -> None:
        self.budget = budget
        self.growths = [_Growth(sequence, shape.max_leaf_nodes, rate, ridge) for sequence in sequences]
        self.order: list[int] = []
        n_trees, most = shape.n_trees * len(sequences), MAX_TREES * len(sequences)
        while True:
            self._extend(n_trees)
            self.n_trees = self._largest_within_budget()
            if self.n_trees < n_trees or n_trees >= most:
                break
            n_trees = min(int(MORE_TREES * n_trees) + 1, most)  # the trees are smaller than expected

    def _extend(self, n_trees: int) -> None:
        """Select trees, each for the sequence that gains most, until there are enough, or none lowers the loss."""
        while len(self.order) < n_trees:
            gains = [growth.gain() for growth in self.growths]
            best = int(np.argmax(gains))
            if np.isneginf(gains[best]):
                break
            self.growths[best].add()
            self.order.append(best)

    def _largest_within_budget(self) -> int:
        """Return the largest number of trees within the budget before they are refitted, at least one."""
        low, high = 1, max(1, len(self.order))
        while low < high:
            middle = (low + high + 1) // 2
            is_within = self.budget.excess(joined_outputs(self.first(middle)).stored_as(np.float16)) <= SIZE_SHARE
            low, high = (middle, high) if is_within else (low, middle - 1)
        return low

    def first(self, n_trees: int) -> list[Forest]:
        """Return the first trees of each sequence."""
        counts = np.bincount(self.order[:n_trees], minlength=len(self.growths))
        return [
            growth.sequence.forest(growth.parts[:count]) for growth, count in zip(self.growths, counts, strict=True)
        ]

    def finished(self, finish: Callable[[list[Forest]], Forest]) -> Forest:
        """Return the finished forest of as many trees as the budget allows."""
        n_trees = self.n_trees
        while True:
            found = finish(self.first(n_trees))
            excess = self.budget.excess(found)
            if excess <= 1:
                return found
            if n_trees == 1:
                raise self.budget.too_small("select_trees", found)
            n_trees = max(min(n_trees - len(self.growths), int(n_trees / excess)), 1)


def _divide_rows(rng: np.random.RandomState, n_rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Return which rows the ridge of the refit is chosen on, and which rows trees are selected on."""
    draws = rng.uniform(size=n_rows)
    if n_rows < MIN_REFIT_ROWS:
        return draws < VALIDATION_SHARE, np.ones(n_rows, dtype=bool)
    return draws < REFIT_SHARE, draws >= REFIT_SHARE


def _usual_leaves(n_splits: np.ndarray) -> int:
    """Return the number of leaves such that half of all leaves are in trees of at least as many.

    Boosting that has fitted its rows goes on with trees of two leaves, which may be most of the trees.
    """
    n_leaves = np.sort(n_splits[n_splits > 0] + 1)
    if not len(n_leaves):
        return 2
    return int(n_leaves[np.searchsorted(np.cumsum(n_leaves), n_leaves.sum() / 2)])


def _auto_leaves(n_leaves: float) -> int:
    """Return the leaves of a tree for a number of all leaves: few large trees are better than many small ones."""
    most = AUTO_LEAVES if np.isinf(n_leaves) else min(AUTO_LEAVES * (n_leaves / 1000) ** 0.54, n_leaves / 8)
    return int(np.clip(round(most), 8, 256))


def _check_numbers(
    max_leaf_nodes: Any, learning_rate: Any, l2_regularization: Any, min_samples_leaf: Any, max_thresholds: Any
) -> None:
    who = "select_trees"
    check_number(who, "max_leaf_nodes", max_leaf_nodes, kind=Integral, low=2, names=("auto",))
    check_number(who, "learning_rate", learning_rate, low=0, high=1, low_open=True, names=("auto",))
    check_number(who, "l2_regularization", l2_regularization, low=0)
    check_number(who, "min_samples_leaf", min_samples_leaf, kind=Integral, low=1)
    check_number(who, "max_thresholds", max_thresholds, kind=Integral, low=1)
