"""The checksum at the end of Unitree's messages."""

from __future__ import annotations

import zlib

import numpy as np

_REVERSED_BYTES = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def checksum(message: np.ndarray) -> int:
    """CRC of a message without its last word, ``crc``.

    Polynomial 0x04C11DB7, start 0xFFFFFFFF, no reflection and no final inversion, over 32-bit words from their highest
    bit down. That is zlib's CRC-32 of the bit-reversed bytes of the big-endian words, inverted and reversed again.

    Args:
        message: Of one of the types in :mod:`.layout`, shape [].
    """
    words = np.frombuffer(message.tobytes()[:-4], "<u4").byteswap().tobytes()
    reflected = zlib.crc32(words.translate(_REVERSED_BYTES)) ^ 0xFFFFFFFF
    return int(f"{reflected:032b}"[::-1], 2)


def seal(message: np.ndarray) -> np.ndarray:
    """Write the checksum into a message and return it."""
    message["crc"] = checksum(message)
    return message


def is_sealed(message: np.ndarray) -> bool:
    """Whether a message's checksum is right."""
    return int(message["crc"]) == checksum(message)
