"""The world-model trainer on a real engine: its task in differentiable form, a short training, and the scripts."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from training_runs import REPOSITORY, checkpoint, finish, progress, run, script, start, wait_for

from whole_body_tracking.motion import DEFAULT_MOTION_FILE, convert, read_csv

pytestmark = pytest.mark.integration

PROBE = Path(__file__).with_name("world_model_probe.py")
TASK = ("--task", "Tracking-Flat-G1-Demo-v0", "--motion_file", DEFAULT_MOTION_FILE, "--headless", "physics=mujoco_cpu")
CENTER = "env.actions.joint_pos.center=joint_target"
SMALL = (
    "--num_envs", 32, "--warmup_steps", 12, "--warmup_updates", 5, "--model_width", 64, "--model_batch", 32,
    "--policy_batch", 16, "--horizon", 8, "--report_every", 1000,
)  # fmt: skip


def world_model_script(*arguments: object) -> list[str]:
    return [sys.executable, str(REPOSITORY / "scripts" / "world_model" / "train.py"), *map(str, arguments)]


@pytest.fixture(scope="module")
def probed(tmp_path_factory) -> dict:
    folder = tmp_path_factory.mktemp("world_model")
    done = subprocess.run([sys.executable, PROBE, "out.json"], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return json.loads((folder / "out.json").read_text())


def test_the_differentiable_task_is_the_environment(probed):
    """Observations, bodies, joint targets and kernels, with randomisation of joints and masses, on real states."""
    assert max(probed["worst"].values()) < 1e-5, probed["worst"]
    assert set(probed["worst"]) >= {"observation", "target", "kernel", "body_lin_vel", "body_ang_vel"}
    assert probed["left_out"] == ["undesired_contacts"]


def test_a_run_has_what_a_run_of_ppo_has(probed):
    files = probed["files"]
    assert {"model_1.pt", "progress.csv", "run.json", "provenance.json", "exported/policy.onnx"} <= set(files)
    assert any(name.startswith("events.out.tfevents") for name in files)
    first = probed["first"]
    assert first["rollouts"] == 8 and 0 <= first["finished"] <= 8 and 0.0 < first["tracking"] <= 1.0
    assert first["env_steps"] == 8 * (12 + 2 * 2)  # warm-up and two iterations of two steps
    assert first["curve"][-1]["model_error_8"] > 0.0 and first["why_ended"] == "all 2 iterations are done"


def test_a_run_continues_with_model_statistics_policy_and_optimisers(probed):
    assert probed["restored"] and probed["average_is_actor"] and probed["statistics_kept"]
    assert probed["moved"] and probed["model_moved"]
    assert probed["second"]["env_steps"] == 2 * 8 * (12 + 2 * 2)  # the buffer is filled anew
    assert probed["rows"] == 4


def test_a_policy_of_another_trainer_comes_with_its_statistics(probed):
    """They are a part of it; the model's own come from the first steps."""
    assert probed["actor_kept"]


def test_a_continued_run_learns_at_the_rates_of_its_flags(probed):
    assert probed["rates"] == [2e-4, 3e-4]


def test_episodes_that_all_end_at_once_are_refused(probed):
    assert "No episode lasted" in probed["refusal"] and "--model_window" in probed["refusal"]


def test_rates_fall_linearly_to_a_tenth(probed):
    """Half of the budget is used: 1 - 0.5 * 0.9 = 0.55 of 2e-4 and 3e-4, for Muon's and Adam's parameters."""
    assert sorted(set(probed["half_way"])) == pytest.approx([1.1e-4, 1.65e-4])


