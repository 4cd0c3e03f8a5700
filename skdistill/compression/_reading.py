"""What a smaller model can inherit: the scorer of a fitted model, read by the one reader of foreign models."""

from typing import Any, NamedTuple

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from .._described import with_article
from ..compiled import CompiledModel, Forest, Linear
from ..convert import read_model, unwrap
from ..exceptions import CompileError, StudentError
from ._model_inside import check_numbers_of

READABLE = (
    "a decision tree, a random forest, extra trees or gradient boosting of scikit-learn, a LightGBM or XGBoost model "
    "or Booster, a linear model or logistic regression of scikit-learn, or a compact student of trees; students also "
    "inherit from networks with rectified units (of torch too), RBF kernel machines and nearest neighbours"
)
"""The models whose parameters can be inherited, for messages."""


class Inheritance(NamedTuple):
    """The scorer of a model, and what its scores are.

    Parameters
    ----------
    scorer : Forest or Linear
    link : str
        Link of the scores, as in :class:`~skdistill.compiled.CompiledModel`.
    classes : ndarray or None
        Labels of a classifier.
    names : list of str or None
        Names of the columns.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.compiled import Linear
    >>> from skdistill.compression import Inheritance
    >>> Inheritance(Linear(np.ones((2, 1)), np.zeros(1)), "identity", None, None).link
    'identity'
    """

    scorer: Any
    link: str
    classes: Any
    names: Any


def read_inheritance(model: Any) -> Inheritance:
    """Return the trees or the weights of a fitted model.

    Parameters
    ----------
    model : estimator, Booster or CompiledModel
        A fitted model; it may be frozen, in a search, or a pipeline of one step.

    Returns
    -------
    inheritance : Inheritance

    Raises
    ------
    StudentError
        If the parameters of the model cannot be read; the message lists the models that can be. If some of them are
        NaN or infinite.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from skdistill.compression import read_inheritance
    >>> X, y = load_iris(return_X_y=True)
    >>> read_inheritance(RandomForestClassifier(7).fit(X, y)).scorer.n_trees
    7
    """
    inside = unwrap(model)
    if inside.transformers:
        raise _refused(
            f"a Pipeline of {sum(map(len, inside.pipelines))} steps, whose {type(inside.model).__name__} reads other "
            "columns than the table has",
            "Distil the last step on the transformed rows",
        )
    if isinstance(inside.model, BaseEstimator) and not _is_fitted(inside.model):
        raise _refused(f"{with_article(inside.model)} that is not fitted", "Fit it first")
    try:
        compiled = _compiled(inside.model)
    except CompileError as error:
        raise _refused(f"{with_article(inside.model)} ({error})", "Fit it otherwise") from error
    if compiled is None or not isinstance(compiled.scorer, Forest | Linear):
        raise _refused(with_article(inside.model), 'Pass another student, such as student="auto"')
    if compiled.columns is not None:
        raise _refused(
            f"{with_article(inside.model)} of a table with categories or dates",
            "Encode them as numbers before both are fitted",
        )
    _check_numbers(compiled.scorer, type(inside.model).__name__)
    return Inheritance(compiled.scorer, compiled.link, compiled.classes_, compiled.feature_names_in_)


def _is_fitted(model: Any) -> bool:
    """Whether an estimator is fitted."""
    try:
        check_is_fitted(model)
    except NotFittedError:
        return False
    return True


def _compiled(model: Any) -> CompiledModel | None:
    """Return the compiled form of a model; ``None`` if there is none."""
    model = getattr(model, "student_", model)
    if isinstance(model, CompiledModel):
        return model
    if hasattr(model, "__skdistill_compile__"):
        return model.__skdistill_compile__()
    return read_model(model)


def _check_numbers(scorer: Forest | Linear, kind: str) -> None:
    """Raise an error if a value or a weight is no finite number; a threshold of infinity divides off missing cells."""
    thresholds = np.isnan(scorer.threshold) if isinstance(scorer, Forest) else False
    check_numbers_of(kind, scorer.value, scorer.base, np.where(thresholds, np.nan, 0))


def _refused(got: str, advice: str) -> StudentError:
    return StudentError(f"nothing can be inherited from {got}; expected {READABLE}. {advice}.")
