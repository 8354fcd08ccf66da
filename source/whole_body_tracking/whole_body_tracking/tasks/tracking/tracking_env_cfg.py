"""The tracking task without a robot: BeyondMimic's formulation (arXiv 2508.08241), every number in one place."""

from __future__ import annotations

from dataclasses import MISSING

import isaaclab.sim as sim_utils
import torch
from isaaclab.assets import ArticulationCfg, AssetBaseCfg
from isaaclab.envs import ManagerBasedRLEnvCfg
from isaaclab.managers import CurriculumTermCfg as CurrTerm
from isaaclab.managers import EventTermCfg as EventTerm
from isaaclab.managers import ObservationGroupCfg as ObsGroup
from isaaclab.managers import ObservationTermCfg as ObsTerm
from isaaclab.managers import RewardTermCfg as RewTerm
from isaaclab.managers import SceneEntityCfg
from isaaclab.managers import TerminationTermCfg as DoneTerm
from isaaclab.scene import InteractiveSceneCfg
from isaaclab.sensors import ContactSensorCfg
from isaaclab.sim import SimulationCfg
from isaaclab.terrains import TerrainImporterCfg
from isaaclab.utils import configclass
from isaaclab.utils.noise import UniformNoiseCfg as Unoise
from isaaclab_tasks.utils import PresetCfg, preset

from whole_body_tracking.actuation.stable_pd_cfg import check_engine
from whole_body_tracking.physics.prepare import prepare_physics
from whole_body_tracking.robots.ground_cfg import GROUND_CFG
from whole_body_tracking.robots.terrain_cfg import ROUGH_TERRAIN_CFG
from whole_body_tracking.tracking.criteria import (
    DRIFT_THRESHOLD,
    HEIGHT_THRESHOLD,
    TILT_THRESHOLD,
    Term,
    TrackingRewards,
)

from . import mdp
from .delays import NO_DELAY, check_delays, remove_observation_delays, set_action_delay
from .physics_cfg import TrackingPhysicsCfg

MOTION = {"command_name": "motion"}

START_POSE_RANGE = {
    "x": (-0.05, 0.05), "y": (-0.05, 0.05), "z": (-0.01, 0.01),
    "roll": (-0.1, 0.1), "pitch": (-0.1, 0.1), "yaw": (-0.2, 0.2),
}  # fmt: skip
"""Noise on the root pose at a start [m, rad]."""

VELOCITY_RANGE = {
    "x": (-0.5, 0.5), "y": (-0.5, 0.5), "z": (-0.2, 0.2),
    "roll": (-0.52, 0.52), "pitch": (-0.52, 0.52), "yaw": (-0.78, 0.78),
}  # fmt: skip
"""Noise on the root velocity at a start, and what a push adds [m/s, rad/s]."""


def _contact_sensor(history_length: int) -> ContactSensorCfg:
    return ContactSensorCfg(prim_path="{ENV_REGEX_NS}/Robot/.*", history_length=history_length)


@configclass
class ContactSensorPresetCfg(PresetCfg):
    """Contact forces within the control step: the last three physics steps, or their mean on native MuJoCo."""

    mujoco_cpu = _contact_sensor(history_length=preset(default=1, rand_delay=3))
    newton_mjwarp = _contact_sensor(history_length=3)
    ovphysx = _contact_sensor(history_length=3)
    isaacsim_physx = _contact_sensor(history_length=3)
    default = newton_mjwarp if torch.cuda.is_available() else mujoco_cpu


@configclass
class TrackingSceneCfg(InteractiveSceneCfg):
    """A robot on flat ground, or with ``presets=rand_terrain`` on slopes and steps."""

    ground: AssetBaseCfg = preset(default=GROUND_CFG, rand_terrain=None)
    terrain: TerrainImporterCfg | None = preset(default=None, rand_terrain=ROUGH_TERRAIN_CFG)
    robot: ArticulationCfg = MISSING
    contact_forces: ContactSensorCfg = ContactSensorPresetCfg()
    light = AssetBaseCfg(prim_path="/World/light", spawn=sim_utils.DomeLightCfg(intensity=1500.0))


@configclass
class CommandsCfg:
    """The motion to track."""

    motion = mdp.MotionCommandCfg(
        asset_name="robot",
        pose_range=START_POSE_RANGE,
        velocity_range=VELOCITY_RANGE,
        joint_position_range=(-0.1, 0.1),
        speeds=preset(default=[1.0], rand_time=[0.8, 0.9, 1.0, 1.1, 1.2]),
    )


