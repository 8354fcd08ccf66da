"""Curves of a training: TensorBoard always, W&B when asked."""

from __future__ import annotations

from pathlib import Path

from whole_body_tracking.motion.sources.wandb_client import wandb_client

from .training import Epoch


class EpochLog:
    """Writes losses of epochs; a context manager."""

    def __init__(self, folder: Path, wandb_project: str | None, config: dict):
        """Open the logs.

        Args:
            folder: Where TensorBoard's event files go.
            wandb_project: W&B project, or None; entering raises an OSError where it cannot be reached.
            config: Plain values for W&B's table.
        """
        self.folder, self.project, self.config = folder, wandb_project, config
        self._run = None

    def __enter__(self) -> EpochLog:
        from torch.utils.tensorboard import SummaryWriter

        if self.project is not None:
            with wandb_client(f"Logging to {self.project}", "Leave out --wandb_project to log here only.") as wandb:
                self._run = wandb.init(
                    project=self.project, name=self.folder.name, dir=str(self.folder), config=self.config
                )
        self._writer = SummaryWriter(str(self.folder))
        return self

    def __exit__(self, *_: object) -> None:
        self._writer.close()
        if self._run is not None:
            self._run.finish()

    def add(self, epoch: Epoch) -> None:
        """Write an epoch's losses and speed."""
        values = {
            "Loss/train": epoch.train_loss,
            "Loss/validation": epoch.validation_loss,
            "Perf/windows_per_s": epoch.num_windows / max(epoch.seconds, 1e-9),
        }
        for name, value in values.items():
            self._writer.add_scalar(name, value, epoch.number + 1)
        self._writer.flush()
        if self._run is not None:
            self._run.log(values, step=epoch.number + 1)
