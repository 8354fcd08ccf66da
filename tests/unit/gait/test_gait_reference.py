"""The walk that a RefNN gives step by step: what a policy tracks."""

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation
from small_refnn import small_refnn

from whole_body_tracking.gait.network.known_parameters import NAMES
from whole_body_tracking.gait.network.layout import decode
from whole_body_tracking.gait.network.reference import AFTER, BEFORE, NOW, GaitReference, quat_of_axes
from whole_body_tracking.gait.network.walked import realised_speed
from whole_body_tracking.robots import G1

pytestmark = pytest.mark.unit
DT = 0.02


@pytest.fixture(scope="module")
def walk():
    return GaitReference(small_refnn(), G1, DT)


def params(walk, **given):
    values = 0.5 * (walk.model.low + walk.model.high)
    for name, value in given.items():
        values[NAMES.index(name)] = value
    return values[None]


def test_a_walk_is_the_networks_motion_frame_by_frame(walk):
    """At 100 steps per minute a cycle takes 1.2 s, so that 0.02 s are 1 / 60 of it; decode integrates the same way."""
    wanted = params(walk, cadence=100.0)
    state, frames = walk.start(wanted, torch.tensor([0.25])), []
    for _ in range(40):
        frames.append(walk.window(state)[0, NOW])
        state = walk.advance(state, wanted)
    frames = torch.stack(frames)
    phase = 0.25 + torch.arange(40) / 60.0
    assert torch.allclose(frames[:, 0], phase % 1.0, atol=1e-5)
    outputs = walk.model(wanted.expand(40, -1), phase).double().numpy()
    motion = decode(outputs, 1.0 / DT)
    assert np.abs(frames[:, 8:].numpy() - motion.joint_pos).max() < 1e-5
    # Decode is the trapezium rule, the walk a sum: half a step of the first and the last velocity differ.
    assert np.abs(frames[:, 1:4].numpy() - motion.pos).max() < 0.5 * DT * 0.2
    turn = Rotation.from_quat(frames[:, 4:8].numpy()) * Rotation.from_quat(motion.quat).inv()
    assert turn.magnitude().max() < 0.5 * DT * 0.2


def test_velocities_are_central_differences_and_the_windows_of_neighbours_agree(walk):
    wanted = params(walk)
    first = walk.start(wanted, torch.tensor([0.1]))
    second = walk.advance(first, wanted)
    assert torch.equal(walk.window(second)[:, BEFORE], walk.window(first)[:, NOW])
    assert torch.equal(walk.window(second)[:, NOW], walk.window(first)[:, AFTER])
    state = walk.motion_state(first, G1.joint_names, G1.body_names[:1])
    window = walk.window(first)[0]
    assert torch.allclose(state.joint_vel[0], (window[AFTER, 8:] - window[BEFORE, 8:]) / (2 * DT), atol=1e-4)
    assert torch.allclose(state.body_lin_vel_w[0, 0], (window[AFTER, 1:4] - window[BEFORE, 1:4]) / (2 * DT), atol=1e-4)
    reversed_names = walk.motion_state(first, G1.joint_names[::-1], G1.body_names[:1])
    assert torch.equal(reversed_names.joint_pos, state.joint_pos.flip(-1))


def test_parameters_follow_what_is_wanted_without_a_jump(walk):
    """After a step 1 - exp(-0.02 / 0.5) = 3.92 % of the way; after 5 s all of it."""
    slow, fast = params(walk, speed=0.2), params(walk, speed=0.7)
    state = walk.advance(walk.start(slow, torch.zeros(1)), fast)
    assert walk.params(state)[0, 0].item() == pytest.approx(0.2 + 0.0392106 * 0.5, abs=1e-5)
    for _ in range(250):
        state = walk.advance(state, fast)
    assert walk.params(state)[0, 0].item() == pytest.approx(0.7, abs=1e-4)


def test_a_turning_walk_goes_in_a_circle():
    """0.4 m/s at 0.5 rad/s is a circle of 0.8 m; after half of it, 2 pi s, the robot is 1.6 m to its left."""
    model = small_refnn()
    model.output_std.fill_(0.0)
    model.output_mean[9] = 0.5
    walk = GaitReference(model, G1, DT)
    wanted = params(walk)
    state = walk.start(wanted, torch.zeros(1))
    for _ in range(round(2.0 * np.pi / DT)):
        state = walk.advance(state, wanted)
    assert walk.window(state)[0, NOW, 1:3].tolist() == pytest.approx([0.0, 1.6], abs=0.02)


def test_axes_become_the_orientation_they_are_of():
    turns = Rotation.from_euler("xyz", np.random.default_rng(0).uniform(-0.6, 0.6, (20, 3)))
    axes = torch.from_numpy(turns.as_matrix())
    found = quat_of_axes(2.0 * axes[:, :, 0], axes[:, :, 1] + 0.3 * axes[:, :, 0])  # scaled and not perpendicular
    assert (Rotation.from_quat(found.numpy()) * turns.inv()).magnitude().max() < 1e-6


def test_realised_speed_is_along_the_references_heading_after_the_first_second():
    """1 m/s along x for a second, then 0.5 m/s along y while the reference heads along y: 0.5."""
    steps = torch.arange(200)
    x, y = (steps.clamp(max=50) * DT), (steps - 50).clamp(min=0) * 0.5 * DT
    pos = torch.stack((x, y, torch.ones(200)), dim=-1)[:, None]
    quat = torch.tensor([0.0, 0.0, 0.5**0.5, 0.5**0.5]).expand(200, 1, 4)
    assert realised_speed(pos, quat, DT).item() == pytest.approx(0.5, abs=1e-3)
