"""What the demo plans and how it words its result."""

import pytest
import torch

from whole_body_tracking.demo import make_plan, unmet_targets
from whole_body_tracking.demo.run import DemoPlan, between_failures, training_command

pytestmark = pytest.mark.unit


def test_a_policy_that_reaches_every_target_misses_none():
    assert unmet_targets({"success": 0.95, "tracking_reward": 0.9, "r_mpkpe": 0.03}) == []


def test_what_is_not_reached_is_said_with_its_numbers():
    sentences = unmet_targets({"success": 0.5, "tracking_reward": 0.7, "r_mpkpe": 0.081})
    assert len(sentences) == 3
    assert "50%" in sentences[0] and "90%" in sentences[0]
    assert "70%" in sentences[1]
    assert "0.081 m" in sentences[2]


def test_a_budget_without_training_time_is_refused():
    with pytest.raises(ValueError, match=r"at least 2\.25 minutes, got 1"):
        make_plan(1.0)


@pytest.fixture
def without_cuda(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


@pytest.mark.parametrize(("trainer", "cores", "found"), [
    ("auto", 8, ("world_model", 2)), ("auto", 1, ("world_model", 1)), ("ppo", 8, ("ppo", 1)),
])  # fmt: skip
def test_a_cpu_has_the_world_model_in_two_processes(without_cuda, monkeypatch, trainer, cores, found):
    monkeypatch.setattr("os.cpu_count", lambda: cores)
    plan = make_plan(6.0, trainer)
    assert (plan.trainer, plan.num_processes) == found
    is_dearer = "env.rewards.motion_global_anchor_pos.weight=2.0" in plan.training_settings
    assert is_dearer == (plan.trainer == "world_model")


def test_a_gpu_has_ppo(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert make_plan(6.0).trainer == "ppo"
    with pytest.raises(ValueError, match="plan for a GPU is PPO's"):
        make_plan(6.0, "world_model")


def test_an_unknown_trainer_is_refused():
    with pytest.raises(ValueError, match="auto, world_model, ppo"):
        make_plan(6.0, "sac")


def test_each_process_has_its_share():
    """256 envs, 512 windows, 256 rollouts and 102,400 steps in all."""
    plan = DemoPlan("Task", "Task", 256, "mujoco_cpu", 1.0, None, trainer="world_model", num_processes=2)
    words = [*map(str, training_command(plan))]
    assert words[words.index("--nproc_per_node") + 1] == "2" and words.count("--distributed") == 1
    assert words.index("--distributed") > next(
        i for i, word in enumerate(words) if word.endswith("world_model/train.py")
    )
    expected = {"--num_envs": "128", "--model_batch": "256", "--policy_batch": "128", "--buffer_size": "51200"}
    assert {flag: words[words.index(flag) + 1] for flag in expected} == expected


def test_one_process_needs_no_launcher():
    for trainer, script in (("world_model", "world_model/train.py"), ("ppo", "rsl_rl/train.py")):
        words = [*map(str, training_command(DemoPlan("Task", "Task", 256, "mujoco_cpu", 1.0, None, trainer=trainer)))]
        assert words[1].endswith(script) and "--distributed" not in words
        assert words[words.index("--num_envs") + 1] == "256"


def test_time_between_failures_is_that_of_all_rows_together():
    """20 s with 4 failures, 20 s with none (told as 20 s) and 20 s with one: 60 s and 5 failures."""
    rows = [{"robot_seconds_per_failure": 5.0, "failures": 4}, {"robot_seconds_per_failure": 20.0, "failures": 0}]
    rows.append({"robot_seconds_per_failure": 20.0, "failures": 1})
    assert between_failures(rows) == 12.0
    assert between_failures(rows[1:2]) == 20.0
