"""Learning curves of a training run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


def plot_progress(rows: Sequence[dict[str, float]], path: Path) -> Path:
    """Draw reward, episode length and time between failures over environment steps.

    Args:
        rows: Rows of a run's ``progress.csv``.
        path: PNG file to write.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    panels = {
        "mean_reward": "mean episode reward",
        "mean_episode_length": "mean episode length [steps]",
        "robot_seconds_per_failure": "robot time per failure [s]",
    }
    figure, axes = plt.subplots(1, len(panels), figsize=(12, 3.4), layout="constrained")
    steps = [row["total_steps"] / 1e6 for row in rows]
    for axis, (key, label) in zip(axes, panels.items(), strict=True):
        axis.plot(steps, [row[key] for row in rows], color="#1f5fa8", linewidth=1.4)
        axis.set(xlabel="environment steps [million]", ylabel=label)
        axis.grid(alpha=0.3)
    axes[-1].set_yscale("log")
    figure.savefig(path, dpi=130)
    plt.close(figure)
    return path
