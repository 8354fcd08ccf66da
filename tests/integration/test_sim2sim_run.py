"""The whole of sim2sim on policies whose behaviour is known."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from whole_body_tracking.export import load_policy
from whole_body_tracking.motion import DEFAULT_MOTION_FILE, DEFAULT_MOTION_FILE_25HZ, MotionClip
from whole_body_tracking.robots import G1
from whole_body_tracking.sim2sim.reference import (
    Reference,
    as_seen,
    reference_of_file,
    reference_of_policy,
    references_of,
    robot_of,
    with_all_bodies,
)
from whole_body_tracking.sim2sim.rollout import roll_out
from whole_body_tracking.sim2sim.run import run_sim2sim

sys.path.append(str(Path(__file__).parents[1] / "unit" / "sim2sim"))

from g1_policies import export_library_policy, export_zero_policy, g1_spec  # noqa: E402

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def residual(tmp_path_factory):
    """A policy that aims at the reference's joint positions."""
    return export_zero_policy(tmp_path_factory.mktemp("residual") / "policy.onnx", action_kind="residual")


def test_reference_of_the_file_is_the_clip(residual):
    policy = load_policy(residual)
    inside, outside = reference_of_policy(policy), reference_of_file(DEFAULT_MOTION_FILE, policy.spec)
    for name in ("joint_pos", "joint_vel", "body_pos_w", "body_quat_w", "body_lin_vel_w", "body_ang_vel_w"):
        np.testing.assert_array_equal(getattr(inside, name), getattr(outside, name), err_msg=name)
    assert inside.source == outside.source and inside.fps == outside.fps
    full, clip = with_all_bodies(inside, robot_of(policy.spec)), MotionClip.load(DEFAULT_MOTION_FILE)
    np.testing.assert_allclose(full.body_pos_w, clip.body_pos_w, atol=2e-6)


def test_channels_of_the_file_follow_the_joints_of_the_policy():
    clip = MotionClip.load(DEFAULT_MOTION_FILE)
    clip = replace(clip, channels={"joint_target": np.tile(np.arange(29.0), (clip.num_frames, 1))})
    spec = g1_spec(joint_names=tuple(reversed(G1.joint_names)))
    assert as_seen(clip, spec).channels["joint_target"][0].tolist() == list(range(28, -1, -1))


def test_a_rollout_starts_on_the_reference_and_aims_one_frame_ahead(residual):
    policy = load_policy(residual)
    reference = reference_of_policy(policy)
    recording = roll_out(policy, G1, Reference(reference, np.ones(1)), num_rollouts=1, perturbed=False)
    assert len(recording.joint_pos) == reference.num_frames - 1
    np.testing.assert_array_equal(recording.ref_joint_pos[0, 0], reference.joint_pos[1])
    np.testing.assert_array_equal(recording.ref.quat_w[5, 0], reference.body_quat_w[6])
    # After 20 ms the robot has left frame 0 by less than a stiff joint can move.
    assert (recording.robot.pos_w[0, 0] - recording.ref.pos_w[0, 0]).norm(dim=-1).max() < 0.02
    # The network outputs zero: recorded are its actions about the reference, not the default-relative ones of the file.
    assert recording.actions.abs().max() < 1e-4
    assert recording.joint_torque.abs().amax((0, 1)).le(torch.tensor(policy.spec.joint_effort_limit)).all()


def test_rollouts_do_not_depend_on_their_number(residual):
    policy = load_policy(residual)
    (reference,) = references_of(policy)
    one, three = (roll_out(policy, G1, reference, num_rollouts=count, seed=3) for count in (1, 3))
    np.testing.assert_array_equal(one.joint_pos[:, 0], three.joint_pos[:, 0])
    assert (three.joint_pos[0, 1] - three.joint_pos[0, 0]).abs().max() > 1e-4


