"""``train_muscle.py`` as a process, on a small network."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from whole_body_tracking.actuation.muscle_nn import load_muscle_nn, new_muscle_nn, save_muscle_nn
from whole_body_tracking.deploy.building import build_controller
from whole_body_tracking.export import load_policy
from whole_body_tracking.robots import G1
from whole_body_tracking.sim2sim.reference import references_of
from whole_body_tracking.sim2sim.rollout import roll_out
from whole_body_tracking.sim2sim.stable_pd import MuscleSimulation, simulation_of

pytestmark = pytest.mark.integration

SCRIPT = Path(__file__).parents[2] / "scripts" / "muscle" / "train_muscle.py"
KEPT = "muscle_nn_in_turns.safetensors"
SMALL = ["--hidden", "290", "--batch_size", "32", "--save_every", "10"]


def run(folder: Path, *flags: str) -> subprocess.CompletedProcess:
    command = [sys.executable, str(SCRIPT), "--output_dir", str(folder), *SMALL, *flags]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_train_refuse_resume(tmp_path):
    folder, summary = tmp_path / "muscles", tmp_path / "summary.json"
    first = run(folder, "--iterations", "20", "--pair_iterations", "20", "--json", str(summary))
    assert first.returncode == 0, first.stderr
    assert "times faster" in first.stdout
    written = json.loads(summary.read_text())
    assert written["iteration"] == 20
    assert {"torque_error", "speedup", "least_squares_error"} <= written.keys()
    assert len((folder / "progress.csv").read_text().splitlines()) == 3
    assert list(folder.glob("events.out.tfevents.*"))

    resumed = run(folder, "--iterations", "40", "--resume")
    assert resumed.returncode == 0, resumed.stderr
    rows = (folder / "progress.csv").read_text().splitlines()[1:]
    assert [row.split(",")[0] for row in rows] == ["10", "20", "30", "40"]


def test_a_missing_folder_for_the_json_is_named(tmp_path):
    refused = run(tmp_path / "muscles", "--json", str(tmp_path / "gone" / "summary.json"))
    assert refused.returncode != 0
    assert f"--json: the folder {tmp_path / 'gone'} does not exist" in refused.stderr
    assert not (tmp_path / "muscles").exists()


def test_ppo_without_a_task_is_refused(tmp_path):
    refused = run(tmp_path / "muscles", "--ppo_minutes", "1", "physics=mujoco_cpu")
    assert refused.returncode != 0
    assert "['physics=mujoco_cpu', '--ppo_minutes'] are for PPO, which needs --task" in refused.stderr
    assert not (tmp_path / "muscles").exists()


@pytest.fixture(scope="module")
def in_turns(tmp_path_factory) -> Path:
    """A folder in which a small network learnt in turns with two iterations of PPO on the squat."""
    folder = tmp_path_factory.mktemp("turns")
    save_muscle_nn(folder / "start.safetensors", new_muscle_nn(G1, (58,)), {})
    command = [sys.executable, str(SCRIPT), "--output_dir", "out", "--muscle_nn", "start.safetensors", "--task"]
    command += ["Tracking-Flat-G1-Demo-v0", "--num_envs", "4", "--max_iterations", "2", "--device", "cpu"]
    command += ["physics=mujoco_cpu", "agent.num_steps_per_env=8", "agent.algorithm.muscle.num_updates=2"]
    finished = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=300)
    assert finished.returncode == 0, finished.stderr[-3000:]
    assert "torque error on the states of the last rollout, before learning from them" in finished.stdout
    return folder


def test_the_network_learns_in_turns_with_ppo(in_turns):
    content = json.loads((in_turns / "out" / "in_turns.json").read_text())
    (before, before_first), (after, after_first) = content["errors"]
    assert before == before_first, "nothing is learnt before the first update"
    assert after != after_first
    start, kept = (load_muscle_nn(in_turns / name, G1)[0] for name in ("start.safetensors", f"out/{KEPT}"))
    assert any(not torch.equal(a, b) for a, b in zip(start.parameters(), kept.parameters(), strict=True))


def test_the_policy_is_exported_with_its_muscles(in_turns):
    run_folder = Path(json.loads((in_turns / "out" / "in_turns.json").read_text())["run"])
    policy = load_policy(run_folder / "exported" / "policy.onnx")
    assert policy.spec.actuation == "muscles"
    assert policy.spec.muscles.contact_forces
    assert not policy.spec.muscles.activation_dynamics
    simulation = simulation_of(G1, policy.spec, policy.folder)
    recording = roll_out(policy, G1, references_of(policy, (), None)[0], 1)
    assert isinstance(simulation, MuscleSimulation)
    assert recording is not None
    with pytest.raises(ValueError, match="trained with actuation 'muscles', and a robot"):
        build_controller(run_folder / "exported" / "policy.onnx")
