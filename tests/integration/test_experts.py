"""Experts of two clips, by the real commands: trained, continued, evaluated as one policy, distilled, fine-tuned."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
import yaml
from training_runs import checkpoint, iterations, run, script

from whole_body_tracking.motion import DEFAULT_MOTION_FILE

pytestmark = pytest.mark.integration

TASK, MULTI = "Tracking-Flat-G1-v0", "Tracking-Flat-G1-Multi-v0"
ENGINE = "physics=mujoco_cpu"
CLIPS = ("squat_1-60", "squat_61-180")
STUDENT = ("--task", MULTI, "--motion_file", "library.yaml", "--num_envs", 8, ENGINE, "presets=motion_preview")
DISTIL = script("distil.py", *STUDENT, "--experts", "experts")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("experts")


def train_experts(folder: Path, *arguments: object, status: int = 0) -> tuple[str, str]:
    flags = ["--task", TASK, "--motion_file", "library.yaml", "--num_envs", 8, "--max_iterations", 2, "--jobs", 2]
    return run(script("train_experts.py", *flags, ENGINE, *arguments), folder, status)


@pytest.fixture(scope="module")
def table(folder) -> list[dict]:
    """Experts of two parts of the shipped clip."""
    ranges = ", ".join(f"{{file: '{DEFAULT_MOTION_FILE}', frame_range: [{a}, {b}]}}" for a, b in ((1, 60), (61, 180)))
    (folder / "library.yaml").write_text(f"motions: [{ranges}]\n")
    train_experts(folder)
    return yaml.safe_load((folder / "experts" / "experts.yaml").read_text())["experts"]


def test_each_clip_gets_an_ordinary_run(folder, table):
    assert sorted(expert["motion"] for expert in table) == sorted(CLIPS)
    for expert in table:
        expert_run = folder / "experts" / expert["run_folder"]
        (clip,) = json.loads((expert_run / "provenance.json").read_text())["clips"]
        assert clip == {"name": expert["motion"], "sha256": expert["sha256"]}
        assert (expert_run / "exported" / "policy.onnx").is_file()
        assert expert_run.name.endswith(expert["motion"]) and expert["checkpoint"] == "model_1.pt"


def test_the_same_command_trains_nothing_twice(folder, table):
    out, _ = train_experts(folder)
    assert "2 of them have an expert" in out and "trained" not in out
    assert len(list((folder / "experts").glob("*/logs/rsl_rl/*/*"))) == 2


@pytest.mark.slow
def test_a_failing_expert_is_reported_at_the_end(folder, table):
    """An unknown activation is found by train.py itself; the other trainings go on."""
    out, err = train_experts(folder, "--output_dir", "broken", "agent.actor.activation=nonsense", status=1)
    assert all(f"[ERROR] {clip}: `train.py` failed" in out for clip in CLIPS)
    assert "no expert of" in err
    assert yaml.safe_load((folder / "broken" / "experts.yaml").read_text())["experts"] == []


@pytest.mark.slow
def test_experts_play_as_one_policy(folder, table):
    """Without start noise all rollouts of a clip are one: that of its expert alone."""
    flags = ["--exact_start", "--num_envs", 8, ENGINE]
    motions = ["--task", MULTI, "--motion_file", "library.yaml", "--experts", "experts"]
    run(script("evaluate.py", *motions, *flags, "--output_dir", "together"), folder)
    rows = {row["name"]: row for row in json.loads((folder / "together" / "report.json").read_text())["per_clip"]}
    assert set(rows) == set(CLIPS)
    expert = table[0]
    own = ["--task", TASK, "--checkpoint", f"experts/{expert['run_folder']}"]
    own += ["--motion_file", f"experts/{expert['motion']}/motion.yaml"]
    run(script("evaluate.py", *own, *flags, "--output_dir", "alone"), folder)
    (alone,) = json.loads((folder / "alone" / "report.json").read_text())["per_clip"]
    for name in ("r_mpkpe", "joint_rmse", "completion", "action_rate"):
        assert rows[expert["motion"]][name] == pytest.approx(alone[name], rel=1e-3)
    out, _ = run(script("play.py", *motions, "--expert_choice", "nearest", "--max_steps", 3, ENGINE), folder)
    assert "Played 3 steps of experts.yaml" in out


@pytest.fixture(scope="module")
def student(folder, table) -> Path:
    """Run of a distillation of one iteration."""
    run([*DISTIL, "--max_iterations", "1"], folder)
    (found,) = (folder / "logs" / "rsl_rl" / "g1_distillation").iterdir()
    return found


def test_experts_teach_a_student_that_is_an_ordinary_policy(folder, student):
    content = checkpoint(student, 0)
    assert "critic_state_dict" not in content and "teacher_state_dict" not in content
    spec = json.loads((student / "exported" / "policy.json").read_text())
    assert spec["checkpoint"] == "model_0.pt" and [clip["name"] for clip in spec["clips"]] == list(CLIPS)
    run(script("evaluate.py", *STUDENT, "--checkpoint", student), folder)
    report = json.loads((student / "evaluation" / "report.json").read_text())
    assert [row["name"] for row in report["per_clip"]] == list(CLIPS)


@pytest.mark.slow
def test_a_student_learns_on_and_is_fine_tuned(folder, student):
    run([*DISTIL, "--max_iterations", "2", "--checkpoint", "latest"], folder)
    assert iterations(student) == [0, 1]
    weights = [checkpoint(student, iteration)["actor_state_dict"]["mlp.0.weight"] for iteration in (0, 1)]
    assert not torch.equal(*weights)
    out, _ = run(script("train.py", *STUDENT, "--checkpoint", student, "--max_iterations", 1), folder)
    assert "has no critic: it starts anew" in out
    (tuned,) = (folder / "logs" / "rsl_rl" / "g1_multi").iterdir()
    assert iterations(tuned) == [0] and "critic_state_dict" in checkpoint(tuned, 0)


def test_experts_that_act_otherwise_are_refused_before_the_simulator_starts(folder, table):
    task = ["--task", MULTI, "--motion_file", "library.yaml", ENGINE, "presets=residual_actions"]
    out, err = run(script("distil.py", *task, "--experts", "experts"), folder, status=1)
    assert "actions default_relative, here residual" in err
    assert "Scene manager" not in out
