"""What a policy that moves muscles needs beside its file to be played. Imports neither a simulator nor torch."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

MUSCLE_FILE = "muscle_nn.safetensors"
"""Name of the network beside an exported policy."""


@dataclass(frozen=True)
class MuscleDrive:
    """How torques became muscle forces in training.

    Raises:
        ValueError: If the digest is not one.
    """

    activation_dynamics: bool
    """Whether activations lag behind what is asked for."""
    contact_forces: bool
    """Whether the torques' prediction counted contact forces."""
    network_sha256: str = ""
    """Digest of the MuscleNN beside the file, :data:`MUSCLE_FILE`; empty if each pair takes its least activation."""

    def __post_init__(self):
        if self.network_sha256 and not re.fullmatch(r"[0-9a-f]{64}", self.network_sha256):
            raise ValueError(f"`muscles.network_sha256` is '{self.network_sha256}', expected 64 hexadecimal digits.")

    def require_network(self, folder: Path) -> Path | None:
        """The file of the network beside a policy; None if it needs none.

        Raises:
            FileNotFoundError: If it is gone.
            ValueError: If it is another network's.
        """
        if not self.network_sha256:
            return None
        path = folder / MUSCLE_FILE
        if not path.is_file():
            raise FileNotFoundError(
                f"The policy moves muscles through the MuscleNN {path}, which does not exist. Keep it beside the"
                " policy, or export again."
            )
        found = digest_of(_weights(path))
        if found != self.network_sha256:
            raise ValueError(
                f"{path} is another MuscleNN than the policy's: its digest is {found[:8]}..., expected"
                f" {self.network_sha256[:8]}.... Export the policy again."
            )
        return path


def digest_of(weights: Mapping[str, np.ndarray]) -> str:
    """SHA-256 over names and values of a network's weights, in the order of the names."""
    digest = hashlib.sha256()
    for name in sorted(weights):
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(weights[name]).tobytes())
    return digest.hexdigest()


def _weights(path: Path) -> dict[str, np.ndarray]:
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        tensors = load_file(path)
    except SafetensorError as error:
        raise ValueError(f"{path} is no safetensors file ({error}). Export the policy again.") from error
    return {name.removeprefix("model."): value for name, value in tensors.items() if name.startswith("model.")}
