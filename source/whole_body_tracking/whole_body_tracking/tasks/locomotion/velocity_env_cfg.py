"""Walking by velocity command, without a robot and without a reference: every number of the task in one place.

docs/tasks.md has the same numbers in a table, which a test compares with the environment that is built.
"""

from __future__ import annotations

import math
from dataclasses import MISSING

import torch
from isaaclab.envs import ManagerBasedRLEnvCfg
from isaaclab.managers import EventTermCfg as EventTerm
from isaaclab.managers import ObservationGroupCfg as ObsGroup
from isaaclab.managers import ObservationTermCfg as ObsTerm
from isaaclab.managers import RewardTermCfg as RewTerm
from isaaclab.managers import SceneEntityCfg
from isaaclab.managers import TerminationTermCfg as DoneTerm
from isaaclab.sensors import ContactSensorCfg
from isaaclab.sim import SimulationCfg
from isaaclab.utils import configclass
from isaaclab.utils.noise import UniformNoiseCfg as Unoise
from isaaclab_tasks.utils import PresetCfg, preset

from whole_body_tracking.actuation.stable_pd_cfg import check_engine
from whole_body_tracking.locomotion.falls import FALL_HEIGHT, FALL_TILT
from whole_body_tracking.physics.prepare import prepare_physics
from whole_body_tracking.robots.ground_cfg import GROUND_CFG
from whole_body_tracking.tasks.tracking import mdp as tracking_mdp
from whole_body_tracking.tasks.tracking.delays import (
    NO_DELAY,
    check_delays,
    remove_observation_delays,
    set_action_delay,
)
from whole_body_tracking.tasks.tracking.physics_cfg import TrackingPhysicsCfg
from whole_body_tracking.tasks.tracking.tracking_env_cfg import (
    ActionsCfg,
    EventsCfg,
    TrackingSceneCfg,
    observation_lag,
)

from . import mdp
from .command_check import COMMAND_TERM, check_command
from .prior_terms import check_priors, motion_prior_reward, prior_starts, score_prior_reward

COMMAND = {"command_name": COMMAND_TERM}


def _contact_sensor(history_length: int) -> ContactSensorCfg:
    return ContactSensorCfg(prim_path="{ENV_REGEX_NS}/Robot/.*", history_length=history_length, track_air_time=True)


@configclass
class ContactSensorPresetCfg(PresetCfg):
    """Contact forces within the control step, and how long each body has been in the air."""

    mujoco_cpu = _contact_sensor(history_length=preset(default=1, rand_delay=3))
    newton_mjwarp = _contact_sensor(history_length=3)
    ovphysx = _contact_sensor(history_length=3)
    isaacsim_physx = _contact_sensor(history_length=3)
    default = newton_mjwarp if torch.cuda.is_available() else mujoco_cpu


@configclass
class LocomotionSceneCfg(TrackingSceneCfg):
    """A robot on flat ground."""

    ground = GROUND_CFG
    terrain = None
    contact_forces: ContactSensorCfg = ContactSensorPresetCfg()


@configclass
class CommandsCfg:
    """Velocities in the heading frame and a heading in the world; Isaac Lab's command turns the latter into a rate."""

    base_velocity = mdp.UniformVelocityCommandCfg(
        asset_name="robot",
        resampling_time_range=(5.0, 10.0),
        rel_standing_envs=0.1,
        rel_heading_envs=1.0,
        heading_command=True,
        heading_control_stiffness=1.0,
        marker_pos_offset=(0.0, 0.0, 0.75),
        ranges=mdp.UniformVelocityCommandCfg.Ranges(
            lin_vel_x=(-0.3, 1.0), lin_vel_y=(-0.3, 0.3), ang_vel_z=(-1.0, 1.0), heading=(-math.pi, math.pi)
        ),
    )


