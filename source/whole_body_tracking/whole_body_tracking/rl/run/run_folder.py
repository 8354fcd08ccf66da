"""The folder that a training run writes to, and the files in it that say what the run was."""

from __future__ import annotations

import argparse
import json
import os
from datetime import datetime
from importlib import metadata
from pathlib import Path

from isaaclab_rl.entrypoints.common import dump_train_configs, write_run_manifest
from isaaclab_rl.rsl_rl import RslRlBaseRunnerCfg, RslRlVecEnvWrapper

from whole_body_tracking.code_version import code_commit
from whole_body_tracking.tasks.tracking.tracking_env_cfg import TrackingEnvCfg

from ..reference import clips_of
from .checkpoints import experiment_folder
from .distributed import Member

PACKAGES = ("whole-body-tracking", "isaaclab", "rsl-rl-lib", "torch", "newton", "mujoco", "ovphysx")


def choose_run_folder(args: argparse.Namespace, agent_cfg: RslRlBaseRunnerCfg, checkpoint: Path | None) -> Path:
    """Folder of this run, not created yet: ``latest`` continues in its run's folder, anything else gets a new one."""
    if checkpoint is not None and args.checkpoint == "latest":
        return checkpoint.parent
    parts = [args.run_timestamp or datetime.now().strftime("%Y-%m-%d_%H-%M-%S"), agent_cfg.run_name]
    folder = experiment_folder(agent_cfg) / "_".join(part for part in parts if part)
    if args.run_timestamp:  # the processes of a distributed run share it
        return folder
    taken = 1
    while folder.exists():
        taken += 1
        folder = folder.with_name("_".join(part for part in (*parts, str(taken)) if part))
    return folder


def describe_run(
    run_folder: Path, task: str, agent: str, env: RslRlVecEnvWrapper, env_cfg: TrackingEnvCfg, agent_cfg
) -> None:
    """Create a new run's folder with ``run.json``, ``provenance.json`` and ``params/``."""
    os.makedirs(run_folder, exist_ok=True)
    print(f"[INFO] Writing the run to {run_folder}")
    dump_train_configs(str(run_folder), env_cfg, agent_cfg)
    content = provenance(env, agent_cfg)
    (run_folder / "provenance.json").write_text(json.dumps(content, indent=2) + "\n")
    write_run_manifest(str(run_folder), library="rsl_rl", task=task, metadata={"agent": agent})


def provenance(env: RslRlVecEnvWrapper, agent_cfg: RslRlBaseRunnerCfg) -> dict:
    """Seed, worlds of each process, versions, commit of the code, and name and digest of every clip."""
    installed = {dist.metadata["Name"].lower(): dist.version for dist in metadata.distributions()}
    physics = env.unwrapped.cfg.sim.physics
    return {
        "seed": agent_cfg.seed,
        "num_envs": env.num_envs,
        "num_processes": Member.from_environment().size,
        "physics": type(getattr(physics, "solver_cfg", physics)).__name__,
        "versions": {name: installed.get(name) for name in PACKAGES},
        "commit": code_commit(),
        "clips": clips_of(env),
    }
