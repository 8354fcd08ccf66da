"""What the motion command tells the sampler of earned rewards, by hand; without a simulator."""

import pytest
import torch
from fake_env import FakeEnv

pytestmark = pytest.mark.unit

FULL = 5.0 * 0.02
"""Positive weights of the default task, 0.5 + 0.5 + 1 + 1 + 1 + 1, times a step."""


def started() -> FakeEnv:
    """Four envs that aim at frames 1, 11, 49 and 49 of a clip in bins of 50 frames."""
    env = FakeEnv(start_sampling="return")
    env.motion.set_start(torch.arange(4), torch.zeros(4, dtype=torch.long), torch.tensor([0, 10, 48, 48]))
    env.episode_length_buf[:] = 0
    env.motion.compute(env.step_dt)
    env.episode_length_buf[:] = 1
    return env


def test_steps_count_in_the_bin_that_they_aimed_at():
    env = started()
    totals = env.motion.sampler.earnings.totals
    assert not totals.values.any(), "nothing is earned before a step"
    env.reward_buf = FULL * torch.tensor([1.0, 0.5, 0.2, -1.0])
    env.motion.compute(env.step_dt)
    assert (totals.values[:, 0] / totals.alpha).tolist() == pytest.approx([1.7, 4.0], rel=1e-4)
    assert not totals.values[:, 1:].any()


def test_a_failure_loses_the_rest_of_its_bin_and_a_time_out_does_not():
    """Aiming at 12, 50 and 50: env 1 loses frames 13 to 49, env 2 frames 51 to 99, env 3 ends in time."""
    env = started()
    env.motion.compute(env.step_dt)
    totals = env.motion.sampler.earnings.totals
    env.reward_buf = FULL * torch.tensor([0.0, 1.0, 0.25, 0.5])
    env.termination_manager.terminated[1:3] = True
    env.motion.reset(torch.tensor([1, 2, 3]))
    assert totals.new[:, 0].tolist() == pytest.approx([1.0, 1.0 + 37.0])
    assert totals.new[:, 1].tolist() == pytest.approx([0.75, 1.0 + 49.0 + 1.0])
