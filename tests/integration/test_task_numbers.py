"""The numbers of the task in the environment that an engine builds, and those that an engine does not honour."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration

NOT_HONOURED = {
    "mujoco_cpu": {"dynamic friction", "64 buckets", "restitution"},
    "newton_mjwarp": {"dynamic friction", "64 buckets", "restitution"},
    "ovphysx": set(),
}
"""Newton has one friction coefficient and draws it per shape without buckets; MuJoCo has no restitution. The engine
that is missing, isaacsim_physx, randomises as ovphysx does."""
POLICY_NOISE = {
    "command": 0.0, "motion_anchor_pos_b": 0.25, "motion_anchor_ori_b": 0.05, "base_lin_vel": 0.5,
    "base_ang_vel": 0.2, "joint_pos": 0.01, "joint_vel": 0.5, "actions": 0.0,
}  # fmt: skip


NEWTON = pytest.param("newton_mjwarp", marks=pytest.mark.slow)
ENGINES = ["mujoco_cpu", "ovphysx", NEWTON]
"""Native MuJoCo is given Newton's model: the same numbers reach both."""


@pytest.fixture(scope="module", params=ENGINES)
def built(request, tmp_path_factory) -> dict:
    folder = tmp_path_factory.mktemp("numbers")
    command = [
        sys.executable,
        str(Path(__file__).parent / "task_numbers_probe.py"),
        request.param,
        str(folder / "out.json"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=600)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return json.loads((folder / "out.json").read_text()) | {"engine": request.param}


def fills(low: float, high: float, half: float) -> bool:
    """Whether samples lie within ± half and use most of it."""
    return -half - 1e-5 <= low <= -0.7 * half and 0.7 * half <= high <= half + 1e-5


def test_clock(built):
    assert built["steps"] == {"control": pytest.approx(0.02), "physics": pytest.approx(0.005), "episode": 500}


def test_rewards(built):
    assert built["rewards"] == {
        "motion_global_anchor_pos": [0.5, 0.3],
        "motion_global_anchor_ori": [0.5, 0.4],
        "motion_body_pos": [1.0, 0.3],
        "motion_body_ori": [1.0, 0.4],
        "motion_body_lin_vel": [1.0, 1.0],
        "motion_body_ang_vel": [1.0, 3.14],
        "action_rate_l2": [-0.1, None],
        "joint_limit": [-10.0, None],
        "undesired_contacts": [-0.1, None],
    }
    assert built["num_contact_bodies"] == 30 - 4  # all but ankles and wrists


def test_terminations(built):
    assert built["terminations"] == {
        "time_out": [True, None],
        "clip_ended": [True, None],
        "anchor_pos": [False, 0.25],
        "anchor_ori": [False, 0.8],
        "ee_body_pos": [False, 0.25],
        "state_not_finite": [False, None],
    }


def test_events(built):
    assert built["events"] == {
        "startup": ["physics_material", "joint_default_pos", "base_com"],
        "interval": ["push_robot"],
    }
    interval, velocity = built["push"]
    assert interval == [1.0, 3.0]
    assert velocity == {
        "x": [-0.5, 0.5], "y": [-0.5, 0.5], "z": [-0.2, 0.2],
        "roll": [-0.52, 0.52], "pitch": [-0.52, 0.52], "yaw": [-0.78, 0.78],
    }  # fmt: skip


def test_actions(built):
    scale = built["action"]["scale"]
    assert len(scale) == 29
    # 0.25 x effort limit / stiffness; stiffness is armature x (2 pi 10 Hz)^2
    assert scale["left_elbow_joint"] == pytest.approx(0.25 * 25.0 / 14.2506, rel=1e-4)
    assert scale["left_ankle_pitch_joint"] == pytest.approx(0.25 * 50.0 / 28.5012, rel=1e-4)
    assert fills(*built["action"]["offset_shift"], half=0.01)
    assert built["action"]["default_follows"]


def test_policy_noise(built):
    for term, half in POLICY_NOISE.items():
        assert fills(*built["noise"][term], half=half), term


def test_start_noise(built):
    for name, halves in {"pos": (0.05, 0.05, 0.01), "lin_vel": (0.5, 0.5, 0.2)}.items():
        for low, high, half in zip(*built["start"][name], halves, strict=True):
            assert fills(low, high, half), name
    low, high = built["start"]["joint_pos"]
    assert min(low) >= -0.1 - 1e-5 and max(high) <= 0.1 + 1e-5 and fills(min(low), max(high), 0.1)


def test_only_the_torso_mass_centre_moves(built):
    x, y, z = built["com_spread"].pop("torso_link")
    assert 0.7 * 0.05 < x <= 0.05 + 1e-6 and 0.7 * 0.1 < y <= 0.1 + 1e-6 and 0.7 * 0.1 < z <= 0.1 + 1e-6
    assert max(max(spread) for spread in built["com_spread"].values()) < 1e-6


def test_surfaces(built):
    found, missing = built["materials"], NOT_HONOURED[built["engine"]]
    ranges = [(0.3, 1.6)] if "dynamic friction" in missing else [(0.3, 1.6), (0.3, 1.2), (0.0, 0.5)]
    for low, high, (lowest, highest) in zip(found["min"], found["max"], ranges, strict=True):
        margin = 0.1 * (highest - lowest)
        assert lowest <= low < lowest + margin and highest - margin < high <= highest
    assert (found["distinct"] > 64) == ("64 buckets" in missing)


@pytest.mark.parametrize("built", [NEWTON], indirect=True)
def test_a_fallen_robot_lies_on_what_it_fell_on(built):
    """``test_mujoco_cpu_contacts.py`` asks the same of mujoco_cpu; newton_mjwarp is what GPU users get."""
    fallen = built["fallen"]
    assert fallen["touching"]["pelvis"] > 0.9 and fallen["touching"]["torso_link"] > 0.9
    assert fallen["touching"]["left_ankle_pitch_link"] == 0.0  # has no shape
    assert fallen["force_per_mass"] == pytest.approx(9.81, rel=0.05)
    assert fallen["height"][0] > 0.03 and fallen["height"][1] < 0.2
    assert fallen["most_contacts"] <= 0.8 and fallen["most_rows"] <= 0.8
