"""Settings of virtual muscles as an Isaac Lab actuator."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isaaclab.utils import configclass

from whole_body_tracking.robots import RobotModel

from .stable_pd_cfg import StablePDActuatorCfg, stable_pd_group

if TYPE_CHECKING:
    from .muscle_actuator import MuscleActuator


@configclass
class MuscleActuatorCfg(StablePDActuatorCfg):
    """Muscles that follow joint targets: stable PD control asks for torques, which a pair of muscles per joint gives.

    Call :func:`.binding.bind_actuators` once after ``sim.reset()``; the tracking tasks' actions do.
    """

    class_type: type[MuscleActuator] | str = "{DIR}.muscle_actuator:MuscleActuator"

    robot_name: str = ""
    """Robot whose joint ranges, effort and velocity limits the muscles are made for."""

    muscle_nn: str | None = None
    """MuscleNN that finds the activations, a ``*.safetensors`` of train_muscle.py; None takes the least activation of
    each pair that gives the torque, exactly."""

    activation_dynamics: bool = True
    """Whether activations lag by MuJoCo's 10 and 40 ms. Without, they are what is asked for at once, as in MASS."""


def muscle_group(
    robot: RobotModel, muscle_nn: str | None = None, activation_dynamics: bool = True
) -> MuscleActuatorCfg:
    """Muscles on all joints of a robot, with the gains, armature and limits of its facts."""
    return MuscleActuatorCfg(
        **{name: value for name, value in vars(stable_pd_group(robot)).items() if name != "class_type"},
        robot_name=robot.name,
        muscle_nn=muscle_nn,
        activation_dynamics=activation_dynamics,
    )


def check_muscles(actuators: dict, robot: RobotModel) -> None:
    """Check before a simulator starts that the networks of a task's muscles exist and are the robot's.

    Raises:
        FileNotFoundError: If a file does not exist.
        ValueError: If it is no MuscleNN, or one of another robot.
    """
    from pathlib import Path

    from .muscle_nn import load_muscle_nn

    for cfg in actuators.values() if isinstance(actuators, dict) else ():
        if getattr(cfg, "muscle_nn", None) is not None:
            load_muscle_nn(Path(cfg.muscle_nn), robot)
