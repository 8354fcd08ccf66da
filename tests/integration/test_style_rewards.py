"""``Velocity-Flat-G1-v0`` with everything that asks for motions like those of clips at once: score prior, MotionNN, AMP
and starts from the prior. It trains, writes down what it saw, and goes on."""

import csv
import re

import pytest
import torch
from training_runs import checkpoint, run, script

from whole_body_tracking.motion.defaults import DEFAULT_WALK_FILE
from whole_body_tracking.motion.sources.motion_entries import resolve_entries
from whole_body_tracking.priors.checkpoint import save_model
from whole_body_tracking.priors.motion_model import MotionModel
from whole_body_tracking.priors.networks.modes import NetworkSettings
from whole_body_tracking.priors.state import StateLayout, clip_states
from whole_body_tracking.priors.style.score_prior import ScorePrior
from whole_body_tracking.robots import G1

pytestmark = pytest.mark.integration

AMP = "agent.algorithm.class_name=whole_body_tracking.rl.amp.ppo:AmpPPO"
SMALL = ("agent.actor.hidden_dims=[8]", "agent.critic.hidden_dims=[8]", "agent.num_steps_per_env=16")
TASK = (
    *("--task", "Velocity-Flat-G1-v0", "--device", "cpu", "--num_envs", 8, "physics=mujoco_cpu"),
    *(AMP, "agent.algorithm.amp.batch_size=64", "agent.algorithm.amp.learning_rate=0.001", *SMALL),
)


def make_priors(folder) -> tuple:
    """A score prior and a MotionNN that know the walk's statistics and little more."""
    layout = StateLayout.of_robot(G1, 50.0)
    states = clip_states(resolve_entries([str(DEFAULT_WALK_FILE)])[0].load(), layout)
    torch.manual_seed(0)
    score = ScorePrior(layout, NetworkSettings.score(4, hidden=16, layers=1))
    score.normalizer.fit([states])
    score.calibrate(states.unfold(0, 4, 1).movedim(-1, 1), torch.Generator().manual_seed(0))
    score.unrelated_loss.copy_(score.clip_loss + 5.0)  # a wide scale, on which a stranger's motion earns something
    predictor = MotionModel(layout, NetworkSettings.default("mlp", hidden=16, layers=1))
    predictor.normalizer.fit([states])
    predictor.residual_std.fill_(100.0)
    paths = folder / "score.safetensors", folder / "predictor.safetensors"
    for path, model in zip(paths, (score, predictor), strict=True):
        save_model(path, model, {"data": "x"})
    return paths


@pytest.fixture(scope="module")
def life(tmp_path_factory):
    """Folder of a run of two iterations; the priors that it was started with are gone."""
    folder = tmp_path_factory.mktemp("style")
    score, predictor = make_priors(folder)
    flags = ("--score_prior", score, "--motion_prior_reward", predictor, "presets=rand_prior_starts")
    out, _ = run(script("train.py", *TASK, "--max_iterations", 2, *flags), folder)
    score.unlink(), predictor.unlink()
    (found,) = folder.glob("logs/rsl_rl/g1_velocity/*")
    return found, out


def test_rewards_and_accuracies_are_logged(life):
    found, out = life
    assert "[INFO] AMP: 399 windows of 1 clips at 50 fps." in out
    for name in ("amp_accuracy_expert", "amp_accuracy_policy", "amp_style_reward"):
        assert f"{name}" in out, name
    for name in ("score_prior", "motion_prior"):
        assert f"Episode_Reward/{name}" in out, name


def test_clips_score_above_an_untrained_policy_after_two_updates(life):
    _, out = life
    scores = {name: float(re.findall(rf"Mean amp_score_{name} loss: +(\S+)", out)[-1]) for name in ("expert", "policy")}
    assert scores["expert"] > scores["policy"] + 0.1


def test_the_run_keeps_what_it_needs(life):
    found, _ = life
    content = checkpoint(found, 1)
    assert {"discriminator", "optimizer", "clips"} == set(content["amp"]) and set(content["amp"]["clips"]) == {"walk"}
    assert (found / "reward_score_prior.safetensors").is_file()
    assert (found / "reward_motion_prior.safetensors").is_file()
    assert (found / "exported" / "policy.onnx").is_file()


@pytest.mark.slow
def test_it_goes_on_with_its_own_priors(life):
    found, _ = life
    folder = found.parents[3]
    out, _ = run(script("train.py", *TASK, "--max_iterations", 3, "--checkpoint", "latest"), folder)
    assert "Episode_Reward/score_prior" in out
    first, last = (checkpoint(found, iteration)["amp"] for iteration in (1, 2))
    steps = [content["optimizer"]["state"][0]["step"] for content in (first, last)]
    assert steps[1] == steps[0] + 10
    with (found / "progress.csv").open(newline="") as file:
        assert [row["iteration"] for row in csv.DictReader(file)] == ["0", "1", "2"]
