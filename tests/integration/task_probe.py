"""Build a task on one engine and write its observations, scores and endings as JSON.

An engine needs a process of its own, so the test runs this file as a program: ``task_probe.py TASK ENGINE OUT.json``.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from pathlib import Path

import gymnasium as gym
import torch
from isaaclab.app import add_launcher_args, launch_simulation
from isaaclab.utils.math import quat_apply, quat_apply_inverse
from isaaclab_tasks.utils import resolve_task_config

import whole_body_tracking.tasks
from whole_body_tracking.tasks.tracking.mdp.observations import base_lin_vel

NUM_ENVS = 8
TRACKING_TERMS = (
    "motion_global_anchor_pos",
    "motion_global_anchor_ori",
    "motion_body_pos",
    "motion_body_ori",
    "motion_body_lin_vel",
    "motion_body_ang_vel",
)


class Probe:
    """One environment without start noise, whose states are set by hand."""

    def __init__(self, env):
        self.env = env
        self.motion = env.command_manager.get_term("motion")
        self.env_ids = torch.arange(NUM_ENVS)

    def place(self, frame: int, shift=(0.0, 0.0, 0.0)) -> None:
        """Put every env exactly on a frame, moved by ``shift`` [m], and score it against that frame."""
        motion, clips = self.motion, torch.zeros(NUM_ENVS, dtype=torch.long)
        motion.set_start(self.env_ids, clips, torch.full_like(clips, frame))
        motion.frames[:] = frame
        pose = motion.robot.data.root_link_pose_w.torch.clone()
        pose[:, :3] += torch.tensor(shift)
        motion.robot.write_root_link_pose_to_sim_index(root_pose=pose)
        motion.cache.invalidate()

    def base_velocity(self) -> dict[str, float]:
        """Observed velocity of the base after a step, against its mass centre's and the arm between them [m/s]."""
        data = self.motion.robot.data
        turning = torch.tensor([0.0, 0.0, 0.0, 2.0, 0.0, 0.0]).expand(NUM_ENVS, 6)
        self.motion.robot.write_root_link_velocity_to_sim_index(root_velocity=turning.contiguous())
        self.env.step(torch.zeros(NUM_ENVS, 29))
        quat, com = data.root_link_quat_w.torch, data.root_com_vel_w.torch
        arm = quat_apply(quat, data.body_com_pos_b.torch[:, 0])
        expected = quat_apply_inverse(quat, com[:, :3] - torch.linalg.cross(com[:, 3:], arm))
        error = base_lin_vel(self.env) - expected
        return {"error": error.abs().max().item(), "arm": torch.linalg.cross(com[:, 3:], arm).norm(dim=-1).min().item()}

    def rewards(self) -> dict[str, float]:
        terms = {name: self.env.reward_manager.get_term_cfg(name) for name in TRACKING_TERMS}
        return {name: float(term.func(self.env, **term.params).min()) for name, term in terms.items()}

    def terminations(self) -> dict[str, bool]:
        names = [name for name in self.env.termination_manager.active_terms if name not in ("time_out", "clip_ended")]
        terms = {name: self.env.termination_manager.get_term_cfg(name) for name in names}
        return {name: bool(term.func(self.env, **term.params).any()) for name, term in terms.items()}


def first_step(env) -> dict:
    """One step of the reference's own joint angles, right after a reset into the reference's state."""
    observations, _ = env.reset()
    action = env.action_manager.get_term("joint_pos")
    reference = env.command_manager.get_term("motion").reference.joint_pos
    actions = (reference - action.nominal_offset) / action.scale
    targets_before = env.action_manager.get_term("joint_pos").nominal_offset + action.scale * actions
    after, _, terminated, truncated, _ = env.step(actions)
    limits = env.scene["robot"].data.joint_pos_limits.torch
    return {
        "terminated": int(terminated.sum()),
        "truncated": int(truncated.sum()),
        "frames": env.command_manager.get_term("motion").frames.tolist(),
        "observation_widths": {name: value.shape[1] for name, value in observations.items()},
        "finite": all(bool(torch.isfinite(value).all()) for value in (*observations.values(), *after.values())),
        "action_finite": bool(torch.isfinite(actions).all()),
        "targets_within_limits": bool(
            ((targets_before >= limits[..., 0] - 1e-6) & (targets_before <= limits[..., 1] + 1e-6)).all()
        ),
    }


def step_files(env) -> list[str]:
    """Files of the package in which a function runs during one step, relative to it."""
    package, files = Path(whole_body_tracking.__file__).parent, set()

    def notice(frame, event: str, _) -> None:
        path = Path(frame.f_code.co_filename)
        if event == "call" and path.is_relative_to(package):
            files.add(str(path.relative_to(package)))

    sys.setprofile(notice)
    env.step(torch.zeros(NUM_ENVS, 29))
    sys.setprofile(None)
    return sorted(files)


def diverge(env, env_id: int = 3) -> dict:
    """Two steps after the joint velocities of one env became NaN: who ended, and is everything finite again."""
    env.reset()
    robot, actions = env.scene["robot"], torch.zeros(NUM_ENVS, 29)
    velocity = torch.full((1, 29), float("nan"))
    robot.write_joint_velocity_to_sim_index(velocity=velocity, env_ids=torch.tensor([env_id], dtype=torch.int32))
    first, rewards, terminated, _, extras = env.step(actions)
    logged = [float(value) for value in extras["log"].values()]
    ended = terminated.nonzero().flatten().tolist()  # a live buffer: the next step overwrites it
    second, later_rewards, _, _, _ = env.step(actions)
    values = (*first.values(), *second.values(), rewards, later_rewards)
    return {
        "ended": ended,
        "finite": all(bool(torch.isfinite(value).all()) for value in values),
        "log_finite": bool(logged) and all(map(math.isfinite, logged)),
    }


def anchor_observation(env) -> list[float]:
    """Anchor position observation right after a reset onto frame 0: the way from frame 0 to frame 1."""
    return env.observation_manager.compute()["critic"][0, 58:61].tolist()


def main(task: str, engine: str, out: Path) -> None:
    parser = argparse.ArgumentParser()
    add_launcher_args(parser)
    args = parser.parse_args(["--device", "cpu"])
    sys.argv = [sys.argv[0], f"physics={engine}"]
    cfg, _ = resolve_task_config(task, "rsl_rl_cfg_entry_point", play_mode=True)
    cfg.scene.num_envs, cfg.seed = NUM_ENVS, 1
    with launch_simulation(cfg, args):
        env = gym.make(task, cfg=cfg).unwrapped
        result = {"first_step": first_step(env), "step_files": step_files(env)}
        env.reset()
        result["anchor_observation"] = anchor_observation(env)
        probe = Probe(env)
        probe.place(40)
        result["on_reference"] = {"rewards": probe.rewards(), "terminations": probe.terminations()}
        for name, shift in {"below": 0.24, "above": 0.26}.items():
            probe.place(40, (0.0, 0.0, shift))
            result[f"raised_{name}"] = probe.terminations()
        probe.place(40, (0.3, 0.0, 0.0))
        result["moved_0.3_m"] = probe.rewards()
        result["base_velocity"] = probe.base_velocity()
        if engine != "ovphysx":  # PhysX refuses to be given NaN
            result["diverged"] = diverge(env)
        env.close()
    out.write_text(json.dumps(result))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
