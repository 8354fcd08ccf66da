"""Compare an environment with what supervised training reads from it: states, observations, actions, next states.

An engine needs a process of its own, so the test runs this file as a program: ``sft_probe.py CENTER OUT.json``.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import mujoco
import numpy as np
import torch
from isaaclab_rl.entrypoints.common import add_common_play_args

from whole_body_tracking.export.env_spec import spec_from_env
from whole_body_tracking.motion import DEFAULT_MOTION_FILE, MotionClip
from whole_body_tracking.refine.native_physics import NativePhysics
from whole_body_tracking.rl.cli import parse_args
from whole_body_tracking.rl.session import resolve_configs, tracking_env
from whole_body_tracking.rl.sft.bridge import MujocoBridge
from whole_body_tracking.robots import G1
from whole_body_tracking.robots.mujoco_simulation import RobotState
from whole_body_tracking.sim2sim.observations import ObservationBuilder
from whole_body_tracking.sim2sim.reference import Reference, reference_of_file
from whole_body_tracking.sim2sim.rollout import situation

NUM_ENVS = 8
NUM_STEPS = 12


def arguments(center: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_common_play_args(parser, agent_default="rsl_rl_cfg_entry_point", agent_help="")
    flags = ["--task", "Tracking-Flat-G1-Residual-v0", "--motion_file", str(DEFAULT_MOTION_FILE), "--device", "cpu"]
    overrides = ["physics=mujoco_cpu", f"env.actions.joint_pos.center={center}"]
    return parse_args(parser, [*flags, "--num_envs", str(NUM_ENVS), "--seed", "1", *overrides])


def robot_state(state: np.ndarray, order: list[int]) -> RobotState:
    """A MuJoCo state as sim2sim's, joints in another order."""
    quat, (qpos, qvel) = state[[4, 5, 6, 3]], np.split(state, [36])
    rotation = np.zeros(9)
    mujoco.mju_quat2Mat(rotation, qpos[3:7])
    return RobotState(qpos[:3], quat, qvel[:3], rotation.reshape(3, 3) @ qvel[3:6], qpos[7:][order], qvel[6:][order])


def main(center: str, out: Path) -> None:
    args = arguments(center)
    env_cfg, agent_cfg = resolve_configs(args, play=True)
    env_cfg.commands.motion.start_sampling = "uniform"
    env_cfg.commands.motion.velocity_range = {"x": (-0.3, 0.3), "yaw": (-0.5, 0.5)}
    env_cfg.commands.motion.pose_range = {"y": (-0.1, 0.1), "yaw": (-0.5, 0.5)}
    clip = MotionClip.load(DEFAULT_MOTION_FILE)
    rng, worst, next_errors = np.random.default_rng(0), {"observation": 0.0, "target": 0.0}, []
    with tracking_env(args, env_cfg, agent_cfg) as env, NativePhysics(G1, 0.02) as physics, torch.inference_mode():
        spec = spec_from_env(env.unwrapped, args.task, "")
        bridge, builder, data = MujocoBridge(env.unwrapped), ObservationBuilder(spec), mujoco.MjData(physics.model)
        reference = Reference(reference_of_file(DEFAULT_MOTION_FILE, spec), np.ones(1))
        anchor = physics.model.body(G1.anchor_body_name).id
        order = [G1.joint_names.index(name) for name in spec.joint_names]
        motion = env.unwrapped.command_manager.get_term("motion")
        for _ in range(NUM_STEPS):
            states, frames, obs = bridge.states(), bridge.frames, env.get_observations()["policy"].cpu().numpy()
            last = env.unwrapped.action_manager.action.cpu().double().numpy()
            for index, state in enumerate(states):
                data.qpos[:], data.qvel[:] = np.split(state, [36])
                mujoco.mj_forward(physics.model, data)
                robot = robot_state(state, order)
                pose = data.xpos[anchor], data.xquat[anchor][[1, 2, 3, 0]]
                now = situation(spec, reference, int(frames[index]) + 1, robot, *pose, last[index])
                worst["observation"] = max(worst["observation"], np.abs(builder.build(now) - obs[index]).max())
            targets = clip.joint_pos[frames][:, clip.joint_indices(G1.joint_names)]
            targets = targets + rng.normal(0.0, 0.05, (NUM_ENVS, 29))
            env.step(torch.from_numpy(bridge.actions(targets, frames)).float())
            held = motion.robot.actuators.target_command.position.torch.numpy()
            worst["target"] = max(worst["target"], np.abs(held - targets[:, order]).max())
            played = physics.roll_out(*np.split(states, [36], axis=1), targets[:, None])
            error = np.abs(bridge.states()[:, 7:36] - played.qpos[:, 0, 7:]).max(1)
            next_errors.append(error.tolist())
    worst = {name: float(value) for name, value in worst.items()}
    out.write_text(json.dumps(worst | {"next_state": float(np.median(next_errors))}))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
