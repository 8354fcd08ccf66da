"""Steering of a gait policy from a browser: keys and buttons, the robot simulated live in plain MuJoCo."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import viser

from whole_body_tracking.export.loader import OnnxPolicy, load_policy
from whole_body_tracking.robots import RobotModel
from whole_body_tracking.tracking.criteria import HEIGHT_THRESHOLD
from whole_body_tracking.viewer.scene import RobotNode, Stage
from whole_body_tracking.viewer.tracks import Track

from .gait_walker import KEYS, GaitWalker, WantedGait, gait_values
from .reference import robot_of

SHOWN_EVERY = 2
"""Control steps between two pictures."""


class Steering:
    """What an operator wants, and the walk that follows; begins anew after a fall."""

    def __init__(self, policy: OnnxPolicy, robot: RobotModel, gait: np.ndarray):
        self.spec, self.wanted = policy.spec, WantedGait(policy.spec, gait)
        self.walker = GaitWalker(policy, robot)
        self.walker.start(self.gait)
        self.num_falls = 0

    @property
    def gait(self) -> np.ndarray:
        """Values of the policy's ``gait`` input, shape [num_inputs]."""
        return self.wanted.values

    def change(self, name: str, by: float) -> None:
        """Raise or lower a parameter within its range."""
        self.wanted.change(name, by)

    def step(self) -> None:
        """Walk on; a robot whose anchor left its height is put back to the start."""
        step = self.walker.step(self.gait)
        anchor = self.spec.body_names.index(self.spec.anchor_body_name)
        if not abs(step.ref[0][anchor, 2] - step.bodies[0][anchor, 2]) < HEIGHT_THRESHOLD:
            self.num_falls += 1
            self.walker.start(self.gait)

    def describe(self) -> str:
        """The wanted parameters as a table."""
        rows = [
            f"| {name} | {value:.2f} | {' '.join(KEYS[name][:2]) if name in KEYS else ''} |"
            for name, value in zip(self.spec.gait_inputs, self.gait, strict=True)
        ]
        return "\n".join(["| | wanted | keys |", "|---|---|---|", *rows, "", f"Falls: {self.num_falls}"])


def open_steering(policy_path: Path, given: dict[str, float], port: int = 8080) -> None:
    """Serve the page on this machine until interrupted.

    Raises:
        KeyboardInterrupt: On Ctrl+C, after the server has stopped.
        FileNotFoundError: If there is no such policy.
        ValueError: If it follows no RefNN, or a parameter is unknown or out of range.
    """
    policy = load_policy(policy_path, follows_gait=True)
    robot = robot_of(policy.spec)
    steering = Steering(policy, robot, gait_values(policy.spec, given))
    server = viser.ViserServer(host="127.0.0.1", port=port, label="Gait steering", verbose=False)
    try:
        add_keys(server, steering)
        body_ids = steering.walker.simulation.body_ids(robot.body_names)
        pos, quat, *_ = steering.walker.simulation.bodies(body_ids)
        track = Track("robot", robot, robot.body_names, pos[None], quat[None])
        stage, node = Stage(server, [track], 1.0 / policy.spec.control_dt), RobotNode(server.scene, track)
        text = server.gui.add_markdown(steering.describe())
        while True:
            started = time.monotonic()
            for _ in range(SHOWN_EVERY):
                steering.step()
            pos, quat, *_ = steering.walker.simulation.bodies(body_ids)
            with server.atomic():
                node.move(pos, quat)
                stage.follow(pos[0])
            text.content = steering.describe()
            time.sleep(max(0.0, SHOWN_EVERY * policy.spec.control_dt - (time.monotonic() - started)))
    finally:
        server.stop()


def add_keys(server: viser.ViserServer, steering: Steering) -> None:
    """Add a command with a key, and a button, for raising and for lowering every parameter."""
    for name in steering.spec.gait_inputs:
        if name not in KEYS:
            continue
        up, down, step = KEYS[name]
        for key, by in ((up, step), (down, -step)):
            label = f"{name} {'up' if by > 0.0 else 'down'} ({key})"
            server.gui.add_command(label, hotkey=key).on_trigger(lambda _, n=name, b=by: steering.change(n, b))
            server.gui.add_button(label).on_click(lambda _, n=name, b=by: steering.change(n, b))
