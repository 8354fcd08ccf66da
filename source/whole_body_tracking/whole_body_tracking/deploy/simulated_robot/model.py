"""The robot's MuJoCo model: sim2sim's, with an inertial measurement unit in the pelvis."""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np

from whole_body_tracking.robots import RobotModel
from whole_body_tracking.robots.mujoco_model import model_spec

ACCELEROMETER = "imu_accelerometer"


@dataclass(frozen=True)
class _Drives:
    """What :func:`model_spec` reads of a policy, from the robot's facts; the gains come with every command."""

    joint_names: tuple[str, ...]
    joint_stiffness: np.ndarray
    joint_damping: np.ndarray
    joint_armature: np.ndarray
    joint_effort_limit: np.ndarray


def build_robot(robot: RobotModel, dt: float) -> mujoco.MjModel:
    """The robot on flat ground; actuators are in the order of its joints, which is that of Unitree's motors.

    Args:
        robot: The facts.
        dt: Physics step [s].
    """
    drives = _Drives(robot.joint_names, robot.stiffness, robot.damping, robot.armature, robot.effort_limit)
    spec = model_spec(robot, drives)
    spec.option.timestep = dt
    root = robot.body_names[0]
    spec.body(root).add_site(name="imu")
    spec.add_sensor(
        name=ACCELEROMETER,
        type=mujoco.mjtSensor.mjSENS_ACCELEROMETER,
        objtype=mujoco.mjtObj.mjOBJ_SITE,
        objname="imu",
    )
    return spec.compile()
