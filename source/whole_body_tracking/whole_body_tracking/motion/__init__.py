"""Motions without a simulator: read, resample, forward kinematics, clip files, quality, library."""

from .analysis.quality import QualityReport, quality_report
from .clip import MotionClip
from .conversion.convert import convert
from .conversion.readers import RawMotion, read_csv
from .defaults import DEFAULT_MOTION_FILE, DEFAULT_MOTION_FILE_25HZ
from .library import MotionLibrary, MotionState
from .sources.paths import resolve_motion_files

__all__ = [
    "DEFAULT_MOTION_FILE",
    "DEFAULT_MOTION_FILE_25HZ",
    "MotionClip",
    "MotionLibrary",
    "MotionState",
    "QualityReport",
    "RawMotion",
    "convert",
    "quality_report",
    "read_csv",
    "resolve_motion_files",
]
