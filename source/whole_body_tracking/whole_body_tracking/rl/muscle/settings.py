"""Settings of MuscleNN's learning in turns with PPO, and their check before any simulator starts."""

from __future__ import annotations

from typing import Any

from whole_body_tracking.tasks.tracking.muscle_learning_cfg import MUSCLE_CLASS, MuscleLearningCfg


def check_muscle_learning(env_cfg: Any, agent_cfg: Any) -> None:
    """Check the numbers, and that there is a network to train; nothing without it.

    Raises:
        ValueError: If a number is out of its range, or the task has no muscles with a MuscleNN.
    """
    algorithm = getattr(agent_cfg, "algorithm", None)
    if getattr(algorithm, "class_name", None) != MUSCLE_CLASS:
        return
    check_numbers(algorithm.muscle)
    groups = env_cfg.scene.robot.actuators
    if not any(getattr(cfg, "muscle_nn", None) for cfg in groups.values()):
        raise ValueError(
            f"MuscleNN should learn with PPO, and the robot's actuators {sorted(groups)} have none. Take"
            " presets=muscles env.scene.robot.actuators.muscles.muscle_nn=FILE, a file of train_muscle.py."
        )


def check_numbers(muscle: MuscleLearningCfg) -> None:
    """Check the numbers of the settings.

    Raises:
        ValueError: If one is out of its range.
    """
    for name in ("num_updates", "batch_size", "capacity"):
        if getattr(muscle, name) < 1:
            raise ValueError(f"agent.algorithm.muscle.{name} is {getattr(muscle, name)}, expected at least 1.")
    if not muscle.learning_rate > 0.0:
        raise ValueError(f"agent.algorithm.muscle.learning_rate is {muscle.learning_rate}, expected more than 0.")
    if not 0.0 <= muscle.visited_share <= 1.0:
        raise ValueError(f"agent.algorithm.muscle.visited_share is {muscle.visited_share}, expected 0 to 1.")
