"""Settings of the tracking task that depend on the robot, all from the robot's facts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from whole_body_tracking.robots import RobotModel
from whole_body_tracking.robots.articulation_cfg import articulation_cfg, by_joint
from whole_body_tracking.robots.usd_file import usd_file

from .actuator_presets import with_actuator_presets

if TYPE_CHECKING:
    from isaaclab.assets import ArticulationCfg

    from .tracking_env_cfg import TrackingEnvCfg

ROBOT_PRIM_PATH = "{ENV_REGEX_NS}/Robot"


def set_robot(cfg: TrackingEnvCfg, robot: RobotModel, articulation: ArticulationCfg | None = None) -> None:
    """Set a tracking task up for a robot: articulation, action scale, tracked bodies, anchor and end effectors.

    Call it in ``__post_init__`` of a subclass of :class:`.TrackingEnvCfg`, whose ``robot_name`` is the robot's.

    Args:
        cfg: The task.
        robot: A robot that :func:`whole_body_tracking.robots.get_robot` finds.
        articulation: Its articulation, or presets of several; None builds it and its USD from the facts.
    """
    if articulation is None:
        articulation = with_actuator_presets(articulation_cfg(robot, usd_file(robot)), robot)
        articulation = articulation.replace(prim_path=ROBOT_PRIM_PATH)
    cfg.robot_name = robot.name
    cfg.scene.robot = articulation
    cfg.actions.joint_pos.scale = by_joint(robot, robot.action_scale)
    cfg.commands.motion.anchor_body_name = robot.anchor_body_name
    cfg.commands.motion.body_names = list(robot.tracked_body_names)
    cfg.events.base_com.params["asset_cfg"].body_names = robot.anchor_body_name
    cfg.terminations.ee_body_pos.params["body_names"] = list(robot.end_effector_names)
    may_not_touch = "".join(f"(?!{name}$)" for name in robot.end_effector_names)
    cfg.rewards.undesired_contacts.params["sensor_cfg"].body_names = [f"^{may_not_touch}.+$"]
