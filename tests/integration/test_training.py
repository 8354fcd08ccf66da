"""Training, resuming, playing: the command lines that users type, on a few envs."""

from __future__ import annotations

import json
import shutil
import signal
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from training_runs import TASK, checkpoint, finish, iterations, progress, run, run_folder, script, start, wait_for

from whole_body_tracking.motion import DEFAULT_MOTION_FILE, MotionClip

pytestmark = pytest.mark.integration

SETTINGS = ("physics=mujoco_cpu", "agent.save_interval=1")
NUM_ENVS = 16
MINI_BATCH_STEPS = 5 * 4
"""Optimiser steps of an iteration: epochs times mini-batches."""


def train(*arguments: object, task: str = TASK) -> list[str]:
    """A command line with overrides right after the motions."""
    flags = ("--num_envs", NUM_ENVS, "--headless")
    return script("train.py", f"--task={task}", "--motion_file", DEFAULT_MOTION_FILE, *SETTINGS, *flags, *arguments)


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    """Working folder of a run of three iterations with seed 3."""
    folder = tmp_path_factory.mktemp("finished")
    run(train("--max_iterations", 3, "--seed", 3, "--run_name", "first"), folder)
    return folder


@pytest.fixture(scope="module")
def killed(tmp_path_factory) -> tuple[Path, list[int], list[dict]]:
    """Working folder of a run with seed 3 that was killed, the checkpoints it had, and its progress."""
    folder = tmp_path_factory.mktemp("killed")
    process = start(train("--max_iterations", 1000, "--seed", 3), folder)
    wait_for(lambda: any(folder.glob("logs/rsl_rl/g1_flat/*/model_2.pt")), process)
    process.kill()
    process.communicate()
    found = run_folder(folder)
    return folder, iterations(found), progress(found)


def onnx_session(path: Path):
    """An exported policy, ready to run."""
    import onnxruntime

    return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])


def random_numbers_of(content: dict) -> int:
    """Seed of the sequence in which a checkpoint's random numbers stand."""
    generator = torch.Generator()
    generator.set_state(content["random_state"]["torch"])
    return generator.initial_seed()


# -- a run that ends -------------------------------------------------------------------------------------------------


def test_layout_of_a_run(finished):
    found = run_folder(finished)
    assert found.name.endswith("_first")
    assert iterations(found) == [0, 1, 2]
    assert json.loads((found / "run.json").read_text())["task"] == TASK
    assert {path.name for path in (found / "params").iterdir()} == {"agent.yaml", "env.yaml"}
    assert [row["iteration"] for row in progress(found)] == ["0", "1", "2"]
    assert progress(found)[-1]["total_steps"] == str(3 * 24 * NUM_ENVS)
    assert list(found.glob("events.out.tfevents.*"))
    assert not list(found.glob(".*"))


def test_provenance(finished):
    provenance = json.loads((run_folder(finished) / "provenance.json").read_text())
    assert (provenance["seed"], provenance["num_envs"], provenance["physics"]) == (3, 16, "MujocoCpuSolverCfg")
    assert provenance["versions"]["isaaclab"] == "3.0.0"
    digest = MotionClip.load(DEFAULT_MOTION_FILE).digest
    assert provenance["clips"] == [{"name": "squat", "sha256": digest}]
    assert "commit" in provenance


def test_the_exported_policy_loads_alone(finished, tmp_path):
    shutil.copy(run_folder(finished) / "exported" / "policy.onnx", tmp_path)
    session = onnx_session(tmp_path / "policy.onnx")
    inputs = {"obs": np.zeros((1, 160), np.float32), "time_step": np.zeros((1, 1), np.float32)}
    assert session.run(["actions"], inputs)[0].shape == (1, 29)


def test_checkpoints_are_data_on_whatever_device_is_asked_for(finished):
    path = run_folder(finished) / "model_2.pt"
    for device in ("cpu", "meta"):
        content = torch.load(path, weights_only=True, map_location=device)
        assert {value.device.type for value in content["actor_state_dict"].values()} == {device}
    assert {"optimizer_state_dict", "critic_state_dict", "motion_sampler_state_dict", "iter"} <= content.keys()


def test_a_second_resume_at_the_total_does_nothing_and_says_so(finished):
    before = {path: path.stat().st_mtime_ns for path in run_folder(finished).rglob("*")}
    out, _ = run(train("--checkpoint", "latest", "--max_iterations", 3), finished)
    assert "already has 3 of 3 iterations: nothing to train" in out
    assert {path: path.stat().st_mtime_ns for path in run_folder(finished).rglob("*")} == before


def test_a_checkpoint_by_path_continues_in_a_new_folder(finished, tmp_path):
    run(train("--checkpoint", run_folder(finished) / "model_2.pt", "--max_iterations", 4, "--seed", 7), tmp_path)
    found = run_folder(tmp_path)
    assert iterations(found) == [3] and random_numbers_of(checkpoint(found, 3)) == 7
    assert [row["iteration"] for row in progress(found)] == ["3"]
    assert progress(found)[0]["total_steps"] == str(4 * 24 * NUM_ENVS)


