"""Where runs live and which checkpoint a command line means."""

from __future__ import annotations

import argparse
from pathlib import Path

from isaaclab_rl.entrypoints.common import CHECKPOINT_SELECTORS, normalize_task_name, resolve_checkpoint_selector
from isaaclab_rl.rsl_rl import RslRlBaseRunnerCfg
from isaaclab_rl.utils.wandb import is_wandb_checkpoint, resolve_wandb_checkpoint

from .runner import CHECKPOINT_PATTERN, load_checkpoint


def experiment_folder(agent_cfg: RslRlBaseRunnerCfg) -> Path:
    """Folder that holds an experiment's runs, below the current one."""
    return Path("logs", "rsl_rl", agent_cfg.experiment_name).absolute()


def resolve_checkpoint(args: argparse.Namespace, agent_cfg: RslRlBaseRunnerCfg) -> Path | None:
    """Local path of the checkpoint that ``--checkpoint`` or ``--wandb_path`` names, or None if neither is given.

    ``latest`` is the newest checkpoint of the newest run of this task; a folder stands for its newest checkpoint.

    Raises:
        FileNotFoundError: If there is no such checkpoint.
    """
    choice = args.checkpoint
    if choice is None:
        return None
    if is_wandb_checkpoint(choice):
        return Path(resolve_wandb_checkpoint(choice))
    if choice in CHECKPOINT_SELECTORS:
        return _newest_of_newest_run(choice, args, agent_cfg)
    path = Path(choice)
    if path.is_dir():
        return newest_checkpoint(path)
    if not path.is_file():
        raise FileNotFoundError(f"Checkpoint {path} does not exist. Give a model_<iteration>.pt, a run folder or 'latest'.")
    return path.absolute()


def newest_checkpoint(run_folder: Path) -> Path:
    """Checkpoint with the highest iteration in a run folder.

    Raises:
        FileNotFoundError: If the folder holds none.
    """
    checkpoints = sorted(run_folder.glob("model_*.pt"), key=lambda path: int(path.stem.split("_")[1]))
    if not checkpoints:
        raise FileNotFoundError(f"{run_folder} holds no checkpoint named model_<iteration>.pt.")
    return checkpoints[-1].absolute()


def adopt_networks(agent_cfg: RslRlBaseRunnerCfg, checkpoint: Path) -> None:
    """Give the agent config the layer sizes of a checkpoint, so that any policy of the task can be played.

    Raises:
        ValueError: If the file is no checkpoint.
    """
    content = load_checkpoint(checkpoint)
    for name in ("actor", "critic"):
        layers = {key: value for key, value in content[f"{name}_state_dict"].items() if key.startswith("mlp.")}
        weights = [value for key, value in layers.items() if key.endswith(".weight")]
        getattr(agent_cfg, name).hidden_dims = [len(weight) for weight in weights[:-1]]


def _newest_of_newest_run(choice: str, args: argparse.Namespace, agent_cfg: RslRlBaseRunnerCfg) -> Path:
    folder = experiment_folder(agent_cfg)
    try:
        path = resolve_checkpoint_selector(
            str(folder),
            choice,
            library="rsl_rl",
            task=normalize_task_name(args.task),
            checkpoint_pattern=CHECKPOINT_PATTERN,
            metadata={"agent": args.agent},
        )
    except ValueError as error:
        raise FileNotFoundError(
            f"No run of {args.task} with a checkpoint in {folder}. Train first, or give a path to --checkpoint."
        ) from error
    return Path(path)
