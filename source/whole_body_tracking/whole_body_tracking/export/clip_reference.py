"""Clips as a policy's file names them; checked, since the file may come from elsewhere and the names make paths."""

from __future__ import annotations

import re
from dataclasses import dataclass

DIGEST = re.compile(r"[0-9a-f]{64}")
FOLDER = re.compile(r"[0-9A-Za-z_-][0-9A-Za-z._-]*")


@dataclass(frozen=True)
class TrainedClip:
    """A clip of the training, as its ``provenance.json`` names it.

    Raises:
        ValueError: If the digest is not one.
    """

    name: str
    sha256: str

    def __post_init__(self):
        require_digest(self.name, self.sha256)


@dataclass(frozen=True)
class ClipReference:
    """A clip that the policy can track: the one in its graph, or one of those beside it.

    Raises:
        ValueError: If the digest or the number of frames is not one.
    """

    name: str
    sha256: str
    num_frames: int

    def __post_init__(self):
        require_digest(self.name, self.sha256)
        if type(self.num_frames) is not int or self.num_frames < 1:
            raise ValueError(f"Clip '{self.name}' has {self.num_frames!r} frames, expected a number from 1 on.")

    @property
    def file_name(self) -> str:
        """Name of the clip's file beside a policy that does not hold it; another content has another name."""
        return f"{re.sub(r'[^0-9A-Za-z._-]', '_', self.name)}-{self.sha256[:8]}.npz"


def require_digest(name: str, sha256: str) -> None:
    """Check the SHA-256 of a clip.

    Raises:
        ValueError: If it is not 64 hexadecimal digits in lower case, or the name is not text.
    """
    if not isinstance(name, str) or not isinstance(sha256, str) or not DIGEST.fullmatch(sha256):
        raise ValueError(
            f"Clip {name!r} has the digest {sha256!r}, expected a SHA-256 as 64 hexadecimal digits in lower case."
            " Export the policy again."
        )


def require_folder_name(folder: str) -> None:
    """Check the name of the folder with the clips; empty stands for none.

    Raises:
        ValueError: If it is more than the name of a folder beside the policy.
    """
    if not isinstance(folder, str) or (folder and not FOLDER.fullmatch(folder)):
        raise ValueError(
            f"`clips_folder` is {folder!r}, expected the name of a folder beside the policy, such as 'clips', or ''."
            " Do not use a file that points elsewhere; export the policy again."
        )
