"""Start, error messages and exit status that all scripts share."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable, Iterable

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # read when torch is imported; else idle workers fight the physics

USER_ERRORS = (ValueError, OSError)
"""What a bad argument or file raises in this package (FileNotFoundError is an OSError). A KeyError is a bug."""


def run_script(main: Callable[[], int | None]) -> None:
    """Call ``main`` and exit with its return value, or with 1 and one line on stderr when an input was bad.

    Anything outside :data:`USER_ERRORS` is a bug and keeps its traceback; ``WBT_TRACEBACK=1`` in the environment
    keeps it for all errors.
    """
    warnings.showwarning = _show_warning
    try:
        status = main()
    except USER_ERRORS as error:
        if os.environ.get("WBT_TRACEBACK", "0") not in ("", "0"):
            raise
        sys.stdout.flush()
        print(f"error: {describe(error)}", file=sys.stderr)
        status = 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        status = 130
    sys.exit(status or 0)


def joined_values(argv: list[str], option: str) -> list[str]:
    """Arguments with an option before each of its values: ``--goals 2,0 -1,1`` is ``--goals=2,0 --goals=-1,1``.

    Alone, a value such as ``-1,1`` or ``-y`` would look like an option. The values end at the next long option.
    """
    joined: list[str] = []
    is_value = False
    for token in argv:
        if token.startswith("--"):
            is_value = token == option
        elif is_value:
            if joined[-1] == option:
                joined.pop()
            token = f"{option}={token}"
        joined.append(token)
    return joined


def given_options(names: Iterable[str], argv: list[str]) -> list[str]:
    """Those of some options that a command line names itself, also as ``--name=value`` or shortened."""
    words = {token.split("=")[0] for token in argv if token.startswith("--") and token != "--"}
    return [f"--{name}" for name in names if any(f"--{name}".startswith(word) for word in words)]


def require_not_given(names: Iterable[str], argv: list[str], reason: str) -> None:
    """Check that a command line names no option that would have no effect.

    Args:
        names: Of those options.
        argv: The command line.
        reason: Why they have none, as a sentence.

    Raises:
        ValueError: If it names one.
    """
    given = given_options(names, argv)
    if given:
        raise ValueError(f"{reason} Leave out {', '.join(given)}.")


def describe(error: BaseException) -> str:
    """Text of an error, or its name if it has none."""
    return str(error) or type(error).__name__


def _show_warning(message, category, filename, lineno, file=None, line=None) -> None:
    print(f"warning: {message}", file=file or sys.stderr)
