"""Policies of the real tasks: exported at a save, complete, equal to torch, and runnable by a plain controller."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from whole_body_tracking.export import PolicySpec, load_policy
from whole_body_tracking.robots import G1

pytestmark = pytest.mark.integration

FULL = [
    "command", "motion_anchor_pos_b", "motion_anchor_ori_b", "base_lin_vel", "base_ang_vel", "joint_pos", "joint_vel",
    "actions",
]  # fmt: skip


def export(folder: Path, task: str) -> Path:
    command = [sys.executable, str(Path(__file__).parent / "export_probe.py"), task, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=600)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return folder


@pytest.fixture(scope="module")
def residual(tmp_path_factory) -> Path:
    return export(tmp_path_factory.mktemp("residual"), "Tracking-Flat-G1-Residual-v0")


@pytest.fixture(scope="module")
def without_state_estimation(tmp_path_factory) -> Path:
    return export(tmp_path_factory.mktemp("wo"), "Tracking-Flat-G1-Wo-State-Estimation-v0")


@pytest.fixture(params=["residual", "without_state_estimation"])
def folder(request) -> Path:
    return request.getfixturevalue(request.param)


def test_all_files_are_there_and_nothing_else(folder):
    names = sorted(file.name for file in (folder / "exported").iterdir())
    assert names == ["deploy.yaml", "policy.json", "policy.onnx", "policy.pt"]


def test_onnx_equals_torch_on_a_thousand_observations(folder):
    result = json.loads((folder / "result.json").read_text())
    assert result["num_observations"] == 1000
    assert result["parity"] < 1e-5


def test_a_default_relative_controller_sends_the_same_targets(folder):
    """Closed loop over the clip and its resets, the controller feeding back its own actions [rad]."""
    assert json.loads((folder / "result.json").read_text())["target_difference"] < 1e-5


def test_spec_states_the_robots_facts(folder):
    spec = load_policy(folder / "exported" / "policy.onnx").spec
    assert spec == PolicySpec.from_json((folder / "exported" / "policy.json").read_text())
    assert spec.joint_names == G1.joint_names and spec.body_names == G1.tracked_body_names
    assert spec.control_dt == pytest.approx(0.02)
    for field, fact in {
        "joint_stiffness": G1.stiffness,
        "joint_damping": G1.damping,
        "joint_armature": G1.armature,
        "joint_effort_limit": G1.effort_limit,
        "joint_velocity_limit": G1.velocity_limit,
        "default_joint_pos": G1.default_joint_pos,
        "action_scale": G1.action_scale,
    }.items():
        assert getattr(spec, field) == pytest.approx(list(fact), rel=1e-6), field
    assert [(clip.name, clip.num_frames) for clip in spec.clips] == [("squat", 251)]


def test_layouts_are_160_and_154_and_do_not_mix(residual, without_state_estimation):
    full = load_policy(residual / "exported" / "policy.onnx").spec
    assert [term.name for term in full.observations] == FULL and full.num_observations == 160
    with pytest.raises(ValueError, match=r"(?s)term 2 is motion_anchor_ori_b\[6\].*= 154.*= 160"):
        load_policy(without_state_estimation / "exported" / "policy.onnx", expected=full)


def test_deploy_yaml_maps_joints_to_motors_one_to_one(residual):
    content = yaml.safe_load((residual / "exported" / "deploy.yaml").read_text())
    assert content["joint_ids_map"] == list(range(29))
    assert len(content["observations"]["motion_command"]["scale"]) == 58
