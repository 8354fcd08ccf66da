"""Phase of a schedule from a reference to a task, saved and restored with the checkpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from whole_body_tracking.tasks.tracking.task_reference import motion_of

if TYPE_CHECKING:
    from whole_body_tracking.locomotion.schedule import PhaseSchedule

PHASE_KEY = "phase_state"


def phase_content(env: Any) -> dict[str, Any]:
    """What a checkpoint stores; nothing for a task without phases."""
    schedule = _schedule(env)
    return {} if schedule is None else {PHASE_KEY: schedule.state_dict()}


def restore_phase(env: Any, content: dict) -> None:
    """Continue in a checkpoint's phase; a task that plays the last one stays there.

    Raises:
        ValueError: If the checkpoint's phases are others.
    """
    schedule = _schedule(env)
    if schedule is None or PHASE_KEY not in content:
        return
    state = content[PHASE_KEY]
    if "reference" in env.unwrapped.curriculum_manager.active_terms:
        schedule.load_state_dict(state)
        motion_of(env).enter_phase()
    elif state["phase"] < len(state["weights"]) - 1:
        print(
            f"[INFO] The policy is of phase {state['phase'] + 1} of {len(state['weights'])}: it still learnt with a"
            " reference, and plays here without one."
        )


def _schedule(env: Any) -> PhaseSchedule | None:
    return getattr(motion_of(env), "schedule", None)
