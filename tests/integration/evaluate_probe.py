"""Roll simple policies out on one engine and write the evaluation's result as JSON.

An engine needs a process of its own, so the test runs this file: ``evaluate_probe.py ENGINE OUT.json CLIP CLIP``.
The two clips differ in length; rollouts 0 and 2 play the first one, rollout 1 the second one.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import gymnasium as gym
import torch
from isaaclab.app import add_launcher_args, launch_simulation
from isaaclab_rl.rsl_rl import RslRlVecEnvWrapper
from isaaclab_tasks.utils import resolve_task_config

import whole_body_tracking.tasks  # noqa: F401
from whole_body_tracking.evaluation.batches import run_rollouts
from whole_body_tracking.evaluation.early_stop import EarlyStop
from whole_body_tracking.evaluation.evaluate import judge_of
from whole_body_tracking.evaluation.rollout import configure_evaluation
from whole_body_tracking.robots import get_robot

TASK = "Tracking-Flat-G1-v0"
CLIP_IDS = torch.tensor([0, 1, 0])
FAIL_STEP = 20
"""Step at whose end the failing policy is lifted."""


class WrittenState:
    """An environment whose robots are put onto the frame that each step is scored against, lifted from some step on."""

    def __init__(self, env, lift_from: int | None = None):
        self._env, self._lift_from, self._step = env, lift_from, 0

    def __getattr__(self, name):
        return getattr(self._env, name)

    def reset(self):
        self._step = 0
        return self._env.reset()

    def step(self, actions):
        motion = self._env.unwrapped.command_manager.get_term("motion")
        state = motion.library.state_at(motion.clip_ids, motion.frames)
        result = self._env.step(actions)
        lift = 0.3 if self._lift_from is not None and self._step >= self._lift_from else 0.0
        self._write(motion, state, lift)
        self._step += 1
        return result

    def _write(self, motion, state, lift: float) -> None:
        root, robot = motion.library.body_names.index(motion.robot.body_names[0]), motion.robot
        pos = state.body_pos_w[:, root] + self._env.unwrapped.scene.env_origins + torch.tensor([0.0, 0.0, lift])
        pose = torch.cat((pos, state.body_quat_w[:, root]), -1)
        velocity = torch.cat((state.body_lin_vel_w[:, root], state.body_ang_vel_w[:, root]), -1)
        robot.write_root_link_pose_to_sim_index(root_pose=pose)
        robot.write_root_link_velocity_to_sim_index(root_velocity=velocity)
        robot.write_joint_position_to_sim_index(position=state.joint_pos.contiguous())
        robot.write_joint_velocity_to_sim_index(velocity=state.joint_vel.contiguous())
        motion.cache.invalidate()


class SteppedEnvs:
    """An environment that counts the envs which its steps simulate: those whose state is finite afterwards."""

    def __init__(self, env):
        self._env, self.count = env, 0

    def __getattr__(self, name):
        return getattr(self._env, name)

    def step(self, actions):
        result = self._env.step(actions)
        state = self._env.unwrapped.scene["robot"].data.joint_vel.torch
        self.count += int(torch.isfinite(state).all(-1).sum())
        return result


def main(engine: str, out: Path, motion_files: list[str]) -> None:
    parser = argparse.ArgumentParser()
    add_launcher_args(parser)
    args = parser.parse_args(["--device", "cpu"])
    sys.argv = [sys.argv[0], f"physics={engine}"]
    cfg, _ = resolve_task_config(TASK, "rsl_rl_cfg_entry_point", play_mode=True)
    cfg.scene.num_envs, cfg.seed = 3, 1
    cfg.commands.motion.motion_files = motion_files
    terminations, robot = configure_evaluation(cfg), get_robot(cfg.robot_name)
    judge, early_stop = judge_of(cfg.rewards, terminations, robot), EarlyStop(terminations, robot.body_names[0])
    with launch_simulation(cfg, args):
        env = RslRlVecEnvWrapper(gym.make(TASK, cfg=cfg))

        def play(environment, clip_ids=CLIP_IDS, watch=None, start: int = 0) -> dict:
            frames, idle = torch.full_like(clip_ids, start), lambda obs: torch.zeros(len(obs), 29)
            rollouts = run_rollouts(environment, idle, clip_ids, frames, 1, judge, early_stop=watch)
            values = {name: value.tolist() for name, value in rollouts.measured.values.items()}
            return values | {"steps": [len(recording.joint_pos) for recording in rollouts.recordings]}

        started = env.unwrapped.common_step_counter
        counted = SteppedEnvs(env)
        result = {"idle": play(counted), "steps_taken": env.unwrapped.common_step_counter - started}
        result["envs_stepped"] = counted.count
        result["idle_again"] = play(env)
        result["idle_in_two_batches"] = play(env, torch.cat((CLIP_IDS, CLIP_IDS)))
        result["idle_alone"] = play(env, CLIP_IDS[:1])
        result["replay"] = play(WrittenState(env))
        result["replay_from_frame_20"] = play(WrittenState(env), start=20)
        result["stopped_early"] = play(env, watch=early_stop)
        result["stopped_early_in_two_batches"] = play(env, torch.cat((CLIP_IDS, CLIP_IDS)), watch=early_stop)
        result["lifted"] = play(WrittenState(env, lift_from=FAIL_STEP))
        env.close()
    out.write_text(json.dumps(result))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3:])
