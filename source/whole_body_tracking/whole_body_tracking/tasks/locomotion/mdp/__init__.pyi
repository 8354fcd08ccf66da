__all__ = [
    "ang_vel_xy_l2",
    "cost_of_transport",
    "feet_air_time_positive_biped",
    "feet_slide",
    "flat_orientation_l2",
    "joint_deviation_l1",
    "joint_jerk",
    "lin_vel_z_l2",
    "motion_prior",
    "score_prior",
    "start_from_prior",
    "state_not_finite",
    "track_ang_vel_z_world_exp",
    "track_heading_exp",
    "track_lin_vel_xy_yaw_frame_exp",
    "velocity_command",
]

from .observations import velocity_command
from .prior_rewards import motion_prior, score_prior
from .prior_starts import start_from_prior
from .rewards import (
    ang_vel_xy_l2,
    cost_of_transport,
    feet_air_time_positive_biped,
    feet_slide,
    flat_orientation_l2,
    joint_deviation_l1,
    joint_jerk,
    lin_vel_z_l2,
    track_ang_vel_z_world_exp,
    track_heading_exp,
    track_lin_vel_xy_yaw_frame_exp,
)
from .terminations import state_not_finite

from isaaclab.envs.mdp import *
