"""The errors skdistill raises: each says who, what it got, what it expected, and what to do next.

All derive from :class:`SkdistillError`; each also derives from the built-in error that scikit-learn raises in
the same place, so code that catches ``ValueError`` goes on working.
"""


class SkdistillError(Exception):
    """Base class of every error that is skdistill's own."""


class TeacherError(SkdistillError, ValueError):
    """The teacher cannot be used as it was given: no usable method, not fitted, no known classes."""


class TeacherOutputError(TeacherError):
    """The teacher answered, but its outputs are no soft targets: NaN, a wrong shape, rows that do not sum to one."""


class TeacherQueryError(TeacherError, RuntimeError):
    """The teacher raised while it was asked. The message names the rows; the cause is chained."""


class SamplerError(SkdistillError, ValueError):
    """A sampler returned rows that do not fit the table it was fitted on, or cannot draw rows of that kind."""


class StudentError(SkdistillError, ValueError):
    """The student cannot be taught: not an estimator of the right kind, or targets it cannot hold."""


class StudentSizeError(StudentError):
    """No student of the family is so small, or none meets the budget."""


class CompileError(SkdistillError, ValueError):
    """A model cannot be compiled, or its compiled form does not answer as it does."""
