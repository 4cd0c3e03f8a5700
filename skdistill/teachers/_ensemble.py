"""Several fitted teachers as one model: the weighted mean of their outputs."""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from sklearn.utils.metaestimators import available_if

from ..exceptions import TeacherError, TeacherOutputError
from ..targets import softmax


class Member(Protocol):
    """One of the teachers: a result of :func:`~skdistill.as_teacher`."""

    model: Any
    classes_: np.ndarray | None
    output_kind: Any
    transductive: bool

    @property
    def answers_only_given_rows(self) -> bool: ...

    @property
    def name(self) -> str: ...

    def outputs(self, X: Any) -> np.ndarray: ...


class RowWeights(Protocol):
    """Weights of teachers that differ from row to row."""

    def of(self, X: Any) -> np.ndarray:
        """Return the weights for each row, of shape (n_samples, n_teachers)."""
        ...


class TeacherEnsemble:
    """Several fitted teachers as one model, created by ``as_teacher([a, b])`` or by a distilled estimator.

    Its output is the weighted mean of the teachers' probabilities, or of their values. Probabilities are averaged and
    not their logarithms: the mean of probabilities has the smallest Brier score that any fixed weights can have if the
    weights are chosen by it, and one teacher that is sure and wrong does not decide alone.

    Parameters
    ----------
    names : sequence of str
        Name of each teacher.
    members : sequence of Teacher
        Results of :func:`~skdistill.as_teacher`.
    weights : ndarray of shape (n_teachers,), or object with ``of(X)``
        Weights with sum 1, for all rows or for each row.
    margin_scales : dict of {str: float} or None, default=None
        Factors that scale the margins of teachers without probabilities to logits, by name.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Sorted labels. Only set if the teachers are classifiers.
    models : dict of {str: object}
        The models, by reference.
    n_asked : int
        Number of rows that were labelled to find the weights and the scales of margins.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill import as_teacher
    >>> teacher = as_teacher(
    ...     [("low", lambda X: X[:, 0]), ("high", lambda X: X[:, 0] + 1)],
    ...     teacher_weights=[3, 1],
    ... )
    >>> teacher.outputs(np.zeros((2, 1))).tolist()
    [0.25, 0.25]
    >>> teacher.model
    TeacherEnsemble(low, high)
    """

    def __init__(
        self,
        names: Sequence[str],
        members: Sequence[Member],
        weights: np.ndarray | RowWeights,
        margin_scales: dict[str, float] | None = None,
    ) -> None:
        self.names, self.members, self.weights = tuple(names), tuple(members), weights
        self.margin_scales = dict(margin_scales or {})
        self.n_asked = 0
        if (classes := members[0].classes_) is not None:
            self.classes_ = classes

    def __repr__(self) -> str:
        return f"TeacherEnsemble({', '.join(self.names)})"

    @property
    def models(self) -> dict[str, Any]:
        """The models, by name."""
        return {name: member.model for name, member in zip(self.names, self.members, strict=True)}

    def weights_of(self, X: Any) -> np.ndarray:
        """Return the weight of each teacher for each row.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)

        Returns
        -------
        weights : ndarray of shape (n_samples, n_teachers)
            Each row sums to one.
        """
        if isinstance(self.weights, np.ndarray):
            return np.broadcast_to(self.weights, (X.shape[0], len(self.names)))
        return self.weights.of(X)

    @available_if(lambda self: hasattr(self, "classes_"))  # type: ignore[untyped-decorator]
    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the mean probabilities, of shape (n_samples, n_classes)."""
        return self.combine(X, [member.outputs(X) for member in self.members])

    def predict(self, X: Any) -> np.ndarray:
        """Return the most probable labels, of shape (n_samples,), or the mean values."""
        outputs = self.combine(X, [member.outputs(X) for member in self.members])
        return self.classes_[outputs.argmax(axis=1)] if hasattr(self, "classes_") else outputs

    def combine(self, X: Any, answers: Sequence[np.ndarray]) -> np.ndarray:
        """Return the weighted mean of the teachers' outputs.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)
        answers : sequence of ndarray
            The outputs of each teacher for these rows.

        Returns
        -------
        outputs : ndarray of shape (n_samples, n_classes), (n_samples,) or (n_samples, n_outputs)

        Raises
        ------
        TeacherOutputError
            If teachers return another number of outputs than the first one.
        """
        soft, weights = self.soft_targets(answers), self.weights_of(X)
        total = np.zeros_like(soft[0])
        for each, weight in zip(soft, weights.T, strict=True):  # teachers are few, and their outputs are not stacked
            total += weight.reshape(-1, *[1] * (each.ndim - 1)) * each
        return total

    def soft_targets(self, answers: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Return the outputs of each teacher as probabilities or values, checked to have one shape."""
        soft = [
            softmax(self.margin_scales[name] * given) if name in self.margin_scales else given
            for name, given in zip(self.names, answers, strict=True)
        ]
        for name, each in zip(self.names, soft, strict=True):
            if each.shape != soft[0].shape:
                raise TeacherOutputError(
                    f"the teacher {name} returns outputs of shape {each.shape}, and the teacher {self.names[0]} of "
                    f"shape {soft[0].shape}; expected the same number of outputs of all teachers."
                )
        return soft


