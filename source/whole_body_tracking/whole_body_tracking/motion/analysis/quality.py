"""Numbers about a clip that tell whether a robot can follow it."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import torch

from whole_body_tracking.robots import RobotModel, get_robot

from ..clip import MotionClip
from ..geometry.ground import foot_points, lowest_height
from ..geometry.kinematics import center_of_mass

CONTACT_HEIGHT = 0.02
"""A sole point below this height is in contact [m]."""
SKATE_HEIGHT = 0.01
"""A sole point below this height should not slide [m]; low enough to leave out a foot that swings over the ground."""
ROOT_JUMP_SPEED = 8.0
"""A root that moves faster than this between two frames has jumped [m/s]."""
ROOT_JUMP_TURN = 25.0
"""A root that turns faster than this between two frames has jumped [rad/s]."""
BALANCE_RATE = 10.0
"""Balance is evaluated this often [Hz]."""


@dataclass(frozen=True)
class QualityReport:
    """Numbers about one clip. Heights are above the plane z = 0."""

    name: str
    num_frames: int
    fps: float
    duration_s: float
    joint_limit_violations: int
    """Joint angles beyond the position limits, counted over frames and joints."""
    worst_limit_joint: str
    """Joint that is furthest beyond its limits, or closest to them when none is."""
    worst_limit_excess_rad: float
    """Distance beyond the limit; negative: the smallest margin left."""
    joint_speed_violations: int
    """Joint speeds above the motors' limits, counted over frames and joints."""
    worst_speed_joint: str
    worst_speed_ratio: float
    """Largest joint speed over its limit."""
    foot_skate_median_m_s: float
    """Median horizontal speed of the sole points below 1 cm."""
    foot_skate_p95_m_s: float
    """95th percentile of the same."""
    sole_penetration_max_m: float
    """Deepest sole below the ground, 0 if none."""
    body_penetration_max_m: float
    """Deepest collider of any body below the ground, 0 if none."""
    deepest_body: str
    lowest_sole_m: float
    """Height of the lowest sole point of the clip."""
    jumps: int
    """Frames to which the root moves faster than 8 m/s or turns faster than 25 rad/s."""
    max_root_speed_m_s: float
    max_root_turn_rad_s: float
    root_height_min_m: float
    root_height_max_m: float
    airtime_share: float
    """Share of frames in which no sole point is in contact."""
    balance_margin_min_m: float
    """Smallest distance of the centre of mass's projection from the border of the support polygon, over frames with
    contact; negative: outside. NaN without contact."""
    unbalanced_share: float
    """Share of frames with contact in which it is outside: large for anything that runs."""

    def as_dict(self) -> dict[str, float | int | str]:
        """The numbers as plain JSON values."""
        return asdict(self)

    def render(self) -> str:
        """A plain table for a terminal."""
        mm, share = 1000.0, 100.0
        rows = (
            ("duration", f"{self.duration_s:.2f} s, {self.num_frames} frames at {self.fps:g} fps"),
            (
                "joint limits",
                f"{self.joint_limit_violations} violations; {self.worst_limit_joint}"
                f" {self.worst_limit_excess_rad:+.3f} rad",
            ),
            (
                "joint speeds",
                f"{self.joint_speed_violations} violations; {self.worst_speed_joint} at"
                f" {share * self.worst_speed_ratio:.0f} % of its limit",
            ),
            ("foot skate", f"median {self.foot_skate_median_m_s:.3f}, 95 % below {self.foot_skate_p95_m_s:.3f} m/s"),
            ("lowest sole", f"{mm * self.lowest_sole_m:+.1f} mm"),
            (
                "penetration",
                f"soles {mm * self.sole_penetration_max_m:.1f} mm, any body {mm * self.body_penetration_max_m:.1f} mm"
                f" ({self.deepest_body})",
            ),
            (
                "jumps",
                f"{self.jumps}; root at most {self.max_root_speed_m_s:.2f} m/s, {self.max_root_turn_rad_s:.1f} rad/s",
            ),
            ("root height", f"{self.root_height_min_m:.3f} to {self.root_height_max_m:.3f} m"),
            ("in the air", f"{share * self.airtime_share:.1f} % of the frames"),
            (
                "static balance",
                f"worst margin {mm * self.balance_margin_min_m:+.0f} mm, outside in"
                f" {share * self.unbalanced_share:.0f} % of the frames with contact",
            ),
        )
        return "\n".join([self.name, *(f"  {label:<15} {text}" for label, text in rows)])


def quality_report(clip: MotionClip, robot: str | RobotModel = "g1") -> QualityReport:
    """Measure a clip.

    Raises:
        ValueError: If the clip is not of this robot.
    """
    model = robot if isinstance(robot, RobotModel) else get_robot(robot)
    clip.require_robot(model)
    return QualityReport(
        name=clip.name,
        num_frames=clip.num_frames,
        fps=clip.fps,
        duration_s=clip.duration,
        **_joints(clip, model),
        **_root(clip),
        **_ground(clip, model),
    )


