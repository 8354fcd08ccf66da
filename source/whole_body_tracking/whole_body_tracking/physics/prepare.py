"""Preparation of a physics engine on this machine, before an environment is made with it."""

from __future__ import annotations

import importlib.util

from isaaclab.physics import PhysicsCfg
from isaaclab_ov.physics import OvPhysxCfg
from isaaclab_physx.physics import PhysxCfg

from .ovphysx_cpu import prepare_ovphysx


def prepare_physics(physics: PhysicsCfg) -> None:
    """Prepare this process for an engine; calling it again does nothing.

    Raises:
        OSError: If the engine cannot run here; the message says what to install or choose.
    """
    if isinstance(physics, OvPhysxCfg):
        prepare_ovphysx()
    if isinstance(physics, PhysxCfg):
        require_isaac_sim()


def require_isaac_sim() -> None:
    """Check that Isaac Sim is installed in this environment.

    Raises:
        OSError: If it is not.
    """
    if importlib.util.find_spec("isaacsim") is None:
        raise OSError(
            "physics=isaacsim_physx needs Isaac Sim 6.2 and an RTX GPU, and Isaac Sim is not installed here. From a"
            " checkout: ISAACSIM_INDEX_URL=URL docker/install-isaacsim.sh, with the package index that Isaac Sim's"
            " installation page names. The same engine without Isaac Sim: physics=ovphysx."
        )
