"""Stable PD control: hand-computed numbers, a float64 reference, and the real G1 where an explicit law diverges."""

from types import SimpleNamespace

import mujoco
import numpy as np
import pytest
import torch

from whole_body_tracking.actuation.stable_pd import stable_pd_torque
from whole_body_tracking.robots import G1
from whole_body_tracking.robots.mujoco_model import model_spec

pytestmark = pytest.mark.unit


def tensor(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


def torque_of_one_joint(**changes) -> float:
    """A joint of inertia 2 kg m^2 at 0.1 rad and 1 rad/s, target 0.5 rad, kp 100, kd 10, step 0.01 s."""
    given = {
        "mass_matrix": tensor(2.0).reshape(1, 1, 1), "bias": tensor(3.0)[None], "joint_pos": tensor(0.1)[None],
        "joint_vel": tensor(1.0)[None], "target": tensor(0.5)[None], "stiffness": tensor(100.0),
        "damping": tensor(10.0), "timestep": 0.01,
    }  # fmt: skip
    return float(stable_pd_torque(**given | changes))


def test_one_joint_by_hand():
    # drive = -100 (0.1 + 0.01 - 0.5) - 10 * 1 = 29; q'' = (29 - 3) / (2 + 0.01 * 10) = 12.380952; tau = 29 - 0.1 q''
    assert torque_of_one_joint() == pytest.approx(29.0 - 0.1 * 26.0 / 2.1, abs=1e-12)


def test_a_target_velocity_shifts_the_damping():
    # drive = 39 - 10 (1 - 2) = 49; q'' = 46 / 2.1
    assert torque_of_one_joint(target_vel=tensor(2.0)[None]) == pytest.approx(49.0 - 0.1 * 46.0 / 2.1, abs=1e-12)


def test_effort_limits_hold_on_both_sides():
    assert torque_of_one_joint(limit=tensor(5.0)) == 5.0
    assert torque_of_one_joint(limit=tensor(5.0), target=tensor(-9.0)[None]) == -5.0


def test_the_root_takes_part_in_the_solution():
    # A free mass of 3 kg pushed by nothing, coupled by 1 to a joint: (3 1; 1 2.1) q'' = (0; 26), q''_joint = 78 / 5.3.
    mass = torch.tensor([[[3.0, 1.0], [1.0, 2.0]]], dtype=torch.float64)
    torque = torque_of_one_joint(mass_matrix=mass, bias=tensor(0.0, 3.0)[None])
    assert torque == pytest.approx(29.0 - 0.1 * 78.0 / 5.3, abs=1e-12)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"stiffness": tensor(1.0, 2.0)}, "`stiffness` has 2 values, expected 1"),
        ({"damping": tensor(1.0, 2.0, 3.0)}, "`damping` has 3 values, expected 1"),
        ({"bias": tensor(1.0, 2.0)[None]}, "mass matrix has shape"),
    ],
)
def test_gains_of_another_robot_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        torque_of_one_joint(**changes)


class Robot:
    """The G1 in MuJoCo at a high place, moved by torques."""

    def __init__(self, timestep: float, factor: float):
        self.stiffness, self.damping = factor * G1.stiffness, factor * G1.damping
        drives = SimpleNamespace(
            joint_names=G1.joint_names, joint_stiffness=self.stiffness, joint_damping=self.damping,
            joint_effort_limit=G1.effort_limit, joint_armature=G1.armature,
        )  # fmt: skip
        spec = model_spec(G1, drives)
        for servo in list(spec.actuators):
            spec.delete(servo)
        spec.option.timestep, spec.option.integrator = timestep, mujoco.mjtIntegrator.mjINT_EULER
        self.model, self.timestep = spec.compile(), timestep
        self.data, random = mujoco.MjData(self.model), np.random.default_rng(0)
        self.target = np.array(G1.default_joint_pos)
        self.data.qpos[2] = 10.0
        self.data.qpos[7:] = self.target + random.uniform(-0.1, 0.1, G1.num_joints)

    def dynamics(self) -> tuple[np.ndarray, np.ndarray]:
        mujoco.mj_step1(self.model, self.data)
        mass = np.zeros((self.model.nv, self.model.nv))
        mujoco.mj_fullM(self.model, self.data, mass)
        return mass, self.data.qfrc_bias.copy()

    def explicit(self) -> np.ndarray:
        mujoco.mj_step1(self.model, self.data)
        return self.stiffness * (self.target - self.data.qpos[7:]) - self.damping * self.data.qvel[6:]

    def stable(self, dtype=torch.float64, limit=None) -> np.ndarray:
        joints = (self.data.qpos[7:], self.data.qvel[6:], self.target, self.stiffness, self.damping)
        values = (torch.as_tensor(np.array(value), dtype=dtype)[None] for value in (*self.dynamics(), *joints))
        return stable_pd_torque(*values, self.timestep, limit)[0].numpy()

    def step(self, torque: np.ndarray) -> None:
        self.data.qfrc_applied[6:] = np.clip(torque, -G1.effort_limit, G1.effort_limit)
        mujoco.mj_step2(self.model, self.data)

    def error(self) -> float:
        return float(np.abs(self.data.qpos[7:] - self.target).max())


def test_equals_a_float64_reference_on_the_g1():
    robot = Robot(0.02, 10.0)
    robot.data.qvel[:] = np.random.default_rng(1).normal(size=robot.model.nv)
    mass, bias = robot.dynamics()
    drive = robot.stiffness * (robot.target - robot.data.qpos[7:] - 0.02 * robot.data.qvel[6:])
    drive -= robot.damping * robot.data.qvel[6:]
    system = mass + np.diag(np.r_[np.zeros(6), 0.02 * robot.damping])
    reference = drive - 0.02 * robot.damping * np.linalg.solve(system, np.r_[np.zeros(6), drive] - bias)[6:]
    np.testing.assert_allclose(robot.stable(), reference, rtol=0.0, atol=1e-6)
    # In single precision to a millionth of the largest term, which is what is rounded.
    np.testing.assert_allclose(robot.stable(torch.float32), reference, rtol=0.0, atol=1e-6 * np.abs(drive).max())


def test_ten_times_the_gains_with_steps_of_20_ms():
    """Half a second: the explicit law throws the joints against their limits, the stable one rests at the target."""
    explicit, stable = Robot(0.02, 10.0), Robot(0.02, 10.0)
    explicit.model.opt.disableflags |= mujoco.mjtDisableBit.mjDSBL_AUTORESET
    for _ in range(25):
        stable.step(stable.stable())
        if np.isfinite(explicit.data.qpos).all() and explicit.error() < 100.0:
            explicit.step(explicit.explicit())
    assert stable.error() < 0.01
    assert np.abs(stable.data.qvel[6:]).max() < 0.1
    assert not explicit.error() < 0.5
