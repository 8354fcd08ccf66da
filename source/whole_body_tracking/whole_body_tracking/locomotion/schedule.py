"""From tracking a reference to walking by command, in phases that a measured success opens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class PhaseRules:
    """Phases, and what ends them.

    Raises:
        ValueError: If the weights do not fall from at most 1 to 0, or another number is out of its range.
    """

    weights: tuple[float, ...] = (1.0, 0.5, 0.1, 0.0)
    """Weight of the reference in each phase; the last is 0."""
    success: float = 0.8
    """Share of episodes without a failure that opens the next phase, in (0, 1]."""
    min_episodes: int = 1000
    """Episodes of a phase that are judged at least; also the memory of the success."""
    settle_steps: int = 500
    """First environment steps of a phase whose episodes do not count: they began before."""
    check_every: int = 240
    """Environment steps between two looks at the success."""
    steps: tuple[int, ...] | None = None
    """Environment steps after which each phase but the first begins, whatever the success; None goes by success."""

    def __post_init__(self):
        weights = self.weights
        falls = all(a > b for a, b in zip(weights, weights[1:], strict=False))
        if len(weights) < 2 or not falls or not 0.0 < weights[0] <= 1.0 or weights[-1] != 0.0:
            raise ValueError(f"Phase weights are {weights}, expected numbers that fall from at most 1 to 0.")
        if not 0.0 < self.success <= 1.0:
            raise ValueError(f"The success that opens a phase is {self.success}, expected a share in (0, 1].")
        if self.min_episodes < 1 or self.settle_steps < 0 or self.check_every < 1:
            raise ValueError(
                f"A phase needs min_episodes of at least 1 (found {self.min_episodes}), settle_steps of at least 0"
                f" ({self.settle_steps}) and check_every of at least 1 ({self.check_every})."
            )
        steps = self.steps
        if steps is not None and (list(steps) != sorted(set(steps)) or len(steps) != len(weights) - 1 or steps[0] < 1):
            raise ValueError(
                f"Phase steps are {steps}, expected {len(weights) - 1} growing numbers, one for each phase but the"
                f" first of {len(weights)}."
            )


class PhaseSchedule:
    """Phase of a training. Success is a moving share of episodes, forgotten over ``min_episodes`` of them.

    Tallies stay on the device; the host reads them once in ``check_every`` steps.
    """

    def __init__(self, rules: PhaseRules, device: str = "cpu"):
        self.rules = rules
        self.phase = 0
        """Index of the phase, 0 to the last."""
        self._began = self._checked = 0
        self._tally = torch.zeros(3, dtype=torch.double, device=device)
        """Weighted successes, weighted episodes, episodes of the phase."""

    @property
    def weight(self) -> float:
        """Weight of the reference."""
        return self.rules.weights[self.phase]

    @property
    def is_last(self) -> bool:
        """Whether the policy sees no reference any more."""
        return self.phase == len(self.rules.weights) - 1

    @property
    def success(self) -> Tensor:
        """Share of episodes without a failure, recent ones counting more; 0 before the first, a scalar."""
        return (self._tally[0] / self._tally[1].clamp(min=1.0)).float()

    def record(self, ended: Tensor, failed: Tensor, step: int) -> None:
        """Count episodes.

        Args:
            ended: Whether an episode ended, one for each env, shape [num_episodes].
            failed: Whether it ended in a failure, same shape.
            step: Environment steps since the run began.
        """
        if step < self._began + self.rules.settle_steps:
            return
        num, won = ended.sum().double(), (ended & ~failed).sum().double()
        kept = (1.0 - num / self.rules.min_episodes).clamp(min=0.0)
        self._tally[:2] *= kept
        self._tally += torch.stack((won, num, num))

    def update(self, step: int) -> bool:
        """Open the next phase if it is time, and return whether it was.

        Args:
            step: Environment steps since the run began.
        """
        if self.is_last or not self._is_over(step):
            return False
        self.phase += 1
        self._began = step
        self._tally.zero_()
        return True

    def _is_over(self, step: int) -> bool:
        if self.rules.steps is not None:
            return step >= self.rules.steps[self.phase]
        if step < self._checked + self.rules.check_every:
            return False
        self._checked = step
        won, num, seen = self._tally.tolist()
        return seen >= self.rules.min_episodes and won >= self.rules.success * num

    def state_dict(self) -> dict:
        """What a checkpoint stores, as plain numbers."""
        return {"weights": list(self.rules.weights), "phase": self.phase, "began": self._began,
                "tally": self._tally.tolist()}  # fmt: skip

    def load_state_dict(self, state: dict) -> None:
        """Restore the phase.

        Raises:
            ValueError: If the checkpoint's phases are others.
        """
        require_same_weights(state["weights"], self.rules.weights)
        self.phase, self._began = int(state["phase"]), int(state["began"])
        self._tally.copy_(torch.tensor(state["tally"], dtype=torch.double))


def require_same_weights(there: Sequence[float], here: Sequence[float]) -> None:
    """Check that a checkpoint's phases are those of the task.

    Raises:
        ValueError: If they differ.
    """
    if list(there) != list(here):
        raise ValueError(
            f"The checkpoint's phases have the weights {list(there)}, this task's {list(here)}. Continue with those of"
            f" its run: env.commands.motion.phase_weights={list(there)}."
        )
