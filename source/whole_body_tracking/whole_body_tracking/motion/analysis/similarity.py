"""Similarity of clips: a distance from joint and root features over time, clusters, tags and an order to learn in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform
from torch import Tensor

from whole_body_tracking.robots import RobotModel

from ..geometry.rotations import quat_conjugate, quat_rotate
from ..library import MotionLibrary
from .difficulty import ClipFeatures, clip_features

FEATURE_RATE = 5.0
"""Rate at which clips are compared [Hz]."""
MAX_FEATURE_FRAMES = 200
"""Frames of a clip that are compared at most, evenly spread."""
JOINT_VELOCITY_WEIGHT, ROOT_VELOCITY_WEIGHT, UP_WEIGHT, HEIGHT_WEIGHT = 0.1, 0.5, 1.0, 2.0
"""Weights of 1 rad/s of a joint, 1 m/s of the root, 1 of its up vector and 1 m of its height against 1 rad."""


@dataclass(frozen=True)
class SimilarityReport:
    """Result of :func:`compare_clips` for a library."""

    names: tuple[str, ...]
    """Name of each clip."""
    distances: np.ndarray
    """Distance of each pair of clips, shape [num_clips, num_clips]."""
    clusters: np.ndarray
    """Cluster of each clip, counted from 1, shape [num_clips]."""
    features: tuple[ClipFeatures, ...]
    """Averages over each clip."""
    tags: tuple[str, ...]
    """``locomotion``, ``dynamic``, ``artistic`` or ``recovery`` for each clip."""
    order: tuple[int, ...]
    """Clips from easy to hard."""


def compare_clips(library: MotionLibrary, robot: RobotModel, cluster_distance: float = 1.8) -> SimilarityReport:
    """Compare all clips of a library with each other.

    Args:
        library: Clips with all joints, the root and the feet of the robot.
        robot: Whose clips they are.
        cluster_distance: Clips of a cluster are on average no farther apart.

    Raises:
        ValueError: If the library lacks the root or a foot, or the distance is not positive.
    """
    if cluster_distance <= 0.0:
        raise ValueError(f"The cluster distance is {cluster_distance:g}, expected a positive number.")
    frames = [frame_features(library, clip, robot) for clip in range(library.num_clips)]
    features = tuple(clip_features(library, clip, robot) for clip in range(library.num_clips))
    distances = distance_matrix(frames)
    order = sorted(range(library.num_clips), key=lambda clip: features[clip].difficulty)
    return SimilarityReport(
        library.names,
        distances,
        cluster(distances, cluster_distance),
        features,
        tuple(tag_of(item) for item in features),
        tuple(order),
    )


def frame_features(library: MotionLibrary, clip: int, robot: RobotModel) -> Tensor:
    """Weighted features of frames of a clip, unchanged by place and heading, shape [num_samples, num_features].

    Joint positions and velocities, the root's velocity in its own frame, its up vector and its height.
    """
    num_frames = int(library.num_frames[clip])
    num = min(MAX_FEATURE_FRAMES, max(2, round(num_frames / library.fps * FEATURE_RATE)))
    frames = torch.linspace(0, num_frames - 1, num, device=library.starts.device).round().long()
    state = library.state_at(torch.full_like(frames, clip), frames)
    root = library.body_names.index(robot.body_names[0])
    to_root = quat_conjugate(state.body_quat_w[:, root])
    up = quat_rotate(to_root, to_root.new_tensor([0.0, 0.0, 1.0]).expand(num, 3))
    parts = (
        state.joint_pos,
        JOINT_VELOCITY_WEIGHT * state.joint_vel,
        ROOT_VELOCITY_WEIGHT * quat_rotate(to_root, state.body_lin_vel_w[:, root]),
        UP_WEIGHT * up,
        HEIGHT_WEIGHT * state.body_pos_w[:, root, 2:],
    )
    return torch.cat(parts, dim=-1)


def distance(a: Tensor, b: Tensor) -> float:
    """Mean distance of each frame from the nearest one of the other clip, both ways; 0 for the same clip.

    Being about nearest frames, it does not mind when something is done, nor how often; velocities among the features
    say in which direction time runs.

    Args:
        a: Features of one clip's frames, shape [num_a, num_features].
        b: Features of the other's, shape [num_b, num_features].
    """
    # The exact difference, not |a|^2 - 2ab + |b|^2: a clip is at distance 0 from itself.
    pairs = torch.cdist(a, b, compute_mode="donot_use_mm_for_euclid_dist")
    return 0.5 * float(pairs.amin(1).mean() + pairs.amin(0).mean())


def distance_matrix(frames: list[Tensor]) -> np.ndarray:
    """Distance of each pair, symmetric with a zero diagonal, shape [num_clips, num_clips]."""
    matrix = np.zeros((len(frames), len(frames)))
    for i, a in enumerate(frames):
        for j in range(i):
            matrix[i, j] = matrix[j, i] = distance(a, frames[j])
    return matrix


def cluster(distances: np.ndarray, threshold: float) -> np.ndarray:
    """Cluster of each clip by average linkage, counted from 1, shape [num_clips]."""
    if len(distances) == 1:
        return np.ones(1, dtype=int)
    return fcluster(linkage(squareform(distances, checks=False), method="average"), threshold, criterion="distance")


def tag_of(features: ClipFeatures) -> str:
    """Kind of a clip by its averages.

    ``recovery``: the root is close to the floor for some time; ``dynamic``: fast or often airborne; ``locomotion``: the
    root travels; ``artistic``: the rest, motion in place.
    """
    if features.low_root < 0.4:
        return "recovery"
    if features.root_speed > 1.2 or features.airtime > 0.25 or features.vertical_speed > 0.6:
        return "dynamic"
    return "locomotion" if features.root_speed > 0.45 else "artistic"
