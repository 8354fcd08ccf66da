"""What a prior sees of robots that move is what it sees of the same motion as a clip."""

import pytest
import torch

from whole_body_tracking.priors.state import StateLayout, clip_poses, clip_states
from whole_body_tracking.priors.style.live_window import LiveWindow
from whole_body_tracking.robots import G1

pytestmark = pytest.mark.unit

FRAMES = 4


def play(window: LiveWindow, clip, layout, times: range) -> None:
    """Let all envs but the last go through frames of a clip; the last one stands at frame 0."""
    pos, quat, joints = (value.float() for value in clip_poses(clip, layout))
    num_envs = len(window.is_full)
    for time in times:
        frames = torch.full((num_envs,), time)
        frames[-1] = 0
        window.add(torch.cat((pos[frames], quat[frames]), dim=-1), joints[frames])


def test_states_are_those_of_the_clip(clip, layout):
    window = LiveWindow(layout, FRAMES, 1, 2, "cpu")
    play(window, clip, layout, range(10, 30))
    expected = clip_states(clip, layout)  # from the second frame on: frame 29 is state 28
    torch.testing.assert_close(window.states()[0], expected[25:29], atol=2e-4, rtol=1e-4)
    assert window.states()[1, :, layout.num_positions :].abs().max() < 1e-4  # it stands


def test_every_other_step_for_a_prior_of_half_the_rate(clip, layout):
    half = StateLayout.of_robot(G1, 15.0)
    window = LiveWindow(half, FRAMES, 2, 1, "cpu")
    pos, quat, joints = (value.float() for value in clip_poses(clip, layout))
    for time in range(21):
        window.add(torch.cat((pos[time], quat[time]), -1)[None], joints[time][None])
    states = window.states()[0]
    torch.testing.assert_close(states[:, half.slices["joint_pos"]], joints[[14, 16, 18, 20]])
    speed = (joints[20] - joints[18]) * 15.0
    torch.testing.assert_close(states[-1, half.slices["joint_vel"]], speed, atol=1e-4, rtol=1e-4)


def test_a_window_is_full_only_with_frames_of_one_episode(clip, layout):
    window = LiveWindow(layout, FRAMES, 1, 3, "cpu")
    assert not window.is_full.any()
    play(window, clip, layout, range(4))
    assert not window.is_full.any()  # the first state needs the frame before it
    play(window, clip, layout, range(4, 5))
    assert window.is_full.tolist() == [True] * 3
    window.forget([1])
    window.forget_where(torch.tensor([False, False, True]))
    assert window.is_full.tolist() == [True, False, False]
    play(window, clip, layout, range(20, 25))
    assert window.is_full.all()
    torch.testing.assert_close(window.states()[0], window.states()[1])
