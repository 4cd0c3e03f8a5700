"""The steps of a chain of compressions: what to change about a scorer, and by how much."""

from collections.abc import Callable, Sequence
from numbers import Integral
from typing import Any, ClassVar, Literal

import numpy as np

from .._representation import Documented
from .._validation import check_choice, check_number
from ..compiled import Forest, Landmarks, Linear, Network
from ._networks import with_coarse_weights, with_fewer_units, with_lower_rank
from ._rows import Rows
from ._sums import with_coarse_landmarks, with_coarse_linear, with_fewer_landmarks, with_fewer_weights
from ._trees import with_coarse_values, with_fewer_splits, with_fewer_thresholds

FRACTIONS = tuple(round(0.02 * place, 2) for place in range(1, 50))
"""Fractions to choose from, in ascending order."""

STEPS = tuple(sorted({round(127 / 1.1**place) for place in range(50)} - {0}, reverse=True))
"""Numbers of steps from zero to the largest value to choose from, in descending order."""

Change = Callable[[Any, Rows, Any], Any]
"""From a scorer, rows and a strength to a smaller scorer."""


class Step(Documented):
    """Base class of the steps of :func:`skdistill.compress`.

    A step is a small object with parameters, as estimators are; it can be cloned and pickled. To add a step of your
    own, implement :meth:`strengths` and :meth:`apply`.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.compression import Step
    >>> class Half(Step):
    ...     def strengths(self):
    ...         return (1,)
    ...
    ...     def apply(self, scorer, rows, strength):
    ...         return scorer.stored_as(np.dtype(np.float16))
    >>> Half()
    Half()
    """

    strength_name: ClassVar[str] = "strength"
    """What a strength is called in the table of a chain."""

    _changes: ClassVar[dict[type, Change]]
    """How scorers of each kind are changed; others are left as they are."""

    def strengths(self) -> Sequence[Any]:
        """Return the strengths to choose from, the weakest first."""
        raise NotImplementedError

    def apply(self, scorer: Any, rows: Rows, strength: Any) -> Any:
        """Return a smaller scorer; the same one if the step has nothing to do with its kind.

        Parameters
        ----------
        scorer : Scorer
            Not a sum: its parts are changed one by one.
        rows : Rows
            Rows with the scores to follow.
        strength : object
            One of :meth:`strengths`.
        """
        change = self._changes.get(type(scorer))
        return scorer if change is None else change(scorer, rows, strength)


class _ByFraction(Step):
    """A step whose strength is a fraction."""

    strength_name = "fraction"

    def __init__(self, fraction: float | Literal["auto"] = "auto") -> None:
        self.fraction = fraction

    def strengths(self) -> Sequence[float]:
        """Return the fractions to choose from, in ascending order."""
        check_number(self, "fraction", self.fraction, low=0, high=1, low_open=True, names=("auto",))
        return FRACTIONS if isinstance(self.fraction, str) else (float(self.fraction),)


class Prune(_ByFraction):
    r"""Leave out the parts that change the scores least.

    - **Trees**: splits whose two leaves have the smallest effect,
      :math:`w_l w_r / (w_l + w_r) (v_l - v_r)^2`, from the leaves up, over all trees together. All leaf values are then
      solved for by least squares. A tree that loses all splits is dropped.
    - **Networks** and **kernels**: hidden units and landmarks by the effect on the sums that read them if all others
      take over, as in the optimal brain surgeon [1]_; the weights of the others are solved for.
    - **Linear models**: features likewise.

    Parameters
    ----------
    fraction : float in (0, 1] or "auto", default="auto"
        Fraction of the splits, units, landmarks or features to leave out. ``"auto"`` is the largest one that the
        tolerance allows.

    References
    ----------
    .. [1] B. Hassibi, D. Stork, "Second Order Derivatives for Network Pruning: Optimal Brain Surgeon", NIPS 1992.

    Examples
    --------
    >>> from skdistill.compression import Prune
    >>> Prune(0.5).strengths()
    (0.5,)
    """

    _changes: ClassVar[dict[type, Change]] = {
        Forest: with_fewer_splits,
        Network: with_fewer_units,
        Linear: with_fewer_weights,
        Landmarks: with_fewer_landmarks,
    }


