"""Tasks that register themselves with Gymnasium.

Isaac Lab imports this module through the entry point group ``isaaclab.tasks``, so its own commands find the tasks too.
"""

from .gait.config import g1 as g1_gait  # noqa: F401
from .locomotion.config import g1 as g1_locomotion  # noqa: F401
from .tracking.config import g1  # noqa: F401
