"""``SamplerDisplay``: real and synthetic rows."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from scipy import sparse
from sklearn.base import clone
from sklearn.decomposition import PCA, TruncatedSVD

from .._encoding import TableEncoder, find_durations
from .._tables import describe_mismatch, stack_rows, take_rows
from .._validation import check_fitted, check_random_state, draw_seed, seed_estimator
from ..estimators import AutoSampler
from ..exceptions import SamplerError
from ..metrics._checks import check_count
from ..metrics._unwrapping import distilled_inside
from ..samplers import Mixture, as_sampler
from ._answers import as_table, draw_rows
from ._slices import names_of, places_of
from ._style import BLUE, axes, check_drawable, ink

MOST_NAMES = 20
"""Maximum number of categories that are labelled at an axis."""

EPOCH, MICROSECONDS_OF_A_DAY, DAYS_OF_A_YEAR = 1970, 86_400e6, 365.2425


@dataclass(frozen=True)
class _Axis:
    """A column as a coordinate: numbers unchanged, dates in years, durations in days, categories by position."""

    place: int
    name: str
    categories: list[str] | None = None
    scale: float = 1.0
    start: float = 0.0

    @classmethod
    def of(cls, X: Any, encoder: TableEncoder, place: int) -> Self:
        """Return the axis of a column."""
        name, known = names_of(X)[place], encoder.categories_[place]
        if known is not None:
            return cls(place, name, [str(category) for category in known])
        if not encoder.is_time_[place]:
            return cls(place, name)
        if find_durations(X)[place]:
            return cls(place, f"{name}, days", scale=1 / MICROSECONDS_OF_A_DAY)
        return cls(place, f"{name}, year", scale=1 / MICROSECONDS_OF_A_DAY / DAYS_OF_A_YEAR, start=EPOCH)

    def values(self, codes: Any) -> np.ndarray:
        """Return the coordinates of rows."""
        column = codes[:, [self.place]]
        column = column.toarray() if sparse.issparse(column) else np.asarray(column, dtype=float)
        return self.start + self.scale * column[:, 0]


class SamplerDisplay:
    """Real rows and the synthetic rows that a sampler draws from them, in two dimensions.

    Create it with :meth:`from_estimator` or :meth:`from_samples`. All parameters are stored as attributes.

    Parameters
    ----------
    real, synthetic : ndarray of shape (n_rows, 2)
        Coordinates.
    names : tuple of two str
        Names of the coordinates.
    title : str, default=""
        Title of the figure.
    categories : tuple of (list of str or None), default=(None, None)
        The names of the categories for each coordinate that contains positions of categories.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes of the display.
    figure_ : matplotlib Figure
        The figure that contains it.
    real_, synthetic_ : matplotlib PathCollection
        The points.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from skdistill.inspection import SamplerDisplay
    >>> from skdistill.samplers import MUNGE
    >>> X = load_wine(as_frame=True).data
    >>> display = SamplerDisplay.from_estimator(
    ...     MUNGE(), X, features=["alcohol", "proline"], random_state=0
    ... )
    >>> display.ax_.get_xlabel()
    'alcohol'
    """

    def __init__(
        self,
        *,
        real: Any,
        synthetic: Any,
        names: tuple[str, str],
        title: str = "",
        categories: tuple[Any, Any] = (None, None),
    ) -> None:
        self.real = real
        self.synthetic = synthetic
        self.names = names
        self.title = title
        self.categories = categories

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any = None,
        *,
        n_samples: int | None = None,
        features: Any = None,
        subsample: int = 1000,
        random_state: Any = None,
        ax: Any = None,
        **scatter_kwargs: Any,
    ) -> Self:
        """Fit a clone of the sampler on ``X``, draw synthetic rows, and show both.

        Parameters
        ----------
        estimator : sampler, or fitted DistilledClassifier or DistilledRegressor
            For a distilled estimator, the sampler that drew its synthetic rows is used.
        X : table of shape (n_samples, n_features)
            Real rows.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs) or None, default=None
            The teacher's outputs, for samplers that use them. A distilled estimator queries its teacher.
        n_samples : int or None, default=None
            Number of synthetic rows; ``None`` draws as many as there are real rows in the display.
        features : pair of str or int, or None, default=None
            Names or positions of the two columns to show. ``None`` shows the first two principal components of the real
            rows, with columns scaled to variance 1 and one-hot encoded categories.
        subsample : int, default=1000
            Maximum number of real rows, drawn at random.
        random_state : int, RandomState instance or None, default=None
            Seed for drawing the rows.
        ax : matplotlib Axes or None, default=None
            ``None`` creates a new figure.
        **scatter_kwargs : dict
            Passed to ``scatter`` of matplotlib, for the synthetic rows.

        Returns
        -------
        display : SamplerDisplay
        """
        who = f"{cls.__name__}.from_estimator"
        check_drawable(who)
        check_count(who, "subsample", subsample)
        if n_samples is not None:
            check_count(who, "n_samples", n_samples)
        rng, X = check_random_state(random_state, "SamplerDisplay"), as_table(X)
        rows = draw_rows(np.ones(X.shape[0]), subsample, rng)
        X, y = take_rows(X, rows), None if y is None else np.asarray(y)[rows]
        sampler = estimator
        if not hasattr(estimator, "sample"):
            distilled, X = distilled_inside(estimator, X, who=who)
            check_fitted(distilled, "student_")
            sampler, y = _sampler_of(distilled, X), distilled.soft_targets(X)
        fitted = seed_estimator(as_sampler(clone(sampler)), rng).fit(X, y)
        synthetic = fitted.sample(X.shape[0] if n_samples is None else n_samples, random_state=draw_seed(rng))
        name = type(sampler).__name__
        return cls.from_samples(X, synthetic, features=features, title=name, ax=ax, **scatter_kwargs)

    @classmethod
    def from_samples(
        cls, X: Any, X_synthetic: Any, *, features: Any = None, title: str = "", ax: Any = None, **scatter_kwargs: Any
    ) -> Self:
        """Show given real and synthetic rows.

        Parameters
        ----------
        X, X_synthetic : table of shape (n_rows, n_features)
            Tables of the same type with the same columns.
        features : pair of str or int, or None, default=None
            As for :meth:`from_estimator`.
        title : str, default=""
            Title of the figure.
        ax : matplotlib Axes or None, default=None
            ``None`` creates a new figure.
        **scatter_kwargs : dict
            Passed to ``scatter`` of matplotlib, for the synthetic rows.

        Returns
        -------
        display : SamplerDisplay
        """
        check_drawable(f"{cls.__name__}.from_samples")
        X, X_synthetic = as_table(X), as_table(X_synthetic)
        mismatch = describe_mismatch(X, X_synthetic)
        if mismatch is not None:
            raise ValueError(
                f"{cls.__name__}.from_samples: the synthetic rows are or have {mismatch}; expected the columns and "
                "dtypes of the real rows."
            )
        encoder = TableEncoder().fit(stack_rows([X, X_synthetic]))
        codes = [encoder.transform(table) for table in (X, X_synthetic)]
        if features is None:
            real, synthetic = _components(codes, encoder)
            display = cls(real=real, synthetic=synthetic, names=("first component", "second component"), title=title)
            return display.plot(ax, **scatter_kwargs)
        if isinstance(features, str) or not np.iterable(features) or len(list(features)) != 2:
            raise ValueError(f"{cls.__name__}: features={features!r}; expected two columns, such as features=[0, 1].")
        first, second = (_Axis.of(X, encoder, place) for place in places_of(cls.__name__, X, features))
        real, synthetic = (np.column_stack([first.values(table), second.values(table)]) for table in codes)
        display = cls(
            real=real,
            synthetic=synthetic,
            names=(first.name, second.name),
            title=title,
            categories=(first.categories, second.categories),
        )
        return display.plot(ax, **scatter_kwargs)

    def plot(self, ax: Any = None, **scatter_kwargs: Any) -> Self:
        """Draw the display.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            ``None`` creates a new figure.
        **scatter_kwargs : dict
            Passed to ``scatter`` of matplotlib, for the synthetic rows.

        Returns
        -------
        display : SamplerDisplay
        """
        ax = axes(f"{type(self).__name__}.plot", ax)
        self.real_ = ax.scatter(
            *np.asarray(self.real).T, s=26, facecolors="none", edgecolors=ink(), linewidths=0.7, alpha=0.6, label="real"
        )
        self.synthetic_ = ax.scatter(
            *np.asarray(self.synthetic).T,
            **{"s": 12, "color": BLUE, "alpha": 0.6, "linewidths": 0, "label": "synthetic", **scatter_kwargs},
        )
        ax.set_xlabel(self.names[0], parse_math=False)  # column names may contain dollar signs
        ax.set_ylabel(self.names[1], parse_math=False)
        for axis, categories in zip((ax.xaxis, ax.yaxis), self.categories, strict=True):
            if categories is not None and len(categories) <= MOST_NAMES:
                axis.set_ticks(range(len(categories)), categories, parse_math=False)
        ax.set_title(self.title, fontsize="medium")
        ax.legend(frameon=False, fontsize="small")
        self.ax_, self.figure_ = ax, ax.figure
        return self


def _sampler_of(distilled: Any, X: Any) -> Any:
    """Return the sampler that drew a distilled estimator's rows."""
    used = distilled.transfer_set_.sampler
    if not used:
        raise SamplerError(
            f"{type(distilled).__name__} was trained without synthetic rows, so there are none to show. Pass a sampler."
        )
    options = AutoSampler() if isinstance(distilled.sampler, str) else distilled.sampler
    if not isinstance(options, AutoSampler):
        return options
    samplers = options.candidates(X, distilled.n_jobs)
    return next((each for each in samplers if repr(each) == used), Mixture(samplers))


