"""Rows drawn from the bins of the columns that the teacher itself contains: no real row is needed."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Self

import narwhals as nw
import numpy as np
from sklearn.base import BaseEstimator
from sklearn.ensemble import RandomForestRegressor
from sklearn.utils.validation import check_is_fitted

from .._described import described
from .._encoding import fit_table_encoder
from .._tables import is_frame, take_rows
from .._types import RandomState
from .._validation import check_choice, check_numbers, draw_seed, warn_caller
from ..convert import Splits, join_splits, parts_of, read_splits, scales_of, stored_rows
from ..exceptions import SamplerError
from ._pool import standardise
from ._ranges import Ranges
from ._read_marginals import ScaledNormal, StoredQuantiles
from ._split_paths import SplitPaths
from ._uniform import BACKENDS, UniformBox

MAX_BINS = 255
"""Maximum number of bins of a column of the designs that take each bin equally often."""

N_TREES, MIN_SAMPLES_LEAF, MAX_FEATURES = 50, 3, 0.5
"""The trees that find bins in outputs, where the teacher cannot be read."""

MAX_OUTPUT_ROWS = 4096
"""Maximum number of rows on which these trees are grown."""


class TeacherBins(UniformBox):
    r"""Draw synthetic rows from the bins of the columns that the teacher contains, without any real row.

    A box is mostly empty: real rows fill a small part of it, and that is where the student is needed. A fitted teacher
    tells where its training rows were [1]_. Of a teacher, or of a member of it, behind pipelines and other wrappers,
    the first of these is read:

    1. *The splits of trees* (trees, forests, extra trees and histogram gradient boosting of scikit-learn, LightGBM). A
       row follows the paths of ten random trees. At a split at :math:`t` of column :math:`j`, with :math:`n_l` and
       :math:`n_r` training rows on its sides,

       .. math:: P(x_j \leq t) = n_l / (n_l + n_r),

       unless earlier splits leave only one side. Each split narrows its column to a bin, and the number is then drawn
       uniformly from the bin. The rows so get distributions and dependences of the columns, as far as the trees know
       them.
    2. *Stored rows* (support vectors, nearest neighbours, kernel ridge regression, Gaussian processes): numbers and
       values are drawn with the quantiles of the stored rows, in 32 bins, and their rank correlations (a Gaussian
       copula). No stored row is drawn or kept.
    3. *Scalers* in front of any other model, such as a network: normal numbers with the learned mean and standard
       deviation, truncated to the range; independent columns.
    4. *Outputs*, for teachers that cannot be read, if ``fit`` is given rows and the teacher's outputs for them: fifty
       trees are grown on these, and rows follow their paths with both sides of a split equally likely.

    Otherwise the rows are those of :class:`UniformBox`, and ``fit`` warns.

    Parameters
    ----------
    teacher : estimator or None, default=None
        The fitted teacher, which is not changed and not queried. ``None`` takes the teacher of the distilled estimator
        that the sampler is passed to.
    columns : mapping, sequence or None, default=None
        Description of the columns, in the order of the teacher: a range ``(low, high)`` or a list of values each, as
        for :class:`UniformBox`. With ``None``, ranges and values are taken from ``X`` in ``fit``.
    design : {"joint", "random", "covering"}, default="joint"
        ``"joint"`` draws as described above. ``"random"`` and ``"covering"`` draw each bin of a column equally often:
        independently, or in orthogonal arrays, so that all pairs of groups of bins of two columns occur.
    backend : {"pandas", "polars", "pyarrow"}, default="pandas"
        Library of the frames that are created from a mapping.
    random_state : int, RandomState instance or None, default=None
        Seed of the trees that are grown on outputs.

    Attributes
    ----------
    source_ : {"splits", "rows", "scales", "outputs", "box"}
        What the bins come from: splits of trees, stored rows, scalers, outputs, or nothing but the box.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of str, shape (n_features,)
        Column names, if ``X`` is a frame.

    See Also
    --------
    UniformBox : Uniform over the range of each column.
    Disagreement : Chooses among the rows of a sampler those where models of the teacher disagree.

    Notes
    -----
    Splits on columns that LightGBM or histogram gradient boosting treat as categories are not read, and neither are
    models behind transformers that mix columns; their columns are then drawn from the whole range. Cells that are
    missing in the real row that a synthetic row starts from remain missing.

    References
    ----------
    .. [1] TabKD, arXiv:2603.15481, designs over the teacher's own bins for data-free distillation.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from skdistill.samplers import TeacherBins
    >>> X, y = load_iris(return_X_y=True)
    >>> forest = RandomForestClassifier(random_state=0).fit(X, y)
    >>> box = [(4.0, 8.0), (2.0, 4.5), (1.0, 7.0), (0.0, 2.5)]
    >>> bins = TeacherBins(forest, box).fit()
    >>> rows = bins.sample(1000, random_state=0)
    >>> bins.source_, rows.shape
    ('splits', (1000, 4))
    >>> bool(
    ...     abs(rows[:, 2].mean() - X[:, 2].mean()) < 0.3
    ... )  # the middle of the box is 4.0, the mean 3.76
    True
    """

    design: Any
    _lent: Any = None
    _is_quiet = False
    _marginals: Any

    def __init__(
        self,
        teacher: Any = None,
        columns: Mapping[str, Any] | Sequence[Any] | None = None,
        design: Literal["joint", "random", "covering"] = "joint",
        backend: Literal["pandas", "polars", "pyarrow"] = "pandas",
        random_state: RandomState = None,
    ) -> None:
        self.teacher = teacher
        self.columns = columns
        self.design = design
        self.backend = backend
        self.random_state = random_state

    def with_teacher(self, teacher: Any) -> Self:
        """Return a copy that reads this teacher unless it has one of its own.

        Parameters
        ----------
        teacher : estimator
            The fitted teacher of a distilled estimator.

        Returns
        -------
        sampler : TeacherBins
        """
        lent = self.__sklearn_clone__()
        lent._lent = teacher
        return lent

    def __sklearn_clone__(self) -> Self:
        """Return an unfitted copy that refers to the same teacher, which stays fitted."""
        params = {name: getattr(self, name) for name in self._get_param_names()}
        copy = type(self)(**params)
        copy._lent, copy._is_quiet = self._lent, self._is_quiet
        return copy

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters, without those of the teacher.

        Parameters
        ----------
        deep : bool, default=True
            Not used; the teacher is never changed.

        Returns
        -------
        params : dict
        """
        del deep
        return BaseEstimator.get_params(self, deep=False)

    def fit(self, X: Any = None, y: Any = None) -> Self:
        """Read the bins of the teacher.

        Parameters
        ----------
        X : table of shape (n_samples, n_features), default=None
            Rows: they describe the columns unless ``columns`` does, and are the rows of ``y``.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            The teacher's outputs for ``X``. Used if the teacher cannot be read.

        Returns
        -------
        self : TeacherBins
            The fitted sampler.

        Raises
        ------
        SamplerError
            If a column is described wrongly, or if the teacher was fitted on other columns.
        NotFittedError
            If the teacher is an estimator that is not fitted.
        """
        self._answered = None if X is None or y is None else (X, y)
        super().fit(X, y)
        del self._answered
        return self

    def _check_parameters(self) -> None:
        check_choice(self, "design", self.design, ("joint", "random", "covering"))
        check_choice(self, "backend", self.backend, BACKENDS)

    def _learn(self, X: Any, y: Any, rng: np.random.RandomState) -> None:
        super()._learn(X, y, rng)
        teacher = self._lent if self.teacher is None else self.teacher
        teacher = teacher.model if hasattr(teacher, "output_kind") else teacher  # as_teacher(model)
        self._check_columns(teacher)
        values = [None if level is None else _cells(X, level, index) for index, level in enumerate(self._levels)]
        self._n_values = {index: len(known) for index, known in enumerate(values) if known}
        self._ranges = Ranges(self._numbers, self._n_values)
        self.source_, self._marginals, self._edges = "box", None, dict[int, np.ndarray]()
        parts = [] if teacher is None else parts_of(teacher, X.shape[1])
        splits = [found for part in parts if (found := read_splits(part, values)) is not None]
        if splits:
            self._use_splits("splits", self._ranges.of_splits(join_splits(splits)))
        elif not self._use_inputs(parts, values) and self._answered is not None:
            self._use_splits("outputs", self._splits_of_outputs(*self._answered, rng), is_even=True)
        elif self.source_ == "box" and not self._is_quiet:
            self._warn(teacher)

    def _use_inputs(self, parts: Sequence[Any], values: Sequence[list[Any] | None]) -> bool:
        """Use stored rows, else scalers; return whether there are any."""
        marginals: StoredQuantiles | ScaledNormal | None = None
        rows = [found for part in parts if (found := stored_rows(part, values)) is not None]
        scales = [found for part in parts if (found := scales_of(part, self.n_features_in_)) is not None]
        if rows:
            self.source_ = "rows"
            marginals = StoredQuantiles(self._ranges.of_cells(np.concatenate(rows)), self._n_values)
        elif scales:
            self.source_, marginals = "scales", ScaledNormal(*self._ranges.of_scales(scales[0]))
        if marginals is not None:
            self._marginals, self._edges = marginals, marginals.edges()
        return marginals is not None

    def _check_columns(self, teacher: Any) -> None:
        """Raise an error if the teacher is not fitted, or was fitted on other columns than those described."""
        if isinstance(teacher, BaseEstimator):
            check_is_fitted(teacher)
        own = getattr(self, "feature_names_in_", None)
        names = getattr(teacher, "feature_names_in_", None)
        n_features = getattr(teacher, "n_features_in_", self.n_features_in_)
        n_features = teacher.num_feature() if hasattr(teacher, "num_feature") else n_features  # a Booster
        if own is not None and names is not None and list(own) != list(names):
            raise SamplerError(
                f"TeacherBins: the columns are {list(own)}, but the teacher was fitted on {list(names)}; expected the "
                "same columns in the same order."
            )
        if n_features != self.n_features_in_:
            raise SamplerError(
                f"TeacherBins: {self.n_features_in_} columns are described, but the teacher was fitted on "
                f"{n_features}; expected as many."
            )

    def _warn(self, teacher: Any) -> None:
        warn_caller(
            f"TeacherBins: no bins can be read from {described(teacher)}; rows are drawn uniformly from the box. Pass "
            "fit(X, y) rows and the teacher's outputs for them, or use Disagreement(TeacherBins(...)), which finds "
            "bins in its first answers.",
            UserWarning,
        )

    # ------------------------------------------------------------------ bins of splits and of outputs

    def _use_splits(self, source: str, splits: Splits, *, is_even: bool = False) -> None:
        self.source_ = source
        self._marginals = SplitPaths(splits, self._n_values, self.n_features_in_, is_even=is_even)
        for column in np.flatnonzero(self._numbers.is_movable).tolist():
            found = np.unique(splits.threshold[splits.column == column])
            inner = found[(found > 0) & (found < 1)]
            if len(inner) >= MAX_BINS:
                inner = np.quantile(inner, np.linspace(0, 1, MAX_BINS + 1)[1:-1], method="nearest")
            self._edges[column] = inner

    def _splits_of_outputs(self, X: Any, y: Any, rng: np.random.RandomState) -> Splits:
        """Return the splits of trees that are grown on outputs."""
        outputs = standardise(check_numbers("TeacherBins", "y", y))
        chosen = rng.permutation(len(outputs))[:MAX_OUTPUT_ROWS]
        rows = self._ranges.of_cells(self._positions(take_rows(X, chosen)))
        forest = RandomForestRegressor(
            N_TREES, min_samples_leaf=MIN_SAMPLES_LEAF, max_features=MAX_FEATURES, random_state=draw_seed(rng)
        )
        targets = outputs[chosen, 0] if outputs.shape[1] == 1 else outputs[chosen]
        forest.fit(np.nan_to_num(rows, nan=-1.0).astype(np.float32), targets)
        shares = [
            [(position + 0.5) / self._n_values[index] for position in range(self._n_values[index])]
            if index in self._n_values
            else None
            for index in range(self.n_features_in_)
        ]
        found = read_splits(parts_of(forest, self.n_features_in_)[0], shares)
        return _one_leaf() if found is None else found

    def _positions(self, X: Any) -> np.ndarray:
        """Return rows as numbers, and cells of lists of values as positions in them."""
        cells = np.array(fit_table_encoder(self._X).transform(X), dtype=np.float64)
        for index in self._n_values:
            known = self._numbers.values[self._levels[index], index]
            place = np.minimum(np.searchsorted(known, cells[:, index]), len(known) - 1)
            cells[:, index] = np.where(known[place] == cells[:, index], place, np.nan)
        return cells

    # ------------------------------------------------------------------ drawing

    def _draw(self, own: np.ndarray, rng: np.random.Generator) -> Any:
        if self.design != "joint" or self._marginals is None:
            return super()._draw(own, rng)
        share = self._marginals.draw(len(own), rng)
        return super()._place(own, share, share)

    def _place(self, own: np.ndarray, share: np.ndarray, share_of_values: np.ndarray) -> Any:
        """Place numbers so that each bin of a column gets as many shares as any other."""
        placed = share.copy()
        for column, inner in self._edges.items():
            edges = np.concatenate([[0.0], inner, [1.0]])
            position = share[:, column] * (len(edges) - 1)
            placed[:, column] = np.interp(position, np.arange(len(edges)), edges)
        return super()._place(own, placed, share_of_values)


def _cells(X: Any, rows: np.ndarray, column: int) -> list[Any]:
    """Return cells of one column as Python objects."""
    if is_frame(X):
        return nw.from_native(take_rows(X, rows), eager_only=True)[:, column].to_list()
    return X[rows, column].tolist()


def _one_leaf() -> Splits:
    """Return a tree without a split, for outputs that do not vary."""
    none, index = np.full(1, np.nan), np.zeros(1, dtype=np.int64)
    return Splits(index, np.full(1, -1), none, np.full(1, -1), {}, index, index, none)
