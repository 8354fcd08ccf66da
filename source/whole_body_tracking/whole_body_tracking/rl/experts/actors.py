"""Loading of experts' networks from their checkpoints."""

from __future__ import annotations

from pathlib import Path

import torch
import yaml
from rsl_rl.models import MLPModel
from tensordict import TensorDict
from torch import nn

from ..run.checkpoint_file import load_checkpoint

PLAIN_MODELS = ("MLPModel", "rsl_rl.models:MLPModel")


def load_actor(checkpoint: Path, num_obs: int, num_actions: int) -> nn.Module:
    """Deterministic part of the policy of a checkpoint, from observations to actions.

    Args:
        checkpoint: In its run folder, whose ``params/agent.yaml`` describes the network.
        num_obs: Width of the observations.
        num_actions: Number of actions.

    Raises:
        FileNotFoundError: If the checkpoint or the description is gone.
        ValueError: If the network is of another kind or width.
    """
    settings = actor_settings(checkpoint)
    if settings.pop("class_name", "MLPModel") not in PLAIN_MODELS:
        raise ValueError(f"{checkpoint}: an expert is a plain network, trained without presets=motion_embedding.")
    obs = TensorDict({"obs": torch.zeros(1, num_obs)}, batch_size=[1])
    model = MLPModel(obs, {"actor": ["obs"]}, "actor", num_actions, **settings)
    weights = load_checkpoint(checkpoint)["actor_state_dict"]
    try:
        model.load_state_dict(weights)
    except RuntimeError as error:
        found = weights["mlp.0.weight"].shape[1] if "mlp.0.weight" in weights else "none"
        raise ValueError(
            f"{checkpoint} does not fit: it takes {found} observations, here there are {num_obs}. {error}"
        ) from None
    return model.as_jit().eval().requires_grad_(False)


def actor_settings(checkpoint: Path) -> dict:
    """Settings of the policy's network in ``params/agent.yaml`` beside a checkpoint.

    Raises:
        FileNotFoundError: If there is no such file.
    """
    file = checkpoint.parent / "params" / "agent.yaml"
    if not file.is_file():
        raise FileNotFoundError(f"{file} does not exist. An expert's checkpoint belongs in its run folder.")
    return yaml.load(file.read_text(), Loader=yaml.FullLoader)["actor"]  # plain values and tuples
