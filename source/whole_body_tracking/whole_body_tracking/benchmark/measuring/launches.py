"""Number of torch operations that a control step dispatches: on a GPU each is a kernel launch of some 5 us."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

from torch._ops import OpOverload
from torch.utils._python_dispatch import TorchDispatchMode

if TYPE_CHECKING:
    from .driver import RandomActionDriver

NUM_STEPS = 20


class LaunchCount(TorchDispatchMode):
    """Counts the operations that would run a kernel while it is active; views and allocations are left out."""

    def __init__(self):
        super().__init__()
        self.num_launches = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.num_launches += runs_kernel(func)
        return func(*args, **(kwargs or {}))


def runs_kernel(func: OpOverload) -> bool:
    """Whether an operation computes something, instead of only looking at memory or reserving it."""
    name = func.name()
    aliases = [returned.alias_info for returned in func._schema.returns]
    is_view = any(alias is not None and not alias.is_write for alias in aliases)
    return not is_view and not name.startswith("prim::") and "empty" not in name


def measure_launches(driver: RandomActionDriver) -> dict[str, float]:
    """Median number of operations per control step, those of Isaac Lab and of resets included, engine left out."""
    counts = []
    for _ in range(NUM_STEPS):
        with LaunchCount() as count:
            driver.step_environment(1)
        counts.append(count.num_launches)
    return {"launches_per_step": statistics.median(counts)}
