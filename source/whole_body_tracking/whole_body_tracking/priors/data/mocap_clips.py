"""Clips of a folder of human mocap, retargeted once and kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from whole_body_tracking.mocap.figure import robot_figure
from whole_body_tracking.mocap.job import RetargetJob, run_retargeting
from whole_body_tracking.mocap.retarget import RetargetSettings
from whole_body_tracking.robots import RobotModel


def retargeted_clips(
    folder: Path, robot: RobotModel, fps: float, report: Callable[[str], None] = lambda line: None
) -> Path:
    """Folder of the clips, ``retargeted_<robot>_<fps>fps`` inside the mocap's; what is there and newer is kept.

    Args:
        folder: With BVH or AMC files.
        robot: To move.
        fps: Rate of the clips.
        report: Called with a line about each file.

    Raises:
        FileNotFoundError: If there is no such folder, or no mocap file in it.
        ValueError: If no file could be retargeted.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"The mocap folder {folder} does not exist. Give a folder of BVH or AMC files.")
    target = folder / f"retargeted_{robot.name}_{fps:g}fps"
    job = RetargetJob(folder, robot_figure(robot), RetargetSettings(output_fps=fps), output_dir=target)
    stale = [path for path in job.inputs if not _is_current(path, target)]
    if stale:
        for path in stale:
            _retarget(path, job, report)
    if not any(target.glob("*.npz")):
        raise ValueError(f"None of {len(job.inputs)} files in {folder} could be retargeted.")
    return target


def _is_current(path: Path, target: Path) -> bool:
    clip = target / f"{path.stem}.npz"
    return clip.is_file() and clip.stat().st_mtime >= path.stat().st_mtime


def _retarget(path: Path, job: RetargetJob, report: Callable[[str], None]) -> None:
    alone = RetargetJob(path, job.figure, job.settings, output_dir=job.output_dir)
    for item in run_retargeting(alone):
        report(f"{path.name}: {item.error}" if item.error is not None else f"{path.name} retargeted")
