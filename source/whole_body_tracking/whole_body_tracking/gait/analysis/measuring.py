"""Gait parameters of a clip: per cycle, and their means over its walking windows."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import torch

from whole_body_tracking.motion import MotionClip
from whole_body_tracking.motion.analysis.quality import support_margin
from whole_body_tracking.robots import RobotModel

from ..dynamics import ground_reaction
from .contacts import LOW_POINT, Soles, Stance, find_stances, sole_motion
from .cycles import Window, walking_windows

SMOOTHING = 0.02
"""Standard deviation of the Gaussian over the momentum before it is differentiated [s]: mocap is noisy."""


@dataclass(frozen=True)
class Cycle:
    """Numbers of one gait cycle, from a foot's touchdown to its next one. SI units, cadence in steps per minute."""

    start: float
    """[s]"""
    end: float
    """[s]"""
    speed: float
    """Way of the pelvis along the heading over time, backwards negative [m/s]."""
    lateral_speed: float
    """Way of the pelvis to the left of the heading over time [m/s]."""
    cadence: float
    """Steps per minute."""
    stride_length: float
    """Way from one place of a foot to its next along the heading, along the arc in a turn [m]."""
    step_width: float
    """Distance of the feet across the heading [m]."""
    clearance: float
    """Greatest height of the lowest point of a sole in its swing [m], mean of both feet."""
    double_support: float
    """Share of the cycle in which both feet stand."""
    pelvis_height: float
    """Mean height of the root [m]."""
    pelvis_rise: float
    """Highest minus lowest root [m]."""
    pelvis_sway: float
    """Way of the root to the side, from left to right, beside its mean path [m]."""
    pelvis_yaw: float
    """Half the range of the root's turn about the heading [rad]."""
    torso_pitch: float
    """Mean lean of the torso forwards [rad]."""
    arm_swing: float
    """Range of the shoulder pitch joints, mean of both arms [rad]."""
    turn_rate: float
    """To the left positive [rad/s]."""
    asymmetry: float
    """Difference of the two steps' lengths and durations over their means; the larger of both."""
    slip: float
    """Longest way of a low sole point during a stance [m]."""
    penetration: float
    """Deepest sole below z = 0 [m]."""
    zmp_inside: float
    """Share of frames whose zero-moment point is within the soles that stand."""


USUAL_STANCE = 0.6
"""[s]"""
MEASURES = tuple(item.name for item in fields(Cycle) if item.name not in ("start", "end"))
"""Names of the numbers of a cycle."""
LARGEST = ("slip", "penetration")
"""Numbers of which a clip keeps the largest; of the others the mean, weighted by time."""


@dataclass(frozen=True)
class GaitReport:
    """Gait parameters of one clip."""

    name: str
    duration: float
    """[s]"""
    windows: list[tuple[float, float]]
    """First and last touchdown of each stretch of walking [s]."""
    num_steps: int
    cycles: list[Cycle]

    @property
    def walking(self) -> float:
        """Time in walking windows [s]."""
        return sum(end - start for start, end in self.windows)

    def mean(self, name: str) -> float:
        """A number of the clip; NaN without a cycle."""
        values = np.array([getattr(cycle, name) for cycle in self.cycles])
        if not len(values):
            return float("nan")
        if name == "cadence":
            return 60.0 * self.num_steps / self.walking
        if name in LARGEST:
            return float(values.max())
        return float(np.average(values, weights=[cycle.end - cycle.start for cycle in self.cycles]))

    def spread(self, name: str) -> float:
        """Standard deviation of a number over the cycles."""
        return float(np.std([getattr(cycle, name) for cycle in self.cycles])) if self.cycles else float("nan")

    def as_json(self) -> dict:
        """Plain JSON values; null for a number of a clip without walking."""
        numbers = {name: self.mean(name) if self.cycles else None for name in MEASURES}
        return {
            "name": self.name,
            "duration": self.duration,
            "walking": self.walking,
            "num_steps": self.num_steps,
            "num_cycles": len(self.cycles),
            "windows": [list(window) for window in self.windows],
            **numbers,
        }


def measure_gait(clip: MotionClip, robot: RobotModel) -> GaitReport:
    """Find the walking windows of a clip and measure every gait cycle in them.

    Args:
        clip: Recorded, planned, predicted or played by a policy.
        robot: Whose clip it is.

    Raises:
        ValueError: If the clip is not of this robot, or the robot does not have two feet.
    """
    clip.require_robot(robot)
    if len(robot.foot_body_names) != 2:
        raise ValueError(f"Gait is measured of robots with two feet; {robot.name} has {len(robot.foot_body_names)}.")
    soles = sole_motion(clip, robot)
    stances = find_stances(soles)
    windows = walking_windows(stances)
    body = _BodyMotion.of(clip, robot, soles, stances)
    cycles = [
        _measure(body, soles, stances, triple) for window in windows for triple in _whole_cycles(window, clip.duration)
    ]
    return GaitReport(
        name=clip.name,
        duration=clip.duration,
        windows=[(window.start, window.end) for window in windows],
        num_steps=sum(window.num_steps for window in windows),
        cycles=cycles,
    )


