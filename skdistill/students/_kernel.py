"""Compact kernel machines: RBF kernels with few landmarks, for smooth teachers."""

from numbers import Integral
from typing import Any, Literal, Self

import numpy as np
from sklearn.base import clone

from .._types import CategoricalFeatures, RandomState, SupportsPredict
from .._validation import check_number, check_random_state
from ..compiled import Design, Landmarks
from ..solvers import MAX_LINEAR_INPUTS, LandmarkSearch, as_values
from ._inheriting import kernel_hints
from ._init_kept import KeepsInit, SameClasses, model_in_init
from ._kernel_from import KernelRows, with_coefficients
from ._student import CompactClassifier, CompactRegressor, CompactStudent, largest_below

MAX_SIZED_LANDMARKS = 500
"""Bounds the landmarks of a sized student; the work grows with their square."""

MAX_GAMMA = 1e8
"""Bounds gamma."""


class _CompactKernel(KeepsInit, CompactStudent):
    """Tables in, landmarks out: what classifier and regressor share."""

    _has_dense_inputs = True

    def __init__(
        self,
        n_landmarks: int = 100,
        *,
        gamma: float | Literal["auto"] = "auto",
        landmarks: Any = None,
        refine: bool = True,
        linear: bool = True,
        init: SupportsPredict | Literal["teacher"] | None = None,
        random_state: RandomState = None,
        categorical_features: CategoricalFeatures = "from_dtype",
    ) -> None:
        self.n_landmarks = n_landmarks
        self.gamma = gamma
        self.landmarks = landmarks
        self.refine = refine
        self.linear = linear
        self.init = init
        self.random_state = random_state
        self.categorical_features = categorical_features

    def inherit(self, teacher_model: Any) -> Self:
        """Return an unfitted clone that starts from what a kernel teacher has, where nothing else was asked for.

        Its parameter ``landmarks`` then holds rows of the teacher, and ``contains_rows_`` will be true. The distilled
        estimators hand down the kernel alone.

        Parameters
        ----------
        teacher_model : fitted estimator
            A support vector machine, a Gaussian process or a kernel ridge regression, also frozen or behind steps of a
            pipeline that can be inverted; any other leaves the clone as it is.

        Returns
        -------
        student : estimator
        """
        hints = kernel_hints(teacher_model)
        student = clone(self)
        if self.gamma == "auto" and 0 < (hints.get("gamma") or 0) <= MAX_GAMMA:
            student.set_params(gamma=hints["gamma"])
        if self.landmarks is None and hints.get("landmarks") is not None:
            student.set_params(landmarks=hints["landmarks"])
        return student

    def _learn(self, X: Any, targets: np.ndarray, weight: np.ndarray) -> Landmarks:
        """Return landmarks, selected and moved by validation, with coefficients fitted on all rows."""
        self._check_parameters()
        rng, model = check_random_state(self.random_state, self), model_in_init(self)
        if model is not None:
            self._contains_rows = False
            rows = KernelRows.of(self, model, X, targets, weight, rng)
            scorer, self.ridge_ = rows.landmarks(self.n_landmarks, has_linear=self.linear, rng=rng)
            return scorer
        self._contains_rows = self.landmarks is not None
        cells, targets, weight, design = self._prepare(X, targets, weight)
        weight = weight / weight.sum()
        values, curvature = as_values(self._loss, targets)
        gamma = None if self.gamma == "auto" else float(self.gamma)
        given = self._given(design)
        search = LandmarkSearch(design, cells, values, weight * curvature, has_linear=self.linear)
        kernel, ridge = search.search(self.n_landmarks, gamma, given, refine=self.refine, rng=rng)
        scorer, self.ridge_ = with_coefficients(search, kernel, ridge, targets, weight, self._loss)
        return scorer

    def _given(self, design: Design) -> np.ndarray:
        """Return the candidates for landmarks that the user gave, as inputs."""
        if self.landmarks is None:
            return np.zeros((0, design.width))
        given = self.landmarks if hasattr(self.landmarks, "columns") else np.asarray(self.landmarks)
        if given.ndim != 2 or given.shape[1] != design.n_features:
            raise ValueError(
                f"{type(self).__name__}: landmarks have shape {given.shape}; expected rows of the "
                f"{design.n_features} columns of X."
            )
        return np.unique(design.inputs(self._encoder.transform(given)), axis=0)

    def _params_of_size(self, n_parameters: int, n_inputs: int, n_outputs: int) -> dict[str, Any] | None:
        fixed = n_inputs + n_outputs + (n_inputs * n_outputs if self.linear and n_inputs <= MAX_LINEAR_INPUTS else 0)
        n_landmarks = largest_below(
            lambda size: fixed + size * (n_inputs + n_outputs), n_parameters, 1, MAX_SIZED_LANDMARKS
        )
        return None if n_landmarks is None else {"n_landmarks": n_landmarks}

    def _check_parameters(self) -> None:
        check_number(self, "n_landmarks", self.n_landmarks, kind=Integral, low=1)
        check_number(self, "gamma", self.gamma, low=0, low_open=True, high=MAX_GAMMA, names=("auto",))


