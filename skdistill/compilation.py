"""Compilation of a fitted model to a callable that depends on numpy only."""

from numbers import Real
from typing import Any, Literal

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from ._described import described, with_article
from ._suggesting import did_you_mean
from .compiled import CompiledModel, Computed, Landmarks, Network
from .compression import Quantize
from .compression._compressing import compress_compiled
from .convert import read_margins, read_model, rows_of_student, unwrap, with_steps
from .exceptions import CompileError
from .metrics import fidelity
from .students._calibrated import IsotonicClassifier
from .students._completion import CompletedClassifier, LinkedRegressor
from .students._deciding import DecidingClassifier

DTYPES = ("float64", "float32", "float16", "int8")


def compile(
    model: Any,
    *,
    dtype: Literal["float32", "float64", "float16", "int8"] = "float32",
    X: Any = None,
    tolerance: float = 0.001,
) -> CompiledModel:
    """Compile a fitted model to a small callable for production.

    The callable depends on numpy only, takes one row or many, and can be pickled. It returns the output of
    ``predict_proba`` (classifiers) or ``predict`` (regressors) with an error of at most 1e-6 of the output scale. It
    checks the number of columns, but nothing else. Its method ``predict`` returns labels, by the decision of the
    student if it has one. A single row is processed by Python code that is generated in
    memory, many rows by vectorised operations on flat arrays. A model fitted on a data frame also takes rows by column
    name.

    Parameters
    ----------
    model : estimator, Booster or module of torch
        A fitted ``DistilledClassifier`` or ``DistilledRegressor`` (its student), a student of this package, a
        LightGBM or XGBoost model or ``Booster``, a feed-forward network of torch (an ``nn.Sequential`` of ``Linear``,
        ``ReLU`` or ``LeakyReLU``, with ``BatchNorm1d`` and ``Dropout`` in evaluation mode; its compiled form returns
        what the module returns), or one of these models of scikit-learn: a decision tree, a forest, gradient boosting,
        histogram gradient boosting, a linear model, logistic regression, a multilayer perceptron with the activation
        ``"relu"`` or ``"identity"``, ``SVR`` and ``NuSVR`` with an RBF or linear kernel, ``KernelRidge`` with an RBF
        kernel, or ``CalibratedClassifierCV(method="sigmoid", ensemble=False)`` of a linear classifier or of a binary
        ``SVC``. For a fitted search, the best estimator is compiled. Other models can implement a method
        ``__skdistill_compile__()`` that returns a :class:`~skdistill.compiled.CompiledModel`. A ``Pipeline`` is
        compiled with its steps if they are scalers (``StandardScaler``, ``MinMaxScaler``, ``MaxAbsScaler``,
        ``RobustScaler``), ``SimpleImputer``, ``MissingIndicator``, ``OneHotEncoder``, ``OrdinalEncoder``, selectors of
        features, ``FunctionTransformer`` without a function, or a ``ColumnTransformer``, ``FeatureUnion`` or
        ``Pipeline`` of these.
    dtype : {"float32", "float64", "float16", "int8"}, default="float32"
        Precision of the stored leaf values. ``"float16"`` also applies to the weights of linear models and to those of
        scikit-learn's perceptrons and kernel machines, which are stored as float64 otherwise. Students of this package
        always use half precision. ``"int8"`` stores leaf values and weights as multiples of a step, 127 of which are
        the largest value; :func:`skdistill.compress` finds out how many are enough. Thresholds are never rounded.
    X : table of shape (n_samples, n_features) or None, default=None
        Rows on which the compiled model is compared with the exact model. Required for ``dtype="float16"``, and for
        ``dtype="int8"``, which uses 70 % of them, at least 20 in all, to correct the errors of rounding and compares on
        the others.
    tolerance : float >= 0, default=0.001
        Maximum loss of fidelity on ``X`` caused by ``dtype``.

    Returns
    -------
    compiled : CompiledModel

    Raises
    ------
    CompileError
        If the model cannot be compiled, or if the loss of fidelity exceeds ``tolerance``.

    Notes
    -----
    Perceptrons, kernel machines and gradient boosting of scikit-learn raise an error for missing values, and networks
    of torch return NaN. Their compiled forms do not check for missing values: they replace them by 0 or by the mean of
    the support vectors, and trees send them to one side. Impute missing values first. XGBoost takes the zeros of
    sparse matrices for missing cells, and compiled models for zeros; pass dense rows.

    The steps of a pipeline compute in double precision, also for tables of float32. ``None`` and NaN are both missing.
    Cells that an encoder of the pipeline refuses are not refused by its compiled form: an unseen category sets no
    indicator, and has no ordinal code (NaN).

    Examples
    --------
    >>> import skdistill
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> predict_proba = skdistill.compile(
    ...     DecisionTreeClassifier(max_leaf_nodes=3).fit(X, y)
    ... )
    >>> predict_proba(X[0])
    array([1., 0., 0.])
    """
    if not isinstance(tolerance, Real) or not tolerance >= 0:
        raise ValueError(f"compile: tolerance={tolerance!r}; expected a number of at least 0.")
    if not isinstance(dtype, str) or dtype not in DTYPES:
        raise ValueError(f"compile: dtype={described(dtype)}; expected one of {DTYPES}.{did_you_mean(dtype, DTYPES)}")
    if dtype in ("float16", "int8") and X is None:
        raise ValueError(
            f'compile: dtype="{dtype}" needs rows to measure the loss of fidelity on, but X is None. Pass X, e.g. the '
            "training rows."
        )
    if X is not None and getattr(X, "ndim", np.ndim(X)) != 2:
        raise ValueError(
            "compile: X is a single row or not a table; expected shape (n_samples, n_features). Reshape a single row "
            "to (1, n_features)."
        )
    exact = _convert(model)
    if X is not None:
        X = rows_of_student(model, X)
    if dtype == "int8":
        return _in_bytes(exact, X, tolerance)
    stored = "float64" if dtype == "float32" and _has_full_weights(exact.scorer) else dtype
    compiled = exact.stored_as(np.dtype(stored))
    if X is not None:
        compiled.quantization_loss_ = _measured_loss(exact, compiled, X, tolerance)
    return compiled


