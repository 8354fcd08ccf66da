"""Header of a clip file, read without its frames."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

from .channels import CHANNELS_KEY, Channel, split_extra_arrays
from .clip import MotionClip
from .clip_check import ARRAYS, HEADER, check_header, check_layout
from .npz import read_shapes


@dataclass(frozen=True)
class ClipHeader:
    """Rate, names and number of frames of a clip.

    A library of thousands of clips is checked by its headers and laid out in memory before a frame is read.
    """

    name: str
    """What tables and messages call the clip."""
    fps: float
    """Frames per second."""
    joint_names: tuple[str, ...]
    """Names of the joints."""
    body_names: tuple[str, ...]
    """Names of the bodies; the first is the root."""
    num_frames: int
    source: dict = field(default_factory=dict)
    """Where the clip comes from: plain JSON values."""
    channel_declarations: dict[str, Channel] = field(default_factory=dict)
    """What each channel is that the clip carries."""

    @property
    def duration(self) -> float:
        """Time from the first to the last frame [s]."""
        return (self.num_frames - 1) / self.fps

    # A clip's own checks, which look at nothing but these fields.
    require_fps = MotionClip.require_fps
    require_robot = MotionClip.require_robot


def load_header(path: str | Path) -> ClipHeader:
    """Read the header of a clip file and check keys, version, shapes and sizes; nothing in it is executed.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is truncated, holds pickled objects, lacks names or is not a clip. Values that are not
            finite are found when the clip is loaded.
    """
    path = Path(path)
    arrays = read_shapes(path, (*HEADER, CHANNELS_KEY))
    check_header(arrays, path)
    names = {key: tuple(map(str, arrays[key])) for key in ("joint_names", "body_names")}
    fps = float(arrays["fps"])
    others = {key: values for key, values in arrays.items() if key not in (*HEADER, *ARRAYS)}
    _, declared, _ = split_extra_arrays(others, path)
    try:
        check_layout(fps, names["joint_names"], names["body_names"], arrays)
        source = json.loads(str(arrays["source"])) if "source" in arrays else {}
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    return ClipHeader(
        path.stem, fps, **names, num_frames=len(arrays["joint_pos"]), source=source, channel_declarations=declared
    )
