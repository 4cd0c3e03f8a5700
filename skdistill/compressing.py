"""Compression of any model that can be compiled, by a chain of steps."""

from collections.abc import Sequence
from typing import Any, Literal

from ._types import RandomState
from .compilation import compile
from .compression import Compression, Step
from .compression._compressing import compress_compiled
from .convert import rows_of_student


def compress(
    model: Any,
    steps: Sequence[Step] | Literal["auto"] = "auto",
    *,
    X: Any,
    y: Any = None,
    sample_weight: Any = None,
    tolerance: float = 0.002,
    order: Literal["smallest", "given"] = "smallest",
    random_state: RandomState = 0,
) -> Compression:
    """Compress a fitted model by a chain of steps, each of which is kept only if fidelity stays within a tolerance.

    The model is compiled first. Parts that cannot change any prediction are left out, in any case. Then each step is
    applied as strongly as its share of the tolerance allows, and values are solved for again. A step that does not make
    the model smaller, or loses too much, is not kept; the table of the result says so.

    Parameters
    ----------
    model : estimator or CompiledModel
        Any model that :func:`skdistill.compile` takes: a distilled estimator, a student, a compiled model, or a model
        of scikit-learn or LightGBM.
    steps : sequence of Step or "auto", default="auto"
        Steps of :mod:`skdistill.compression`. ``"auto"`` is
        ``[Prune(), ShareThresholds(), Quantize("int8")]``.
    X : table of shape (n_samples, n_features)
        Rows as the model will see them, at least 20; synthetic ones serve too. 70 % of them are used to solve for
        values, and fidelity is measured on the others.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
        Outputs to compare with, for example those of a teacher: probabilities of all classes, or values. ``None``
        means the outputs of ``model``.
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each row. ``None`` means ones.
    tolerance : float >= 0, default=0.002
        Maximum loss of fidelity of all steps together on unseen rows, at a confidence of 95 %: the upper end of the
        one-sided interval of the loss on the rows that judge.
    order : {"smallest", "given"}, default="smallest"
        ``"smallest"`` tries all orders of up to four steps, and for the best one several ways to share the tolerance
        between the steps; the smallest result is kept. With more than 9,000 rows to solve for values on, this is tried
        with 9,000 of them, so that the rows that judge do not choose. ``"given"`` applies the steps as they are given,
        each of which may use an equal share.
    random_state : int, RandomState instance or None, default=0
        Draws the rows that judge.

    Returns
    -------
    found : Compression
        ``found.model`` is the compressed model; printed, ``found`` is the table of the steps.

    Raises
    ------
    CompileError
        If the model cannot be compiled.
    TypeError, ValueError
        If an argument is invalid, there are too few rows, or the model has outputs that are not finite on ``X``.

    Examples
    --------
    >>> import skdistill
    >>> from skdistill.compression import Prune, Quantize
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.ensemble import RandomForestRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> forest = RandomForestRegressor(20, max_leaf_nodes=16, random_state=0).fit(X, y)
    >>> found = skdistill.compress(
    ...     forest, [Prune(0.2), Quantize("int8", n_steps=20)], X=X, tolerance=0.05
    ... )
    >>> found.loss <= 0.05, found.model.n_bytes < found.records[0].n_bytes
    (True, True)
    """
    return compress_compiled(
        compile(model),
        steps,
        X=rows_of_student(model, X),
        y=y,
        sample_weight=sample_weight,
        tolerance=tolerance,
        order=order,
        random_state=random_state,
    )
