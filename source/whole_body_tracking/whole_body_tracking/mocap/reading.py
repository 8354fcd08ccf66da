"""From a mocap file to a skeleton motion in metres with z up, and what was found out about the file."""

from __future__ import annotations

import dataclasses
import hashlib
from dataclasses import dataclass
from pathlib import Path

from .correspondence import CorrespondenceTable, choose_table
from .readers.amc import CMU_FPS, read_amc
from .readers.asf import read_asf
from .readers.bvh import read_bvh
from .skeleton import SkeletonMotion
from .units import UNITS, detect_unit, detect_up, leg_length, parse_unit, to_meters_z_up

SUFFIXES = (".bvh", ".amc")
"""Kinds of mocap files."""
CALIBRATION_STEP, CALIBRATION_WINDOW = 0.15, 12
"""A first frame from which a joint moves farther than this [m], and five times as far as in any of the next frames of
this window, is a calibration pose."""


@dataclass(frozen=True)
class MocapFile:
    """A mocap file as read."""

    motion: SkeletonMotion
    """In metres, z up."""
    table: CorrespondenceTable
    joints: dict[str, str]
    """The skeleton's joint of each landmark that it has."""
    unit: str
    """Name of the unit, or metres of a length of 1."""
    up: str
    """The file's up axis."""
    leg_length: float
    """Thigh and shank, mean of both sides [m]."""
    notes: tuple[str, ...] = ()
    """What was left out or corrected, a line each."""
    first_frame: int = 1
    """Which of the file's frames, from 1, the motion begins with."""

    def describe(self) -> str:
        """One line about the file."""
        motion = self.motion
        return (
            f"{motion.num_frames} frames at {motion.fps:g} fps, {motion.num_joints} joints (table {self.table.name});"
            f" unit {self.unit}, {self.up} up, legs {self.leg_length:.3f} m"
        )


def read_mocap(
    path: str | Path,
    skeleton: str | Path | None = None,
    unit: str | None = None,
    up: str | None = None,
    fps: float | None = None,
    table: str | None = None,
) -> MocapFile:
    """Read a BVH file, or an AMC file with its ASF.

    Args:
        path: The motion.
        skeleton: ASF file of an AMC; None takes the only one that fits beside it: its name without the last part
            (``11.asf`` for ``11_01.amc``).
        unit: Name in :data:`~.units.UNITS` or metres of a length of 1; None tells it from the legs, or takes the ASF's.
        up: The file's up axis, such as "y"; None tells it from the body.
        fps: Frames per second, instead of what the file says; an AMC says nothing and is taken to have 120.
        table: Name or path of a correspondence table; None takes the first packaged one that fits.

    Raises:
        FileNotFoundError: If a file does not exist.
        ValueError: If a file cannot be read, no table fits, or unit or axis cannot be told.
    """
    path = Path(path)
    if fps is not None and not 1.0 <= fps <= 10_000.0:
        raise ValueError(f"The rate of {path.name} is {fps:g} fps, expected 1 to 10,000.")
    motion, file_unit = _read(path, skeleton, fps)
    chosen = choose_table(motion.names, table)
    joints = chosen.find(motion.names)
    leg = leg_length(motion, joints)
    named = unit or file_unit or detect_unit(leg)
    meters = parse_unit(named)
    up = up or detect_up(motion, joints)
    source = {"file": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "input_fps": motion.fps}
    motion = dataclasses.replace(to_meters_z_up(motion, meters, up), source=source | {"unit": named, "up": up})
    _check_size(path, leg * meters, named)
    kept, notes = without_calibration_frame(motion)
    first_frame = 1 + motion.num_frames - kept.num_frames
    return MocapFile(kept, chosen, joints, named, up, leg * meters, notes, first_frame)


def without_calibration_frame(motion: SkeletonMotion) -> tuple[SkeletonMotion, tuple[str, ...]]:
    """The motion without a first frame that is a pose of its own, as converters put a T-pose before the recording."""
    if motion.num_frames < 4:
        return motion, ()
    pos, _ = dataclasses.replace(
        motion, local_quat=motion.local_quat[:CALIBRATION_WINDOW], root_pos=motion.root_pos[:CALIBRATION_WINDOW]
    ).joint_poses()
    steps = pos.diff(dim=0).norm(dim=-1).amax(1)
    if float(steps[0]) < CALIBRATION_STEP or float(steps[0]) < 5.0 * float(steps[1:].max()):
        return motion, ()
    kept = dataclasses.replace(motion, local_quat=motion.local_quat[1:], root_pos=motion.root_pos[1:])
    return kept, (f"the first frame, a pose {float(steps[0]):.2f} m away from the second, is left out",)


def _read(path: Path, skeleton: str | Path | None, fps: float | None) -> tuple[SkeletonMotion, str | None]:
    """The motion in the file's unit and axes, and the unit where the file says it."""
    suffix = path.suffix.lower()
    if suffix == ".bvh":
        if skeleton is not None:
            raise ValueError(f"{path.name} is a BVH and carries its skeleton; --skeleton is for AMC files.")
        motion = read_bvh(path)
        return (motion if fps is None else dataclasses.replace(motion, fps=float(fps))), None
    if suffix == ".asf":
        raise ValueError(
            f"{path.name} is a skeleton without a motion. Pass the AMC file, and this one with --skeleton."
        )
    if suffix != ".amc":
        raise ValueError(f"{path.name}: unknown kind of file. Known: {list(SUFFIXES)}, an AMC with its ASF.")
    asf = read_asf(skeleton if skeleton is not None else skeleton_beside(path))
    motion = read_amc(path, asf, fps or CMU_FPS)
    unit = (
        None if asf.unit is None else next((k for k, v in UNITS.items() if abs(v / asf.unit - 1) < 1e-6), str(asf.unit))
    )
    return motion, unit


def skeleton_beside(path: Path) -> Path:
    """The ASF file that belongs to an AMC file in the same folder.

    Raises:
        FileNotFoundError: If there is none.
    """
    names = (path.stem, path.stem.rsplit("_", 1)[0])
    for name in names:
        for suffix in (".asf", ".ASF"):
            candidate = path.with_name(name + suffix)
            if candidate.is_file():
                return candidate
    raise FileNotFoundError(
        f"{path.name} needs its skeleton, and neither {names[0]}.asf nor {names[1]}.asf lies beside it."
        " Pass it with --skeleton FILE.asf."
    )


def _check_size(path: Path, leg: float, unit: str) -> None:
    if not 0.2 <= leg <= 2.0:
        raise ValueError(
            f"{path.name}: with the unit {unit}, thigh and shank measure {leg:.3g} m, expected 0.2 to 2 m."
            " Another unit is meant: see --unit."
        )
