"""Errors of joint targets: windows and the play from the first frame."""

import numpy as np
import pytest
from refine_samples import squat_part, standing

from whole_body_tracking.refine import inverse_dynamics_targets
from whole_body_tracking.refine.measuring import play, played_clip, window_errors
from whole_body_tracking.refine.native_physics import NativePhysics, planning_step
from whole_body_tracking.refine.reference import reference_states
from whole_body_tracking.robots import G1

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def reference():
    return reference_states(squat_part(40), G1)


def test_batched_steps_are_those_of_one_robot(physics, reference):
    """mujoco.rollout on threads and mj_step in sim2sim's simulation agree; so do the bodies' positions."""
    targets = inverse_dynamics_targets(reference.clip).joint_target.astype(float)
    playback = play(reference, targets)
    batch = physics.roll_out(*(np.repeat(x[:1], 3, axis=0) for x in (reference.qpos, reference.qvel)),
                             np.repeat(targets[None, 1:], 3, axis=0))  # fmt: skip
    np.testing.assert_allclose(batch.qpos[2], playback.qpos[1:], atol=1e-9)
    error = np.linalg.norm(batch.body_pos_w[0] - reference.body_pos_w[1:], axis=-1).mean(-1)
    np.testing.assert_allclose(error, playback.body_error, atol=1e-5)


def test_the_number_of_threads_does_not_matter(physics, reference):
    with NativePhysics(G1, 0.02, num_threads=1) as alone:
        results = [
            one.roll_out(reference.qpos[:9], reference.qvel[:9], reference.joint_pos[:9, None])
            for one in (alone, physics)
        ]
    np.testing.assert_array_equal(results[0].qpos, results[1].qpos)


def test_windows_start_in_the_clips_states(physics, reference):
    """One window of 39 steps from frame 0 is the play itself."""
    targets = reference.joint_pos
    playback = play(reference, targets)
    errors = window_errors(physics, reference, targets, 39)
    root = np.linalg.norm(playback.qpos[1:, :3] - reference.qpos[1:, :3], axis=-1)
    np.testing.assert_allclose(errors.root, root, atol=1e-9)


def test_a_window_longer_than_the_clip_is_refused(physics, reference):
    with pytest.raises(ValueError, match="--num_steps 40 .* 39 steps of squat_part"):
        window_errors(physics, reference, reference.joint_pos, 40)


def test_standing_is_finished_and_falling_is_not():
    reference = reference_states(standing(101), G1)
    targets = inverse_dynamics_targets(reference.clip).joint_target.astype(float)
    still = play(reference, targets)
    assert still.finished and still.num_survived == 100 and still.mpkpe < 0.02 and still.reward > 0.95
    limp = play(reference, np.tile(2.0 * G1.default_joint_pos - targets[:1], (101, 1)))
    assert not limp.finished and limp.num_survived < 100
    assert len(limp.body_error) < 101


def test_what_was_played_is_a_clip(reference):
    playback = play(reference, reference.joint_pos)
    clip = played_clip(reference, playback)
    assert clip.num_frames == reference.num_frames and clip.source["played"]
    np.testing.assert_allclose(clip.joint_pos, playback.qpos[:, 7:], atol=1e-6)


def test_planners_take_longer_steps_where_they_divide_the_control_step():
    """20 ms are two steps of 10 ms; 25 ms are not a whole number of them."""
    assert planning_step(0.02) == 0.01 and planning_step(0.025) == 0.005
