"""Rotations, forward and inverse kinematics, and what touches the ground."""
