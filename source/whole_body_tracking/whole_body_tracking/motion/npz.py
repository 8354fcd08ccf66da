"""NPZ files: reading ones that may be broken or hostile, and writing."""

from __future__ import annotations

import math
import zipfile
import zlib
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """All arrays of an NPZ file; pickled objects are refused, because loading them would run code.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is truncated, holds pickled objects, or is not an NPZ file at all.
    """
    with _explained(path), np.load(path, allow_pickle=False) as file:
        return {key: file[key] for key in file.files}


def read_shapes(path: Path, small: Collection[str]) -> dict[str, np.ndarray]:
    """Arrays of an NPZ file, of which only the small ones are read: the others have their shapes and no content.

    Args:
        path: The file.
        small: Names of the arrays to read.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is truncated, holds pickled objects, or is not an NPZ file at all.
    """
    with _explained(path), np.load(path, allow_pickle=False) as file:
        members = {
            info.filename.removesuffix(".npy"): info for info in file.zip.infolist() if info.filename.endswith(".npy")
        }
        arrays = {key: file[key] for key in small if key in file.files}
        for key in members.keys() - arrays.keys():
            arrays[key] = _without_content(file.zip, members[key])
        return arrays


def _without_content(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> np.ndarray:
    """An array of a member's shape that takes no memory, after a check of the member's size."""
    with archive.open(member) as file:
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = read(file)
        if dtype.hasobject:
            raise ValueError("Object arrays cannot be loaded when allow_pickle=False")  # numpy's words
        if file.tell() + math.prod(shape) * dtype.itemsize != member.file_size:
            raise EOFError(f"{member.filename} has {member.file_size} bytes, too few or too many for {list(shape)}")
        return np.broadcast_to(np.zeros((), dtype), shape)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn what goes wrong with an NPZ file into a message that says what to do."""
    if not path.is_file():
        raise FileNotFoundError(f"{path} {'is a folder, not a clip' if path.is_dir() else 'does not exist'}.")
    if not zipfile.is_zipfile(path):
        head = path.open("rb").read(4)
        kind = "is truncated" if head[:2] == b"PK" else "is not an NPZ file"
        raise ValueError(f"{path} {kind} ({path.stat().st_size} bytes). Convert or download it again.")
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError) as error:
        raise ValueError(f"{path} is truncated or damaged ({error}). Convert or download it again.") from None
    except ValueError as error:
        if "allow_pickle" in str(error):
            raise ValueError(
                f"{path} holds pickled Python objects, which could run code when loaded, so it is refused."
                " Store plain arrays of numbers and text instead (csv_to_npz.py does)."
            ) from None
        raise ValueError(f"{path} is damaged ({error}). Convert or download it again.") from None


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write an uncompressed NPZ file; unlike ``np.savez`` it takes every name, and refuses Python objects.

    Deflate would take 13 times as long and save 10 % (LAFAN1 walk1, 23 MB).

    Raises:
        ValueError: If an array holds Python objects.
    """
    with zipfile.ZipFile(path, "w") as archive:
        for name, values in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                np.lib.format.write_array(file, np.asanyarray(values), allow_pickle=False)
