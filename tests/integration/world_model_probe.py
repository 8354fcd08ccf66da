"""Compare a running task with its differentiable form, then train on it for a few iterations and continue the run.

An engine needs a process of its own, so the test runs this file as a program: ``world_model_probe.py OUT.json``.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path

import torch

from whole_body_tracking.motion import DEFAULT_MOTION_FILE
from whole_body_tracking.rl.cli import parse_args
from whole_body_tracking.rl.run.checkpoint_file import load_checkpoint
from whole_body_tracking.rl.run.run_folder import describe_run
from whole_body_tracking.rl.session import resolve_configs, tracking_env
from whole_body_tracking.tasks.tracking.task_reference import motion_of
from whole_body_tracking.tracking.errors import BodyState, exp_kernel, tracking_errors
from whole_body_tracking.world_model.environment import joint_targets, make_imagination, robot_states
from whole_body_tracking.world_model.imagining.buffer import Moment
from whole_body_tracking.world_model.job import WorldModelJob
from whole_body_tracking.world_model.learner import KEY
from whole_body_tracking.world_model.progress import TrainingProgress
from whole_body_tracking.world_model.training import configure, settings_of, world_model_parser

NUM_ENVS, NUM_STEPS = 8, 12


def arguments() -> argparse.Namespace:
    flags = ["--task", "Tracking-Flat-G1-Residual-v0", "--motion_file", str(DEFAULT_MOTION_FILE), "--device", "cpu"]
    overrides = [
        "physics=mujoco_cpu",
        "env.actions.joint_pos.center=joint_target",
        "env.observations.policy.enable_corruption=False",
        "env.commands.motion.start_sampling=uniform",
    ]
    small = {
        "num_envs": NUM_ENVS, "seed": 1, "warmup_steps": 12, "warmup_updates": 3, "collect_steps": 2,
        "model_width": 32, "model_layers": 1, "model_batch": 16, "policy_batch": 8, "horizon": 4, "report_every": 2,
        "ensemble": 2, "value_discount": 0.95, "start_share": 0.5,
    }  # fmt: skip
    flags += [text for name, value in small.items() for text in (f"--{name}", str(value))]
    return parse_args(world_model_parser(), [*flags, *overrides])


def worst_of(worst: dict[str, float], name: str, found: torch.Tensor, expected: torch.Tensor) -> None:
    worst[name] = max(worst.get(name, 0.0), float((found - expected).abs().max()))


def compare(env, terms, settings) -> dict[str, float]:
    """Largest differences between the environment's own numbers and the differentiable ones."""
    inner, motion, worst = env.unwrapped, motion_of(env), {}
    task, rewards = make_imagination(inner, terms, settings), inner.reward_manager
    for _ in range(NUM_STEPS):
        obs, state = env.get_observations()["policy"], robot_states(inner)
        last, envs = inner.action_manager.action.clone(), torch.arange(NUM_ENVS)
        moment = Moment(state, state[:, :0], last, motion.clip_ids.clone(), motion.frames.clone(), envs)
        (ref,) = task.references(moment, 1)
        worst_of(worst, "observation", task.observations(moment, state, ref, last, noisy=False), obs)
        bodies, real = task.kinematics.bodies(state), motion.robot_bodies
        worst_of(worst, "body_pos", bodies.pos_w, real.pos_w - inner.scene.env_origins[:, None])
        worst_of(worst, "body_lin_vel", bodies.lin_vel_w, real.lin_vel_w)
        worst_of(worst, "body_ang_vel", bodies.ang_vel_w, real.ang_vel_w)
        actions = 0.1 * torch.randn(NUM_ENVS, 29)
        _, _, dones, _ = env.step(actions)
        center = task.centers(moment.clip_ids, moment.frames, ref)
        worst_of(worst, "target", joint_targets(inner), center + task.action_offset + task.action_scale * actions)
        fields = ("body_pos_w", "body_quat_w", "body_lin_vel_w", "body_ang_vel_w")
        reference = BodyState(*(getattr(ref, name)[:, task.body_ids] for name in fields))
        errors = tracking_errors(reference, task.kinematics.bodies(robot_states(inner)), task.weights.anchor_idx)
        for kernel, name in zip(task.weights.kernels, terms.rewards, strict=False):
            value = getattr(errors, kernel.error)
            ours = kernel.weight * exp_kernel(value if value.dim() == 1 else value.mean(-1), kernel.std)
            theirs = rewards._step_reward[:, rewards.active_terms.index(name)]
            if "vel" not in kernel.error:  # a push between reward and observation changes velocities
                worst_of(worst, "kernel", ours[dones == 0], theirs[dones == 0])
    return worst


