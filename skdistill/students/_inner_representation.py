"""What a teacher computes on the way to its outputs, as a few numbers for each row."""

import warnings
from collections.abc import Callable
from numbers import Integral
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.ensemble import StackingClassifier, StackingRegressor, VotingClassifier, VotingRegressor
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from .._described import with_article
from .._encoding import once
from .._progress import Progress
from .._tables import take_rows
from .._threads import one_blas_thread
from .._validation import check_number, check_random_state
from ..compiled import Forest, Network
from ..compression._model_inside import look_inside
from ..compression._network_reading import read_network
from ..convert import read_model
from ..exceptions import CompileError, StudentError

REPRESENTED = (
    "an MLPClassifier or MLPRegressor with activation='relu', trees, forests and histogram gradient boosting of "
    "scikit-learn, a LightGBM model, a voting or stacking ensemble, or a compact student of trees or an MLP, also "
    "behind the steps of a pipeline"
)
"""The models with an inner representation, for messages."""

CHUNK_ROWS = 5000
"""Number of rows that are read at a time."""

REDUCTION_ROWS = 5000
"""Maximum number of rows on which the principal components are fitted."""

PROJECTED = 128
"""Number of random projections of the leaves of a row."""


class Numbers(NamedTuple):
    """A function from a chunk of rows to inner numbers, and whether these have scales of their own."""

    read: Callable[[Any], np.ndarray]
    is_standardised: bool


@one_blas_thread()  # sums of several threads differ in their last digits
def inner_representation(
    model: Any, X: Any, *, n_components: int = 16, random_state: Any = 0, verbose: int = 0
) -> np.ndarray:
    """Return what a fitted model computes inside, as the hints of a student.

    The numbers are those of the hidden layers of a network, the outputs of the members of a voting or stacking
    ensemble, or random projections of the leaves that a row reaches in trees, in which each tree counts as the standard
    deviation of its leaf values. Their principal components are returned, the largest first, divided by one factor so
    that the sum of their variances is one. All this takes as long as another prediction of the rows.

    Parameters
    ----------
    model : estimator or Booster
        A fitted network, tree ensemble, or voting or stacking ensemble; see the error message for all kinds.
    X : table of shape (n_samples, n_features)
        Rows, as the model accepts them.
    n_components : int >= 1, default=16
        Maximum number of components.
    random_state : int, RandomState instance or None, default=0
        Seed of the projections of leaves.
    verbose : int, default=0
        Above 0, progress is written to standard error.

    Returns
    -------
    hints : ndarray of float32, shape (n_samples, at most n_components)
        Zeros if the inner numbers are the same for all rows.

    Raises
    ------
    StudentError
        If the model has no inner representation that can be read; the message lists the models that have one.

    References
    ----------
    .. [1] A. Romero et al., "FitNets: Hints for Thin Deep Nets", ICLR 2015.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from skdistill.students import CompactMLPClassifier, inner_representation
    >>> X, y = load_iris(return_X_y=True)
    >>> forest = RandomForestClassifier(20, random_state=0).fit(X, y)
    >>> hints = inner_representation(forest, X, n_components=4)
    >>> hints.shape
    (150, 4)
    >>> student = CompactMLPClassifier(8, hint_weight=0.3, random_state=0)
    >>> student.fit_soft(X, forest.predict_proba(X), hints=hints).hint_weight_
    0.3
    """
    check_number("inner_representation", "n_components", n_components, kind=Integral, low=1)
    numbers = _numbers_of(model, check_random_state(random_state, "inner_representation"))
    X = X if hasattr(X, "shape") else np.asarray(X)
    n_rows = X.shape[0]
    some = np.unique(np.linspace(0, n_rows - 1, min(n_rows, REDUCTION_ROWS)).astype(int))
    components = _Components.of(numbers.read(take_rows(X, some)), n_components, numbers.is_standardised)
    hints = np.empty((n_rows, components.matrix.shape[1]), dtype=np.float32)
    with Progress("reading hints from inside the teacher", n_rows, verbose) as progress:
        for start in range(0, n_rows, CHUNK_ROWS):
            rows = slice(start, min(start + CHUNK_ROWS, n_rows))
            hints[rows] = (numbers.read(take_rows(X, rows)) - components.mean) @ components.matrix
            progress.update(rows.stop)
    return hints


class HintReader:
    """Reads hints from a teacher once for each table of a fit, and counts the rows.

    Attributes
    ----------
    n_rows : int
        Number of rows read.
    seconds : float
        Time spent on it.
    """

    def __init__(self) -> None:
        self.n_rows, self.seconds = 0, 0.0

    def read(self, model: Any, X: Any, verbose: int = 0) -> np.ndarray:
        """Return the inner representation of the rows; within a fit, each table is read once."""
        return once(self._read, model, X, (verbose,))

    def _read(self, model: Any, X: Any, verbose: tuple[int]) -> np.ndarray:
        started = perf_counter()
        hints = inner_representation(model, X, verbose=verbose[0])
        self.n_rows += X.shape[0]
        self.seconds += perf_counter() - started
        return hints


