"""The W&B client with the time limits and messages that a command line needs. Imported only when it is used."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

TIMEOUT = 20
"""How long one request to the server may take [s]."""
LIMITS = {"WANDB_X_GRAPHQL_RETRY_MAX": "1", "WANDB_INIT_TIMEOUT": str(TIMEOUT)}
"""Without these an unreachable server takes the client 20 to 100 s, and it ends with a message about credentials."""
NO_NETWORK = ("connection refused", "no such host", "timeout", "timed out", "deadline", "did not respond", "dial tcp")
"""What the client's message contains when the server cannot be reached."""
NO_KEY = ("api key", "credentials", "401", "403", "permission")

_is_limited = False


@contextmanager
def wandb_client(action: str, hint: str) -> Iterator:
    """The wandb module; its errors come out as OSErrors that say what was tried and what to do instead.

    Args:
        action: What is tried, such as "Downloading walk".
        hint: What else the user can do; a sentence.

    Raises:
        ConnectionError: If the server cannot be reached.
        FileNotFoundError: If the server has no such thing.
        PermissionError: If there is no valid key.
        OSError: If the server refuses for another reason.
    """
    import requests
    import wandb

    with _limits(wandb):
        try:
            yield wandb
        except (wandb.Error, requests.RequestException, TimeoutError) as error:
            reason = " ".join(str(error).split()).rstrip(".") or type(error).__name__
            raise _explained(action, reason, hint) from None


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
    wandb.teardown()
    _is_limited = True
    try:
        yield
    finally:
        _is_limited = False
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
        wandb.teardown()


def _explained(action: str, reason: str, hint: str) -> OSError:
    lowered = reason.lower()
    if any(sign in lowered for sign in NO_NETWORK):
        server = os.environ.get("WANDB_BASE_URL", "https://api.wandb.ai")
        return ConnectionError(f"{action} failed: W&B at {server} cannot be reached ({reason}). {hint}")
    if any(sign in lowered for sign in NO_KEY):
        return PermissionError(f"{action} failed: {reason}. Set WANDB_API_KEY or run `wandb login`. {hint}")
    kind = FileNotFoundError if "not found" in lowered or "could not find" in lowered else OSError
    return kind(f"{action} failed: {reason}. {hint}")
