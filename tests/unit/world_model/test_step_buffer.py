"""The ring of real steps: windows, episodes and what is overwritten."""

from __future__ import annotations

import pytest
import torch

from whole_body_tracking.world_model.imagining.buffer import StepBuffer

pytestmark = pytest.mark.unit


def filled(num_rows: int, capacity: int, num_envs: int, seed: int, interrupted: tuple[int, ...] = ()) -> StepBuffer:
    """Rows whose state is (time, episode, env), with resets at random and at ``interrupted`` from outside."""
    generator = torch.Generator().manual_seed(seed)
    buffer = StepBuffer(capacity, num_envs, 3, 1, "cpu")
    episodes, envs = torch.zeros(num_envs), torch.arange(num_envs).float()
    for time in range(num_rows):
        if time in interrupted:
            buffer.interrupt()
            episodes += 1
        continues = torch.rand(num_envs, generator=generator) > 0.1
        state = torch.stack((torch.full_like(envs, time), episodes, envs), dim=-1)
        zeros = torch.zeros(num_envs, dtype=torch.long)
        buffer.add(state, state[:, :1], torch.zeros(num_envs, 1), zeros, zeros + time, continues)
        episodes = episodes + (~continues).float()
    return buffer


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("num_rows", "length"), [(30, 1), (30, 8), (50, 3), (97, 8), (128, 16)])
def test_windows_never_cross_a_reset(num_rows, length, seed):
    """Whatever the resets and wherever the ring has wrapped: one env, one episode, consecutive steps, still kept."""
    torch.manual_seed(seed)
    buffer = filled(num_rows, 40, 5, seed, interrupted=(13, 60))
    assert int(buffer.num_windows(length)) > 0
    states, targets = buffer.windows(300, length)
    assert states.shape == (length + 1, 300, 3) and targets.shape == (length, 300, 1)
    times, episodes, envs = states.unbind(-1)
    assert (times.diff(dim=0) == 1).all()
    assert (episodes == episodes[0]).all() and (envs == envs[0]).all()
    assert times.min() >= num_rows - 40
    assert torch.equal(targets[..., 0], times[:-1])


def test_every_window_that_exists_is_drawn():
    """One env, resets after steps 3 and 6 of 10: windows of two steps start at 0, 1, 4, 7."""
    buffer = StepBuffer(20, 1, 1, 1, "cpu")
    for time in range(10):
        ids, value = torch.zeros(1, dtype=torch.long), torch.full((1, 1), float(time))
        buffer.add(value, value, value, ids, ids, torch.tensor([time not in (3, 6)]))
    assert int(buffer.num_windows(2)) == 4
    assert set(buffer.windows(200, 2)[0][0].flatten().tolist()) == {0.0, 1.0, 4.0, 7.0}


def test_instants_are_of_the_rows_that_are_kept():
    torch.manual_seed(0)
    moment = filled(50, 40, 5, 0).moments(500)
    assert float(moment.state[:, 0].min()) == 10.0 and float(moment.state[:, 0].max()) == 49.0
    assert torch.equal(moment.frames.float(), moment.state[:, 0]) and torch.equal(moment.env_ids, moment.state[:, 2])