MAX_DELAY = 2
"""Longest delay of an observation, and of an action, with ``presets=rand_delay`` [control steps]."""


def action_delay():
    """No delay of actions, or with ``presets=rand_delay`` up to :data:`MAX_DELAY` control steps in physics steps."""
    return preset(default=NO_DELAY, rand_delay=(0.0, float(MAX_DELAY)))


def observation_lag():
    """No lag of an observation, or with ``presets=rand_delay`` up to :data:`MAX_DELAY` control steps."""
    return preset(default=0, rand_delay=MAX_DELAY)


@configclass
class ActionsCfg:
    """Joint position targets about the default pose."""

    joint_pos = mdp.TrackingJointPositionActionCfg(
        asset_name="robot", joint_names=[".*"], use_default_offset=True, delay_range=action_delay()
    )


@configclass
class PolicyObservationsCfg(ObsGroup):
    """Observations of the policy: 160 values for the G1, with uniform noise in training.

    With ``presets=rand_delay`` each measured term is up to two steps old, by a lag of its own in each env.
    """

    command = ObsTerm(func=mdp.generated_commands, params=MOTION)
    motion_anchor_pos_b = ObsTerm(
        func=mdp.motion_anchor_pos_b,
        params=MOTION,
        noise=Unoise(n_min=-0.25, n_max=0.25),
        delay_max_lag=observation_lag(),
    )
    motion_anchor_ori_b = ObsTerm(
        func=mdp.motion_anchor_ori_b,
        params=MOTION,
        noise=preset(default=Unoise(n_min=-0.05, n_max=0.05), rand_imu=mdp.IMU_ORIENTATION),
        delay_max_lag=observation_lag(),
    )
    base_lin_vel = ObsTerm(func=mdp.base_lin_vel, noise=Unoise(n_min=-0.5, n_max=0.5), delay_max_lag=observation_lag())
    base_ang_vel = ObsTerm(
        func=mdp.base_ang_vel,
        noise=preset(default=Unoise(n_min=-0.2, n_max=0.2), rand_imu=mdp.IMU_GYRO),
        delay_max_lag=observation_lag(),
    )
    joint_pos = ObsTerm(
        func=mdp.joint_pos_rel,
        noise=preset(default=Unoise(n_min=-0.01, n_max=0.01), rand_encoder=mdp.ENCODER_POS),
        delay_max_lag=observation_lag(),
    )
    joint_vel = ObsTerm(
        func=mdp.joint_vel_rel,
        noise=preset(default=Unoise(n_min=-0.5, n_max=0.5), rand_encoder=mdp.ENCODER_VEL),
        delay_max_lag=observation_lag(),
    )
    actions = ObsTerm(func=mdp.last_action)

    def __post_init__(self):
        self.enable_corruption = True
        self.concatenate_terms = True


@configclass
class CriticObservationsCfg(ObsGroup):
    """Observations of the critic: the policy's without noise, and the robot's bodies; 286 values for the G1."""

    command = ObsTerm(func=mdp.generated_commands, params=MOTION)
    motion_anchor_pos_b = ObsTerm(func=mdp.motion_anchor_pos_b, params=MOTION)
    motion_anchor_ori_b = ObsTerm(func=mdp.motion_anchor_ori_b, params=MOTION)
    body_pos = ObsTerm(func=mdp.robot_body_pos_b, params=MOTION)
    body_ori = ObsTerm(func=mdp.robot_body_ori_b, params=MOTION)
    base_lin_vel = ObsTerm(func=mdp.base_lin_vel)
    base_ang_vel = ObsTerm(func=mdp.base_ang_vel)
    joint_pos = ObsTerm(func=mdp.joint_pos_rel)
    joint_vel = ObsTerm(func=mdp.joint_vel_rel)
    actions = ObsTerm(func=mdp.last_action)

    def __post_init__(self):
        self.enable_corruption = False
        self.concatenate_terms = True


@configclass
class ObservationsCfg:
    """Observation groups by the names that the agent configuration uses."""

    policy: PolicyObservationsCfg = PolicyObservationsCfg()
    critic: CriticObservationsCfg = CriticObservationsCfg()


