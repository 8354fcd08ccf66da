"""Measurements of the check in an engine: replay two seconds of a clip, then hold the default pose in 64 envs."""

from __future__ import annotations

import dataclasses
import time

import torch
from isaaclab.managers import SceneEntityCfg
from isaaclab_rl.rsl_rl import RslRlVecEnvWrapper

from whole_body_tracking.benchmark.measuring.machine import describe_machine
from whole_body_tracking.motion import MotionClip
from whole_body_tracking.motion.clip import ARRAYS
from whole_body_tracking.robots import get_robot
from whole_body_tracking.viewer.engine import EngineRobot
from whole_body_tracking.viewer.replay import replay_clip

from .record import EngineRecord

REPLAY_SECONDS = 2.0
NUM_STEPS = 100
"""Control steps, two seconds: enough to fall."""
STANDING = slice(5, 15)
"""Steps after the first impact and before the robot leans."""
GRAVITY = 9.81
"""[m/s^2]"""


def measure(env: RslRlVecEnvWrapper, clip: MotionClip, task: str) -> EngineRecord:
    """Replay and step an environment in play mode.

    Args:
        env: The task on the engine to measure.
        clip: The clip that the environment tracks.
        task: Task id.
    """
    base = env.unwrapped
    robot = base.scene["robot"]
    replay = replay_clip(EngineRobot(base.sim, base.scene), first_seconds(clip, REPLAY_SECONDS))
    mass = float(robot.data.body_mass.torch[0].sum())
    stepped = hold_default_pose(env)
    return EngineRecord(
        engine=type(base.cfg.sim.physics).__name__,
        task=task,
        clip_digest=clip.digest,
        versions=describe_machine(base.device)["versions"],
        joint_names=list(robot.joint_names),
        body_names=list(robot.body_names),
        observation_terms=policy_terms(base),
        mass=mass,
        replay_pos_difference=replay.largest_pos_difference.value,
        replay_ori_difference=replay.largest_ori_difference.value,
        foot_force=float(stepped.pop("foot_forces")[STANDING].mean()) / (GRAVITY * mass),
        **stepped,
    )


def policy_terms(env) -> dict[str, int]:
    """Columns of each term that the policy observes, in order."""
    manager = env.observation_manager
    widths = [shape[-1] for shape in manager.group_obs_term_dim["policy"]]
    return dict(zip(manager.active_terms["policy"], widths, strict=True))


def first_seconds(clip: MotionClip, seconds: float) -> MotionClip:
    """The beginning of a clip."""
    end = round(seconds * clip.fps) + 1
    arrays = {name: getattr(clip, name)[:end] for name in ARRAYS}
    return dataclasses.replace(clip, **arrays, channels={}, extras={})


def hold_default_pose(env: RslRlVecEnvWrapper) -> dict:
    """Reset, then step with zero actions, which hold the default pose; what was seen, as fields of a record."""
    base = env.unwrapped
    with torch.inference_mode():
        obs, _ = env.reset()
        widths = {group: int(values.shape[-1]) for group, values in obs.items()}
        actions = torch.zeros(env.num_envs, env.num_actions, device=env.device)
        fields, forces, failed, finite = {}, [], None, True
        started = time.monotonic()
        for step in range(NUM_STEPS):
            obs, rewards, dones, extras = env.step(actions)
            finite &= bool(torch.isfinite(rewards).all() and torch.isfinite(obs["policy"]).all())
            forces.append(foot_force(base))
            if step == 0:
                fields = state_of_first_env(base) | {"observation": obs["policy"][0].tolist()}
            if failed is None and bool((dones.bool() & ~extras["time_outs"].bool()).any()):
                failed = step + 1
        elapsed = time.monotonic() - started
    return fields | {
        "observation_widths": widths,
        "foot_forces": torch.stack(forces),
        "first_failure": (failed or NUM_STEPS) * base.step_dt,
        "is_finite": finite,
        "environment_steps_per_s": NUM_STEPS * env.num_envs / elapsed,
    }


def state_of_first_env(env) -> dict:
    """Root pose, joint positions, and how far those of the other envs are from them."""
    data = env.scene["robot"].data
    pose, joint_pos = data.root_link_pose_w.torch[0].clone(), data.joint_pos.torch
    pose[:3] -= env.scene.env_origins[0]
    return {
        "root_pose": pose.tolist(),
        "joint_pos": joint_pos[0].tolist(),
        "spread": float((joint_pos - joint_pos[0]).abs().max()),
    }


def foot_force(env) -> torch.Tensor:
    """Vertical contact force on both feet, mean over envs [N]."""
    feet = SceneEntityCfg("contact_forces", body_names=list(get_robot(env.cfg.robot_name).foot_body_names))
    feet.resolve(env.scene)
    forces = env.scene["contact_forces"].data.net_normal_forces_w_history.torch
    return forces[:, 0, feet.body_ids, 2].sum(-1).mean()
