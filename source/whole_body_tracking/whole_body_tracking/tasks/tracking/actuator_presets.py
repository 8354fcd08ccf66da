"""Kinds of actuators of the tracking tasks: one preset each, chosen with ``presets=NAME``."""

from __future__ import annotations

from isaaclab.assets import ArticulationCfg
from isaaclab_tasks.utils import preset

from whole_body_tracking.actuation.muscle_cfg import muscle_group
from whole_body_tracking.actuation.stable_pd_cfg import stable_pd_group
from whole_body_tracking.robots import RobotModel


def with_actuator_presets(articulation: ArticulationCfg, robot: RobotModel) -> ArticulationCfg:
    """The robot with its own drives, with ``presets=spd`` stable PD control, or with ``presets=muscles`` muscles.

    ``env.scene.robot.actuators.muscles.muscle_nn=FILE`` names the network; without one the least activations are taken.
    See docs/actuation.md.
    """
    muscles = muscle_group(robot, activation_dynamics=False)
    kinds = {"spd": {"stable_pd": stable_pd_group(robot)}, "muscles": {"muscles": muscles}}
    return articulation.replace(actuators=preset(default=articulation.actuators, **kinds))
