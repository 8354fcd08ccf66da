"""Build the gait task on one engine, write what its command does as JSON, and export an untrained policy.

An engine needs a process of its own, so the test runs this file as a program: ``gait_task_probe.py REFNN OUT.json``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import gymnasium as gym
import torch
from isaaclab.app import launch_simulation
from isaaclab_rl.rsl_rl import RslRlVecEnvWrapper, check_rsl_rl_version, handle_deprecated_rsl_rl_cfg
from isaaclab_tasks.utils import resolve_task_config

import whole_body_tracking.tasks  # noqa: F401
from whole_body_tracking.export import export_run
from whole_body_tracking.rl.training import make_runner

NUM_ENVS = 4
TASK = "Gait-Flat-G1-Demo-v0"
KERNELS = ("motion_global_anchor_pos", "motion_global_anchor_ori", "motion_body_pos", "motion_body_ori")
KERNELS += ("motion_body_lin_vel", "motion_body_ang_vel")


def main(refnn: str, out: str) -> None:
    sys.argv = [sys.argv[0], "physics=mujoco_cpu"]
    cfg, agent_cfg = resolve_task_config(TASK, "rsl_rl_cfg_entry_point", play_mode=True)
    agent_cfg = handle_deprecated_rsl_rl_cfg(agent_cfg, check_rsl_rl_version())
    agent_cfg.device = "cpu"
    cfg.scene.num_envs, cfg.sim.device, cfg.commands.motion.model_file = NUM_ENVS, "cpu", refnn
    cfg.commands.motion.change_interval = (0.1, 0.1)
    cfg.validate_config()
    with launch_simulation(cfg, {"device": "cpu", "headless": True}):
        env = gym.make(TASK, cfg=cfg).unwrapped
        Path(out).write_text(json.dumps(measured(env)))
        runner = make_runner(TASK, RslRlVecEnvWrapper(env), agent_cfg, None)
        for _ in range(3):  # so that the comparison with torch sees last actions
            env.step(0.1 * torch.randn(NUM_ENVS, 29))
        export_run(runner, Path(out).with_name("model_0.pt"), TASK, folder=Path(out).with_name("exported"))
        env.close()


def measured(env) -> dict:
    gait = env.command_manager.get_term("motion")
    observations, _ = env.reset()
    result = {"widths": {name: value.shape[1] for name, value in observations.items()}}
    # Every env starts in the frame before the one that it aims at.
    window = gait.walk.window(gait.state)
    result["start_joints"] = float((gait.robot.data.joint_pos.torch - torch_order(gait, window[:, 0, 8:])).abs().max())
    result["start_phase"] = window[:, 0, 0].tolist()
    in_torch = gait.walk.motion_state(gait.state, gait.robot.joint_names, gait.body_names)
    result["kernel_against_torch"] = {
        name: float((getattr(in_torch, name) - getattr(gait.reference, name)).abs().max()) for name in vars(in_torch)
    }
    place(env, gait)
    terms = {name: env.reward_manager.get_term_cfg(name) for name in KERNELS}
    result["rewards"] = {name: float(term.func(env, **term.params).min()) for name, term in terms.items()}
    env.reset()
    wanted = [gait.wanted.clone()]
    heights, finite = [], True
    for _ in range(8):
        observations, reward, *_ = env.step(torch.zeros(NUM_ENVS, 29))
        heights.append(gait.reference_bodies.pos_w[:, 0, 2].mean().item())
        finite &= bool(torch.isfinite(observations["policy"]).all() and torch.isfinite(reward).all())
        wanted.append(gait.wanted.clone())
    result["finite"], result["heights"] = finite, heights
    result["changes"] = int(sum(bool((a != b).any(-1).all()) for a, b in zip(wanted, wanted[1:], strict=False)))
    fixed = gait.walk.model.examples[:NUM_ENVS].clone()
    gait.set_wanted(fixed)
    env.reset()
    for _ in range(8):
        env.step(torch.zeros(NUM_ENVS, 29))
    result["kept"] = bool((gait.wanted == fixed).all())
    result["params_observed"] = float(
        (gait.walk.scaled_params(gait.state) - env.obs_buf["policy"][:, -13:-2]).abs().max()
    )
    return result


def torch_order(gait, joints: torch.Tensor) -> torch.Tensor:
    return joints[:, [gait.walk.robot.joint_names.index(name) for name in gait.robot.joint_names]]


def place(env, gait) -> None:
    """Put every robot exactly on the reference that it aims at."""
    state, origins, ids = gait.reference, env.scene.env_origins, torch.arange(NUM_ENVS).int()
    pose = torch.cat((state.body_pos_w[:, gait.root_idx] + origins, state.body_quat_w[:, gait.root_idx]), dim=-1)
    twist = torch.cat((state.body_lin_vel_w[:, gait.root_idx], state.body_ang_vel_w[:, gait.root_idx]), dim=-1)
    gait.robot.write_root_link_pose_to_sim_index(root_pose=pose, env_ids=ids)
    gait.robot.write_root_link_velocity_to_sim_index(root_velocity=twist, env_ids=ids)
    gait.robot.write_joint_state_to_sim_index(
        position=state.joint_pos.contiguous(), velocity=state.joint_vel.contiguous(), env_ids=ids
    )
    gait.cache.invalidate()


if __name__ == "__main__":
    main(*sys.argv[1:])
