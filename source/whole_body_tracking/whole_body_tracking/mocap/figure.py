"""Which point of a robot is which part of a body, and how long its limbs are. Tables: ``mocap/tables/robots``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
import yaml
from torch import Tensor

from whole_body_tracking.motion.geometry.chain import Chain
from whole_body_tracking.motion.geometry.kinematics import forward_kinematics
from whole_body_tracking.motion.geometry.rotations import quat_rotate
from whole_body_tracking.robots import RobotModel

from .correspondence import TABLE_DIR
from .solver.self_collision import Capsules, robot_capsules
from .solver.soles import SolePoints, sole_points

ROBOT_TABLE_DIR = TABLE_DIR / "robots"

SIDES = ("left", "right")
POINTS = (
    *("pelvis", "head"),
    *(f"{s}_{p}" for s in SIDES for p in ("hip", "knee", "ankle", "heel", "toe", "shoulder", "elbow", "wrist", "hand")),
)
"""Landmarks that a robot's table places."""
FRAMES = ("pelvis", "chest", "left_foot", "right_foot")
"""Bodies whose orientation follows the person's."""


@dataclass(frozen=True)
class RobotFigure:
    """A robot seen as a human figure."""

    robot: RobotModel
    bodies: dict[str, str]
    """Body of each point in :data:`POINTS`."""
    points: dict[str, np.ndarray]
    """Position of each point in its body's frame [m], shape [3]."""
    frames: dict[str, str]
    """Body of each frame in :data:`FRAMES`."""

    @cached_property
    def rest(self) -> dict[str, Tensor]:
        """Points with the root at the origin and all joints in the default pose [m], shape [3]."""
        pos, quat = self._poses(torch.from_numpy(self.robot.default_joint_pos)[None])
        return {name: self.place(name, pos, quat)[0] for name in POINTS}

    @cached_property
    def chain(self) -> Chain:
        """Its tree of joints."""
        return Chain(self.robot)

    @cached_property
    def capsules(self) -> Capsules:
        """Its colliders as capsules."""
        return robot_capsules(self.robot)

    @cached_property
    def soles(self) -> SolePoints:
        """Its outermost points under the feet."""
        return sole_points(self.robot)

    def prepare(self) -> None:
        """Work out what every clip needs of the robot, so that the first one does not wait for it."""
        _ = self.rest, self.in_frame, self.chain, self.capsules, self.soles

    def place(self, name: str, body_pos: Tensor, body_quat: Tensor) -> Tensor:
        """World positions of a point [m], shape [batch, 3], from the poses of all bodies."""
        body = self.robot.body_names.index(self.bodies[name])
        return body_pos[:, body] + quat_rotate(body_quat[:, body], body_pos.new_tensor(self.points[name]))

    def length(self, upper: str, lower: str) -> float:
        """Distance between two neighbouring points of a limb [m]."""
        return float((self.rest[lower] - self.rest[upper]).norm())

    @property
    def leg_length(self) -> float:
        """Thigh and shank [m]."""
        return self.length("left_hip", "left_knee") + self.length("left_knee", "left_ankle")

    @cached_property
    def in_frame(self) -> dict[str, Tensor]:
        """Hips in the pelvis' frame, and shoulders and head in the chest's [m], shape [3]; ``chest`` is the chest's
        origin in the pelvis' frame. All joints are at zero."""
        pos, quat = self._poses(torch.zeros(1, self.robot.num_joints, dtype=torch.float64))
        chest = self.robot.body_names.index(self.frames["chest"])
        pelvis = self.robot.body_names.index(self.frames["pelvis"])
        hips = {f"{side}_hip": self.place(f"{side}_hip", pos, quat)[0] - pos[0, pelvis] for side in SIDES}
        upper = ("left_shoulder", "right_shoulder", "head")
        return (
            hips | {name: self.place(name, pos, quat)[0] - pos[0, chest] for name in upper} | {"chest": pos[0, chest]}
        )

    def _poses(self, joint_pos: Tensor) -> tuple[Tensor, Tensor]:
        root_pos = torch.zeros(1, 3, dtype=torch.float64)
        root_quat = torch.tensor([[0.0, 0.0, 0.0, 1.0]], dtype=torch.float64)
        return forward_kinematics(self.robot, root_pos, root_quat, joint_pos)


def robot_figure(robot: RobotModel, path: str | Path | None = None) -> RobotFigure:
    """Read a robot's table.

    Args:
        robot: The robot.
        path: YAML file; None takes the packaged one.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the table does not fit the robot; the message says what it needs.
    """
    packaged = sorted(file.stem for file in ROBOT_TABLE_DIR.glob("*.yaml"))
    path = Path(path) if path is not None else ROBOT_TABLE_DIR / f"{robot.name}.yaml"
    if not path.is_file():
        raise FileNotFoundError(
            f"No table says which body of {robot.name} is which part: {path.name} does not exist. Packaged robots:"
            f" {packaged}. Write one (docs/mocap.md) and pass it with --robot_table FILE."
        )
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is not a YAML file: {' '.join(str(error).split())[:200]}") from None
    points, frames = (_entries(content, key, wanted, path) for key, wanted in (("points", POINTS), ("frames", FRAMES)))
    rows = {name: row if isinstance(row, list) else [row] for name, row in points.items()}
    bad = [name for name, row in rows.items() if len(row) not in (1, 4) or not all(_is_number(v) for v in row[1:])]
    if bad:
        raise ValueError(f"{path}: the points {bad} should be written as [body] or [body, x, y, z].")
    used = {row[0] for row in rows.values()} | set(frames.values())
    unknown = sorted(str(name) for name in used if name not in robot.body_names)
    if unknown:
        raise ValueError(f"{path}: {robot.name} has no bodies {unknown}. It has: {list(robot.body_names)}.")
    places = {name: np.array(row[1:] or [0.0, 0.0, 0.0], dtype=np.float64) for name, row in rows.items()}
    return RobotFigure(robot, {name: row[0] for name, row in rows.items()}, places, dict(frames))


def _entries(content, key: str, wanted: tuple[str, ...], path: Path) -> dict:
    entries = content.get(key) if isinstance(content, Mapping) else None
    entries = entries if isinstance(entries, Mapping) else {}
    if set(entries) != set(wanted):
        missing, unknown = sorted(set(wanted) - set(entries)), sorted(map(str, set(entries) - set(wanted)))
        raise ValueError(f"{path}: `{key}` lacks {missing} and has unknown {unknown}. Expected: {list(wanted)}.")
    return dict(entries)


def _is_number(value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and np.isfinite(value)
