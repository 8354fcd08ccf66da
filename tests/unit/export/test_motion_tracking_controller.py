"""ROS 2's motion_tracking_controller: what it reads and when, one step late by its clock."""

import numpy as np
import pytest
from motion_tracking_client import MotionTrackingClient
from policies import (
    NUM_FRAMES,
    make_actor,
    make_clip,
    make_library,
    make_spec,
    observation,
    sensor_readings,
    torch_actions,
)

from whole_body_tracking.export import export_onnx

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("kind", ["default_relative", "residual"])
@pytest.mark.parametrize("start", [0, 20])
def test_its_joint_targets_are_those_of_training(tmp_path, kind, start):
    """At its first update it observes the frame of its reset, with the time step one ahead, and so on."""
    spec, actor, clip = make_spec(action_kind=kind), make_actor(), make_clip()
    client = MotionTrackingClient(export_onnx(actor, spec, make_library(), tmp_path / "policy.onnx"))
    client.reset(start)
    primed = client.action  # a policy about the default pose answers the zeros with some action, and it feeds that back
    action = np.zeros(3, np.float32) if kind == "residual" else primed
    scale, default = np.array(spec.action_scale), np.array(spec.default_joint_pos)
    for frame, readings in zip(range(start, NUM_FRAMES), sensor_readings(NUM_FRAMES - start), strict=True):
        action = torch_actions(actor, observation(clip, frame, readings, action))
        origin = clip.joint_pos[frame] if kind == "residual" else default
        np.testing.assert_allclose(client.update(readings), origin + scale * action, atol=2e-5)


def test_it_reads_the_metadata_at_full_precision(tmp_path):
    spec = make_spec()
    metadata = MotionTrackingClient(export_onnx(make_actor(), spec, make_library(), tmp_path / "policy.onnx")).metadata
    assert tuple(float(value) for value in metadata["joint_stiffness"]) == spec.joint_stiffness
    assert metadata["observation_history_lengths"] == ["1"] * 6
    assert metadata["anchor_body_name"] == ["torso"] and metadata["body_names"] == ["pelvis", "torso"]


def test_a_policy_of_several_clips_says_that_it_does_not_fit(tmp_path):
    path = export_onnx(make_actor(), make_spec(reference_in_graph=False), None, tmp_path / "policy.onnx")
    with pytest.raises(KeyError, match="time_step"):
        MotionTrackingClient(path)
    text = doc_string(path)
    assert "motion_tracking_controller" in text and "time_step" in text


def doc_string(path) -> str:
    import onnx

    return onnx.load(path).doc_string


def test_a_policy_of_one_clip_says_that_it_fits(tmp_path):
    path = export_onnx(make_actor(), make_spec(), make_library(), tmp_path / "policy.onnx")
    assert "motion_tracking_controller runs it" in doc_string(path)
