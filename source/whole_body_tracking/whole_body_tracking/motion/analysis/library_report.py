"""Report on a library: who is like whom, which kind each clip is, and an order to learn them in."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import yaml

from whole_body_tracking.robots import get_robot

from ..compact_library import CompactMotionLibrary
from ..sources.motion_entries import MotionEntry, resolve_entries
from .similarity import SimilarityReport, compare_clips

COLUMNS = (
    "order",
    "clip",
    "tag",
    "cluster",
    "nearest",
    "distance",
    "difficulty",
    "duration_s",
    "root_speed",
    "airtime",
)


def report_on(
    motions: Sequence[str], cluster_distance: float = 1.8, robot_name: str = "g1"
) -> tuple[list[MotionEntry], list[dict], SimilarityReport]:
    """Compare clips and list them from easy to hard.

    Args:
        motions: Files, folders, globs, manifests or registry names.
        cluster_distance: Clips of a cluster are on average no farther apart.
        robot_name: Whose clips they are.

    Returns:
        The entries, one row per clip by name of column, and the comparison, the first and last in the order given.

    Raises:
        FileNotFoundError: If a name does not match any file.
        ValueError: If a file is not a clip of this robot, or rates differ.
    """
    robot = get_robot(robot_name)
    entries = resolve_entries(motions)
    bodies = (robot.body_names[0], *robot.foot_body_names)
    library = CompactMotionLibrary.from_clips([entry.load() for entry in entries], body_names=bodies, robot=robot)
    found = compare_clips(library, robot, cluster_distance)
    durations = library.durations.tolist()
    rows = [_row(place, clip, found, durations[clip]) for place, clip in enumerate(found.order, start=1)]
    return entries, rows, found


def write_csv(path: Path, rows: list[dict]) -> None:
    """Write the rows as a table."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=COLUMNS)
        writer.writeheader()
        writer.writerows(rows)


def write_manifest(
    path: Path, entries: list[MotionEntry], found: SimilarityReport, measured: dict | None = None
) -> None:
    """Write a manifest of the clips with tags and difficulties, from easy to hard.

    Args:
        path: Where to write it.
        entries: The clips.
        found: What the comparison says of them.
        measured: Failure rate by clip from :func:`read_failure_rates`, which then is the difficulty.

    Raises:
        ValueError: If the failure rate of a clip was not measured.
    """
    missing = [name for name in found.names if measured is not None and name not in measured]
    if missing:
        raise ValueError(f"The table of failure rates lacks the clips {missing}. It has: {sorted(measured)}.")
    difficulty = [
        found.features[clip].difficulty if measured is None else measured[name] for clip, name in enumerate(found.names)
    ]
    order = sorted(range(len(entries)), key=lambda clip: difficulty[clip])
    items = []
    for clip in order:
        entry = entries[clip]
        item = {"file": str(entry.path.resolve()), "tags": [found.tags[clip]], "difficulty": round(difficulty[clip], 4)}
        item |= {"weight": entry.weight} if entry.weight != 1.0 else {}
        item |= {"frame_range": list(entry.frame_range)} if entry.frame_range else {}
        item |= {"split": entry.split} if entry.split else {}
        items.append(item)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump({"motions": items}, sort_keys=False))


def read_failure_rates(path: Path) -> dict[str, float]:
    """Failure rate of each clip from a run's ``clips.csv``.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is not such a table.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path} does not exist. Training writes clips.csv into the run folder at every save.")
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    if not rows or not {"clip", "failure_rate"} <= rows[0].keys():
        raise ValueError(f"{path} is not a table of clips: expected the columns `clip` and `failure_rate`.")
    return {row["clip"]: float(row["failure_rate"]) for row in rows}


def _row(place: int, clip: int, found: SimilarityReport, duration: float) -> dict:
    others = [other for other in range(len(found.names)) if other != clip]
    nearest = min(others, key=lambda other: found.distances[clip, other], default=None)
    features = found.features[clip]
    return {
        "order": place,
        "clip": found.names[clip],
        "tag": found.tags[clip],
        "cluster": int(found.clusters[clip]),
        "nearest": "" if nearest is None else found.names[nearest],
        "distance": "" if nearest is None else round(float(found.distances[clip, nearest]), 3),
        "difficulty": round(features.difficulty, 3),
        "duration_s": round(duration, 2),
        "root_speed": round(features.root_speed, 3),
        "airtime": round(features.airtime, 3),
    }