def test_reports_say_what_was_measured(residual, tmp_path):
    result = run_sim2sim(residual, num_rollouts=2, output_dir=tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {
        "report.json",
        "per_rollout.csv",
        "played.npz",
        "played.html",
    }
    content = json.loads((tmp_path / "report.json").read_text())
    assert content["overall"] == result.overall and {"mpkpe", "success", "mean_power", "contact_recall"} <= set(
        content["definitions"]
    )
    assert content["engine"].startswith("plain MuJoCo")
    again = run_sim2sim(residual, num_rollouts=2, output_dir=tmp_path, compare=tmp_path / "report.json")
    gap = json.loads((tmp_path / "report.json").read_text())["gap"]
    assert again.overall == result.overall and set(gap.values()) == {0.0}
    MotionClip.load(tmp_path / "played.npz").require_robot(G1)


def test_policy_without_a_clip_needs_one(tmp_path):
    path = export_zero_policy(tmp_path / "policy.onnx", action_kind="residual", reference_in_graph=False)
    with pytest.raises(ValueError, match=r"exported without a clip. Pass one of \['squat'\] with --motion_file"):
        run_sim2sim(path, num_rollouts=1, output_dir=tmp_path / "out")
    result = run_sim2sim(path, DEFAULT_MOTION_FILE, num_rollouts=1, perturbed=False, output_dir=tmp_path / "out")
    inside = export_zero_policy(tmp_path / "inside.onnx", action_kind="residual")
    same = run_sim2sim(inside, num_rollouts=1, perturbed=False, output_dir=tmp_path / "out")
    assert result.overall["mpkpe"] == pytest.approx(same.overall["mpkpe"], rel=1e-2)


@pytest.mark.parametrize("inside", [True, False], ids=["clip_in_the_file", "clip_beside_it"])
def test_a_policy_about_joint_targets_plays_about_them(tmp_path, inside):
    """Its network outputs zero: the squat's feed-forward targets are held, which carry it half way through.

    Without the clip in the file they are computed, as in training; with it they come from the file.
    """
    path = export_zero_policy(
        tmp_path / "policy.onnx", action_kind="residual", action_center="joint_target", reference_in_graph=inside
    )
    policy = load_policy(path)
    (reference,) = references_of(policy, motion_file=None if inside else DEFAULT_MOTION_FILE)
    recording = roll_out(policy, G1, reference, num_rollouts=1, perturbed=False)
    assert recording.actions.abs().max() < 1e-4
    error = (recording.robot.pos_w - recording.ref.pos_w).norm(dim=-1).mean((1, 2))
    assert error[99] < 0.05  # about the reference's own positions it lies on the ground there


def test_a_policy_of_several_clips_plays_all_of_them_or_those_named(tmp_path):
    path = export_library_policy(tmp_path / "policy.onnx")
    both = run_sim2sim(path, num_rollouts=3, output_dir=tmp_path / "all")
    assert [(row["name"], row["num_rollouts"]) for row in both.per_clip] == [("squat_1-40", 2), ("squat_101-160", 2)]
    assert both.overall["num_rollouts"] == 4
    content = json.loads((tmp_path / "all" / "report.json").read_text())
    assert content["per_clip"] == both.per_clip and list(content["clips"]) == ["squat_1-40", "squat_101-160"]
    table = (tmp_path / "all" / "per_rollout.csv").read_text().splitlines()
    assert [line.split(",")[:2] for line in table[1:]] == [
        ["squat_1-40", "0"], ["squat_1-40", "1"], ["squat_101-160", "0"], ["squat_101-160", "1"],
    ]  # fmt: skip
    one = run_sim2sim(path, num_rollouts=2, output_dir=tmp_path / "one", motions=["squat_101-160"])
    assert one.per_clip[0] == both.per_clip[1] and one.reference.name == "squat_101-160"
    compared = run_sim2sim(path, num_rollouts=3, output_dir=tmp_path / "again", compare=tmp_path / "all/report.json")
    assert compared.baseline.values["mpkpe"] == pytest.approx(both.overall["mpkpe"])


def test_clips_that_a_policy_lacks_are_refused_by_name(tmp_path):
    path = export_library_policy(tmp_path / "policy.onnx")
    with pytest.raises(ValueError, match=r"without a clip 'walk'. It has: \['squat_1-40', 'squat_101-160'\]"):
        run_sim2sim(path, output_dir=tmp_path / "out", motions=["walk"])
    with pytest.raises(ValueError, match="--motion among the policy's clips, or with --motion_file"):
        run_sim2sim(path, DEFAULT_MOTION_FILE, output_dir=tmp_path / "out", motions=["squat_1-40"])
    with pytest.raises(ValueError, match="observes which of its clips it tracks"):
        run_sim2sim(path, DEFAULT_MOTION_FILE, output_dir=tmp_path / "out")
    next((tmp_path / "clips").glob("squat_101*")).unlink()
    with pytest.raises(FileNotFoundError, match=r"'squat_101-160' is missing.*Copy the folder clips/"):
        run_sim2sim(path, output_dir=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_wrong_input_is_refused(residual, tmp_path):
    with pytest.raises(ValueError, match="25 fps, but the task is controlled at 50 Hz"):
        run_sim2sim(residual, DEFAULT_MOTION_FILE_25HZ, output_dir=tmp_path)
    with pytest.raises(ValueError, match="num_rollouts 0 should be at least 1"):
        run_sim2sim(residual, num_rollouts=0, output_dir=tmp_path)
    with pytest.raises(FileNotFoundError):
        run_sim2sim(tmp_path / "nothing.onnx", output_dir=tmp_path)
    assert not list(tmp_path.iterdir())