def _joints(clip: MotionClip, model: RobotModel) -> dict:
    order = clip.joint_indices(model.joint_names)
    lower, upper = model.joint_pos_limits.astype(np.float32).T
    pos = clip.joint_pos[:, order]
    excess = np.maximum(lower - pos, pos - upper).max(0)
    ratio = np.abs(clip.joint_vel[:, order]) / model.velocity_limit.astype(np.float32)
    worst_limit, worst_speed = int(excess.argmax()), int(ratio.max(0).argmax())
    return {
        "joint_limit_violations": int(((pos < lower - 1e-4) | (pos > upper + 1e-4)).sum()),
        "worst_limit_joint": model.joint_names[worst_limit],
        "worst_limit_excess_rad": float(excess[worst_limit]),
        "joint_speed_violations": int((ratio > 1.0).sum()),
        "worst_speed_joint": model.joint_names[worst_speed],
        "worst_speed_ratio": float(ratio.max()),
    }


def _root(clip: MotionClip) -> dict:
    pos, quat = clip.body_pos_w[:, 0].astype(np.float64), clip.body_quat_w[:, 0].astype(np.float64)
    speed = np.linalg.norm(np.diff(pos, axis=0), axis=-1) * clip.fps
    chord = np.minimum(np.linalg.norm(quat[1:] - quat[:-1], axis=-1), np.linalg.norm(quat[1:] + quat[:-1], axis=-1))
    turn = 4.0 * np.arcsin(np.clip(chord / 2.0, 0.0, 1.0)) * clip.fps
    return {
        "jumps": int(((speed > ROOT_JUMP_SPEED) | (turn > ROOT_JUMP_TURN)).sum()),
        "max_root_speed_m_s": float(speed.max()),
        "max_root_turn_rad_s": float(turn.max()),
        "root_height_min_m": float(pos[:, 2].min()),
        "root_height_max_m": float(pos[:, 2].max()),
    }


def _ground(clip: MotionClip, model: RobotModel) -> dict:
    order = clip.body_indices(model.body_names)
    pos, quat = torch.from_numpy(clip.body_pos_w[:, order]), torch.from_numpy(clip.body_quat_w[:, order])
    soles = foot_points(model, pos, quat).flatten(1, 2)
    lowest = lowest_height(model, pos, quat).amin(0)
    contact = soles[..., 2] < CONTACT_HEIGHT
    step = (soles[1:, :, :2] - soles[:-1, :, :2]).norm(dim=-1) * clip.fps
    low = soles[..., 2] < SKATE_HEIGHT
    skate = step[low[1:] & low[:-1]].numpy()
    lowest_sole = float(soles[..., 2].min())
    deepest = int(lowest.argmin())
    return {
        "foot_skate_median_m_s": float(np.median(skate)) if len(skate) else 0.0,
        "foot_skate_p95_m_s": float(np.percentile(skate, 95)) if len(skate) else 0.0,
        "lowest_sole_m": lowest_sole,
        "sole_penetration_max_m": max(0.0, -lowest_sole),
        "body_penetration_max_m": max(0.0, -float(lowest[deepest])),
        "deepest_body": model.body_names[deepest],
        "airtime_share": float((~contact.any(-1)).float().mean()),
        **_balance(clip, model, pos, quat, soles, contact),
    }


def _balance(clip, model: RobotModel, pos, quat, soles, contact) -> dict:
    every = max(1, round(clip.fps / BALANCE_RATE))
    on_ground = contact[::every].any(-1)
    com = center_of_mass(model, pos[::every], quat[::every])[on_ground, :2]
    margin = support_margin(com, soles[::every][on_ground][..., :2], contact[::every][on_ground])
    return {
        "balance_margin_min_m": float(margin.min()) if len(margin) else float("nan"),
        "unbalanced_share": float((margin < 0.0).float().mean()) if len(margin) else 0.0,
    }


def support_margin(
    com: torch.Tensor, points: torch.Tensor, contact: torch.Tensor, num_directions: int = 64
) -> torch.Tensor:
    """Distance of the centre of mass from the border of the support polygon [m], negative outside, shape [batch].

    The polygon is the convex hull of the points in contact; its border is seen through its support function h:
    margin = min over directions d of h(d) - d . com, exact up to the number of directions.

    Args:
        com: Projection of the centre of mass [m], shape [batch, 2].
        points: Sole points [m], shape [batch, num_points, 2].
        contact: Whether each point carries, at least one per row, shape [batch, num_points].
        num_directions: Directions that are tried.
    """
    angle = torch.arange(num_directions, dtype=com.dtype) * (2.0 * torch.pi / num_directions)
    directions = torch.stack((angle.cos(), angle.sin()))
    reach = (points - com[:, None]) @ directions
    return reach.masked_fill(~contact[..., None], -torch.inf).amax(1).amin(-1)