# -- a run that is interrupted ---------------------------------------------------------------------------------------


def test_same_seed_same_curve(finished, killed):
    assert progress(run_folder(finished)) == killed[2][:3]


def test_kill_leaves_nothing_half_written(killed):
    folder, saved, _ = killed
    found = run_folder(folder)
    assert saved[:3] == [0, 1, 2]
    for iteration in saved:
        assert checkpoint(found, iteration)["iter"] == iteration
    onnx_session(found / "exported" / "policy.onnx")


def test_resume_after_a_kill_continues_everything(killed):
    folder, saved, _ = killed
    found, last = run_folder(folder), saved[-1]
    (found / ".model_9.pt.1.tmp").write_bytes(b"what a kill in the middle of a save leaves")
    run(train("--checkpoint", "latest", "--max_iterations", last + 2, "--seed", 7), folder)
    assert run_folder(folder) == found  # no second folder
    assert iterations(found)[-1] == last + 1 and not list(found.glob(".*"))
    assert [int(row["iteration"]) for row in progress(found)] == list(range(last + 2))
    before, after = checkpoint(found, last), checkpoint(found, last + 1)
    steps = [content["optimizer_state_dict"]["state"][0]["step"].item() for content in (before, after)]
    assert steps == [MINI_BATCH_STEPS * (last + 1), MINI_BATCH_STEPS * (last + 2)]
    seen = [content["actor_state_dict"]["obs_normalizer.count"].item() for content in (before, after)]
    assert seen[1] - seen[0] == 24 * NUM_ENVS and seen[0] == (last + 1) * 24 * NUM_ENVS
    visits = [content["motion_sampler_state_dict"]["visits"].sum() for content in (before, after)]
    assert visits[1] > 0.95 * visits[0] > 0.0  # averages forget a share of 0.001 a step, 2.4 % in 24
    assert after["env_step_counter"] - before["env_step_counter"] >= 24
    assert random_numbers_of(after) == 3, "a sequence of its own, not that of the run"


def test_sigterm_saves_and_exits_with_143(finished, tmp_path):
    process = start(train("--max_iterations", 1000, "--seed", 4, "agent.save_interval=500"), tmp_path)
    wait_for(lambda: any(tmp_path.glob("logs/rsl_rl/g1_flat/*/model_0.pt")), process)
    process.send_signal(signal.SIGTERM)
    finish(process, status=128 + signal.SIGTERM)
    found = run_folder(tmp_path)
    last = int(progress(found)[-1]["iteration"])
    assert iterations(found) == [0, last] and last > 0
    assert (found / "exported" / "policy.onnx").is_file()
    assert progress(found)[0]["mean_reward"] != progress(run_folder(finished))[0]["mean_reward"]  # another seed


# -- what comes after ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "engine",
    ["ovphysx", *(pytest.param(name, marks=pytest.mark.slow) for name in ("mujoco_cpu", "newton_mjwarp"))],
)
def test_play_on_every_engine(finished, engine):
    arguments = (f"--task={TASK}", "--num_envs=2", "--checkpoint", "latest", "--max_steps", 20, f"physics={engine}")
    out, _ = run(script("play.py", *arguments), finished)
    assert "Played 20 steps of model_2.pt" in out


def test_stock_isaaclab_train(tmp_path):
    """Isaac Lab's own command, on the packaged clip, with nothing of ours imported first."""
    isaaclab = Path(sys.executable).with_name("isaaclab")
    arguments = ("--rl_library", "rsl_rl", "--task", TASK, "--num_envs", NUM_ENVS, "--max_iterations", 2)
    arguments += ("--device", "cpu")  # its default is cuda:0 everywhere
    run([str(isaaclab), "train", *map(str, arguments)], tmp_path)
    content = checkpoint(run_folder(tmp_path), 1)
    assert content["motion_sampler_state_dict"]["visits"].sum() > 0.0


@pytest.mark.parametrize(
    ("name", "argument"),
    [
        ("train.py", "--motion_file=walk.npz"),
        pytest.param("play.py", "--checkpoint=model_1.pt", marks=pytest.mark.slow),  # the same way out
        pytest.param("evaluate.py", "decimation=2", marks=pytest.mark.slow),
    ],
)
def test_a_bad_argument_ends_with_one_line_and_status_1(tmp_path, name, argument):
    _, err = run(script(name, f"--task={TASK}", argument), tmp_path, status=1)
    (line,) = [line for line in err.splitlines() if not line.startswith("Warp ")]  # Warp says that CUDA is absent
    assert line.startswith("error: ")
    assert list(tmp_path.iterdir()) == []
