"""The progress table of a run: one row of key numbers per iteration."""

from __future__ import annotations

import csv
from pathlib import Path

from whole_body_tracking.files import write_atomically

PROGRESS_FILE = "progress.csv"


class ProgressTable:
    """``progress.csv`` of a run folder; its first column is the iteration."""

    def __init__(self, folder: Path):
        self.path = folder / PROGRESS_FILE

    def append(self, row: dict[str, float]) -> None:
        """Add a row, and the header before the first one; a table keeps the columns that it was begun with."""
        is_new = not self.path.exists()
        columns = list(row) if is_new else self._columns()
        with self.path.open("a", newline="") as file:
            writer = csv.DictWriter(file, fieldnames=columns, extrasaction="ignore")
            if is_new:
                writer.writeheader()
            writer.writerow(row)

    def rewind(self, iteration: int) -> None:
        """Drop rows from an iteration on: a killed run logs more than its last checkpoint holds."""
        if not self.path.exists():
            return
        header, *rows = self.path.read_text().splitlines(keepends=True) or [""]
        kept = [row for row in rows if row.endswith("\n") and int(row.split(",")[0]) < iteration]
        if not kept:
            self.path.unlink()  # perhaps without a complete header
            return
        write_atomically(self.path, "".join([header, *kept]))

    def _columns(self) -> list[str]:
        with self.path.open(newline="") as file:
            return next(csv.reader(file))
