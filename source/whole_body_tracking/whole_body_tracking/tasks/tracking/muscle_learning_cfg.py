"""Settings of MuscleNN's learning in turns with PPO, as a part of PPO's."""

from __future__ import annotations

from isaaclab.utils import configclass

MUSCLE_CLASS = "whole_body_tracking.rl.muscle.ppo:MusclePPO"


@configclass
class MuscleLearningCfg:
    """``agent.algorithm.muscle``: used with ``agent.algorithm.class_name=whole_body_tracking.rl.muscle.ppo:MusclePPO``,
    as scripts/muscle/train_muscle.py --task does."""

    learning_rate: float = 3.0e-5
    """Of MuscleNN, after a rise over the first 100 updates."""
    num_updates: int = 20
    """Of MuscleNN, per iteration."""
    batch_size: int = 256
    """States of an update."""
    visited_share: float = 0.5
    """Share of them that the policy visited, in [0, 1]; the others are sampled as before, so that nothing is lost."""
    capacity: int = 30_000
    """States that are remembered, one per env and physics step."""
