"""Rewards of walking by command that Isaac Lab does not ship, and the guard around those that it does."""

import importlib
import math
from types import SimpleNamespace

import pytest
import torch

from whole_body_tracking.robots import G1

pytestmark = pytest.mark.unit

rewards = importlib.import_module("whole_body_tracking.tasks.locomotion.mdp.rewards")
"""Not "from ... import rewards": the package also gives Isaac Lab's module of that name."""


def proxy(*values) -> SimpleNamespace:
    return SimpleNamespace(torch=torch.tensor(values))


def test_jerk_is_the_second_difference_of_velocities_from_the_third_step_on():
    data = SimpleNamespace(joint_vel=proxy([0.0, 0.0]))
    robot = SimpleNamespace(data=data, num_joints=2)
    env = SimpleNamespace(scene={"robot": robot}, num_envs=1, device="cpu", step_dt=0.1)
    term = rewards.joint_jerk(SimpleNamespace(params={"unit": 10.0}), env)
    found = []
    for velocity in ([0.0, 1.0], [1.0, 1.0], [4.0, 1.0], [4.0, math.nan]):
        data.joint_vel = proxy(velocity)
        found.append(term(env, unit=10.0).item())
    # Third step: (4 - 2 + 0, 1 - 2 + 1) / 0.1^2 / 10 = (20, 0), mean square 200. The last is not finite.
    assert found == pytest.approx([0.0, 0.0, 200.0, 0.0])
    term.reset([0])
    assert term(env, unit=10.0).item() == 0.0


def test_cost_of_transport_is_at_the_commanded_speed(monkeypatch):
    monkeypatch.setattr(rewards, "joint_power", lambda env: torch.tensor([100.0, 100.0, math.nan]))
    commands = torch.tensor([[0.3, 0.4, 9.0], [0.0, 0.0, 1.0], [0.5, 0.0, 0.0]])
    manager = SimpleNamespace(get_command=lambda name: commands)
    env = SimpleNamespace(command_manager=manager, cfg=SimpleNamespace(robot_name="g1"))
    weight = G1.total_mass * 9.81
    cost = rewards.cost_of_transport(env, "base_velocity", min_speed=0.25)
    assert cost.tolist() == pytest.approx([100.0 / (weight * 0.5), 100.0 / (weight * 0.25), 0.0])


def test_a_heading_counts_for_those_that_are_told_one():
    def flags(*values):
        return torch.tensor(values)

    command = SimpleNamespace(
        heading_target=torch.tensor([1.0, 1.0, 1.0, math.pi]),
        robot=SimpleNamespace(data=SimpleNamespace(heading_w=proxy(0.5, 0.5, 0.5, -math.pi))),
        is_heading_env=flags(True, False, True, True),
        is_standing_env=flags(False, False, True, False),
    )
    env = SimpleNamespace(command_manager=SimpleNamespace(get_term=lambda name: command))
    # Told a heading: exp(-0.5^2 / 0.5^2). Told a turning rate, or to stand: 1. The last has no error.
    assert rewards.track_heading_exp(env, "base_velocity", std=0.5).tolist() == pytest.approx([math.exp(-1.0), 1, 1, 1])


def test_guided_envs_are_told_the_headings_of_their_reference(monkeypatch):
    """Also where the draw said turning rate."""
    commands = importlib.import_module("whole_body_tracking.tasks.locomotion.mdp.scheduled_commands")
    monkeypatch.setattr(commands.UniformVelocityCommand, "_update_command", lambda self: None)
    quarter = torch.tensor([0.0, 0.0, math.sin(math.pi / 4), math.cos(math.pi / 4)])
    motion = SimpleNamespace(
        clip_ids=torch.zeros(2, dtype=torch.long), frames=torch.zeros(2, dtype=torch.long), root_idx=0,
        reference=SimpleNamespace(body_quat_w=quarter.repeat(2, 1, 1)), guided=torch.tensor([True, False]),
    )  # fmt: skip
    ranges = SimpleNamespace(ang_vel_z=(-1.0, 1.0))
    command = commands.GuidedVelocityCommand.__new__(commands.GuidedVelocityCommand)
    vars(command).update(
        cfg=SimpleNamespace(motion_name="motion", ranges=ranges, heading_control_stiffness=1.0),
        _env=SimpleNamespace(command_manager=SimpleNamespace(get_term=lambda name: motion)),
        _table=(torch.zeros(1, 3), torch.zeros(1, dtype=torch.long)),
        robot=SimpleNamespace(data=SimpleNamespace(heading_w=proxy(0.0, 0.0))),
        vel_command_b=torch.zeros(2, 3), heading_target=torch.zeros(2),
        is_heading_env=torch.tensor([False, False]), is_standing_env=torch.tensor([True, True]),
    )  # fmt: skip
    command._update_command()
    assert command.heading_target.tolist() == pytest.approx([math.pi / 2, 0.0])
    assert (command.is_heading_env.tolist(), command.is_standing_env.tolist()) == ([True, False], [False, True])


def test_isaac_labs_terms_are_guarded_and_keep_their_arguments():
    guarded = rewards.finite(lambda env, std: torch.tensor([1.0, math.nan, math.inf]))
    assert guarded(None, std=1.0).tolist() == [1.0, 0.0, 0.0]
    assert rewards.track_lin_vel_xy_yaw_frame_exp.__name__ == "track_lin_vel_xy_yaw_frame_exp"
    assert rewards.track_lin_vel_xy_yaw_frame_exp.__module__ == rewards.__name__


def test_the_command_is_checked_before_a_simulator_starts():
    from whole_body_tracking.tasks.locomotion.command_check import check_command
    from whole_body_tracking.tasks.locomotion.config.g1.velocity_g1_env_cfg import G1VelocityEnvCfg

    for change, said in (
        (lambda c: setattr(c.ranges, "lin_vel_x", (1.0, 0.0)), r"`lin_vel_x`.*\(1.0, 0.0\), expected low <= high"),
        (lambda c: setattr(c.ranges, "lin_vel_y", (0.0, math.nan)), "`lin_vel_y`"),
        (lambda c: setattr(c.ranges, "heading", None), "heading` is None, expected two numbers"),
        (lambda c: setattr(c, "rel_standing_envs", 1.5), "rel_standing_envs` is 1.5, expected a share"),
        (lambda c: setattr(c, "heading_command", False), "heading_command` is False"),
    ):
        cfg = G1VelocityEnvCfg()
        check_command(cfg)
        change(cfg.commands.base_velocity)
        with pytest.raises(ValueError, match=said):
            check_command(cfg)
