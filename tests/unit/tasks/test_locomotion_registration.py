"""The locomotion tasks are found by name, resolve on every engine, and can be mirrored."""

from pathlib import Path

import gymnasium as gym
import pytest
from isaaclab_tasks.utils import resolve_task_config

import whole_body_tracking.tasks  # noqa: F401
from whole_body_tracking.rl.learning.symmetry import KINDS, require_mirror_images
from whole_body_tracking.robots import G1

pytestmark = pytest.mark.unit

VELOCITY, SCHEDULE, MODES = "Velocity-Flat-G1-v0", "Velocity-Flat-G1-Schedule-v0", "Velocity-Flat-G1-Modes-v0"


@pytest.mark.parametrize("task", [VELOCITY, SCHEDULE, MODES])
@pytest.mark.parametrize("engine", ["mujoco_cpu", "newton_mjwarp", "ovphysx"])
def test_a_task_resolves_on_every_engine(task, engine):
    assert gym.spec(task).kwargs["default_agent"] == "rsl_rl"
    for agent in ("rsl_rl_cfg_entry_point", "rsl_rl_cpu_cfg_entry_point"):
        cfg, agent_cfg = resolve_task_config(task, agent, overrides=[f"physics={engine}"])
    assert cfg.scene.contact_forces.track_air_time and agent_cfg.actor.hidden_dims == [256, 128, 64]
    assert cfg.scene.contact_forces.history_length == (1 if engine == "mujoco_cpu" else 3)
    assert cfg.rewards.foot_slip.params["asset_cfg"].body_names == list(G1.foot_body_names)


def test_play_has_no_noise_and_no_reference():
    cfg, _ = resolve_task_config(SCHEDULE, "rsl_rl_cfg_entry_point", play_mode=True, overrides=[])
    assert cfg.commands.motion.first_phase == -1 and cfg.curriculum is None
    assert not cfg.observations.policy.enable_corruption
    assert sorted(name for name, term in vars(cfg.events).items() if term) == ["start_joints", "start_root"]


def test_a_velocity_command_mirrors_to_the_other_side():
    cfg, _ = resolve_task_config(VELOCITY, "rsl_rl_cfg_entry_point", overrides=["presets=mirror_symmetry"])
    require_mirror_images(cfg)
    assert KINDS[cfg.observations.policy.velocity_commands.func.__name__] == (1.0, -1.0, -1.0)


def test_wrong_phases_are_refused_before_the_simulator_starts(monkeypatch):
    cfg, _ = resolve_task_config(SCHEDULE, "rsl_rl_cfg_entry_point", overrides=["physics=mujoco_cpu"])
    cfg.validate_config()
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ValueError, match="Phases by success count the episodes of one process"):
        cfg.validate_config()
    cfg.commands.motion.phase_steps = [10, 20, 30]
    cfg.validate_config()
    cfg.commands.motion.phase_weights = [1.0, 0.2]
    with pytest.raises(ValueError, match="expected numbers that fall from at most 1 to 0"):
        cfg.validate_config()


def test_the_numbers_of_the_phases_are_those_of_the_docs():
    page = (Path(__file__).parents[3] / "docs" / "tasks.md").read_text()
    section = page.split("## From a reference")[1].split("\n## ")[0]
    rows = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| ")][1:]
    cfg, _ = resolve_task_config(SCHEDULE, "rsl_rl_cfg_entry_point", overrides=["physics=mujoco_cpu"])
    assert len(rows) == 6
    for name, numbers, _ in rows:
        value = getattr(cfg.commands.motion, name)
        assert [float(number) for number in numbers.split(", ")] == (value if isinstance(value, list) else [value])