def _in_bytes(exact: CompiledModel, X: Any, tolerance: float) -> CompiledModel:
    """Return a model whose leaf values and weights take a byte."""
    steps = [Quantize("int8", 127)]
    found = compress_compiled(exact, steps, X=X, tolerance=tolerance, order="given", is_cautious=False)
    before, after = found.records[0], found.records[-1]
    if not after.is_kept and before.fidelity - after.fidelity > tolerance:
        raise CompileError(
            f"compile: dtype='int8' loses {before.fidelity - after.fidelity:.2g} of fidelity on {found.n_judged} rows "
            f"of X; expected at most tolerance={tolerance:g}. Pass dtype='float16' or a larger tolerance."
        )
    return found.model


def _measured_loss(exact: CompiledModel, compiled: CompiledModel, X: Any, tolerance: float) -> float:
    before, after = exact(X), compiled(X)
    if not np.all(np.isfinite(after)):
        raise CompileError(
            "compile: some outputs are infinite or NaN because parameters exceed the range of the dtype. Pass "
            "dtype='float32'."
        )
    if np.ptp(before, axis=0).max() == 0:
        loss = float(np.abs(after - before).max() / max(np.abs(before).max(), 1e-300))
    else:
        loss = 1 - fidelity(before, after, multioutput="variance_weighted")
    if loss > tolerance:
        raise CompileError(
            f"compile: the smaller dtype loses {loss:.2g} of fidelity on the {len(after)} rows of X; expected at most "
            f"tolerance={tolerance:g}. Pass dtype='float32' or a larger tolerance."
        )
    return loss


def _has_full_weights(scorer: Any) -> bool:
    """Whether a scorer is a network or a kernel machine with float64 weights, as scikit-learn fits them.

    If large weights cancel, rounding them to float32 can cause errors above 1e-6 of the output scale.
    """
    if isinstance(scorer, Computed):
        return _has_full_weights(scorer.scorer)
    if isinstance(scorer, Landmarks):
        return scorer.positions.dtype == np.float64  # there may be no landmark
    return isinstance(scorer, Network) and scorer.weights[0].dtype == np.float64


# ---------------------------------------------------------------------- kinds of models


def _convert(model: Any, owner: str = "") -> CompiledModel:
    """Return the compiled form of a model, perhaps the student of a distilled ``owner``, at full precision."""
    inside = unwrap(model)
    several = next((pipeline for pipeline in inside.pipelines if len(pipeline) > 1), None)
    return with_steps(_convert_single(inside.model, owner, several), inside)


