"""Regression: the actor learns what the samples say, and its normaliser is that of all samples."""

import numpy as np
import pytest
import torch
from rsl_rl.models import MLPModel
from sft_samples import LAYOUT
from tensordict import TensorDict

from whole_body_tracking.rl.sft.dataset import SampleFile
from whole_body_tracking.rl.sft.fitting import FitSettings, fit, mean_action

pytestmark = [pytest.mark.unit, pytest.mark.integration]

WEIGHTS = np.array([[0.5, -0.2], [0.0, 0.3], [-0.1, 0.1]], dtype=np.float32)


def make_actor() -> MLPModel:
    torch.manual_seed(0)
    obs = TensorDict({"policy": torch.zeros(1, 3)}, batch_size=1)
    gaussian = {"class_name": "GaussianDistribution", "init_std": 0.5}
    groups = {"actor": ["policy"]}
    return MLPModel(obs, groups, "actor", 2, hidden_dims=[32], obs_normalization=True, distribution_cfg=gaussian)


def linear_samples(path, count: int = 2_000) -> SampleFile:
    """Actions that are linear in observations of mean 4 and standard deviation 2."""
    observations = np.random.default_rng(0).normal(4.0, 2.0, (count, 3)).astype(np.float32)
    samples = SampleFile.open(path, LAYOUT)
    samples.append(observations, observations @ WEIGHTS, np.zeros(count), 0)
    return samples


def test_the_actor_learns_what_the_samples_say(tmp_path):
    samples, actor = linear_samples(tmp_path / "a.samples"), make_actor()
    before = fit(actor, samples, 0, FitSettings(), seed=0)
    after = fit(actor, samples, 300, FitSettings(batch_size=128, learning_rate=5e-3), seed=0)
    assert before.num_steps == 0 and after.num_steps == 300
    assert after.error < 0.1 * before.error
    observations = torch.tensor([[4.0, 3.0, 5.0]])
    np.testing.assert_allclose(mean_action(actor, observations).detach(), observations.numpy() @ WEIGHTS, atol=0.1)


def test_the_normaliser_is_that_of_all_samples_however_often_it_is_set(tmp_path):
    samples, actor = linear_samples(tmp_path / "a.samples"), make_actor()
    for _ in range(2):
        fit(actor, samples, 0, FitSettings(), seed=0)
        everything = samples.read(slice(None)).observations
        np.testing.assert_allclose(actor.obs_normalizer.mean, everything.mean(0), rtol=1e-4)
        np.testing.assert_allclose(actor.obs_normalizer.std, everything.std(0), rtol=1e-3)
        assert int(actor.obs_normalizer.count) == len(samples)


def test_rows_held_out_are_not_trained_on(tmp_path):
    """Every 20th row says something absurd: the fit does not follow, and the error shows it."""
    samples = SampleFile.open(tmp_path / "a.samples", LAYOUT)
    observations = np.random.default_rng(0).normal(size=(400, 3)).astype(np.float32)
    actions = np.where(np.arange(400)[:, None] % 20 == 19, 3.0, 0.0) * np.ones((400, 2))
    samples.append(observations, actions, np.zeros(400), 0)
    fitted = fit(make_actor(), samples, 200, FitSettings(batch_size=128, learning_rate=5e-3), seed=0)
    assert fitted.loss < 1e-3 and fitted.error > 2.9


def test_time_that_is_up_ends_the_fit(tmp_path):
    samples = linear_samples(tmp_path / "a.samples")
    assert fit(make_actor(), samples, 1_000_000, FitSettings(batch_size=8), seed=0, deadline=-1.0).num_steps == 0


def test_no_samples_are_refused(tmp_path):
    with pytest.raises(ValueError, match="no samples"):
        fit(make_actor(), SampleFile.open(tmp_path / "a.samples", LAYOUT), 10, FitSettings(), seed=0)
