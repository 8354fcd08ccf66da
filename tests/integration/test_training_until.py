"""``train.py --until``: what a scoring leaves behind, and what it writes."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import torch
from training_runs import progress, run, run_folder

from whole_body_tracking.motion import DEFAULT_MOTION_FILE

pytestmark = pytest.mark.integration

PROBE = Path(__file__).with_name("until_probe.py")
NUM_ENVS = 4


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> tuple[Path, dict, str]:
    """Folder, record and output of three iterations, scored after the second and at the end."""
    folder = tmp_path_factory.mktemp("until")
    flags = ("--task", "Tracking-Flat-G1-v0", "--motion_file", DEFAULT_MOTION_FILE, "--device", "cpu", "--seed", 1)
    flags += ("--num_envs", NUM_ENVS, "--max_iterations", 3)
    flags += ("--until", 1.0, "--score_every", 2, "--json", folder / "scores.json")
    flags += ("physics=mujoco_cpu", "agent.actor.hidden_dims=[8]", "agent.critic.hidden_dims=[8]")
    out, _ = run([sys.executable, str(PROBE), str(folder), *map(str, flags)], folder)
    return folder, torch.load(folder / "until.pt", weights_only=True), out


def test_training_goes_on_from_the_episodes_that_begin_after_a_scoring(trained):
    _, record, _ = trained
    assert len(record["seen"]) == 1  # the last scoring is the end
    assert torch.equal(record["seen"][0], record["acted_on"][0])


def test_a_scoring_leaves_schedules_sampler_and_normalizer_alone(trained):
    _, record, _ = trained
    assert len(record["steps"]) == 2
    assert all(before == after for before, after in record["steps"])
    assert all(before == after for before, after in record["normalizer"])
    assert all(torch.equal(before, after) for before, after in record["counted"])


def test_scores_are_printed_and_written(trained):
    folder, _, out = trained
    written = json.loads((folder / "scores.json").read_text())
    rows = progress(run_folder(folder))
    assert [row["iteration"] for row in written["curve"]] == [1, 2]
    assert [row["env_steps"] for row in written["curve"]] == [NUM_ENVS * 24 * 2, NUM_ENVS * 24 * 3]
    assert len(rows) == 3 and written["env_steps"] == NUM_ENVS * 24 * 3 and written["seconds"] > 0.0
    assert written["rollouts"] == NUM_ENVS and 0 <= written["finished"] <= NUM_ENVS
    assert 0.0 < written["tracking"] < 1.0 and written["r_mpkpe_cm"] > 0.0
    assert written["why_ended"] == "all iterations are done"
    assert Path(written["checkpoint"]).name == "model_2.pt" and Path(written["checkpoint"]).is_file()
    assert f"of {NUM_ENVS} rollouts finish, tracking score" in out
