"""Products of matrices in bfloat16 where the processor has them."""

from __future__ import annotations

import contextlib

import torch

from whole_body_tracking.names import require_known

PRECISIONS = ("auto", "fp32", "bf16")
"""``auto`` takes bf16 on CUDA, and on CPUs that multiply it (avx512_bf16, AMX)."""


def chosen_precision(name: str, device: torch.device | str) -> str:
    """``fp32`` or ``bf16`` for one of :data:`PRECISIONS`.

    Raises:
        ValueError: If there is no such precision.
    """
    require_known(name, PRECISIONS, "precision")
    if name != "auto":
        return name
    kind = torch.device(device).type
    fast = torch.cuda.is_bf16_supported() if kind == "cuda" else torch.cpu.get_capabilities().get("avx512_bf16", False)
    return "bf16" if fast else "fp32"


def autocast(precision: str, device: torch.device | str) -> contextlib.AbstractContextManager:
    """Run networks in a precision; the integration of states stays in float32."""
    return torch.autocast(torch.device(device).type, dtype=torch.bfloat16, enabled=precision == "bf16")
