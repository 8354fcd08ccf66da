"""Tables and JSON on disk."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

from whole_body_tracking.export.files import write_atomically


def write_json(path: Path, content: dict) -> None:
    """Write JSON under a temporary name, then rename it."""
    write_atomically(path, json.dumps(content, indent=2) + "\n")


def write_table(path: Path, rows: list[dict]) -> None:
    """Write rows as CSV under a temporary name, then rename it; what a row lacks stays empty."""
    names = dict.fromkeys(name for row in rows for name in row)
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, fieldnames=list(names))
    writer.writeheader()
    writer.writerows(rows)
    write_atomically(path, text.getvalue())
