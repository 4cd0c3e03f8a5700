"""``feature_importances_`` of the distilled estimators: those of the student, for all columns of the table."""

from typing import Any

import numpy as np

from ..convert import columns_of_student


def importances_of_student(model: Any) -> np.ndarray:
    """Return the importances of the student for the columns of the table that the estimator was fitted on."""
    student = model.student_
    while not hasattr(student, "feature_importances_") and hasattr(student, "estimator"):
        student = student.estimator  # one that completes, calibrates or bounds another
    found = getattr(student, "feature_importances_", None)
    if found is None:
        raise AttributeError(
            f"{type(model).__name__} has no feature_importances_, because its student {type(student).__name__} has "
            'none. Pass student="tree", "boosting" or "linear", or use sklearn.inspection.permutation_importance.'
        )
    found, columns = np.asarray(found), columns_of_student(model)
    if columns is None:
        return found
    of_all = np.zeros(model.n_features_in_)
    of_all[list(columns)] = found
    return of_all
