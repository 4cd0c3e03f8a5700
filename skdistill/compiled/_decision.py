"""The decision of a classifier: the label that follows from the probabilities of a row."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Decision:
    """A label for each row of probabilities that is not simply the most probable one.

    For two classes, the label is the positive class if its probability is at least its threshold, as in scikit-learn's
    :class:`~sklearn.model_selection.FixedThresholdClassifier`. For more classes, it is the class whose probability is
    largest in units of its threshold.

    Parameters
    ----------
    thresholds : tuple of float
        One per class, in the order of ``classes_``, with a sum of 1. For more than two classes, all are positive.
    positive : int, default=1
        Position of the positive class if there are two classes: the one that is predicted if its probability is equal
        to its threshold.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.compiled import Decision
    >>> decision = Decision((0.7, 0.3))
    >>> decision.positions(np.array([[0.6, 0.4], [0.7, 0.3], [0.8, 0.2]]))
    array([1, 1, 0])
    """

    thresholds: tuple[float, ...]
    positive: int = 1

    def positions(self, proba: np.ndarray) -> np.ndarray:
        """Return the position of the label among the classes, for one row of probabilities or for many.

        Parameters
        ----------
        proba : ndarray of shape (n_classes,) or (n_samples, n_classes)

        Returns
        -------
        positions : ndarray of int, shape () or (n_samples,)
        """
        if len(self.thresholds) > 2:
            return np.argmax(proba / np.array(self.thresholds), axis=-1)
        is_positive = proba[..., self.positive] >= self.thresholds[self.positive]
        return np.where(is_positive, self.positive, 1 - self.positive)
