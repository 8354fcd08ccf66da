"""States are exact: what is predicted can be put back into the world."""

import numpy as np
import pytest
import torch
from prior_samples import swaying_clip

from whole_body_tracking.priors.state import StateLayout, advance, clip_states, motion_states, root_path
from whole_body_tracking.robots import G1

pytestmark = pytest.mark.unit


def test_advancing_by_the_next_velocities_gives_the_next_state(states, layout):
    predicted = advance(states[:-1], states[1:, layout.num_positions :], layout)
    torch.testing.assert_close(predicted, states[1:], atol=2e-5, rtol=0.0)


def test_states_ignore_place_and_heading(states, layout):
    turned = clip_states(swaying_clip(yaw=2.0), layout)
    torch.testing.assert_close(turned, states, atol=2e-3, rtol=0.0)


def test_the_path_of_the_root_comes_back_from_the_states(clip, states, layout):
    pos, quat = torch.from_numpy(clip.body_pos_w[:, 0]), torch.from_numpy(clip.body_quat_w[:, 0])
    found_pos, found_quat = root_path(states[None], pos[:1], quat[:1], layout)
    torch.testing.assert_close(found_pos[0], pos[1:], atol=1e-4, rtol=0.0)
    dots = (found_quat[0] * quat[1:]).sum(-1).abs()
    torch.testing.assert_close(dots, torch.ones_like(dots), atol=1e-5, rtol=0.0)


def test_a_robot_on_its_side_that_slides():
    """Rolled by 90 degrees about x, up is the root's +y; 0.1 m along the world's z in 0.5 s is 0.2 m/s along y."""
    half = np.sqrt(0.5)
    quat = torch.tensor([[half, 0.0, 0.0, half]] * 2, dtype=torch.float64)
    pos = torch.tensor([[0.0, 0.0, 0.3], [0.0, 0.0, 0.4]], dtype=torch.float64)
    joints = torch.tensor([[0.1], [0.3]], dtype=torch.float64)
    state = motion_states(pos, quat, joints, fps=2.0)[0]
    expected = [0.4, 0.0, 1.0, 0.0, 0.3, 0.0, 0.2, 0.0, 0.0, 0.0, 0.0, 0.4]
    torch.testing.assert_close(state, torch.tensor(expected, dtype=torch.float64), atol=1e-12, rtol=0.0)


def test_joints_stop_at_their_limits(states, layout):
    fast = states[:1, layout.num_positions :].clone()
    fast[:, layout.velocity_slices["joint_vel"]] = 1000.0
    ahead = advance(states[:1], fast, layout)
    upper = torch.tensor(layout.joint_pos_limits)[:, 1]
    joints, speeds = (ahead[0, layout.slices[name]] for name in ("joint_pos", "joint_vel"))
    torch.testing.assert_close(joints, upper)
    torch.testing.assert_close(speeds, (upper - states[0, layout.slices["joint_pos"]]) * 30.0, atol=1e-3, rtol=1e-4)


def test_dimensions_have_names(layout):
    assert len(layout.dimension_names) == len(set(layout.dimension_names)) == layout.dim == 68
    assert layout.dimension_names[0] == "root_height/z"
    assert layout.dimension_names[4] == f"joint_pos/{G1.joint_names[0]}"
    assert layout.dimension_names[layout.slices["root_ang_vel_b"]] == tuple(f"root_ang_vel_b/{axis}" for axis in "xyz")
    assert StateLayout.from_json(layout.as_json()) == layout


def test_a_clip_of_another_rate_is_refused(clip):
    with pytest.raises(ValueError, match=r"has 30 fps, the states 50"):
        clip_states(clip, StateLayout.of_robot(G1, 50.0))
