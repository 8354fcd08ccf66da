"""Drive ``Velocity-Flat-G1-Schedule-v0`` through its phases, then train and continue it.

``schedule_probe.py FOLDER`` writes ``phases.json``, one entry a phase, and leaves a run in FOLDER/logs.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch

import whole_body_tracking.tasks  # noqa: F401
from whole_body_tracking.rl import training

TASK = "Velocity-Flat-G1-Schedule-v0"
NUM_ENVS = 32
COMMON = ["--task", TASK, "--device", "cpu", "physics=mujoco_cpu"]
REFERENCE = slice(99, 99 + 58 + 3 + 6)
"""Columns of the policy's observations that show the reference."""


def value(env, name: str) -> torch.Tensor:
    """What a reward's function returns now, without its weight."""
    cfg = env.reward_manager.get_term_cfg(name)
    return cfg.func(env, **cfg.params)


def look(env, motion) -> dict:
    """One phase as guided and free envs see it, after a reset and a step."""
    env.reset()
    env.step(torch.zeros(NUM_ENVS, 29))
    guided, shown = motion.guided.clone(), env.obs_buf["policy"][:, REFERENCE].abs().sum(-1) > 0.0
    command = env.command_manager.get_term("base_velocity")
    clip = motion.library.state_at(motion.clip_ids, motion.frames)
    return {
        "phase": motion.schedule.phase,
        "guided": guided.float().mean().item(),
        "shown": torch.equal(shown, guided),
        "tracking": value(env, "motion_body_pos").tolist(),
        "guidance": motion.guidance.tolist(),
        "standing": int(((env.scene["robot"].data.joint_pos.torch - clip.joint_pos).norm(dim=-1) > 0.3).sum()),
        "speed": command.command[guided, 0].tolist(),
        "critic_guidance": torch.equal(env.obs_buf["critic"][:, -1], motion.guidance),
        "hidden": list(motion.hidden_terms),
        "log": {key: float(entry) for key, entry in env.extras["log"].items() if key.startswith("Curriculum")},
    }


def drive(env) -> list[dict]:
    """Open every phase with made-up successes."""
    motion, none, phases = env.command_manager.get_term("motion"), torch.zeros(0, dtype=torch.long), []
    while True:
        phases.append(look(env, motion))
        if motion.schedule.is_last:
            return phases
        for failed in (True, False):  # failures open nothing, successes do
            before = motion.schedule.phase
            for _ in range(3):
                outcome = torch.full((4,), failed)
                motion.schedule.record(torch.ones_like(outcome), outcome, env.common_step_counter)
            env.curriculum_manager.compute(none)
            phases[-1]["opened_by_failures" if failed else "opened"] = motion.schedule.phase > before
            env.common_step_counter += 1
        phases[-1]["guided_in_progress"] = int(motion.guided.sum())


def main(folder: Path) -> None:
    sys.argv = sys.argv[:1]
    run_training = training.run_training

    def drive_and_train(args, env, *rest):
        (folder / "phases.json").write_text(json.dumps(drive(env.unwrapped)))
        return run_training(args, env, *rest)

    training.run_training = drive_and_train  # one start of the simulator for both
    small = ["agent.actor.hidden_dims=[8]", "agent.critic.hidden_dims=[8]", "agent.num_steps_per_env=4"]
    phases = [f"env.commands.motion.phase_{key}" for key in ("min_episodes=4", "settle_steps=0", "check_every=1")]
    training.train([*COMMON, *small, *phases, "--num_envs", str(NUM_ENVS), "--max_iterations", "2"])
    sys.argv, training.run_training = sys.argv[:1], run_training
    training.train([*COMMON, *small, *phases, "--num_envs", "4", "--max_iterations", "4", "--checkpoint", "latest"])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
