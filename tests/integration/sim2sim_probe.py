"""Export an untrained policy of three clips and rebuild what Isaac Lab observed from the exported files alone.

An engine needs a process of its own, so the test runs this file as a program:
``sim2sim_probe.py PRESET MANIFEST OUT_FOLDER``. Envs play deterministically from random frames of all clips, and to
the end of the short one, where a preview holds the last frame. The manifest is deleted before the export, as a user may
do during a training.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import torch
from isaaclab_rl.entrypoints.common import add_common_play_args

from whole_body_tracking.export import check_parity, export_run, load_policy
from whole_body_tracking.rl.cli import parse_args
from whole_body_tracking.rl.session import resolve_configs, tracking_env
from whole_body_tracking.rl.training import make_runner
from whole_body_tracking.robots.mujoco_simulation import RobotState
from whole_body_tracking.sim2sim.observations import ObservationBuilder
from whole_body_tracking.sim2sim.reference import references_of
from whole_body_tracking.sim2sim.rollout import situation

TASK = "Tracking-Flat-G1-Multi-v0"
NUM_ENVS = 6
NUM_STEPS = 60


def arguments(preset: str, manifest: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_common_play_args(parser, agent_default="rsl_rl_cfg_entry_point", agent_help="")
    presets = [] if preset == "none" else [f"presets={preset}"]
    flags = ["--task", TASK, "--motion_file", manifest, "--device", "cpu", "--num_envs", str(NUM_ENVS), "--seed", "1"]
    return parse_args(parser, [*flags, "physics=mujoco_cpu", *presets])


def state_of(env, env_id: int) -> tuple[RobotState, np.ndarray, np.ndarray]:
    """The robot's state and its anchor's pose, relative to the env's origin."""
    motion = env.unwrapped.command_manager.get_term("motion")
    data, origin = motion.robot.data, env.unwrapped.scene.env_origins[env_id]
    anchor, numpy = motion.robot_bodies, lambda values: values.detach().cpu().double().numpy()
    state = RobotState(
        root_pos_w=numpy(data.root_link_pos_w.torch[env_id] - origin),
        root_quat_w=numpy(data.root_link_quat_w.torch[env_id]),
        root_lin_vel_w=numpy(data.body_link_vel_w.torch[env_id, 0, :3]),
        root_ang_vel_w=numpy(data.root_link_ang_vel_w.torch[env_id]),
        joint_pos=numpy(data.joint_pos.torch[env_id]),
        joint_vel=numpy(data.joint_vel.torch[env_id]),
    )
    pose = anchor.pos_w[env_id, motion.anchor_idx] - origin, anchor.quat_w[env_id, motion.anchor_idx]
    return state, *map(numpy, pose)


def main(preset: str, manifest: str, out: Path) -> None:
    args = arguments(preset, manifest)
    env_cfg, agent_cfg = resolve_configs(args, play=True)
    env_cfg.commands.motion.start_sampling = "uniform"
    env_cfg.commands.motion.clip_end = "hold"
    env_cfg.episode_length_s = 100.0
    with tracking_env(args, env_cfg, agent_cfg) as env:
        torch.manual_seed(1)
        Path(manifest).unlink()
        runner = make_runner(TASK, env, agent_cfg, None)
        policy = load_policy(export_run(runner, out / "model_0.pt", task=TASK))
        references, builder = references_of(policy), ObservationBuilder(policy.spec)
        motion = env.unwrapped.command_manager.get_term("motion")
        worst, seen, held, observations = np.zeros(policy.spec.num_observations), set(), 0, []
        for _ in range(NUM_STEPS):
            obs, actions = env.get_observations(), env.unwrapped.action_manager.action
            observations.append(obs["policy"].clone())
            for env_id in range(NUM_ENVS):
                clip, frame = int(motion.clip_ids[env_id]), int(motion.frames[env_id] + motion.clock.is_held[env_id])
                last_action = actions[env_id].cpu().double().numpy()
                now = situation(policy.spec, references[clip], frame, *state_of(env, env_id), last_action)
                worst = np.maximum(worst, np.abs(builder.build(now) - obs["policy"][env_id].cpu().numpy()))
                seen.add(clip)
                held += frame + 40 >= references[clip].clip.num_frames
            with torch.inference_mode():
                env.step(0.2 * torch.randn(NUM_ENVS, env.num_actions))
        parity = check_parity(policy, runner.alg.get_policy(), torch.cat(observations))
    spec = policy.spec
    result = {
        "terms": {term.name: float(worst[spec.observation_slice(term.name)].max()) for term in spec.observations},
        "clips": [reference.clip.name for reference in references],
        "seen": sorted(seen),
        "num_held": int(held),
        "parity": parity,
    }
    (out / "result.json").write_text(json.dumps(result))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
