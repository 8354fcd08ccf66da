"""Recordings of walks, and what is measured on them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, fields

import numpy as np
import torch
from torch import Tensor

from whole_body_tracking.evaluation.metrics import effort
from whole_body_tracking.evaluation.recording import DIVERGED
from whole_body_tracking.locomotion import metrics
from whole_body_tracking.locomotion.command import VelocityCommand
from whole_body_tracking.locomotion.falls import has_fallen
from whole_body_tracking.locomotion.modes import Mode, ModeCommand
from whole_body_tracking.locomotion.pose_set import PoseSet
from whole_body_tracking.motion import MotionClip, RawMotion, convert
from whole_body_tracking.motion.geometry.rotations import quat_rotate
from whole_body_tracking.robots import RobotModel
from whole_body_tracking.tracking.errors import BodyState

from .clip_errors import r_mpkpe

SETTLE_TIME = 2.0
"""First part of a walk, in which the robot gets going and turns: velocity and heading are not judged in it [s]."""
WINDOW = 1.0
"""Time over which a velocity is averaged before it is compared with the command: about a stride [s]."""

DEFINITIONS = {
    "velocity_error": "Distance in m/s between the commanded velocity and that of the root in its heading frame,"
    f" averaged over {WINDOW:g} s; mean over the time from {SETTLE_TIME:g} s on until the fall.",
    "velocity_error_instant": "The same without averaging: the sway of every stride counts.",
    "heading_error": f"Angle in rad between the root's heading and the command, mean from {SETTLE_TIME:g} s on until"
    " the fall.",
    "falls_per_minute": "Falls over the minutes that all robots were up. Fallen: root below 0.5 m or tilted by more"
    " than 0.8 rad. A walk ends with its fall.",
    "cost_of_transport": "Energy, |torque * velocity| of all joints, over weight times the distance from start to end;"
    f" of walks of at least {SETTLE_TIME:g} s that ended at least 0.5 m away.",
    "slip": "Horizontal speed in m/s of the lowest point of each foot within 2 cm of the ground.",
    "jerk": "Root mean square over joints and steps of the joint jerk in rad/s^3, from joint velocities.",
    "pose_distance": "Root mean square over joints, in rad, of the distance to the nearest pose of the clips compared"
    " with; mean over steps until the fall.",
    "survived": "Share of walks without a fall.",
    "survived_s": "Time until the fall in s, mean over walks.",
}
"""Meaning of every metric."""
MODE_DEFINITIONS = {
    "r_mpkpe": "Distance in m between tracked bodies and those of the clip after re-anchoring the clip at the robot;"
    " mean over bodies and over steps until the clip's end or a fall, in modes that perform a clip.",
}
"""Meaning of metrics that policies with modes have beside the others. In a mode with a clip there is no velocity error
and no heading error, and fallen is: root 0.25 m below the clip's lowest or 0.8 rad beyond its largest tilt."""
OF_COMMANDS = ("velocity_error", "velocity_error_instant", "heading_error")
"""Metrics that a mode with a clip does not have."""
KEYS = (
    "velocity_error", "heading_error", "falls_per_minute", "cost_of_transport", "slip", "jerk", "pose_distance",
)  # fmt: skip
"""Metrics that every evaluation reports, null where none of its walks has one."""


@dataclass
class WalkRecording:
    """Trajectories of walks, shape [num_steps, num_rollouts, ...], at the end of each step, on the CPU."""

    bodies: BodyState
    """All bodies, relative to the origin of the env."""
    joint_pos: Tensor
    """[rad]"""
    joint_vel: Tensor
    """[rad/s]"""
    joint_torque: Tensor
    """[N m]"""
    commands: list[VelocityCommand]
    """One for each rollout."""
    body_names: list[str]
    joint_names: list[str]
    step_dt: float
    """Duration of a step [s]."""
    modes: list[Mode] = field(default_factory=list)
    """Mode of each rollout; empty for a policy without modes."""
    clips: dict[str, MotionClip] = field(default_factory=dict)
    """Clips of modes, by name, as far as they are known."""

    @property
    def fallen(self) -> Tensor:
        """Whether the robot lies, or its state is not one, shape [num_steps, num_rollouts]."""
        values = [getattr(self.bodies, field.name).flatten(2) for field in fields(self.bodies)]
        values += [self.joint_pos, self.joint_vel, self.joint_torque]
        diverged = ~torch.stack([(value.abs() < DIVERGED).all(-1) for value in values]).all(0)
        root = self.bodies.quat_w[:, :, 0]
        up = quat_rotate(root, torch.tensor([0.0, 0.0, 1.0]).expand(*root.shape[:-1], 3))
        height = self.bodies.pos_w[:, :, 0, 2]
        if not self.modes:
            return has_fallen(height, up[..., 2]) | diverged
        lowest, tilt = (torch.tensor([getattr(m, name) for m in self.modes]) for name in ("min_height", "max_tilt"))
        return has_fallen(height, up[..., 2], lowest, tilt.cos()) | diverged


