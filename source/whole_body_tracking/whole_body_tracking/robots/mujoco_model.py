"""MuJoCo model of a robot from its facts. MuJoCo's quaternions are (w, x, y, z), those of the facts (x, y, z, w)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import mujoco
import numpy as np

from .model import RobotModel
from .usd_shapes import Shape, principal_inertia, shape_from_facts

PHYSICS_DT = 0.005
"""Physics step [s]."""

ROBOT_CONTACT_PRIORITY = 1
"""Higher than the ground's 0, so that only the friction of the robot's colliders counts, as on the other engines."""


class JointDrives(Protocol):
    """What the model takes from a policy: its joints by name and their drives, as ``PolicySpec`` holds them."""

    @property
    def joint_names(self) -> Sequence[str]: ...
    @property
    def joint_stiffness(self) -> Sequence[float]: ...
    @property
    def joint_damping(self) -> Sequence[float]: ...
    @property
    def joint_effort_limit(self) -> Sequence[float]: ...
    @property
    def joint_armature(self) -> Sequence[float]: ...
    @property
    def control_dt(self) -> float: ...


def build_model(robot: RobotModel, policy: JointDrives) -> mujoco.MjModel:
    """Compile the robot on flat ground, with joint drives as in the policy's training; see :func:`model_spec`."""
    return model_spec(robot, policy).compile()


def model_spec(robot: RobotModel, policy: JointDrives) -> mujoco.MjSpec:
    """Build the robot on flat ground, with joint drives as in the policy's training, still to be compiled.

    Bodies, inertias, colliders, joint limits and excluded collisions come from the facts, gains, armature and effort
    limits from the policy. Actuators are position servos in the order of the policy's joints: force =
    stiffness (target - q) - damping q', within the effort limit.

    Args:
        robot: The facts.
        policy: Its ``joint_names`` must be the robot's, in any order.
    """
    spec = mujoco.MjSpec()
    spec.modelname = robot.name
    _set_options(spec)
    _add_ground(spec)
    add_bodies(spec, robot)
    for name in robot.body_names:
        _add_colliders(spec.body(name), robot.facts["bodies"][name]["colliders"])
    for first, second in robot.facts["self_collision_excludes"]:
        spec.add_exclude(bodyname1=first, bodyname2=second)
    _add_servos(spec, policy)
    return spec


def add_bodies(spec: mujoco.MjSpec, robot: RobotModel, prefix: str = "") -> list[mujoco.MjsBody]:
    """Add the robot's bodies with their inertias and joints, a free joint for the root; no shapes, no actuators.

    Args:
        spec: Where to add them.
        robot: The facts.
        prefix: What their names start with, for a second robot in the same model.

    Returns:
        The bodies, in the order of ``robot.body_names``.
    """
    bodies: list[mujoco.MjsBody] = []
    for index, (name, parent) in enumerate(zip(robot.body_names, robot.parent_idx, strict=True)):
        if index == 0:
            body = spec.worldbody.add_body(name=prefix + name)
            body.add_freejoint(name=f"{prefix}root")
        else:
            joint = index - 1
            body = bodies[parent].add_body(
                name=prefix + name,
                pos=robot.joint_origin_pos[joint],
                quat=_wxyz(robot.joint_origin_quat[joint]),
            )
            body.add_joint(
                name=prefix + robot.joint_names[joint],
                axis=robot.joint_axis[joint],
                limited=True,
                range=robot.joint_pos_limits[joint],
            )
        _set_inertia(body, robot.facts["bodies"][name])
        bodies.append(body)
    return bodies


def add_shape(body: mujoco.MjsBody, shape: Shape, **settings) -> None:
    """Add a capsule or sphere of the facts to a body; ``settings`` are those of a MuJoCo geom."""
    kind = mujoco.mjtGeom.mjGEOM_SPHERE if shape.is_sphere else mujoco.mjtGeom.mjGEOM_CAPSULE
    size = [shape.radius, shape.height / 2.0, 0.0]
    body.add_geom(type=kind, size=size, pos=shape.pos, quat=_wxyz(shape.quat), **settings)


def _set_options(spec: mujoco.MjSpec) -> None:
    spec.compiler.degree = False
    spec.option.timestep = PHYSICS_DT
    spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    # A state that is not finite has to stay so: MuJoCo would put the robot back to its start instead.
    spec.option.disableflags |= mujoco.mjtDisableBit.mjDSBL_AUTORESET


def _add_ground(spec: mujoco.MjSpec) -> None:
    spec.worldbody.add_geom(name="ground", type=mujoco.mjtGeom.mjGEOM_PLANE, size=[0.0, 0.0, 1.0])


def _set_inertia(body: mujoco.MjsBody, facts: dict) -> None:
    body.explicitinertial = True
    body.mass = facts["mass"]
    body.ipos = facts["com"]
    # MuJoCo's own diagonalisation stops at a relative error of 1e-5.
    moments, axes = principal_inertia(facts["inertia_about_com"])
    body.inertia, body.iquat = moments, _wxyz(axes)


def _add_colliders(body: mujoco.MjsBody, colliders: list[dict]) -> None:
    for facts in colliders:
        add_shape(body, shape_from_facts(facts), name=facts["name"], priority=ROBOT_CONTACT_PRIORITY)


def _add_servos(spec: mujoco.MjSpec, policy: JointDrives) -> None:
    gains = zip(policy.joint_stiffness, policy.joint_damping, policy.joint_effort_limit, strict=True)
    for name, armature, (stiffness, damping, effort) in zip(
        policy.joint_names, policy.joint_armature, gains, strict=True
    ):
        spec.joint(name).armature = armature
        servo = spec.add_actuator(name=name, target=name, trntype=mujoco.mjtTrn.mjTRN_JOINT)
        servo.set_to_position(kp=stiffness, kv=damping)
        servo.forcelimited = True
        servo.forcerange = [-effort, effort]


def _wxyz(quat_xyzw: np.ndarray) -> np.ndarray:
    return np.roll(quat_xyzw, 1)
