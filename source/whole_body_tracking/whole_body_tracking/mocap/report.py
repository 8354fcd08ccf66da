"""What a retargeting is worth, in numbers."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import torch
from rich.table import Table

from whole_body_tracking.motion import MotionClip
from whole_body_tracking.motion.analysis.quality import quality_report
from whole_body_tracking.motion.geometry.chain import BodyPoses, Chain, Poses

from .figure import SIDES, RobotFigure
from .solver.self_collision import find_overlaps
from .targets import Targets

GROUPS = {
    "hands": tuple(f"{side}_wrist" for side in SIDES),
    "feet": tuple(f"{side}_ankle" for side in SIDES),
    "head": ("head",),
}
"""Points whose tracking error is reported together."""
AT_LIMIT = 1e-3
"""A joint this near to the limit that the solver keeps has hit it [rad]."""


@dataclass(frozen=True)
class RetargetReport:
    """Numbers about one retargeted clip."""

    name: str
    num_frames: int
    fps: float
    seconds: float
    """Time from the read skeleton to the robot's poses [s]."""
    position_error_cm: dict[str, float]
    """Mean distance of the robot's wrists, ankles and head from the person's, scaled to the robot [cm]."""
    foot_skate: float
    """Median horizontal speed of the sole points below 1 cm [m/s]."""
    foot_skate_p95: float
    """95th percentile of the same [m/s]."""
    penetration_mm: float
    """Deepest collider of any body below the ground [mm]."""
    limit_hits: int
    """Joint angles at a limit, counted over frames and joints."""
    self_overlap_mm: float
    """Deepest overlap of two of the robot's capsules [mm]."""
    quality: object
    """The clip's :class:`~whole_body_tracking.motion.analysis.quality.QualityReport`."""

    @property
    def frames_per_s(self) -> float:
        """Frames of the clip per second of retargeting."""
        return self.num_frames / self.seconds

    def as_dict(self) -> dict:
        """The numbers that ``--json`` writes."""
        return {
            "frames_per_s": self.frames_per_s,
            "position_error_cm": dict(self.position_error_cm),
            "foot_skate": self.foot_skate,
            "penetration_mm": self.penetration_mm,
            "limit_hits": self.limit_hits,
        }


def measure(
    clip: MotionClip, poses: Poses, targets: Targets, figure: RobotFigure, limit_margin: float, seconds: float
) -> RetargetReport:
    """Measure a retargeted clip.

    Args:
        clip: The clip that is written.
        poses: Its poses.
        targets: What they should reach.
        figure: The robot.
        limit_margin: Distance that joints were to keep from their limits [rad].
        seconds: How long retargeting took.
    """
    chain = figure.chain
    bodies = chain.body_poses(poses)
    quality = quality_report(clip, figure.robot)
    lower, upper = figure.robot.joint_pos_limits.T
    joint_pos = poses.joint_pos.numpy()
    near = limit_margin + AT_LIMIT
    overlaps = find_overlaps(figure.capsules, bodies)
    return RetargetReport(
        name=clip.name,
        num_frames=clip.num_frames,
        fps=clip.fps,
        seconds=seconds,
        position_error_cm={group: _error_cm(chain, bodies, figure, targets, names) for group, names in GROUPS.items()},
        foot_skate=quality.foot_skate_median_m_s,
        foot_skate_p95=quality.foot_skate_p95_m_s,
        penetration_mm=1000.0 * quality.body_penetration_max_m,
        limit_hits=int(((joint_pos < lower + near) | (joint_pos > upper - near)).sum()),
        self_overlap_mm=1000.0 * float(overlaps.depth.max()) if len(overlaps.depth) else 0.0,
        quality=quality,
    )


def _error_cm(chain: Chain, bodies: BodyPoses, figure: RobotFigure, targets: Targets, names: tuple[str, ...]) -> float:
    body_idx = chain.body_indices([figure.bodies[name] for name in names])
    points = bodies.points(body_idx, torch.tensor(np.array([figure.points[name] for name in names])))
    wanted = torch.stack([targets.wanted[name] for name in names], dim=1)
    return 100.0 * float((points - wanted).norm(dim=-1).mean())


def report_table(reports: list[RetargetReport], title: str = "") -> Table:
    """One row per clip."""
    table = Table(title=title or None, title_justify="left")
    table.add_column("clip", overflow="fold")
    for column in (
        "frames",
        "frames/s",
        "hands cm",
        "feet cm",
        "head cm",
        "skate m/s",
        "95 %",
        "sunk mm",
        "overlap mm",
        "limit hits",
    ):
        table.add_column(column, justify="right")
    for each in reports:
        errors = [f"{each.position_error_cm[group]:.1f}" for group in GROUPS]
        skate = [f"{value:.3f}" for value in (each.foot_skate, each.foot_skate_p95)]
        depths = [f"{value:.1f}" for value in (each.penetration_mm, each.self_overlap_mm)]
        row = [each.name, str(each.num_frames), f"{each.frames_per_s:.0f}", *errors, *skate, *depths]
        table.add_row(*row, str(each.limit_hits))
    return table


def report_json(reports: list[RetargetReport], is_folder: bool) -> str:
    """What ``--json`` writes: the numbers of the clip; of a folder their means, worst and sums, and each clip's."""
    if not is_folder:
        return json.dumps(reports[0].as_dict(), indent=2) + "\n"
    frames = np.array([each.num_frames for each in reports], dtype=np.float64)
    share = frames / frames.sum()
    overall = {
        "frames_per_s": float(frames.sum() / sum(each.seconds for each in reports)),
        "position_error_cm": {
            group: float(share @ [each.position_error_cm[group] for each in reports]) for group in GROUPS
        },
        "foot_skate": float(share @ [each.foot_skate for each in reports]),
        "penetration_mm": max(each.penetration_mm for each in reports),
        "limit_hits": sum(each.limit_hits for each in reports),
        "clips": {each.name: each.as_dict() for each in reports},
    }
    return json.dumps(overall, indent=2) + "\n"
