"""Formulas of the report, with numbers worked out by hand."""

import math

import pytest
import torch

from whole_body_tracking.priors.baselines import baseline_rollout
from whole_body_tracking.priors.measuring import accuracy, bodies
from whole_body_tracking.priors.measuring.rollouts import all_rollouts, cut_windows, measure
from whole_body_tracking.priors.motion_model import MotionModel
from whole_body_tracking.priors.networks.modes import NetworkSettings
from whole_body_tracking.robots import G1

pytestmark = pytest.mark.unit


def test_rmse_and_r_squared():
    truth, predicted = torch.tensor([[0.0], [2.0], [4.0]]), torch.tensor([[1.0], [2.0], [3.0]])
    assert accuracy.rmse(predicted, truth) == pytest.approx(math.sqrt(2.0 / 3.0))
    assert accuracy.r_squared(predicted, truth) == pytest.approx(1.0 - 2.0 / 8.0)  # about the mean 2: 4 + 0 + 4


def test_growth_exponent_of_a_square_root_is_a_half():
    assert accuracy.growth_exponent({n: 0.1 * n**0.5 for n in (1, 5, 15, 60)}) == pytest.approx(0.5)


def test_npss_of_the_same_motion_is_zero_and_of_another_frequency_is_not():
    t = torch.arange(60)[None, :, None] / 60.0
    slow, fast = torch.sin(2 * torch.pi * 2 * t), torch.sin(2 * torch.pi * 5 * t)
    assert accuracy.npss(slow, slow) == pytest.approx(0.0, abs=1e-9)
    assert accuracy.npss(fast, slow) == pytest.approx(
        3.0, abs=1e-3
    )  # the cumulative spectra differ by 1 in bins 2 to 4


def test_collapse_is_standing_still_or_leaving_the_limits(layout):
    truth = torch.zeros(3, 120, layout.dim)
    truth[..., layout.slices["joint_vel"]] = 1.0
    predicted = truth.clone()
    predicted[0, -100:, layout.slices["joint_vel"]] = 0.09
    predicted[1, 5, layout.slices["joint_pos"].start] = layout.joint_pos_limits[0][1] + 0.21
    assert accuracy.collapsed(predicted, truth, layout).tolist() == [True, True, False]


def test_a_truth_that_stands_says_nothing_about_collapse(layout):
    """Of four rollouts one truth stands: the one at rest beside moving truths is one of three, not of four."""
    truth = torch.zeros(4, 120, layout.dim)
    speeds, joints = layout.slices["joint_vel"], layout.slices["joint_pos"]
    truth[:3, :, speeds] = 1.0
    predicted = truth.clone()
    predicted[0, :, speeds] = 0.0
    assert accuracy.collapse_share(predicted, truth, layout) == (pytest.approx(1.0 / 3.0), 1)
    predicted[3, 0, joints.start] = layout.joint_pos_limits[0][1] + 0.21  # out of limits, whatever the truth does
    assert accuracy.collapse_share(predicted, truth, layout) == (pytest.approx(2.0 / 4.0), 0)
    still = truth[3:]
    assert accuracy.collapse_share(still, still, layout) == (0.0, 1)


def test_a_tremble_has_speed_but_no_amplitude(layout):
    """A tenth of the swing about the same mean pose of 0.5 rad, which does not count."""
    joints = layout.slices["joint_pos"]
    swing = torch.tensor([0.3, -0.3]).repeat(60)[:, None]
    truth, predicted = torch.zeros(1, 120, layout.dim), torch.zeros(1, 120, layout.dim)
    truth[..., joints], predicted[..., joints] = 0.5 + swing, 0.5 + 0.1 * swing
    assert accuracy.amplitude_share(predicted, truth, layout) == pytest.approx(0.1, rel=1e-4)


def test_lag_of_a_delayed_velocity(layout):
    truth = torch.zeros(2, 60, layout.dim)
    column = layout.slices["root_lin_vel_b"].start
    truth[..., column] = torch.sin(torch.arange(60) * 0.25)
    assert accuracy.root_lag(truth.roll(3, dims=1), truth, layout) == pytest.approx(3 / 30.0, abs=1e-6)


def test_baselines(states, layout):
    held = baseline_rollout("hold", states[None, :10], 3, layout)
    torch.testing.assert_close(held[0, 2, : layout.num_positions], states[9, : layout.num_positions])
    assert held[..., layout.num_positions :].abs().max() == 0.0
    joints, speeds = layout.slices["joint_pos"], layout.slices["joint_vel"]
    moving = baseline_rollout("constant_velocity", states[None, :10], 3, layout)
    torch.testing.assert_close(moving[0, 2, joints], states[9, joints] + 0.1 * states[9, speeds], atol=1e-5, rtol=0.0)
    with pytest.raises(ValueError, match="Known: constant_velocity, hold"):
        baseline_rollout("holt", states[None], 3, layout)


def test_a_fresh_model_is_constant_velocity_and_its_report_says_so(split, layout):
    model = MotionModel(layout, NetworkSettings.default("mlp", 8, hidden=16, layers=1))
    torch.nn.init.zeros_(model.network.head.weight)
    windows = cut_windows(split.test, layout, 8, 40, 4)
    found = measure(all_rollouts(model.eval(), windows, "fp32"), windows, layout, G1)
    assert found["single_step"] == found["rollout"]["1"]
    assert found["rollout"]["30"] == pytest.approx(found["constant_velocity"]["30"], abs=1e-5)
    assert {"hold", "collapse_share", "root_lag_s", "bodies"} <= found.keys()
    assert found["bodies"]["model"]["l2p"]["15"] > found["bodies"]["model"]["l2p"]["5"] > 0.0
    assert "60" not in found["rollout"]  # 40 frames were predicted


def test_the_truth_has_no_body_error_and_its_bodies_are_the_clips(split, layout):
    windows = cut_windows(split.test, layout, 8, 20, 2)
    truth = bodies.body_poses(windows.truth, windows.root_pos, windows.root_quat, layout, G1)
    assert bodies.l2p(truth, truth, 20) == 0.0 and bodies.l2q(truth, truth, 20) == 0.0
    clip = split.test[0].load()
    torch.testing.assert_close(truth.pos_w[0, 0], torch.from_numpy(clip.body_pos_w[9]), atol=1e-4, rtol=0.0)
