"""Stop rollouts that have failed under every criterion: no later step of theirs counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from .metrics.judging import lafan1_failures, task_failures
from .recording import Recording

if TYPE_CHECKING:
    from whole_body_tracking.tasks.tracking.tracking_env_cfg import TerminationsCfg

AFTERMATH = 1.0
"""Time that a rollout goes on after its last failure, so that plots and pages show what happened [s]."""


class EarlyStop:
    """Watches the rollouts of a batch step by step and says which ones to stop."""

    def __init__(self, terminations: TerminationsCfg, root_body: str):
        """Prepare to watch.

        Args:
            terminations: Terminations of the task.
            root_body: Body that the LAFAN1-40 criterion judges.
        """
        self._terminations, self._root_body = terminations, root_body
        self._failed: Tensor | None = None
        self._since = torch.zeros(0)

    def reset(self) -> None:
        """Forget everything; the next step is the first one of a batch."""
        self._failed = None

    def update(self, step: Recording) -> Tensor:
        """Look at one more step, a recording of that length, and return which rollouts to stop, [num_rollouts]."""
        failures = (task_failures(step, self._terminations), lafan1_failures(step, self._root_body))
        failed = torch.stack([failure[0] for failure in failures])
        if self._failed is None:
            self._failed, self._since = failed, torch.zeros(failed.shape[1], dtype=torch.long)
        self._failed = self._failed | failed
        self._since += self._failed.all(0).long()
        return self._since > round(AFTERMATH / step.step_dt)
