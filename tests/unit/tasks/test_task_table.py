"""Every number of the task, as literals, against the resolved configs."""

from __future__ import annotations

import re

import pytest
import torch
from isaaclab_tasks.utils import resolve_task_config

import whole_body_tracking.tasks  # noqa: F401
from whole_body_tracking.robots import G1

pytestmark = pytest.mark.unit

BASE = "Tracking-Flat-G1-v0"
WO_STATE_ESTIMATION = "Tracking-Flat-G1-Wo-State-Estimation-v0"
LOW_FREQ = "Tracking-Flat-G1-Low-Freq-v0"
RESIDUAL = "Tracking-Flat-G1-Residual-v0"
TASKS = [BASE, WO_STATE_ESTIMATION, LOW_FREQ, RESIDUAL]

TRACKED_BODIES = {
    "pelvis", "torso_link",
    "left_hip_roll_link", "left_knee_link", "left_ankle_roll_link",
    "right_hip_roll_link", "right_knee_link", "right_ankle_roll_link",
    "left_shoulder_roll_link", "left_elbow_link", "left_wrist_yaw_link",
    "right_shoulder_roll_link", "right_elbow_link", "right_wrist_yaw_link",
}  # fmt: skip
END_EFFECTORS = {"left_ankle_roll_link", "right_ankle_roll_link", "left_wrist_yaw_link", "right_wrist_yaw_link"}
REWARDS = {  # name: (function, weight, std)
    "motion_global_anchor_pos": ("track_anchor_pos_exp", 0.5, 0.3),
    "motion_global_anchor_ori": ("track_anchor_ori_exp", 0.5, 0.4),
    "motion_body_pos": ("track_body_pos_exp", 1.0, 0.3),
    "motion_body_ori": ("track_body_ori_exp", 1.0, 0.4),
    "motion_body_lin_vel": ("track_body_lin_vel_exp", 1.0, 1.0),
    "motion_body_ang_vel": ("track_body_ang_vel_exp", 1.0, 3.14),
    "action_rate_l2": ("action_rate_l2", -0.1, None),
    "joint_limit": ("joint_pos_limits", -10.0, None),
    "undesired_contacts": ("undesired_contacts", -0.1, None),
}
TERMINATIONS = {  # name: (function, time-out, threshold)
    "time_out": ("time_out", True, None),
    "clip_ended": ("clip_ended", True, None),
    "anchor_pos": ("bad_anchor_pos_z", False, 0.25),
    "anchor_ori": ("bad_anchor_ori", False, 0.8),
    "ee_body_pos": ("bad_body_pos_z", False, 0.25),
    "state_not_finite": ("state_not_finite", False, None),
}
POLICY_NOISE = {  # term: uniform noise ±, None for none
    "command": None,
    "motion_anchor_pos_b": 0.25,
    "motion_anchor_ori_b": 0.05,
    "base_lin_vel": 0.5,
    "base_ang_vel": 0.2,
    "joint_pos": 0.01,
    "joint_vel": 0.5,
    "actions": None,
}
CRITIC_TERMS = [
    "command", "motion_anchor_pos_b", "motion_anchor_ori_b", "body_pos", "body_ori",
    "base_lin_vel", "base_ang_vel", "joint_pos", "joint_vel", "actions",
]  # fmt: skip
POSE_RANGE = {
    "x": (-0.05, 0.05), "y": (-0.05, 0.05), "z": (-0.01, 0.01),
    "roll": (-0.1, 0.1), "pitch": (-0.1, 0.1), "yaw": (-0.2, 0.2),
}  # fmt: skip
VELOCITY_RANGE = {
    "x": (-0.5, 0.5), "y": (-0.5, 0.5), "z": (-0.2, 0.2),
    "roll": (-0.52, 0.52), "pitch": (-0.52, 0.52), "yaw": (-0.78, 0.78),
}  # fmt: skip
EVENTS = {  # name: (function, mode, interval [s], numbers)
    "physics_material": (
        "randomize_rigid_body_material",
        "startup",
        None,
        {
            "static_friction_range": (0.3, 1.6),
            "dynamic_friction_range": (0.3, 1.2),
            "restitution_range": (0.0, 0.5),
            "num_buckets": 64,
        },
    ),
    "joint_default_pos": ("randomize_joint_default_pos", "startup", None, {"offset_range": (-0.01, 0.01)}),
    "base_com": (
        "randomize_rigid_body_com",
        "startup",
        None,
        {"com_range": {"x": (-0.025, 0.025), "y": (-0.05, 0.05), "z": (-0.05, 0.05)}},
    ),
    "push_robot": ("push_by_setting_velocity", "interval", (1.0, 3.0), {"velocity_range": VELOCITY_RANGE}),
}
PPO = {
    "num_learning_epochs": 5,
    "num_mini_batches": 4,
    "learning_rate": 1.0e-3,
    "schedule": "adaptive",
    "desired_kl": 0.01,
    "gamma": 0.99,
    "lam": 0.95,
    "clip_param": 0.2,
    "entropy_coef": 0.005,
    "value_loss_coef": 1.0,
    "use_clipped_value_loss": True,
    "max_grad_norm": 1.0,
}
SAMPLER = {
    "start_sampling": "adaptive",
    "adaptive_bin_duration": 1.0,
    "adaptive_alpha": 0.001,
    "adaptive_lambda": 0.8,
    "adaptive_kernel_size": 1,
    "adaptive_uniform_ratio": 0.1,
    "clip_end": "truncate",
}


