"""Copies of a clip at other speeds: consistent velocities, clips of their own."""

import numpy as np
import pytest
import torch

from whole_body_tracking.motion import DEFAULT_MOTION_FILE, MotionClip, MotionLibrary
from whole_body_tracking.motion.conversion.time_scaling import at_speeds

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def squat() -> MotionClip:
    return MotionClip.load(DEFAULT_MOTION_FILE)


def test_speed_one_is_the_clip_itself(squat):
    assert at_speeds([squat], [1.0], "g1") == [squat]


def test_a_faster_copy_is_shorter_and_moves_faster(squat):
    half, nominal = at_speeds([squat], [0.5, 1.0], "g1")
    assert nominal is squat and half.name == f"{squat.name}-x0.5" and half.fps == squat.fps
    assert half.num_frames == 2 * (squat.num_frames - 1) + 1  # every other frame is one of the clip's
    np.testing.assert_allclose(half.joint_pos[::2], squat.joint_pos, atol=1e-5)
    np.testing.assert_allclose(half.body_pos_w[::2], squat.body_pos_w, atol=1e-4)
    # Velocities are central differences over one frame of each: compare where the motion is smooth.
    middle = slice(20, -20)
    np.testing.assert_allclose(half.joint_vel[::2][middle], 0.5 * squat.joint_vel[middle], atol=0.05)


def test_no_look_up_crosses_from_one_copy_into_the_next(squat):
    copies = at_speeds([squat], [0.8, 1.0, 1.2], "g1")
    library = MotionLibrary.from_clips(copies)
    beyond = library.state_at(torch.tensor([0, 1, 2]), library.num_frames + 5)
    last = np.stack([clip.joint_pos[-1] for clip in copies])
    np.testing.assert_allclose(beyond.joint_pos.numpy(), last, atol=1e-6)


@pytest.mark.parametrize("speeds", [[0.0], [-1.0], [1.0, 1.0], [1000.0]])
def test_impossible_speeds_are_refused(squat, speeds):
    with pytest.raises(ValueError):
        at_speeds([squat], speeds, "g1")
