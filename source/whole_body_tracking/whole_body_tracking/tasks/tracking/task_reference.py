"""Reference motion of a task, None for tasks without one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from whole_body_tracking.tasks.gait.mdp.commands import GaitCommand

    from .mdp.commands import MotionCommand
    from .mdp.reference.reference_command import ReferenceCommand

COMMAND_TERM = "motion"


def motion_of(env: Any) -> MotionCommand | None:
    """Return the motion command of an environment, wrapped or not; None for a task that tracks no clip."""
    reference = reference_of(env)
    return reference if hasattr(reference, "library") else None


def reference_of(env: Any) -> ReferenceCommand | None:
    """Return the command that gives an environment's reference, of clips or otherwise; None for a task without one."""
    manager = getattr(env.unwrapped, "command_manager", None)
    return manager.get_term(COMMAND_TERM) if manager is not None and COMMAND_TERM in manager.active_terms else None


def gait_of(env: Any) -> GaitCommand | None:
    """Return the gait command of an environment; None for a task that follows no RefNN."""
    reference = reference_of(env)
    return reference if hasattr(reference, "walk") else None


def motion_cfg_of(env_cfg: Any) -> Any | None:
    """Return the config of a task's motion command; None for a task that tracks no clip."""
    reference = getattr(getattr(env_cfg, "commands", None), COMMAND_TERM, None)
    return reference if hasattr(reference, "motion_files") else None


def gait_cfg_of(env_cfg: Any) -> Any | None:
    """Return the config of a task's gait command; None for a task that tracks no RefNN's walk."""
    reference = getattr(getattr(env_cfg, "commands", None), COMMAND_TERM, None)
    return reference if hasattr(reference, "model_file") else None


def clips_of(env: Any) -> list[dict[str, str]]:
    """Name and digest of every clip that an environment tracks, empty for none."""
    motion = motion_of(env)
    if motion is None:
        return []
    library = motion.library
    return [{"name": name, "sha256": digest} for name, digest in zip(library.names, library.digests, strict=True)]
