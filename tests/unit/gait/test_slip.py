"""Sliding of standing feet: nothing in a plan, the root's error in a plan whose root is wrong, and less with a loss."""

import numpy as np
import pytest
import torch
from gait_samples import planned
from small_refnn import small_refnn

from whole_body_tracking.gait.network.layout import RootMotion, encode
from whole_body_tracking.gait.network.slip import StandingFeet, standing
from whole_body_tracking.robots import G1

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def frames():
    """Parameters, phase and outputs of a planned walk in a turn, each frame and the one 0.02 s later."""
    plan = planned(4.0, speed=0.5, cadence=100.0, turn_rate=0.2)
    motion = RootMotion(plan.root_pos, plan.root_quat, plan.joint_pos)
    outputs = torch.from_numpy(encode(motion, plan.heading, plan.fps))
    params = torch.from_numpy(np.stack([plan.values[name] for name in plan.values], -1))
    return params[1:-2], torch.from_numpy(plan.phase)[1:-2], outputs[1:-2], outputs[2:-1]


def test_the_toes_of_a_planned_walk_stand(frames):
    """Root velocities are central differences, so that a step's way is right to its third order: 3 mm/s are left."""
    feet = StandingFeet(G1)
    assert feet.mean_square(*frames).sqrt() < 6e-3
    params, phase, first, second = frames
    assert torch.allclose(StandingFeet.later(params, phase), (phase + 0.02 * 100.0 / 120.0) % 1.0)


def test_a_root_that_is_too_fast_drags_the_toes_along(frames):
    """5 cm/s forwards: every standing point slides by 0.05 m/s, its square is 0.0025."""
    params, phase, first, second = (values.clone() for values in frames)
    first[:, 7] += 0.05
    second[:, 7] += 0.05
    assert StandingFeet(G1).mean_square(params, phase, first, second).item() == pytest.approx(0.0025, rel=0.05)


def test_a_swinging_foot_does_not_count(frames):
    """Both stand for 0.12 of the cycle from each touchdown, at the phases 0 and 0.5."""
    phase = torch.tensor([0.0, 0.119, 0.121, 0.499, 0.5, 0.619, 0.621, 0.99])
    left, right = standing(phase, torch.full((8,), 0.24)).T.tolist()
    assert left == [True, True, True, True, True, True, False, False]
    assert right == [True, True, False, False, True, True, True, True]
    params, phase, first, second = frames
    fast = StandingFeet(G1).velocities(first, second).norm(dim=-1).amax((0, 2))
    assert (fast > 1.0).all()  # m/s, in mid-swing


def test_the_loss_term_has_a_gradient_that_points_to_less_sliding():
    """A step of length 0.005 down the gradient changes the loss by -0.005 |gradient|, to first order."""
    model, feet = small_refnn().requires_grad_(True), StandingFeet(G1)
    params, phase = model.examples, torch.linspace(0.0, 0.99, len(model.examples))
    later = StandingFeet.later(params, phase)
    before = feet.mean_square(params, phase, model(params, phase), model(params, later))
    before.backward()
    norm = torch.stack([weights.grad.norm() for weights in model.parameters()]).norm()
    with torch.no_grad():
        for weights in model.parameters():
            weights -= 0.005 * weights.grad / norm
        after = feet.mean_square(params, phase, model(params, phase), model(params, later))
    assert (after - before).item() == pytest.approx(-0.005 * norm.item(), rel=0.1)
