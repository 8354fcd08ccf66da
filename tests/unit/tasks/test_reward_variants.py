"""What the reward presets change, and that nothing does without them."""

import pytest
from isaaclab_tasks.utils import resolve_task_config

import whole_body_tracking.tasks  # noqa: F401
from whole_body_tracking.tasks.tracking.config_check import load_task_clips
from whole_body_tracking.tasks.tracking.mdp.curriculums import std_scale

pytestmark = pytest.mark.unit

TASK = "Tracking-Flat-G1-v0"
STYLE_TERMS = {"foot_contacts", "foot_heights", "root_tilt", "arm_joints"}
COM_TERMS = {"com_pos", "com_lin_vel"}


def resolved(*presets: str, task: str = TASK, overrides: tuple[str, ...] = ()):
    selectors = [f"presets={','.join(presets)}"] if presets else []
    return resolve_task_config(task, "rsl_rl_cfg_entry_point", overrides=[*selectors, *overrides])[0]


def active(cfg) -> set[str]:
    return {name for name, term in vars(cfg).items() if hasattr(term, "func")}


def test_the_schedule_falls_by_equal_shares():
    # from 1.5 to 0.5: a third in all, so the square root of a third at half time
    assert std_scale(0, 100, 1.5, 0.5) == 1.5
    assert std_scale(50, 100, 1.5, 0.5) == pytest.approx(1.5 * (1.0 / 3.0) ** 0.5)
    assert std_scale(100, 100, 1.5, 0.5) == std_scale(1000, 100, 1.5, 0.5) == 0.5


@pytest.mark.parametrize("numbers", [(0, 1.5, 0.5), (10, 0.0, 0.5), (10, 1.5, -1.0)])
def test_a_schedule_of_numbers_that_are_not_positive_is_refused(numbers):
    with pytest.raises(ValueError, match="positive"):
        std_scale(1, *numbers)


def test_nothing_is_on_by_default():
    cfg = resolved()
    assert not active(cfg.rewards) & ({"joint_power"} | STYLE_TERMS | COM_TERMS)
    assert active(cfg.curriculum) == set()
    assert cfg.rewards.motion_body_pos.params["body_weights"] is None


@pytest.mark.parametrize("task", [TASK, "Tracking-Flat-G1-Demo-v0", "Tracking-Flat-G1-Multi-v0"])
def test_variants_combine(task):
    names = ("reward_tightening", "reward_end_effectors", "reward_energy", "reward_style", "reward_com")
    cfg, baseline = resolved(*names, task=task), resolved(task=task)
    assert active(cfg.rewards) - active(baseline.rewards) == {"joint_power"} | STYLE_TERMS | COM_TERMS
    assert active(cfg.curriculum) == {"tracking_std"}
    weights = cfg.rewards.motion_body_pos.params["body_weights"]
    assert weights == cfg.rewards.motion_body_ori.params["body_weights"]
    assert set(weights) == set(cfg.terminations.ee_body_pos.params["body_names"])
    assert load_task_clips(cfg)


def test_the_schedule_has_one_place_to_change():
    cfg = resolved("reward_tightening", overrides=("env.curriculum.tracking_std.params.num_steps=2400",))
    assert cfg.curriculum.tracking_std.params["num_steps"] == 2400
    kernels = {name for name in active(cfg.rewards) if "std" in getattr(cfg.rewards, name).params}
    assert set(cfg.curriculum.tracking_std.params["term_names"]) == kernels


def test_a_misspelt_body_weight_is_refused_before_the_simulator_starts():
    cfg = resolved("reward_end_effectors")
    cfg.rewards.motion_body_pos.params["body_weights"] = {"left_hnad": 2.0}
    with pytest.raises(ValueError, match="left_hnad"):
        load_task_clips(cfg)
