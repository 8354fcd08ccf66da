"""Skeleton motions as BVH files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from whole_body_tracking.files import write_atomically

from ..skeleton import END_SUFFIX, SkeletonMotion

AXES = "ZYX"
"""Order of the rotation channels."""


def write_bvh(motion: SkeletonMotion, path: str | Path) -> Path:
    """Write a motion in its own unit and axes; a file appears under its name only when complete.

    Joints without children whose name ends in ``_end`` become End Sites, other leaves get one of length zero.

    Raises:
        ValueError: If the name does not end in .bvh.
    """
    path = Path(path)
    if path.suffix.lower() != ".bvh":
        raise ValueError(f"{path} should end in .bvh.")
    path.parent.mkdir(parents=True, exist_ok=True)
    lines, order = ["HIERARCHY"], []
    _add_joint(motion, 0, 0, lines, order)
    euler = Rotation.from_quat(motion.local_quat.reshape(-1, 4)).as_euler(AXES, degrees=True)
    euler = euler.reshape(motion.num_frames, motion.num_joints, 3)[:, order].reshape(motion.num_frames, -1)
    table = np.concatenate((motion.root_pos, euler), axis=1)
    lines += ["MOTION", f"Frames: {motion.num_frames}", f"Frame Time: {1.0 / motion.fps:.9f}"]
    lines += [" ".join(f"{value:.8f}" for value in row) for row in table.tolist()]
    write_atomically(path, "\n".join(lines) + "\n")
    return path


def _add_joint(motion: SkeletonMotion, joint: int, depth: int, lines: list[str], order: list[int]) -> None:
    tab, name = "\t" * depth, motion.names[joint]
    offset = " ".join(f"{value:.8f}" for value in motion.offsets[joint])
    children = [child for child, parent in enumerate(motion.parents) if parent == joint]
    if depth and not children and name.endswith(END_SUFFIX):
        lines += [f"{tab}End Site", f"{tab}{{", f"{tab}\tOFFSET {offset}", f"{tab}}}"]
        return
    order.append(joint)
    rotations = " ".join(f"{axis}rotation" for axis in AXES)
    channels = f"3 {rotations}" if depth else f"6 Xposition Yposition Zposition {rotations}"
    lines += [f"{tab}{'JOINT' if depth else 'ROOT'} {name}", f"{tab}{{", f"{tab}\tOFFSET {offset}"]
    lines.append(f"{tab}\tCHANNELS {channels}")
    for child in children:
        _add_joint(motion, child, depth + 1, lines, order)
    if not children:
        lines += [f"{tab}\tEnd Site", f"{tab}\t{{", f"{tab}\t\tOFFSET 0 0 0", f"{tab}\t}}"]
    lines.append(f"{tab}}}")
