"""From tracking a reference to walking by command: one task whose reference fades out, phase by phase."""

from __future__ import annotations

from dataclasses import MISSING
from typing import Any

from isaaclab.managers import CurriculumTermCfg as CurrTerm
from isaaclab.managers import ObservationTermCfg as ObsTerm
from isaaclab.managers import RewardTermCfg as RewTerm
from isaaclab.managers import TerminationTermCfg as DoneTerm
from isaaclab.utils import configclass

from whole_body_tracking.tasks.tracking.config_check import check_task_clips
from whole_body_tracking.tasks.tracking.tracking_env_cfg import KERNELS, MOTION, START_POSE_RANGE, VELOCITY_RANGE
from whole_body_tracking.tracking.criteria import HEIGHT_THRESHOLD, TILT_THRESHOLD, Term

from .mdp import scheduled_terms as terms
from .mdp.scheduled_commands_cfg import GuidedVelocityCommandCfg, ScheduledMotionCommandCfg
from .velocity_env_cfg import (
    CommandsCfg,
    CriticObservationsCfg,
    ObservationsCfg,
    PolicyObservationsCfg,
    RewardsCfg,
    TerminationsCfg,
    VelocityEnvCfg,
)

REFERENCE_TERMS = ["reference_joints", "reference_anchor_pos_b", "reference_anchor_ori_b"]
"""Observations that show the reference."""
START_NOISE = 0.2
"""Share of the tracking task's start noise: with all of it every episode begins with a recovery step."""


def scaled_start_noise(ranges: dict[str, tuple[float, float]]) -> dict[str, tuple[float, float]]:
    """The tracking task's noise on starts times :data:`START_NOISE`."""
    return {axis: (START_NOISE * low, START_NOISE * high) for axis, (low, high) in ranges.items()}


def _guided_velocity() -> GuidedVelocityCommandCfg:
    """The velocity task's command, by its numbers."""
    drawn = CommandsCfg().base_velocity
    values = {name: getattr(drawn, name) for name in type(drawn).__dataclass_fields__ if name != "class_type"}
    return GuidedVelocityCommandCfg(**values)


@configclass
class ScheduleCommandsCfg:
    """The reference first: the velocity command reads it."""

    motion = ScheduledMotionCommandCfg(
        asset_name="robot",
        pose_range=scaled_start_noise(START_POSE_RANGE),
        velocity_range=scaled_start_noise(VELOCITY_RANGE),
        joint_position_range=(-0.02, 0.02),
        start_sampling="uniform",
        clip_end="loop",
        hidden_terms=REFERENCE_TERMS,
    )
    base_velocity = _guided_velocity()


@configclass
class SchedulePolicyObservationsCfg(PolicyObservationsCfg):
    """The velocity task's, followed by the reference: 166 values for the G1, 99 of which are exported in the end."""

    reference_joints = ObsTerm(func=terms.reference_joints, params=MOTION)
    reference_anchor_pos_b = ObsTerm(func=terms.motion_anchor_pos_b, params=MOTION | {"noise": 0.25})
    reference_anchor_ori_b = ObsTerm(func=terms.motion_anchor_ori_b, params=MOTION | {"noise": 0.05})


@configclass
class ScheduleCriticObservationsCfg(CriticObservationsCfg):
    """The velocity task's, the reference, and its weight: 168 values for the G1."""

    reference_joints = ObsTerm(func=terms.reference_joints, params=MOTION)
    reference_anchor_pos_b = ObsTerm(func=terms.motion_anchor_pos_b, params=MOTION)
    reference_anchor_ori_b = ObsTerm(func=terms.motion_anchor_ori_b, params=MOTION)
    guidance = ObsTerm(func=terms.guidance, params=MOTION)


@configclass
class ScheduleObservationsCfg(ObservationsCfg):
    """Observation groups by the names that the agent configuration uses."""

    policy: SchedulePolicyObservationsCfg = SchedulePolicyObservationsCfg()
    critic: ScheduleCriticObservationsCfg = ScheduleCriticObservationsCfg()


def _kernel(func, numbers: Term) -> RewTerm:
    return RewTerm(func=func, weight=numbers.weight, params=MOTION | numbers.params)


@configclass
class ScheduleRewardsCfg(RewardsCfg):
    """The velocity task's, and the six tracking kernels times the weight of the reference."""

    motion_global_anchor_pos = _kernel(terms.track_anchor_pos_exp, KERNELS.motion_global_anchor_pos)
    motion_global_anchor_ori = _kernel(terms.track_anchor_ori_exp, KERNELS.motion_global_anchor_ori)
    motion_body_pos = _kernel(terms.track_body_pos_exp, KERNELS.motion_body_pos)
    motion_body_ori = _kernel(terms.track_body_ori_exp, KERNELS.motion_body_ori)
    motion_body_lin_vel = _kernel(terms.track_body_lin_vel_exp, KERNELS.motion_body_lin_vel)
    motion_body_ang_vel = _kernel(terms.track_body_ang_vel_exp, KERNELS.motion_body_ang_vel)


@configclass
class ScheduleTerminationsCfg(TerminationsCfg):
    """Time-outs and falls, and in guided episodes failures to track."""

    anchor_pos = DoneTerm(func=terms.bad_anchor_pos_z, params=MOTION | {"threshold": HEIGHT_THRESHOLD})
    anchor_ori = DoneTerm(func=terms.bad_anchor_ori, params=MOTION | {"threshold": TILT_THRESHOLD})
    ee_body_pos = DoneTerm(
        func=terms.bad_body_pos_z, params=MOTION | {"threshold": HEIGHT_THRESHOLD, "body_names": MISSING}
    )


@configclass
class ScheduleCurriculumCfg:
    """The phase."""

    reference = CurrTerm(func=terms.reference_phase, params=MOTION)


@configclass
class ScheduleEnvCfg(VelocityEnvCfg):
    """The velocity task with a reference that fades out."""

    episode_length_s: float = 10.0
    commands: Any = ScheduleCommandsCfg()
    observations: Any = ScheduleObservationsCfg()
    rewards: Any = ScheduleRewardsCfg()
    terminations: Any = ScheduleTerminationsCfg()
    curriculum: ScheduleCurriculumCfg | None = ScheduleCurriculumCfg()

    def play_mode(self):
        """As the velocity task: no reference, starts in the default pose."""
        super().play_mode()
        self.curriculum = None
        motion = self.commands.motion
        motion.first_phase, motion.standing_starts = -1, 1.0
        motion.freeze_sampling = True

    def validate_config(self):
        """Refuse a wrong clip, phase or command range before the simulator starts."""
        from .mdp.scheduled_commands import phase_rules

        check_task_clips(self)
        phase_rules(self.commands.motion)
        super().validate_config()
