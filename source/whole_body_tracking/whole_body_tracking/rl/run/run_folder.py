"""The folder that a training run writes to, and the files in it that say what the run was."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
from collections.abc import Iterator
from datetime import datetime
from importlib import metadata
from pathlib import Path

from isaaclab_rl.entrypoints.common import dump_train_configs, write_run_manifest
from isaaclab_rl.rsl_rl import RslRlBaseRunnerCfg, RslRlVecEnvWrapper

from whole_body_tracking.code_version import code_commit
from whole_body_tracking.files import create_new_folder, write_atomically
from whole_body_tracking.tasks.tracking.task_reference import clips_of, gait_cfg_of
from whole_body_tracking.tasks.tracking.tracking_env_cfg import TrackingEnvCfg

from .checkpoints import experiment_folder
from .distributed import Member

REFNN_FILE = "refnn.npz"
"""Copy of the RefNN in the folder of a gait task's run."""
PACKAGES = ("whole-body-tracking", "isaaclab", "rsl-rl-lib", "torch", "newton", "mujoco", "ovphysx")


def choose_run_folder(args: argparse.Namespace, agent_cfg: RslRlBaseRunnerCfg, checkpoint: Path | None) -> Path:
    """Folder of this run: ``latest`` continues in its run's folder, anything else gets a new one, created here.

    Creating it is what takes the name, so two runs that start in the same second have different folders. Use
    :func:`removed_if_empty` around what may fail before the run has written something.
    """
    if checkpoint is not None and args.checkpoint == "latest":
        return checkpoint.parent
    parts = [args.run_timestamp or datetime.now().strftime("%Y-%m-%d_%H-%M-%S"), agent_cfg.run_name]
    name = "_".join(part for part in parts if part)
    if args.run_timestamp:  # chosen by the user, for instance to go on with a run that was stopped early
        folder = experiment_folder(agent_cfg) / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder
    return create_new_folder(experiment_folder(agent_cfg), name)


@contextlib.contextmanager
def removed_if_empty(folder: Path) -> Iterator[None]:
    """Remove a folder if the block fails before something is in it."""
    try:
        yield
    except BaseException:
        with contextlib.suppress(OSError):  # not empty, not there, or another process's
            folder.rmdir()
        raise


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


def keep_refnn(run_folder: Path, env_cfg: TrackingEnvCfg) -> None:
    """Copy the RefNN that a gait task follows beside its checkpoints, where play finds it; nothing for other tasks."""
    gait = gait_cfg_of(env_cfg)
    if gait is not None and Path(gait.model_file).absolute() != (run_folder / REFNN_FILE).absolute():
        write_atomically(run_folder / REFNN_FILE, Path(gait.model_file).read_bytes())


def kept_refnn(checkpoint: Path) -> str:
    """RefNN beside a checkpoint; empty if there is none."""
    kept = checkpoint.parent / REFNN_FILE
    return str(kept.absolute()) if kept.is_file() else ""


def provenance(env: RslRlVecEnvWrapper, agent_cfg: RslRlBaseRunnerCfg) -> dict:
    """Seed, envs of each process, versions, commit of the code, and name and digest of every clip."""
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
