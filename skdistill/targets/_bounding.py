r"""True labels that count only where a student is worse than its teacher, and weights from both models' losses.

Losses are those of each row with respect to the truth: half the squared error of values, or the log loss of
probabilities. The true labels are fixed, so that only the outputs of the student change during a fit.
"""

from typing import Any, Literal

import numpy as np

from .._described import described
from .._suggesting import did_you_mean
from ._checks import check_floats, check_positive, check_share, is_real

LossName = Literal["squared_error", "log_loss"]

SMALLEST_PROBABILITY = float(np.finfo(np.float64).eps)
"""Bounds probabilities from below in the log loss, as in scikit-learn."""


def teacher_bounded_loss(
    outputs: Any, soft: Any, hard: Any, *, loss: LossName, margin: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    r"""Return the teacher-bounded loss of each row, and its gradient.

    The loss of a student with respect to the truth :math:`y` counts only where it exceeds that of the teacher less a
    margin :math:`m`,

    .. math:: B(s) = \max(0, \ell(y, s) + m - \ell(y, t)),

    with the outputs :math:`s` of the student and :math:`t` of the teacher, and :math:`\ell(y, s) = \frac12 \lVert s - y
    \rVert^2` for values or :math:`-\sum_k y_k \log s_k` for probabilities. Chen et al. [1]_ define it for values and
    without the teacher's loss in the value, which changes no gradient and makes the loss continuous. It is convex.

    Parameters
    ----------
    outputs : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Values or probabilities of the student.
    soft : array-like of the same shape
        Outputs of the teacher, at temperature 1, for rows that it was not fitted on: its loss on its own training
        rows is too small.
    hard : array-like of the same shape
        True values, or true labels encoded by :func:`one_hot`. Entries that are NaN have no loss.
    loss : {"squared_error", "log_loss"}
        Loss of values, or of probabilities.
    margin : float >= 0, default=0.0
        How much smaller than that of the teacher the loss of a row must be until it no longer counts: half the square
        of the unit of the values, or nats.

    Returns
    -------
    value : ndarray of shape (n_samples,)
        Loss of each row.
    gradient : ndarray of the shape of ``outputs``
        Derivatives with respect to the values, or to the logits of the probabilities.

    Raises
    ------
    ValueError
        If the shapes differ, if a number is infinite, or if ``loss`` or ``margin`` is not one of those above.

    See Also
    --------
    teacher_bounded : Targets and weights with the same gradient, for any student.

    References
    ----------
    .. [1] G. Chen, W. Choi, X. Yu, T. Han and M. Chandraker, "Learning Efficient Object Detection Models with Knowledge
       Distillation", NeurIPS 2017.

    Examples
    --------
    The first row is closer to the truth than the teacher, the second is not:

    >>> from skdistill.targets import teacher_bounded_loss
    >>> value, gradient = teacher_bounded_loss(
    ...     [1.5, 4.0], [3.0, 3.0], [1.0, 2.0], loss="squared_error"
    ... )
    >>> value, gradient
    (array([0. , 1.5]), array([0., 2.]))
    """
    who = "teacher_bounded_loss"
    outputs, soft, hard = _check_arrays(who, outputs, soft, hard)
    margin = _check_at_least_zero(who, "margin", margin)
    excess = row_losses(who, outputs, hard, loss) + margin - row_losses(who, soft, hard, loss)
    is_worse = (excess > 0) & has_truth(hard)
    gradient = np.where(np.isnan(hard), 0.0, outputs - hard)
    return np.where(is_worse, excess, 0.0), np.where(_by_row(is_worse, hard), gradient, 0.0)


def teacher_bounded(
    outputs: Any, soft: Any, hard: Any, soft_weight: float = 0.5, *, loss: LossName, margin: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    r"""Return targets and weights for a student whose true labels count only where it is worse than the teacher.

    The loss of a row is that with respect to the teacher, plus the teacher-bounded loss [1]_ with the rest of the
    weight, :math:`w \, \ell(t, s) + (1 - w) \max(0, \ell(y, s) + m - \ell(y, t))`. At the given outputs of the student,
    a fit with the targets and weights returned here has the same gradient: the blend of both, with weight 1, where
    the student is worse than the teacher less the margin; the soft targets, with the weight :math:`w`, elsewhere. Fit a
    student, compute its outputs, and fit it again; the distilled estimators do this with ``truth_margin``.

    Parameters
    ----------
    outputs : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Values or probabilities of an earlier fit of the student.
    soft : array-like of the same shape
        Outputs of the teacher at temperature 1.
    hard : array-like of the same shape
        True values, or true labels encoded by :func:`one_hot`. Entries that are NaN are replaced by the soft targets.
    soft_weight : float in [0, 1], default=0.5
        The weight :math:`w` of the teacher.
    loss : {"squared_error", "log_loss"}
        Loss of values, or of probabilities.
    margin : float >= 0, default=0.0
        The margin :math:`m`; see :func:`teacher_bounded_loss`.

    Returns
    -------
    targets : ndarray of the shape of ``outputs``
        Targets of the next fit.
    weight : ndarray of shape (n_samples,)
        Factors of the sample weights in the next fit: 1 or ``soft_weight``; 1 for rows without true labels.

    Raises
    ------
    ValueError
        If the shapes differ, if a number is infinite, or if a parameter is not one of those above.

    See Also
    --------
    blend : True labels that count everywhere.

    References
    ----------
    .. [1] G. Chen, W. Choi, X. Yu, T. Han and M. Chandraker, "Learning Efficient Object Detection Models with Knowledge
       Distillation", NeurIPS 2017.

    Examples
    --------
    >>> from skdistill.targets import teacher_bounded
    >>> targets, weight = teacher_bounded(
    ...     [1.5, 4.0], [3.0, 3.0], [1.0, 2.0], loss="squared_error"
    ... )
    >>> targets, weight
    (array([3. , 2.5]), array([0.5, 1. ]))
    """
    who = "teacher_bounded"
    outputs, soft, hard = _check_arrays(who, outputs, soft, hard)
    soft_weight = check_share(who, "soft_weight", soft_weight)
    margin = _check_at_least_zero(who, "margin", margin)
    excess = row_losses(who, outputs, hard, loss) + margin - row_losses(who, soft, hard, loss)
    is_bounded = (excess <= 0) & has_truth(hard)
    blended = np.where(np.isnan(hard), soft, soft_weight * soft + (1 - soft_weight) * hard)
    return np.where(_by_row(is_bounded, hard), soft, blended), np.where(is_bounded, soft_weight, 1.0)


def loss_weights(
    outputs: Any, soft: Any, hard: Any, *, loss: LossName, student_factor: float = 1.0, max_ratio: float = 10.0
) -> np.ndarray:
    r"""Return sample weights from the loss of the teacher less a multiple of the loss of the student.

    Some texts map the losses of both models to a single one, :math:`d = \ell(y, t) - \lambda \, \ell(y, s)`, the
    teacher's loss less :math:`\lambda` times the student's. It cannot be minimised over the student: the first term
    does not depend on it, and the second falls without bound as the student gets worse. Here it is read as how hard a
    row is for each model. Where the teacher errs more (:math:`d` is large), its output is a poor target, and where the
    student errs more (:math:`d` is small), the student has something to learn. The weights therefore fall with
    :math:`d`,

    .. math:: w \propto r^{-\tanh((d - \tilde d) / \sigma) / 2},

    with the median :math:`\tilde d` and the standard deviation :math:`\sigma` of :math:`d`, and have the mean 1. The
    largest weight is less than :math:`r` times the smallest one.

    Parameters
    ----------
    outputs : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Values or probabilities of an earlier fit of the student.
    soft : array-like of the same shape
        Outputs of the teacher at temperature 1, for rows that it was not fitted on.
    hard : array-like of the same shape
        True values, or true labels encoded by :func:`one_hot`. Rows that are all NaN have the difference
        :math:`\tilde d`.
    loss : {"squared_error", "log_loss"}
        Loss of values, or of probabilities.
    student_factor : float >= 0, default=1.0
        The factor :math:`\lambda`. 0 only lowers the weights of rows on which the teacher errs; with a large factor,
        only the student counts.
    max_ratio : float >= 1, default=10.0
        The ratio :math:`r`; 1 weights all rows alike.

    Returns
    -------
    weight : ndarray of shape (n_samples,)
        Factors of the sample weights of the next fit.

    Raises
    ------
    ValueError
        If the shapes differ, if a number is infinite, or if a parameter is not one of those above.

    Examples
    --------
    The teacher is wrong about the first row, and the student about the last one:

    >>> from skdistill.targets import loss_weights
    >>> loss_weights(
    ...     [1.0, 1.0, 3.0], [3.0, 1.0, 1.0], [1.0, 1.0, 1.0], loss="squared_error"
    ... ).round(2)
    array([0.28, 0.75, 1.97])
    """
    who = "loss_weights"
    outputs, soft, hard = _check_arrays(who, outputs, soft, hard)
    factor = _check_at_least_zero(who, "student_factor", student_factor)
    if check_positive(who, "max_ratio", max_ratio) < 1:
        raise ValueError(f"{who}: max_ratio={described(max_ratio)}; expected a number of at least 1.")
    difference = row_losses(who, soft, hard, loss) - factor * row_losses(who, outputs, hard, loss)
    is_labelled = has_truth(hard)
    weight = np.ones(len(hard))
    if is_labelled.any():
        known = difference[is_labelled]
        # rounding errors of equal losses are no differences
        scale = max(float(known.std()), 1e-9 * float(np.abs(known).max()), np.finfo(np.float64).tiny)
        weight[is_labelled] = float(max_ratio) ** (-np.tanh((known - np.median(known)) / scale) / 2)
    return weight / weight.mean() if len(weight) else weight


def _check_arrays(who: str, *given: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    outputs, soft, hard = (
        check_floats(who, name, array, allow_nan=name == "hard").astype(np.float64, copy=False)
        for name, array in zip(("outputs", "soft", "hard"), given, strict=True)
    )
    if not outputs.shape == soft.shape == hard.shape or outputs.ndim not in (1, 2):
        raise ValueError(
            f"{who}: outputs, soft and hard have shapes {outputs.shape}, {soft.shape} and {hard.shape}; expected equal "
            "shapes, (n_samples,) or (n_samples, n_outputs)."
        )
    return outputs, soft, hard


def _check_at_least_zero(who: str, name: str, value: Any) -> float:
    if not is_real(value) or not 0 <= value < np.inf:
        raise ValueError(f"{who}: {name}={described(value)}; expected a number of at least 0.")
    return float(value)


def row_losses(who: str, outputs: np.ndarray, hard: np.ndarray, loss: Any) -> np.ndarray:
    """Return the loss of each row with respect to the truth; entries without a true value have none."""
    if loss == "squared_error":
        return _row_sums(np.nan_to_num(outputs - hard) ** 2 / 2)
    if loss != "log_loss":
        raise ValueError(
            f"{who}: loss={described(loss)}; expected 'squared_error' for values or 'log_loss'."
            f"{did_you_mean(loss, ['squared_error', 'log_loss'])}"
        )
    if hard.ndim == 1:
        raise ValueError(
            f"{who}: hard has shape {hard.shape} with loss='log_loss'; expected (n_samples, n_classes). Encode labels "
            "with one_hot."
        )
    return _row_sums(-np.nan_to_num(hard) * np.log(np.clip(outputs, SMALLEST_PROBABILITY, 1.0)))


def _row_sums(array: np.ndarray) -> np.ndarray:
    return array if array.ndim == 1 else array.sum(axis=1)


def has_truth(hard: np.ndarray) -> np.ndarray:
    """Return a mask of the rows with at least one true value."""
    is_known = ~np.isnan(hard)
    return is_known if hard.ndim == 1 else is_known.any(axis=1)


def _by_row(mask: np.ndarray, array: np.ndarray) -> np.ndarray:
    """Return a mask of rows that broadcasts along the outputs of each row."""
    return mask if array.ndim == 1 else mask[:, None]
