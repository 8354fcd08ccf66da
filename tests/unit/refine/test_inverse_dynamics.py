"""Inverse dynamics: known forces at rest, targets that reproduce the shipped clips, refused clips."""

from dataclasses import replace

import numpy as np
import pytest
from refine_samples import shipped, squat_part, standing

from whole_body_tracking.motion import RawMotion, convert
from whole_body_tracking.refine import inverse_dynamics_targets
from whole_body_tracking.refine.contact_forces import FootPoints, solve_contact_forces
from whole_body_tracking.refine.measuring import window_errors
from whole_body_tracking.refine.reference import reference_states
from whole_body_tracking.robots import G1

pytestmark = pytest.mark.unit


def test_ground_carries_the_weight_at_rest():
    """33.34 kg * 9.81 m/s^2 = 327 N, straight up, half on each foot; nothing is left for the root."""
    found = inverse_dynamics_targets(standing())
    np.testing.assert_allclose(found.contact_forces[30].sum(0), [0.0, 0.0, 33.34 * 9.81], atol=0.5)
    assert found.contact_forces[30, 0, 2] == pytest.approx(found.contact_forces[30, 1, 2], rel=0.02)
    assert found.root_residual.max() < 1e-3


def test_in_the_air_the_whole_weight_is_missing():
    """Standing still 1 m above the ground takes a force of one body weight that nothing gives."""
    found = inverse_dynamics_targets(standing(height=G1.default_root_height + 1.0))
    assert not found.contact_forces.any()
    # The weight acts near the root's own vertical: its moment over the root's height adds little.
    assert found.root_residual[30] == pytest.approx(1.0, abs=0.01)


def test_free_fall_takes_nothing():
    """z = 3 - g t^2 / 2: gravity does all of it."""
    time = np.arange(41) / 50.0
    root = np.stack([0 * time, 0 * time, 5.0 - 0.5 * 9.81 * time**2], axis=1)
    quat = np.tile((0.0, 0.0, 0.0, 1.0), (41, 1))
    joints = np.tile(G1.default_joint_pos, (41, 1))
    found = inverse_dynamics_targets(convert(RawMotion(50.0, root, quat, joints, G1.joint_names)))
    assert found.root_residual[10:30].max() < 0.02
    assert np.abs(found.joint_torque[10:30]).max() < 0.5


def test_targets_at_rest_hold_the_torque():
    """kp (target - q) = torque where nothing moves."""
    found = inverse_dynamics_targets(standing())
    expected = G1.default_joint_pos + found.joint_torque[30] / G1.stiffness
    np.testing.assert_allclose(found.joint_target[30], expected, atol=1e-4)
    assert np.abs(found.joint_torque[30]).max() > 3.0


@pytest.mark.parametrize(
    ("name", "joint_error", "root_error"),
    [("squat", 0.005, 0.01), ("bow_and_reach", 0.005, 0.01), ("step_in_place", 0.015, 0.03)],
)
def test_shipped_clips_are_reproduced_open_loop(physics, name, joint_error, root_error):
    """At step 50 of windows started every 25 frames; the reference's own positions give 0.08 rad and 0.3 m."""
    clip = shipped(name)
    reference = reference_states(clip, G1)
    targets = reference.in_robot_order(inverse_dynamics_targets(clip).joint_target)
    errors = window_errors(physics, reference, targets, 50)
    assert errors.joint[-1] < joint_error and errors.root[-1] < root_error


def test_joints_are_matched_by_name():
    """A clip with its joints in another order gets the same targets in that order."""
    clip, order = squat_part(30), list(reversed(range(G1.num_joints)))
    turned = replace(
        clip,
        joint_names=[clip.joint_names[joint] for joint in order],
        joint_pos=clip.joint_pos[:, order],
        joint_vel=clip.joint_vel[:, order],
    )
    found, expected = inverse_dynamics_targets(turned), inverse_dynamics_targets(clip)
    np.testing.assert_allclose(found.joint_target, expected.joint_target[:, order], atol=1e-6)


def test_contact_forces_stay_on_their_pyramid():
    """300 N up and 100 N sideways on one corner below the root: 100 / 300 is less than the friction of 0.7."""
    points = FootPoints(np.array([[[[0.0, 0.0, 0.0]]]]))
    wrench = np.array([[100.0, 0.0, 300.0, 0.0, -100.0, 0.0]])  # lever (0, 0, -1) x force (100, 0, 300)
    force = solve_contact_forces(points, np.array([[0.0, 0.0, 1.0]]), wrench)[0, 0, 0]
    np.testing.assert_allclose(force, [100.0, 0.0, 300.0], atol=0.1)
    wrench[0, 0], wrench[0, 4] = 400.0, -400.0
    force = solve_contact_forces(points, np.array([[0.0, 0.0, 1.0]]), wrench)[0, 0, 0]
    assert force[0] <= 0.7 * force[2] + 1e-9


def test_a_clip_below_the_ground_is_refused():
    with pytest.raises(ValueError, match=r"below the ground.*-1\d\.\d cm.*--ground"):
        inverse_dynamics_targets(standing(height=G1.default_root_height - 0.15))


def test_a_rate_that_physics_steps_do_not_divide_is_refused():
    with pytest.raises(ValueError, match=r"30 fps.*0\.005 s.*--output_fps"):
        inverse_dynamics_targets(standing(fps=30.0))


def test_a_clip_of_another_robot_is_refused():
    clip = squat_part(30)
    other = replace(clip, joint_names=[f"other_{name}" for name in clip.joint_names])
    with pytest.raises(ValueError, match="is not a clip of g1.*--robot g1"):
        inverse_dynamics_targets(other)
