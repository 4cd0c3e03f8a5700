"""The tags of a distilled estimator: what its student and its unfitted teachers accept."""

from typing import Any

from .._validation import input_tags_of, tags_of
from ..selection import DEFAULT_FAMILY, AutoStudent
from ..students._families import FAMILIES
from ._several_teachers import recipes_in


class TagsMixin:
    """Mixin of the distilled estimators with their tags."""

    _resolve_student: Any
    monotonic_cst: Any
    teacher: Any

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()  # type: ignore[misc]  # of BaseEstimator, which stands right of it
        student = self._resolve_student()
        if isinstance(student, AutoStudent):
            student = FAMILIES[DEFAULT_FAMILY].member(classifies=False)
        if hasattr(student, "__sklearn_tags__"):
            tags.input_tags = input_tags_of(student)
        if isinstance(self.monotonic_cst, str):  # columns of dense tables are moved
            tags.input_tags.sparse = False
        tags.target_tags.required = False
        for recipe in recipes_in(self.teacher):
            of_teacher = tags_of(recipe)
            tags.target_tags.required |= of_teacher.target_tags.required
            tags.input_tags.sparse &= of_teacher.input_tags.sparse
            tags.input_tags.allow_nan &= input_tags_of(recipe).allow_nan
        return tags
