"""Settings of AMP, and their check before any simulator starts."""

from __future__ import annotations

from typing import Any

from whole_body_tracking.motion.clip_header import ClipHeader
from whole_body_tracking.motion.defaults import DEFAULT_WALK_FILE
from whole_body_tracking.motion.sources.motion_entries import MotionEntry, resolve_entries
from whole_body_tracking.priors import StateLayout
from whole_body_tracking.priors.style.loading import steps_per_frame
from whole_body_tracking.robots import RobotModel, get_robot
from whole_body_tracking.tasks.tracking.amp_cfg import AMP_CLASS, AmpCfg
from whole_body_tracking.tasks.tracking.task_reference import motion_cfg_of


def uses_amp(agent_cfg: Any) -> bool:
    """Whether an agent config trains with AMP."""
    return getattr(getattr(agent_cfg, "algorithm", None), "class_name", None) == AMP_CLASS


def check_amp(env_cfg: Any, agent_cfg: Any) -> None:
    """Check AMP's numbers and clips; nothing without it.

    Raises:
        FileNotFoundError: If there is no such clip.
        ValueError: If a number is out of its range, or a clip is of another robot, too short, or of a rate that does
            not divide the control rate.
    """
    if not uses_amp(agent_cfg):
        return
    amp = agent_cfg.algorithm.amp
    check_numbers(amp)
    entries = expert_entries(amp.motion_files, env_cfg)
    rate = 1.0 / (env_cfg.sim.dt * env_cfg.decimation)
    expert_layout([entry.header() for entry in entries], get_robot(env_cfg.robot_name), rate, amp.num_frames)


def check_numbers(amp: AmpCfg) -> None:
    """Check the numbers of the settings.

    Raises:
        ValueError: If one is out of its range.
    """
    for name, least in (("num_frames", 2), ("num_updates", 1), ("batch_size", 1)):
        if getattr(amp, name) < least:
            raise ValueError(f"agent.algorithm.amp.{name} is {getattr(amp, name)}, expected at least {least}.")
    if not amp.learning_rate > 0.0:
        raise ValueError(f"agent.algorithm.amp.learning_rate is {amp.learning_rate}, expected more than 0.")
    for name in ("style_weight", "task_weight", "weight_decay", "gradient_penalty"):
        if not getattr(amp, name) >= 0.0:
            raise ValueError(f"agent.algorithm.amp.{name} is {getattr(amp, name)}, expected at least 0.")
    if isinstance(amp.motion_files, str):
        raise ValueError(
            f"agent.algorithm.amp.motion_files is the text '{amp.motion_files}', expected a list: write"
            f' agent.algorithm.amp.motion_files="[{amp.motion_files}]".'
        )


def expert_entries(motion_files: list[str], env_cfg: Any) -> list[MotionEntry]:
    """Clips of the motion to look like.

    Raises:
        FileNotFoundError: If there is no such clip.
    """
    if not motion_files:
        tracked = motion_cfg_of(env_cfg)
        motion_files = [str(DEFAULT_WALK_FILE)] if tracked is None else list(tracked.motion_files)
    return resolve_entries(motion_files)


def expert_layout(
    headers: list[ClipHeader], robot: RobotModel, control_rate: float, num_frames: int
) -> tuple[StateLayout, int]:
    """Layout of the states of the clips, and control steps from one state to the next.

    Raises:
        ValueError: If a clip is of another robot or rate than the others, too short, or of a rate that does not divide
            the control rate.
    """
    layout = StateLayout.of_robot(robot, headers[0].fps)
    for header in headers:
        header.require_robot(robot)
        if abs(header.fps - layout.fps) > 1e-3 * layout.fps:
            raise ValueError(
                f"{header.name} has {header.fps:g} fps, {headers[0].name} {layout.fps:g}. Convert all clips of AMP with"
                " one --output_fps."
            )
        if header.num_frames <= num_frames:
            raise ValueError(
                f"{header.name} has {header.num_frames} frames, and AMP needs more than amp.num_frames {num_frames}."
            )
    return layout, steps_per_frame(headers[0].name, layout, robot, control_rate)