def disagreement(soft: Sequence[np.ndarray], mean: np.ndarray, *, pools_outputs: bool) -> np.ndarray:
    """Return how far the teachers differ in each row, of shape (n_samples,).

    This is half the mean squared difference between the outputs of two of them, as a share of the variance of the soft
    targets over the rows.

    Parameters
    ----------
    soft : sequence of ndarray
        The soft targets of each teacher.
    mean : ndarray
        The soft targets of all together.
    pools_outputs : bool
        Whether the variances of the outputs are added, as for probabilities; otherwise, the mean of the shares is
        returned.
    """
    if len(soft) < 2:
        return np.zeros(len(mean))
    size = float(np.abs(mean).max()) or 1.0  # avoids overflow in the squares of large outputs
    flat = np.stack([each.reshape(len(each), -1) / size for each in soft])
    spread, variance = flat.var(axis=0, ddof=1), (mean / size).reshape(len(mean), -1).var(axis=0)
    if pools_outputs:
        spread, variance = spread.sum(axis=1, keepdims=True), variance.sum(keepdims=True)
    found: np.ndarray = (spread / np.where(variance > 0, variance, 1.0)).mean(axis=1)
    return found


def check_members(who: str, names: Sequence[str], members: Sequence[Member]) -> None:
    """Raise an error unless the teachers have the same classes and answer any rows.

    Raises
    ------
    TeacherError
        If classes differ: a class that one teacher lacks would get a smaller probability from it only because it never
        saw it, so nothing is assumed. Also for models that only have labels of their own rows.
    """
    first = members[0].classes_
    for name, member in zip(names, members, strict=True):
        if member.transductive or _has_numbered_groups(member.model):
            raise TeacherError(
                f"{who}: the teacher {name} is a clusterer, whose groups are numbered independently of the other "
                "teachers; expected models with classes. Distil it alone."
            )
        if first is None or member.classes_ is None or np.array_equal(first, member.classes_):
            continue
        lacking, others = set(first.tolist()), set(member.classes_.tolist())
        raise TeacherError(
            f"{who}: the teachers disagree on the classes: {names[0]} has {first.tolist()}, {name} has "
            f"{member.classes_.tolist()} (only the first: {sorted(lacking - others, key=repr)}; only {name}: "
            f"{sorted(others - lacking, key=repr)}); expected the same classes. Fit all of them with the same labels, "
            "or pass functions that return a probability for every class."
        )


def _has_numbered_groups(model: Any) -> bool:
    return hasattr(model, "labels_") and not hasattr(model, "classes_")


def fixed_weights(who: str, weights: Any, n_teachers: int) -> np.ndarray:
    """Return weights with sum 1; ``None`` weighs all teachers equally.

    Raises
    ------
    ValueError
        If there is not one finite weight of at least 0 for each teacher, or if all are 0.
    """
    if weights is None:
        return np.full(n_teachers, 1 / n_teachers)
    expected = f"one number of at least 0 for each of the {n_teachers} teachers, not all of them 0"
    try:
        found = np.array(weights, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"{who}: teacher_weights={weights!r}; expected {expected}.") from None
    if found.shape != (n_teachers,) or not np.isfinite(found).all() or found.min() < 0 or found.max() == 0:
        raise ValueError(f"{who}: teacher_weights={weights!r}; expected {expected}.")
    found /= found.max()  # avoids overflow in the sum
    return found / found.sum()
