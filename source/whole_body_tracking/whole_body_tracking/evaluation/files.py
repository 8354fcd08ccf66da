"""Tables and JSON on disk."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path


def write_json(path: Path, content: dict) -> None:
    """Write JSON under a temporary name, then rename it."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    partial.write_text(json.dumps(content, indent=2) + "\n")
    os.replace(partial, path)


def write_table(path: Path, rows: list[dict]) -> None:
    """Write rows as CSV; what a row lacks stays empty."""
    names = dict.fromkeys(name for row in rows for name in row)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(names))
        writer.writeheader()
        writer.writerows(rows)
