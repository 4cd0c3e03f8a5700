"""Generated calls, with valid and invalid arguments, end in a right result or in an error that says what is wrong."""

import pytest
from fuzz.cases import judge
from fuzz.oracle import is_ours

N_CASES = 20_000
"""Of the long run."""

N_QUICK = 120
"""Of the default run."""

N_PARTS = 4
"""The cases of the default run are split into so many tests, which may run in parallel."""

MOST_FOREIGN = 50
"""Foreign errors that are tolerated in the long run; wrong answers are not."""


@pytest.mark.parametrize("part", range(N_PARTS))
def test_generated_calls(part):
    """Neither a foreign error nor a wrong answer, nor changed data, in a few hundred calls."""
    seeds = range(part, N_QUICK, N_PARTS)
    assert {seed: fault for seed in seeds if (fault := judge(seed)) is not None} == {}


@pytest.mark.slow
def test_many_generated_calls():
    """Hardly a foreign error, and no wrong answer, in many calls; ``python -m fuzz`` shows the cases."""
    faults = [fault for seed in range(N_CASES) if (fault := judge(seed)) is not None]
    foreign = [fault for fault in faults if fault[0] == "foreign error"]
    assert [fault for fault in faults if fault not in foreign] == []
    assert len(foreign) <= MOST_FOREIGN


def raised_by(function):
    try:
        function()
    except Exception as error:
        return error
    raise AssertionError("no error")


def test_the_oracle_tells_foreign_errors():
    """An error of numpy in the middle of a computation is foreign; one that a check has raised is not."""
    import numpy as np

    from skdistill.samplers import Jitter
    from skdistill.students import CompactLinearRegressor
    from skdistill.targets import softmax

    assert is_ours(raised_by(lambda: Jitter(scale=-1).fit(np.eye(3))))
    assert is_ours(raised_by(lambda: softmax([[1.0, np.nan]])))
    assert is_ours(raised_by(lambda: CompactLinearRegressor().fit(np.eye(3), [1, 2])))  # of scikit-learn
    assert not is_ours(raised_by(lambda: np.eye(3)[7]))
    assert not is_ours(raised_by(lambda: CompactLinearRegressor().no_such_method()))
    assert not is_ours(ValueError().with_traceback(raised_by(lambda: Jitter(-1).fit(np.eye(3))).__traceback__))
