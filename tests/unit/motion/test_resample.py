"""Change of rate and finite differences."""

import dataclasses
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from motion_samples import sway

from whole_body_tracking.motion.conversion.resample import (
    angular_velocity,
    linear_velocity,
    num_resampled_frames,
    resample,
)
from whole_body_tracking.motion.geometry.rotations import quat_exp, quat_mul, quat_rotate, quat_slerp

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("frames_in", "fps_out", "frames_out"), [(91, 30, 91), (91, 50, 151), (70, 50, 116), (300, 50, 499), (91, 25, 76)]
)
def test_resampling_keeps_the_last_frame(frames_in, fps_out, frames_out):
    motion = sway(frames_in)
    out = resample(motion, fps_out)
    assert out.num_frames == frames_out
    # 90/30 s = 3 s = 150/50 s; 69/30 s = 2.3 s = 115/50 s; 299/30 s lies between 498/50 and 499/50 s.
    if (frames_in - 1) * fps_out % 30 == 0:
        np.testing.assert_allclose(out.joint_pos[-1], motion.joint_pos[-1], atol=1e-12)


@given(st.integers(2, 2000), st.floats(5.0, 240.0), st.floats(5.0, 240.0))
@settings(max_examples=300, deadline=None)
def test_resampling_never_extrapolates_and_drops_less_than_a_step(frames_in, fps_in, fps_out):
    duration = (frames_in - 1) / fps_in
    end = (num_resampled_frames(frames_in, fps_in, fps_out) - 1) / fps_out
    assert end <= duration + 1.1e-6
    assert end > duration - 1.0 / fps_out


def test_resampling_at_the_same_rate_is_the_identity(raw):
    assert resample(raw, raw.fps) is raw


def test_every_input_frame_survives_at_a_multiple_of_the_rate(raw):
    out = resample(raw, 90)
    np.testing.assert_allclose(out.root_pos[::3], raw.root_pos, atol=1e-12)
    np.testing.assert_allclose(out.root_quat[::3], raw.root_quat, atol=1e-12)
    np.testing.assert_allclose(out.joint_pos[::3], raw.joint_pos, atol=1e-12)


def test_sign_of_quaternions_does_not_matter(raw):
    signs = np.where(np.arange(raw.num_frames) % 3 == 0, -1.0, 1.0)[:, None]
    flipped = resample(dataclasses.replace(raw, root_quat=raw.root_quat * signs), 50).root_quat
    same = np.abs((flipped * resample(raw, 50).root_quat).sum(-1))
    np.testing.assert_allclose(same, 1.0, atol=1e-12)


def test_slerp_turns_at_constant_rate():
    half_turn_about_x = torch.tensor([[math.sin(0.6), 0.0, 0.0, math.cos(0.6)]], dtype=torch.float64)
    identity = torch.tensor([[0.0, 0.0, 0.0, 1.0]], dtype=torch.float64)
    quarter = quat_slerp(identity, half_turn_about_x, torch.tensor([[0.25]], dtype=torch.float64))
    # 1.2 rad in all, so a quarter is 0.3 rad: sin and cos of 0.15.
    torch.testing.assert_close(quarter, torch.tensor([[math.sin(0.15), 0.0, 0.0, math.cos(0.15)]], dtype=torch.float64))


@pytest.mark.parametrize("fps", [0.0, -1.0, float("nan")])
def test_rate_must_be_positive(raw, fps):
    with pytest.raises(ValueError, match="rate is positive"):
        resample(raw, fps)


def test_rate_that_leaves_one_frame_is_refused(raw):
    with pytest.raises(ValueError, match=r"motion of 1 s has 1 frame at 0.5 fps, expected at least 2"):
        resample(raw, 0.5)


@pytest.mark.parametrize("fps", [25.0, 30.0, 50.0, 120.0])
@pytest.mark.parametrize("spin", [(0.0, 0.0, 1.0), (2.0, -1.0, 0.5), (0.0, 12.0, 0.0)])
def test_constant_spin_has_constant_angular_velocity(fps, spin):
    spin = torch.tensor(spin, dtype=torch.float64)
    time = torch.arange(40, dtype=torch.float64)[:, None] / fps
    start = torch.tensor([0.5, -0.5, 0.5, 0.5], dtype=torch.float64)
    quat = quat_mul(quat_exp(time * spin), start.expand(40, 4))
    torch.testing.assert_close(angular_velocity(quat, fps), spin.expand(40, 3), atol=1e-9, rtol=0.0)


def test_angular_velocity_ignores_signs():
    quat = torch.nn.functional.normalize(torch.randn(20, 5, 4, dtype=torch.float64, generator=_generator()), dim=-1)
    signs = torch.where(torch.rand(20, 5, 1, generator=_generator()) < 0.5, -1.0, 1.0)
    torch.testing.assert_close(angular_velocity(quat * signs, 50.0), angular_velocity(quat, 50.0))


def test_angular_velocity_is_in_the_world_frame():
    # Lying on its side (90 degrees about x), a body that spins about the env's z axis spins about its own y axis.
    time = torch.arange(10, dtype=torch.float64)[:, None] / 50.0
    lying = torch.tensor([math.sqrt(0.5), 0.0, 0.0, math.sqrt(0.5)], dtype=torch.float64)
    about_z = torch.tensor([0.0, 0.0, 1.0], dtype=torch.float64)
    quat = quat_mul(quat_exp(time * about_z), lying.expand(10, 4))
    torch.testing.assert_close(angular_velocity(quat, 50.0)[5], about_z)


def test_linear_velocity_of_a_parabola():
    # x = t^2: central differences give 2 t exactly, the one-sided ends are off by 1/fps.
    time = torch.arange(6, dtype=torch.float64) / 10.0
    velocity = linear_velocity(time**2, 10.0)
    expected = torch.tensor([0.1, 0.2, 0.4, 0.6, 0.8, 0.9], dtype=torch.float64)
    torch.testing.assert_close(velocity, expected)


def test_two_frames_are_enough():
    values = torch.tensor([[0.0], [1.0]], dtype=torch.float64)
    assert linear_velocity(values, 50.0).flatten().tolist() == [50.0, 50.0]
    quat = quat_exp(torch.tensor([[0.0, 0.0, 0.0], [0.0, 0.0, 0.02]], dtype=torch.float64))
    torch.testing.assert_close(angular_velocity(quat, 50.0)[:, 2], torch.ones(2, dtype=torch.float64))


def test_rotating_a_vector():
    # 90 degrees about z take x to y.
    quarter = quat_exp(torch.tensor([[0.0, 0.0, math.pi / 2]], dtype=torch.float64))
    rotated = quat_rotate(quarter, torch.tensor([[1.0, 0.0, 0.0]], dtype=torch.float64))
    torch.testing.assert_close(rotated, torch.tensor([[0.0, 1.0, 0.0]], dtype=torch.float64))


def _generator():
    return torch.Generator().manual_seed(0)
