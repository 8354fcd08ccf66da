"""Train, evaluate and look into ``Velocity-Flat-G1-v0`` in one process: ``velocity_probe.py FOLDER``.

Writes ``numbers.json``, the numbers of the environment that is built; ``behaviour.json``, what its own terms return;
and leaves a run of two iterations in FOLDER/logs.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch

import whole_body_tracking.tasks  # noqa: F401
from whole_body_tracking.evaluation.evaluate import evaluate
from whole_body_tracking.rl import training

TASK = "Velocity-Flat-G1-v0"
COMMON = ["--task", TASK, "--device", "cpu", "physics=mujoco_cpu"]


def flat(params: dict, prefix: str = "") -> dict[str, list[float]]:
    """Numbers in parameters by dotted name, one or two each; names of bodies and joints left out."""
    found = {}
    for key, value in params.items():
        if isinstance(value, bool) or value is None:
            continue
        if isinstance(value, dict):
            found |= flat(value, f"{prefix}{key}.")
        elif isinstance(value, (int, float)):
            found[prefix + key] = [float(value)]
        elif isinstance(value, (tuple, list)) and value and all(isinstance(v, (int, float)) for v in value):
            found[prefix + key] = [float(v) for v in value]
    return found


def observations(env) -> dict[str, dict]:
    manager, found = env.observation_manager, {}
    for group, terms in manager.active_terms.items():
        for name, dim in zip(terms, manager.group_obs_term_dim[group], strict=True):
            noise = getattr(getattr(manager.cfg, group), name).noise
            found[f"{group} {name}"] = {"dim": [float(dim[0])]} | ({} if noise is None else {"noise": [noise.n_max]})
    return found


def numbers(env) -> dict[str, dict]:
    """Every number of the task as its managers have it, by kind and name."""
    command = env.command_manager.get_term("base_velocity").cfg
    ranges = {name: getattr(command.ranges, name) for name in ("lin_vel_x", "lin_vel_y", "ang_vel_z", "heading")}
    names = ("resampling_time_range", "rel_standing_envs", "rel_heading_envs", "heading_control_stiffness")
    found = {
        "step time": {"control": [env.step_dt], "physics": [env.physics_dt], "episode": [env.max_episode_length_s]},
        "command base_velocity": flat(ranges | {name: getattr(command, name) for name in names}),
    }
    for name in env.reward_manager.active_terms:
        cfg = env.reward_manager.get_term_cfg(name)
        found[f"reward {name}"] = {"weight": [cfg.weight]} | flat(cfg.params)
    for name in env.termination_manager.active_terms:
        found[f"termination {name}"] = flat(env.termination_manager.get_term_cfg(name).params)
    for terms in env.event_manager.active_terms.values():
        for name in terms:
            cfg = env.event_manager.get_term_cfg(name)
            interval = {} if cfg.interval_range_s is None else {"every": list(cfg.interval_range_s)}
            found[f"event {name}"] = interval | flat(cfg.params)
    return found | {f"observation {name}": value for name, value in observations(env).items()}


def behaviour(env) -> dict:
    """Rewards of a robot that stands, of one off its heading, and of one whose state is not finite."""
    robot, command = env.scene["robot"], env.command_manager.get_term("base_velocity")
    env.reset()
    command.is_standing_env[:] = False
    command.is_standing_env[2] = True
    command.vel_command_b[:] = torch.tensor([0.5, 0.0, 0.0])
    command.heading_target[:] = robot.data.heading_w.torch + 0.3
    heading = value(env, "heading").tolist()
    robot.write_joint_velocity_to_sim_index(velocity=torch.full((1, 29), torch.nan), env_ids=torch.tensor([1]).int())
    _, reward, terminated, *_ = env.step(torch.zeros(env.num_envs, 29))
    return {
        "heading": heading,
        "rewards_finite": bool(reward.isfinite().all()),
        "terminated": terminated.tolist(),
    }


def value(env, name: str) -> torch.Tensor:
    """What a reward's function returns now, without its weight."""
    cfg = env.reward_manager.get_term_cfg(name)
    return cfg.func(env, **cfg.params)


def main(folder: Path) -> None:
    sys.argv = sys.argv[:1]
    run_training = training.run_training

    def look_and_train(args, env, *rest):
        (folder / "numbers.json").write_text(json.dumps(numbers(env.unwrapped)))
        (folder / "behaviour.json").write_text(json.dumps(behaviour(env.unwrapped)))
        return run_training(args, env, *rest)

    training.run_training = look_and_train  # one start of the simulator for both
    small = ["agent.actor.hidden_dims=[8]", "agent.critic.hidden_dims=[8]", "agent.num_steps_per_env=4"]
    result = training.train([*COMMON, "--num_envs", "4", "--max_iterations", "2", *small])
    sys.argv = sys.argv[:1]
    evaluated = [*COMMON, "--checkpoint", str(result.run_folder / "model_1.pt"), "--num_envs", "3"]
    evaluate([*evaluated, "--seconds", "0.5", "--json", "numbers_of_walks.json"])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
