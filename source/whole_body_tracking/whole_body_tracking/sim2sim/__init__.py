"""Simulation of exported policies in plain MuJoCo. Imports neither Isaac Lab nor Newton nor USD."""
