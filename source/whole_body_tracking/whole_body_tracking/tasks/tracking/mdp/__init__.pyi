__all__ = [
    "ENCODER_POS",
    "ENCODER_VEL",
    "IMU_GYRO",
    "IMU_ORIENTATION",
    "MotionCommandCfg",
    "ResidualJointPositionActionCfg",
    "TrackingJointPositionActionCfg",
    "bad_anchor_ori",
    "bad_anchor_pos_xy",
    "bad_anchor_pos_z",
    "bad_body_pos_z",
    "body_tilt_exp",
    "base_ang_vel",
    "base_lin_vel",
    "clip_ended",
    "foot_contact_match",
    "foot_height_exp",
    "joint_pos_exp",
    "joint_pos_limits",
    "joint_power",
    "motion_anchor_ori_b",
    "motion_anchor_pos_b",
    "motion_one_hot",
    "preview_anchor_ori_b",
    "preview_anchor_pos_b",
    "preview_joint_pos",
    "randomize_joint_default_pos",
    "randomize_link_lengths",
    "robot_body_ori_b",
    "robot_body_pos_b",
    "root_height",
    "root_up_b",
    "spread_over_terrain",
    "state_not_finite",
    "tighten_tracking_std",
    "track_anchor_ori_exp",
    "track_anchor_pos_exp",
    "track_body_ang_vel_exp",
    "track_body_lin_vel_exp",
    "track_body_ori_exp",
    "track_body_pos_exp",
    "track_com_lin_vel_exp",
    "track_com_pos_exp",
]

from .actions_cfg import ResidualJointPositionActionCfg, TrackingJointPositionActionCfg
from .center_of_mass import track_com_lin_vel_exp, track_com_pos_exp
from .commands_cfg import MotionCommandCfg
from .events import randomize_joint_default_pos
from .link_lengths import randomize_link_lengths
from .observations import (
    base_ang_vel,
    base_lin_vel,
    motion_anchor_ori_b,
    motion_anchor_pos_b,
    motion_one_hot,
    preview_anchor_ori_b,
    preview_anchor_pos_b,
    preview_joint_pos,
    robot_body_ori_b,
    robot_body_pos_b,
    root_height,
    root_up_b,
)
from .reward_variants import body_tilt_exp, foot_contact_match, foot_height_exp, joint_pos_exp, joint_power
from .rewards import (
    joint_pos_limits,
    track_anchor_ori_exp,
    track_anchor_pos_exp,
    track_body_ang_vel_exp,
    track_body_lin_vel_exp,
    track_body_ori_exp,
    track_body_pos_exp,
)
from .sensor_noise_cfg import ENCODER_POS, ENCODER_VEL, IMU_GYRO, IMU_ORIENTATION
from .curriculums import tighten_tracking_std
from .reference.terrain import spread_over_terrain
from .terminations import (
    bad_anchor_ori,
    bad_anchor_pos_xy,
    bad_anchor_pos_z,
    bad_body_pos_z,
    clip_ended,
    state_not_finite,
)

from isaaclab.envs.mdp import *
