"""The modes task's config: where its clips come from, what counts in which mode, and what is refused."""

import json
import re
from copy import deepcopy
from functools import cache
from types import SimpleNamespace

import pytest
import torch
from isaaclab_tasks.utils import resolve_task_config

import whole_body_tracking.tasks  # noqa: F401
from whole_body_tracking.motion.defaults import DEFAULT_MOTION_FILE, DEFAULT_WALK_FILE
from whole_body_tracking.rl.checkpoint_fit import require_policy_of_task
from whole_body_tracking.rl.learning.until import check_until
from whole_body_tracking.tasks.locomotion.mdp import mode_terms
from whole_body_tracking.tasks.locomotion.mode_check import modes_of, use_modes
from whole_body_tracking.tasks.locomotion.modes_env_cfg import REWARDS_WITHOUT_CLIP

pytestmark = pytest.mark.unit

TASK, VELOCITY = "Velocity-Flat-G1-Modes-v0", "Velocity-Flat-G1-v0"


@cache
def _resolved(task, play):
    return resolve_task_config(task, "rsl_rl_cfg_entry_point", play_mode=play, overrides=["physics=mujoco_cpu"])[0]


def resolved(task=TASK, play=False):
    return deepcopy(_resolved(task, play))


@pytest.fixture
def cfg():
    return resolved()


def test_the_clips_are_those_of_the_modes(cfg):
    cfg.validate_config()
    assert cfg.commands.motion.motion_files == [str(DEFAULT_MOTION_FILE)]
    given = SimpleNamespace(task=TASK, modes=["squat", "walk", f"stroll={DEFAULT_WALK_FILE}"])
    cfg.commands.motion.motion_files = []
    use_modes(given, cfg)
    cfg.validate_config()
    cfg.validate_config()  # again, as Isaac Lab does when the environment is made
    assert cfg.commands.motion.motion_files == [str(DEFAULT_MOTION_FILE), str(DEFAULT_WALK_FILE)]
    assert modes_of(cfg) == ["squat", "walk", "stroll"] and modes_of(resolved(VELOCITY)) is None


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("modes", ["stand", "hop", "squat"], "Unknown mode: 'hop'. Known: stand, walk, turn, squat, NAME=FILE.npz"),
        ("modes", "stand", "is the text 'stand', expected a list"),
        ("motion_files", ["dance.npz"], "The clips of this task are those of its modes"),
        ("mode_time", (4.0, 3.0), "`commands.motion.mode_time` is (4.0, 3.0), expected two positive times"),
        ("clip_pause", (0.0, 1.0), "`commands.motion.clip_pause` is (0.0, 1.0)"),
        ("standing_starts", 1.5, "`commands.motion.standing_starts` is 1.5, expected a share"),
    ],
)
def test_wrong_settings_are_refused_before_the_simulator_starts(cfg, name, value, said):
    setattr(cfg.commands.motion, name, value)
    with pytest.raises(ValueError, match=re.escape(said)):
        cfg.validate_config()


def test_modes_are_refused_for_a_task_without():
    with pytest.raises(ValueError, match="--modes is for Velocity-Flat-G1-Modes-v0, and Velocity-Flat-G1-v0 has none"):
        use_modes(SimpleNamespace(task=VELOCITY, modes=["stand", "squat"]), resolved(VELOCITY))


def test_a_training_does_not_stop_by_the_clips_alone(cfg):
    with pytest.raises(ValueError, match="--until plays clips alone, and .* has modes without one"):
        check_until(SimpleNamespace(task=TASK, until=0.9, json=None), cfg)


def test_a_policy_of_other_modes_is_refused(cfg, tmp_path):
    observed = [*vars(cfg.observations.policy)]
    terms = [{"name": name} for name in observed if hasattr(getattr(cfg.observations.policy, name), "func")]
    spec = {"task": TASK, "action_kind": "default_relative", "control_dt": 0.02, "observations": terms}
    (tmp_path / "exported").mkdir()
    for modes in (["stand", "walk", "turn", "squat"], ["walk", "stand", "turn", "squat"]):
        spec["modes"] = [{"name": name} for name in modes]
        (tmp_path / "exported" / "policy.json").write_text(json.dumps(spec))
        if modes[0] == "stand":
            require_policy_of_task(cfg, tmp_path / "model_1.pt")
    with pytest.raises(ValueError, match="modes walk stand turn squat, here stand walk turn squat"):
        require_policy_of_task(cfg, tmp_path / "model_1.pt")


def test_rewards_of_walking_are_the_velocity_tasks_and_do_not_count_with_a_clip(cfg):
    plain = resolved(VELOCITY)
    for name in vars(plain.rewards):
        term, own = getattr(plain.rewards, name), getattr(cfg.rewards, name)
        if not hasattr(term, "weight"):
            continue
        assert (own.weight, own.func.__name__) == (term.weight, term.func.__name__), name
        assert (own.func.__module__ == mode_terms.__name__) == (name in REWARDS_WITHOUT_CLIP), name
    guided = SimpleNamespace(guided=torch.tensor([True, False]))
    env = SimpleNamespace(command_manager=SimpleNamespace(get_term=lambda name: guided))
    assert mode_terms._without_clip(lambda env: torch.tensor([2.0, 3.0]))(env).tolist() == [0.0, 3.0]
    assert mode_terms._without_clip(lambda env: torch.tensor([True, True]))(env).tolist() == [False, True]


def test_play_starts_standing_and_still_changes_modes():
    cfg = resolved(play=True)
    assert cfg.commands.motion.standing_starts == 1.0 and cfg.commands.motion.mode_time == (3.0, 6.0)
    assert not cfg.observations.policy.enable_corruption
