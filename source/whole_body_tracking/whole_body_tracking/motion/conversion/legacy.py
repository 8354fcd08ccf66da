"""Clip files of BeyondMimic, mjlab and holosoma: find out by forward kinematics how they are laid out, and convert."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch

from whole_body_tracking.robots import RobotModel, get_robot

from ..clip import MotionClip
from ..geometry.kinematics import forward_kinematics
from ..geometry.rotations import quat_conjugate, quat_log, quat_mul
from ..npz import read_arrays
from .convert import convert
from .layouts import FOREIGN_KEYS, layout_names
from .readers import UNIT_TOLERANCE, RawMotion

POSITION_TOLERANCE = 1e-3
"""Largest distance between a stored body and where the stored joints put it [m]."""
ROTATION_TOLERANCE = 1e-2
"""Largest angle between a stored body and where the stored joints turn it [rad]; a hand 0.1 m away moves by 1 mm."""
NUM_PROBE_FRAMES = 64
"""Frames on which the candidates compete; the winner is checked on all."""
TO_XYZW = {"wxyz": [1, 2, 3, 0], "xyzw": [0, 1, 2, 3]}
ROOT_COLUMNS = 7
"""Root position and quaternion, which holosoma stores in front of the joints."""


@dataclass(frozen=True)
class LegacyLayout:
    """What the columns of a file mean."""

    name: str
    """``beyondmimic`` (breadth first), ``mjlab`` (depth first), ``holosoma`` (root in front of the joints) or
    ``named`` (any other file with names); followed by ``-xyzw`` if quaternions are not w first."""
    joint_names: tuple[str, ...]
    body_names: tuple[str, ...]
    """Names of the stored bodies, which may be more than the robot's."""
    quat_order: str
    num_root_columns: int
    """Columns of ``joint_pos`` before the first joint."""


@dataclass(frozen=True, eq=False)
class LayoutFit:
    """How well a file agrees with itself under one layout."""

    layout: LegacyLayout
    robot: RobotModel
    position_error: np.ndarray
    """Distance between stored and computed bodies [m], shape [num_frames, num_bodies], in the robot's order."""
    rotation_error: np.ndarray
    """Angle between stored and computed bodies [rad], shape [num_frames, num_bodies]."""

    @property
    def score(self) -> float:
        """Mean error, in tolerances: what decides between layouts."""
        return float(self.position_error.mean() / POSITION_TOLERANCE + self.rotation_error.mean() / ROTATION_TOLERANCE)

    @cached_property
    def misfits(self) -> list[int]:
        """Indices of the bodies that are off by more than a tolerance in some frame."""
        far = self.position_error.max(0) > POSITION_TOLERANCE
        turned = self.rotation_error.max(0) > ROTATION_TOLERANCE
        return np.flatnonzero(far | turned).tolist()

    def describe_misfits(self) -> str:
        """The error of every body that is off, in the order of the kinematic tree."""
        return ", ".join(
            f"{self.robot.body_names[body]} {1e3 * self.position_error[:, body].max():.1f} mm"
            f" {np.degrees(self.rotation_error[:, body].max()):.1f} deg"
            for body in self.misfits
        )

    def first_misfits(self) -> list[str]:
        """The bodies that are off although their parents are not: where the difference comes from."""
        parents = self.robot.parent_idx
        return [self.robot.body_names[body] for body in self.misfits if int(parents[body]) not in self.misfits]


def load_legacy(path: str | Path, robot: str | RobotModel = "g1") -> tuple[MotionClip, LayoutFit]:
    """Read a clip of another project at its own rate; body poses and all velocities are computed from its joints.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is no such clip, or its bodies are more than :data:`POSITION_TOLERANCE` or
            :data:`ROTATION_TOLERANCE` from where its joints put them under every layout.
    """
    path = Path(path)
    model = robot if isinstance(robot, RobotModel) else get_robot(robot)
    arrays = read_arrays(path)
    if "quat_order" in arrays:
        raise ValueError(f"{path} is already a clip of this project (it has 'quat_order'): use it as it is.")
    fit = detect_layout(arrays, path.name, model)
    _require_fit(fit, path.name)
    raw = _raw_motion(arrays, fit, path.name)
    return convert(raw, output_fps=raw.fps, robot=model), fit


