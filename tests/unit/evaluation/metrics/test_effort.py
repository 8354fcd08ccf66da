"""Smoothness, energy and correlation on signals small enough to work out by hand."""

import math

import pytest
import torch

from whole_body_tracking.evaluation.metrics import effort
from whole_body_tracking.evaluation.metrics.reductions import correlation
from whole_body_tracking.tracking.joint_drive import drive_torque

pytestmark = pytest.mark.unit


def column(*values: float) -> torch.Tensor:
    """One rollout with one channel, shape [num_steps, 1, 1]."""
    return torch.tensor(values)[:, None, None]


def steps(count: int, valid: int | None = None) -> torch.Tensor:
    return (torch.arange(count) < (count if valid is None else valid))[:, None]


def test_action_rate_is_the_root_mean_square_of_changes():
    # changes 3 and 4: sqrt((9 + 16) / 2)
    assert effort.action_rate(column(0.0, 3.0, 7.0), steps(3)).item() == pytest.approx(math.sqrt(12.5))


def test_action_rate_ends_with_the_rollout():
    assert effort.action_rate(column(0.0, 3.0, 700.0), steps(3, valid=2)).item() == pytest.approx(3.0)


def test_constant_acceleration_has_no_jerk():
    assert effort.joint_jerk(column(0.0, 1.0, 2.0, 3.0), steps(4), 0.02).item() == pytest.approx(0.0, abs=1e-4)


def test_jerk_of_a_parabola():
    # v = t^2 has v'' = 2; sampled at 0, 0.5, 1.0, 1.5 s
    assert effort.joint_jerk(column(0.0, 0.25, 1.0, 2.25), steps(4), 0.5).item() == pytest.approx(2.0)


def test_power_counts_braking():
    # |2 * 3| and |2 * -3|
    assert effort.mean_power(column(2.0, 2.0), column(3.0, -3.0), steps(2)).item() == pytest.approx(6.0)


def test_cost_of_transport_is_energy_over_weight_times_distance():
    root = torch.tensor([[[0.0, 0.0, 0.8]], [[9.0, 9.0, 0.8]], [[3.0, 4.0, 0.9]]])
    # 100 W for 2 steps of 0.5 s is 100 J; 10 kg * 9.81 m/s^2 * 5 m
    cost = effort.cost_of_transport(torch.tensor([100.0]), root, steps(3), mass=10.0, step_dt=0.5)
    assert cost.item() == pytest.approx(100.0 / (10.0 * 9.81 * 5.0))


def test_a_robot_that_stays_has_no_cost_of_transport():
    root = torch.zeros(3, 1, 3)
    assert effort.cost_of_transport(torch.tensor([100.0]), root, steps(3), 10.0, 0.5).isnan().all()


@pytest.mark.parametrize(("factor", "expected"), [(2.0, 1.0), (-0.5, -1.0)])
def test_correlation_ignores_scale_and_offset(factor, expected):
    a = torch.randn(20, 1, 3, generator=torch.Generator().manual_seed(0))
    assert correlation(a, factor * a + 5.0, steps(20)).item() == pytest.approx(expected, abs=1e-5)


def test_correlation_by_hand():
    # about their means: (-1, 0, 1) and (-1, 2, -1): product 1 + 0 - 1 = 0; with the last step left out (-.5, .5) twice
    a, b = column(0.0, 1.0, 2.0), column(0.0, 3.0, 0.0)
    assert correlation(a, b, steps(3)).item() == pytest.approx(0.0, abs=1e-6)
    assert correlation(a, b, steps(3, valid=2)).item() == pytest.approx(1.0)


def test_correlation_with_something_that_stands_still_does_not_exist():
    assert correlation(column(1.0, 1.0), column(0.0, 3.0), steps(2)).isnan().all()


def test_drive_torque_is_clipped():
    torque = drive_torque(
        target=torch.tensor([1.0, 10.0, -10.0]),
        joint_pos=torch.zeros(3),
        joint_vel=torch.tensor([0.5, 0.0, 0.0]),
        stiffness=torch.tensor(20.0),
        damping=torch.tensor(4.0),
        limit=torch.tensor(50.0),
    )
    assert torque.tolist() == [18.0, 50.0, -50.0]  # 20 * 1 - 4 * 0.5
