"""``SizeFidelityDisplay``: fidelity of students of different sizes."""

import tempfile
from numbers import Integral
from typing import Any, Self

import numpy as np
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import train_test_split
from sklearn.utils.validation import check_is_fitted

from .._progress import Progress
from ..convert import is_distilled, unwrap
from ..exceptions import StudentError, StudentSizeError
from ..metrics import fidelity_scorer, neg_bytes_scorer, neg_latency_scorer
from ..metrics._unwrapping import distilled_inside
from ._style import COLORS, MARKERS, axes, check_drawable, ink

ENDS = ("fidelity_low", "fidelity_high")
"""Columns of ``candidates_`` with the bounds of the interval."""

ABSCISSAE = ("size", "latency")
FEWEST_TICKS, MOST_TICKS = 3, 9
FAMILIES = ("boosting", "tree", "kernel", "mlp_ple", "mlp", "hybrid", "linear", "inherit")
"""Families with a fixed colour in all figures."""


class SizeFidelityDisplay:
    """Fidelity against size or latency, with one point per student and the Pareto front.

    Create it with :meth:`from_estimator`, :meth:`from_search` or :meth:`from_candidates`. All parameters are stored as
    attributes.

    Parameters
    ----------
    size : ndarray of shape (n_students,)
        Size of each student.
    fidelity : ndarray of shape (n_students,)
        R² of the outputs of each student with respect to the teacher's.
    fidelity_error : ndarray of shape (n_students,) or (2, n_students) or None, default=None
        Length of the error bars: standard errors, or the distances to the lower and upper bounds of an interval.
    latency : ndarray of shape (n_students,) or None, default=None
        Microseconds for one row.
    family : ndarray of str, shape (n_students,) or None, default=None
        Family of each student; each family has its own colour and marker.
    size_name : str, default="bytes"
        Unit of ``size``.
    chosen : int or None, default=None
        Index of the student that is marked.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes of the display.
    figure_ : matplotlib Figure
        The figure that contains it.
    lines_ : list of matplotlib Line2D
        One line per family.
    front_ : matplotlib Line2D
        The Pareto front.

    See Also
    --------
    skdistill.AutoStudent : Chooses a student within a budget of size.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.ensemble import RandomForestRegressor
    >>> from skdistill import DistilledRegressor
    >>> from skdistill.inspection import SizeFidelityDisplay
    >>> X, y = load_diabetes(return_X_y=True)
    >>> forest = RandomForestRegressor(20, random_state=0).fit(X[:300], y[:300])
    >>> model = DistilledRegressor(forest, "tree", sampler=None, random_state=0)
    >>> display = SizeFidelityDisplay.from_estimator(
    ...     model, X[:300], sizes=[20, 100], X_test=X[300:]
    ... )
    >>> len(display.size)
    2
    """

    def __init__(
        self,
        *,
        size: Any,
        fidelity: Any,
        fidelity_error: Any = None,
        latency: Any = None,
        family: Any = None,
        size_name: str = "bytes",
        chosen: int | None = None,
    ) -> None:
        self.size = size
        self.fidelity = fidelity
        self.fidelity_error = fidelity_error
        self.latency = latency
        self.family = family
        self.size_name = size_name
        self.chosen = chosen

    @classmethod
    def from_estimator(
        cls,
        model: Any,
        X: Any = None,
        y: Any = None,
        *,
        sizes: Any = None,
        families: Any = None,
        X_test: Any = None,
        x: str = "size",
        ax: Any = None,
        **fit_params: Any,
    ) -> Self:
        """Distil students of several sizes and draw them, or draw the students tried by a fitted model or search.

        Without ``sizes``, nothing is fitted: a fitted search is drawn as by :meth:`from_search`, and a fitted model
        that chose its student as by :meth:`from_candidates`.

        Parameters
        ----------
        model : DistilledClassifier, DistilledRegressor, a pipeline that ends in one, or a search over one
            Cloned for each size; the model itself is not changed.
        X : table of shape (n_samples, n_features) or None, default=None
            Training rows of the students. They are labelled once: the outputs are stored in ``memory``, or in a
            temporary folder if ``memory`` is ``None`` and ``random_state`` is an integer.
        y : array-like of shape (n_samples,) or None, default=None
            True labels, if ``fit`` needs them.
        sizes : list of int or None, default=None
            Values of ``student_size``. Sizes that are too small for a family are left out.
        families : list of str or None, default=None
            Values of ``student``, such as ``"boosting"``. ``None`` uses the student of the model.
        X_test : table of shape (n_test, n_features) or None, default=None
            Test rows. ``None`` holds out a quarter of ``X``.
        x : {"size", "latency"}, default="size"
            The x-axis: bytes, or microseconds for one row.
        ax : matplotlib Axes or None, default=None
            ``None`` creates a new figure.
        **fit_params : dict
            Passed to ``fit``.

        Returns
        -------
        display : SizeFidelityDisplay
        """
        who = f"{cls.__name__}.from_estimator"
        check_drawable(who)
        _check_abscissa(cls.__name__, x)
        if sizes is None:
            return cls._from_fitted(model, x, ax)
        if X is None:
            raise ValueError(f"{who} got sizes but no X; pass the training rows of the students.")
        sizes = [int(size) for size in np.ravel(np.asarray(sizes))]
        if not sizes:
            raise ValueError(f"{who} got no sizes; expected some, such as sizes=[500, 2000, 10_000].")
        if X_test is None:
            X, X_test, y, fit_params = _hold_out(X, y, fit_params)
        tried = _try_all(who, model, families, sizes, (X, y, X_test, fit_params))
        fitted = [measured for measured in tried if measured is not None]
        if not fitted:
            raise StudentError(
                f"{who}: each of sizes={sizes} is too small for this table and teacher. Pass larger ones."
            )
        size, kept, latency = np.array([measured[1:] for measured in fitted], dtype=float).T
        display = cls(size=size, fidelity=kept, latency=latency, family=np.array([measured[0] for measured in fitted]))
        return display.plot(ax, x=x)

    @classmethod
    def _from_fitted(cls, model: Any, x: str, ax: Any) -> Self:
        if hasattr(model, "cv_results_"):
            return cls.from_search(model, x=x, ax=ax)
        final = distilled_inside(model, None, who=f"{cls.__name__}.from_estimator")[0]
        if not hasattr(final, "candidates_"):
            raise ValueError(
                f"{cls.__name__}.from_estimator: this {type(final).__name__} tried no sizes. Pass sizes and X, or a "
                'model that was fitted with student="auto", or a fitted search.'
            )
        return cls.from_candidates(final.candidates_, x=x, ax=ax)

    @classmethod
    def from_search(cls, search: Any, *, x: str = "size", ax: Any = None) -> Self:
        """Draw the results of a fitted search over ``student_size`` or another size parameter.

        Parameters
        ----------
        search : GridSearchCV, RandomizedSearchCV or another fitted search
            Fidelity is the score named ``"fidelity"``, or that of ``scoring=fidelity_scorer``. Size is the score named
            ``"bytes"`` (of :func:`~skdistill.metrics.neg_bytes_scorer`), else the parameter whose name ends in
            ``student_size``, else the only parameter with several numbers. Latency is the score named ``"latency"``.
        x : {"size", "latency"}, default="size"
            The x-axis.
        ax : matplotlib Axes or None, default=None
            ``None`` creates a new figure.

        Returns
        -------
        display : SizeFidelityDisplay
        """
        try:
            check_is_fitted(search, "cv_results_")
        except (NotFittedError, TypeError):
            raise ValueError(
                f"{cls.__name__}.from_search got {type(search).__name__}, which has no cv_results_; expected a fitted "
                "search."
            ) from None
        results = search.cv_results_
        name = "score" if getattr(search, "scoring", None) is fidelity_scorer else "fidelity"
        if f"mean_test_{name}" not in results:
            scores = [key.removeprefix("mean_test_") for key in results if key.startswith("mean_test_")]
            raise ValueError(
                f"{cls.__name__}.from_search: the search has scores {scores} of scoring={search.scoring!r}; expected "
                'fidelity. Pass scoring=fidelity_scorer, or scoring={"fidelity": fidelity_scorer, ...}.'
            )
        size, size_name = _size_of_search(cls.__name__, results)
        family = next((results[key] for key in results if key.startswith("param_") and key.endswith("student")), None)
        n_splits = sum(key.startswith("split") and key.endswith(f"_test_{name}") for key in results)
        display = cls(
            size=size,
            fidelity=np.asarray(results[f"mean_test_{name}"], dtype=float),
            fidelity_error=np.asarray(results[f"std_test_{name}"], dtype=float) / np.sqrt(max(n_splits - 1, 1)),
            latency=-results["mean_test_latency"] if "mean_test_latency" in results else None,
            family=None if family is None else np.array([_name_of(each) for each in family]),
            size_name=size_name,
            chosen=getattr(search, "best_index_", None),
        )
        return display.plot(ax, x=x)

    @classmethod
    def from_candidates(cls, candidates: Any, *, x: str = "size", ax: Any = None) -> Self:
        """Draw the candidates of an automatic choice, with their estimated fidelity.

        Parameters
        ----------
        candidates : Candidates
            ``model.candidates_`` of a model fitted with ``student="auto"``. Early candidates were trained on fewer
            rows, so only the last candidate of each family and size is drawn.
        x : {"size", "latency"}, default="size"
            The x-axis. Candidates have no latency, so ``"latency"`` shows operations per row.
        ax : matplotlib Axes or None, default=None
            ``None`` creates a new figure.

        Returns
        -------
        display : SizeFidelityDisplay
        """
        who = f"{cls.__name__}.from_candidates"
        check_drawable(who)
        _check_abscissa(cls.__name__, x)
        if not hasattr(candidates, "tried"):
            raise TypeError(
                f"{who} got a {type(candidates).__name__}; expected candidates_ of a model that was fitted with "
                'student="auto". Pass model.candidates_.'
            )
        validated = np.flatnonzero(~np.isnan(np.asarray(candidates["fidelity"], dtype=float)))
        if len(validated) == 0:
            raise ValueError(
                f"{who}: none of the {len(candidates.tried)} candidates was validated; expected at least one. Pass "
                "more rows to fit, or pass sizes and X to from_estimator."
            )
        kinds = list(zip(candidates["student"].tolist(), candidates["real_weight"].tolist(), strict=True))
        rows = np.array(sorted({kinds[row]: row for row in validated}.values()))  # the last trial of each
        is_chosen = [candidates.chosen is not None and kinds[row] == kinds[-1] for row in rows]
        of_chosen = np.flatnonzero(is_chosen)
        size = candidates["n_bytes" if x == "size" else "n_ops"][rows]
        display = cls(
            size=size,
            fidelity=candidates["fidelity"][rows],
            fidelity_error=np.abs([candidates[end][rows] - candidates["fidelity"][rows] for end in ENDS]),
            family=candidates["family"][rows],
            size_name="bytes" if x == "size" else "operations per row",
            chosen=None if len(of_chosen) == 0 else int(of_chosen[-1]),
        )
        return display.plot(ax)

    def plot(self, ax: Any = None, *, x: str = "size") -> Self:
        """Draw the display.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            ``None`` creates a new figure.
        x : {"size", "latency"}, default="size"
            The x-axis.

        Returns
        -------
        display : SizeFidelityDisplay
        """
        who = type(self).__name__
        _check_abscissa(who, x)
        if x == "latency" and self.latency is None:
            raise ValueError(
                f'{who}: no latency was measured. Pass x="size", or a search with '
                'scoring={"fidelity": fidelity_scorer, "latency": neg_latency_scorer}.'
            )
        ax = axes(f"{who}.plot", ax)
        abscissa = np.asarray(self.size if x == "size" else self.latency, dtype=float)
        kept = np.asarray(self.fidelity, dtype=float)
        error = None if self.fidelity_error is None else np.asarray(self.fidelity_error, dtype=float)
        self._draw_families(ax, abscissa, kept, error)
        best = front(abscissa, kept)
        (self.front_,) = ax.plot(
            abscissa[best],
            kept[best],
            color=ink(),
            linewidth=4,
            alpha=0.2,
            zorder=0,
            drawstyle="steps-post",
            label="Pareto front",
        )
        if self.chosen is not None:
            ax.scatter(
                abscissa[self.chosen],
                kept[self.chosen],
                s=170,
                facecolors="none",
                edgecolors=ink(),
                zorder=3,
                label="chosen",
            )
        name = self.size_name if x == "size" else "microseconds for one row"
        ax.set(xscale="log", xlabel=name, ylabel="fidelity (R²)")
        _stretch(ax, kept, error)
        _name_sizes(ax, abscissa)
        ax.grid(alpha=0.25)
        ax.legend(frameon=False, fontsize="small")
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _draw_families(self, ax: Any, abscissa: np.ndarray, kept: np.ndarray, error: np.ndarray | None) -> None:
        """Draw a line for each family, in its own colour."""
        family = np.full(len(kept), "") if self.family is None else np.asarray(self.family)
        self.lines_ = []
        for place, name in enumerate(dict.fromkeys(family)):
            look = FAMILIES.index(name) if name in FAMILIES else place
            rows = np.flatnonzero(family == name)
            rows = rows[np.argsort(abscissa[rows], kind="stable")]
            drawn = ax.errorbar(
                abscissa[rows],
                kept[rows],
                yerr=None if error is None else error[..., rows],
                color=COLORS[look % len(COLORS)],
                marker=MARKERS[look % len(MARKERS)],
                linewidth=1.2,
                elinewidth=0.8,
                label=name or None,
            )
            self.lines_.append(drawn.lines[0])


