"""The motion that a policy tracks: from its own file, or from a clip."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from whole_body_tracking.export.loader import OnnxPolicy
from whole_body_tracking.export.spec import PolicySpec
from whole_body_tracking.motion import MotionClip, RawMotion, convert
from whole_body_tracking.robots import ROBOTS, RobotModel


def robot_of(spec: PolicySpec) -> RobotModel:
    """The known robot that has a policy's joints and bodies.

    Raises:
        ValueError: If none has; the message lists the known robots.
    """
    for robot in ROBOTS.values():
        if set(robot.joint_names) == set(spec.joint_names) and set(spec.body_names) <= set(robot.body_names):
            return robot
    raise ValueError(
        f"No known robot has the policy's {len(spec.joint_names)} joints {list(spec.joint_names)} and its bodies"
        f" {list(spec.body_names)}. Known robots: {sorted(ROBOTS)}. Add its facts to robots/."
    )


def reference_of_policy(policy: OnnxPolicy) -> MotionClip:
    """The clip inside a policy's file: joints and tracked bodies in the order of its spec.

    Raises:
        ValueError: If the file holds no clip.
    """
    spec = policy.spec
    if not spec.reference_in_graph:
        names = [clip.name for clip in spec.clips]
        raise ValueError(f"The policy was exported without a clip. Pass one of {names} with --motion_file.")
    outputs = [policy.reference(frame) for frame in range(spec.clips[0].num_frames)]
    tables = {name: np.stack([output[name] for output in outputs]) for name in outputs[0]}
    tables["body_quat_w"] = np.roll(tables["body_quat_w"], -1, axis=-1)
    return MotionClip(
        fps=1.0 / spec.control_dt,
        joint_names=spec.joint_names,
        body_names=spec.body_names,
        source={"sha256": spec.clips[0].sha256},
        name=spec.clips[0].name,
        **tables,
    )


def reference_of_file(path: str | Path, spec: PolicySpec) -> MotionClip:
    """A clip file as a policy sees it: joints and tracked bodies in the order of its spec.

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
    )


def with_all_bodies(reference: MotionClip, robot: RobotModel) -> MotionClip:
    """The reference with every body of the robot, by forward kinematics from root and joints; for pictures."""
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
