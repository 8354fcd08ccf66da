"""Joint targets and what belongs to them as channels of a clip, and plain arrays of targets."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from whole_body_tracking.files import write_atomically
from whole_body_tracking.motion import MotionClip
from whole_body_tracking.motion.channels import Channel, register_channel

JOINT_TARGET, ROOT_RESIDUAL, CONTACT_FORCES = "joint_target", "root_residual", "contact_forces"
FEEDBACK_GAIN = "feedback_gain"
register_channel(FEEDBACK_GAIN, Channel("none", any_speed=False, per_joint=True))
"""Change of the joint targets per deviation of the state, shape [num_frames, num_joints, 2 nv]."""

ORIGIN = "refinement"
"""Key of a refined clip's ``source`` that says which clip was refined, and how."""


def save_refined(
    path: Path, clip: MotionClip, channels: Mapping[str, np.ndarray], refined: MotionClip, method: str
) -> None:
    """Write joint targets and what belongs to them: an NPZ clip with all channels, or a plain .npy of the targets.

    Args:
        path: File to write, complete or not at all.
        clip: Motion to store: the refined clip, or the trajectory that the physics took instead of it.
        channels: Channels by name, joints in the clip's order.
        refined: The clip that was refined, whose digest the file keeps.
        method: What made the targets.

    Raises:
        ValueError: If the name ends in neither .npz nor .npy.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".npy":
        _save_array(path, channels[JOINT_TARGET])
        return
    if path.suffix != ".npz":
        raise ValueError(f"{path} should end in .npz (clip with joint targets) or .npy (joint targets alone).")
    origin = {"clip": refined.name, "sha256": refined.digest, "method": method}
    replace(clip, source=clip.source | {ORIGIN: origin}, channels=clip.channels | dict(channels)).save(path)


def read_joint_targets(path: Path, clip: MotionClip) -> np.ndarray:
    """Joint targets of a clip from a refined clip or a plain .npy file, shape [num_frames, num_joints].

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it holds no joint targets, has another shape, values that are not finite, or belongs to another
            clip.
    """
    if path.suffix == ".npy":
        return _checked(path, _load_array(path), clip)
    refined = MotionClip.load(path)
    if JOINT_TARGET not in refined.channels:
        raise ValueError(
            f"{path} has no channel `{JOINT_TARGET}`. Make it with scripts/refine_actions.py --motion_file {path.name}."
        )
    _require_same_clip(path, refined, clip)
    joints = refined.joint_indices(clip.joint_names)
    return _checked(path, refined.channels[JOINT_TARGET][:, joints], clip)


def _checked(path: Path, targets: np.ndarray, clip: MotionClip) -> np.ndarray:
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
