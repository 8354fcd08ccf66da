"""Train a motion model: epochs over the stream of windows, with a checkpoint after each."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field

import torch
from torch import Tensor

from whole_body_tracking.motion.sources.motion_entries import MotionEntry

from .data.windows import MotionWindows, window_loader
from .losses import LossSettings, energy_loss, multi_step_loss, single_step_loss, state_loss
from .motion_model import MotionModel
from .precision import autocast
from .style.score_prior import ScorePrior, score_loss
from .vae import MotionVAE, vae_loss

VALIDATION_STEPS = 30
"""Steps over which validation rolls out, or as many as half the windows have."""
MAX_GRAD_NORM = 1.0
CALIBRATION_WINDOWS = 1024
"""Validation windows, at most, that set the scale of a score prior's losses."""


@dataclass(frozen=True)
class TrainingSettings:
    """How a model is trained."""

    epochs: int = 20
    seq_len: int = 64
    """States of a window."""
    batch_size: int = 32
    """Windows of a batch."""
    learning_rate: float = 1.0e-3
    """At its highest: it rises over the first 2 % of the steps and falls to zero along a cosine."""
    weight_decay: float = 0.01
    seed: int = 42
    num_workers: int = 0
    """Processes that read clips; 0 reads in this one."""
    precision: str = "fp32"
    """``fp32`` or ``bf16``."""
    loss: LossSettings = field(default_factory=LossSettings)

    def __post_init__(self):
        for name, least in (("epochs", 1), ("seq_len", 4), ("batch_size", 1), ("num_workers", 0)):
            if getattr(self, name) < least:
                raise ValueError(f"--{name} is {getattr(self, name)}, expected at least {least}.")
        if not self.learning_rate > 0.0:
            raise ValueError(f"--learning_rate is {self.learning_rate}, expected more than 0.")
        if self.loss.multi_step_share > 0.0 and self.loss.longest_rollout >= self.seq_len:
            raise ValueError(
                f"Multi-step batches of {self.loss.longest_rollout} steps (--multi_step_length"
                f" {self.loss.multi_step_length}, --free_steps {self.loss.free_steps}) do not fit into windows of"
                f" --seq_len {self.seq_len}."
            )

    def as_json(self) -> dict:
        """Plain values for a file's metadata."""
        return asdict(self)


@dataclass(frozen=True)
class Epoch:
    """What an epoch brought."""

    number: int
    train_loss: float
    validation_loss: float
    """Mean loss of rollouts over the validation clips, or the training loss if there are none."""
    num_windows: int
    seconds: float


