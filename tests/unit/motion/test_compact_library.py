"""The compact library against the full one."""

import numpy as np
import pytest
import torch
from motion_samples import sway

from whole_body_tracking.benchmark.measuring.launches import LaunchCount
from whole_body_tracking.motion import MotionLibrary, compact_library, convert
from whole_body_tracking.motion.compact_library import CompactMotionLibrary
from whole_body_tracking.motion.geometry.kinematics import forward_kinematics, kinematic_chain
from whole_body_tracking.motion.library import estimate_num_bytes
from whole_body_tracking.robots import G1

pytestmark = pytest.mark.unit

BODIES = tuple(reversed(G1.tracked_body_names))
JOINTS = tuple(reversed(G1.joint_names))
CLIPS = [convert(sway(num_frames=num), output_fps=50) for num in (31, 4, 91)]
TOLERANCES = {
    "joint_pos": 0.0, "joint_vel": 2e-4, "body_pos_w": 5e-6, "body_quat_w": 5e-6, "body_lin_vel_w": 2e-4,
    "body_ang_vel_w": 2e-4,
}  # fmt: skip
"""Radians, metres and seconds."""


@pytest.mark.parametrize("look_up", [CompactMotionLibrary.state_at, CompactMotionLibrary.state_without_warp])
@pytest.mark.parametrize("bodies", [BODIES, ("pelvis",)], ids=["tracked", "root"])
def test_compact_and_full_agree_everywhere_borders_included(look_up, bodies):
    full = MotionLibrary.from_clips(CLIPS, JOINTS, bodies)
    compact = CompactMotionLibrary.from_clips(CLIPS, JOINTS, bodies, robot=G1)
    clip_ids = torch.cat([torch.full((clip.num_frames + 4,), i) for i, clip in enumerate(CLIPS)])
    frames = torch.cat([torch.arange(-2, clip.num_frames + 2) for clip in CLIPS])
    expected, found = full.state_at(clip_ids, frames), look_up(compact, clip_ids, frames)
    for name, tolerance in TOLERANCES.items():
        difference = (getattr(expected, name) - getattr(found, name)).abs().max().item()
        assert difference <= tolerance, name


def test_a_look_up_is_one_operation():
    compact = CompactMotionLibrary.from_clips(CLIPS, JOINTS, BODIES, robot=G1)
    with LaunchCount() as count:
        compact.state_at(torch.tensor([0, 2, 1]), torch.tensor([3, 90, 1]))
    assert count.num_launches == 1


def test_without_warp_torch_answers(monkeypatch):
    monkeypatch.setattr(compact_library, "find_spec", lambda name: None)
    compact = CompactMotionLibrary.from_clips(CLIPS, JOINTS, BODIES, robot=G1)
    with LaunchCount() as count:
        compact.state_at(torch.tensor([0]), torch.tensor([3]))
    assert count.num_launches > 1000


def test_memory_is_root_and_joints():
    compact = CompactMotionLibrary.from_clips(CLIPS, JOINTS, BODIES, robot=G1)
    num_frames = sum(clip.num_frames for clip in CLIPS)
    # 7 numbers of the root and 29 joints, 4 bytes each.
    assert compact.num_bytes == num_frames * 36 * 4 == estimate_num_bytes(num_frames / 50, 50, 29, 14, "compact")


def test_a_chain_gives_the_same_poses_as_the_robot():
    chain = kinematic_chain(G1, ["left_wrist_yaw_link"])
    assert chain.body_names[0] == "pelvis" and "right_knee_link" not in chain.body_names
    angles = torch.linspace(-0.5, 0.5, G1.num_joints)[None]
    used = [G1.joint_names.index(name) for name in chain.joint_names]
    root_pos, root_quat = torch.zeros(1, 3), torch.tensor([[0.0, 0.0, 0.0, 1.0]])
    whole, part = (
        forward_kinematics(model, root_pos, root_quat, joint_pos)
        for model, joint_pos in ((G1, angles), (chain, angles[:, used]))
    )
    bodies = [G1.body_names.index(name) for name in chain.body_names]
    for a, b in zip(whole, part, strict=True):
        np.testing.assert_array_equal(a[:, bodies], b)


def test_a_body_that_the_robot_lacks_is_refused():
    with pytest.raises(ValueError, match=r"Unknown body of g1: 'left_hnad'. Known: .*left_knee_link"):
        CompactMotionLibrary.from_clips(CLIPS, body_names=["left_hnad"], robot=G1)
