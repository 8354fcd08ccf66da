"""Run folders, and the checkpoint that a command line names."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path

from isaaclab_rl.entrypoints.common import CHECKPOINT_SELECTORS, normalize_task_name, resolve_checkpoint_selector
from isaaclab_rl.rsl_rl import RslRlBaseRunnerCfg, RslRlMLPModelCfg
from isaaclab_rl.utils.wandb import is_wandb_checkpoint, resolve_wandb_checkpoint

from whole_body_tracking.motion.sources.wandb_client import wandb_client

from .checkpoint_file import CHECKPOINT_PATTERN, CRITIC_KEY, OPTIMIZER_KEY, load_checkpoint


def experiment_folder(agent_cfg: RslRlBaseRunnerCfg) -> Path:
    """Folder that holds an experiment's runs, below the current one."""
    return Path("logs", "rsl_rl", agent_cfg.experiment_name).absolute()


def resolve_checkpoint(args: argparse.Namespace, agent_cfg: RslRlBaseRunnerCfg) -> Path | None:
    """Local path of the checkpoint that ``--checkpoint`` or ``--wandb_path`` names, or None if neither is given.

    ``latest`` is the newest checkpoint of the newest run of this task; a folder stands for its newest checkpoint.

    Raises:
        FileNotFoundError: If there is no such checkpoint.
        OSError: If W&B cannot be reached.
        ValueError: If a W&B run has no checkpoint, or is not named ORG/PROJECT/RUN_ID.
    """
    choice = args.checkpoint
    if choice is None:
        return None
    if is_wandb_checkpoint(choice) or choice.startswith("wandb:"):
        return _download(choice)
    if choice in CHECKPOINT_SELECTORS:
        return _newest_of_newest_run(choice, args, agent_cfg)
    path = Path(choice)
    if path.is_dir():
        return newest_checkpoint(path)
    if not path.is_file():
        raise FileNotFoundError(
            f"Checkpoint {path} does not exist. Give a model_<iteration>.pt, a run folder or 'latest'."
        )
    return path.absolute()


def _download(name: str) -> Path:
    """Download the checkpoint of a W&B run."""
    if not is_wandb_checkpoint(name):
        raise ValueError(f"'{name}' is not the name of a W&B run. Expected ORG/PROJECT/RUN_ID.")
    folder = Path("logs", "wandb_checkpoints").absolute()  # the client's own process may be in another folder
    with wandb_client(f"Downloading the checkpoint of {name}", "To use a local file, pass --checkpoint PATH."):
        try:
            return Path(resolve_wandb_checkpoint(name, str(folder)))
        except ValueError as error:
            raise ValueError(
                f"{error} train.py --logger wandb uploads one every agent.save_interval iterations."
                " To use a local file, pass --checkpoint PATH."
            ) from None


def newest_checkpoint(run_folder: Path) -> Path:
    """Checkpoint with the highest iteration in a run folder.

    Raises:
        FileNotFoundError: If the folder holds none.
    """
    checkpoints = sorted(run_folder.glob("model_*.pt"), key=lambda path: int(path.stem.split("_")[1]))
    if not checkpoints:
        raise FileNotFoundError(f"{run_folder} contains no checkpoint named model_<iteration>.pt.")
    return checkpoints[-1].absolute()


def adopt_networks(agent_cfg: RslRlBaseRunnerCfg, checkpoint: Path) -> None:
    """Give the agent config the layer sizes of a checkpoint, so that any policy of the task can be played.

    Raises:
        ValueError: If the file is not a checkpoint.
    """
    content = load_checkpoint(checkpoint)
    for name, model in trained_networks(agent_cfg).items():
        if f"{name}_state_dict" in content:  # a student has no critic
            model.hidden_dims = _hidden_dims(content, name)


def require_resumable(agent_cfg: RslRlBaseRunnerCfg, checkpoint: Path) -> int:
    """Check a checkpoint against the agent config and return how many iterations of such a training it has.

    A policy that was trained in another way, such as a distilled one in PPO, starts at 0 with its network alone.

    Raises:
        ValueError: If the file is not a checkpoint, or its layers have other sizes than the config's.
    """
    content, networks = load_checkpoint(checkpoint), trained_networks(agent_cfg)
    for name, model in networks.items():
        if f"{name}_state_dict" not in content:
            continue
        found, expected = _hidden_dims(content, name), list(model.hidden_dims)
        if found != expected:
            raise ValueError(
                f"{checkpoint} has {name} layers of {found} units, but this task trains {expected}. Resume with the"
                f" task of its run, or pass agent.{name}.hidden_dims={found}."
            )
    return content["iter"] + 1 if is_same_training(content, networks) else 0


def trained_networks(agent_cfg: RslRlBaseRunnerCfg) -> dict[str, RslRlMLPModelCfg]:
    """Configs of the networks that a checkpoint of a training holds, by their names in it."""
    if hasattr(agent_cfg, "student"):
        return {"actor": agent_cfg.student}
    return {"actor": agent_cfg.actor, "critic": agent_cfg.critic}


def is_same_training(content: dict, networks: Iterable[str]) -> bool:
    """Whether a checkpoint is of a training of these networks.

    PPO's has a critic, a distilled student has none; other trainers write the actor alone, without an optimizer.
    """
    return ("critic" in networks) == (CRITIC_KEY in content) and OPTIMIZER_KEY in content


def _hidden_dims(content: dict, network: str) -> list[int]:
    weights = [
        value
        for key, value in content[f"{network}_state_dict"].items()
        if key.startswith("mlp.") and key.endswith(".weight")
    ]
    return [len(weight) for weight in weights[:-1]]


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