class Trainer:
    """Trains a model epoch by epoch.

    All random numbers follow from seed and epoch, so a run that was resumed goes on as it would have.
    """

    def __init__(
        self,
        model: MotionModel | MotionVAE | ScorePrior,
        settings: TrainingSettings,
        files_of_epoch: Callable[[int], Sequence[MotionEntry]],
        validation: Sequence[MotionEntry],
    ):
        """Prepare.

        Args:
            model: What to train, with its statistics.
            settings: How.
            files_of_epoch: Clips of an epoch, counted from 0.
            validation: Clips that choose the best epoch.
        """
        self.model, self.settings, self.validation = model, settings, validation
        self.files_of_epoch = files_of_epoch
        self._num_states: dict[MotionEntry, int] = {}
        self.optimizer = torch.optim.AdamW(
            model.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay, betas=(0.9, 0.99)
        )

    @property
    def window_length(self) -> int:
        """States of a window: one more than the network sees, so that its last prediction has a truth."""
        return self.model.window if isinstance(self.model, MotionVAE) else self.settings.seq_len + 1

    def run_epoch(self, number: int, report: Callable[[float], None] = lambda share: None) -> Epoch:
        """Train for one epoch and validate.

        Args:
            number: Of the epoch, from 0; decides the random numbers and the learning rate.
            report: Called with the share of the epoch's windows that is done, roughly.

        Raises:
            ValueError: If no clip of the epoch is long enough for a window, or the loss is not finite.
        """
        started, files = time.monotonic(), self.files_of_epoch(number)
        random = torch.Generator().manual_seed(1_000_003 * self.settings.seed + number)
        torch.manual_seed(1_000_003 * self.settings.seed + number)  # of dropout
        windows = self._windows(files, number)
        expected = sum(self._states_of(entry) // self.window_length for entry in files)
        losses, count = [], 0
        self.model.train()
        for batch in window_loader(windows, self.settings.batch_size, self.settings.num_workers):
            self._set_rate(number + min(1.0, count / max(1, expected)))
            losses.append(self._step(batch, random))
            count += len(batch)
            report(min(1.0, count / max(1, expected)))
        if not losses:
            raise ValueError(
                f"Epoch {number + 1}: none of {len(files)} clips has {self.window_length + 1} frames. Lower --seq_len."
            )
        train_loss = float(torch.stack(losses).mean())
        if not train_loss < float("inf"):
            raise ValueError(f"Epoch {number + 1}: the loss is {train_loss}. Lower --learning_rate.")
        validation = self.validate() if self.validation else train_loss
        return Epoch(number, train_loss, validation, count, time.monotonic() - started)

    @torch.no_grad()
    def validate(self) -> float:
        """Mean loss over the validation clips: of rollouts, or of what a VAE or a score prior restores.

        Also measures there what single steps miss, for drawn rollouts, and the scale of a score prior's losses.
        """
        self.model.eval()
        batches = window_loader(self._windows(self.validation, 0), 4 * self.settings.batch_size, 0)
        random = torch.Generator().manual_seed(self.settings.seed)
        losses, squares, count = 0.0, 0.0, 0
        for batch in batches:
            losses = losses + len(batch) * self._validation_loss(batch, random)
            squares, count = squares + len(batch) * self._squared_residuals(batch), count + len(batch)
        if count == 0:
            raise ValueError(f"No validation clip has {self.window_length + 1} frames. Lower --seq_len.")
        if isinstance(self.model, MotionModel):
            self.model.residual_std.copy_((squares / count).sqrt())
        if isinstance(self.model, ScorePrior):
            self.model.calibrate(self._single_windows(), random)
        return float(losses / count)

    def _squared_residuals(self, batch: Tensor) -> Tensor | float:
        """Mean square of what single steps miss, shape [num_velocities]; 0 for a model that makes none."""
        if not isinstance(self.model, MotionModel):
            return 0.0
        with autocast(self.settings.precision, batch.device):
            return self.model.residuals(batch).square().mean((0, 1))

    def _validation_loss(self, batch: Tensor, random: torch.Generator) -> Tensor:
        with autocast(self.settings.precision, batch.device):
            if not isinstance(self.model, MotionModel):
                return self._restoring_loss(batch, random)
            steps = min(VALIDATION_STEPS, self.settings.seq_len // 2)
            predicted = self.model.rollout(batch[:, :-steps], steps)
            truth, weight = batch[:, -steps:], self.settings.loss.energy_weight
            loss = state_loss(self.model, predicted, truth, LossSettings())
            return loss + weight * energy_loss(self.model, predicted, truth) if weight else loss

    def _step(self, batch: Tensor, random: torch.Generator) -> Tensor:
        with autocast(self.settings.precision, batch.device):
            loss = self._loss(batch, random)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), MAX_GRAD_NORM)
        self.optimizer.step()
        return loss.detach()

    def _loss(self, batch: Tensor, random: torch.Generator) -> Tensor:
        if not isinstance(self.model, MotionModel):
            return self._restoring_loss(batch, random)
        settings = self.settings.loss
        if float(torch.rand((), generator=random)) < settings.multi_step_share:
            return multi_step_loss(self.model, batch, settings, random)
        return single_step_loss(self.model, batch, settings, random)

    def _restoring_loss(self, batch: Tensor, random: torch.Generator) -> Tensor:
        """Loss of a model of whole windows."""
        loss = vae_loss if isinstance(self.model, MotionVAE) else score_loss
        return loss(self.model, batch, random)

    def _single_windows(self) -> Tensor:
        """One window of each stretch of the validation clips, shape [batch, num_frames, dim]."""
        batches, found = window_loader(self._windows(self.validation, 0), 4 * self.settings.batch_size), []
        for batch in batches:
            found.append(batch[:, : self.model.num_frames])
            if sum(map(len, found)) >= CALIBRATION_WINDOWS:
                break
        return torch.cat(found)[:CALIBRATION_WINDOWS]

    def _states_of(self, entry: MotionEntry) -> int:
        """Number of states of a clip, from its header, which is read once."""
        if entry not in self._num_states:
            self._num_states[entry] = max(0, entry.header().num_frames - 1)
        return self._num_states[entry]

    def _windows(self, files: Sequence[MotionEntry], epoch: int) -> MotionWindows:
        windows = MotionWindows(files, self.model.layout, self.window_length, self.settings.seed)
        windows.choose(epoch, files)
        return windows

    def _set_rate(self, epochs_done: float) -> None:
        share = epochs_done / self.settings.epochs
        rise = min(1.0, share / 0.02 + 0.01)
        fall = 0.5 * (1.0 + torch.cos(torch.tensor(torch.pi * min(1.0, share))).item())
        for group in self.optimizer.param_groups:
            group["lr"] = self.settings.learning_rate * rise * fall