def detect_layout(arrays: dict[str, np.ndarray], name: str, model: RobotModel) -> LayoutFit:
    """The layout under which the stored bodies are nearest to the forward kinematics of the stored joints.

    Args:
        arrays: Content of the file.
        name: What messages call the file.
        model: The robot that moves.

    Raises:
        ValueError: If arrays are missing, wrongly shaped or not finite, or the names lack joints or bodies.
    """
    _check_arrays(arrays, name)
    candidates = _candidates(arrays, name, model)
    num_frames = len(arrays["joint_pos"])
    probe = np.unique(np.linspace(0, num_frames - 1, NUM_PROBE_FRAMES).astype(int))
    best = min((_fit(arrays, layout, model, probe) for layout in candidates), key=lambda fit: fit.score)
    return _fit(arrays, best.layout, model, np.arange(num_frames))


def _candidates(arrays: dict[str, np.ndarray], name: str, model: RobotModel) -> list[LegacyLayout]:
    width, num_bodies = arrays["joint_pos"].shape[1], arrays["body_pos_w"].shape[1]
    root_columns = ROOT_COLUMNS if width == model.num_joints + ROOT_COLUMNS else 0
    if {"joint_names", "body_names"} <= arrays.keys():
        joints, bodies = (tuple(str(item) for item in arrays[key]) for key in ("joint_names", "body_names"))
        orders = {"holosoma" if root_columns else "named": (joints, bodies)}
    else:
        orders = layout_names(model)
    for joints, bodies in orders.values():
        _require_names(name, model, joints, bodies)
        if (width, num_bodies) != (root_columns + len(joints), len(bodies)):
            raise ValueError(
                f"{name} holds {width} joint and {num_bodies} body columns, expected {root_columns + len(joints)} and"
                f" {len(bodies)} for {model.name}. Convert the motion that it was made from with csv_to_npz.py."
            )
    return [
        LegacyLayout(layout if order == "wxyz" else f"{layout}-{order}", joints, bodies, order, root_columns)
        for layout, (joints, bodies) in orders.items()
        for order in TO_XYZW
    ]


def _require_names(name: str, model: RobotModel, joints: tuple[str, ...], bodies: tuple[str, ...]) -> None:
    for kind, wanted, stored in (("joints", model.joint_names, joints), ("bodies", model.body_names, bodies)):
        missing = [item for item in wanted if item not in stored]
        if missing:
            raise ValueError(f"{name} lacks the {kind} {missing} of {model.name}. Stored: {list(stored)}.")


def _fit(arrays: dict, layout: LegacyLayout, model: RobotModel, frames: np.ndarray) -> LayoutFit:
    joints = [layout.num_root_columns + layout.joint_names.index(joint) for joint in model.joint_names]
    bodies = [layout.body_names.index(body) for body in model.body_names]
    stored_pos = torch.as_tensor(arrays["body_pos_w"][frames][:, bodies], dtype=torch.float64)
    stored_quat = _unit(arrays["body_quat_w"][frames][:, bodies][..., TO_XYZW[layout.quat_order]])
    angles = torch.as_tensor(arrays["joint_pos"][frames][:, joints], dtype=torch.float64)
    root_pos, root_quat = _root_pose(arrays, layout, model)
    pos, quat = forward_kinematics(model, root_pos[frames], root_quat[frames], angles)
    turn = quat_log(quat_mul(stored_quat, quat_conjugate(quat))).norm(dim=-1)
    return LayoutFit(layout, model, (pos - stored_pos).norm(dim=-1).numpy(), turn.numpy())


