"""The summary of an ablation as bars."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from whole_body_tracking.files import replacing

from .summary import metrics_of


def plot_summary(summary: Sequence[dict], path: Path) -> Path:
    """Draw a panel for each metric of the table, a bar for each variant and the deviation over seeds.

    Args:
        summary: From :func:`~.summary.summarise`.
        path: PNG file to write; a metric that a variant lacks has no bar.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    metrics = metrics_of(summary)
    columns = (len(metrics) + 1) // 2
    size = (3.0 * columns, 2.0 + 0.5 * len(summary))
    figure, axes = plt.subplots(2, columns, figsize=size, sharey=True, layout="constrained")
    names = [row["variant"] for row in summary]
    for axis, (key, (heading, factor, _)) in zip(axes.flat, metrics.items(), strict=False):
        values = [row["metrics"].get(key) or {"mean": float("nan"), "std": None} for row in summary]
        means, spread = [factor * v["mean"] for v in values], [factor * (v["std"] or 0.0) for v in values]
        axis.barh(names, means, xerr=spread, color="#1f5fa8", height=0.6)
        axis.set_xlim(left=min([0.0, *(mean for mean in means if mean == mean)]))
        axis.set_title(heading, fontsize=10)
        axis.grid(axis="x", alpha=0.3)
    axes[0, 0].invert_yaxis()
    with replacing(path, ".png") as partial:
        figure.savefig(partial, dpi=110)
    plt.close(figure)
    return path
