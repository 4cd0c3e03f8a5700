"""A distilled estimator lends its teacher to samplers that read one."""

from typing import Any


def lend_teacher(sampler: Any, teacher: Any) -> Any:
    """Return a copy of a sampler that reads the teacher, or the sampler itself if it reads none.

    Parameters
    ----------
    sampler : object
    teacher : estimator
        A fitted model.
    """
    return sampler.with_teacher(teacher) if hasattr(sampler, "with_teacher") else sampler
