"""Recordings made from the library itself: a policy that replays its reference exactly."""

from __future__ import annotations

import torch

from whole_body_tracking.evaluation.recording import Recording
from whole_body_tracking.motion import DEFAULT_MOTION_FILE, MotionClip
from whole_body_tracking.robots import G1
from whole_body_tracking.tracking.errors import BodyState

BODIES = list(G1.tracked_body_names)
FIELDS = ("body_pos_w", "body_quat_w", "body_lin_vel_w", "body_ang_vel_w")


def shipped_clip() -> MotionClip:
    return MotionClip.load(DEFAULT_MOTION_FILE)


def perfect_recording(clip: MotionClip, num_steps: list[int]) -> Recording:
    """Rollouts that are on the reference at every step, one for each entry of ``num_steps``."""
    longest, idx = max(num_steps), clip.body_indices(BODIES)

    def rows(values):
        values = torch.from_numpy(values[1 : longest + 1])
        return values[:, None].repeat(1, len(num_steps), *[1] * (values.ndim - 1))

    states = [BodyState(*(rows(getattr(clip, name)[:, idx]) for name in FIELDS)) for _ in range(2)]
    joint_pos, joint_vel = rows(clip.joint_pos), rows(clip.joint_vel)
    return Recording(
        ref=states[0],
        robot=states[1],
        ref_joint_pos=joint_pos,
        joint_pos=joint_pos.clone(),
        joint_vel=joint_vel,
        actions=torch.zeros_like(joint_pos),
        clip_ids=torch.zeros(len(num_steps), dtype=torch.long),
        num_steps=torch.tensor(num_steps),
        body_names=BODIES,
        anchor_idx=BODIES.index(G1.anchor_body_name),
        step_dt=0.02,
        joint_torque=torch.ones_like(joint_vel),
    )
