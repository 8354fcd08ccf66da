"""Evaluation of policies that walk by command, in Isaac Lab and in plain MuJoCo."""