@configclass
class PolicyObservationsCfg(ObsGroup):
    """Observations of the policy: 99 values for the G1, with uniform noise in training."""

    base_lin_vel = ObsTerm(
        func=tracking_mdp.base_lin_vel, noise=Unoise(n_min=-0.1, n_max=0.1), delay_max_lag=observation_lag()
    )
    base_ang_vel = ObsTerm(
        func=tracking_mdp.base_ang_vel,
        noise=preset(default=Unoise(n_min=-0.2, n_max=0.2), rand_imu=tracking_mdp.IMU_GYRO),
        delay_max_lag=observation_lag(),
    )
    projected_gravity = ObsTerm(
        func=mdp.projected_gravity, noise=Unoise(n_min=-0.05, n_max=0.05), delay_max_lag=observation_lag()
    )
    velocity_commands = ObsTerm(func=mdp.velocity_command, params=COMMAND)
    joint_pos = ObsTerm(
        func=mdp.joint_pos_rel,
        noise=preset(default=Unoise(n_min=-0.01, n_max=0.01), rand_encoder=tracking_mdp.ENCODER_POS),
        delay_max_lag=observation_lag(),
    )
    joint_vel = ObsTerm(
        func=mdp.joint_vel_rel,
        noise=preset(default=Unoise(n_min=-0.5, n_max=0.5), rand_encoder=tracking_mdp.ENCODER_VEL),
        delay_max_lag=observation_lag(),
    )
    actions = ObsTerm(func=mdp.last_action)

    def __post_init__(self):
        self.enable_corruption = True
        self.concatenate_terms = True


@configclass
class CriticObservationsCfg(ObsGroup):
    """Observations of the critic: the policy's without noise, and the root's height; 100 values for the G1."""

    base_lin_vel = ObsTerm(func=tracking_mdp.base_lin_vel)
    base_ang_vel = ObsTerm(func=tracking_mdp.base_ang_vel)
    projected_gravity = ObsTerm(func=mdp.projected_gravity)
    velocity_commands = ObsTerm(func=mdp.velocity_command, params=COMMAND)
    joint_pos = ObsTerm(func=mdp.joint_pos_rel)
    joint_vel = ObsTerm(func=mdp.joint_vel_rel)
    actions = ObsTerm(func=mdp.last_action)
    root_height = ObsTerm(func=mdp.base_pos_z)

    def __post_init__(self):
        self.enable_corruption = False
        self.concatenate_terms = True


@configclass
class ObservationsCfg:
    """Observation groups by the names that the agent configuration uses."""

    policy: PolicyObservationsCfg = PolicyObservationsCfg()
    critic: CriticObservationsCfg = CriticObservationsCfg()


def start_events() -> dict[str, EventTerm]:
    """Starts: standing in the default pose, with some noise; a new heading each time."""
    root = EventTerm(
        func=mdp.reset_root_state_uniform,
        mode="reset",
        params={
            "pose_range": {"yaw": (-math.pi, math.pi)},
            "velocity_range": {axis: (-0.2, 0.2) for axis in ("x", "y", "yaw")},
        },
    )
    joints = EventTerm(
        func=mdp.reset_joints_by_offset,
        mode="reset",
        params={"position_range": (-0.05, 0.05), "velocity_range": (0.0, 0.0)},
    )
    return {"start_root": root, "start_joints": joints}


@configclass
class LocomotionEventsCfg(EventsCfg):
    """The tracking task's domain randomisation, with rarer pushes, and where episodes start."""

    start_root = start_events()["start_root"]
    start_joints = start_events()["start_joints"]
    prior_starts = preset(default=None, rand_prior_starts=prior_starts())
    push_robot = EventTerm(
        func=mdp.push_by_setting_velocity,
        mode="interval",
        interval_range_s=(5.0, 10.0),
        params={"velocity_range": {axis: (-0.5, 0.5) for axis in ("x", "y")}},
    )
    places = None


@configclass
class PlayEventsCfg:
    """Starts alone, without noise."""

    start_root = EventTerm(
        func=mdp.reset_root_state_uniform, mode="reset", params={"pose_range": {}, "velocity_range": {}}
    )
    start_joints = EventTerm(
        func=mdp.reset_joints_by_offset,
        mode="reset",
        params={"position_range": (0.0, 0.0), "velocity_range": (0.0, 0.0)},
    )


def _deviation(weight: float) -> RewTerm:
    return RewTerm(
        func=mdp.joint_deviation_l1,
        weight=weight,
        params={"asset_cfg": SceneEntityCfg("robot", joint_names=MISSING)},
    )


