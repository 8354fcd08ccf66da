"""Clips that the package carries, so that every task runs without a download."""

from __future__ import annotations

from pathlib import Path

DATA_DIR = Path(__file__).parents[1] / "data"

DEFAULT_MOTION_FILE = DATA_DIR / "squat.npz"
"""``motions/squat.csv`` at 50 fps, written by ``scripts/maintenance/make_motions.py``."""

DEFAULT_MOTION_FILE_25HZ = DATA_DIR / "squat_25hz.npz"
"""The same at 25 fps, for tasks controlled at 25 Hz."""

DEFAULT_WALK_FILE = DATA_DIR / "walk.npz"
"""``motions/walk.csv`` at 50 fps: the reference of the schedule task, and poses to compare a walk with."""
