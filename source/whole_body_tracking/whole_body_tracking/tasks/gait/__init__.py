"""The gait task: track the walk that a RefNN predicts from gait parameters."""
