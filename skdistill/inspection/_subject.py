"""What a report is about: teacher, student, rows, date and versions."""

import datetime
import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from ..convert import unwrap
from ..metrics import n_parameters
from ._answers import Answers
from ._slices import names_of

PACKAGES = ("skdistill", "scikit-learn", "numpy", "lightgbm")
"""Packages whose versions are always stated."""

N_NAMES = 4
"""Number of columns that are named."""


def subject_of(answers: Answers, distilled: Any) -> dict[str, str]:
    """Return a short text for each of teacher, student, data, date and versions.

    Parameters
    ----------
    answers : Answers
        Of rows and models that are still there.
    distilled : DistilledClassifier, DistilledRegressor or None
        The model that the student belongs to, which knows the family that was chosen.
    """
    pair = answers.pair
    assert pair is not None
    return {
        "teacher": pair.teacher.name,
        "student": _student(pair.student, distilled),
        "data": data_of(answers, len(answers.rows), answers.n_given),
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "versions": _versions(pair.teacher.model),
    }


def _student(student: Any, distilled: Any) -> str:
    """Return the family, the class and the number of parameters of a student."""
    model = unwrap(getattr(student, "estimator", student)).model
    name = getattr(model, "__name__", None)
    name = name if isinstance(name, str) else type(model).__name__
    family = _family(distilled)
    size = n_parameters(student)
    parts = [name if family is None else f"{family} ({name})"]
    return ", ".join(parts if size != size else [*parts, f"{size:,.0f} parameters"])


def _family(distilled: Any) -> str | None:
    """Return the family that was chosen, or that was passed by its name."""
    chosen = getattr(getattr(distilled, "candidates_", None), "chosen", None)
    given = getattr(distilled, "student", None)
    named = given if isinstance(given, str) and given != "auto" else None
    return getattr(chosen, "family", None) or named


def data_of(answers: Answers, n_rows: int, n_given: int) -> str:
    """Return how many rows and columns there are, what the columns are called, and whether the truth is known.

    ``n_rows`` rows of ``n_given`` are measured; ``answers`` may be those of a sample.
    """
    X = answers.X
    drawn = f" of {n_given:,}" if n_rows < n_given else ""
    rows = f"{n_rows:,}{drawn} row{'' if max(n_rows, n_given) == 1 else 's'}"
    columns = _columns(X) if len(X.shape) == 2 else "of text"
    known = answers.truth is not None or answers.survival is not None
    truth = "with" if known else "without"
    return f"{rows} {columns}, {truth} true {'values' if answers.classes is None else 'labels'}"


def _columns(X: Any) -> str:
    n_columns = X.shape[1]
    counted = f"with {n_columns:,} column{'' if n_columns == 1 else 's'}"
    if not hasattr(X, "columns"):
        return counted
    names = [str(name) for name in names_of(X)[:N_NAMES]]
    return f"{counted} ({', '.join(names)}{', ...' if n_columns > N_NAMES else ''})"


def _versions(teacher: Any) -> str:
    """Return the versions of Python, of the packages of every report, and of the package of the teacher."""
    package = type(unwrap(teacher).model).__module__.partition(".")[0]
    others = () if package in ("sklearn", "builtins", "skdistill", "__main__") else (package,)
    found = {"Python": platform.python_version()}
    for name in dict.fromkeys((*PACKAGES, *others)):
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # a module of the user
            continue
    return ", ".join(f"{name} {number}" for name, number in found.items())
