"""CDR encoding of messages: what goes over the wire between a header and the next message."""

from __future__ import annotations

import numpy as np

from .layout import LOW_COMMAND, LOW_STATE

HEADER = bytes((0, 1, 0, 0))
"""Encapsulation of plain CDR in little-endian order."""

_FIRST_MOTOR = {LOW_COMMAND: 2, LOW_STATE: 70}
"""Where the first motor's ``mode`` is in CDR, which aligns no structs: C puts it at the next multiple of four."""


def encode(message: np.ndarray) -> bytes:
    """Header and CDR of a message.

    Args:
        message: Of one of the types in :mod:`.layout`, shape [].
    """
    memory, gap = message.tobytes(), _FIRST_MOTOR[message.dtype]
    return HEADER + memory[:gap] + memory[gap + 2 : gap + 4] + memory[gap + 6 :]


def decode(data: bytes, dtype: np.dtype) -> np.ndarray:
    """The message in an encoding, shape [].

    Args:
        data: Header and CDR.
        dtype: Type of the message.

    Raises:
        ValueError: If the header or the length is not that of the type.
    """
    expected, gap = len(HEADER) + dtype.itemsize - 4, _FIRST_MOTOR[dtype]
    if len(data) != expected or data[:4] != HEADER:
        raise ValueError(
            f"Expected {expected} bytes that begin with {HEADER.hex()}, got {len(data)}: {data[:4].hex()}."
        )
    body = data[len(HEADER) :]
    memory = body[:gap] + bytes(2) + body[gap : gap + 2] + bytes(2) + body[gap + 2 :]
    return np.frombuffer(bytearray(memory), dtype).reshape(())
