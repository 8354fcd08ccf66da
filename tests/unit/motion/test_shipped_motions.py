"""The motions in motions/ keep what their README promises. All claims are read from the files themselves."""

import itertools
import runpy

import numpy as np
import pytest
import torch

from whole_body_tracking.gait.dynamics import ground_reaction
from whole_body_tracking.gait.feasibility import is_carried, root_residual
from whole_body_tracking.motion import (
    DEFAULT_MOTION_FILE,
    DEFAULT_MOTION_FILE_25HZ,
    MotionClip,
    convert,
    quality_report,
    read_csv,
)
from whole_body_tracking.motion.geometry.ground import foot_points
from whole_body_tracking.motion.geometry.kinematics import center_of_mass
from whole_body_tracking.motion.geometry.rotations import quat_rotate
from whole_body_tracking.robots import G1

pytestmark = [pytest.mark.unit, pytest.mark.integration]

NAMES = ("squat", "bow_and_reach", "step_in_place")
STANCE_HEIGHT = 0.001
"""Soles in stance are this close to the ground [m]."""


@pytest.fixture(scope="module", params=NAMES)
def name(request):
    return request.param


@pytest.fixture(scope="module")
def shipped(name, repository):
    return convert(read_csv(repository / "motions" / f"{name}.csv", fps=30))


@pytest.fixture(scope="module")
def soles(shipped):
    """Sole points of both feet [m], shape [num_frames, 2, num_points, 3]."""
    return foot_points(G1, torch.from_numpy(shipped.body_pos_w), torch.from_numpy(shipped.body_quat_w)).numpy()


def test_a_foot_is_flat_on_the_ground_unless_it_is_the_one_that_steps(name, soles):
    height = np.abs(soles[..., 2]).max(-1)
    stance = height < STANCE_HEIGHT
    assert stance.any(-1).all()
    if name != "step_in_place":
        assert stance.all()


def test_soles_in_stance_do_not_slide(soles):
    stance = np.abs(soles[..., 2]).max(-1) < STANCE_HEIGHT
    both = stance[1:] & stance[:-1]
    slide = np.linalg.norm(np.diff(soles[..., :2], axis=0), axis=-1).max(-1) * 50
    assert slide[both].max() < 0.02


def test_centre_of_mass_stays_over_the_support(shipped):
    assert quality_report(shipped).balance_margin_min_m > 0.012


def test_motion_is_slow_enough_for_static_balance_to_matter(shipped):
    """The zero-moment point leaves the centre of mass's projection by z a / g: 0.75 m * 0.12 / 9.81 = 9 mm."""
    mass_proxy = shipped.body_lin_vel_w[:, [0, shipped.body_names.index("torso_link")], :2].mean(1)
    acceleration = np.diff(mass_proxy, axis=0) * 50
    assert np.linalg.norm(acceleration, axis=-1).max() < 0.6


def test_joints_keep_away_from_limits_and_move_smoothly(shipped):
    lower, upper = G1.joint_pos_limits.T
    assert np.minimum(shipped.joint_pos - lower, upper - shipped.joint_pos).min() > 0.049
    assert (np.abs(shipped.joint_vel) < 0.1 * G1.velocity_limit).all()
    raw_acceleration = np.diff(shipped.joint_vel[::5], axis=0) * 10
    assert np.abs(raw_acceleration).max() < 6.0


def test_motion_starts_and_ends_standing_in_the_default_pose(shipped):
    for frame in (0, -1):
        assert np.abs(shipped.joint_pos[frame] - G1.default_joint_pos).max() < 0.02
        assert np.abs(shipped.joint_vel[frame]).max() < 0.01
        assert abs(shipped.body_pos_w[frame, 0, 2] - 0.757) < 0.003


def test_nothing_is_below_the_ground_or_violates_a_limit(shipped):
    report = quality_report(shipped)
    assert report.joint_limit_violations == report.joint_speed_violations == report.jumps == 0
    assert report.body_penetration_max_m < STANCE_HEIGHT and report.airtime_share == 0.0


def test_bodies_that_may_collide_stay_apart(shipped):
    pos, quat = torch.from_numpy(shipped.body_pos_w[::10]), torch.from_numpy(shipped.body_quat_w[::10])
    points = {
        name: collider_spheres(name, pos, quat) for name in G1.body_names if G1.facts["bodies"][name]["colliders"]
    }
    excluded = [set(pair) for pair in G1.facts["self_collision_excludes"]]
    for first, second in itertools.combinations(points, 2):
        parents = (G1.facts["bodies"][first]["parent"], G1.facts["bodies"][second]["parent"])
        if first in parents or second in parents or {first, second} in excluded:
            continue
        (centers, radii), (other_centers, other_radii) = points[first], points[second]
        gap = torch.cdist(centers, other_centers) - radii[:, None] - other_radii
        assert gap.min() > 0.01, f"{first} and {second} are {gap.min():.3f} m apart"


