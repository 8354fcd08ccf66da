"""Roll a policy out once in each env, from a start frame to the end of its clip, and record what happened.

The environment never resets here: its terminations are switched off and judged on the recording, so the terminal step
is measured like any other and an env that has failed does not disturb the rest.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from whole_body_tracking.actuation.binding import joint_torque
from whole_body_tracking.tracking.criteria import SMALL_PERTURBATION
from whole_body_tracking.tracking.errors import BodyState

from .early_stop import EarlyStop
from .recording import Recording

if TYPE_CHECKING:
    from isaaclab_rl.rsl_rl import RslRlVecEnvWrapper

    from whole_body_tracking.tasks.tracking.mdp.commands import MotionCommand
    from whole_body_tracking.tasks.tracking.tracking_env_cfg import TerminationsCfg, TrackingEnvCfg

MIN_POLICY_ROWS = 8
"""Smaller batches of observations take another matrix product on a CPU, whose last bits differ."""

Disturbance = Callable[["RslRlVecEnvWrapper", int, Tensor], Tensor]
"""Called before each step with the environment, the step's index and the actions; returns the actions to apply."""


@dataclass
class Batch:
    """Rollouts that run at the same time, one per env; all of shape [num_envs]."""

    clip_ids: Tensor
    """Clip of each env."""
    frames: Tensor
    """Start frame of each env."""
    seeds: Tensor
    """Seed of each env's start noise."""
    used: Tensor
    """Whether the env has a rollout at all."""


def configure_evaluation(env_cfg: TrackingEnvCfg, perturbed: bool = True) -> TerminationsCfg:
    """Turn a play config into an evaluation config and return the terminations that it had.

    Args:
        env_cfg: A config on which ``play_mode`` was called; changed in place.
        perturbed: Whether start states get a small seeded noise.
    """
    terminations = env_cfg.terminations
    env_cfg.terminations = type(terminations)(**{f.name: None for f in fields(terminations)})
    env_cfg.commands.motion.clip_end = "hold"
    env_cfg.scene.env_spacing = 0.0  # envs do not touch, and single precision is the same in all of them
    if perturbed:
        for name, value in SMALL_PERTURBATION.items():
            setattr(env_cfg.commands.motion, name, value)
    return terminations


def roll_out(
    env: RslRlVecEnvWrapper,
    policy: Callable[[Tensor], Tensor],
    batch: Batch,
    disturb: Disturbance | None = None,
    early_stop: EarlyStop | None = None,
) -> Recording:
    """Play each env's clip once; envs without a rollout are left out of the recording.

    Args:
        env: Environment made from :func:`configure_evaluation`'s config.
        policy: Maps observations to actions.
        batch: Rollout of each env.
        disturb: Acts on the environment or the actions before each step.
        early_stop: Says which rollouts to stop before their end; None stops none.
    """
    motion: MotionCommand = env.unwrapped.command_manager.get_term("motion")
    num_steps = motion.last_frames[batch.clip_ids] - batch.frames
    ends = torch.where(batch.used, num_steps, 0)
    if early_stop is not None:
        early_stop.reset()
    obs = _start(env, motion, batch)
    parked = torch.zeros_like(batch.used)
    samples: list[tuple[Tensor, ...]] = []
    with torch.no_grad():  # not inference mode: the tensors that it makes cannot be reset afterwards
        while (step := len(samples)) < int(ends.max()):
            finished = ~parked & (step >= ends)
            _park(env, motion, finished)
            parked |= finished
            actions = _act(policy, obs)
            ref, ref_joint_pos = motion.reference_bodies, motion.reference.joint_pos
            obs = env.step(actions if disturb is None else disturb(env, step, actions))[0]
            samples.append(_sample(env, motion, ref, ref_joint_pos, actions, batch.used))
            if early_stop is not None:
                lost = early_stop.update(_recording(env, motion, samples[-1:], batch, num_steps)).to(ends.device)
                ends[batch.used] = torch.where(lost, ends[batch.used].clamp(max=step + 1), ends[batch.used])
    recording = _recording(env, motion, samples, batch, num_steps)
    recording.num_recorded = ends[batch.used].cpu()
    return recording


