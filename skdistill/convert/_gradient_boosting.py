"""Gradient boosting of scikit-learn that does not bin its columns: its trees, and the model that it starts from."""

import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.base import is_classifier
from sklearn.dummy import DummyClassifier, DummyRegressor

from ..compiled import CompiledModel, Scorer, Sum
from ..exceptions import CompileError
from ._trees import Trees, joined_nodes

Read = Callable[[Any], CompiledModel | None]
"""From a fitted model to its compiled form, or ``None`` for models of an unknown kind."""

EXPONENTIAL_FACTOR = 2.0
"""Under the exponential loss, a score is half the logit of the second class."""


def trees_of_gradient_boosting(model: Any) -> Trees:
    """Read the trees of ``GradientBoostingClassifier`` or ``GradientBoostingRegressor``, without what it starts from.

    Parameters
    ----------
    model : estimator
        A fitted model; its trees have one value for each leaf, which the learning rate shortens.
    """
    n_outputs = model.estimators_.shape[1]
    members = [member.tree_ for member in np.ravel(model.estimators_)]
    nodes = joined_nodes(members)
    return replace(
        nodes,
        value=model.learning_rate * nodes.value,
        tree_output=np.arange(len(members)) % n_outputs,
        n_outputs=n_outputs,
    )


def from_gradient_boosting(model: Any, read: Read) -> CompiledModel:
    """Return the compiled form of ``GradientBoostingClassifier`` or ``GradientBoostingRegressor``.

    Parameters
    ----------
    model : estimator
        A fitted model. The model that it starts from (``init``) is a constant, or for values any model that can be
        compiled.
    read : callable
        Reads the model that it starts from.

    Raises
    ------
    CompileError
        If the model that it starts from cannot be read.
    """
    scorer = _with_start(model, trees_of_gradient_boosting(model), read)
    names = getattr(model, "feature_names_in_", None)
    if not is_classifier(model):
        return CompiledModel(scorer, is_single=True, names=names)
    if model.loss == "exponential":
        scorer = scorer.scaled(EXPONENTIAL_FACTOR)
    link = "binary" if len(model.classes_) == 2 else "softmax"
    return CompiledModel(scorer, link, classes=model.classes_, names=names)


def _with_start(model: Any, trees: Trees, read: Read) -> Scorer:
    """Return the trees with what they start from: a constant in their base, or another scorer."""
    if _is_constant(model.init_):
        row = np.zeros((1, trees.n_features))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the row has no column names
            score = model.decision_function(row) if is_classifier(model) else model.predict(row)
        forest = trees.forest()
        return replace(forest, base=np.ravel(score) - forest.scores(row)[0])
    start = None if is_classifier(model) else read(model.init_)
    if start is None or start.link != "identity" or start.bounds is not None or start.columns is not None:
        expected = "a constant (init=None, init='zero' or a dummy estimator)"
        if not is_classifier(model):
            expected += ", or a linear model, trees or another model of values that can be compiled"
        raise CompileError(
            f"compile: {type(model).__name__} starts from {type(model.init_).__name__}; expected {expected}. Fit it "
            "with init=None."
        )
    return Sum([trees.forest(), start.scorer])


def _is_constant(start: Any) -> bool:
    if isinstance(start, DummyClassifier):
        return start.strategy != "stratified"  # which draws its answers
    return isinstance(start, DummyRegressor) or (isinstance(start, str) and start == "zero")
