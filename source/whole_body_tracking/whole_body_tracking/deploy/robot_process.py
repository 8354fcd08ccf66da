"""``robot_sim.py``: the simulated G1 as a process on the wire, in real time."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from whole_body_tracking.files import write_atomically

from .pacing import Pacer, stop_signals
from .protocol.dds import DdsLink
from .simulated_robot.robot import DT, RobotOptions, SimulatedRobot


@dataclass(frozen=True)
class RobotProcess:
    """How the process runs."""

    interface: str
    domain: int = 0
    seconds: float | None = None
    """When to stop by itself, on the robot's clock [s]; None: never."""
    port: int | None = None
    """Where to show the robot in a browser; None: nowhere."""
    truth: Path | None = None
    """NPZ to write what really happened to: ``tick`` [ms], ``qpos`` and ``qvel`` of MuJoCo, ``damping``."""


def run_robot(process: RobotProcess, options: RobotOptions) -> dict:
    """Serve states and take commands until told to stop; returns counts for a summary.

    Raises:
        OSError: If cyclonedds is missing.
        ValueError: If there is no such interface.
    """
    link = DdsLink("robot", process.interface, process.domain)
    robot = SimulatedRobot(options)
    view = _open_view(robot, process.port)
    truth: list[tuple] = []
    print(f"[INFO] The robot is on {process.interface}, domain {process.domain}.", flush=True)
    with stop_signals() as stop:
        pacer, phase, was_damping = Pacer(DT), None, None
        while not stop.is_set() and (process.seconds is None or robot.time < process.seconds):
            for data in link.receive(0.0):
                robot.receive(data)
            robot.step()
            state = robot.state()
            if state is not None:
                link.send(state)
            if process.truth is not None:
                truth.append(
                    (round(robot.time * 1000), robot.data.qpos.copy(), robot.data.qvel.copy(), robot.is_damping)
                )
            if view is not None:
                view.show()
            if robot.gantry is not None and robot.gantry.phase != phase:
                phase = robot.gantry.phase
                print(f"[INFO] {robot.time:.2f} s: the gantry is {phase}.", flush=True)
            if robot.is_damping != was_damping:
                was_damping = robot.is_damping
                print(f"[INFO] {robot.time:.2f} s: {_drive(robot)}.", flush=True)
            pacer.wait()
    if view is not None:
        view.close()
    if process.truth is not None:
        _write_truth(process.truth, truth)
    return {
        "seconds": robot.time,
        "seconds_lost": pacer.lost,
        "accepted_commands": robot.inbox.accepted,
        "refused_commands": dict(robot.inbox.refused),
        "lost_messages": robot.lost,
    }


def _drive(robot: SimulatedRobot) -> str:
    if not robot.is_damping:
        return "commanded"
    if robot.inbox.accepted == 0:
        return "damping"
    return f"damping, {1000.0 * robot.silence:.0f} ms after the last command"


def _open_view(robot: SimulatedRobot, port: int | None):
    if port is None:
        return None
    from .robot_view import RobotView

    return RobotView(robot, port)


def _write_truth(path: Path, rows: list[tuple]) -> None:
    buffer, columns = io.BytesIO(), zip(*rows, strict=True)
    names = ("tick", "qpos", "qvel", "damping")
    np.savez_compressed(buffer, **{name: np.array(values) for name, values in zip(names, columns, strict=True)})
    write_atomically(path, buffer.getvalue())