class CompactKernelClassifier(SameClasses, CompactClassifier, _CompactKernel):
    r"""RBF kernel with few landmarks for soft targets of smooth teachers: SVMs, Gaussian processes, networks.

    Inputs :math:`z` are standardised numbers, indicators of missing ones and of categories. Scores are

    .. math:: s_k(z) = b_k + z W_k + \sum_j a_{jk} \exp \Big( -\sum_i \nu_i^2 (z_i - c_{ji})^2 \Big),

    with few landmarks :math:`c_j` in place of all rows [1]_, [2]_, selected by orthogonal least squares [3]_ for the
    logits of the targets. Coefficients minimise the cross-entropy to the targets [5]_ with a ridge. Two classes need
    one score.

    Parameters
    ----------
    n_landmarks : int >= 1, default=100
        Maximum number of landmarks; there are no more than rows. A landmark is the mean of five or more rows, possibly
        moved, and is no row of the fit itself, unless this row occurs five times.
    gamma : float in (0, 1e8] or "auto", default="auto"
        Coefficient of the squared distance between standardised inputs, :math:`\nu_i^2` before scales are moved.
        ``"auto"`` starts from one divided by the number of inputs; without ``refine`` it is chosen on validation rows.
    landmarks : array-like of shape (n_candidates, n_features) or None, default=None
        Rows, with the columns of ``X``, that are candidates for landmarks beside the means of rows of ``X``, such as a
        teacher's support vectors. The student then contains them, and ``contains_rows_`` is true.
    refine : bool, default=True
        Whether landmarks and scales are moved once they are selected, by variable projection [4]_, where that lowers
        the validation loss. Without it all inputs have one scale.
    linear : bool, default=True
        Whether there is a linear part, :math:`W`; tables of more than 1000 inputs have none.
    init : estimator, "teacher" or None, default=None
        A fitted model whose kernel the search starts from: an earlier student of this kind (more rows, drift), a
        support vector machine, a kernel ridge regression or a Gaussian process with an RBF kernel, also behind
        scalers, imputers and one-hot encoders, or a nearest neighbour model. Landmarks are then selected in its
        metric among those of the earlier student, or among means of rows close to the support vectors, which are not
        kept themselves, and moved; ``gamma``, ``landmarks`` and ``refine`` are ignored. ``"teacher"`` is the teacher
        of a distilled estimator. The model is not changed, :func:`~sklearn.base.clone` keeps it as it is, and the
        fitted student refers to it until ``set_params(init=None)``.
    random_state : int, RandomState instance or None, default=None
        Seed of validation rows, of candidates, and of the rows that landmarks are moved on.
    categorical_features : "from_dtype" or array-like, default="from_dtype"
        Columns that are categories whatever their cells: names, positions, or a mask, as in scikit-learn's histogram
        gradient boosting. Each distinct value is one category. ``"from_dtype"`` declares none: columns of strings,
        of pandas categories, and of objects that are no numbers and no dates are categories in any case.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels.
    scorer_ : Landmarks
        One score for each class, a single one for two classes.
    contains_rows_ : bool
        Whether ``landmarks`` were passed, which the student contains as they are.
    ridge_ : float
        The ridge on coefficients, beside a mean loss, that was chosen on validation rows.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of str, shape (n_features,)
        Names of the columns, for frames.

    See Also
    --------
    CompactKernelRegressor : The same for values.

    References
    ----------
    .. [1] C. Williams, M. Seeger, "Using the Nyström Method to Speed Up Kernel Machines", NeurIPS 2001.
    .. [2] S. S. Keerthi, O. Chapelle, D. DeCoste, "Building Support Vector Machines with Reduced Classifier
       Complexity", JMLR 2006.
    .. [3] S. Chen, C. F. N. Cowan, P. M. Grant, "Orthogonal Least Squares Learning Algorithm for Radial Basis Function
       Networks", IEEE Transactions on Neural Networks 1991.
    .. [4] G. H. Golub, V. Pereyra, "The Differentiation of Pseudo-Inverses and Nonlinear Least Squares Problems Whose
       Variables Separate", SIAM Journal on Numerical Analysis 1973.
    .. [5] G. Hinton, O. Vinyals, J. Dean, "Distilling the Knowledge in a Neural Network", 2015.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.svm import SVC
    >>> from skdistill.students import CompactKernelClassifier
    >>> X = np.random.default_rng(0).normal(size=(500, 2))
    >>> teacher = SVC().fit(X, (X**2).sum(axis=1) > 2)
    >>> student = CompactKernelClassifier(20, random_state=0).inherit(teacher)
    >>> student.fit(X, teacher.predict(X)).predict([[0.0, 0.0], [2.0, 2.0]])
    array([False,  True])
    """


