"""Motions of a human body: made up, or from mocap by inverse kinematics."""