def _root_pose(arrays: dict, layout: LegacyLayout, model: RobotModel) -> tuple[torch.Tensor, torch.Tensor]:
    """Root positions [m] and orientations (x, y, z, w): those in front of the joints, else those of the root body."""
    if layout.num_root_columns:
        pos, quat = arrays["joint_pos"][:, :3], arrays["joint_pos"][:, 3:ROOT_COLUMNS]
    else:
        root = layout.body_names.index(model.body_names[0])
        pos, quat = arrays["body_pos_w"][:, root], arrays["body_quat_w"][:, root]
    return torch.as_tensor(pos, dtype=torch.float64), _unit(quat[:, TO_XYZW[layout.quat_order]])


def _unit(quat: np.ndarray) -> torch.Tensor:
    return torch.nn.functional.normalize(torch.as_tensor(quat, dtype=torch.float64), dim=-1)


def _raw_motion(arrays: dict, fit: LayoutFit, name: str) -> RawMotion:
    layout = fit.layout
    root_pos, root_quat = _root_pose(arrays, layout, fit.robot)
    return RawMotion(
        fps=float(arrays["fps"].item()),
        root_pos=root_pos.numpy(),
        root_quat=root_quat.numpy(),
        joint_pos=arrays["joint_pos"][:, layout.num_root_columns :],
        joint_names=layout.joint_names,
        source={"file": name, "layout": layout.name},
    )


def _check_arrays(arrays: dict[str, np.ndarray], name: str) -> None:
    missing = [key for key in FOREIGN_KEYS if key not in arrays]
    if missing:
        raise ValueError(f"{name} is no motion clip: it lacks {missing}. Stored: {sorted(arrays)}.")
    if arrays["fps"].size != 1 or not float(arrays["fps"].item()) > 0:
        raise ValueError(f"{name}: expected one positive fps, got {arrays['fps']}.")
    shapes = {key: arrays[key].shape for key in FOREIGN_KEYS[1:]}
    num_frames, num_bodies = (*shapes["body_pos_w"], 0, 0)[:2]
    expected = {"body_pos_w": (num_frames, num_bodies, 3), "body_quat_w": (num_frames, num_bodies, 4)}
    expected["joint_pos"] = (num_frames, *shapes["joint_pos"][1:2])
    if shapes != expected or len(shapes["joint_pos"]) != 2 or num_frames < 2:
        raise ValueError(
            f"{name}: expected joint_pos [T, J], body_pos_w [T, B, 3] and body_quat_w [T, B, 4] with at least 2 frames,"
            f" got { ({key: list(shape) for key, shape in shapes.items()}) }."
        )
    for key in shapes:
        if not np.isfinite(arrays[key]).all():
            raise ValueError(f"{name}: {key} holds values that are not finite.")
    norm = np.linalg.norm(arrays["body_quat_w"], axis=-1)
    if np.abs(norm - 1.0).max() > UNIT_TOLERANCE:
        raise ValueError(f"{name}: body_quat_w is not unit: norms from {norm.min():.4g} to {norm.max():.4g}.")


def _require_fit(fit: LayoutFit, name: str) -> None:
    if not fit.misfits:
        return
    frame = int(fit.position_error.max(1).argmax())
    raise ValueError(
        f"{name} does not agree with itself: under '{fit.layout.name}', the best layout, bodies are up to"
        f" {1e3 * fit.position_error.max():.1f} mm and {np.degrees(fit.rotation_error.max()):.1f} deg from where the"
        f" joints put them (worst in frame {frame} of {len(fit.position_error)}), expected at most"
        f" {1e3 * POSITION_TOLERANCE:g} mm and {np.degrees(ROTATION_TOLERANCE):.1f} deg. It starts at"
        f" {fit.first_misfits()}; all: {fit.describe_misfits()}. Either the file was recorded with another model of"
        f" {fit.robot.name} (an older waist, for example) or it is damaged: convert the motion that it was made from"
        " with csv_to_npz.py."
    )
