"""A checkpoint as a file: its name, and how it is read as data only."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import IO

import torch

CHECKPOINT_PATTERN = r"model_\d+\.pt"
CRITIC_KEY = "critic_state_dict"
"""In checkpoints of PPO; a distilled student has no critic."""
OPTIMIZER_KEY = "optimizer_state_dict"
"""In checkpoints of PPO and of a distillation; those of other trainers have the actor alone, or one of another kind."""


def load_checkpoint(file: str | Path | IO[bytes], map_location: str = "cpu", name: str | None = None) -> dict:
    """Read a checkpoint as tensors and plain Python values only.

    Args:
        file: Path of the checkpoint, or its bytes.
        map_location: Device of the tensors.
        name: What error messages call it, by default its path.

    Raises:
        ValueError: If the file is not such a checkpoint.
    """
    name = name or str(file)
    try:
        content = torch.load(file, weights_only=True, map_location=map_location)
    except (RuntimeError, EOFError, OSError, ValueError, KeyError, pickle.UnpicklingError) as error:
        raise ValueError(f"{name} is not a readable checkpoint of this project: {error}") from error
    if not isinstance(content, dict) or not {"actor_state_dict", "iter"} <= content.keys():
        raise ValueError(
            f"{name} contains no policy. Expected a model_<iteration>.pt written by train.py or distil.py."
        )
    return content
