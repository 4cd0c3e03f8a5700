"""The recipes of other packages, implemented with the student of this package; no other package is run."""

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from skdistill.students import teach_classifier, teach_regressor


class AutoGluonSpunge(BaseEstimator):
    """AutoGluon's sampler as published.

    ``int(0.1 d)`` cells of each row are redrawn from their columns, which is none below ten columns. Then, with
    probability 0.1, normal noise with a tenth of the column's standard deviation is added to each number; integers
    become floats.
    """

    def fit(self, X, y=None):
        self.X_ = X
        return self

    def sample(self, n_samples, random_state=None):
        rng = np.random.RandomState(random_state)
        rows = self.X_.iloc[np.resize(np.arange(len(self.X_)), n_samples)].reset_index(drop=True)
        n_features = self.X_.shape[1]
        chosen = np.argsort(rng.rand(n_samples, n_features), axis=1)[:, : int(0.1 * n_features)]
        for index, name in enumerate(self.X_.columns):
            changed = np.flatnonzero((chosen == index).any(axis=1))
            column = rows[name].copy()
            column.iloc[changed] = self.X_[name].iloc[rng.randint(len(self.X_), size=len(changed))].to_numpy()
            if pd.api.types.is_numeric_dtype(column):
                noise = rng.normal(scale=0.1 * np.nanstd(self.X_[name]), size=n_samples)
                column = column + noise * (rng.rand(n_samples) < 0.1)
            rows[name] = column
        return rows


def teach(student, task, X, targets, classes, weight=None):
    """Teach a student on targets that are given."""
    options = {"sample_weight": np.ones(len(X)) if weight is None else weight, "rng": np.random.RandomState(0)}
    if task == "classification":
        return teach_classifier(student, X, targets, classes=classes, **options)
    return teach_regressor(student, X, targets, **options)
