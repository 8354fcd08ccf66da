"""What the randomisation presets configure, and the formulas behind them."""

import math

import pytest
import torch
from isaaclab.utils.math import matrix_from_quat, quat_from_angle_axis, quat_mul, random_orientation
from isaaclab_tasks.utils import resolve_task_config

import whole_body_tracking.tasks  # noqa: F401
from whole_body_tracking.motion.geometry.rotations import quat_conjugate
from whole_body_tracking.robots import G1
from whole_body_tracking.tasks.tracking.config_check import check_randomization, load_task_clips
from whole_body_tracking.tasks.tracking.delays import check_delays
from whole_body_tracking.tasks.tracking.mdp.link_lengths import stretched_joints
from whole_body_tracking.tasks.tracking.mdp.sensor_noise import turned_columns
from whole_body_tracking.tracking.errors import rotation_columns

pytestmark = pytest.mark.unit

TASK = "Tracking-Flat-G1-v0"


def resolved(*presets: str, task: str = TASK, play: bool = False, engine: str = "mujoco_cpu"):
    selectors = [f"physics={engine}", *([f"presets={','.join(presets)}"] if presets else [])]
    return resolve_task_config(task, "rsl_rl_cfg_entry_point", play_mode=play, overrides=selectors)[0]


MEASURED = ("motion_anchor_pos_b", "motion_anchor_ori_b", "base_lin_vel", "base_ang_vel", "joint_pos", "joint_vel")


def lags(cfg) -> dict[str, int]:
    """Terms of the policy that come late, and by how many steps at most."""
    terms = vars(cfg.observations.policy)
    return {name: term.delay_max_lag for name, term in terms.items() if getattr(term, "delay_max_lag", 0)}


def test_nothing_is_on_by_default():
    cfg = resolved()
    assert cfg.actions.joint_pos.delay_range == (0.0, 0.0) and lags(cfg) == {}
    assert cfg.sim.physics.solver_cfg.fold_decimation and cfg.scene.contact_forces.history_length == 1
    assert cfg.events.link_masses is None and cfg.events.link_lengths is None
    assert cfg.commands.motion.speeds == [1.0]
    assert cfg.observations.policy.joint_pos.noise.n_max == 0.01


@pytest.mark.parametrize("task", [TASK, "Tracking-Flat-G1-Demo-v0", "Tracking-Flat-G1-Multi-v0"])
def test_presets_combine_and_are_gone_in_play(task):
    names = ("rand_mass", "rand_lengths", "rand_imu", "rand_encoder", "rand_time", "rand_delay")
    cfg, play = resolved(*names, task=task), resolved(*names, task=task, play=True)
    assert cfg.events.link_masses.params["mass_distribution_params"] == (0.9, 1.1)
    assert cfg.events.link_lengths.params["scale_range"] == (0.98, 1.02)
    assert cfg.commands.motion.speeds == [0.8, 0.9, 1.0, 1.1, 1.2]
    assert cfg.actions.joint_pos.delay_range == (0.0, 2.0) and play.actions.joint_pos.delay_range == (0.0, 0.0)
    assert lags(cfg) == {name: 2 for name in MEASURED} and lags(play) == {}
    assert cfg.observations.policy.enable_corruption
    assert not play.observations.policy.enable_corruption and play.commands.motion.speeds == [1.0]
    assert not hasattr(play.events, "link_masses")


def test_a_bias_is_drawn_anew_and_not_added_to_the_last_one():
    noise = resolved("rand_imu", "rand_encoder").observations.policy
    assert noise.joint_pos.noise.bias_noise_cfg.operation == noise.base_ang_vel.noise.bias_noise_cfg.operation == "abs"


@pytest.mark.parametrize("engine", ["ovphysx", "isaacsim_physx"])
def test_lengths_are_refused_where_the_engine_cannot_change_them(engine):
    check_randomization(resolved("rand_lengths"))
    check_randomization(resolved("rand_mass", engine=engine))
    with pytest.raises(ValueError, match=r"PhysX cannot.*physics=mujoco_cpu"):
        check_randomization(resolved("rand_lengths", engine=engine))


