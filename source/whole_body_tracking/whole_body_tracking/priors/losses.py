"""What training makes small."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from .motion_model import MotionModel

REST = 0.1
"""Speed and amplitude, in standard deviations of the clips', that count as rest in ratios."""
AUTO = "auto"
"""Velocity weight that makes positions and velocities count alike."""


@dataclass(frozen=True)
class LossSettings:
    """Weights, and how much of the training is on the model's own predictions."""

    position_weight: float = 1.0
    velocity_weight: float | str = 0.1
    """Or :data:`AUTO`: the ratio of the mean squared changes from frame to frame of positions and of velocities."""
    multi_step_share: float = 0.2
    """Share of the batches that are predicted over several steps."""
    multi_step_length: int = 5
    """Their steps."""
    multi_step_gradients: str = "detached"
    """``detached``: what is fed back carries no gradient; ``through``: back-propagation through all steps."""
    smoothness_weight: float = 0.01
    """Of second differences of predicted velocities, compared with those of the truth."""
    noise: float = 0.0
    """Standard deviation of the noise on the states that are seen, in those of the states' change per frame."""
    energy_weight: float = 0.0
    """Of the difference in speed and amplitude between multi-step predictions and the truth."""
    free_steps: int = 0
    """Most steps that a multi-step batch goes on without a loss before its energy is compared once more."""

    def __post_init__(self):
        if not 0.0 <= self.multi_step_share <= 1.0:
            raise ValueError(f"The share of multi-step batches is {self.multi_step_share}, expected 0 to 1.")
        if self.multi_step_length < 2:
            raise ValueError(f"A multi-step batch has {self.multi_step_length} steps, expected at least 2.")
        if self.multi_step_gradients not in ("detached", "through"):
            raise ValueError(
                f"Gradients of multi-step batches are 'detached' or 'through', found '{self.multi_step_gradients}'."
            )
        for name in ("position_weight", "smoothness_weight", "noise", "energy_weight", "free_steps"):
            if not getattr(self, name) >= 0.0:
                raise ValueError(f"{name} is {getattr(self, name)}, expected at least 0.")
        if self.free_steps and not self.energy_weight:
            raise ValueError(
                f"--free_steps {self.free_steps} compares the energy of what follows, and --energy_weight is 0."
                " Give it a weight, such as 0.1, or leave the comparison out with --free_steps 0."
            )
        if self.velocity_weight != AUTO and not float(self.velocity_weight) >= 0.0:
            raise ValueError(f"velocity_weight is {self.velocity_weight}, expected at least 0 or '{AUTO}'.")

    @property
    def longest_rollout(self) -> int:
        """Steps of the longest multi-step batch."""
        return self.multi_step_length + (self.free_steps + self.multi_step_length if self.free_steps else 0)


def velocity_weight(model: MotionModel, settings: LossSettings) -> float:
    """The number behind a velocity weight.

    For :data:`AUTO` it is mean((change / std)^2) of the positions over that of the velocities, so that both terms are
    as large for the model that predicts no change.
    """
    if settings.velocity_weight != AUTO:
        return float(settings.velocity_weight)
    changes = (model.normalizer.change_std / model.normalizer.std).square()
    first = model.layout.num_positions
    return float(changes[:first].mean() / changes[first:].mean())


def state_loss(model: MotionModel, predicted: Tensor, truth: Tensor, settings: LossSettings) -> Tensor:
    """Weighted mean squared error of positions and of velocities, each over its standard deviation."""
    error = ((predicted - truth) / model.normalizer.std).square()
    first = model.layout.num_positions
    positions, velocities = error[..., :first].mean(), error[..., first:].mean()
    return settings.position_weight * positions + velocity_weight(model, settings) * velocities


def smoothness_loss(model: MotionModel, predicted: Tensor, truth: Tensor) -> Tensor:
    """Mean squared difference of second differences of velocities, over the velocities' standard deviation.

    Along a sequence, shape [batch, num_frames, dim]: |d^2 v - d^2 v*|^2. It is zero for the truth, so that it does not
    reward standing still.
    """
    first = model.layout.num_positions
    jerk = ((predicted - truth) / model.normalizer.std)[..., first:].diff(n=2, dim=1)
    return jerk.square().mean()


