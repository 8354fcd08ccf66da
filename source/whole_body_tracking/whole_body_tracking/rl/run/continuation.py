"""Comparison of a continued training with its checkpoint's run: what must agree, and a note of what differs.

A run folder says what it was trained on: ``provenance.json`` the clips, ``params/`` the settings. Another robot or
control rate, or other clips, make another training: statistics of one clip would steer another. They are refused unless
the command line accepts them; other settings are noted in the run's provenance.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from isaaclab_rl.entrypoints.common import dump_train_configs

from whole_body_tracking.files import write_json
from whole_body_tracking.health.params_file import read_params

from .distributed import decided_by_first

ACCEPT = "env.commands.motion.transfer=true"
"""Accepts another motion: the policy goes on, the statistics of the start sampler begin anew."""

NOT_COMPARED = (
    "env.log_dir",
    "env.commands.motion.motion_files",
    "env.commands.motion.transfer",
    "agent.max_iterations",
    "agent.load_checkpoint",
    "agent.load_run",
    "agent.resume",
)
"""Settings that differ between sessions of one run; clips are compared by their content."""

LISTED = 6
"""Differences that a message lists at most."""


def require_same_control(checkpoint: Path, env_cfg: Any, transfers: bool) -> None:
    """Check, before the simulator starts, that a task has the robot and the control rate of a checkpoint's run.

    A checkpoint without its run's ``params/`` is not checked.

    Raises:
        ValueError: If they differ and ``transfers`` is not set.
    """
    trained = read_params(checkpoint.parent / "params" / "env.yaml")
    if not trained or transfers:
        return
    period = trained["sim"]["dt"] * trained["decimation"]
    pairs = [
        ("robot", trained.get("robot_name"), getattr(env_cfg, "robot_name", None)),
        ("control rate [Hz]", f"{1.0 / period:g}", f"{1.0 / (env_cfg.sim.dt * env_cfg.decimation):g}"),
    ]
    differences = [f"{what} {there}, here {here}" for what, there, here in pairs if there not in (None, here)]
    if differences:
        raise ValueError(
            f"{checkpoint} belongs to a run with another {'; another '.join(differences)}. Use the task and settings of"
            f" its run. To start from its policy all the same, add {ACCEPT}."
        )


def has_other_clips(checkpoint: Path, clips: Sequence[dict[str, str]], transfers: bool) -> bool:
    """Whether a task tracks other clips than the run of a checkpoint that only the first process has to have.

    Args:
        checkpoint: The checkpoint; without its run's ``provenance.json`` nothing is known and the answer is False.
        clips: Name and digest of every clip of the task, in order.
        transfers: Whether other clips are accepted.

    Raises:
        ValueError: In every process, if the clips differ and are not accepted.
    """
    found = decided_by_first(lambda: clip_differences(trained_clips(checkpoint.parent), clips))
    if found and not transfers:
        raise ValueError(
            f"{checkpoint} belongs to a run with other clips: {_listed(found)}. Continue with the clips of its run. To"
            f" go on with these, keeping the policy and starting the sampler's statistics anew, add {ACCEPT}."
        )
    return bool(found)


def trained_clips(run_folder: Path) -> list[dict[str, str]]:
    """Name and digest of the clips that a run tracks, in order; empty if it does not say."""
    path = run_folder / "provenance.json"
    return json.loads(path.read_text()).get("clips", []) if path.is_file() else []


def clip_differences(trained: Sequence[dict[str, str]], clips: Sequence[dict[str, str]]) -> list[str]:
    """Differences between the clips of a run and those of a task, in words; empty if the run has no clips."""
    if not trained:
        return []
    there, here = ({clip["name"]: clip["sha256"] for clip in listed} for listed in (trained, clips))
    found = [
        f"{name} has the digest {there[name][:12]}, here {here[name][:12]}"
        for name in there.keys() & here.keys()
        if there[name] != here[name]
    ]
    found += [f"{name} ({there[name][:12]}) is missing here" for name in there.keys() - here.keys()]
    found += [f"{name} ({here[name][:12]}) is new here" for name in here.keys() - there.keys()]
    if not found and list(there) != list(here):
        found = [f"their order is {_listed(list(there))} there and {_listed(list(here))} here"]
    return sorted(found)


def note_session(
    run_folder: Path, checkpoint: Path, clips: list[dict[str, str]], env_cfg: Any, agent_cfg: Any
) -> dict[str, list]:
    """Add a session to ``provenance.json`` of the run that it continues, and print which settings differ.

    Args:
        run_folder: Folder of the run.
        checkpoint: Where the session begins.
        clips: Name and digest of every clip that it tracks; they become the run's.
        env_cfg: Settings of the task.
        agent_cfg: Settings of the training.

    Returns:
        Value in ``params/`` and value now of each setting that differs.
    """
    changes = changed_settings(run_folder / "params", env_cfg, agent_cfg)
    path = run_folder / "provenance.json"
    content = json.loads(path.read_text()) if path.is_file() else {}
    session = {"date": datetime.now().isoformat(timespec="seconds"), "checkpoint": checkpoint.name, "settings": changes}
    if content.get("clips", clips) != clips:
        session["clips_before"] = content["clips"]
    content |= {"clips": clips, "sessions": [*content.get("sessions", []), session]}
    write_json(path, content)
    for name, (old, new) in list(changes.items())[:LISTED]:
        print(f"[INFO] This session changes {name} from {old} to {new}.")
    if len(changes) > LISTED:
        print(f"[INFO] It changes {len(changes) - LISTED} more settings: see {path}.")
    return changes


def changed_settings(params: Path, env_cfg: Any, agent_cfg: Any) -> dict[str, list]:
    """Value stored in ``params`` and value now of each setting that differs, by names such as ``env.decimation``."""
    with tempfile.TemporaryDirectory() as folder:  # written and read alike, so that types agree
        dump_train_configs(folder, env_cfg, agent_cfg)
        now = _settings(Path(folder, "params"))
    before = _settings(params)
    if not before:
        return {}
    names = sorted(before.keys() | now.keys())
    changed = [name for name in names if before.get(name) != now.get(name) and name not in NOT_COMPARED]
    return {name: [before.get(name), now.get(name)] for name in changed}


def _settings(params: Path) -> dict[str, Any]:
    files = {kind: read_params(params / f"{kind}.yaml") for kind in ("env", "agent")}
    return dict(_flattened(files, "")) if any(files.values()) else {}


def _flattened(content: dict, prefix: str) -> Iterator[tuple[str, Any]]:
    for key, value in content.items():
        if isinstance(value, dict) and value:
            yield from _flattened(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _listed(items: Sequence[str]) -> str:
    more = f" and {len(items) - LISTED} more" if len(items) > LISTED else ""
    return "; ".join(items[:LISTED]) + more
