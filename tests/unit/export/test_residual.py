"""A residual policy runs in a default-relative controller: same joint targets over a whole clip, in closed loop."""

import numpy as np
import pytest
from policies import (
    LAST_ACTION,
    NUM_FRAMES,
    NUM_OBSERVATIONS,
    make_actor,
    make_clip,
    make_library,
    make_spec,
    observation,
    sensor_readings,
    torch_actions,
)

from whole_body_tracking.export import ObservationTerm, export_onnx, load_policy

pytestmark = pytest.mark.unit

SPEC = make_spec(action_kind="residual")
SCALE, DEFAULT = np.array(SPEC.action_scale), np.array(SPEC.default_joint_pos)


@pytest.fixture(scope="module")
def actor():
    return make_actor()


@pytest.fixture(scope="module")
def policy(actor, tmp_path_factory):
    return load_policy(export_onnx(actor, SPEC, make_library(), tmp_path_factory.mktemp("export") / "policy.onnx"))


def trained_targets(actor, clip, frames, readings) -> np.ndarray:
    """Joint targets as the environment computes them: reference + scale * action, last action fed back."""
    action, targets = np.zeros(3, np.float32), []
    for frame, row in zip(frames, readings, strict=True):
        action = torch_actions(actor, observation(clip, frame, row, action))
        targets.append(clip.joint_pos[frame] + SCALE * action)
    return np.array(targets)


def deployed_targets(policy, clip, frames, readings, lag, action=None) -> np.ndarray:
    """Joint targets of a controller that knows nothing but default + scale * action."""
    action, targets = np.zeros(3, np.float32) if action is None else action, []
    for frame, row in zip(frames, readings, strict=True):
        action = policy.run(observation(clip, frame, row, action), frame + lag)["actions"][0]
        targets.append(DEFAULT + SCALE * action)
    return np.array(targets)


@pytest.mark.parametrize("lag", [0, 1], ids=["time_step_of_the_command", "command_one_call_behind"])
@pytest.mark.parametrize("first", [0, 1, 25])
def test_closed_loop_targets_are_those_of_training(actor, policy, lag, first):
    clip, frames = make_clip(), range(first, NUM_FRAMES)
    readings = sensor_readings(len(frames))
    expected = trained_targets(actor, clip, frames, readings)
    found = deployed_targets(policy, clip, frames, readings, lag)
    np.testing.assert_allclose(found, expected, atol=2e-5)


def test_a_controller_that_primes_with_zeros_starts_as_in_training(actor, policy):
    """On reset it asks for the reference with a zero observation and keeps that call's action as the last one."""
    clip, frames, readings = make_clip(), range(NUM_FRAMES), sensor_readings(NUM_FRAMES)
    primed = policy.run(np.zeros(NUM_OBSERVATIONS), 0)
    np.testing.assert_array_equal(primed["joint_pos"][0], clip.joint_pos[0])
    found = deployed_targets(policy, clip, frames, readings, lag=1, action=primed["actions"][0])
    np.testing.assert_allclose(found, trained_targets(actor, clip, frames, readings), atol=2e-5)


def test_a_wrong_last_action_is_noticed(actor, policy):
    """What the parity above would look like if the last action were passed through unmapped."""
    clip, row = make_clip(), sensor_readings(1)[0]
    shift = (clip.joint_pos[29] - DEFAULT) / SCALE
    last = np.array([0.1, -0.2, 0.3])
    mapped = policy.run(observation(clip, 30, row, last + shift), 30)["actions"][0]
    expected = torch_actions(actor, observation(clip, 30, row, last)) + (clip.joint_pos[30] - DEFAULT) / SCALE
    unmapped = policy.run(observation(clip, 30, row, last), 30)["actions"][0]
    np.testing.assert_allclose(mapped, expected, atol=2e-5)
    assert np.abs(unmapped - expected).max() > 1e-3


def test_holding_the_last_frame_keeps_counting(actor, policy):
    clip = make_clip()
    frames = [*range(50, NUM_FRAMES), *[NUM_FRAMES - 1] * 5]
    readings = sensor_readings(len(frames))
    expected = trained_targets(actor, clip, frames, readings)
    action = np.zeros(3, np.float32)
    for time_step, (frame, row, target) in enumerate(zip(frames, readings, expected, strict=True), start=50):
        action = policy.run(observation(clip, frame, row, action), time_step)["actions"][0]
        np.testing.assert_allclose(DEFAULT + SCALE * action, target, atol=2e-5)


def test_action_clip_bounds_the_network_not_the_reference(actor, tmp_path):
    spec = make_spec(action_kind="residual", action_clip=0.05)
    policy = load_policy(export_onnx(actor, spec, make_library(), tmp_path / "policy.onnx"))
    clip, row = make_clip(), sensor_readings(1)[0]
    emitted = policy.run(observation(clip, 30, row, np.zeros(3)), 30)["actions"][0]
    residual = emitted - (clip.joint_pos[30] - DEFAULT) / SCALE
    assert np.abs(residual).max() == pytest.approx(0.05, abs=1e-5)


def test_without_a_clip_the_file_says_that_it_emits_residuals(actor, tmp_path):
    spec = make_spec(action_kind="residual", reference_in_graph=False)
    policy = load_policy(export_onnx(actor, spec, make_library(2), tmp_path / "policy.onnx"))
    obs = np.random.default_rng(0).normal(size=NUM_OBSERVATIONS)
    assert policy.spec.emitted_actions == "residual"
    assert policy.input_names == ["obs"] and policy.output_names == ["actions"]
    np.testing.assert_allclose(policy.run(obs)["actions"][0], torch_actions(actor, obs), atol=1e-5)


def test_a_scaled_last_action_is_refused(actor):
    *others, last = SPEC.observations
    scaled = ObservationTerm(last.name, last.dim, scale=(0.5,))
    spec = make_spec(action_kind="residual", observations=(*others, scaled))
    with pytest.raises(ValueError, match="'actions' has to be 3 values without history, scale"):
        export_onnx(actor, spec, make_library(), "unused.onnx")


def test_last_action_is_where_the_layout_says():
    assert SPEC.observation_slice("actions") == LAST_ACTION
