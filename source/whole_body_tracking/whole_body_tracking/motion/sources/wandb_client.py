"""The W&B client with the time limits and messages that a command line needs. Imported only when it is used."""

from __future__ import annotations

import contextlib
import os
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

TIMEOUT = 20
"""Time limit of one request to the server [s]; for a file, the longest pause."""
FILE_RETRIES = 2
"""Number of times the transfer of a file is tried again; the client's own 16 times take 20 minutes."""
STOP_LIMIT = 10
"""Time limit for the client's own process to end [s]."""
PAUSE = 60
"""For how long a server that could not be reached is not asked again [s]."""
LIMITS = {"WANDB_X_GRAPHQL_RETRY_MAX": "1", "WANDB_INIT_TIMEOUT": str(TIMEOUT)}
"""Without these an unreachable server takes the client 20 to 100 s, and it ends with a message about credentials."""
NO_NETWORK = ("connection refused", "no such host", "timeout", "timed out", "deadline", "did not respond", "dial tcp")
"""Parts of the client's message when the server cannot be reached."""
NO_REASON = "the server refused without a reason"
OUT_OF_ORDER = ("http 5", "http 429", "too many 5", "too many 429")
"""Parts of it when the server answers that it cannot serve now."""
NO_KEY = ("api key", "credentials", "error 401", "error 403", "permission", NO_REASON)
"""Parts of it when the server does not accept the user."""

_is_limited = False
_unreachable: dict[str, tuple[float, str]] = {}
"""When and why a server could not be reached."""


@contextmanager
def wandb_client(action: str, hint: str) -> Iterator:
    """The wandb module; its errors come out as OSErrors that say what was tried and what to do instead.

    A server that could not be reached is not asked again for :data:`PAUSE` seconds: a list of motions fails once.

    Args:
        action: What is tried, such as "Downloading walk".
        hint: What else the user can do; a sentence.

    Raises:
        ConnectionError: If the server cannot be reached.
        FileNotFoundError: If the server does not have it.
        PermissionError: If there is no valid key.
        OSError: If the server refuses for another reason.
    """
    import requests
    import wandb

    since, reason = _unreachable.get(_server(), (-PAUSE, ""))
    if time.monotonic() - since < PAUSE:
        raise _explained(action, reason, hint)
    with _limits(wandb), _file_limits():
        try:
            yield wandb
        except (wandb.Error, requests.RequestException, TimeoutError) as error:
            failure = _explained(action, reason := _reason(error), hint)
            if isinstance(failure, ConnectionError):
                _unreachable[_server()] = (time.monotonic(), reason)
            raise failure from None


@contextmanager
def _limits(wandb) -> Iterator[None]:
    """Apply :data:`LIMITS` unless a run is active or they are applied already.

    The client reads them once, so it is made to forget what it read: a training that logs to W&B afterwards keeps the
    client's own patience.
    """
    global _is_limited
    if _is_limited or wandb.run is not None:
        yield
        return
    before = {name: os.environ.get(name) for name in LIMITS}
    os.environ.update({name: value for name, value in LIMITS.items() if before[name] is None})
    _stop_client(wandb)
    _is_limited = True
    try:
        yield
    finally:
        _is_limited = False
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
        _stop_client(wandb)


def _stop_client(wandb) -> None:
    """Let the client's process end, and end it if it does not: after a silent server it sometimes waits for ever."""
    watchdog = threading.Timer(STOP_LIMIT, _kill_client)
    watchdog.daemon = True
    watchdog.start()
    with contextlib.suppress(SystemExit):  # the client would end this program with the status of its process
        wandb.teardown()
    watchdog.cancel()


def _kill_client() -> None:
    import psutil

    for child in psutil.Process().children():
        if child.name() == "wandb-core":
            child.kill()


@contextmanager
def _file_limits() -> Iterator[None]:
    """Give up on a file that does not arrive: the client fetches artifacts with requests and sets no time limit."""
    from requests.adapters import HTTPAdapter
    from urllib3.util import Retry

    send = HTTPAdapter.send

    def send_within_limits(self, *args, timeout=None, **kwargs):
        self.max_retries = Retry(FILE_RETRIES, backoff_factor=1, status_forcelist=(429, 500, 502, 503, 504))
        return send(self, *args, timeout=timeout or TIMEOUT, **kwargs)

    HTTPAdapter.send = send_within_limits
    try:
        yield
    finally:
        HTTPAdapter.send = send


def _reason(error: Exception) -> str:
    text = re.sub(r"(with|for) url: \S+", "", str(error))  # URLs of files hold signatures
    return " ".join(text.split()).rstrip(".").replace("<no message>", NO_REASON) or type(error).__name__


def _server() -> str:
    return os.environ.get("WANDB_BASE_URL", "https://api.wandb.ai")


def _explained(action: str, reason: str, hint: str) -> OSError:
    lowered = reason.lower()
    if any(sign in lowered for sign in NO_NETWORK):
        return ConnectionError(f"{action} failed: W&B at {_server()} cannot be reached ({reason}). {hint}")
    if any(sign in lowered for sign in OUT_OF_ORDER):
        return ConnectionError(f"{action} failed: W&B at {_server()} is out of order ({reason}). Try later. {hint}")
    if any(sign in lowered for sign in NO_KEY):
        return PermissionError(f"{action} failed: {reason}. Set WANDB_API_KEY or run `wandb login`. {hint}")
    kind = FileNotFoundError if "not found" in lowered or "could not find" in lowered else OSError
    return kind(f"{action} failed: {reason}. {hint}")