def test_a_shank_places_the_ankle():
    groups = stretched_joints(G1, [r".*_knee_link", r".*_elbow_link"])
    assert groups == {
        f"{side}_{joint}_joint": group
        for group, joint in enumerate(("ankle_pitch", "wrist_roll"))
        for side in ("left", "right")
    }


@pytest.mark.parametrize("patterns", [["left_kneee_link"], [".*_knee_link", "left_knee_link"]])
def test_links_that_do_not_exist_or_belong_to_two_groups_are_refused(patterns):
    with pytest.raises(ValueError, match="link_groups"):
        stretched_joints(G1, patterns)


def test_turned_columns_are_those_of_the_turned_rotation():
    quat, angle = random_orientation(6, "cpu"), 0.3 * torch.randn(6, 3)
    error = quat_from_angle_axis(angle.norm(dim=-1), angle / angle.norm(dim=-1, keepdim=True))
    expected = matrix_from_quat(quat_mul(quat_conjugate(error), quat))[..., :2].flatten(1)
    assert torch.allclose(turned_columns(rotation_columns(quat), angle), expected, atol=1e-5)


def test_a_quarter_turn_about_the_vertical_by_hand():
    # A sensor turned by 90 degrees to the left sees what lies ahead (x) on its right (-y), and y ahead.
    seen = turned_columns(torch.tensor([[1.0, 0.0, 0.0, 1.0, 0.0, 0.0]]), torch.tensor([[0.0, 0.0, math.pi / 2]]))
    assert torch.allclose(seen, torch.tensor([[0.0, 1.0, -1.0, 0.0, 0.0, 0.0]]), atol=1e-6)


def test_no_error_changes_nothing():
    columns = rotation_columns(random_orientation(4, "cpu"))
    assert torch.allclose(turned_columns(columns, torch.zeros(4, 3)), columns, atol=1e-6)


def test_previews_that_compare_with_the_robot_are_late_too():
    cfg = resolved("rand_delay", "motion_preview", task="Tracking-Flat-G1-Multi-v0")
    assert set(lags(cfg)) == {*MEASURED, "preview_anchor_pos_b", "preview_anchor_ori_b"}
    assert not any(getattr(term, "delay_max_lag", 0) for term in vars(cfg.observations.critic).values())


def test_a_delay_takes_native_mujoco_step_by_step_and_gives_that_back_in_play():
    cfg, play = resolved("rand_delay"), resolved("rand_delay", play=True)
    check_delays(cfg)
    assert not cfg.sim.physics.solver_cfg.fold_decimation and cfg.scene.contact_forces.history_length == 3
    assert play.sim.physics.solver_cfg.fold_decimation and play.scene.contact_forces.history_length == 1
    cfg.sim.physics.solver_cfg.fold_decimation = True
    with pytest.raises(ValueError, match=r"presets=rand_delay, or set .*fold_decimation=false"):
        check_delays(cfg)
    check_delays(resolved("rand_delay", engine="ovphysx"))


@pytest.mark.parametrize("delay_range", [(2.0, 1.0), (-1.0, 1.0), (0.0, 1.0, 2.0)])
def test_a_range_of_delays_that_is_none_is_refused(delay_range):
    cfg = resolved("rand_delay")
    cfg.actions.joint_pos.delay_range = delay_range
    with pytest.raises(ValueError, match=r"delay_range` is .*such as \[0.0, 2.0\]"):
        check_delays(cfg)


@pytest.mark.parametrize("speeds", [[], [0.0, 1.0], [1.0, 1.0], [-0.5]])
def test_wrong_speeds_are_refused_before_the_simulator_starts(speeds):
    cfg = resolved()
    cfg.commands.motion.speeds = speeds
    with pytest.raises(ValueError, match="commands.motion.speeds"):
        load_task_clips(cfg)


def test_an_identity_does_not_go_with_several_speeds():
    with pytest.raises(ValueError, match="rand_time, or motion_one_hot"):
        load_task_clips(resolved("rand_time", "motion_one_hot", task="Tracking-Flat-G1-Multi-v0"))
