"""Kinds of actuators of the tracking tasks: one preset each, chosen with ``presets=NAME``."""

from __future__ import annotations

from isaaclab.assets import ArticulationCfg
from isaaclab_tasks.utils import preset

from whole_body_tracking.actuation.stable_pd_cfg import stable_pd_group
from whole_body_tracking.robots import RobotModel


def with_actuator_presets(articulation: ArticulationCfg, robot: RobotModel) -> ArticulationCfg:
    """The robot with its own drives, or with ``presets=spd`` stable PD control; see docs/actuation.md."""
    return articulation.replace(
        actuators=preset(default=articulation.actuators, spd={"stable_pd": stable_pd_group(robot)})
    )