class CompactKernelRegressor(CompactRegressor, _CompactKernel):
    r"""RBF kernel with few landmarks for values of smooth teachers: SVMs, Gaussian processes, networks.

    Inputs :math:`z` are standardised numbers, indicators of missing ones and of categories. Scores are

    .. math:: s_k(z) = b_k + z W_k + \sum_j a_{jk} \exp \Big( -\sum_i \nu_i^2 (z_i - c_{ji})^2 \Big),

    with few landmarks :math:`c_j` in place of all rows [1]_, [2]_, selected by orthogonal least squares [3]_. Outputs
    are standardised for the fit; coefficients minimise the squared error with a ridge.

    Parameters
    ----------
    n_landmarks : int >= 1, default=100
        Maximum number of landmarks; there are no more than rows. A landmark is the mean of five or more rows, possibly
        moved, and is no row of the fit itself, unless this row occurs five times.
    gamma : float in (0, 1e8] or "auto", default="auto"
        Coefficient of the squared distance between standardised inputs, :math:`\nu_i^2` before scales are moved.
        ``"auto"`` starts from one divided by the number of inputs; without ``refine`` it is chosen on validation rows.
    landmarks : array-like of shape (n_candidates, n_features) or None, default=None
        Rows, with the columns of ``X``, that are candidates for landmarks beside the means of rows of ``X``, such as a
        teacher's support vectors. The student then contains them, and ``contains_rows_`` is true.
    refine : bool, default=True
        Whether landmarks and scales are moved once they are selected, by variable projection [4]_, where that lowers
        the validation loss. Without it all inputs have one scale.
    linear : bool, default=True
        Whether there is a linear part, :math:`W`; tables of more than 1000 inputs have none.
    init : estimator, "teacher" or None, default=None
        A fitted model whose kernel the search starts from: an earlier student of this kind (more rows, drift), a
        support vector machine, a kernel ridge regression or a Gaussian process with an RBF kernel, also behind
        scalers, imputers and one-hot encoders, or a nearest neighbour model. Landmarks are then selected in its
        metric among those of the earlier student, or among means of rows close to the support vectors, which are not
        kept themselves, and moved; ``gamma``, ``landmarks`` and ``refine`` are ignored. ``"teacher"`` is the teacher
        of a distilled estimator. The model is not changed, :func:`~sklearn.base.clone` keeps it as it is, and the
        fitted student refers to it until ``set_params(init=None)``.
    random_state : int, RandomState instance or None, default=None
        Seed of validation rows, of candidates, and of the rows that landmarks are moved on.
    categorical_features : "from_dtype" or array-like, default="from_dtype"
        Columns that are categories whatever their cells: names, positions, or a mask, as in scikit-learn's histogram
        gradient boosting. Each distinct value is one category. ``"from_dtype"`` declares none: columns of strings,
        of pandas categories, and of objects that are no numbers and no dates are categories in any case.

    Attributes
    ----------
    scorer_ : Landmarks
        One score for each output.
    contains_rows_ : bool
        Whether ``landmarks`` were passed, which the student contains as they are.
    ridge_ : float
        The ridge on coefficients, beside a mean loss, that was chosen on validation rows.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of str, shape (n_features,)
        Names of the columns, for frames.

    See Also
    --------
    CompactKernelClassifier : The same for classes.

    References
    ----------
    .. [1] C. Williams, M. Seeger, "Using the Nyström Method to Speed Up Kernel Machines", NeurIPS 2001.
    .. [2] S. S. Keerthi, O. Chapelle, D. DeCoste, "Building Support Vector Machines with Reduced Classifier
       Complexity", JMLR 2006.
    .. [3] S. Chen, C. F. N. Cowan, P. M. Grant, "Orthogonal Least Squares Learning Algorithm for Radial Basis Function
       Networks", IEEE Transactions on Neural Networks 1991.
    .. [4] G. H. Golub, V. Pereyra, "The Differentiation of Pseudo-Inverses and Nonlinear Least Squares Problems Whose
       Variables Separate", SIAM Journal on Numerical Analysis 1973.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.students import CompactKernelRegressor
    >>> X = np.random.default_rng(0).uniform(-3, 3, size=(500, 1))
    >>> student = CompactKernelRegressor(20, random_state=0).fit(X, np.sin(X[:, 0]))
    >>> student.predict([[np.pi / 2]]).round(2)
    array([1.])
    """
