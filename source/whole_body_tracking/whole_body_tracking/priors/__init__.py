"""MotionNN: predict a robot's next state from its motion alone. Nothing here imports a simulator."""

from .checkpoint import load_model
from .motion_model import MotionModel
from .state import StateLayout, clip_states

__all__ = ["MotionModel", "StateLayout", "clip_states", "load_model"]
