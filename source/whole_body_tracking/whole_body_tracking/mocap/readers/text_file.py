"""The text of a mocap file, whatever program wrote it."""

from __future__ import annotations

import codecs
import math
from pathlib import Path

BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
"""First bytes of a file by encoding."""


def read_text(path: Path, kind: str) -> str:
    """Text of a file: UTF-8 or what its byte order mark says, otherwise Latin-1, which old exporters wrote names in.

    Args:
        path: The file.
        kind: What it should be, for messages, such as ``a BVH file``.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is empty or not a text.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path} {f'is a folder, not {kind}' if path.is_dir() else 'does not exist'}.")
    content = path.read_bytes()
    marked = next((name for mark, name in BYTE_ORDER_MARKS.items() if content.startswith(mark)), None)
    try:
        text = content.decode(marked or "utf-8")
    except UnicodeDecodeError:
        if marked:
            raise ValueError(f"{path.name} starts like {marked} text but is not: it is damaged.") from None
        text = content.decode("latin-1")
    if "\0" in text:
        raise ValueError(f"{path.name} is not a text file (it holds a zero byte), expected {kind}.")
    if not text.strip():
        raise ValueError(f"{path.name} is empty, expected {kind}.")
    return text


def number(token: str, where: str) -> float:
    """A finite number.

    Raises:
        ValueError: If the token is not one; the message starts with ``where``.
    """
    try:
        value = float(token)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or "_" in token:
        raise ValueError(f"{where}: '{token[:40]}' is not a finite number.")
    return value


def numbers(tokens: list[str], count: int, where: str) -> list[float]:
    """Exactly ``count`` finite numbers.

    Raises:
        ValueError: If there are more or fewer, or one is not a finite number.
    """
    if len(tokens) != count:
        raise ValueError(f"{where}: expected {count} numbers, found {len(tokens)}: {' '.join(tokens)[:60]!r}.")
    return [number(token, where) for token in tokens]
