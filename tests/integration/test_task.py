"""The task on every engine: what it observes, scores and ends, in states set by hand."""

import json
import math
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration

ENGINES = ["mujoco_cpu", "newton_mjwarp", "ovphysx"]


def probe(tmp_path: Path, task: str, engine: str) -> dict:
    out = tmp_path / "probe.json"
    command = [sys.executable, str(Path(__file__).parent / "task_probe.py"), task, engine, str(out)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=600)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return json.loads(out.read_text())


@pytest.fixture(scope="module", params=ENGINES)
def on_engine(request, tmp_path_factory) -> dict:
    return probe(tmp_path_factory.mktemp("probe"), "Tracking-Flat-G1-v0", request.param)


def test_first_step_after_a_reset_ends_nobody_who_stands_on_the_reference(on_engine):
    first = on_engine["first_step"]
    assert first["terminated"] == 0 and first["truncated"] == 0
    assert first["frames"] == [2] * 8  # state of frame 0, scored against 1, now aiming at 2


def test_a_step_runs_through_the_files_that_the_docs_list(on_engine):
    """Without sampler and engine; the two configs are read before, not called."""
    text = (Path(__file__).parents[2] / "docs/how_it_works.md").read_text()
    section = text.split("## Files of one control step", 1)[1].split("\n## ", 1)[0]
    listed = re.findall(r"^\d+\. `([a-z0-9_/]+\.py)`", section, flags=re.MULTILINE)
    called = [name for name in on_engine["step_files"] if not re.match(r"physics/|.*/start_sampling/", name)]
    assert set(called) <= set(listed) and len(listed) <= 12
    assert [name for name in listed if name not in called and not name.endswith("env_cfg.py")] == []


def test_observation_widths_and_values(on_engine):
    first = on_engine["first_step"]
    assert first["observation_widths"] == {"policy": 160, "critic": 286}
    assert first["finite"]


def test_tracking_the_first_frame_at_rest_needs_a_possible_action(on_engine):
    assert on_engine["first_step"]["action_finite"] and on_engine["first_step"]["targets_within_limits"]


def test_body_poses_are_fresh_right_after_a_reset(on_engine):
    """On frame 0 the reference anchor of frame 1 is a step away: millimetres, not the distance to a stale pose."""
    assert max(abs(value) for value in on_engine["anchor_observation"]) < 0.01


def test_rewards_are_one_on_the_reference(on_engine):
    for name, value in on_engine["on_reference"]["rewards"].items():
        assert value == pytest.approx(1.0, abs=2e-4), name
    assert not any(on_engine["on_reference"]["terminations"].values())


def test_terminations_fire_above_their_thresholds_and_not_below(on_engine):
    assert not any(on_engine["raised_below"].values())
    assert on_engine["raised_above"] == {
        "anchor_pos": True, "anchor_ori": False, "ee_body_pos": True, "state_not_finite": False,
    }  # fmt: skip


def test_the_base_velocity_is_that_of_the_root_link(on_engine):
    """Not that of its centre of mass, 7.6 cm below, which OvPhysX reports as the link's once it has stepped."""
    assert on_engine["base_velocity"]["error"] < 1e-4 < 0.03 < on_engine["base_velocity"]["arm"]


def test_only_the_global_position_term_sees_a_horizontal_shift(on_engine):
    moved = on_engine["moved_0.3_m"]
    assert moved["motion_global_anchor_pos"] == pytest.approx(math.exp(-1.0), abs=2e-3)  # 0.3 m is one std
    for name in set(moved) - {"motion_global_anchor_pos"}:
        assert moved[name] == pytest.approx(1.0, abs=2e-4), name


def test_an_env_that_diverges_is_reset_within_the_step(on_engine):
    """rsl_rl raises on any NaN it is given, so none may leave the environment."""
    if "diverged" in on_engine:
        assert on_engine["diverged"] == {"ended": [3], "finite": True, "log_finite": True}


@pytest.mark.parametrize(
    ("task", "policy_width"),
    [
        ("Tracking-Flat-G1-Low-Freq-v0", 160),
        # Exported, filmed and ablated by other tests.
        pytest.param("Tracking-Flat-G1-Wo-State-Estimation-v0", 154, marks=pytest.mark.slow),
        pytest.param("Tracking-Flat-G1-Residual-v0", 160, marks=pytest.mark.slow),
        pytest.param("Tracking-Flat-G1-Demo-v0", 160, marks=pytest.mark.slow),
    ],
)
def test_every_task_builds_and_starts(tmp_path, task, policy_width):
    result = probe(tmp_path, task, "mujoco_cpu")
    assert result["first_step"]["observation_widths"] == {"policy": policy_width, "critic": 286}
    assert result["first_step"]["terminated"] == 0
    assert min(result["on_reference"]["rewards"].values()) > 0.9998
