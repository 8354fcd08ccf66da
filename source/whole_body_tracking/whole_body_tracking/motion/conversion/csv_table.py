"""Reading a table of numbers from a text file; only when fast parsing fails, it is diagnosed cell by cell."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np


def read_number_table(path: Path, num_columns: int, layout: str) -> tuple[np.ndarray, bytes]:
    """Parse comma separated numbers. Blank lines are skipped and not counted.

    Args:
        path: The file.
        num_columns: Columns that every row must have.
        layout: What the columns are, for messages.

    Returns:
        The numbers, shape [num_rows, num_columns], and the file's bytes.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is empty or not text, or a row has other columns or a cell that is not a number.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path} {'is a folder, not a CSV file' if path.is_dir() else 'does not exist'}.")
    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path.name} is not a text file (byte {error.start} is not UTF-8), expected a CSV.") from None
    if not text.strip():
        raise ValueError(f"{path.name} is empty, expected rows of {num_columns} columns: {layout}.")
    try:
        table = np.loadtxt(io.StringIO(text), delimiter=",", ndmin=2, comments=None)
    except ValueError:
        table = None
    if table is None or table.shape[1] != num_columns:
        raise ValueError(_first_fault(path.name, text, num_columns, layout))
    return table, content


def _first_fault(name: str, text: str, num_columns: int, layout: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    for row, line in enumerate(lines, start=1):
        cells = line.split(",")
        if len(cells) != num_columns:
            return f"{name}: row {row} has {len(cells)} columns, expected {num_columns}: {layout}."
        for column, cell in enumerate(cells, start=1):
            if not _is_number(cell):
                hint = " Remove the header line." if row == 1 else ""
                return f"{name}: row {row}, column {column}: '{cell.strip()[:40]}' is not a number.{hint}"
    return f"{name} cannot be parsed as comma separated numbers, expected rows of {num_columns} columns: {layout}."


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell
