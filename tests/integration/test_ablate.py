"""``ablate.py`` from its command line: cells, tables, and that a second call does not train again."""

import csv
import json
import sys
import time
from pathlib import Path

import pytest
from training_runs import REPOSITORY, run

pytestmark = pytest.mark.integration


def ablate(folder: Path, *more: object) -> str:
    command = [
        *(sys.executable, REPOSITORY / "scripts" / "ablate.py", "--task", "Tracking-Flat-G1-Demo-v0"),
        *("--max_iterations", 2, "--num_envs", 8, "--eval_episodes", 2, "--device", "cpu"),
        *("--output_dir", "out", "physics=mujoco_cpu", *more),
    ]
    return run([str(token) for token in command], folder)[0]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("ablation")
    ablate(folder, "--seeds", 3, "--variants", "reward_energy")
    return folder


def test_every_cell_has_a_row(folder):
    content = json.loads((folder / "out" / "ablation.json").read_text())
    assert [(row["variant"], row["seed"]) for row in content["runs"]] == [("reward_energy", 3)]
    assert all(row["env_steps"] == 2 * 24 * 8 and row["iterations"] == 2 for row in content["runs"])
    assert all(row["mean_power"] > 0.0 and 0.0 <= row["success"] <= 1.0 for row in content["runs"])
    assert content["plan"]["variants"] == {"reward_energy": ["presets=reward_energy"]}
    with (folder / "out" / "ablation.csv").open(newline="") as file:
        assert [row["variant"] for row in csv.DictReader(file)] == ["reward_energy"]
    assert "reward_energy" in (folder / "out" / "ablation.txt").read_text()


def test_a_variant_trains_on_other_rewards_and_is_judged_without_them(folder):
    def header(log: str) -> str:
        return (folder / "out" / log).read_text()

    assert "joint_power" in header("reward_energy/seed_3/train.log")
    assert "joint_power" not in header("reward_energy/seed_3/evaluate.log")


def test_a_second_call_adds_what_is_missing_and_keeps_the_rest(folder):
    before = (folder / "out" / "ablation.json").read_text()
    trained = folder / "out" / "reward_energy" / "seed_3" / "train.log"
    modified, started = trained.stat().st_mtime_ns, time.monotonic()
    ablate(folder, "--seeds", 3, "--variants", "reward_energy")
    assert time.monotonic() - started < 30.0
    assert trained.stat().st_mtime_ns == modified
    assert (folder / "out" / "ablation.json").read_text() == before