def _start(env: RslRlVecEnvWrapper, motion: MotionCommand, batch: Batch) -> Tensor:
    """Put every env into its start frame, with noise that depends on its rollout alone; return observations."""
    everyone = torch.arange(env.num_envs, device=env.device)
    if _park(env, motion, torch.ones_like(batch.used)):
        env.step(torch.zeros(env.num_envs, env.num_actions, device=env.device))
    motion.set_start(everyone, batch.clip_ids, batch.frames)  # a finite state: the reset below does not complain
    motion.fixed_start = (batch.clip_ids, batch.frames)
    env.reset()
    motion.set_start(everyone, batch.clip_ids, batch.frames, _start_noise(motion, batch.seeds))
    torch.manual_seed(int(batch.seeds[0]))
    env.unwrapped.obs_buf = env.unwrapped.observation_manager.compute()
    return env.get_observations()


def _start_noise(motion: MotionCommand, seeds: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Draw the start noise of each rollout from its own seed, so that it does not depend on what runs beside it."""
    draws = []
    for seed in seeds.tolist():
        torch.manual_seed(seed)
        draws.append(motion.draw_start_noise(1))
    return tuple(torch.cat(values) for values in zip(*draws, strict=True))


def _act(policy: Callable[[Tensor], Tensor], obs: Tensor) -> Tensor:
    copies = -(-MIN_POLICY_ROWS // len(obs))
    return policy(torch.cat([obs] * copies))[: len(obs)] if copies > 1 else policy(obs)


def _park(env: RslRlVecEnvWrapper, motion: MotionCommand, envs: Tensor) -> bool:
    """Stop simulating envs, given as a mask of shape [num_envs], and return whether the engine can do so.

    Native MuJoCo does not step an env whose state is not finite, and forgets its solver's warm start, so that the next
    rollout begins as in a new environment. Other engines go on stepping all envs.
    """
    solver = getattr(env.unwrapped.cfg.sim.physics, "solver_cfg", None)
    if getattr(solver, "solver_type", None) != "mujoco_cpu":
        return False
    ids = envs.nonzero().flatten()
    if len(ids):
        velocity = torch.full((len(ids), motion.robot.num_joints), torch.nan, device=env.device)
        motion.robot.write_joint_velocity_to_sim_index(velocity=velocity, env_ids=ids.int())
    return True


def _sample(env, motion: MotionCommand, ref: BodyState, ref_joint_pos: Tensor, actions: Tensor, used: Tensor) -> tuple:
    origins = env.unwrapped.scene.env_origins[:, None]
    robot, data = motion.robot_bodies, motion.robot.data
    bodies = [(state.pos_w - origins, state.quat_w, state.lin_vel_w, state.ang_vel_w) for state in (ref, robot)]
    joint_pos, joint_vel = data.joint_pos.torch, data.joint_vel.torch
    values = (*bodies[0], *bodies[1], ref_joint_pos, joint_pos, joint_vel, actions, joint_torque(motion.robot))
    return tuple(value[used].cpu() for value in values)


def _recording(env, motion: MotionCommand, samples: list[tuple], batch: Batch, num_steps: Tensor) -> Recording:
    stacked = [torch.stack(values) for values in zip(*samples, strict=True)]
    return Recording(
        BodyState(*stacked[:4]),
        BodyState(*stacked[4:8]),
        *stacked[8:12],
        batch.clip_ids[batch.used].cpu(),
        num_steps[batch.used].cpu(),
        motion.body_names,
        motion.anchor_idx,
        env.unwrapped.step_dt,
        joint_torque=stacked[12],
    )
