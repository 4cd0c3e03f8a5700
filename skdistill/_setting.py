"""Names of parameters that are set: misspelt ones are refused with a suggestion."""

from collections.abc import Mapping
from typing import Any

from ._described import described
from ._suggesting import did_you_mean


def check_names(estimator: Any, params: Mapping[str, Any]) -> None:
    """Raise an error for the first parameter that an estimator, or an object in one of its parameters, does not have.

    Parameters
    ----------
    estimator : estimator
    params : dict
        What is set; names of parameters of nested objects are joined by ``__``.

    Raises
    ------
    ValueError
        With the similar names that exist.
    """
    owned = estimator.get_params(deep=False)
    for name in params:
        head, _, rest = name.partition("__")
        if head not in owned:  # the steps of a pipeline are among the parameters of all depths, which take longer
            owned = {name: value for name, value in estimator.get_params(deep=True).items() if "__" not in name}
        if head not in owned:
            raise ValueError(_unknown(estimator, head, owned))
        if not rest:
            continue
        inner = params.get(head, owned[head])
        if not hasattr(inner, "set_params"):
            raise ValueError(
                f"{type(estimator).__name__}: cannot set {name}, because {head}={described(inner)} is no estimator. "
                f"Pass an estimator as {head}, whose parameters can be set."
            )
        if hasattr(inner, "get_params"):
            check_names(inner, {rest: params[name]})


def _unknown(estimator: Any, name: str, owned: Mapping[str, Any]) -> str:
    valid, hint = ", ".join(map(repr, sorted(owned))), did_you_mean(name, owned)
    return f"Invalid parameter {name!r} for {type(estimator).__name__}.{hint} Its parameters are {valid}."
