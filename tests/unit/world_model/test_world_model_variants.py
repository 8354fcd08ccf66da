"""Several models, a value at the end of imagined rollouts, and starts where the sampler says: numbers by hand."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from whole_body_tracking.world_model.checkpoint import changed_settings
from whole_body_tracking.world_model.imagining.buffer import StepBuffer
from whole_body_tracking.world_model.imagining.dynamics import WorldModel, window_loss
from whole_body_tracking.world_model.imagining.ensemble import Ensemble, make_model
from whole_body_tracking.world_model.imagining.value import TARGET_RATE, HorizonValue
from whole_body_tracking.world_model.learner import average_share
from whole_body_tracking.world_model.settings import WorldModelSettings

pytestmark = pytest.mark.unit


def one_model() -> WorldModel:
    return WorldModel(torch.ones(2), 0.02, 8, 1, torch.float32)


def some_states(num: int) -> torch.Tensor:
    states = torch.randn(num, 17)
    states[:, 3:7] = nn.functional.normalize(states[:, 3:7], dim=-1)
    return states


def test_each_row_is_predicted_by_one_model():
    """Seven rows by three models: three, two and two."""
    torch.manual_seed(0)
    ensemble, states, targets = Ensemble(one_model, 3), some_states(7), torch.randn(7, 2)
    found = ensemble(states, targets)
    for rows, model in zip((slice(0, 3), slice(3, 5), slice(5, 7)), ensemble.members, strict=True):
        assert torch.allclose(found[rows], model(states[rows], targets[rows]))
    assert not torch.allclose(ensemble.members[0](states, targets), ensemble.members[1](states, targets))
    assert isinstance(make_model(one_model, 1), WorldModel)


def test_a_model_learns_from_its_own_windows_alone():
    torch.manual_seed(0)
    ensemble = Ensemble(one_model, 2)
    states, targets = torch.stack([some_states(4) for _ in range(3)]), torch.randn(2, 4, 2)
    ensemble.fit_normalizers(states[0], targets[0], states[1])
    assert torch.equal(ensemble.members[0].input_mean, ensemble.members[1].input_mean)
    loss = window_loss(ensemble, states, targets)
    halves = slice(0, 2), slice(2, 4)
    shares = [window_loss(ensemble.members[i], states[:, half], targets[:, half]) for i, half in enumerate(halves)]
    assert loss.item() == pytest.approx(sum(shares).item() / 2.0, rel=1e-5)
    expected = torch.autograd.grad(shares[0], ensemble.members[0].network[-1].bias)[0] / 2.0
    loss.backward()
    assert torch.allclose(ensemble.members[0].network[-1].bias.grad, expected, atol=1e-7)


def test_a_value_is_the_discounted_cost_and_what_follows():
    """Costs 1 and 2, discount 0.5, 4 afterwards: 1 + 0.5 * 2 + 0.25 * 4 = 3; where the clip ends: 2."""
    value = HorizonValue(3, 0.5)
    with torch.no_grad():
        for network, constant in ((value.network, 1.0), (value.target, 4.0)):
            network[-1].weight.zero_()
            network[-1].bias.fill_(constant)
    costs, rows = torch.tensor([[1.0, 1.0], [2.0, 2.0]]), torch.randn(2, 3)
    loss = value.loss(rows, costs, rows, torch.tensor([True, False]))
    assert loss.item() == pytest.approx(((3.0 - 1.0) ** 2 + (2.0 - 1.0) ** 2) / 2.0)
    value.follow()
    assert float(value.target[-1].bias) == pytest.approx(4.0 + TARGET_RATE * (1.0 - 4.0))
    loss.backward()
    assert value.target[-1].bias.grad is None and float(value.network[-1].bias.grad) == pytest.approx(-3.0)


def test_a_value_is_learnt():
    """Cost 1 in every step for ever: 1 / (1 - 0.5) = 2."""
    torch.manual_seed(0)
    value, rows = HorizonValue(3, 0.5), torch.randn(32, 3)
    optimizer = torch.optim.Adam(value.network.parameters(), lr=1e-2)
    for _ in range(60):
        optimizer.zero_grad()
        value.loss(rows, torch.ones(4, 32), rows, torch.ones(32, dtype=torch.bool)).backward()
        optimizer.step()
        value.follow()
    assert value(rows).mean().item() == pytest.approx(2.0, abs=0.15)


def test_starts_are_where_the_sampler_says_whatever_the_buffer_has():
    """Bins of three frames: the buffer is in bin 0 six times and in bin 1 twice, and never in bin 2; p = 0.2, 0.6, 0.2.

    Weights are 0.2 / 6 and 0.6 / 2, nothing for rows that are not in use: three of four starts are in bin 1.
    """
    torch.manual_seed(0)
    buffer, ids = StepBuffer(6, 2, 1, 1, "cpu"), torch.zeros(2, dtype=torch.long)
    for frame in range(4):
        values = torch.full((2, 1), float(frame))
        buffer.add(values, values, values, ids, ids + frame, torch.ones(2, dtype=torch.bool))
    weights = buffer.weights_by(lambda clips, frames: frames // 3, torch.tensor([0.2, 0.6, 0.2]))
    assert torch.allclose(weights[:, 0], torch.tensor([0.2 / 6] * 3 + [0.6 / 2] + [0.0] * 2))
    frames = buffer.moments(4000, weights).frames
    assert int(frames.max()) == 3 and float((frames == 3).float().mean()) == pytest.approx(0.75, abs=0.03)


def test_the_average_is_quick_at_first():
    """9 / 10 and 9 / 100, then the rate; a rate above that is kept."""
    assert [average_share(n, 0.02) for n in (0, 90, 440, 10_000)] == pytest.approx([0.9, 0.09, 0.02, 0.02])
    assert average_share(90, 0.5) == 0.5


def test_settings_that_a_checkpoint_had_otherwise_are_told():
    before = {"horizon": 16, "policy_rate": 4e-3, "of_an_older_version": 1}
    assert changed_settings(before, WorldModelSettings()) == ["--horizon from 16 to 32"]
    assert changed_settings({}, WorldModelSettings()) == []


def test_noise_is_a_share_of_the_change_of_velocity():
    """Nothing is predicted to change: velocities get half the standard deviation of their change, places dt of it."""
    torch.manual_seed(0)
    model, states, targets = one_model(), some_states(20_000), torch.zeros(20_000, 2)
    with torch.no_grad():
        model.network[-1].weight.zero_()
        model.change_std.copy_(torch.linspace(0.2, 1.6, 8))
        moved = model(states, targets, noise=0.5) - states
        assert torch.equal(model(states, targets), model(states, targets))
    joints, speeds = moved[:, 13:15], moved[:, 15:17]
    assert torch.allclose(speeds.std(0), torch.tensor([0.7, 0.8]), rtol=0.02)
    assert torch.allclose(joints - 0.02 * states[:, 15:17], 0.02 * speeds, atol=1e-6)
    ensemble = Ensemble(lambda: model, 2)
    assert not torch.equal(ensemble(states, targets, 0.5), ensemble(states, targets, 0.5))
