"""Policies on a robot that speaks Unitree's low-level protocol, and a simulated robot to try them on. No Isaac Lab."""
