"""The task's own actor, fitted to samples by regression."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from tensordict import TensorDict
from torch import Tensor, nn

from .dataset import SampleFile, Samples

if TYPE_CHECKING:
    from rsl_rl.models import MLPModel

HELD_OUT = 20
"""One in so many rows is not trained on, to measure the error."""

FINE_SHARE = 0.2
"""Share of the steps, at the end, in evaluation mode: an actor that trains in bfloat16 then computes in float32, as it
does when it is played."""


@dataclass
class FitSettings:
    """Settings of the regression."""

    batch_size: int = 1024
    """Rows of a step."""
    learning_rate: float = 1.0e-3
    """Adam's rate at the start of a round; it falls to a hundredth along a cosine."""
    max_grad_norm: float = 1.0
    """Largest norm of the gradient."""
    huber: float = 0.5
    """Error in action units from which it counts linearly: labels from a robot that is nearly lost are far off."""


@dataclass
class FitResult:
    """What a round of regression reached."""

    loss: float
    """Mean loss of the last tenth of its steps."""
    error: float
    """Root mean square error of the actions over rows held out."""
    num_steps: int


def fit_normalizer(actor: MLPModel, samples: SampleFile) -> None:
    """Set the statistics of an actor's observation normaliser to those of all samples, one chunk at a time."""
    normalizer = actor.obs_normalizer
    if not hasattr(normalizer, "update"):
        return
    (group,), device = actor.obs_groups, normalizer._mean.device
    normalizer.train()
    normalizer.count.zero_()
    normalizer._mean.zero_()
    normalizer._var.fill_(1.0)
    for chunk in samples.chunks():
        observations = torch.from_numpy(chunk.observations).to(device)
        actor.update_normalization(TensorDict({group: observations}, batch_size=len(observations)))


def fit(
    actor: MLPModel,
    samples: SampleFile,
    num_steps: int,
    settings: FitSettings,
    seed: int,
    deadline: float = float("inf"),
    report: Callable[[float], None] = lambda share: None,
) -> FitResult:
    """Fit an actor to samples; rows are read as they are needed.

    Args:
        actor: Network to train, its normaliser included.
        samples: At least one row.
        num_steps: Optimiser steps.
        settings: Of the regression.
        seed: Of the order of rows.
        deadline: ``time.monotonic`` at which to stop early.
        report: Called with the share of steps done.

    Raises:
        ValueError: If there are no samples.
    """
    if len(samples) == 0:
        raise ValueError(f"{samples.path} has no samples to train on.")
    fit_normalizer(actor, samples)
    rows, held_out = _split_rows(len(samples))
    rng, began, losses = np.random.default_rng(seed), time.monotonic(), []
    optimizer = torch.optim.Adam(actor.mlp.parameters(), lr=settings.learning_rate)
    for step in range(num_steps):
        share = max(step / num_steps, (time.monotonic() - began) / max(1e-9, deadline - began))
        if share >= 1.0:
            break
        actor.train(share < 1.0 - FINE_SHARE)
        for group in optimizer.param_groups:
            group["lr"] = settings.learning_rate * (0.01 + 0.99 * 0.5 * (1.0 + math.cos(math.pi * share)))
        batch = samples.read(np.sort(rng.choice(rows, settings.batch_size)))
        loss = nn.functional.huber_loss(*_predicted_and_wanted(actor, batch), delta=settings.huber)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(actor.mlp.parameters(), settings.max_grad_norm)
        optimizer.step()
        losses.append(loss.item())
        report(share)
    actor.eval()
    last = losses[-max(1, len(losses) // 10) :]
    return FitResult(float(np.mean(last)) if last else math.nan, _error(actor, samples.read(held_out)), len(losses))


def mean_action(actor: MLPModel, observations: Tensor) -> Tensor:
    """Actions without noise, shape [num_rows, num_actions], for observations of shape [num_rows, num_observations]."""
    (group,) = actor.obs_groups
    return actor(TensorDict({group: observations}, batch_size=len(observations)))


def _predicted_and_wanted(actor: MLPModel, batch: Samples) -> tuple[Tensor, Tensor]:
    device = next(actor.parameters()).device
    observations, actions = (torch.from_numpy(values).to(device) for values in (batch.observations, batch.actions))
    return mean_action(actor, observations), actions


def _split_rows(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows to train on and rows held out; the same ones in every round, so that none is ever trained on."""
    every = np.arange(count)
    held_out = every % HELD_OUT == HELD_OUT - 1
    return every[~held_out], every[held_out]


@torch.no_grad()
def _error(actor: MLPModel, batch: Samples) -> float:
    if len(batch.frames) == 0:
        return math.nan
    predicted, wanted = _predicted_and_wanted(actor, batch)
    return (predicted - wanted).square().mean().sqrt().item()
