"""Channels: named per-frame arrays beside a clip's states, each with a declaration of how it follows changes."""

from __future__ import annotations

import dataclasses
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from whole_body_tracking.names import require_known

logger = logging.getLogger(__name__)

Interpolation = Literal["linear", "nearest", "spherical", "none"]

CHANNELS_KEY = "channels"
"""Key of a clip file under which a JSON text declares the channels that it holds."""


@dataclass(frozen=True)
class Channel:
    """Declaration of a channel: an array with one row per frame, of shape [num_frames, ...].

    Raises:
        ValueError: If the interpolation is unknown.
    """

    interpolation: Interpolation = "linear"
    """How values between frames are computed when the rate or the speed changes: ``linear``; ``nearest`` for flags and
    labels; ``spherical`` for quaternions (x, y, z, w) in the last dimension; ``none`` if no value between frames makes
    sense, then the channel is dropped."""
    any_speed: bool = True
    """Whether the values still hold when the motion is played faster or slower. Forces do not: accelerations change
    with the square of the speed. False drops the channel there."""
    per_joint: bool = False
    """Whether the second dimension runs over the clip's joints, so that it follows them when they are reordered."""
    world_vector: bool = False
    """Whether the last dimension is a vector in world axes, which turns when the reference is turned."""

    def __post_init__(self):
        require_known(self.interpolation, get_args(Interpolation), "interpolation of a channel")


_DECLARED: dict[str, Channel] = {}


def register_channel(name: str, channel: Channel) -> None:
    """Declare a channel for every clip of this process. Files say it of themselves, so reading one needs no such call.

    Raises:
        ValueError: If the name is declared otherwise already.
    """
    known = _DECLARED.setdefault(name, channel)
    if known != channel:
        raise ValueError(f"Channel '{name}' is already declared as {known}, now as {channel}. Choose another name.")


def declared_channels() -> dict[str, Channel]:
    """Declarations by name, of this package and of everyone who called :func:`register_channel`."""
    return dict(_DECLARED)


register_channel("joint_target", Channel("none", any_speed=False, per_joint=True))
"""Joint targets [rad] that make the drives follow the motion, shape [num_frames, num_joints]."""
register_channel("root_residual", Channel("linear", any_speed=False))
"""What neither motors nor ground can give, in body weights, shape [num_frames]."""
register_channel("contact_forces", Channel("linear", any_speed=False, world_vector=True))
"""Force of the ground on each foot in the world [N], shape [num_frames, num_feet, 3]."""
register_channel("contact_flags", Channel("nearest"))
"""Whether each foot is on the ground, 0 or 1, shape [num_frames, num_feet]."""


def declarations_of(names: Sequence[str], given: Mapping[str, Channel]) -> dict[str, Channel]:
    """Declaration of each channel: the given one, else the registered one.

    Raises:
        ValueError: If there is neither; the message lists the registered channels.
    """
    known = _DECLARED | dict(given)
    require_known(names, known, "channel (declare it with whole_body_tracking.motion.channels.register_channel)")
    return {name: known[name] for name in names}


def check_channels(
    channels: Mapping[str, np.ndarray], declared: Mapping[str, Channel], num_frames: int, num_joints: int
) -> None:
    """Check shapes and values.

    Raises:
        ValueError: If an array has another number of frames or joints, a last dimension that its declaration excludes,
            or values that are not finite.
    """
    for name, values in channels.items():
        channel, shape = declared[name], list(values.shape)
        if shape[:1] != [num_frames]:
            raise ValueError(f"Channel {name} has shape {shape}, expected one row for each of {num_frames} frames.")
        if channel.per_joint and shape[1:2] != [num_joints]:
            raise ValueError(f"Channel {name} has shape {shape}, expected a column for each of {num_joints} joints.")
        size = 3 if channel.world_vector else 4 if channel.interpolation == "spherical" else None
        if size is not None and (len(shape) < 2 or shape[-1] != size):
            raise ValueError(f"Channel {name} has shape {shape}, expected {size} numbers in the last dimension.")
        bad = np.argwhere(~np.isfinite(values))
        if len(bad):
            raise ValueError(
                f"Channel {name} holds {len(bad)} values that are not finite, the first in frame {bad[0][0]}."
            )


def with_joints(channels: Mapping[str, np.ndarray], declared: Mapping[str, Channel], joints: Sequence[int]) -> dict:
    """Channels with these columns of those that run over joints."""
    return {name: v[:, list(joints)] if declared[name].per_joint else v for name, v in channels.items()}


def at_other_speed(
    channels: Mapping[str, np.ndarray], declared: Mapping[str, Channel], clip_name: str
) -> dict[str, np.ndarray]:
    """Channels that still hold at another speed; a log message names the others."""
    kept = {name: values for name, values in channels.items() if declared[name].any_speed}
    report_dropped(clip_name, "channels", channels.keys() - kept.keys(), "its speed changes")
    return kept


def report_dropped(clip_name: str, what: str, names: Sequence[str] | set[str], reason: str) -> None:
    """Log which arrays of a clip are left out, if any."""
    if names:
        logger.warning("%s: the %s %s are dropped because %s.", clip_name, what, sorted(names), reason)


# -- the file --------------------------------------------------------------------------------------------------------


def declarations_to_json(declared: Mapping[str, Channel]) -> str:
    """Declarations as the text that a clip file carries."""
    return json.dumps({name: dataclasses.asdict(channel) for name, channel in declared.items()}, sort_keys=True)


def split_extra_arrays(
    arrays: Mapping[str, np.ndarray], path: Path
) -> tuple[dict[str, np.ndarray], dict[str, Channel], dict[str, np.ndarray]]:
    """Tell the channels of a clip file from its unknown arrays.

    Args:
        arrays: Arrays of the file that are not part of every clip.
        path: The file, for messages.

    Returns:
        Channels, their declarations, and the other arrays.

    Raises:
        ValueError: If the file's declarations cannot be read, or name an array that it does not hold.
    """
    declared = _declarations_from_file(arrays, path)
    others = {name: values for name, values in arrays.items() if name != CHANNELS_KEY}
    require_known(declared, others, f"channel declared in {path.name}")
    declared = {name: _DECLARED[name] for name in others if name in _DECLARED} | declared
    channels = {name: others.pop(name) for name in declared}
    return channels, declared, others


def _declarations_from_file(arrays: Mapping[str, np.ndarray], path: Path) -> dict[str, Channel]:
    if CHANNELS_KEY not in arrays:
        return {}
    try:
        return {name: Channel(**entry) for name, entry in json.loads(str(arrays[CHANNELS_KEY])).items()}
    except (ValueError, TypeError, AttributeError) as error:
        raise ValueError(
            f"{path.name}: the text under '{CHANNELS_KEY}' does not declare channels ({error}). Expected JSON such as"
            ' {"contact_flags": {"interpolation": "nearest"}}.'
        ) from None
