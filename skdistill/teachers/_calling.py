"""Calls of functions of users with a time limit, whether they are ordinary or asynchronous.

Asynchronous functions run in one event loop in a thread of its own: it stays the same for all calls, as clients with
open connections need, and does not meet the loop of a notebook, which is busy while the notebook waits for the answer.
"""

import asyncio
import inspect
import os
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from contextvars import copy_context
from functools import partial
from threading import Lock, Thread
from typing import Any

_LOOPS: dict[int, asyncio.AbstractEventLoop] = {}
"""The event loop of this process, by its id: a forked process needs another one."""

_LOCK = Lock()


def is_asynchronous(function: Any) -> bool:
    """Whether a function, or the call of an object, is defined with ``async def``."""
    while isinstance(function, partial):
        function = function.func
    call = getattr(function, "__call__", None)  # noqa: B004  # the method, not whether there is one
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(call)


def call_within(function: Callable[[Any], Any], rows: Any, timeout: float | None) -> Any:
    """Return ``function(rows)``, or what it awaits.

    Raises
    ------
    TimeoutError
        If there is no answer within ``timeout`` seconds. A coroutine is cancelled then; an ordinary function cannot be,
        and is left alone in its thread.
    """
    if is_asynchronous(function):
        return _await(partial(function, rows), timeout)
    answer = function(rows) if timeout is None else _result(_in_thread(partial(function, rows)), timeout)
    return _await(lambda: answer, timeout) if inspect.isawaitable(answer) else answer


def _await(make: Callable[[], Awaitable[Any]], timeout: float | None) -> Any:
    async def run() -> Any:
        return await make()

    return _result(asyncio.run_coroutine_threadsafe(run(), _loop()), timeout)


def _result(future: "Future[Any]", timeout: float | None) -> Any:
    """Wait for a result; a future that is not done in time, or whose caller is interrupted, is cancelled."""
    try:
        return future.result(timeout)
    except TimeoutError:
        if future.done():
            raise  # the function itself raised it
        raise TimeoutError(f"no answer within {timeout:g} s") from None
    finally:
        future.cancel()


def _in_thread(call: Callable[[], Any]) -> "Future[Any]":
    """Start a call in a thread that does not keep the process alive."""
    future: Future[Any] = Future()
    context = copy_context()

    def run() -> None:
        try:
            answer = context.run(call)
        except BaseException as error:
            with suppress(InvalidStateError):  # nobody waits any more
                future.set_exception(error)
        else:
            with suppress(InvalidStateError):
                future.set_result(answer)

    Thread(target=run, name="skdistill request", daemon=True).start()
    return future


def _loop() -> asyncio.AbstractEventLoop:
    with _LOCK:
        loop = _LOOPS.get(os.getpid())
        if loop is None:
            loop = _LOOPS[os.getpid()] = asyncio.new_event_loop()
            Thread(target=loop.run_forever, name="skdistill event loop", daemon=True).start()
        return loop


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=lambda: globals().update(_LOCK=Lock()))
