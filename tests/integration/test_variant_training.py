"""Training with every reward and randomisation preset at once: export at save, and a schedule that is resumed."""

import json
import re
from pathlib import Path

import pytest
from training_runs import run, script

pytestmark = pytest.mark.integration

PRESETS = (
    "presets=rand_time,rand_mass,rand_lengths,rand_imu,rand_encoder,"
    "reward_tightening,reward_style,reward_energy,reward_end_effectors"
)
NUM_STEPS = 96  # four iterations


def train(folder: Path, iterations: int, *more: object) -> list[float]:
    """Factors on the kernels that the log shows, one per iteration."""
    arguments = [
        "--task",
        "Tracking-Flat-G1-Demo-v0",
        "--num_envs",
        8,
        "--device",
        "cpu",
        "physics=mujoco_cpu",
        PRESETS,
    ]
    schedule = f"env.curriculum.tracking_std.params.num_steps={NUM_STEPS}"
    out, _ = run(script("train.py", *arguments, schedule, "--max_iterations", iterations, *more), folder)
    return [float(value) for value in re.findall(r"Curriculum/tracking_std: ([\d.]+)", out)]


@pytest.mark.slow
def test_all_presets_train_export_and_resume(tmp_path):
    before = train(tmp_path, 2)
    (exported,) = tmp_path.glob("logs/rsl_rl/g1_demo/*/exported")
    assert (exported / "policy.onnx").is_file()
    clips = json.loads((exported / "policy.json").read_text())["clips"]
    assert [clip["name"] for clip in clips] == ["squat"]  # at its own speed, whatever was trained on
    after = train(tmp_path, 4, "--checkpoint", "latest")
    # A log line holds until the next reset, so the first one of a session still shows its start.
    half = 1.5 * (0.5 / 1.5) ** 0.5  # after two of four iterations
    assert 0.5 <= after[-1] < half < before[-1] <= 1.5
