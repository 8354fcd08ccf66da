"""Per-frame arrays beside a clip, and the clip that they belong to: the only place that knows how they are stored."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from whole_body_tracking.export.files import write_atomically
from whole_body_tracking.motion import MotionClip
from whole_body_tracking.motion.npz import read_arrays

JOINT_TARGET = "joint_target"
"""Joint targets [rad] that the step to each frame holds, shape [num_frames, num_joints]."""
ROOT_RESIDUAL = "root_residual"
"""What neither motors nor ground can give, in body weights, shape [num_frames]."""
CONTACT_FORCE = "contact_force"
"""Force of the ground on each foot [N], shape [num_frames, num_feet, 3]."""
FEEDBACK_GAIN = "feedback_gain"
"""Change of the joint targets per deviation of the state, shape [num_frames, num_joints, 2 nv]."""
NAMES = (JOINT_TARGET, ROOT_RESIDUAL, CONTACT_FORCE, FEEDBACK_GAIN)

ORIGIN = "refinement"
"""Key of a refined clip's ``source`` that says which clip was refined, and how."""


def save_refined(
    path: Path, clip: MotionClip, channels: Mapping[str, np.ndarray], refined: MotionClip, method: str
) -> None:
    """Write joint targets and what belongs to them: an NPZ clip with all channels, or a plain .npy of the targets.

    Args:
        path: File to write, complete or not at all.
        clip: Motion to store: the refined clip, or the trajectory that the physics took instead of it.
        channels: Arrays of :data:`NAMES`, joints in the clip's order.
        refined: The clip that was refined, whose digest the file keeps.
        method: What made the targets.

    Raises:
        ValueError: If the name ends in neither .npz nor .npy.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".npy":
        return _save_array(path, channels[JOINT_TARGET])
    if path.suffix != ".npz":
        raise ValueError(f"{path} should end in .npz (clip with joint targets) or .npy (joint targets alone).")
    origin = {"clip": refined.name, "sha256": refined.digest, "method": method}
    clip = replace(clip, source=clip.source | {ORIGIN: origin})
    with tempfile.TemporaryDirectory() as folder:
        arrays = read_arrays(clip.save(Path(folder) / path.name))
    content = io.BytesIO()
    np.savez(content, **arrays, **channels)
    write_atomically(path, content.getvalue())


def read_channels(path: Path) -> dict[str, np.ndarray]:
    """Channels of a clip file by name; those that it lacks are missing.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is truncated, pickled or not an NPZ file.
    """
    return {name: value for name, value in read_arrays(path).items() if name in NAMES}


def read_joint_targets(path: Path, clip: MotionClip) -> np.ndarray:
    """Joint targets of a clip from a refined clip or a plain .npy file, shape [num_frames, num_joints].

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it holds no joint targets, has another shape, values that are not finite, or belongs to another
            clip.
    """
    if path.suffix == ".npy":
        targets = _load_array(path)
    else:
        refined, channels = MotionClip.load(path), read_channels(path)
        if JOINT_TARGET not in channels:
            raise ValueError(
                f"{path} has no `{JOINT_TARGET}`. Make it with scripts/refine_actions.py --motion_file {path.name}."
            )
        _require_same_clip(path, refined, clip)
        targets = channels[JOINT_TARGET]
    expected = (clip.num_frames, len(clip.joint_names))
    if targets.shape != expected:
        raise ValueError(
            f"{path}: the joint targets have shape {list(targets.shape)}, expected {list(expected)}: one row for each"
            f" frame of {clip.name} and one column for each of its joints."
        )
    if not np.isfinite(targets).all():
        raise ValueError(f"{path}: {np.count_nonzero(~np.isfinite(targets))} joint targets are not finite.")
    return targets


def _require_same_clip(path: Path, refined: MotionClip, clip: MotionClip) -> None:
    origin = refined.source.get(ORIGIN, {})
    known = {refined.digest, origin.get("sha256")}
    if clip.digest not in known and clip.source.get(ORIGIN, {}).get("sha256") not in known - {None}:
        raise ValueError(
            f"{path} was refined from {origin.get('clip', refined.name)} (SHA-256 {origin.get('sha256', '?')[:12]}),"
            f" not from {clip.name} ({clip.digest[:12]}). Refine {clip.name}, or pass the clip that it belongs to."
        )


def _save_array(path: Path, targets: np.ndarray) -> None:
    content = io.BytesIO()
    np.save(content, targets)
    write_atomically(path, content.getvalue())


def _load_array(path: Path) -> np.ndarray:
    if not path.is_file():
        raise FileNotFoundError(f"{path} does not exist.")
    try:
        targets = np.load(path, allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise ValueError(f"{path} is not an array that NumPy wrote ({error}).") from None
    return targets