@configclass
class OptionalEventsCfg:
    """Nothing, or what ``presets=rand_*`` adds: see docs/randomization.md."""

    link_masses = preset(
        default=None,
        rand_mass=EventTerm(
            func=mdp.randomize_rigid_body_mass,
            mode="startup",
            params={
                "asset_cfg": SceneEntityCfg("robot", body_names=".*"),
                "mass_distribution_params": (0.9, 1.1),
                "operation": "scale",
                "recompute_inertia": True,
            },
        ),
    )
    link_lengths: EventTerm | None = None
    places = preset(default=None, rand_terrain=EventTerm(func=mdp.spread_over_terrain, mode="startup"))


@configclass
class EventsCfg(OptionalEventsCfg):
    """Domain randomisation. Engines do not all honour every number: see docs/conventions.md."""

    physics_material = EventTerm(
        func=mdp.randomize_rigid_body_material,
        mode="startup",
        params={
            "asset_cfg": SceneEntityCfg("robot", body_names=".*"),
            "static_friction_range": (0.3, 1.6),
            "dynamic_friction_range": (0.3, 1.2),
            "restitution_range": (0.0, 0.5),
            "num_buckets": 64,
        },
    )
    joint_default_pos = EventTerm(
        func=mdp.randomize_joint_default_pos, mode="startup", params={"offset_range": (-0.01, 0.01)}
    )
    base_com = EventTerm(
        func=mdp.randomize_rigid_body_com,
        mode="startup",
        params={
            "asset_cfg": SceneEntityCfg("robot", body_names=MISSING),
            "com_range": {"x": (-0.025, 0.025), "y": (-0.05, 0.05), "z": (-0.05, 0.05)},
        },
    )
    push_robot = EventTerm(
        func=mdp.push_by_setting_velocity,
        mode="interval",
        interval_range_s=(1.0, 3.0),
        params={"velocity_range": VELOCITY_RANGE},
    )


@configclass
class NoEventsCfg:
    """No randomisation. Isaac Lab needs a config here: None crashes, and its default would reset the scene."""


KERNELS = TrackingRewards()
"""Weights and widths of the six tracking kernels."""


def _kernel(func, numbers: Term) -> RewTerm:
    return RewTerm(func=func, weight=numbers.weight, params=MOTION | numbers.params)


@configclass
class OptionalRewardsCfg:
    """Nothing, or what ``presets=reward_*`` adds: see docs/ablations.md."""

    joint_power = preset(default=None, reward_energy=RewTerm(func=mdp.joint_power, weight=-5.0e-4))
    foot_contacts = preset(default=None, reward_style=RewTerm(func=mdp.foot_contact_match, weight=0.25, params=MOTION))
    foot_heights = preset(
        default=None, reward_style=RewTerm(func=mdp.foot_height_exp, weight=0.25, params=MOTION | {"std": 0.05})
    )
    com_pos = preset(
        default=None, reward_com=RewTerm(func=mdp.track_com_pos_exp, weight=0.5, params=MOTION | {"std": 0.1})
    )
    com_lin_vel = preset(
        default=None, reward_com=RewTerm(func=mdp.track_com_lin_vel_exp, weight=0.5, params=MOTION | {"std": 0.5})
    )
    root_tilt: RewTerm | None = None
    arm_joints: RewTerm | None = None


@configclass
class RewardsCfg(OptionalRewardsCfg):
    """Six tracking kernels, whose weights sum to 5, and three penalties."""

    motion_global_anchor_pos = _kernel(mdp.track_anchor_pos_exp, KERNELS.motion_global_anchor_pos)
    motion_global_anchor_ori = _kernel(mdp.track_anchor_ori_exp, KERNELS.motion_global_anchor_ori)
    motion_body_pos = _kernel(mdp.track_body_pos_exp, KERNELS.motion_body_pos)
    motion_body_ori = _kernel(mdp.track_body_ori_exp, KERNELS.motion_body_ori)
    motion_body_lin_vel = _kernel(mdp.track_body_lin_vel_exp, KERNELS.motion_body_lin_vel)
    motion_body_ang_vel = _kernel(mdp.track_body_ang_vel_exp, KERNELS.motion_body_ang_vel)
    action_rate_l2 = RewTerm(func=mdp.action_rate_l2, weight=-0.1)
    joint_limit = RewTerm(func=mdp.joint_pos_limits, weight=-10.0)
    undesired_contacts = RewTerm(
        func=mdp.undesired_contacts,
        weight=-0.1,
        params={"sensor_cfg": SceneEntityCfg("contact_forces", body_names=MISSING), "threshold": 1.0},
    )


