"""A browser page with a slider per gait parameter and the robot walking live."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import torch
import viser

from whole_body_tracking.motion import convert
from whole_body_tracking.motion.geometry.kinematics import forward_kinematics
from whole_body_tracking.robots import G1, RobotModel
from whole_body_tracking.viewer.scene import RobotNode, Stage
from whole_body_tracking.viewer.tracks import Track

from .analysis.measuring import measure_gait
from .generating import GaitRequest, Generator, generate_clip
from .live_walk import CycleTable, LiveWalk
from .planning.parameters import PARAMETERS, GaitParameters, ParameterSchedule

FPS = 30.0
MEASURED = ("speed", "cadence", "step_width", "clearance", "double_support", "pelvis_height", "turn_rate")
LONGEST_WAY = 4.0
"""Distance from the origin after which the robot starts over, so that the camera keeps it in view [m]."""


class GaitStudio:
    """State of the page: the sliders' gait, its cycle, and what it measures."""

    def __init__(self, request: GaitRequest, generator: Generator, robot: RobotModel = G1):
        self._request, self._generator, self._robot = request, generator, robot
        given = request.schedule().points[0].values
        self.wanted = {name: value for name, value in given.items() if np.isfinite(value)}
        self.message, self.measured = "", {}
        self.walk = LiveWalk(self._cycle(self.wanted))

    def change(self, wanted: dict[str, float]) -> bool:
        """Walk on with other parameters; what is not possible is told in ``message`` and changes nothing."""
        try:
            table = self._cycle(wanted)
        except ValueError as error:
            self.message = str(error)
            return False
        self.walk.change(table)
        self.wanted, self.message = dict(wanted), ""
        return True

    def save(self, path: Path) -> Path:
        """Write a clip of the current parameters.

        Raises:
            ValueError: If the name does not end in .npz.
        """
        request = GaitRequest(self.wanted, None, self._request.seconds, self._request.fps, self._request.standing)
        return generate_clip(request, self._generator, self._robot).save(path)

    def body_poses(self, dt: float) -> tuple[np.ndarray, np.ndarray]:
        """Positions [m] and orientations (x, y, z, w) of the bodies ``dt`` seconds later, shape [num_bodies, ...]."""
        if np.linalg.norm(self.walk.place) > LONGEST_WAY:
            self.walk.place = np.zeros(2)
        frame = self.walk.step(dt)
        pose = (torch.from_numpy(values.copy()) for values in (frame.pos, frame.quat, frame.joint_pos))
        pos, quat = forward_kinematics(self._robot, *pose)
        return pos[0].numpy(), quat[0].numpy()

    def _cycle(self, wanted: dict[str, float]) -> CycleTable:
        parameters = GaitParameters.of(wanted)
        seconds = 480.0 / parameters["cadence"]
        raw = self._generator(ParameterSchedule.constant(parameters), seconds, FPS, False)
        report = measure_gait(convert(raw, FPS, self._robot), self._robot)
        self.measured = {name: report.mean(name) for name in MEASURED}
        return CycleTable.of(raw, parameters)


def open_studio(request: GaitRequest, generator: Generator, output_file: Path | None, port: int) -> None:
    """Serve the page on this machine until interrupted.

    Raises:
        KeyboardInterrupt: On Ctrl+C, after the server has stopped.
        ValueError: If the first parameters are not possible.
    """
    studio = GaitStudio(request, generator)
    server = viser.ViserServer(host="127.0.0.1", port=port, label="Gait studio", verbose=False)
    try:
        stage, node = _stage(server, studio)
        sliders = _sliders(server, studio)
        numbers, path = server.gui.add_markdown(""), server.gui.add_text("File", str(output_file or "gait.npz"))
        server.gui.add_button("Save clip").on_click(lambda _: _save(studio, Path(path.value)))
        while True:
            started = time.monotonic()
            wanted = {name: slider.value for name, slider in sliders.items()}
            if wanted != studio.wanted and not studio.change(wanted):
                studio.wanted = wanted  # tell once, walk on as before
            pos, quat = studio.body_poses(1.0 / FPS)
            with server.atomic():
                node.move(pos, quat)
                stage.follow(pos[0])
            numbers.content = _table(studio)
            time.sleep(max(0.0, 1.0 / FPS - (time.monotonic() - started)))
    finally:
        server.stop()


def _stage(server: viser.ViserServer, studio: GaitStudio) -> tuple[Stage, RobotNode]:
    pos, quat = studio.body_poses(0.0)
    track = Track("gait", G1, G1.body_names, pos[None], quat[None])
    return Stage(server, [track], FPS), RobotNode(server.scene, track)


def _sliders(server: viser.ViserServer, studio: GaitStudio) -> dict:
    sliders = {}
    for name, item in PARAMETERS.items():
        if name == "pelvis_height" and name not in studio.wanted:
            continue  # as high as the steps allow
        step = 1.0 if name == "cadence" else 0.01
        sliders[name] = server.gui.add_slider(
            f"{name} [{item.unit}]", min=item.low, max=item.high, step=step, initial_value=studio.wanted[name]
        )
    return sliders


def _save(studio: GaitStudio, path: Path) -> None:
    try:
        studio.message = f"Written: {studio.save(path)}"
    except (ValueError, OSError) as error:
        studio.message = str(error)


def _table(studio: GaitStudio) -> str:
    """Wanted beside measured parameters, and what is not possible."""
    rows = []
    for name, value in studio.measured.items():
        wanted = _number(studio.wanted[name]) if name in studio.wanted else "highest"
        rows.append(f"| {name} | {wanted} | {_number(value)} |")
    return "\n".join(["| | wanted | measured |", "|---|---|---|", *rows, "", studio.message])


def _number(value: float) -> str:
    """Two decimals, and no -0.00."""
    return f"{round(value, 2) + 0.0:.2f}"