def measure_walks(recording: WalkRecording, robot: RobotModel, poses: PoseSet) -> dict[str, Tensor]:
    """Metrics of every walk, each of shape [num_rollouts]; NaN where one does not exist.

    Args:
        recording: The walks.
        robot: Its feet and mass.
        poses: What to compare poses with.
    """
    running = metrics.running_until_fall(recording.fallen)
    settle, window = (round(time / recording.step_dt) for time in (SETTLE_TIME, WINDOW))
    command = torch.tensor([[one.vx, one.vy, one.heading] for one in recording.commands])
    heading = metrics.heading(recording.bodies.quat_w[:, :, 0])
    velocity = metrics.in_heading_frame(recording.bodies.lin_vel_w[:, :, 0], heading)
    power = effort.mean_power(recording.joint_torque.nan_to_num(), recording.joint_vel.nan_to_num(), running)
    root_pos = recording.bodies.pos_w[:, :, 0].nan_to_num()
    fell, survived_s = ~running.all(0), running.sum(0) * recording.step_dt
    has_clip = torch.tensor([mode.has_clip for mode in recording.modes] or [False] * len(fell))
    cost = effort.cost_of_transport(power, root_pos, running, robot.total_mass, recording.step_dt)
    measured = {
        "velocity_error": metrics.velocity_error(velocity, command[:, :2], running, window, settle),
        "velocity_error_instant": metrics.velocity_error(velocity, command[:, :2], running, 1, settle),
        "heading_error": metrics.heading_error(heading, command[:, 2], running, settle),
        "cost_of_transport": torch.where(survived_s >= SETTLE_TIME, cost, torch.nan),
        "slip": metrics.foot_slip(robot, recording.body_names, *_states(recording.bodies), running),
        "jerk": effort.joint_jerk(recording.joint_vel, running, recording.step_dt),
        "pose_distance": metrics.mean_pose_distance(
            recording.joint_pos, poses.ordered(recording.joint_names), running
        ),
        "fell": fell,
        "survived": ~fell,
        "survived_s": survived_s,
    }  # fmt: skip
    if not recording.modes:
        return measured
    measured |= {name: torch.where(has_clip, torch.nan, measured[name]) for name in OF_COMMANDS}
    names = [mode.name for mode in recording.modes]
    bodies = recording.bodies.pos_w, recording.bodies.quat_w
    return measured | {"r_mpkpe": r_mpkpe(*bodies, recording.body_names, names, recording.clips, running, robot)}


def summary(measured: dict[str, Tensor]) -> dict[str, float | int | None]:
    """Mean of every metric over the walks that have it, falls per minute, and the number of walks.

    Args:
        measured: From :func:`measure_walks`.
    """
    means = {name: float(values.double().nanmean()) for name, values in measured.items() if name != "fell"}
    means["falls_per_minute"] = metrics.falls_per_minute(measured["fell"], measured["survived_s"])
    finite = {name: value if math.isfinite(value) else None for name, value in means.items()}
    return {name: finite[name] for name in definitions_of(measured)} | {"num_rollouts": len(measured["fell"])}


def definitions_of(measured: dict[str, Tensor]) -> dict[str, str]:
    """Meaning of the metrics that there are."""
    return DEFINITIONS | {name: text for name, text in MODE_DEFINITIONS.items() if name in measured}


def mode_rows(measured: dict[str, Tensor], modes: Sequence[Mode]) -> list[dict]:
    """The :func:`summary` of the rollouts of each mode, with its name; empty for a policy without modes.

    Args:
        measured: From :func:`measure_walks`.
        modes: Mode of each rollout.
    """
    names = [mode.name for mode in modes]
    chosen = {name: [index for index, other in enumerate(names) if other == name] for name in dict.fromkeys(names)}
    return [
        {"mode": name} | summary({key: values[rows] for key, values in measured.items()})
        for name, rows in chosen.items()
    ]


def walk_rows(measured: dict[str, Tensor], commands: Sequence[VelocityCommand]) -> list[dict]:
    """Every metric of each walk with its command."""
    rows = []
    for index, command in enumerate(commands):
        row = {"mode": command.mode} if isinstance(command, ModeCommand) else {}
        row |= {"vx": command.vx, "vy": command.vy, "heading": command.heading}
        rows.append(row | {name: float(values[index]) for name, values in measured.items()})
    return rows


def median_walk(measured: dict[str, Tensor]) -> int:
    """Index of the walk in the middle, by the time until the fall, then by the velocity error."""
    order = sorted(
        range(len(measured["fell"])),
        key=lambda index: (
            -float(measured["survived_s"][index]),
            float(measured["velocity_error"][index].nan_to_num()),
        ),
    )
    return order[(len(order) - 1) // 2]


def walked_clip(recording: WalkRecording, index: int, robot: RobotModel) -> MotionClip | None:
    """One walk as a clip, what follows its fall included, until it diverged; None if that is less than two steps."""
    pos, quat = (value[:, index, 0].double().numpy() for value in (recording.bodies.pos_w, recording.bodies.quat_w))
    joints = recording.joint_pos[:, index].double().numpy()
    finite = np.isfinite(np.concatenate((pos, quat, joints), axis=-1)).all(-1)
    steps = int(finite.cumprod().sum())
    if steps < 2:
        return None
    raw = RawMotion(
        fps=1.0 / recording.step_dt,
        root_pos=pos[:steps],
        root_quat=quat[:steps] / np.linalg.norm(quat[:steps], axis=-1, keepdims=True),
        joint_pos=joints[:steps],
        joint_names=tuple(recording.joint_names),
        source={"played": True},
    )
    return convert(raw, output_fps=raw.fps, robot=robot.name)


def _states(bodies: BodyState) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    return bodies.pos_w, bodies.quat_w, bodies.lin_vel_w, bodies.ang_vel_w
