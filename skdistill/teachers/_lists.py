"""Lists of teachers: their names, and whether an object is one."""

from collections import Counter
from typing import Any

from ..exceptions import TeacherError


def is_list(teacher: Any) -> bool:
    """Whether ``teacher`` is a list of teachers instead of one."""
    return isinstance(teacher, list | tuple)


def teachers_in(teacher: Any) -> list[Any]:
    """Return the teachers of a list without their names; of one teacher, a list with it alone."""
    return [_without_name(each) for each in teacher] if is_list(teacher) else [teacher]


def with_teachers(given: Any, teachers: list[Any]) -> Any:
    """Return a new list with the names of ``given`` and other teachers."""
    renamed = [
        (old[0], new) if _is_pair(old) else new for old, new in zip(given, teachers, strict=True)
    ]  # fmt: skip
    return renamed if isinstance(given, list) else tuple(renamed)


def names_of(who: str, teachers: Any) -> list[str]:
    """Return the name of each teacher of a list: that of its pair, or that of its type or function, with a number.

    Raises
    ------
    TeacherError
        If the list is empty, or if names are no texts or not unique.
    """
    if len(teachers) == 0:
        raise TeacherError(f"{who}: got an empty list of teachers; expected at least one. Pass teacher=[a, b].")
    if any(is_list(each) and not _is_pair(each) for each in teachers):
        raise TeacherError(
            f"{who}: got a list in the list of teachers; expected models, functions, or pairs (name, model) whose name "
            'is a text. Pass e.g. teacher=[("forest", forest), ("network", network)].'
        )
    given = [each[0] if _is_pair(each) else "" for each in teachers]
    kinds = [name or _kind_of(each) for name, each in zip(given, teachers, strict=True)]
    counts, seen, names = Counter(kinds), Counter[str](), []
    for name, kind in zip(given, kinds, strict=True):
        seen[kind] += 1
        names.append(kind if name or counts[kind] == 1 else f"{kind}-{seen[kind]}")
    if len(set(names)) < len(names):
        raise TeacherError(f"{who}: the teachers have the names {names}; expected another name for each.")
    return names


def _is_pair(each: Any) -> bool:
    return isinstance(each, list | tuple) and len(each) == 2 and isinstance(each[0], str) and bool(each[0])


def _without_name(each: Any) -> Any:
    return each[1] if _is_pair(each) else each


def _kind_of(teacher: Any) -> str:
    """Return the name of a function, or of the type of a model, as in scikit-learn's ``make_pipeline``."""
    name = getattr(teacher, "__name__", None) or getattr(teacher, "name", None)
    return name if isinstance(name, str) else type(teacher).__name__.lower()
