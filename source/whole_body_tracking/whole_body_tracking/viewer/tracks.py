"""Tracks to show: a robot's body poses over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from whole_body_tracking.names import require_known
from whole_body_tracking.robots import RobotModel


@dataclass(frozen=True)
class Track:
    """Body poses of one robot over time.

    Raises:
        ValueError: If shapes do not fit each other, a body is unknown to the robot, or a value is not finite.
    """

    name: str
    """What the view calls it, such as "policy" or "reference"."""
    robot: RobotModel
    body_names: Sequence[str]
    pos_w: np.ndarray
    """Body positions in the world frame [m], shape [num_frames, num_bodies, 3]."""
    quat_xyzw: np.ndarray
    """Body orientations in the world frame, shape [num_frames, num_bodies, 4]."""
    ghost: bool = False
    """Whether to draw it translucent, as a reference beside another track."""

    def __post_init__(self):
        frames, bodies = len(self.pos_w), len(self.body_names)
        if self.pos_w.shape != (frames, bodies, 3) or self.quat_xyzw.shape != (frames, bodies, 4) or frames == 0:
            raise ValueError(
                f"Track '{self.name}' names {bodies} bodies, so positions must have shape [frames, {bodies}, 3] and"
                f" quaternions [frames, {bodies}, 4]; found {list(self.pos_w.shape)} and {list(self.quat_xyzw.shape)}."
            )
        require_known(self.body_names, self.robot.body_names, f"body of {self.robot.name} in track '{self.name}'")
        bad = np.flatnonzero(~np.isfinite(self.pos_w).all((1, 2)) | ~np.isfinite(self.quat_xyzw).all((1, 2)))
        if bad.size:
            raise ValueError(f"Track '{self.name}' has values that are not finite, first in frame {bad[0]}.")

    @property
    def num_frames(self) -> int:
        return len(self.pos_w)

    def every(self, stride: int) -> Track:
        """Return the track with one frame in ``stride``."""
        return replace(self, pos_w=self.pos_w[::stride], quat_xyzw=self.quat_xyzw[::stride])

    def until(self, num_frames: int) -> Track:
        """Return the track's first frames."""
        return replace(self, pos_w=self.pos_w[:num_frames], quat_xyzw=self.quat_xyzw[:num_frames])
