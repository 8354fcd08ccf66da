"""Names that a user gives, checked against those that exist."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def require_known(names: str | Iterable[str], known: Iterable[str], what: str) -> None:
    """Check that every name exists.

    Args:
        names: One name or several.
        known: Names that exist.
        what: What they name and where the user gave them, in the singular, for example ``scenario in --scenarios``.

    Raises:
        ValueError: If a name does not exist; the message lists those that do and the nearest of them.
    """
    given, known = [names] if isinstance(names, str) else list(names), list(known)
    unknown = [name for name in given if name not in known]
    if not unknown:
        return
    near = difflib.get_close_matches(str(unknown[0]), [str(name) for name in known], n=1)
    hint = f" Did you mean '{near[0]}'?" if near else ""
    listed = ", ".join(f"'{name}'" for name in unknown)
    raise ValueError(f"Unknown {what}: {listed}. Known: {', '.join(map(str, known)) or 'none'}.{hint}")