def resolved(task: str, play: bool = False, overrides: tuple[str, ...] = ()):
    return resolve_task_config(task, "rsl_rl_cfg_entry_point", play_mode=play, overrides=list(overrides))


@pytest.fixture(scope="module", params=TASKS)
def task(request):
    return (request.param, *resolved(request.param))


def terms_of(cfg) -> dict:
    return {name: value for name, value in vars(cfg).items() if hasattr(value, "func")}


def name_of(func) -> str:
    return getattr(func, "__name__", str(func)).rsplit(":", 1)[-1]


@pytest.mark.parametrize("task", ["Tracking-Flat-G1-Demo-v0", "Tracking-Flat-G1-Residual-v0 presets=end_drift"])
def test_drift_ends_episodes_where_asked_for_and_never_while_playing(task):
    name, *presets = task.split()
    term = resolved(name, overrides=tuple(presets))[0].terminations.anchor_drift
    assert (name_of(term.func), term.time_out, term.params["threshold"]) == ("bad_anchor_pos_xy", False, 0.4)
    assert resolved(name, play=True, overrides=tuple(presets))[0].terminations.anchor_drift is None


def test_the_demo_trains_on_cheap_feet_or_on_those_of_the_other_tasks():
    demo, other = "Tracking-Flat-G1-Demo-v0", resolved("Tracking-Flat-G1-Residual-v0")[0].scene.robot
    cheap, full = (resolved(demo, overrides=given)[0].scene.robot for given in ((), ("presets=seven_capsule_feet",)))
    assert "four_point_feet" in cheap.spawn.usd_path
    assert full.spawn.usd_path == other.spawn.usd_path != cheap.spawn.usd_path
    assert full.prim_path == cheap.prim_path == other.prim_path


def test_clock(task):
    name, env_cfg, _ = task
    decimation = 8 if name == LOW_FREQ else 4
    assert (env_cfg.sim.dt, env_cfg.decimation, env_cfg.sim.render_interval) == (0.005, decimation, decimation)
    assert env_cfg.episode_length_s == 10.0
    assert env_cfg.scene.num_envs == 4096


def test_bodies(task):
    motion = task[1].commands.motion
    assert motion.anchor_body_name == "torso_link"
    assert set(motion.body_names) == TRACKED_BODIES and len(motion.body_names) == 14


def test_rewards(task):
    name, env_cfg, _ = task
    table = dict(REWARDS)
    if name == LOW_FREQ:  # half as many steps per second, each with the penalty of one
        table["action_rate_l2"] = ("action_rate_l2", -0.05, None)
    found = {
        key: (name_of(term.func), term.weight, term.params.get("std"))
        for key, term in terms_of(env_cfg.rewards).items()
    }
    assert found == table
    assert sum(weight for _, weight, std in table.values() if std is not None) == 5.0


def test_undesired_contacts_are_those_of_all_bodies_but_ankles_and_wrists(task):
    params = task[1].rewards.undesired_contacts.params
    assert params["threshold"] == 1.0
    matched = {name for name in G1.body_names for pattern in params["sensor_cfg"].body_names if re.match(pattern, name)}
    assert set(G1.body_names) - matched == END_EFFECTORS


def test_terminations(task):
    terms = terms_of(task[1].terminations)
    found = {key: (name_of(t.func), bool(t.time_out), t.params.get("threshold")) for key, t in terms.items()}
    assert found == TERMINATIONS
    assert set(terms["ee_body_pos"].params["body_names"]) == END_EFFECTORS


def test_observations(task):
    name, env_cfg, agent_cfg = task
    absent = {"motion_anchor_pos_b", "base_lin_vel"} if name == WO_STATE_ESTIMATION else set()
    policy = terms_of(env_cfg.observations.policy)
    assert list(policy) == [term for term in POLICY_NOISE if term not in absent]
    noise = {term: None if cfg.noise is None else (cfg.noise.n_min, cfg.noise.n_max) for term, cfg in policy.items()}
    expected = {
        term: None if POLICY_NOISE[term] is None else (-POLICY_NOISE[term], POLICY_NOISE[term]) for term in policy
    }
    assert noise == expected
    assert env_cfg.observations.policy.enable_corruption
    critic = terms_of(env_cfg.observations.critic)
    assert list(critic) == CRITIC_TERMS
    assert all(cfg.noise is None for cfg in critic.values()) and not env_cfg.observations.critic.enable_corruption
    assert agent_cfg.obs_groups == {"actor": ["policy"], "critic": ["critic"]}


