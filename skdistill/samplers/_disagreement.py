"""Rows on which models of the teacher's answers disagree, drawn in rounds."""

from collections.abc import Callable, Iterator
from itertools import pairwise
from numbers import Integral
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.utils import get_tags

from .._described import described
from .._encoding import fit_table_encoder
from .._tables import renumber, stack_rows, take_rows
from .._validation import check_number, check_numbers, check_random_state, draw_seed, seed_estimator
from ..exceptions import SamplerError
from ._adapters import as_sampler
from ._base import BaseSampler
from ._lending import lend_teacher
from ._pool import standardise, tree_input

Labelled = tuple[Any, np.ndarray]
"""Rows with the teacher's outputs."""

N_TREES, MIN_SAMPLES_LEAF = 30, 2
"""The randomised trees that are the committee."""

CHUNK_ROWS = 100_000
"""Number of candidates that are compared at a time."""

FOUND_IN_OUTPUTS = ("outputs", "box")
"""Sources of :class:`TeacherBins` that are better with more answers."""


class Disagreement(BaseSampler):
    r"""Draw rows in rounds, those on which small models of the teacher disagree most.

    Data-free adversarial distillation [1]_ [2]_ trains a generator to find inputs where student and teacher differ. The
    teacher's output is only known where it has been asked, so that the difference is estimated by a committee [3]_:

    1. The ``sampler`` draws the rows of the first round, and the teacher is asked. (If ``fit`` was given outputs, the
       first round already knows these.)
    2. A committee of thirty extremely randomised trees is fitted on all answers so far.
    3. The sampler draws ``n_candidates`` candidates :math:`x` for each row. Rows are drawn from these without
       replacement, with odds

       .. math:: d(x) = \sum_k \operatorname{std}_m f_{mk}(x),

       the standard deviation over the members :math:`m`, summed over the standardised outputs :math:`k`. The draw, and
       not the largest disagreement, keeps the rows diverse; the sampler keeps them plausible.
    4. The teacher is asked, and the next round begins.

    The teacher is asked for exactly the rows that are returned. Bins of a :class:`TeacherBins` whose teacher cannot be
    read are found anew in the answers before each round.

    Parameters
    ----------
    sampler : sampler
        Draws the candidates; its rows should be plausible.
    teacher : estimator, callable or None, default=None
        What :meth:`sample` asks: ``predict_proba`` of a fitted model if it has that, else ``predict``, or a function of
        rows. ``None`` is enough in a distilled estimator, which asks its own teacher within ``max_queries``, and for
        :meth:`search`.
    n_rounds : int >= 1, default=4
        Number of rounds. With 1, the rows are those of the sampler, unless ``fit`` was given outputs.
    n_candidates : int >= 1, default=10
        Number of candidates for each row of a round.
    random_state : int, RandomState instance or None, default=None
        Seed of the sampler if its own ``random_state`` is ``None``.

    Attributes
    ----------
    sampler_ : sampler
        The fitted clone of the sampler.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of str, shape (n_features,)
        Column names, if the rows are frames.

    See Also
    --------
    TeacherBins : Plausible rows without any real row.
    choose_from_pool : Chooses rows of a pool of real rows.

    Notes
    -----
    All rows of a sample are held in memory, since later rounds depend on the answers of earlier ones. In
    :class:`Mixture`, which does not share its queries, the sampler asks its own ``teacher``, beyond ``max_queries``.

    References
    ----------
    .. [1] G. Fang et al., "Data-Free Adversarial Distillation", arXiv:1912.11006, 2019.
    .. [2] H. Chen et al., "Data-Free Learning of Student Networks", ICCV 2019.
    .. [3] H. S. Seung, M. Opper and H. Sompolinsky, "Query by Committee", COLT 1992.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.samplers import Disagreement, UniformBox
    >>> def teacher(X):
    ...     return np.where(X[:, 0] > 0.8, np.sin(60 * X[:, 0]), 0.0)
    >>> rows = (
    ...     Disagreement(UniformBox([(0.0, 1.0)]), teacher)
    ...     .fit()
    ...     .sample(200, random_state=0)
    ... )
    >>> bool((rows[:, 0] > 0.8).mean() > 0.4)
    True
    """

    def __init__(
        self, sampler: Any, teacher: Any = None, n_rounds: int = 4, n_candidates: int = 10, random_state: Any = None
    ) -> None:
        self.sampler = sampler
        self.teacher = teacher
        self.n_rounds = n_rounds
        self.n_candidates = n_candidates
        self.random_state = random_state

    def with_teacher(self, teacher: Any) -> Self:
        """Return a copy whose sampler reads this teacher unless it has one of its own.

        Parameters
        ----------
        teacher : estimator
            The fitted teacher of a distilled estimator.

        Returns
        -------
        sampler : Disagreement
        """
        copy = self.__sklearn_clone__()
        copy.sampler = lend_teacher(copy.sampler, teacher)
        return copy

    def __sklearn_clone__(self) -> Self:
        """Return an unfitted copy that refers to the same teacher, which stays fitted."""
        return type(self)(
            clone(self.sampler, safe=False), self.teacher, self.n_rounds, self.n_candidates, self.random_state
        )

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters, with those of the sampler and without those of the teacher.

        Parameters
        ----------
        deep : bool, default=True
            Whether to include the parameters of the sampler.

        Returns
        -------
        params : dict
        """
        params = BaseEstimator.get_params(self, deep=False)
        if deep and hasattr(self.sampler, "get_params"):
            nested = self.sampler.get_params(deep=True)
            params |= {f"sampler__{name}": value for name, value in nested.items()}
        return params

    def fit(self, X: Any = None, y: Any = None) -> Self:
        """Fit the sampler.

        Parameters
        ----------
        X : table of shape (n_samples, n_features), default=None
            Real rows. May be left out if the sampler needs none, as those with a description of the columns.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            The teacher's outputs for ``X``, from which the first round then learns.

        Returns
        -------
        self : Disagreement
            The fitted sampler.
        """
        self._check_parameters()
        rng = check_random_state(self.random_state, self)
        sampler = seed_estimator(as_sampler(self.sampler), rng)
        sampler._is_quiet = True
        self.sampler_ = sampler.fit() if X is None else sampler.fit(X, y)
        self._known = [] if X is None or y is None else [(X, check_numbers("Disagreement", "y", y))]
        for name in ("n_features_in_", "feature_names_in_"):
            self.__dict__.pop(name, None)
            if hasattr(self.sampler_, name):
                setattr(self, name, getattr(self.sampler_, name))
        return self

    def search(
        self, n_samples: int, ask: Callable[[Any], Labelled], *, random_state: Any = None
    ) -> tuple[Any, np.ndarray]:
        """Draw rows and return them with the answers, so that no row need be asked twice.

        Parameters
        ----------
        n_samples : int >= 1
            Number of rows.
        ask : callable
            ``ask(rows)`` returns rows and the teacher's outputs for them. It may leave rows out.
        random_state : int, RandomState instance or None, default=None
            Seed of the rows.

        Returns
        -------
        rows : table of shape (n_samples, n_features)
            The rows; fewer if ``ask`` has left some out.
        outputs : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        """
        check_number(self, "n_samples", n_samples, kind=Integral, low=1)
        rng, found = check_random_state(random_state, self), list[Labelled]()
        ends = np.linspace(0, n_samples, min(self.n_rounds, n_samples) + 1).astype(np.int64).tolist()
        for start, stop in pairwise(ends):
            rows, outputs = ask(self._next(stop - start, [*self._known, *found], rng))
            self._check_outputs(outputs, [*self._known, *found])
            if len(outputs) or not found:
                found.append((rows, outputs))
        return stack_rows([rows for rows, _ in found]), np.concatenate([outputs for _, outputs in found])

    def _check_outputs(self, outputs: np.ndarray, known: list[Labelled]) -> None:
        """Raise an error if the answers have another shape than those before."""
        before = [answers.shape[1:] for _, answers in known if len(answers)]
        if len(outputs) and before and outputs.shape[1:] != before[0]:
            raise SamplerError(
                f"Disagreement: the teacher returned outputs of shape {outputs.shape[1:]} for a row, but before, or in "
                f"y, of shape {before[0]}; expected the same number of outputs for all rows."
            )

    def _check_parameters(self) -> None:
        check_number(self, "n_rounds", self.n_rounds, kind=Integral, low=1)
        check_number(self, "n_candidates", self.n_candidates, kind=Integral, low=1)

    def _chunks(self, n_samples: int, chunk_size: int, rng: np.random.RandomState) -> Iterator[Any]:
        rows, _ = self.search(n_samples, self._ask_teacher, random_state=rng)
        for start in range(0, n_samples, chunk_size):
            yield renumber(take_rows(rows, slice(start, start + chunk_size)))

    def _ask_teacher(self, rows: Any) -> Labelled:
        """Ask the teacher that was given."""
        names = [name for name in ("predict_proba", "predict") if hasattr(self.teacher, name)]
        if not names and not callable(self.teacher):
            raise SamplerError(
                f"Disagreement: teacher={described(self.teacher)}; expected a fitted model or a function of rows, "
                "which sample asks. Pass teacher=..., or use search(n_samples, ask)."
            )
        answer = getattr(self.teacher, names[0]) if names else self.teacher
        outputs = check_numbers("Disagreement", "the outputs of the teacher", answer(rows))
        if len(outputs) != rows.shape[0]:
            raise SamplerError(
                f"Disagreement: the teacher returned {len(outputs)} outputs for {rows.shape[0]} rows; expected as many."
            )
        return rows, outputs

    def _next(self, n_rows: int, known: list[Labelled], rng: np.random.RandomState) -> Any:
        """Return the rows of the next round."""
        known = [(rows, outputs) for rows, outputs in known if len(outputs)]
        if not known:
            return self.sampler_.sample(n_rows, random_state=draw_seed(rng))
        rows, outputs = stack_rows([rows for rows, _ in known]), np.concatenate([answers for _, answers in known])
        sampler = self.sampler_
        if getattr(sampler, "source_", None) in FOUND_IN_OUTPUTS:
            sampler = clone(sampler).fit(rows, outputs)
        committee = _Committee(rows, outputs, draw_seed(rng))
        best, best_keys = None, np.zeros(0)
        for candidates in _candidates(sampler, n_rows * self.n_candidates, draw_seed(rng)):
            keys = np.log(committee.disagreement(candidates) + np.finfo(float).tiny)
            keys = np.append(best_keys, keys + rng.gumbel(size=len(keys)))  # the largest: a draw without replacement
            chosen = np.sort(np.argsort(-keys, kind="stable")[:n_rows])
            best = take_rows(candidates if best is None else stack_rows([best, candidates]), chosen)
            best_keys = keys[chosen]
        return renumber(best)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        if hasattr(self.sampler, "__sklearn_tags__"):
            tags.input_tags.sparse = get_tags(self.sampler).input_tags.sparse
        return tags


def _candidates(sampler: Any, n_rows: int, seed: int) -> Iterator[Any]:
    """Draw candidates in chunks, if the sampler can."""
    if hasattr(sampler, "stream"):
        yield from sampler.stream(n_rows, chunk_size=CHUNK_ROWS, random_state=seed)
    else:
        yield sampler.sample(n_rows, random_state=seed)


class _Committee:
    """Extremely randomised trees that are fitted on the answers so far."""

    def __init__(self, rows: Any, outputs: np.ndarray, seed: int) -> None:
        self._rows, self._encoder = rows, fit_table_encoder(rows)
        [points] = tree_input(self._encoder, rows)
        self._trees = ExtraTreesRegressor(N_TREES, min_samples_leaf=MIN_SAMPLES_LEAF, random_state=seed)
        targets = standardise(outputs)
        self._trees.fit(points, targets[:, 0] if targets.shape[1] == 1 else targets)

    def disagreement(self, candidates: Any) -> np.ndarray:
        """Return the standard deviation of the predictions of the trees, summed over the outputs."""
        _, points = tree_input(self._encoder, self._rows, candidates)
        total = square = np.zeros(1)
        for tree in self._trees.estimators_:
            predicted = tree.predict(points).reshape(candidates.shape[0], -1)
            total, square = total + predicted, square + predicted**2
        mean = total / N_TREES
        return np.sqrt(np.maximum(square / N_TREES - mean**2, 0)).sum(axis=1)
