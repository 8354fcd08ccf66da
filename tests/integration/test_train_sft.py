"""Supervised training by the real commands: samples, checkpoint, play, and PPO from it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from training_runs import checkpoint, progress, run, script

from whole_body_tracking.motion import DEFAULT_MOTION_FILE, MotionClip
from whole_body_tracking.rl.sft.keys import FINE_TUNING_KEY, SUPERVISED_KEY

pytestmark = pytest.mark.integration

TASK = "Tracking-Flat-G1-Residual-v0"
PROBE = Path(__file__).with_name("sft_probe.py")
COMMON = ("--task", TASK, "--motion_file", DEFAULT_MOTION_FILE, "--headless", "physics=mujoco_cpu")
SMALL = ("--expert", "feedback", "--rounds", 1, "--first_rows", 1600, "--round_rows", 320, "--fit_steps", 60)


def only_run(folder: Path) -> Path:
    (found,) = folder.glob("logs/rsl_rl/g1_flat/*")
    return found


@pytest.fixture(scope="module")
def supervised(tmp_path_factory) -> tuple[Path, Path]:
    """Folder and run of a training with one round."""
    folder = tmp_path_factory.mktemp("supervised")
    files = ("--dataset", "squat.samples", "--json", "rounds.json", "--seed", 3, "--num_envs", 32)
    refine = ("--refine_actions", "--refine_method", "feedback", "--refine_iterations", 2)
    run(script("train_sft.py", *COMMON, *SMALL, *files, *refine), folder)
    return folder, only_run(folder)


@pytest.mark.parametrize("center", [pytest.param("reference", marks=pytest.mark.slow), "joint_target"])
def test_the_environment_is_what_the_expert_sees(center, tmp_path):
    """Observations rebuilt from the MuJoCo states that the expert gets, and targets that its labels become."""
    out = tmp_path / "worst.json"
    subprocess.run([sys.executable, str(PROBE), center, str(out)], check=True, cwd=tmp_path, capture_output=True)
    worst = json.loads(out.read_text())
    assert worst["observation"] < 1e-5
    assert worst["target"] < 1e-6
    assert worst["next_state"] < 1e-6  # joints after a step of the engine, and of the expert's own physics [rad]


def test_the_run_is_an_ordinary_one(supervised):
    folder, found = supervised
    content = checkpoint(found, 1)
    assert "critic_state_dict" not in content and content["iter"] == 1
    assert content[SUPERVISED_KEY]["total_samples"] == 1920
    assert {path.name for path in (found / "exported").iterdir()} >= {"policy.onnx", "policy.json"}
    rounds = json.loads((folder / "rounds.json").read_text())["rounds"]
    assert [row["total_samples"] for row in rounds] == [1600, 1920]
    assert rounds[1]["action_error"] < 0.5


def test_a_run_keeps_the_clip_that_it_refined(supervised):
    _, found = supervised
    (refined,) = (found / "refined").iterdir()
    clip, plain = MotionClip.load(refined), MotionClip.load(DEFAULT_MOTION_FILE)
    assert clip.source["refinement"]["method"] == "feedback"
    assert clip.source["refinement"]["sha256"] == plain.digest
    difference = abs(clip.channels["joint_target"] - plain.joint_pos)
    assert 0.01 < difference.max() < 1.0  # rad


def test_the_policy_plays(supervised):
    folder, found = supervised
    out, _ = run(script("play.py", *COMMON, "--checkpoint", found, "--max_steps", 20, "--num_envs", 8), folder)
    assert "Playing" in out


def test_samples_are_used_again_and_those_of_another_task_are_refused(supervised, tmp_path):
    folder, _ = supervised
    samples = folder / "squat.samples"
    before = samples.read_bytes()
    other = ("--task", "Tracking-Flat-G1-v0", *COMMON[2:], *SMALL, "--dataset", samples, "--num_envs", 32)
    _, err = run(script("train_sft.py", *other), tmp_path, status=1)
    assert "actions about reference, here default" in err
    assert samples.read_bytes() == before


def test_ppo_goes_on_from_it(supervised):
    """The policy stands still while the critic learns, then moves a little; checkpoints hold where it came from."""
    folder, found = supervised
    student = checkpoint(found, 1)["actor_state_dict"]
    flags = ("--num_envs", 16, "--run_name", "tuned", "agent.save_interval=1", "agent.fine_tuning.value_warmup=1")
    run(script("train.py", *COMMON, "--load_sft_pretrain", found, "--max_iterations", 2, *flags), folder)
    (tuned,) = folder.glob("logs/rsl_rl/g1_flat/*_tuned")
    weights = [checkpoint(tuned, iteration)["actor_state_dict"]["mlp.0.weight"] for iteration in (0, 1)]
    assert torch.equal(weights[0], student["mlp.0.weight"])
    assert 0.0 < (weights[1] - weights[0]).abs().max() < 0.01  # 20 steps of Adam at 2e-5
    last = checkpoint(tuned, 1)
    assert torch.equal(last[FINE_TUNING_KEY]["student_state_dict"]["mlp.0.weight"], student["mlp.0.weight"])
    assert last[FINE_TUNING_KEY]["num_updates"] == 1
    assert [float(row["learning_rate"]) for row in progress(tuned)][-1] == pytest.approx(2e-5)


def evaluated(folder: Path, found: Path, name: str) -> dict[str, float]:
    """Means over 32 perturbed rollouts of the newest checkpoint of a run."""
    flags = ("--checkpoint", found, "--num_envs", 32, "--seed", 5, "--output_dir", folder / name)
    run(script("evaluate.py", *COMMON, *flags), folder)
    return json.loads((folder / name / "report.json").read_text())["overall"]


@pytest.mark.slow
def test_ten_iterations_of_ppo_never_make_a_student_worse(tmp_path):
    """Ten updates of the policy after the critic's warm-up, from a student that finishes the squat.

    Not worse: as many of 32 perturbed rollouts finish, and the share of the tracking reward falls by at most 0.01.
    """
    run(script("train_sft.py", *COMMON, "--expert", "feedback", "--rounds", 1, "--seed", 1), tmp_path)
    student = only_run(tmp_path)
    before = evaluated(tmp_path, student, "before")
    assert before["success"] > 0.9
    flags = ("--num_envs", 128, "--run_name", "tuned", "--seed", 1, "agent.fine_tuning.value_warmup=10")
    demo = ("--task", "Tracking-Flat-G1-Demo-v0", *COMMON[2:])  # like the student's states: no noise on observations
    run(script("train.py", *demo, "--load_sft_pretrain", student, "--max_iterations", 20, *flags), tmp_path)
    (tuned,) = tmp_path.glob("logs/rsl_rl/g1_demo/*_tuned")
    after = evaluated(tmp_path, tuned, "after")
    assert after["success"] >= before["success"]
    assert after["tracking_reward"] >= before["tracking_reward"] - 0.01