def _convert_single(model: Any, owner: str, several: Any) -> CompiledModel:
    """Return the compiled form of a model that is no pipeline, perhaps the last step of one of ``several`` steps."""
    if hasattr(model, "student_"):
        return _convert(model.student_, type(model).__name__)
    if isinstance(model, DecidingClassifier):
        return _convert(model.estimator).deciding(model.decision)
    if isinstance(model, IsotonicClassifier):
        return _convert(model.estimator).calibrated(model.isotonic)
    if isinstance(model, CompiledModel):
        return model
    if isinstance(model, BaseEstimator):
        check_is_fitted(model)
    if hasattr(model, "__skdistill_compile__"):
        return model.__skdistill_compile__()
    wrapped = {CompletedClassifier: _from_completed, LinkedRegressor: _from_linked}.get(type(model))
    compiled = read_model(model) if wrapped is None else wrapped(model)
    if compiled is not None:
        return compiled
    raise CompileError(
        f"compile: got {_named(model, several)}{owner and f', the student of a {owner}'}; expected a student of this "
        "package, a scikit-learn tree, forest, gradient boosting, linear model, logistic regression, multilayer "
        "perceptron, SVR, kernel ridge regression or calibrated SVC, a LightGBM or XGBoost model, or a feed-forward "
        "network of torch."
        f"{_advice_on(model, owner)}"
    )


def _named(model: Any, several: Any) -> str:
    if isinstance(model, type):
        return f"the class {model.__name__}"
    return with_article(model) + ("" if several is None else f", the last step of a Pipeline of {len(several)} steps")


def _advice_on(model: Any, owner: str) -> str:
    """Return what to do with a model that has no compiled form."""
    if owner:
        return ' Distil the teacher with student="auto", or with one of these as the student.'
    if isinstance(model, type):
        return " Pass a fitted model."
    if hasattr(model, "predict") or callable(model):
        return " Distil it first: DistilledClassifier(teacher=model).fit(X), or DistilledRegressor."
    return ""


def _from_completed(model: CompletedClassifier) -> CompiledModel:
    """Compile a student whose outputs are completed to probabilities of all classes at temperature 1."""
    if model.response == "decision_function":
        return _from_margins(model)
    inner = _convert(model.estimator)
    described: dict[str, Any] = {"classes": model.classes, "columns": inner.columns, "names": inner.feature_names_in_}
    is_plain = inner.link == "identity" and inner.bounds is None and inner.order is None and inner.power == 1
    if model.response == "logit" and model.decoder is None and is_plain:
        scorer = inner.scorer.scaled(model.temperature)
        link = "binary" if len(model.classes) == 2 else "softmax"
        return CompiledModel(scorer, link, **described)
    knows_all = np.array_equal(getattr(model.estimator, "classes_", []), model.classes)
    if model.response == "predict_proba" and knows_all and inner.isotonic is None:
        power = inner.power * model.temperature
        if inner.link in ("binary", "softmax"):  # a power of probabilities is a factor of scores
            return CompiledModel(inner.scorer.scaled(power), inner.link, **described)
        return CompiledModel(inner.scorer, inner.link, power=power, **described)
    raise _not_completed(model)


def _from_linked(model: LinkedRegressor) -> CompiledModel:
    """Compile a regressor of scores whose predictions are converted to values by a link."""
    inner, link = _convert(model.estimator), model.link
    if link.name == "identity" and link.bounds is None and link.order is not None and inner.order is None:
        return inner.in_order(link.order)
    if inner.link != "identity" or inner.bounds is not None or inner.order is not None:
        raise CompileError(
            f"compile: the student {type(model.estimator).__name__} has a link of its own inside link="
            f"{model.link.name!r}; expected a student that predicts scores. Pass link='identity'."
        )
    return CompiledModel(
        inner.scorer,
        link.inverse,
        columns=inner.columns,
        is_single=model.is_single,
        names=inner.feature_names_in_,
        bounds=link.bounds,
        order=link.order,
    )


def _from_margins(model: CompletedClassifier) -> CompiledModel:
    """Compile a student whose margins are scaled to logits of all classes."""
    inside = unwrap(model.estimator)
    knows_all = np.array_equal(model.estimator.classes_, model.classes)
    margins = read_margins(inside.model) if knows_all else None
    if margins is None:
        raise _not_completed(model)
    link = "binary" if len(model.classes) == 2 else "softmax"
    names = getattr(inside.model, "feature_names_in_", None)
    scorer = margins.scaled(model.scale * model.temperature)
    return with_steps(CompiledModel(scorer, link, classes=model.classes, names=names), inside)


def _not_completed(model: CompletedClassifier) -> CompileError:
    return CompileError(
        f"compile: the outputs of the student {type(model.estimator).__name__} are converted to probabilities by a "
        'step that has no compiled form. Pass student="auto" and target_compressor=None.'
    )
