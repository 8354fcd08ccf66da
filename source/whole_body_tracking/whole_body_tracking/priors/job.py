"""A training from clips to a model file: what ``scripts/pretrain/train_motion.py`` calls."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch

from whole_body_tracking.files import write_table
from whole_body_tracking.robots import RobotModel

from .checkpoint import BEST_FILE, LAST_FILE, AnyModel, empty_model, resume_from, save_model
from .data.curriculum import TagRange, clips_of_epoch, require_used
from .data.splits import SPLIT_FILE, Split
from .epoch_log import EpochLog
from .networks.modes import NetworkSettings
from .state import StateLayout, clip_states
from .training import Epoch, Trainer, TrainingSettings

PROGRESS_FILE = "progress.csv"


@dataclass(frozen=True)
class PretrainJob:
    """What to train on, how, and where to."""

    split: Split
    robot: RobotModel
    output_dir: Path
    network: NetworkSettings
    training: TrainingSettings
    curriculum: Sequence[TagRange] = ()
    resume: bool = False
    """Go on from the last checkpoint of the output folder."""
    max_minutes: float | None = None
    """Stop after the epoch in which this time is used up."""
    wandb_project: str | None = None
    """W&B project to log to; None logs to TensorBoard and ``progress.csv`` alone."""

    def __post_init__(self):
        require_used(self.split.train, self.curriculum)
        for epoch in range(self.training.epochs):
            clips_of_epoch(self.split.train, self.curriculum, epoch)
        has_last = (self.output_dir / LAST_FILE).exists()
        if self.resume and not has_last:
            raise FileNotFoundError(f"There is no {LAST_FILE} in {self.output_dir} to resume. Leave out --resume.")
        if has_last and not self.resume:
            raise ValueError(
                f"{self.output_dir} already has a {LAST_FILE}. Go on with --resume, or give another --output_dir."
            )

    @property
    def layout(self) -> StateLayout:
        """Layout of the clips' states: they all have the rate of the first."""
        return StateLayout.of_robot(self.robot, self.split.train[0].header().fps)


def run_pretraining(job: PretrainJob, report: Callable[[float], None] = lambda share: None) -> Iterator[Epoch]:
    """Train epoch by epoch; the model, the split and the table of progress are written before each is yielded.

    Args:
        job: What to do.
        report: Called with the share of the epoch that is done.

    Raises:
        FileNotFoundError: If a clip is gone.
        ValueError: If clips do not fit each other, or a checkpoint does not fit the job.
    """
    started = time.monotonic()
    _require_clips(job)
    torch.manual_seed(job.training.seed)
    model = _new_model(job)
    trainer = Trainer(
        model, job.training, lambda n: clips_of_epoch(job.split.train, job.curriculum, n), job.split.validation
    )
    progress = _Progress(job)
    if job.resume:
        progress.restore(resume_from(job.output_dir / LAST_FILE, model, trainer.optimizer))
    else:
        model.normalizer.fit(clip_states(entry.load(), job.layout) for entry in job.split.train)
    job.output_dir.mkdir(parents=True, exist_ok=True)
    job.split.save(job.output_dir / SPLIT_FILE)
    with EpochLog(job.output_dir, job.wandb_project, _described(job)) as log:
        for number in range(progress.next_epoch, job.training.epochs):
            epoch = trainer.run_epoch(number, report)
            progress.add(epoch, trainer)
            log.add(epoch)
            yield epoch
            if job.max_minutes is not None and time.monotonic() - started > 60.0 * job.max_minutes:
                return


@dataclass
class _Progress:
    """Rows of the epochs, and the files that are written after each."""

    job: PretrainJob
    rows: list[dict] = field(default_factory=list)

    @property
    def next_epoch(self) -> int:
        return len(self.rows)

    def restore(self, training: dict) -> None:
        """Take over what a checkpoint says about the epochs before it.

        Raises:
            ValueError: If its clips or settings were others.
        """
        now = _described(self.job)
        for key in ("data", "settings"):
            before, here = training[key], now[key]
            if key == "settings":
                before, here = before | {"epochs": 0}, here | {"epochs": 0}  # more epochs are fine
            if before != here:
                raise ValueError(
                    f"The run in {self.job.output_dir} had other {'clips' if key == 'data' else 'settings'}:"
                    f" {before} instead of {here}. Resume it with its own, or give another --output_dir."
                )
        self.rows = training["epochs"]

    def add(self, epoch: Epoch, trainer: Trainer) -> None:
        """Append an epoch and write the last checkpoint, the best one if it is that, and the table."""
        self.rows.append({"epoch": epoch.number + 1} | {k: v for k, v in asdict(epoch).items() if k != "number"})
        training = _described(self.job) | {"epochs": self.rows}
        if epoch.validation_loss <= min(row["validation_loss"] for row in self.rows):
            save_model(self.job.output_dir / BEST_FILE, trainer.model, training)
        write_table(self.job.output_dir / PROGRESS_FILE, self.rows)
        save_model(self.job.output_dir / LAST_FILE, trainer.model, training, trainer.optimizer)


def _described(job: PretrainJob) -> dict:
    return {"data": job.split.digest, "settings": job.training.as_json(), "held_out": list(job.split.held_out)}


def _new_model(job: PretrainJob) -> AnyModel:
    return empty_model({"layout": job.layout.as_json(), "network": job.network.as_json()})


def _require_clips(job: PretrainJob) -> None:
    """Check robot and rate of every clip by its header, before the first is read."""
    for entry in (*job.split.train, *job.split.validation, *job.split.test):
        header = entry.header()
        header.require_robot(job.robot)
        if abs(header.fps - job.layout.fps) > 1e-3 * job.layout.fps:
            raise ValueError(
                f"{header.name} has {header.fps:g} fps, {job.split.train[0].name} {job.layout.fps:g}. Convert all clips"
                " with one --output_fps."
            )
