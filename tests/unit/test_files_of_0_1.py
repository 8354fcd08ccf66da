"""What version 0.1.0 wrote is read by this version: clips, checkpoints, agent configs, exported policies, reports."""

import importlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml

from whole_body_tracking.evaluation.metrics.definitions import DEFINITIONS
from whole_body_tracking.export.loader import load_policy
from whole_body_tracking.motion import MotionClip
from whole_body_tracking.rl.run.checkpoint_file import load_checkpoint
from whole_body_tracking.rl.run.checkpoints import newest_checkpoint
from whole_body_tracking.sim2sim.gap import read_baseline

pytestmark = pytest.mark.unit

OLD = Path(__file__).parents[1] / "fixtures" / "v0_1_0"


def test_clips_keep_their_digest():
    clips = {
        clip["name"]: clip["sha256"] for clip in json.loads((OLD / "embedding/provenance.json").read_text())["clips"]
    }
    assert {name: MotionClip.load(OLD / f"{name}.npz").digest for name in clips} == clips
    clip = MotionClip.load(OLD / "squat.npz")
    assert (clip.fps, clip.num_frames, len(clip.joint_names), clip.channels) == (50.0, 66, 29, {})


@pytest.mark.parametrize("run", ["residual", "embedding"])
def test_checkpoints_are_found_and_read(run):
    path = newest_checkpoint(OLD / run)
    content = load_checkpoint(path)
    assert path.name == "model_1.pt" and content["iter"] == 1 and content["total_steps"] == 64
    assert content["motion_sampler_state_dict"].keys() >= {"failures", "visits", "clip_totals"}
    assert {"actor_state_dict", "critic_state_dict", "optimizer_state_dict", "random_state"} <= content.keys()


@pytest.mark.parametrize("run", ["residual", "embedding"])
def test_saved_agent_configs_name_classes_that_exist(run):
    agent = yaml.unsafe_load((OLD / run / "params/agent.yaml").read_text())
    named = [agent[part]["class_name"] for part in ("algorithm", "actor", "critic") if ":" in agent[part]["class_name"]]
    assert named
    for name in named:
        module, attribute = name.split(":")
        assert hasattr(importlib.import_module(module), attribute), name


def test_an_exported_residual_policy_runs_with_its_reference():
    policy = load_policy(OLD / "residual/exported/policy.onnx")
    outputs = policy.run(np.zeros((1, policy.spec.num_observations), dtype=np.float32), time_step=3)
    clip = MotionClip.load(OLD / "squat.npz")
    assert outputs["actions"].shape == (1, 29) and np.isfinite(outputs["actions"]).all()
    assert np.allclose(outputs["joint_pos"][0], clip.joint_pos[3], atol=1e-6)


def test_an_exported_policy_of_several_clips_finds_them_beside_it(tmp_path: Path):
    shutil.copytree(OLD / "embedding/exported", tmp_path / "exported")
    spec = json.loads((tmp_path / "exported/policy.json").read_text())
    folder = tmp_path / "exported" / spec["clips_folder"]
    folder.mkdir()
    for clip in spec["clips"]:
        shutil.copyfile(OLD / f"{clip['name']}.npz", folder / f"{clip['name']}-{clip['sha256'][:8]}.npz")
    policy = load_policy(tmp_path / "exported/policy.onnx")
    assert policy.clip("step").num_frames == MotionClip.load(OLD / "step.npz").num_frames


def test_sim2sim_compares_with_an_old_report():
    policy = load_policy(OLD / "residual/exported/policy.onnx")
    digest = MotionClip.load(OLD / "squat.npz").digest
    baseline = read_baseline(OLD / "report/report.json", [digest], policy.spec)
    assert baseline


def test_every_metric_of_an_old_report_still_has_its_definition():
    report = json.loads((OLD / "report/report.json").read_text())
    assert report["definitions"].keys() <= DEFINITIONS.keys()
