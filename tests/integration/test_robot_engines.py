"""The G1 is the same robot on every engine: names, numbers, forward kinematics, self-collisions, and how it falls."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from whole_body_tracking.robots.g1 import G1

pytestmark = pytest.mark.integration

ENGINES = ("ovphysx", "newton")
PROBE = Path(__file__).with_name("robot_engine_probe.py")


@pytest.fixture(scope="session")
def probe_results(tmp_path_factory):
    """Return a function that runs the probe in an engine once and gives its arrays by name."""
    results = {}

    def run(engine: str) -> dict[str, np.ndarray]:
        if engine not in results:
            output = tmp_path_factory.mktemp("probe") / f"{engine}.npz"
            command = [sys.executable, str(PROBE), engine, str(output)]
            finished = subprocess.run(command, capture_output=True, text=True, timeout=600)
            assert finished.returncode == 0, f"The probe failed in {engine}:\n{finished.stderr[-4000:]}"
            results[engine] = dict(np.load(output))
        return results[engine]

    return run


@pytest.fixture(params=ENGINES)
def result(request, probe_results):
    return probe_results(request.param)


def by_joint(result, key):
    """An engine's per-joint values in the order of the facts."""
    return result[key][[list(result["engine_joint_names"]).index(name) for name in G1.joint_names]]


def by_body(result, key):
    """An engine's per-body values in the order of the facts."""
    return result[key][[list(result["engine_body_names"]).index(name) for name in G1.body_names]]


def test_joints_and_bodies_come_in_the_order_of_the_csv(result):
    assert tuple(result["joint_names"]) == G1.joint_names
    assert tuple(result["body_names"]) == G1.body_names


def test_mass_is_the_datasheets(result):
    assert result["mass"].sum() == pytest.approx(33.34, rel=1e-3)


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("stiffness", G1.stiffness),
        ("damping", G1.damping),
        ("armature", G1.armature),
        ("effort_limit", G1.effort_limit),
        ("joint_pos_limits", G1.joint_pos_limits),
    ],
)
def test_engine_holds_the_joint_numbers_of_the_facts(result, key, expected):
    np.testing.assert_allclose(by_joint(result, key), expected, rtol=1e-5, atol=1e-6)


def test_physx_holds_the_velocity_limits(probe_results):
    # MuJoCo has no such limit.
    np.testing.assert_allclose(by_joint(probe_results("ovphysx"), "velocity_limit"), G1.velocity_limit, rtol=1e-5)


def test_engine_holds_the_mass_properties_of_the_facts(result):
    facts = [G1.facts["bodies"][name] for name in G1.body_names]
    np.testing.assert_allclose(by_body(result, "mass"), [body["mass"] for body in facts], rtol=1e-5)
    np.testing.assert_allclose(by_body(result, "com"), [body["com"] for body in facts], atol=1e-6)
    for inertia, body in zip(by_body(result, "inertia"), facts, strict=True):
        expected = inertia_matrix(body["inertia_about_com"])
        np.testing.assert_allclose(inertia, expected, atol=1e-5 * expected.max())


def inertia_matrix(entries):
    xx, xy, xz, yy, yz, zz = (entries[key] for key in ("ixx", "ixy", "ixz", "iyy", "iyz", "izz"))
    return np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])


def test_body_poses_equal_pinocchios_on_unitrees_urdf(result):
    positions, rotations = pinocchio_body_poses(result["fk_states"])
    poses = result["fk_body_poses"]
    assert np.abs(poses[..., :3] - positions).max() < 1e-4
    x, y, z, w = np.moveaxis(poses[..., 3:].astype(np.float64), -1, 0)
    first_axis = np.stack([1 - 2 * (y * y + z * z), 2 * (x * y + z * w), 2 * (x * z - y * w)], -1)
    third_axis = np.stack([2 * (x * z + y * w), 2 * (y * z - x * w), 1 - 2 * (x * x + y * y)], -1)
    assert np.abs(first_axis - rotations[..., 0]).max() < 1e-4
    assert np.abs(third_axis - rotations[..., 2]).max() < 1e-4


def pinocchio_body_poses(states):
    """Positions [num_states, num_bodies, 3] and rotation matrices, from root pose (xyzw) and joint positions."""
    pinocchio = pytest.importorskip("pinocchio")
    urdf = next(Path(pinocchio.__file__).parents[4].rglob("g1_29dof_rev_1_0.urdf"), None)
    if urdf is None:
        pytest.skip("example-robot-data is not installed")
    model = pinocchio.buildModelFromUrdf(str(urdf), pinocchio.JointModelFreeFlyer())
    data = model.createData()
    joints = [7 + list(model.names[2:]).index(name) for name in G1.joint_names]
    frames = [model.getFrameId(name) for name in G1.body_names]
    positions, rotations = np.empty((len(states), len(frames), 3)), np.empty((len(states), len(frames), 3, 3))
    for index, state in enumerate(states):
        configuration = np.empty(model.nq)
        configuration[:7], configuration[joints] = state[:7], state[7:]
        pinocchio.framesForwardKinematics(model, data, configuration)
        positions[index] = [data.oMf[frame].translation for frame in frames]
        rotations[index] = [data.oMf[frame].rotation for frame in frames]
    return positions, rotations


def test_neighbours_that_overlap_by_design_do_not_push(result):
    # tests/unit/robots/test_facts_shapes.py shows that they overlap and that no others do.
    assert result["forces_in_default_pose"].max() == 0.0


def test_an_arm_inside_the_torso_is_pushed_out(result):
    force = dict(zip(result["body_names"], result["forces_arm_in_torso"], strict=True))
    assert force["torso_link"] > 100.0 and force["left_elbow_link"] > 100.0
    assert force["right_elbow_link"] == 0.0 and force["left_knee_link"] == 0.0


def test_mujoco_uses_its_own_limit_damping_and_the_robots_friction(probe_results):
    newton = probe_results("newton")
    np.testing.assert_allclose(newton["joint_limit_solref"], np.tile([0.02, 1.0], (G1.num_joints, 1)))
    ground, *robot = newton["contact_priority"]
    assert ground == 0 and set(robot) == {1}


def test_robot_falls_without_exploding(result):
    # A free fall from the height of the head, 1.3 m, ends at 5 m/s. No joint beats its motor.
    assert np.isfinite(result["fall_time"]).all()
    assert result["max_speed"] < 10.0
    assert result["max_joint_speed"] < 1.05 * G1.velocity_limit.max()
    assert (result["final_height"] > 0.05).all() and (result["final_height"] < 0.5).all()


def test_engines_agree_on_when_it_falls(probe_results):
    first, second = (np.median(probe_results(engine)["fall_time"]) for engine in ENGINES)
    assert 0.5 < first / second < 2.0
