"""Checks of a task config against its clips, made before any simulator starts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isaaclab_newton.physics import MJWarpSolverCfg, NewtonCfg

from whole_body_tracking.actuation.muscle_cfg import check_muscles
from whole_body_tracking.names import require_known
from whole_body_tracking.robots import get_robot
from whole_body_tracking.tracking.foot_and_tilt_errors import body_weights

from .mdp.actions_cfg import ACTION_CENTERS, action_center
from .mdp.link_lengths import stretched_joints
from .mdp.reference.motion_loading import check_joint_targets, load_clips, load_headers

if TYPE_CHECKING:
    from whole_body_tracking.motion import MotionClip
    from whole_body_tracking.motion.clip_header import ClipHeader
    from whole_body_tracking.tasks.tracking.tracking_env_cfg import TrackingEnvCfg


def load_task_clips(cfg: TrackingEnvCfg) -> list[MotionClip]:
    """Check a config as :func:`check_task_clips` does and load its clips.

    Raises:
        FileNotFoundError: If a clip does not exist.
        ValueError: If a clip is not of this robot or rate or holds values that are not finite, or a body name is
            unknown.
    """
    check_task_clips(cfg)
    motion = cfg.commands.motion
    return load_clips(motion.motion_files, control_rate=control_rate(cfg), split=motion.motion_split)


def control_rate(cfg: TrackingEnvCfg) -> float:
    """Steps of a task's environment per second [Hz]."""
    return 1.0 / (cfg.sim.dt * cfg.decimation)


def check_task_clips(cfg: TrackingEnvCfg) -> list[ClipHeader]:
    """Check rate and joints of the clips of a config by their headers, and every body name of the config.

    Raises:
        FileNotFoundError: If a clip does not exist.
        ValueError: If a clip is not of this robot or rate, or a body name is unknown; the message lists those known.
    """
    motion = cfg.commands.motion
    if not hasattr(motion, "motion_files"):
        raise ValueError(
            "The task follows a RefNN and has no clips, which this command needs. Measure its policy with"
            " scripts/gait/evaluate_expert.py, and play it with play.py --gait_model or sim2sim.py --gait."
        )
    robot = get_robot(cfg.robot_name)
    check_bodies(cfg)
    check_muscles(cfg.scene.robot.actuators, robot)
    for field in ("motion_files", "channels"):
        if isinstance(getattr(motion, field), str):
            raise _not_a_list(field, motion)
    _check_speeds(cfg)
    headers = load_headers(motion.motion_files, control_rate=control_rate(cfg), split=motion.motion_split)
    for header in headers:
        header.require_robot(robot)
    center = action_center(cfg)
    require_known(center, ("default", *ACTION_CENTERS), "center in actions.joint_pos.center")
    if center == "joint_target":
        check_joint_targets(headers, motion.motion_files, motion.motion_split, cfg.robot_name)
    carried = {name for header in headers for name in header.channel_declarations}
    require_known(motion.channels, sorted(carried), "channel in commands.motion.channels (known: carried by a clip)")
    return headers


def check_bodies(cfg: TrackingEnvCfg) -> None:
    """Check every body name of a config against its robot, and those of terms against the tracked ones.

    Raises:
        ValueError: If a name is unknown; the message lists those known.
    """
    motion, robot = cfg.commands.motion, get_robot(cfg.robot_name)
    if isinstance(motion.body_names, str):
        raise _not_a_list("body_names", motion)
    require_known(motion.body_names, robot.body_names, "body in `commands.motion.body_names`")
    require_known(motion.anchor_body_name, motion.body_names, "body in `commands.motion.anchor_body_name`")
    if cfg.terminations.ee_body_pos is not None:
        names = cfg.terminations.ee_body_pos.params["body_names"]
        require_known(names, motion.body_names, "body in `terminations.ee_body_pos.params.body_names`")
    for term in vars(cfg.rewards).values():
        body_weights((getattr(term, "params", None) or {}).get("body_weights") or {}, motion.body_names)


def _not_a_list(field: str, motion) -> ValueError:
    return ValueError(
        f"`commands.motion.{field}` is the text '{getattr(motion, field)}', expected a list: write"
        f""" env.commands.motion.{field}="['a','b']"."""
    )


def check_randomization(cfg: TrackingEnvCfg) -> None:
    """Check that the engine can do what the events ask for; silently ignoring it would train on the nominal robot.

    Raises:
        ValueError: If it cannot; the message names the engines that can.
    """
    if cfg.scene.terrain is not None and cfg.rewards.foot_contacts is not None:
        raise ValueError(
            "reward_style measures foot contacts against flat ground, and rand_terrain has none. Leave one of them out."
        )
    if cfg.scene.terrain is not None and type(getattr(cfg.sim.physics, "solver_cfg", None)) is MJWarpSolverCfg:
        raise ValueError(
            "MuJoCo Warp collides with a height field centimetres off: fallen robots lay 3 cm above it or up to 9 cm in"
            " it. Take physics=mujoco_cpu or physics=ovphysx for rand_terrain."
        )
    if getattr(cfg.events, "link_lengths", None) is None:
        return
    if not isinstance(cfg.sim.physics, NewtonCfg):
        raise ValueError(
            "rand_lengths moves joints in the model at start-up, which PhysX cannot: it fixes them when it reads the"
            " asset. Take physics=mujoco_cpu or physics=newton_mjwarp, or leave rand_lengths out."
        )
    stretched_joints(get_robot(cfg.robot_name), cfg.events.link_lengths.params["link_groups"])


def _check_speeds(cfg: TrackingEnvCfg) -> None:
    speeds = cfg.commands.motion.speeds
    if not speeds or not all(speed > 0.0 for speed in speeds) or len(set(speeds)) != len(speeds):
        raise ValueError(
            f"`commands.motion.speeds` is {speeds}, expected different positive numbers such as [0.8, 1.0]."
        )
    if list(speeds) != [1.0] and getattr(cfg.observations.policy, "motion_identity", None) is not None:
        raise ValueError(
            "A policy that sees which clip it tracks cannot be trained at several speeds: every copy would be another"
            " clip. Leave out rand_time, or motion_one_hot and motion_embedding."
        )
