"""Number format of the networks' matrix products in training: bfloat16 where the CPU computes with it, else float32.

Weights, their updates, the last layer, losses and everything that is saved or exported stay in float32: bfloat16 keeps
float32's range and 8 bits of its fraction, which is enough inside a network but not for an action's log-probability.
"""

from __future__ import annotations

from typing import Literal

import torch
from rsl_rl.models import MLPModel
from torch import Tensor, nn

Precision = Literal["auto", "float32", "bfloat16"]
"""``auto`` is bfloat16 on a CPU with instructions for it (avx512_bf16, amx_bf16), and float32 elsewhere."""

BFLOAT16_INSTRUCTIONS = ("avx512_bf16", "amx_bf16")


def resolve_precision(precision: Precision, device: str) -> torch.dtype:
    """Number format of the hidden layers' matrix products on a device.

    Args:
        precision: ``auto``, ``float32`` or ``bfloat16``.
        device: Device of the networks.

    Raises:
        ValueError: If ``precision`` is none of the three.
    """
    if precision not in ("auto", "float32", "bfloat16"):
        raise ValueError(f"algorithm.precision is '{precision}'; it is one of auto, float32, bfloat16.")
    if precision == "auto":
        has_instructions = torch.device(device).type == "cpu" and cpu_has_bfloat16()
        return torch.bfloat16 if has_instructions else torch.float32
    return getattr(torch, precision)


def cpu_has_bfloat16() -> bool:
    """Whether this CPU multiplies bfloat16 matrices faster than float32 ones."""
    capabilities = torch.cpu.get_capabilities()
    return any(capabilities.get(name, False) for name in BFLOAT16_INSTRUCTIONS)


class BFloat16HiddenLayers(nn.Sequential):
    """Layers of an MLP, the hidden ones in bfloat16 while training; in evaluation mode all are in float32.

    Parameters have the names that they have in the MLP, so that checkpoints do not depend on the precision. Exports
    and inference are in evaluation mode.
    """

    def __init__(self, mlp: nn.Sequential):
        super().__init__(*mlp)  # all of them: named_children() omits the repetitions of a shared activation
        self.train(mlp.training)

    def forward(self, x: Tensor) -> Tensor:
        """Outputs in float32, shape [..., num_outputs], for inputs of shape [..., num_inputs]."""
        if not self.training:
            return super().forward(x)
        *hidden, last = self
        with torch.autocast(x.device.type, torch.bfloat16):
            for layer in hidden:
                x = layer(x)
        return last(x.float())


def train_in(precision: Precision, device: str, *models: MLPModel) -> torch.dtype:
    """Let the models compute in a precision while they are trained; returns the format of their hidden layers.

    Args:
        precision: ``auto``, ``float32`` or ``bfloat16``.
        device: Device of the models.
        models: Models of rsl_rl, before an optimizer is built.

    Raises:
        ValueError: If ``precision`` is unknown.
    """
    dtype = resolve_precision(precision, device)
    if dtype == torch.bfloat16:
        for model in models:
            model.mlp = BFloat16HiddenLayers(model.mlp)
            for part in model.modules():
                if hasattr(part, "training_dtype"):  # what stands before the MLP, such as the encoder of a motion prior
                    part.training_dtype = dtype
    return dtype
