"""A residual policy about its clip's joint targets: the file carries them, and another center is refused."""

from dataclasses import replace

import numpy as np
import pytest
from policies import NUM_FRAMES, make_actor, make_clip, make_spec, observation, sensor_readings, torch_actions

from whole_body_tracking.export import PolicySpec, export_onnx, load_policy
from whole_body_tracking.motion import MotionLibrary

pytestmark = pytest.mark.unit

SPEC = make_spec(action_kind="residual", action_center="joint_target")
SCALE, DEFAULT = np.array(SPEC.action_scale), np.array(SPEC.default_joint_pos)


@pytest.fixture(scope="module")
def clip():
    """The wave with targets that are ahead of it by a tenth of a radian and more."""
    targets = make_clip().joint_pos + np.linspace(0.1, 0.3, NUM_FRAMES)[:, None]
    return replace(make_clip(), channels={"joint_target": targets})


@pytest.fixture(scope="module")
def actor():
    return make_actor()


@pytest.fixture(scope="module")
def policy(actor, clip, tmp_path_factory):
    library = MotionLibrary.from_clips([clip])
    return load_policy(export_onnx(actor, SPEC, library, tmp_path_factory.mktemp("export") / "policy.onnx"))


def test_targets_in_closed_loop_are_those_of_training(actor, policy, clip):
    """In training: joint_target + scale * action. The controller knows only default + scale * action."""
    trained, emitted = np.zeros(3, np.float32), np.zeros(3, np.float32)
    for frame, row in zip(range(NUM_FRAMES), sensor_readings(NUM_FRAMES), strict=True):
        trained = torch_actions(actor, observation(clip, frame, row, trained))
        emitted = policy.run(observation(clip, frame, row, emitted), frame)["actions"][0]
        expected = clip.channels["joint_target"][frame] + SCALE * trained
        np.testing.assert_allclose(DEFAULT + SCALE * emitted, expected, atol=2e-5)


def test_the_center_is_the_last_output(policy, clip):
    assert policy.output_names[-1] == "joint_target" and policy.output_names[1] == "joint_pos"
    shown = policy.reference(31)
    np.testing.assert_array_equal(shown["joint_target"], clip.channels["joint_target"][31])
    np.testing.assert_array_equal(shown["joint_pos"], clip.joint_pos[31])


def test_the_choice_survives_json_and_metadata(policy):
    assert policy.spec == SPEC and PolicySpec.from_json(SPEC.to_json()) == SPEC
    assert policy.session.get_modelmeta().custom_metadata_map["action_center"] == "joint_target"


def test_a_clip_without_targets_is_refused(actor, tmp_path):
    with pytest.raises(ValueError, match="joint_target"):
        export_onnx(actor, SPEC, MotionLibrary.from_clips([make_clip()]), tmp_path / "policy.onnx")


def test_a_controller_for_the_other_center_refuses_the_policy():
    """Only where the file's actions are residual: inside a graph with the clip the center is already added."""
    outside = {"action_kind": "residual", "reference_in_graph": False}
    about_targets = make_spec(action_center="joint_target", **outside)
    with pytest.raises(ValueError, match="`emitted_center` is joint_target, expected reference"):
        about_targets.require_compatible(make_spec(**outside), "policy.onnx")
    SPEC.require_compatible(make_spec(action_kind="residual"), "policy.onnx")


def test_an_unknown_center_is_refused():
    with pytest.raises(ValueError, match="`action_center` is 'feet', expected one of"):
        make_spec(action_center="feet")
