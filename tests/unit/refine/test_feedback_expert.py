"""The expert of linear feedback: it stands on the ground, brings robots back, and says what it cannot hold."""

import contextlib

import numpy as np
import pytest
from refine_samples import squat_part

from whole_body_tracking.refine.planning.feedback_expert import WINDOW, FeedbackExpert, deviations
from whole_body_tracking.rl.sft.experts import perturbed_states
from whole_body_tracking.tasks.tracking.config.g1.tracking_g1_env_cfg import G1TrackingResidualEnvCfg

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def expert():
    expert = FeedbackExpert(squat_part(31))
    yield expert
    expert.close()


def states_at(expert, frames):
    return np.hstack([expert.qpos[frames], expert.qvel[frames]])


def step(expert, states, targets):
    played = expert.physics.roll_out(*np.split(states, [36], axis=1), targets[:, None])
    return np.hstack([played.qpos[:, 0], played.qvel[:, 0]])


def test_settled_states_are_a_trajectory_of_the_physics_near_the_clip(expert):
    """A step from one leads to the next, within a window; planners' physics steps are longer, so not exactly."""
    frames = np.array([frame for frame in range(1, 29) if frame % WINDOW])
    after = step(expert, states_at(expert, frames), expert.targets[frames + 1])
    np.testing.assert_allclose(after[:, :7], expert.qpos[frames + 1, :7], atol=1e-3)
    np.testing.assert_allclose(after[:, 7:36], expert.qpos[frames + 1, 7:], atol=5e-3)
    assert np.abs(expert.qpos - expert.reference.qpos).max() < 0.02
    assert np.abs(expert.qpos[1:] - expert.reference.qpos[1:]).max(1).min() > 0.0


def test_no_deviation_means_no_correction(expert):
    frames = np.array([3, 20, 30])
    ahead = np.minimum(frames + 1, 30)
    np.testing.assert_allclose(expert.label(states_at(expert, frames), frames), expert.targets[ahead], atol=1e-12)


def test_a_pushed_robot_is_brought_back(expert):
    """Pushed by 0.15 m/s to the front or to the side: 25 steps later it is closer than without feedback."""
    ends = []
    for with_feedback in (True, False):
        frames = np.array([2, 2])
        states = states_at(expert, frames)
        states[:, 36:38] += [[0.15, 0.0], [0.0, 0.15]]
        for _ in range(25):
            held = expert.label(states, frames) if with_feedback else expert.targets[frames + 1]
            states, frames = step(expert, states, held), frames + 1
        ends.append(np.linalg.norm(states[:, :2] - expert.qpos[frames, :2], axis=1))
    assert (ends[0] < 0.6 * ends[1]).all(), ends


@pytest.mark.integration
def test_a_squat_is_held_from_a_third_of_the_start_noise():
    """16 robots, 2 s; gains from probes of a centimetre, which lift the robot off the ground, let a quarter fall."""
    motion = G1TrackingResidualEnvCfg().commands.motion
    with contextlib.closing(FeedbackExpert(squat_part(101))) as expert:
        frames = np.zeros(16, dtype=int)
        states = perturbed_states(expert, frames, motion, share=0.35, seed=1)
        assert expert.share_held(states, frames, 100) == 1.0


def test_deviations_are_those_of_the_tangent_space(expert):
    """Turned by 0.1 rad about the body's own z axis, moved by 2 cm, one joint by 0.3 rad, one speed by 0.4."""
    frames = np.array([5])
    states = states_at(expert, frames)
    w, x, y, z = states[0, 3:7]
    c, s = np.cos(0.05), np.sin(0.05)
    states[0, 3:7] = [w * c - z * s, x * c + y * s, y * c - x * s, z * c + w * s]  # q (0, 0, sin, cos) from the right
    states[0, 0] += 0.02
    states[0, 7 + 4] += 0.3
    states[0, 36 + 6 + 2] += 0.4
    expected = np.zeros(70)
    expected[[0, 5, 6 + 4, 35 + 6 + 2]] = 0.02, 0.1, 0.3, 0.4
    np.testing.assert_allclose(deviations(states, expert.qpos[frames], expert.qvel[frames])[0], expected, atol=1e-9)


def test_it_says_what_it_cannot_hold(expert):
    frames = np.array([0, 4, 8])
    states = states_at(expert, frames)
    assert expert.share_held(states, frames, 20) == 1.0
    states[1, 38] += 3.0  # thrown into the air
    assert expert.share_held(states, frames, 20) == pytest.approx(2 / 3)
