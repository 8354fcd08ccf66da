"""The score prior: its scale, what it tells apart, that one seed gives one result, and what is refused."""

import math

import pytest
import torch

from whole_body_tracking.priors.checkpoint import LAST_FILE, read_model_file, save_model
from whole_body_tracking.priors.evaluate import EvaluationJob, run_evaluation
from whole_body_tracking.priors.job import PretrainJob, run_pretraining
from whole_body_tracking.priors.motion_model import MotionModel
from whole_body_tracking.priors.networks.modes import NetworkSettings
from whole_body_tracking.priors.style.loading import load_predictor, load_score_prior
from whole_body_tracking.priors.style.rewards import prediction_reward, score_reward, surprise
from whole_body_tracking.priors.style.sanity import (
    STILL,
    cut_pose_windows,
    spoilt,
)
from whole_body_tracking.priors.style.score_prior import ScorePrior, signal_shares, unrelated_frames
from whole_body_tracking.priors.training import TrainingSettings
from whole_body_tracking.robots import G1

pytestmark = pytest.mark.unit

FPS, FRAMES = 30.0, 6


def small_job(split, folder, epochs=3, resume=False) -> PretrainJob:
    training = TrainingSettings(epochs=epochs, seq_len=20, batch_size=4, learning_rate=3e-3)
    return PretrainJob(split, G1, folder, NetworkSettings.score(6, hidden=16, layers=1), training, resume=resume)


@pytest.fixture(scope="module")
def model(layout, states):
    """An untrained prior."""
    model = ScorePrior(layout, NetworkSettings.score(FRAMES, hidden=16, layers=1))
    model.normalizer.fit([states])
    return model.eval().requires_grad_(False)


def test_the_schedule_goes_from_signal_to_noise():
    shares = signal_shares()
    assert shares[0] == 1.0 and shares[-1] == pytest.approx(1e-4) and (shares.diff() < 0.0).all()
    # cos^2(pi / 2 (0.5 + 0.008) / 1.008) / cos^2(pi / 2 0.008 / 1.008) = 0.49384 / 0.99984
    assert shares[25] == pytest.approx(0.49391, abs=1e-4)


def test_the_scale_is_zero_for_clips_and_one_for_unrelated_frames(model, states):
    model.clip_loss[15], before = 0.2, (model.clip_loss.clone(), model.unrelated_loss.clone())
    windows = states.unfold(0, FRAMES, 1).movedim(-1, 1)
    noise = torch.randn((1, *windows.shape))
    loss = model.losses(windows, torch.full((len(windows),), 15), noise[0])
    model.unrelated_loss[15] = 0.6
    found = model.normalized_losses(windows, [15], noise)[:, 0]
    model.clip_loss.copy_(before[0]), model.unrelated_loss.copy_(before[1])
    torch.testing.assert_close(found, (loss - 0.2) / 0.4)


def test_unrelated_frames_are_frames_of_the_windows():
    windows = torch.arange(12.0).view(3, 2, 2)
    drawn = unrelated_frames(windows, torch.Generator().manual_seed(0))
    frames = {tuple(frame.tolist()) for frame in windows.flatten(0, 1)}
    assert drawn.shape == windows.shape and {tuple(f.tolist()) for f in drawn.flatten(0, 1)} <= frames


def test_spoilt_windows_are_what_their_names_say(layout, entries):
    windows = cut_pose_windows(entries[:1], layout, 6, 5)
    random, place = torch.Generator().manual_seed(0), layout.slices
    real = windows.states(FPS)
    backwards = spoilt("reversed", windows, FPS, random)
    # Frame 0 of the reversed window is frame 5 of the real one, seen going the other way.
    torch.testing.assert_close(backwards[:, 0, place["joint_pos"]], real[:, -2, place["joint_pos"]])
    torch.testing.assert_close(backwards[:, 0, place["joint_vel"]], -real[:, -1, place["joint_vel"]])
    shuffled = spoilt("shuffled", windows, FPS, random)
    torch.testing.assert_close(shuffled.sum(1), real.sum(1), atol=1e-3, rtol=1e-4)
    assert not torch.equal(shuffled, real)
    assert torch.equal(spoilt("frozen", windows, FPS, random), real[:, -1:].expand_as(real))
    still = spoilt(STILL, windows, FPS, random)
    assert still[..., layout.num_positions :].abs().max() < 1e-5
    torch.testing.assert_close(still[:, 0, : layout.num_positions], real[:, -1, : layout.num_positions])
    noise = spoilt("noisy", windows, FPS, random)[..., place["joint_pos"]] - real[..., place["joint_pos"]]
    assert noise.std() == pytest.approx(0.05, rel=0.1)
    with pytest.raises(ValueError, match="kind of spoilt window"):
        spoilt("upside_down", windows, FPS, random)


def test_a_resumed_training_goes_on_as_it_would_have(split, tmp_path):
    whole = list(run_pretraining(small_job(split, tmp_path / "whole")))
    steps = run_pretraining(small_job(split, tmp_path / "parts"))
    next(steps)
    steps.close()  # as a kill after the first epoch
    rest = list(run_pretraining(small_job(split, tmp_path / "parts", resume=True)))
    assert [epoch.validation_loss for epoch in rest] == [epoch.validation_loss for epoch in whole[1:]]
    one, two = (read_model_file(tmp_path / name / LAST_FILE)[0] for name in ("whole", "parts"))
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_kernels():
    # (e^-0.6 + 1) / 2: a loss below that of clips counts as theirs.
    assert score_reward(torch.tensor([[0.1, -0.3]]), 6.0).item() == pytest.approx((math.exp(-0.6) + 1.0) / 2.0)
    assert prediction_reward(torch.tensor([0.5, 1.0, 3.0]), 2.0).tolist() == pytest.approx([1.0, 1.0, math.exp(-1.0)])


def test_surprise_is_the_missed_velocity_over_that_of_clips(layout, states):
    model = MotionModel(layout, NetworkSettings.default("mlp", hidden=8, layers=1)).eval()
    model.normalizer.fit([states])
    torch.nn.init.zeros_(model.network.head.weight)  # constant velocity
    model.residual_std.fill_(0.5)
    window = states[None, :9].clone()
    first = layout.num_positions
    window[:, -1, first:] = window[:, -2, first:] + 1.5 * model.normalizer.change_std[first:]
    with torch.no_grad():
        assert surprise(model, window).item() == pytest.approx(3.0, rel=1e-4)  # 1.5 / 0.5


def test_other_models_are_refused(model, layout, tmp_path):
    score, path = tmp_path / "score.safetensors", tmp_path / "predictor.safetensors"
    save_model(score, model, {"data": "x"})
    assert load_score_prior(score).num_frames == FRAMES
    save_model(path, MotionModel(layout, NetworkSettings.default("mlp", hidden=8, layers=1)), {"data": "x"})
    with pytest.raises(ValueError, match=r"is a mlp, expected a score prior.*train_score_prior"):
        load_score_prior(path)
    with pytest.raises(ValueError, match="without validation clips"):
        load_predictor(path)
    with pytest.raises(ValueError, match="is a score, which predicts no states"):
        load_predictor(score)
    with pytest.raises(ValueError, match="score prior, which predicts no states"):
        run_evaluation(EvaluationJob(score, tmp_path / "split_info.json"))
    with pytest.raises(ValueError, match="at least 2 windows"):
        model.calibrate(torch.zeros(1, FRAMES, layout.dim), torch.Generator())
    with pytest.raises(ValueError, match="Unknown mode"):
        NetworkSettings.default("score")
