"""``make demo``: from a CSV to a policy that tracks it."""

from .run import DemoPlan, make_plan, run_demo, unmet_targets

__all__ = ["DemoPlan", "make_plan", "run_demo", "unmet_targets"]
