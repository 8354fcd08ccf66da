"""Assignment of experts to clips: a clip's own expert, or that of the most similar motion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from whole_body_tracking.motion import MotionClip, MotionLibrary
from whole_body_tracking.motion.analysis.similarity import distance, frame_features
from whole_body_tracking.robots import RobotModel

from .table import Expert, ExpertTable

ExpertChoice = Literal["motion", "nearest"]
EXPERT_CHOICES: tuple[ExpertChoice, ...] = ("motion", "nearest")


@dataclass(frozen=True)
class Assignment:
    """The expert of a clip."""

    clip: str
    expert: int
    """Index in the table."""
    distance: float = 0.0
    """From the expert's motion to the clip: :func:`~whole_body_tracking.motion.analysis.similarity.distance`."""


def assign_experts(
    table: ExpertTable, clips: Sequence[MotionClip], choice: ExpertChoice, robot: RobotModel
) -> list[Assignment]:
    """Expert of each clip.

    ``motion`` goes by name and digest. ``nearest`` takes the expert whose motion has the smallest distance of
    :mod:`whole_body_tracking.motion.analysis.similarity` (joint positions and velocities, root velocity, tilt and
    height, over nearest frames), so a clip that has an expert gets it, at distance 0. It compares whole clips, not
    single frames: motions that pass through the same pose would switch back and forth there.

    Raises:
        FileNotFoundError: If the clip of an expert is gone and ``nearest`` needs it.
        ValueError: If a clip has no expert of its own and ``motion`` is asked for, or the clip of an expert changed.
    """
    if not table.experts:
        raise ValueError(f"{table.path} does not list any expert yet. Train some with train_experts.py.")
    own = [_own_expert(table, clip, required=choice == "motion") for clip in clips]
    if None not in own:
        return [Assignment(clip.name, expert) for clip, expert in zip(clips, own, strict=True)]
    motions = [_clip_of(expert) for expert in table.experts]
    features = _features([*motions, *clips], robot)
    rows = zip(clips, own, features[len(motions) :], strict=True)
    return [
        Assignment(clip.name, expert) if expert is not None else _nearest(clip.name, frames, features[: len(motions)])
        for clip, expert, frames in rows
    ]


def _own_expert(table: ExpertTable, clip: MotionClip, required: bool) -> int | None:
    digests = [expert.sha256 for expert in table.experts]
    named = table.find(clip.name)
    if named is not None and named.sha256 == clip.digest:
        return table.motions.index(clip.name)
    if not required:
        return digests.index(clip.digest) if clip.digest in digests else None
    if named is not None:
        raise ValueError(
            f"The expert of '{clip.name}' was trained on another version of the clip: digest {named.sha256[:12]}, this"
            f" one has {clip.digest[:12]}. Train it anew, or take --expert_choice nearest."
        )
    raise ValueError(
        f"'{clip.name}' has no expert in {table.path}. Experts: {', '.join(table.motions)}. Train one with"
        " train_experts.py, leave the clip out, or take --expert_choice nearest."
    )


def _clip_of(expert: Expert) -> MotionClip:
    clip = expert.entry.load()
    if clip.digest != expert.sha256:
        raise ValueError(
            f"{expert.file} is not the clip that the expert of '{expert.motion}' was trained on: digest"
            f" {clip.digest[:12]}, expected {expert.sha256[:12]}."
        )
    return clip


def _features(clips: Sequence[MotionClip], robot: RobotModel) -> list:
    names = {"joint_names": robot.joint_names, "body_names": robot.body_names}
    libraries = [MotionLibrary.from_clips([clip], **names, device="cpu") for clip in clips]
    return [frame_features(library, 0, robot) for library in libraries]


def _nearest(name: str, frames, experts: Sequence) -> Assignment:
    distances = [distance(frames, other) for other in experts]
    best = min(range(len(distances)), key=distances.__getitem__)
    return Assignment(name, best, distances[best])
