"""What the tests of docs/ read: tables, code spans and the overrides in them."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from whole_body_tracking.rl.overrides import OVERRIDE

REPOSITORY = Path(__file__).parents[3]
DOCS = REPOSITORY / "docs"


def table_rows(text: str) -> list[list[str]]:
    """Cells of every table row, headers and rulers left out."""
    lines = text.splitlines()
    rulers = {index for index, line in enumerate(lines) if re.fullmatch(r"\|(\s*:?-+:?\s*\|)+", line)}
    kept = [line for i, line in enumerate(lines) if line.startswith("|") and not {i, i + 1} & rulers]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in kept]


def section(page: str, title: str) -> str:
    """Text below a heading, up to the next one of any level."""
    found = re.search(rf"^#+ {re.escape(title)}.*?\n(.*?)(?=^#|\Z)", (DOCS / page).read_text(), re.M | re.S)
    assert found, f"{page} has no heading '{title}'"
    return found.group(1)


def code_spans(text: str) -> list[str]:
    """Inline code of a page."""
    return re.findall(r"`([^`\n]+)`", text)


def override_spans(text: str) -> list[list[str]]:
    """Overrides that are to be typed together, one list per code span that has any."""
    spans = [
        [token for token in shlex.split(span) if OVERRIDE.match(token)] for span in code_spans(text) if "=" in span
    ]
    return [tokens for tokens in spans if tokens and not tokens[0].isupper() and tokens[0].split("=")[0].islower()]