@configclass
class RewardsCfg:
    """What is asked for, and penalties for how it is done."""

    velocity = RewTerm(func=mdp.track_lin_vel_xy_yaw_frame_exp, weight=2.0, params=COMMAND | {"std": 0.4})
    turning_rate = RewTerm(func=mdp.track_ang_vel_z_world_exp, weight=1.0, params=COMMAND | {"std": 0.5})
    heading = RewTerm(func=mdp.track_heading_exp, weight=0.5, params=COMMAND | {"std": 0.5})
    alive = RewTerm(func=mdp.is_alive, weight=0.5)
    fall = RewTerm(func=mdp.is_terminated, weight=-200.0)
    energy = RewTerm(func=mdp.cost_of_transport, weight=-0.05, params=COMMAND | {"min_speed": 0.3})
    joint_jerk = RewTerm(func=mdp.joint_jerk, weight=-0.005, params={"unit": 1000.0})
    action_rate_l2 = RewTerm(func=mdp.action_rate_l2, weight=-0.01)
    foot_slip = RewTerm(
        func=mdp.feet_slide,
        weight=-0.2,
        params={
            "sensor_cfg": SceneEntityCfg("contact_forces", body_names=MISSING),
            "asset_cfg": SceneEntityCfg("robot", body_names=MISSING),
        },
    )
    foot_air_time = RewTerm(
        func=mdp.feet_air_time_positive_biped,
        weight=0.75,
        params=COMMAND | {"sensor_cfg": SceneEntityCfg("contact_forces", body_names=MISSING), "threshold": 0.4},
    )
    upright = RewTerm(func=mdp.flat_orientation_l2, weight=-1.0)
    bouncing = RewTerm(func=mdp.lin_vel_z_l2, weight=-0.2)
    rocking = RewTerm(func=mdp.ang_vel_xy_l2, weight=-0.05)
    joint_limit = RewTerm(func=tracking_mdp.joint_pos_limits, weight=-1.0)
    hip_deviation = _deviation(-0.1)
    waist_deviation = _deviation(-0.1)
    arm_deviation = _deviation(-0.1)
    score_prior = preset(default=None, reward_score_prior=score_prior_reward())
    motion_prior = preset(default=None, reward_motion_prior=motion_prior_reward())


@configclass
class TerminationsCfg:
    """Time-outs and falls."""

    time_out = DoneTerm(func=mdp.time_out, time_out=True)
    too_low = DoneTerm(func=mdp.root_height_below_minimum, params={"minimum_height": FALL_HEIGHT})
    tilted = DoneTerm(func=mdp.bad_orientation, params={"limit_angle": FALL_TILT})
    state_not_finite = DoneTerm(func=mdp.state_not_finite)


@configclass
class VelocityEnvCfg(ManagerBasedRLEnvCfg):
    """Control at 50 Hz: physics at 200 Hz, decimation 4."""

    robot_name: str = MISSING
    """Name of the robot, as :func:`whole_body_tracking.robots.get_robot` takes it."""

    scene: LocomotionSceneCfg = LocomotionSceneCfg(num_envs=4096, env_spacing=2.5)
    sim: SimulationCfg = SimulationCfg(
        device="cuda:0" if torch.cuda.is_available() else "cpu",
        dt=0.005,
        render_interval=4,
        physics=TrackingPhysicsCfg(),
    )
    decimation: int = 4
    episode_length_s: float = 20.0
    commands: CommandsCfg = CommandsCfg()
    actions: ActionsCfg = ActionsCfg()
    observations: ObservationsCfg = ObservationsCfg()
    events: LocomotionEventsCfg = LocomotionEventsCfg()
    rewards: RewardsCfg = RewardsCfg()
    terminations: TerminationsCfg = TerminationsCfg()

    def play_mode(self):
        """No noise, no randomisation, no pushes; starts in the default pose."""
        super().play_mode()
        self.events = PlayEventsCfg()
        self.rewards.score_prior = self.rewards.motion_prior = None
        remove_observation_delays(self.observations.policy)
        set_action_delay(self, NO_DELAY)

    def validate_config(self):
        """Refuse a wrong command range, or an engine that cannot run here, before the simulator starts."""
        check_command(self)
        check_delays(self)
        check_priors(self)
        check_engine(self.scene.robot.actuators, self.sim.physics)
        prepare_physics(self.sim.physics)
