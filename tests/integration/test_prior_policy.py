"""A policy with a motion prior through its life: train, resume, play with export, sim2sim."""

import json
import sys

import pytest
import torch
from training_runs import REPOSITORY, checkpoint, run, script

from whole_body_tracking.priors.checkpoint import save_model
from whole_body_tracking.priors.motion_model import MotionModel
from whole_body_tracking.priors.networks.modes import NetworkSettings
from whole_body_tracking.priors.state import StateLayout
from whole_body_tracking.robots import G1

pytestmark = pytest.mark.integration

TASK = ("--task", "Tracking-Flat-G1-Demo-v0", "--device", "cpu", "physics=mujoco_cpu")
HISTORY = 4


@pytest.fixture(scope="module")
def life(tmp_path_factory):
    """Folder of a run of two iterations, of which the second trained the encoder, and a third after resuming."""
    folder = tmp_path_factory.mktemp("prior_policy")
    prior = folder / "prior.safetensors"
    model = MotionModel(StateLayout.of_robot(G1, 50.0), NetworkSettings.default("mlp", hidden=16, layers=1))
    save_model(prior, model, {"data": "x"})
    train = script("train.py", *TASK, "--num_envs", 4, "--max_iterations", 2)
    run([*train, "--motion_prior", str(prior), "--prior_history", str(HISTORY), "--unfreeze_after", "1"], folder)
    prior.unlink()  # the run has its own copy
    run(script("train.py", *TASK, "--num_envs", 4, "--max_iterations", 3, "--checkpoint", "latest"), folder)
    (found,) = folder.glob("logs/rsl_rl/g1_demo/*")
    return found


def test_the_encoder_learns_after_its_release_and_the_count_survives_a_resume(life):
    first, last = (checkpoint(life, iteration)["actor_state_dict"] for iteration in (1, 2))
    assert (int(first["num_updates"]), int(last["num_updates"])) == (2, 3)
    moved = [name for name in first if name.startswith("encoder") and not torch.equal(first[name], last[name])]
    assert any("trunk" in name for name in moved) and not any("normalizer" in name for name in moved)


@pytest.mark.slow
def test_play_exports_it_with_its_history_and_sim2sim_plays_it(life, tmp_path):
    arguments = ("--num_envs", 1, "--max_steps", 3, "--checkpoint", life, "--export", tmp_path / "exported")
    run(script("play.py", *TASK, *arguments), tmp_path)
    terms = json.loads((tmp_path / "exported" / "policy.json").read_text())["observations"]
    states = [term for term in terms if term["name"].startswith("prior_")]
    assert [term["history_length"] for term in states] == [HISTORY] * 6 and states == terms[-6:]
    sim2sim = [sys.executable, str(REPOSITORY / "scripts" / "sim2sim.py")]
    out, _ = run([*sim2sim, "--policy", str(tmp_path / "exported" / "policy.onnx"), "--num_rollouts", "1"], tmp_path)
    assert "Report" in out
