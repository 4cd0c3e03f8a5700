"""Compact networks: one or two hidden layers."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from numbers import Integral, Real
from typing import Any, Literal, Self

import numpy as np

from .._types import CategoricalFeatures, RandomState, ScheduleName, SupportsPredict
from .._validation import check_number, check_random_state, draw_seed
from ..compiled import Network
from ..solvers import OptimizerSettings, Shrinking
from ..targets import scheduled_temperature
from ..targets._schedules import schedule_of
from ._hints import AlignsHints, TrainingRows, check_weights_of_losses, given_hints, train_network
from ._init_kept import KeepsInit, SameClasses, model_in_init
from ._knots import find_knots
from ._network_from import check_widths, network_to_start, of_widths
from ._student import CompactClassifier, CompactRegressor, CompactStudent, largest_below


class _CompactMLP(KeepsInit, CompactStudent):
    """Tables in, weights out: what classifier and regressor share."""

    _has_dense_inputs = True

    hidden_layer_sizes: Any
    learning_rate: float
    max_epochs: Any
    batch_size: Any
    weight_decay: float
    n_knots: int
    validation_fraction: float
    n_iter_no_change: int
    init: Any
    shrink_fraction: float
    shrink_factor: float
    shrink_schedule: Any
    hint_weight: Any
    adversarial_weight: float
    random_state: Any
    verbose: int

    def _learn(self, X: Any, targets: np.ndarray, weight: np.ndarray) -> Network:
        """Return a network fitted to all columns of ``targets``."""
        settings, hidden = self._check_parameters(), self._hidden()
        rng, model = check_random_state(self.random_state, self), model_in_init(self)
        if model is not None:
            return self._continue(model, (X, targets, weight), settings, hidden, rng)
        cells, targets, weight, design = self._prepare(X, targets, weight)
        knots = find_knots(cells, design.n_codes, targets, weight, self.n_knots, draw_seed(rng))
        design = design.in_pieces(knots)
        return train_network(self, TrainingRows(design, cells, targets, weight), hidden, settings, rng)

    def _continue(
        self,
        model: Any,
        transfer_set: tuple[Any, np.ndarray, np.ndarray],
        settings: OptimizerSettings,
        hidden: list[int],
        rng: np.random.RandomState,
    ) -> Network:
        """Return a network trained from that of a model, pruned to the hidden units of the student."""
        X, targets, weight = transfer_set
        start, cells, targets = network_to_start(self, model, X, targets, weight, rng)
        check_widths(type(self).__name__, start, hidden)
        start = of_widths(start, cells, weight, hidden, rng)
        rows = TrainingRows(start.design, cells, targets, weight)
        return train_network(self, rows, hidden, settings, rng, start)

    def _hidden(self) -> list[int]:
        """Return the hidden units of each layer."""
        given = self.hidden_layer_sizes
        sizes = list(given) if isinstance(given, Sequence) and not isinstance(given, str) else [given]
        if len(sizes) not in (1, 2):
            raise ValueError(
                f"{type(self).__name__}: hidden_layer_sizes={given!r}; expected one or two numbers of hidden units."
            )
        for size in sizes:
            check_number(self, "hidden_layer_sizes", size, kind=Integral, low=1, high=MAX_GIVEN_WIDTH)
        return sizes

    def _check_parameters(self) -> OptimizerSettings:
        check_number(self, "learning_rate", self.learning_rate, low=0, low_open=True)
        check_number(self, "max_epochs", self.max_epochs, kind=Integral, low=1, names=("auto",))
        check_number(self, "n_knots", self.n_knots, kind=Integral, low=0)
        check_number(self, "batch_size", self.batch_size, kind=Integral, low=1, names=("auto",))
        check_number(self, "weight_decay", self.weight_decay, low=0)
        check_number(self, "validation_fraction", self.validation_fraction, low=0, high=0.9)
        check_number(self, "n_iter_no_change", self.n_iter_no_change, kind=Integral, low=1)
        check_weights_of_losses(self)
        return OptimizerSettings(
            self.max_epochs,
            self.batch_size,
            self.learning_rate,
            self.weight_decay,
            self.validation_fraction,
            self.n_iter_no_change,
            verbose=self.verbose,
            shrinking=self._shrinking(),
        )

    def _shrinking(self) -> Shrinking | None:
        """Return what is shrunk of the network in ``init``."""
        check_number(self, "shrink_fraction", self.shrink_fraction, low=0, high=1)
        check_number(self, "shrink_factor", self.shrink_factor, low=0, high=1, low_open=True)
        is_repeated = self.shrink_schedule is not None
        schedule = schedule_of(
            self.shrink_schedule if is_repeated else "constant", type(self).__name__, "shrink_schedule"
        )
        if self.shrink_fraction == 0 or self.shrink_factor == 1:
            return None
        way = partial(scheduled_temperature, schedule, self.shrink_factor, 1.0)
        return Shrinking(self.shrink_fraction, way, is_repeated=is_repeated)

    def _params_of_size(self, n_parameters: int, n_inputs: int, n_outputs: int) -> dict[str, Any] | None:
        return size_of_network(n_parameters, n_inputs, n_outputs, has_knots=self.n_knots > 0)


def size_of_network(
    n_parameters: float, n_inputs: int, n_outputs: int, *, has_knots: bool = False
) -> dict[str, Any] | None:
    """Return layer sizes of about so many parameters: two equal layers, or a single one if two would be narrow.

    With knots, about a fifth of the parameters goes to them; each is one input and two numbers more.
    """
    n_knots = int(np.clip(n_parameters // PARAMETERS_PER_KNOT, 0, MAX_KNOTS)) if has_knots else 0
    n_inputs, n_weights = n_inputs + n_knots, n_parameters - 2 * (n_inputs + n_knots) * (n_knots > 0)

    def of_two(width: int) -> float:
        return (n_inputs + 1) * width + (width + 1) * width + (width + 1) * n_outputs

    def of_one(width: int) -> float:
        return (n_inputs + 1) * width + (width + 1) * n_outputs

    two, one = largest_below(of_two, n_weights, MIN_WIDTH, MAX_WIDTH), largest_below(of_one, n_weights, 1, MAX_WIDTH)
    if two is None and one is None:
        return size_of_network(n_parameters, n_inputs - n_knots, n_outputs) if n_knots else None
    return {"hidden_layer_sizes": (one,) if two is None else (two, two), "n_knots": n_knots}


MIN_WIDTH, MAX_WIDTH = 8, 512
"""Bound the hidden units of a sized student: from below those of two layers, from above those of any layer."""

MAX_GIVEN_WIDTH = 10_000
"""Maximum number of hidden units of a layer that a user may ask for: two such layers take a gigabyte."""

PARAMETERS_PER_KNOT, MAX_KNOTS = 50, 200
"""Number of parameters of a sized student for which it gets one knot, and the largest number of its knots."""


class CompactMLPClassifier(AlignsHints, SameClasses, CompactClassifier, _CompactMLP):
    r"""A small network for soft targets: one or two hidden layers, in plain numpy.

    The scores of a row :math:`x`, whose inputs are standardised numbers and indicators of categories, are

    .. math:: f(x) = W_2 \max(0, W_1 \max(0, W_0 x + b_0) + b_1) + b_2,

    and the weights minimise the cross-entropy of their softmax to the soft targets,

    .. math:: -\sum_i w_i \sum_k q_{ik} \log \mathrm{softmax}(f(x_i))_k,

    by Adam [1]_ on small batches, with weight decay. Two classes share a single score. Weights are stored in half
    precision.

    Parameters
    ----------
    hidden_layer_sizes : int or tuple of one or two int, default=(32, 32)
        Hidden units of each layer, at most 10,000.
    n_knots : int >= 0, default=100
        Number of knots of a piecewise linear encoding [3]_: a few quick trees find where the targets jump or bend along
        the numbers, and each interval between two such knots becomes an input. 0 takes numbers as they are, which is
        smaller, faster, and enough for smooth targets.
    learning_rate : float > 0, default=0.02
        Maximum learning rate of Adam; it falls to zero over the epochs.
    max_epochs : int >= 1 or "auto", default="auto"
        Maximum number of passes over the rows. ``"auto"`` is 20 up to 33,000 rows and falls to 10 for more rows.
    batch_size : int >= 1 or "auto", default="auto"
        Number of rows of a step. ``"auto"`` is 64 below 5,000 rows, 128 below 15,000, else 256.
    weight_decay : float >= 0, default=0.1
        Share of each weight that a step takes away, times the learning rate.
    validation_fraction : float in [0, 0.9], default=0.1
        Share of the rows, at most 2,000 of them, on which the best epoch is chosen. 0 chooses it on all rows.
    n_iter_no_change : int >= 1, default=10
        Number of epochs without improvement after which the fit ends.
    temperature : float > 0, default=1.0
        Softens the targets in training. Predictions are at temperature 1 in any case.
    final_temperature : float > 0 or None, default=None
        Temperature at the end of the training; ``None`` keeps ``temperature``.
    temperature_schedule : {"constant", "linear", "cosine", "logistic"} or callable, default="linear"
        How the temperature goes from start to end over the epochs; see
        :func:`skdistill.targets.scheduled_temperature`.
    init : estimator, "teacher" or None, default=None
        A fitted network whose weights training starts from: an earlier student of this kind (more rows, drift), or an
        ``MLPClassifier`` or ``MLPRegressor`` of scikit-learn with rectified units, also behind scalers, imputers and
        one-hot encoders. ``"teacher"`` is the teacher of a distilled estimator. Of wider layers, the units that
        matter most to the scores are kept. An earlier student's encoding of columns is kept, with its knots; from
        another network, there are none. The network is not changed, :func:`~sklearn.base.clone` keeps it as it is,
        and the fitted student refers to it until ``set_params(init=None)``. ``None`` draws random weights.
    shrink_fraction : float in [0, 1], default=0.0
        Share of the weights of ``init`` that are shrunk and perturbed [4]_ before training: a random part of them is
        multiplied by ``shrink_factor``, and noise is added. 0 keeps all.
    shrink_factor : float in (0, 1], default=0.5
        The factor :math:`T` of the shrunk weights, which some texts call their temperature.
    shrink_schedule : {"constant", "linear", "cosine", "logistic"}, callable or None, default=None
        With a schedule, another random part is shrunk before each epoch, by a factor that goes from ``shrink_factor``
        to 1; see :func:`skdistill.targets.scheduled_temperature`. ``None`` shrinks once, before the first epoch.
    hint_weight : float >= 0 or "auto", default=0.0
        Weight :math:`\lambda` of hints from inside the teacher [5]_: the last hidden layer :math:`h` also predicts
        the hints :math:`r`, which adds :math:`\lambda \cdot \tfrac12 \lVert V^\top h + c - r \rVert^2` to the loss in
        training. Distilled estimators read them with :func:`~skdistill.students.inner_representation`; alone, they are
        passed to :meth:`fit_soft`. ``"auto"`` compares 0.1, 0.3 and 1 with 0 on the validation rows, which takes four
        fits. It is 0 if there are no hints, and unless they lower the error by a share of :math:`1 / \sqrt n` on
        :math:`n` validation rows. 0 reads none.
    adversarial_weight : float >= 0, default=0.0
        Weight of a discriminator [6]_, a small network that learns to tell the teacher's outputs for a row from the
        student's; the student is trained against it as well. The weight is halved, with a warning, where the
        discriminator wins outright or the validation error doubles. 0 trains without one.
    random_state : int, RandomState instance or None, default=None
        Seed of the initial weights, of the batches, and of the validation rows.
    verbose : int, default=0
        Above 0, progress is written to standard error.
    categorical_features : "from_dtype" or array-like, default="from_dtype"
        Columns that are categories whatever their cells: names, positions, or a mask, as in scikit-learn's histogram
        gradient boosting. Each distinct value is one category. ``"from_dtype"`` declares none: columns of strings,
        of pandas categories, and of objects that are no numbers and no dates are categories in any case.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels.
    scorer_ : Network
        The network as arrays.
    validation_errors_ : ndarray of shape (n_epochs + 1,)
        Mean squared error of the probabilities on the validation rows, before the first epoch and after each.
    hint_weight_ : float
        The weight of hints that the network was trained with.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of str, shape (n_features,)
        Names of the columns, for frames.

    See Also
    --------
    CompactMLPRegressor : The same for values.
    CompactHybridClassifier : A network, and trees boosted on its residuals.

    References
    ----------
    .. [1] D. Kingma and J. Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015.
    .. [2] J. Ba and R. Caruana, "Do Deep Nets Really Need to be Deep?", NeurIPS 2014.
    .. [3] Y. Gorishniy et al., "On Embeddings for Numerical Features in Tabular Deep Learning", NeurIPS 2022.
    .. [4] J. Ash, R. Adams, "On Warm-Starting Neural Network Training", NeurIPS 2020.
    .. [5] A. Romero et al., "FitNets: Hints for Thin Deep Nets", ICLR 2015.
    .. [6] I. Goodfellow et al., "Generative Adversarial Nets", NeurIPS 2014.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.students import CompactMLPClassifier
    >>> X = np.linspace(0, 1, 200).reshape(-1, 1)
    >>> targets = np.hstack([1 - X, X])
    >>> student = CompactMLPClassifier(8, random_state=0).fit_soft(
    ...     X, targets, classes=["no", "yes"]
    ... )
    >>> student.predict([[0.1], [0.9]])
    array(['no', 'yes'], dtype='<U3')
    """

    def __init__(
        self,
        hidden_layer_sizes: Any = (32, 32),
        *,
        n_knots: int = 100,
        learning_rate: float = 0.02,
        max_epochs: int | Literal["auto"] = "auto",
        batch_size: int | Literal["auto"] = "auto",
        weight_decay: float = 0.1,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 10,
        temperature: float = 1.0,
        final_temperature: float | None = None,
        temperature_schedule: ScheduleName | Callable[[float], float] = "linear",
        init: SupportsPredict | Literal["teacher"] | None = None,
        shrink_fraction: float = 0.0,
        shrink_factor: float = 0.5,
        shrink_schedule: ScheduleName | Callable[[float], float] | None = None,
        hint_weight: float | Literal["auto"] = 0.0,
        adversarial_weight: float = 0.0,
        random_state: RandomState = None,
        verbose: int = 0,
        categorical_features: CategoricalFeatures = "from_dtype",
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.n_knots = n_knots
        self.learning_rate = learning_rate
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.weight_decay = weight_decay
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.temperature = temperature
        self.final_temperature = final_temperature
        self.temperature_schedule = temperature_schedule
        self.init = init
        self.shrink_fraction = shrink_fraction
        self.shrink_factor = shrink_factor
        self.shrink_schedule = shrink_schedule
        self.hint_weight = hint_weight
        self.adversarial_weight = adversarial_weight
        self.random_state = random_state
        self.verbose = verbose
        self.categorical_features = categorical_features

    def fit_soft(
        self, X: Any, targets: Any, *, classes: Any = None, sample_weight: Any = None, hints: Any = None
    ) -> Self:
        """Fit to soft targets.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)
            As for :meth:`fit`.
        targets : array-like of shape (n_samples, n_classes)
            Probabilities; each row sums to one.
        classes : array-like of shape (n_classes,), default=None
            Labels of the columns, sorted. ``None`` numbers them from 0.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row.
        hints : array-like of shape (n_samples,) or (n_samples, n_hints), default=None
            Finite numbers that the last hidden layer predicts as well, with the weight ``hint_weight``; see
            :func:`~skdistill.students.inner_representation`. They are divided by one factor, so that the sum of the
            variances of their columns is one. Not used with ``hint_weight=0``.

        Returns
        -------
        self : estimator

        Raises
        ------
        StudentError
            If ``targets`` are no probabilities of ``classes``, or if ``hint_weight`` is positive and ``hints`` are
            missing, not finite, or of another length.
        """
        with given_hints(hints):
            return super().fit_soft(X, targets, classes=classes, sample_weight=sample_weight)

    def _check_parameters(self) -> OptimizerSettings:
        check_number(self, "temperature", self.temperature, kind=Real, low=0, low_open=True)
        end = self.temperature if self.final_temperature is None else self.final_temperature
        check_number(self, "final_temperature", end, kind=Real, low=0, low_open=True)
        schedule_of(self.temperature_schedule, type(self).__name__, "temperature_schedule")
        way = partial(scheduled_temperature, self.temperature_schedule, self.temperature, end)
        return replace(super()._check_parameters(), temperature=way)


class CompactMLPRegressor(AlignsHints, CompactRegressor, _CompactMLP):
    r"""A small network for values: one or two hidden layers, in plain numpy.

    The values of a row :math:`x`, whose inputs are standardised numbers and indicators of categories, are

    .. math:: f(x) = W_2 \max(0, W_1 \max(0, W_0 x + b_0) + b_1) + b_2,

    and the weights minimise the squared error of the standardised values,

    .. math:: \tfrac12 \sum_i w_i \lVert y_i - f(x_i) \rVert^2,

    by Adam [1]_ on small batches, with weight decay. Weights are stored in half precision.

    Parameters
    ----------
    hidden_layer_sizes : int or tuple of one or two int, default=(32, 32)
        Hidden units of each layer, at most 10,000.
    n_knots : int >= 0, default=100
        Number of knots of a piecewise linear encoding [2]_: a few quick trees find where the targets jump or bend along
        the numbers, and each interval between two such knots becomes an input. 0 takes numbers as they are, which is
        smaller, faster, and enough for smooth targets.
    learning_rate : float > 0, default=0.02
        Maximum learning rate of Adam; it falls to zero over the epochs.
    max_epochs : int >= 1 or "auto", default="auto"
        Maximum number of passes over the rows. ``"auto"`` is 20 up to 33,000 rows and falls to 10 for more rows.
    batch_size : int >= 1 or "auto", default="auto"
        Number of rows of a step. ``"auto"`` is 64 below 5,000 rows, 128 below 15,000, else 256.
    weight_decay : float >= 0, default=0.1
        Share of each weight that a step takes away, times the learning rate.
    validation_fraction : float in [0, 0.9], default=0.1
        Share of the rows, at most 2,000 of them, on which the best epoch is chosen. 0 chooses it on all rows.
    n_iter_no_change : int >= 1, default=10
        Number of epochs without improvement after which the fit ends.
    init : estimator, "teacher" or None, default=None
        A fitted network whose weights training starts from: an earlier student of this kind (more rows, drift), or an
        ``MLPClassifier`` or ``MLPRegressor`` of scikit-learn with rectified units, also behind scalers, imputers and
        one-hot encoders. ``"teacher"`` is the teacher of a distilled estimator. Of wider layers, the units that
        matter most to the scores are kept. An earlier student's encoding of columns is kept, with its knots; from
        another network, there are none. The network is not changed, :func:`~sklearn.base.clone` keeps it as it is,
        and the fitted student refers to it until ``set_params(init=None)``. ``None`` draws random weights.
    shrink_fraction : float in [0, 1], default=0.0
        Share of the weights of ``init`` that are shrunk and perturbed [3]_ before training: a random part of them is
        multiplied by ``shrink_factor``, and noise is added. 0 keeps all.
    shrink_factor : float in (0, 1], default=0.5
        The factor :math:`T` of the shrunk weights, which some texts call their temperature.
    shrink_schedule : {"constant", "linear", "cosine", "logistic"}, callable or None, default=None
        With a schedule, another random part is shrunk before each epoch, by a factor that goes from ``shrink_factor``
        to 1; see :func:`skdistill.targets.scheduled_temperature`. ``None`` shrinks once, before the first epoch.
    hint_weight : float >= 0 or "auto", default=0.0
        Weight :math:`\lambda` of hints from inside the teacher [4]_: the last hidden layer :math:`h` also predicts
        the hints :math:`r`, which adds :math:`\lambda \cdot \tfrac12 \lVert V^\top h + c - r \rVert^2` to the loss in
        training. Distilled estimators read them with :func:`~skdistill.students.inner_representation`; alone, they are
        passed to :meth:`fit_soft`. ``"auto"`` compares 0.1, 0.3 and 1 with 0 on the validation rows, which takes four
        fits. It is 0 if there are no hints, and unless they lower the error by a share of :math:`1 / \sqrt n` on
        :math:`n` validation rows. 0 reads none.
    adversarial_weight : float >= 0, default=0.0
        Weight of a discriminator [5]_, a small network that learns to tell the teacher's outputs for a row from the
        student's; the student is trained against it as well. The weight is halved, with a warning, where the
        discriminator wins outright or the validation error doubles. 0 trains without one.
    random_state : int, RandomState instance or None, default=None
        Seed of the initial weights, of the batches, and of the validation rows.
    verbose : int, default=0
        Above 0, progress is written to standard error.
    categorical_features : "from_dtype" or array-like, default="from_dtype"
        Columns that are categories whatever their cells: names, positions, or a mask, as in scikit-learn's histogram
        gradient boosting. Each distinct value is one category. ``"from_dtype"`` declares none: columns of strings,
        of pandas categories, and of objects that are no numbers and no dates are categories in any case.

    Attributes
    ----------
    scorer_ : Network
        The network as arrays.
    validation_errors_ : ndarray of shape (n_epochs + 1,)
        Mean squared error of the standardised values on the validation rows, before the first epoch and after each.
    hint_weight_ : float
        The weight of hints that the network was trained with.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of str, shape (n_features,)
        Names of the columns, for frames.

    See Also
    --------
    CompactMLPClassifier : The same for classes.
    CompactHybridRegressor : A network, and trees boosted on its residuals.

    References
    ----------
    .. [1] D. Kingma and J. Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015.
    .. [2] Y. Gorishniy et al., "On Embeddings for Numerical Features in Tabular Deep Learning", NeurIPS 2022.
    .. [3] J. Ash, R. Adams, "On Warm-Starting Neural Network Training", NeurIPS 2020.
    .. [4] A. Romero et al., "FitNets: Hints for Thin Deep Nets", ICLR 2015.
    .. [5] I. Goodfellow et al., "Generative Adversarial Nets", NeurIPS 2014.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.students import CompactMLPRegressor
    >>> X = np.linspace(0, 1, 1000).reshape(-1, 1)
    >>> student = CompactMLPRegressor(8, random_state=0).fit(X, 3 * X[:, 0])
    >>> student.predict([[0.5]]).round(1)
    array([1.5])
    """

    def __init__(
        self,
        hidden_layer_sizes: Any = (32, 32),
        *,
        n_knots: int = 100,
        learning_rate: float = 0.02,
        max_epochs: int | Literal["auto"] = "auto",
        batch_size: int | Literal["auto"] = "auto",
        weight_decay: float = 0.1,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 10,
        init: SupportsPredict | Literal["teacher"] | None = None,
        shrink_fraction: float = 0.0,
        shrink_factor: float = 0.5,
        shrink_schedule: ScheduleName | Callable[[float], float] | None = None,
        hint_weight: float | Literal["auto"] = 0.0,
        adversarial_weight: float = 0.0,
        random_state: RandomState = None,
        verbose: int = 0,
        categorical_features: CategoricalFeatures = "from_dtype",
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.n_knots = n_knots
        self.learning_rate = learning_rate
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.weight_decay = weight_decay
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.init = init
        self.shrink_fraction = shrink_fraction
        self.shrink_factor = shrink_factor
        self.shrink_schedule = shrink_schedule
        self.hint_weight = hint_weight
        self.adversarial_weight = adversarial_weight
        self.random_state = random_state
        self.verbose = verbose
        self.categorical_features = categorical_features

    def fit_soft(
        self,
        X: Any,
        targets: Any,
        *,
        link: str = "identity",
        bounds: Any = None,
        order: str | None = None,
        sample_weight: Any = None,
        hints: Any = None,
    ) -> Self:
        """Fit to the values of a teacher, on the scale of a link; predictions then stay within the bounds of the link.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)
            As for :meth:`fit`.
        targets : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Values within the bounds; see :meth:`CompactBoostingRegressor.fit_soft` for their scores and weights.
        link : {"identity", "log", "logit"}, default="identity"
            The link of all outputs. ``"log"`` suits positive values that differ by factors, ``"logit"`` shares.
        bounds : (low, high) or None, default=None
            Bounds of the values; one of them may be ``None``. The usual ones are none for ``"identity"``, (0, inf) for
            ``"log"`` and (0, 1) for ``"logit"``. With ``"identity"``, predictions are clipped to them.
        order : {"increasing", "decreasing", "mean_std"} or None, default=None
            Order of the outputs of a row; see :meth:`CompactBoostingRegressor.fit_soft`.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row.
        hints : array-like of shape (n_samples,) or (n_samples, n_hints), default=None
            Finite numbers that the last hidden layer predicts as well, with the weight ``hint_weight``; see
            :func:`~skdistill.students.inner_representation`. They are divided by one factor, so that the sum of the
            variances of their columns is one. Not used with ``hint_weight=0``.

        Returns
        -------
        self : estimator

        Raises
        ------
        ValueError
            If ``link``, ``bounds`` or ``order`` are invalid, or a target is outside the bounds.
        StudentError
            If ``hint_weight`` is positive and ``hints`` are missing, not finite, or of another length.
        """
        with given_hints(hints):
            return super().fit_soft(X, targets, link=link, bounds=bounds, order=order, sample_weight=sample_weight)
