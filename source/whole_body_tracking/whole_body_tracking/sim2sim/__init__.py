"""Exported policies in plain MuJoCo: nothing here imports Isaac Lab, Newton or USD."""
