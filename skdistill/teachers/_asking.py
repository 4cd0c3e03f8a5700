"""One query of a teacher, whose errors say which rows failed."""

from typing import Any

import numpy as np

from ..exceptions import TeacherError, TeacherOutputError, TeacherQueryError
from ._adapter import Teacher


def ask(teacher: Teacher, block: Any, where: str) -> np.ndarray:
    """Return the teacher's outputs for rows; errors say which rows they are."""
    try:
        return teacher.outputs(block)
    except TeacherOutputError as error:
        raise TeacherOutputError(f"{error} (in {where})") from None
    except TeacherError:
        raise
    except Exception as error:
        raise TeacherQueryError(
            f"{teacher.name} raised {type(error).__name__} for {where}: {error}. Check that the rows have the format "
            "that the teacher was fitted on. With memory=..., the outputs of completed chunks are stored."
        ) from error
