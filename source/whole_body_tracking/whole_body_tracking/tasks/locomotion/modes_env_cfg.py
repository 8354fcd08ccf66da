"""One policy with modes: it stands, walks and turns by command, and performs clips by name, as it is told."""

from __future__ import annotations

from typing import Any

from isaaclab.managers import ObservationTermCfg as ObsTerm
from isaaclab.managers import TerminationTermCfg as DoneTerm
from isaaclab.utils import configclass

from whole_body_tracking.locomotion.falls import FALL_HEIGHT, FALL_TILT
from whole_body_tracking.tasks.tracking.config_check import check_task_clips
from whole_body_tracking.tasks.tracking.tracking_env_cfg import MOTION, START_POSE_RANGE, VELOCITY_RANGE

from .mdp import mode_terms, scheduled_terms
from .mdp.mode_commands_cfg import ModeMotionCommandCfg, ModeVelocityCommandCfg
from .mode_check import check_modes
from .schedule_env_cfg import ScheduleRewardsCfg, ScheduleTerminationsCfg, scaled_start_noise
from .velocity_env_cfg import (
    CommandsCfg,
    CriticObservationsCfg,
    ObservationsCfg,
    PolicyObservationsCfg,
    VelocityEnvCfg,
)

REWARDS_WITHOUT_CLIP = {
    "velocity": mode_terms.track_lin_vel_xy_yaw_frame_exp,
    "turning_rate": mode_terms.track_ang_vel_z_world_exp,
    "heading": mode_terms.track_heading_exp,
    "foot_air_time": mode_terms.feet_air_time_positive_biped,
    "upright": mode_terms.flat_orientation_l2,
    "bouncing": mode_terms.lin_vel_z_l2,
    "rocking": mode_terms.ang_vel_xy_l2,
    "hip_deviation": mode_terms.joint_deviation_l1,
    "waist_deviation": mode_terms.joint_deviation_l1,
    "arm_deviation": mode_terms.joint_deviation_l1,
}
"""Rewards of the velocity task that count in modes without a clip; the others count in all."""


def _mode_velocity() -> ModeVelocityCommandCfg:
    """The velocity task's command, by its numbers; who stands is the mode's to say."""
    drawn = CommandsCfg().base_velocity
    values = {name: getattr(drawn, name) for name in type(drawn).__dataclass_fields__ if name != "class_type"}
    return ModeVelocityCommandCfg(**values | {"rel_standing_envs": 0.0})


@configclass
class ModesCommandsCfg:
    """The modes first: the velocity command reads them."""

    motion = ModeMotionCommandCfg(
        asset_name="robot",
        pose_range=scaled_start_noise(START_POSE_RANGE),
        velocity_range=scaled_start_noise(VELOCITY_RANGE),
        joint_position_range=(-0.02, 0.02),
        start_sampling="uniform",
        clip_end="hold",
    )
    base_velocity = _mode_velocity()


@configclass
class ModesPolicyObservationsCfg(PolicyObservationsCfg):
    """The velocity task's, the mode and the phase of its clip: 111 values for the G1 and four modes."""

    mode = ObsTerm(func=mode_terms.mode, params=MOTION)
    mode_phase = ObsTerm(func=mode_terms.mode_phase, params=MOTION)


@configclass
class ModesCriticObservationsCfg(CriticObservationsCfg):
    """The same, and the reference itself: 179 values for the G1 and four modes."""

    mode = ObsTerm(func=mode_terms.mode, params=MOTION)
    mode_phase = ObsTerm(func=mode_terms.mode_phase, params=MOTION)
    reference_joints = ObsTerm(func=scheduled_terms.reference_joints, params=MOTION)
    reference_anchor_pos_b = ObsTerm(func=scheduled_terms.motion_anchor_pos_b, params=MOTION)
    reference_anchor_ori_b = ObsTerm(func=scheduled_terms.motion_anchor_ori_b, params=MOTION)


@configclass
class ModesObservationsCfg(ObservationsCfg):
    """Observation groups by the names that the agent configuration uses."""

    policy: ModesPolicyObservationsCfg = ModesPolicyObservationsCfg()
    critic: ModesCriticObservationsCfg = ModesCriticObservationsCfg()


@configclass
class ModesRewardsCfg(ScheduleRewardsCfg):
    """The velocity task's, those of :data:`REWARDS_WITHOUT_CLIP` without a clip, and the six tracking kernels with."""

    def __post_init__(self):
        for name, func in REWARDS_WITHOUT_CLIP.items():
            getattr(self, name).func = func


@configclass
class ModesTerminationsCfg(ScheduleTerminationsCfg):
    """Time-outs, falls without a clip, and failures to track with one."""

    too_low = DoneTerm(func=mode_terms.root_height_below_minimum, params={"minimum_height": FALL_HEIGHT})
    tilted = DoneTerm(func=mode_terms.bad_orientation, params={"limit_angle": FALL_TILT})


@configclass
class ModesEnvCfg(VelocityEnvCfg):
    """The velocity task with modes, some of which perform clips."""

    commands: Any = ModesCommandsCfg()
    observations: Any = ModesObservationsCfg()
    rewards: Any = ModesRewardsCfg()
    terminations: Any = ModesTerminationsCfg()

    def play_mode(self):
        """As the velocity task: starts in the default pose, without noise."""
        super().play_mode()
        self.commands.motion.standing_starts = 1.0
        self.commands.motion.freeze_sampling = True

    def validate_config(self):
        """Refuse a wrong mode, clip or command range before the simulator starts."""
        check_modes(self.commands.motion)
        check_task_clips(self)
        super().validate_config()
