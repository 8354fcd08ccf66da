"""The simulated robot, live in a browser."""

from __future__ import annotations

import threading

import numpy as np
import viser

from whole_body_tracking.viewer.scene import RobotNode, Stage
from whole_body_tracking.viewer.tracks import Track

from .simulated_robot.robot import DT, SimulatedRobot

PERIOD = 1.0 / 30.0
"""Time between two pictures [s]."""


class RobotView:
    """Serves the view on this machine alone; a thread of its own sends the poses."""

    def __init__(self, robot: SimulatedRobot, port: int):
        """Start the server.

        Args:
            robot: What to show.
            port: First port to try; the address is printed.
        """
        self._robot, self._every, self._calls = robot, round(PERIOD / DT), 0
        self._ids = [robot.model.body(name).id for name in robot.robot.body_names]
        self._server = viser.ViserServer(host="127.0.0.1", port=port, label="robot_sim", verbose=False)
        pos, quat = self._poses()
        self._track = Track("robot", robot.robot, robot.robot.body_names, pos[None], quat[None])
        self._stage = Stage(self._server, [self._track], 1.0 / PERIOD)
        self._node = RobotNode(self._server.scene, self._track)
        self._latest, self._wake, self._open = (pos, quat), threading.Event(), True
        self._thread = threading.Thread(target=self._send, name="robot view", daemon=True)
        self._thread.start()
        print(f"[INFO] Browser: http://127.0.0.1:{self._server.get_port()}", flush=True)

    def show(self) -> None:
        """Call once per physics step: hands a picture's poses over when one is due."""
        self._calls += 1
        if self._calls % self._every == 0:
            self._latest = self._poses()
            self._wake.set()

    def close(self) -> None:
        """Stop the thread and the server."""
        self._open = False
        self._wake.set()
        self._thread.join()
        self._server.stop()

    def _send(self) -> None:
        while self._wake.wait() and self._open:
            self._wake.clear()
            pos, quat = self._latest
            with self._server.atomic():
                self._node.move(pos, quat)
                self._stage.follow(pos[0])

    def _poses(self) -> tuple[np.ndarray, np.ndarray]:
        data = self._robot.data
        return data.xpos[self._ids].copy(), np.roll(data.xquat[self._ids], -1, axis=-1)
