"""Nameless clip files of other projects: read on explicit request, never by guessing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from whole_body_tracking.robots import RobotModel, get_robot

from ..clip import MotionClip
from ..geometry.kinematics import forward_kinematics
from .readers import UNIT_TOLERANCE
from .resample import angular_velocity, linear_velocity

FOREIGN_KEYS = ("fps", "joint_pos", "body_pos_w", "body_quat_w")
POSITION_TOLERANCE = 0.05
"""Median distance between stored and computed bodies above which the names cannot be right [m]."""


def layout_names(robot: RobotModel) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    """Joint and body names by layout. All layouts store quaternions w first."""
    return {
        "beyondmimic": (robot.joint_names_breadth_first, robot.body_names_breadth_first),
        "mjlab": (robot.joint_names, robot.body_names),
    }


def nameless_message(path: Path) -> str:
    """What to tell a user whose file carries no names."""
    return (
        f"{path} carries no joint_names and body_names, so nobody can tell which column is which joint. If BeyondMimic"
        f" made it (Isaac Lab 2: breadth-first, w-first), rewrite it with `csv_to_npz.py --input_file {path}"
        f" --layout beyondmimic --output_file NEW.npz`; if mjlab made it (depth-first, w-first), with `--layout mjlab`."
        " In Python: MotionClip.load(path, layout=...)."
    )


def clip_from_foreign_arrays(
    arrays: dict[str, np.ndarray], layout: str, path: Path, robot: str | RobotModel = "g1"
) -> MotionClip:
    """Build a clip from a nameless file, in the robot's own order, with velocities recomputed from the poses.

    Raises:
        ValueError: If the layout is unknown, arrays are missing or shaped otherwise, or the stored bodies are not
            where the stored joints would put them under this layout.
    """
    model = robot if isinstance(robot, RobotModel) else get_robot(robot)
    layouts = layout_names(model)
    if layout not in layouts:
        raise ValueError(f"Unknown layout '{layout}'. Known layouts: {sorted(layouts)}.")
    missing = [key for key in FOREIGN_KEYS if key not in arrays]
    if missing:
        raise ValueError(f"{path.name} is no clip of layout '{layout}': it lacks {missing}. Stored: {sorted(arrays)}.")
    _check_shapes(arrays, layout, path, model)
    errors = {name: _median_error(arrays, model, *names) for name, names in layouts.items()}
    if not errors[layout] < POSITION_TOLERANCE:
        raise ValueError(
            f"{path.name} does not fit layout '{layout}' of {model.name}: bodies are {errors[layout]:.3f} m (median)"
            f" from where the joints put them, expected below {POSITION_TOLERANCE} m. Other layouts: "
            + ", ".join(f"{name} {error:.3f} m" for name, error in errors.items() if name != layout)
        )
    return _build(arrays, layout, path, model, *layouts[layout])


def _check_shapes(arrays: dict[str, np.ndarray], layout: str, path: Path, model: RobotModel) -> None:
    num = len(arrays["joint_pos"])
    for key, shape in (
        ("joint_pos", (num, model.num_joints)),
        ("body_pos_w", (num, model.num_bodies, 3)),
        ("body_quat_w", (num, model.num_bodies, 4)),
    ):
        if arrays[key].shape != shape:
            raise ValueError(
                f"{path.name}: {key} has shape {list(arrays[key].shape)}, but layout '{layout}' of {model.name} has"
                f" {list(shape)}."
            )
        if not np.isfinite(arrays[key]).all():
            raise ValueError(f"{path.name}: {key} holds values that are not finite.")
    if arrays["fps"].size != 1 or num < 2:
        raise ValueError(f"{path.name}: expected one fps and two frames or more, got {arrays['fps']} and {num}.")
    norm = np.linalg.norm(arrays["body_quat_w"], axis=-1)
    if np.abs(norm - 1.0).max() > UNIT_TOLERANCE:
        raise ValueError(f"{path.name}: body_quat_w is not unit: norms from {norm.min():.4g} to {norm.max():.4g}.")


def _median_error(arrays: dict, model: RobotModel, joint_names: tuple[str, ...], body_names: tuple[str, ...]) -> float:
    frames = np.linspace(0, len(arrays["joint_pos"]) - 1, 64).astype(int)
    joints = [joint_names.index(name) for name in model.joint_names]
    bodies = [body_names.index(name) for name in model.body_names]
    stored = torch.as_tensor(arrays["body_pos_w"][frames][:, bodies], dtype=torch.float64)
    quat = torch.as_tensor(arrays["body_quat_w"][frames][:, bodies[0]][:, [1, 2, 3, 0]], dtype=torch.float64)
    angles = torch.as_tensor(arrays["joint_pos"][frames][:, joints], dtype=torch.float64)
    computed, _ = forward_kinematics(model, stored[:, 0], quat, angles)
    return float((computed - stored).norm(dim=-1).max(dim=-1).values.median())


def _build(arrays: dict, layout: str, path: Path, model: RobotModel, joint_names, body_names) -> MotionClip:
    fps = float(arrays["fps"].item())
    joints = [joint_names.index(name) for name in model.joint_names]
    bodies = [body_names.index(name) for name in model.body_names]
    joint_pos = torch.as_tensor(arrays["joint_pos"][:, joints], dtype=torch.float64)
    body_pos = torch.as_tensor(arrays["body_pos_w"][:, bodies], dtype=torch.float64)
    body_quat = torch.as_tensor(arrays["body_quat_w"][:, bodies][..., [1, 2, 3, 0]], dtype=torch.float64)
    body_quat = body_quat / body_quat.norm(dim=-1, keepdim=True)
    return MotionClip(
        fps=fps,
        joint_names=model.joint_names,
        body_names=model.body_names,
        joint_pos=joint_pos.numpy(),
        joint_vel=linear_velocity(joint_pos, fps).numpy(),
        body_pos_w=body_pos.numpy(),
        body_quat_w=body_quat.numpy(),
        body_lin_vel_w=linear_velocity(body_pos, fps).numpy(),
        body_ang_vel_w=angular_velocity(body_quat, fps).numpy(),
        source={"file": path.name, "layout": layout},
        name=path.stem,
    )
