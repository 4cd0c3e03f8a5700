"""Types of what users pass: protocols for teachers, students and samplers, and the names that parameters take.

Signatures use them, so that an editor completes names and a type checker reports misspelt ones.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import ArrayLike


class SupportsFit(Protocol):
    """An estimator: a student or a recipe of a teacher."""

    def fit(self, *args: Any, **kwargs: Any) -> Any:
        """Fit to rows and targets."""


class SupportsPredict(Protocol):
    """A model with ``predict``."""

    def predict(self, *args: Any, **kwargs: Any) -> Any:
        """Return one output per row."""


class SupportsScoreSamples(Protocol):
    """A model with ``score_samples``, such as a density."""

    def score_samples(self, *args: Any, **kwargs: Any) -> Any:
        """Return one score per row."""


class SupportsOutputs(Protocol):
    """A teacher of this package, as :func:`~skdistill.as_teacher` returns it."""

    def outputs(self, *args: Any, **kwargs: Any) -> Any:
        """Return the soft targets of rows."""


class SupportsTransform(Protocol):
    """A transformer, such as an embedding."""

    def transform(self, *args: Any, **kwargs: Any) -> Any:
        """Return one vector per row."""


class SupportsSample(Protocol):
    """A sampler: ``fit`` learns from real rows, ``sample`` draws synthetic ones."""

    def fit(self, *args: Any, **kwargs: Any) -> Any:
        """Learn from real rows."""

    def sample(self, *args: Any, **kwargs: Any) -> Any:
        """Draw synthetic rows."""


class SupportsSplit(Protocol):
    """A splitter of cross-validation."""

    def split(self, *args: Any, **kwargs: Any) -> Any:
        """Return pairs of training and test positions."""


class SupportsCache(Protocol):
    """A ``joblib.Memory``."""

    def cache(self, *args: Any, **kwargs: Any) -> Any:
        """Return a function that remembers its results."""


TeacherLike: TypeAlias = (
    SupportsPredict | SupportsScoreSamples | SupportsTransform | SupportsOutputs | SupportsFit | Callable[..., Any]
)
"""What :func:`~skdistill.as_teacher` reads: a model, fitted or not, or a function of ``X``."""

FamilyName: TypeAlias = Literal["auto", "linear", "tree", "kernel", "mlp", "mlp_ple", "boosting", "hybrid", "inherit"]
"""The chooser, and the families of this package; :func:`~skdistill.students.register_family` adds others."""

StudentLike: TypeAlias = SupportsFit | FamilyName | str
"""An estimator or the name of a family."""

Memory: TypeAlias = str | Path | SupportsCache | None
"""The folder of a store of outputs, or a ``joblib.Memory``."""

RandomState: TypeAlias = int | np.random.RandomState | None
"""A seed or a generator."""

CategoricalFeatures: TypeAlias = ArrayLike | Literal["from_dtype"]
"""Columns that hold categories: positions, names or a mask."""

MonotonicCst: TypeAlias = Mapping[Any, int] | ArrayLike | None
"""Directions of columns."""

InteractionCst: TypeAlias = Literal["pairwise", "no_interactions"] | Sequence[Collection[int | str]] | None
"""Sets of columns that may interact."""

ScheduleName: TypeAlias = Literal["constant", "linear", "cosine", "logistic"]
"""Courses of a temperature or of a factor over the epochs."""

OutputOrder: TypeAlias = Literal["increasing", "decreasing", "mean_std"]
"""Orders of the outputs of a row."""

Side: TypeAlias = Literal["two-sided", "lower", "upper"]
"""Sides of a confidence interval."""

LinkName: TypeAlias = Literal["identity", "binary", "one-vs-rest", "softmax"]
"""Links of the scores of a compressed model."""

Average: TypeAlias = Literal["auto", "uniform_average", "variance_weighted"]
"""How the fidelities of several outputs are averaged."""

FrameKind: TypeAlias = Literal["pandas", "polars", "pyarrow", "numpy"]
"""Libraries of the chunks of a dataset."""

__all__ = [
    "Average",
    "CategoricalFeatures",
    "FamilyName",
    "FrameKind",
    "InteractionCst",
    "LinkName",
    "Memory",
    "MonotonicCst",
    "OutputOrder",
    "RandomState",
    "ScheduleName",
    "Side",
    "StudentLike",
    "SupportsCache",
    "SupportsFit",
    "SupportsOutputs",
    "SupportsPredict",
    "SupportsSample",
    "SupportsScoreSamples",
    "SupportsSplit",
    "SupportsTransform",
    "TeacherLike",
]
