"""What a planned walk holds: feet, balance, limits, no jumps, and refusals."""

import numpy as np
import pytest
import torch
from gait_samples import clip_of, constant, planned

from whole_body_tracking.gait.dynamics import ground_reaction
from whole_body_tracking.gait.feasibility import root_residual
from whole_body_tracking.gait.planning import GaitParameters, ParameterSchedule, plan_gait
from whole_body_tracking.gait.planning.footsteps import make_path, place_footsteps
from whole_body_tracking.motion import quality_report
from whole_body_tracking.refine.inverse_dynamics import generalized_force
from whole_body_tracking.refine.reference import reference_states
from whole_body_tracking.robots import G1

pytestmark = pytest.mark.unit
WALK = {"speed": 0.6, "cadence": 100.0}


def test_footsteps_of_a_straight_walk():
    """0.6 m/s at 100 steps/min: 0.36 m and 0.6 s a step, 0.2 m apart."""
    steps = place_footsteps(make_path(constant(**WALK, step_width=0.2), 5.0, 3.6, standing=False))
    assert np.diff(steps.start) == pytest.approx(0.6)
    assert np.diff(steps.place[:-1, 0]) == pytest.approx(0.36)  # the path ends under the last one
    assert steps.place[steps.left, 1] == pytest.approx(0.1) and steps.place[~steps.left, 1] == pytest.approx(-0.1)
    zero = int(np.abs(steps.start).argmin())
    assert steps.start[zero] == pytest.approx(0.0, abs=1e-9) and steps.left[zero]


def test_a_walk_is_physical():
    plan = planned(4.0, **WALK)
    report = quality_report(clip_of(plan))
    assert report.joint_limit_violations == 0 and report.joint_speed_violations == 0 and report.jumps == 0
    assert report.sole_penetration_max_m < 1e-4 and report.airtime_share == 0.0
    feet = [G1.body_names.index(name) for name in G1.foot_body_names]
    residual = root_residual(
        G1, plan.reaction, plan.root_pos, plan.body_pos_w[:, feet].numpy(), plan.body_quat_w[:, feet].numpy()
    )
    assert np.median(residual) < 0.02 and np.percentile(residual, 95.0) < 0.1


def test_the_zero_moment_point_of_the_whole_robot_is_the_planned_one():
    """Without the balance the swinging leg moves it by centimetres."""
    plan = planned(4.0, **WALK)
    fast = ground_reaction(G1, plan.body_pos_w, plan.body_quat_w, plan.fps).zmp[1:-1]
    lateral = np.abs(fast[:, 1])
    assert np.percentile(lateral, 95.0) < 0.13  # feet are 0.1 m from the middle line, their soles 3 cm wide


def test_the_wrench_is_that_of_inverse_dynamics():
    """The same clip through MuJoCo's inverse dynamics: force and moment about the root, per frame."""
    clip = clip_of(planned(4.0, **WALK))
    reference = reference_states(clip, G1)
    wrench = generalized_force(reference).root_wrench
    pos, quat = torch.from_numpy(clip.body_pos_w).double(), torch.from_numpy(clip.body_quat_w).double()
    reaction = ground_reaction(G1, pos, quat, clip.fps, smoothing=2.0)
    moment = reaction.moment + np.cross(reaction.com_w - reference.qpos[:, :3], reaction.force)
    inner = slice(10, -10)
    weight = 9.81 * G1.total_mass
    assert np.abs(reaction.force - wrench[:, :3])[inner].mean() < 0.03 * weight
    assert np.abs(moment - wrench[:, 3:])[inner].mean() < 0.03 * weight * G1.default_root_height


def test_changing_parameters_do_not_jump():
    points = (GaitParameters.of({"speed": 0.2, "cadence": 90}), GaitParameters.of({"speed": 0.7, "cadence": 120}))
    plan = plan_gait(ParameterSchedule(np.array([1.5, 2.5]), points), 5.0)
    clip = clip_of(plan)
    acceleration = np.diff(clip.body_lin_vel_w[:, 0], axis=0) * clip.fps
    assert np.abs(acceleration).max() < 6.0
    assert np.abs(np.diff(clip.joint_pos, axis=0)).max() < 0.25


def test_a_standing_start_rests_at_both_ends():
    plan = planned(6.0, standing=True, speed=0.4)
    speed = np.linalg.norm(np.gradient(plan.root_pos, 1.0 / plan.fps, axis=0), axis=-1)
    assert speed[:10].max() < 0.05 and speed[-10:].max() < 0.05 and speed.max() > 0.35
    assert np.abs(np.diff(plan.joint_pos[:10], axis=0)).max() < 0.01


def test_too_high_a_pelvis_is_refused():
    with pytest.raises(ValueError, match=r"pelvis_height 0\.760 m is too high.*reach up to 0\.\d+ m"):
        plan_gait(constant(speed=0.8, cadence=100.0, pelvis_height=0.76), 3.0)


@pytest.mark.parametrize(("seconds", "message"), [(0.3, "too short"), (float("nan"), "too short"), (1e5, "too long")])
def test_a_length_that_makes_no_sense_is_refused(seconds, message):
    with pytest.raises(ValueError, match=message):
        plan_gait(constant(), seconds)
