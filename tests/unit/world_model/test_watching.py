"""When a world model counts as lost, and what happens then."""

from __future__ import annotations

import math
from types import SimpleNamespace

import pytest
import torch

from whole_body_tracking.world_model import watching
from whole_body_tracking.world_model.imagining.buffer import StepBuffer
from whole_body_tracking.world_model.imagining.dynamics import WorldModel, open_loop_errors
from whole_body_tracking.world_model.imagining.state import integrate
from whole_body_tracking.world_model.watching import (
    CONTACTS,
    MAX_STRIKES,
    ModelErrors,
    ModelWatch,
    describe,
    is_good,
    measure_model,
)

pytestmark = pytest.mark.unit

NAN = math.nan


def errors(ours: float, theirs: float, at_32: float = NAN) -> ModelErrors:
    return ModelErrors({1: 0.1, 8: ours, 32: at_32}, {1: 0.2, 8: theirs, 32: NAN})


def test_a_model_is_judged_after_eight_steps():
    assert errors(0.3, 0.6).ratio == pytest.approx(0.5) and is_good(errors(0.3, 0.6))
    assert not is_good(errors(0.6, 0.5))
    assert describe(errors(0.6, 0.5)).startswith("The world model's error after 8 steps is 1.20 times that of constant")


def test_without_windows_of_eight_steps_one_step_is_judged():
    assert errors(NAN, NAN).ratio == pytest.approx(0.5)
    nothing = ModelErrors(dict.fromkeys((1, 8, 32), NAN), dict.fromkeys((1, 8, 32), NAN))
    assert is_good(nothing)


def test_predictions_that_are_not_finite_are_bad():
    assert not is_good(errors(NAN, 0.5)) and "not finite" in describe(errors(NAN, 0.5))
    assert not is_good(errors(math.inf, 0.5))


FEET = SimpleNamespace(
    kinematics=SimpleNamespace(feet_on_ground=lambda state: (state[:, 15] > 0.0).long() + (state[:, 16] > 0.0).long())
)
"""A foot counts as standing while its joint turns forward, which here is for ever."""


def two_joint_world(num_steps: int = 12) -> tuple[WorldModel, StepBuffer]:
    """A model and a ring of robots that fall freely and turn at constant speed."""
    torch.manual_seed(0)
    model, buffer = WorldModel(torch.ones(2), 0.02, 8, 1, torch.float32), StepBuffer(20, 4, 17, 2, "cpu")
    state = torch.zeros(4, 17)
    state[:, 6], state[:, 15:] = 1.0, torch.tensor([[1.0, 2.0], [1.0, -1.0], [-0.5, -1.0], [0.5, 0.5]])
    ids = torch.zeros(4, dtype=torch.long)
    for _ in range(num_steps):
        buffer.add(state, torch.zeros(4, 2), torch.zeros(4, 2), ids, ids, torch.ones(4, dtype=torch.bool))
        state = integrate(state, torch.tensor([[0.0, 0.0, -9.81 * 0.02, 0, 0, 0, 0, 0]]).expand(4, -1), 0.02)
    return model, buffer


def test_constant_velocities_err_by_what_gravity_does():
    """After one step the speed is off by 9.81 * 0.02 = 0.1962 m/s and the height by 0.1962 * 0.02 m."""
    model, buffer = two_joint_world()
    model.feature_std.fill_(1.0)
    _, kept = open_loop_errors(model, *buffer.windows(16, 1))
    # Mean of 14 features, and twice the mean over 3 axes of the place.
    expected = (0.1962 + 0.003924) / 14 + 2.0 * 0.003924 / 3
    assert float(kept[0].mean()) == pytest.approx(expected, rel=1e-4)


def test_a_diverging_model_is_trained_alone_and_then_given_up(monkeypatch, capsys):
    monkeypatch.setattr(watching, "EXTRA_UPDATES", 3)
    model, buffer = two_joint_world()
    model.fit_normalizers(*(value for value in (buffer.state[0], buffer.target[0], buffer.state[1])))
    with torch.no_grad():
        model.network[-1].bias.fill_(1e4)
    calls = []
    watch = ModelWatch(SimpleNamespace(model=model, update_model=calls.append, imagination=FEET), buffer)
    for _ in range(MAX_STRIKES):
        assert not watch.is_lost
        assert "times that of constant velocities" in watch.check()[1]
    assert watch.is_lost and len(calls) == 3 * MAX_STRIKES
    assert "Training it alone for 3 updates" in capsys.readouterr().out
    with torch.no_grad():  # gravity, learnt by hand: the change of the third velocity
        model.network[-1].weight.zero_()
        model.network[-1].bias.zero_()
        model.network[-1].bias[2] = -9.81 * 0.02 / model.change_std[2]
    assert watch.check()[1] is None and watch.strikes == 0


def test_errors_are_told_by_contact():
    """Of four robots two have both feet on the ground, one has one and one none."""
    model, buffer = two_joint_world()
    model.feature_std.fill_(1.0)
    errors = measure_model(SimpleNamespace(model=model, imagination=FEET), buffer)
    feet = FEET.kinematics.feet_on_ground(buffer.state[0])
    assert feet.tolist() == [2, 1, 0, 2] and set(errors.by_contact) == set(CONTACTS)
    assert min(errors.by_contact.values()) <= errors.model[8] <= max(errors.by_contact.values())
    assert errors.scalars()["model_error_8_both_feet"] == errors.by_contact["both_feet"]
    with torch.no_grad():  # wrong for robots with both feet on the ground alone
        model.network = TurnsUp()
    worse = measure_model(SimpleNamespace(model=model, imagination=FEET), buffer).by_contact
    assert worse["both_feet"] > 5.0 * max(error for name, error in worse.items() if name != "both_feet")


class TurnsUp(torch.nn.Module):
    """A model that knows gravity but where both joints turn forward, and there adds 100 m/s a step."""

    def forward(self, inputs):
        change = torch.zeros(len(inputs), 8)
        change[:, 2] = -9.81 * 0.02 + 100.0 * (inputs[:, 12:14] > 0.0).all(-1)
        return change
