"""Use scikit-learn's density estimators as samplers."""

import inspect
from numbers import Integral
from typing import Any, Self

import narwhals as nw
import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, DensityMixin, clone
from sklearn.neighbors import KernelDensity
from sklearn.utils.validation import check_is_fitted

from .._encoding import declared_here
from .._tables import is_frame
from .._validation import check_number, check_table
from ..exceptions import SamplerError
from ._cells import Numbers


def as_sampler(sampler: Any) -> Any:
    """Return an unfitted copy of ``sampler`` with the interface of the samplers of this package.

    Parameters
    ----------
    sampler : object
        A sampler of skdistill, a density estimator of scikit-learn (``KernelDensity``, ``GaussianMixture``,
        ``BayesianGaussianMixture``), or any estimator with ``fit`` and ``sample``.

    Returns
    -------
    sampler : object

    Raises
    ------
    SamplerError
        If it has no ``fit`` or no ``sample`` method.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.mixture import GaussianMixture
    >>> from skdistill.samplers import as_sampler
    >>> as_sampler(GaussianMixture(2)).fit(np.eye(4)).sample(3, random_state=0).shape
    (3, 4)
    """
    missing = [name for name in ("fit", "sample") if not hasattr(sampler, name)]
    if missing or isinstance(sampler, type):
        raise SamplerError(
            f"got {sampler!r} as a sampler, which has no {' and no '.join(missing) or 'fitted state: it is a class'}; "
            'expected "auto", None, or an object with fit(X, y) and sample(n_samples, random_state), e.g. MUNGE().'
        )
    copy = clone(sampler, safe=False)
    return DensitySampler(copy) if isinstance(sampler, DensityMixin | KernelDensity) else copy


_ADVICE = "Pass sampler=MUNGE()."


class DensitySampler(BaseEstimator):
    """Draw rows from a density estimator of scikit-learn, with the schema of the table.

    The density is fitted on floats, so the table must be numeric and have no missing values. Rows are clipped to the
    observed range; integer and boolean columns are rounded.

    Parameters
    ----------
    density : estimator
        Has ``fit(X)`` and ``sample``.
    """

    def __init__(self, density: Any) -> None:
        self.density = density

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002  (interface of samplers)
        """Fit a clone of the density on ``X``, a numeric table."""
        X = check_table(self, X, reset=True)
        if sparse.issparse(X):
            raise SamplerError(f"{self._name} cannot draw sparse rows; expected an array or a frame. {_ADVICE}")
        frame = nw.from_native(X, eager_only=True) if is_frame(X) else None
        schema = {} if frame is None else frame.schema
        others = [name for name, dtype in schema.items() if not (dtype.is_numeric() or dtype == nw.Boolean)]
        if others or (frame is None and X.dtype.kind not in "biuf"):
            raise SamplerError(
                f"{self._name} got columns that are not numeric ({others or X.dtype}); it only draws numbers. {_ADVICE}"
            )
        if declared_here():
            raise SamplerError(
                f"{self._name} got columns {list(declared_here())} that are declared by categorical_features; it only "
                f"draws numbers. {_ADVICE}"
            )
        has_nulls = frame is not None and any(frame[:, index].is_null().any() for index in range(frame.shape[1]))
        values = np.empty(0) if has_nulls else (X if frame is None else frame.to_numpy()).astype(np.float64)
        if has_nulls or not np.isfinite(values).all():
            raise SamplerError(
                f"{self._name} got missing values; expected none, since a density only supports numbers. {_ADVICE}"
            )
        self.density_ = clone(self.density).fit(values)
        self._numbers = Numbers(values)
        self._template = X[:0]
        return self

    def sample(self, n_samples: int = 1, random_state: Any = None) -> Any:
        """Draw rows with the type and schema of the fitted table."""
        check_is_fitted(self)
        check_number(self, "n_samples", n_samples, kind=Integral, low=1)
        if "random_state" in inspect.signature(self.density_.sample).parameters:
            drawn = self.density_.sample(n_samples, random_state=random_state)
        else:
            drawn = self.density_.set_params(random_state=random_state).sample(n_samples)
        rows = drawn[0] if isinstance(drawn, tuple) else drawn
        rows = self._numbers.fit_in(rows)
        if not is_frame(self._template):
            return rows.astype(self._template.dtype)
        frame = nw.from_native(self._template, eager_only=True)
        columns = [
            nw.new_series(name, column, nw.Float64, backend=frame.implementation).cast(dtype)
            for (name, dtype), column in zip(frame.schema.items(), rows.T, strict=True)
        ]
        drawn_frame = columns[0].to_frame().with_columns(*columns[1:]).to_native()
        is_pandas = nw.dependencies.is_pandas_dataframe(drawn_frame)
        return drawn_frame.astype(self._template.dtypes) if is_pandas else drawn_frame  # nullable and arrow dtypes too

    @property
    def _name(self) -> str:
        return type(self.density).__name__

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = tags.input_tags.string = tags.input_tags.sparse = True
        return tags