def single_step_loss(model: MotionModel, windows: Tensor, settings: LossSettings, random: torch.Generator) -> Tensor:
    """Loss of the next state at every position of a window, shape [batch, num_frames, dim], that has a full past.

    With noise the network sees disturbed states and has to lead back to the true next one, as it will have to when it
    sees its own predictions.
    """
    seen, truth = windows[:, :-1], windows[:, 1:]
    start = min(model.context, seen.shape[1]) - 1 if model.settings.mode == "mlp" else 0
    predicted = model(disturbed(model, seen, settings.noise, random))[:, start:]
    loss = state_loss(model, predicted, truth[:, start:], settings)
    return loss + settings.smoothness_weight * smoothness_loss(model, predicted, truth[:, start:])


def multi_step_loss(model: MotionModel, windows: Tensor, settings: LossSettings, random: torch.Generator) -> Tensor:
    """Loss over several steps of the model's own predictions, from several places of each window.

    With ``free_steps`` each batch goes on after them, up to so many steps and without a gradient. What follows is
    compared with the truth's energy and average over time there: so far from the start it can be known where and how
    lively the robot moves, but not when.
    """
    steps = settings.multi_step_length
    free = int(torch.randint(settings.free_steps + 1, (), generator=random)) if settings.free_steps else 0
    length = steps + (free + steps if settings.free_steps else 0)
    past = min(model.context, max(1, windows.shape[1] // 2), windows.shape[1] - length)
    stride = max(1, steps // 2) if model.settings.mode == "mlp" else past  # a transformer works on all of its past
    cut = windows.unfold(1, past + length, stride).transpose(-1, -2).flatten(0, 1)
    seen, truth = cut[:, :past], cut[:, past:]
    seen = disturbed(model, seen, settings.noise, random)
    predicted = model.rollout(seen, steps, detached=settings.multi_step_gradients == "detached")
    loss = state_loss(model, predicted, truth[:, :steps], settings)
    if steps > 2:
        loss = loss + settings.smoothness_weight * smoothness_loss(model, predicted, truth[:, :steps])
    if settings.energy_weight > 0.0:
        loss = loss + settings.energy_weight * energy_loss(model, predicted, truth[:, :steps])
        if settings.free_steps:
            with torch.no_grad():
                seen = torch.cat((seen, predicted), dim=1)
                seen = torch.cat((seen, model.rollout(seen, free)), dim=1)[:, -model.context :] if free else seen
            lively = model.rollout(seen, steps)
            loss = loss + settings.energy_weight * energy_loss(model, lively, truth[:, -steps:])
            loss = loss + state_loss(model, lively.mean(1), truth[:, -steps:].mean(1), settings)
    return loss


def energy_loss(model: MotionModel, predicted: Tensor, truth: Tensor) -> Tensor:
    """How much less or more a sequence moves than the truth, shape [batch, num_frames, dim] both.

    With a the deviation of positions from their mean over time and v the velocities, both over their standard
    deviation, and |.| the root mean square over time and values:

        mean over the batch of ((|a| - |a*|) / (|a*| + e))^2 + ((|v| - |v*|) / (|v*| + e))^2,    e = 0.1

    Velocities alone could be met by a tremble; the amplitude of positions fixes its frequency.
    """
    first = model.layout.num_positions

    def sizes(states: Tensor) -> Tensor:
        scaled = states / model.normalizer.std
        away = scaled[..., :first] - scaled[..., :first].mean(1, keepdim=True)
        parts = (away.square().mean((1, 2)), scaled[..., first:].square().mean((1, 2)))
        return torch.stack(parts).clamp(min=1e-8).sqrt()

    wanted = sizes(truth)
    return ((sizes(predicted) - wanted) / (wanted + REST)).square().sum(0).mean()


def disturbed(model: MotionModel, states: Tensor, noise: float, random: torch.Generator) -> Tensor:
    """States with noise that grows with how much each value changes from frame to frame."""
    if noise == 0.0:
        return states
    drawn = torch.randn(states.shape, generator=random, device=states.device)
    return states + noise * model.normalizer.change_std * drawn
