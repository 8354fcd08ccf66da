"""Two processes that train one policy through a world model, on three clips and without state estimation."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import torch
from training_runs import REPOSITORY, checkpoint, progress, run

from whole_body_tracking.motion import DEFAULT_MOTION_FILE, convert, read_csv
from whole_body_tracking.tasks.tracking.mdp.start_sampling.moving_totals import MovingTotals

pytestmark = pytest.mark.integration

PROBE = Path(__file__).with_name("world_model_ranks_probe.py")
NUM_ENVS, WARMUP, ITERATIONS = 8, 12, 2
SMALL = (
    "--num_envs", NUM_ENVS, "--seed", 3, "--warmup_steps", WARMUP, "--warmup_updates", 2, "--collect_steps", 2,
    "--model_width", 32, "--model_layers", 1, "--model_batch", 16, "--policy_batch", 8, "--horizon", 4,
    "--report_every", 100, "--max_iterations", ITERATIONS,
)  # fmt: skip
OVERRIDES = (
    "physics=mujoco_cpu", "agent.actor.hidden_dims=[16]", "agent.critic.hidden_dims=[16]",
    "env.observations.policy.enable_corruption=False", "env.events.push_robot=null",
)  # fmt: skip


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    """Working folder of a recorded run on three clips."""
    folder = tmp_path_factory.mktemp("trained")
    third = folder / "step_in_place.npz"
    convert(read_csv(REPOSITORY / "motions" / "step_in_place.csv", fps=30), output_fps=50, robot="g1").save(third)
    motions = (DEFAULT_MOTION_FILE, DEFAULT_MOTION_FILE.with_name("walk.npz"), third)
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", 2, PROBE, folder]
    task = ("--task", "Tracking-Flat-G1-Wo-State-Estimation-v0", "--motion_file", *motions, "--device", "cpu")
    command = [*launcher, *task, "--distributed", "--headless", "--json", folder / "wm.json", *SMALL, *OVERRIDES]
    run([str(word) for word in command], folder)
    return folder


@pytest.fixture(scope="module")
def ranks(trained) -> list[dict]:
    return [torch.load(trained / f"rank_{rank}.pt", weights_only=False) for rank in range(2)]


@pytest.fixture(scope="module")
def run_folder(trained) -> Path:
    (found,) = trained.glob("logs/rsl_rl/*_world_model/*")
    return found


def test_the_differentiable_task_is_the_environment(ranks):
    """Several clips, 154 observations, actions about the default pose."""
    for rank in ranks:
        assert max(rank["worst"].values()) < 1e-5, rank["worst"]
        assert not {"motion_anchor_pos_b", "base_lin_vel"} & set(rank["names"])
        assert rank["observations"].shape == (WARMUP * NUM_ENVS, 154)


def test_both_end_with_the_same_networks(ranks, run_folder):
    saved = checkpoint(run_folder, ITERATIONS - 1)
    first, second = ranks
    for name in ("policy", "model"):
        for key, value in first["learner"][name].items():
            assert torch.equal(value, second["learner"][name][key]), (name, key)
            assert torch.equal(value, saved["world_model"][name][key]), (name, key)
    for key, value in saved["actor_state_dict"].items():
        assert torch.equal(value, first["average"][key]) and torch.equal(value, second["average"][key]), key
    for name in ("policy_optimizer", "model_optimizer"):
        moments = [rank["learner"][name]["adam"]["state"][0]["exp_avg"] for rank in ranks]
        assert torch.equal(*moments) and moments[0].any()


def test_each_has_real_steps_of_its_own(ranks):
    first, second = (rank["states"] for rank in ranks)
    assert len(first) == len(second) and not torch.isclose(first, second).all(dim=-1).any()


def test_statistics_are_those_of_a_process_that_saw_both_shares(ranks):
    observations = torch.cat([rank["observations"] for rank in ranks]).double()
    found = ranks[0]["learner"]["policy"]
    torch.testing.assert_close(found["obs_normalizer._mean"][0].double(), observations.mean(0), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(
        found["obs_normalizer._std"][0].double(), observations.std(0) + 0.05, rtol=1e-4, atol=1e-5
    )
    assert found["obs_normalizer.count"] == 2 * WARMUP * NUM_ENVS
    states = torch.cat([rank["states"] for rank in ranks]).double()
    std = ranks[0]["learner"]["model"]["input_std"].double()
    torch.testing.assert_close(std[10:39], states[:, 13:42].std(0) + 0.02, rtol=1e-4, atol=1e-5)  # joint positions


def test_sampler_is_that_of_a_process_that_saw_both_shares(ranks, run_folder):
    alone = MovingTotals(*ranks[0]["bins"][0].shape, alpha=ranks[0]["alpha"])
    for both in zip(*(rank["bins"] for rank in ranks), strict=True):
        alone.new += sum(both)
        alone.fold()
    sampler = checkpoint(run_folder, ITERATIONS - 1)["motion_sampler_state_dict"]
    assert len(ranks[0]["bins"]) == WARMUP + 2 * ITERATIONS and alone.values.any()
    torch.testing.assert_close(
        torch.stack((sampler["failures"], sampler["visits"])), alone.values, rtol=1e-6, atol=1e-6
    )


def test_scores_and_errors_are_of_both(ranks, trained):
    first, second = ranks
    assert first["score"] == second["score"] and first["score"]["rollouts"] == 2 * NUM_ENVS
    assert first["errors"]["model_error_8"] == second["errors"]["model_error_8"] > 0.0
    result = json.loads((trained / "wm.json").read_text())
    assert result["rollouts"] == 2 * NUM_ENVS and result["env_steps"] == 2 * NUM_ENVS * (WARMUP + 2 * ITERATIONS)


def test_one_process_writes(ranks, run_folder):
    assert ranks[0]["run_folder"] == ranks[1]["run_folder"] == str(run_folder)
    assert len(list(run_folder.glob("events.*"))) == 1 and not list(run_folder.glob("rank_*"))
    assert len(progress(run_folder)) == ITERATIONS
    assert (run_folder / "exported" / "policy.onnx").is_file()
