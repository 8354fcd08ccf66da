"""Step a task as its reference has to survive it, and write down what it does: ``reference_probe.py OUT.json``.

One environment on native MuJoCo, first in the mode ``loop``, then ``hold``, then ``truncate``.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
from pathlib import Path

import gymnasium as gym
import torch
from isaaclab.app import add_launcher_args, launch_simulation
from isaaclab_tasks.utils import resolve_task_config

import whole_body_tracking.tasks  # noqa: F401
from whole_body_tracking.motion import clip, npz
from whole_body_tracking.tasks.tracking.mdp.reference import diagnostics

TASK, NUM_ENVS = "Tracking-Flat-G1-v0", 4
ACTIONS = torch.zeros(NUM_ENVS, 29)


def set_mode(motion, clip_end: str) -> None:
    """What a config with this ``clip_end`` gives; an engine starts once in a process."""
    motion.cfg.clip_end = motion.clock.clip_end = clip_end
    motion._placement = None


def start_at(motion, steps_before_end: int) -> None:
    """Put every env on the reference, this many steps before its clip's end."""
    env_ids = torch.arange(NUM_ENVS)
    clip_ids = torch.zeros_like(env_ids)
    motion.set_start(env_ids, clip_ids, motion.last_frames[clip_ids] - steps_before_end)


def reset_after_inference(env, motion) -> dict:
    """Steps past a clip's end in inference mode, as rsl_rl makes them, then resets and a step outside of it."""
    with torch.inference_mode():
        start_at(motion, 1)
        env.step(ACTIONS)
        looped = motion.frames.tolist()
        env.step(ACTIONS)
    env._reset_idx(torch.tensor([1]))
    env.reset()
    env.step(ACTIONS)
    return {"looped": looped, "bins": motion._bins.tolist(), "frames": motion.frames.tolist()}


def held(env, motion) -> list[list[float]]:
    """Steps left, largest joint velocity of the reference and of its observation, from one step before the end on.

    The clip is taken to end at frame 40, in the middle of its motion.
    """
    set_mode(motion, "hold")
    env.reset()
    last = motion.clock.last_frames.clone()
    motion.clock.last_frames.fill_(40)
    start_at(motion, 2)
    env.episode_length_buf[:] = 10
    found = []
    for _ in range(4):
        speeds = (motion.reference.joint_vel[0], motion.command[0, 29:])
        found.append([40 - int(motion.frames[0]), *(float(speed.abs().max()) for speed in speeds)])
        motion.compute(0.02)
    motion.clock.last_frames.copy_(last)
    return found


def fail_at_the_end(env, motion) -> dict:
    """Env 1 of 4 is lifted by a metre in the step that reaches its clip's last frame."""
    set_mode(motion, "truncate")
    env.reset()
    start_at(motion, 2)
    env.step(ACTIONS)
    pose = motion.robot.data.root_link_pose_w.torch.clone()
    pose[1, 2] += 1.0
    motion.robot.write_root_link_pose_to_sim_index(root_pose=pose)
    before = motion.sampler.clips.values.clone()
    _, _, terminated, truncated, _ = env.step(ACTIONS)
    alpha = motion.sampler.alpha
    ended, failed, _ = ((motion.sampler.clips.values - (1.0 - alpha) * before) / alpha).sum(1).tolist()
    live = env.termination_manager.terminated.tolist()
    return {
        "terminated": terminated.tolist(), "truncated": truncated.tolist(), "live": live, "counted": [ended, failed]
    }  # fmt: skip


def blow_up(env, motion, messages: list[str]) -> dict:
    """Velocities of one env's body become infinite, then NaN, in what the simulator reports."""
    found = {}
    for value in ("inf", "nan"):
        env.reset()
        del messages[:]
        motion.robot_bodies.ang_vel_w[2, 5] = float(value)
        term = env.termination_manager.get_term_cfg("state_not_finite")
        found[value] = {"ended": term.func(env, **term.params).tolist()}
        motion.reset(torch.arange(NUM_ENVS))
        found[value] |= {"messages": list(messages)}
    return found


def main(out: Path) -> None:
    parser = argparse.ArgumentParser()
    add_launcher_args(parser)
    args = parser.parse_args(["--device", "cpu"])
    sys.argv = [sys.argv[0], "physics=mujoco_cpu"]
    reads, messages = [], []
    read_arrays = npz.read_arrays
    clip.read_arrays = lambda path: reads.append(path.name) or read_arrays(path)
    handler = logging.Handler()
    handler.emit = lambda record: messages.append(record.getMessage())
    diagnostics.logger.addHandler(handler)
    cfg, _ = resolve_task_config(TASK, "rsl_rl_cfg_entry_point", play_mode=True)
    cfg.scene.num_envs, cfg.seed, cfg.log_dir = NUM_ENVS, 1, str(out.parent)
    cfg.commands.motion.clip_end, cfg.commands.motion.freeze_sampling = "loop", False
    cfg.validate_config()
    result = {"reads_before_start": list(reads)}
    with launch_simulation(cfg, args):
        env = gym.make(TASK, cfg=cfg).unwrapped
        motion = env.command_manager.get_term("motion")
        env.reset()
        result["reads"] = list(reads)
        result["inference"] = reset_after_inference(env, motion)
        result["held"] = held(env, motion)
        result["failed"] = fail_at_the_end(env, motion)
        result["blown_up"] = blow_up(env, motion, messages)
        env.close()
    out.write_text(json.dumps(result))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