def collider_spheres(name, pos, quat):
    """Spheres along a body's capsules: centres [m], shape [num_frames, num_spheres, 3], and radii [m]."""
    index, centers, radii = G1.body_names.index(name), [], []
    for shape in G1.facts["bodies"][name]["colliders"]:
        ends = np.array([shape.get("p0", shape.get("center")), shape.get("p1", shape.get("center"))])
        along = np.linspace(0.0, 1.0, 1 if shape["type"] == "sphere" else 12)[:, None]
        centers.append((1.0 - along) * ends[0] + along * ends[1])
        radii += [shape["radius"]] * len(along)
    offset = quat_rotate(quat[:, None, index], torch.from_numpy(np.concatenate(centers)).float())
    return pos[:, None, index] + offset, torch.tensor(radii)


def test_squat_is_a_squat(repository):
    clip = convert(read_csv(repository / "motions" / "squat.csv", fps=30))
    assert clip.duration == pytest.approx(5.0)
    assert np.ptp(clip.body_pos_w[:, 0, 2]) == pytest.approx(0.17, abs=0.01)
    hand = clip.body_pos_w[:, clip.body_names.index("left_wrist_yaw_link")] - clip.body_pos_w[:, 0]
    assert np.ptp(hand[:, 2]) > 0.2 and np.ptp(hand[:, 0]) > 0.1


def test_bow_leans_forward(repository):
    clip = convert(read_csv(repository / "motions" / "bow_and_reach.csv", fps=30))
    x, _, z, w = clip.body_quat_w[:, clip.body_names.index("torso_link")].T
    y = clip.body_quat_w[:, clip.body_names.index("torso_link"), 1]
    pitch = np.arcsin(2.0 * (w * y - z * x))
    assert np.degrees(pitch.max()) == pytest.approx(50.0, abs=5.0)


def test_each_foot_is_lifted_once_while_the_other_stands(repository):
    clip = convert(read_csv(repository / "motions" / "step_in_place.csv", fps=30))
    points = foot_points(G1, torch.from_numpy(clip.body_pos_w), torch.from_numpy(clip.body_quat_w)).numpy()
    lifted = points[..., 2].min(-1) > STANCE_HEIGHT
    assert not lifted.all(-1).any()
    for foot in (0, 1):
        assert 0.05 < points[:, foot, :, 2].min(-1).max() < 0.08
        assert np.count_nonzero(np.diff(lifted[:, foot].astype(int)) == 1) == 1


def test_the_jump_is_a_free_fall_between_two_crouches(repository):
    """0.2 s in the air: the centre of mass rises by g 0.1^2 / 2 = 4.9 cm over where it leaves the ground."""
    clip = convert(read_csv(repository / "motions" / "jump.csv", fps=30))
    pos, quat = torch.from_numpy(clip.body_pos_w).double(), torch.from_numpy(clip.body_quat_w).double()
    report, height = quality_report(clip), center_of_mass(G1, pos, quat)[:, 2].numpy()
    assert report.joint_limit_violations == report.joint_speed_violations == report.jumps == 0
    assert report.sole_penetration_max_m < 3e-3 and 0.01 < report.airtime_share < 0.05
    assert height.max() - height[0] == pytest.approx(0.049, abs=2e-3)
    assert height.min() - height[0] == pytest.approx(-0.124, abs=2e-3)
    for frame in (0, -1):
        assert np.abs(clip.joint_vel[frame]).max() < 0.05
    feet = clip.body_indices(G1.foot_body_names)
    reaction = ground_reaction(G1, pos, quat, clip.fps)
    residual = root_residual(G1, reaction, pos[:, 0].numpy(), pos[:, feet].numpy(), quat[:, feet].numpy())
    assert is_carried(residual) and reaction.force[92:99, 2].mean() < 0.1 * reaction.force[:20, 2].mean()


@pytest.mark.parametrize(("file", "fps"), [(DEFAULT_MOTION_FILE, 50), (DEFAULT_MOTION_FILE_25HZ, 25)])
def test_default_clips_are_the_shipped_squat(repository, file, fps):
    stored, fresh = MotionClip.load(file), convert(read_csv(repository / "motions" / "squat.csv", fps=30), fps)
    for key in ("joint_pos", "joint_vel", "body_pos_w", "body_quat_w", "body_lin_vel_w", "body_ang_vel_w"):
        np.testing.assert_allclose(getattr(stored, key), getattr(fresh, key), atol=1e-6)
    assert stored.source == fresh.source and stored.fps == fps


def test_the_script_still_makes_the_shipped_squat(repository, tmp_path):
    script = runpy.run_path(str(repository / "scripts" / "maintenance" / "make_motions.py"))
    script["write_csv"](tmp_path / "squat.csv", script["squat"]())
    made, shipped = (np.loadtxt(f / "squat.csv", delimiter=",") for f in (tmp_path, repository / "motions"))
    np.testing.assert_allclose(made, shipped, atol=5e-6)
