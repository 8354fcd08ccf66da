"""Walks of several modes: what counts as a fall, which metrics each has, and the distance to a clip."""

import math
from dataclasses import replace

import pytest
import torch

from whole_body_tracking.evaluation.walking.recording import WalkRecording, measure_walks, mode_rows, summary
from whole_body_tracking.locomotion.modes import Mode, ModeCommand, clip_mode
from whole_body_tracking.locomotion.pose_set import load_pose_set
from whole_body_tracking.motion import DEFAULT_MOTION_FILE, MotionClip
from whole_body_tracking.motion.geometry.rotations import quat_mul, quat_rotate
from whole_body_tracking.robots import G1
from whole_body_tracking.tracking.errors import BodyState

pytestmark = pytest.mark.unit

STEPS = 60
SQUAT = clip_mode("squat", 50, 0.588, 0.3)


def recording(lift: float = 0.0) -> WalkRecording:
    """Two robots that perform the squat elsewhere, turned: one is told to, the other to stand. ``lift`` in [m]."""
    clip = MotionClip.load(DEFAULT_MOTION_FILE)
    bodies = clip.body_indices(G1.body_names)
    half = 0.5
    turn = torch.tensor([0.0, 0.0, math.sin(half), math.cos(half)])
    frames = slice(1, STEPS + 1)
    quat = torch.as_tensor(clip.body_quat_w[frames, bodies]).float()
    pos = quat_rotate(turn.expand_as(quat), torch.as_tensor(clip.body_pos_w[frames, bodies]).float())
    pos = pos + torch.tensor([3.0, -2.0, lift])
    quat = quat_mul(turn.expand_as(quat), quat)
    still, joints = torch.zeros_like(pos), torch.as_tensor(clip.joint_pos[frames]).float()
    twice = [torch.stack((value, value), dim=1) for value in (pos, quat, still, still, joints, joints * 0, joints * 0)]
    return WalkRecording(
        BodyState(*twice[:4]),
        *twice[4:],
        commands=[ModeCommand(mode="squat"), ModeCommand()],
        body_names=list(G1.body_names),
        joint_names=list(clip.joint_names),
        step_dt=0.02,
        modes=[SQUAT, Mode("stand")],
        clips={"squat": clip},
    )


def measured(walks: WalkRecording) -> dict:
    return measure_walks(walks, G1, load_pose_set([], G1))


def test_a_clip_performed_elsewhere_is_performed():
    values = measured(recording())
    assert values["r_mpkpe"][0].item() == pytest.approx(0.0, abs=1e-5) and values["r_mpkpe"][1].isnan()
    raised = measured(recording(lift=0.1))  # heights are not re-anchored
    assert raised["r_mpkpe"][0].item() == pytest.approx(0.1, abs=1e-5)


def test_steps_after_the_clips_end_do_not_count():
    walks = recording()
    short = walks.clips["squat"]
    cut = {
        name: getattr(short, name)[:21]
        for name in ("joint_pos", "joint_vel", "body_pos_w", "body_quat_w", "body_lin_vel_w", "body_ang_vel_w")
    }
    walks.clips["squat"] = replace(short, **cut, channels={}, extras={})
    walks.bodies.pos_w[20:, 0, :, 2] += 0.05  # the states of frames 21 and later
    assert measured(walks)["r_mpkpe"][0].item() == pytest.approx(0.0, abs=1e-5)
    walks.bodies.pos_w[19:20, 0, :, 2] += 0.2  # that of frame 20, one of 20
    assert measured(walks)["r_mpkpe"][0].item() == pytest.approx(0.2 / 20.0, abs=1e-5)


def test_a_fall_is_the_modes_own():
    walks = recording()
    walks.bodies.pos_w[30:, :, :, 2] -= 0.3  # roots at 0.45 m: below 0.5, above 0.588 - 0.25
    values = measured(walks)
    assert values["fell"].tolist() == [False, True] and values["survived_s"].tolist() == pytest.approx([1.2, 0.6])


def test_each_mode_has_a_row_of_its_own():
    walks = recording()
    for name in ("pos_w", "quat_w", "lin_vel_w", "ang_vel_w"):
        value = getattr(walks.bodies, name)
        setattr(walks.bodies, name, torch.cat([value] * 3))  # 3.6 s: longer than what does not count, 2 s
    for name in ("joint_pos", "joint_vel", "joint_torque"):
        setattr(walks, name, torch.cat([getattr(walks, name)] * 3))
    values = measured(walks)
    squat, stand = mode_rows(values, walks.modes)
    assert (squat["mode"], squat["num_rollouts"], squat["velocity_error"]) == ("squat", 1, None)
    assert stand["mode"] == "stand" and stand["r_mpkpe"] is None
    assert stand["velocity_error"] == pytest.approx(0.0) and stand["heading_error"] == pytest.approx(1.0, abs=0.1)
    assert summary(values)["num_rollouts"] == 2
    assert "r_mpkpe" not in summary({name: value for name, value in values.items() if name != "r_mpkpe"})
