"""A browser page: click where the robot shall go, pick the clip that it performs there."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable

import numpy as np

from whole_body_tracking.viewer.scene import RobotNode, Stage
from whole_body_tracking.viewer.tracks import Track

from .live_course import LiveCourse
from .marks import add_mark

SHOWN_EVERY = 2
"""Control steps between two pictures."""
FARTHEST_CLICK = 10.0
"""From the robot to a clicked goal [m]. Near the horizon a click is much farther away than it looks."""


class CoursePage:
    """Ground to click on, buttons, and the robot."""

    def __init__(self, server, course: LiveCourse):
        """Add everything.

        Args:
            server: Of viser.
            course: What is clicked ends up here, when :meth:`act` is called.
        """
        self.course, self._server = course, server
        self._wishes: queue.SimpleQueue[Callable[[], object]] = queue.SimpleQueue()
        env = course.env
        pos, quat = (value[0].numpy() for value in env.simulation.body_poses())
        track = Track("robot", env.robot_model, env.robot_model.body_names, pos[None], quat[None])
        self._stage, self._node = Stage(server, [track], 1.0 / env.spec.control_dt), RobotNode(server.scene, track)
        cfg = env.cfg.course
        self._marks = [add_mark(server.scene, index, cfg.radius) for index in range(cfg.num_goals)]
        server.scene.on_click()(self._click)
        server.gui.add_markdown("Click the ground: the robot goes there and then performs the clip.")
        clips = server.gui.add_dropdown("clip", tuple(course.clips), initial_value=course.clip)
        clips.on_update(lambda _: self._wishes.put(lambda: course.choose(clips.value)))
        server.gui.add_button("perform now").on_click(lambda _: self._wishes.put(course.perform))
        server.gui.add_button("stop").on_click(lambda _: self._wishes.put(course.stop))
        self._text = server.gui.add_markdown(course.describe())
        self.show()

    def act(self) -> None:
        """Do what was clicked since the last call."""
        while not self._wishes.empty():
            self._wishes.get()()

    def show(self) -> None:
        """Show the robot and what it is about to do."""
        pos, quat = (value[0].numpy() for value in self.course.env.simulation.body_poses())
        with self._server.atomic():
            if np.isfinite(pos).all():
                self._node.move(pos, quat)
                self._stage.follow(pos[0])
            for index, mark in enumerate(self._marks):
                mark.visible = index < len(self.course.points)
                if mark.visible:
                    mark.position = (*self.course.points[index], 0.0)
        self._text.content = self.course.describe()

    def _click(self, event) -> None:
        point = self._stage.ground_point(np.array(event.ray_origin), np.array(event.ray_direction))
        if point is not None:
            self._wishes.put(lambda: self._add_goal(point))

    def _add_goal(self, point: tuple[float, float]) -> None:
        distance = float(np.linalg.norm(np.array(point) - self.course.env.robot.root_pos[0, :2].numpy()))
        if distance > FARTHEST_CLICK:
            self.course.message = f"That is {distance:.0f} m away: click within {FARTHEST_CLICK:g} m of the robot."
        else:
            self.course.add_goal(*point)


def open_page(course: LiveCourse, port: int, max_steps: int | None = None) -> None:
    """Serve the page on this machine, in real time.

    Args:
        course: What is run.
        port: First port to try; the address is printed.
        max_steps: Control steps after which it ends; None goes on until interrupted.

    Raises:
        KeyboardInterrupt: On Ctrl+C, after the server has stopped.
    """
    import viser

    server = viser.ViserServer(host="127.0.0.1", port=port, label="Course", verbose=False)
    print(f"[INFO] Page: http://127.0.0.1:{server.get_port()}", flush=True)
    try:
        page, steps, dt = CoursePage(server, course), 0, course.env.spec.control_dt
        while max_steps is None or steps < max_steps:
            started = time.monotonic()
            page.act()
            for _ in range(SHOWN_EVERY):
                course.advance()
            page.show()
            steps += SHOWN_EVERY
            time.sleep(max(0.0, SHOWN_EVERY * dt - (time.monotonic() - started)))
    finally:
        server.stop()
