"""One generated case: the call is made, and judged."""

import signal
import threading
import warnings
from contextlib import contextmanager

import numpy as np
from fuzz import calls, operations, oracle

CALLS = {
    calls.distil: 0.37,
    calls.fit_student: 0.2,
    calls.predict_other_rows: 0.1,
    calls.draw_rows: 0.1,
    calls.call_function: 0.08,
    operations.operate: 0.15,
}
"""Generated calls, and the share of each."""

SECONDS = 10
"""A call that takes longer counts as endless."""


class EndlessError(BaseException):
    """A call takes too long."""


@contextmanager
def limited(seconds):
    """Interrupt a block that takes too long; only the main thread can."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number, frame):
        raise EndlessError

    former = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, former)


def draw_call(seed):
    """Return the generated call of a seed."""
    rng = np.random.default_rng(seed)
    return list(CALLS)[rng.choice(len(CALLS), p=list(CALLS.values()))](rng)


def judge(seed):
    """Return ``None`` if all is well; otherwise the kind of fault, what it is and the case.

    Kinds are ``"foreign error"``, ``"wrong answer"`` (among them invalid arguments that are accepted, and valid ones
    that are refused, and models that a failed fit has changed), ``"state"`` (the caller's data have changed) and
    ``"endless"``.
    """
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        np.random.seed(0)  # noqa: NPY002 - what random_state=None draws from
        call = draw_call(seed)
        before = {name: oracle.snapshot(given) for name, given in call.arguments.items()}
        found = _verdict(call)
        changed = [name for name, given in call.arguments.items() if not oracle.is_same(before[name], given)]
    if found is None and changed:
        found = ("state", f"{changed} changed")
    return None if found is None else (*found, call.kind)


def _verdict(call):
    try:
        with limited(SECONDS):
            call.run()
    except oracle.WrongAnswerError as error:
        return "wrong answer", str(error)
    except EndlessError:
        return "endless", f"takes over {SECONDS} seconds"
    except Exception as error:
        if not oracle.is_ours(error):
            return "foreign error", oracle.name_of(error)
        if call.is_valid:
            return "wrong answer", f"refused: {str(error)[:100]}"
        return None
    return ("wrong answer", "accepted an invalid argument") if call.is_valid is False else None
