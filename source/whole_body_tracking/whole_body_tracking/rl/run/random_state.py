"""State of the random number generators, as a checkpoint stores it: tensors and plain numbers."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import torch
from isaaclab.utils.seed import configure_seed

RandomState = dict[str, Any]


def capture(device: str) -> RandomState:
    """State of the generators of Python, NumPy, torch on the CPU and, on a CUDA device, torch there."""
    version, words, gauss = random.getstate()
    name, keys, *rest = np.random.get_state()
    state = {
        "python": [version, list(words), gauss],
        "numpy": [name, torch.from_numpy(keys.astype(np.int64)), *rest],
        "torch": torch.get_rng_state(),
    }
    return state | ({"cuda": torch.cuda.get_rng_state(device)} if device.startswith("cuda") else {})


def restore(state: RandomState, device: str, rank: int = 0) -> None:
    """Continue the sequences of a checkpoint.

    Only the first process's state is stored: the others start sequences of their own, which differ from process to
    process and from one continuation to the next.

    Args:
        state: From :func:`capture`.
        device: Device of this process; a state of another kind of device is left out.
        rank: Number of this process.
    """
    version, words, gauss = state["python"]
    random.setstate((version, tuple(words), gauss))
    name, keys, *rest = state["numpy"]
    np.random.set_state((name, keys.cpu().numpy().astype(np.uint32), *rest))
    torch.set_rng_state(state["torch"].cpu())
    if "cuda" in state and device.startswith("cuda"):
        torch.cuda.set_rng_state(state["cuda"].cpu(), device)
    if rank > 0:
        drawn = int(torch.randint(2**30, ()))
        configure_seed(drawn + rank, torch_deterministic=torch.are_deterministic_algorithms_enabled())
