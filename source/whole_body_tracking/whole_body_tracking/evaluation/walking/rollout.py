"""Walks by command in Isaac Lab: one per env, all at once, recorded step by step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from whole_body_tracking.evaluation.rollout import Disturbance
from whole_body_tracking.locomotion.command import VelocityCommand
from whole_body_tracking.motion import MotionClip
from whole_body_tracking.tasks.locomotion.command_check import COMMAND_TERM, velocity_cfg_of
from whole_body_tracking.tasks.tracking.task_reference import motion_of
from whole_body_tracking.tracking.criteria import SMALL_PERTURBATION
from whole_body_tracking.tracking.errors import BodyState
from whole_body_tracking.tracking.joint_drive import drive_torque

from .recording import WalkRecording

if TYPE_CHECKING:
    from isaaclab.envs.mdp import UniformVelocityCommand
    from isaaclab_rl.rsl_rl import RslRlVecEnvWrapper

    from whole_body_tracking.tasks.locomotion.mdp.mode_commands import ModeMotionCommand


def configure_walks(env_cfg: Any, perturbed: bool = True) -> None:
    """Turn a play config into one for an evaluation: no episode ends, and starts have small noise.

    Args:
        env_cfg: A config on which ``play_mode`` was called; changed in place.
        perturbed: Whether there is any noise.
    """
    env_cfg.terminations = type(env_cfg.terminations)(**{f.name: None for f in fields(env_cfg.terminations)})
    velocity_cfg_of(env_cfg).resampling_time_range = (1.0e9, 1.0e9)
    env_cfg.scene.env_spacing = 0.0  # envs do not touch, and single precision is the same in all of them
    if perturbed:
        env_cfg.events.start_root.params["velocity_range"] = dict(SMALL_PERTURBATION["velocity_range"])
        env_cfg.events.start_joints.params["position_range"] = SMALL_PERTURBATION["joint_position_range"]


def roll_walks(
    env: RslRlVecEnvWrapper,
    policy: Callable[[Tensor], Tensor],
    commands: Sequence[VelocityCommand],
    num_steps: int,
    seed: int,
    disturb: Disturbance | None = None,
) -> WalkRecording:
    """Walk once in each env.

    Args:
        env: Environment made from :func:`configure_walks`'s config.
        policy: Maps observations to actions.
        commands: Command of each env.
        num_steps: Steps to walk.
        seed: Of the noise on starts.
        disturb: Acts on the environment or the actions before each step.
    """
    torch.manual_seed(seed)
    motion = modes_term(env)
    if motion is not None:
        names = [mode.name for mode in motion.modes]
        motion.fixed_modes = torch.tensor([names.index(one.mode) for one in commands], device=motion.device)
    env.reset()
    give_commands(env, commands)
    obs, samples = env.get_observations(), []
    robot = env.unwrapped.scene["robot"]
    with torch.no_grad():
        for step in range(num_steps):
            actions = policy(obs)
            obs = env.step(actions if disturb is None else disturb(env, step, actions))[0]
            samples.append(_sample(env))
    stacked = [torch.stack(values) for values in zip(*samples, strict=True)]
    return WalkRecording(
        BodyState(*stacked[:4]),
        *stacked[4:],
        commands=list(commands),
        body_names=list(robot.body_names),
        joint_names=list(robot.joint_names),
        step_dt=env.unwrapped.step_dt,
        modes=[] if motion is None else [motion.modes[index] for index in motion.fixed_modes.tolist()],
        clips={}
        if motion is None
        else {one.name: MotionClip.load(one.file) for one in motion.entries_of_modes if one.file},
    )


def modes_term(env: RslRlVecEnvWrapper) -> ModeMotionCommand | None:
    """The command that holds an environment's modes; None for a task without."""
    motion = motion_of(env)
    return motion if hasattr(motion, "fixed_modes") else None


def give_commands(env: RslRlVecEnvWrapper, commands: Sequence[VelocityCommand]) -> None:
    """Set the command of every env, in place of those drawn at the reset, and observe anew."""
    unwrapped = env.unwrapped
    term: UniformVelocityCommand = unwrapped.command_manager.get_term(COMMAND_TERM)
    values = torch.tensor([[one.vx, one.vy, one.heading] for one in commands], device=unwrapped.device)
    term.vel_command_b[:, :2] = values[:, :2]
    term.heading_target[:] = values[:, 2]
    motion = modes_term(env)
    term.is_heading_env[:], term.is_standing_env[:] = True, False if motion is None else ~motion.moves
    term.compute(0.0)
    unwrapped.obs_buf = unwrapped.observation_manager.compute()


def _sample(env: RslRlVecEnvWrapper) -> tuple[Tensor, ...]:
    robot = env.unwrapped.scene["robot"]
    data = robot.data
    pose, velocity = data.body_link_pose_w.torch, data.body_link_vel_w.torch
    pos = pose[..., :3] - env.unwrapped.scene.env_origins[:, None]
    torque = drive_torque(
        robot.actuators.target_command.position.torch,
        data.joint_pos.torch,
        data.joint_vel.torch,
        data.joint_stiffness.torch,
        data.joint_damping.torch,
        data.joint_effort_limits.torch,
    )
    values = (pos, pose[..., 3:], velocity[..., :3], velocity[..., 3:], data.joint_pos.torch, data.joint_vel.torch)
    return tuple(value.clone().cpu() for value in (*values, torque))
