"""Comparison of an engine's record with another engine's: pure functions of the two."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from .record import EngineRecord

Status = Literal["PASS", "FAIL", "SKIP"]

MAX_REPLAY = 1e-3
"""Largest difference between engine and clip without dynamics [m, rad]: float32 leaves about 1e-5."""
MAX_ROOT, MAX_JOINT = 2e-4, 3e-4
"""Largest difference after one control step of 20 ms [m, rad]. Native MuJoCo is 2.5e-4 m and 1.3e-3 rad away."""
MAX_OBSERVATION = 0.1
"""Largest difference of an observation after one control step, of it where it is above 1 [m, rad, m/s, rad/s]. OvPhysX
repeats itself to 5e-8; native MuJoCo differs by 0.14 rad/s in a joint and by 0.015 m/s and rad/s in the base."""
MAX_SPREAD = 1e-2
"""Largest difference between envs that start alike [rad]."""
FOOT_FORCE = (0.5, 1.5)
"""Mean vertical force on the feet of a standing robot, over its weight."""


@dataclass(frozen=True)
class CheckLine:
    """One line of the table."""

    name: str
    status: Status
    found: str
    """What was measured, with numbers."""
    advice: str
    """What to do if it failed."""


def judge(found: EngineRecord, expected: EngineRecord, same_engine: bool) -> list[CheckLine]:
    """Every check of a record.

    Args:
        found: The engine to check.
        expected: An engine that works.
        same_engine: Whether both are PhysX, so that states may be compared and not only order and kinematics.
    """
    lines = [
        _names("joint order", found.joint_names, expected.joint_names, "joint_ordering"),
        _names("body order", found.body_names, expected.body_names, "body_ordering"),
        _mass(found, expected),
        _widths(found, expected),
        _replay(found),
        _below("envs agree", found.spread, MAX_SPREAD, "rad", "Envs disturb each other: env.scene.env_spacing."),
        _finite(found),
        _foot_force(found),
    ]  # fmt: skip
    states: list[tuple[str, Callable[[], CheckLine]]] = [
        ("root after one step", lambda: _root(found, expected)),
        ("joints after one step", lambda: _joints(found, expected)),
        ("observations", lambda: _observations(found, expected)),
        ("time to fall", lambda: _fall(found, expected)),
    ]
    skipped = f"not compared: the record is {expected.engine}'s, this is {found.engine}"
    return lines + [check() if same_engine else CheckLine(name, "SKIP", skipped, "") for name, check in states]


def table(lines: Sequence[CheckLine]) -> str:
    """The lines as text; advice follows a line that failed."""
    width = max(len(line.name) for line in lines)
    rows = []
    for line in lines:
        rows.append(f"{line.status}  {line.name:<{width}}  {line.found}")
        if line.status == "FAIL":
            rows.append(f"      {'':<{width}}  -> {line.advice}")
    return "\n".join(rows)


def _line(name: str, passed: bool, found: str, advice: str) -> CheckLine:
    return CheckLine(name, "PASS" if passed else "FAIL", found, advice)


def _below(name: str, value: float, limit: float, unit: str, advice: str) -> CheckLine:
    return _line(name, value <= limit, f"{value:.2e} {unit} (at most {limit:g})", advice)


def _names(name: str, found: list[str], expected: list[str], setting: str) -> CheckLine:
    differing = [f"{i}: {a}, expected {b}" for i, (a, b) in enumerate(zip(found, expected, strict=False)) if a != b]
    if len(found) != len(expected):
        differing.append(f"{len(found)} names, expected {len(expected)}")
    text = f"{len(differing)} differ, first {differing[0]}" if differing else f"{len(found)} in the order of the CSV"
    advice = f"A policy would move other joints than it means. See `{setting}` in robots/g1_cfg.py; do not train."
    return _line(name, not differing, text, advice)


def _mass(found: EngineRecord, expected: EngineRecord) -> CheckLine:
    passed = abs(found.mass / expected.mass - 1.0) < 1e-4
    text = f"{found.mass:.4f} kg, expected {expected.mass:.4f}"
    return _line("mass", passed, text, "The engine reads the robot's USD differently: report its version.")


def _widths(found: EngineRecord, expected: EngineRecord) -> CheckLine:
    text = ", ".join(f"{group} {width}" for group, width in found.observation_widths.items())
    passed = found.observation_widths == expected.observation_widths
    return _line("observation widths", passed, text, f"Expected {expected.observation_widths}: check presets and task.")


def _replay(found: EngineRecord) -> CheckLine:
    passed = max(found.replay_pos_difference, found.replay_ori_difference) <= MAX_REPLAY
    text = f"{found.replay_pos_difference:.1e} m, {found.replay_ori_difference:.1e} rad from the clip"
    advice = (
        "Body poses read after a write are stale or of another frame. Look at it with scripts/replay_npz.py"
        " --viz kit; viewer/engine.py says what it relies on."
    )
    return _line("replay of 2 s", passed, text, advice)


def _finite(found: EngineRecord) -> CheckLine:
    text = f"{found.environment_steps_per_s:,.0f} environment steps/s"
    return _line("finite numbers", found.is_finite, text, "The simulation blew up: lower env.sim.dt, look at the log.")


def _foot_force(found: EngineRecord) -> CheckLine:
    low, high = FOOT_FORCE
    text = f"{found.foot_force:.2f} of the weight ({low:g} to {high:g})"
    advice = "Contact forces are missing or of other bodies: rewards for contacts would be wrong. Check contact_forces."
    return _line("feet carry the robot", low <= found.foot_force <= high, text, advice)


def _root(found: EngineRecord, expected: EngineRecord) -> CheckLine:
    ours, theirs = np.array(found.root_pose), np.array(expected.root_pose)
    ours[3:] *= np.sign(ours[3:] @ theirs[3:])  # q and -q are one rotation
    advice = "Positions: check the origin of the envs. Orientations: check that quaternions are x, y, z, w."
    return _below("root after one step", float(np.abs(ours - theirs).max()), MAX_ROOT, "m", advice)


def _joints(found: EngineRecord, expected: EngineRecord) -> CheckLine:
    theirs = dict(zip(expected.joint_names, expected.joint_pos, strict=True))
    ours = dict(zip(found.joint_names, found.joint_pos, strict=True))
    differences = {name: abs(ours[name] - value) for name, value in theirs.items() if name in ours}
    worst = max(differences, key=differences.get)
    advice = f"Largest at {worst}. Gains, armature or effort limits are not those of robots/g1_cfg.py."
    return _below("joints after one step", differences[worst], MAX_JOINT, "rad", advice)


def _observations(found: EngineRecord, expected: EngineRecord) -> CheckLine:
    if len(found.observation) != len(expected.observation):
        text = f"{len(found.observation)} values, expected {len(expected.observation)}"
        return _line("observations", False, text, "Another task or preset than the record's.")
    difference = np.abs(np.array(found.observation) - np.array(expected.observation))
    excess = difference / np.maximum(1.0, np.abs(expected.observation))
    terms = [term for term, width in expected.observation_terms.items() for _ in range(width)]
    worst = int(excess.argmax())
    wrong = ~(excess <= MAX_OBSERVATION)  # so that NaN is wrong too
    differing = dict.fromkeys(term for term, is_wrong in zip(terms, wrong, strict=True) if is_wrong)
    text = f"median difference {np.median(difference):.1e}, largest {difference[worst]:.2g} in {terms[worst]}"
    advice = (
        f"Other than expected: {', '.join(differing)}. If joints and root passed, a velocity is of another frame or"
        " point: compare docs/conventions.md."
    )
    return _line("observations", not wrong.any(), text, advice)


def _fall(found: EngineRecord, expected: EngineRecord) -> CheckLine:
    text = f"{found.first_failure:.2f} s, expected {expected.first_failure:.2f}"
    passed = abs(found.first_failure - expected.first_failure) <= 0.1
    return _line("time to fall", passed, text, "Dynamics differ: compare friction, gains and solver iterations.")
