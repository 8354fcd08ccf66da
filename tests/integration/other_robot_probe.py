"""Track a clip with a made-up robot: ``other_robot_probe.py FOLDER`` writes ``out.json`` there."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from pathlib import Path

import gymnasium as gym
import numpy as np
import torch
from isaaclab.app import add_launcher_args, launch_simulation
from isaaclab.utils import configclass
from isaaclab_tasks.utils import resolve_task_config

sys.path.insert(0, str(Path(__file__).parents[1]))

from five_joint_robot import FIVE, nodding  # noqa: E402

from whole_body_tracking.motion import convert, read_csv  # noqa: E402
from whole_body_tracking.robots import RobotModel, get_robot, register_robot  # noqa: E402
from whole_body_tracking.tasks.tracking.robot_settings import set_robot  # noqa: E402
from whole_body_tracking.tasks.tracking.tracking_env_cfg import TrackingEnvCfg  # noqa: E402

TASK = "Tracking-Flat-Five-v0"
FOLDER = Path(sys.argv[1])
CLIP = FOLDER / "nodding.npz"
NUM_ENVS, NUM_STEPS = 4, 20


@configclass
class FiveTrackingEnvCfg(TrackingEnvCfg):
    """The tracking task of the made-up robot."""

    robot_name: str = "five"

    def __post_init__(self):
        super().__post_init__()
        set_robot(self, get_robot("five"))
        self.commands.motion.motion_files = [str(CLIP)]
        self.commands.motion.channels = ["joint_target"]
        self.scene.num_envs, self.seed = NUM_ENVS, 1


def write_clip() -> None:
    """From a facts file and a CSV to a clip with joint targets: 100 times the frame, plus the joint's number."""
    (FOLDER / "five.json").write_text(json.dumps(FIVE.facts))
    register_robot(RobotModel.from_file(FOLDER / "five.json"))
    raw = nodding()
    np.savetxt(FOLDER / "nodding.csv", np.concatenate((raw.root_pos, raw.root_quat, raw.joint_pos), 1), delimiter=",")
    clip = convert(read_csv(FOLDER / "nodding.csv", fps=30, robot="five"), output_fps=50, robot="five")
    targets = 100.0 * np.arange(clip.num_frames)[:, None] + np.arange(5)
    dataclasses.replace(clip, channels={"joint_target": targets}).save(CLIP)


def play(env) -> dict:
    """Start everyone at frame 0 and hold the default pose."""
    observations, _ = env.reset()
    motion, robot = env.command_manager.get_term("motion"), env.scene["robot"]
    motion.set_start(torch.arange(NUM_ENVS), torch.zeros(NUM_ENVS, dtype=torch.long), torch.zeros(NUM_ENVS).long())
    first_target = motion.channel("joint_target").tolist()
    finite, rewards = True, []
    for _ in range(NUM_STEPS):
        observations, reward, *_ = env.step(torch.zeros(NUM_ENVS, 5))
        finite &= all(bool(torch.isfinite(value).all()) for value in (*observations.values(), reward))
        rewards.append(float(reward.mean()))
    return {
        "widths": {name: value.shape[1] for name, value in observations.items()},
        "joint_names": list(robot.joint_names),
        "body_names": list(robot.body_names),
        "mass": float(robot.data.body_mass.torch[0].sum()),
        "first_target": first_target[0],
        "frames": motion.frames.tolist(),
        "finite": finite,
        "reward": max(rewards),
        "height": robot.data.root_link_pose_w.torch[:, 2].tolist(),
    }


def main() -> None:
    write_clip()
    gym.register(
        id=TASK,
        entry_point="isaaclab.envs:ManagerBasedRLEnv",
        disable_env_checker=True,
        kwargs={"env_cfg_entry_point": FiveTrackingEnvCfg},
    )
    parser = argparse.ArgumentParser()
    add_launcher_args(parser)
    args = parser.parse_args(["--device", "cpu"])
    sys.argv = [sys.argv[0], "physics=mujoco_cpu"]
    cfg, _ = resolve_task_config(TASK, None, play_mode=True)
    with launch_simulation(cfg, args):
        env = gym.make(TASK, cfg=cfg).unwrapped
        (FOLDER / "out.json").write_text(json.dumps(play(env)))
        env.close()


if __name__ == "__main__":
    main()
