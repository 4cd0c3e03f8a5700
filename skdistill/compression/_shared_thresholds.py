"""Sharing thresholds: a pickle stores the distinct thresholds of a feature once, and one byte per split."""

from dataclasses import replace

import numpy as np

from ..compiled import Forest


def share_thresholds(forest: Forest, max_thresholds: int = 255) -> Forest:
    """Move thresholds to the nearest of a few that the forest uses, so that splits share them.

    The thresholds that are kept are quantiles of those of all splits of the feature, so that they are dense where
    the forest splits often. Categorical splits remain as they are. This needs no rows, and takes milliseconds for the
    millions of splits of a teacher; :class:`ShareThresholds` merges the thresholds of a student by the rows between
    them instead, as many as a tolerance allows, and solves for the leaf values.

    Parameters
    ----------
    forest : Forest
    max_thresholds : int >= 1, default=255
        Distinct thresholds of a feature at most.

    Returns
    -------
    forest : Forest
        With the same splits otherwise.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.ensemble import RandomForestRegressor
    >>> import skdistill
    >>> from skdistill.compression import share_thresholds
    >>> X = np.random.default_rng(0).uniform(size=(500, 1))
    >>> forest = skdistill.compile(
    ...     RandomForestRegressor(10, random_state=0).fit(X, X[:, 0])
    ... ).scorer
    >>> len(np.unique(share_thresholds(forest, 16).threshold))
    16
    """
    threshold = forest.threshold.copy()
    for feature in np.unique(forest.feature):
        if forest.is_category[feature]:
            continue
        of_feature = np.flatnonzero(forest.feature == feature)
        if len(np.unique(threshold[of_feature])) <= max_thresholds:
            continue
        places = np.linspace(0, len(of_feature) - 1, max_thresholds).astype(np.intp)
        kept = np.unique(np.sort(threshold[of_feature])[places])
        above = np.searchsorted(kept, threshold[of_feature]).clip(1, max(len(kept) - 1, 1))
        low, high = kept[above - 1], kept[np.minimum(above, len(kept) - 1)]
        given = threshold[of_feature]
        with np.errstate(over="ignore", invalid="ignore"):
            threshold[of_feature] = np.where(given - low < high - given, low, high)
    return replace(forest, threshold=threshold)
