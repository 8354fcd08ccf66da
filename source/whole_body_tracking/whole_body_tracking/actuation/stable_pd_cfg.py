"""Settings of stable PD control as an Isaac Lab actuator."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isaaclab.actuators import ActuatorBaseCfg
from isaaclab.utils import configclass
from isaaclab_physx.physics import PhysxCfg

from whole_body_tracking.robots import RobotModel
from whole_body_tracking.robots.articulation_cfg import by_joint

if TYPE_CHECKING:
    from .stable_pd_actuator import StablePDActuator


@configclass
class StablePDActuatorCfg(ActuatorBaseCfg):
    """Stable PD control of all joints of a robot, in one group; see docs/actuation.md.

    Call :func:`.binding.bind_actuators` once after ``sim.reset()``; the tracking tasks' actions do.
    """

    class_type: type[StablePDActuator] | str = "{DIR}.stable_pd_actuator:StablePDActuator"

    contact_forces: bool | None = None
    """Whether the prediction counts the ground's and the joint limits' forces of the last physics step. None counts
    them where the engine gives them (``physics=mujoco_cpu``). Without them a standing robot is predicted to fall, and
    its stance is softer than its gains say."""


def stable_pd_group(robot: RobotModel) -> StablePDActuatorCfg:
    """Stable PD control of a robot with the gains, armature and limits of its facts."""
    return StablePDActuatorCfg(
        joint_names_expr=[".*"],
        stiffness=by_joint(robot, robot.stiffness),
        damping=by_joint(robot, robot.damping),
        armature=by_joint(robot, robot.armature),
        actuator_effort_limit=by_joint(robot, robot.effort_limit),
        joint_effort_limit=by_joint(robot, robot.effort_limit),
        joint_velocity_limit=by_joint(robot, robot.velocity_limit),
    )


def check_engine(actuators: dict, physics: object) -> None:
    """Check before a simulator starts that the engine gives what stable PD control and muscles need.

    Args:
        actuators: Of a task's robot.
        physics: Settings of its engine.

    Raises:
        ValueError: If the engine is Isaac Sim's PhysX, which gives no Coriolis forces; the message names the others.
    """
    groups = actuators.values() if isinstance(actuators, dict) else ()
    names = [name for name, cfg in zip(actuators, groups, strict=False) if isinstance(cfg, StablePDActuatorCfg)]
    if names and isinstance(physics, PhysxCfg):
        raise ValueError(
            f"The actuators {names} need mass matrix and bias of the robot, and Isaac Lab gives no Coriolis forces with"
            " physics=isaacsim_physx. Take physics=mujoco_cpu, physics=newton_mjwarp or physics=ovphysx, or leave out"
            " presets=spd and presets=muscles."
        )
