"""Acclaim motion files (AMC), which need their skeleton (ASF)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from ..skeleton import END_SUFFIX, SkeletonMotion
from .asf import ROOT_CHANNELS, AsfSkeleton, read_asf
from .bvh import _continuous
from .text_file import number, numbers, read_text

CMU_FPS = 120.0
"""Rate of the CMU collection [Hz]; an AMC file does not say its own."""


def read_amc(path: str | Path, skeleton: str | Path | AsfSkeleton, fps: float = CMU_FPS) -> SkeletonMotion:
    """Read a motion in the file's unit and axes; each joint is the start of the bone it is named after.

    Args:
        path: The AMC file.
        skeleton: Its ASF file.
        fps: Frames per second.

    Raises:
        FileNotFoundError: If a file does not exist.
        ValueError: If a file is not complete, or the motion is not of this skeleton.
    """
    path = Path(path)
    asf = skeleton if isinstance(skeleton, AsfSkeleton) else read_asf(skeleton)
    degrees, values = _read_frames(path, asf)
    names, parents, offsets = _joints(asf)
    local_quat = np.zeros((len(values["root"]), len(names), 4))
    local_quat[..., 3] = 1.0
    root = values["root"][:, [asf.root_order.index(channel) for channel in ROOT_CHANNELS]]
    turns = "".join(channel[1].lower() for channel in asf.root_order if channel.startswith("R"))
    angles = root[:, 3:][:, ["xyz".index(axis) for axis in turns]]
    local_quat[:, 0] = _turned(asf.root_axis, turns, angles, degrees)
    for name, bone in asf.bones.items():
        if bone.dof:
            turns = "".join(channel[1] for channel in bone.dof)
            local_quat[:, names.index(name)] = _turned(bone.axis, turns, values[name], degrees)
    return SkeletonMotion(
        float(fps), tuple(names), tuple(parents), offsets, _continuous(local_quat), root[:, :3].copy()
    )


def _turned(axis: Rotation, turns: str, angles: np.ndarray, degrees: bool) -> np.ndarray:
    """C M C^-1 as quaternions, shape [num_frames, 4]."""
    return (axis * Rotation.from_euler(turns, angles, degrees=degrees) * axis.inv()).as_quat()


def _joints(asf: AsfSkeleton) -> tuple[list[str], list[int], np.ndarray]:
    """Names, parents and offsets: a bone starts where its parent ends, and bones without children end in a joint."""
    names, parents, offsets = ["root"], [-1], [np.zeros(3)]
    for name, parent in asf.parents.items():
        names.append(name)
        parents.append(names.index(parent))
        bone = asf.bones.get(parent)
        offsets.append(bone.direction * bone.length if bone else np.zeros(3))
    for name, bone in asf.bones.items():
        if name not in asf.parents.values():
            names.append(name + END_SUFFIX)
            parents.append(names.index(name))
            offsets.append(bone.direction * bone.length)
    return names, parents, np.array(offsets)


def _read_frames(path: Path, asf: AsfSkeleton) -> tuple[bool, dict[str, np.ndarray]]:
    """Whether angles are degrees, and each bone's channels over time, shape [num_frames, num_channels]."""
    expected = {"root": 6} | {name: len(bone.dof) for name, bone in asf.bones.items() if bone.dof}
    degrees, frames = asf.degrees, []
    for place, line in enumerate(read_text(path, "an AMC file").splitlines(), start=1):
        words, where = line.split("#")[0].split(), f"{path.name}, line {place}"
        if not words:
            continue
        if words[0].startswith(":"):
            degrees = {":degrees": True, ":radians": False}.get(words[0].lower(), degrees)
        elif len(words) == 1:
            _start_frame(frames, words[0], expected, where)
        elif not frames:
            raise ValueError(f"{where}: {words[0][:40]!r} before the number of the first frame: not an AMC file.")
        elif words[0] not in expected:
            raise ValueError(
                f"{where}: the skeleton {asf.name} has no channels of bone '{words[0]}'. It has: {sorted(expected)}."
                " Pass the ASF file that belongs to this motion."
            )
        else:
            frames[-1][words[0]] = numbers(words[1:], expected[words[0]], f"{where}, bone '{words[0]}'")
    if len(frames) < 2:
        raise ValueError(f"{path.name} holds {len(frames)} frames, expected at least 2.")
    _require_all(frames[-1], expected, len(frames), path.name)
    return degrees, {name: np.array([frame[name] for frame in frames]) for name in expected}


def _start_frame(frames: list[dict], token: str, expected: dict[str, int], where: str) -> None:
    found = number(token, f"{where}, frame number")
    if frames:
        _require_all(frames[-1], expected, len(frames), where)
        if found != frames[0]["number"] + len(frames):
            raise ValueError(f"{where}: frame {found:g} follows frame {frames[0]['number'] + len(frames) - 1:g}.")
    frames.append({"number": found})


def _require_all(frame: dict, expected: dict[str, int], count: int, where: str) -> None:
    missing = sorted(set(expected) - set(frame))
    if missing:
        raise ValueError(
            f"{where}: frame {count} lacks the bones {missing}: the file is truncated or of another skeleton."
        )
