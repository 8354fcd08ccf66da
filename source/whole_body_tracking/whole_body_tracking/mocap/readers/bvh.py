"""BVH (Biovision hierarchy) files.

A joint's rotation is the product of its channels in the order in which they are listed, each about an axis of the
already turned frame: ``Zrotation Yrotation Xrotation`` means R = Rz Ry Rx. Position channels replace a joint's offset.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from ..skeleton import SkeletonMotion
from .bvh_hierarchy import BvhJoint, parse_hierarchy
from .text_file import number, read_text

STRETCH = 0.02
"""Share of its length by which a bone may vary before a warning: bones are rigid here."""


def read_bvh(path: str | Path) -> SkeletonMotion:
    """Read a BVH file in its own unit and axes.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is not a complete BVH; the message says where and what was expected.
    """
    path = Path(path)
    text = read_text(path, "a BVH file")
    joints, motion_lines, first_line = parse_hierarchy(text, path.name)
    fps, table = _read_table(motion_lines, first_line, joints, path.name)
    local_quat = np.zeros((len(table), len(joints), 4))
    local_quat[..., 3] = 1.0
    offsets = np.array([joint.offset for joint in joints])
    root_pos, column = None, 0
    for index, joint in enumerate(joints):
        values = table[:, column : column + len(joint.channels)]
        column += len(joint.channels)
        rotations = [place for place, name in enumerate(joint.channels) if name.endswith("rotation")]
        if rotations:
            axes = "".join(joint.channels[place][0] for place in rotations)
            local_quat[:, index] = Rotation.from_euler(axes, values[:, rotations], degrees=True).as_quat()
        pos = _positions(joint, values)
        if index == 0:
            root_pos = pos
        elif pos is not None:
            offsets[index] = _rigid_offset(joint, pos, path.name)
    offsets[0] = 0.0
    names, parents = tuple(joint.name for joint in joints), tuple(joint.parent for joint in joints)
    return SkeletonMotion(fps, names, parents, offsets, _continuous(local_quat), root_pos)


def nearest_rate(frame_time: float) -> float:
    """Frames per second of a frame time [s], rounded to a whole number within 0.1 %: files say .0083333 or 0.033333."""
    fps = 1.0 / frame_time
    return float(round(fps)) if abs(fps - round(fps)) < 1e-3 * fps and round(fps) > 0 else fps


def _read_table(lines: list[str], first_line: int, joints: list[BvhJoint], name: str) -> tuple[float, np.ndarray]:
    """Rate, and the channels of all frames, shape [num_frames, num_channels]."""
    rows = [(place, line) for place, line in enumerate(lines, start=first_line) if line.strip()]
    if len(rows) < 2 or not rows[0][1].strip().lower().startswith("frames"):
        raise ValueError(f"{name}: after MOTION, expected the lines `Frames: N` and `Frame Time: SECONDS`.")
    num_frames = number(rows[0][1].replace(":", " ").split()[-1], f"{name}, line {rows[0][0]}, number of frames")
    if not rows[1][1].strip().lower().startswith("frame time"):
        raise ValueError(f"{name}, line {rows[1][0]}: expected `Frame Time: SECONDS`, found {rows[1][1].strip()!r}.")
    frame_time = number(rows[1][1].replace(":", " ").split()[-1], f"{name}, line {rows[1][0]}, frame time")
    if not 1e-4 <= frame_time <= 1.0:
        raise ValueError(f"{name}: the frame time is {frame_time:g} s, expected 0.0001 to 1 s (1 to 10,000 fps).")
    cells = [line.split() for _, line in rows[2:]]
    num_channels = sum(len(joint.channels) for joint in joints)
    for place, row in zip((place for place, _ in rows[2:]), cells, strict=True):
        if len(row) != num_channels:
            raise ValueError(
                f"{name}, line {place}: the frame has {len(row)} numbers, but the joints have {num_channels} channels."
                " The file is truncated or its CHANNELS are wrong."
            )
    if len(cells) != num_frames or num_frames < 2:
        raise ValueError(
            f"{name}: {num_frames:g} frames are announced and {len(cells)} are there, expected as many, at least 2."
            " The file is truncated or `Frames:` is wrong."
        )
    return nearest_rate(frame_time), _as_numbers(cells, [place for place, _ in rows[2:]], name)


def _as_numbers(cells: list[list[str]], places: list[int], name: str) -> np.ndarray:
    try:
        table = np.array(cells, dtype=np.float64)
        if np.isfinite(table).all():
            return table
    except ValueError:
        pass  # said with its place below
    for place, row in zip(places, cells, strict=True):
        for column, token in enumerate(row, start=1):
            number(token, f"{name}, line {place}, number {column}")
    raise ValueError(f"{name}: the frames cannot be read as numbers.")


def _positions(joint: BvhJoint, values: np.ndarray) -> np.ndarray | None:
    """Positions from a joint's channels, shape [num_frames, 3]; None without such channels."""
    places = {name[0]: place for place, name in enumerate(joint.channels) if name.endswith("position")}
    if not places:
        return None
    pos = np.tile(np.asarray(joint.offset, dtype=np.float64), (len(values), 1))
    for axis, place in places.items():
        pos[:, "XYZ".index(axis)] = values[:, place]
    return pos


def _rigid_offset(joint: BvhJoint, pos: np.ndarray, name: str) -> np.ndarray:
    """The offset of a joint whose file moves it: its median."""
    offset = np.median(pos, axis=0)
    varies = float(np.abs(pos - offset).max())
    if varies > STRETCH * max(float(np.linalg.norm(offset)), 1e-9):
        warnings.warn(
            f"{name}: the bone to '{joint.name}' changes its length by up to {varies:.3g} (file units) during the"
            " motion. Bones are rigid here: its median is used.",
            stacklevel=4,
        )
    return offset


def _continuous(quat: np.ndarray) -> np.ndarray:
    """Flip signs so that neighbours in time are on one side."""
    sign = np.where((quat[1:] * quat[:-1]).sum(-1) < 0.0, -1.0, 1.0)
    quat[1:] *= np.cumprod(sign, axis=0)[..., None]
    return quat
