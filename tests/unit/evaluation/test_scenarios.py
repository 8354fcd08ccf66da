"""Scenarios: names, what each changes in the config, and the disturbances, without an engine."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from evaluation_samples import shipped_clip
from isaaclab_tasks.utils import resolve_task_config

import whole_body_tracking.tasks  # noqa: F401
from whole_body_tracking.evaluation.disturbances import Push, pushing_at
from whole_body_tracking.evaluation.scenarios import SCENARIOS, find_scenario, scenarios_of
from whole_body_tracking.motion.conversion.time_scaling import time_scaled
from whole_body_tracking.tasks.tracking.config.g1.tracking_g1_env_cfg import G1TrackingEnvCfg

pytestmark = pytest.mark.unit

STEP_DT = 0.02


def configured(name: str):
    cfg = G1TrackingEnvCfg()
    cfg.play_mode()
    find_scenario(name).configure(cfg)
    return cfg


def events_of(cfg) -> dict:
    return {name: value for name, value in vars(cfg.events).items() if value is not None}


def test_the_six_of_the_protocol_and_six_more():
    assert scenarios_of("all") == list(SCENARIOS)
    assert len(SCENARIOS) == 12
    assert scenarios_of("payload,standard,payload") == ["payload", "standard"]


@pytest.mark.parametrize("text", ["standard,bogus", ",", "ALL", "all,standard"])
def test_unknown_names_are_refused_with_those_that_exist(text):
    with pytest.raises(ValueError, match=r"--scenarios, which also takes 'all': .*Known: standard, high_friction, "):
        scenarios_of(text)


@pytest.mark.integration
def test_a_scenario_changes_only_its_own_config():
    def untouched() -> str:
        cfg = G1TrackingEnvCfg()
        cfg.play_mode()
        return str(cfg.to_dict())

    before = untouched()
    for name in SCENARIOS:
        configured(name)
    assert untouched() == before


@pytest.mark.parametrize(("name", "event"), [
    ("low_friction", "physics_material"), ("high_friction", "physics_material"), ("payload", "payload"),
    ("gain_error", "gains"), ("sensor_bias", "joint_default_pos"),
])  # fmt: skip
def test_what_lasts_is_set_once_at_start_up(name, event):
    events = events_of(configured(name))
    assert list(events) == [event]
    assert events[event].mode == "startup"


@pytest.mark.parametrize(("name", "event", "key", "expected"), [
    ("high_friction", "physics_material", "static_friction_range", (1.6, 1.6)),
    ("high_friction", "physics_material", "dynamic_friction_range", (1.2, 1.2)),
    ("high_friction", "physics_material", "restitution_range", (0.0, 0.0)),
    ("low_friction", "physics_material", "static_friction_range", (0.3, 0.3)),
    ("low_friction", "physics_material", "dynamic_friction_range", (0.3, 0.3)),
    ("low_friction", "physics_material", "restitution_range", (0.0, 0.0)),
    ("payload", "payload", "mass_distribution_params", (5.0, 5.0)),
    ("payload", "payload", "operation", "add"),
    ("gain_error", "gains", "stiffness_distribution_params", (0.8, 1.2)),
    ("gain_error", "gains", "damping_distribution_params", (0.8, 1.2)),
    ("gain_error", "gains", "operation", "scale"),
    ("sensor_bias", "joint_default_pos", "offset_range", (-0.03, 0.03)),
])  # fmt: skip
def test_numbers_of_what_lasts(name, event, key, expected):
    assert events_of(configured(name))[event].params[key] == expected


def test_payload_is_in_the_torso():
    assert events_of(configured("payload"))["payload"].params["asset_cfg"].body_names == "torso_link"


def test_numbers_of_the_initial_offset():
    motion = configured("initial_offset").commands.motion
    tenth = dict.fromkeys(("x", "y", "roll", "pitch"), (-0.1, 0.1))
    assert motion.pose_range == tenth | {"yaw": (-0.3, 0.3)}
    assert motion.joint_position_range == (-0.1, 0.1)


def test_only_two_scenarios_change_the_speed():
    changed = {name: scenario.speed for name, scenario in SCENARIOS.items() if scenario.speed != 1.0}
    assert changed == {"fast_motion": 1.5, "slow_motion": 0.5}


def test_only_one_scenario_disturbs_and_the_push_is_a_strong_one():
    cfg, env = configured("standard"), Wrenches()
    cfg.seed = 1
    assert [name for name, scenario in SCENARIOS.items() if scenario.disturb] == ["strong_push"]
    push = SCENARIOS["strong_push"].disturb(cfg)
    for env.step in range(205):
        push(env, env.step, torch.zeros(2, 3))
    steps, forces = zip(*env.calls, strict=True)
    assert steps == (0, 50, 60, 200)  # from 1 s on, for 0.2 s, every 3 s
    assert forces[1].norm(dim=-1).tolist() == pytest.approx([100.0, 100.0], rel=1e-5)  # [N]


def test_standard_changes_nothing():
    plain = G1TrackingEnvCfg()
    plain.play_mode()
    assert str(configured("standard").to_dict()) == str(plain.to_dict())


def test_bias_is_a_constant_and_noise_is_trainings():
    noisy, biased = configured("sensor_noise").observations.policy, configured("sensor_bias").observations.policy
    assert noisy.enable_corruption and noisy.joint_vel.noise.default.n_max == 0.5  # presets are not resolved here
    assert biased.enable_corruption and biased.joint_vel.noise is None and biased.base_ang_vel.noise.bias == 0.1


def test_pushes_begin_every_three_seconds_and_last_a_fifth():
    timing = {"first": 1.0, "period": 3.0, "duration": 0.2}
    active = [step for step in range(400) if pushing_at(step, STEP_DT, **timing) is not None]
    assert active == [*range(50, 60), *range(200, 210), *range(350, 360)]
    assert pushing_at(205, STEP_DT, **timing) == 1


class Wrenches:
    """An environment of two envs that keeps the forces set on it, with the step at which they were."""

    def __init__(self):
        self.calls: list[tuple[int, torch.Tensor]] = []
        self.step, self.num_envs, self.device = 0, 2, "cpu"
        composer = SimpleNamespace(set_forces_and_torques_index=self._keep)
        robot = SimpleNamespace(permanent_wrench_composer=composer, find_bodies=lambda name: ([7], [name]))
        self.unwrapped = SimpleNamespace(step_dt=STEP_DT, scene={"robot": robot})

    def _keep(self, forces, torques, body_ids, is_global):
        assert body_ids == [7] and is_global and not torques.any()
        self.calls.append((self.step, forces[:, 0]))


def test_a_push_is_horizontal_has_its_force_and_ends():
    env, push = Wrenches(), Push("torso_link", force=100.0, duration=0.2, period=3.0)
    for env.step in range(70):
        assert push(env, env.step, torch.ones(2, 3)).eq(1.0).all()
    steps, forces = zip(*env.calls, strict=True)
    assert steps == (0, 50, 60)
    assert forces[1].norm(dim=-1).tolist() == pytest.approx([100.0, 100.0], rel=1e-5)
    assert not forces[1][:, 2].any() and not torch.equal(forces[1][0], forces[1][1])
    assert not forces[0].any() and not forces[2].any()


@pytest.mark.parametrize(("name", "steps"), [("control_delay", 1.0), ("control_delay:0.5", 0.5)])
def test_a_delay_is_the_same_for_all_and_makes_native_mujoco_apply_targets_at_every_physics_step(name, steps):
    overrides = ["physics=mujoco_cpu"]
    cfg, _ = resolve_task_config("Tracking-Flat-G1-v0", "rsl_rl_cfg_entry_point", play_mode=True, overrides=overrides)
    assert cfg.sim.physics.solver_cfg.fold_decimation and cfg.scene.contact_forces.history_length == 1
    find_scenario(name).configure(cfg)
    assert cfg.actions.joint_pos.delay_range == (steps, steps)
    assert not cfg.sim.physics.solver_cfg.fold_decimation and cfg.scene.contact_forces.history_length == 3
    assert f"{steps:g}".replace("1", "one") in find_scenario(name).description


@pytest.mark.parametrize("name", ["control_delay:", "control_delay:-1", "control_delay:11", "control_delay:one"])
def test_a_delay_that_is_no_number_of_steps_is_refused(name):
    with pytest.raises(ValueError, match=r"from 0 to 10, as in control_delay:0.5"):
        scenarios_of(name)


def test_only_the_delay_takes_a_number():
    with pytest.raises(ValueError, match="Unknown scenario"):
        scenarios_of("payload:3")


@pytest.mark.parametrize("speed", [0.5, 1.5])
def test_a_motion_keeps_its_poses_at_another_speed(speed):
    clip = shipped_clip()
    scaled = time_scaled(clip, speed, "g1")
    assert scaled.fps == clip.fps and scaled.name == clip.name
    assert scaled.duration == pytest.approx(clip.duration / speed, abs=1.0 / clip.fps)
    frame = 60  # of the new clip; 30 or 90 of the old one
    assert np.allclose(scaled.joint_pos[frame], clip.joint_pos[int(frame * speed)], atol=1e-5)
    assert np.allclose(scaled.joint_vel[frame], speed * clip.joint_vel[int(frame * speed)], atol=0.05)


def test_no_speed_is_refused():
    with pytest.raises(ValueError, match="0 times its speed"):
        time_scaled(shipped_clip(), 0.0, "g1")
