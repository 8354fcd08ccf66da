"""Controller and simulated robot in one process, message by message: no network and no real time."""

from __future__ import annotations

from .control.controller import Controller
from .simulated_robot.robot import DT, SimulatedRobot


def make_clock(robot: SimulatedRobot):
    """A clock for the controller that goes with the robot's physics."""
    return lambda: robot.time


def advance(controller: Controller, robot: SimulatedRobot, seconds: float) -> None:
    """Let time pass: every state goes to the controller, every command to the robot.

    Args:
        controller: Made with :func:`make_clock`.
        robot: The robot.
        seconds: How long [s].
    """
    for _ in range(round(seconds / DT)):
        state = robot.state()
        command = controller.on_silence() if state is None else controller.on_state(state)
        if command is not None:
            robot.receive(command)
        robot.step()


def track_once(controller: Controller, robot: SimulatedRobot, patience: float = 5.0) -> bool:
    """Let a robot that stands track the chosen clip, and say whether it came to its end.

    Args:
        controller: Standing, or holding the end of another clip.
        robot: The robot.
        patience: Time beyond the clip's duration [s].
    """
    if not controller.track():
        return False
    end = robot.time + controller.tracker.reference.clip.duration + patience
    while robot.time < end and controller.mode == "track":
        advance(controller, robot, 0.02)
    advance(controller, robot, 0.1)
    return controller.mode == "hold"


def stand_up(controller: Controller, robot: SimulatedRobot, patience: float = 12.0) -> None:
    """Bring the robot from the gantry onto its feet.

    Raises:
        TimeoutError: If it does not stand on its own within ``patience`` seconds.
    """
    advance(controller, robot, 0.1)
    controller.stand()
    while robot.time < patience:
        advance(controller, robot, 0.1)
        if controller.is_standing and (robot.gantry is None or robot.gantry.phase == "released"):
            return
    raise TimeoutError(f"The robot does not stand after {patience:g} s: {controller.mode}, {controller.safety.trip}.")
