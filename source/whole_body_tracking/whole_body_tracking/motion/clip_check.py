"""Validity of a clip file: keys, shapes and values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from .channels import CHANNELS_KEY

FORMAT_VERSION = 1
ARRAYS = {
    "joint_pos": ("T", "J"),
    "joint_vel": ("T", "J"),
    "body_pos_w": ("T", "B", 3),
    "body_quat_w": ("T", "B", 4),
    "body_lin_vel_w": ("T", "B", 3),
    "body_ang_vel_w": ("T", "B", 3),
}
"""The arrays of a clip and their shapes: T frames, J joints, B bodies."""
HEADER = ("format_version", "fps", "joint_names", "body_names", "quat_order", "source")
"""Keys that describe a clip file."""
UNIT_TOLERANCE = 1e-3
"""Largest deviation of a stored quaternion's norm from 1."""


def check_header(arrays: dict[str, np.ndarray], path: Path) -> None:
    """Check names, keys, format version and quaternion order of a file.

    Raises:
        ValueError: If the file is not a clip, or one of another format or project.
    """
    if not {"joint_names", "body_names"} <= arrays.keys():
        raise ValueError(
            f"{path} has no joint_names and body_names, so nobody can tell which column is which joint. If"
            f" BeyondMimic made it (Isaac Lab 2: breadth-first, w-first), rewrite it with `csv_to_npz.py --input_file"
            f" {path} --layout beyondmimic --output_file NEW.npz`; if mjlab made it (depth-first, w-first), with"
            " `--layout mjlab`. In Python: MotionClip.load(path, layout=...)."
        )
    missing = [key for key in ("fps", *ARRAYS) if key not in arrays]
    if missing:
        raise ValueError(f"{path.name} is not a motion clip: it lacks {missing}. Stored: {sorted(arrays)}.")
    for key, num_dims in (("fps", 0), ("format_version", 0), ("joint_names", 1), ("body_names", 1)):
        if key in arrays and arrays[key].ndim != num_dims:
            raise ValueError(
                f"{path.name}: {key} has shape {list(arrays[key].shape)}, expected {num_dims} dimensions. Convert the"
                " motion again with csv_to_npz.py."
            )
    version = int(arrays.get("format_version", FORMAT_VERSION))
    if version > FORMAT_VERSION:
        raise ValueError(
            f"{path.name} has clip format {version}, but this version of the package reads up to {FORMAT_VERSION}."
            " Update the package, or convert the motion again."
        )
    order = str(arrays.get("quat_order", ""))
    if order != "xyzw":
        raise ValueError(
            f"{path.name} says quat_order '{order}', expected 'xyzw'. Convert the motion again with csv_to_npz.py."
        )


def check_extra_names(names: Sequence[str]) -> None:
    """Check that channels and other additional arrays leave the names of the format alone and have one name each.

    Raises:
        ValueError: If one does not.
    """
    taken = {*HEADER, *ARRAYS, CHANNELS_KEY}
    wrong = sorted({name for name in names if name in taken or names.count(name) > 1})
    if wrong:
        raise ValueError(
            f"A clip cannot carry channels or additional arrays called {wrong}: the names are taken. Rename them."
        )


def check_content(
    fps: float, joint_names: tuple[str, ...], body_names: tuple[str, ...], arrays: Mapping[str, np.ndarray]
) -> None:
    """Check a clip's rate, names and arrays.

    Raises:
        ValueError: If the rate is not positive, shapes do not agree, names repeat, values are not finite or
            quaternions are not unit.
    """
    check_layout(fps, joint_names, body_names, arrays)
    _check_values(arrays, body_names)


def check_layout(
    fps: float, joint_names: tuple[str, ...], body_names: tuple[str, ...], arrays: Mapping[str, np.ndarray]
) -> None:
    """Check everything but the values: rate, shapes and names.

    Raises:
        ValueError: If the rate is not positive, shapes do not agree or names repeat.
    """
    if not (np.isfinite(fps) and fps > 0):
        raise ValueError(f"fps is {fps}, expected a positive number.")
    _check_shapes({"J": len(joint_names), "B": len(body_names)}, arrays)
    for key, names in (("joint_names", joint_names), ("body_names", body_names)):
        if len(set(names)) != len(names):
            raise ValueError(f"{key} holds a name twice: {sorted({n for n in names if names.count(n) > 1})}.")


def _check_shapes(sizes: dict[str, int], arrays: Mapping[str, np.ndarray]) -> None:
    for key, shape in ARRAYS.items():
        found = arrays[key].shape
        sizes.setdefault("T", found[0] if found else 0)
        expected = tuple(sizes.get(size, size) for size in shape)
        if found != expected:
            raise ValueError(
                f"{key} has shape {list(found)}, expected {list(expected)}: {sizes['T']} frames, {sizes['J']} joint"
                f" names, {sizes['B']} body names."
            )
    if sizes["T"] < 2:
        raise ValueError(f"The clip has {sizes['T']} frame(s), expected at least 2.")


def _check_values(arrays: Mapping[str, np.ndarray], body_names: tuple[str, ...]) -> None:
    for key, values in arrays.items():
        bad = np.argwhere(~np.isfinite(values))
        if len(bad):
            raise ValueError(f"{key} holds {len(bad)} values that are not finite, the first in frame {bad[0][0]}.")
    norm = np.linalg.norm(arrays["body_quat_w"], axis=-1)
    worst = np.unravel_index(np.abs(norm - 1.0).argmax(), norm.shape)
    if abs(norm[worst] - 1.0) > UNIT_TOLERANCE:
        raise ValueError(
            f"body_quat_w is not unit: norm {norm[worst]:.4g} in frame {worst[0]}, body {body_names[worst[1]]}."
        )
