"""Distil any fitted model into a small, fast scikit-learn estimator.

The first call::

    from skdistill import DistilledClassifier

    model = DistilledClassifier(fitted_forest).fit(X_train, X_val=X_val)
    model.predict(X)  # like any classifier
    model.fidelity(X_test)  # how closely it follows the teacher
    model.student_  # the small model alone, to pickle and ship

What to use for a task; ``help(skdistill.report)``, for example, says more::

    distil a model                       DistilledClassifier, DistilledRegressor
    limit bytes, operations, seconds     AutoStudent, time_limit=
    choose synthetic rows                skdistill.samplers, AutoSampler
    choose a student                     skdistill.students
    distil a service or known answers    RemoteTeacher, PrecomputedTeacher
    ask any model the same way           as_teacher, skdistill.teachers
    see what was kept and lost           report, skdistill.inspection
    predict a row in microseconds        compile
    predict tables that do not fit       score_dataset, skdistill.datasets
    leave Python                         skdistill.export (ONNX, C, SQL, ...)
    shrink a model without distilling    compress, skdistill.compression
    promise agreement                    certify, skdistill.certificates
    ask the teacher where in doubt       CascadeClassifier, CascadeRegressor
    give intervals                       conformalize
    watch a shipped student              Monitor
    score in a grid search               fidelity_scorer, skdistill.metrics
    label once                           memory=, memory_info, reduce_memory
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import (
        cascades,
        certificates,
        checking,
        compiled,
        compression,
        datasets,
        exceptions,
        export,
        inspection,
        metrics,
        monitoring,
        samplers,
        students,
        targets,
        transfer,
    )
    from .cascades import CascadeClassifier, CascadeRegressor
    from .certificates import certify
    from .compilation import compile
    from .compressing import compress
    from .conformal import conformalize
    from .estimators import (
        AutoColumns,
        AutoSampler,
        AutoStudent,
        Candidates,
        Constraints,
        DistilledClassifier,
        DistilledRegressor,
    )
    from .inspection import report
    from .metrics import fidelity_scorer
    from .monitoring import Monitor
    from .scoring import score_dataset
    from .teachers import PrecomputedTeacher, RemoteTeacher, as_teacher, memory_info, reduce_memory

__version__ = "0.1.0"

__all__ = [
    "AutoColumns",
    "AutoSampler",
    "AutoStudent",
    "Candidates",
    "CascadeClassifier",
    "CascadeRegressor",
    "Constraints",
    "DistilledClassifier",
    "DistilledRegressor",
    "Monitor",
    "PrecomputedTeacher",
    "RemoteTeacher",
    "as_teacher",
    "cascades",
    "certificates",
    "certify",
    "checking",
    "compile",
    "compiled",
    "compress",
    "compression",
    "conformalize",
    "datasets",
    "exceptions",
    "export",
    "fidelity_scorer",
    "inspection",
    "memory_info",
    "metrics",
    "monitoring",
    "reduce_memory",
    "report",
    "samplers",
    "score_dataset",
    "students",
    "targets",
    "transfer",
]

_HOME = {
    "AutoColumns": ".estimators",
    "AutoSampler": ".estimators",
    "AutoStudent": ".estimators",
    "Candidates": ".estimators",
    "CascadeClassifier": ".cascades",
    "CascadeRegressor": ".cascades",
    "Constraints": ".estimators",
    "DistilledClassifier": ".estimators",
    "DistilledRegressor": ".estimators",
    "Monitor": ".monitoring",
    "PrecomputedTeacher": ".teachers",
    "RemoteTeacher": ".teachers",
    "fidelity_scorer": ".metrics",
    "as_teacher": ".teachers",
    "memory_info": ".teachers",
    "reduce_memory": ".teachers",
    "compile": ".compilation",
    "compress": ".compressing",
    "certify": ".certificates",
    "conformalize": ".conformal",
    "report": ".inspection",
    "score_dataset": ".scoring",
}


_DEPENDENCIES = {"scipy", "sklearn", "lightgbm", "joblib", "narwhals", "threadpoolctl"}
"""Modules that loaded models do not need."""

if not TYPE_CHECKING:  # otherwise, type checkers would accept any attribute name

    def __getattr__(name: str) -> Any:
        """Import a public name at its first use, so that unpickling a compiled model does not import scikit-learn."""
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        home = _HOME.get(name)
        try:
            module = import_module(home or f".{name}", __name__)
        except ModuleNotFoundError as error:
            missing = (error.name or "").partition(".")[0]
            if missing not in _DEPENDENCIES:
                raise
            raise ModuleNotFoundError(
                f"skdistill.{name} needs {missing}, which is not installed. Compiled models that are loaded need numpy "
                "only; for the rest, install skdistill with its dependencies: pip install skdistill.",
                name=error.name,
            ) from error
        globals()[name] = thing = module if home is None else getattr(module, name)
        return thing


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