def _name_sizes(ax: Any, sizes: np.ndarray) -> None:
    """Format sizes as 2k and 500k, with two more ticks between powers of ten if there are few of them."""
    from matplotlib.ticker import EngFormatter, LogLocator, NullFormatter

    spans_little = np.log10(np.nanmax(sizes) / np.nanmin(sizes)) < 2.5
    ax.xaxis.set_major_formatter(EngFormatter(sep=""))
    ax.xaxis.set_minor_locator(LogLocator(subs=(2, 5)))
    ax.xaxis.set_minor_formatter(EngFormatter(sep="") if spans_little else NullFormatter())


def _stretch(ax: Any, kept: np.ndarray, error: np.ndarray | None) -> None:
    """Scale the y-axis so that each halving of 1 - fidelity has the same height."""
    ax.set_yscale("function", functions=(lambda kept: -np.log10(np.clip(1 - kept, 1e-6, None)), _unstretch))
    is_known = np.isfinite(kept)
    lost = np.clip(1 - kept[is_known], 1e-6, None)
    error = np.zeros(len(lost)) if error is None else np.nan_to_num(error[..., is_known])
    below, above = np.broadcast_to(error, (2, len(lost)))
    low = 1 - 1.1 * (lost + below).max(initial=0.01)
    high = 1 - np.maximum(lost - above, lost / 2).min(initial=1.0) / 1.1  # otherwise long bars would dominate
    ax.set_yticks(_ticks(low, high), minor=False)
    ax.yaxis.set_major_formatter("{x:g}")
    ax.set_ylim(low, high)


