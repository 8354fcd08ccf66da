"""Actuators between joint targets and torques: stable PD control, virtual muscles, and the network that drives them."""
