"""What an engine needs on this machine before an environment is made with it."""

from __future__ import annotations

from isaaclab.physics import PhysicsCfg
from isaaclab_ov.physics import OvPhysxCfg

from .ovphysx_cpu import prepare_ovphysx


def prepare_physics(physics: PhysicsCfg) -> None:
    """Prepare this process for an engine; calling it again does nothing.

    Raises:
        OSError: If the engine cannot run here; the message says what to install or choose.
    """
    if isinstance(physics, OvPhysxCfg):
        prepare_ovphysx()
