r"""Compact kernel machines: few landmarks, chosen for the targets and then moved, for what smooth teachers say.

Landmarks come from rows by orthogonal least squares. Then positions and the scale of each input descend together by
L-BFGS, on some of the rows, the coefficients eliminated: they are those of the ridge regression for the positions at
hand, so that the gradient is that of the loss with coefficients held (variable projection). Scales are learned with
few landmarks first, for landmarks to be chosen in a metric that fits. At last the coefficients are solved for on all
rows.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from numbers import Integral
from typing import Any, Literal, Self

import numpy as np
from scipy.optimize import Bounds, minimize
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from .._validation import check_number, check_random_state
from ..compiled import Design
from ..compiled._design import dense_chunks
from ..compiled._kernel import Landmarks, bumps
from ._solving import Features, choose_features, ridge_solution, solve
from ._student import CompactClassifier, CompactRegressor, CompactStudent, fit_encoder, largest_below

MOST_LANDMARKS = 500
"""Of a size in parameters: the work grows with the square."""

WIDEST_LINEAR = 1000
"""Inputs up to which there is a linear part."""

LARGEST_GAMMA = 1e8

GAMMAS = (0.1, 0.3, 1.0, 3.0, 10.0)
"""Divided by the number of inputs of a row; tried where landmarks stay where they are."""

RIDGES = (1e-7, 1e-6, 1e-5, 1e-4)
"""Beside a mean loss of standardised targets; the last but one is taken where nothing can be held out."""

HELD_OUT = 0.2
FEWEST_ROWS = 50
"""With fewer rows none are held out, and landmarks stay where they are."""

SCOUTS = 30
SCOUT_ROWS = 3000
SCOUT_STEPS = 10
"""Landmarks, rows and steps with which the scales of inputs are learned."""

CHOICE_ROWS = 5000
"""Rows that landmarks are chosen on."""

STEPS = 20
MOVED_CELLS = 4_000_000
"""Rows times landmarks that these are moved on, within the bounds below."""

FEWEST_MOVED, MOST_MOVED = 5000, 20_000

MOST_CELLS = 20_000_000
"""Inputs in work at a time: of wide tables fewer rows are looked at."""

FEWEST_CANDIDATES = 500
BLOCK_CELLS = 1_000_000

MOVING_RIDGE = 1e-5
FURTHEST_MOVE = 8.0
LARGEST_MOVE = 0.005
"""Of a landmark by rounding, in units of the kernel."""

SMALLEST_PROBA = 0.01
"""Probability whose logit is the furthest that least squares is asked to fit."""

ONE_SCALE = 9.0
"""Ratio of the variances of a teacher's inputs up to which one gamma stands for all."""

COEF_STEPS = 60
"""Steps of the coefficients for soft labels, on from those of the regression on logits."""


