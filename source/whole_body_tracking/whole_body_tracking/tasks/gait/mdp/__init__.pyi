__all__ = ["GaitCommandCfg", "gait_params", "gait_phase"]

from .commands_cfg import GaitCommandCfg
from .observations import gait_params, gait_phase
