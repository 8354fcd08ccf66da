"""Roll a policy out once per world, from frame 0 to the end of its clip, and record what happened.

The environment never resets here: its terminations are switched off and judged on the recording, so the terminal step
is measured like any other and a world that has failed does not disturb the rest.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from whole_body_tracking.motion.tracking_errors import (
    BodyState,
    TrackingErrors,
    exp_kernel,
    projected_gravity_z,
    tracking_errors,
)

if TYPE_CHECKING:
    from isaaclab_rl.rsl_rl import RslRlVecEnvWrapper

    from whole_body_tracking.tasks.tracking.mdp.commands import MotionCommand
    from whole_body_tracking.tasks.tracking.tracking_env_cfg import RewardsCfg, TerminationsCfg, TrackingEnvCfg

SMALL_PERTURBATION = {
    "pose_range": {"x": (-0.01, 0.01), "y": (-0.01, 0.01), "roll": (-0.02, 0.02), "pitch": (-0.02, 0.02)},
    "velocity_range": {axis: (-0.05, 0.05) for axis in ("x", "y", "z", "roll", "pitch", "yaw")},
    "joint_position_range": (-0.02, 0.02),
}
"""Noise on the start state of an evaluation [m, rad, m/s, rad/s]; without any, all worlds are copies of one."""


@dataclass
class Recording:
    """Trajectories of all rollouts, shape [num_steps, num_rollouts, ...]; step t is scored against frame t + 1."""

    ref: BodyState
    """Reference bodies, with world origins taken off."""
    robot: BodyState
    """Robot bodies, with world origins taken off."""
    ref_joint_pos: Tensor
    """Reference joint positions [rad]."""
    joint_pos: Tensor
    """Robot joint positions [rad]."""
    joint_vel: Tensor
    """Robot joint velocities [rad/s]."""
    actions: Tensor
    """Raw actions of the policy."""
    clip_ids: Tensor
    """Clip of each rollout, shape [num_rollouts]."""
    num_steps: Tensor
    """Steps of each rollout's clip, shape [num_rollouts]."""
    body_names: list[str]
    anchor_idx: int
    step_dt: float
    """Duration of a step [s]."""

    def errors(self) -> TrackingErrors:
        """Squared errors of every step, each of shape [num_steps, num_rollouts, ...]."""
        shape = self.joint_pos.shape[:2]
        flat = [BodyState(*(getattr(s, f.name).flatten(0, 1) for f in fields(s))) for s in (self.ref, self.robot)]
        errors = tracking_errors(*flat, anchor_idx=self.anchor_idx)
        return TrackingErrors(**{name: value.unflatten(0, shape) for name, value in vars(errors).items()})


def configure_evaluation(env_cfg: TrackingEnvCfg, perturbed: bool = True) -> TerminationsCfg:
    """Turn a play config into an evaluation config and return the terminations that it had.

    Args:
        env_cfg: A config on which ``play_mode`` was called; changed in place.
        perturbed: Whether start states get a small seeded noise.
    """
    terminations = env_cfg.terminations
    env_cfg.terminations = type(terminations)(**{f.name: None for f in fields(terminations)})
    env_cfg.commands.motion.clip_end = "hold"
    if perturbed:
        for name, value in SMALL_PERTURBATION.items():
            setattr(env_cfg.commands.motion, name, value)
    return terminations


def roll_out(env: RslRlVecEnvWrapper, policy: Callable[[Tensor], Tensor], clip_ids: Tensor) -> Recording:
    """Play each world's clip once.

    Args:
        env: Environment made from :func:`configure_evaluation`'s config, one world per rollout.
        policy: Maps observations to actions.
        clip_ids: Clip of each world, shape [num_envs].
    """
    motion: MotionCommand = env.unwrapped.command_manager.get_term("motion")
    obs = _start(env, motion, clip_ids)
    num_steps = motion.last_frames[clip_ids]
    origins = env.unwrapped.scene.env_origins[:, None]
    frames: list[tuple[Tensor, ...]] = []
    with torch.inference_mode():
        for _ in range(int(num_steps.max())):
            actions = policy(obs)
            ref, ref_joint_pos = motion.reference_bodies, motion.reference.joint_pos
            obs = env.step(actions)[0]
            robot, data = motion.robot_bodies, motion.robot.data
            bodies = [(s.pos_w - origins, s.quat_w, s.lin_vel_w, s.ang_vel_w) for s in (ref, robot)]
            values = (*bodies[0], *bodies[1], ref_joint_pos, data.joint_pos.torch, data.joint_vel.torch, actions)
            frames.append(tuple(value.clone() for value in values))
    stacked = [torch.stack(values) for values in zip(*frames, strict=True)]
    return Recording(
        BodyState(*stacked[:4]),
        BodyState(*stacked[4:8]),
        *stacked[8:],
        clip_ids,
        num_steps,
        motion.body_names,
        motion.anchor_idx,
        env.unwrapped.step_dt,
    )


def tracking_reward(errors: TrackingErrors, rewards: RewardsCfg) -> Tensor:
    """The six tracking terms as a share of their maximum, shape [num_steps, num_rollouts]."""
    squared = {
        "motion_global_anchor_pos": errors.anchor_pos,
        "motion_global_anchor_ori": errors.anchor_ori,
        "motion_body_pos": errors.body_pos.mean(-1),
        "motion_body_ori": errors.body_ori.mean(-1),
        "motion_body_lin_vel": errors.body_lin_vel.mean(-1),
        "motion_body_ang_vel": errors.body_ang_vel.mean(-1),
    }
    terms = {name: getattr(rewards, name) for name in squared}
    total = sum(term.weight * exp_kernel(squared[name], term.params["std"]) for name, term in terms.items())
    return total / sum(term.weight for term in terms.values())


def task_failures(recording: Recording, terminations: TerminationsCfg) -> Tensor:
    """Whether a termination of the task holds at each step, shape [num_steps, num_rollouts]."""
    anchor, names = recording.anchor_idx, terminations.ee_body_pos.params["body_names"]
    ends = [recording.body_names.index(name) for name in names]
    height_error = (recording.ref.pos_w[..., 2] - recording.robot.pos_w[..., 2]).abs()
    failed = height_error[..., anchor] > terminations.anchor_pos.params["threshold"]
    failed |= _gravity_error(recording, anchor) > terminations.anchor_ori.params["threshold"]
    failed |= (height_error[..., ends] > terminations.ee_body_pos.params["threshold"]).any(-1)
    return failed | ~torch.isfinite(recording.robot.pos_w).all(-1).all(-1)


def lafan1_failures(recording: Recording, root_body: str) -> Tensor:
    """Whether the LAFAN1-40 criterion fails at each step, shape [num_steps, num_rollouts]."""
    root = recording.body_names.index(root_body)
    height_error = (recording.ref.pos_w[..., root, 2] - recording.robot.pos_w[..., root, 2]).abs()
    finite = torch.isfinite(recording.robot.pos_w).all(-1).all(-1)
    return (height_error > 0.25) | (_gravity_error(recording, root) > 0.8) | ~finite


def _gravity_error(recording: Recording, body: int) -> Tensor:
    ref_z = projected_gravity_z(recording.ref.quat_w[:, :, body])
    return (ref_z - projected_gravity_z(recording.robot.quat_w[:, :, body])).abs()


def _start(env: RslRlVecEnvWrapper, motion: MotionCommand, clip_ids: Tensor) -> Tensor:
    """Reset all worlds to frame 0 of their clips and return the observations."""
    motion.fixed_start = (clip_ids, torch.zeros_like(clip_ids))
    return env.reset()[0]
