"""Reference motion of a policy, read from the policy's file, from the clips beside it, or from a clip file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from whole_body_tracking.export.loader import OnnxPolicy
from whole_body_tracking.export.spec import PolicySpec
from whole_body_tracking.motion import MotionClip, RawMotion, convert
from whole_body_tracking.motion.channels import with_joints
from whole_body_tracking.refine.channels import JOINT_TARGET
from whole_body_tracking.refine.missing_targets import with_joint_targets
from whole_body_tracking.robots import RobotModel, all_robots, robot_names

IDENTITY_TERM = "motion_identity"


@dataclass(frozen=True)
class Reference:
    """A clip with the joints and bodies of a policy, and its one-hot id."""

    clip: MotionClip
    """Joints and tracked bodies in the order of the policy's spec; ``source`` holds the digest of the whole clip."""
    clip_id: np.ndarray
    """One-hot id among the policy's clips, shape [num_clips]."""


def robot_of(spec: PolicySpec) -> RobotModel:
    """Find the robot that has a policy's joints and bodies.

    Raises:
        ValueError: If none has; the message lists the known robots.
    """
    for robot in all_robots():
        if set(robot.joint_names) == set(spec.joint_names) and set(spec.body_names) <= set(robot.body_names):
            return robot
    raise ValueError(
        f"No known robot has the policy's {len(spec.joint_names)} joints {list(spec.joint_names)} and its bodies"
        f" {list(spec.body_names)}. Known robots: {robot_names()}. Register it:"
        " docs/other_robots.md."
    )


def reference_of_policy(policy: OnnxPolicy) -> MotionClip:
    """Read the clip inside a policy's file: joints and tracked bodies in the order of its spec.

    Raises:
        ValueError: If the file contains no clip.
    """
    spec = policy.spec
    outputs = [policy.reference(frame) for frame in range(spec.clips[0].num_frames)]
    tables = {name: np.stack([output[name] for output in outputs]) for name in outputs[0]}
    tables["body_quat_w"] = np.roll(tables["body_quat_w"], -1, axis=-1)
    channels = {name: tables.pop(name) for name in (JOINT_TARGET,) if name in tables}
    return MotionClip(
        fps=1.0 / spec.control_dt,
        joint_names=spec.joint_names,
        body_names=spec.body_names,
        source={"sha256": spec.clips[0].sha256},
        name=spec.clips[0].name,
        channels=channels,
        **tables,
    )


def references_of(
    policy: OnnxPolicy, names: Sequence[str] = (), motion_file: str | Path | None = None
) -> list[Reference]:
    """References that a policy is to track.

    Args:
        policy: The policy.
        names: Some of its own clips; none means all of them.
        motion_file: A clip from elsewhere instead.

    Raises:
        FileNotFoundError: If a file is gone.
        ValueError: If there is no such clip, a file holds another one, or both ways to choose are used.
    """
    spec = policy.spec
    if motion_file is not None:
        if names:
            raise ValueError("Choose with --motion among the policy's clips, or with --motion_file another file.")
        clip = reference_of_file(motion_file, spec)
        return [Reference(clip, clip_id_of(clip.source["sha256"], spec))]
    indices = [spec.clip_index(name) for name in names] or list(range(len(spec.clips)))
    if spec.reference_in_graph:
        return [Reference(reference_of_policy(policy), clip_id(0, spec))]
    _require_clips_beside(spec)
    return [Reference(as_seen(policy.clip(spec.clips[index].name), spec), clip_id(index, spec)) for index in indices]


def reference_of_file(path: str | Path, spec: PolicySpec) -> MotionClip:
    """Read a clip file: joints and tracked bodies in the order of the policy's spec.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it has another rate, lacks a joint or body, or the policy's file holds another clip that its
            actions are computed from.
    """
    clip = MotionClip.load(path)
    clip.require_fps(1.0 / spec.control_dt)
    trained = {known.sha256: known.name for known in spec.clips}
    if clip.digest not in trained and spec.reference_in_graph and spec.action_kind == "residual":
        raise ValueError(
            f"{path}: the policy's actions are about the clip in its own file, {list(trained.values())}, and this is"
            " another one. Leave --motion_file out, or train on this clip."
        )
    return as_seen(clip, spec)


def as_seen(clip: MotionClip, spec: PolicySpec) -> MotionClip:
    """Reorder a clip: joints and tracked bodies in the order of the spec; ``source`` keeps the digest.

    Raises:
        ValueError: If it has another rate than the policy's, or lacks a joint or body.
    """
    clip.require_fps(1.0 / spec.control_dt)
    if spec.action_kind == "residual" and spec.action_center == JOINT_TARGET:
        [clip] = with_joint_targets([clip], robot_of(spec))
    joints, bodies = clip.joint_indices(spec.joint_names), clip.body_indices(spec.body_names)
    return replace(
        clip,
        joint_names=spec.joint_names,
        body_names=spec.body_names,
        source={"sha256": clip.digest},
        joint_pos=clip.joint_pos[:, joints],
        joint_vel=clip.joint_vel[:, joints],
        body_pos_w=clip.body_pos_w[:, bodies],
        body_quat_w=clip.body_quat_w[:, bodies],
        body_lin_vel_w=clip.body_lin_vel_w[:, bodies],
        body_ang_vel_w=clip.body_ang_vel_w[:, bodies],
        channels=with_joints(clip.channels, clip.channel_declarations, joints),
        extras={},
    )


def clip_id(index: int, spec: PolicySpec) -> np.ndarray:
    """One-hot id of one of a policy's clips, shape [num_clips]."""
    return np.eye(len(spec.clips))[index]


def clip_id_of(sha256: str, spec: PolicySpec) -> np.ndarray:
    """One-hot id of the clip with a digest; zeros for one that is not among the policy's clips.

    Raises:
        ValueError: If there is none and the policy observes which clip it tracks.
    """
    for index, known in enumerate(spec.clips):
        if known.sha256 == sha256:
            return clip_id(index, spec)
    if any(term.name == IDENTITY_TERM for term in spec.observations):
        raise ValueError(
            "The policy observes which of its clips it tracks, and this file is not one of"
            f" {[known.name for known in spec.clips]}. Choose one of those with --motion."
        )
    return np.zeros(len(spec.clips))


def _require_clips_beside(spec: PolicySpec) -> None:
    if not spec.clips_folder:
        names = [clip.name for clip in spec.clips]
        raise ValueError(f"The policy was exported without a clip. Pass one of {names} with --motion_file.")


def with_all_bodies(reference: MotionClip, robot: RobotModel) -> MotionClip:
    """Add all bodies of the robot to a reference, by forward kinematics from root and joints; for drawing."""
    root = reference.body_indices(robot.body_names[:1])[0]
    quat = reference.body_quat_w[:, root].astype(np.float64)
    raw = RawMotion(
        fps=reference.fps,
        root_pos=reference.body_pos_w[:, root].astype(np.float64),
        root_quat=quat / np.linalg.norm(quat, axis=-1, keepdims=True),
        joint_pos=reference.joint_pos.astype(np.float64),
        joint_names=reference.joint_names,
        source=reference.source,
    )
    return replace(convert(raw, output_fps=reference.fps, robot=robot.name), name=reference.name)