class ShareThresholds(_ByFraction):
    """Let trees share thresholds: each column keeps a short table of them, and splits are codes into it.

    Neighbouring thresholds of a column are merged where few rows lie between them and the splits have little effect,
    and each is moved to the shortest number between the same two cells of ``X``. Leaf values are then solved for. Other
    models are left as they are.

    Parameters
    ----------
    fraction : float in (0, 1] or "auto", default="auto"
        Fraction of the distinct thresholds to merge. ``"auto"`` is the largest one that the tolerance allows.

    Examples
    --------
    >>> from skdistill.compression import ShareThresholds
    >>> len(ShareThresholds().strengths()) > 10
    True
    """

    _changes: ClassVar[dict[type, Change]] = {Forest: with_fewer_thresholds}


class LowRank(_ByFraction):
    r"""Replace layers of networks by products of two smaller matrices.

    The factors are the singular value decomposition of the weights times the root of the second moments of the inputs
    [1]_, so that the sums of the rows of ``X`` change least, rather than the weights. Layers are only replaced where
    this takes fewer operations. Other models are left as they are.

    Parameters
    ----------
    fraction : float in (0, 1] or "auto", default="auto"
        Fraction of the rank to leave out. ``"auto"`` is the largest one that the tolerance allows.

    References
    ----------
    .. [1] P. Chen et al., "DRONE: Data-aware Low-rank Compression for Large NLP Models", NeurIPS 2021.

    Examples
    --------
    >>> from skdistill.compression import LowRank
    >>> LowRank(fraction=0.75)
    LowRank(fraction=0.75)
    """

    _changes: ClassVar[dict[type, Change]] = {Network: with_lower_rank}


class Quantize(Step):
    r"""Store leaf values and weights with fewer bits.

    - ``"float16"``: half precision.
    - ``"int8"``: multiples of a step, one byte at most, and fewer bits in the pickle if there are fewer steps. Leaf
      values are solved for tree by tree after rounding, so that later trees correct the errors of earlier ones; weights
      are rounded one input after the other, and later ones correct the errors of earlier ones as in GPTQ [1]_.
    - ``"codebook"``: as ``"int8"``, and then the distinct leaf values of trees, weights of a layer or coefficients of a
      kernel are shared parameters that are solved for by least squares [2]_; the same as ``"int8"`` for linear models,
      whose features have steps of their own.

    Thresholds are not changed, see :class:`ShareThresholds`. Nothing becomes slower: a pickle is unpacked to plain
    arrays when it is loaded.

    Parameters
    ----------
    dtype : {"int8", "float16", "codebook"}, default="int8"
        How numbers are stored.
    n_steps : int in [1, 127] or "auto", default="auto"
        Number of steps from zero to the largest value of an output or a layer. ``"auto"`` is the smallest one that the
        tolerance allows. Not used by ``"float16"``.

    References
    ----------
    .. [1] E. Frantar et al., "GPTQ: Accurate Post-Training Quantization for Generative Pre-trained Transformers", ICLR
       2023.
    .. [2] S. Han et al., "Deep Compression: Compressing Deep Neural Networks with Pruning, Trained Quantization and
       Huffman Coding", ICLR 2016.

    Examples
    --------
    >>> from skdistill.compression import Quantize
    >>> Quantize("int8", n_steps=15).strengths()
    (15,)
    """

    strength_name = "n_steps"

    def __init__(
        self, dtype: Literal["int8", "float16", "codebook"] = "int8", n_steps: int | Literal["auto"] = "auto"
    ) -> None:
        self.dtype = dtype
        self.n_steps = n_steps

    def strengths(self) -> Sequence[int]:
        """Return the numbers of steps to choose from, in descending order."""
        check_choice(self, "dtype", self.dtype, DTYPES)
        if self.dtype == "float16":
            return (0,)
        check_number(self, "n_steps", self.n_steps, kind=Integral, low=1, high=STEPS[0], names=("auto",))
        return STEPS if isinstance(self.n_steps, str) else (int(self.n_steps),)

    def apply(self, scorer: Any, rows: Rows, strength: int) -> Any:
        """Return a scorer whose values are stored with fewer bits."""
        if self.dtype == "float16":
            return scorer.stored_as(np.dtype(np.float16))
        change = SHARING.get(type(scorer))
        if change is not None:
            return change(scorer, rows, strength, is_shared=self.dtype == "codebook")
        return super().apply(scorer, rows, strength)

    _changes: ClassVar[dict[type, Change]] = {Linear: with_coarse_linear}


SHARING: dict[type, Callable[..., Any]] = {
    Forest: with_coarse_values,
    Network: with_coarse_weights,
    Landmarks: with_coarse_landmarks,
}
"""How values of each kind of scorer become coarse, and shared if asked."""


DTYPES = ("int8", "float16", "codebook")