def _whole_cycles(window: Window, duration: float) -> list[tuple[Stance, Stance, Stance]]:
    return [triple for triple in window.cycles() if triple[2].start <= duration]


@dataclass(frozen=True)
class _BodyMotion:
    """Series of a clip that cycles are cut from."""

    fps: float
    root_pos: np.ndarray
    root_yaw: np.ndarray
    torso_forward: np.ndarray
    """Direction of the torso's x axis, shape [num_frames, 3]."""
    shoulders: np.ndarray
    """Shoulder pitch [rad], shape [num_frames, num_arms]."""
    zmp_inside: np.ndarray

    @classmethod
    def of(cls, clip: MotionClip, robot: RobotModel, soles: Soles, stances: list[Stance]) -> _BodyMotion:
        order = clip.body_indices(robot.body_names)
        pos, quat = (torch.from_numpy(a[:, order]).double() for a in (clip.body_pos_w, clip.body_quat_w))
        x, y, z, w = quat[:, robot.body_names.index(robot.anchor_body_name)].numpy().T
        rx, ry, rz, rw = quat[:, 0].numpy().T
        shoulders = [name for name in robot.joint_names if "shoulder_pitch" in name]
        reaction = ground_reaction(robot, pos, quat, clip.fps, SMOOTHING * clip.fps)
        return cls(
            fps=clip.fps,
            root_pos=pos[:, 0].numpy(),
            root_yaw=np.unwrap(np.arctan2(2.0 * (rw * rz + rx * ry), 1.0 - 2.0 * (ry * ry + rz * rz))),
            torso_forward=np.stack((1.0 - 2.0 * (y * y + z * z), 2.0 * (x * y + w * z), 2.0 * (x * z - w * y)), -1),
            shoulders=clip.joint_pos[:, clip.joint_indices(shoulders)].astype(np.float64),
            zmp_inside=zmp_inside(reaction.zmp, soles, stances),
        )


def zmp_inside(zmp: np.ndarray, soles: Soles, stances: list[Stance]) -> np.ndarray:
    """Whether the zero-moment point is in the convex hull of the low points of the standing soles [num_frames]."""
    time = np.arange(len(zmp)) / soles.fps
    stands = np.zeros(soles.height.shape, dtype=bool)
    for stance in stances:
        stands[:, stance.foot] |= (time >= stance.start - 0.5 / soles.fps) & (time <= stance.end + 0.5 / soles.fps)
    low = stands[..., None] & (soles.points_w[..., 2] < soles.floor + LOW_POINT)
    low = low.reshape(len(zmp), -1)
    known = np.isfinite(zmp).all(-1) & low.any(-1)
    inside = np.zeros(len(zmp), dtype=bool)
    points = torch.from_numpy(soles.points_w[..., :2].reshape(len(zmp), -1, 2))
    if known.any():
        margin = support_margin(torch.from_numpy(zmp[known]), points[known], torch.from_numpy(low[known]))
        inside[known] = (margin > 0.0).numpy()
    return inside


def _measure(body: _BodyMotion, soles: Soles, stances: list[Stance], triple: tuple[Stance, Stance, Stance]) -> Cycle:
    start, end = triple[0].start, triple[2].start
    time = np.arange(len(body.root_pos)) / body.fps
    frames = (time >= start) & (time <= end)
    turned = np.interp(end, time, body.root_yaw) - np.interp(start, time, body.root_yaw)
    turn_rate = float(turned / (end - start))
    heading = body.root_yaw[frames].mean() + turn_rate * (time - 0.5 * (start + end))
    own = [stance for stance in stances if stance.start < end and stance.end > start]
    return Cycle(
        start=start,
        end=end,
        cadence=120.0 / (end - start),
        turn_rate=turn_rate,
        double_support=_double_support(own, start, end),
        slip=max(stance.slip for stance in own),
        penetration=max(0.0, -float(soles.height[frames].min())),
        zmp_inside=float(body.zmp_inside[frames].mean()),
        **_step_numbers(triple, own, heading, time),
        **_root_numbers(body, heading, time, (start, end)),
        **_posture_numbers(body, heading, frames),
    )