def _ticks(low: float, high: float) -> list[float]:
    """Return a few round numbers between two fidelities."""
    tenths = 10.0 ** np.arange(2, -6, -1)
    for digits in ((1,), (1, 2, 5), (1, 1.5, 2, 3, 4, 5, 7), np.arange(10, 100) / 10):
        ticks = sorted({float(f"{1 - digit * tenth:.7g}") for digit in digits for tenth in tenths})
        ticks = [tick for tick in ticks if low <= tick <= high]
        if len(ticks) >= FEWEST_TICKS:
            return ticks[:: -(-len(ticks) // MOST_TICKS)]
    return [float(f"{tick:.6g}") for tick in np.linspace(low, high, FEWEST_TICKS + 2)[1:-1]]


def _unstretch(height: np.ndarray) -> np.ndarray:
    return 1 - 10.0 ** -np.asarray(height)


def front(size: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """Return the positions of the students on the Pareto front, sorted by size."""
    order = np.lexsort((-kept, size))
    order = order[np.isfinite(kept[order]) & np.isfinite(size[order])]  # failed fits of a search have no score
    before = np.concatenate([[-np.inf], np.maximum.accumulate(kept[order])])[:-1]
    return order[kept[order] > before]


def _check_abscissa(who: str, x: str) -> None:
    if x not in ABSCISSAE:
        raise ValueError(f"{who}: x={x!r}; expected one of {list(ABSCISSAE)}.")


def _try_all(
    who: str, model: Any, families: Any, sizes: list[int], rows: tuple[Any, Any, Any, dict[str, Any]]
) -> list[Any]:
    """Fit and measure a student of each family and size; the teacher labels its rows once, where that is possible."""
    prefix, distilled = _distilled_in(who, model)
    params, tried = distilled.get_params(deep=False), []
    with tempfile.TemporaryDirectory() as folder:
        keeps = params["memory"] is None and isinstance(params["random_state"], Integral)
        memory = folder if keeps else params["memory"]
        tries = [(family, size) for family in (families or [params["student"]]) for size in sizes]
        with Progress("students of several sizes", len(tries), params["verbose"], unit="students") as progress:
            for number, (family, size) in enumerate(tries):
                chosen = {"memory": memory, "student": family, "student_size": size}
                twin = clone(model).set_params(**{prefix + name: value for name, value in chosen.items()})
                tried.append(_try(twin, family, *rows))
                progress.update(number + 1)
    return tried


def _distilled_in(who: str, model: Any) -> tuple[str, Any]:
    """Return the distilled estimator at the end of pipelines, and the prefix of its parameters."""
    inside = unwrap(model, through=("pipeline",))
    if not is_distilled(inside.model):
        raise TypeError(
            f"{who} got sizes and a {type(inside.model).__name__}; expected a DistilledClassifier or "
            "DistilledRegressor, or a pipeline that ends in one. Pass a fitted search without sizes."
        )
    return inside.prefix, inside.model


def _hold_out(X: Any, y: Any, fit_params: dict[str, Any]) -> tuple[Any, Any, Any, dict[str, Any]]:
    """Return training rows (three quarters), test rows, and the labels and weights of the former."""
    rows = {"X": X, "y": y, **{name: value for name, value in fit_params.items() if name.endswith("sample_weight")}}
    rows = {name: value for name, value in rows.items() if value is not None}
    halves = train_test_split(*rows.values(), random_state=0)
    taught = dict(zip(rows, halves[::2], strict=True))
    X, y = taught.pop("X"), taught.pop("y", None)
    return X, halves[1], y, {**fit_params, **taught}


def _try(
    model: Any, family: Any, X: Any, y: Any, X_test: Any, fit_params: dict[str, Any]
) -> tuple[str, float, float, float] | None:
    """Return family, bytes, fidelity and latency of a student, or ``None`` if the size is too small."""
    try:
        model.fit(X, y, **fit_params)
    except StudentSizeError:
        return None
    distilled = distilled_inside(model, None)[0]
    name = distilled.candidates_.chosen.family if hasattr(distilled, "candidates_") else _name_of(family)
    return name, -neg_bytes_scorer(model, X_test), fidelity_scorer(model, X_test), -neg_latency_scorer(model, X_test)


def _size_of_search(who: str, results: dict[str, Any]) -> tuple[np.ndarray, str]:
    """Return the sizes of the students of a search, and their unit."""
    if "mean_test_bytes" in results:
        return -np.asarray(results["mean_test_bytes"], dtype=float), "bytes"
    varied = {}
    for key in results:
        values: list[Any] = np.ma.getdata(results[key]).tolist() if key.startswith("param_") else []
        numbers = [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
        if len(values) and len(numbers) == len(values) and len(set(numbers)) > 1:
            varied[key.removeprefix("param_")] = np.array(numbers, dtype=float)
    named = [name for name in varied if name.endswith("student_size")] or list(varied)
    if len(named) != 1:
        raise ValueError(
            f"{who}.from_search: found {named or 'no parameters'} with several numbers; expected exactly one, the "
            'size. Search over student_size, or pass scoring={"fidelity": fidelity_scorer, "bytes": neg_bytes_scorer}.'
        )
    return varied[named[0]], named[0].rsplit("__", 1)[-1].replace("_", " ")


def _name_of(student: Any) -> str:
    return student if isinstance(student, str) else type(student).__name__