@pytest.mark.slow
def test_sigterm_saves_and_every_script_takes_the_checkpoint(tmp_path):
    """Stopped by SIGTERM, continued, played, evaluated on the full model, and gone on with by PPO."""
    process = start(world_model_script(*TASK, *SMALL, CENTER, "--json", tmp_path / "a.json"), tmp_path)
    wait_for(lambda: list(tmp_path.glob("logs/rsl_rl/*/*/progress.csv")), process)
    process.send_signal(signal.SIGTERM)
    finish(process, status=128 + signal.SIGTERM)
    (found,) = tmp_path.glob("logs/rsl_rl/g1_demo_world_model/*")
    assert json.loads((tmp_path / "a.json").read_text())["why_ended"] == "SIGTERM received"
    done = len(progress(found))
    run(world_model_script(*TASK, *SMALL, CENTER, "--checkpoint", "latest", "--max_iterations", done + 2), tmp_path)
    assert len(progress(found)) == done + 2 and "critic_state_dict" not in checkpoint(found, done + 1)
    full = ("--task", "Tracking-Flat-G1-Residual-v0", *TASK[2:], CENTER)
    run(script("play.py", *full, "--checkpoint", found, "--max_steps", 10, "--num_envs", 8), tmp_path)
    run(script("evaluate.py", *full, "--checkpoint", found, "--num_envs", 8), tmp_path)
    assert (found / "evaluation" / "report.json").is_file()
    run(
        script("train.py", *TASK, CENTER, "--load_sft_pretrain", found, "--max_iterations", 1, "--num_envs", 16),
        tmp_path,
    )


@pytest.fixture(scope="module")
def clips(tmp_path_factory) -> list[Path]:
    """Four clips."""
    folder = tmp_path_factory.mktemp("clips")
    paths = [folder / f"{name}.npz" for name in ("squat", "bow_and_reach", "step_in_place", "arm_swing")]
    for path in paths:
        convert(read_csv(REPOSITORY / "motions" / f"{path.stem}.csv", fps=30), output_fps=50, robot="g1").save(path)
    return paths


MULTI = ("--task", "Tracking-Flat-G1-Multi-v0", "--headless", "physics=mujoco_cpu", CENTER)


@pytest.mark.slow
def test_three_clips_in_one_policy_are_evaluated_and_gone_on_with_by_ppo(clips, tmp_path):
    """With a one-hot id and computed joint targets of each clip."""
    task = (*MULTI, "--motion_file", *clips[:3], "presets=motion_one_hot,residual_actions")
    run(world_model_script(*task, *SMALL, "--max_iterations", 3), tmp_path)
    (found,) = tmp_path.glob("logs/rsl_rl/*_world_model/*")
    assert checkpoint(found, 2)["actor_state_dict"]["mlp.0.weight"].shape[1] == 163
    run(script("evaluate.py", *task, "--checkpoint", found, "--num_envs", 6), tmp_path)
    report = json.loads((found / "evaluation" / "report.json").read_text())
    assert [row["name"] for row in report["per_clip"]] == [path.stem for path in clips[:3]]
    tuned = ("--load_sft_pretrain", found, "--max_iterations", 2, "--num_envs", 16)
    run(script("train.py", *task, *tuned), tmp_path)
    (ppo,) = tmp_path.glob("logs/rsl_rl/*[!l]/*/model_1.pt")
    assert "critic_state_dict" in checkpoint(ppo.parent, 1)


@pytest.mark.slow
def test_a_policy_goes_on_with_a_clip_that_it_has_not_seen(clips, tmp_path):
    """In a run of its own, with model, statistics and policy."""
    task = (*MULTI, "presets=residual_actions", "--motion_file")
    run(world_model_script(*task, *clips[:3], *SMALL, "--max_iterations", 2), tmp_path)
    (found,) = tmp_path.glob("logs/rsl_rl/*_world_model/*")
    go_on = (*task, clips[3], *SMALL, "--checkpoint", found, "--max_iterations", 4)
    run(world_model_script(*go_on, "env.commands.motion.transfer=true"), tmp_path)
    (other,) = set(tmp_path.glob("logs/rsl_rl/*_world_model/*")) - {found}
    before, after = checkpoint(found, 1), checkpoint(other, 3)
    for name in ("input_mean", "change_std"):
        assert (before["world_model"]["model"][name] == after["world_model"]["model"][name]).all()
    assert len(progress(other)) == 2 and after["total_steps"] > before["total_steps"]
