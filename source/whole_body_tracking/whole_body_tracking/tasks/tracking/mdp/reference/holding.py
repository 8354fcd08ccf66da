"""A reference that stands still past its clip's end. No simulator."""

from __future__ import annotations

import dataclasses

from torch import Tensor

from whole_body_tracking.motion import MotionState


def at_rest(state: MotionState, is_held: Tensor) -> MotionState:
    """Reference states with zero velocities where a pose is held.

    A clip's last frame has the velocity that led to it. While the pose stays, keeping that velocity would ask the robot
    to stand still and to move at once.

    Args:
        state: Reference states, one per row.
        is_held: Whether each row's pose is held, shape [num].
    """
    still = is_held[:, None, None]
    return dataclasses.replace(
        state,
        joint_vel=state.joint_vel.masked_fill(is_held[:, None], 0.0),
        body_lin_vel_w=state.body_lin_vel_w.masked_fill(still, 0.0),
        body_ang_vel_w=state.body_ang_vel_w.masked_fill(still, 0.0),
    )
