"""Errors of the tracking task. They live in :mod:`whole_body_tracking.motion`, where no simulator is needed."""

from whole_body_tracking.motion.tracking_errors import (
    BodyState,
    TrackingErrors,
    anchor_relative_targets,
    exp_kernel,
    projected_gravity_z,
    rotation_columns,
    squared_angle,
    squared_distance,
    tracking_errors,
    yaw_twist,
)

__all__ = [
    "BodyState",
    "TrackingErrors",
    "anchor_relative_targets",
    "exp_kernel",
    "projected_gravity_z",
    "rotation_columns",
    "squared_angle",
    "squared_distance",
    "tracking_errors",
    "yaw_twist",
]