TRACKING_TERMS = [
    "motion_global_anchor_pos", "motion_global_anchor_ori", "motion_body_pos",
    "motion_body_ori", "motion_body_lin_vel", "motion_body_ang_vel",
]  # fmt: skip
"""The six tracking kernels."""


@configclass
class CurriculumCfg:
    """Nothing, or with ``presets=reward_tightening`` kernels that narrow within the first 10,000 iterations."""

    tracking_std = preset(
        default=None,
        reward_tightening=CurrTerm(
            func=mdp.tighten_tracking_std,
            params={"term_names": TRACKING_TERMS, "num_steps": 240_000, "start": 1.5, "end": 0.5},
        ),
    )


def end_drift() -> DoneTerm:
    """End episodes in which the robot is no longer where the clip is: the position kernel has no slope out there."""
    return DoneTerm(func=mdp.bad_anchor_pos_xy, params=MOTION | {"threshold": DRIFT_THRESHOLD})


@configclass
class TerminationsCfg:
    """Time-outs, and failures that the sampler counts."""

    time_out = DoneTerm(func=mdp.time_out, time_out=True)
    clip_ended = DoneTerm(func=mdp.clip_ended, time_out=True, params=MOTION)
    anchor_pos = DoneTerm(func=mdp.bad_anchor_pos_z, params=MOTION | {"threshold": HEIGHT_THRESHOLD})
    anchor_ori = DoneTerm(func=mdp.bad_anchor_ori, params=MOTION | {"threshold": TILT_THRESHOLD})
    ee_body_pos = DoneTerm(
        func=mdp.bad_body_pos_z, params=MOTION | {"threshold": HEIGHT_THRESHOLD, "body_names": MISSING}
    )
    anchor_drift = preset(default=None, end_drift=end_drift())
    state_not_finite = DoneTerm(func=mdp.state_not_finite, params=MOTION)


@configclass
class TrackingEnvCfg(ManagerBasedRLEnvCfg):
    """Control at 50 Hz: physics at 200 Hz, decimation 4."""

    robot_name: str = MISSING
    """Name of the robot, as :func:`whole_body_tracking.robots.get_robot` takes it."""

    scene: TrackingSceneCfg = TrackingSceneCfg(num_envs=4096, env_spacing=2.5)
    sim: SimulationCfg = SimulationCfg(
        device="cuda:0" if torch.cuda.is_available() else "cpu",
        dt=0.005,
        render_interval=4,
        physics=TrackingPhysicsCfg(),
        use_newton_actuators=preset(default=True, spd=False, muscles=False),
    )
    decimation: int = 4
    episode_length_s: float = 10.0
    commands: CommandsCfg = CommandsCfg()
    actions: ActionsCfg = ActionsCfg()
    observations: ObservationsCfg = ObservationsCfg()
    events: EventsCfg = EventsCfg()
    rewards: RewardsCfg = RewardsCfg()
    curriculum: CurriculumCfg = CurriculumCfg()
    terminations: TerminationsCfg = TerminationsCfg()

    def play_mode(self):
        """No noise, no randomisation, no pushes; every env plays its clip once from frame 0."""
        super().play_mode()
        self.events = NoEventsCfg()
        self.terminations.anchor_drift = None
        remove_observation_delays(self.observations.policy)
        set_action_delay(self, NO_DELAY)
        self.scene.ground, self.scene.terrain = GROUND_CFG.copy(), None
        self.play_from_the_start()

    def play_from_the_start(self):
        """Play the reference from its beginning, without noise."""
        self.commands.motion.start_sampling = "first"
        self.commands.motion.speeds = [1.0]
        self.commands.motion.clip_sampling = "joint"
        self.commands.motion.max_clip_probability = 1.0
        self.commands.motion.freeze_sampling = True
        self.commands.motion.pose_range = {}
        self.commands.motion.velocity_range = {}
        self.commands.motion.joint_position_range = (0.0, 0.0)
        self.episode_length_s = 1.0e6  # [s]; the clip ends the episode

    def validate_config(self):
        """Refuse a wrong clip or name, or an engine that cannot run here, before the simulator starts."""
        from .config_check import check_randomization, check_task_clips

        check_task_clips(self)
        check_randomization(self)
        check_delays(self)
        check_engine(self.scene.robot.actuators, self.sim.physics)
        prepare_physics(self.sim.physics)
