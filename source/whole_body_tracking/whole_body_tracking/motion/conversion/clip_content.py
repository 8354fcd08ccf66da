"""Content of the clip of a raw motion: resampling, forward kinematics, velocities."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import torch
from torch.nn.functional import normalize

from whole_body_tracking.robots import RobotModel

from ..channels import with_joints
from ..geometry.ground import sole_height_of_clip
from ..geometry.kinematics import forward_kinematics
from .readers import RawMotion
from .resample import angular_velocity, linear_velocity, resample


def clip_content(raw: RawMotion, output_fps: float, model: RobotModel, ground: bool = False) -> dict:
    """Fields of the :class:`~whole_body_tracking.motion.MotionClip` of a motion, by name.

    Args:
        raw: Root and joint positions.
        output_fps: Rate of the clip [Hz].
        model: The robot that moves.
        ground: Shift the clip vertically so that its lowest sole (2nd percentile over frames) touches z = 0.

    Raises:
        ValueError: If the motion's joints are not the robot's, or the rate leaves fewer than two frames.
    """
    _check_joints(raw, model)
    motion = resample(raw, output_fps)
    order = [motion.joint_names.index(name) for name in model.joint_names]
    joint_pos = torch.as_tensor(motion.joint_pos[:, order], dtype=torch.float64)
    root_pos = torch.as_tensor(motion.root_pos, dtype=torch.float64)
    root_quat = normalize(torch.as_tensor(motion.root_quat, dtype=torch.float64), dim=-1)
    body_pos, body_quat = forward_kinematics(model, root_pos, root_quat, joint_pos)
    shift = -sole_height_of_clip(model, body_pos, body_quat) if ground else 0.0
    body_pos[..., 2] += shift
    return {
        "fps": output_fps,
        "joint_names": model.joint_names,
        "body_names": model.body_names,
        "joint_pos": joint_pos.numpy(),
        "joint_vel": linear_velocity(joint_pos, output_fps).numpy(),
        "body_pos_w": body_pos.numpy(),
        "body_quat_w": body_quat.numpy(),
        "body_lin_vel_w": linear_velocity(body_pos, output_fps).numpy(),
        "body_ang_vel_w": angular_velocity(body_quat, output_fps).numpy(),
        "source": raw.source | {"robot": model.name, "ground_shift": shift, "tool": _tool()},
        "name": Path(raw.source.get("file", "clip")).stem,
        "channels": with_joints(motion.channels, motion.channel_declarations, order),
        "channel_declarations": motion.channel_declarations,
    }


def _tool() -> str:
    return f"whole-body-tracking {version('whole-body-tracking')}"


def _check_joints(raw: RawMotion, model: RobotModel) -> None:
    missing = [name for name in model.joint_names if name not in raw.joint_names]
    if missing:
        raise ValueError(
            f"The motion lacks the joints {missing} of {model.name}. It has: {list(raw.joint_names)}."
            " Read it with the robot that it was made for."
        )