def test_start_noise_and_sampling(task):
    motion = task[1].commands.motion
    assert motion.pose_range == POSE_RANGE
    assert motion.velocity_range == VELOCITY_RANGE
    assert motion.joint_position_range == (-0.1, 0.1)
    assert {key: getattr(motion, key) for key in SAMPLER} == SAMPLER


def test_randomisation(task):
    found = {
        key: (
            name_of(term.func),
            term.mode,
            term.interval_range_s,
            {param: value for param, value in term.params.items() if param != "asset_cfg"},
        )
        for key, term in terms_of(task[1].events).items()
    }
    assert found == EVENTS
    assert task[1].events.base_com.params["asset_cfg"].body_names == "torso_link"
    assert task[1].events.physics_material.params["asset_cfg"].body_names == ".*"


def test_action_scale_is_a_quarter_of_effort_limit_over_stiffness(task):
    name, env_cfg, _ = task
    action = env_cfg.actions.joint_pos
    kind = "ResidualJointPositionAction" if name == RESIDUAL else "TrackingJointPositionAction"
    assert name_of(action.class_type) == kind
    assert action.use_default_offset
    actuators = env_cfg.scene.robot.actuators.values()
    expected = {
        joint: 0.25 * actuator.joint_effort_limit[joint] / actuator.stiffness[joint]
        for actuator in actuators
        for joint in actuator.joint_names_expr
    }
    assert action.scale == pytest.approx(expected) and len(action.scale) == 29
    # 25 N m about 14.25 N m/rad: armature 0.003610 kg m^2 at 10 Hz, (2 pi 10)^2 x 0.003610 = 14.25
    assert action.scale["left_elbow_joint"] == pytest.approx(0.25 * 25.0 / 14.2506, rel=1e-4)
    # 50 N m about 2 x 14.25 N m/rad: two motors, not the URDF's 35 N m
    assert action.scale["left_ankle_pitch_joint"] == pytest.approx(0.25 * 50.0 / 28.5012, rel=1e-4)
    assert env_cfg.scene.robot.soft_joint_pos_limit_factor == 0.9


def test_self_collisions_are_on_for_every_engine(task):
    physx, newton = task[1].scene.robot.spawn.articulation_props
    assert physx.enabled_self_collisions and newton.self_collision_enabled


def test_ppo(task):
    name, _, agent_cfg = task
    table = dict(PPO)
    if name == LOW_FREQ:  # the same horizon in seconds
        table |= {"gamma": 0.9801, "lam": 0.9025}
    found = {key: getattr(agent_cfg.algorithm, key) for key in table}
    assert found == {key: pytest.approx(value) if isinstance(value, float) else value for key, value in table.items()}
    assert agent_cfg.num_steps_per_env == (12 if name == LOW_FREQ else 24)
    assert (agent_cfg.max_iterations, agent_cfg.save_interval) == (30_000, 500)
    for network in (agent_cfg.actor, agent_cfg.critic):
        assert (network.hidden_dims, network.activation, network.obs_normalization) == ([512, 256, 128], "elu", True)
    assert agent_cfg.actor.distribution_cfg.init_std == 1.0


@pytest.mark.parametrize("task_id", TASKS)
def test_play_has_no_noise_pushes_randomisation_or_random_starts(task_id):
    env_cfg, _ = resolved(task_id, play=True)
    motion = env_cfg.commands.motion
    assert not env_cfg.observations.policy.enable_corruption
    assert terms_of(env_cfg.events) == {}
    assert (motion.start_sampling, motion.pose_range, motion.velocity_range) == ("first", {}, {})
    assert motion.joint_position_range == (0.0, 0.0)
    training, _ = resolved(task_id)
    assert list(terms_of(env_cfg.observations.policy)) == list(terms_of(training.observations.policy))
    assert list(terms_of(env_cfg.terminations)) == list(TERMINATIONS)


@pytest.mark.parametrize("engine", ["ovphysx", "isaacsim_physx", "newton_mjwarp", "mujoco_cpu"])
def test_every_engine_gets_the_same_numbers(engine):
    """A preset replaces the physics settings and nothing else."""
    chosen, _ = resolved(BASE, overrides=(f"physics={engine}",))
    default, _ = resolved(BASE)
    for section in ("rewards", "terminations", "observations", "events", "actions", "commands"):
        assert getattr(chosen, section).to_dict() == getattr(default, section).to_dict(), section
    assert (chosen.sim.dt, chosen.decimation) == (default.sim.dt, default.decimation)


def test_default_engine_follows_the_machine():
    name = "newton_mjwarp" if torch.cuda.is_available() else "mujoco_cpu"
    default, chosen = (resolved(BASE, overrides=overrides)[0].sim.physics for overrides in ((), (f"physics={name}",)))
    assert type(default) is type(chosen) and default.to_dict() == chosen.to_dict()