def _components(codes: list[Any], encoder: TableEncoder) -> tuple[np.ndarray, np.ndarray]:
    """Return the first two principal components of the real rows, and the same for the synthetic rows."""
    real, synthetic = codes
    if sparse.issparse(real):
        if real.shape[1] < 3:
            return _in_plane(real.toarray()), _in_plane(synthetic.toarray())
        plane = TruncatedSVD(2, random_state=0).fit(real)
        return plane.transform(real), plane.transform(synthetic)
    tables = [_indicators(table, encoder) for table in codes]
    is_known = ~np.isnan(tables[0])
    middle = np.where(is_known, tables[0], 0).sum(axis=0) / np.maximum(is_known.sum(axis=0), 1)
    tables = [np.where(np.isnan(table), middle, table) - middle for table in tables]
    scale = tables[0].std(axis=0)
    tables = [table / np.where(scale > 0, scale, 1) for table in tables]
    if min(tables[0].shape) < 2:  # a column, or a row
        return _in_plane(tables[0]), _in_plane(tables[1])
    plane = PCA(2, random_state=0).fit(tables[0])
    return plane.transform(tables[0]), plane.transform(tables[1])


def _in_plane(table: np.ndarray) -> np.ndarray:
    """Return the first two columns, filled with zeros if there are fewer."""
    return np.hstack([table, np.zeros((len(table), 1))])[:, :2]


def _indicators(codes: np.ndarray, encoder: TableEncoder) -> np.ndarray:
    """Return numbers unchanged and one column per category."""
    columns = [
        codes[:, [place]] if known is None else (codes[:, [place]] == np.arange(len(known))).astype(float)
        for place, known in enumerate(encoder.categories_)
    ]
    return np.hstack(columns)
