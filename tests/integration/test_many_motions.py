"""One policy on three clips: every preset and end mode trains, and the clips' failure rates tell them apart."""

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from whole_body_tracking.motion import DEFAULT_MOTION_FILE, MotionClip

pytestmark = pytest.mark.integration

WIDTHS = {
    "none": {"policy": 160, "critic": 286},
    "motion_one_hot": {"policy": 163, "critic": 289},
    "motion_embedding": {"policy": 163, "critic": 289},
    # 4 steps of 29 joints, 3 of position and 6 of orientation.
    "motion_preview": {"policy": 160 + 4 * 38, "critic": 286 + 4 * 38},
}
OVERRIDES = {
    "none": ["env.commands.motion.clip_end=resample"],
    "motion_one_hot": ["env.commands.motion.clip_sampling=uniform"],
    "motion_embedding": ["env.commands.motion.motion_storage=compact"],
    "motion_preview": ["env.commands.motion.clip_end=loop"],
}


@pytest.fixture(scope="module")
def manifest(tmp_path_factory) -> str:
    """Two parts of the shipped clip, and one that no robot can follow: it rises by 5 m/s."""
    folder = tmp_path_factory.mktemp("clips")
    clip = MotionClip.load(DEFAULT_MOTION_FILE)
    body_pos_w = clip.body_pos_w + np.linspace(0.0, 5.0 * clip.duration, clip.num_frames)[:, None, None] * [0, 0, 1]
    dataclasses.replace(clip, body_pos_w=body_pos_w).save(folder / "impossible.npz")
    (folder / "motions.yaml").write_text(
        "motions:\n"
        f"  - {{file: '{DEFAULT_MOTION_FILE}', frame_range: [1, 60], weight: 2}}\n"
        f"  - {{file: '{DEFAULT_MOTION_FILE}', frame_range: [61, 180]}}\n"
        "  - {file: impossible.npz}\n"
    )
    return str(folder / "motions.yaml")


def train(tmp_path: Path, engine: str, preset: str, manifest: str, overrides: list[str]) -> dict:
    out = tmp_path / "probe.json"
    program = str(Path(__file__).parent / "many_motions_probe.py")
    command = [sys.executable, program, engine, preset, manifest, str(out), *overrides]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=600)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return json.loads(out.read_text())


COMBINATIONS = [(engine, preset) for engine in ("mujoco_cpu", "ovphysx") for preset in OVERRIDES]
"""A run takes 40 s, on OvPhysX more; what is not slow is that of the failure rates below."""


@pytest.mark.slow
@pytest.mark.parametrize(("engine", "preset"), COMBINATIONS)
def test_three_clips_train(tmp_path, manifest, engine, preset):
    found = train(tmp_path, engine, preset, manifest, OVERRIDES[preset])
    assert found["widths"] == WIDTHS[preset]
    assert found["num_outside"] == 0
    assert found["clips_seen"] == [0, 1, 2]
    assert found["finite"] and found["export_difference"] < 1e-5
    if preset in ("motion_one_hot", "motion_embedding"):
        assert found["terms"][-1] == "motion_identity"
    rows = {row["clip"]: row for row in found["rows"]}
    assert rows["impossible"]["failure_rate"] > 0.9  # but for starts right before its end
    assert rows["impossible"]["mean_survived_s"] < 0.3
    assert sum(row["probability"] for row in rows.values()) == pytest.approx(1.0, abs=1e-4)


def test_failure_rates_of_an_easy_and_an_impossible_clip_separate(tmp_path, manifest):
    """Without noise and pushes a short standing clip ends before anybody falls; the rising one fails every time."""
    overrides = [
        "env.commands.motion.pose_range={}",
        "env.commands.motion.velocity_range={}",
        "env.events.push_robot=null",
        "agent.actor.distribution_cfg.init_std=0.05",
    ]
    rows = {row["clip"]: row for row in train(tmp_path, "mujoco_cpu", "none", manifest, overrides)["rows"]}
    easy, impossible = rows["squat_1-60"], rows["impossible"]
    assert impossible["failure_rate"] > 0.9 and easy["failure_rate"] < 0.8
    assert easy["mean_survived_s"] > 2.0 * impossible["mean_survived_s"]
    assert impossible["probability"] > easy["probability"]
