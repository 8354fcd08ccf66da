"""Conversion of a raw motion to a clip."""

from __future__ import annotations

from whole_body_tracking.robots import RobotModel, get_robot

from ..clip import MotionClip
from .clip_content import clip_content
from .readers import RawMotion


def convert(raw: RawMotion, output_fps: float = 50, robot: str | RobotModel = "g1", ground: bool = False) -> MotionClip:
    """Make a clip. All arithmetic is in float64, the result is stored in float32.

    Body velocities are central differences of the body poses (one-sided at the ends), as BeyondMimic takes them of the
    root and the joints; they agree with the stored poses, whatever the rate.

    Args:
        raw: Root and joint positions.
        output_fps: Rate of the clip, which must be the control rate of the task that uses it.
        robot: The robot that moves.
        ground: Shift the clip vertically so that its lowest sole (2nd percentile over frames) touches z = 0.

    Raises:
        ValueError: If the motion's joints are not the robot's, or the rate leaves fewer than two frames.
    """
    model = robot if isinstance(robot, RobotModel) else get_robot(robot)
    return MotionClip(**clip_content(raw, output_fps, model, ground))