def _step_numbers(triple: tuple[Stance, Stance, Stance], own: list[Stance], heading, time) -> dict[str, float]:
    first, second, third = triple
    (one, across), (other, back) = (_placed(a, b, heading, time) for a, b in ((first, second), (second, third)))
    swings = [s.clearance for s in own if np.isfinite(s.clearance) and first.start <= s.end <= third.start]
    return {
        "stride_length": one + other,
        "step_width": 0.5 * abs(back - across),  # what a walk to the side adds to one step it takes from the next
        "clearance": float(np.mean(swings)) if swings else float("nan"),
        "asymmetry": max(_difference(one, other), _difference(second.start - first.start, third.start - second.start)),
    }


def _root_numbers(body: _BodyMotion, heading: np.ndarray, time: np.ndarray, span: tuple[float, float]) -> dict:
    forward = np.stack((np.cos(heading), np.sin(heading)), -1)
    left = np.stack((-np.sin(heading), np.cos(heading)), -1)
    frames, moving = (time >= span[0]) & (time <= span[1]), _in_cycle(time, *span)
    velocity = np.gradient(body.root_pos[:, :2], 1.0 / body.fps, axis=0)
    begin = body.root_pos[np.flatnonzero(frames)[0], :2]
    sideways = _beside_mean_path(((body.root_pos[:, :2] - begin) * left).sum(-1)[frames])
    return {
        "speed": float(np.average((velocity * forward).sum(-1), weights=moving)),
        "lateral_speed": float(np.average((velocity * left).sum(-1), weights=moving)),
        "pelvis_height": float(np.average(body.root_pos[:, 2], weights=moving)),
        "pelvis_rise": float(np.ptp(body.root_pos[frames, 2])),
        "pelvis_sway": float(np.ptp(sideways)),
        "pelvis_yaw": float(np.ptp(body.root_yaw[frames] - heading[frames])) / 2.0,
    }


def _posture_numbers(body: _BodyMotion, heading: np.ndarray, frames: np.ndarray) -> dict[str, float]:
    torso, forward = body.torso_forward[frames], np.stack((np.cos(heading), np.sin(heading)), -1)[frames]
    lean = -np.arctan2(torso[:, 2], (torso[:, :2] * forward).sum(-1))
    arms = np.ptp(body.shoulders[frames], axis=0)
    return {"torso_pitch": float(lean.mean()), "arm_swing": float(arms.mean()) if arms.size else float("nan")}


def _in_cycle(time: np.ndarray, start: float, end: float) -> np.ndarray:
    """Share of each frame's time, half a frame before it to half a frame after it, that is within the cycle."""
    dt = time[1] - time[0]
    return np.clip(np.minimum(time + 0.5 * dt, end) - np.maximum(time - 0.5 * dt, start), 0.0, None)


def _placed(one: Stance, other: Stance, heading: np.ndarray, time: np.ndarray) -> tuple[float, float]:
    """Way from one place to the next along and across the heading midway between the middles of both stances [m].

    The way along is that of the arc which has the places' distance as its chord.
    """
    # Heading is a straight line over time, which np.interp would hold at the clip's ends.
    rate = (heading[-1] - heading[0]) / (time[-1] - time[0])
    begin, end = (heading[0] + rate * (_middle(stance) - time[0]) for stance in (one, other))
    middle, half = 0.5 * (begin + end), 0.5 * (end - begin)
    way = other.place - one.place
    arc = half / np.sin(half) if abs(half) > 1e-6 else 1.0
    along = way[0] * np.cos(middle) + way[1] * np.sin(middle)
    return float(along * arc), float(way[1] * np.cos(middle) - way[0] * np.sin(middle))


def _middle(stance: Stance) -> float:
    """Time in the middle of a stance [s]; of one that the clip cuts off, as if it lasted 0.6 s."""
    return 0.5 * (stance.start + (stance.end if np.isfinite(stance.end) else stance.start + USUAL_STANCE))


def _beside_mean_path(sideways: np.ndarray) -> np.ndarray:
    """A series without its line."""
    clock = np.arange(len(sideways))
    return sideways - np.polyval(np.polyfit(clock, sideways, 1), clock)


def _double_support(stances: list[Stance], start: float, end: float) -> float:
    """Share of the time between two moments in which stances of both feet overlap."""
    both = 0.0
    for left in (s for s in stances if s.foot == 0):
        for right in (s for s in stances if s.foot == 1):
            both += max(0.0, min(left.end, right.end, end) - max(left.start, right.start, start))
    return both / (end - start)


def _difference(one: float, other: float) -> float:
    mean = 0.5 * (abs(one) + abs(other))
    return abs(one - other) / mean if mean > 0.02 else 0.0
