"""The errors and the warning of skdistill.

Each message says who raised it, what was passed, what was expected, and what to do next.

All errors derive from :class:`SkdistillError`. Each also derives from the built-in error that scikit-learn raises in
the same situation, so code that catches ``ValueError`` continues to work.
"""


class SkdistillError(Exception):
    """Base class of all errors of skdistill.

    Examples
    --------
    >>> from skdistill.exceptions import SkdistillError, TeacherError
    >>> issubclass(TeacherError, SkdistillError)
    True
    """


class TeacherError(SkdistillError, ValueError):
    """The teacher cannot be used: it has no usable method, is not fitted, or its classes are unknown.

    Examples
    --------
    >>> from skdistill import as_teacher
    >>> from skdistill.exceptions import TeacherError
    >>> try:
    ...     as_teacher(dict)
    ... except TeacherError as error:
    ...     print(error)
    got the class dict as a teacher; expected an object, e.g. dict().
    """


class TeacherOutputError(TeacherError):
    """The teacher's outputs are not valid soft targets: NaN, a wrong shape, or rows that do not sum to one.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill import as_teacher
    >>> from skdistill.exceptions import TeacherOutputError
    >>> teacher = as_teacher(lambda X: np.full(len(X), np.nan))
    >>> try:
    ...     teacher.outputs(np.zeros((3, 1)))
    ... except TeacherOutputError as error:
    ...     print("NaN" in str(error))
    True
    """


class TeacherQueryError(TeacherError, RuntimeError):
    """The teacher raised an error during a query. The message names the rows; the cause is chained.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill import DistilledRegressor
    >>> from skdistill.exceptions import TeacherQueryError
    >>> def service(X):
    ...     raise TimeoutError("no answer")
    >>> try:
    ...     DistilledRegressor(service).fit(np.zeros((5, 1)))
    ... except TeacherQueryError as error:
    ...     print(repr(error.__cause__))
    TimeoutError('no answer')
    """


class TeacherUnavailableError(TeacherError, RuntimeError):
    """A remote teacher did not answer after all retries, asks to wait for long, or has used up its rows.

    The rows are not to blame: the same fit may succeed later. Answers that came before are kept.

    Examples
    --------
    >>> from skdistill import RemoteTeacher
    >>> from skdistill.exceptions import TeacherUnavailableError
    >>> def service(X):
    ...     raise ConnectionResetError("busy")
    >>> try:
    ...     RemoteTeacher(service, max_retries=0)([[1.0]])
    ... except TeacherUnavailableError as error:
    ...     print(str(error)[:77])
    RemoteTeacher: service did not answer; the last of 1 requests raised Connecti
    """


class SamplerError(SkdistillError, ValueError):
    """A sampler returned rows that do not match its training table, or cannot draw rows of that kind.

    Examples
    --------
    >>> from skdistill.exceptions import SamplerError
    >>> from skdistill.samplers import as_sampler
    >>> try:
    ...     as_sampler("leaf swap")
    ... except SamplerError as error:
    ...     print(type(error).__name__)
    SamplerError
    """


class StudentError(SkdistillError, ValueError):
    """The student cannot be fitted: it is not a suitable estimator, or does not support the targets.

    Examples
    --------
    >>> from skdistill.exceptions import StudentError
    >>> from skdistill.students import CompactTreeClassifier
    >>> try:
    ...     CompactTreeClassifier().fit_soft([[0.0], [1.0]], [[0.5, 0.5], [0.2, 0.2]])
    ... except StudentError as error:
    ...     print(error)
    CompactTreeClassifier: targets are no probabilities; expected rows without a negative number that sum to one.
    """


class StudentSizeError(StudentError):
    """No student of the family is small enough, or none meets the budget.

    Examples
    --------
    >>> from skdistill.exceptions import StudentSizeError
    >>> from skdistill.students import CompactLinearRegressor
    >>> try:
    ...     CompactLinearRegressor().sized(1, n_inputs=10, n_outputs=1)
    ... except StudentSizeError as error:
    ...     print(str(error)[:60])
    CompactLinearRegressor: a size of 1 parameters is too small
    """


class CompileError(SkdistillError, ValueError):
    """A model cannot be compiled, or its compiled form gives other predictions.

    Examples
    --------
    >>> from skdistill import compile
    >>> from skdistill.exceptions import CompileError
    >>> try:
    ...     compile("model")
    ... except CompileError as error:
    ...     print(type(error).__name__)
    CompileError
    """


class ExportError(SkdistillError, ValueError):
    """A model cannot be exported, or the exported model gives other predictions.

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> from skdistill.exceptions import ExportError
    >>> from skdistill.export import to_c
    >>> try:
    ...     to_c(LinearRegression().fit([[0.0], [1.0]], [1.0, 3.0]), name="a b")
    ... except ExportError as error:
    ...     print(str(error)[:36])
    to_c: name='a b'; expected letters,
    """


class TeacherWarning(UserWarning):
    """The teacher is not what one may expect, and the student is worse or other for it.

    The same student, fitted to the true labels alone, is better on validation labels than with the teacher; or the
    labels of the teacher are not its largest probabilities; or the teacher refuses synthetic rows, or changes the rows
    that are passed to it.

    Examples
    --------
    >>> from skdistill.exceptions import TeacherWarning
    >>> issubclass(TeacherWarning, UserWarning)
    True
    """


class DatasetError(SkdistillError, ValueError):
    """A dataset cannot be read or written: a partition differs from the others, has changed, or cannot be stored.

    The message names the partition; what was labelled or written before is kept.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.datasets import as_dataset
    >>> from skdistill.exceptions import DatasetError
    >>> dataset = as_dataset([np.zeros((3, 2)), np.zeros((3, 4))])
    >>> try:
    ...     list(dataset.chunks())
    ... except DatasetError as error:
    ...     print("the partition chunk 1 does not fit" in str(error))
    True
    """


class ClusterError(SkdistillError, ValueError, RuntimeError):
    """A cluster cannot do its part: the scheduler is gone, there are no workers, or they cannot load a teacher.

    The message names the partition or the rows.

    Examples
    --------
    >>> from skdistill.exceptions import ClusterError, SkdistillError
    >>> issubclass(ClusterError, SkdistillError)
    True
    """
