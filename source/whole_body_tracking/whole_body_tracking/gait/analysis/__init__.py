"""Gait parameters of any motion: contacts, steps, cycles, numbers."""

from .measuring import GaitReport, measure_gait

__all__ = ["GaitReport", "measure_gait"]
