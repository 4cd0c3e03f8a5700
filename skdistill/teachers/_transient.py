"""Which errors of a service are worth another request, and how long it asks to wait."""

import email.utils
import http.client
import json
import time
import urllib.error
from collections.abc import Callable
from typing import Any

TRANSIENT_STATUS = (408, 425, 429, 500, 502, 503, 504)
"""Status codes of HTTP by which a service says that the same request may succeed later."""

TRANSIENT_CODES = ("UNAVAILABLE", "RESOURCE_EXHAUSTED", "DEADLINE_EXCEEDED", "ABORTED")
"""The same of gRPC."""

TRANSIENT_TYPES = (
    ConnectionError,
    TimeoutError,
    http.client.HTTPException,
    urllib.error.URLError,
    json.JSONDecodeError,
)
"""Errors of connections and of answers that were cut off."""

TRANSIENT_NAMES = (
    "APIConnectionError",
    "ChunkedEncodingError",
    "ClientConnectionError",
    "ClientPayloadError",
    "ConnectionError",
    "Timeout",
    "TransportError",
)
"""Classes of the same errors in requests, httpx, aiohttp and clients of model providers, which are not imported."""

_STATUS_ATTRIBUTES = ("status_code", "status", "code")


def is_transient(error: BaseException) -> bool:
    """Whether the same request may succeed later: by the status of the answer, or else by the type of the error."""
    status = _status_of(error)
    if isinstance(status, int):
        return status in TRANSIENT_STATUS
    if isinstance(status, str):
        return status in TRANSIENT_CODES
    names = {base.__name__ for base in type(error).__mro__}
    return isinstance(error, TRANSIENT_TYPES) or not names.isdisjoint(TRANSIENT_NAMES)


def _status_of(error: Any) -> int | str | None:
    """Return the status code that an error or its response states; ``None`` if there is none."""
    for owner in (error, getattr(error, "response", None)):
        for name in _STATUS_ATTRIBUTES:
            status: Any = getattr(owner, name, None)
            status = _called(status) if callable(status) else status
            if isinstance(status, int) and not isinstance(status, bool):
                return int(status)
            if isinstance(getattr(status, "name", None), str):  # of an enumeration, as gRPC has
                return str(status.name)
    return None


def _called(method: Callable[[], Any]) -> Any:
    try:
        return method()
    except Exception:
        return None


def retry_after(error: Any) -> float:
    """Return the seconds that a service asks to wait, by ``error.retry_after`` or the header ``Retry-After``; or 0."""
    stated = getattr(error, "retry_after", None)
    for owner in (error, getattr(error, "response", None)):
        headers: Any = getattr(owner, "headers", None)
        if stated is None and hasattr(headers, "get"):
            stated = headers.get("Retry-After") or headers.get("retry-after")
    return max(_seconds(stated), 0.0)


def _seconds(stated: Any) -> float:
    """Return a number of seconds, or those until a date, which may be written in either form."""
    try:
        seconds = float(stated)
        return seconds if seconds == seconds else 0.0
    except (TypeError, ValueError):
        pass
    try:
        return email.utils.parsedate_to_datetime(stated).timestamp() - time.time()
    except (TypeError, ValueError, AttributeError):
        return 0.0
