"""Errors of any joint targets against any clip."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from whole_body_tracking.files import write_atomically
from whole_body_tracking.motion import MotionClip
from whole_body_tracking.robots import RobotModel

from .channels import JOINT_TARGET, read_joint_targets
from .measuring import WindowErrors, window_errors
from .native_physics import NativePhysics
from .reference import reference_states

VerificationTest = Literal["single", "trajectory"]


@dataclass(frozen=True)
class Verification:
    """Open-loop errors of joint targets."""

    clip: str
    actions: str
    """Where the targets come from."""
    test: VerificationTest
    errors: WindowErrors

    def lines(self) -> list[str]:
        """A table: for single steps one row, for trajectories about ten rows over the window."""
        steps = np.unique(np.linspace(1, self.errors.num_steps, 10).round().astype(int))
        rows = [f"{self.clip}, {self.actions}: open loop from states of the clip", "  step  joint [rad]  root [m]"]
        return rows + [
            f"{step:6d}  {self.errors.joint[step - 1]:11.5f}  {self.errors.root[step - 1]:8.4f}" for step in steps
        ]

    def write_json(self, path: Path) -> None:
        """Write the errors of every step."""
        content = {
            "clip": self.clip,
            "actions": self.actions,
            "test": self.test,
            "num_steps": self.errors.num_steps,
            "joint_error": self.errors.joint.tolist(),
            "root_error": self.errors.root.tolist(),
        }
        write_atomically(path, json.dumps(content, indent=2) + "\n")


def verify_action_extraction(
    clip: MotionClip,
    robot: RobotModel,
    actions: Path | None = None,
    test: VerificationTest = "trajectory",
    num_steps: int = 50,
) -> Verification:
    """Measure joint targets against a clip.

    Args:
        clip: The clip.
        robot: Whose clip it is.
        actions: Refined clip or plain .npy of joint targets [rad] in the order of the clip's joints; None takes the
            clip's own targets, or its joint positions if it has none.
        test: ``single`` for one step from every state, ``trajectory`` for windows every 25 frames.
        num_steps: Steps of a window.

    Raises:
        FileNotFoundError: If a file does not exist.
        ValueError: If the actions are of another clip, or the clip does not fit the robot, the physics or the window.
    """
    reference = reference_states(clip, robot)
    if actions is not None:
        targets, origin = read_joint_targets(actions, clip), actions.name
    else:
        targets = clip.channels.get(JOINT_TARGET, clip.joint_pos)
        origin = "its joint targets" if JOINT_TARGET in clip.channels else "its joint positions"
    with NativePhysics(robot, reference.control_dt) as physics:
        arguments = (physics, reference, reference.in_robot_order(targets))
        if test == "single":
            errors = window_errors(*arguments, num_steps=1, stride=1, max_windows=2000)
        else:
            errors = window_errors(*arguments, num_steps=num_steps)
    return Verification(clip.name, origin, test, errors)