class _Components(NamedTuple):
    """The mean of inner numbers, and their principal components with a total variance of one."""

    mean: np.ndarray
    matrix: np.ndarray

    @classmethod
    def of(cls, numbers: np.ndarray, n_components: int, is_standardised: bool) -> "_Components":
        mean, deviation = numbers.mean(axis=0), numbers.std(axis=0)
        scale = np.where(deviation > 0, deviation, np.inf) if is_standardised else np.ones(len(deviation))
        centred = (numbers - mean) / scale
        variances, directions = np.linalg.eigh(centred.T @ centred / len(centred))
        kept = slice(None, -min(n_components, len(variances)) - 1, -1)
        total = variances[kept].clip(0).sum()
        size = np.sqrt(total) if total > np.finfo(np.float32).eps else np.inf
        # the sign of a component would depend on the library of linear algebra
        directions = directions[:, kept] * np.where(directions[:, kept].sum(axis=0) < 0, -1.0, 1.0)
        return cls(mean, directions / scale[:, None] / size)


def _numbers_of(model: Any, rng: np.random.RandomState) -> Numbers:
    """Return the reader of the inner numbers of a fitted model."""
    inside = look_inside(model)
    if isinstance(inside.model, BaseEstimator) and not is_fitted(inside.model):
        raise StudentError(
            f"{with_article(inside.model)} that is not fitted has no inner representation. Fit it first."
        )
    read = _of_members(inside.model) or _of_scikit_learn_network(model) or _of_scorer(inside.model, rng)
    if read is None:
        raise StudentError(f"{with_article(inside.model)} has no inner representation; expected {REPRESENTED}.")

    def after_steps(X: Any) -> np.ndarray:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # steps and members may have been fitted with other names
                for transformer in inside.transformers:
                    X = transformer.transform(X)
                return read.read(X)
        except Exception as error:
            kind = type(inside.model).__name__
            raise StudentError(
                f"the inside of the {kind} cannot be read for X ({error}). Pass the columns that it was fitted on."
            ) from error

    return Numbers(after_steps, read.is_standardised)


def is_fitted(model: BaseEstimator) -> bool:
    """Whether an estimator is fitted."""
    try:
        check_is_fitted(model)
    except NotFittedError:
        return False
    return True


def _of_members(model: Any) -> Numbers | None:
    """Read the outputs of the members of a voting or stacking ensemble."""
    if not isinstance(model, VotingClassifier | VotingRegressor | StackingClassifier | StackingRegressor):
        return None
    return Numbers(lambda X: np.hstack([_outputs_of(member, X) for member in model.estimators_]), True)


def _outputs_of(member: Any, X: Any) -> np.ndarray:
    for name in ("predict_proba", "decision_function", "predict"):
        if hasattr(member, name):
            outputs = np.asarray(getattr(member, name)(X), dtype=np.float64)
            return outputs.reshape(len(outputs), -1)
    raise StudentError(f"the member {type(member).__name__} has no outputs; expected one that predicts.")


def _of_scikit_learn_network(model: Any) -> Numbers | None:
    """Read the hidden layers of a network of scikit-learn, whose parameters are read by the one reader."""
    read = read_network(model)
    if read is None or read.own is not None:
        return None

    def hidden(X: Any) -> np.ndarray:
        layer, layers = np.asarray(X.toarray() if hasattr(X, "toarray") else X, dtype=np.float64), []
        for weights, bias in zip(read.weights[:-1], read.biases[:-1], strict=True):
            layer = np.maximum(layer @ weights + bias, 0)
            layers.append(layer)
        return np.hstack(layers)

    return Numbers(hidden, True)


def _of_scorer(model: Any, rng: np.random.RandomState) -> Numbers | None:
    """Read the leaves of trees, or the last hidden layer of a compact network."""
    try:
        compiled = model.__skdistill_compile__() if hasattr(model, "__skdistill_compile__") else read_model(model)
    except CompileError as error:
        raise StudentError(f"the inside of {with_article(model)} cannot be read: {error}") from error
    if compiled is None:
        return None
    scorer: Any = compiled.scorer
    if isinstance(scorer, Network) and scorer.biases:
        return Numbers(lambda X: _hidden_of(scorer, compiled.encoded(X)), True)
    if isinstance(scorer, Forest):
        projections = _LeafProjections(scorer, rng)
        return Numbers(lambda X: projections.of(scorer.leaves(compiled.encoded(X))), False)
    return None


def _hidden_of(network: Network, cells: Any) -> np.ndarray:
    """Return the last hidden layer of encoded rows."""
    dense = cells.toarray() if hasattr(cells, "toarray") else cells
    return network.hidden(network.design.inputs(dense))


class _LeafProjections:
    """Random projections of leaf indicators, by random bits for each leaf: the sums of the bits of a row's leaves.

    Less their mean, these are the projections by random signs.
    """

    def __init__(self, forest: Forest, rng: np.random.RandomState) -> None:
        self.bits = np.frombuffer(rng.bytes(forest.n_leaves * PROJECTED // 8), dtype=np.uint8).reshape(
            forest.n_leaves, PROJECTED // 8
        )
        first, count = forest.tree_leaf[:-1], forest.tree_splits + 1
        values = forest.leaf_values
        mean = np.add.reduceat(values, first, axis=0) / count[:, None]
        squares = np.add.reduceat(values**2, first, axis=0) / count[:, None]
        deviation = np.sqrt((squares - mean**2).clip(0).sum(axis=1))
        self.tree_weight = (deviation / max(deviation.max(initial=0), np.finfo(float).tiny)).astype(np.float32)

    def of(self, leaves: np.ndarray) -> np.ndarray:
        """Return the projections of rows, given the leaves that they reach, of shape (n_rows, n_trees)."""
        projected = np.zeros((len(leaves), PROJECTED), dtype=np.float32)
        for tree, weight in enumerate(self.tree_weight):
            projected += weight * np.unpackbits(self.bits[leaves[:, tree]], axis=1)
        return projected.astype(np.float64)
