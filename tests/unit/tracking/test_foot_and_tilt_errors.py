"""Style measures, drive torques and weighted means, with numbers worked out by hand."""

import math

import pytest
import torch

from whole_body_tracking.motion.geometry.rotations import quat_mul
from whole_body_tracking.tracking.foot_and_tilt_errors import body_weights, contact_match, squared_tilt, weighted_mean
from whole_body_tracking.tracking.joint_drive import mechanical_power

pytestmark = pytest.mark.unit


def turn(axis: str, angle: float) -> torch.Tensor:
    quat = torch.zeros(4)
    quat["xyz".index(axis)], quat[3] = math.sin(angle / 2), math.cos(angle / 2)
    return quat


def test_contacts_match_foot_by_foot():
    ref = torch.tensor([[0.0, 0.0], [0.0, 0.1], [0.1, 0.1]])
    robot = torch.tensor([[0.0, 0.1], [0.0, 0.1], [0.0, 0.0]])
    assert contact_match(ref, robot).tolist() == [0.5, 1.0, 0.0]  # one foot lifted; both right; both wrong


def test_a_foot_touches_below_two_centimetres():
    assert contact_match(torch.tensor([[0.0]]), torch.tensor([[0.019]])).item() == 1.0
    assert contact_match(torch.tensor([[0.0]]), torch.tensor([[0.021]])).item() == 0.0


def test_tilt_is_the_angle_of_a_lean():
    lean = squared_tilt(turn("x", 0.1)[None], turn("x", 0.4)[None])
    assert lean.sqrt().item() == pytest.approx(0.3, abs=1e-6)
    across = squared_tilt(turn("x", math.pi / 2)[None], turn("y", math.pi / 2)[None])
    assert across.sqrt().item() == pytest.approx(math.pi / 2, abs=1e-5)


def test_tilt_ignores_heading():
    lean = turn("y", 0.3)
    heading = quat_mul(turn("z", 1.2)[None], lean[None])
    assert squared_tilt(lean[None], heading).item() == pytest.approx(0.0, abs=1e-10)


def test_weights_are_by_name_and_one_elsewhere():
    weights = body_weights({"hand": 3.0}, ["foot", "hand"])
    assert weights == [1.0, 3.0]
    # (1 * 2 + 3 * 6) / 4 = 5
    assert weighted_mean(torch.tensor([[2.0, 6.0]]), torch.tensor(weights)).item() == 5.0


def test_equal_weights_are_the_mean():
    values = torch.rand(5, 4)
    assert torch.allclose(weighted_mean(values, torch.full((4,), 2.0)), values.mean(-1))


def test_a_misspelt_body_is_refused():
    with pytest.raises(ValueError, match=r"tracked body.*'left_hnad'\. Known: left_hand\."):
        body_weights({"left_hnad": 2.0}, ["left_hand"])


@pytest.mark.parametrize("weight", [0.0, -1.0, math.nan])
def test_a_weight_that_is_not_positive_is_refused(weight):
    with pytest.raises(ValueError, match="must be above 0"):
        body_weights({"hand": weight}, ["hand"])


def test_power_counts_braking():
    # |2 * 3| + |-4 * 0.5| = 8 W
    assert mechanical_power(torch.tensor([[2.0, -4.0]]), torch.tensor([[3.0, 0.5]])).tolist() == [8.0]
