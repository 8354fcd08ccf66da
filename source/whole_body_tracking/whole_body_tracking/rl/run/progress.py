"""The progress table of a run, which packages that train without RL use, too."""

from whole_body_tracking.progress_table import PROGRESS_FILE, ProgressTable

__all__ = ["PROGRESS_FILE", "ProgressTable"]
