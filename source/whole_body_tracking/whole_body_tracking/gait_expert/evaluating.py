"""``scripts/gait/evaluate_expert.py``: held-out gaits walked in Isaac Lab or in plain MuJoCo."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from isaaclab_rl.entrypoints.common import add_common_play_args

from whole_body_tracking.cli import given_options
from whole_body_tracking.export.loader import load_policy
from whole_body_tracking.gait.feasibility import refusal_of
from whole_body_tracking.gait.network.known_parameters import KnownParameters
from whole_body_tracking.gait.network.refnn import load_refnn
from whole_body_tracking.gait.network.walked import realised_speed
from whole_body_tracking.gait.planning.parameters import PARAMETERS
from whole_body_tracking.rl.cli import parse_args
from whole_body_tracking.rl.policies import CheckpointPolicy
from whole_body_tracking.rl.run.checkpoints import resolve_checkpoint
from whole_body_tracking.rl.session import resolve_configs, tracking_env
from whole_body_tracking.robots import RobotModel, get_robot
from whole_body_tracking.sim2sim.gait_run import run_gait_walks
from whole_body_tracking.sim2sim.gait_walker import WalkingPolicy, gait_values
from whole_body_tracking.sim2sim.reference import robot_of
from whole_body_tracking.tasks.tracking.task_reference import gait_cfg_of, gait_of

from .held_out import CADENCES, SPEEDS, held_out_gaits, summary, walk_row

STEERED = ("speed", "cadence", "turn_rate")


def evaluate_expert(argv: list[str]) -> dict:
    """Walk held-out gaits as a command line says.

    Returns:
        ``summary``, ``gaits``, ``engine`` and ``seconds``.

    Raises:
        FileNotFoundError: If a network, policy or checkpoint does not exist.
        ValueError: If an argument, config or checkpoint is wrong.
    """
    parser = argparse.ArgumentParser(description="Walk held-out gaits with a trained policy of the gait task.")
    add_common_play_args(parser, agent_default="rsl_rl_cfg_entry_point", agent_help="Agent config entry point.")
    parser.add_argument("--num_gaits", type=int, default=64, help="Gaits, one env each (%(default)s).")
    parser.add_argument("--seconds", type=float, default=10.0, help="Length of a walk (%(default)s).")
    parser.add_argument("--speed", type=float, nargs=2, default=SPEEDS, metavar=("LOW", "HIGH"), help="[m/s]")
    parser.add_argument("--cadence", type=float, nargs=2, default=CADENCES, metavar=("LOW", "HIGH"), help="[steps/min]")
    parser.add_argument("--policy", type=Path, metavar="FILE", help="Exported policy, in plain MuJoCo instead.")
    parser.add_argument("--json", type=Path, metavar="FILE", help="Write the numbers.")
    plain = bool(given_options(["policy"], argv))
    args = parse_args(parser, ["--task", "Gait-Flat-G1-v0", *argv] if plain else argv)
    if not args.seconds >= 2.0:
        raise ValueError(f"--seconds is {args.seconds:g}, expected at least 2.")
    held_out_gaits(args.num_gaits, 0, args.speed, args.cadence)  # checks them before anything starts
    if plain:
        return _in_plain_mujoco(args)
    args.num_envs = args.num_gaits
    env_cfg, agent_cfg = resolve_configs(args, play=True)
    if gait_cfg_of(env_cfg) is None:
        raise ValueError(f"{args.task} follows no RefNN. Evaluate it with scripts/rsl_rl/evaluate.py.")
    robot = get_robot(env_cfg.robot_name)
    known = KnownParameters(load_refnn(Path(gait_cfg_of(env_cfg).model_file), robot), STEERED)
    gaits = _possible_gaits(args, lambda gait: _filled(known, gait), robot)
    checkpoint = resolve_checkpoint(args, agent_cfg)
    if checkpoint is None:
        raise ValueError("--checkpoint is missing: a checkpoint or a run's folder.")
    source = CheckpointPolicy(checkpoint)
    source.configure(env_cfg, agent_cfg)
    env_cfg.episode_length_s = args.seconds + 1.0
    env_cfg.log_dir = str(checkpoint.parent)
    with tracking_env(args, env_cfg, agent_cfg) as env:
        rows = walk_gaits(env, source.load(env, agent_cfg), gaits, args.seconds)
    engine = type(getattr(env_cfg.sim.physics, "solver_cfg", env_cfg.sim.physics)).__name__
    return {"summary": summary(rows), "gaits": rows, "engine": engine, "seconds": args.seconds}


def _possible_gaits(
    args: argparse.Namespace, filled: Callable[[dict[str, float]], dict[str, float]], robot: RobotModel
) -> list[dict[str, float]]:
    """Held-out gaits whose plans, with the parameters that nobody gives filled in, the ground can carry."""

    def refuses(gait: dict[str, float]) -> bool:
        reason = refusal_of(filled(gait), robot)
        if reason is not None:
            print(f"[INFO] Left out, {reason}: {gait['speed']:.2f} m/s at {gait['cadence']:.0f} steps/min.", flush=True)
        return reason is not None

    return held_out_gaits(args.num_gaits, 0, args.speed, args.cadence, refuses)


def _filled(known: KnownParameters, gait: dict[str, float]) -> dict[str, float]:
    params = known(torch.tensor([[gait[name] for name in STEERED]]))[0].tolist()
    return dict(zip(PARAMETERS, params, strict=True))


@torch.inference_mode()
def walk_gaits(env, policy, gaits: list[dict[str, float]], seconds: float) -> list[dict[str, float]]:
    """Walk one gait per env, each until it ends as a failure or ``seconds`` have passed.

    Args:
        env: Wrapped gait environment in play mode with an env per gait.
        policy: From observations to actions.
        gaits: Speed, cadence and turn rate of each env.
        seconds: Length of a walk.
    """
    task = env.unwrapped
    gait, root = gait_of(task), task.scene["robot"].data
    given = torch.tensor([[item[name] for name in STEERED] for item in gaits])
    gait.set_wanted(KnownParameters(gait.walk.model, STEERED)(given).to(task.device))
    task.reset()
    obs = env.get_observations()
    endings = task.termination_manager
    failures = [name for name in endings.active_terms if not endings.get_term_cfg(name).time_out]
    walking, survived = (make(len(gaits), device=task.device) for make in (torch.ones, torch.zeros))
    ended_by = torch.full((len(gaits),), -1, device=task.device)
    places, headings = [], []
    num_steps = round(seconds / task.step_dt)
    for step in range(num_steps):
        obs, *_ = env.step(policy(obs))
        for number, name in enumerate(failures):
            ended_by = torch.where((walking > 0) & (ended_by < 0) & endings.get_term(name), number, ended_by)
        walking = walking * ~endings.terminated
        survived += walking
        if (step + 1) % 50 == 0:
            print(f"{step + 1} of {num_steps} steps", flush=True)
        places.append(root.root_link_pos_w.torch.clone())
        headings.append(gait.reference.body_quat_w[:, gait.root_idx].clone())
    speeds = realised_speed(torch.stack(places), torch.stack(headings), task.step_dt)
    times = (survived * task.step_dt).tolist()
    rows = [walk_row(*row) for row in zip(gaits, times, [seconds] * len(gaits), speeds.tolist(), strict=True)]
    names = [failures[number] if number >= 0 else None for number in ended_by.tolist()]
    return [row | {"ended_by": name} for row, name in zip(rows, names, strict=True)]


def _in_plain_mujoco(args: argparse.Namespace) -> dict:
    policy = load_policy(args.policy, follows_gait=True)
    robot, walk = robot_of(policy.spec), WalkingPolicy(policy)
    ranges = dict(
        zip(policy.spec.gait_inputs, zip(policy.spec.gait_low, policy.spec.gait_high, strict=True), strict=True)
    )

    def within(gait: dict[str, float]) -> dict[str, float]:
        return {name: float(np.clip(gait[name], *ends)) for name, ends in ranges.items() if name in gait}

    def filled(gait: dict[str, float]) -> dict[str, float]:
        walk.start(gait_values(policy.spec, within(gait)))
        return walk.params

    gaits = _possible_gaits(args, filled, robot)
    report = lambda done: print(f"{done} of {len(gaits)} walks", flush=True)  # noqa: E731
    walks = run_gait_walks(policy, [within(gait) for gait in gaits], args.seconds, report=report)
    rows = [
        walk_row(gait, args.seconds if row["success"] else row["survived_s"], args.seconds, row["realised_speed"])
        for gait, row in zip(gaits, walks.rows, strict=True)
    ]
    return {"summary": summary(rows), "gaits": rows, "engine": "plain MuJoCo", "seconds": args.seconds}
