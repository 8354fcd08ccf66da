"""Train, evaluate and look into ``Velocity-Flat-G1-Modes-v0`` in one process: ``modes_probe.py FOLDER``.

Writes ``numbers.json``, the numbers of the environment that is built; ``modes.json``, what each mode asks for and what
a change of mode does; and leaves a run of two iterations in FOLDER/logs.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch
from velocity_probe import flat, numbers, value

import whole_body_tracking.tasks  # noqa: F401
from whole_body_tracking.evaluation.evaluate import evaluate
from whole_body_tracking.locomotion.metrics import heading
from whole_body_tracking.motion.defaults import DEFAULT_MOTION_FILE
from whole_body_tracking.rl import training

TASK = "Velocity-Flat-G1-Modes-v0"
MODES = ["stand", "walk", "turn", f"bend={DEFAULT_MOTION_FILE}"]
"""The package's squat by another name."""
COMMON = ["--task", TASK, "--device", "cpu", "physics=mujoco_cpu", "--modes", *MODES]
BEND = 3
OF_MODES = slice(99, 99 + 4 + 8)
"""Columns of the policy's observations that show mode and phase."""


def numbers_of_modes(env) -> dict[str, dict]:
    """Every number of the task, those of its command for the modes included."""
    cfg = env.command_manager.get_term("motion").cfg
    names = ("mode_time", "clip_pause", "standing_starts", "joint_position_range", "pose_range", "velocity_range")
    return numbers(env) | {"command motion": flat({name: getattr(cfg, name) for name in names})}


def asked_for(env, motion) -> dict:
    """What each mode asks for in a step after a reset; env i is in mode i and starts standing, with any heading."""
    command = env.command_manager.get_term("base_velocity")
    motion.fixed_modes, motion.cfg.standing_starts = torch.arange(4), 1.0
    for _ in range(2):  # the second episode begins with another heading than the first
        env.reset()
    env.step(torch.zeros(4, 29))
    shown = env.obs_buf["policy"]
    motion._update_metrics()
    terms = ("velocity", "heading", "upright", "hip_deviation", "alive", "motion_body_pos")
    terms += ("motion_global_anchor_pos", "motion_global_anchor_ori")
    return {
        "one_hot": shown[:, OF_MODES][:, :4].tolist(),
        "phase": shown[:, OF_MODES][:, 4:].tolist(),
        "command": command.command.tolist(),
        "frames": motion.frames.tolist(),
        "error": motion.metrics["error_joint_pos"].tolist(),
        "rewards": {name: value(env, name).tolist() for name in terms},
        "reference": env.obs_buf["critic"][:, 112:].abs().sum(-1).tolist(),
        "low": env.termination_manager.get_term_cfg("too_low").func(env, minimum_height=9.0).tolist(),
    }


def changed(env, motion) -> dict:
    """Env 0 walks off, turned, and is told the clip: where the reference is then; and the clip's end."""
    robot, command = env.scene["robot"], env.command_manager.get_term("base_velocity")
    env.reset()
    pose = robot.data.root_link_pose_w.torch[:1].clone()
    pose[0, :2] += torch.tensor([1.0, -2.0])
    pose[0, 3:] = torch.tensor([0.0, 0.0, 0.6, 0.8])  # heading 2 atan2(0.6, 0.8) = 1.287 rad
    robot.write_root_link_pose_to_sim_index(root_pose=pose, env_ids=torch.tensor([0]).int())
    before = command.command_counter.tolist()
    motion.fixed_modes = torch.tensor([BEND, 1, 2, BEND])
    motion._mode_time[0] = 0.0
    motion.clock.frames[3] = 250
    env.step(torch.zeros(4, 29))
    reference, first = motion.reference, motion.library.state_at(*torch.zeros(2, 4, dtype=torch.long))
    root, own = motion.root_idx, robot.data.root_link_pose_w.torch[:, :3] - env.scene.env_origins
    found = {
        "mode": motion.mode.tolist(),
        "redrawn": (command.command_counter - torch.tensor(before)).tolist(),
        "frame": int(motion.frames[0]),
        "off": (reference.body_pos_w[0, root, :2] - own[0, :2]).norm().item(),
        "turned": (heading(reference.body_quat_w)[0, root] - heading(first.body_quat_w)[0, root]).item(),
        "phase_at_end": motion.phase_features[3].tolist(),
        "speed_at_end": reference.body_lin_vel_w[3].norm().item(),
    }
    motion.fixed_modes = None
    motion._mode_time[:] = 0.02  # the next step ends all modes
    counts = torch.zeros(4)
    for _ in range(40):
        motion.compute(0.02)
        counts += torch.nn.functional.one_hot(motion.mode[motion.switched], 4).sum(0)
        motion._mode_time[:] = 0.02
    return found | {"drawn": counts.tolist()}


def main(folder: Path) -> None:
    sys.argv = sys.argv[:1]
    run_training = training.run_training

    def look_and_train(args, env, *rest):
        plain = env.unwrapped
        motion = plain.command_manager.get_term("motion")
        (folder / "numbers.json").write_text(json.dumps(numbers_of_modes(plain)))
        looked = asked_for(plain, motion) | changed(plain, motion)
        (folder / "modes.json").write_text(json.dumps(looked))
        motion.fixed_modes = torch.arange(4)  # so that the few steps of this training show every mode
        plain.reset()
        return run_training(args, env, *rest)

    training.run_training = look_and_train  # one start of the simulator for both
    small = ["agent.actor.hidden_dims=[8]", "agent.critic.hidden_dims=[8]", "agent.num_steps_per_env=4"]
    result = training.train([*COMMON, "--num_envs", "4", "--max_iterations", "2", *small])
    sys.argv = sys.argv[:1]
    evaluated = [*COMMON, "--checkpoint", str(result.run_folder / "model_1.pt"), "--num_envs", "5"]
    evaluate([*evaluated, "--seconds", "0.4", "--json", "numbers_of_modes.json"])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