class _CompactKernel(CompactStudent):
    """Tables in, landmarks out: what classifier and regressor share."""

    def __init__(
        self,
        n_landmarks: int = 100,
        *,
        gamma: float | Literal["auto"] = "auto",
        landmarks: Any = None,
        refine: bool = True,
        linear: bool = True,
        random_state: Any = None,
    ) -> None:
        self.n_landmarks = n_landmarks
        self.gamma = gamma
        self.landmarks = landmarks
        self.refine = refine
        self.linear = linear
        self.random_state = random_state

    def inherit(self, teacher_model: Any) -> Self:
        """Return an unfitted clone that starts from what a kernel teacher has, where nothing else was asked for.

        Its parameter ``landmarks`` then holds rows of the teacher. The distilled estimators hand down the kernel alone.

        Parameters
        ----------
        teacher_model : fitted estimator
            As for :func:`kernel_hints`; any other leaves the clone as it is.

        Returns
        -------
        student : estimator
        """
        hints = kernel_hints(teacher_model)
        student = clone(self)
        if self.gamma == "auto" and 0 < (hints.get("gamma") or 0) <= LARGEST_GAMMA:
            student.set_params(gamma=hints["gamma"])
        if self.landmarks is None and hints.get("landmarks") is not None:
            student.set_params(landmarks=hints["landmarks"])
        return student

    def _learn(self, X: Any, targets: np.ndarray, weight: np.ndarray) -> Landmarks:
        """Return landmarks: chosen, moved where that helps on rows held out, and weighed on all rows."""
        self._check_parameters()
        self._encoder = fit_encoder(X)
        cells = self._encoder.transform(X)
        if not weight.all():  # rows that do not count set no ranges either
            cells, targets, weight = cells[weight > 0], targets[weight > 0], weight[weight > 0]
        if self._link == "softmax":
            targets = targets / targets.sum(axis=1, keepdims=True)
        design = Design.of(cells, weight, self._n_codes())
        weight = weight / weight.sum()
        values, curvature = _as_values(self._link, targets)
        rows = _Rows(design, cells, values, weight * curvature, has_linear=self.linear)
        with threadpool_limits(1, user_api="blas"):  # sums of several threads differ in their last digits
            kernel, ridge = self._choose(rows, check_random_state(self.random_state))
            features = rows.features(kernel, weight)
            start = None if self._link == "identity" else rows.coefficients(kernel, ridge)
            ridge *= float(weight @ curvature)
            coef, constant = solve(features, targets, self._link, ridge=ridge, start=start, steps=COEF_STEPS)
        self.ridge_ = ridge
        of_inputs = _narrowed(coef[: rows.n_linear], 1e-5) if rows.n_linear else None
        of_bumps = _narrowed(coef[rows.n_linear :], 1e-4 / max(len(kernel.positions), 1))
        base = constant - features.mean @ coef
        return Landmarks(design, kernel.positions, kernel.scales, of_bumps, of_inputs, base, np.ones(len(base)))

    def _choose(self, rows: "_Rows", rng: np.random.RandomState) -> tuple["_Kernel", float]:
        """Return landmarks and scales, and the ridge: those of some that are best on rows held out."""
        n_rows, width = len(rows.weight), rows.design.width
        held_out = rng.uniform(size=n_rows) < HELD_OUT
        if n_rows < FEWEST_ROWS or not held_out.any():
            held_out = np.zeros(n_rows, dtype=bool)
        learned = np.flatnonzero(~held_out)
        if self.gamma == "auto":
            spread = max(rows.design.n_active, 1)
            gammas = [1.0 / spread] if self.refine and held_out.any() else [gamma / spread for gamma in GAMMAS]
        else:
            gammas = [float(self.gamma)]
        given = self._given(rows.design)
        trials = []
        for gamma in gammas if held_out.any() else gammas[len(gammas) // 2 :][:1]:
            kernel = _Kernel(np.zeros((0, width)), np.full(width, np.sqrt(gamma)))
            trials.append(rows.choose(kernel, self.n_landmarks, learned, given, rng))
        if self.refine and held_out.any() and len(learned) > self.n_landmarks:
            scouts = rows.choose(kernel, min(SCOUTS, self.n_landmarks), learned, given, rng)
            scouts = rows.move(scouts, _some(learned, SCOUT_ROWS, rng), SCOUT_STEPS)
            chosen = rows.choose(scouts, self.n_landmarks, learned, given, rng)
            n_moved = int(np.clip(MOVED_CELLS // self.n_landmarks, FEWEST_MOVED, MOST_MOVED))
            trials.append(rows.move(chosen, _some(learned, n_moved, rng), STEPS))
        trials = [kernel.rounded() for kernel in trials]
        if not held_out.any():
            return trials[0], RIDGES[-2]
        return min((rows.trial(kernel, held_out) for kernel in trials), key=lambda trial: trial[0])[1:]

    def _given(self, design: Design) -> np.ndarray:
        """Return the candidates that the user gave as inputs."""
        if self.landmarks is None:
            return np.zeros((0, design.width))
        given = self.landmarks if hasattr(self.landmarks, "columns") else np.asarray(self.landmarks)
        if given.ndim != 2 or given.shape[1] != design.n_features:
            raise ValueError(
                f"{type(self).__name__}: landmarks have shape {given.shape}; expected rows of the "
                f"{design.n_features} columns of X."
            )
        return np.unique(design.inputs(self._encoder.transform(given)), axis=0)

    def _params_of_size(self, n_parameters: int, n_inputs: int, n_outputs: int) -> dict[str, Any] | None:
        fixed = n_inputs + n_outputs + (n_inputs * n_outputs if self.linear and n_inputs <= WIDEST_LINEAR else 0)
        n_landmarks = largest_below(lambda size: fixed + size * (n_inputs + n_outputs), n_parameters, 1, MOST_LANDMARKS)
        return None if n_landmarks is None else {"n_landmarks": n_landmarks}

    def _check_parameters(self) -> None:
        check_number(self, "n_landmarks", self.n_landmarks, kind=Integral, low=1)
        if not (isinstance(self.gamma, str) and self.gamma == "auto"):
            check_number(self, "gamma", self.gamma, low=0, low_open=True, high=LARGEST_GAMMA)


def _as_values(link: str, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return values that least squares fits in place of targets, and the weight of each row at that.

    For probabilities: their logits, held back where they are nearly certain, and the curvature of the loss there.
    """
    if link == "identity":
        return targets, np.ones(len(targets))
    proba = np.clip(targets, SMALLEST_PROBA, 1 - SMALLEST_PROBA)
    curvature = (proba * (1 - proba)).mean(axis=1)
    if link == "two classes":
        return np.log(proba / (1 - proba)), curvature
    return np.log(proba) - np.log(proba).mean(axis=1, keepdims=True), curvature


def _some(rows: np.ndarray, n_rows: int, rng: np.random.RandomState) -> np.ndarray:
    """Return some of the rows in their order."""
    return rows if len(rows) <= n_rows else np.sort(rng.choice(rows, n_rows, replace=False))


def _narrowed(array: np.ndarray, most: Any) -> np.ndarray:
    """Return an array at the least precision that moves no number by more than ``most``."""
    for dtype in (np.float16, np.float32):
        with np.errstate(over="ignore"):
            narrow = array.astype(dtype)
        if np.all(np.isfinite(narrow)) and np.all(np.abs(narrow.astype(np.float64) - array) <= most):
            return narrow
    return array


@dataclass(frozen=True)
class _Kernel:
    """Landmarks and the scales of inputs."""

    positions: np.ndarray
    scales: np.ndarray

    def rounded(self) -> "_Kernel":
        """Return the same as it will be stored: coefficients are solved for afterwards."""
        scales = self.scales.astype(np.float32)
        most = LARGEST_MOVE / np.maximum(scales.astype(np.float64), 1e-30)
        return _Kernel(_narrowed(self.positions, most), scales)

    def of(self, inputs: np.ndarray) -> np.ndarray:
        """Return the kernel of rows of inputs with the landmarks."""
        return bumps(inputs, self.positions.astype(np.float64), self.scales.astype(np.float64))


class _Rows:
    """Rows as inputs and the values that they should have.

    Parameters
    ----------
    design : Design
    cells : ndarray or sparse matrix of shape (n_rows, n_features)
    values : ndarray of shape (n_rows, n_outputs)
    weight : ndarray of shape (n_rows,)
    has_linear : bool
        Whether there is a linear part, if inputs are not too many.
    """

    def __init__(self, design: Design, cells: Any, values: np.ndarray, weight: np.ndarray, *, has_linear: bool) -> None:
        self.design, self.cells = design, cells
        self.weight = weight / weight.sum()
        self.center = self.weight @ values
        deviation = np.sqrt(self.weight @ (values - self.center) ** 2).max()
        self.unit = deviation if deviation > 0 else 1.0
        self.values = (values - self.center) / self.unit
        self.n_linear = design.width if has_linear and design.width <= WIDEST_LINEAR else 0

    def inputs(self, rows: np.ndarray) -> np.ndarray:
        """Return the inputs of some rows."""
        some = self.cells[rows]
        return self.design.inputs(some.toarray() if hasattr(some, "toarray") else some)

    def with_linear(self, inputs: np.ndarray, kernel: _Kernel) -> np.ndarray:
        """Return the features of rows of inputs: the inputs, if there is a linear part, and the kernel."""
        return np.hstack([inputs[:, : self.n_linear], kernel.of(inputs)])

    def features(self, kernel: _Kernel, weight: np.ndarray) -> Features:
        """Return the features of all rows."""

        def blocks() -> Iterator[np.ndarray]:
            for _, cells in dense_chunks(self.cells, max(BLOCK_CELLS // (len(kernel.positions) + 1), 1)):
                yield self.with_linear(self.design.inputs(cells), kernel)

        return Features(blocks, weight, (self.n_linear + len(kernel.positions)) * len(weight))

    def coefficients(self, kernel: _Kernel, ridge: float) -> tuple[np.ndarray, np.ndarray]:
        """Return the coefficients of the regression on the values, and its constant."""
        coef, constant = solve(self.features(kernel, self.weight), self.values, "identity", ridge=ridge)
        return coef * self.unit, constant * self.unit + self.center

    def trial(self, kernel: _Kernel, held_out: np.ndarray) -> tuple[float, _Kernel, float]:
        """Return the loss on rows held out, the kernel, and the ridge that is best there."""
        weight = np.where(held_out, 0.0, self.weight)
        features = self.features(kernel, weight / weight.sum())
        gram, moments = features.gram(np.ones(len(weight))), features.moments(self.values)
        mean = features.weight @ self.values
        losses = []
        for ridge in RIDGES:
            excess = features.times(ridge_solution(gram, moments, ridge)) + mean - self.values
            losses.append(float(np.sum(self.weight[held_out] @ excess[held_out] ** 2)))
        best = int(np.argmin(losses))
        return losses[best], kernel, RIDGES[best]

    def choose(
        self, kernel: _Kernel, n_landmarks: int, learned: np.ndarray, given: np.ndarray, rng: np.random.RandomState
    ) -> _Kernel:
        """Return landmarks among given ones and rows by orthogonal least squares, beside the linear part."""
        width = max(self.design.width, 1)
        some = _some(learned, min(CHOICE_ROWS, MOST_CELLS // width), rng)
        n_candidates = min(max(3 * n_landmarks, FEWEST_CANDIDATES), MOST_CELLS // width)
        candidates = self.inputs(_some(learned, n_candidates, rng))
        if len(given) > n_candidates:
            given = given[_some(np.arange(len(given)), n_candidates, rng)]
        candidates = np.unique(np.vstack([given, candidates]), axis=0)
        wide = _Kernel(candidates, kernel.scales)
        weight = self.weight[some] / self.weight[some].sum()
        block = self.with_linear(self.inputs(some), wide)
        features = Features(lambda: iter([block]), weight, block.size)
        gram, moments, linear = features.gram(np.ones(len(some))), features.moments(self.values[some]), self.n_linear
        if linear:
            across = ridge_solution(gram[:linear, :linear], gram[:linear], RIDGES[0])
            moments = moments[linear:] - across[:, linear:].T @ moments[:linear]
            gram = gram[linear:, linear:] - gram[linear:, :linear] @ across[:, linear:]
        gram.flat[:: len(gram) + 1] += RIDGES[1]
        return _Kernel(candidates[choose_features(gram, moments, n_landmarks)], kernel.scales)

    def move(self, kernel: _Kernel, some: np.ndarray, steps: int) -> _Kernel:
        """Return the kernel with positions and scales moved downhill."""
        some = some[: MOST_CELLS // max(self.design.width, 1)]
        weight = self.weight[some] / self.weight[some].sum()
        descent = _Descent(self.inputs(some), self.values[some], weight, self.n_linear, kernel.positions.shape)
        start = np.concatenate([kernel.positions.ravel(), np.log(kernel.scales)])
        reach = np.concatenate([np.full(kernel.positions.size, FURTHEST_MOVE), np.full(len(kernel.scales), 5.0)])
        answer = minimize(
            descent,
            start,
            jac=True,
            method="L-BFGS-B",
            bounds=Bounds(start - reach, start + reach),
            options={"maxiter": steps, "maxcor": 20},
        )
        positions, scales = descent.unpacked(answer.x)
        return _Kernel(positions, scales)


class _Descent:
    """Squared error as a function of positions and logarithms of scales, with the best coefficients for these."""

    def __init__(
        self, inputs: np.ndarray, values: np.ndarray, weight: np.ndarray, n_linear: int, shape: tuple[int, int]
    ) -> None:
        self.inputs, self.values, self.weight, self.n_linear, self.shape = inputs, values, weight, n_linear, shape
        self.squares = inputs**2

    def unpacked(self, point: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return positions and scales."""
        n_inputs = self.shape[1]
        return point[:-n_inputs].reshape(self.shape), np.exp(point[-n_inputs:])

    def __call__(self, point: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the value and its gradient; coefficients count as constants there, since they are the best."""
        positions, scales = self.unpacked(point)
        kernel = bumps(self.inputs, positions, scales)
        features = np.hstack([self.inputs[:, : self.n_linear], kernel])
        root = np.sqrt(self.weight)[:, None]
        mean = self.weight @ features
        features -= mean
        target = self.values - self.weight @ self.values
        rooted = features * root
        coef = ridge_solution(rooted.T @ rooted, rooted.T @ (target * root), MOVING_RIDGE)
        excess = features @ coef - target
        value = (float(self.weight @ (excess**2).sum(axis=1)) + MOVING_RIDGE * float(np.sum(coef**2))) / 2
        pull = (excess * self.weight[:, None]) @ coef[self.n_linear :].T
        pull *= kernel
        of_rows, of_landmarks = pull.sum(axis=1), pull.sum(axis=0)
        towards = pull.T @ self.inputs
        by_position = 2 * scales**2 * (towards - of_landmarks[:, None] * positions)
        away = of_rows @ self.squares - 2 * np.sum(towards * positions, axis=0) + of_landmarks @ positions**2
        return value, np.concatenate([by_position.ravel(), -2 * scales**2 * away])


# ---------------------------------------------------------------------- inheriting


def kernel_hints(teacher_model: Any) -> dict[str, Any]:
    """Return what a kernel teacher can tell a kernel student: ``{"gamma": ..., "landmarks": ...}``, each if known.

    Parameters
    ----------
    teacher_model : fitted estimator
        A support vector machine, a Gaussian process or a kernel ridge regression of scikit-learn, also frozen or
        behind steps of a pipeline that can be inverted.

    Returns
    -------
    hints : dict
        ``gamma`` in terms of standardised inputs, where the teacher's columns have about one scale; ``landmarks`` as
        rows of the raw table. Empty for any other teacher.
    """
    try:
        return _hints_of(teacher_model)
    except Exception:  # no hint is no harm, whatever a teacher is made of
        return {}


def _hints_of(model: Any) -> dict[str, Any]:
    steps: list[Any] = []
    while isinstance(model, FrozenEstimator | Pipeline):
        if isinstance(model, Pipeline):
            steps, model = [*steps, *(step for _, step in model.steps[:-1])], model.steps[-1][1]
        else:
            model = model.estimator
    if hasattr(model, "base_estimator_"):  # a Gaussian process classifier, one for each class
        model = getattr(model.base_estimator_, "estimators_", [model.base_estimator_])[0]
    rows = _own_rows(model)
    if rows is None:
        return {}
    hints: dict[str, Any] = {}
    gamma = _own_gamma(model, rows.shape[1])
    if gamma is not None:
        of_inputs = gamma * np.var(rows, axis=0)
        if np.all(of_inputs > 0) and of_inputs.max() < ONE_SCALE * of_inputs.min():
            hints["gamma"] = float(np.exp(np.log(of_inputs).mean()))
    for step in reversed(steps):
        if step is not None and not isinstance(step, str):
            rows = step.inverse_transform(rows)
    if np.all(np.isfinite(rows)):
        hints["landmarks"] = np.asarray(rows)
    return hints


def _own_rows(model: Any) -> np.ndarray | None:
    """Return the rows that a kernel model keeps, in its own inputs."""
    for name in ("support_vectors_", "X_train_", "X_fit_"):
        rows = getattr(model, name, None)
        if rows is not None:
            return rows.toarray() if hasattr(rows, "toarray") else np.asarray(rows, dtype=np.float64)
    return None


def _own_gamma(model: Any, n_inputs: int) -> Any:
    """Return how fast the model's kernel falls with the square of the distance, for all inputs or for each."""
    kernel = getattr(model, "kernel_", getattr(model, "kernel", None))
    if kernel == "rbf":
        gamma = getattr(model, "_gamma", getattr(model, "gamma", None))
        return 1 / n_inputs if gamma is None else gamma
    if isinstance(kernel, str) or kernel is None:
        return None
    lengths = [value for name, value in kernel.get_params().items() if name.split("__")[-1] == "length_scale"]
    return 1 / (2 * np.asarray(lengths[0]) ** 2) if len(lengths) == 1 else None


class CompactKernelClassifier(CompactClassifier, _CompactKernel):
    r"""Bumps around few landmarks for soft targets, for what smooth teachers say: SVMs, Gaussian processes, networks.

    Inputs :math:`z` are standardised numbers, indicators of missing ones and of categories. Scores are

    .. math:: s_k(z) = b_k + z W_k + \sum_j a_{jk} \exp \Big( -\sum_i \nu_i^2 (z_i - c_{ji})^2 \Big),

    with few landmarks :math:`c_j` in place of all rows [1]_, [2]_, chosen by orthogonal least squares [3]_ towards the
    targets' logits. Coefficients minimise the cross-entropy to the targets [5]_ with a ridge; two classes need one
    score.

    Parameters
    ----------
    n_landmarks : int >= 1, default=100
        Landmarks at most; fewer where rows are. Landmarks that are not moved are rows of the fit, so that a student may
        hold some, as a support vector machine does.
    gamma : float in (0, 1e8] or "auto", default="auto"
        How fast the kernel falls with the square of the distance between standardised inputs, :math:`\nu_i^2` before
        scales are moved. ``"auto"`` starts from one by the number of inputs; without ``refine`` it takes the best of
        some on rows held out.
    landmarks : array-like of shape (n_candidates, n_features) or None, default=None
        Rows, with the columns of ``X``, that are candidates for landmarks beside those of ``X``, such as a teacher's
        support vectors.
    refine : bool, default=True
        Whether landmarks and scales are moved once they are chosen, by variable projection [4]_; taken where it is
        better on rows held out. Without it all inputs have one scale.
    linear : bool, default=True
        Whether there is a linear part, :math:`W`, up to 1000 inputs.
    random_state : int, RandomState instance or None, default=None
        Seed of the rows that are held out, of candidates, and of the rows that landmarks are moved on.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels.
    scorer_ : Landmarks
        One score for each class, a single one for two classes.
    ridge_ : float
        The ridge on coefficients that was chosen on rows held out, beside a mean loss.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of str, shape (n_features,)
        Names of the columns, for frames.

    See Also
    --------
    CompactKernelRegressor : The same for values.

    References
    ----------
    .. [1] C. Williams, M. Seeger, "Using the Nyström Method to Speed Up Kernel Machines", NeurIPS 2001.
    .. [2] S. S. Keerthi, O. Chapelle, D. DeCoste, "Building Support Vector Machines with Reduced Classifier
       Complexity", JMLR 2006.
    .. [3] S. Chen, C. F. N. Cowan, P. M. Grant, "Orthogonal Least Squares Learning Algorithm for Radial Basis Function
       Networks", IEEE Transactions on Neural Networks 1991.
    .. [4] G. H. Golub, V. Pereyra, "The Differentiation of Pseudo-Inverses and Nonlinear Least Squares Problems Whose
       Variables Separate", SIAM Journal on Numerical Analysis 1973.
    .. [5] G. Hinton, O. Vinyals, J. Dean, "Distilling the Knowledge in a Neural Network", 2015.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.svm import SVC
    >>> from skdistill.students import CompactKernelClassifier
    >>> X = np.random.default_rng(0).normal(size=(500, 2))
    >>> teacher = SVC().fit(X, (X**2).sum(axis=1) > 2)
    >>> student = CompactKernelClassifier(20, random_state=0).inherit(teacher)
    >>> student.fit(X, teacher.predict(X)).predict([[0.0, 0.0], [2.0, 2.0]])
    array([False,  True])
    """


class CompactKernelRegressor(CompactRegressor, _CompactKernel):
    r"""Bumps around few landmarks for values, for what smooth teachers say: SVMs, Gaussian processes, networks.

    Inputs :math:`z` are standardised numbers, indicators of missing ones and of categories. Scores are

    .. math:: s_k(z) = b_k + z W_k + \sum_j a_{jk} \exp \Big( -\sum_i \nu_i^2 (z_i - c_{ji})^2 \Big),

    with few landmarks :math:`c_j` in place of all rows [1]_, [2]_, chosen by orthogonal least squares [3]_. Outputs
    are standardised for the fit; coefficients minimise the squared error with a ridge.

    Parameters
    ----------
    n_landmarks : int >= 1, default=100
        Landmarks at most; fewer where rows are. Landmarks that are not moved are rows of the fit, so that a student may
        hold some, as a support vector machine does.
    gamma : float in (0, 1e8] or "auto", default="auto"
        How fast the kernel falls with the square of the distance between standardised inputs, :math:`\nu_i^2` before
        scales are moved. ``"auto"`` starts from one by the number of inputs; without ``refine`` it takes the best of
        some on rows held out.
    landmarks : array-like of shape (n_candidates, n_features) or None, default=None
        Rows, with the columns of ``X``, that are candidates for landmarks beside those of ``X``, such as a teacher's
        support vectors.
    refine : bool, default=True
        Whether landmarks and scales are moved once they are chosen, by variable projection [4]_; taken where it is
        better on rows held out. Without it all inputs have one scale.
    linear : bool, default=True
        Whether there is a linear part, :math:`W`, up to 1000 inputs.
    random_state : int, RandomState instance or None, default=None
        Seed of the rows that are held out, of candidates, and of the rows that landmarks are moved on.

    Attributes
    ----------
    scorer_ : Landmarks
        One score for each output.
    ridge_ : float
        The ridge on coefficients that was chosen on rows held out, beside a mean loss.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of str, shape (n_features,)
        Names of the columns, for frames.

    See Also
    --------
    CompactKernelClassifier : The same for classes.

    References
    ----------
    .. [1] C. Williams, M. Seeger, "Using the Nyström Method to Speed Up Kernel Machines", NeurIPS 2001.
    .. [2] S. S. Keerthi, O. Chapelle, D. DeCoste, "Building Support Vector Machines with Reduced Classifier
       Complexity", JMLR 2006.
    .. [3] S. Chen, C. F. N. Cowan, P. M. Grant, "Orthogonal Least Squares Learning Algorithm for Radial Basis Function
       Networks", IEEE Transactions on Neural Networks 1991.
    .. [4] G. H. Golub, V. Pereyra, "The Differentiation of Pseudo-Inverses and Nonlinear Least Squares Problems Whose
       Variables Separate", SIAM Journal on Numerical Analysis 1973.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.students import CompactKernelRegressor
    >>> X = np.random.default_rng(0).uniform(-3, 3, size=(500, 1))
    >>> student = CompactKernelRegressor(20, random_state=0).fit(X, np.sin(X[:, 0]))
    >>> student.predict([[np.pi / 2]]).round(2)
    array([1.])
    """
