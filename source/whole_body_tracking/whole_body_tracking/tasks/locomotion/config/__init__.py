"""Robots of the locomotion tasks."""