def train(args, env, agent_cfg, terms, settings) -> dict:
    """Two iterations, then two more from their checkpoint by another job."""
    folder = Path("run").absolute()
    agent_cfg.max_iterations, outcome = 2, {}
    with TrainingProgress() as bar:
        first = WorldModelJob(args, env, agent_cfg, folder, terms, settings, bar)
        describe_run(folder, args.task, args.agent, env, env.unwrapped.cfg, agent_cfg)
        result = first.run()
        outcome["first"] = result.as_json()
        saved = load_checkpoint(folder / "model_1.pt")
        agent_cfg.max_iterations = 4
        second = WorldModelJob(args, env, agent_cfg, folder, terms, settings, bar)
        second.restore(folder / "model_1.pt", same_run=True)
        second.learner.anneal(0.5)  # as in the second of two iterations
        outcome["restored"] = same(saved[KEY], second.learner.state())
        outcome["average_is_actor"] = same(saved["actor_state_dict"], second.learner.average.state_dict())
        outcome["moved"] = not same(saved["actor_state_dict"], saved[KEY]["policy"])
        outcome["second"] = second.run().as_json()
        outcome |= start_otherwise(args, env, agent_cfg, terms, settings, bar, saved)
    last = load_checkpoint(folder / "model_3.pt")
    outcome["statistics_kept"] = all(
        torch.equal(last[KEY]["model"][name], saved[KEY]["model"][name])
        for name in saved[KEY]["model"]
        if name.endswith(("input_mean", "change_std"))
    )
    outcome["model_moved"] = not same(last[KEY]["model"], saved[KEY]["model"])
    outcome["rows"] = len((folder / "progress.csv").read_text().splitlines()) - 1
    outcome["files"] = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    return outcome


def start_otherwise(args, env, agent_cfg, terms, settings, bar, saved: dict) -> dict:
    """What a job keeps of a policy that others have trained, and at which rates it goes on with a run of its own."""
    actor_alone = Path("actor.pt")
    torch.save({name: value for name, value in saved.items() if name != KEY}, actor_alone)
    other = replace(settings, policy_rate=2e-4, model_rate=3e-4)
    third = WorldModelJob(args, env, agent_cfg, None, terms, other, bar)
    third.restore(actor_alone, same_run=False)
    third.warm_up()
    kept = same(saved["actor_state_dict"], third.learner.average.state_dict())
    kept &= bool(torch.any(third.learner.model.members[0].input_mean != 0.0))
    third.learner.restore(saved["actor_state_dict"], saved[KEY])
    optimizers = third.learner.policy_optimizer, third.learner.model_optimizer
    rates = [optimizer.param_groups[0]["lr"] for optimizer in optimizers]
    third.learner.anneal(0.5)
    half_way = [group["lr"] for optimizer in optimizers for group in optimizer.param_groups]
    third.buffer.ages.zero_()
    try:
        third._require_windows()
    except ValueError as error:
        refusal = str(error)
    return {"actor_kept": kept, "rates": rates, "half_way": half_way, "refusal": refusal}


def same(a, b) -> bool:
    """Whether nested states hold equal tensors and numbers."""
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    return torch.equal(a, b) if isinstance(a, torch.Tensor) else a == b


def main(out: Path) -> None:
    args = arguments()
    settings = settings_of(args)
    env_cfg, agent_cfg = resolve_configs(args)
    terms = configure(args, env_cfg, agent_cfg, settings)
    agent_cfg.actor.hidden_dims, agent_cfg.critic.hidden_dims = [16], [16]
    with tracking_env(args, env_cfg, agent_cfg) as env:
        with torch.no_grad():
            worst = compare(env, terms, settings)
        outcome = {"worst": worst, "left_out": list(terms.left_out)} | train(args, env, agent_cfg, terms, settings)
    out.write_text(json.dumps(outcome))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
