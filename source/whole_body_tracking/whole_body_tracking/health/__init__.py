"""Health checks of a training run, from its logs."""

from .checks import Finding, check_run
from .run_log import Curve, RunLog, RunSettings, read_run, read_wandb_run

__all__ = ["Curve", "Finding", "RunLog", "RunSettings", "check_run", "read_run", "read_wandb_run"]
