"""How far the model can be trusted: its errors against those of a robot that keeps its velocities. No simulator."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import torch

from whole_body_tracking.rl.learning.ranks import sum_over_ranks

from .imagining.buffer import StepBuffer
from .imagining.dynamics import open_loop_errors
from .learner import Learner

STEPS = (1, 8, 32)
"""Steps after which errors are reported."""
JUDGED_STEP = 8
CONTACTS = ("no_foot", "one_foot", "both_feet")
"""Phases of contact, by the number of feet on the ground, that the error after the judged steps is also told by."""
NUM_WINDOWS = 256
MAX_RATIO = 1.0
"""Error of the model over that of constant velocities at which it is worse than none."""
EXTRA_UPDATES = 100
"""Updates of the model alone when it is."""
MAX_STRIKES = 4
"""Times in a row that this may fail before training stops."""


@dataclass(frozen=True)
class ModelErrors:
    """Open-loop errors by step: see :meth:`WorldModel.error`; NaN where no window is long enough."""

    model: dict[int, float]
    constant_velocity: dict[int, float]
    by_contact: dict[str, float] = field(default_factory=dict)
    """Error of the model after :data:`JUDGED_STEP` steps by how many feet are on the ground then; only those seen."""

    @property
    def ratio(self) -> float:
        """Model's error over that of constant velocities at the longest judged step there is; NaN without any."""
        known = [step for step in STEPS if step <= JUDGED_STEP and not math.isnan(self.constant_velocity[step])]
        return self.model[known[-1]] / self.constant_velocity[known[-1]] if known else math.nan

    def scalars(self) -> dict[str, float]:
        """Errors under the names that they are logged with."""
        errors = {f"model_error_{step}": self.model[step] for step in STEPS}
        errors |= {f"constant_velocity_error_{step}": self.constant_velocity[step] for step in STEPS}
        return errors | {f"model_error_{JUDGED_STEP}_{name}": error for name, error in self.by_contact.items()}


def measure_model(learner: Learner, buffer: StepBuffer) -> ModelErrors:
    """Predict windows of the buffer, drawn at random, open loop; the same mean in all processes that train."""
    model, kept, by_contact = dict.fromkeys(STEPS, math.nan), dict.fromkeys(STEPS, math.nan), {}
    learner.model.eval()
    for step in STEPS:
        totals = torch.zeros(len(CONTACTS), 3, device=buffer.state.device)
        if step < buffer.num_steps and int(buffer.num_windows(step)) > 0:
            states, targets = buffer.windows(NUM_WINDOWS, step)
            ours, theirs = open_loop_errors(learner.model, states, targets)
            rows = torch.stack((ours[-1], theirs[-1], torch.ones_like(ours[-1])), dim=-1)
            totals.index_add_(0, learner.imagination.kinematics.feet_on_ground(states[-1]), rows)
        totals = sum_over_ranks(totals).tolist()
        ours, theirs, num = (sum(column) for column in zip(*totals, strict=True))
        if num > 0.0:
            model[step], kept[step] = ours / num, theirs / num
        if step == JUDGED_STEP:
            by_contact = {name: row[0] / row[2] for name, row in zip(CONTACTS, totals, strict=True) if row[2] > 0.0}
    learner.model.train()
    return ModelErrors(model, kept, by_contact)


class ModelWatch:
    """Notices a model that is worse than constant velocities, or not finite, and tries to mend it."""

    def __init__(self, learner: Learner, buffer: StepBuffer):
        self.learner, self.buffer = learner, buffer
        self.strikes = 0

    def check(self) -> tuple[ModelErrors, str | None]:
        """Measure the model; if it diverges train it alone and measure again.

        Returns:
            Errors, and what is wrong if it is still worse than constant velocities: then the policy should not be
            trained on it.
        """
        errors = measure_model(self.learner, self.buffer)
        if is_good(errors):
            self.strikes = 0
            return errors, None
        print(f"[WARNING] {describe(errors)}. Training it alone for {EXTRA_UPDATES} updates.", flush=True)
        for _ in range(EXTRA_UPDATES):
            self.learner.update_model(self.buffer)
        errors = measure_model(self.learner, self.buffer)
        if is_good(errors):
            self.strikes = 0
            return errors, None
        self.strikes += 1
        return errors, describe(errors)

    @property
    def is_lost(self) -> bool:
        """Whether mending has failed too often."""
        return self.strikes >= MAX_STRIKES


def is_good(errors: ModelErrors) -> bool:
    """Whether the model predicts better than constant velocities; true while there is nothing to compare."""
    ratio = errors.ratio
    return math.isnan(ratio) and not _is_broken(errors) or ratio < MAX_RATIO


def describe(errors: ModelErrors) -> str:
    """What is wrong with a model."""
    if _is_broken(errors):
        return "The world model's predictions are not finite"
    return f"The world model's error after {JUDGED_STEP} steps is {errors.ratio:.2f} times that of constant velocities"


def _is_broken(errors: ModelErrors) -> bool:
    """Whether a prediction is not finite where a real window exists."""
    return any(not math.isfinite(errors.model[s]) and math.isfinite(errors.constant_velocity[s]) for s in STEPS)
